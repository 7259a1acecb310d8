"""`parley bench routing`: how long until what waits is offered, on a desk with many agents and many who wait; and
histories (`hub.bench.histories`) in which nothing may go wrong.
"""

import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.bench.ground import disk_folder, ground, opened
from hub.bench.result import Result, console
from hub.bench.shifts import Talks, furnish, register
from hub.connector import Message, Point, Sender
from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.desk import inboxes, incoming, presence, tickets
from hub.desk import ticket as gate
from hub.desk.inboxes import Inbox
from hub.events import Actor
from hub.staff import access, agents, roles, teams
from hub.staff.access import DESK, Caller

BUDGET_MS: Final = 50.0
FULL: Final = 10  # teams whose agents have no room, with all who wait
FREE: Final = 10  # teams whose agents have some

_FILL = "UPDATE agent SET load = capacity WHERE id = :id"
_OFFERED = "SELECT offered_to FROM ticket WHERE id = :id"
_FREED = "SELECT COUNT(*) FROM ticket WHERE offered_to = :id"
_LESS = "UPDATE agent SET load = load - 2 WHERE id = :id"
_WAITING = "SELECT COUNT(*) FROM ticket WHERE offered_to IS NULL AND assignee_id IS NULL AND waiting_since IS NOT NULL"


class Plan(msgspec.Struct, frozen=True):
    agents: int = 200
    waiting: int = 2_000
    messages: int = 400
    histories: int = 0
    steps: int = 25


class Hall(msgspec.Struct, frozen=True):
    shops: tuple[Inbox, ...]  # where there is room
    free: tuple[int, ...]
    full: tuple[int, ...]


async def run(database: str, plan: Plan, folder: Path | None = None) -> list[Result]:
    with disk_folder(folder) as place, ground(database, place) as on:
        results = await _latencies(database, plan, on)
        if plan.histories:
            results += await _histories(database, plan, on)
    return results


# --- how long it takes -----------------------------------------------------------------------------------------------


async def _latencies(database: str, plan: Plan, on: Any) -> list[Result]:
    where = on.empty()
    async with opened(on.backend(where)) as store:
        register()
        hall = await _furnish(store, plan)
        if database == "postgres":
            on.tidy(where)
        waits = await store.read(lambda rx: rx.value(_WAITING))
        console.print(f"routing, {database}: {plan.agents} agents, {waits:,} waiting", style="dim")
        arrived = await _arrivals(store, hall, plan)
        bare = await _arrivals_without(store, plan)
        freed = await _freed(store, hall, plan)
    found = []
    for name, times in (("routing", arrived), ("routing.freed", freed)):
        p50, p99 = _ms(times, 50), _ms(times, 99)
        floor = _ms(bare, 50)
        console.print(f"{name}, {database}: p50 {p50:.1f} ms, p99 {p99:.1f} ms; a message not offered {floor:.1f} ms")
        ratio = round(p50 / floor, 4)
        found.append(Result(f"{name}.p50_ms", database, plan.agents, round(p50, 3), round(floor, 3), ratio, None, None))
        met = p99 <= BUDGET_MS
        found.append(Result(f"{name}.p99_ms", database, plan.agents, round(p99, 3), None, None, BUDGET_MS, met))
    return found


