"""The one write path: units of work, group commit, savepoints, two queues; and reads that return plain values.

`write` hands a plain synchronous function to the database thread. The writer takes what waits, opens one transaction,
runs each unit in its own savepoint, commits once, and only then answers. docs/architecture.md tells why.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

import structlog

from hub.clock import Clock
from hub.db.crash import crash_point
from hub.db.tx import Reactions, Row, Rx, Session, Tx
from hub.errors import OutcomeUnknown, ParleyError, Unavailable
from hub.events import Event, Recorded
from hub.seal import Sealer

P = ParamSpec("P")
R = TypeVar("R")
log = structlog.get_logger("store")

PEOPLE: Final = 0
MACHINES: Final = 1
MAX_WAITING: Final = 2_000
BATCH_SECONDS: Final = 0.010
SLOW_UNIT_SECONDS: Final = 0.050


class Backend(Protocol):
    """One database: connections and the threads they live in."""

    name: str
    batch: int  # units a transaction takes at most
    notifies: bool  # other processes hear of a commit by NOTIFY

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def in_writer(self, fn: Callable[[Session], R]) -> R: ...
    async def in_reader(self, fn: Callable[[Session], R]) -> R: ...
    def reconnect(self) -> Session: ...  # in the writer's thread, after `lost`
    async def listen(self, wake: Callable[[], None]) -> None: ...  # until cancelled
    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None: ...


class _Unit:
    __slots__ = ("args", "enqueued", "error", "events", "fn", "future", "kwargs", "result")

    def __init__(self, fn: Callable[..., Any], args: Any, kwargs: Any, future: "asyncio.Future[Any]") -> None:
        self.fn, self.args, self.kwargs, self.future = fn, args, kwargs, future
        self.clear()

    def clear(self) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.events: list[Recorded] = []
        self.enqueued = False


class NoReactions:
    """What a store without a desk around it reacts with."""

    def __init__(self) -> None:
        self.state: Mapping[type[Event], Sequence[Callable[[Tx, Recorded], None]]] = {}
        self.consequence: Mapping[type[Event], Sequence[Callable[[Tx, Recorded], None]]] = {}


class Figures:
    """What the writer counts, for /metrics and the bench."""

    def __init__(self) -> None:
        self.units = 0
        self.batches = 0
        self.failed = 0
        self.refused = 0
        self.slow = 0


class Store:
    """`committed` listeners are called on the loop after each commit, with the committed events in order and whether
    jobs were enqueued; they must not block."""

    def __init__(self, backend: Backend, clock: Clock, reactions: Reactions | None = None) -> None:
        self.backend = backend
        self.clock = clock
        self.reactions: Reactions = reactions or NoReactions()
        self.sealer: Sealer | None = None
        self.figures = Figures()
        self.committed: list[Callable[[Sequence[Recorded], bool], None]] = []
        self._queues: tuple[deque[_Unit], deque[_Unit]] = (deque(), deque())
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._closing = False

    # --- life --------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        await self.backend.open()
        self._writer = asyncio.create_task(self._write_for_ever(), name="store-writer")

    async def close(self) -> None:
        """Finishes what waits, then closes every connection. Safe to call twice."""
        self._closing = True
        self._wake.set()
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)
            self._writer = None
        await self.backend.close()

    async def __aenter__(self) -> "Store":
        try:
            await self.open()
        except BaseException:
            await self.backend.close()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    # --- for everybody -----------------------------------------------------------------------------------------

    async def write(self, fn: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs `fn(tx, …)` durably, people's queue; returns what it returned once it is on disk.

        Raises what `fn` raised (then nothing of it was stored), or Unavailable / OutcomeUnknown.
        """
        return await self._submit(PEOPLE, fn, args, kwargs)  # type: ignore[no-any-return]

    async def write_later(self, fn: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The same in the machines' queue: jobs, timers, housekeeping. People go first."""
        return await self._submit(MACHINES, fn, args, kwargs)  # type: ignore[no-any-return]

    async def read(self, fn: Callable[Concatenate[Rx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs `fn(rx, …)` on one snapshot of the database. A caller sees what it wrote."""
        now = self.clock.now()
        return await self.backend.in_reader(lambda session: _read(session, now, fn, args, kwargs))

    def waiting(self) -> int:
        return len(self._queues[0]) + len(self._queues[1])

    # --- the writer --------------------------------------------------------------------------------------------

    def _submit(self, queue: int, fn: Callable[..., Any], args: Any, kwargs: Any) -> Awaitable[Any]:
        if self._closing or self.waiting() >= MAX_WAITING:
            self.figures.refused += 1
            raise Unavailable()
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queues[queue].append(_Unit(fn, args, kwargs, future))
        self._wake.set()
        return future

    async def _write_for_ever(self) -> None:
        while True:
            if not self.waiting():
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            taken: list[_Unit] = []
            try:
                await self.backend.in_writer(lambda session, taken=taken: self._batch(session, taken))  # type: ignore[misc]
            except BaseException as error:  # a backend that cannot even try: nothing was done
                log.error("writer failed", error=repr(error))
                for unit in taken:
                    unit.error = unit.error or Unavailable()
                if not taken and self.waiting():
                    self._refuse_all()
                if isinstance(error, asyncio.CancelledError):
                    self._answer(taken)
                    raise
            self._answer(taken)

    def _refuse_all(self) -> None:
        for queue in self._queues:
            while queue:
                future = queue.popleft().future
                if not future.done():
                    future.set_exception(Unavailable())

    def _answer(self, taken: list[_Unit]) -> None:
        """Resolves futures first, then tells the listeners: an acknowledgement never waits for an audience."""
        events: list[Recorded] = []
        enqueued = False
        self.figures.batches += 1
        for unit in taken:
            self.figures.units += 1
            if unit.error is None:
                events += unit.events
                enqueued = enqueued or unit.enqueued
            else:
                self.figures.failed += 1
            if unit.future.done():
                continue  # the caller went away; its unit stands
            if unit.error is None:
                unit.future.set_result(unit.result)
            else:
                unit.future.set_exception(unit.error)
        if events or enqueued:
            for listener in self.committed:
                try:
                    listener(events, enqueued)
                except Exception:
                    log.exception("a listener of commits raised")

    def _next(self) -> _Unit | None:
        for queue in self._queues:
            with contextlib.suppress(IndexError):
                return queue.popleft()
        return None

    def _batch(self, session: Session, taken: list[_Unit]) -> None:
        """In the writer's thread: one transaction of as many units as wait. Fills in `taken`."""
        for attempt in (1, 2):
            try:
                if session.lost:
                    session = self.backend.reconnect()
                self._transaction(session, taken)
                return
            except _Lost:
                if attempt == 2:
                    _fail_all(taken, Unavailable)
            except BaseException as error:
                log.error("transaction failed", error=repr(error))
                _undo(session)
                if session.lost and attempt == 1:
                    continue
                _fail_all(taken, Unavailable)
                return

    def _transaction(self, session: Session, taken: list[_Unit]) -> None:
        started = time.perf_counter()
        for unit in taken:  # a second try runs the same units first
            unit.clear()
        if not taken:
            first = self._next()
            if first is None:
                return
            taken.append(first)
        offset = session.begin(self.clock.now()) - self.clock.now()
        ran = 0
        while True:
            if ran == len(taken):
                if ran >= self.backend.batch or time.perf_counter() - started >= BATCH_SECONDS:
                    break
                following = self._next()
                if following is None:
                    break
                taken.append(following)
            if not self._run(session, taken[ran], self.clock.now() + offset):
                if session.lost:
                    raise _Lost
                _undo(session)
                _fail_all(taken, Unavailable)
                return
            ran += 1
        crash_point("store.before_commit")
        try:
            session.commit(any(u.events or u.enqueued for u in taken))
        except BaseException as error:
            self._commit_failed(session, taken, error)
        crash_point("store.after_commit")

    def _run(self, session: Session, unit: _Unit, now: int) -> bool:
        """One unit in its savepoint. False: the database rolled back everything, the batch ends here."""
        tx = Tx(session, now, self.reactions)
        tx.sealer = self.sealer
        started = time.perf_counter()
        try:
            session.control("SAVEPOINT unit")
            unit.result = unit.fn(tx, *unit.args, **unit.kwargs)
            session.control("RELEASE SAVEPOINT unit")
        except BaseException as error:
            if session.lost or not session.in_transaction():
                return False
            try:
                session.control("ROLLBACK TO SAVEPOINT unit")
                session.control("RELEASE SAVEPOINT unit")
            except BaseException:
                return False
            unit.error = _carried(session, error)
            return True
        unit.events, unit.enqueued = tx.recorded, tx.enqueued
        if time.perf_counter() - started > SLOW_UNIT_SECONDS:
            self.figures.slow += 1
            log.warning("slow unit", unit=getattr(unit.fn, "__qualname__", "?"), ms=_ms(started))
        return True

    def _commit_failed(self, session: Session, taken: list[_Unit], error: BaseException) -> None:
        if session.lost:
            _fail_all(taken, OutcomeUnknown)
            return
        _undo(session)
        if session.is_full(error) or len(taken) == 1:
            _fail_all(taken, Unavailable)
            return
        log.error("commit failed, each unit once more alone", error=repr(error))
        for unit in taken:
            if unit.error is not None:
                continue
            unit.clear()
            self._alone(session, unit)

    def _alone(self, session: Session, unit: _Unit) -> None:
        try:
            offset = session.begin(self.clock.now()) - self.clock.now()
            if not self._run(session, unit, self.clock.now() + offset):
                raise Unavailable()
            session.commit(bool(unit.events or unit.enqueued))
        except BaseException:
            lost = session.lost
            _undo(session)
            unit.clear()
            unit.error = OutcomeUnknown() if lost else Unavailable()


class _Lost(Exception):
    """The connection died before COMMIT was sent: the batch may run once more."""


def _read(session: Session, now: int, fn: Callable[..., R], args: Any, kwargs: Any) -> R:
    offset = session.begin(now) - now
    try:
        return fn(Rx(session, now + offset), *args, **kwargs)
    except StopIteration as error:
        raise RuntimeError("a read raised StopIteration") from error
    finally:
        _undo(session)


def _undo(session: Session) -> None:
    with contextlib.suppress(Exception):
        session.rollback()


def _fail_all(taken: list[_Unit], error: type[ParleyError]) -> None:
    for unit in taken:
        unit.clear()
        unit.error = error()


def _carried(session: Session, error: BaseException) -> BaseException:
    """What a future can carry: a StopIteration, or an exit meant for a thread, would take the loop with it."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return Unavailable() if session.is_full(error) else error
    wrapped = RuntimeError(f"a unit raised {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped


def _ms(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


__all__ = ["Backend", "Row", "Rx", "Session", "Store", "Tx"]
