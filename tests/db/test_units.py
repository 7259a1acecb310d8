"""What a caller of `store.write` and `store.read` may rely on, on both databases."""

import asyncio
from typing import Any

import pytest

from hub.db.store import MAX_WAITING, Rx, Store, Tx
from hub.errors import Refusal, Unavailable, invalid
from tests.db.units import Gate, events, names, numbered, put, put_and_raise, put_and_tell, stored


async def settle(calls: Any) -> list[Any]:
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_a_unit_returns_what_it_returned_once_it_is_stored(store: Store) -> None:
    assert await store.write(put, "a") == "a"
    assert await store.write_later(put, name="b") == "b"
    assert await stored(store) == ["a", "b"]


async def test_a_unit_that_raises_rolls_back_alone(store: Store) -> None:
    refusal = invalid("name", "No.")
    answers = await settle(
        [store.write(put, "a"), store.write(put_and_raise, "b", refusal), store.write(put, "c"), store.write(put, "a")]
    )
    assert answers[0] == "a"
    assert answers[1] is refusal
    assert answers[2] == "c"
    assert "unique" in str(answers[3]).lower()
    assert await stored(store) == ["a", "c"]
    assert await store.read(events) == []


@pytest.mark.parametrize(
    "error",
    [
        StopIteration("x"),
        StopAsyncIteration(),
        KeyboardInterrupt(),
        SystemExit(3),
        GeneratorExit(),
        asyncio.CancelledError(),
    ],
    ids=lambda e: type(e).__name__,
)
async def test_whatever_a_unit_raises_the_others_of_its_batch_are_answered(store: Store, error: BaseException) -> None:
    answers = await asyncio.wait_for(
        settle([store.write(put, "a"), store.write(put_and_raise, "b", error), store.write(put, "c")]), 20
    )
    assert answers[0] == "a"
    assert answers[2] == "c"
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        assert answers[1] is error
    else:
        assert isinstance(answers[1], RuntimeError)
        assert answers[1].__cause__ is error
    assert await stored(store) == ["a", "c"]
    assert await store.write(put, "d") == "d"


async def test_a_wrong_statement_harms_only_its_unit(store: Store) -> None:
    def wrong(tx: Tx) -> None:
        put(tx, "b")
        tx.run("INSERT INTO nowhere (x) VALUES (1)")

    answers = await settle([store.write(put, "a"), store.write(wrong), store.write(put, "c")])
    assert [answers[0], answers[2]] == ["a", "c"]
    assert isinstance(answers[1], Exception)
    assert await stored(store) == ["a", "c"]


async def test_a_unit_that_swallows_the_databases_error_is_not_half_stored(store: Store) -> None:
    def swallow(tx: Tx) -> None:
        put(tx, "b")
        try:
            put(tx, "a")
        except Exception:
            pass
        put(tx, "c")

    await store.write(put, "a")
    answers = await settle([store.write(swallow), store.write(put, "d")])
    found = await stored(store)
    assert "d" in found
    # SQLite undoes the one statement, PostgreSQL the whole unit: never something between.
    assert found == (["a", "b", "c", "d"] if answers[0] is None else ["a", "d"])


async def test_the_unit_of_a_cancelled_caller_stands_and_its_answer_is_dropped(store: Store) -> None:
    gate = Gate()
    first = asyncio.create_task(store.write(gate.pass_through))
    await asyncio.to_thread(gate.entered.wait, 10)
    cancelled = asyncio.create_task(store.write(put_and_tell, "a"))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    gate.open()
    await first
    assert await store.write(put, "b") == "b"
    assert await stored(store) == ["a", "b"]
    assert len(await store.read(events)) == 1


async def test_units_run_in_the_order_in_which_they_were_given(store: Store) -> None:
    ids = await asyncio.gather(*(store.write(put_and_tell, name) for name in numbered("n", 300)))
    assert ids == sorted(ids)
    assert len(set(ids)) == 300


async def test_people_go_before_machines(store: Store) -> None:
    gate, order = Gate(), []
    first = asyncio.create_task(store.write(gate.pass_through))
    await asyncio.to_thread(gate.entered.wait, 10)

    def ran(tx: Tx, who: str) -> None:
        order.append(who)

    waiting = [asyncio.create_task(store.write_later(ran, "machine")) for _ in range(5)]
    waiting += [asyncio.create_task(store.write(ran, "person")) for _ in range(5)]
    await asyncio.sleep(0.01)
    gate.open()
    await asyncio.gather(first, *waiting)
    assert order == ["person"] * 5 + ["machine"] * 5


async def test_when_too_many_wait_the_next_is_told_to_come_back(store: Store) -> None:
    gate = Gate()
    first = asyncio.create_task(store.write(gate.pass_through))
    await asyncio.to_thread(gate.entered.wait, 10)
    waiting = [asyncio.create_task(store.write(put, name)) for name in numbered("n", MAX_WAITING)]
    await asyncio.sleep(0)
    assert store.waiting() == MAX_WAITING
    with pytest.raises(Unavailable) as refused:
        await store.write(put, "one too many")
    assert refused.value.retry_after > 0
    with pytest.raises(Unavailable):
        await store.write_later(put, "one too many")
    assert await stored(store) == []  # reading goes on
    gate.open()
    await asyncio.gather(first, *waiting)
    assert len(await stored(store)) == MAX_WAITING


