"""A day in the life: three agents of two teams in real browsers, forty visitors, and what goes wrong on a day.

A line that is cut while an offer rings, a laptop that is closed, lunch, a holiday, a handover, a merge taken back, two
who answer at once. In the evening every ticket is answered, pending, snoozed with a time, or in somebody's queue, and
every visitor has had the answers meant for them, each once; the ledger is printed.
"""

import asyncio
import contextlib
import dataclasses
import datetime
import itertools
import json
import re
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.app.process import Desk, parley
from tests.fixtures.databases import fast_folder
from tests.journeys.test_console import PASSWORD, sign_in_by_api
from tests.live.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

SITE = "https://shop.example"
MIRA, ANNA, BO, CHAN = (f"{name}@example.org" for name in ("mira", "anna", "bo", "chan"))
PATIENCE = 30_000  # milliseconds: two cores may carry four browsers
MOST = 10  # points of load that an agent takes on: five chats


@dataclasses.dataclass
class Visitor:
    """A browser on the shop's site, as the desk sees it."""

    name: str
    live: Client
    number: int = 0

    async def says(self, text: str) -> int:
        answer = await self.live.command("say", text=text, client_id=secrets.token_hex(8))
        assert answer["type"] == "answer", answer
        self.number = answer["answer"]["number"]
        return self.number

    def heard(self) -> list[str]:
        told = [one for one in self.live.events if one["name"] == "message.sent"]
        return [one["message"]["text"] for one in told]


class House:
    """The desk with its people, teams and inboxes."""

    def __init__(self, desk: Desk, sessions: dict[str, str]) -> None:
        self.desk, self.sessions = desk, sessions
        self.agents: dict[str, int] = {}
        self.teams: dict[str, int] = {}
        self.inboxes: dict[str, dict[str, Any]] = {}
        self.visitors: list[Visitor] = []
        self.answers: dict[int, list[str]] = {}  # ticket → what was sent to its visitor
        self._names = itertools.count(1)

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.desk.port}{path}"

    async def tried(self, method: str, path: str, body: Any = None, *, as_: str = MIRA) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json", "X-Parley-CSRF": "1", "Cookie": self.sessions[as_]}
        sent = None if body is None else json.dumps(body)
        status, text = await asyncio.to_thread(self.desk.ask, method, f"/api/v1{path}", sent, **headers)
        return status, json.loads(text) if text else None

    async def ask(self, method: str, path: str, body: Any = None, *, as_: str = MIRA) -> Any:
        status, answer = await self.tried(method, path, body, as_=as_)
        assert status < 300, (method, path, status, answer)
        return answer

    async def furnish(self) -> None:
        self.agents = {a["email"]: a["id"] for a in (await self.ask("GET", "/agents"))["items"]}
        for name, people in (("Support", (ANNA, BO)), ("Sales", (CHAN,))):
            team = self.teams[name] = (await self.ask("POST", "/teams", {"name": name}))["id"]
            for email in people:
                await self.ask("PATCH", f"/agents/{self.agents[email]}", {"capacity": MOST})
                await self.ask("PUT", f"/teams/{team}/members/{self.agents[email]}")
            settings = {
                "allowed_origins": [SITE],
                "offline": "never",
                "routing": "offer",
                "accept_within": 20,
                "after_everybody": 10,
            }
            made = {"kind": "chat", "name": f"{name} chat", "team_id": team, "settings": settings}
            self.inboxes[name] = await self.ask("POST", "/inboxes", made)
            await self.ask("PUT", f"/teams/{team}/inboxes/{self.inboxes[name]['id']}")

    async def visitor(self, http: aiohttp.ClientSession, inbox: str) -> Visitor:
        line = await http.ws_connect(self.url("/live").replace("http", "ws"), headers={"Origin": self.url()})
        visitor = Visitor(f"Visitor {next(self._names)}", Client(line, answers=True))
        token = self.inboxes[inbox]["token"]
        await visitor.live.say("hello", inbox=token, visitor=None, site=SITE, cursor=None, page=f"{SITE}/mugs")
        await visitor.live.until("live")
        self.visitors.append(visitor)
        return visitor

    async def ticket(self, number: int) -> dict[str, Any]:
        ticket: dict[str, Any] = (await self.ask("GET", f"/tickets/{number}"))["ticket"]
        return ticket

    async def until(
        self, number: int, holds: Callable[[dict[str, Any]], bool], seconds: float = 30.0
    ) -> dict[str, Any]:
        for _ in range(int(seconds / 0.2)):
            ticket = await self.ticket(number)
            if holds(ticket):
                return ticket
            await asyncio.sleep(0.2)
        raise AssertionError(await self.ticket(number))

    async def all_tickets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await self.ask("GET", f"/tickets?limit=100{cursor}")
            found += page["items"]
            if not page["next"]:
                return found
            cursor = f"&cursor={page['next']}"

    async def mine(self, email: str) -> list[dict[str, Any]]:
        """What waits for an answer of theirs."""
        items = (await self.ask("GET", "/tickets?view=mine&limit=100", as_=email))["items"]
        return [ticket for ticket in items if ticket["waiting_since"] is not None]


