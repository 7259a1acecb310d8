"""An agent's day with mail, in a real browser: the mailbox is set up, a letter comes, is answered with a copy, is
forwarded, and what they write back is in the same ticket."""

import functools

import pytest
from playwright.async_api import Browser, Page, expect

from tests.connectors.email import mailroom
from tests.connectors.email.mailroom import letter
from tests.journeys.chat_desk import ChatDesk
from tests.providers.imap_peer import PASSWORD, USER, ImapPeer
from tests.providers.smtp_peer import SmtpPeer

until = functools.partial(mailroom.until, seconds=30)
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


async def signed_in(desk: ChatDesk, browser: Browser) -> Page:
    name, _, value = desk.session.partition("=")
    context = await browser.new_context(viewport={"width": 1360, "height": 900})
    await context.add_cookies([{"name": name, "value": value, "url": desk.url}])
    return await context.new_page()


async def set_up(page: Page, desk: ChatDesk, imap: ImapPeer, smtp: SmtpPeer) -> None:
    """In the console, and nowhere else."""
    await page.goto(f"{desk.url}/settings/inboxes/new?kind=email")
    await page.get_by_label("Name", exact=True).fill("Help")
    for field, value in (
        ("address", USER),
        ("password", PASSWORD),
        ("imap_host", "127.0.0.1"),
        ("smtp_host", "127.0.0.1"),
    ):
        await page.locator(f"[name='settings.{field}']").fill(value)
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("link", name="Settings", exact=True).last.click()
    for field, port in (("imap_port", imap.port), ("smtp_port", smtp.port)):
        await page.locator(f"[name='settings.{field}']").fill(str(port))
    for field in ("imap_security", "smtp_security"):
        await page.locator(f"[name='settings.{field}']").select_option("none")
    await page.get_by_role("button", name="Save").click()
    await until(lambda: "IDLE" in imap.calls)


async def test_a_day_with_mail(desk: ChatDesk, browser: Browser) -> None:
    async with ImapPeer() as imap, SmtpPeer(imap) as smtp:
        page = await signed_in(desk, browser)
        await set_up(page, desk, imap, smtp)
        await page.goto(f"{desk.url}/inbox")
        imap.folders["INBOX"].add(
            letter("The kettle leaks.", by="Eve Ng <eve@example.net>", Cc="Bob <bob@example.org>")
        )
        await page.get_by_text("Eve Ng").first.click()
        await expect(page.locator(".letter__address").first).to_have_text("eve@example.net")
        await page.get_by_role("button", name="Answer all (2)").click()
        await expect(page.get_by_label("Copies (Cc)")).to_have_value("bob@example.org")
        await page.get_by_label("Blind copies (Bcc)").fill("nobody")
        await page.get_by_label("Reply to the customer").fill("We send a new one.")
        await page.keyboard.press("Control+Enter")
        await expect(page.get_by_text("nobody is no e-mail address.")).to_be_visible()
        await page.get_by_label("Blind copies (Bcc)").fill("")
        await page.get_by_label("Reply to the customer").press("Control+Enter")
        await until(lambda: smtp.taken)
        (sent,) = smtp.taken
        assert sent.recipients == ["eve@example.net", "bob@example.org"] and "new one" in sent.text
        imap.folders["INBOX"].add(
            letter("Thank you!", by="Eve Ng <eve@example.net>", In_Reply_To=sent.parsed["Message-ID"])
        )
        await expect(page.locator(".bubble", has_text="Thank you!")).to_be_visible()
        first = page.locator(".bubble", has_text="The kettle leaks.")
        await first.hover()
        await first.locator(".bubble__more").click()
        await page.get_by_text("Forward…").click()
        await page.locator("dialog input[name=to]").fill("workshop@example.org")
        await page.get_by_role("button", name="Forward", exact=True).click()
        await until(lambda: len(smtp.taken) == 2)
        assert smtp.taken[1].recipients == ["workshop@example.org"] and "The kettle leaks." in smtp.taken[1].text
        await page.context.close()
