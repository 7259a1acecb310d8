"""Several tabs of one site are one visitor: one sound for all, and what is done in one is done in all."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from tests.journeys.chat_desk import ChatDesk, Visit, site, visit

pytestmark = pytest.mark.browser

# Headless browsers have no loudspeaker: what is started is counted. A sound of ours is two tones.
EARS = """() => {
  window.tones = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (at) { window.tones++; return start.call(this, at); };
}"""


@pytest_asyncio.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    found = await browser.new_context()
    await found.add_init_script(f"({EARS})()")
    yield found
    await found.close()


async def tones(*tabs: Visit) -> list[int]:
    """So many in each tab's chat since the last time."""
    found = []
    for tab in tabs:
        frame = next(frame for frame in tab.page.frames if "/frame" in frame.url)
        found.append(await frame.evaluate("() => window.tones"))
        await frame.evaluate("() => { window.tones = 0; }")
    return found


async def unread(count: int, *tabs: Visit) -> None:
    name = f"Chat with us, {count} unread" if count else "Chat with us"
    for tab in tabs:
        await expect(tab.launcher).to_have_accessible_name(name)
    await asyncio.sleep(0.8)  # longer than a tab waits for another that may be looking


async def close(tab: Visit) -> None:
    await tab.page.bring_to_front()
    await tab.chat.get_by_role("button", name="Close the chat").click()
    await expect(tab.chat.locator("main")).to_be_hidden()


async def choose(tab: Visit, what: str) -> None:
    await tab.page.bring_to_front()
    await tab.chat.get_by_role("button", name="Menu").click()
    await tab.chat.get_by_role("button", name=what).click()


async def test_one_tab_rings_for_all_and_none_that_was_told_to_be_silent(
    desk: ChatDesk, context: BrowserContext, shop: str
) -> None:
    async with desk.agent() as anna:
        one, two = await visit(context, shop), await visit(context, shop)
        for tab in (one, two):
            await tab.page.bring_to_front()
            await tab.open()
        await one.say("Ring, please")
        number = await anna.hears("Ring, please")
        for tab in (one, two):
            await tab.sees("Ring, please")
            await close(tab)
        await anna.reply(number, "One")
        await unread(1, one, two)
        assert sorted(await tones(one, two)) == [0, 2], "one sound, in one tab"

        await one.page.bring_to_front()
        await one.open()
        await anna.reply(number, "Two")
        await one.sees("Ring, please", "One", "Two")
        await unread(0, two)
        assert await tones(one, two) == [0, 0], "somebody is looking"

        await choose(one, "Turn sounds off")
        await close(one)
        await anna.reply(number, "Three")
        await unread(1, one, two)
        assert await tones(one, two) == [0, 0], "muted in one tab is muted in all"

        await two.page.bring_to_front()
        await two.open()
        await unread(0, one)
        await choose(two, "Turn sounds on")
        await close(two)
        assert await tones(one, two) == [0, 2], "how it sounds from here on"
        await one.page.close()
        await anna.reply(number, "Four")
        await unread(1, two)
        assert await tones(two) == [2], "the one that is left rings"


async def test_a_new_chat_that_is_begun_in_one_tab_is_begun_in_all(desk: ChatDesk, context: BrowserContext) -> None:
    async with desk.agent() as anna, site(desk, await desk.inbox(ask=["subject*"])) as shop:
        one, two = await visit(context, shop), await visit(context, shop)
        for tab in (one, two):
            await tab.page.bring_to_front()
            await tab.launcher.click()
            await expect(tab.chat.locator("#subject")).to_be_focused()
        await two.chat.locator("#subject").fill("A cup")
        await two.text.fill("It broke")
        await two.chat.locator(".before .main").click()
        number = await anna.hears("It broke")
        for tab in (one, two):
            await tab.sees("It broke")
            await expect(tab.chat.locator(".composer")).to_be_visible()
        await choose(one, "End the chat")
        for tab in (one, two):
            await expect(tab.chat.locator(".title")).to_contain_text("This chat has ended")
        await choose(one, "Start a new chat")
        for tab in (one, two):
            await expect(tab.chat.locator("#subject")).to_be_visible(timeout=20_000)
            await expect(tab.chat.locator(".title")).to_contain_text("We are here")
        await two.page.bring_to_front()
        await two.chat.locator("#subject").fill("A pot")
        await two.text.fill("Another thing")
        await two.chat.locator(".before .main").click()
        assert await anna.hears("Another thing") != number
        for tab in (one, two):
            await tab.sees("It broke", "Another thing")


async def test_forgotten_in_one_tab_is_forgotten_in_all(desk: ChatDesk, context: BrowserContext, shop: str) -> None:
    one, two = await visit(context, shop), await visit(context, shop)
    for tab in (one, two):
        await tab.page.bring_to_front()
        await tab.open()
    await one.say("Nobody saw me")
    await two.sees("Nobody saw me")
    await choose(one, "Forget me on this device")
    await one.chat.get_by_role("button", name="Forget me", exact=True).click()
    for tab in (one, two):
        await expect(tab.page.locator("parley-chat iframe")).to_have_count(0, timeout=20_000)
        assert await tab.page.evaluate("() => Object.keys(localStorage)") == []
    await two.page.bring_to_front()
    await two.open()
    await expect(two.chat.locator(".welcome")).to_be_visible()
    await two.sees()


async def test_what_was_read_in_one_tab_is_read_in_all(desk: ChatDesk, context: BrowserContext, shop: str) -> None:
    async with desk.agent() as anna:
        one, two = await visit(context, shop), await visit(context, shop)
        for tab in (one, two):
            await tab.page.bring_to_front()
            await tab.open()
        await one.say("Hello")
        number = await anna.hears("Hello")
        for tab in (one, two):
            await close(tab)
        await anna.reply(number, "Here")
        await unread(1, one, two)
        await one.page.bring_to_front()
        await one.open()
        await unread(0, one, two)
        await close(one)
        await anna.reply(number, "Still here")
        await unread(1, one, two)