class Console:
    """An agent's browser."""

    def __init__(self, house: House, email: str, context: BrowserContext, page: Page) -> None:
        self.house, self.email, self.context, self.page = house, email, context, page
        self.said: list[str] = []
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.set_default_timeout(PATIENCE)

    @property
    def offer(self) -> Locator:
        return self.page.locator(".offer")

    @property
    def about(self) -> Locator:
        return self.page.locator(".thread__about")

    async def open(self, number: int) -> None:
        await self.page.goto(self.house.url(f"/inbox/{number}"))
        await expect(self.page.get_by_role("log")).to_be_visible(timeout=PATIENCE)
        await expect(self.page.locator(".bubble").first).to_be_visible(timeout=PATIENCE)

    async def online(self) -> None:
        await self.house.ask("PUT", "/me/availability", {"availability": "online"}, as_=self.email)
        await expect(self.page.locator(".presence--online, .presence--online *").first).to_be_attached(timeout=PATIENCE)

    async def accept(self) -> int:
        """Takes what rings. → its number"""
        await expect(self.offer).to_be_visible(timeout=PATIENCE)
        await self.offer.get_by_role("button", name="Accept").click()
        await expect(self.page).to_have_url(re.compile(r"/inbox/\d+"), timeout=PATIENCE)
        await expect(self.about).to_contain_text("Yours", timeout=PATIENCE)
        return int(self.page.url.partition("/inbox/")[2].partition("?")[0])

    async def answer(self, number: int, text: str) -> None:
        await self.open(number)
        field = self.page.get_by_label("Reply to the customer")
        await field.fill(text)
        await field.press("Control+Enter")
        await expect(self.page.locator(".bubble--ours").filter(has_text=text)).to_have_count(1, timeout=PATIENCE)
        await expect(self.page.locator(".bubble--going")).to_have_count(0, timeout=PATIENCE)
        self.house.answers.setdefault(number, []).append(text)


@contextlib.asynccontextmanager
async def at_work(house: House, browser: Browser, email: str) -> AsyncIterator[Console]:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    name, _, value = house.sessions[email].partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": house.url("/")}])
    console = Console(house, email, context, await context.new_page())
    await console.page.goto(house.url("/inbox"))
    await expect(console.page.locator(".rows, .empty").first).to_be_attached(timeout=PATIENCE)
    await console.online()
    yield console
    await context.close()


@pytest.fixture
def house() -> Iterator[House]:
    folder = fast_folder()
    data = folder / "data"
    for email in (MIRA, ANNA, BO, CHAN):
        words = ("agent", "create", "--name", email.partition("@")[0].title(), "--email", email)
        role = "administrator" if email == MIRA else "agent"
        made = parley(data, *words, "--role", role, "--password-stdin", stdin=f"{PASSWORD}\n")
        assert made.returncode == 0, made.stderr
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    many = "100000"
    with Desk(data, PUBLIC_URL=url, PORT=str(port), STRANGERS_PER_MINUTE=many, API_PER_MINUTE=many) as running:
        yield House(running, {email: sign_in_by_api(running, email) for email in (MIRA, ANNA, BO, CHAN)})
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


