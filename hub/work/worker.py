"""Runs the jobs of the queue: one dispatcher, and for each lane so many at a time. Made and stopped by hub.app.

It is woken by commits that enqueue, by the time of the next job and, where other processes write too, every second.
"""

import asyncio
import contextlib
import random
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from hub.db import lanes
from hub.db.store import Store
from hub.db.tx import Tx
from hub.errors import Refusal, Unavailable
from hub.events import Recorded
from hub.work import queue
from hub.work.queue import Again, Job, LeaseLost

log = structlog.get_logger("work")

AT_ONCE: Final = {lanes.INBOUND: 8, lanes.OUTBOUND: 32, lanes.WEBHOOKS: 8, lanes.HOUSEKEEPING: 2}
RENEW_SECONDS: Final = 20.0
STOP_SECONDS: Final = 0.7
LOOK_SECONDS: Final = 1.0

# What a handler wants written together with the end of its job.
Then = Callable[[Tx], object]
Handler = Callable[[Job], Awaitable[Then | None]]
Unit = Callable[[Tx, Any], object]


def unit(fn: Unit) -> Handler:
    """A job that is one unit: `fn(tx, payload)` is written together with the end of the job."""

    async def handle(job: Job) -> Then:
        return lambda tx: fn(tx, job.payload)

    return handle


class Figures:
    """What /metrics shows of the queue, by lane."""

    def __init__(self) -> None:
        self.done: Counter[int] = Counter()
        self.retried: Counter[int] = Counter()
        self.died: Counter[int] = Counter()
        self.lag: dict[int, int] = {}  # milliseconds that the last job taken had waited since it was due


