"""What the widget costs a page, measured on what is served: requests and bytes by stage, and that nothing moves."""

import gzip
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Request, async_playwright, expect

from hub import catalogues
from tests.journeys.chat_desk import CHROMIUM, ChatDesk, Visit, chat_desk, site

pytestmark = pytest.mark.browser
LOADER, CHAT_MODULE, STYLE, OPENED, REQUESTS = 4 * 1024, 18 * 1024, 4 * 1024, 35 * 1024, 6


@pytest.fixture(scope="module")
def desk() -> Iterator[ChatDesk]:
    with chat_desk() as running:
        yield running


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        await found.close()


async def fetched(url: str) -> tuple[int, int]:
    """(bytes as they are sent to a browser, bytes by gzip -9)."""
    http = aiohttp.ClientSession(auto_decompress=False)
    async with http, http.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status == 200, url
        sent = await answer.read()
        packed = answer.headers.get("Content-Encoding") == "gzip"
    plain = gzip.decompress(sent) if packed else sent
    return len(sent), len(gzip.compress(plain, 9))


async def test_the_loader_is_small_and_loads_nothing_before_it_is_clicked(desk: ChatDesk, browser: Browser) -> None:
    token = await desk.inbox(greeting="Good to see you. " * 10, title="A shop of some length")
    sent, packed = await fetched(f"{desk.url}/w/{token}.js")
    assert max(sent, packed) <= LOADER
    async with site(desk, token) as address:
        page = await browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda line: asked.append(line.url))
        await page.goto(address)
        await expect(page.locator("parley-chat button")).to_be_visible()
        await page.locator("parley-chat button").hover()
        await page.wait_for_timeout(1000)
        assert [url for url in asked if url.startswith(("http://127.0.0.1", "ws://"))] == [f"{desk.url}/w/{token}.js"]


@pytest.mark.parametrize("lang", catalogues.LANGUAGES)
async def test_an_opened_chat_is_small_and_asks_little(desk: ChatDesk, browser: Browser, lang: str) -> None:
    async with site(desk, await desk.inbox(), lang=lang) as address:
        tab = Visit(await browser.new_page())
        asked: list[Request] = []
        lines: list[str] = []
        tab.page.on("request", lambda request: asked.append(request))
        tab.page.on("websocket", lambda line: lines.append(line.url))
        await tab.page.goto(address)
        await tab.open()
        await expect(tab.chat.locator(".welcome")).to_be_visible()
        ours = [request.url for request in asked if request.url.startswith(desk.url)]
        opened = [url for url in ours if not url.endswith(".js") or "/static/" in url]
        assert len(opened) + len(lines) <= REQUESTS, (opened, lines)
        sizes = {url.rsplit("/", 1)[1].partition("?")[0]: await fetched(url) for url in opened}
        total = sum(max(size) for size in sizes.values()) + max(await fetched(ours[0]))
        assert total <= OPENED, sizes
        assert max(sizes["chat.js"]) <= CHAT_MODULE
        assert max(sizes["chat.css"]) <= STYLE


async def test_nothing_on_the_page_moves(desk: ChatDesk, browser: Browser) -> None:
    async with site(desk, await desk.inbox()) as address:
        tab = Visit(await browser.new_page())
        await tab.page.add_init_script(
            """if (window === top) {
              window.moved = 0;
              const seen = (list) => list.getEntries().forEach((one) => (moved += one.value));
              new PerformanceObserver(seen).observe({ type: "layout-shift", buffered: true });
            }"""
        )
        await tab.page.goto(address)
        await tab.open()
        await tab.page.wait_for_timeout(500)
        await tab.page.evaluate("() => Parley.close()")
        await expect(tab.chat.locator("main")).to_be_hidden()
        assert await tab.page.evaluate("() => moved") == 0
