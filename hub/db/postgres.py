"""PostgreSQL under the store: the same units over psycopg 3, in threads, so that any number of desks share one record.

Every write transaction takes one advisory lock before anything else: that is its BEGIN IMMEDIATE. Writers of all
processes are totally ordered, event ids commit in order, and what a unit has read cannot change under it.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hub.db.backend import Row, Session
from hub.db.sql import for_psycopg
from hub.errors import StartRefused, Unavailable

R = TypeVar("R")
# 64 savepoints and the transaction itself: the 65th overflows the subtransaction cache every reader looks into.
BATCH: Final = 64
READERS: Final = 4
LOCK: Final = 0x7061726C6579  # "parley"
CHANNEL: Final = "parley"
SIGNALS: Final = "parley_signal"

_TIME: Final = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
# One round trip begins, takes the lock and then reads the clock that leases are judged by.
_BEGIN_WRITE: Final = f"BEGIN; {_TIME} FROM pg_advisory_xact_lock({LOCK})"
# One snapshot for all that a read looks at, its cursor included.
_BEGIN_READ: Final = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_TIME}"
_NOTIFY_AND_COMMIT: Final = f"NOTIFY {CHANNEL}; COMMIT"
_SIGNAL: Final = "SELECT pg_notify(:channel, :payload)"
_CUT_OFF: Final = (pq.TransactionStatus.UNKNOWN, pq.TransactionStatus.ACTIVE)
# A paused process must not stop all others: its transaction is ended for it.
_WRITER_SETTINGS: Final = {
    "idle_in_transaction_session_timeout": "3s",
    "lock_timeout": "10s",
    "statement_timeout": "10s",
    "synchronous_commit": "on",
}
_READER_SETTINGS: Final = {"statement_timeout": "10s", "idle_in_transaction_session_timeout": "30s"}


# A server that does not answer any more is noticed in half a minute, not in two hours.
_DEFAULTS: Final = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}


class PostgresSession:
    def __init__(self, url: str, settings: Mapping[str, str], begin: str, *, own_clock: bool) -> None:
        self._url, self._settings, self._begin = url, settings, begin
        self._own_clock = own_clock
        self._raw, self._cursor = self._connected()

    def connect(self) -> None:
        """Once more, in place of one that was lost: that may be cut off and still open on this side."""
        self.close()
        self._raw, self._cursor = self._connected()

    def _connected(self) -> "tuple[psycopg.Connection[Row], psycopg.Cursor[Row]]":
        raw = psycopg.connect(self._url, autocommit=True, application_name="parley")
        try:
            cursor = raw.cursor()
            for name, value in self._settings.items():
                cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
                found = cursor.execute("SELECT current_setting(%s)", (name,)).fetchone()
                if found != (value,):
                    raise StartRefused(f"PostgreSQL answered {found!r} to {name} where {value!r} is needed.")
        except BaseException:
            raw.close()
            raise
        return raw, cursor

    @property
    def lost(self) -> bool:
        """Asked between statements: one that still counts as running then has been cut off."""
        return self._raw.closed or self._raw.info.transaction_status in _CUT_OFF

    def begin(self, now: int) -> int:
        self.rollback()  # one that had failed
        self._cursor.execute(self._begin).nextset()
        row = self._cursor.fetchone()
        return now if self._own_clock or row is None else int(row[0])

    def commit(self, notify: bool) -> None:
        # In one message, so that a connection lost here is lost with COMMIT already sent.
        self._cursor.execute(_NOTIFY_AND_COMMIT if notify else "COMMIT")
        while self._cursor.nextset():
            pass
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

    def set_patience(self, patient: bool) -> None:
        for name in ("lock_timeout", "statement_timeout"):
            value = "15min" if patient else self._settings[name]
            self._cursor.execute("SELECT set_config(%s, %s, false)", (name, value))

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        with self._cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def restart_ids(self, tables: Sequence[str], skip: Mapping[str, int]) -> None:
        for table in tables:
            self._cursor.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, 'id'), COALESCE(MAX(id), 0) + %s, false) FROM {table}",
                (table, skip.get(table, 0) + 1),
            )

    def is_full(self, error: BaseException) -> bool:
        return isinstance(error, psycopg.OperationalError)

    def unsure(self, error: BaseException) -> bool:
        return False  # an answer was had; without one the connection is lost

    def close(self) -> None:
        with contextlib.suppress(psycopg.Error):
            self._raw.close()


class PostgresBackend:
    name = "postgres"
    batch = BATCH
    notifies = True

    def __init__(self, url: str, *, readers: int = READERS, own_clock: bool = False) -> None:
        """`own_clock`: units are told our clock's time, not the database's; for tests that move the time."""
        self.url = url
        self._conninfo = ""
        self._own_clock = own_clock
        self._reader_count = readers
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._reader_threads = ThreadPoolExecutor(readers, thread_name_prefix="store-reader")
        self._local = threading.local()
        self._writer: PostgresSession | None = None
        self._opened: list[PostgresSession] = []

    def _new_writer(self) -> PostgresSession:
        self._conninfo = _with_defaults(self.url)
        return PostgresSession(self._conninfo, _WRITER_SETTINGS, _BEGIN_WRITE, own_clock=self._own_clock)

    def work(self) -> float:
        # They run in the server; this thread only waits for them.
        return time.perf_counter()

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
        try:
            reading = asyncio.get_running_loop().run_in_executor(self._reader_threads, self._read, fn)
        except RuntimeError:  # closed meanwhile
            raise Unavailable() from None
        try:
            return await reading
        except psycopg.OperationalError as error:
            raise Unavailable() from error

    def _read(self, fn: Callable[[Session], R]) -> R:
        """In a reader's thread. A connection found dead at its first use is replaced once; reads change nothing."""
        session: PostgresSession | None = getattr(self._local, "session", None)
        fresh = session is None
        if session is None:
            session = PostgresSession(self._conninfo, _READER_SETTINGS, _BEGIN_READ, own_clock=self._own_clock)
            self._local.session = session
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
        await self._notified(CHANNEL, wake, lambda _payload: wake())

    async def signal(self, payload: str) -> None:
        """Best effort: what is signalled is stale in a moment."""
        with contextlib.suppress(Unavailable):
            await self.in_reader(lambda s: s.rows(_SIGNAL, {"channel": SIGNALS, "payload": payload}))

    async def signals(self, heard: Callable[[str], None]) -> None:
        await self._notified(SIGNALS, lambda: None, heard)

    async def _notified(self, channel: str, connected: Callable[[], None], heard: Callable[[str], None]) -> None:
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(
                    self._conninfo, autocommit=True, application_name="parley"
                )
                async with connection:
                    await connection.execute(f"LISTEN {channel}")
                    connected()
                    async for notice in connection.notifies():
                        heard(notice.payload)
            except psycopg.Error:
                await asyncio.sleep(1)

    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None:
        raise NotImplementedError("backup of PostgreSQL is written in hub.db.backup, over a snapshot")


def _with_defaults(url: str) -> str:
    return make_conninfo("", **{**_DEFAULTS, **conninfo_to_dict(url)})


def _check(session: PostgresSession) -> None:
    """Refuses a server that would lose what it acknowledged, or sort text by a locale."""
    for name, wanted in (("fsync", "on"), ("full_page_writes", "on"), ("server_encoding", "UTF8")):
        found = session.rows("SELECT current_setting(:name)", {"name": name})[0][0]
        if found != wanted:
            raise StartRefused(f"PostgreSQL's {name} is {found!r}; Parley needs {wanted!r}.")
