"""The one write path: units of work, group commit, two queues; and reads that return plain values.

`write` hands a plain synchronous function to the database thread. The writer takes what waits, opens one transaction,
runs each unit so that it can fail alone, commits once, and only then answers. docs/architecture.md tells why.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import structlog

from hub.clock import Clock
from hub.db.backend import Backend, Row, Session
from hub.db.batch import Batcher, DatabaseAway, Figures, Unit
from hub.db.contents import FileLimits
from hub.db.tx import Reactions, Rx, Tx
from hub.errors import OutcomeUnknown, Unavailable
from hub.events import Event, Recorded, Told
from hub.seal import Sealer

P = ParamSpec("P")
R = TypeVar("R")
log = structlog.get_logger("store")

PEOPLE: Final = 0
MACHINES: Final = 1
MAX_WAITING: Final = 2_000


class NoReactions:
    """What a store without a desk around it reacts with."""

    def __init__(self) -> None:
        self.state: Mapping[type[Event], Sequence[Callable[[Tx, Recorded], None]]] = {}
        self.consequence: Mapping[type[Event], Sequence[Callable[[Tx, Recorded], None]]] = {}


class Store:
    """`committed` listeners are called on the loop after each commit, with the committed events in order and whether
    jobs were enqueued; `passing` listeners with what its units told. They must not block."""

    def __init__(self, backend: Backend, clock: Clock, reactions: Reactions | None = None) -> None:
        self.backend = backend
        self.clock = clock
        self.reactions: Reactions = reactions or NoReactions()
        self.sealer: Sealer | None = None
        self.allowed_hosts: frozenset[str] = frozenset()
        self.file_limits = FileLimits()
        self.figures = Figures()
        self.committed: list[Callable[[Sequence[Recorded], bool], None]] = []
        self.passing: list[Callable[[Sequence[Told]], None]] = []
        self._queues: tuple[deque[Unit], deque[Unit]] = (deque(), deque())
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._closing = False
        self._batcher = Batcher(backend, clock, self.figures, self._next, self._new_tx)

    # --- life --------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Opens every connection. One that is refused closes those before it: their threads would outlive us."""
        try:
            await self.backend.open()
        except BaseException:
            await self.backend.close()
            raise
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
        await self.open()
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
        self._queues[queue].append(Unit(fn, args, kwargs, future))
        self._wake.set()
        return future

    async def _write_for_ever(self) -> None:
        try:
            while True:
                if self.waiting():
                    await self._write_batch()
                elif self._closing:
                    return
                else:
                    self._wake.clear()
                    await self._wake.wait()
        finally:
            # Nobody may be left waiting for a writer that is gone.
            self._closing = True
            self._refuse_waiting()

    async def _write_batch(self) -> None:
        taken: list[Unit] = []
        try:
            await self.backend.in_writer(lambda session: self._batcher.run(session, taken))
        except asyncio.CancelledError:
            # The loop is being torn down; the thread may commit all the same.
            for unit in taken:
                unit.error = OutcomeUnknown()
            self._answer(taken)
            raise
        except BaseException as error:
            # Nothing could be begun. Whoever waits is told now, not one time-out after the other.
            log.error("the database is away", error=str(error) if isinstance(error, DatabaseAway) else repr(error))
            for unit in taken:
                unit.error = Unavailable()
            self._refuse_waiting()
        self._answer(taken)

    def _refuse_waiting(self) -> None:
        while (unit := self._next()) is not None:
            self.figures.refused += 1
            if not unit.future.done():
                unit.future.set_exception(Unavailable())

    def _answer(self, taken: list[Unit]) -> None:
        """Resolves futures first, then tells the listeners: an acknowledgement never waits for an audience."""
        events: list[Recorded] = []
        told: list[Told] = []
        enqueued = False
        self.figures.batches += 1
        for unit in taken:
            self.figures.units += 1
            if unit.error is None:
                events += unit.events
                told += unit.told
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
        if told:
            for hears in self.passing:
                try:
                    hears(told)
                except Exception:
                    log.exception("a listener of what is told raised")

    def _next(self) -> Unit | None:
        for queue in self._queues:
            with contextlib.suppress(IndexError):
                return queue.popleft()
        return None

    def _new_tx(self, session: Session, now: int, careful: bool) -> Tx:
        tx = Tx(session, now, self.reactions, careful=careful)
        tx.sealer, tx.allowed_hosts, tx.file_limits = self.sealer, self.allowed_hosts, self.file_limits
        return tx


def _read(session: Session, now: int, fn: Callable[..., R], args: Any, kwargs: Any) -> R:
    try:
        return fn(Rx(session, session.begin(now)), *args, **kwargs)
    except StopIteration as error:
        raise RuntimeError("a read raised StopIteration") from error
    except Exception:
        raise
    except BaseException as error:  # an exit meant for this thread would take the loop with it
        raise RuntimeError(f"a read raised {type(error).__name__}") from error
    finally:
        with contextlib.suppress(Exception):
            session.rollback()


__all__ = ["Backend", "Row", "Rx", "Session", "Store", "Tx"]