async def test_a_day_in_the_life(house: House, browser: Browser, http: aiohttp.ClientSession) -> None:
    await house.furnish()
    async with (
        at_work(house, browser, ANNA) as anna,
        at_work(house, browser, CHAN) as chan,
        contextlib.AsyncExitStack() as stack,
    ):
        bo = await stack.enter_async_context(at_work(house, browser, BO))
        support = await morning(house, http, anna, bo, chan)
        await cut_while_it_rings(house, http, anna, bo)
        await both_answer(house, anna, bo, support[0])
        await lunch(house, http, anna, bo)
        await handed_over(house, anna, chan)
        await merged_and_back(house, http, anna)
        await snoozed(house, anna)
        await holiday(house, http)
        await closed_laptop(house, anna, stack)
        await evening(house, http, anna, chan)
        assert anna.said == chan.said == []
    await ledger(house)


async def morning(house: House, http: aiohttp.ClientSession, anna: Console, bo: Console, chan: Console) -> list[int]:
    """Twelve write to Support, four to Sales: nobody gets more than they can take, the rest waits in its order."""
    support = [await house.visitor(http, "Support") for _ in range(12)]
    for visitor in support:
        await visitor.says(f"Good morning, {visitor.name} here. My mug is broken.")
    sales = [await house.visitor(http, "Sales") for _ in range(4)]
    for visitor in sales:
        await visitor.says(f"{visitor.name} would like a quote.")
    first = await anna.accept()
    await anna.answer(first, "Good morning! I am sorry about the mug.")
    taken = {first, await bo.accept()}
    for _ in range(4):  # by the other door, as a phone would
        for email in (ANNA, BO):
            offered = [t for t in await house.all_tickets() if t["offered_to"] == house.agents[email]]
            for ticket in offered[:1]:
                if (await house.tried("POST", f"/tickets/{ticket['number']}/accept", {}, as_=email))[0] == 200:
                    taken.add(ticket["number"])
    for visitor in sales:
        ticket = await house.until(visitor.number, lambda t: house.agents[CHAN] in (t["offered_to"], t["assignee_id"]))
        if ticket["offered_to"]:
            await house.ask("POST", f"/tickets/{visitor.number}/accept", {}, as_=CHAN)
    await chan.answer(sales[0].number, "Twelve mugs are 240.")
    tickets = {t["number"]: t for t in await house.all_tickets()}
    for email in (ANNA, BO, CHAN):
        load = sum(2 for t in tickets.values() if t["assignee_id"] == house.agents[email] and t["status"] == "open")
        assert load <= MOST, (email, load)
    assert {tickets[v.number]["assignee_id"] for v in sales} == {house.agents[CHAN]}
    waiting = [
        v.number for v in support if tickets[v.number]["assignee_id"] is None and not tickets[v.number]["offered_to"]
    ]
    assert waiting == sorted(waiting) and set(waiting) & taken == set()
    return sorted(taken)


async def cut_while_it_rings(house: House, http: aiohttp.ClientSession, anna: Console, bo: Console) -> None:
    """Bo's line is cut while an offer rings: it passes on to whoever is there, and Bo's late press takes nothing."""
    for email in (ANNA, BO):  # both have room for one more
        mine = (await house.ask("GET", "/tickets?view=mine&limit=100", as_=email))["items"]
        await house.ask("POST", f"/tickets/{mine[-1]['number']}/resolve", {}, as_=email)
    await house.ask("PUT", "/me/availability", {"availability": "busy"}, as_=ANNA)
    visitor = await house.visitor(http, "Support")
    await visitor.says("Is anybody there?")
    ringing = next(t["number"] for t in await house.all_tickets() if t["offered_to"] == house.agents[BO])
    await expect(bo.offer).to_be_visible(timeout=PATIENCE)
    await bo.context.set_offline(True)
    await house.ask("PUT", "/me/availability", {"availability": "online"}, as_=ANNA)
    ticket = await house.until(ringing, lambda t: t["offered_to"] != house.agents[BO], seconds=60)
    assert ticket["assignee_id"] != house.agents[BO]
    await bo.context.set_offline(False)
    refused, _ = await house.tried("POST", f"/tickets/{ringing}/accept", {}, as_=BO)
    assert refused == 409
    await expect(bo.page.locator("p-connection")).not_to_contain_text("Reconnecting", timeout=PATIENCE)


