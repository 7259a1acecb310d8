"""The worker: it wakes, runs, tries again, gives back, and ends in time."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hub.clock import ManualClock
from hub.db import lanes
from hub.db.store import Store
from hub.db.tx import Tx
from hub.work import queue
from hub.work.queue import Again, Job
from hub.work.worker import Worker, unit


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


async def put(store: Store, kind: str, **more: Any) -> int:
    return await store.write(lambda tx: tx.enqueue(kind, more.pop("payload", {}), **more))


async def left(store: Store) -> list[tuple[str, str, str | None]]:
    return await store.read(lambda rx: rx.rows("SELECT kind, state, last_error FROM job ORDER BY id"))


def note(into: list[str]) -> Callable[[Job], Awaitable[None]]:
    async def handle(job: Job) -> None:
        into.append(job.payload.get("n", job.kind))

    return handle


async def test_a_commit_wakes_it_at_once_and_time_wakes_it_too(store: Store, clock: ManualClock) -> None:
    ran: list[str] = []
    async with Worker(store, {"now": note(ran), "then": note(ran)}) as worker:
        await put(store, "now")
        await until(lambda: ran == ["now"])
        await put(store, "then", run_at=clock.now() + 60_000)
        await asyncio.sleep(0.05)
        assert ran == ["now"]
        clock.advance(60_000)
        worker.wake()
        await until(lambda: ran == ["now", "then"])
        await until(lambda: not worker._running)
        assert await left(store) == []
        assert worker.figures.done[lanes.OUTBOUND] == 2


async def test_what_one_unit_does_and_the_end_of_its_job_are_one(store: Store) -> None:
    def mark(tx: Tx, payload: Any) -> None:
        tx.run("INSERT INTO setting (name, value) VALUES (:name, 'x')", name=payload["name"])
        if payload["name"] == "bad":
            raise ValueError("no")

    async with Worker(store, {"mark": unit(mark)}) as worker:
        await put(store, "mark", payload={"name": "good"})
        await put(store, "mark", payload={"name": "bad"})
        await until(lambda: worker.figures.done[1] == 1 and worker.figures.retried[1] == 1)
    assert await left(store) == [("mark", "ready", "ValueError: no")]
    assert await store.read(lambda rx: rx.rows("SELECT name FROM setting WHERE value = 'x'")) == [("good",)]


async def test_of_a_key_each_waits_for_the_one_before_and_keys_do_not_wait_for_each_other(store: Store) -> None:
    ran: list[str] = []
    running = 0

    async def slow(job: Job) -> None:
        nonlocal running
        assert job.key == "other" or not running, "two of one key at a time"
        if job.key == "one":
            running += 1
            await asyncio.sleep(0.01)
            running -= 1
        ran.append(job.payload["n"])

    async with Worker(store, {"slow": slow}) as worker:
        for number in range(8):
            await put(store, "slow", key="one", payload={"n": f"one {number}"})
        await put(store, "slow", key="other", payload={"n": "other"})
        await until(lambda: len(ran) == 9)
        assert [n for n in ran if n != "other"] == [f"one {number}" for number in range(8)]
        assert ran.index("other") < 8
        await until(lambda: not worker._running)


async def test_a_lane_that_is_full_does_not_hold_up_the_others(store: Store) -> None:
    stuck = asyncio.Event()
    ran: list[str] = []

    async def wait(_job: Job) -> None:
        await stuck.wait()

    async with Worker(store, {"stuck": wait, "hook": note(ran)}, at_once=dict.fromkeys(queue.LANES, 2)) as worker:
        for _ in range(5):
            await put(store, "stuck", lane=lanes.INBOUND)
        await put(store, "hook", lane=lanes.WEBHOOKS)
        await until(lambda: ran == ["hook"])
        assert len([job for job in worker._running.values() if job.kind == "stuck"]) == 2
        stuck.set()
        await until(lambda: worker.figures.done[lanes.INBOUND] == 5)


async def test_a_kind_that_nobody_knows_is_shown_and_not_dropped(store: Store) -> None:
    async with Worker(store, {}) as worker:
        await put(store, "from a newer version")
        await until(lambda: worker.figures.died[1] == 1)
    ((kind, state, error),) = await left(store)
    assert (kind, state) == ("from a newer version", "dead") and "nothing that handles" in (error or "")


async def test_a_job_that_keeps_killing_the_desk_is_put_aside(store: Store) -> None:
    await put(store, "poison")
    async with Worker(store, {"poison": note([])}, at_once=dict.fromkeys(queue.LANES, 0)):
        pass
    await store.write(lambda tx: tx.run("UPDATE job SET attempts = 13"))
    async with Worker(store, {"poison": note([])}) as worker:
        await until(lambda: worker.figures.died[1] == 1)


async def test_it_stops_within_a_second_and_gives_back_what_it_could_not_finish(store: Store) -> None:
    began_jobs = 0

    async def endless(_job: Job) -> None:
        nonlocal began_jobs
        began_jobs += 1
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)  # does not even hear the first cancel

    async with Worker(store, {"endless": endless}) as worker:
        for _ in range(3):
            await put(store, "endless", key=None)
        await until(lambda: began_jobs == 3)
        async with asyncio.timeout(30):  # and not the minutes that the jobs want
            await worker.stop()
    assert {row[:2] for row in await left(store)} == {("endless", "ready")}
    for task in asyncio.all_tasks():
        if task.get_name() == "job endless":
            task.cancel()


async def test_what_finishes_in_time_is_not_given_back(store: Store) -> None:
    ran: list[str] = []

    async def brief(_job: Job) -> None:
        await asyncio.sleep(0.1)
        ran.append("done")

    async with Worker(store, {"brief": brief}) as worker:
        await put(store, "brief")
        await until(lambda: bool(worker._running))
    assert ran == ["done"] and await left(store) == []


async def test_a_handler_says_when_to_try_again(store: Store, clock: ManualClock) -> None:
    tried: list[int] = []

    async def busy(job: Job) -> None:
        tried.append(job.attempts)
        if len(tried) < 3:
            raise Again("busy", 5_000, counted=len(tried) == 1)

    async with Worker(store, {"busy": busy}) as worker:
        await put(store, "busy")
        for count in (1, 2, 3):
            await until(lambda count=count: len(tried) == count)  # type: ignore[misc]
            await until(lambda: not worker._running)
            clock.advance(5_000)
            worker.wake()
    assert tried == [1, 2, 2]


async def test_at_the_start_the_only_desk_takes_over_what_a_killed_one_left(sqlite_store: Store) -> None:
    ran: list[str] = []
    await put(sqlite_store, "left")
    assert await sqlite_store.write(queue.claim, "dead", 1, 1)
    async with Worker(sqlite_store, {"left": note(ran)}):
        await until(lambda: ran == ["left"])


@pytest.mark.postgres
async def test_two_workers_on_one_database_do_each_job_once(postgres_store: Store) -> None:
    ran: list[str] = []
    async with Worker(postgres_store, {"job": note(ran)}), Worker(postgres_store, {"job": note(ran)}):
        for number in range(60):
            await put(postgres_store, "job", payload={"n": str(number)}, key=f"k{number % 7}")
        await until(lambda: len(ran) >= 60)
        await asyncio.sleep(0.1)
    assert sorted(ran, key=int) == [str(number) for number in range(60)]
