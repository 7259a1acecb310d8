"""The stream hands on what is committed, each event once and in order, whoever wrote it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.clock import ManualClock
from hub.db.postgres import PostgresBackend
from hub.db.store import Store
from hub.db.tx import Tx
from hub.events import SYSTEM, CompanyCreated, Recorded, TagCreated
from hub.live.probe import Probe
from hub.live.stream import Stream, events_after


def note(tx: Tx, number: int, *, fail: bool = False) -> int:
    event_id = tx.record(TagCreated(tag_id=number), by=SYSTEM).id
    if fail:
        raise ValueError("rolled back")
    return event_id


@asynccontextmanager
async def streaming(store: Store) -> AsyncIterator[tuple[Stream, list[Recorded]]]:
    stream, heard = Stream(store), []  # type: ignore[var-annotated]
    await stream.start()
    stream.subscribe(heard.extend)
    try:
        yield stream, heard
    finally:
        await stream.stop()


async def until(stream: Stream, event_id: int) -> None:
    async with asyncio.timeout(30):
        await stream.reached(event_id)


async def test_what_is_committed_arrives_in_order(store: Store) -> None:
    async with streaming(store) as (stream, heard):
        ids = await asyncio.gather(*(store.write(note, n) for n in range(300)))
        await until(stream, max(ids))
        assert [r.id for r in heard] == sorted(ids)
        assert [getattr(r.event, "tag_id", None) for r in heard] == list(range(300))


async def test_what_was_rolled_back_is_never_heard_and_stops_nothing(store: Store) -> None:
    async with streaming(store) as (stream, heard):
        answers = await asyncio.gather(
            *(store.write(note, n, fail=n % 3 == 0) for n in range(60)), return_exceptions=True
        )
        await until(stream, max(a for a in answers if isinstance(a, int)))
        assert [getattr(r.event, "tag_id", None) for r in heard] == [n for n in range(60) if n % 3]


async def test_history_before_the_start_is_not_told_again(store: Store) -> None:
    old = await store.write(note, 1)
    async with streaming(store) as (stream, heard):
        assert stream.tail == old
        new = await store.write(note, 2)
        await until(stream, new)
        assert [r.id for r in heard] == [new]


async def test_an_event_read_from_the_table_is_the_one_that_was_recorded(store: Store) -> None:
    async with streaming(store) as (stream, heard):
        new = await store.write(note, 7)
        await until(stream, new)
        read, upto, more = await store.read(events_after, new - 1)
        assert (read, upto, more) == (heard, new, False)


async def test_a_listener_that_raises_does_not_keep_it_from_the_others(store: Store) -> None:
    async with streaming(store) as (stream, heard):

        def bad(_events: list[Recorded]) -> None:
            raise RuntimeError("broken")

        stream.subscribe(bad)
        later: list[Recorded] = []
        stream.subscribe(later.extend)
        ids = [await store.write(note, n) for n in range(3)]
        await until(stream, ids[-1])
        assert [r.id for r in heard] == ids
        assert later == heard


async def test_a_listener_that_has_ended_hears_no_more(store: Store) -> None:
    async with streaming(store) as (stream, heard):
        for_a_while: list[Recorded] = []
        end = stream.subscribe(for_a_while.extend)
        await until(stream, await store.write(note, 1))
        end()
        await until(stream, await store.write(note, 2))
        assert len(heard) == 2
        assert len(for_a_while) == 1


async def test_an_event_of_a_newer_version_is_passed_over(store: Store) -> None:
    def foreign(tx: Tx) -> None:
        tx.run(
            "INSERT INTO event (name, at, by_kind, by_id, payload) VALUES ('moon.landed', 1, 'system', 0, :payload)",
            payload="{}",
        )

    async with streaming(store) as (stream, heard):
        await store.write(foreign)
        new = await store.write(note, 1)  # a gap, so the table is read
        await until(stream, new)
        assert [r.id for r in heard] == [new]


@pytest.mark.postgres
async def test_two_processes_on_one_database_hear_everything_once_and_in_order(
    postgres_url: str, clock: ManualClock
) -> None:
    backends = [PostgresBackend(postgres_url, own_clock=True) for _ in range(2)]
    async with (
        Store(backends[0], clock) as one,
        Store(backends[1], clock) as two,
        streaming(one) as (first, heard_one),
        streaming(two) as (second, heard_two),
    ):

        async def talk(store: Store, offset: int) -> list[int]:
            ids = []
            for n in range(150):
                try:
                    ids.append(await store.write(note, offset + n, fail=n % 7 == 0))
                except ValueError:
                    pass
                if n % 10 == 0:
                    await asyncio.sleep(0.001)
            return ids

        said = await asyncio.gather(talk(one, 0), talk(two, 1_000), talk(one, 2_000), talk(two, 3_000))
        every = sorted(i for ids in said for i in ids)
        await until(first, every[-1])
        await until(second, every[-1])
        assert [r.id for r in heard_one] == every
        assert [r.id for r in heard_two] == every
        assert heard_one == heard_two


@pytest.mark.postgres
async def test_a_wake_up_that_is_lost_is_made_good_by_the_poll(postgres_url: str, clock: ManualClock) -> None:
    class Deaf(PostgresBackend):
        async def listen(self, wake: object) -> None:
            await asyncio.Event().wait()

    async with (
        Store(PostgresBackend(postgres_url, own_clock=True), clock) as one,
        Store(Deaf(postgres_url, own_clock=True), clock) as two,
        streaming(two) as (stream, heard),
    ):
        new = await one.write(lambda tx: tx.record(CompanyCreated(company_id=1), by=SYSTEM).id)
        await until(stream, new)
        assert [r.id for r in heard] == [new]


class TestProbe:
    async def test_it_walks_the_path_once_for_all_who_ask(self, store: Store) -> None:
        async with streaming(store) as (stream, heard):
            probe = Probe(store, stream)
            answers = await asyncio.gather(*(probe.check() for _ in range(20)))
            assert all(a.ok for a in answers)
            assert len(heard) == 1

    async def test_it_leaves_one_event_behind_however_often_it_looks(self, store: Store) -> None:
        async with streaming(store) as (stream, _):
            probe = Probe(store, stream)
            for _ in range(3):
                probe._last = None
                assert (await probe.check()).ok
            assert await store.read(lambda rx: rx.value("SELECT COUNT(*) FROM event")) == 1

    async def test_it_says_what_is_missing_when_the_stream_stands(self, store: Store) -> None:
        stream = Stream(store)  # never started
        health = await Probe(store, stream).check()
        assert not health.ok
        assert health.write_ms is not None
        assert "event after a write" in str(health.problem)