async def both_answer(house: House, anna: Console, bo: Console, number: int) -> None:
    """Two write to one customer at once: the second is stopped, reads, and lets it be."""
    await anna.open(number)
    await bo.open(number)
    await bo.page.get_by_label("Reply to the customer").fill("We do not know.")
    await anna.answer(number, "A new one is on its way.")
    await expect(bo.page.locator(".bubble--ours").filter(has_text="on its way")).to_have_count(1, timeout=PATIENCE)
    status, problem = await house.tried(
        "POST", f"/tickets/{number}/reply", {"text": "We do not know.", "seen": 1}, as_=BO
    )
    assert status == 409 and "on its way" in json.dumps(problem)
    await bo.page.get_by_label("Reply to the customer").fill("")


async def lunch(house: House, http: aiohttp.ClientSession, anna: Console, bo: Console) -> None:
    """Anna is away until one: nothing is offered to her, what is hers stays hers, and then she is back by herself."""
    back = int((datetime.datetime.now(datetime.UTC).timestamp() + 5) * 1000)
    held = {t["number"] for t in await house.mine(ANNA)}
    await house.ask("PUT", "/me/availability", {"availability": "away", "until": back, "reason": "Lunch"}, as_=ANNA)
    visitor = await house.visitor(http, "Support")
    await visitor.says("Do you still have the blue one?")
    assert (await house.ticket(visitor.number))["offered_to"] != house.agents[ANNA]
    assert held <= {t["number"] for t in await house.mine(ANNA)}
    for _ in range(150):
        if (await house.ask("GET", "/me", as_=ANNA))["agent"]["availability"] == "online":
            return
        await asyncio.sleep(0.2)
    raise AssertionError("she is not back from lunch")


async def handed_over(house: House, anna: Console, chan: Console) -> None:
    """A matter for Sales goes there with a note; who reads it needs not ask."""
    number = (await house.mine(ANNA))[0]["number"]
    await anna.open(number)
    await anna.page.keyboard.press("Escape")
    await anna.page.keyboard.press("a")
    await anna.page.get_by_role("option", name="Hand over with a note").click()
    sheet = anna.page.locator("dialog[open]")
    await sheet.locator("select").select_option(label="Sales")
    await sheet.locator("textarea").fill("Wants twelve of them, for an office.")
    await sheet.get_by_role("button", name="Hand over").click()
    await house.until(number, lambda t: t["team_id"] == house.teams["Sales"])
    notes = (await house.ask("GET", f"/tickets/{number}"))["notes"]
    assert [note["text"] for note in notes] == ["Wants twelve of them, for an office."]


async def merged_and_back(house: House, http: aiohttp.ClientSession, anna: Console) -> None:
    """Two tickets are made one, and two again: all is where it was."""
    pair = []
    contact = await house.ask("POST", "/contacts", {"name": "Noor", "points": [{"kind": "email", "value": "n@b.org"}]})
    for text in ("The lid is missing.", "And the spoon."):
        opened = {"contact_id": contact["id"], "inbox_id": house.inboxes["Support"]["id"], "text": text}
        pair.append((await house.ask("POST", "/tickets", opened))["number"])
    before = [await house.ask("GET", f"/tickets/{number}") for number in pair]
    await house.ask("POST", f"/tickets/{pair[1]}/merge", {"into": pair[0]}, as_=MIRA)
    both = await house.ask("GET", f"/tickets/{pair[0]}")
    assert [m["text"] for m in both["messages"]] == ["The lid is missing.", "And the spoon."]
    await house.ask("POST", f"/tickets/{pair[1]}/unmerge", {}, as_=MIRA)
    after = [await house.ask("GET", f"/tickets/{number}") for number in pair]
    assert [[m["id"] for m in thread["messages"]] for thread in after] == [
        [m["id"] for m in thread["messages"]] for thread in before
    ]
    for number in pair:
        await house.ask("POST", f"/tickets/{number}/claim", {}, as_=MIRA)
        await house.ask("POST", f"/tickets/{number}/reply", {"text": "Both are on their way.", "anyway": True})
        await house.ask("POST", f"/tickets/{number}/pending", {})


async def snoozed(house: House, anna: Console) -> None:
    """What can wait until tomorrow sleeps until then."""
    number = (await house.mine(ANNA))[0]["number"]
    await anna.answer(number, "I will look into it and write to you tomorrow.")
    await anna.page.keyboard.press("Escape")
    await anna.page.keyboard.press("s")
    await anna.page.get_by_role("option", name="Tomorrow").click()
    ticket = await house.until(number, lambda t: t["status"] == "snoozed")
    assert ticket["snoozed_until"] > ticket["last_message_at"]


