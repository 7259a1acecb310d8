"""One transaction of many units, each of which rolls back alone: what the store's writer runs in the database thread.

Units run without savepoints, for those cost as much as half of the rest. One that raises before it wrote anything has
nothing to roll back; when one raises later, the transaction is rolled back and its units run again with savepoints.

Everything that can go wrong between "taken from the queue" and "answered" is decided here: a unit that raises, a
database that throws the whole transaction away, a connection that dies, a COMMIT that fails.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any, Final

import structlog

from hub.clock import Clock
from hub.db.backend import Backend, Session
from hub.db.crash import crash_point
from hub.db.tx import StartOver, Tx
from hub.errors import OutcomeUnknown, ParleyError, Unavailable
from hub.events import Recorded, Told

log = structlog.get_logger("store")

BATCH_SECONDS: Final = 0.010  # of work, by the backend's own measure
LONGEST_SECONDS: Final = 0.050  # whatever the machine does meanwhile
SLOW_UNIT_SECONDS: Final = 0.050
CAREFUL_BATCHES: Final = 16  # after one had to start over: where units keep failing, hoping costs more than savepoints


class Unit:
    """A function that waits for the writer, and what became of it."""

    __slots__ = ("args", "enqueued", "error", "events", "fn", "future", "kwargs", "result", "told")

    def __init__(self, fn: Callable[..., Any], args: Any, kwargs: Any, future: "asyncio.Future[Any]") -> None:
        self.fn, self.args, self.kwargs, self.future = fn, args, kwargs, future
        self.clear()

    def clear(self) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.events: list[Recorded] = []
        self.told: list[Told] = []
        self.enqueued = False


class Figures:
    """What the writer counts, for /metrics and the bench."""

    def __init__(self) -> None:
        self.units = 0
        self.batches = 0
        self.failed = 0
        self.refused = 0
        self.started_over = 0
        self.slow = 0


class DatabaseAway(Exception):
    """No transaction could even be begun: whatever waits is better told so now."""


class _Lost(Exception):
    """The connection died before COMMIT was sent: the batch may run once more."""


class Batcher:
    """`following` takes the next waiting unit, or None; `new_tx` makes what a unit holds in its hand."""

    def __init__(
        self,
        backend: Backend,
        clock: Clock,
        figures: Figures,
        following: Callable[[], Unit | None],
        new_tx: Callable[[Session, int, bool], Tx],
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._figures = figures
        self._following = following
        self._new_tx = new_tx
        self._careful = 0  # so many batches more

    def run(self, session: Session, taken: list[Unit]) -> None:
        """One transaction of as many units as wait. Every unit it takes is in `taken`, with its result or its error.

        Raises DatabaseAway when there is nothing to run them on; then none of `taken` was stored.
        """
        for last in (False, True):
            try:
                if session.lost:
                    session = self._reconnected()
                self._transaction(session, taken)
                return
            except _Lost:
                log.warning("connection lost before commit", units=len(taken), again=not last)
                if last:
                    _fail_all(taken, Unavailable)
            except DatabaseAway:
                if last or not session.lost:
                    raise

    def _reconnected(self) -> Session:
        try:
            return self._backend.reconnect()
        except Exception as error:
            raise DatabaseAway(repr(error)) from error

    def _begin(self, session: Session) -> int:
        """Begins; how far the database's clock is ahead of ours."""
        before = self._clock.now()
        try:
            return session.begin(before) - before
        except BaseException as error:
            _undo(session)
            raise DatabaseAway(repr(error)) from error

    def _transaction(self, session: Session, taken: list[Unit]) -> None:
        self._careful = max(0, self._careful - 1)
        if not self._careful:
            try:
                self._attempt(session, taken, careful=False)
                return
            except StartOver:
                self._figures.started_over += 1
                self._careful = CAREFUL_BATCHES
                _undo(session)
        self._attempt(session, taken, careful=True)

    def _attempt(self, session: Session, taken: list[Unit], *, careful: bool) -> None:
        started, worked = time.perf_counter(), self._backend.work()
        for unit in taken:  # a second try runs the same units first
            unit.clear()
        if not taken:
            first = self._following()
            if first is None:
                return
            taken.append(first)
        offset = self._begin(session)
        ran = 0
        while True:
            if ran == len(taken):
                if ran >= self._backend.batch or self._backend.work() - worked >= BATCH_SECONDS:
                    break
                if time.perf_counter() - started >= LONGEST_SECONDS:
                    break
                following = self._following()
                if following is None:
                    break
                taken.append(following)
            if not self._run(session, taken[ran], self._clock.now() + offset, careful):
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

    def _run(self, session: Session, unit: Unit, now: int, careful: bool) -> bool:
        """One unit. False: the database rolled back everything, the batch ends here."""
        tx = self._new_tx(session, now, careful)
        started = time.perf_counter()
        try:
            if careful:
                session.control("SAVEPOINT unit")
            unit.result = unit.fn(tx, *unit.args, **unit.kwargs)
            if careful:
                session.control("RELEASE SAVEPOINT unit")
        except StartOver:
            raise
        except BaseException as error:
            return self._undo_unit(session, unit, error, careful, tx.wrote)
        unit.events, unit.told, unit.enqueued = tx.recorded, tx.told, tx.enqueued
        if time.perf_counter() - started > SLOW_UNIT_SECONDS:
            self._figures.slow += 1
            ms = round((time.perf_counter() - started) * 1000)
            log.warning("slow unit", unit=getattr(unit.fn, "__qualname__", "?"), ms=ms)
        return True

    def _undo_unit(self, session: Session, unit: Unit, error: BaseException, careful: bool, wrote: bool) -> bool:
        """After a unit raised: it rolls back alone. False where the whole transaction is gone with it."""
        unit.clear()
        if session.lost or not session.in_transaction():
            log.error("the database rolled back everything", error=repr(error))
            return False
        if not careful and wrote:
            raise StartOver from error
        try:
            if careful:
                session.control("ROLLBACK TO SAVEPOINT unit")
                session.control("RELEASE SAVEPOINT unit")
        except BaseException as second:
            log.error("a unit could not be rolled back alone", error=repr(error), second=repr(second))
            return False
        unit.error = _carried(session, error)
        return True

    def _commit_failed(self, session: Session, taken: list[Unit], error: BaseException) -> None:
        if session.lost or session.unsure(error):
            log.error("the outcome of a commit is unknown", error=repr(error), units=len(taken))
            _undo(session)
            _fail_all(taken, OutcomeUnknown)
            return
        log.error("commit failed", error=repr(error), units=len(taken))
        _undo(session)
        if session.is_full(error) or len(taken) == 1:
            _fail_all(taken, Unavailable)
            return
        for unit in taken:
            self._alone(session, unit)

    def _alone(self, session: Session, unit: Unit) -> None:
        """A unit in a transaction of its own, after the COMMIT of its batch had failed."""
        unit.clear()
        committing = False
        try:
            if session.lost:
                raise Unavailable()
            offset = self._begin(session)
            if not self._run(session, unit, self._clock.now() + offset, careful=True):
                raise Unavailable()
            committing = True
            session.commit(bool(unit.events or unit.enqueued))
        except BaseException as error:
            unknown = committing and (session.lost or session.unsure(error))
            _undo(session)
            unit.clear()
            unit.error = OutcomeUnknown() if unknown else Unavailable()


def _undo(session: Session) -> None:
    with contextlib.suppress(Exception):
        session.rollback()


def _fail_all(taken: list[Unit], error: type[ParleyError]) -> None:
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
