"""The schema: the same on both databases, applied once, whole or not at all, and never downwards."""

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.bench.postgres_server import Server
from hub.clock import ManualClock
from hub.db import migrate as migrations
from hub.db.backend import Backend
from hub.db.migrate import known, migrate, version
from hub.db.postgres import PostgresBackend
from hub.db.sql import SQLITE_WORDS, fill
from hub.db.sqlite import SqliteBackend
from hub.db.store import Rx, Store
from hub.errors import StartRefused
from tests.db.units import put, stored

SQLITE_COLUMNS = """
SELECT t.name, c.name, c."notnull", c.pk > 0
FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c
WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"""
POSTGRES_COLUMNS = """
SELECT c.table_name, c.column_name, c.is_nullable = 'NO',
       EXISTS (SELECT 1 FROM information_schema.key_column_usage AS k
               JOIN information_schema.table_constraints AS p USING (constraint_name, table_name)
               WHERE p.constraint_type = 'PRIMARY KEY' AND k.table_name = c.table_name
                 AND k.column_name = c.column_name)
FROM information_schema.columns AS c WHERE c.table_schema = 'public'"""
POSTGRES_TEXTS_SORTED_BY_A_LOCALE = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"""

FILES = known()
LATEST = len(FILES)


def columns(rx: Rx, sql: str) -> dict[tuple[str, str], bool]:
    """(table, column) → must it have a value."""
    return {(table, column): bool(required or key) for table, column, required, key in rx.rows(sql)}


@pytest.mark.postgres
async def test_both_databases_get_the_same_tables_and_columns(sqlite_store: Store, postgres_store: Store) -> None:
    on_sqlite = await sqlite_store.read(columns, SQLITE_COLUMNS)
    assert len(on_sqlite) > 150
    assert on_sqlite == await postgres_store.read(columns, POSTGRES_COLUMNS)


@pytest.mark.postgres
async def test_postgres_sorts_no_text_by_a_locale(postgres_store: Store) -> None:
    assert await postgres_store.read(lambda rx: rx.rows(POSTGRES_TEXTS_SORTED_BY_A_LOCALE)) == []


def test_no_text_of_a_migration_hides_a_semicolon_or_a_comment() -> None:
    """They are split by hand: a semicolon or two dashes within quotes would cut a statement in two."""
    for name, text in known():
        for statement in re.sub(r"--[^\n]*", "", text).split(";"):
            assert statement.count("'") % 2 == 0, (name, statement)


async def test_a_second_migration_finds_nothing_to_do(backend: Backend) -> None:
    await backend.open()
    try:
        assert await version(backend) == LATEST
        assert await migrate(backend, 0) == 0
    finally:
        await backend.close()


async def test_a_database_of_a_newer_parley_is_refused(backend: Backend) -> None:
    def from_the_future(session: Any) -> None:
        session.begin(0)
        session.count("INSERT INTO schema_version (version, applied_at) VALUES (:v, 0)", {"v": LATEST + 1})
        session.commit(False)

    await backend.open()
    try:
        await backend.in_writer(from_the_future)
        with pytest.raises(StartRefused, match="newer"):
            await migrate(backend, 0)
    finally:
        await backend.close()


async def test_a_migration_with_a_fault_leaves_nothing_of_itself(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = ("0099_broken.sql", "CREATE TABLE half (id {id}){strict}; CREATE TABLE nonsense (;")
    monkeypatch.setattr(migrations, "known", lambda: [*FILES, broken])
    named: list[str] = []
    await backend.open()
    try:
        with pytest.raises((sqlite3.Error, psycopg.Error)):
            await migrate(backend, 0, named.append)
        assert named == ["0099_broken.sql"]
        assert await version(backend) == LATEST
    finally:
        await backend.close()


@pytest.mark.postgres
async def test_two_desks_that_start_together_migrate_once(postgres_server: Server, postgres_admin: Any) -> None:
    await asyncio.to_thread(postgres_admin.execute, "CREATE DATABASE started_together")
    url = postgres_server.database("started_together")
    backends = [PostgresBackend(url) for _ in range(2)]
    try:
        await asyncio.gather(*(b.open() for b in backends))
        await asyncio.gather(*(migrate(b, 0) for b in backends))
        assert await version(backends[0]) == LATEST
        rows = await backends[0].in_reader(_applied)
        assert rows == LATEST
    finally:
        await asyncio.gather(*(b.close() for b in backends))
        await asyncio.to_thread(postgres_admin.execute, "DROP DATABASE started_together WITH (FORCE)")


def _applied(session: Any) -> int:
    session.begin(0)
    try:
        return int(session.rows("SELECT COUNT(*) FROM schema_version", {})[0][0])
    finally:
        session.rollback()


# --- a crash in the middle -------------------------------------------------------------------------------------------

CHILD = """
import asyncio, sys
from pathlib import Path
from hub.db.migrate import migrate
from hub.db.postgres import PostgresBackend
from hub.db.sqlite import SqliteBackend

async def main(where):
    backend = PostgresBackend(where) if "://" in where else SqliteBackend(Path(where))
    await backend.open()
    try:
        await migrate(backend, 0)
    finally:
        await backend.close()

asyncio.run(main(sys.argv[1]))
"""


def crash(where: str, point: str) -> int:
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "PARLEY_CRASH_POINT": point}
    return subprocess.run([sys.executable, "-c", CHILD, where], env=environment, timeout=60).returncode


def points() -> list[str]:
    """After every statement of every migration, and just before each is committed."""
    counts = [len(fill(text, SQLITE_WORDS)) for _, text in known()]
    every = [f"migrate.statement:{number}" for number in range(1, sum(counts) + 1)]
    return [*every, *(f"migrate.before_commit:{number}" for number in range(1, len(counts) + 1))]


async def migrates_on(backend: Backend) -> None:
    async with Store(backend, ManualClock()) as store:
        await migrate(backend, 0)
        assert await version(backend) == LATEST
        await store.write(put, "a")
        assert await stored(store) == ["a"]


def some(all_of_them: list[str]) -> list[str]:
    """Every tenth, the first and the last two where not all are asked for."""
    if os.environ.get("PARLEY_TEST_ALL"):
        return all_of_them
    return sorted({*all_of_them[::20], *all_of_them[-2:]}, key=all_of_them.index)


@pytest.mark.faults
@pytest.mark.parametrize("point", some(points()))
async def test_a_crash_at_any_statement_leaves_a_sqlite_database_that_migrates_on(tmp_path: Path, point: str) -> None:
    path = tmp_path / "parley.db"
    assert await asyncio.to_thread(crash, str(path), point) == 137
    await migrates_on(SqliteBackend(path))


@pytest.mark.faults
@pytest.mark.postgres
@pytest.mark.parametrize("point", some(points()))
async def test_a_crash_at_any_statement_leaves_a_postgres_database_that_migrates_on(
    postgres_server: Server, postgres_admin: Any, point: str
) -> None:
    name = "crash_" + re.sub(r"\W", "_", point)
    await asyncio.to_thread(postgres_admin.execute, f"CREATE DATABASE {name}")
    try:
        assert await asyncio.to_thread(crash, postgres_server.database(name), point) == 137
        await migrates_on(PostgresBackend(postgres_server.database(name)))
    finally:
        await asyncio.to_thread(postgres_admin.execute, f"DROP DATABASE {name} WITH (FORCE)")
