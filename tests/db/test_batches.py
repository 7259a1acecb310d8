"""What happens to a batch when the database fails under it: all or nothing, and everybody is told the truth."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from hub.clock import ManualClock
from hub.db.backend import Backend
from hub.db.sqlite import SqliteBackend
from hub.db.store import Store, Tx
from hub.errors import Unavailable
from tests.db.units import numbered, put, stored

LARGE = "x" * 9_000  # three pages
PAGES = "PRAGMA page_count"
ROOM_FOR = {0: 0, 60: 6}  # pages, units of three large rows: the ends are certain, between them only the truth counts


async def limit_pages(store: Store, most: int) -> None:
    await store.backend.in_writer(lambda session: session.control(f"PRAGMA max_page_count = {most}"))


async def pages(path: Path) -> int:
    def count(tx: Tx) -> int:
        return int(tx.value(PAGES))

    async with Store(SqliteBackend(path), ManualClock()) as store:
        return await store.write(count)


async def settle(calls: Any) -> list[Any]:
    return await asyncio.gather(*calls, return_exceptions=True)


def put_three(tx: Tx, name: str) -> None:
    for part in "abc":
        put(tx, f"{name}{part}", LARGE)


@pytest.mark.parametrize("room", range(0, 61, 3))
async def test_a_disk_that_is_full_at_any_statement_stores_what_was_acknowledged_and_nothing_else(
    sqlite_path: Path, room: int
) -> None:
    start = await pages(sqlite_path)
    async with Store(SqliteBackend(sqlite_path), ManualClock()) as store:
        await limit_pages(store, start + room)
        given = list(numbered("n", 6))
        answers = await settle(store.write(put_three, name) for name in given)
        assert all(answer is None or type(answer) is Unavailable for answer in answers), answers
        acknowledged = [name for name, answer in zip(given, answers, strict=True) if answer is None]
        assert await stored(store) == [name + part for name in acknowledged for part in "abc"]
        if room in ROOM_FOR:
            assert len(acknowledged) == ROOM_FOR[room]

        # Room again: the same desk goes on without a restart.
        await limit_pages(store, start + 1_000)
        again = [name for name in given if name not in acknowledged]
        assert await settle(store.write(put_three, name) for name in again) == [None] * len(again)
        assert len(await stored(store)) == 18
        assert await store.read(lambda rx: rx.value("PRAGMA integrity_check")) == "ok"


async def test_when_everything_was_rolled_back_the_whole_batch_is_refused(sqlite_store: Store) -> None:
    """ROLLBACK inside a unit is what SQLite itself does on an I/O error: the savepoints are gone with it."""

    def all_gone(tx: Tx) -> None:
        put(tx, "b")
        tx.run("ROLLBACK")
        raise OSError("disk I/O error")

    answers = await settle([sqlite_store.write(put, "a"), sqlite_store.write(all_gone), sqlite_store.write(put, "c")])
    # The two before the end of the transaction are lost with it, and told so. What came after ran in a new one.
    assert [type(answer) for answer in answers[:2]] == [Unavailable, Unavailable]
    assert await stored(sqlite_store) == (["c"] if answers[2] == "c" else [])


async def test_nothing_is_stored_outside_of_a_transaction(sqlite_store: Store) -> None:
    def goes_on(tx: Tx) -> None:
        tx.run("ROLLBACK")
        put(tx, "b")  # in autocommit this would stand, whatever its caller is told

    def goes_on_reading(tx: Tx) -> None:
        tx.run("ROLLBACK")
        tx.insert("INSERT INTO setting (name, value) VALUES ('c', '') RETURNING 1")

    for unit in (goes_on, goes_on_reading):
        with pytest.raises(Unavailable):
            await sqlite_store.write(unit)
    assert await stored(sqlite_store) == []


@pytest.fixture
def late_failure(backend: Backend) -> Any:
    """A unit whose fault the database finds only at COMMIT."""

    def on_sqlite(tx: Tx, name: str) -> None:
        put(tx, name)
        tx.run("PRAGMA defer_foreign_keys = ON")
        tx.run("INSERT INTO team_member (team_id, agent_id) VALUES (7, 7)")

    def on_postgres(tx: Tx, name: str) -> None:
        put(tx, name)
        tx.run("ALTER TABLE team_member ALTER CONSTRAINT team_member_team_id_fkey DEFERRABLE INITIALLY DEFERRED")
        tx.run("ALTER TABLE team_member ALTER CONSTRAINT team_member_agent_id_fkey DEFERRABLE INITIALLY DEFERRED")
        tx.run("INSERT INTO team_member (team_id, agent_id) VALUES (7, 7)")

    return on_sqlite if backend.name == "sqlite" else on_postgres


async def test_after_a_commit_that_failed_each_unit_runs_once_more_alone(backend: Backend, late_failure: Any) -> None:
    runs: list[str] = []

    def count(tx: Tx, name: str) -> str:
        runs.append(name)
        return put(tx, name)

    async with Store(backend, ManualClock()) as store:
        answers = await settle([store.write(count, "a"), store.write(late_failure, "b"), store.write(count, "c")])
        assert [answers[0], answers[2]] == ["a", "c"]
        assert type(answers[1]) is Unavailable
        assert await stored(store) == ["a", "c"]
        # On a slow machine the last one may have come into a batch of its own.
        assert runs in (["a", "c", "a", "c"], ["a", "a", "c"])
        assert await store.write(put, "d") == "d"


async def test_a_commit_of_one_that_fails_is_not_tried_again(backend: Backend, late_failure: Any) -> None:
    async with Store(backend, ManualClock()) as store:
        with pytest.raises(Unavailable):
            await store.write(late_failure, "a")
        assert await stored(store) == []


async def test_a_refusal_in_a_batch_whose_commit_failed_is_judged_again(backend: Backend, late_failure: Any) -> None:
    """It was refused for something that never came to be."""

    def only_without(tx: Tx, other: str, name: str) -> str:
        if tx.row("SELECT 1 FROM setting WHERE name = :name", name=other) is not None:
            raise ValueError("there is the other one")
        return put(tx, name)

    async with Store(backend, ManualClock()) as store:
        answers = await settle([store.write(late_failure, "a"), store.write(only_without, "a", "b")])
        assert type(answers[0]) is Unavailable
        assert answers[1] == "b"
        assert await stored(store) == ["b"]


def busy(_: Tx, seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def interrupted(_: Tx, seconds: float) -> None:
    time.sleep(seconds)  # as when other programs have the machine


async def batches(path: Path, unit: Any, times: int) -> int:
    """How many transactions it takes to run a unit so often."""
    async with Store(SqliteBackend(path), ManualClock()) as store:
        await store.write(interrupted, 0.0)
        before = store.figures.batches
        await settle(store.write(unit, 0.011) for _ in range(times))
        return store.figures.batches - before


async def test_a_batch_ends_after_ten_milliseconds_of_work(sqlite_path: Path) -> None:
    assert await batches(sqlite_path, busy, 4) == 4


async def test_a_busy_machine_makes_no_small_batches_and_no_endless_ones(sqlite_path: Path) -> None:
    # Eleven milliseconds each in which nothing was done: five of them are more than fifty.
    assert 2 <= await batches(sqlite_path, interrupted, 10) <= 4
