"""The first run in a real Chromium: every page fits and is accessible, goes by keyboard, and turns green by itself."""

import asyncio
import http.server
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, expect

from tests.app.process import Desk, well
from tests.fixtures.databases import fast_folder
from tests.journeys.test_console import PASSWORD, sign_in_by_api
from tests.journeys.test_set_up import address, browser

__all__ = ["browser"]
pytestmark = pytest.mark.browser
ADA = "ada@example.org"
PAGES = ("ways", "look", "try", "site", "colleagues")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    folder: Path = fast_folder()
    words = ("agent", "create", "--name", "Ada", "--email", ADA, "--role", "administrator", "--password-stdin")
    well(folder / "data", *words, stdin=f"{PASSWORD}\n")
    well(folder / "data", "sample", "load")
    with Desk(folder / "data") as desk:
        yield desk
    shutil.rmtree(folder, ignore_errors=True)


async def window(desk: Desk, browser: Browser, **look: Any) -> BrowserContext:
    context = await browser.new_context(**look)
    name, _, value = (await asyncio.to_thread(sign_in_by_api, desk, ADA)).partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": address(desk, "")}])
    return context


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (390, "light"), (1440, "light"), (1440, "dark")])
async def test_every_page_fits_and_is_accessible(desk: Desk, browser: Browser, width: int, scheme: Any) -> None:
    context = await window(
        desk, browser, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = await context.new_page()
    for path in (*(f"/welcome/{name}" for name in PAGES), "/welcome?all"):
        await page.goto(address(desk, path))
        await page.wait_for_timeout(300)
        found = (await Axe().run(page, options={"iframes": False})).response["violations"]
        assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == [], path
        for direction in ("ltr", "rtl"):
            await page.evaluate(f"document.documentElement.dir = '{direction}'")
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, (path, direction)
    await context.close()


async def test_the_look_by_keyboard_and_what_the_preview_shows_of_it(desk: Desk, browser: Browser) -> None:
    context = await window(desk, browser)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(address(desk, "/welcome/look"))
    shown = page.frame_locator(".preview > iframe:not([data-next])")
    chat = shown.frame_locator("parley-chat iframe")
    await page.get_by_label("Name above the chat").press_sequentially("Kettle & Co")
    await expect(chat.get_by_role("heading", level=1)).to_have_text("Kettle & Co")
    await expect(page.get_by_label("Name above the chat")).to_be_focused()
    await page.get_by_label("Greeting").fill("Ask away.")
    await expect(chat.get_by_text("Ask away.")).to_be_visible()
    await page.get_by_label("First screen").press("ArrowRight")
    await expect(chat.get_by_text("Do you send to other countries, too?")).to_be_visible()
    await page.get_by_label("Where lines end").press("ArrowLeft")
    await expect(page.get_by_label("Where lines begin")).to_be_checked()
    picked = "e => { e.value = '#ffff00'; e.dispatchEvent(new Event('input', {bubbles: true})); }"
    await page.locator("#colour").evaluate(picked)
    await expect(page.locator("#contrast")).to_contain_text("hardly seen on a white page")
    await expect(page.locator(".preview > iframe")).to_have_count(1)  # the old one goes when the new one is there
    assert said == []
    await context.close()


class Shop(http.server.BaseHTTPRequestHandler):
    line = ""

    def do_GET(self) -> None:
        body = f"<!doctype html><title>Shop</title><h1>A shop of somebody's</h1>{self.line}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


async def test_the_line_turns_green_by_itself_and_says_what_stands_in_the_way(desk: Desk, browser: Browser) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = f"http://localhost:{server.server_port}"  # another site to a browser than 127.0.0.1
    context = await window(desk, browser)
    page = await context.new_page()
    await page.goto(address(desk, "/welcome/site"))
    Shop.line = await page.locator("#html").inner_text()
    await page.get_by_label("Address of your site").fill("https://elsewhere.example")
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_text("Waiting for the first page view…")).to_be_visible()
    shop = await context.new_page()
    await shop.goto(site)
    await page.bring_to_front()
    await expect(page.get_by_text(f"{site} has loaded the line, but is not among the allowed sites")).to_be_visible()
    await page.get_by_role("button", name="Allow it").click()
    await expect(page.get_by_text("It works: a page has loaded it.")).to_be_visible()
    await shop.reload()
    await shop.get_by_role("button", name="Chat with us").click()
    await expect(shop.frame_locator("parley-chat iframe").get_by_label("Your message")).to_be_visible()
    server.shutdown()
    server.server_close()
    await context.close()


async def test_the_sample_data_goes_and_comes_with_one_press(desk: Desk, browser: Browser) -> None:
    context = await window(desk, browser)
    page = await context.new_page()
    await page.goto(address(desk, "/welcome?all"))
    await page.get_by_role("button", name="Remove the sample data").click()
    await page.get_by_role("button", name="Load the sample data").click()
    await page.get_by_role("link", name="Look around").click()
    await expect(page).to_have_url(re.compile("/inbox"))
    await expect(page.get_by_text("Ellen Voss").first).to_be_visible()
    await context.close()
