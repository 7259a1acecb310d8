"""The pages that carry the chat, in a real Chromium: that may, that may not, that have no name."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from tests.journeys.chat_desk import ChatDesk, Visit, site, visit

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture
async def anna(desk: ChatDesk, browser: Browser) -> AsyncIterator[BrowserContext]:
    """An agent's browser, in which the settings can be opened."""
    context = await browser.new_context()
    name, _, value = desk.session.partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": desk.url}])
    yield context
    await context.close()


async def inbox_of(desk: ChatDesk, token: str) -> dict[str, Any]:
    items = (await desk.ask("GET", "/inboxes"))["items"]
    return dict(next(item for item in items if item["token"] == token))


async def diagnosis(desk: ChatDesk, anna: BrowserContext, token: str) -> Page:
    page = await anna.new_page()
    await page.goto(f"{desk.url}/settings/inboxes/{(await inbox_of(desk, token))['id']}")
    return page


async def heard(tab: Visit) -> str:
    """What the browser's console says of us."""
    for _ in range(50):
        found = [text for text in tab.said if text.startswith("Parley")]
        if found:
            return found[0]
        await tab.page.wait_for_timeout(100)
    raise AssertionError(tab.said)


@pytest.mark.parametrize("kind", ["a file", "a sandbox"])
async def test_a_page_without_an_origin_shows_no_chat_and_both_sides_are_told_why(
    desk: ChatDesk, browser: Browser, anna: BrowserContext, tmp_path: Path, kind: str
) -> None:
    token = await desk.inbox()
    line = f'<script async src="{desk.url}/w/{token}.js"></script>'
    tab = Visit(await browser.new_page())
    if kind == "a file":
        (tmp_path / "shop.html").write_text(f"<!doctype html><title>A shop</title><h1>A shop</h1>{line}")
        await tab.page.goto((tmp_path / "shop.html").as_uri())
    else:
        async with site(desk, token) as address:
            await tab.page.goto(address)
            holder = """(address) => { const it = document.createElement("iframe"); it.sandbox = "allow-scripts";
              it.src = address; document.body.append(it); }"""
            other = Visit(await browser.new_page(bypass_csp=True))
            await other.page.goto(address)
            await other.page.evaluate(holder, address)
            tab = other
            assert "has no chat" in await heard(tab)
            frame = tab.page.frames[1]
            assert await frame.locator("parley-chat").count() == 0
            return
    assert "has no chat" in await heard(tab)
    assert await tab.page.locator("parley-chat").count() == 0
    assert await tab.page.locator("iframe").count() == 0
    page = await diagnosis(desk, anna, token)
    await expect(page.locator("#state")).to_contain_text("Waiting for the first page view")
    await expect(page.get_by_role("alert")).to_contain_text("opened from a file")


async def test_a_page_that_keeps_its_address_to_itself_is_known_by_its_first_chat(
    desk: ChatDesk, browser: Browser, anna: BrowserContext
) -> None:
    token = await desk.inbox()
    async with site(desk, token, head='<meta name="referrer" content="no-referrer">') as address:
        tab = await visit(browser, address)
        page = await diagnosis(desk, anna, token)
        await expect(page.get_by_role("alert")).to_contain_text("does not tell where it is")
        await tab.open()
        await tab.say("Hello")
        await tab.sees("Hello")
        await expect(page.locator("#state")).to_contain_text("It works")
        await expect(page.locator(".list li").first).to_have_text(address.rstrip("/"))


async def test_a_site_that_was_not_allowed_gets_no_chat_and_is_allowed_by_one_click(
    desk: ChatDesk, browser: Browser, anna: BrowserContext
) -> None:
    token = await desk.inbox(allowed_origins=["https://shop.example"])
    async with site(desk, token) as address:
        tab = await visit(browser, address)
        await tab.launcher.click()
        await expect(tab.page.locator("parley-chat iframe")).to_be_visible()
        await tab.page.wait_for_timeout(500)
        assert [text for text in tab.said if "frame-ancestors" in text], "the browser itself refuses to show it"
        assert not await tab.page.evaluate("() => Object.keys(localStorage).some((key) => key.endsWith(':token'))")
        page = await diagnosis(desk, anna, token)
        await expect(page.get_by_role("alert")).to_contain_text(f"{address.rstrip('/')} has loaded the line, but")
        await page.get_by_role("button", name="Allow it").click()
        await expect(page.locator("#state")).to_contain_text("It works")
        after = await visit(browser, address)
        await after.open()
        await after.say("Now it does")
        await after.sees("Now it does")


