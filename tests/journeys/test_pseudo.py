"""Every screen in a made-up language, accented and a third longer: no text is left out, none runs out of its place."""

import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from hub.web.routes import PAGES
from tests.app.process import Desk, parley
from tests.fixtures.databases import fast_folder
from tests.journeys.test_console import ANNA, CHROMIUM, PASSWORD, sign_in_by_api

pytestmark = pytest.mark.browser
PSEUDO = Path(__file__).parent / "pseudo"
ROOMS = ("/inbox", "/queue", "/contacts", "/preferences", "/board", "/day", "/settings", "/welcome", "/sign-in")
# Addresses that answer with a file or with what a script asks for; and those that send on to another page.
NO_PAGES = re.compile(r"\.csv$|/seen$|/state$|/raw$|/qr|\.svg$")
NAME, TITLE, WORDS = "Αβεβα", "Ϟϟ", "Ωμεγα"  # what people write, in letters that are no Latin ones

# Texts in view that are neither data (bdi, dir=auto, fields, code, times) nor translated; and how wide it is.
FOUND = """() => {
  const data = 'bdi, [dir=auto], [dir=ltr], code, kbd, time, pre, script, style, svg, [lang]:not(html)';
  const shown = `${data}, input, textarea`;
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const inside = node.parentElement;
    if (inside.closest(shown) || !/[A-Za-z]{3,}/.test(node.data)) continue;
    if (/^(OPTION|TITLE)$/.test(inside.tagName) ? false : !inside.checkVisibility()) continue;
    seen.add(node.data.trim());
  }
  for (const one of document.body.querySelectorAll('[aria-label], [title], [placeholder]')) {
    for (const name of ['aria-label', 'title', 'placeholder']) {
      const text = one.getAttribute(name);
      if (text && /[A-Za-z]{3,}/.test(text) && !one.closest(data)) seen.add(`${name}: ${text}`);
    }
  }
  return [[...seen], document.documentElement.scrollWidth];
}"""
# Plain words in a text of ours: what it was filled with, or the product's own name.
KNOWN = re.compile(r"⟦[^⟧]*⟧|Parley|anna@example\.org|Anna|UTC|HTML|CSP|WordPress|[\w.-]+/[\w/-]+|https?://\S+")


def pages() -> list[str]:
    """The address of every page for people, with the first thing there is where one names a thing."""
    found = []
    for method, path, _ in PAGES:
        if method == "GET" and path.startswith(ROOMS) and not NO_PAGES.search(path):
            path = re.sub(r"\{number[^}]*\}", "1001", path)
            if "{step}" in path:
                found += [path.replace("{step}", step) for step in ("ways", "look", "try", "line", "colleagues")]
            else:
                found.append(re.sub(r"\{\w+[^}]*\}", "1", path))
    return sorted(set(found))


class House:
    def __init__(self, desk: Desk, session: str) -> None:
        self.desk, self.session = desk, session

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.desk.port}{path}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "X-Parley-CSRF": "1", "Cookie": self.session}
        status, text = self.desk.ask(method, f"/api/v1{path}", None if body is None else json.dumps(body), **headers)
        assert status < 300, (method, path, status, text)
        return json.loads(text) if text else None


def furnish(house: House) -> None:
    """One of each thing that has a page."""
    me = house.ask("GET", "/me")["agent"]["id"]
    house.ask("PATCH", f"/agents/{me}", {"language": "ru", "name": NAME})
    team = house.ask("POST", "/teams", {"name": TITLE})["id"]
    house.ask("PUT", f"/teams/{team}/members/{me}")
    for inbox in house.ask("GET", "/inboxes")["items"]:
        house.ask("PATCH", f"/inboxes/{inbox['id']}", {"name": f"{TITLE}{inbox['id']}"})
    inbox = house.ask("GET", "/inboxes")["items"][0]["id"]
    contact = house.ask("POST", "/contacts", {"name": NAME, "points": [{"kind": "email", "value": "α@example.org"}]})
    opened = {"contact_id": contact["id"], "inbox_id": inbox, "text": WORDS, "subject": WORDS}
    house.ask("POST", "/tickets", opened)
    number = house.ask("POST", "/tickets", opened)["number"]
    house.ask("POST", f"/tickets/{number}/reply", {"text": WORDS})
    house.ask("POST", f"/tickets/{number}/note", {"text": WORDS})
    house.ask("POST", f"/tickets/{number}/tag", {"tag": TITLE})
    house.ask("POST", f"/tickets/{number}/snooze", {"until": None})


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    folder = fast_folder()
    words = ("agent", "create", "--name", "Anna", "--email", ANNA, "--role", "administrator", "--password-stdin")
    made = parley(folder / "data", *words, stdin=f"{PASSWORD}\n")
    assert made.returncode == 0, made.stderr
    with Desk(folder / "data", [PSEUDO]) as running:
        house = House(running, sign_in_by_api(running, ANNA))
        furnish(house)
        yield house
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture
async def page(house: House) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = await browser.new_context(locale="ru", reduced_motion="reduce")
        name, _, value = house.session.partition("=")
        await context.add_cookies([{"name": name, "value": value, "url": house.url("/")}])
        yield await context.new_page()
        await browser.close()


@pytest.mark.parametrize("width", [390, 1440])
async def test_every_text_is_translated_and_has_room(house: House, page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 900})
    wrong: list[tuple[str, str]] = []
    for path in pages():
        answer = await page.goto(house.url(path))
        assert answer is not None and answer.status < 500, (path, answer)
        await page.wait_for_timeout(300 if path.startswith("/settings") else 900)
        texts, wide = await page.evaluate(FOUND)
        wrong += [(path, text) for text in texts if re.search("[A-Za-z]{3,}", KNOWN.sub("", text))]
        if wide > width:
            wrong.append((path, f"{wide} px wide"))
    assert not wrong, "\n".join(f"{path}: {text}" for path, text in wrong)
