"""Who may open which page of the settings, and what strangers and other sites get."""

import re
from urllib.parse import quote

import pytest

from hub.staff import sessions
from hub.staff.roles import PERMISSIONS
from hub.web import settings
from tests.fixtures.desk import DeskClient
from tests.web.settings.pages import FORM, cookie, look, send, text

# What each page needs; None: whoever is signed in. Written down anew, so that a page that forgets to ask fails here.
NEEDS = {
    "/settings": None,
    "/settings/profile": None,
    "/settings/security": None,
    "/settings/tokens": "tokens.manage",
    "/settings/sign-in": "desk.manage",
    "/settings/organisation": "desk.manage",
    "/settings/agents": "agents.read",
    "/settings/agents/{id}": "agents.read",
    "/settings/teams": "agents.read",
    "/settings/teams/{id}": "agents.read",
    "/settings/roles": "agents.read",
    "/settings/roles/new": "roles.manage",
    "/settings/roles/{id}": "agents.read",
    "/settings/inboxes": "inboxes.read",
    "/settings/inboxes/{id}": "inboxes.read",
    "/settings/inboxes/{id}/seen": "inboxes.read",
    "/settings/inboxes/new": "inboxes.manage",
    "/settings/inboxes/consent": "inboxes.manage",
    "/settings/inboxes/{id}/consent": "inboxes.manage",
    "/settings/inboxes/{id}/settings": "inboxes.read",
    "/settings/inboxes/{id}/look": "inboxes.manage",
    "/settings/canned": "tickets.read",
    "/settings/canned/new": "tickets.reply",
    "/settings/canned/{id}": "tickets.read",
    "/settings/fields": "desk.manage",
    "/settings/fields/{id}": "desk.manage",
    "/settings/tags": "desk.manage",
    "/settings/tags/{id}": "desk.manage",
    "/settings/hours": "inboxes.read",
    "/settings/hours/new": "inboxes.manage",
    "/settings/hours/{id}": "inboxes.read",
    "/settings/targets": "inboxes.read",
    "/settings/routing": "desk.manage",
    "/settings/blocked": "tickets.read",
    "/settings/quarantine": "desk.manage",
    "/settings/jobs": "desk.manage",
    "/settings/outbox": "desk.manage",
    "/settings/mail": "desk.manage",
    "/settings/health": "desk.manage",
    "/settings/health/clock": "desk.manage",
}
RUNS_THE_DESK = {"roles.manage", "inboxes.manage", "agents.manage", "desk.manage"}
OF_AGENTS = "/settings/agents"
# There is none at first; and a form is no chat, so it has no look.
ABSENT = {f"/settings/{noun}/{{id}}" for noun in ("canned", "fields", "hours", "tags")} | {
    "/settings/inboxes/{id}/look",
    "/settings/inboxes/{id}/consent",
    "/settings/inboxes/consent",
}


def filled(path: str, desk: DeskClient) -> str:
    if path == "/settings/inboxes/new":
        return f"{path}?kind={desk.inbox.kind}"
    ids = {"agents": desk.people["agent"].id, "teams": desk.team_id, "inboxes": desk.inbox.id, "roles": 1}
    return path.replace("{id}", str(ids.get(path.split("/")[2] if path.count("/") > 1 else "", 1)))


def test_every_page_is_written_down() -> None:
    assert {path for method, path, _ in settings.PAGES if method == "GET"} == set(NEEDS)


@pytest.mark.parametrize("path", sorted(NEEDS))
async def test_a_page_is_open_to_who_may_and_leads_strangers_to_the_sign_in(
    sqlite_desk_client: DeskClient, path: str
) -> None:
    desk, address = sqlite_desk_client, filled(path, sqlite_desk_client)
    stranger = await desk.get(address, as_=None)
    assert stranger.status == 303
    assert stranger.headers["Location"] == f"/sign-in?next={quote(address, safe='/')}"
    assert (await look(desk, address)).status == (404 if path in ABSENT else 200)
    agent = await look(desk, address, "agent")
    assert agent.status == (403 if NEEDS[path] in RUNS_THE_DESK else 404 if path in ABSENT else 200)
    if agent.status == 403:
        assert "You may not do this" in text(agent)


async def test_the_navigation_shows_only_what_the_reader_may_see(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    answer = await desk.post("/api/v1/roles", {"name": "Guest", "permissions": ["tickets.read"], "sees": "own"})
    guest = {"role_id": answer.json["id"]}
    assert (await desk.patch(f"/api/v1/agents/{desk.people['observer'].id}", guest)).status == 200
    full = (await look(desk, "/settings")).body.decode()
    assert f'href="{OF_AGENTS}"' in full
    desk.people["observer"].session = await desk.store.write(sessions.start, desk.people["observer"].id)
    page = (await look(desk, "/settings", "observer")).body.decode()
    assert f'href="{OF_AGENTS}"' not in page
    assert 'href="/settings/inboxes"' not in page
    assert 'href="/settings/profile"' in page


async def test_the_grid_of_roles_has_words_for_every_permission(sqlite_desk_client: DeskClient) -> None:
    page = (await look(sqlite_desk_client, "/settings/roles/new")).body.decode()
    assert set(re.findall(r'name="may" value="([^"]+)"', page)) == set(PERMISSIONS)


async def test_a_form_of_another_site_changes_nothing(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    for method, path, _ in settings.PAGES:
        if method == "POST":
            headers = {**FORM, **cookie(desk), "Origin": "https://evil.example"}
            answer = await desk.request("POST", filled(path, desk), raw=b"name=x", as_=None, headers=headers)
            assert answer.status == 403, path
            headers = {**FORM, **cookie(desk), "Sec-Fetch-Site": "cross-site"}
            answer = await desk.request("POST", filled(path, desk), raw=b"name=x", as_=None, headers=headers)
            assert answer.status == 403, path


async def test_a_form_sent_after_the_session_ended_leads_to_the_sign_in_and_back_to_its_page(
    sqlite_desk_client: DeskClient,
) -> None:
    desk = sqlite_desk_client
    headers = {**FORM, "Cookie": "parley=" + "x" * 43}
    answer = await desk.request("POST", f"{OF_AGENTS}/3", raw=b"name=x", as_=None, headers=headers)
    assert answer.status == 303
    assert answer.headers["Location"] == f"/sign-in?next={OF_AGENTS}/3"


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 40, "1.5", "%00", "２"])
async def test_an_address_that_names_nothing_is_told_so_on_a_page(sqlite_desk_client: DeskClient, number: str) -> None:
    for noun in ("agents", "teams", "roles", "inboxes"):
        answer = await look(sqlite_desk_client, f"/settings/{noun}/{number}")
        assert answer.status in (400, 404), (noun, number)
    answer = await send(
        sqlite_desk_client, f"{OF_AGENTS}/999999", {"name": "x", "email": "x@y.example", "capacity": "1"}
    )
    assert answer.status == 404
    assert "There is nothing here" in text(answer)
