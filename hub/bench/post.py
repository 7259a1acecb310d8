"""`parley bench post`: a command over HTTP, durable, against a handler that only reads the same JSON."""

import asyncio
import contextlib
import itertools
import os
import random
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.bench.client import Load, request
from hub.bench.customers import text
from hub.bench.ground import disk_folder, ground
from hub.bench.process import DeskProcess, administrator, free_port, pinned
from hub.bench.result import Result, Rounds, console
from hub.connector import Message, Point, Sender
from hub.db.tx import Tx
from hub.desk import inboxes, incoming

BUDGET: Final = 0.25


class Plan(msgspec.Struct, frozen=True):
    rounds: int = 5
    seconds: float = 2.0
    connections: int = 64
    tickets: int = 64


async def run(database: str, plan: Plan, folder: Path | None = None) -> list[Result]:
    with disk_folder(folder) as place, ground(database, place) as on:
        url = "" if database == "sqlite" else on.server.database(on.empty())
        data = place / "desk"
        data.mkdir()
        desk = DeskProcess(data, url, core=0)
        async with desk.record() as store:
            numbers = await store.write(_tickets, plan.tickets)
            _, token = await store.write(administrator, "ann@example.org")
        with _on_the_other_core():
            rounds = await _rounds(desk, plan, numbers, token)
    results = []
    for command, found in rounds.items():
        console.print(f"post {command}, {database}: {found.spread()}")
        results.append(found.result(f"post.{command}", database=database, callers=plan.connections, budget=BUDGET))
    return results


def _tickets(tx: Tx, count: int) -> list[int]:
    inbox = inboxes.all_of_them(tx)[0]
    return [
        incoming.receive(
            tx,
            inbox,
            Message(external_id=f"m{n}", sender=Sender(Point("email", f"c{n}@example.net")), text="Hello."),
        ).number
        for n in range(count)
    ]


async def _rounds(desk: DeskProcess, plan: Plan, numbers: list[int], token: str) -> dict[str, Rounds]:
    found = {"note": Rounds()}
    desk.start()
    try:
        await desk.ready()
        async with _bare() as port:
            for number in range(plan.rounds):
                floor = await Load(port, plan.connections, _notes(port, numbers, token)).run(plan.seconds)
                load = await Load(desk.port, plan.connections, _notes(desk.port, numbers, token)).run(plan.seconds)
                if load.wrong:
                    raise RuntimeError(f"{load.wrong} answers were none: {load.sample.decode(errors='replace')}")
                found["note"].add(load.rate, floor.rate)
                middle = statistics.median(load.latencies) * 1000
                line = f"round {number + 1} of {plan.rounds}: {load.rate:,.0f}/s (p50 {middle:.1f} ms)"
                console.print(f"{line}, bare {floor.rate:,.0f}/s", style="dim")
    finally:
        desk.stop()
    return found


def _notes(port: int, numbers: list[int], token: str) -> Any:
    body = msgspec.json.encode({"text": text(random.Random(5))})
    each = [
        request(
            "POST",
            f"/api/v1/tickets/{number}/note",
            port,
            body,
            content_type="application/json",
            authorization=f"Bearer {token}",
        )
        for number in numbers
    ]
    return itertools.cycle(each).__next__


@contextlib.asynccontextmanager
async def _bare() -> AsyncIterator[int]:
    port = free_port()
    child = subprocess.Popen([*pinned(0), sys.executable, "-m", "hub.bench.bare", str(port)])
    try:
        for _ in range(400):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.02)
        yield port
    finally:
        child.kill()
        child.wait()


@contextlib.contextmanager
def _on_the_other_core() -> Iterator[None]:
    """The client must not take time from the server that is pinned to core 0."""
    if not hasattr(os, "sched_setaffinity") or not pinned(0):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, (before - {0}) or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