# --- pages that make it hard ------------------------------------------------------------------------------------------


async def test_a_chat_that_is_switched_off_is_not_there(desk: ChatDesk, browser: Browser) -> None:
    """New pages show nothing; an open one is told and keeps what was written."""
    token = await desk.inbox()
    async with site(desk, token) as address:
        tab = await visit(browser, address)
        await tab.open()
        await desk.ask("PATCH", f"/inboxes/{(await inbox_of(desk, token))['id']}", {"enabled": False})
        await tab.say("Too late")
        await expect(tab.bubble("Too late")).to_contain_text("Not sent.")
        after = Visit(await browser.new_page())
        await after.page.goto(address)
        assert "there is no chat" in await heard(after)
        assert await after.page.locator("parley-chat").count() == 0


async def test_what_is_written_before_the_line_stands_is_told_that_the_chat_is_off(
    desk: ChatDesk, browser: Browser
) -> None:
    token = await desk.inbox()
    async with site(desk, token) as address:
        tab = await visit(browser, address)
        off = asyncio.Event()

        async def between(line: WebSocketRoute) -> None:
            await off.wait()
            line.connect_to_server()

        await tab.page.route_web_socket("**/live", between)
        await tab.open()
        await tab.say("Too early")
        await desk.ask("PATCH", f"/inboxes/{(await inbox_of(desk, token))['id']}", {"enabled": False})
        off.set()
        await expect(tab.bubble("Too early")).to_contain_text("Not sent.", timeout=20_000)


async def test_a_site_that_may_store_nothing_has_a_chat_as_long_as_its_page(
    desk: ChatDesk, browser: Browser, shop: str
) -> None:
    context = await browser.new_context()
    await context.add_init_script(
        """for (const name of ["localStorage", "sessionStorage"])
          Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });"""
    )
    async with desk.agent() as anna:
        tab = await visit(context, shop)
        await tab.open()
        await tab.say("Without a memory")
        number = await anna.hears("Without a memory")
        desk.relay.cut()
        await tab.page.wait_for_timeout(300)
        desk.relay.mend()
        await anna.reply(number, "For now, then")
        await tab.sees("Without a memory", "For now, then")
        await tab.page.reload()
        await tab.open()
        await tab.sees()
        assert [text for text in tab.said if "ERR_" not in text and "WebSocket" not in text] == []


async def test_a_page_that_has_changed_what_is_built_in_changes_nothing_in_the_chat(
    desk: ChatDesk, browser: Browser, shop: str
) -> None:
    context = await browser.new_context()
    await context.add_init_script(
        """if (window === top) {
          Array.prototype.map = Array.prototype.filter = Array.prototype.find = () => "broken";
          Object.prototype.type = "broken";
          JSON.parse = JSON.stringify = () => "broken";
          window.fetch = window.WebSocket = () => { throw new Error("broken"); };
          window.Promise.all = undefined;
        }"""
    )
    async with desk.agent() as anna:
        tab = await visit(context, shop)
        await tab.open()
        await tab.say("Still whole")
        number = await anna.hears("Still whole")
        await anna.reply(number, "So are we")
        await tab.sees("Still whole", "So are we")


@pytest.mark.parametrize("days", [1, -1])
async def test_a_clock_that_is_a_day_off(desk: ChatDesk, browser: Browser, shop: str, days: int) -> None:
    """What counts is the desk's time: all arrives, in order, once."""
    context = await browser.new_context()
    await context.add_init_script(f"{{ const now = Date.now; Date.now = () => now() + {days} * 864e5; }}")
    async with desk.agent() as anna:
        tab = await visit(context, shop)
        await tab.open()
        await tab.say("What day is it?")
        number = await anna.hears("What day is it?")
        await anna.reply(number, "Today")
        await tab.say("Thank you")
        await tab.sees("What day is it?", "Today", "Thank you")
        await tab.page.reload()
        await tab.sees("What day is it?", "Today", "Thank you")
        assert anna.heard("Thank you") == 1


async def test_who_goes_back_to_the_page_finds_the_chat(desk: ChatDesk, browser: Browser, shop: str) -> None:
    async with desk.agent() as anna:
        tab = await visit(browser, shop)
        await tab.open()
        await tab.say("I look around")
        number = await anna.hears("I look around")
        await tab.page.goto("about:blank")
        await anna.reply(number, "Do")
        await tab.page.go_back()
        await tab.sees("I look around", "Do")
        await tab.say("Done")
        await anna.hears("Done")


