"""Who a visitor is, signed by the site: what a real browser shows who is, who was, and who never was."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from joserfc import jwk, jwt
from playwright.async_api import Browser, BrowserContext, WebSocketRoute, expect

from tests.journeys.chat_desk import ChatDesk, Visit, site, visit

pytestmark = pytest.mark.browser
SECRET = "a secret of the shop's server, long enough"
LISTEN = """if (window === top) { window.told = [];
  addEventListener("parley:error", (event) => told.push(event.detail)); }"""


def signed(inbox: str, subject: str, *, secret: str = SECRET, **claims: Any) -> str:
    now = int(time.time())
    found = {"sub": subject, "aud": inbox, "iat": now, "exp": now + 600, "name": subject.title(), **claims}
    return jwt.encode({"alg": "HS256"}, found, jwk.OctKey.import_key(secret))


@pytest_asyncio.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    found = await browser.new_context()
    await found.add_init_script(LISTEN)
    yield found
    await found.close()


async def identify(tab: Visit, token: str) -> None:
    await tab.page.evaluate("(jwt) => Parley.identify({ jwt })", token)


WRONG: dict[str, dict[str, Any]] = {
    "another secret": {"secret": "some other secret that is long enough too"},
    "over": {"iat": 1_700_000_000, "exp": 1_700_000_600},
    "another inbox": {"aud": "AAAAAAAAAAAAAAAAAAAAAA"},
    "too long": {"exp": 4_000_000_000},
}


@pytest.mark.parametrize("how", WRONG)
async def test_what_is_not_signed_rightly_lets_nobody_in_and_the_page_is_told(
    desk: ChatDesk, context: BrowserContext, how: str
) -> None:
    """The visitor is asked to sign in on the site; the site's page hears why. A right one opens the chat at once."""
    inbox = await desk.inbox(identity_secret=SECRET, enforce_identity=True)
    async with desk.agent() as anna, site(desk, inbox) as shop:
        tab = await visit(context, shop)
        await identify(tab, signed(inbox, "eve", **WRONG[how]))
        await tab.launcher.click()
        await expect(tab.chat.get_by_text("Please sign in on this site first")).to_be_visible()
        await expect(tab.text).to_have_count(0)
        await tab.page.wait_for_function("() => told.length > 0")
        assert "could not be confirmed" in (await tab.page.evaluate("() => told"))[0]
        await identify(tab, signed(inbox, "eve"))
        await expect(tab.text).to_be_visible()
        await tab.say("It is me")
        number = await anna.hears("It is me")
        assert (await desk.ask("GET", f"/tickets/{number}"))["ticket"]["contact_name"] == "Eve"


async def test_whoever_is_signed_is_asked_nothing_and_their_words_are_theirs(
    desk: ChatDesk, browser: Browser, context: BrowserContext
) -> None:
    inbox = await desk.inbox(identity_secret=SECRET, ask=["name*", "email*"])
    async with desk.agent() as anna, site(desk, inbox) as shop:
        tab = await visit(context, shop)
        await tab.launcher.click()
        await expect(tab.chat.locator("#email")).to_be_visible()
        await identify(tab, signed(inbox, "eve", email="eve@example.org"))
        await expect(tab.chat.locator("#email")).to_have_count(0)
        await tab.say("Where is my cup?")
        number = await anna.hears("Where is my cup?")
        ticket = (await desk.ask("GET", f"/tickets/{number}"))["ticket"]
        contact = await desk.ask("GET", f"/contacts/{ticket['contact_id']}")
        assert "eve@example.org" in str(contact)
        await tab.page.reload()
        await tab.sees("Where is my cup?")

        # Without a signature, or with a forged one, another browser that says it is she sees nothing of it.
        for token in (None, signed(inbox, "eve", secret=WRONG["another secret"]["secret"])):
            other = await visit(await browser.new_context(), shop)
            if token:
                await identify(other, token)
            await other.launcher.click()
            await expect(other.chat.locator("#email")).to_be_visible()
            await other.sees()


async def writes_on_her_desk(context: BrowserContext, shop: str, inbox: str) -> Visit:
    tab = await visit(context, shop)
    await identify(tab, signed(inbox, "eve"))
    await tab.open()
    await tab.say("On my desk")
    return tab


