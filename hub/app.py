"""The only builder: makes a desk out of settings. Called by hub.serve, by hub.cli and by tests.

    async with build(config) as desk:      the lock, the record, the stream, the jobs, the connectors
        app = web_app(desk)                what answers to HTTP

Whatever stops the start, and whatever ends the desk, everything that was opened is closed: a thread of a connection
left open would keep the process from ever ending.
"""

import asyncio
import contextlib
import importlib
import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self

import structlog
from aiohttp import web

from connectors import CONNECTORS
from hub import machine, reactions, seal
from hub.clock import Clock, SystemClock
from hub.config import Config
from hub.connector import Connector
from hub.db import migrate
from hub.db.backend import Backend
from hub.db.contents import FileLimits
from hub.db.sqlite import DeskLock, SqliteBackend
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import inboxes, kinds
from hub.errors import StartRefused
from hub.live.keeping import Keeping
from hub.live.probe import Probe
from hub.live.sessions import Live
from hub.live.stream import Stream
from hub.seal import Sealer
from hub.staff import roles
from hub.staff.access import DESK
from hub.staff.grants import GrantCache
from hub.web import routes
from hub.web.limits import Limits
from hub.work.runner import Runner

log = structlog.get_logger("desk")

ENTRY_POINTS: Final = "parley.connectors"
FIRST_INBOX: Final = "Website"
FIRST_LIVE_INBOX: Final = "Website chat"
DRAIN_SECONDS: Final = 8
Purpose = Literal["work", "command", "look"]


class Desk:
    """A desk and its parts. "work": all of it runs. "command": only the record is opened, for a command while no desk
    runs. "look": the same, and nothing is brought up to date."""

    def __init__(self, config: Config, clock: Clock, purpose: Purpose = "work") -> None:
        self.config, self.clock, self.purpose = config, clock, purpose
        self.sealer = _sealer(config.secret_key_file)
        self.store = Store(backend_of(config, clock), clock, reactions.REACTIONS)
        self.store.sealer, self.store.allowed_hosts = self.sealer, config.hosts
        self.store.file_limits = _file_limits(config)
        self.stream = Stream(self.store)
        self.probe = Probe(self.store, self.stream)
        self.grants = GrantCache(self.store)
        self.limits = Limits(
            clock, api_per_minute=config.api_per_minute, strangers_per_minute=config.strangers_per_minute
        )
        self.live = Live(self.store)
        self.keeping = Keeping(self.store, self.stream, self.live)
        self.runner = Runner(self.store, self.sealer, config)
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        if self.config.is_sqlite:
            lock = await asyncio.to_thread(take_lock, self.config)
            self._stack.callback(lock.release)
        await self._stack.enter_async_context(self.store)
        if self.purpose != "look":
            await _migrate(self.store, self.config)
            await self._furnish()
        if self.purpose != "work":
            return
        await self.stream.start()
        self._stack.push_async_callback(self.stream.stop)
        for listener in (self.grants.heard, self.runner.heard):
            self._stack.callback(self.stream.subscribe(listener))
        self.keeping.start()
        self._stack.push_async_callback(self.keeping.stop)
        await self.runner.start()
        self._stack.push_async_callback(self._drain)

    async def _furnish(self) -> None:
        """What every desk has: the built-in roles, and two first inboxes, so that there is a form and a chat to try."""
        await self.store.write(roles.ensure_built_in)
        if not await self.store.read(inboxes.all_of_them):
            # Found outside of the unit: looking for it imports connectors.
            wanted = await asyncio.to_thread(_first_kinds)
            await self.store.write(_first_inboxes, wanted)

    async def _drain(self) -> None:
        """What is being sent may finish; what takes longer stays in the queue and is asked about at the next start."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS + 2):
                await self.runner.stop(DRAIN_SECONDS)
        except TimeoutError:
            log.warning("jobs did not end in time", seconds=DRAIN_SECONDS)


def build(config: Config, clock: Clock | None = None, purpose: Purpose = "work") -> Desk:
    """Reads and makes files: not for the event loop."""
    register_connectors()
    return Desk(config, clock or SystemClock(), purpose)


def web_app(desk: Desk) -> web.Application:
    return routes.application(desk)


def take_lock(config: Config) -> DeskLock:
    """On SQLite just one process may write the file."""
    machine.require_local(config.data)
    lock = DeskLock(config.data)
    if not lock.acquire():
        raise StartRefused(
            f"A desk is running on {config.data} already (process {lock.holder() or 'unknown'}).",
            "Stop that one first, or give this one a folder of its own with PARLEY_DATA.",
        )
    return lock


def register_connectors() -> None:
    """Ours, then those of other packages; one of theirs under a name of ours takes its place."""
    for kind, (title, target) in CONNECTORS.items():
        kinds.register(kind, title, lambda target=target: _import(target))  # type: ignore[misc]
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        kinds.register(entry.name, entry.name, entry.load)


def _import(target: str) -> type[Connector]:
    module, _, name = target.partition(":")
    found: type[Connector] = getattr(importlib.import_module(module), name)
    return found


def _file_limits(config: Config) -> FileLimits:
    mb = 1_000_000
    return FileLimits(
        file=config.file_mb * mb,
        message=config.message_mb * mb,
        count=config.message_files,
        visitor=config.visitor_mb * mb,
    )


def _sealer(path: Path) -> Sealer:
    with contextlib.suppress(FileExistsError):
        seal.create_key_file(path)
    return Sealer.from_file(path)


def backend_of(config: Config, clock: Clock) -> Backend:
    if config.is_sqlite:
        return SqliteBackend(config.database_path)
    try:
        from hub.db.postgres import PostgresBackend
    except ImportError:
        raise StartRefused(
            "PARLEY_DATABASE wants PostgreSQL, but its driver is not installed.", "pip install 'parley[postgres]'"
        ) from None
    # Desks that share a record agree on the server's time; one that is given another clock goes by that alone.
    return PostgresBackend(config.database, own_clock=not isinstance(clock, SystemClock))


async def _migrate(store: Store, config: Config) -> None:
    """Brings the schema up to date. On SQLite a copy of what was there is put beside it first."""
    have, newest = await migrate.version(store.backend), len(await asyncio.to_thread(migrate.known))
    if config.is_sqlite and 0 < have < newest:
        copy = config.data / f"before-schema-{have + 1}.db"
        await asyncio.to_thread(copy.unlink, missing_ok=True)
        await store.backend.backup(str(copy), lambda _done, _all: None)
        log.info("kept a copy from before the change of schema", path=str(copy))
    applied = await migrate.migrate(store.backend, store.clock.now())
    if applied:
        log.info("schema brought up to date", was=have, now=newest)


def _first_kinds() -> list[tuple[str, str]]:
    """(name, kind) of what a desk begins with: a form, and a live channel."""
    found: dict[str, str] = {}
    for known in kinds.known():
        features = kinds.features(known.kind)
        if features.form:
            found.setdefault(FIRST_INBOX, known.kind)
        elif features.live:
            found.setdefault(FIRST_LIVE_INBOX, known.kind)
    return sorted(found.items())


def _first_inboxes(tx: Tx, wanted: list[tuple[str, str]]) -> None:
    if not inboxes.all_of_them(tx):  # another process on this database may have been faster
        for name, kind in wanted:
            inboxes.create(tx, DESK, kind=kind, name=name)


if TYPE_CHECKING:
    from hub.web import keys

    def _is_a_desk(desk: Desk) -> keys.Desk:
        return desk
