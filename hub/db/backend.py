"""What the store asks of a database: one writing session, a few reading ones, and the threads they live in."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

R = TypeVar("R")
Row = tuple[Any, ...]


class Session(Protocol):
    """One connection as the store drives it; every method runs in that connection's own thread."""

    @property
    def lost(self) -> bool: ...  # the connection itself is gone; nothing more can run on it

    def begin(self, now: int) -> int: ...  # `now` by our clock → milliseconds by the clock that leases are judged by
    def commit(self, notify: bool) -> None: ...
    def rollback(self) -> None: ...
    def in_transaction(self) -> bool: ...
    def rows(self, sql: str, params: Mapping[str, Any]) -> list[Row]: ...
    def count(self, sql: str, params: Mapping[str, Any]) -> int: ...
    def control(self, sql: str) -> None: ...
    def set_patience(self, patient: bool) -> None: ...  # between transactions: may a statement or a lock take minutes?
    def load(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None: ...  # many rows, fast
    def restart_ids(self, tables: Sequence[str], skip: Mapping[str, int]) -> None: ...  # after rows with ids came in
    def is_full(self, error: BaseException) -> bool: ...  # the database cannot take it now, whoever asks
    def unsure(self, error: BaseException) -> bool: ...  # a COMMIT that raised this may have happened all the same


class Backend(Protocol):
    """One database: connections and the threads they live in."""

    name: str
    batch: int  # units a transaction takes at most
    notifies: bool  # other processes hear of a commit by NOTIFY

    def work(self) -> float: ...  # seconds, in the writer's thread: by how much it grows is what a batch has cost
    async def open(self) -> None: ...
    async def close(self) -> None: ...  # safe to call twice, and after an `open` that failed
    async def in_writer(self, fn: Callable[[Session], R]) -> R: ...
    async def in_reader(self, fn: Callable[[Session], R]) -> R: ...  # Unavailable where the database is
    def reconnect(self) -> Session: ...  # in the writer's thread, after `lost`
    async def listen(self, wake: Callable[[], None]) -> None: ...  # until cancelled
    async def signal(self, payload: str) -> None: ...  # to the other processes, at most 7,000 bytes; kept nowhere
    async def signals(self, heard: Callable[[str], None]) -> None: ...  # those of all processes, until cancelled
    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None: ...
