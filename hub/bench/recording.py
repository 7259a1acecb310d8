"""The product's own SQL, listened to: which statements a unit runs, so that a bare loop can run the same ones."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from hub.db.backend import Backend, Row, Session

R = TypeVar("R")


class Statement(NamedTuple):
    sql: str
    params: Mapping[str, Any]
    gives_rows: bool


class Recording:
    """A backend that writes down what its writer is asked; everything else goes straight through.

    `units` has the statements of each unit since `on` was set; SAVEPOINT and RELEASE are only counted.
    """

    def __init__(self, inner: Backend) -> None:
        self._inner = inner
        self.on = False
        self.units: list[list[Statement]] = []
        self.controls = 0
        self._listeners: dict[int, _Listener] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def in_writer(self, fn: Callable[[Session], R]) -> R:
        return await self._inner.in_writer(lambda session: fn(self._listener(session)))

    def _listener(self, session: Session) -> Session:
        known = self._listeners.get(id(session))
        if known is None:
            known = self._listeners[id(session)] = _Listener(self, session)
        return known


class _Listener:
    def __init__(self, recording: Recording, inner: Session) -> None:
        self._recording, self._inner = recording, inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @property
    def lost(self) -> bool:
        return self._inner.lost

    def begin(self, now: int) -> int:
        return self._inner.begin(now)

    def commit(self, notify: bool) -> None:
        self._inner.commit(notify)

    def rollback(self) -> None:
        self._inner.rollback()

    def in_transaction(self) -> bool:
        return self._inner.in_transaction()

    def is_full(self, error: BaseException) -> bool:
        return self._inner.is_full(error)

    def unsure(self, error: BaseException) -> bool:
        return self._inner.unsure(error)

    def rows(self, sql: str, params: Mapping[str, Any]) -> list[Row]:
        self._note(Statement(sql, params, True))
        return self._inner.rows(sql, params)

    def count(self, sql: str, params: Mapping[str, Any]) -> int:
        self._note(Statement(sql, params, False))
        return self._inner.count(sql, params)

    def control(self, sql: str) -> None:
        if self._recording.on:
            if sql == "SAVEPOINT unit":
                self._recording.units.append([])
            self._recording.controls += 1
        self._inner.control(sql)

    def _note(self, statement: Statement) -> None:
        if self._recording.on:
            self._recording.units[-1].append(statement)
