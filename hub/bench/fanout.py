"""`parley bench fanout`: an event to a hundred agents, beside the same bytes written in a loop to the same sockets."""

import asyncio
import contextlib
import itertools
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, TypeGuard, cast

import msgspec
from aiohttp import web

from hub import app
from hub.bench import parlour
from hub.bench.customers import text
from hub.bench.ground import disk_folder, ground
from hub.bench.process import DeskProcess, pinned
from hub.bench.result import Result, Rounds, console
from hub.bench.wire import connect
from hub.clock import SystemClock
from hub.db.tx import Tx
from hub.desk import notes
from hub.events import Actor
from hub.live.clients import AgentSession
from hub.live.hydrate import Shown
from hub.live.protocol import Frame
from hub.staff import access, live_tickets, tokens
from hub.web import protocol

BUDGET: Final = 0.6
READY_SECONDS: Final = 30.0
REST_SECONDS: Final = 0.3


class Plan(msgspec.Struct, frozen=True):
    agents: int = 100
    events: int = 256
    rounds: int = 5


async def run(database: str, plan: Plan, folder: Path | None = None) -> list[Result]:
    rounds, size = Rounds(), 0
    with disk_folder(folder) as place, ground(database, place) as on:
        url = "" if database == "sqlite" else on.server.database(on.empty())
        process = parlour.desk_in(place, url, core=0)
        guests = await parlour.furnish(process, 1, 1, said=True)
        async with _served(process, guests.agents[0], plan) as (desk, sessions):
            for number in range(plan.rounds):
                events, size = await _ours(desk, sessions, guests.agents[0], plan)
                ours = events * len(sessions)
                bare = await _bare(sessions, size, plan)
                rounds.add(ours, bare)
                console.print(f"round {number + 1} of {plan.rounds}: {ours:,.0f}/s, bare {bare:,.0f}/s", style="dim")
    console.print(f"fanout, {database}: {rounds.spread()}; frames of {size} bytes")
    return [rounds.result("fanout", database=database, callers=plan.agents, budget=BUDGET)]


@contextlib.asynccontextmanager
async def _served(process: DeskProcess, token: str, plan: Plan) -> AsyncIterator[tuple[app.Desk, list[AgentSession]]]:
    """A desk in this process, and agents in another who only read."""
    desk = await asyncio.to_thread(app.build, process.config(), SystemClock())
    async with desk:
        server = protocol.Runner(app.web_app(desk), shutdown_timeout=1.0)
        await server.setup()
        await web.TCPSite(server, "127.0.0.1", process.port).start()
        tickets = await desk.store.write(_tickets, token, plan.agents)
        command = [*pinned(1), sys.executable, "-m", "hub.bench.fanout", str(process.port), *tickets]
        child = subprocess.Popen(command)
        try:
            async with asyncio.timeout(READY_SECONDS):
                while len(found := [s for s in desk.live.sessions if _is_live(s)]) < plan.agents:
                    await asyncio.sleep(0.05)
            yield desk, found
        finally:
            child.kill()
            child.wait()
            await server.cleanup()


def _is_live(session: Any) -> TypeGuard[AgentSession]:
    return isinstance(session, AgentSession) and session.group is not None


def _caller(rx: Any, token: str) -> access.Caller:
    found = tokens.find(rx, token)
    assert found is not None
    grants = access.load(rx, found[0])
    assert grants is not None
    return access.Caller(Actor("agent", found[0]), grants, token_id=found[2])


def _tickets(tx: Tx, token: str, count: int) -> list[str]:
    caller = _caller(tx, token)
    return [live_tickets.create(tx, caller, None) or "" for _ in range(count)]


def _write(tx: Tx, token: str, count: int) -> None:
    caller, said = _caller(tx, token), text(random.Random(7))
    for _ in range(count):
        notes.write(tx, caller, 1001, said)


async def _ours(desk: app.Desk, sessions: list[AgentSession], token: str, plan: Plan) -> tuple[float, int]:
    """(events a second from the commit until everybody's transport has the last, bytes of a frame)."""
    told = itertools.count(1)
    last: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
    began: list[float] = []
    end = desk.stream.subscribe(lambda _: began.append(time.perf_counter()))

    def heard(shown: Shown) -> None:
        if next(told) == plan.events:
            group = next(iter(desk.live._groups.values()))
            frame = shown.for_agent(group.sight, 0)
            last.set_result((shown.recorded.id, len(frame.wire) if frame else 0))

    desk.live.told.append(heard)
    await desk.store.write(_write, token, plan.events)
    event_id, size = await last
    # Told is not yet written: what a group is owed goes out together.
    while any(session.cursor < event_id for session in sessions):
        await asyncio.sleep(0)
    until = time.perf_counter()
    desk.live.told.remove(heard)
    end()
    await asyncio.sleep(REST_SECONDS)
    return plan.events / (until - began[0]), size


async def _bare(sessions: list[AgentSession], size: int, plan: Plan) -> float:
    """Frames a second when one of that size is written again and again."""
    frame = Frame(b" " * (size - 4))
    transports = [cast(Any, session.line)._transport for session in sessions]
    started = time.perf_counter()
    for _ in range(plan.events):
        for transport in transports:
            transport.write(frame.wire)
        await asyncio.sleep(0)
    rate = plan.events * len(transports) / (time.perf_counter() - started)
    await asyncio.sleep(REST_SECONDS)
    return rate


async def _read(port: int, tickets: list[str]) -> None:
    wires = []
    for ticket in tickets:
        wire = await connect(port)
        wire.say(b'{"type":"hello","ticket":"' + ticket.encode() + b'","cursor":null}')
        wires.append(wire)
    await asyncio.Event().wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_read(int(sys.argv[1]), sys.argv[2:]))