async def _furnish(store: Store, plan: Plan) -> Hall:
    """Twenty teams with an inbox each. Half of the agents are full, and in their inboxes all wait."""
    await store.write(roles.ensure_built_in)
    each = max(1, plan.agents // (FULL + FREE))
    shops: list[Inbox] = []
    free: list[int] = []
    full: list[int] = []
    for number in range(FULL + FREE):
        shop, ids = await store.write(_team, number, each, full=number < FULL)
        (full if number < FULL else free).extend(ids)
        shops.append(shop)
    people = itertools.count()
    for start in range(0, plan.waiting, 100):
        await store.write(_crowd, shops[:FULL], [next(people) for _ in range(min(100, plan.waiting - start))])
    return Hall(tuple(shops[FULL:]), tuple(free), tuple(full))


def _team(tx: Tx, number: int, size: int, *, full: bool) -> tuple[Inbox, list[int]]:
    team_id = teams.create(tx, DESK, f"Team {number}")
    shop = inboxes.create(
        tx, DESK, kind=Talks.kind, name=f"Shop {number}", team_id=team_id, settings={"routing": "offer"}
    )
    ids = []
    for n in range(size):
        name = f"agent-{number}-{n}"
        role = roles.named(tx, "agent").id
        languages = ["en", "fr"] if n % 3 else ["en"]
        agent_id = agents.create(
            tx, DESK, email=f"{name}@example.com", name=name, role_id=role, capacity=100, languages=languages
        )
        teams.add_member(tx, DESK, team_id, agent_id)
        if full:
            tx.run(_FILL, id=agent_id)
        presence.renew(tx, agent_id, "bench")
        grants = access.load(tx, agent_id)
        assert grants is not None
        presence.set_availability(tx, Caller(Actor("agent", agent_id), grants), "online")
        ids.append(agent_id)
    return shop, ids


def _crowd(tx: Tx, shops: list[Inbox], people: list[int]) -> None:
    for n in people:
        incoming.receive(tx, shops[n % len(shops)], _message(f"w{n}", n))


def _message(id: str, n: int) -> Message:
    return Message(external_id=id, sender=Sender(Point("email", f"c{n}@example.net"), language="fr"), text="Hello?")


async def _arrivals(store: Store, hall: Hall, plan: Plan) -> list[float]:
    """Seconds from a visitor's message until it is on disk that somebody is offered it."""
    times = []
    for n in range(plan.messages):
        if n % 50 == 0:
            await store.write(_renew, [*hall.free, *hall.full])
        took, got = await _timed(
            store, incoming.receive, hall.shops[n % len(hall.shops)], _message(f"a{n}", 1_000_000 + n)
        )
        times.append(took)
        if await store.read(_who, got.ticket_id) is None:
            raise RuntimeError("nobody was offered it")
        await store.write(tickets.resolve, DESK, got.number)
    return times


async def _arrivals_without(store: Store, plan: Plan) -> list[float]:
    """The same where tickets are claimed."""
    shop = await store.write(lambda tx: inboxes.create(tx, DESK, kind=Talks.kind, name="Claimed"))
    return [
        (await _timed(store, incoming.receive, shop, _message(f"b{n}", 2_000_000 + n)))[0] for n in range(plan.messages)
    ]


async def _freed(store: Store, hall: Hall, plan: Plan) -> list[float]:
    """Seconds from an agent having room again until it is on disk that the oldest of those who wait is offered them."""
    times = []
    each = len(hall.full) // FULL
    for n in range(min(plan.messages, plan.waiting)):
        agent_id = hall.full[n % FULL * each + n // FULL % each]
        if n % 50 == 0:
            await store.write(_renew, [*hall.free, *hall.full])
        before = await store.read(_offers_of, agent_id)
        took, _ = await _timed(store, _has_room, agent_id)
        times.append(took)
        if await store.read(_offers_of, agent_id) != before + 1:
            raise RuntimeError("nothing was offered")
    return times


def _has_room(tx: Tx, agent_id: int) -> None:
    """As if they had resolved one: what follows is the same as after any change of an agent."""
    tx.run(_LESS, id=agent_id)
    agents.change(tx, DESK, agent_id, skills=[f"s{tx.now}"])


def _renew(tx: Tx, ids: list[int]) -> None:
    for agent_id in ids:
        presence.renew(tx, agent_id, "bench")


def _offers_of(rx: Rx, agent_id: int) -> int:
    return int(rx.value(_FREED, id=agent_id))


def _who(rx: Rx, ticket_id: int) -> int | None:
    return gate.must(rx, ticket_id).offered_to


async def _timed(store: Store, fn: Callable[..., Any], *args: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    done = await store.write(fn, *args)
    return time.perf_counter() - started, done


def _ms(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1] * 1000


# --- whatever happens ------------------------------------------------------------------------------------------------


async def _histories(database: str, plan: Plan, on: Any) -> list[Result]:
    from hub.bench import histories

    async with opened(on.backend(on.empty())) as store:
        desk = await store.write(furnish)
        wrong, count = 0, 0
        try:
            count, moments = await store.backend.in_writer(
                lambda session: histories.run(
                    session, desk, examples=plan.histories, steps=plan.steps, derandomize=False
                )
            )
            console.print(f"routing, {database}: {count:,} histories, {moments:,} moments looked at")
        except AssertionError as error:
            console.print(f"routing, {database}: {error}", style="red")
            for note in getattr(error, "__notes__", ()):
                console.print(note, style="dim", markup=False)
            wrong = 1
    return [Result("routing.wrong", database, count or plan.histories, wrong, None, None, 0, wrong == 0)]
