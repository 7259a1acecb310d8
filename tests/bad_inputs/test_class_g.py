"""HTML, style and addresses in every text field (class_g.yaml, fields.py), seen on every screen of console, settings,
chat and form in a real Chromium: nothing is run or fetched, nobody is led elsewhere, and all can be read as written."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Frame, Page, async_playwright, expect

from tests.bad_inputs import load
from tests.bad_inputs.fields import CHAT, FIELDS, FORM, SCREENS, SITE, Field, Matter, Putting
from tests.journeys.chat_desk import CHROMIUM, ChatDesk, Visit, chat_desk, site
from tests.live.client import Client

pytestmark = pytest.mark.browser

RAN = "this was run"
FEW = 20  # of some things there may be no more than a few dozen; of the others all but those refused in words
WATCH = f"""
  for (const name of ["__x", "alert", "confirm", "prompt", "print", "open"])
    window[name] = () => {{ console.error("{RAN}: " + name); }};
  addEventListener("securitypolicyviolation", (event) =>
    console.error("policy: " + event.violatedDirective + " " + event.blockedURI));
"""
# What no text may have become. In shadow roots there is nothing but the launcher.
STRANGE = r"""() => {
  const LEADS = new Set("href src action formaction data ping srcset poster background".split(" "));
  const SAFE = /^(https?:|mailto:|tel:|#|\?|\/(?!\/)|data:image\/|[\w.-]+(?:[\/?#]|$)|$)/i;
  const found = [];
  for (const element of document.querySelectorAll("*")) {
    const tag = element.localName;
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on")) found.push(`${tag} ${name}`);
      if (LEADS.has(name) && !SAFE.test(value)) found.push(`${tag} ${name}=${value}`);
    }
    if (["object", "embed", "base", "applet", "frame", "marquee", "math", "template"].includes(tag)) found.push(tag);
    if (tag === "iframe" && element.getRootNode() === document) found.push("iframe");
    if (tag === "script" && !element.src && !/json/.test(element.type)) found.push("script");
    if (tag === "style" || (tag === "meta" && element.httpEquiv)) found.push(tag);
  }
  return found;
}"""


class Beacon:
    """A server that counts what is asked of it. Nothing is to be."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Beacon"]:
        async def any_(request: web.Request) -> web.Response:
            self.asked.append(str(request.rel_url))
            return web.Response(text="")

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", any_)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


def texts(beacon: str) -> list[str]:
    found = []
    for line in load.lines("class_g.yaml"):
        text = line["text"].replace("$x", "__x()").replace("$beacon", beacon)
        times = line.get("times", 1)
        found.append(text + line["tail"] * times if "tail" in line else text * times)
    return found


@pytest.fixture(scope="module")
def desk() -> Iterator[ChatDesk]:
    with chat_desk() as running:
        yield running


# --- putting it in -------------------------------------------------------------------------------------------------


async def put_in(desk: ChatDesk, text: str, limit: asyncio.Semaphore, line: aiohttp.ClientSession) -> Matter:
    """One text into every field there is."""
    async with limit:
        name, settings = f"Chat {secrets.token_hex(4)}", {"offline": "never"}
        inbox = await desk.ask("POST", "/inboxes", {"kind": "chat", "name": name, "settings": settings})
        matter = Matter(text, inbox)
        async with line.ws_connect(f"ws://127.0.0.1:{desk.desk.port}/live", headers={"Origin": desk.url}) as socket:
            visitor = Client(socket)
            await visitor.say("hello", inbox=inbox["token"], site=SITE, cursor=None, page=f"{SITE}/{text[:2_000]}")
            await visitor.until("live")
            matter.visitor = (await visitor.until("welcome"))["visitor"]
            putting = Putting(desk, line, visitor, matter)
            first, *others = FIELDS
            await first.put(putting, text[: first.most])
            if not matter.refused:
                said = await visitor.event("message.received")
                matter.message_id, matter.number = said["message"]["id"], said["message"]["number"]
            else:  # not as a message; then beside one
                told = await putting.say("say", text="Hello", client_id="plain")
                assert told is not None
                matter.number = told["answer"]["number"]
            matter.contact_id = (await desk.ask("GET", f"/tickets/{matter.number}"))["ticket"]["contact_id"]
            for field in others:
                before = len(matter.refused)
                await field.put(putting, cut(field, text))
                matter.taken += [field.name] if len(matter.refused) == before else []
        return matter


