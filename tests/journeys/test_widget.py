"""A visitor's side of the chat, in a real Chromium, on a site of another origin under a strict policy, with third-party
cookies blocked: what is said arrives, once and in order, whatever happens on the way."""

import asyncio
import json
import re
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, WebSocketRoute, expect

from tests.journeys.chat_desk import ChatDesk, Visit, site, visit

pytestmark = pytest.mark.browser


async def test_words_go_both_ways_and_each_sees_how_far_theirs_came(
    desk: ChatDesk, browser: Browser, shop: str
) -> None:
    async with desk.agent() as anna:
        tab = await visit(browser, shop)
        await tab.open()
        await tab.say("Does the kettle whistle?")
        await tab.sees("Does the kettle whistle?")
        await expect(tab.bubble("whistle")).to_contain_text("Sent")
        number = await anna.hears("Does the kettle whistle?")
        await anna.does("assign", number=number, agent_id=(await desk.ask("GET", "/me"))["agent"]["id"])
        await expect(tab.chat.locator(".title")).to_contain_text("Anna")
        await expect(tab.bubble("whistle")).to_contain_text("Delivered")
        await expect(tab.chat.locator(".title")).not_to_contain_text("Berg")

        await anna.live.say("viewing", number=number)
        await anna.live.say("typing", number=number, on=True, mode="reply")
        await expect(tab.chat.locator(".typing")).to_have_text("Anna is writing…")
        await tab.text.press_sequentially("It")
        await anna.live.until(lambda frame: frame["type"] == "typing" and frame["by"]["kind"] == "contact")

        await anna.reply(number, "It does.\nSee https://shop.example/kettle.")
        await tab.sees("Does the kettle whistle?", "It does.\nSee https://shop.example/kettle.")
        await expect(tab.chat.locator(".typing")).to_have_text("")
        await expect(tab.bubble("whistle")).to_contain_text("Read")
        await expect(tab.chat.locator(".away[role=status]")).to_contain_text("Anna says: It does.")
        link = tab.chat.get_by_role("link", name="https://shop.example/kettle")
        await expect(link).to_have_attribute("rel", re.compile("noopener"))
        await anna.live.event("delivery.changed", state="read")
        assert tab.said == []


async def test_the_frame_keeps_nothing_and_the_site_keeps_the_token(
    desk: ChatDesk, browser: Browser, shop: str
) -> None:
    tab = await visit(browser, shop)
    assert await tab.page.evaluate("() => Object.keys(localStorage)") == []
    await tab.open()
    await tab.page.wait_for_function("() => Object.keys(localStorage).some((key) => key.endsWith(':token'))")
    frame = next(frame for frame in tab.page.frames if "/frame" in frame.url)
    assert await frame.evaluate("() => { try { return localStorage.length } catch { return 0 } }") == 0
    assert await frame.evaluate("() => document.cookie") == ""
    assert all("token" not in (request or "") for request in [frame.url])


@pytest.mark.parametrize("lost", ["the message", "the answer"])
async def test_a_reload_in_the_middle_of_sending_sends_it_once(
    desk: ChatDesk, browser: Browser, shop: str, lost: str
) -> None:
    """What was written shows as being sent, before and after, and arrives once, whichever way the line broke."""
    broken = True

    def between(line: WebSocketRoute) -> None:
        there = line.connect_to_server()

        def up(frame: str | bytes) -> None:
            if not (broken and lost == "the message" and '"say"' in str(frame)):
                there.send(frame)

        def down(frame: str | bytes) -> None:
            if not (broken and ("Once" in str(frame) or "message_id" in str(frame))):
                line.send(frame)

        line.on_message(up)
        there.on_message(down)

    async with desk.agent() as anna:
        context = await browser.new_context()
        await context.route_web_socket("**/live", between)
        tab = await visit(context, shop)
        await tab.open()
        await tab.say("Once, please")
        await expect(tab.bubble("Once")).to_contain_text("Sending…")
        await tab.page.wait_for_timeout(500)
        await tab.page.reload()
        if lost == "the message":
            await expect(tab.bubble("Once")).to_contain_text("Sending…")
        broken = False
        await tab.page.reload()
        await expect(tab.bubble("Once")).to_contain_text("Sent")
        await tab.sees("Once, please")
        await anna.hears("Once, please")
        await asyncio.sleep(0.5)
        assert anna.heard("Once, please") == 1
        left = "() => Object.keys(localStorage).filter((key) => key.includes(':say:')).length"
        assert await tab.page.evaluate(left) == 0


