"""Puts a backup into an empty database of either kind, in one transaction, with nothing on its way out."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from hub.db import tables
from hub.db.backend import Backend, Session
from hub.db.backup import beside, names_of
from hub.db.contents import Contents
from hub.db.migrate import known, migrate, version
from hub.errors import StartRefused

Progress = Callable[[int, int], None]

# Clients hold cursors from the time after the backup. New events get ids beyond any of those, so that none is taken
# for one that has been seen.
EVENTS_SKIPPED: Final = 1_000_000

# What was true of processes that are gone. A job under way is ready again: whether its delivery arrived is asked for
# like after a crash, and the outbox lets nothing leave before a person has said so.
_SETTLE: Final = (
    "DELETE FROM presence",
    "DELETE FROM lease",
    "UPDATE job SET state = 'ready', lease_until = NULL, lease_by = NULL WHERE state = 'running'",
    """INSERT INTO setting (name, value) VALUES ('outbox', 'frozen')
       ON CONFLICT (name) DO UPDATE SET value = excluded.value""",
)


async def restore(
    backend: Backend, source: Path, now: int, progress: Progress = lambda _done, _all: None
) -> dict[str, Any]:
    """Fills the open, empty `backend` from `source`, and brings it to this version's schema.

    Raises StartRefused for a backup that is damaged, newer than this Parley, or not one, and for a database that is
    not empty. When it raises, or is killed, the database is as empty as it was.
    """
    schema, rows = await asyncio.to_thread(_look_at, source)
    have = await version(backend)
    if have not in (0, schema):
        raise StartRefused(
            f"The backup has schema {schema}, the database is already at {have}.",
            "Restore into a new, empty database: its schema is then brought up to date afterwards.",
        )
    await migrate(backend, now, upto=schema)
    loop = asyncio.get_running_loop()

    def tell(done: int) -> None:
        loop.call_soon_threadsafe(progress, done, rows)

    try:
        await backend.in_writer(lambda session: _fill(session, source, now, tell))
    except StartRefused:
        raise
    except Exception as error:
        raise StartRefused(f"The backup could not be restored; the database is still empty. {error}") from error
    await migrate(backend, now)
    return {"schema": schema, "rows": rows}


def bring_contents(source: Path, contents: Contents) -> dict[str, int]:
    """What the files of a backup hold, from beside it: `files` are there now, `missing` are not. Before the record is
    filled: a content that nothing names harms nobody."""
    try:
        with closing(_open(source)) as raw:
            names = names_of(raw)
    except sqlite3.Error:
        return {"files": 0, "missing": 0}  # `restore` says what is wrong with it
    there, missing = Contents(beside(source)).copy_to(contents, names)
    return {"files": there, "missing": missing}


def _open(source: Path) -> sqlite3.Connection:
    # `immutable`: a backup is one file, and reading it must leave nothing beside it.
    return sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode=ro&immutable=1", uri=True, isolation_level=None)


def _look_at(source: Path) -> tuple[int, int]:
    """(schema, rows) of a backup that is whole."""
    try:
        with closing(_open(source)) as raw:
            wrong = tables.examine(raw)
            schema = tables.schema(raw)
            rows = sum(tables.count(raw, name) for name in tables.tables(raw))
    except sqlite3.Error as error:
        raise StartRefused(f"{source} is not a backup of Parley, or it is damaged: {error}") from error
    if wrong:
        raise StartRefused(f"The backup {source} is damaged: {'; '.join(wrong[:5])}", "Take an older one.")
    if schema > len(known()):
        raise StartRefused(
            f"The backup {source} was made by a newer Parley.", "Install that version, and restore then."
        )
    return schema, rows


def _fill(session: Session, source: Path, now: int, tell: Callable[[int], None]) -> None:
    """In the writer's thread: all of it in one transaction."""
    session.set_patience(True)
    session.begin(now)
    try:
        with closing(_open(source)) as raw:
            names = tables.tables(raw)
            for table in names:
                if session.rows(f"SELECT 1 FROM {table} LIMIT 1", {}):
                    raise StartRefused(
                        f"The database is not empty: there is something in {table!r}.",
                        "A restore never overwrites. Point PARLEY_DATABASE (or PARLEY_DATA) to a new, empty place.",
                    )
            counts = _copy(session, raw, names, tell)
            session.restart_ids([name for name in names if tables.numbered(raw, name)], {"event": EVENTS_SKIPPED})
        for statement in _SETTLE:
            session.count(statement, {})
        session.commit(False)
        _compare(session, counts, now)
    finally:
        session.rollback()
        session.set_patience(False)


def _copy(
    session: Session, raw: sqlite3.Connection, names: list[str], tell: Callable[[int], None]
) -> Mapping[str, int]:
    counts = dict.fromkeys(names, 0)
    done = 0
    for name in names:
        into = tables.columns_of(raw, name)
        for rows in tables.chunks(raw, name):
            session.load(name, into, rows)
            counts[name] += len(rows)
            done += len(rows)
            tell(done)
    return counts


def _compare(session: Session, counts: Mapping[str, int], now: int) -> None:
    session.begin(now)
    changed = {"presence", "lease", "setting"}
    for table, wanted in counts.items():
        found = session.rows(f"SELECT COUNT(*) FROM {table}", {})[0][0]
        if table not in changed and found != wanted:
            raise StartRefused(f"Of {wanted} rows in {table!r} only {found} arrived. Do not use this database.")
