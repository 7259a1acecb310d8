"""People and the contact form, in a real Chromium, with and without JavaScript."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.fixtures.forms import FormDesk

pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("PARLEY_TEST_CHROMIUM") or shutil.which("chromium")


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        await found.close()


async def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        await page.locator(f"[name={name}]").fill(value)


async def texts(desk: FormDesk) -> list[str]:
    return [row[0] for row in await desk.rows("SELECT text FROM message ORDER BY id")]


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
async def test_the_shops_own_form_shows_the_number(sqlite_form_desk: FormDesk, browser: Browser, scripts: bool) -> None:
    desk = sqlite_form_desk
    page = await (await browser.new_context(java_script_enabled=scripts)).new_page()
    await page.goto(f"{desk.url}/demo")
    await fill(page, name="Abeba", email="abeba@example.org", message="ጽዋው ተሰብሮ ደረሰ።")
    desk.clock.advance(10_000)
    await page.get_by_role("button", name="Send").click()
    ((number, spam, place),) = await desk.rows("SELECT number, spam, place FROM ticket")
    await expect(page.get_by_role("status")).to_contain_text(f"#{number}")
    assert (spam, place) == (0, "Demo shop")
    assert await texts(desk) == ["ጽዋው ተሰብሮ ደረሰ።"]


async def test_an_error_stands_beside_the_field_and_the_text_stays(
    sqlite_form_desk: FormDesk, browser: Browser
) -> None:
    desk = sqlite_form_desk
    inbox = await desk.inbox(consent="You may store this to answer me.", selects=["Topic*: Delivery | Payment"])
    page = await (await browser.new_context(java_script_enabled=False)).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{desk.url}/f/{inbox.token}")
    await fill(page, name="Ann", email="ann.example.org", message="Two\nlines")
    desk.clock.advance(10_000)
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("alert")).to_contain_text("Nothing has been sent yet.")
    email = page.get_by_label("E-mail", exact=True)
    await expect(email).to_have_attribute("aria-invalid", "true")
    await expect(email).to_have_value("ann.example.org")
    await expect(page.locator("#email-error")).to_be_visible()
    await expect(email).to_be_focused()
    await expect(page.get_by_label("Message")).to_have_value("Two\nlines")
    assert await texts(desk) == []
    await email.fill("ann@example.org")
    await page.get_by_label("Topic").select_option("Payment")
    await page.get_by_label("You may store this to answer me.").check()
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("status")).to_contain_text("#")
    assert await texts(desk) == ["Two\nlines"]
    assert all(url.startswith(f"{desk.url}/f/{inbox.token}") for url in asked)


async def test_a_double_click_and_the_back_button_are_one_ticket(sqlite_form_desk: FormDesk, browser: Browser) -> None:
    desk = sqlite_form_desk
    inbox = await desk.inbox()
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{desk.url}/f/{inbox.token}")
    await fill(page, name="Ann", email="ann@example.org", message="Once")
    desk.clock.advance(10_000)
    await page.get_by_role("button", name="Send").dblclick()
    await expect(page.get_by_role("status")).to_contain_text("#")
    number = await page.get_by_role("status").text_content()
    await page.go_back()
    await expect(page.get_by_label("Message")).to_have_value("Once")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("status")).to_have_text(number or "")
    await page.reload()
    await expect(page.get_by_role("status")).to_have_text(number or "")
    assert await texts(desk) == ["Once"]


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("km", 375), ("am", 375), ("ar", 375), ("ru", 1280)])
async def test_nobody_is_shut_out(sqlite_form_desk: FormDesk, browser: Browser, language: str, width: int) -> None:
    """No finding of axe, no scrolling sideways, in light and dark, on a phone and a desk."""
    desk = sqlite_form_desk
    inbox = await desk.inbox(selects=["Topic*: Delivery | Payment"], consent="Yes, store it.", intro="We answer soon.")
    for scheme in ("light", "dark"):
        context = await browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
        )
        page = await context.new_page()
        await page.goto(f"{desk.url}/f/{inbox.token}?lang={language}")
        await page.locator("button").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        assert await judged(page) == []
        assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        await context.close()


async def judged(page: Page) -> list[str]:
    found = await Axe().run(page)
    return [f"{violation['id']}: {violation['nodes'][0]['html']}" for violation in found.response["violations"]]


async def test_what_somebody_typed_never_runs(sqlite_form_desk: FormDesk, browser: Browser) -> None:
    desk = sqlite_form_desk
    inbox = await desk.inbox()
    page = await (await browser.new_context()).new_page()
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    await page.goto(f"{desk.url}/f/{inbox.token}?place=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    nasty = "</textarea>\"'><img src=x onerror=alert(1)><script>alert(2)</script>"
    await fill(page, name=nasty, email="x", subject=nasty, message=nasty)
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Message")).to_have_value(nasty)
    await expect(page.get_by_label("Your name")).to_have_value(nasty)
    assert alerts == []
    assert await page.locator("img, script").count() == 0
