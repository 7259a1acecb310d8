"""The HTML of mails (class_g.yaml, class_g_mail.yaml) in a real Chromium, behind each of the walls alone and behind all
of them: nothing is run, nothing is fetched. What notices it is shown to notice.

The sandbox alone keeps scripts from running and the frame from leading anybody away; pictures and styles it lets a page
fetch, so what is asked of the beacon is not judged there.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from connectors.email import markup, reading
from hub.clock import ManualClock
from hub.connector import Raw
from hub.db.store import Store
from hub.desk import inboxes, message_pages
from hub.staff.access import DESK
from hub.web.message_page import POLICY, SANDBOX
from hub.work import inbound
from tests.bad_inputs import load
from tests.fixtures.desk import DeskClient, serving

pytestmark = pytest.mark.browser

RAN = "this was run"
WATCH = f"""
  for (const name of ["__x", "alert", "confirm", "prompt", "print"])
    window[name] = () => {{ console.error("{RAN}: " + name); }};
"""
WITHOUT_SANDBOX = POLICY.format(more="").partition("; sandbox")[0].replace("; frame-ancestors 'self'", "")


class Beacon:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pages: dict[str, tuple[str, str]] = {}  # path → (policy, HTML)
        self.url = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Beacon"]:
        async def answer(request: web.Request) -> web.Response:
            if request.path in self.pages:
                policy, html = self.pages[request.path]
                headers = {"Content-Security-Policy": policy} if policy else {}
                return web.Response(text=html, content_type="text/html", headers=headers)
            if request.path != "/favicon.ico":
                self.asked.append(request.path_qs)
            return web.Response(text="window.__x && __x()", content_type="text/javascript")

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


@contextlib.asynccontextmanager
async def two() -> AsyncIterator[tuple[Beacon, Beacon]]:
    """(where the pages come from, what nobody is to ask anything of)."""
    async with Beacon().running() as site, Beacon().running() as beacon:
        yield site, beacon


def payloads(beacon: str) -> list[str]:
    found = []
    for line in (*load.lines("class_g.yaml"), *load.lines("class_g_mail.yaml")):
        times = line.get("times", 1)
        text = line["text"] + line["tail"] * times if "tail" in line else line.get("text", "") * times
        found.append(text.replace("$x", "__x()").replace("$beacon", beacon))
    return found


async def look(
    browser: Browser,
    site: Beacon,
    pieces: Sequence[str],
    *,
    policy: str = "",
    sandbox: str | None = None,
    above: str = "",
) -> tuple[list[str], list[str]]:
    """(what was run, where frames went): each piece in a frame of its own, twenty on a page. `policy`: of the frames;
    `above`: of the page that they are in."""
    ran: list[str] = []
    went: list[str] = []
    context = await browser.new_context()
    await context.add_init_script(WATCH)
    page = await context.new_page()
    page.on("console", lambda said: ran.append(said.text) if RAN in said.text else None)
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.dismiss()))
    page.on("framenavigated", lambda frame: went.append(frame.url))
    context.on("page", lambda other: went.append(f"opened {other.url}"))
    for start in range(0, len(pieces), 20):
        some = range(start, min(len(pieces), start + 20))
        for number in some:
            site.pages[f"/piece/{number}"] = (policy, f"<!doctype html><meta charset=utf-8><body>{pieces[number]}")
        box = "" if sandbox is None else f' sandbox="{sandbox}"'
        frames = "".join(f'<iframe src="/piece/{number}"{box}></iframe>' for number in some)
        site.pages["/top"] = (above, f"<!doctype html><title>top</title>{frames}")
        await page.goto(f"{site.url}/top", wait_until="load")
        await page.wait_for_timeout(400)
    await context.close()
    return ran, [url for url in went if not url.startswith((site.url, "about:", "chrome-error:"))]


async def test_the_probe_sees_what_runs_and_what_is_fetched(browser: Browser) -> None:
    async with two() as (site, beacon):
        ran, _ = await look(browser, site, payloads(beacon.url))
        assert len(ran) > 30, "what is run would be noticed"
        assert len({path.partition("?")[0] for path in beacon.asked}) > 40, "and what is fetched"


async def test_the_sanitiser_alone(browser: Browser) -> None:
    async with two() as (site, beacon):
        pieces = [served(text) for text in payloads(beacon.url)]
        ran, went = await look(browser, site, pieces)
        assert (ran, went, beacon.asked) == ([], [], [])


async def test_the_sandbox_alone(browser: Browser) -> None:
    async with two() as (site, beacon):
        ran, _ = await look(browser, site, payloads(beacon.url), sandbox=SANDBOX)
        assert ran == []


async def test_the_policy_alone(browser: Browser) -> None:
    """Of the page, and of the console around it, which keeps the frame from going elsewhere."""
    async with two() as (site, beacon):
        ran, went = await look(
            browser, site, payloads(beacon.url), policy=WITHOUT_SANDBOX, above="default-src 'none'; frame-src 'self'"
        )
        assert (ran, went, beacon.asked) == ([], [], [])


def served(html: str) -> str:
    """As hub.web.message_page puts it into its page, without asking for pictures."""
    found = markup.read(html).html or ""
    return message_pages.PICTURE.sub(lambda picture: "<img>" if message_pages.remote(picture[1]) else picture[0], found)


# --- as agents see it ------------------------------------------------------------------------------------------------


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def mail(number: int, html: str, text: str = "") -> bytes:
    plain = f"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n" if text else ""
    return (
        "From: Eve Adams <eve@example.net>\r\nTo: help@example.org\r\nSubject: A mail\r\n"
        f"Message-ID: <{number}@example.net>\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
        f"{plain}--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--x--\r\n"
    ).encode()


async def take_in(client: DeskClient, mails: Sequence[bytes]) -> list[int]:
    """The ids of the messages that a mailbox of the desk makes of them, read as the desk reads them."""
    settings = {
        "address": "help@example.org",
        "password": "x",
        "joining": "person",
        "imap_host": "imap.example.org",
        "smtp_host": "smtp.example.org",
    }
    inbox = await client.store.write(
        lambda tx: inboxes.create(tx, DESK, kind="email", name="Help", team_id=client.team_id, settings=settings)
    )
    connector = client.desk.runner.connector(inbox)
    for raw in mails:
        (item,) = connector.parse(
            Raw(body=raw, read=msgspec.msgpack.encode(await asyncio.to_thread(reading.read, raw)))
        )
        await client.store.write(inbound.apply, inbox, item, [])
    return [row[0] for row in await client.store.read(lambda rx: rx.rows("SELECT id FROM message ORDER BY id"))]


@pytest.fixture
async def on_a_port(sqlite_store: Store, clock: ManualClock, tmp_path: Path, port: int) -> AsyncIterator[DeskClient]:
    async with serving(sqlite_store, clock, tmp_path, port=port, public_url=f"http://127.0.0.1:{port}") as client:
        yield client


async def open_as_agent(browser: Browser, client: DeskClient, **how: object) -> Page:
    context = await browser.new_context(**how)  # type: ignore[arg-type]
    await context.add_init_script(WATCH)
    await context.add_cookies([{"name": "parley", "value": client.people["administrator"].session, "url": client.url}])
    return await context.new_page()


async def test_all_of_them_as_the_desk_shows_them(browser: Browser, on_a_port: DeskClient) -> None:
    async with Beacon().running() as beacon:
        ids = await take_in(on_a_port, [mail(n, html) for n, html in enumerate(payloads(beacon.url))])
        page = await open_as_agent(browser, on_a_port)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if RAN in message.text else None)
        await page.goto(f"{on_a_port.url}/healthz")
        for start in range(0, len(ids), 30):
            await page.evaluate(
                """(ids) => Promise.all(ids.map((id) => new Promise((done) => {
                  const frame = Object.assign(document.createElement('iframe'), { src: `/m/${id}/body`, onload: done });
                  document.body.append(frame);
                })))""",
                ids[start : start + 30],
            )
        await page.wait_for_timeout(300)
        assert (said, beacon.asked) == ([], [])
        assert not [f.url for f in page.frames if not f.url.startswith((on_a_port.url, "chrome-error:", "about:"))]


async def test_a_mail_is_read_unfolded_and_its_pictures_asked_for(browser: Browser, on_a_port: DeskClient) -> None:
    client = on_a_port
    quoted = (
        "<div class=gmail_quote>On Mon, 4 May 2026 at 09:12 Desk &lt;d@example.org&gt; wrote:"
        "<blockquote class=gmail_quote>Well?</blockquote></div>"
    )
    picture = '<img src="https://pictures.example/a.png" alt="a shop">'
    html = f'<p>Yes, <b>please</b>.</p>{picture}<a href="https://evil.example/">https://bank.example</a>{quoted}'
    await take_in(client, [mail(1, html), mail(2, "<p>Plain.</p>" + "<p>line</p>" * 80)])
    page = await open_as_agent(browser, client, viewport={"width": 1280, "height": 900})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await page.goto(f"{client.url}/inbox/1001")
    card = page.locator("p-letter").first
    await expect(card).to_contain_text("Not verified: anybody can write such a sender.")
    await expect(card).to_contain_text("A link in it leads somewhere else than it says.")
    await expect(card.locator(".letter__from")).to_have_text("eve@example.net")
    frame = card.frame_locator("iframe")
    await expect(frame.locator("b")).to_have_text("please")
    await expect(frame.locator("body")).to_contain_text("[evil.example]")
    await expect(frame.get_by_text("Well?")).to_be_hidden()
    before = await card.locator("iframe").evaluate("(frame) => frame.offsetHeight")
    await frame.get_by_text("What it quotes").click()
    await expect(frame.get_by_text("Well?")).to_be_visible()
    await page.wait_for_function(f"document.querySelector('p-letter iframe').offsetHeight > {before}")
    await card.get_by_role("button", name="Show 1 picture").click()
    await expect(frame.locator("img")).to_have_attribute("src", "/m/1/picture?n=0")
    await card.get_by_role("button", name="Text only").click()
    await expect(card.locator(".letter__text").first).to_contain_text("Yes, please.")
    long = page.locator("p-letter").nth(1).locator("iframe")
    await long.scroll_into_view_if_needed()
    await page.wait_for_function("document.querySelectorAll('p-letter iframe')[0].offsetHeight > 2000")
    assert wrong == []
