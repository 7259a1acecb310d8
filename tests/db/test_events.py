"""What `tx.record` and `tx.enqueue` leave behind: events in order, reactions in savepoints, jobs by their key."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from hub.clock import ManualClock
from hub.db import lanes
from hub.db.backend import Backend
from hub.db.store import Rx, Store, Tx
from hub.db.tx import MAX_DEPTH
from hub.events import SYSTEM, Actor, Event, HealthChecked, ReactionFailed, Recorded, Scope, SetUp, TagCreated, decode
from tests.db.units import names, put, stored

WHOLE = """
SELECT name, at, by_kind, by_id, ticket_id, contact_id, inbox_before, team_before, assignee_before,
       inbox_after, team_after, assignee_after, payload FROM event ORDER BY id"""
JOBS = """
SELECT id, state, run_at, first_run_at, attempts, lane, payload FROM job WHERE key = :key ORDER BY first_run_at, id"""


class Table:
    """Reactions as `hub.reactions` fills them in."""

    def __init__(self) -> None:
        self.state: dict[type[Event], list[Any]] = {}
        self.consequence: dict[type[Event], list[Any]] = {}


@pytest.fixture
def table() -> Table:
    return Table()


@pytest_asyncio.fixture
async def desk(backend: Backend, clock: ManualClock, table: Table) -> AsyncIterator[Store]:
    async with Store(backend, clock, table) as store:
        yield store


def tell(tx: Tx, event: Event | None = None) -> Recorded:
    return tx.record(event or HealthChecked(), by=SYSTEM)


def whole(rx: Rx) -> list[tuple[Any, ...]]:
    return rx.rows(WHOLE)


async def happened(store: Store) -> list[str]:
    return [row[0] for row in await store.read(whole)]


async def test_an_event_is_stored_with_its_scopes_and_its_payload(desk: Store, clock: ManualClock) -> None:
    def unit(tx: Tx) -> Recorded:
        return tx.record(
            TagCreated(tag_id=7), by=Actor("agent", 3), ticket_id=4, contact_id=5, before=Scope(1, 2, 3), after=Scope(6)
        )

    recorded = await desk.write(unit)
    (row,) = await desk.read(whole)
    assert row[:-1] == ("tag.created", clock.now(), "agent", 3, 4, 5, 1, 2, 3, 6, None, None)
    assert decode(row[0], row[-1]) == TagCreated(tag_id=7)
    assert recorded.event == TagCreated(tag_id=7)
    assert (recorded.at, recorded.before, recorded.after) == (clock.now(), Scope(1, 2, 3), Scope(6))


async def test_a_state_reaction_runs_in_the_unit_and_before_the_consequences(desk: Store, table: Table) -> None:
    order: list[str] = []

    def state(tx: Tx, to: Recorded) -> None:
        order.append("state")
        put(tx, "state")

    def consequence(tx: Tx, to: Recorded) -> None:
        order.append("consequence")
        assert "state" in names(tx)
        tx.enqueue("tidy", {"event": to.id})

    table.consequence[HealthChecked] = [consequence]
    table.state[HealthChecked] = [state]
    heard: list[tuple[Sequence[Recorded], bool]] = []
    desk.committed.append(lambda events, enqueued: heard.append((events, enqueued)))
    recorded = await desk.write(tell)
    assert order == ["state", "consequence"]
    assert await stored(desk) == ["state"]
    assert [([e.id for e in events], enqueued) for events, enqueued in heard] == [([recorded.id], True)]


@pytest.mark.parametrize(
    "error", [ValueError("x"), StopIteration(), KeyboardInterrupt()], ids=lambda e: type(e).__name__
)
async def test_a_state_reaction_that_raises_leaves_what_caused_it(
    desk: Store, table: Table, error: BaseException
) -> None:
    def broken(tx: Tx, to: Recorded) -> None:
        put(tx, "half done")
        tell(tx, SetUp())
        tx.enqueue("tidy")
        raise error

    def fine(tx: Tx, to: Recorded) -> None:
        put(tx, "fine")

    table.state[HealthChecked] = [broken, fine]
    heard: list[tuple[list[str], bool]] = []
    desk.committed.append(lambda events, enqueued: heard.append(([e.event.name for e in events], enqueued)))
    recorded = await desk.write(tell)
    assert await happened(desk) == ["desk.health_checked", "reaction.failed"]
    assert heard == [(["desk.health_checked", "reaction.failed"], False)]
    assert await stored(desk) == ["fine"]
    failed = decode("reaction.failed", (await desk.read(whole))[1][-1])
    assert isinstance(failed, ReactionFailed)
    assert failed.to == recorded.id
    assert failed.reaction.endswith("broken")
    assert failed.error == type(error).__name__


async def test_a_wrong_statement_in_a_reaction_leaves_what_caused_it(desk: Store, table: Table) -> None:
    def broken(tx: Tx, to: Recorded) -> None:
        tx.run("INSERT INTO nowhere (x) VALUES (1)")

    table.consequence[HealthChecked] = [broken]
    await desk.write(tell)
    assert await happened(desk) == ["desk.health_checked", "reaction.failed"]


async def test_reactions_stop_at_a_depth(desk: Store, table: Table) -> None:
    depths: list[int] = []

    def again(tx: Tx, to: Recorded) -> None:
        depths.append(tx._depth)
        tell(tx)

    table.state[HealthChecked] = [again]
    await desk.write(tell)
    assert depths == list(range(1, MAX_DEPTH + 1))
    assert await happened(desk) == ["desk.health_checked"] * (MAX_DEPTH + 1) + ["reaction.failed"]


async def test_a_reaction_that_raises_for_every_event_does_not_go_round_in_circles(desk: Store, table: Table) -> None:
    def broken(tx: Tx, to: Recorded) -> None:
        raise ValueError("whatever happens")

    for kind in (HealthChecked, SetUp, ReactionFailed):
        table.state[kind] = [broken]
        table.consequence[kind] = [broken]
    await desk.write(tell)
    assert await happened(desk) == ["desk.health_checked", "reaction.failed", "reaction.failed"]


async def test_a_disk_that_is_full_in_a_reaction_refuses_the_whole_unit(sqlite_path: Any, table: Table) -> None:
    """A job or a counter may not be missing because there was no room for it."""
    from hub.db.sqlite import SqliteBackend
    from hub.errors import Unavailable

    def large(tx: Tx, to: Recorded) -> None:
        for number in range(100):
            put(tx, f"n{number}", "x" * 9_000)

    table.consequence[HealthChecked] = [large]
    async with Store(SqliteBackend(sqlite_path), ManualClock(), table) as store:
        count = await store.write(lambda tx: tx.value("PRAGMA page_count"))
        await store.backend.in_writer(lambda session: session.control(f"PRAGMA max_page_count = {count + 50}"))
        with pytest.raises(Unavailable):
            await store.write(tell)
        assert await happened(store) == []
        assert await stored(store) == []


async def test_what_runs_alone_is_undone_alone(desk: Store) -> None:
    def item(tx: Tx, name: str, wrong: bool) -> str:
        tell(tx)
        tx.enqueue("tidy")
        put(tx, name)
        if wrong:
            raise ValueError(name)
        return name

    def unit(tx: Tx) -> list[tuple[str | None, str]]:
        done = [tx.alone(item, name, name == "b") for name in "abc"]
        return [(result, type(error).__name__) for result, error in done]

    assert await desk.write(unit) == [("a", "NoneType"), (None, "ValueError"), ("c", "NoneType")]
    assert await stored(desk) == ["a", "c"]
    assert len(await happened(desk)) == 2


# --- jobs ----------------------------------------------------------------------------------------------------------


def states(rx: Rx, key: str) -> list[tuple[int, str]]:
    return [(row[0], row[1]) for row in rx.rows(JOBS, key=key)]


async def test_a_job_is_stored_as_it_was_given(desk: Store, clock: ManualClock) -> None:
    def unit(tx: Tx) -> int:
        return tx.enqueue("deliver", {"text": "ሰው"}, key="k", run_at=tx.now + 5, lane=lanes.WEBHOOKS)

    job_id = await desk.write(unit)
    (row,) = await desk.read(lambda rx: rx.rows(JOBS, key="k"))
    assert row[:-1] == (job_id, "ready", clock.now() + 5, clock.now() + 5, 0, lanes.WEBHOOKS)
    assert msgspec.json.decode(row[-1]) == {"text": "ሰው"}


async def test_of_a_key_only_the_head_is_ready(desk: Store) -> None:
    def unit(tx: Tx) -> list[int]:
        return [tx.enqueue("deliver", key="k") for _ in range(3)] + [tx.enqueue("deliver", key="other")]

    a, b, c, other = await desk.write(unit)
    d = await desk.write(lambda tx: tx.enqueue("deliver", key="k"))
    assert await desk.read(states, "k") == [(a, "ready"), (b, "blocked"), (c, "blocked"), (d, "blocked")]
    assert await desk.read(states, "other") == [(other, "ready")]


async def test_an_earlier_job_takes_the_head_over(desk: Store) -> None:
    a = await desk.write(lambda tx: tx.enqueue("deliver", key="k", run_at=tx.now + 100))
    b = await desk.write(lambda tx: tx.enqueue("deliver", key="k", run_at=tx.now + 200))
    c = await desk.write(lambda tx: tx.enqueue("deliver", key="k", run_at=tx.now + 50))
    d = await desk.write(lambda tx: tx.enqueue("deliver", key="k", run_at=tx.now + 50))
    assert await desk.read(states, "k") == [(c, "ready"), (d, "blocked"), (a, "blocked"), (b, "blocked")]


async def test_a_running_head_stays_the_head(desk: Store) -> None:
    a = await desk.write(lambda tx: tx.enqueue("deliver", key="k", run_at=tx.now + 100))
    await desk.write(lambda tx: tx.run("UPDATE job SET state = 'running' WHERE id = :id", id=a))
    b = await desk.write(lambda tx: tx.enqueue("deliver", key="k", run_at=tx.now))
    assert sorted(await desk.read(states, "k")) == [(a, "running"), (b, "blocked")]


async def test_a_dead_job_does_not_hold_its_key(desk: Store) -> None:
    a = await desk.write(lambda tx: tx.enqueue("deliver", key="k"))
    await desk.write(lambda tx: tx.run("UPDATE job SET state = 'dead' WHERE id = :id", id=a))
    b = await desk.write(lambda tx: tx.enqueue("deliver", key="k"))
    assert dict(await desk.read(states, "k")) == {a: "dead", b: "ready"}
