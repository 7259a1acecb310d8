"""Takes the pictures of README.md and docs/: a desk with the sample data, as somebody sees it who works there.

Run by bin/pictures. `python -m tests.journeys.pictures FOLDER` puts them somewhere else.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.app.process import ROOT, Desk, well
from tests.journeys.test_console import PASSWORD, sign_in_by_api

CHROMIUM = os.environ.get("PARLEY_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ADA = "ada@sample.example"
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 760}


class Studio:
    """Windows of one agent on one desk, and where the pictures go."""

    def __init__(self, desk: Desk, browser: Browser, folder: Path, session: str) -> None:
        self.desk, self.browser, self.folder, self.session = desk, browser, folder, session

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.desk.port}"

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "X-Parley-CSRF": "1", "Cookie": self.session}
        sent = None if body is None else json.dumps(body)
        status, text = await asyncio.to_thread(self.desk.ask, method, f"/api/v1{path}", sent, **headers)
        assert status < 300, (method, path, status, text)
        return json.loads(text) if text else None

    async def number(self, words: str) -> int:
        """Of the ticket whose contact is called so."""
        items: list[Any] = (await self.ask("GET", "/tickets?limit=100"))["items"]
        return next(int(one["number"]) for one in items if words in one["contact_name"])

    @contextlib.asynccontextmanager
    async def window(self, size: dict[str, int] = WIDE, **look: Any) -> Any:
        context: BrowserContext = await self.browser.new_context(viewport=size, **look)  # type: ignore[arg-type]
        name, _, value = self.session.partition("=")
        await context.add_cookies([{"name": name, "value": value, "url": self.url}])
        yield await context.new_page()
        await context.close()

    async def take(self, page: Page, name: str) -> None:
        await page.wait_for_timeout(700)  # until what moves has come to rest
        await page.mouse.move(0, 0)
        await page.screenshot(path=self.folder / f"{name}.png")
        print(f"{name}.png", (self.folder / f"{name}.png").stat().st_size // 1024, "KB")


async def inbox(studio: Studio) -> None:
    number = await studio.number("Ellen Voss")
    await studio.ask(
        "POST", f"/tickets/{number}/note", {"text": "Ines can stamp names on Friday, five letters at most."}
    )
    async with studio.window() as page:
        await page.goto(f"{studio.url}/inbox/{number}?view=open")
        await page.get_by_text("can I have a name on the rim").last.wait_for()
        await studio.take(page, "console")


async def contact(studio: Studio) -> None:
    number = await studio.number("Ruth Calder")
    async with studio.window({"width": 1440, "height": 800}) as page:
        await page.goto(f"{studio.url}/inbox/{number}?view=resolved")
        await page.get_by_text("That was easier than I feared").last.wait_for()
        if not await page.locator("p-contact").is_visible():
            await page.locator("h1").first.click()
            await page.keyboard.press("]")
        await page.locator("p-contact").wait_for()
        await page.wait_for_timeout(1_000)
        await studio.take(page, "contact")


async def arabic(studio: Studio) -> None:
    number = await studio.number("فارس النجار")
    await studio.ask("PATCH", f"/agents/{(await studio.ask('GET', '/me'))['agent']['id']}", {"language": "ar"})
    async with studio.window(color_scheme="dark") as page:
        await page.goto(f"{studio.url}/inbox/{number}?view=open")
        await page.wait_for_selector("h1")
        await studio.take(page, "console-arabic-dark")
    await studio.ask("PATCH", f"/agents/{(await studio.ask('GET', '/me'))['agent']['id']}", {"language": "en"})


async def queue(studio: Studio) -> None:
    async with studio.window() as page:
        await page.goto(f"{studio.url}/queue")
        await page.wait_for_selector("h1")
        await studio.take(page, "queue")


async def board(studio: Studio) -> None:
    async with studio.window() as page:
        await page.goto(f"{studio.url}/board")
        await page.wait_for_selector("h1")
        await page.wait_for_timeout(1_000)
        await studio.take(page, "board")


async def hours(studio: Studio) -> None:
    day = [["09:00", "13:00"], ["14:00", "18:00"]]
    off = [{"date": "2026-12-31", "name": "Stocktaking", "closed": True}]
    week = [day] * 5 + [[["10:00", "14:00"]], []]
    kept = {"name": "Workshop", "zone": "Africa/Addis_Ababa", "week": week, "country": "ET", "days": off}
    made = await studio.ask("POST", "/hours", kept)
    async with studio.window({"width": 1280, "height": 1100}) as page:
        await page.goto(f"{studio.url}/settings/hours/{made['id']}")
        await page.wait_for_selector("h1")
        await studio.take(page, "hours")


async def phone(studio: Studio) -> None:
    number = await studio.number("Ольга Мирная")
    async with studio.window(NARROW) as page:
        await page.goto(f"{studio.url}/inbox/{number}?view=open")
        await page.wait_for_selector("h1")
        await studio.take(page, "phone")


async def keys(studio: Studio) -> None:
    async with studio.window() as page:
        await page.goto(f"{studio.url}/inbox?view=open")
        await page.wait_for_selector(".row")
        await page.keyboard.press("?")
        await page.get_by_role("dialog").wait_for()
        await studio.take(page, "keys")
        write_keys(await page.evaluate(KEYS))


# What the sheet shows: [place, [[keys, what they do], …]] for each part; a key is a list of strokes, each of caps.
KEYS = """() => [...document.querySelectorAll('dialog[open] .keysheet__place')].map((part) => [
  part.querySelector('h3').textContent,
  [...part.querySelectorAll('dl > div')].map((row) => [
    [...row.querySelectorAll('dt > .caps')].map((key) => [...key.querySelectorAll('.caps')].map((stroke) =>
      [...stroke.querySelectorAll('kbd')].map((cap) => cap.textContent.trim()))),
    row.querySelector('dd').textContent.trim()])])"""
BEGIN, END = "<!-- keys: written by bin/pictures -->", "<!-- end of keys -->"


Key = list[list[str]]


def write_keys(places: list[tuple[str, list[tuple[list[Key], str]]]]) -> None:
    """The table of docs/agents.md, as the console itself has it."""
    lines = []
    for place, rows in places:
        lines += [f"| {place} | |", "| --- | --- |"]
        lines += [f"| {' or '.join(_key(one) for one in keys)} | {what} |" for keys, what in rows] + [""]
    path = ROOT / "docs" / "agents.md"
    before, _, rest = path.read_text("utf-8").partition(BEGIN)
    path.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + END + rest.partition(END)[2], "utf-8")


def _key(strokes: Key) -> str:
    return " then ".join("+".join(f"`{cap.replace('Ctrl', 'Mod')}`" for cap in caps) for caps in strokes)


async def first_run(studio: Studio) -> None:
    async with studio.window() as page:
        await page.goto(f"{studio.url}/welcome/look")
        await page.get_by_label("Name above the chat").fill("Ember & Oak")
        await page.get_by_label("Clay", exact=True).click()
        await page.get_by_text("A conversation").click()
        await page.wait_for_timeout(2_500)
        await studio.take(page, "first-run")


async def tried(studio: Studio) -> None:
    """The list that ticks itself, while both sides are played."""
    async with studio.window() as page:
        await page.goto(f"{studio.url}/welcome/try")
        await page.wait_for_timeout(1_500)
        shop = page.frame_locator(".preview--shop iframe")
        await shop.get_by_role("button", name="Chat with us").click()
        chat = shop.frame_locator("parley-chat iframe")
        await chat.get_by_label("Your message").fill("Is the beech board safe for a dishwasher?")
        await chat.get_by_role("button", name="Send").click()
        await page.locator('[data-tick="received"].tick--done').wait_for()
        number = (await studio.ask("GET", "/tickets?limit=1"))["items"][0]["number"]
        await studio.ask("POST", f"/tickets/{number}/claim", {})
        await studio.ask("POST", f"/tickets/{number}/reply", {"text": "Rather not: it would warp. A wet cloth does."})
        await chat.get_by_text("it would warp").wait_for()
        await page.locator('[data-tick="answered"].tick--done').wait_for()
        await studio.take(page, "try")


async def widget(studio: Studio) -> None:
    async with studio.window() as page:
        await page.goto(f"{studio.url}/demo")
        await page.get_by_role("button", name="Chat with us").click()
        chat = page.frame_locator("parley-chat iframe")
        await chat.get_by_label("Your message").fill("Do you mend broken mugs?")
        await chat.get_by_role("button", name="Send").click()
        await chat.get_by_text("Do you mend broken mugs?").last.wait_for()
        items = (await studio.ask("GET", "/tickets?limit=1"))["items"]
        number = items[0]["number"]
        await studio.ask("POST", f"/tickets/{number}/claim", {})
        await studio.ask("POST", f"/tickets/{number}/reply", {"text": "Within five years, always. Is it one of ours?"})
        await chat.get_by_text("Is it one of ours?").wait_for()
        await studio.take(page, "widget")


SHOTS: tuple[Callable[[Studio], Awaitable[None]], ...] = (
    inbox,
    contact,
    arabic,
    queue,
    board,
    hours,
    phone,
    keys,
    first_run,
    tried,
    widget,
)


async def main(folder: Path, wanted: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp())
    try:
        words = (
            "agent",
            "create",
            "--name",
            "Ada Brook",
            "--email",
            ADA,
            "--role",
            "administrator",
            "--password-stdin",
        )
        well(place / "data", *words, stdin=f"{PASSWORD}\n")
        well(place / "data", "sample", "load")
        with Desk(place / "data") as desk:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                studio = Studio(desk, browser, folder, sign_in_by_api(desk, ADA))
                await studio.ask("PUT", "/me/availability", {"availability": "online"})
                for shot in SHOTS:
                    if not wanted or shot.__name__ in wanted:
                        await shot(studio)
                await browser.close()
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    names = {shot.__name__ for shot in SHOTS}
    asked = sys.argv[1:]
    folders = [one for one in asked if one not in names]
    target = Path(folders[0]) if folders else ROOT / "docs" / "pictures"
    asyncio.run(main(target, [one for one in asked if one in names]))
