"""The first hour with a desk, in a real Chromium: the printed link, the administrator, a token, the demo shop."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, async_playwright, expect

from tests.app.process import Desk
from tests.fixtures.databases import fast_folder

pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("PARLEY_TEST_CHROMIUM") or shutil.which("chromium")


def running() -> Iterator[Desk]:
    folder: Path = fast_folder()
    with Desk(folder / "data") as desk:
        yield desk
    shutil.rmtree(folder, ignore_errors=True)


desk = pytest.fixture(running, name="desk")
waiting = pytest.fixture(running, name="waiting", scope="module")  # nobody makes its administrator


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        await found.close()


def address(desk: Desk, path: str | None) -> str:
    return f"http://127.0.0.1:{desk.port}{path}"


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
async def test_from_the_printed_link_to_the_first_ticket(desk: Desk, browser: Browser, scripts: bool) -> None:
    context = await browser.new_context(java_script_enabled=scripts)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    link = address(desk, desk.setup_link)
    await page.goto(link)
    await page.locator("#language").select_option("km")
    if scripts:
        await expect(page.locator("html")).to_have_attribute("lang", "km")
    await page.locator("#organisation").fill("Ember & Oak")
    await page.locator("#name").fill("Sok Dara")
    await page.locator("#email").fill("dara@example.org")
    await page.locator("#password").fill("plum tree river stone")
    await page.locator("form .button").click()
    for step in ("ways", "look", "try", "site", "colleagues"):  # each leads on, without anything being chosen
        await expect(page).to_have_url(address(desk, f"/welcome/{step}"))
        await expect(page.locator("html")).to_have_attribute("lang", "km")
        await page.locator("form .button:not([type=button])").last.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("សូមស្វាគមន៍ Sok Dara")
    await page.get_by_role("button", name="បង្កើតសញ្ញាសម្គាល់ API").click()
    token = (await page.locator(".secret", has_text="parley_live_").first.inner_text()).strip()
    await page.get_by_role("link", name="ហាងសាកល្បង").click()
    await page.get_by_label("Your name").fill("Abeba")
    await page.get_by_label("E-mail").fill("abeba@example.org")
    await page.get_by_label("Your message").fill("ጽዋው ተሰብሮ ደረሰ።")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("status")).to_contain_text("#1001")
    answer = await asyncio.to_thread(desk.ask, "GET", "/api/v1/tickets", Authorization=f"Bearer {token}")
    assert "ጽዋው ተሰብሮ ደረሰ።" in answer[1]
    assert said == [], "nothing is refused by our own Content-Security-Policy"
    gone = await page.goto(link)
    assert gone is not None
    assert gone.status == 404


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (390, "dark"), (1440, "light"), (1440, "dark")])
async def test_every_page_fits_and_is_accessible(waiting: Desk, browser: Browser, width: int, scheme: str) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # so that axe can run
    )
    page = await context.new_page()
    for path in ("/", "/demo", waiting.setup_link, "/setup/none"):
        await page.goto(address(waiting, path))
        found = (await Axe().run(page)).response["violations"]
        assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == [], path
        for direction in ("ltr", "rtl"):
            await page.evaluate(f"document.documentElement.dir = '{direction}'")
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, (path, direction)