async def without_the_line(desk: ChatDesk, browser: Browser, shop: str, seconds: float) -> None:
    async with desk.agent() as anna:
        tab = await visit(browser, shop)
        await tab.open()
        await tab.say("Are you there?")
        number = await anna.hears("Are you there?")
        desk.relay.cut()
        try:
            await expect(tab.chat.locator(".bar")).to_contain_text("Connecting…")
            await tab.say("One")
            await tab.say("Two")
            await expect(tab.bubble("Two")).to_contain_text("Sending…")
            await anna.reply(number, "Yes.")
            await anna.reply(number, "Both of us.")
            await asyncio.sleep(seconds)
        finally:
            desk.relay.mend()
        await expect(tab.chat.locator(".bar")).to_have_count(0, timeout=45_000)
        await tab.sees("Are you there?", "Yes.", "Both of us.", "One", "Two")
        await anna.hears("Two")
        assert [anna.heard(text) for text in ("One", "Two")] == [1, 1]


async def test_without_a_line_for_a_while_nothing_is_lost_either_way(
    desk: ChatDesk, browser: Browser, shop: str
) -> None:
    await without_the_line(desk, browser, shop, 1.0)


@pytest.mark.slow
async def test_half_a_minute_without_a_line(desk: ChatDesk, browser: Browser, shop: str) -> None:
    await without_the_line(desk, browser, shop, 30.0)


async def test_two_tabs_are_one_visitor_with_one_line_while_closed(desk: ChatDesk, browser: Browser, shop: str) -> None:
    async with desk.agent() as anna:
        context = await browser.new_context()
        one, two = await visit(context, shop), await visit(context, shop)
        lines: list[Any] = []
        for tab in (one, two):
            tab.page.on("websocket", lambda line: lines.append(line))
        await one.page.bring_to_front()
        await one.open()
        await one.say("From the first")
        number = await anna.hears("From the first")
        await two.page.bring_to_front()
        await two.open()
        await two.sees("From the first")
        await two.say("From the second")
        await one.sees("From the first", "From the second")
        assert await anna.hears("From the second") == number

        for tab in (one, two):
            await tab.page.bring_to_front()
            await tab.chat.get_by_role("button", name="Close the chat").click()
        for _ in range(40):
            if sum(not line.is_closed() for line in lines) == 1:
                break
            await asyncio.sleep(0.1)
        assert sum(not line.is_closed() for line in lines) == 1
        await anna.reply(number, "To both")
        for tab in (one, two):
            await expect(tab.launcher).to_have_accessible_name("Chat with us, 1 unread")
            await expect(tab.page).to_have_title("(1) A shop")
        await two.page.bring_to_front()
        await two.open()
        await two.sees("From the first", "From the second", "To both")
        await expect(two.chat.locator(".fresh")).to_have_text("New messages")
        for tab in (one, two):
            await expect(tab.page).to_have_title("A shop")


async def test_where_no_websocket_comes_through_it_polls(desk: ChatDesk, browser: Browser, shop: str) -> None:
    async with desk.agent() as anna:
        context = await browser.new_context()
        await context.route_web_socket("**/live", lambda line: asyncio.ensure_future(line.close(code=1011)))
        tab = await visit(context, shop)
        await tab.open()
        await tab.say("By post")
        number = await anna.hears("By post")
        await anna.reply(number, "And back")
        await tab.sees("By post", "And back")
        await tab.say("Quicker")
        await tab.say("Than thought")
        await tab.sees("By post", "And back", "Quicker", "Than thought")
        await anna.hears("Than thought")
        await anna.live.event("delivery.changed", state="read")