async def holiday(house: House, http: aiohttp.ClientSession) -> None:
    """Sales has a holiday today: who comes is told when somebody is there again, and what they leave is kept."""
    inbox = house.inboxes["Sales"]
    always = [[["00:00", "24:00"]]] * 7
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    off = [{"date": today, "name": "Stocktaking", "closed": True}]
    hours = await house.ask("POST", "/hours", {"name": "Sales", "zone": "UTC", "week": always, "days": off})
    await house.ask("PATCH", f"/inboxes/{inbox['id']}", {"settings": {"hours_id": hours["id"]}})
    visitor = await house.visitor(http, "Sales")
    state = next(told for told in visitor.live.frames if told["type"] == "snapshot")["state"]
    assert state["opens_at"] is not None and state["opens_at"] > datetime.datetime.now().timestamp() * 1000
    await visitor.says("A quote for fifty, please, when you are back.")
    await house.until(visitor.number, lambda t: t["waiting_since"] is not None)


async def closed_laptop(house: House, anna: Console, stack: contextlib.AsyncExitStack) -> None:
    """Bo's laptop is closed over waiting customers: after the grace they are in the queue again, not with who left."""
    left = {t["number"] for t in await house.mine(BO)}
    assert left, "somebody waits for Bo"
    await stack.aclose()
    for number in left:
        await house.until(number, lambda t: t["assignee_id"] != house.agents[BO], seconds=150)


async def evening(house: House, http: aiohttp.ClientSession, anna: Console, chan: Console) -> None:
    """More come than there is room for, until there have been forty; Anna and Chan take and answer what they can."""
    while len(house.visitors) < 40:
        visitor = await house.visitor(http, "Support" if len(house.visitors) % 4 else "Sales")
        await visitor.says(f"{visitor.name}: one question before you close.")
    await anna.answer(
        await anna.accept() if await anna.offer.count() else (await house.mine(ANNA))[0]["number"], "Yes!"
    )
    for _ in range(40):
        done = 0
        for email in (ANNA, CHAN):
            for ticket in [t for t in await house.all_tickets() if t["offered_to"] == house.agents[email]]:
                await house.tried("POST", f"/tickets/{ticket['number']}/accept", {}, as_=email)
            for ticket in await house.mine(email):
                text = f"Your answer, #{ticket['number']}."
                body = {"text": text, "anyway": True}
                await house.ask("POST", f"/tickets/{ticket['number']}/reply", body, as_=email)
                await house.ask("POST", f"/tickets/{ticket['number']}/resolve", {}, as_=email)
                house.answers.setdefault(ticket["number"], []).append(text)
                done += 1
        if not done:
            break


async def ledger(house: House) -> None:
    """What has become of every ticket."""
    tickets = await house.all_tickets()
    queue = {
        ticket["number"]
        for email in (ANNA, CHAN)  # those who are still there
        for ticket in (await house.ask("GET", "/tickets?view=waiting&limit=100", as_=email))["items"]
    }
    counted: dict[str, int] = {}
    lost = []
    for ticket in sorted(tickets, key=lambda t: int(t["number"])):
        if ticket["status"] == "snoozed" and ticket["snoozed_until"]:
            where = "snoozed with a time"
        elif ticket["status"] in ("pending", "resolved"):
            where = ticket["status"]
        elif ticket["waiting_since"] is None and ticket["last_direction"] == "outgoing":
            where = "answered"
        elif ticket["number"] in queue:
            where = "in somebody's queue"
        else:
            where = "LOST"
            lost.append(ticket)
        counted[where] = counted.get(where, 0) + 1
        print(f"#{ticket['number']}  {ticket['contact_name']:<14} {ticket['status']:<9} {where}")
    print(", ".join(f"{where}: {number}" for where, number in sorted(counted.items())))
    assert not lost, lost
    assert len(house.visitors) == 40
    missed = []
    for visitor in house.visitors:
        wanted = house.answers.get(visitor.number, [])
        for _ in range(50):
            if len(visitor.heard()) >= len(wanted):
                break
            await asyncio.sleep(0.1)
        if visitor.heard() != wanted or visitor.live.code is not None:
            missed.append((visitor.name, visitor.number, visitor.live.code, visitor.heard(), wanted))
        await visitor.live.close()
    assert not missed, missed