# --- who frames whom -----------------------------------------------------------------------------------------------


async def framed(browser: Browser, address: str, target: str, name: str = "held") -> tuple[Page, list[str]]:
    """A page of somebody else's that holds `target` in a frame. → the page, and what its browser said."""
    said: list[str] = []
    context = await browser.new_context(bypass_csp=False)
    page = await context.new_page()
    page.on("console", lambda message: said.append(message.text))
    await page.goto(address)
    await page.evaluate(
        """([target, name]) => new Promise((done) => { const it = document.createElement("iframe"); it.name = name;
          it.src = target; it.onload = done; document.body.append(it); setTimeout(done, 3000); })""",
        [target, name],
    )
    return page, said


async def plain_site(host: str) -> tuple[str, web.AppRunner]:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>Other</title><h1>Other</h1>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    return f"http://{host}:{runner.addresses[0][1]}", runner


@pytest.mark.parametrize("path", ["/inbox", "/queue", "/settings", "/sign-in", "/", "/welcome", "/demo", "/none"])
async def test_no_page_of_the_desk_is_shown_inside_another(
    desk: ChatDesk, anna: BrowserContext, browser: Browser, path: str
) -> None:
    """Nor inside one of the desk's own host on another port."""
    address, runner = await plain_site("127.0.0.1")
    try:
        page, said = await framed(browser, address, f"{desk.url}{path}")
        assert [text for text in said if "frame-ancestors" in text or "X-Frame-Options" in text], said
        held = page.frame("held")
        assert held is None or held.url.startswith("chrome-error:") or await held.locator("body *").count() == 0
    finally:
        await runner.cleanup()


async def test_the_chat_is_framed_by_its_sites_alone_and_hears_them_alone(desk: ChatDesk, browser: Browser) -> None:
    """Three origins: the shop that may, another one that may not, and a window that the shop was opened from."""
    evil, runner = await plain_site("127.0.0.1")
    token = await desk.inbox()
    try:
        async with site(desk, token) as shop:
            allowed = {"settings": {"allowed_origins": [shop.rstrip("/")]}}
            await desk.ask("PATCH", f"/inboxes/{(await inbox_of(desk, token))['id']}", allowed)
            # Whichever site it names in the address, it is the browser that decides.
            for named in (evil, shop.rstrip("/")):
                page, said = await framed(browser, evil, f"{desk.url}/w/{token}/frame#{named}")
                assert [text for text in said if "frame-ancestors" in text], said

            # A window of another origin that holds the shop's window speaks to shop and frame: neither listens.
            context = await browser.new_context()
            opener = await context.new_page()
            await opener.goto(evil)
            async with context.expect_page() as opened:
                await opener.evaluate("(shop) => { window.shop = window.open(shop); }", shop)
            tab = Visit(await opened.value)
            await expect(tab.launcher).to_be_visible()
            await tab.open()
            await tab.say("Mine")
            await tab.sees("Mine")
            heard = await opener.evaluate(
                """() => new Promise((done) => {
                  const heard = []; addEventListener("message", (event) => heard.push(event.data));
                  const channel = new MessageChannel(); channel.port1.onmessage = ({ data }) => heard.push(data);
                  const made = { parley: 1, kept: { token: "x" }, place: {}, look: {}, open: true };
                  const targets = [shop, ...Array.from({ length: shop.length }, (_, n) => shop[n])];
                  for (const target of targets) for (const data of ["parley:hello", made, { t: "forget" }])
                    target.postMessage(data, "*");
                  targets.at(-1).postMessage(made, "*", [channel.port2]);
                  setTimeout(() => done(heard), 1000);
                })"""
            )
            assert heard == []
            await tab.say("Still mine")
            await tab.sees("Mine", "Still mine")
            assert tab.said == []

            # Held by the evil page in a frame of its own, the shop's chat still answers to the shop alone.
            page, said = await framed(browser, evil, shop)
            inner = page.frame("held")
            assert inner is not None
            await expect(inner.locator("parley-chat button")).to_be_visible()
            await inner.locator("parley-chat button").click()
            await page.wait_for_timeout(500)
            deepest = [frame for frame in page.frames if "/frame" in frame.url]
            assert not deepest or await deepest[0].locator("#text").count() == 0
            assert [text for text in said if "frame-ancestors" in text], said
    finally:
        await runner.cleanup()
