"""The queue as units: who is taken, in which order, what holds a key and what a lost lease still may."""

import statistics
import time

import pytest

from hub.clock import MINUTE, SECOND, ManualClock
from hub.db import lanes
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import jobs
from hub.errors import Refusal
from hub.events import JobDied, JobRetried
from hub.staff.access import DESK
from hub.work import queue
from hub.work.queue import Job, LeaseLost

LANE = lanes.OUTBOUND


async def put(store: Store, name: str, *, key: str | None = None, run_at: int | None = None, lane: int = LANE) -> int:
    return await store.write(lambda tx: tx.enqueue(name, {"name": name}, key=key, run_at=run_at, lane=lane))


async def take(store: Store, limit: int = 10, worker: str = "w", lane: int = LANE) -> list[Job]:
    return await store.write(queue.claim, worker, lane, limit)


async def states(store: Store) -> dict[str, str]:
    return dict(await store.read(lambda rx: rx.rows("SELECT kind, state FROM job")))


async def test_jobs_are_taken_when_due_in_order_and_by_one_worker_only(store: Store, clock: ManualClock) -> None:
    await put(store, "later", run_at=clock.now() + 1_000)
    await put(store, "first")
    await put(store, "second")
    await put(store, "of another lane", lane=lanes.WEBHOOKS)
    assert [job.kind for job in await take(store)] == ["first", "second"]
    assert await take(store, worker="other") == []
    clock.advance(1_000)
    (job,) = await take(store, worker="other")
    assert (job.kind, job.attempts, job.payload) == ("later", 1, {"name": "later"})


async def test_of_one_key_only_the_head_runs_and_its_end_makes_the_next_one_ready(store: Store) -> None:
    for name in "abc":
        await put(store, name, key="k")
    assert await states(store) == {"a": "ready", "b": "blocked", "c": "blocked"}
    for name in "abc":
        (job,) = await take(store)
        assert job.kind == name
        assert await take(store) == []
        await store.write(queue.finish, job)
    assert await states(store) == {}


async def test_a_job_that_belongs_before_the_waiting_head_goes_first(store: Store, clock: ManualClock) -> None:
    await put(store, "later", key="k", run_at=clock.now() + 5_000)
    await put(store, "sooner", key="k", run_at=clock.now() + 1_000)
    clock.advance(10_000)
    (job,) = await take(store)
    assert job.kind == "sooner"


async def test_a_head_that_fails_holds_its_key_for_a_quarter_of_an_hour_and_is_then_buried(
    store: Store, clock: ManualClock
) -> None:
    died: list = []
    store.committed.append(lambda events, _e: died.extend(e.event for e in events if isinstance(e.event, JobDied)))
    await put(store, "head", key="k")
    await put(store, "next", key="k")
    started, tries = clock.now(), 0
    while not died:
        (job,) = await take(store)
        assert job.kind == "head"
        tries += 1
        again = await store.write(queue.again, job, "no answer", queue.pause(job, 0.5))
        if again:
            assert await take(store) == [], "the key is held"
            clock.advance(queue.pause(job, 0.5))
    assert clock.now() - started <= queue.HOLDS_ITS_KEY
    assert 5 < tries <= 12
    assert await states(store) == {"head": "dead", "next": "ready"}


async def test_waiting_behind_a_failing_head_does_not_age_a_job(store: Store, clock: ManualClock) -> None:
    await put(store, "job", key="k")
    clock.advance(60 * MINUTE)
    (job,) = await take(store)
    assert await store.write(queue.again, job, "busy", 2 * SECOND), "its own time begins at its first try"


async def test_a_wait_that_is_not_its_fault_neither_counts_nor_ages(store: Store, clock: ManualClock) -> None:
    await put(store, "job", key="k")
    for _ in range(30):
        (job,) = await take(store)
        assert job.attempts == 1
        assert await store.write(queue.again, job, "frozen", 5 * MINUTE, counted=False)
        clock.advance(5 * MINUTE)


async def test_a_job_without_a_key_is_buried_after_as_many_tries_as_its_lane_has(
    store: Store, clock: ManualClock
) -> None:
    await put(store, "hook", lane=lanes.WEBHOOKS)
    started = clock.now()
    for attempt in range(1, 11):
        (job,) = await take(store, lane=lanes.WEBHOOKS)
        assert job.attempts == attempt
        length = queue.pause(job, 0.5)
        assert await store.write(queue.again, job, "500", length) == (attempt < 10)
        clock.advance(length)
    assert 75 * 60 * MINUTE < clock.now() - started < 101 * 60 * MINUTE
    assert await states(store) == {"hook": "dead"}