async def test_everything_by_keyboard_alone(desk: ChatDesk, browser: Browser, shop: str) -> None:
    tab = await visit(browser, shop)
    keys = tab.page.keyboard
    await tab.page.locator("a").focus()
    await keys.press("Tab")
    await expect(tab.launcher).to_be_focused()
    await keys.press("Enter")
    await expect(tab.text).to_be_focused()
    await keys.type("By hand")
    await keys.press("Shift+Enter")
    await keys.type("on two lines")
    await keys.press("Enter")
    await tab.sees("By hand\non two lines")
    await expect(tab.text).to_be_focused()
    menu = tab.chat.get_by_role("button", name="Menu")
    for _ in range(6):
        if await menu.evaluate("element => element === document.activeElement"):
            break
        await keys.press("Shift+Tab")
    await keys.press("Enter")
    await expect(tab.chat.get_by_role("button", name="End the chat")).to_be_visible()
    await keys.press("Escape")
    await expect(tab.chat.get_by_role("button", name="End the chat")).to_be_hidden()
    await expect(menu).to_be_focused()
    await keys.press("Escape")
    await expect(tab.chat.locator("main")).to_be_hidden()
    await expect(tab.launcher).to_be_focused()
    await expect(tab.launcher).to_have_attribute("aria-expanded", "false")


async def test_a_whole_chat_by_keyboard_alone_from_what_is_asked_first_to_the_rating(
    desk: ChatDesk, browser: Browser
) -> None:
    token = await desk.inbox(ask=["name*", "email"], consent="You may keep what I write.", offer_form=True)

    async def to(target: Locator, key: str = "Tab") -> None:
        for _ in range(15):
            if await target.evaluate("element => element === document.activeElement"):
                return
            await keys.press(key)
        raise AssertionError(f"{target} cannot be reached by {key}")

    async with desk.agent() as anna, site(desk, token) as address:
        tab = await visit(browser, address)
        keys = tab.page.keyboard
        await tab.page.locator("a").focus()
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(tab.chat.locator(".way").first).to_be_focused()
        await keys.press("Enter")
        await expect(tab.chat.locator("#name")).to_be_focused()
        await keys.type("Ann")
        await keys.press("Tab")
        await keys.press("Tab")
        await expect(tab.text).to_be_focused()
        await keys.type("By hand")
        await keys.press("Tab")
        await keys.press("Space")
        await expect(tab.chat.locator(".box input")).to_be_checked()
        await keys.press("Enter")
        await tab.sees("By hand")
        number = await anna.hears("By hand")
        await anna.reply(number, "Well done")
        await anna.does("resolve", number=number)
        await expect(tab.chat.locator(".rating")).to_be_visible()
        await expect(tab.text).to_be_focused()
        await to(tab.chat.get_by_label("Very good"), "Shift+Tab")
        await keys.press("Space")
        await expect(tab.chat.get_by_label("Very good")).to_be_checked()
        await keys.press("Tab")
        await keys.type("Fine")
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(tab.chat.get_by_text("You said: Very good")).to_be_visible()
        assert (await anna.live.event("feedback.recorded"))["feedback"]["text"] == "Fine"
        await to(tab.chat.get_by_role("button", name="Change it"), "Shift+Tab")
        await keys.press("Enter")
        await to(tab.chat.get_by_label("Very good"))
        await to(tab.chat.get_by_role("button", name="Menu"), "Shift+Tab")
        await keys.press("Enter")
        await to(tab.chat.get_by_role("button", name="Forget me on this device"))
        await keys.press("Enter")
        await expect(tab.chat.get_by_role("button", name="Cancel")).to_be_focused()
        await to(tab.chat.get_by_role("button", name="Forget me", exact=True))
        await keys.press("Enter")
        await expect(tab.page.locator("parley-chat iframe")).to_have_count(0)
        await expect(tab.launcher).to_be_focused()


async def test_what_an_agent_has_read_is_read_also_for_who_was_away_meanwhile(
    desk: ChatDesk, browser: Browser, shop: str
) -> None:
    """Stored, and so the same over a broken line and a reload; without an answer, and no sooner than it was read."""
    async with desk.agent() as anna:
        tab = await visit(browser, shop)

        def mark(text: str) -> Locator:
            return tab.bubble(text).locator(".mark")

        await tab.open()
        await tab.say("Read me")
        number = await anna.hears("Read me")
        await expect(mark("Read me")).to_have_text("Sent")
        read = next(f["message"]["id"] for f in anna.live.events if f["name"] == "message.received")
        desk.relay.cut()
        await expect(tab.chat.locator(".bar")).to_contain_text("Connecting…")
        await anna.does("mark_read", number=number, message_id=read)
        await expect(mark("Read me")).to_have_text("Sent")
        desk.relay.mend()
        await expect(mark("Read me")).to_have_text("Read", timeout=30_000)
        await tab.say("And me")
        await expect(mark("And me")).to_have_text("Sent")
        await tab.page.reload()
        await expect(mark("Read me")).to_have_text("Read")
        await expect(mark("And me")).to_have_text("Sent")
        last = (await desk.ask("GET", f"/tickets/{number}"))["messages"][-1]["id"]
        await anna.does("mark_read", number=number, message_id=last)
        await expect(mark("And me")).to_have_text("Read")


