"""Contacts in the console, in a real Chromium: found, made, changed in place, with all that happened to them."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.journeys.test_console import ANNA, BO, Office, Said, browser, office

__all__ = ["browser", "office"]
pytestmark = pytest.mark.browser


async def at(
    office: Office, browser: Browser, path: str, *, as_: str = ANNA, ready: str = "h1", **how: Any
) -> tuple[Page, Said]:
    """A browser that is signed in and has opened a screen."""
    context = await browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **how})
    name, _, value = office.sessions[as_].partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": office.url("/")}])
    page, said = await context.new_page(), Said()
    said.follow(page)
    await page.goto(office.url(path))
    await expect(page.locator(ready).first).to_be_attached()
    return page, said


async def settled(page: Page) -> None:
    """What comes after the first screen has come, the bell with it."""
    await expect(page.locator("p-bell")).to_be_attached()


async def contact(office: Office, name: str, email: str | None = None, **fields: Any) -> int:
    points = [{"kind": "email", "value": email}] if email else []
    made = await office.ask("POST", "/contacts", {"name": name, "points": points, **fields})
    return int(made["id"])


async def test_a_contact_is_found_made_and_changed(office: Office, browser: Browser) -> None:
    await contact(office, "Abeba Tesfaye", "abeba@example.org", company="Addis Ceramics")
    await contact(office, "សុខ ដារ៉ា", "dara@example.org")
    await office.ask("POST", "/fields", {"key": "size", "label": "Shirt size", "type": "choice", "choices": ["S", "M"]})
    page, said = await at(office, browser, "/contacts")
    await expect(page.locator(".people__row")).to_have_count(2)
    await page.keyboard.press("/")
    await page.keyboard.type("ceram")
    await expect(page.locator(".people__row")).to_have_count(1)
    await expect(page).to_have_url(office.url("/contacts?q=ceram"))

    await page.get_by_role("button", name="New contact").click()
    sheet = page.get_by_role("dialog", name="New contact")
    await sheet.get_by_role("button", name="Save").click()
    await expect(sheet.get_by_text("Give them a name.")).to_be_visible()
    await sheet.get_by_label("Name", exact=True).fill("Grace O’Malley")
    await sheet.get_by_label("E-mail").fill("no address")
    await sheet.get_by_role("button", name="Save").click()
    await expect(sheet.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    said.clear()  # the status of that answer
    await sheet.get_by_label("E-mail").fill("grace@example.org")
    await sheet.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Grace O’Malley")).to_be_visible()

    await page.get_by_role("button", name="Shirt size").click()
    await page.get_by_label("Shirt size").select_option("M")
    await expect(page.get_by_role("button", name="Shirt size")).to_contain_text("M")
    await page.get_by_role("button", name="Next contact").click()
    await page.get_by_role("button", name="Tomorrow").click()
    await expect(page.get_by_role("button", name="Next contact")).to_contain_text("Tomorrow, 09:00")
    await page.get_by_role("button", name="Company").click()
    await page.keyboard.type("Harbour Kitchens")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Company")).to_contain_text("Add")
    await page.get_by_role("button", name="Company").click()
    await page.keyboard.type("Harbour Kitchens")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Company")).to_contain_text("Harbour Kitchens")
    await expect(page.get_by_role("button", name="Company")).to_be_focused()
    await page.get_by_label("A note about this contact").fill("Likes it <b>blue</b>.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".note__text")).to_have_text("Likes it <b>blue</b>.")
    await page.get_by_label("Add a tag").fill("vip")
    await page.keyboard.press("Enter")
    await expect(page.locator(".chip--tag")).to_contain_text("vip")

    await page.get_by_role("link", name="Back to the contacts").click()
    await page.get_by_label("Shirt size").select_option("M")
    await expect(page.locator(".people__row")).to_have_count(1)
    await expect(page.locator(".people__row")).to_contain_text("Grace O’Malley")

    found = (await office.ask("GET", "/contacts?q=grace"))["items"][0]
    kept = await office.ask("GET", f"/contacts/{found['id']}")
    assert (kept["company"], kept["fields"], kept["tags"]) == ("Harbour Kitchens", {"size": "M"}, ["vip"])
    assert said == []


async def test_the_panel_beside_a_thread_knows_them_and_hears_what_changes(office: Office, browser: Browser) -> None:
    number = await office.ticket("The teapot is cracked.", "Abeba", "Teapot")
    person = (await office.thread(number))["ticket"]["contact_id"]
    inbox = (await office.ask("GET", "/inboxes"))["items"][0]["id"]
    other = {"contact_id": person, "inbox_id": inbox, "text": "And the invoice?", "subject": "Invoice"}
    later = (await office.ask("POST", "/tickets", other))["number"]
    page, said = await at(office, browser, f"/inbox/{number}", ready=".thread__head")
    panel = page.locator("p-contact")  # where there is room it stands open from the start
    await expect(panel.get_by_role("link", name="Abeba")).to_be_visible()
    await expect(panel.locator(".history")).to_contain_text("And the invoice?")
    await expect(panel.locator(".history").get_by_role("link", name=f"#{later}").first).to_be_visible()
    await expect(panel.locator(".point")).to_contain_text("Typed in")
    await office.ask("PATCH", f"/contacts/{person}", {"company": "Addis Ceramics"}, as_=BO)
    await expect(panel.locator(".who__about")).to_contain_text("Addis Ceramics")
    await panel.get_by_role("button", name="Block").click()
    await expect(panel.get_by_text("Blocked", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(panel.get_by_text("Blocked", exact=True)).to_be_hidden()
    await page.keyboard.press("]")
    await expect(panel).to_be_hidden()
    assert said == []


async def test_somebody_whom_no_inbox_reaches_is_said_to_be_so(office: Office, browser: Browser) -> None:
    await contact(office, "Abeba Tesfaye", "abeba@example.org")
    page, said = await at(office, browser, "/inbox", ready="p-app")
    await settled(page)
    await page.keyboard.press("Shift+C")
    await page.get_by_role("combobox", name="To").fill("tesf")
    await page.get_by_role("option", name="Abeba Tesfaye").click()
    await expect(page.get_by_text("No inbox can reach them.")).to_be_visible()
    assert said == []


SCREENS = ("/contacts", "/contacts/{person}", "/inbox/{number}")


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_contacts_are_accessible_and_fit(office: Office, browser: Browser, language: str, scheme: str) -> None:
    me = await office.ask("GET", "/me")
    await office.ask("PATCH", f"/agents/{me['agent']['id']}", {"language": language})
    number = await office.ticket("word " * 60, "Bartholomäus-Maximilian von und zu Hohenlohe-Waldenburg")
    person = (await office.thread(number))["ticket"]["contact_id"]
    await office.ask("POST", f"/contacts/{person}/notes", {"text": "x" * 300})
    await office.ask("POST", f"/contacts/{person}/tag", {"tag": "wholesale"})
    await office.ask("PATCH", f"/contacts/{person}", {"company": "Y" * 80, "next_contact_at": 1})
    # Axe is put in as a script, which our policy forbids: only here it is set aside.
    page, _ = await at(office, browser, "/contacts", color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    await page.evaluate("localStorage.setItem('parley.panel', 'contact')")
    for width in (320, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        for path in SCREENS:
            await page.goto(office.url(path.format(number=number, person=person)))
            await expect(page.locator(".people__row" if path == "/contacts" else ".note__text").first).to_be_attached()
            found = (await Axe().run(page)).response["violations"]
            assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == [], (path, width)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
