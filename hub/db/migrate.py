"""Brings a database to this version's schema: numbered SQL files, each in one transaction, never downwards."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hub.db.backend import Backend, Session
from hub.db.crash import crash_point
from hub.db.sql import POSTGRES_WORDS, SQLITE_WORDS, fill
from hub.errors import StartRefused

FOLDER: Final = Path(__file__).with_name("migrations")

_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (version {int} NOT NULL, applied_at {int} NOT NULL){strict}"
VERSION: Final = "SELECT COALESCE(MAX(version), 0) FROM schema_version"
_APPLIED = "INSERT INTO schema_version (version, applied_at) VALUES (:version, :now)"


def known() -> list[tuple[str, str]]:
    """(file name, text) of the migrations 1, 2, …: their numbers have no gaps."""
    found = sorted((int(m[1]), path) for path in FOLDER.glob("*.sql") if (m := re.match(r"(\d{4})_", path.name)))
    assert [n for n, _ in found] == list(range(1, len(found) + 1)), "migration numbers have a gap"
    return [(path.name, path.read_text(encoding="utf-8")) for _, path in found]


async def version(backend: Backend) -> int:
    """The schema's number; 0 for an empty database."""
    words = _words(backend)

    def look(session: Session) -> int:
        session.set_patience(True)  # another desk may be migrating
        session.begin(0)
        try:
            for statement in fill(_TABLE, words):
                session.control(statement)
            found = int(session.rows(VERSION, {})[0][0])
            session.commit(False)
            return found
        finally:
            session.rollback()
            session.set_patience(False)

    return await backend.in_writer(look)


async def migrate(
    backend: Backend, now: int, progress: Callable[[str], None] = lambda _name: None, *, upto: int | None = None
) -> int:
    """Applies what is missing, to the newest or to `upto`; how many that were. Refuses a database of a newer Parley."""
    have = await version(backend)
    files = await asyncio.to_thread(known)
    if have > len(files):
        raise StartRefused(
            f"The database has schema {have}, this Parley knows {len(files)}.",
            "It was last used by a newer version: install that one, or restore a backup from before.",
        )
    words = _words(backend)
    for number, (name, text) in enumerate(files[have:upto], have + 1):
        progress(name)
        await backend.in_writer(lambda session, n=number, t=text: _apply(session, n, fill(t, words), now))  # type: ignore[misc]
    return len(files[have:upto])


def _apply(session: Session, number: int, statements: list[str], now: int) -> None:
    session.set_patience(True)  # an index over millions of rows takes its time
    session.begin(now)
    try:
        # Another process may have been faster: the lock that BEGIN took makes this look the truth.
        if int(session.rows(VERSION, {})[0][0]) < number:
            for statement in statements:
                session.control(statement)
                crash_point("migrate.statement")
            session.rows(_APPLIED + " RETURNING version", {"version": number, "now": now})
        crash_point("migrate.before_commit")
        session.commit(False)
    finally:
        session.rollback()
        session.set_patience(False)


def _words(backend: Backend) -> dict[str, str]:
    return SQLITE_WORDS if backend.name == "sqlite" else POSTGRES_WORDS
