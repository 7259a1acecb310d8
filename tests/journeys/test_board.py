"""The live board, the wall, one's own day and availability, in a real Chromium."""

import asyncio

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from tests.journeys.test_console import ANNA, BO, Office, browser, office
from tests.journeys.test_contacts import at, settled

__all__ = ["browser", "office"]
pytestmark = pytest.mark.browser


async def test_the_board_says_who_waits_and_the_wall_renews_itself(office: Office, browser: Browser) -> None:
    page, said = await at(office, browser, "/board", ready=".tiles")
    await expect(page.locator(".tile").filter(has_text="Waiting now")).to_contain_text("Nobody waits.")
    await page.get_by_role("button", name="Show on a wall").click()
    await expect(page).to_have_url(office.url("/board?wall"))
    await expect(page.locator(".rail")).to_be_hidden()
    await office.ticket("Hello?", "Abeba")
    await expect(page.locator(".tile").filter(has_text="Waiting now")).to_contain_text("1", timeout=15_000)
    await expect(page.locator(".tile").filter(has_text="Waiting now")).to_contain_text("1 of them has nobody")
    await expect(page.locator(".tile").filter(has_text="Longest wait")).to_contain_text("0:")
    await page.get_by_role("button", name="Leave the wall").click()
    await expect(page.locator(".rail")).to_be_visible()
    await page.goto(office.url("/inbox"))
    await settled(page)
    await page.keyboard.press("g")
    await page.keyboard.press("b")
    await expect(page).to_have_url(office.url("/board"))
    assert said == []


async def test_my_day_has_who_waits_for_me_and_whom_to_get_back_to(office: Office, browser: Browser) -> None:
    page, said = await at(office, browser, "/day", ready=".tiles")
    me = (await office.ask("GET", "/me"))["agent"]["id"]
    number = await office.ticket("Where is my parcel?", "Abeba")
    await office.ask("POST", f"/tickets/{number}/claim")
    person = (await office.thread(number))["ticket"]["contact_id"]
    await office.ask("PATCH", f"/contacts/{person}", {"owner_id": me, "next_contact_at": 1})
    note = {"text": "Can you look at this?", "mentions": [me]}
    await office.ask("POST", f"/tickets/{number}/note", note, as_=BO)
    part = page.locator(".board__part")
    await expect(part.filter(has_text="Customers who wait for me")).to_contain_text("Where is my parcel?")
    await expect(part.filter(has_text="To get back to")).to_contain_text("days ago", timeout=10_000)
    await expect(part.filter(has_text="Colleagues who mention me")).to_contain_text(f"#{number}")
    await part.filter(has_text="Customers who wait for me").get_by_role("link").click()
    await expect(page).to_have_url(office.url(f"/inbox/{number}"))
    assert said == []


async def test_somebody_is_away_until_a_time_and_colleagues_see_it(office: Office, browser: Browser) -> None:
    page, said = await at(office, browser, "/board", ready="p-availability")
    bo, heard = await at(office, browser, "/board", as_=BO, ready=".tiles")
    await page.get_by_role("button", name="Your availability").click()
    menu = page.get_by_role("dialog", name="Your availability")
    await menu.get_by_role("button", name="Away").click()
    await menu.get_by_role("button", name="30 min").click()
    await menu.get_by_label("Why").fill("Lunch")
    await menu.get_by_role("button", name="Set to Away").click()
    await expect(page.locator(".presence--away")).to_be_visible()
    mine = next(one for one in (await office.ask("GET", "/agents"))["items"] if one["email"] == ANNA)
    assert (mine["availability"], mine["reason"]) == ("away", "Lunch")
    assert mine["until"] > 0
    await bo.reload()
    await expect(bo.locator(".crew__one").filter(has_text="Anna")).to_contain_text("until")
    await page.get_by_role("button", name="Your availability").click()
    await menu.get_by_role("button", name="Online").click()
    await expect(page.locator(".presence--online")).to_be_visible()
    assert said == heard == []


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_board_and_day_are_accessible_and_fit(
    office: Office, browser: Browser, language: str, scheme: str
) -> None:
    me = (await office.ask("GET", "/me"))["agent"]["id"]
    await office.ask("PATCH", f"/agents/{me}", {"language": language})
    number = await office.ticket("word " * 60, "Bartholomäus-Maximilian von und zu Hohenlohe-Waldenburg")
    await office.ask("POST", f"/tickets/{number}/claim")
    await office.ask("PUT", "/me/availability", {"availability": "online"})
    # Axe is put in as a script, which our policy forbids: only here it is set aside.
    page, _ = await at(office, browser, "/board", color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    for width in (320, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        for path in ("/board", "/board?wall", "/day", "/preferences"):
            await page.goto(office.url(path))
            await expect(page.locator(".matrix" if path == "/preferences" else ".tile").first).to_be_attached()
            await asyncio.sleep(0.2)
            found = (await Axe().run(page)).response["violations"]
            assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == [], (path, width)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