WORDS = {
    "km": ("សុខ ដារ៉ា", "កែវបែក ពេលមកដល់។", "សួស្តី! តើយើងអាចជួយអ្វីអ្នកបាន?", "ltr"),
    "am": ("አበበ", "ጽዋው ተሰብሮ ደረሰ።", "ሰላም! ምን እናድርግልዎ?", "ltr"),
    "ar": ("سلمى", "وصل الكوب مكسورًا.", "مرحبًا! كيف يمكننا خدمتك؟", "rtl"),
    "ru": ("Аня", "Кружка пришла разбитой.", "Здравствуйте! Чем можем помочь?", "ltr"),
}


@pytest.mark.parametrize("lang", WORDS)
async def test_in_the_visitors_own_language(desk: ChatDesk, browser: Browser, lang: str) -> None:
    name, text, hello, direction = WORDS[lang]
    token = await desk.inbox(ask=["name*"])
    async with desk.agent() as anna, site(desk, token, lang=lang) as address:
        tab = await visit(browser, address)
        await tab.launcher.click()
        await expect(tab.chat.locator(".welcome")).to_have_text(hello)
        await expect(tab.chat.locator("html")).to_have_attribute("dir", direction)
        await tab.chat.locator("#name").fill(name)
        await tab.text.fill(text)
        await tab.chat.locator(".before .main").click()
        await tab.sees(text)
        number = await anna.hears(text)
        ticket = (await desk.ask("GET", f"/tickets/{number}"))["ticket"]
        assert ticket["contact_name"] == name
        await anna.reply(number, f"{name}: {text}")
        await tab.sees(text, f"{name}: {text}")
        assert tab.said == []


async def test_what_is_asked_first_is_asked_once_and_says_what_is_missing(desk: ChatDesk, browser: Browser) -> None:
    token = await desk.inbox(ask=["name", "email*"], consent="You may keep what I write.")
    async with desk.agent() as anna, site(desk, token) as address:
        tab = await visit(browser, address)
        await tab.launcher.click()
        await expect(tab.chat.locator("#name")).to_be_focused()
        await tab.text.fill("Hello")
        await tab.chat.get_by_role("button", name="Start the chat").click()
        await expect(tab.chat.locator("#email")).to_be_focused()
        await expect(tab.chat.locator("#email-wrong")).to_contain_text("e-mail")
        await expect(tab.chat.locator("#consent-wrong")).to_contain_text("tick")
        await expect(tab.text).to_have_value("Hello")
        await tab.chat.locator("#email").fill("ann@example.org")
        await tab.chat.get_by_label("You may keep what I write.").check()
        await tab.chat.get_by_role("button", name="Start the chat").click()
        await tab.sees("Hello")
        await anna.hears("Hello")
        await tab.page.reload()
        await tab.sees("Hello")
        assert await tab.page.evaluate("() => document.activeElement === document.body"), "the page keeps its focus"
        await expect(tab.chat.locator("#email")).to_have_count(0)
        await tab.say("Again")
        await tab.sees("Hello", "Again")


async def test_while_nobody_is_here_it_is_a_form_with_a_number(desk: ChatDesk, browser: Browser) -> None:
    async with site(desk, await desk.inbox(offline="always")) as address:
        tab = await visit(browser, address)
        await tab.launcher.click()
        await expect(tab.chat.locator(".welcome")).to_contain_text("Nobody is here")
        await tab.chat.get_by_label("E-mail").fill("ann@example.org")
        await tab.text.fill("When do you open?")
        await tab.chat.get_by_role("button", name="Send the message").click()
        await expect(tab.chat.get_by_role("status").filter(has_text="Your number is")).to_contain_text(
            re.compile(r"#\d")
        )


