"""Every setting is read by something: one row each. It is set through its page, and what follows from it differs.

What takes a whole desk at work to show is shown elsewhere: the row then names the file, and this test that the file
speaks of it. A setting without a row fails.
"""

import base64
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from hub.clock import SECOND
from hub.desk import inboxes, kinds
from hub.desk.routing_settings import RoutingSettings
from hub.desk.settings import Common
from hub.desk.targets import Target
from hub.staff.access import DESK
from tests.fixtures.desk import DeskClient
from tests.web.settings.pages import look, secret, send, text

ROOT = Path(__file__).parents[2]
SECRET = "whsec_" + "c2VjcmV0" * 5


# --- what a visitor gets ---------------------------------------------------------------------------------------------

# Of a chat and of a form: a value that is not the usual one. What a browser is given must then be another.
SEEN: dict[str, dict[str, Any]] = {
    "chat": {
        "title": "Ember & Oak", "greeting": "Hello", "colour": "#0f766e", "ink": "#eeffee", "position": "start",
        "theme": "dark", "languages": "km", "sound": None, "title_count": None, "offer_form": "1",
    },
    "form": {
        "title": "Write to us", "intro": "We read it.", "colour": "#0f766e", "ask": "phone", "name_required": None,
        "ask_subject": None, "selects": "Topic: one | two", "consent": "You may keep this.",
        "marketing": "Send me news.", "language": "ru", "files": "1",
    },
}  # fmt: skip

# Setting → the file where what follows from it is tried.
ELSEWHERE: dict[str, dict[str, str]] = {
    "chat": {
        "ask": "tests/desk/test_visitors.py", "consent": "tests/desk/test_visitors.py",
        "offline": "tests/desk/test_visitors.py", "identity_secret": "tests/desk/test_visitor_identity.py",
        "enforce_identity": "tests/desk/test_visitors.py", "rating": "tests/feedback/test_ratings.py",
        "low_score": "tests/feedback/test_ratings.py", "files": "tests/live/test_visitor_files.py",
        "unread_minutes": "tests/work/test_copies.py",
    },
    "form": {"place": "tests/connectors/form/test_filled.py", "servers": "tests/connectors/form/test_pages.py"},
    "webhook": {
        "secret": "tests/contract/cases_webhook.py", "url": "tests/contract/cases_webhook.py",
        "send_secret": "tests/contract/cases_webhook.py", "vouches": "tests/contract/cases_webhook.py",
        "can_find": "tests/contract/cases_webhook.py",
    },
    "common": {
        "files_kept_days": "tests/work/test_files.py",
        "acknowledge": "tests/connectors/email/test_loops.py",
        "acknowledge_text": "tests/connectors/email/test_loops.py",
        "default_country": "tests/desk/test_visitors.py", "accept_within": "tests/desk/test_routing.py",
        "after_everybody": "tests/desk/test_routing.py", "weight": "tests/desk/test_routing.py",
        "sticky": "tests/desk/test_routing.py", "language_matters": "tests/desk/test_routing.py",
        "skills": "tests/desk/test_routing.py", "hours_id": "tests/desk/test_hours.py",
        "routing": "tests/desk/test_routing.py",
    },
    "routing": {"auto_away_minutes": "tests/desk/test_routing.py", "long_wait_minutes": "tests/desk/test_hours.py",
                "zone": "tests/insight/test_board.py"},
    "target": {name: "tests/desk/test_reply_clock.py" for name in Target.__struct_fields__ if name != "priority"},
}  # fmt: skip


async def connected(desk: DeskClient, kind: str) -> inboxes.Inbox:
    settings = {"secret": SECRET} if kind == "webhook" else {}
    return await desk.store.write(lambda tx: inboxes.create(tx, DESK, kind=kind, name=f"A {kind}", settings=settings))


async def given_to_a_browser(desk: DeskClient, inbox: inboxes.Inbox) -> list[bytes]:
    paths = (f"/w/{inbox.token}.js", f"/w/{inbox.token}/frame") if inbox.features.live else (f"/f/{inbox.token}",)
    answers = [await desk.get(path, as_=None) for path in paths]
    assert [answer.status for answer in answers] == [200] * len(paths)
    return [answer.body for answer in answers]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in SEEN.items() for name in names])
