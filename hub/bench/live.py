"""`parley bench live`: from a visitor's frame through the record to an agent's frame."""

import asyncio
import contextlib
import itertools
import json
import statistics
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec

from hub.bench import parlour, replay
from hub.bench.customers import founded
from hub.bench.ground import disk_folder, ground
from hub.bench.process import DeskProcess
from hub.bench.result import Result, Rounds, console
from hub.bench.wire import Wire, connect

THROUGH: Final = 1.0
P50: Final = 5.0
P99: Final = 30.0
P99_EXPORT: Final = 100.0
A_VISITOR: Final = 18  # messages that the desk lets each say in a minute, and two to spare
KNOWN: Final = 200


class Plan(msgspec.Struct, frozen=True):
    rounds: int = 5
    messages: int = 800  # of each round
    in_flight: int = 64
    rate: int = 200  # a second, for the latencies
    visitors: int = 200
    agents: int = 20
    rows: int = 10_000  # of the export that goes on meanwhile


async def run(plan: Plan, folder: Path | None = None) -> list[Result]:
    through, middle, worst, beside = Rounds(), Rounds(), Rounds(), Rounds()
    with disk_folder(folder) as place, ground("sqlite", place) as on:
        bare_desk = await founded(on, KNOWN)
        for number in range(plan.rounds):
            where = on.copy(bare_desk.where)
            wall = replay.fsync_wall(where, KNOWN, plan.messages, "x" * 40)
            on.drop(where)
            async with parlour.bare() as (port, _):
                echo = await _echo(port)
            with disk_folder(folder) as new:
                found = await _round(plan, new)
            rate = found.rate
            through.add(rate, wall)
            middle.add(statistics.median(found.alone) * 1000, (echo + 1 / wall) * 1000)
            worst.add(_p99(found.alone), P99)
            beside.add(_p99(found.beside), P99_EXPORT)
            line = f"round {number + 1} of {plan.rounds}: {rate:,.0f}/s, bare {wall:,.0f}/s; at {plan.rate}/s"
            line += f" p50 {middle.values[-1]:.2f} ms, p99 {worst.values[-1]:.1f} ms"
            exported = f"{found.exports} exports of {plan.rows:,} rows, {found.took:.1f} s each"
            console.print(f"{line}; beside {exported}: p99 {beside.values[-1]:.1f} ms", style="dim")
    console.print(f"live: {through.spread()}")
    return [
        through.result("live", database="sqlite", callers=plan.in_flight, budget=THROUGH),
        middle.result("live.p50_ms", database="sqlite", callers=plan.visitors, budget=P50, wanted="at most"),
        worst.result("live.p99_ms", database="sqlite", budget=P99, judged="value", wanted="at most"),
        beside.result("live.p99_export_ms", database="sqlite", budget=P99_EXPORT, judged="value", wanted="at most"),
    ]


def _p99(seconds: list[float]) -> float:
    """In milliseconds."""
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1000


async def _echo(port: int, times: int = 500) -> float:
    """Seconds there and back over a bare socket."""
    back: asyncio.Queue[bytes] = asyncio.Queue()
    wire = await connect(port, back.put_nowait)
    found = []
    for _ in range(times):
        started = time.perf_counter()
        wire.say(b'{"type":"say","text":"a few words of no interest"}')
        await back.get()
        found.append(time.perf_counter() - started)
    wire.transport.abort()
    return statistics.median(found)


class _Talk:
    """Visitors who speak in turn, and an agent who notes when each message has come."""

    def __init__(self) -> None:
        self.sent: dict[bytes, float] = {}
        self.took: list[float] = []
        self.wrong: list[bytes] = []
        self.came = asyncio.Event()
        self.ready: set[int] = set()
        self._numbers = itertools.count()

    def agent_hears(self, frame: bytes) -> None:
        if b'"name":"message.received"' in frame:
            at = frame.rfind(b'"text":"op-')
            sent = self.sent.pop(frame[at + 8 : frame.index(b" ", at)], None)
            if sent is not None:
                self.took.append(time.perf_counter() - sent)
                self.came.set()

    def visitor_hears(self, frame: bytes) -> None:
        if frame.startswith(b'{"type":"error"'):
            self.wrong.append(frame)
            self.came.set()

    def say(self, wire: Wire) -> None:
        op = f"op-{next(self._numbers)}"
        said: dict[str, Any] = {"text": f"{op} a few words of no interest", "client_id": op}
        self.sent[op.encode()] = time.perf_counter()
        wire.say(json.dumps({"type": "command", "id": op, "name": "say", "request": said}).encode())

    async def all_come(self) -> None:
        async with asyncio.timeout(30):
            while self.sent:
                await self._next()

    async def _next(self) -> None:
        self.came.clear()
        await self.came.wait()
        if self.wrong:
            raise RuntimeError(self.wrong[0].decode()[:500])

    async def below(self, most: int) -> None:
        while len(self.sent) >= most:
            await self._next()


class _Found(NamedTuple):
    """Messages a second with so many in flight; seconds each took at a steady rate, and while exports went on; how many
    of these were had whole, and how long one took."""

    rate: float
    alone: list[float]
    beside: list[float]
    exports: int
    took: float


async def _round(plan: Plan, place: Path) -> _Found:
    fast = -(-plan.messages // A_VISITOR)
    desk = parlour.desk_in(place, "", core=0)
    guests = await parlour.furnish(desk, plan.agents, fast + plan.visitors, said=True)
    await parlour.fill(desk, plan.rows)
    async with parlour.running(desk):
        talk = _Talk()
        watching = [await parlour.agent_in(desk, token, talk.agent_hears if not n else None)
                    for n, token in enumerate(guests.agents)]  # fmt: skip
        wires = [await parlour.visitor_in(desk, guests, n, talk.visitor_hears) for n in range(len(guests.visitors))]
        await asyncio.sleep(1.0)
        started = time.perf_counter()
        for number in range(plan.messages):
            await talk.below(plan.in_flight)
            talk.say(wires[number % fast])
        await talk.all_come()
        rate = plan.messages / (time.perf_counter() - started)
        talk.took.clear()
        await _steady(talk, wires[fast:], plan)
        alone = talk.took[:]
        talk.took.clear()
        done: list[float] = []
        taking = asyncio.create_task(_exports(desk, guests.agents[0], plan.rows, done))
        await asyncio.sleep(0.1)
        await _steady(talk, wires[fast:], plan)
        while not done and not taking.done():  # one is had whole, however few messages there were
            await asyncio.sleep(0.05)
        taking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await taking
        for wire in (*watching, *wires):
            wire.transport.abort()
    return _Found(rate, alone, talk.took, len(done), statistics.median(done))


async def _exports(desk: DeskProcess, token: str, rows: int, took: list[float]) -> None:
    """One after the other until it is told to stop; `took`: the seconds of each."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        while True:
            started, lines = time.perf_counter(), 0
            async with http.get(f"{desk.url}/api/v1/contacts.csv?q=somebody") as answer:
                async for chunk in answer.content.iter_any():
                    lines += chunk.count(b"\r\n")
            if answer.status != 200 or lines != rows + 1:
                raise RuntimeError(f"an export answered {answer.status} with {lines:,} lines, not {rows + 1:,}")
            took.append(time.perf_counter() - started)


async def _steady(talk: _Talk, wires: list[Wire], plan: Plan) -> None:
    started = time.perf_counter()
    for number in range(min(plan.messages, len(wires) * A_VISITOR)):
        await asyncio.sleep(max(0.0, started + number / plan.rate - time.perf_counter()))
        talk.say(wires[number % len(wires)])
    await talk.all_come()
