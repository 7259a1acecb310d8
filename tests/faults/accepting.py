"""A desk's process that accepts, again and again, whatever is offered to anybody; prints the tickets that it got as
JSON: `python -m tests.faults.accepting URL`. For tests/faults/test_two_routers.py.
"""

import asyncio
import json
import sys
from typing import Any

from hub.clock import SystemClock
from hub.db.postgres import PostgresBackend
from hub.db.store import Store
from hub.db.tx import Rx
from hub.desk import kinds, routing
from hub.errors import Refusal
from hub.events import Actor
from hub.reactions import REACTIONS
from hub.staff import access
from hub.staff.access import Caller
from tests.fixtures.office import Letters


def offers(rx: Rx) -> list[tuple[int, Caller]]:
    found = []
    for number, agent_id in rx.rows("SELECT number, offered_to FROM ticket WHERE offered_to IS NOT NULL ORDER BY id"):
        grants = access.load(rx, agent_id)
        assert grants is not None
        found.append((number, Caller(Actor("agent", agent_id), grants)))
    return found


async def accept(url: str) -> dict[str, Any]:
    kinds.register(Letters.kind, "Letters", lambda: Letters)
    got, conflicts = [], 0
    async with Store(PostgresBackend(url), SystemClock(), REACTIONS) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        stop = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
        while not stop.done():
            seen = await store.read(offers)
            for number, caller in seen:
                try:
                    await store.write(routing.accept, caller, number)
                    got.append(number)
                except Refusal as error:
                    assert error.code == "conflict", error.code
                    conflicts += 1
            await asyncio.sleep(0.01)
    return {"got": got, "conflicts": conflicts}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(accept(sys.argv[1]))), flush=True)
