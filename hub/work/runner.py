"""Everything that runs beside the web: connectors of inboxes, the jobs, the pollers. Made and stopped by hub.app.

Inboxes are remembered here by token and id, so that taking in a message asks the database nothing more about its inbox;
an event about an inbox (from whichever process) makes it forget, and starts its connector anew.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import structlog

from hub.clock import MINUTE
from hub.connector import Connector
from hub.db.s3 import Options as FileOptions
from hub.db.s3 import contents_of
from hub.db.store import Store
from hub.db.tx import Rx
from hub.desk import inboxes, kinds
from hub.desk.inboxes import Inbox
from hub.desk.settings import build, split
from hub.errors import ParleyError, Unavailable
from hub.events import InboxChanged, InboxCreated, Recorded
from hub.seal import Sealer
from hub.work import timers
from hub.work.children import Children
from hub.work.files import Files
from hub.work.http import SafeClient
from hub.work.hub import HubOf
from hub.work.outbound import Outbound
from hub.work.pollers import Pollers, polls, readable
from hub.work.queue import Job
from hub.work.scanning import Scanner
from hub.work.throttle import Throttle
from hub.work.worker import Worker

K = TypeVar("K")
CHECK_SECONDS = 20.0
RESTART_SECONDS = 1.0
log = structlog.get_logger("runner")


class Options(FileOptions, Protocol):
    """What of hub.config is read here."""

    @property
    def public_url(self) -> str: ...
    @property
    def forms_per_hour(self) -> int: ...
    @property
    def inbound_kept_days(self) -> int: ...
    @property
    def clamd(self) -> str: ...


class Runner:
    def __init__(self, store: Store, sealer: Sealer, options: Options) -> None:
        self.store, self.sealer = store, sealer
        self.public_url = options.public_url
        self.http = SafeClient(store.allowed_hosts)
        self.throttle = Throttle(store.clock, options.forms_per_hour)
        self.children = Children()
        self.files = Files(self, contents_of(options, store.clock.now), Scanner(options.clamd))
        self.outbound = Outbound(self)
        self.worker = Worker(store, timers.handlers(self, kept_days=options.inbound_kept_days), dead=timers.DEAD)
        self.pollers = Pollers(store, self.connector, self.note, alone=not store.backend.notifies)
        self._by_token: dict[str, Inbox] = {}
        self._by_id: dict[int, Inbox] = {}
        self._connectors: dict[int, tuple[Inbox, Connector]] = {}
        self._changed: dict[int, int] = {}  # inbox → the event of its last change
        self._forgotten = 0  # how often something was forgotten: what was being read meanwhile is not kept
        self._noted: dict[tuple[int, str], tuple[str | None, int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = False

    # --- life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self.store.committed.append(self._committed)
        await self.store.write_later(timers.ensure)
        found = await self.store.read(inboxes.all_of_them)
        # Imported in a thread: a connector's library may take a while, and nobody should wait for it.
        await asyncio.to_thread(_load, [inbox.kind for inbox in found if inbox.enabled])
        self._started = True
        for inbox in found:
            self._poll(inbox)
        await self.worker.start()

    async def stop(self, drain: float = 0.7) -> None:
        """Lets jobs that run finish for `drain` seconds; what takes longer goes back to the queue."""
        self._started = False
        if self._committed in self.store.committed:
            self.store.committed.remove(self._committed)
        for task in self._tasks:
            task.cancel()
        await self.pollers.stop()
        await self.worker.stop(drain)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.children.stop()
        await self.http.close()

    async def __aenter__(self) -> "Runner":
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    # --- inboxes and their connectors --------------------------------------------------------------------------------

    async def inbox(self, token: str) -> Inbox | None:
        found = self._by_token.get(token)
        return found if found is not None else await self._find(inboxes.by_token, token)

    async def inbox_by_id(self, inbox_id: int) -> Inbox | None:
        found = self._by_id.get(inbox_id)
        return found if found is not None else await self._find(inboxes.by_id, inbox_id)

    async def _find(self, read: Callable[[Rx, K], Inbox | None], key: K) -> Inbox | None:
        forgotten = self._forgotten
        found = await self.store.read(read, key)
        if found is not None and forgotten == self._forgotten:
            self._by_id[found.id] = self._by_token[found.token] = found
        return found

    def connector(self, inbox: Inbox) -> Connector:
        """The instance of this inbox as it is set now. SealBroken when its secrets do not open, Refusal when its kind
        is not installed (any more)."""
        known = self._connectors.get(inbox.id)
        if known is not None and known[0] is inbox:
            return known[1]
        made = kinds.load(inbox.kind)(inboxes.connector_settings(inbox, self.sealer), HubOf(self, inbox))
        self._connectors[inbox.id] = (inbox, made)
        return made

    def unsaved(self, kind: str, settings: Mapping[str, Any]) -> Connector:
        """An instance with settings that no inbox has (yet); Refusal for what is wrong in them."""
        plain, _ = split(kind, settings)
        inbox = Inbox(0, "preview", kind, "", None, True, 0, plain)
        return kinds.load(kind)(build(kinds.settings_of(kind), plain), HubOf(self, inbox))

    def heard(self, events: Sequence[Recorded]) -> None:
        """Events of this and of other processes (the stream calls it): inboxes that changed are read anew. Our own come
        twice, at their commit and by the stream, and count once."""
        for recorded in events:
            if not isinstance(recorded.event, (InboxCreated, InboxChanged)):
                continue
            inbox_id = recorded.event.inbox_id
            if recorded.id <= self._changed.get(inbox_id, 0):
                continue
            self._changed[inbox_id] = recorded.id
            self._forget(inbox_id)
            if self._started:
                self._spawn(self._restart(inbox_id))

    def _committed(self, events: Sequence[Recorded], _enqueued: bool) -> None:
        self.heard(events)

    def _forget(self, inbox_id: int) -> None:
        self._forgotten += 1
        self._connectors.pop(inbox_id, None)
        found = self._by_id.pop(inbox_id, None)
        if found is not None:
            self._by_token.pop(found.token, None)

    async def _restart(self, inbox_id: int) -> None:
        await self.pollers.end(inbox_id)
        try:
            inbox = await self.inbox_by_id(inbox_id)
        except Unavailable:  # the record is away, and mail is to be fetched when it is back
            await asyncio.sleep(RESTART_SECONDS)
            return await self._restart(inbox_id)
        if inbox is not None:
            await asyncio.to_thread(_load, [inbox.kind])
            self._poll(inbox)

    def _poll(self, inbox: Inbox) -> None:
        try:
            if self._started and inbox.enabled and polls(kinds.load(inbox.kind)):
                self.pollers.start(inbox)
        except ParleyError as error:
            self.note(inbox.id, "in", str(error))

    # --- health ------------------------------------------------------------------------------------------------------

    def note(self, inbox_id: int, way: str, error: str | None) -> None:
        """Writes down how a way fares: at once when that is news, else once a minute."""
        now = self.store.clock.now()
        known = self._noted.get((inbox_id, way))
        if known is not None and known[0] == error and now - known[1] < MINUTE:
            return
        self._noted[inbox_id, way] = (error, now)
        self._spawn(self._write_health(inbox_id, way, error))

    async def check(self, job: Job) -> None:
        """The job CHECK: "Test connection". Its outcome is the inbox's health."""
        inbox = await self.inbox_by_id(job.payload["inbox_id"])
        if inbox is None:
            return
        error = None
        try:
            await asyncio.wait_for(self.connector(inbox).check(), CHECK_SECONDS)
        except TimeoutError:
            error = f"No answer within {CHECK_SECONDS:.0f} seconds."
        except Exception as failed:
            error = readable(failed)
        self._noted.pop((inbox.id, "out"), None)  # somebody is looking: written down whatever was known before
        self.note(inbox.id, "out", error)

    async def _write_health(self, inbox_id: int, way: str, error: str | None) -> None:
        try:
            await self.store.write_later(inboxes.health, inbox_id, "in" if way == "in" else "out", error)
        except Unavailable:
            self._noted.pop((inbox_id, way), None)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _load(names: Sequence[str]) -> None:
    for name in dict.fromkeys(names):
        try:
            kinds.load(name)
        except Exception as error:
            log.error("a channel cannot be loaded", kind=name, error=repr(error))