async def test_a_batch_takes_no_more_units_than_its_database_bears(store: Store) -> None:
    batches: list[int] = []
    store.committed.append(lambda events, enqueued: batches.append(len(events)))
    await asyncio.gather(*(store.write(put_and_tell, name) for name in numbered("n", 500)))
    assert sum(batches) == 500
    assert 1 < max(batches) <= {"sqlite": 128, "postgres": 64}[store.backend.name]


async def test_listeners_hear_of_committed_events_only_in_order_and_after_the_caller_was_answered(store: Store) -> None:
    heard: list[int] = []
    answered_before: list[bool] = []

    def listen(recorded: Any, enqueued: bool) -> None:
        answered_before.append(good.done() or not heard)
        heard.extend(r.id for r in recorded)
        raise RuntimeError("a listener must not disturb anybody")

    store.committed.append(listen)
    good = asyncio.ensure_future(store.write(put_and_tell, "a"))
    bad = asyncio.ensure_future(store.write(put_and_raise, "b", Refusal("conflict", "No.")))
    more = asyncio.ensure_future(store.write(put_and_tell, "c"))
    await settle([good, bad, more])
    await store.write(put, "silent")
    assert heard == [number for number, _ in await store.read(events)] == [good.result(), more.result()]
    assert all(answered_before)


async def test_a_caller_reads_what_it_wrote(store: Store) -> None:
    async def write_and_read(name: str) -> bool:
        await store.write(put, name)
        return name in await store.read(names)

    assert all(await asyncio.gather(*(write_and_read(name) for name in numbered("n", 100))))


async def test_a_read_looks_at_one_moment(store: Store) -> None:
    gate = Gate()

    def twice(rx: Rx) -> tuple[list[str], list[str]]:
        before = names(rx)
        gate.pass_through(rx)
        return before, names(rx)

    await store.write(put, "a")
    reading = asyncio.create_task(store.read(twice))
    await asyncio.to_thread(gate.entered.wait, 10)
    await store.write(put, "b")
    gate.open()
    assert await reading == (["a"], ["a"])
    assert await stored(store) == ["a", "b"]


async def test_a_read_cannot_write(store: Store) -> None:
    def cheat(rx: Rx) -> None:
        rx.rows("INSERT INTO setting (name, value) VALUES ('a', 'b') RETURNING name")

    with pytest.raises(Exception, match=r"(?i)read.?only"):
        await store.read(cheat)
    assert await stored(store) == []


@pytest.mark.parametrize(
    "error", [StopIteration(), KeyboardInterrupt(), ValueError("x")], ids=lambda e: type(e).__name__
)
async def test_whatever_a_read_raises_reading_goes_on(store: Store, error: BaseException) -> None:
    def fail(rx: Rx) -> None:
        names(rx)
        raise error

    for _ in range(10):
        with pytest.raises((RuntimeError, ValueError)):
            await asyncio.wait_for(store.read(fail), 10)
    assert await stored(store) == []


async def test_cancelled_reads_leave_no_reader_behind(store: Store) -> None:
    for _ in range(8):
        gate = Gate()
        reading = asyncio.create_task(store.read(gate.pass_through))
        await asyncio.to_thread(gate.entered.wait, 10)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        gate.open()
    await store.write(put, "a")
    found = await asyncio.wait_for(asyncio.gather(*(stored(store) for _ in range(20))), 20)
    assert found == [["a"]] * 20


async def test_closing_answers_what_waits_and_refuses_what_comes_after(store: Store) -> None:
    gate = Gate()
    first = asyncio.create_task(store.write(gate.pass_through))
    await asyncio.to_thread(gate.entered.wait, 10)
    waiting = [asyncio.create_task(store.write(put, name)) for name in numbered("n", 50)]
    reads = [asyncio.create_task(stored(store)) for _ in range(50)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0.01)
    with pytest.raises(Unavailable):
        await store.write(put, "late")
    gate.open()
    await asyncio.wait_for(closing, 20)
    assert await asyncio.gather(first, *waiting) == [None, *numbered("n", 50)]
    for answer in await asyncio.wait_for(settle(reads), 10):
        assert isinstance(answer, list | Unavailable)
    with pytest.raises(Unavailable):
        await stored(store)
    await store.close()


async def test_a_store_whose_writer_was_cancelled_lets_nobody_wait(store: Store) -> None:
    assert store._writer is not None
    gate = Gate()
    running = asyncio.create_task(store.write(gate.pass_through))
    await asyncio.to_thread(gate.entered.wait, 10)
    waiting = asyncio.create_task(store.write(put, "a"))
    await asyncio.sleep(0)
    store._writer.cancel()
    gate.open()
    answers = await asyncio.wait_for(settle([running, waiting]), 10)
    assert all(isinstance(answer, Unavailable) for answer in answers)
    with pytest.raises(Unavailable):
        await store.write(put, "b")


async def test_the_time_of_a_unit_and_of_a_read_is_the_clocks(store: Store, clock: Any) -> None:
    assert await store.write(lambda tx: tx.now) == clock.now()
    clock.advance(5_000)
    assert await store.write(lambda tx: tx.now) == await store.read(lambda rx: rx.now) == clock.now()
