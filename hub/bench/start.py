"""`parley bench start`: from nothing to the first page, and what a desk weighs that has nothing to do."""

import asyncio
import time
from pathlib import Path
from typing import Final

from hub.bench.ground import disk_folder, ground
from hub.bench.process import DeskProcess
from hub.bench.result import Result, Rounds, console

SECONDS: Final = 1.0
MIB: Final = 100.0
IDLE_SECONDS: Final = 3.0
# Measured on the machine where the budgets were set: not a baseline of the same run, so only printed beside ours.
HELPDESK_SECONDS, HELPDESK_MIB, FREESCOUT_MIB = 1.06, 123.0, 296.0


async def run(database: str, rounds: int, folder: Path | None = None, *, idle: float = IDLE_SECONDS) -> list[Result]:
    with disk_folder(folder) as place, ground(database, place) as on:
        data = place / "desk"
        data.mkdir()
        desk = DeskProcess(data, "" if database == "sqlite" else on.server.database(on.empty()))
        first = await _start(desk)  # makes the database
        console.print(f"start, {database}: the very first took {first[0]:.2f} s")
        seconds, resident, shared = Rounds(), Rounds(), Rounds()
        for number in range(rounds):
            took, memory = await _start(desk, idle if number % 2 == 0 else 0.0)
            seconds.add(took, HELPDESK_SECONDS)
            if memory is not None:
                resident.add(memory[0], FREESCOUT_MIB)
                shared.add(memory[1], HELPDESK_MIB)
    console.print(f"first page: {seconds.spread()} (baseline: django-helpdesk)")
    results = [seconds.result("start", database=database, budget=SECONDS, judged="value", wanted="at most")]
    for name, found in (("start.rss_mib", resident), ("start.pss_mib", shared)):
        if found.values:
            console.print(f"{name}: {found.spread()}")
            results.append(found.result(name, database=database, budget=MIB, judged="value", wanted="at most"))
    return results


async def _start(desk: DeskProcess, idle: float = 0.0) -> tuple[float, tuple[float, float] | None]:
    """(seconds to the first page, memory once it has been idle)."""
    started = time.perf_counter()
    desk.start()
    try:
        await desk.ready("/")
        took = time.perf_counter() - started
        if not idle:
            return took, None
        await asyncio.sleep(idle)
        return took, desk.memory()
    finally:
        desk.stop()
