"""What the web needs of the desk, and the typed key under which it is found: hub.app fills it, hub.web reads it."""

from collections.abc import Mapping
from typing import Any, Protocol

from aiohttp import web

from hub.clock import Clock
from hub.config import Config
from hub.connector import Connector
from hub.db.store import Store
from hub.live.keeping import Keeping
from hub.live.probe import Probe
from hub.live.sessions import Live
from hub.live.stream import Stream
from hub.staff.access import Grants
from hub.web.limits import Limits
from hub.work.files import Files
from hub.work.http import SafeClient
from hub.work.inbound import Connectors
from hub.work.worker import Worker


class GrantSource(Protocol):
    async def get(self, agent_id: int) -> Grants | None: ...


class Runner(Connectors, Protocol):
    @property
    def worker(self) -> Worker: ...
    @property
    def files(self) -> Files: ...
    @property
    def http(self) -> SafeClient: ...
    def unsaved(self, kind: str, settings: Mapping[str, Any]) -> Connector: ...


class Desk(Protocol):
    """`hub.app.Desk` as its doors see it."""

    @property
    def store(self) -> Store: ...
    @property
    def config(self) -> Config: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def stream(self) -> Stream: ...
    @property
    def probe(self) -> Probe: ...
    @property
    def grants(self) -> GrantSource: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def live(self) -> Live: ...
    @property
    def keeping(self) -> Keeping: ...
    @property
    def runner(self) -> Runner: ...


DESK: web.AppKey[Desk] = web.AppKey("desk")
