"""A system at the other end of the webhook channel: takes what the desk posts, by a script, and keeps a journal.

`script`: what to do with the next calls, in order; then `ok` for ever. The journal is what was really accepted, and so
the oracle for "delivered once".
"""

import asyncio
import json
from collections import deque
from typing import Any

from aiohttp import web

from connectors.webhook import signing

OK = "ok"
SLOW_DOWN = "429"
HANG = "hang"  # takes it and never answers
TAKE_AND_DIE = "take and die"  # takes it and drops the connection
REFUSE_AND_DIE = "refuse and die"  # drops the connection without taking it
REDIRECT = "redirect"


class WebhookPeer:
    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.script: deque[str | int] = deque()
        self.journal: list[dict[str, Any]] = []  # accepted, in order, one entry a call
        self.calls: list[str] = []  # the webhook-id of every call, accepted or not
        self.asked: list[str] = []
        self.retry_after = "2"
        self.elsewhere = ""
        self.files: dict[str, bytes | int] = {}  # what can be had from /files/<name>; a number: that status
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/hook"

    def accepted(self) -> list[str]:
        return [entry["data"]["text"] for entry in self.journal if entry["type"] == "message"]

    async def __aenter__(self) -> "WebhookPeer":
        app = web.Application()
        app.router.add_post("/hook", self._take)
        app.router.add_get("/hook", self._find)
        app.router.add_get("/files/{name}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def _file(self, request: web.Request) -> web.Response:
        found = self.files.get(request.match_info["name"], 404)
        return web.Response(status=found) if isinstance(found, int) else web.Response(body=found)

    async def __aexit__(self, *_exc: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        event_id = request.headers.get("webhook-id", "")
        self.calls.append(event_id)
        seconds = int(request.headers.get("webhook-timestamp", "0"))
        if not signing.holds([self.secret], list(request.headers.items()), body, seconds):
            return web.Response(status=401)
        what = self.script.popleft() if self.script else OK
        if what == SLOW_DOWN:
            return web.Response(status=429, headers={"Retry-After": self.retry_after})
        if what == REDIRECT:
            return web.Response(status=302, headers={"Location": self.elsewhere})
        if isinstance(what, int):
            return web.Response(status=what, text="that is why")
        if what == REFUSE_AND_DIE:
            return self._die(request)
        self.journal.append(json.loads(body) | {"id": event_id})
        if what == TAKE_AND_DIE:
            return self._die(request)
        if what == HANG:
            await asyncio.sleep(3_600)
        return web.json_response({"id": f"theirs-{event_id}"})

    async def _find(self, request: web.Request) -> web.StreamResponse:
        wanted = request.query["id"]
        self.asked.append(wanted)
        if any(entry["id"] == wanted for entry in self.journal):
            return web.json_response({"id": f"theirs-{wanted}"})
        return web.Response(status=404)

    def _die(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
