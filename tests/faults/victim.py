"""A desk to be killed: a store under load that writes its ledger to standard output, one `write` a line.

    python -m tests.faults.victim <file or URL> --callers 8 --name run1 [--limit 100] [--size 400]

Ends by itself only after `--limit` operations of each caller. 3: another desk holds the folder.
"""

import argparse
import asyncio
import json
import os
from pathlib import Path

from hub.bench.ledger import Answered, Given, digest, line
from hub.clock import SystemClock
from hub.db import lanes
from hub.db.backend import Backend
from hub.db.migrate import migrate
from hub.db.postgres import PostgresBackend
from hub.db.sqlite import DeskLock, SqliteBackend
from hub.db.store import Store, Tx
from hub.errors import OutcomeUnknown, Unavailable
from hub.events import SYSTEM, HealthChecked

KIND = "victim"


def say(text: bytes) -> None:
    """Straight to the pipe: what was said is known, whatever becomes of this process."""
    os.write(1, text)


def operation(tx: Tx, given: Given, body: str) -> int:
    """A row without any uniqueness, and an event: a unit that ran twice shows."""
    payload = {"id": given.do, "by": given.by, "n": given.n, "hash": digest(body), "body": body}
    job = tx.enqueue(KIND, payload, key=given.by, lane=lanes.HOUSEKEEPING)
    tx.record(HealthChecked(), by=SYSTEM, ticket_id=job)
    return job


async def call(store: Store, given: Given, body: str) -> None:
    """Gives one operation until it is taken or its outcome is unknown, as a patient client does."""
    while True:
        say(line(given))
        try:
            await store.write(operation, given, body)
        except OutcomeUnknown:
            return say(line(Answered(given.do, "unknown")))
        except Unavailable:
            say(line(Answered(given.do, "refused")))
            await asyncio.sleep(0.02)
        else:
            return say(line(Answered(given.do, "ok")))


async def sender(store: Store, name: str, size: int, limit: int | None) -> None:
    n = 0
    while limit is None or n < limit:
        body = f"{name} says {n} ".ljust(size, "x")
        await call(store, Given(f"{name}-{n}", name, n, digest(body)), body)
        n += 1


def opened(where: str) -> Backend:
    if "://" in where:
        return PostgresBackend(where)
    path = Path(where)
    if not DeskLock.acquire(LOCKS.setdefault(where, DeskLock(path.parent))):
        say(json.dumps({"refused": "another desk"}).encode() + b"\n")
        raise SystemExit(3)
    return SqliteBackend(path)


LOCKS: dict[str, DeskLock] = {}


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("where")
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--name", default="run")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--size", type=int, default=400)
    wanted = parser.parse_args()
    async with Store(opened(wanted.where), SystemClock()) as store:
        await migrate(store.backend, 0)
        say(b'{"ready": true}\n')
        await asyncio.gather(
            *(sender(store, f"{wanted.name}.{k}", wanted.size, wanted.limit) for k in range(wanted.callers))
        )


if __name__ == "__main__":
    asyncio.run(main())