def cut(field: Field, text: str) -> str:
    return text[: field.most].strip() or "x"


# --- looking -------------------------------------------------------------------------------------------------------


class Watched:
    """A browser whose every word, request, dialog and window is kept."""

    def __init__(self, context: BrowserContext, *known: str) -> None:
        self.context, self.known = context, known
        self.said: list[str] = []
        self.asked: list[str] = []
        self.other: list[str] = []
        self.strange: list[str] = []
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("page", self._page)

    def _page(self, page: Page) -> None:
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: self.other.append(f"dialog: {dialog.message}"))
        page.on("popup", lambda popup: self.other.append(f"window: {popup.url}"))
        page.on("download", lambda download: self.other.append(f"download: {download.url}"))
        page.on("framenavigated", self._moved)

    def _moved(self, frame: Frame) -> None:
        if not frame.url.startswith(("about:blank", *self.known)):
            self.other.append(f"moved to {frame.url}")

    async def look(self, *frames: Frame, at: str = "") -> None:
        for frame in frames:
            self.strange += [f"{at}: {one}" for one in await frame.evaluate(STRANGE)]

    def judge(self) -> None:
        assert self.said == []
        assert self.other == []
        assert self.strange == []
        assert [url for url in self.asked if not url.startswith(self.known)] == []


@contextlib.asynccontextmanager
async def watched(browser: Browser, *known: str) -> AsyncIterator[Watched]:
    context = await browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 800})
    await context.add_init_script(WATCH)
    yield Watched(context, *known)
    await context.close()


async def agent_looks(desk: ChatDesk, browser: Browser, matters: list[Matter]) -> None:
    """Every ticket, then every screen that names things."""
    address = f"http://127.0.0.1:{desk.desk.port}"
    async with watched(browser, desk.url, address) as seen:
        name, _, value = desk.session.partition("=")
        await seen.context.add_cookies([{"name": name, "value": value, "url": desk.url}])
        page = await seen.context.new_page()
        await page.goto(f"{desk.url}/inbox")
        await page.locator(".row").first.wait_for()
        for matter in matters:
            await page.evaluate(
                "(path) => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }",
                f"/inbox/{matter.number}",
            )
            thread = await desk.ask("GET", f"/tickets/{matter.number}")
            written = {one["text"] for one in (*thread["messages"], *thread["notes"])}
            await expect(page.locator(".thread__head")).to_contain_text(f"#{matter.number}")
            await expect(page.locator(".bubble__text")).to_have_count(len(thread["messages"]) + len(thread["notes"]))
            assert written <= set(await page.locator(".bubble__text").all_text_contents()), matter.text
        await seen.look(page.main_frame, at="a ticket")
        for screen in SCREENS:
            await page.goto(f"{desk.url}{screen}")
            await page.wait_for_load_state("networkidle")
            await seen.look(page.main_frame, at=screen)
            assert await page.evaluate("() => document.querySelector('h1, .row') !== null"), screen
        for matter in matters[::8]:
            await page.goto(f"{desk.url}/contacts/{matter.contact_id}")
            await page.wait_for_load_state("networkidle")
            await seen.look(page.main_frame, at="a contact")
        for matter in matters[::12]:
            await page.goto(f"{desk.url}/settings/inboxes/{matter.inbox['id']}")
            await seen.look(page.main_frame, at="an inbox")
        seen.judge()


async def visitor_looks(desk: ChatDesk, browser: Browser, matters: list[Matter], all_texts: list[str]) -> None:
    """A chat in which all was said by both sides, opened anew; and the texts that are set for chats and forms."""
    settings = list(portions(all_texts))
    token = await desk.inbox()
    async with desk.agent() as anna, site(desk, token) as address, watched(browser, desk.url, address) as seen:
        tab = Visit(await seen.context.new_page())
        await tab.page.goto(address)
        await tab.open()
        await tab.say("Hello")
        number = await anna.hears("Hello")
        frame = next(frame for frame in tab.page.frames if "/frame" in frame.url)
        for text in all_texts:
            await desk.ask("POST", f"/tickets/{number}/reply", {"text": text, "anyway": True})
        await expect(tab.bubbles).to_have_count(len(all_texts) + 1, timeout=20_000)
        assert await tab.bubbles.all_text_contents() == ["Hello", *all_texts]
        for matter in matters:
            await desk.ask("POST", f"/tickets/{number}/assign", {"agent_id": await of_ticket(desk, matter)})
        await seen.look(frame, tab.page.main_frame, at="the chat")
        for text in all_texts[:15]:  # as many as one may say in a minute
            await tab.say(text)
        await expect(tab.chat.locator(".message.mine")).to_have_count(16)
        await tab.page.reload()
        await expect(tab.bubbles).to_have_count(50)
        await seen.look(next(f for f in tab.page.frames if "/frame" in f.url), at="the chat, opened anew")
        seen.judge()

    for index in range(0, len(settings), 2):
        await set_texts(desk, browser, *settings[index : index + 2])


