"""What became of an answer, in a real Chromium and with a real other side: undone, sent later, failed, doubtful."""

import asyncio
import dataclasses
import json
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from connectors.webhook import signing
from tests.app.process import Desk
from tests.fixtures.databases import fast_folder
from tests.journeys.test_console import (
    ANNA,
    BO,
    Office,
    browser,
    come_in,
    make_administrators,
    sign_in_by_api,
)
from tests.providers.webhook_peer import REFUSE_AND_DIE, WebhookPeer

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
SECRET = signing.PREFIX + "A" * 43 + "="


@dataclasses.dataclass
class Post(Office):
    """An office that writes letters: its inbox posts them to `peer`, which answers by its script."""

    peer: WebhookPeer
    inbox: dict[str, Any] = dataclasses.field(default_factory=dict)

    async def hears(self, text: str, name: str = "Eve") -> int:
        """Something comes in by mail, as it were; the number of its ticket."""
        message = {
            "id": secrets.token_hex(8),
            "from": {"email": f"{name.lower()}@example.net", "name": name},
            "text": text,
        }
        body = json.dumps(message).encode()
        headers = signing.headers(SECRET, f"evt_{secrets.token_hex(8)}", int(time.time()), body)
        status, said = await asyncio.to_thread(
            self.desk.ask, "POST", f"/in/{self.inbox['token']}", body, **{"Content-Type": "application/json", **headers}
        )
        assert status == 200, said
        found = await self.ask("GET", "/tickets?view=all")
        return int(next(one for one in found["items"] if one["contact_name"] == name)["number"])


@pytest_asyncio.fixture
async def post() -> AsyncIterator[Post]:
    folder = fast_folder()
    data = folder / "data"
    make_administrators(data)
    async with WebhookPeer(SECRET) as peer:
        with Desk(data, ALLOWED_HOSTS=peer.host) as running:
            sessions = {email: sign_in_by_api(running, email) for email in (ANNA, BO)}
            made_post = Post(running, sessions, peer)
            settings = {"secret": SECRET, "url": peer.url, "allow_http": True, "vouches": True}
            inbox = {"kind": "webhook", "name": "Letters", "settings": settings}
            made_post.inbox = await made_post.ask("POST", "/inboxes", inbox)
            yield made_post
    shutil.rmtree(folder, ignore_errors=True)


async def write(page: Page, text: str) -> None:
    await page.get_by_label("Reply to the customer").fill(text)
    await page.get_by_role("button", name="Send", exact=True).click()


async def test_an_answer_is_called_back_and_its_words_stand_in_the_field_again(post: Post, browser: Browser) -> None:
    number = await post.hears("Where is my parcel?")
    await post.ask("PUT", "/me/preferences", {"undo_seconds": 20})
    page, said = await come_in(post, browser, f"/inbox/{number}")
    await write(page, "It left this morning.")
    bubble = page.locator(".bubble--ours")
    await expect(bubble.locator("[data-state=planned]")).to_contain_text("Leaves in")
    await page.locator(".toast").get_by_role("button", name="Undo").click()
    field = page.get_by_label("Reply to the customer")
    await expect(field).to_have_value("It left this morning.")
    await expect(field).to_be_focused()
    await expect(bubble.locator("[data-state=cancelled]")).to_contain_text("Called back.")
    # Once more, and now by the key, right after sending.
    await field.press("Control+Enter")
    await expect(page.locator(".bubble--ours [data-state=planned]")).to_be_visible()
    await expect(field).to_have_value("")
    await field.press("Control+z")
    await expect(field).to_have_value("It left this morning.")
    assert post.peer.accepted() == []
    assert (await post.thread(number))["ticket"]["waiting_since"] is not None
    # With five seconds, the tab closed at once, it leaves all the same.
    await post.ask("PUT", "/me/preferences", {"undo_seconds": 5})
    await page.reload()
    await write(page, "It left this morning, really.")
    await expect(page.locator("[data-state=planned]")).to_be_visible()
    await page.close()
    async with asyncio.timeout(30):
        while post.peer.accepted() != ["It left this morning, really."]:
            await asyncio.sleep(0.1)
    assert (await post.thread(number))["ticket"]["waiting_since"] is None
    assert said == []


async def test_what_was_planned_is_not_sent_once_the_customer_has_written_and_its_author_is_told(
    post: Post, browser: Browser
) -> None:
    number = await post.hears("When will it be mended?")
    page, said = await come_in(post, browser, f"/inbox/{number}")
    await page.get_by_label("Reply to the customer").fill("Good morning! It is ready.")
    await page.get_by_role("button", name="Other ways to send").click()
    await page.get_by_role("option", name="Send later…").click()
    where = page.get_by_role("dialog", name="Where is the customer?")
    await where.get_by_label("Time zone").select_option("Africa/Addis_Ababa")
    await where.get_by_role("button", name="Go on").click()
    await page.get_by_role("option", name="Tomorrow at 09:00, their time").click()
    bubble = page.locator(".bubble--ours")
    await expect(bubble).to_contain_text("Will be sent")
    await page.goto(post.url("/day"))
    await expect(page.locator(".board__part").filter(has_text="To be sent later")).to_contain_text("It is ready.")
    await post.hears("Never mind, I have bought a new one.")
    toast = page.locator(".toast").filter(has_text="wrote first")
    await expect(toast).to_be_visible()
    await toast.get_by_role("button", name="Open").click()
    await expect(page).to_have_url(post.url(f"/inbox/{number}"))
    await expect(bubble.locator("[data-state=cancelled]")).to_contain_text("They wrote before it was time.")
    await bubble.get_by_role("button", name="Edit").click()
    await expect(page.get_by_label("Reply to the customer")).to_have_value("Good morning! It is ready.")
    contact = (await post.thread(number))["ticket"]["contact_id"]
    assert (await post.ask("GET", f"/contacts/{contact}"))["zone"] == "Africa/Addis_Ababa"
    assert post.peer.accepted() == [] and said == []


