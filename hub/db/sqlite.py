"""SQLite under the store: one connection writes and checkpoints the file, a few more only read it.

The connections and their threads are aiosqlite's. Whole units of work run inside them, for which its public face has
one method too few: this file alone touches its private `_execute` and `_conn` (tests/db/test_sqlite.py fails when they
change). One desk owns the file, by the lock `desk.lock`: SQLite before 3.51.3 can corrupt a WAL database that
two connections write or checkpoint.
"""

import asyncio
import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import aiosqlite

from hub.db.backend import Row, Session
from hub.db.sql import insert
from hub.errors import StartRefused, Unavailable

R = TypeVar("R")
BATCH: Final = 128
READERS: Final = 3


_OUTAGES: Final = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
)


class SqliteSession:
    """The store's view of one raw connection. `BEGIN IMMEDIATE` where it writes, `BEGIN` where it reads."""

    lost = False

    def __init__(self, raw: sqlite3.Connection, begin: str) -> None:
        self._raw = raw
        self._begin = begin
        self._execute = raw.execute

    def begin(self, now: int) -> int:
        if self._raw.in_transaction:  # a rollback that had failed
            self._execute("ROLLBACK")
        self._execute(self._begin)
        return now

    def commit(self, notify: bool) -> None:
        self._execute("COMMIT")

    def rollback(self) -> None:
        if self._raw.in_transaction:
            self._execute("ROLLBACK")

    def in_transaction(self) -> bool:
        return self._raw.in_transaction

    def rows(self, sql: str, params: Mapping[str, Any]) -> list[Row]:
        if not self._raw.in_transaction:
            raise Unavailable()  # it was all rolled back, and somebody caught the error: this would be stored at once
        return self._execute(sql, params).fetchall()

    def count(self, sql: str, params: Mapping[str, Any]) -> int:
        if not self._raw.in_transaction:
            raise Unavailable()
        return self._execute(sql, params).rowcount

    def control(self, sql: str) -> None:
        self._execute(sql)

    def set_patience(self, patient: bool) -> None:
        """No statement is cut off here, and nobody else writes this file."""

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        self._raw.executemany(insert(table, columns), rows)

    def restart_ids(self, tables: Sequence[str], skip: Mapping[str, int]) -> None:
        """Ids go on by themselves here; only those that are to leave a gap are told so (AUTOINCREMENT)."""
        for table, gap in skip.items():
            newest = self._execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}").fetchone()[0]
            self._execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            self._execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, newest + gap))

    def is_full(self, error: BaseException) -> bool:
        """Disk full, I/O error, read-only: the database cannot take it now, whoever asks."""
        return isinstance(error, sqlite3.OperationalError) and _code(error) in _OUTAGES

    def unsure(self, error: BaseException) -> bool:
        """A COMMIT whose fsync failed has written its last frame: after a crash it may be found complete."""
        return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_IOERR_FSYNC


