"""Every SQL constant of the desk is understood by both databases, and nothing begins a transaction the cheap way."""

import ast
import contextlib
import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import hub
from hub.bench.postgres_server import Server
from hub.db.sql import POSTGRES_WORDS, SQLITE_WORDS, fill, for_psycopg
from tests.fixtures.databases import TEMPLATE

ROOT = Path(hub.__file__).parent
VERBS = (["SELECT"], ["INSERT"], ["UPDATE"], ["DELETE"], ["WITH"])
PARAMETER = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
# What asks one of them about itself is not for the other.
OF_POSTGRES = re.compile(r"\bpg_[a-z_]+|\b(current_setting|clock_timestamp)\b")


def modules() -> list[str]:
    return sorted(m.name for m in pkgutil.walk_packages([str(ROOT)], "hub.") if not m.name.startswith("hub.bench"))


def parts(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, tuple | list) else [value]


def constants() -> tuple[list[tuple[str, str]], list[str]]:
    """(where, statement) of every constant in capitals that begins with one of the verbs, those in dicts and tuples
    too; and the modules that cannot be imported."""
    found, broken = [], []
    for name in modules():
        if name.endswith("__main__"):
            continue
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            broken.append(f"{name}: {error}")
            continue
        for key, value in vars(module).items():
            if key.upper() != key:
                continue
            for number, statement in enumerate(parts(value)):
                if isinstance(statement, str) and statement.split(maxsplit=1)[:1] in VERBS:
                    found.append((f"{name}.{key}" + (f"[{number}]" if number else ""), statement))
    return found, broken


CONSTANTS, BROKEN = constants()
OF_SQLITE = re.compile(r"\bpragma_[a-z_]+")
FOR_POSTGRES = [pair for pair in CONSTANTS if not OF_SQLITE.search(pair[1])]
COMMON = [pair for pair in CONSTANTS if not OF_POSTGRES.search(pair[1])]


def test_every_module_can_be_looked_into() -> None:
    assert BROKEN == []


def test_there_are_constants_and_they_have_no_holes() -> None:
    assert len(CONSTANTS) > 3
    for where, statement in CONSTANTS:
        assert "{" not in statement or "'" in statement, f"{where} is put together from text"


@pytest.fixture(scope="module")
def on_sqlite(sqlite_template: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"file:{sqlite_template}?mode=ro", uri=True)) as connection:
        yield connection


@pytest.fixture(scope="module")
def on_postgres(postgres_server: Server, postgres_admin: Any) -> "Iterator[psycopg.Connection[Any]]":
    postgres_admin.execute(f"CREATE DATABASE explained TEMPLATE {TEMPLATE}")
    with psycopg.connect(postgres_server.database("explained"), autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(("where", "statement"), COMMON, ids=[where for where, _ in COMMON])
def test_sqlite_understands(on_sqlite: sqlite3.Connection, where: str, statement: str) -> None:
    bound = dict.fromkeys(PARAMETER.findall(statement))
    assert on_sqlite.execute(f"EXPLAIN {statement}", bound).fetchall()


@pytest.mark.postgres
@pytest.mark.parametrize(("where", "statement"), FOR_POSTGRES, ids=[where for where, _ in FOR_POSTGRES])
def test_postgres_understands(on_postgres: "psycopg.Connection[Any]", where: str, statement: str) -> None:
    """As text with the server's own parameters, so that it plans for values of any kind."""
    order: dict[str, int] = {}
    for name in PARAMETER.findall(statement):
        order.setdefault(name, len(order) + 1)
    numbered = PARAMETER.sub(lambda m: f"${order[m.group(1)]}", statement)
    assert on_postgres.execute(f"EXPLAIN (GENERIC_PLAN) {numbered}").fetchall()


def test_a_transaction_that_writes_never_begins_with_a_bare_begin() -> None:
    """A deferred one fails in the middle when another writes first. Two places begin transactions; both are known."""
    found = []
    for path in sorted(path for path in ROOT.rglob("*.py") if path.parent.name != "bench"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and re.match(r"(?i)\s*BEGIN\b", node.value)
            ):
                found.append(f"{path.relative_to(ROOT)}: {node.value.strip()}")
    assert found == [
        "db/postgres.py: BEGIN;",
        "db/postgres.py: BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;",
        "db/sqlite.py: BEGIN IMMEDIATE",
        "db/sqlite.py: BEGIN",
        "db/tables.py: BEGIN IMMEDIATE",  # a file that nobody else knows of yet
    ]


def test_named_parameters_become_the_drivers() -> None:
    assert (
        for_psycopg("SELECT :a, :a, ':b', \"x:c\", 5 % 2 -- :d") == "SELECT %(a)s, %(a)s, ':b', \"x:c\", 5 %% 2 -- :d"
    )
    assert for_psycopg("SELECT CAST(:a_1 AS TEXT), x::int, 'it''s :no'") == (
        "SELECT CAST(%(a_1)s AS TEXT), x::int, 'it''s :no'"
    )


def test_a_migration_is_split_into_statements_with_its_words_filled_in() -> None:
    text = "-- a note; here\nCREATE TABLE a (id {id}, b {int}){strict}; -- more\n\nCREATE INDEX b ON a (b);\n"
    assert fill(text, SQLITE_WORDS) == [
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER) STRICT",
        "CREATE INDEX b ON a (b)",
    ]
    assert fill(text, POSTGRES_WORDS)[0].endswith("b BIGINT)")