async def test_what_failed_and_what_may_have_arrived_say_so_and_can_be_sent_again(post: Post, browser: Browser) -> None:
    await post.ask("PUT", "/me/preferences", {"undo_seconds": 0})
    number = await post.hears("Hello?")
    page, said = await come_in(post, browser, f"/inbox/{number}")
    post.peer.script.extend([410, REFUSE_AND_DIE])
    await write(page, "One")
    bad = page.locator(".bubble--ours").filter(has_text="One")
    await expect(bad.locator("[data-state=failed]")).to_contain_text("Could not be delivered")
    await bad.get_by_role("button", name="Try again").click()
    doubt = bad.locator("[data-state=unknown]")
    await expect(doubt).to_contain_text("It may not have arrived", timeout=15_000)
    await doubt.get_by_role("button", name="Send again…").press("Enter")
    sure = page.get_by_role("dialog", name="Send it once more?")
    await expect(sure).to_contain_text("the customer gets it twice")
    await sure.get_by_role("button", name="Send again").click()
    await expect(bad.locator("[data-state=sent]")).to_be_visible()
    assert post.peer.accepted() == ["One"] and said == []


async def test_who_has_forgotten_the_password_comes_in_by_a_mail(post: Post, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(post.url("/sign-in"))
    await page.get_by_role("link", name="Forgotten the password?").click()
    await expect(page.get_by_text("This desk writes no mail of its own.")).to_be_visible()
    # An administrator chooses the inbox that writes, and sees that it arrives.
    admin, _ = await come_in(post, browser)
    await admin.goto(post.url("/settings/mail"))
    await admin.get_by_label("Sent by the inbox").select_option("Letters")
    await admin.get_by_role("button", name="Save").click()
    await admin.get_by_role("button", name="Send a test mail").click()
    await expect(admin.get_by_text("The mail is on its way.")).to_be_visible()
    await expect(admin.locator(".rows")).to_contain_text("Test mail")
    await page.reload()
    for address in ("nobody@example.org", BO):
        await page.get_by_label("E-mail").fill(address)
        await page.get_by_role("button", name="Send me a link").click()
        await expect(page.get_by_role("status")).to_contain_text("a mail is on its way")
        await page.goto(post.url("/forgot"))
    async with asyncio.timeout(30):
        while len(post.peer.journal) < 2:
            await asyncio.sleep(0.1)
    letters = [entry["data"] for entry in post.peer.journal]
    assert [one["to"]["value"] for one in letters] == [ANNA, BO]
    link = re.search(r"/join/\S+", letters[-1]["text"])
    assert link
    await page.goto(post.url(link[0]))
    await page.get_by_label("Password").fill("a new sentence of words")
    await page.get_by_role("button", name="Set the password").click()
    await expect(page.get_by_role("heading", name="Your password is set")).to_be_visible()
    await page.goto(post.url(link[0]))
    await expect(page.get_by_role("heading", name="This link is over")).to_be_visible()
    await page.goto(post.url("/sign-in"))
    await page.get_by_label("E-mail").fill(BO)
    await page.get_by_label("Password").fill("a new sentence of words")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("p-app")).to_be_visible()


async def test_a_visitor_has_the_chat_mailed_to_an_address_that_a_code_shows_to_be_theirs(
    post: Post, browser: Browser
) -> None:
    settings = {"allowed_origins": [post.url("")], "offline": "never"}
    chat = await post.ask("POST", "/inboxes", {"kind": "chat", "name": "Chat", "settings": settings})
    admin, _ = await come_in(post, browser)
    await admin.goto(post.url("/settings/mail"))
    await admin.get_by_label("Sent by the inbox").select_option("Letters")
    await admin.get_by_role("button", name="Save").click()
    page = await browser.new_page()
    shop = f'<script async src="/w/{chat["token"]}.js"></script>'
    await page.route("**/a-page", lambda route: route.fulfill(body=shop, content_type="text/html"))
    await page.goto(post.url("/a-page"))
    await page.locator("parley-chat button").first.click()
    frame = page.frame_locator("iframe")
    await frame.locator("#text").fill("The kettle leaks.")
    await frame.locator("#text").press("Enter")
    await expect(frame.locator(".message.mine")).to_contain_text("The kettle leaks.")
    await frame.get_by_role("button", name="Menu").click()
    await frame.get_by_role("button", name="E-mail me this conversation").click()
    card = frame.get_by_role("dialog", name="E-mail me this conversation")
    await card.get_by_label("E-mail", exact=True).fill("eve@home.example")
    await card.get_by_role("button", name="Send").click()
    await expect(card).to_contain_text("we have sent a code there")
    async with asyncio.timeout(30):
        while not post.peer.journal:
            await asyncio.sleep(0.1)
    letter = post.peer.journal[-1]["data"]["text"]
    assert "kettle" not in letter
    found = re.search(r"\d{6}", letter)
    assert found
    await card.get_by_label("The code from the mail").fill(found[0])
    await card.get_by_role("button", name="Confirm").click()
    await expect(card.get_by_role("status")).to_contain_text("It is on its way to")
    async with asyncio.timeout(30):
        while len(post.peer.journal) < 2:
            await asyncio.sleep(0.1)
    assert "The kettle leaks." in post.peer.journal[-1]["data"]["text"]
    await card.get_by_role("button", name="Close").click()
    await expect(card).to_be_hidden()
