"""`parley bench kill`: a desk under load through all its doors is killed again and again, and loses nothing."""

import asyncio
import contextlib
import itertools
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hub.bench.customers import KIND, SECRET
from hub.bench.ground import disk_folder, ground
from hub.bench.peer import Peer
from hub.bench.postgres_server import Server
from hub.bench.process import administrator
from hub.bench.result import Result, console
from hub.bench.senders import DOORS, ON_A_TICKET, Crowd, Places, switch
from hub.bench.verdict import end_leases, judge, under_way
from hub.bench.warm import WarmDesk
from hub.connector import Message, Point, Sender
from hub.db.tx import Tx
from hub.desk import inboxes, incoming
from hub.staff.access import DESK

FORWARDED: Final = {"PARLEY_TRUSTED_PROXIES": "127.0.0.1", "PARLEY_FORMS_PER_HOUR": "1000000"}
LONGEST: Final = 2.0  # seconds that a desk lives
MEAN: Final = 0.25
PATIENCE: Final = 1.0  # with a desk that is to die at a named place and does not come by
FIRST_REACH: Final = 20.0
MOST_REACH: Final = 300.0
DRAIN_SECONDS: Final = 90.0
SHOWN: Final = 20  # of what is wrong


class Plan(msgspec.Struct, frozen=True):
    kills: int = 500
    seed: int = 1
    server: int = 0  # every so many kills it is the database server that is killed; 0: never
    check: int = 100  # look at the record after so many kills


class Tally:
    """What a run has done and found."""

    def __init__(self) -> None:
        self.reach: dict[str, float] = {}  # at which pass a named place kills, at most: learned, for some are rare
        self.kills = 0
        self.servers = 0
        self.points: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.seconds = 0.0
        self.starts: list[float] = []


def crash_points() -> list[str]:
    """Every named place of a running desk; those of migrations have their own test."""
    found: set[str] = set()
    for path in (Path(__file__).parents[1]).rglob("*.py"):
        found |= set(re.findall(r'crash_point\("([a-z_.]+)"\)', path.read_text(encoding="utf-8")))
    return sorted(name for name in found if not name.startswith("migrate."))


async def run(database: str, plan: Plan, folder: Path | None = None) -> list[Result]:
    chance = random.Random(plan.seed)
    with disk_folder(folder) as place, ground(database, place) as on:
        url = "" if database == "sqlite" else on.server.database(on.empty())
        async with Peer(chance) as peer, _desk(place, url, peer) as desk:
            places = await _founded(desk, peer)
            async with Crowd(places, chance, peer.heard) as crowd:
                tally = Tally()
                await _kill(desk, crowd, peer, plan, tally, chance, on)
                await _end(desk, crowd, peer, tally)
    return _report(database, plan, crowd, peer, tally)


@contextlib.asynccontextmanager
async def _desk(place: Path, url: str, peer: Peer) -> AsyncIterator[WarmDesk]:
    data = place / "desk"
    data.mkdir()
    settings = {**FORWARDED, "PARLEY_ALLOWED_HOSTS": f"127.0.0.1:{peer.port}", "PARLEY_LOG_LEVEL": "error"}
    desk = WarmDesk(data, url, settings=settings)
    try:
        yield desk
    finally:
        desk.close()


async def _founded(desk: WarmDesk, peer: Peer) -> Places:
    """A desk with a form, a webhook that leads to the peer, somebody who may everything and a few tickets."""

    def found(tx: Tx) -> Places:
        form = next(inbox for inbox in inboxes.all_of_them(tx) if inbox.features.form)
        settings = {"secret": SECRET, "url": f"http://127.0.0.1:{peer.port}/take", "vouches": True, "can_find": True}
        hook = inboxes.create(tx, DESK, kind=KIND, name="Shop", settings={**settings, "allow_http": True})
        _, token = administrator(tx, "ann@example.org")
        wanted = sum(count for door, count in DOORS.items() if door in ON_A_TICKET)
        received = [incoming.receive(tx, hook, _hello(n)) for n in range(wanted)]
        numbers = tuple(r.number for r in received)
        return Places(desk.url, token, form.token, hook.token, numbers, received[0].contact_id, hook.id)

    async with desk.record() as store:
        return await store.write(found)


def _hello(n: int) -> Message:
    sender = Sender(Point("email", f"customer{n}@example.net"), sureness="attested")
    return Message(external_id=f"hello-{n}", sender=sender, text="Hello.")


def switches_of(places: Places) -> dict[int, str]:
    """Which sender switches which ticket, in the order in which the crowd gives them out."""
    numbers, found = iter(places.tickets), {}
    for door, count in DOORS.items():
        for which in range(count if door in ON_A_TICKET else 0):
            number = next(numbers)
            if door is switch:
                found[number] = f"{door.__name__}{which}"
    return found