async def test_what_is_set_for_a_channel_shows_to_visitors(
    sqlite_desk_client: DeskClient, kind: str, name: str
) -> None:
    desk, inbox = sqlite_desk_client, await connected(sqlite_desk_client, kind)
    before, value = await given_to_a_browser(desk, inbox), SEEN[kind][name]
    field = {"has": f"settings.{name}"} | ({} if value is None else {f"settings.{name}": value})
    page = "look" if inbox.features.live else "settings"
    answer = await send(desk, f"/settings/inboxes/{inbox.id}/{page}", field)
    assert answer.status == 303, text(answer)
    assert await given_to_a_browser(desk, inbox) != before


# --- what it does at the desk ----------------------------------------------------------------------------------------

Probe = Callable[[DeskClient], Awaitable[Any]]
Flip = Callable[[DeskClient], Awaitable[Any]]


def post(path: str, **given: Any) -> Flip:
    async def flip(desk: DeskClient) -> None:
        ids = {"agent": desk.people["agent"].id, "team": desk.team_id, "inbox": desk.inbox.id}
        answer = await send(desk, path.format(**ids), {k: str(v).format(**ids) for k, v in given.items()})
        assert answer.status == 303, text(answer)

    return flip


async def page_of_the_agent(desk: DeskClient) -> str:
    return (await look(desk, "/inbox", "agent")).body.decode()[:200]


async def tickets_of_the_agent(desk: DeskClient) -> int:
    if not await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM ticket")):
        await desk.new_ticket()
    return len((await desk.get("/api/v1/tickets", as_="agent")).json["items"])


async def inboxes_of_the_agent(desk: DeskClient) -> int:
    return len((await desk.get("/api/v1/inboxes", as_="agent")).json["items"])


async def form_of_the_inbox(desk: DeskClient) -> int:
    return (await desk.get(f"/f/{desk.inbox.token}", as_=None)).status


async def team_of_a_new_ticket(desk: DeskClient) -> Any:
    number = await desk.new_ticket(contact_id=await desk.new_contact("Someone", f"x{desk.clock.now()}@example.org"))
    desk.clock.advance(1)
    return (await desk.get(f"/api/v1/tickets/{number}")).json["ticket"]["team_id"]


async def reopens(desk: DeskClient) -> int:
    inbox = await desk.store.read(inboxes.by_id, desk.inbox.id)
    assert inbox is not None
    return inboxes.reopens_until(inbox, 0)


async def does_anything_leave(desk: DeskClient) -> Any:
    return (await desk.get("/api/v1/outbox")).json


async def canned_for_the_agent(desk: DeskClient) -> Any:
    return (await desk.get("/api/v1/canned", as_="agent")).json


async def fields_of_a_contact(desk: DeskClient) -> Any:
    name = f"y{desk.clock.now()}"
    desk.clock.advance(1)
    given = {"name": name, "points": [], "fields": {"plan": "pro"}}
    return (await desk.post("/api/v1/contacts", given)).status


async def role_of_their_own(desk: DeskClient) -> None:
    assert (
        await send(desk, "/settings/roles", {"name": "Looker", "may": ["tickets.read"], "sees": "own"})
    ).status == 303
    role = next(r["id"] for r in (await desk.get("/api/v1/roles")).json["items"] if r["name"] == "Looker")
    assert (await desk.patch(f"/api/v1/agents/{desk.people['agent'].id}", {"role_id": role})).status == 200


AGENT, INBOX = "/settings/agents/{agent}", "/settings/inboxes/{inbox}/settings"
# (setting, what changes it, where it shows)
ROWS: tuple[tuple[str, Flip, Probe], ...] = (
    ("an agent's teams", post(AGENT, name="A", email="a@b.example", role=3, capacity=5), tickets_of_the_agent),
    ("an agent's role", role_of_their_own, tickets_of_the_agent),
    ("a team's members", post("/settings/teams/{team}", name="Front desk", inbox="{inbox}"), tickets_of_the_agent),
    ("a team's inboxes", post("/settings/teams/{team}", name="Front desk", member="{agent}"), inboxes_of_the_agent),
    ("an inbox switched off", post("/settings/inboxes/{inbox}/switch", on=0), form_of_the_inbox),
    ("where an inbox's tickets start", post(INBOX, name="W", first=""), team_of_a_new_ticket),
    ("reopen_days", post(INBOX, **{"has": "settings.reopen_days", "settings.reopen_days": 3}), reopens),
    ("the outbox", post("/settings/outbox", state="frozen"), does_anything_leave),
    ("a canned response", post("/settings/canned", short="x", text="y", whose="desk"), canned_for_the_agent),
    ("a field of one's own", post("/settings/fields", key="plan", label="Plan", type="text"), fields_of_a_contact),
)  # fmt: skip


