"""`parley bench storm`: clients on a bad network, cut off again and again, who have heard everything once."""

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from hub.bench.customers import register_kinds
from hub.bench.ground import disk_folder, ground
from hub.bench.process import DeskProcess, administrator
from hub.bench.relay import Relay
from hub.bench.result import Result, console
from hub.bench.watching import SITE, AgentWatching, VisitorWatching, Watching
from hub.db.tx import Rx, Tx
from hub.desk import inboxes, visitors
from hub.events import Actor, Recorded
from hub.live import stream
from hub.live.audience import HOUSE, rule_of, sees, sight_of
from hub.live.hydrate import SAYINGS, STANDINGS
from hub.staff import access, agents, roles, teams, tokens
from hub.staff.access import DESK

LIFE: Final = 0.25  # seconds that a connection is well, on average
SETTLE_SECONDS: Final = 30.0
SHOWN: Final = 10
PUBLIC: Final = "http://desk.example"


class Plan(msgspec.Struct, frozen=True):
    disconnects: int = 10_000
    agents: int = 12
    visitors: int = 12
    rate: int = 50  # events a second, at least
    seed: int = 1


class Cast(msgspec.Struct):
    """Who takes part: everything that is needed to be them."""

    admin: str
    inbox: str
    agents: list[tuple[int, str]]  # id and token; every second one sees the chats only
    visitors: list[tuple[int, str, int]]  # id, token, number of the ticket
    others: list[int]  # numbers of tickets that only those who see everything see


async def run(database: str, plan: Plan, folder: Path | None = None) -> list[Result]:
    register_kinds()
    chance = random.Random(plan.seed)
    with disk_folder(folder) as place, ground(database, place) as on:
        url = "" if database == "sqlite" else on.server.database(on.empty())
        desks = [_desk(place / f"desk{n}", url) for n in range(1 if database == "sqlite" else 2)]
        async with desks[0].record() as store:
            cast = await store.write(_cast, plan)
        started = time.perf_counter()
        crowd, ended = await _storm(desks, cast, plan, chance)
        took = time.perf_counter() - started
        async with desks[0].record() as store:
            happened = await store.read(_happened)
            wanted = {w.name: await store.read(_wanted, happened, w, cast) for w in crowd}
    return _report(database, plan, crowd, wanted, ended, took)


def _desk(data: Path, url: str) -> DeskProcess:
    data.mkdir()
    return DeskProcess(data, url, settings={"PARLEY_PUBLIC_URL": PUBLIC})


