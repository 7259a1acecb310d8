"""A backup while the desk goes on: one SQLite file with the whole record, from either database, found whole.

The same format from both, so that a record can move from SQLite to PostgreSQL and back. What is not in it: the key
file, without which the inboxes' sealed secrets stay closed. A backup that holds both would be a key beside its lock.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hub.db import tables
from hub.db.backend import Backend, Session
from hub.db.contents import Contents, sync
from hub.db.migrate import VERSION
from hub.db.sql import insert
from hub.db.store import Store
from hub.errors import ParleyError

Progress = Callable[[int, int], None]

_ESTIMATE: Final = "SELECT COALESCE(SUM(GREATEST(reltuples, 0)), 0) FROM pg_class WHERE relkind = 'r' AND oid >= 16384"


class BackupFailed(ParleyError):
    """There is no backup: says why. Nothing is left where it was to be."""


async def create(
    store: Store,
    target: Path,
    progress: Progress = lambda _done, _all: None,
    contents: Contents | None = None,
) -> dict[str, Any]:
    """Writes the backup to `target` (in a folder: named by the time). Returns its path, size, schema and rows, and of
    `contents` (what files hold) how many lie beside it in `<target>.files`, and how many are missing.

    Under a name of its own first; only when it is on disk and was found whole does it get the real one.
    """
    if await asyncio.to_thread(target.is_dir):
        target = target / f"parley-{datetime.fromtimestamp(store.clock.now() / 1000, UTC):%Y%m%d-%H%M%S}.db"
    if await asyncio.to_thread(os.path.lexists, target):
        raise BackupFailed(f"There is something at {target} already. Give another name.")
    part = target.with_name(f".{target.name}.part")
    loop = asyncio.get_running_loop()

    def tell(done: int, of: int) -> None:
        loop.call_soon_threadsafe(progress, done, of)

    try:
        await asyncio.to_thread(_prepare, part)
        if store.backend.name == "sqlite":
            await store.backend.backup(str(part), tell)
        else:
            await _from_postgres(store.backend, part, store.clock.now(), tell)
        return await asyncio.to_thread(_finish, part, target, contents)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"The backup could not be written to {target}: {error}") from error
    finally:
        await asyncio.to_thread(_remove, part)


def _prepare(part: Path) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    _remove(part)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # customers' words are for nobody else


def _remove(part: Path) -> None:
    for name in (part.name, f"{part.name}-journal", f"{part.name}-wal", f"{part.name}-shm"):
        with suppress(FileNotFoundError, NotADirectoryError):
            part.with_name(name).unlink()


def beside(backup: Path) -> Path:
    """Where what its files hold lies."""
    return backup.with_name(backup.name + ".files")


def names_of(raw: sqlite3.Connection) -> list[str]:
    """The contents that a backup names; one from before there were files names none."""
    if "content" not in tables.tables(raw):
        return []
    return [name for (name,) in raw.execute("SELECT sha256 FROM content ORDER BY sha256")]


def _finish(part: Path, target: Path, contents: Contents | None) -> dict[str, Any]:
    """Looks the copy over, brings it to disk and gives it its name."""
    with closing(sqlite3.connect(part, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file that needs no other beside it
        wrong = tables.examine(raw)
        if wrong:
            raise BackupFailed(f"The copy is damaged, so the record may be: {'; '.join(wrong[:5])}")
        found = {"schema": tables.schema(raw), "rows": sum(tables.count(raw, name) for name in tables.tables(raw))}
        names = names_of(raw) if contents is not None else []
    if contents is not None and names:
        found["files"], found["missing"] = contents.copy_to(Contents(beside(target)), names)
    sync(part)
    os.link(part, target)  # unlike a renaming, it never takes the place of what is there
    part.unlink()
    sync(target.parent)
    return {"path": str(target), "bytes": target.stat().st_size, **found}


# --- from PostgreSQL -----------------------------------------------------------------------------------------------


async def _from_postgres(backend: Backend, part: Path, now: int, tell: Progress) -> None:
    await backend.in_reader(lambda session: _copy(session, part, now, tell))


def _copy(session: Session, part: Path, now: int, tell: Progress) -> None:
    """In a reader's thread: everything from one snapshot, table by table. May be called anew on a new connection."""
    _prepare(part)
    session.begin(now)
    try:
        with closing(tables.fresh(part, int(session.rows(VERSION, {})[0][0]), now)) as raw:
            most = int(session.rows(_ESTIMATE, {})[0][0])
            done = 0
            for name in tables.tables(raw):
                done = _copy_table(session, raw, name, done, lambda so_far: tell(so_far, max(most, so_far)))
            raw.execute("COMMIT")
        tell(done, done)
    finally:
        session.rollback()


def _copy_table(session: Session, raw: sqlite3.Connection, name: str, done: int, tell: Callable[[int], None]) -> int:
    names = tables.columns_of(raw, name)
    session.control(f"DECLARE {name}_rows NO SCROLL CURSOR FOR SELECT {', '.join(names)} FROM {name}")
    while rows := session.rows(f"FETCH {tables.CHUNK} FROM {name}_rows", {}):
        raw.executemany(insert(name, names), rows)
        done += len(rows)
        tell(done)
    session.control(f"CLOSE {name}_rows")
    return done
