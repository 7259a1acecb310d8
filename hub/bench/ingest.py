"""`parley bench ingest`: how fast what comes in is stored for good, through the door behind every channel."""

import asyncio
import gc
import itertools
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.bench import replay
from hub.bench.customers import Desk, Post, each, founded, posts, register_kinds, taker, text
from hub.bench.ground import Ground, PostgresGround, SqliteGround, disk_folder, ground, opened
from hub.bench.recording import Recording
from hub.bench.result import Result, Rounds, console, spread
from hub.desk import inboxes

RECORDED: Final = 1_000
BUDGETS: Final = {32: 0.35, 128: 0.5}
WALL_BUDGET: Final = 1.2
POSTGRES_BUDGET: Final = 0.7
MANY: Final = 32  # clients of pgbench, whom we would like to reach half of
MOST_STATEMENTS: Final = 12


class Plan(msgspec.Struct, frozen=True):
    rounds: int = 5
    messages: int = 4_000
    callers: tuple[int, ...] = (32, 128)
    known: int = 5_000
    new: float = 0.02
    fsyncs: bool = True


async def run(database: str, plan: Plan, folder: Path | None = None) -> list[Result]:
    with disk_folder(folder) as place, ground(database, place) as on:
        console.print(f"[bold]ingest, {database}[/]: {plan.known:,} customers are let in …")
        desk = await founded(on, plan.known)
        if isinstance(on, PostgresGround):
            on.tidy(desk.where)
        units, statements = await _recorded(on, desk, plan, RECORDED)
        found = [statements]
        if isinstance(on, PostgresGround):
            found += await _postgres(on, desk, plan, units, place)
        else:
            found += await _sqlite(on, desk, plan, units)
            if plan.fsyncs:
                found += _fsyncs(desk, plan, place)
        return found


async def cost(database: str, folder: Path | None = None) -> list[Result]:
    """Statements and, on SQLite, fsyncs that taking in one message costs; without measuring how fast it is."""
    plan = Plan(known=500, messages=1_280)
    with disk_folder(folder) as place, ground(database, place) as on:
        desk = await founded(on, plan.known)
        _, statements = await _recorded(on, desk, plan, RECORDED)
        return [statements, *(() if isinstance(on, PostgresGround) else _fsyncs(desk, plan, place))]


async def _recorded(on: Ground, desk: Desk, plan: Plan, count: int) -> tuple[replay.Units, Result]:
    """The statements of `count` real messages, from the state of the template; and how many there were each."""
    where = on.copy(desk.where)
    backend: Any = Recording(on.backend(where))
    async with opened(backend) as store:
        backend.listen(store)
        await each(128, itertools.islice(posts(7, plan.known, plan.new), count), taker(store, desk))
        units = backend.units
        savepoints = backend.controls
    on.drop(where)
    a_message = sum(map(len, units)) / count
    console.print(
        f"statements a message: {a_message:.2f}, with SAVEPOINT and RELEASE {a_message + savepoints / count:.2f}"
    )
    met = a_message <= MOST_STATEMENTS
    return units, Result(
        "ingest.statements", on.name, None, round(a_message, 2), None, None, float(MOST_STATEMENTS), met
    )


async def product(
    on: Ground, desk: Desk, plan: Plan, callers: int, *, ready: Sequence[Post] = ()
) -> tuple[float, float]:
    """(messages a second, messages a batch), on a fresh copy."""
    where = on.copy(desk.where)
    what = list(ready or itertools.islice(posts(7, plan.known, plan.new), plan.messages))
    async with opened(on.backend(where)) as store:
        take = taker(store, desk)
        before, batches = store.figures.units, store.figures.batches
        gc.collect()
        started = time.perf_counter()
        await each(callers, what, take)
        took = time.perf_counter() - started
        size = (store.figures.units - before) / max(1, store.figures.batches - batches)
    on.drop(where)
    return len(what) / took, size


async def _sqlite(on: Ground, desk: Desk, plan: Plan, units: replay.Units) -> list[Result]:
    against = {callers: Rounds() for callers in plan.callers}
    wall = {callers: Rounds() for callers in plan.callers}
    sizes: dict[int, list[float]] = {callers: [] for callers in plan.callers}
    letter = text(random.Random(3))
    for number in range(plan.rounds):
        where = on.copy(desk.where)
        bare = replay.sqlite(where, units)
        on.drop(where)
        where = on.copy(desk.where)
        serial = replay.fsync_wall(where, plan.known, min(RECORDED, plan.messages), letter)
        on.drop(where)
        for callers in plan.callers:
            rate, size = await product(on, desk, plan, callers)
            against[callers].add(rate, bare)
            wall[callers].add(rate, serial)
            sizes[callers].append(size)
        _say(number, plan, {c: r.values[-1] for c, r in against.items()}, bare=bare, fsync_wall=serial)
    results = []
    for callers in plan.callers:
        console.print(f"{callers} callers: {against[callers].spread()}; a batch {spread(sizes[callers])}")
        console.print(f"  against the fsync wall: {wall[callers].spread()}")
        common: Any = {"database": "sqlite", "callers": callers}
        results.append(against[callers].result("ingest", budget=BUDGETS.get(callers), **common))
        results.append(wall[callers].result("ingest.fsync_wall", budget=WALL_BUDGET, **common))
    return results


