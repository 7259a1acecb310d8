"""The palette, keys of one's own and notices, in a real Chromium."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.journeys.test_console import BO, Office, browser, office
from tests.journeys.test_contacts import at, contact, settled

__all__ = ["browser", "office"]
pytestmark = pytest.mark.browser


async def test_anything_is_found_and_done_by_its_name(office: Office, browser: Browser) -> None:
    await contact(office, "Grace O’Malley", "grace@example.org", company="Harbour Kitchens")
    number = await office.ticket("The teapot is cracked.", "Abeba", "Teapot")
    page, said = await at(office, browser, f"/inbox/{number}", ready=".thread__head")
    await settled(page)
    await page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Find or do anything")
    await expect(field).to_be_focused()
    await page.keyboard.type("resol")
    await expect(page.locator(".palette__line[aria-selected=true]")).to_contain_text("Resolve")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Find or do anything")).to_be_hidden()
    await expect(page.locator(".toast")).to_contain_text(f"#{number}")
    assert (await office.thread(number))["ticket"]["status"] == "resolved"

    await page.keyboard.press("Control+k")
    await page.keyboard.type("harbour")  # nothing that the console holds: the desk knows it
    await expect(page.get_by_role("group", name="Everything else")).to_contain_text("Grace O’Malley")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Grace O’Malley")).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("no such thing anywhere")
    await expect(page.locator(".palette__none")).to_have_text("Nothing fits.")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Find or do anything")).to_be_hidden()
    assert said == []


async def test_a_key_is_given_to_something_else_on_every_device(office: Office, browser: Browser) -> None:
    page, said = await at(office, browser, "/contacts")
    await settled(page)
    await page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    await sheet.get_by_role("button", name="Change keys").click()
    await sheet.get_by_role("button", name="Change the key of “To the queue”").click()
    await page.keyboard.press("?")
    await expect(sheet.get_by_text("has this key already.")).to_be_visible()
    await page.keyboard.press("y")
    await expect(sheet.get_by_role("button", name="As it was")).to_be_visible()
    await sheet.get_by_role("button", name="Close").click()
    await page.keyboard.press("y")
    await expect(page).to_have_url(office.url("/queue"))
    assert (await office.ask("GET", "/me"))["preferences"]["keys"] == {"go.queue": "y"}

    other, heard = await at(office, browser, "/contacts")  # another device of the same agent
    await settled(other)
    await other.keyboard.press("y")
    await expect(other).to_have_url(office.url("/queue"))
    await page.goto(office.url("/preferences"))
    await page.get_by_label("Single letters work as keys").uncheck()
    await expect(other.locator("html")).to_be_attached()
    await other.goto(office.url("/contacts"))
    await settled(other)
    await other.keyboard.press("y")
    await expect(other).to_have_url(office.url("/contacts"))
    await other.keyboard.press("Control+k")
    await expect(other.get_by_role("combobox", name="Find or do anything")).to_be_focused()
    assert said == heard == []


# The desktop belongs to the machine that runs the browser: what a page would show there is written down instead.
NOTICES = """
globalThis.notices = [];
globalThis.Notification = class {
  static permission = 'granted';
  constructor(title, given) { Object.assign(this, { title, ...given }); globalThis.notices.push(this); }
  close() {}
};
document.hasFocus = () => globalThis.looking ?? false;
"""


async def shown(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await page.evaluate("notices.map(({ title, body, tag }) => ({ title, body, tag }))")
    return found


async def test_a_notice_tells_of_a_customer_while_one_looks_elsewhere(office: Office, browser: Browser) -> None:
    page, said = await at(office, browser, "/preferences", as_=BO, ready=".matrix")
    await page.context.add_init_script(NOTICES)
    await page.goto(office.url("/queue"))
    await settled(page)
    # Of all tabs the one that holds the lock speaks.
    await page.wait_for_function("() => navigator.locks.query().then(({ held }) => held.length > 0)")
    number = await office.ticket("Hello?", "Abeba")
    await expect(page.locator(".waits")).to_have_count(1)
    assert await shown(page) == [{"title": "Abeba is waiting", "body": f"#{number} Hello?", "tag": f"parley.{number}"}]
    await expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("mark-news.svg"))
    await page.evaluate("notices[0].onclick()")
    await expect(page).to_have_url(office.url(f"/inbox/{number}"))

    await page.goto(office.url("/preferences"))
    row = page.get_by_role("row").filter(has_text="A new ticket that nobody has")
    await row.get_by_label("Desktop").uncheck()
    await page.goto(office.url("/queue"))
    await settled(page)
    await office.ticket("Anybody?", "Bekele")
    await expect(page.locator(".waits")).to_have_count(2)
    await office.ask("POST", f"/tickets/{number}/claim")
    await expect(page.locator(".waits")).to_have_count(1)
    assert await shown(page) == []
    assert said == []