def _cast(tx: Tx, plan: Plan) -> Cast:
    _, admin = administrator(tx, "ann@example.org")
    everything = [administrator(tx, f"boss{n}@example.org") for n in range((plan.agents + 1) // 2)]
    team_id = teams.create(tx, DESK, "Chats")
    helpers = [_helper(tx, n, team_id) for n in range(plan.agents // 2)]
    settings = {"offline": "never"}
    chat = inboxes.create(tx, DESK, kind="chat", name="Chat", team_id=team_id, settings=settings)
    other = inboxes.create(tx, DESK, kind="chat", name="Other", settings=settings)
    return Cast(
        admin=admin,
        inbox=chat.token,
        agents=[one for pair in itertools.zip_longest(everything, helpers) for one in pair if one is not None],
        visitors=[_visitor(tx, chat) for _ in range(plan.visitors)],
        others=[_visitor(tx, other)[2] for _ in range(4)],
    )


def _helper(tx: Tx, number: int, team_id: int) -> tuple[int, str]:
    role = roles.named(tx, "agent").id
    agent_id = agents.create(tx, DESK, email=f"helper{number}@example.org", name=f"Helper {number}", role_id=role)
    teams.add_member(tx, DESK, team_id, agent_id)
    grants = access.load(tx, agent_id)
    assert grants is not None
    caller = access.Caller(Actor("agent", agent_id), grants)
    return agent_id, tokens.create(tx, caller, name="bench", scopes=tokens.SCOPES, expires_at=None)[1]


def _visitor(tx: Tx, inbox: inboxes.Inbox) -> tuple[int, str, int]:
    entered = visitors.enter(tx, inbox, None, SITE)
    assert entered.token is not None
    said = visitors.say(tx, entered.visitor, "Hello, is anybody there?", "first", None)
    return entered.visitor.id, entered.token, said.number


# --- the storm ---------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _running(desks: list[DeskProcess]) -> AsyncIterator[None]:
    try:
        for desk in desks:
            desk.start()
            await desk.ready()
        yield
    finally:
        for desk in desks:
            desk.stop()


async def _storm(
    desks: list[DeskProcess], cast: Cast, plan: Plan, chance: random.Random
) -> tuple[list[Watching], dict[str, int]]:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(_running(desks))
        relays = [await stack.enter_async_context(Relay(d.port, chance, LIFE)) for d in desks]
        http = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=0))
        )
        crowd = _crowd(relays, desks, cast, chance)
        tasks = [asyncio.create_task(watching.run(http)) for watching in crowd]
        load = asyncio.create_task(_load(http, desks, cast, plan, chance))
        while sum(sum(r.ended.values()) for r in relays) < plan.disconnects:
            await asyncio.sleep(0.05)
            if load.done():
                await load
        load.cancel()
        for relay in relays:
            relay.calm = True
        await _settled(crowd, http, desks[0], cast)
        for task in (*tasks, load):
            task.cancel()
        await asyncio.gather(*tasks, load, return_exceptions=True)
    return crowd, dict(sum((relay.ended for relay in relays), Counter[str]()))


def _crowd(relays: list[Relay], desks: list[DeskProcess], cast: Cast, chance: random.Random) -> list[Watching]:
    def ports() -> int:
        return chance.choice(relays).port

    found: list[Watching] = []
    for number, (agent_id, token) in enumerate(cast.agents):
        desk = desks[number % len(desks)]
        found.append(AgentWatching(f"agent {agent_id}", ports, chance, token, desk.port))
    for visitor_id, token, _ in cast.visitors:
        found.append(VisitorWatching(f"visitor {visitor_id}", ports, chance, cast.inbox, token, PUBLIC))
    return found


async def _load(
    http: aiohttp.ClientSession, desks: list[DeskProcess], cast: Cast, plan: Plan, chance: random.Random
) -> None:
    """Answers, notes, tags and priorities on tickets of all kinds, so many a second whatever each takes."""
    chats = [number for _, _, number in cast.visitors]
    doing: set[asyncio.Task[None]] = set()
    started = time.perf_counter()
    for number in itertools.count():
        await asyncio.sleep(max(0.0, started + number / plan.rate - time.perf_counter()))
        path, body = _act(chance, number, chats, cast.others)
        task = asyncio.create_task(_post(http, chance.choice(desks).port, cast.admin, path, body))
        doing.add(task)
        task.add_done_callback(doing.discard)


def _act(chance: random.Random, number: int, chats: list[int], others: list[int]) -> tuple[str, dict[str, Any]]:
    ticket = chance.choice(others if chance.random() < 0.2 else chats)
    acts: list[tuple[str, dict[str, Any]]] = [
        ("reply", {"text": f"answer {number}", "anyway": True}),
        ("reply", {"text": f"answer {number}", "anyway": True}),
        ("note", {"text": f"note {number}"}),
        ("tag", {"tag": f"tag {number % 50}"}),
        ("untag", {"tag": f"tag {number % 50}"}),
        ("resolve", {}),
        ("reopen", {}),
    ]
    verb, body = chance.choice(acts)
    return f"/api/v1/tickets/{ticket}/{verb}", body


async def _post(http: aiohttp.ClientSession, port: int, token: str, path: str, body: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with http.post(f"http://127.0.0.1:{port}{path}", json=body, headers=headers) as answer:
        if answer.status >= 500:
            raise RuntimeError(f"{path}: {answer.status} {await answer.text()}")


async def _settled(crowd: list[Watching], http: aiohttp.ClientSession, desk: DeskProcess, cast: Cast) -> None:
    """Everybody is connected and has heard what is said last."""
    await asyncio.sleep(0.5)
    for _, _, number in cast.visitors:
        await _post(http, desk.port, cast.admin, f"/api/v1/tickets/{number}/reply", {"text": "last", "anyway": True})
    counts: list[int] = []
    until = time.perf_counter() + SETTLE_SECONDS
    while time.perf_counter() < until:
        await asyncio.sleep(1.5)
        now = [len(watching.told) for watching in crowd]
        if now == counts and all(watching.live for watching in crowd):
            return
        counts = now


# --- what each should have heard ---------------------------------------------------------------------------------


def _happened(rx: Rx) -> list[Recorded]:
    found: list[Recorded] = []
    after, more = 0, True
    while more:
        some, after, more = stream.events_after(rx, after, 5_000)
        found += some
    return found


_TICKETS = "SELECT ticket_id FROM visitor_ticket WHERE visitor_id = :id"


def _wanted(rx: Rx, happened: list[Recorded], watching: Watching, cast: Cast) -> list[int]:
    kind, _, name = watching.name.partition(" ")
    if kind == "visitor":
        theirs = {row[0] for row in rx.rows(_TICKETS, id=int(name))}
        return [r.id for r in happened if r.ticket_id in theirs and isinstance(r.event, (*SAYINGS, *STANDINGS))]
    grants = access.load(rx, int(name))
    assert grants is not None
    sight = sight_of(grants)
    found = []
    for recorded in happened:
        rule = rule_of(type(recorded.event))
        if rule == "ticket":
            heard = sees(sight, recorded.before, int(name)) or sees(sight, recorded.after, int(name))
        elif rule == "house":
            needed = HOUSE[type(recorded.event)]
            heard = not needed or needed in sight.permissions
        else:
            heard = rule == "contact" and sight.everything
        if heard:
            found.append(recorded.id)
    return found


def _judged(watching: Watching, wanted: list[int]) -> tuple[int, int, int]:
    """(missed, doubled, out of order) since the first snapshot."""
    first = watching.first or 0
    due = {id for id in wanted if id > first}
    told = [id for id in watching.told if id in due or not watching.names[id].startswith(("contact", "visitor"))]
    return len(due - set(told)), len(told) - len(set(told)) + len(set(told) - due), int(told != sorted(told))


def _report(
    database: str, plan: Plan, crowd: list[Watching], wanted: dict[str, list[int]], ended: dict[str, int], took: float
) -> list[Result]:
    missed = doubled = disorder = 0
    for watching in crowd:
        found = _judged(watching, wanted[watching.name])
        missed, doubled, disorder = missed + found[0], doubled + found[1], disorder + found[2]
        if any(found) or watching.wrong:
            console.print(f"{watching.name}: missed, doubled, out of order: {found}; {watching.wrong[:SHOWN]}")
    told = sum(len(w.told) for w in crowd)
    wrong = sum(len(w.wrong) for w in crowd) + sum(not w.live for w in crowd)
    console.print(
        f"storm, {database}: {sum(ended.values()):,} disconnects in {took:.0f} s ({ended}); {told:,} events told"
    )
    console.print(f"connections: {sum(w.connections for w in crowd):,}, live again: {sum(w.lives for w in crowd):,}")

    def zero(name: str, value: int) -> Result:
        return Result(f"storm.{name}", database, len(crowd), float(value), None, None, 0.0, value == 0)

    return [
        Result("storm.disconnects", database, len(crowd), float(sum(ended.values())), None, None, None, None),
        Result("storm.told", database, len(crowd), float(told), None, None, None, None),
        *(
            zero(n, v)
            for n, v in (("missed", missed), ("doubled", doubled), ("out_of_order", disorder), ("wrong", wrong))
        ),
    ]
