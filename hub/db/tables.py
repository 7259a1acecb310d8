"""The tables of a SQLite file of ours: which there are, what they hang on, what is in them. For backup and restore."""

import sqlite3
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

from hub.db.migrate import VERSION, known
from hub.db.sql import SQLITE_WORDS, fill

CHUNK: Final = 500
VERSIONS: Final = "schema_version"  # every database has its own: what was applied to it, and when

_TABLES: Final = "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' ORDER BY name"
_PARENTS: Final = 'SELECT DISTINCT "table" FROM pragma_foreign_key_list(:name)'
_COLUMNS: Final = "SELECT name, pk FROM pragma_table_info(:name) ORDER BY cid"


def tables(raw: sqlite3.Connection) -> list[str]:
    """Every table that holds something of its own, those first that others refer to."""
    names = [name for (name,) in raw.execute(_TABLES) if not name.startswith("sqlite_") and name != VERSIONS]
    parents = {name: {p for (p,) in raw.execute(_PARENTS, {"name": name})} - {name} for name in names}
    return list(TopologicalSorter(parents).static_order())


def columns_of(raw: sqlite3.Connection, table: str) -> list[str]:
    return [name for name, _ in raw.execute(_COLUMNS, {"name": table})]


def numbered(raw: sqlite3.Connection, table: str) -> bool:
    """Has it ids that the database gives out?"""
    return bool(raw.execute(_COLUMNS, {"name": table}).fetchone() == ("id", 1))


def count(raw: sqlite3.Connection, table: str) -> int:
    return int(raw.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])


def schema(raw: sqlite3.Connection) -> int:
    return int(raw.execute(VERSION).fetchone()[0])


def chunks(raw: sqlite3.Connection, table: str) -> Iterator[list[tuple[Any, ...]]]:
    columns = ", ".join(columns_of(raw, table))
    cursor = raw.execute(f"SELECT {columns} FROM {table} ORDER BY rowid")
    while rows := cursor.fetchmany(CHUNK):
        yield rows


def fresh(path: Path, upto: int, now: int) -> sqlite3.Connection:
    """A new file with our schema as it was at `upto`; a transaction is open, keys are not looked at."""
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("BEGIN IMMEDIATE")
    raw.execute("CREATE TABLE schema_version (version INTEGER NOT NULL, applied_at INTEGER NOT NULL) STRICT")
    for number, (_, text) in enumerate(known()[:upto], 1):
        for statement in fill(text, SQLITE_WORDS):
            raw.execute(statement)
        raw.execute("INSERT INTO schema_version (version, applied_at) VALUES (:n, :now)", {"n": number, "now": now})
    return raw


def examine(raw: sqlite3.Connection) -> list[str]:
    """What is broken in the file, in the database's own words; empty: nothing."""
    wrong = [row[0] for row in raw.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
    for table, row_id, parent, _ in raw.execute("PRAGMA foreign_key_check"):
        wrong.append(f"row {row_id} of {table} points to a {parent} that is not there")
    return wrong
