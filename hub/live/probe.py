"""Proves the path from a write to its event's arrival in the stream; behind /healthz."""

import asyncio
import time
from typing import Final

import msgspec

from hub.db.store import Store
from hub.db.tx import Tx
from hub.errors import Unavailable
from hub.events import SYSTEM, HealthChecked
from hub.live.stream import Stream

TIMEOUT: Final = 2.0
FRESH_SECONDS: Final = 1.0

FORGET = "DELETE FROM event WHERE id = :id AND name = :name"


class Health(msgspec.Struct, frozen=True):
    ok: bool
    write_ms: float | None
    stream_ms: float | None
    problem: str | None = None


def write_event(tx: Tx, previous: int) -> int:
    """Leaves one such event behind and no more: nobody wants its history."""
    if previous:
        tx.run(FORGET, id=previous, name=HealthChecked.name)
    return tx.record(HealthChecked(), by=SYSTEM).id


class Probe:
    """However many ask, the path is walked once a second; the others get that answer."""

    def __init__(self, store: Store, stream: Stream) -> None:
        self._store, self._stream = store, stream
        self._previous = 0
        self._last: tuple[float, Health] | None = None
        self._walking: asyncio.Task[Health] | None = None

    async def check(self) -> Health:
        if self._last and time.monotonic() - self._last[0] < FRESH_SECONDS:
            return self._last[1]
        if self._walking is None:
            self._walking = asyncio.create_task(self._walk(), name="health")
        return await asyncio.shield(self._walking)

    async def _walk(self) -> Health:
        started = time.perf_counter()
        written: float | None = None
        health: Health
        try:
            async with asyncio.timeout(TIMEOUT):
                event_id = await self._store.write(write_event, self._previous)
                self._previous = event_id
                written = _ms(started)
                await self._stream.reached(event_id)
            health = Health(True, written, round(_ms(started) - written, 1))
        except TimeoutError:
            what = "write" if written is None else "event after a write"
            health = Health(False, written, None, f"no {what} within {TIMEOUT:g} s")
        except Unavailable as error:
            health = Health(False, written, None, error.text)
        except Exception as error:
            health = Health(False, written, None, type(error).__name__)
        finally:
            self._walking = None
        self._last = time.monotonic(), health
        return health


def _ms(since: float) -> float:
    return round((time.perf_counter() - since) * 1000, 1)
