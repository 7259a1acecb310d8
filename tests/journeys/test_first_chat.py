"""The README's promise as a walk: from the printed link to a first chat answered, in two windows side by side.

Whoever has read only the README does just this; how long the machine takes for it is printed. A person needs the time
that reading and typing take besides.
"""

import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.app.process import Desk
from tests.fixtures.databases import fast_folder
from tests.journeys.test_set_up import CHROMIUM, address

pytestmark = pytest.mark.browser


@pytest.fixture
def desk() -> Iterator[Desk]:
    folder: Path = fast_folder()
    with Desk(folder / "data") as desk:
        yield desk
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        await found.close()


async def test_from_the_printed_link_to_the_first_answered_chat(desk: Desk, browser: Browser) -> None:
    began = time.monotonic()
    steps: list[tuple[float, str]] = []

    def did(what: str) -> None:
        steps.append((time.monotonic() - began, what))

    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)

    await page.goto(address(desk, desk.setup_link))
    await page.get_by_label("Organisation").fill("Ember & Oak")
    await page.get_by_label("Your name").fill("Ada Brook")
    await page.get_by_label("E-mail").fill("ada@example.org")
    await page.get_by_label("Password").fill("plum tree river stone")
    await page.get_by_role("button", name="Begin").click()
    did("made the administrator")

    await expect(page.get_by_role("heading", level=1)).to_have_text("What do you want first?")
    await page.get_by_role("button", name="Next").click()
    did("chose the ways in")

    await expect(page.get_by_label("Name above the chat")).to_have_value("Ember & Oak")
    await page.get_by_label("Plum", exact=True).click()
    await expect(page.locator("#contrast")).to_contain_text("read well")
    shown = page.frame_locator(".preview > iframe").last.frame_locator("parley-chat iframe")
    await expect(shown.get_by_role("heading", level=1)).to_have_text("Ember & Oak")
    await page.get_by_role("button", name="Save and try it").click()
    did("gave the chat its look, with the real widget beside it")

    shop = page.frame_locator(".preview--shop iframe")
    await shop.get_by_role("button", name="Chat with us").click()
    chat = shop.frame_locator("parley-chat iframe")
    await chat.get_by_label("Your message").fill("Do you mend broken mugs?")
    await chat.get_by_role("button", name="Send").click()
    await expect(page.locator('[data-tick="received"].tick--done')).to_be_visible()
    did("wrote as a visitor; the list ticked itself")

    async with context.expect_page() as opened:
        await page.get_by_role("link", name="Open the console").click()
    console = await opened.value
    await _answer(console, "Do you mend broken mugs?", "Within five years, always.")
    await expect(chat.get_by_text("Within five years, always.")).to_be_visible()
    did("answered in the console; the visitor reads it")

    await expect(page.locator('[data-tick="answered"].tick--done')).to_be_visible()
    seconds = time.monotonic() - began
    print("\n".join(f"{at:6.1f} s  {what}" for at, what in steps))
    print(f"{seconds:6.1f} s  from the printed link to the first answered chat, typed by a machine")

    await console.locator("h1").first.click()
    await console.keyboard.press("n")
    await console.get_by_label("Note for colleagues").fill("Ines looks after the mugs.")
    await console.keyboard.press("Control+Enter")
    await expect(page.locator('[data-tick="noted"].tick--done')).to_be_visible()
    await console.locator("h1").first.click()
    await console.keyboard.press("e")
    await expect(page.locator('[data-tick="resolved"].tick--done')).to_be_visible()
    await chat.get_by_text("Very good").click()
    await chat.locator(".rating").get_by_role("button", name="Send").click()
    await expect(page.locator('[data-tick="rated"].tick--done')).to_be_visible()
    await expect(page.get_by_text("All done: you have answered your first customer.")).to_be_visible()

    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_text("Waiting for the first page view…")).to_be_visible()
    assert refused == [], "nothing is refused by our own Content-Security-Policy"
    await context.close()


async def _answer(console: Page, said: str, answer: str) -> None:
    """By the keyboard alone: the way an agent does it all day."""
    await console.get_by_role("link").filter(has_text=said).first.click()
    await expect(console.get_by_text(said).last).to_be_visible()
    await console.locator("h1").first.click()
    await console.keyboard.press("r")
    await console.keyboard.type(answer)
    await console.keyboard.press("Enter")