@pytest.mark.parametrize(("name", "flip", "probe"), ROWS, ids=[row[0] for row in ROWS])
async def test_what_is_set_at_the_desk_shows(
    sqlite_desk_client: DeskClient, name: str, flip: Flip, probe: Probe
) -> None:
    desk = sqlite_desk_client
    before = await probe(desk)
    await flip(desk)
    assert await probe(desk) != before, name


async def test_the_language_of_the_console_is_that_of_its_pages(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    before = await page_of_the_agent(desk)
    assert (await send(desk, "/settings/profile", {"language": "km"}, "agent")).status == 303
    assert await page_of_the_agent(desk) != before


async def test_the_sites_of_an_inbox_are_those_that_may_show_it(sqlite_desk_client: DeskClient) -> None:
    desk, inbox = sqlite_desk_client, await connected(sqlite_desk_client, "chat")
    frame = f"/w/{inbox.token}/frame"
    before = (await desk.get(frame, as_=None)).headers["Content-Security-Policy"]
    given = {"has": "settings.allowed_origins", "settings.allowed_origins": "https://shop.example"}
    assert (await send(desk, f"/settings/inboxes/{inbox.id}/settings", given)).status == 303
    after = (await desk.get(frame, as_=None)).headers["Content-Security-Policy"]
    assert ("https://shop.example" in before, "https://shop.example" in after) == (False, True)


async def test_plain_http_has_to_be_allowed(sqlite_desk_client: DeskClient) -> None:
    desk, inbox = sqlite_desk_client, await connected(sqlite_desk_client, "webhook")
    path = f"/settings/inboxes/{inbox.id}/settings"
    given: dict[str, Any] = {"has": ["settings.url", "settings.allow_http"], "settings.url": "http://shop.example/in"}
    assert (await send(desk, path, given)).status == 422
    assert (await send(desk, path, {**given, "settings.allow_http": "1"})).status == 303


async def test_the_name_of_the_organisation_greets_whoever_comes_in(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    assert (await send(desk, "/settings/organisation", {"organisation": "Ember & Oak"})).status == 303
    given = {"name": "Ny", "email": "ny@desk.example", "role": "3"}
    link = secret(await send(desk, "/settings/agents", given))
    page = await desk.get("/join/" + link.rsplit("/", 1)[1], as_=None)
    assert "Ember & Oak" in text(page)


async def test_two_factor_for_everybody_is_asked_of_everybody(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    await send(desk, "/settings/security/two-factor")
    key = secret(await look(desk, "/settings/security")).replace(" ", "")
    code = TOTP(base64.b32decode(key), 6, SHA1(), 30).generate(desk.clock.now() // SECOND).decode()
    await send(desk, "/settings/security/two-factor/confirm", {"code": code})
    assert (await look(desk, "/settings", "agent")).status == 200
    assert (await send(desk, "/settings/sign-in", {"required": "1", "at_once": "1"})).status == 303
    assert (await look(desk, "/settings", "agent")).status == 303


# --- nothing is forgotten --------------------------------------------------------------------------------------------


def test_every_setting_has_its_row(sqlite_desk_client: DeskClient) -> None:
    common = {field.name for field in dataclasses.fields(Common)}
    shown = {name for names in SEEN.values() for name in names}
    here = {"allowed_origins", "allow_http", "reopen_days"}
    assert common - shown - here == set(ELSEWHERE["common"])
    for kind in ("chat", "form", "webhook"):
        own = {field.name for field in dataclasses.fields(kinds.settings_of(kind))}
        assert own == {*SEEN.get(kind, {}), *ELSEWHERE.get(kind, {})} - common, kind
    assert set(RoutingSettings.__struct_fields__) == set(ELSEWHERE["routing"])


@pytest.mark.parametrize(
    ("name", "file"), [(name, file) for of in ELSEWHERE.values() for name, file in of.items()], ids=str
)
def test_what_is_shown_elsewhere_is(name: str, file: str) -> None:
    assert name in (ROOT / file).read_text(encoding="utf-8")
