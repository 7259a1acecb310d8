"""Clients of the live protocol for storms: they keep a cursor, come back at once, and write down what they are told."""

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any, Final

import aiohttp

SITE: Final = "http://localhost:3000"
_DROPPED: Final = (OSError, TimeoutError, aiohttp.ClientError)
_HELLO_SECONDS: Final = 10.0


class Watching:
    """One client. `told`: ids of events as they came, over all its connections; `wrong`: what must not happen."""

    def __init__(self, name: str, ports: Callable[[], int], chance: random.Random) -> None:
        self.name, self.ports, self.chance = name, ports, chance
        self.cursor: int | None = None
        self.first: int | None = None
        self.told: list[int] = []
        self.names: dict[int, str] = {}
        self.wrong: list[str] = []
        self.connections = 0
        self.lives = 0
        self.live = False
        self.headers: dict[str, str] = {}

    async def hello(self, http: aiohttp.ClientSession) -> dict[str, Any]:
        raise NotImplementedError

    async def run(self, http: aiohttp.ClientSession) -> None:
        while True:
            try:
                await self._connect(http)
            except _DROPPED:
                pass
            self.live = False
            await asyncio.sleep(self.chance.uniform(0, 0.05))

    async def _connect(self, http: aiohttp.ClientSession) -> None:
        hello = await self.hello(http)
        async with asyncio.timeout(_HELLO_SECONDS):
            url = f"http://127.0.0.1:{self.ports()}/live"
            socket = await http.ws_connect(url, headers=self.headers, max_msg_size=0, autoping=False)
        self.connections += 1
        try:
            await socket.send_str(json.dumps({"type": "hello", "cursor": self.cursor, **hello}))
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(json.loads(message.data))
        finally:
            if not socket.closed:
                async with asyncio.timeout(0.02):  # nobody waits for a farewell on such a network
                    await socket.close()

    def _take(self, told: dict[str, Any]) -> None:
        match told["type"]:
            case "event":
                self._event(told)
            case "snapshot":
                if self.first is not None:
                    self.wrong.append("a snapshot that was not asked for")
                self.first = self.cursor = told["cursor"]
            case "cursor" | "live":
                self.cursor = max(self.cursor or 0, told["cursor"])
                if told["type"] == "live":
                    self.live = True
                    self.lives += 1
            case "snapshot_required" | "error":
                self.wrong.append(json.dumps(told)[:300])
            case "welcome":
                self.welcome(told)

    def _event(self, told: dict[str, Any]) -> None:
        if told["id"] <= (self.cursor or 0):
            self.wrong.append(f"event {told['id']} came after {self.cursor}")
        self.told.append(told["id"])
        self.names[told["id"]] = told["name"]
        self.cursor = told["id"]

    def welcome(self, told: dict[str, Any]) -> None:
        pass


class AgentWatching(Watching):
    """`tickets`: the port of a desk that is not behind the relay, for the ticket of each connection."""

    def __init__(self, name: str, ports: Callable[[], int], chance: random.Random, token: str, tickets: int) -> None:
        super().__init__(name, ports, chance)
        self.bearer = {"Authorization": f"Bearer {token}"}
        self.tickets = tickets

    async def hello(self, http: aiohttp.ClientSession) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.tickets}/api/v1/live/tickets"
        async with http.post(url, json={}, headers=self.bearer) as answer:
            answer.raise_for_status()
            return {"ticket": (await answer.json())["ticket"]}


class VisitorWatching(Watching):
    """`token`: theirs, once the desk has given it; a new one before anything was said is another visitor."""

    def __init__(
        self, name: str, ports: Callable[[], int], chance: random.Random, inbox: str, token: str, own: str
    ) -> None:
        super().__init__(name, ports, chance)
        self.inbox, self.token = inbox, token
        self.headers = {"Origin": own}

    async def hello(self, http: aiohttp.ClientSession) -> dict[str, Any]:
        return {"inbox": self.inbox, "visitor": self.token, "site": SITE}

    def welcome(self, told: dict[str, Any]) -> None:
        if "visitor" in told:
            self.wrong.append("taken for somebody else")