async def test_who_signs_in_elsewhere_sees_what_they_wrote_as_long_as_it_is_fresh(
    desk: ChatDesk, browser: Browser, context: BrowserContext
) -> None:
    inbox = await desk.inbox(identity_secret=SECRET)
    async with desk.agent() as anna, site(desk, inbox) as shop:
        tab = await writes_on_her_desk(context, shop, inbox)
        number = await anna.hears("On my desk")
        await anna.reply(number, "In your hand")
        await tab.sees("On my desk", "In your hand")

        phone = await visit(await browser.new_context(), shop)
        await phone.page.bring_to_front()
        await phone.open()
        await phone.sees()
        await identify(phone, signed(inbox, "eve"))
        await phone.sees("On my desk", "In your hand")
        await phone.say("And from my phone")
        await phone.sees("On my desk", "In your hand", "And from my phone")
        assert await anna.hears("And from my phone") != number


async def test_who_signs_in_while_the_line_comes_up_is_signed_in(
    desk: ChatDesk, browser: Browser, context: BrowserContext
) -> None:
    """The hello is out and said nothing of them, and the line does not carry commands yet."""
    inbox = await desk.inbox(identity_secret=SECRET)
    async with desk.agent() as anna, site(desk, inbox) as shop:
        await writes_on_her_desk(context, shop, inbox)
        await anna.hears("On my desk")
        phone = await visit(await browser.new_context(), shop)
        greeted, signs_in = asyncio.Event(), asyncio.Event()

        async def between(line: WebSocketRoute) -> None:
            server = line.connect_to_server()

            async def back(message: str | bytes) -> None:
                greeted.set()
                await signs_in.wait()
                line.send(message)

            server.on_message(lambda message: asyncio.ensure_future(back(message)))

        await phone.page.route_web_socket("**/live", between)
        await phone.open()
        await asyncio.wait_for(greeted.wait(), 20)
        await identify(phone, signed(inbox, "eve"))
        await phone.page.wait_for_timeout(200)
        signs_in.set()
        await phone.sees("On my desk")


# Browsers keep a site's storage in each process and bring the copies together a while later.
BEHIND = """const own = Object.defineProperty({}, "removeItem", { value: (key) => delete own[key] });
  Object.defineProperty(window, "localStorage", { get: () => own });"""


async def test_who_signs_in_in_another_tab_is_known_before_the_storage_shows_it(
    desk: ChatDesk, context: BrowserContext
) -> None:
    inbox = await desk.inbox(identity_secret=SECRET)
    async with desk.agent() as anna, site(desk, inbox) as shop:
        one = await visit(context, shop)
        two = Visit(await context.new_page())
        await two.page.add_init_script(BEHIND)
        await two.page.goto(shop)
        for tab in (two, one):
            await tab.page.bring_to_front()
            await identify(tab, signed(inbox, "eve"))
            await tab.open()
            await tab.say(f"Eve's {id(tab)}")
            await anna.hears(f"Eve's {id(tab)}")
        await identify(one, signed(inbox, "bob"))
        await two.page.bring_to_front()
        await two.sees()
        await two.say("Bob's own")
        number = await anna.hears("Bob's own")
        assert (await desk.ask("GET", f"/tickets/{number}"))["ticket"]["contact_name"] == "Bob"


async def test_another_who_signs_in_takes_all_tabs_and_finds_nothing_of_the_one_before(
    desk: ChatDesk, context: BrowserContext
) -> None:
    inbox = await desk.inbox(identity_secret=SECRET)
    async with desk.agent() as anna, site(desk, inbox) as shop:
        one, two = await visit(context, shop), await visit(context, shop)
        for tab in (one, two):
            await tab.page.bring_to_front()
            await identify(tab, signed(inbox, "eve"))
            await tab.open()
        await one.say("Eve's secret")
        await anna.hears("Eve's secret")
        await two.sees("Eve's secret")
        await two.text.fill("Eve's next secr")
        await one.page.bring_to_front()
        await identify(one, signed(inbox, "bob"))
        for tab in (one, two):
            await tab.sees()
            await expect(tab.text).to_have_value("")
        await two.page.bring_to_front()
        await two.say("Bob's own")
        number = await anna.hears("Bob's own")
        assert (await desk.ask("GET", f"/tickets/{number}"))["ticket"]["contact_name"] == "Bob"
        for tab in (one, two):
            await tab.sees("Bob's own")