async def _postgres(on: PostgresGround, desk: Desk, plan: Plan, units: replay.Units, place: Path) -> list[Result]:
    program = replay.pgbench_program(on.server.binaries)
    console.print(f"baseline: {program or 'a bare psycopg loop, for there is no pgbench here'}")
    one, many = place / "one.sql", place / "many.sql"
    shares = await _shares(on, desk, plan)
    replay.Script().write(one, [units])
    replay.Script().write(many, shares)
    against = {callers: Rounds() for callers in plan.callers}
    stretch = {callers: Rounds() for callers in plan.callers}
    for number in range(plan.rounds):
        bare, crowd = _once(on, desk, program, one, units), 0.0
        if program:
            crowd = _once(on, desk, program, many, [u for share in shares for u in share], MANY)
        for callers in plan.callers:
            rate, _ = await product(on, desk, plan, callers)
            against[callers].add(rate, bare)
            if program:
                stretch[callers].add(rate, crowd)
        _say(number, plan, {c: r.values[-1] for c, r in against.items()}, one_client=bare, clients_32=crowd)
    results = []
    for callers in plan.callers:
        console.print(f"{callers} callers: {against[callers].spread()}")
        common: Any = {"database": "postgres", "callers": callers}
        results.append(against[callers].result("ingest", budget=POSTGRES_BUDGET, **common))
        if program:
            console.print(f"  against {MANY} clients: {stretch[callers].spread()}")
            # A wish (half of it), not a budget: it fails nobody.
            results.append(stretch[callers].result("ingest.32_clients", **common))
    return results


async def _shares(on: Ground, desk: Desk, plan: Plan) -> list[replay.Units]:
    """What 32 clients replay at once: each the messages of customers of its own, nobody of them new."""
    every = list(itertools.islice(posts(9, plan.known, 0.0), RECORDED))
    where = on.copy(desk.where)
    backend: Any = Recording(on.backend(where))
    shares: list[replay.Units] = [[] for _ in range(MANY)]
    async with opened(backend) as store:
        take = taker(store, desk)
        backend.listen(store)
        for one in every:
            begin = len(backend.units)
            await take(one)
            share = hash(one.sender) % MANY
            shares[share] = [*shares[share], *backend.units[begin:]]
    on.drop(where)
    return shares


def _once(
    on: PostgresGround, desk: Desk, program: str | None, script: Path, units: replay.Units, clients: int = 1
) -> float:
    where = on.copy(desk.where)
    url = on.server.database(where)
    try:
        if program is None:
            return replay.bare_psycopg(url, units)
        return replay.pgbench(program, url, script, clients, len(units))
    finally:
        on.drop(where)


def _say(number: int, plan: Plan, rates: dict[int, float], **baselines: float) -> None:
    ours = ", ".join(f"{rate:,.0f}/s with {callers} callers" for callers, rate in rates.items())
    theirs = ", ".join(f"{name.replace('_', ' ')} {rate:,.0f}/s" for name, rate in baselines.items())
    console.print(f"round {number + 1} of {plan.rounds}: {ours}; {theirs}", style="dim")


# --- fsyncs ----------------------------------------------------------------------------------------------------------


def _fsyncs(desk: Desk, plan: Plan, place: Path) -> list[Result]:
    """How many the kernel was asked for, counted from outside."""
    strace = shutil.which("strace")
    if strace is None:
        console.print("fsyncs a message: there is no strace here to count them")
        return []
    results = []
    for callers in plan.callers:
        log, messages = place / f"fsyncs-{callers}", min(plan.messages, 1_280)
        key = place / "key"
        key.write_bytes(msgspec.json.encode([desk.where, messages, callers, plan.known, plan.new]))
        command = [strace, "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(log)]
        subprocess.run([*command, sys.executable, "-m", "hub.bench.ingest", str(key)], check=True, timeout=120)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        each_ = sum("fdatasync(" in line or "fsync(" in line for line in lines) / messages
        console.print(f"fsyncs a message with {callers} callers: {each_:.4f} (one for {1 / max(each_, 1e-9):.0f})")
        results.append(Result("ingest.fsyncs", "sqlite", callers, round(each_, 4), 1.0, round(each_, 4), None, None))
    return results


async def _traced(path: Path) -> None:
    """The child that is traced."""
    where, messages, callers, known, new = msgspec.json.decode(path.read_bytes())
    register_kinds()
    on = SqliteGround(path.parent)
    copy = on.copy(where)
    async with opened(on.backend(copy)) as store:
        inbox = (await store.read(inboxes.all_of_them))[0]
    on.drop(copy)
    await product(on, Desk(where, inbox), Plan(messages=messages, known=known, new=new), callers)


if __name__ == "__main__":
    asyncio.run(_traced(Path(sys.argv[1])))
