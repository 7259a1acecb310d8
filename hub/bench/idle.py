"""`parley bench idle`: what a visitor weighs who is connected and says nothing, beside a bare socket."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from hub.bench import parlour
from hub.bench.ground import disk_folder, ground
from hub.bench.result import Result, Rounds, console
from hub.bench.wire import Wire, connect

RATIO: Final = 1.7
MIB: Final = 400.0
MANY: Final = 10_000
REST_SECONDS: Final = 1.0


class Plan(msgspec.Struct, frozen=True):
    visitors: int = 2_000
    rounds: int = 5


async def run(database: str, plan: Plan, folder: Path | None = None) -> list[Result]:
    each, whole = Rounds(), Rounds()
    for number in range(plan.rounds):
        async with parlour.bare() as (port, process):
            floor, _ = await _weigh(process, plan.visitors, lambda _, port=port: connect(port))  # type: ignore[misc]
        with disk_folder(folder) as place, ground(database, place) as on:
            url = "" if database == "sqlite" else on.server.database(on.empty())
            desk = parlour.desk_in(place, url)
            guests = await parlour.furnish(desk, 1, plan.visitors, said=False)
            async with parlour.running(desk):
                assert desk.process is not None
                found, total = await _weigh(
                    desk.process.pid,
                    plan.visitors,
                    lambda n: parlour.visitor_in(desk, guests, n, lambda _: None),  # noqa: B023
                )
        each.add(found, floor)
        whole.add(total - plan.visitors * found / 1024 + MANY * found / 1024, MIB)
        console.print(f"round {number + 1} of {plan.rounds}: {found:.1f} KiB a visitor, bare {floor:.1f}", style="dim")
    console.print(f"idle, {database}: {each.spread()}")
    return [
        each.result("idle.kib", database=database, callers=plan.visitors, budget=RATIO, wanted="at most"),
        whole.result("idle.10000_mib", database=database, budget=MIB, judged="value", wanted="at most"),
    ]


async def _weigh(process: int, count: int, come: Callable[[int], Awaitable[Wire]]) -> tuple[float, float]:
    """(KiB a connection, MiB in all)."""
    wires = [await come(n) for n in range(20)]  # what the first ones make is not theirs
    await asyncio.sleep(REST_SECONDS)
    before = parlour.resident(process)
    for start in range(20, count, parlour.AT_ONCE):
        wires += await asyncio.gather(*(come(n) for n in range(start, min(count, start + parlour.AT_ONCE))))
    await asyncio.sleep(REST_SECONDS)
    total = parlour.resident(process)
    if any(wire.lost for wire in wires):
        raise RuntimeError(f"{sum(wire.lost for wire in wires)} connections were ended")
    for wire in wires:
        wire.transport.abort()
    return (total - before) * 1024 / (count - 20), total