async def test_who_lost_the_lease_writes_nothing_more(store: Store, clock: ManualClock) -> None:
    await put(store, "job", key="k")
    (old,) = await take(store, worker="old")
    clock.advance(queue.LEASE - 1)
    assert await store.write(queue.reclaim) == 0
    clock.advance(1)
    assert await store.write(queue.reclaim) == 1
    (new,) = await take(store, worker="new")

    def mark(tx: Tx) -> None:
        tx.run("INSERT INTO setting (name, value) VALUES ('marked', '1')")

    for late in (queue.finish, queue.bury):
        args: tuple = (old, mark) if late is queue.finish else (old, "late", mark)
        with pytest.raises(LeaseLost):
            await store.write(late, *args)
    with pytest.raises(LeaseLost):
        await store.write(queue.again, old, "late", 0)
    await store.write(queue.finish, new, mark)
    assert await store.read(lambda rx: rx.value("SELECT value FROM setting WHERE name = 'marked'")) == "1"


async def test_a_renewed_lease_holds(store: Store, clock: ManualClock) -> None:
    await put(store, "job")
    (job,) = await take(store)
    for _ in range(5):
        clock.advance(queue.LEASE - 1)
        await store.write(queue.renew, "w")
        assert await store.write(queue.reclaim) == 0
    await store.write(queue.finish, job)


async def test_the_dead_are_listed_revived_and_dropped(store: Store, clock: ManualClock) -> None:
    events: list = []
    store.committed.append(lambda found, _e: events.extend(type(e.event) for e in found))
    for name in ("a", "b", "c"):
        await put(store, name, key=name)
        (job,) = await take(store)
        await store.write(queue.bury, job, f"{name} went wrong")
    found = await store.read(jobs.dead, DESK, limit=2)
    assert [(job.kind, job.error) for job in found] == [("c", "c went wrong"), ("b", "b went wrong")]
    (last,) = await store.read(jobs.dead, DESK, before=found[-1].id)
    await put(store, "a2", key="a")
    await store.write(jobs.revive, DESK, last.id)
    assert (await states(store))["a"] == "blocked", "another one of its key is at the head"
    await store.write(jobs.revive, DESK, found[0].id)
    await store.write(jobs.drop, DESK, found[1].id)
    taken = await take(store)
    assert sorted((job.kind, job.attempts) for job in taken) == [("a2", 1), ("c", 1)]
    with pytest.raises(Refusal):
        await store.write(jobs.revive, DESK, found[1].id)
    assert JobRetried in events and JobDied in events


def crowd(tx: Tx, key: str, start: int, count: int) -> None:
    rows = ",".join(
        f"('x', '{key}', 1, '{{}}', 'blocked', 0, {number}, 0, 0)" for number in range(start, start + count)
    )
    tx.run(
        "INSERT INTO job (kind, key, lane, payload, state, run_at, first_run_at, attempts, created_at) VALUES " + rows
    )


@pytest.mark.may_block("a crowd of rows")
async def test_fifty_thousand_jobs_behind_one_key_cost_the_others_nothing(store: Store, clock: ManualClock) -> None:
    async def cost() -> float:
        """The median of one whole round: put, take, finish, with a key of its own."""
        times = []
        for number in range(40):
            name = f"n{number}"
            await put(store, name, key=name)
            began = time.perf_counter()
            (job,) = await take(store, limit=1)
            await store.write(queue.finish, job)
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    await put(store, "head", key="crowd", run_at=clock.now() + MINUTE)
    alone = await cost()
    for start in range(0, 50_000, 5_000):
        await store.write(crowd, "crowd", start, 5_000)
    crowded = await cost()
    assert crowded < 4 * alone + 0.002, f"{alone * 1000:.2f} ms alone, {crowded * 1000:.2f} ms beside the crowd"
    explain = "EXPLAIN QUERY PLAN " if store.backend.name == "sqlite" else "EXPLAIN "
    if store.backend.name == "postgres":
        await store.write(lambda tx: tx.run("ANALYZE job"))
    plan = await store.write(
        lambda tx: str(tx.rows(explain + queue.CLAIM, worker="w", lane=1, limit=1, now=tx.now, until=tx.now))
    )
    assert "job_ready" in plan and "Seq Scan" not in plan, plan
    plan = await store.read(lambda rx: str(rx.rows(explain + queue.NEXT, key="crowd")))
    assert "job_key" in plan and "Seq Scan" not in plan and "B-TREE" not in plan, plan