async def test_who_waits_long_may_leave_an_address_and_go(desk: ChatDesk, browser: Browser, shop: str) -> None:
    """The desk says after minutes that it takes long; here what it says is changed on the way, and the rest is real."""

    def between(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        line.on_message(server.send)
        server.on_message(
            lambda text: line.send(
                str(text).replace('"long_wait":false', '"long_wait":true').replace('"ways":[]', '"ways":["message"]')
            )
        )

    async with desk.agent() as anna:
        context = await browser.new_context(viewport={"width": 390, "height": 780})
        await context.route_web_socket("**/live", between)
        tab = await visit(context, shop)
        await tab.open()
        await tab.say("Is anybody here?")
        await anna.hears("Is anybody here?")
        form = tab.chat.locator("form.rating")
        await form.get_by_label("Or leave your e-mail address").fill("eve")
        await form.get_by_role("button", name="Leave my address").click()
        await expect(form.get_by_role("alert")).to_have_text("Write an address like name@example.org.")
        await form.get_by_label("Or leave your e-mail address").fill("eve@example.net")
        await form.get_by_role("button", name="Leave my address").click()
        await expect(form.get_by_role("alert")).to_contain_text("Tick the box first")
        await form.get_by_label("You may answer me at this address.").check()
        await form.get_by_role("button", name="Leave my address").click()
        await expect(tab.chat.get_by_text("We can answer you at eve@example.net as well.")).to_be_visible()
        found = (await desk.ask("GET", "/contacts?q=eve@example.net"))["items"][0]
        contact = await desk.ask("GET", f"/contacts/{found['id']}")
        email = next(point for point in contact["points"] if point["kind"] == "email")
        assert (email["sureness"], contact["consents"][-1]["purpose"]) == ("typed", "support")
        assert contact["consents"][-1]["wording"] == "You may answer me at this address."
        assert tab.said == []
        await context.close()


async def test_a_chat_is_ended_rated_and_begun_anew(desk: ChatDesk, browser: Browser, shop: str) -> None:
    async with desk.agent() as anna:
        tab = await visit(browser, shop)
        await tab.open()
        await tab.say("It broke")
        number = await anna.hears("It broke")
        await anna.reply(number, "That is how it is.")
        await anna.does("resolve", number=number)
        await expect(tab.chat.locator(".title")).to_contain_text("This chat has ended")
        await tab.chat.get_by_label("Very bad").check()
        await tab.chat.get_by_label("Anything you would like to add?").fill("Rude.")
        await tab.chat.locator(".rating").get_by_role("button", name="Send").click()
        await expect(tab.chat.get_by_text("You said: Very bad")).to_be_visible()
        told = await anna.live.event("feedback.recorded")
        assert (told["feedback"]["score"], told["feedback"]["text"]) == (1, "Rude.")
        assert (await desk.ask("GET", f"/tickets/{number}"))["ticket"]["status"] == "open"

        await tab.chat.get_by_role("button", name="Menu").click()
        await tab.chat.get_by_role("button", name="Start a new chat").click()
        await tab.say("Another thing")
        assert await anna.hears("Another thing") != number
        await expect(tab.chat.locator(".day").filter(has_text="A new chat")).to_be_visible()


async def test_forgotten_on_this_device(desk: ChatDesk, browser: Browser, shop: str) -> None:
    context = await browser.new_context()
    tab = await visit(context, shop)
    await tab.open()
    await tab.say("Nobody saw me")
    await expect(tab.bubble("Nobody")).to_contain_text("Sent")
    await tab.chat.get_by_role("button", name="Menu").click()
    await tab.chat.get_by_role("button", name="Forget me on this device").click()
    await expect(tab.chat.get_by_role("button", name="Cancel")).to_be_focused()
    await tab.chat.get_by_role("button", name="Forget me", exact=True).click()
    await expect(tab.page.locator("parley-chat iframe")).to_have_count(0)
    assert await tab.page.evaluate("() => Object.keys(localStorage)") == []
    await tab.open()
    await expect(tab.chat.locator(".welcome")).to_be_visible()
    await tab.sees()


async def test_a_page_speaks_to_it_before_and_after_it_is_there(desk: ChatDesk, browser: Browser) -> None:
    token = await desk.inbox()
    asking = '<button type="button" data-parley-open>Ask us</button>'
    async with desk.agent() as anna, site(desk, token, body=asking) as address:
        context = await browser.new_context()
        await context.add_init_script(
            """if (window === top) {
              window.told = [];
              for (const name of ["ready", "open", "close", "unread", "message", "ended"])
                addEventListener(`parley:${name}`, (event) => told.push([name, event.detail]));
              window.Parley = window.Parley || { q: [] };
              Parley.q.push(["on", "message", (detail) => told.push(["on", detail.direction])]);
              Parley.q.push(["prefill", "A mug, please"]);
            }"""
        )
        tab = await visit(context, address)
        await tab.page.get_by_role("button", name="Ask us").click()
        await expect(tab.text).to_have_value("A mug, please")
        await tab.text.press("Enter")
        number = await anna.hears("A mug, please")
        await tab.page.evaluate("() => Parley.close()")
        await expect(tab.chat.locator("main")).to_be_hidden()
        await anna.reply(number, "Which?")
        await expect(tab.launcher).to_have_accessible_name("Chat with us, 1 unread")
        await tab.page.evaluate("() => Parley('open')")
        await tab.sees("A mug, please", "Which?")
        await tab.page.wait_for_function("() => told.some(([name, detail]) => name === 'unread' && detail === 0)")
        told = await tab.page.evaluate("() => told")
        for wanted in (["open", None], ["close", None], ["unread", 1], ["on", "received"], ["on", "sent"]):
            assert wanted in told, (wanted, told)


async def test_loaded_twice_it_is_still_one(desk: ChatDesk, browser: Browser) -> None:
    token = await desk.inbox()
    async with site(desk, token, head=f'<script async src="{desk.url}/w/{token}.js?again"></script>') as address:
        tab = await visit(browser, address)
        await tab.open()
        await tab.page.wait_for_timeout(300)
        await expect(tab.page.locator("parley-chat")).to_have_count(1)
        assert tab.said == []


async def test_nobody_else_gets_a_word_in(desk: ChatDesk, browser: Browser, shop: str) -> None:
    """Messages from other windows, or of a shape that is not ours, are passed over by loader and frame."""
    tab = await visit(browser, shop)
    await tab.open()
    await tab.say("Mine")
    await tab.sees("Mine")
    frame = next(frame for frame in tab.page.frames if "/frame" in frame.url)
    forged = """() => {
      const endless = {}; endless.self = endless;
      for (const data of ["parley:hello", endless, { __proto__: { parley: 1 } }, { parley: 1, kept: { token: "x" } },
                          { t: "forget" }, "x".repeat(1e6), null, 7]) {
        window.postMessage(data, "*");
        document.querySelector("parley-chat").shadowRoot.querySelector("iframe").contentWindow.postMessage(data, "*");
      }
    }"""
    await tab.page.evaluate(forged)
    await tab.page.wait_for_timeout(300)
    await tab.say("Still mine")
    await tab.sees("Mine", "Still mine")
    assert tab.said == []
    assert frame.url


async def test_an_address_without_an_inbox_says_so_and_shows_nothing(desk: ChatDesk, browser: Browser) -> None:
    async with site(desk, "A" * 22) as address:
        tab = Visit(await browser.new_page())
        await tab.page.goto(address)
        await tab.page.wait_for_timeout(500)
        assert await tab.page.locator("parley-chat").count() == 0
        assert [text for text in tab.said if "Parley" in text]


async def judged(page: Page) -> list[str]:
    found = await Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    return [f"{v['id']}: {[n['html'] for n in v['nodes']]}" for v in found.response["violations"]]


@pytest.mark.parametrize("lang", ["en", "ar"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1440])
async def test_nobody_is_shut_out(desk: ChatDesk, browser: Browser, lang: str, scheme: Any, width: int) -> None:
    """No finding of axe in any view, nothing to scroll sideways, on host page and in the frame."""
    token = await desk.inbox(ask=["name", "email*"], consent="You may keep what I write.")
    async with desk.agent() as anna, site(desk, token, lang=lang) as address:
        tab = await visit(
            browser,
            address,
            viewport={"width": width, "height": 760},
            color_scheme=scheme,
            reduced_motion="reduce",
            bypass_csp=True,  # so that axe can run
        )
        assert await judged(tab.page) == []
        await tab.launcher.click()
        await tab.chat.locator(".before .main").click()
        assert await judged(tab.page) == []
        await tab.chat.locator("#email").fill("ann@example.org")
        await tab.text.fill("Hello " + "long" * 60)
        await tab.chat.locator(".box input").check()
        await tab.chat.locator(".before .main").click()
        number = await anna.hears("Hello " + "long" * 60)
        await anna.reply(number, "An answer, see https://shop.example/" + "a" * 90)
        await expect(tab.bubbles).to_have_count(2)
        await tab.chat.locator("[aria-controls=menu]").click()
        assert await judged(tab.page) == []
        await tab.chat.locator("#menu li").last.locator("button").click()
        await expect(tab.chat.locator(".card")).to_be_visible()
        assert await judged(tab.page) == []
        await tab.chat.locator(".plain").click()
        await anna.does("resolve", number=number)
        await expect(tab.chat.locator(".rating")).to_be_visible()
        assert await judged(tab.page) == []
        frame = next(frame for frame in tab.page.frames if "/frame" in frame.url)
        assert await frame.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        assert await tab.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


async def test_what_the_desk_refuses_stays_and_can_be_sent_again(desk: ChatDesk, browser: Browser, shop: str) -> None:
    refusing = True

    def between(line: WebSocketRoute) -> None:
        there = line.connect_to_server()

        def up(frame: str | bytes) -> None:
            said = json.loads(frame)
            if refusing and said.get("name") == "say":
                problem = {"type": "/problems/conflict", "status": 409, "detail": "Not now."}
                line.send(json.dumps({"type": "error", "id": said["id"], "problem": problem}))
            else:
                there.send(frame)

        line.on_message(up)

    async with desk.agent() as anna:
        context = await browser.new_context()
        await context.route_web_socket("**/live", between)
        tab = await visit(context, shop)
        await tab.open()
        await tab.say("At last")
        await expect(tab.bubble("At last")).to_contain_text("Not sent.")
        await expect(tab.chat.locator(".away[role=alert]")).to_have_text("Not sent. Try again")
        refusing = False
        await tab.bubble("At last").get_by_role("button", name="Try again").click()
        await expect(tab.bubble("At last")).to_contain_text("Sent")
        await anna.hears("At last")
        await tab.sees("At last")


async def test_where_there_is_more_than_one_way_the_visitor_chooses(desk: ChatDesk, browser: Browser) -> None:
    async with site(desk, await desk.inbox(offer_form=True)) as address:
        tab = await visit(browser, address, bypass_csp=True)
        await tab.launcher.click()
        form = tab.chat.get_by_role("link", name="Send a message")
        await expect(form).to_have_attribute("href", re.compile(rf"^{desk.url}/f/"))
        chat = tab.chat.get_by_role("button", name="Chat Write with us now")
        await expect(chat).to_be_focused()
        assert await judged(tab.page) == []
        await chat.click()
        await expect(tab.text).to_be_focused()


async def test_who_comes_back_later_sees_what_came_meanwhile(desk: ChatDesk, browser: Browser, shop: str) -> None:
    """Within half an hour the line is there by itself; later one small question is all."""
    async with desk.agent() as anna:
        context = await browser.new_context()
        tab = await visit(context, shop)
        await tab.open()
        await tab.say("I am off")
        number = await anna.hears("I am off")
        await expect(tab.bubble("I am off")).to_contain_text("Sent")
        await tab.page.close()
        await anna.reply(number, "See you")

        soon = await visit(context, shop)
        await expect(soon.launcher).to_have_accessible_name("Chat with us, 1 unread")
        await expect(soon.page.locator("parley-chat iframe")).to_be_attached()
        hour_ago = """() => { for (const key of Object.keys(localStorage))
          if (key.endsWith(":active")) localStorage[key] = Date.now() - 36e5; }"""
        await soon.page.evaluate(hour_ago)
        await soon.page.close()

        later = Visit(await context.new_page())
        async with later.page.expect_response(lambda answer: answer.url.endswith("/state")) as asked:
            await later.page.goto(shop)
        assert len(await (await asked.value).body()) <= 400
        await expect(later.launcher).to_have_accessible_name("Chat with us, 1 unread")
        await expect(later.page.locator("parley-chat iframe")).to_have_count(0)
        await later.open()
        await later.sees("I am off", "See you")
        assert later.said == []
