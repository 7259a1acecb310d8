"""The other side of `parley bench kill`: takes what the desk sends and writes down how often, as a provider would.

It remembers nothing for the desk's sake: what is sent twice stands twice in its journal.
"""

import random
from collections import Counter
from typing import Any

import msgspec
from aiohttp import web


class Peer:
    def __init__(self, chance: random.Random, *, silent: float = 0.005) -> None:
        """`silent`: how often it takes something and says nothing, which is the worst that a provider does."""
        self.journal: Counter[str] = Counter()
        self.order: dict[str, list[str]] = {}  # for each address, what came, in order
        self.heard: Counter[str] = Counter()  # how much of which sender
        self.silences = 0
        self._chance, self._silent = chance, silent
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> "Peer":
        app = web.Application()
        app.router.add_post("/take", self._take)
        app.router.add_get("/take", self._asked)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        data: dict[str, Any] = msgspec.json.decode(await request.read())["data"]
        part = data["id"]
        self.journal[part] += 1
        self.order.setdefault(data["to"]["value"], []).append(data["text"])
        self.heard[data["text"].split(" ")[1]] += 1
        if self._chance.random() < self._silent and request.transport is not None:
            self.silences += 1
            request.transport.abort()
        return web.json_response({"id": f"peer-{part}"})

    async def _asked(self, request: web.Request) -> web.Response:
        part = request.query.get("id", "")
        return web.json_response({"id": f"peer-{part}"}, status=200 if self.journal[part] else 404)
