"""Keeps the `run` of connectors going that poll or stream: restarted with growing pauses, in one process of the desk.

Where several processes share a database the one that holds the lease `poll <inbox>` runs it.
"""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Callable
from typing import Final

import structlog

from hub.clock import SECOND
from hub.connector import Connector, Rejected, Retry
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk.inboxes import Inbox
from hub.errors import ParleyError, Unavailable
from hub.seal import SealBroken

log = structlog.get_logger("pollers")

LEASE: Final = 12 * SECOND
RENEW_SECONDS: Final = 4.0
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 600.0
GROWTH: Final = 1.75
LONG_ENOUGH: Final = 60.0  # a run of this many seconds was a good one: the pauses begin anew

TAKE = """
INSERT INTO lease (name, holder, until) VALUES (:name, :holder, :until)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE lease.until <= :now OR lease.holder = excluded.holder"""
GIVE = "DELETE FROM lease WHERE name = :name AND holder = :holder"


def take(tx: Tx, name: str, holder: str) -> bool:
    """Takes or renews a lease; False: somebody else has it."""
    return tx.run(TAKE, name=name, holder=holder, until=tx.now + LEASE, now=tx.now) == 1


def give(tx: Tx, name: str, holder: str) -> None:
    tx.run(GIVE, name=name, holder=holder)


def polls(cls: type[Connector]) -> bool:
    return cls.run is not Connector.run


class Pollers:
    def __init__(
        self,
        store: Store,
        connector: Callable[[Inbox], Connector],
        note: Callable[[int, str, str | None], None],
        *,
        alone: bool,
    ) -> None:
        """`note`: what to do with health. `alone`: this is the only process on the database, so no leases."""
        self._store, self._connector, self._note, self._alone = store, connector, note, alone
        self._holder = secrets.token_hex(8)
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def start(self, inbox: Inbox) -> None:
        self._tasks[inbox.id] = asyncio.create_task(self._keep(inbox), name=f"poll {inbox.id}")

    async def end(self, inbox_id: int) -> None:
        task = self._tasks.pop(inbox_id, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=1.0)

    async def stop(self) -> None:
        await asyncio.gather(*(self.end(inbox_id) for inbox_id in list(self._tasks)))

    async def _keep(self, inbox: Inbox) -> None:
        name = f"poll {inbox.id}"
        try:
            while True:
                if self._alone:
                    await self._run_for_ever(inbox)
                elif await self._has(name):
                    await self._run_while_held(inbox, name)
                await asyncio.sleep(RENEW_SECONDS * random.uniform(0.8, 1.2))
        finally:
            if not self._alone:
                with contextlib.suppress(Unavailable):
                    await self._store.write_later(give, name, self._holder)

    async def _has(self, name: str) -> bool:
        try:
            return await self._store.write_later(take, name, self._holder)
        except Unavailable:
            return False

    async def _run_while_held(self, inbox: Inbox, name: str) -> None:
        """Stops at the first renewal that does not come off: by then another process may be starting."""
        running = asyncio.create_task(self._run_for_ever(inbox))
        try:
            while not running.done():
                await asyncio.wait([running], timeout=RENEW_SECONDS)
                if not await self._has(name):
                    log.warning("another desk polls this inbox now", inbox=inbox.id)
                    return
        finally:
            running.cancel()
            await asyncio.wait([running], timeout=1.0)

    async def _run_for_ever(self, inbox: Inbox) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self._store.clock.monotonic()
            reason = "It ended by itself."
            try:
                await self._connector(inbox).run()
            except Exception as error:
                reason = readable(error)
                log.warning("a connector stopped", inbox=inbox.id, kind=inbox.kind, error=type(error).__name__)
                self._note(inbox.id, "in", reason)
            if self._store.clock.monotonic() - began > LONG_ENOUGH:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * GROWTH, LONGEST_PAUSE)


def readable(error: Exception) -> str:
    """For the inbox's health: our own sentences as they are, of anything else only its kind."""
    if isinstance(error, (Retry, Rejected)):
        return error.reason or str(error)
    if isinstance(error, (ParleyError, SealBroken)):
        return str(error)
    return f"The connector failed ({type(error).__name__})."
