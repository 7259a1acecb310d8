"""A client of the live protocol for tests: over the socket, with everything it was told kept in `frames`."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
from aiohttp import web

from hub.config import Config, complete
from hub.connector import Connector, Features, LiveSettings
from hub.db.postgres import PostgresBackend
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import inboxes, kinds
from hub.staff.access import DESK
from hub.web import protocol, routes
from tests.fixtures.desk import URL, DeskClient, SmallDesk

Told = dict[str, Any]
SECONDS = 15.0  # a busy machine takes its time; nothing waits for it to be over
BEAT_SECONDS = 15.0
SECRET = "0123456789abcdef0123456789abcdef"


class Client:
    """`answers`: it says that it is there now and then, as a page does, so that a long wait does not end it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, answers: bool = False) -> None:
        self.socket = socket
        self._beating = asyncio.create_task(self._beat()) if answers else None
        self.frames: list[Told] = []
        self.code: int | None = None
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self._numbers = 0

    async def _read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.frames.append(json.loads(message.data))
                self._news.set()
        self.code = self.socket.close_code
        self._news.set()

    async def _beat(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await asyncio.sleep(BEAT_SECONDS)
                await self.say("ping")

    async def say(self, type: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"type": type, **fields}))

    async def until(self, wanted: Callable[[Told], bool] | str, *, since: int = 0) -> Told:
        """The first frame of that kind; it may have come already."""
        holds = (lambda told: told["type"] == wanted) if isinstance(wanted, str) else wanted
        async with asyncio.timeout(SECONDS):
            while True:
                for told in self.frames[since:]:
                    if holds(told):
                        return told
                assert not self._reading.done(), f"ended with {self.code}: {self.frames[-3:]}"
                self._news.clear()
                await self._news.wait()

    async def event(self, name: str, **fields: Any) -> Told:
        return await self.until(
            lambda told: (
                told["type"] == "event"
                and told["name"] == name
                and all(told.get(field) == value for field, value in fields.items())
            )
        )

    async def command(self, name: str, /, client_id: str | None = None, **request: Any) -> Told:
        """The answer, or the error frame."""
        self._numbers += 1
        id = f"c{self._numbers}"
        more = {"client_id": client_id} if client_id else {}
        await self.say("command", id=id, name=name, request=request, **more)
        return await self.until(lambda told: told.get("id") == id and told["type"] in ("answer", "error"))

    async def ended(self) -> int | None:
        async with asyncio.timeout(SECONDS):
            await self._reading
        return self.code

    @property
    def events(self) -> list[Told]:
        return [told for told in self.frames if told["type"] == "event"]

    @property
    def cursor(self) -> int:
        """What a client keeps."""
        at = 0
        for told in self.frames:
            at = max(at, told.get("cursor") or 0, told["id"] if told["type"] == "event" else 0)
        return at

    async def close(self) -> None:
        await self.socket.close()
        tasks = [task for task in (self._reading, self._beating) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def ticket(desk: DeskClient, as_: str = "administrator", *, session: bool = False) -> str:
    if session:
        helper = desk.people[as_]
        headers = {"Cookie": f"parley={helper.session}", "X-Parley-CSRF": "1", "Origin": URL}
        answer = await desk.post("/api/v1/live/tickets", {}, as_=None, headers=headers)
    else:
        answer = await desk.post("/api/v1/live/tickets", {}, as_=as_)
    assert answer.status == 201, answer.body
    return str(answer.json["ticket"])


@contextlib.asynccontextmanager
async def connected(desk: DeskClient, headers: Mapping[str, str] | None = None) -> AsyncIterator[Client]:
    socket = await desk.http.ws_connect(f"{desk.url}/live", headers=headers, max_msg_size=0, autoping=False)
    client = Client(socket)
    try:
        yield client
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def agent(
    desk: DeskClient, as_: str = "administrator", *, cursor: int | None = None, session: bool = False, **hello: Any
) -> AsyncIterator[Client]:
    """An agent who is live."""
    headers = {"Origin": URL} if session else None
    async with connected(desk, headers) as client:
        await client.say("hello", ticket=await ticket(desk, as_, session=session), cursor=cursor, **hello)
        await client.until("welcome")
        yield client


@contextlib.asynccontextmanager
async def visitor(
    desk: DeskClient, token: str | None = None, *, cursor: int | None = None, **hello: Any
) -> AsyncIterator[Client]:
    """A visitor of the inbox that `live_inbox` makes, after the welcome."""
    async with connected(desk, {"Origin": URL}) as client:
        await client.say(
            "hello", inbox=await live_inbox(desk), visitor=token, site="http://localhost:3000", cursor=cursor, **hello
        )
        await client.until("welcome")
        yield client


class Parlour(Connector):
    """A live channel."""

    kind: ClassVar[str] = "parlour"
    features: ClassVar[Features] = Features(live=True)

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Settings(LiveSettings):
        pass


async def live_inbox(desk: DeskClient) -> str:
    """The token of the desk's live inbox, made at the first call; the helpers' team sees it."""
    kinds.register(Parlour.kind, "Parlour", lambda: Parlour)

    def ensure(tx: Tx) -> str:
        for inbox in inboxes.all_of_them(tx):
            if inbox.kind == Parlour.kind:
                return inbox.token
        return inboxes.create(
            tx,
            DESK,
            kind=Parlour.kind,
            name="Chat",
            team_id=desk.team_id,
            settings={"offline": "never", "identity_secret": SECRET},
        ).token

    return await desk.store.write(ensure)


@contextlib.asynccontextmanager
async def beside(desk: DeskClient, folder: Path) -> AsyncIterator[DeskClient]:
    """A second desk on the same PostgreSQL, with the same people, as another process would be."""
    backend = desk.store.backend
    assert isinstance(backend, PostgresBackend)
    async with Store(PostgresBackend(backend.url, own_clock=True), desk.clock, desk.store.reactions) as store:
        other = SmallDesk(store, desk.clock, complete(Config(data=folder, public_url=URL)))
        store.sealer = desk.store.sealer
        await other.stream.start()
        other.keeping.start()
        runner = protocol.Runner(routes.application(other), shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        client = DeskClient(other, f"http://127.0.0.1:{runner.addresses[0][1]}", desk.people, desk.inbox, desk.team_id)
        try:
            yield client
        finally:
            await client.http.close()
            await runner.cleanup()
            await other.runner.stop(0)
            await other.keeping.stop()
            await other.stream.stop()
