"""PostgreSQL under the store: the same units over psycopg 3, in threads, so that any number of desks share one record.

Every write transaction takes one advisory lock before anything else: that is its BEGIN IMMEDIATE. Writers of all
processes are totally ordered, event ids commit in order, and what a unit has read cannot change under it.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import psycopg
from psycopg import pq

from hub.db.sql import for_psycopg
from hub.db.tx import Row, Session
from hub.errors import StartRefused

R = TypeVar("R")
# 64 savepoints and the transaction itself: the 65th overflows the subtransaction cache every reader looks into.
BATCH: Final = 64
READERS: Final = 4
LOCK: Final = 0x7061726C6579  # "parley"
CHANNEL: Final = "parley"

# One round trip takes the lock and then reads the clock that leases are judged by.
_TIME: Final = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
_LOCK_AND_TIME: Final = f"{_TIME} FROM pg_advisory_xact_lock({LOCK})"
# A paused process must not stop all others: its transaction is ended for it.
_WRITER_SETTINGS: Final = {
    "idle_in_transaction_session_timeout": "3s",
    "lock_timeout": "10s",
    "statement_timeout": "10s",
    "synchronous_commit": "on",
}
_READER_SETTINGS: Final = {"statement_timeout": "10s", "idle_in_transaction_session_timeout": "30s"}


class PostgresSession:
    def __init__(self, url: str, settings: Mapping[str, str], begin: str, first: str, *, own_clock: bool) -> None:
        self._url, self._settings, self._begin, self._first = url, settings, begin, first
        self._own_clock = own_clock
        self.connect()

    def connect(self) -> None:
        self._raw = psycopg.connect(self._url, autocommit=True, connect_timeout=10, application_name="parley")
        self._cursor = self._raw.cursor()
        for name, value in self._settings.items():
            self._cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
            found = self._cursor.execute("SELECT current_setting(%s)", (name,)).fetchone()
            if found != (value,):
                raise StartRefused(f"PostgreSQL answered {found!r} to {name} where {value!r} is needed.")

    @property
    def lost(self) -> bool:
        return self._raw.closed

    def begin(self, now: int) -> int:
        self._cursor.execute(self._begin)
        row = self._cursor.execute(self._first).fetchone()
        return now if self._own_clock or row is None else int(row[0])

    def commit(self, notify: bool) -> None:
        if notify:
            self._cursor.execute(f"NOTIFY {CHANNEL}")
        self._cursor.execute("COMMIT")
        # A transaction that had failed answers COMMIT with ROLLBACK, and without an error.
        if self._cursor.statusmessage != "COMMIT":
            raise psycopg.errors.InFailedSqlTransaction("COMMIT was answered with " + str(self._cursor.statusmessage))

    def rollback(self) -> None:
        if not self._raw.closed and self._raw.info.transaction_status != pq.TransactionStatus.IDLE:
            self._cursor.execute("ROLLBACK")

    def in_transaction(self) -> bool:
        return self._raw.info.transaction_status in (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)

    def rows(self, sql: str, params: Mapping[str, Any]) -> list[Row]:
        return self._cursor.execute(for_psycopg(sql), params).fetchall()

    def count(self, sql: str, params: Mapping[str, Any]) -> int:
        return self._cursor.execute(for_psycopg(sql), params).rowcount

    def control(self, sql: str) -> None:
        self._cursor.execute(sql)

    def is_full(self, error: BaseException) -> bool:
        return isinstance(error, psycopg.OperationalError)

    def close(self) -> None:
        self._raw.close()


class PostgresBackend:
    name = "postgres"
    batch = BATCH
    notifies = True

    def __init__(self, url: str, *, readers: int = READERS, own_clock: bool = False) -> None:
        """`own_clock`: units are told our clock's time, not the database's; for tests that move the time."""
        self.url = url
        self._own_clock = own_clock
        self._reader_count = readers
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._reader_threads = ThreadPoolExecutor(readers, thread_name_prefix="store-reader")
        self._local = threading.local()
        self._writer: PostgresSession | None = None
        self._opened: list[PostgresSession] = []

    def _new_writer(self) -> PostgresSession:
        return PostgresSession(self.url, _WRITER_SETTINGS, "BEGIN", _LOCK_AND_TIME, own_clock=self._own_clock)

    async def open(self) -> None:
        loop = asyncio.get_running_loop()

        def first() -> PostgresSession:
            try:
                session = self._new_writer()
            except psycopg.Error as error:
                raise StartRefused(
                    f"Cannot reach PostgreSQL: {str(error).strip()}", "Is PARLEY_DATABASE right, and is it running?"
                ) from error
            _check(session)
            return session

        self._writer = await loop.run_in_executor(self._writer_thread, first)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        if self._writer is not None:
            await loop.run_in_executor(self._writer_thread, self._writer.close)
            self._writer = None
        for threads in (self._writer_thread, self._reader_threads):
            await loop.run_in_executor(None, threads.shutdown)
        for session in self._opened:
            session.close()

    async def in_writer(self, fn: Callable[[Session], R]) -> R:
        assert self._writer is not None, "the store is not open"
        return await asyncio.get_running_loop().run_in_executor(self._writer_thread, lambda: fn(self._live_writer()))

    def _live_writer(self) -> PostgresSession:
        assert self._writer is not None
        return self._writer

    def reconnect(self) -> Session:
        assert self._writer is not None
        with contextlib.suppress(psycopg.Error):
            self._writer.close()
        self._writer.connect()
        return self._writer

    async def in_reader(self, fn: Callable[[Session], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._reader_threads, self._read, fn)

    def _read(self, fn: Callable[[Session], R]) -> R:
        """In a reader's thread. A connection found dead at its first use is replaced once; reads change nothing."""
        session: PostgresSession | None = getattr(self._local, "session", None)
        fresh = session is None
        if session is None:
            session = self._local.session = PostgresSession(
                self.url,
                _READER_SETTINGS,
                # One snapshot for all that a read looks at, its cursor included.
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                _TIME,
                own_clock=self._own_clock,
            )
            self._opened.append(session)
        elif session.lost:
            session.connect()
            fresh = True
        try:
            return fn(session)
        except psycopg.OperationalError:
            if fresh or not session.lost:
                raise
            session.connect()
            return fn(session)

    async def listen(self, wake: Callable[[], None]) -> None:
        """Calls `wake` for every NOTIFY, one a batch; and once after each (re)connection, for what it missed."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self.url, autocommit=True, application_name="parley")
                async with connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    wake()
                    async for _ in connection.notifies():
                        wake()
            except psycopg.Error:
                await asyncio.sleep(1)

    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None:
        raise NotImplementedError("backup of PostgreSQL is written in hub.db.backup, over a snapshot")


def _check(session: PostgresSession) -> None:
    """Refuses a server that would lose what it acknowledged, or sort text by a locale."""
    for name, wanted in (("fsync", "on"), ("full_page_writes", "on"), ("server_encoding", "UTF8")):
        found = session.rows("SELECT current_setting(:name)", {"name": name})[0][0]
        if found != wanted:
            raise StartRefused(f"PostgreSQL's {name} is {found!r}; Parley needs {wanted!r}.")
