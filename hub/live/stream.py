"""The desk's events as they are committed, each once and in order, for whoever listens: sockets, caches, webhooks.

`tail` is the last event that was handed on. What this process commits and follows on `tail` is handed on as it is;
anything else (a gap, another process's wake-up, a start) is read from the table from `tail` on. Pushing from memory
alone loses events as soon as there are two processes.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from hub import events
from hub.db.backend import Row
from hub.db.store import Store
from hub.db.tx import Rx
from hub.events import Actor, Recorded, Scope

log = structlog.get_logger("stream")

AT_ONCE: Final = 500
POLL_SECONDS: Final = 1.0

Listener = Callable[[list[Recorded]], None]

LAST_EVENT = "SELECT COALESCE(MAX(id), 0) FROM event"
EVENTS_AFTER = """
SELECT id, at, name, payload, by_kind, by_id, ticket_id, contact_id,
       inbox_before, team_before, assignee_before, inbox_after, team_after, assignee_after
FROM event WHERE id > :after ORDER BY id LIMIT :most"""

EVENTS_OF_VISITOR = """
SELECT id, at, name, payload, by_kind, by_id, ticket_id, contact_id,
       inbox_before, team_before, assignee_before, inbox_after, team_after, assignee_after
FROM event
WHERE ticket_id IN (SELECT ticket_id FROM visitor_ticket WHERE visitor_id = :visitor_id) AND id > :after
ORDER BY id LIMIT :most"""


def last_event(rx: Rx) -> int:
    return int(rx.value(LAST_EVENT))


def events_after(rx: Rx, after: int, most: int = AT_ONCE) -> tuple[list[Recorded], int, bool]:
    """What followed `after`, the id that was read up to, and whether there may be more."""
    rows = rx.rows(EVENTS_AFTER, after=after, most=most)
    found = [recorded for row in rows if (recorded := _recorded(row)) is not None]
    return found, rows[-1][0] if rows else after, len(rows) == most


def events_of_visitor(rx: Rx, visitor_id: int, after: int, most: int) -> tuple[list[Recorded], bool]:
    """What followed `after` in the visitor's own tickets, and whether that is not all."""
    rows = rx.rows(EVENTS_OF_VISITOR, visitor_id=visitor_id, after=after, most=most + 1)
    found = [recorded for row in rows[:most] if (recorded := _recorded(row)) is not None]
    return found, len(rows) > most


class Stream:
    def __init__(self, store: Store) -> None:
        self.tail = 0
        self._store = store
        self._listeners: list[Listener] = []
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._behind = True  # the table has to be read before anything is taken from memory
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """From here on everything that is committed is handed on; what was before is history."""
        self._store.committed.append(self._committed)
        self.tail = await self._store.read(last_event)
        self._wake.set()
        self._tasks.append(asyncio.create_task(self._follow(), name="stream"))
        if self._store.backend.notifies:
            self._tasks.append(asyncio.create_task(self._store.backend.listen(self.wake), name="stream-listen"))
            self._tasks.append(asyncio.create_task(self._poll(), name="stream-poll"))

    async def stop(self) -> None:
        with contextlib.suppress(ValueError):
            self._store.committed.remove(self._committed)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for _, future in self._waiting:
            future.cancel()
        self._waiting.clear()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """`listener` gets every event from now on, in order, on the loop; it must not block. Returns what ends it."""
        self._listeners.append(listener)

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return end

    def wake(self) -> None:
        """There may be more in the table."""
        self._behind = True
        self._wake.set()

    async def reached(self, event_id: int) -> None:
        """Returns once that event has been handed on."""
        if self.tail >= event_id:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((event_id, future))
        try:
            await future
        finally:
            self._waiting = [w for w in self._waiting if w[1] is not future]

    # --- what happens ------------------------------------------------------------------------------------------

    def _committed(self, recorded: Sequence[Recorded], _enqueued: bool) -> None:
        fresh = [r for r in recorded if r.id > self.tail]
        if not fresh:
            return
        if self._behind or fresh[0].id != self.tail + 1:
            self.wake()
        else:
            self._hand_on(fresh, fresh[-1].id)

    async def _follow(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._catch_up()
            except Exception:
                log.exception("cannot read the events, trying again")
                await asyncio.sleep(POLL_SECONDS)
                self._wake.set()

    async def _catch_up(self) -> None:
        """Reads the table until nothing is left, and no wake-up came meanwhile."""
        while True:
            self._behind = True
            self._wake.clear()
            found, upto, more = await self._store.read(events_after, self.tail)
            # From here to the end nothing else runs on the loop: what was committed meanwhile has set `_wake`.
            self._hand_on(found, upto)
            if not more and not self._wake.is_set():
                self._behind = False
                return

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self.wake()

    def _hand_on(self, recorded: list[Recorded], upto: int) -> None:
        if upto <= self.tail:
            return
        self.tail = upto
        if recorded:
            for listener in tuple(self._listeners):
                try:
                    listener(recorded)
                except Exception:
                    log.exception("a listener of the stream raised")
        for event_id, future in self._waiting:
            if event_id <= upto and not future.done():
                future.set_result(None)


def _recorded(row: Row) -> Recorded | None:
    id, at, name, payload, by_kind, by_id, ticket_id, contact_id, *scopes = row
    try:
        event = events.decode(name, payload)
    except (KeyError, ValueError):
        # A newer version wrote it, while both run side by side: nobody here could make use of it.
        log.warning("an event that this version does not know", event_name=name, id=id)
        return None
    by = Actor(by_kind, by_id)
    return Recorded(id, at, event, by, ticket_id, contact_id, _scope(scopes[:3]), _scope(scopes[3:]))


def _scope(columns: list[int | None]) -> Scope | None:
    return None if columns == [None, None, None] else Scope(*columns)
