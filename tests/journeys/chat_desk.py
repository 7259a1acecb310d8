"""A desk with a website chat, a site of somebody else's that carries it, an agent, and a line between that can be cut.

The visitor's browser reaches the desk through `Relay`, as http://127.0.0.1:<port>; the site is http://localhost:<port>,
another site to a browser. Used by the journeys of the widget and by tests/widget.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import secrets
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, FrameLocator, Locator, Page, expect

from tests.app.process import Desk, parley
from tests.fixtures.databases import fast_folder
from tests.journeys.test_console import PASSWORD, sign_in_by_api
from tests.live.client import Client

CHROMIUM = os.environ.get("PARLEY_TEST_CHROMIUM") or shutil.which("chromium")
ANNA = "anna@example.org"


class Relay:
    """Carries bytes to the desk, in a thread of its own, until it is cut: then nothing comes through."""

    def __init__(self) -> None:
        self.target = 0
        self.is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, target: int) -> None:
        self.target = target
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(5)
        self._listener.close()
        self._loop.close()

    def cut(self) -> None:
        self.is_cut = True
        self._loop.call_soon_threadsafe(self._abort)

    def mend(self) -> None:
        self.is_cut = False

    def _abort(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())

    async def _serve(self) -> None:
        async with await asyncio.start_server(self._carry, sock=self._listener):
            await self._over.wait()
            self._abort()
            here = asyncio.current_task()
            rest = [task for task in asyncio.all_tasks() if task is not here]
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        both = {writer, back}
        self._writers |= both
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        self._writers -= both

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


@dataclasses.dataclass
class ChatDesk:
    desk: Desk
    relay: Relay
    session: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.relay.port}"

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "X-Parley-CSRF": "1", "Cookie": self.session}
        sent = None if body is None else json.dumps(body)
        status, text = await asyncio.to_thread(self.desk.ask, method, f"/api/v1{path}", sent, **headers)
        assert status < 300, (method, path, status, text)
        return json.loads(text)

    async def inbox(self, **settings: Any) -> str:
        """The token of a new chat. It is always open unless told otherwise."""
        settings = {"offline": "never", **settings}
        made = await self.ask(
            "POST", "/inboxes", {"kind": "chat", "name": f"Chat {secrets.token_hex(4)}", "settings": settings}
        )
        return str(made["token"])

    @contextlib.asynccontextmanager
    async def agent(self) -> AsyncIterator["Agent"]:
        """Anna at her desk: she is online and hears everything."""
        ticket = (await self.ask("POST", "/live/tickets", {}))["ticket"]
        address = f"ws://127.0.0.1:{self.desk.port}/live"
        async with aiohttp.ClientSession() as http, http.ws_connect(address, headers={"Origin": self.url}) as line:
            agent = Agent(self, Client(line, answers=True))
            await agent.live.say("hello", ticket=ticket, cursor=None, present=True)
            await agent.live.until("live")
            yield agent


@dataclasses.dataclass
class Agent:
    desk: ChatDesk
    live: Client

    async def hears(self, text: str) -> int:
        """The number of the ticket that a visitor says this in."""
        told = await self.live.until(
            lambda frame: frame.get("name") == "message.received" and frame["message"]["text"] == text
        )
        return int(told["number"])

    async def reply(self, number: int, text: str) -> None:
        answer = await self.live.command("reply", number=number, text=text, anyway=True)
        assert answer["type"] == "answer", answer

    async def does(self, command: str, **request: Any) -> Any:
        answer = await self.live.command(command, **request)
        assert answer["type"] == "answer", answer
        return answer["answer"]

    def heard(self, text: str) -> int:
        """How often it was said."""
        return sum(f["name"] == "message.received" and f["message"]["text"] == text for f in self.live.events)


@contextlib.contextmanager
def chat_desk() -> Iterator[ChatDesk]:
    folder: Path = fast_folder()
    data, relay = folder / "data", Relay()
    words = ("agent", "create", "--name", "Anna Berg", "--email", ANNA, "--role", "administrator", "--password-stdin")
    url = f"http://127.0.0.1:{relay.port}"
    made = parley(data, *words, stdin=f"{PASSWORD}\n", PUBLIC_URL=url)
    assert made.returncode == 0, made.stderr
    try:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        much = {"STRANGERS_PER_MINUTE": "100000", "API_PER_MINUTE": "100000"}
        with Desk(data, PUBLIC_URL=url, PORT=str(port), **much) as running:
            running.port = port  # it has printed the other one
            relay.start(port)
            yield ChatDesk(running, relay, sign_in_by_api(running, ANNA))
    finally:
        relay.stop()
        shutil.rmtree(folder, ignore_errors=True)


STRICT = (
    "default-src 'none'; script-src {desk}; frame-src {desk}; style-src 'self'; img-src 'self'; connect-src {desk}; "
    "base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


@contextlib.asynccontextmanager
async def site(desk: ChatDesk, token: str, *, lang: str = "en", head: str = "", body: str = "") -> AsyncIterator[str]:
    """A shop's page with our line on it, under the strictest policy it can have. → its address"""
    html = f"""<!doctype html><html lang="{lang}" dir="{"rtl" if lang == "ar" else "ltr"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A shop</title><link rel="icon" href="/none.svg"><link rel="stylesheet" href="/shop.css">{head}
<script async src="{desk.url}/w/{token}.js"></script></head>
<body><main><h1>A shop</h1><p><a href="#more">Things</a> to buy.</p>{body}</main></body></html>"""

    async def page(request: web.Request) -> web.Response:
        policy = STRICT.format(desk=desk.url)
        return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": policy})

    async def style(request: web.Request) -> web.Response:
        css = "html{color-scheme:light dark;background:Canvas;color:CanvasText;font:1em sans-serif} main{padding:2em}"
        return web.Response(text=css, content_type="text/css")

    async def icon(request: web.Request) -> web.Response:
        return web.Response(text='<svg xmlns="http://www.w3.org/2000/svg"/>', content_type="image/svg+xml")

    app = web.Application()
    app.router.add_get("/shop.css", style)
    app.router.add_get("/none.svg", icon)
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0).start()
    try:
        yield f"http://localhost:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


class Visit:
    """A visitor's tab, as they see it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []  # on the browser's console, in all frames
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    @property
    def chat(self) -> FrameLocator:
        return self.page.frame_locator("parley-chat iframe")

    @property
    def launcher(self) -> Locator:
        return self.page.locator("parley-chat button")

    @property
    def text(self) -> Locator:
        return self.chat.locator("#text")

    @property
    def bubbles(self) -> Locator:
        return self.chat.locator(".message .text")

    async def open(self) -> None:
        await self.launcher.click()
        await expect(self.text).to_be_focused()

    async def say(self, text: str) -> None:
        await self.text.fill(text)
        await self.text.press("Enter")

    def bubble(self, text: str) -> Locator:
        return self.chat.locator(".message").filter(has_text=text)

    async def sees(self, *texts: str) -> None:
        """These and no others, in this order."""
        await expect(self.bubbles).to_have_text(list(texts), timeout=15_000)


async def visit(browser: Browser | BrowserContext, address: str, **how: Any) -> Visit:
    context = browser if isinstance(browser, BrowserContext) else await browser.new_context(**how)
    tab = Visit(await context.new_page())
    await tab.page.goto(address)
    await expect(tab.launcher).to_be_visible()
    return tab