async def _kill(
    desk: WarmDesk, crowd: Crowd, peer: Peer, plan: Plan, tally: Tally, chance: random.Random, on: Any
) -> None:
    turns, started = itertools.cycle(crash_points()), time.perf_counter()
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    with bar:
        task = bar.add_task("kills", total=plan.kills)
        while tally.kills < plan.kills:
            if plan.server and tally.kills % plan.server == plan.server - 1:
                await _live(desk, crowd, "", tally, chance, on.server)
            else:
                named = next(turns) if chance.random() < 0.5 else ""
                await _live(desk, crowd, named, tally, chance)
            tally.kills += 1
            if tally.kills % plan.check == 0 and tally.kills < plan.kills:
                tally.wrong += await _look(desk, crowd, peer, ended=False)
            lost = f", [red]{len(tally.wrong)} wrong[/]" if tally.wrong else ""
            bar.update(task, completed=tally.kills, description=f"kills, {crowd.acknowledged:,} acknowledged{lost}")
    tally.seconds = time.perf_counter() - started


async def _live(
    desk: WarmDesk, crowd: Crowd, point: str, tally: Tally, chance: random.Random, server: Server | None = None
) -> None:
    """One life of the desk: until it is killed, or dies at the place it was told. `server`: that is killed first."""
    reach = tally.reach.setdefault(point, FIRST_REACH)
    await asyncio.to_thread(end_leases, desk)
    started = time.perf_counter()
    desk.start(crash_point=f"{point}:{int(chance.uniform(1, reach))}" if point else "")
    try:
        await desk.ready()
    except RuntimeError:
        if desk.status() != 137:  # it may well meet its place before it is ready
            raise
    tally.starts.append(time.perf_counter() - started)
    crowd.up.set()
    await _wait(desk, PATIENCE if point else min(LONGEST, 0.05 + chance.expovariate(1 / MEAN)))
    if server is not None:
        await asyncio.to_thread(server.restart_immediate)
        tally.servers += 1
        await _wait(desk, chance.uniform(0.05, LONGEST))
    if point:
        met = desk.status() == 137
        tally.points[point] += met
        tally.reach[point] = min(MOST_REACH, reach * 1.5) if met else max(1.0, reach / 2)
    elif desk.died():
        tally.wrong.append(f"the desk ended by itself with status {desk.status()}")
    desk.kill()
    crowd.up.clear()


async def _wait(desk: WarmDesk, seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until and not desk.died():
        await asyncio.sleep(min(0.02, max(0.001, until - time.perf_counter())))


async def _look(desk: WarmDesk, crowd: Crowd, peer: Peer, *, ended: bool) -> list[str]:
    """While no desk runs."""
    async with desk.record() as store:
        return await judge(store, crowd.ledger, switches_of(crowd.places), peer, ended=ended)


async def _end(desk: WarmDesk, crowd: Crowd, peer: Peer, tally: Tally) -> None:
    """A last life without a kill: everything in hand is answered, everything on its way arrives."""
    await asyncio.to_thread(end_leases, desk)
    desk.start()
    await desk.ready()
    crowd.up.set()
    await crowd.finish()
    until = time.perf_counter() + DRAIN_SECONDS
    while await asyncio.to_thread(under_way, desk) and time.perf_counter() < until:
        await asyncio.sleep(0.5)
    desk.stop()
    tally.wrong += crowd.wrong
    tally.wrong += await _look(desk, crowd, peer, ended=True)


def _report(database: str, plan: Plan, crowd: Crowd, peer: Peer, tally: Tally) -> list[Result]:
    starts = sorted(tally.starts)
    console.print(
        f"{database}: {tally.kills:,} kills ({sum(tally.points.values()):,} at a named place, {tally.servers} of the "
        f"server) in {tally.seconds:.0f} s, {tally.kills / max(1e-9, tally.seconds):.1f} a second; there again after "
        f"{starts[len(starts) // 2] * 1000:.0f} ms (at most {starts[-1] * 1000:.0f}); "
        f"{crowd.acknowledged:,} operations acknowledged, {crowd.again:,} given again; "
        f"{sum(peer.journal.values()):,} sent out, {peer.silences} of them unanswered; seed {plan.seed}"
    )
    console.print("named places: " + ", ".join(f"{n} {tally.points[n]}" for n in crash_points()))
    wrong = list(dict.fromkeys(tally.wrong))
    for sentence in wrong[:SHOWN]:
        console.print(f"[red]wrong[/]: {sentence}", markup=True)
    if len(wrong) > SHOWN:
        console.print(f"… and {len(wrong) - SHOWN:,} more")
    kinds = {
        "kill.lost": ("is lost", "never arrived"),
        "kill.doubled": ("is stored more than once", "was sent more than once"),
        "kill.out_of_order": ("is stored after", "out of order"),
    }
    counts = {name: sum(any(m in sentence for m in marks) for sentence in wrong) for name, marks in kinds.items()}
    counts["kill.wrong"] = len(wrong)
    done = Result("kill.acknowledged", database, plan.kills, crowd.acknowledged, None, None, None, None)
    return [done, *(Result(n, database, plan.kills, c, None, None, 0.0, c == 0) for n, c in counts.items())]
