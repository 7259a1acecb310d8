"""The product's own SQL, listened to: which statements a unit runs, so that a bare loop can run the same ones."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from hub.db.backend import Backend, Row, Session
from hub.db.store import Store
from hub.db.tx import Tx

R = TypeVar("R")


class Statement(NamedTuple):
    sql: str
    params: Mapping[str, Any]
    gives_rows: bool


class Recording:
    """A backend that writes down what its writer is asked; everything else goes straight through.

    `units` has the statements of each unit written through `listen`; SAVEPOINT and RELEASE are only counted.
    """

    def __init__(self, inner: Backend) -> None:
        self._inner = inner
        self.on = False
        self.begun = 0  # how many units there were when the transaction began
        self.units: list[list[Statement]] = []
        self.controls = 0
        self._listeners: dict[int, _Listener] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def in_writer(self, fn: Callable[[Session], R]) -> R:
        return await self._inner.in_writer(lambda session: fn(self._listener(session)))

    def listen(self, store: Store) -> None:
        """From now on every unit of this store is written down."""
        self.on = True
        write = store.write

        async def marked(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            def unit(tx: Tx) -> Any:
                self.units.append([])
                return fn(tx, *args, **kwargs)

            return await write(unit)

        setattr(store, "write", marked)  # noqa: B010

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
        self._recording.begun = len(self._recording.units)
        return self._inner.begin(now)

    def commit(self, notify: bool) -> None:
        self._inner.commit(notify)

    def rollback(self) -> None:
        del self._recording.units[self._recording.begun :]
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
            self._recording.controls += 1
        self._inner.control(sql)

    def _note(self, statement: Statement) -> None:
        if self._recording.on and self._recording.units:
            self._recording.units[-1].append(statement)