class Worker:
    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Handler],
        *,
        dead: Mapping[str, Unit] = {},
        at_once: Mapping[int, int] = AT_ONCE,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`dead`: what else is written when a job of a kind is given up. `chance`: spreads the pauses."""
        self.store = store
        self.handlers = dict(handlers)
        self._dead = dict(dead)
        self.figures = Figures()
        self.name = secrets.token_hex(8)
        self._at_once = at_once
        self.chance = chance
        self._running: dict[asyncio.Task[None], Job] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    # --- life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        # One desk alone on its database holds its lock: whoever had a lease before is dead.
        await self.store.write_later(queue.reclaim if self.store.backend.notifies else queue.clear_leases)
        self.store.committed.append(self._heard)
        self._tasks = [
            asyncio.create_task(self._dispatch_for_ever(), name="worker"),
            asyncio.create_task(self._renew_for_ever(), name="worker-leases"),
        ]

    async def stop(self, drain: float = STOP_SECONDS) -> None:
        """Lets what runs finish for `drain` seconds, then cancels it and gives its jobs back."""
        self._stopping = True
        self._wake.set()
        if self._heard in self.store.committed:
            self.store.committed.remove(self._heard)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._running:
            _, left = await asyncio.wait(self._running, timeout=drain)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=0.2)
        given_back = list(self._running.values())
        if given_back:
            with contextlib.suppress(Unavailable):
                await self.store.write_later(_give_back, given_back)
        self._running.clear()

    async def __aenter__(self) -> "Worker":
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    def wake(self) -> None:
        """Look now: the time was moved, or somebody else has enqueued."""
        self._wake.set()

    def _heard(self, _events: Sequence[Recorded], enqueued: bool) -> None:
        if enqueued:
            self._wake.set()

    # --- dispatching -------------------------------------------------------------------------------------------------

    async def _dispatch_for_ever(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                wait = await self._dispatch()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the database is away, or full: what is due stays due
                log.warning("cannot take jobs now", error=repr(error))
                wait = LOOK_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait)

    async def _dispatch(self) -> float:
        """Starts what is due and there is room for; seconds until there is more to do."""
        now, due = await self.store.read(lambda rx: (rx.now, queue.due(rx)))
        wait = LOOK_SECONDS
        busy = Counter(job.lane for job in self._running.values())
        for lane in sorted(due):
            room = self._at_once[lane] - busy[lane]
            if due[lane] > now:
                wait = min(wait, max(0.001, (due[lane] - now) / 1000))
            elif room > 0:
                jobs = await self.store.write_later(queue.claim, self.name, lane, room)
                for job in jobs:
                    self._begin(job, now)
                if len(jobs) == room:
                    self._wake.set()
        return wait

    def _begin(self, job: Job, now: int) -> None:
        self.figures.lag[job.lane] = max(0, now - job.run_at)
        task = asyncio.create_task(self._run(job), name=f"job {job.kind}")
        self._running[task] = job
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not (task.cancelled() and self._stopping):  # what a stop interrupts is given back
            self._running.pop(task, None)
        self._wake.set()

    async def _renew_for_ever(self) -> None:
        """Keeps our leases, and takes over those of workers that let theirs run out."""
        while True:
            await asyncio.sleep(RENEW_SECONDS * random.uniform(0.8, 1.0))
            try:
                if self._running:
                    await self.store.write_later(queue.renew, self.name)
                if self.store.backend.notifies:
                    await self.store.write_later(queue.reclaim)
            except Unavailable:
                continue

    # --- one job -----------------------------------------------------------------------------------------------------

    async def _run(self, job: Job) -> None:
        started = time.perf_counter()
        outcome = "done"
        try:
            outcome = await self._handle(job)
        except LeaseLost:
            outcome = "lease lost"
        except Exception as error:
            # Not even its end could be written: the lease runs out and somebody tries again.
            outcome = "unwritten"
            log.error("the end of a job could not be stored", job=job.id, kind=job.kind, error=type(error).__name__)
        ms = round((time.perf_counter() - started) * 1000)
        log.debug("job", job=job.id, kind=job.kind, attempt=job.attempts, outcome=outcome, ms=ms)

    async def _handle(self, job: Job) -> str:
        handler = self.handlers.get(job.kind)
        if handler is None:
            return await self._bury(job, f"This version of Parley has nothing that handles jobs of kind {job.kind!r}.")
        if queue.is_poison(job):
            return await self._bury(job, f"It was begun {job.attempts} times and the desk stopped each time.")
        try:
            then = await handler(job)
            await self.store.write_later(queue.finish, job, then)
        except LeaseLost:
            raise
        except asyncio.CancelledError:
            if self._stopping:
                raise
            return await self._again(job, "It was interrupted.", None, True)
        except Again as error:
            return await self._again(job, error.reason, error.after, error.counted)
        except Unavailable as error:
            return await self._again(job, error.text, None, False)
        except Refusal as error:
            return await self._again(job, error.text, None, True)
        except Exception as error:
            log.exception("a job raised", job=job.id, kind=job.kind)
            return await self._again(job, f"{type(error).__name__}: {error}", None, True)
        self.figures.done[job.lane] += 1
        return "done"

    async def _again(self, job: Job, reason: str, after: int | None, counted: bool) -> str:
        length = queue.pause(job, self.chance()) if after is None else after
        if await self.store.write_later(queue.again, job, reason, length, counted=counted, dead=self._when_dead(job)):
            self.figures.retried[job.lane] += 1
            self._wake.set()
            return "again"
        self.figures.died[job.lane] += 1
        return "died"

    def _when_dead(self, job: Job) -> Then | None:
        fn = self._dead.get(job.kind)
        return None if fn is None else lambda tx: fn(tx, job.payload)

    async def _bury(self, job: Job, reason: str) -> str:
        await self.store.write_later(queue.bury, job, reason, self._when_dead(job))
        self.figures.died[job.lane] += 1
        return "died"


def _give_back(tx: Tx, jobs: Sequence[Job]) -> None:
    """Jobs that were interrupted: ready at once for whoever comes next."""
    for job in jobs:
        with contextlib.suppress(LeaseLost):
            queue.again(tx, job, "The desk was stopped meanwhile.", 0, counted=False)