class DeskLock:
    """Who holds it is the desk of this data folder. The lock dies with its process, so a kill leaves nothing behind.

    By flock: a lock of the other kind (lockf) would be gone as soon as anything in this process opened and closed the
    file, and would let a second desk into the same process.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "desk.lock"
        self._fd: int | None = None

    def acquire(self) -> bool:
        """True when this process is now the desk (or was already)."""
        if self._fd is not None:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise StartRefused(f"Cannot lock {self.path}: {error}") from error
            return False
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._fd = fd
        return True

    def holder(self) -> int | None:
        """The process that wrote its number there last; for words to a person, never to decide by."""
        try:
            return int(self.path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class SqliteBackend:
    name = "sqlite"
    batch = BATCH
    notifies = False

    def __init__(self, path: Path, *, readers: int = READERS) -> None:
        self.path = path
        self._wanted_readers = readers
        self._closed = False
        self._connections: list[aiosqlite.Connection] = []
        self._writer: tuple[aiosqlite.Connection, SqliteSession] | None = None
        self._readers: asyncio.LifoQueue[tuple[aiosqlite.Connection, SqliteSession]] = asyncio.LifoQueue()

    def work(self) -> float:
        # Statements run in this very thread. By the wall a busy machine would make small batches, and so be busier.
        return time.thread_time()

    async def open(self) -> None:
        try:
            await self._open()
        except (sqlite3.Error, OSError) as error:
            damaged = _code(error) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
            raise StartRefused(
                f"Cannot open the database {self.path}: {error}.",
                "The file is damaged or is no database of Parley: move it away and restore the last backup."
                if damaged
                else "Is the data folder there, and may this user write to it?",
            ) from error

    async def _open(self) -> None:
        await asyncio.to_thread(self.path.parent.mkdir, parents=True, exist_ok=True)
        writer = await self._connect(str(self.path), uri=False)
        await _within(writer, _set_up_writer)
        self._writer = (writer, SqliteSession(_raw(writer), "BEGIN IMMEDIATE"))
        for _ in range(self._wanted_readers):
            reader = await self._connect(f"file:{_quoted(self.path)}?mode=ro", uri=True)
            await _within(reader, _set_up_reader)
            self._readers.put_nowait((reader, SqliteSession(_raw(reader), "BEGIN")))

    async def _connect(self, name: str, *, uri: bool) -> aiosqlite.Connection:
        connection = aiosqlite.connect(name, uri=uri, isolation_level=None, cached_statements=512, timeout=5.0)
        # Its thread is no daemon: if opening fails half-way, an unclosed one would keep the process from ever ending.
        self._connections.append(connection)
        try:
            await connection
        except BaseException:
            self._connections.remove(connection)  # the library has ended its thread
            raise
        return connection

    async def close(self) -> None:
        """Readers first, the writer last, so that the writer's close checkpoints and removes the WAL."""
        self._closed = True
        while self._connections:
            await self._connections.pop().close()
        self._writer = None

    async def in_writer(self, fn: Callable[[Session], R]) -> R:
        assert self._writer is not None, "the store is not open"
        connection, session = self._writer
        return await _within(connection, lambda _raw: fn(session))

    async def in_reader(self, fn: Callable[[Session], R]) -> R:
        connection, session = reader = await self._readers.get()
        if self._closed:
            self._readers.put_nowait(reader)  # whoever waits behind us is told as well
            raise Unavailable()
        work = asyncio.ensure_future(_within(connection, lambda _raw: _reading(session, fn)))
        # A cancelled caller leaves at once; the connection goes back only when its thread is done with it.
        work.add_done_callback(lambda _done: self._readers.put_nowait(reader))
        return await asyncio.shield(work)

    def reconnect(self) -> Session:
        raise AssertionError("a SQLite connection is never lost")

    async def signal(self, payload: str) -> None:
        """There is nobody else: one process holds the file."""

    async def signals(self, heard: Callable[[str], None]) -> None:
        await asyncio.Event().wait()

    async def listen(self, wake: Callable[[], None]) -> None:
        """Nobody else writes this file, so nobody else's commits are to be heard of."""
        await asyncio.Event().wait()

    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None:
        """A consistent copy by SQLite's online backup, from a reader, in one step of one read transaction.

        One step, because a backup in several begins anew whenever the source is written meanwhile.
        """

        def copy(session: Session) -> None:
            target = sqlite3.connect(path)
            try:
                raw: sqlite3.Connection = session._raw  # type: ignore[attr-defined]
                raw.backup(target, pages=-1, progress=lambda _s, left, total: progress(total - left, total))
            finally:
                target.close()

        await self.in_reader(copy)


async def _within(connection: aiosqlite.Connection, fn: Callable[[sqlite3.Connection], R]) -> R:
    """Runs `fn(raw connection)` in the connection's thread."""
    return await connection._execute(lambda: fn(_raw(connection)))  # type: ignore[no-any-return, no-untyped-call]


def _reading(session: SqliteSession, fn: Callable[[Session], R]) -> R:
    try:
        return fn(session)
    except sqlite3.OperationalError as error:
        # A read that tries to write is a fault of ours, and is to look like one.
        if session.is_full(error) and error.sqlite_errorcode != sqlite3.SQLITE_READONLY:
            raise Unavailable() from error
        raise


def _raw(connection: aiosqlite.Connection) -> sqlite3.Connection:
    return connection._conn


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path))


def _set_up_writer(raw: sqlite3.Connection) -> None:
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "temp_store = MEMORY",
        "cache_size = -32000",
        "journal_size_limit = 67108864",
    ):
        raw.execute(f"PRAGMA {pragma}").fetchall()
    _expect(raw, journal_mode="wal", synchronous=2, foreign_keys=1, trusted_schema=0)


def _set_up_reader(raw: sqlite3.Connection) -> None:
    for pragma in ("query_only = ON", "trusted_schema = OFF", "mmap_size = 0", "cache_size = -16000"):
        raw.execute(f"PRAGMA {pragma}").fetchall()
    _expect(raw, query_only=1, mmap_size=0)


def _expect(raw: sqlite3.Connection, **wanted: object) -> None:
    """Reads the settings back: a database that is not durable is refused, not discovered later."""
    for name, value in wanted.items():
        found = raw.execute(f"PRAGMA {name}").fetchone()
        if (found[0] if found else None) != value:
            raise StartRefused(
                f"SQLite answered {found!r} to PRAGMA {name} where {value!r} is needed.",
                "Is the data folder on a local file system? WAL does not work over NFS.",
            )