async def of_ticket(desk: ChatDesk, matter: Matter) -> int:
    return int((await desk.ask("GET", f"/tickets/{matter.number}"))["ticket"]["assignee_id"] or 1)


def portions(all_texts: list[str]) -> Iterator[list[str]]:
    """As many as fit into a setting, one after the other."""
    part: list[str] = []
    for text in all_texts:
        if part and sum(map(len, part)) + len(part) + len(text) > 480:
            yield part
            part = []
        part.append(text[:480])
    yield part


async def set_texts(desk: ChatDesk, browser: Browser, one: list[str], other: list[str] | None = None) -> None:
    """A chat whose settings have some of the texts, and a form that has them all."""
    first, second = " ".join(one), " ".join(other or one)
    values = {"title": min(one, key=len), "greeting": first, "consent": second}
    chat = {name: values[name][:most].strip() for name, most in CHAT.items()}
    whole = f"{first} {second}"
    form = {name: whole[:most].strip() for name, most in FORM.items()}
    token = await desk.inbox(**chat, ask=["name", "subject"], offer_form=False)
    made = await desk.ask("POST", "/inboxes", {"kind": "form", "name": f"Form {token}", "settings": form})
    async with site(desk, token) as address, watched(browser, desk.url, address) as seen:
        tab = Visit(await seen.context.new_page())
        await tab.page.goto(address)
        await tab.launcher.click()
        await expect(tab.chat.locator(".welcome")).to_be_visible()
        assert await tab.chat.locator(".welcome").text_content() == chat["greeting"]
        assert await tab.chat.locator(".box bdi").text_content() == chat["consent"]
        assert await tab.chat.locator("h1").text_content() == chat["title"]
        for name in ("name", "subject"):
            await tab.chat.locator(f"#{name}").fill(whole[:300])
        await seen.look(next(f for f in tab.page.frames if "/frame" in f.url), at="the form before a chat")
        await tab.page.goto(f"{desk.url}/f/{made['token']}")
        assert form["intro"].split("\n")[0][:40] in await tab.page.locator("main").inner_text()
        await seen.look(tab.page.main_frame, at="the contact form")
        seen.judge()


async def test_what_is_more_than_text_would_be_noticed() -> None:
    """The same watch over a page that puts the texts in as they are."""
    async with Beacon().running() as beacon, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        async with watched(browser, "about:") as seen:
            page = await seen.context.new_page()
            for text in texts(beacon.url)[:14]:
                await page.set_content(f"<main>{text}</main>")
                await seen.look(page.main_frame)
            assert any(RAN in said for said in seen.said)
            assert beacon.asked
            assert {"script", "img onerror", "svg onload"} <= {one[2:] for one in seen.strange}
        await browser.close()


@pytest.mark.timeout(420)  # a hundred texts, twenty fields, thirty screens
async def test_nothing_that_people_write_is_more_than_text(desk: ChatDesk) -> None:
    async with Beacon().running() as beacon, aiohttp.ClientSession() as http, async_playwright() as playwright:
        all_texts = texts(beacon.url)
        limit = asyncio.Semaphore(4)
        matters = await asyncio.gather(*(put_in(desk, text, limit, http) for text in all_texts))
        went = Counter(name for matter in matters for name in matter.taken)
        refused = [one for matter in matters for one in matter.refused]
        assert not [field.name for field in FIELDS[1:] if went[field.name] < FEW], (went, refused)
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        taken = [matter.text for matter in matters if matter.message_id]
        assert len(taken) >= len(matters) - 3
        await agent_looks(desk, browser, matters)
        await visitor_looks(desk, browser, matters, taken)
        await browser.close()
        assert beacon.asked == []
