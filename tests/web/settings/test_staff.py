"""Agents, teams and roles through their pages."""

import pytest

from hub.desk import inboxes
from hub.staff import sessions
from hub.staff.access import DESK
from tests.fixtures.desk import PASSWORD, URL, DeskClient
from tests.web.settings.pages import look, secret, send, text, wrong

AGENTS, TEAMS, ROLES = "/settings/agents", "/settings/teams", "/settings/roles"


async def role_id(desk: DeskClient, name: str) -> int:
    return next(r["id"] for r in (await desk.get("/api/v1/roles")).json["items"] if r["name"] == name)


async def test_an_invitation_is_a_link_by_which_somebody_comes_in(desk_client: DeskClient) -> None:
    desk = desk_client
    given = {
        "name": "Sok Dara",
        "email": "Sok@desk.example",
        "role": await role_id(desk, "agent"),
        "team": desk.team_id,
    }
    answer = await send(desk, AGENTS, given)
    assert answer.status == 200, text(answer)
    link = secret(answer)
    assert link.startswith(f"{URL}/join/")
    before = text(await look(desk, AGENTS)).count("invited")
    path = link.removeprefix(URL)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    raw = f"password={PASSWORD}".replace(" ", "+").encode()
    assert (await desk.request("POST", path, raw=raw, as_=None, headers=form)).status == 200
    assert text(await look(desk, AGENTS)).count("invited") == before - 1
    teams = (await desk.get("/api/v1/teams")).json["items"]
    agent = next(a for a in (await desk.get("/api/v1/agents")).json["items"] if a["name"] == "Sok Dara")
    assert agent["id"] in teams[0]["members"]


async def test_what_is_wrong_with_an_invitation_is_said_at_its_field_and_nothing_is_lost(
    sqlite_desk_client: DeskClient,
) -> None:
    desk = sqlite_desk_client
    role = await role_id(desk, "observer")
    taken = {"name": "Ny", "email": desk.people["agent"].email, "role": role, "team": desk.team_id}
    answer = await send(desk, AGENTS, taken)
    assert answer.status == 422
    assert wrong(answer) == ["Another agent has this e-mail address."]
    page = answer.body.decode()
    assert 'value="Ny"' in page
    assert f'<option value="{role}" selected>' in page
    for bad in ("", "nobody", "a@b@c"):
        assert wrong(await send(desk, AGENTS, {**taken, "email": bad}))
    assert (await send(desk, AGENTS, {**taken, "email": "new@x.example", "role": ""})).status == 422


async def test_an_agent_is_changed_with_teams_skills_and_all(desk_client: DeskClient) -> None:
    desk = desk_client
    agent = desk.people["outsider"].id
    given = {
        "name": "Outi", "email": "outi@desk.example", "role": await role_id(desk, "supervisor"), "capacity": "7",
        "languages": "en, km", "skills": "refunds, old kettles,", "team": [desk.team_id],
    }  # fmt: skip
    answer = await send(desk, f"{AGENTS}/{agent}", given)
    assert answer.status == 303, text(answer)
    found = (await desk.get(f"/api/v1/agents/{agent}")).json
    assert (found["name"], found["role"], found["capacity"]) == ("Outi", "supervisor", 7)
    assert (found["languages"], found["skills"]) == (["en", "km"], ["refunds", "old kettles"])
    assert agent in (await desk.get("/api/v1/teams")).json["items"][0]["members"]
    assert (await send(desk, f"{AGENTS}/{agent}", {**given, "team": []})).status == 303
    assert agent not in (await desk.get("/api/v1/teams")).json["items"][0]["members"]
    for bad in ("", "many", "-1", "101", "1e2"):
        answer = await send(desk, f"{AGENTS}/{agent}", {**given, "capacity": bad})
        assert wrong(answer) == ["Between 0 and 100 points of load are possible."]
        assert (await desk.get(f"/api/v1/agents/{agent}")).json["capacity"] == 7


async def test_signing_somebody_out_ends_their_browsers_and_not_their_tokens(desk_client: DeskClient) -> None:
    desk = desk_client
    agent = desk.people["agent"]
    assert (await look(desk, "/settings", "agent")).status == 200
    assert (await send(desk, f"{AGENTS}/{agent.id}/sign-out")).status == 303
    assert (await look(desk, "/settings", "agent")).status == 303
    assert (await desk.get("/api/v1/me", as_="agent")).status == 200


async def test_shutting_out_and_letting_in(desk_client: DeskClient) -> None:
    desk = desk_client
    agent = desk.people["agent"]
    assert (await send(desk, f"{AGENTS}/{agent.id}/disable")).status == 303
    assert (await look(desk, "/settings", "agent")).status == 303
    assert (await desk.get("/api/v1/me", as_="agent")).status == 401
    assert "shut out" in text(await look(desk, AGENTS))
    assert (await send(desk, f"{AGENTS}/{agent.id}/link")).status == 409
    assert (await send(desk, f"{AGENTS}/{agent.id}/enable")).status == 303
    await desk.store.write(sessions.start, agent.id)
    assert "shut out" not in text(await look(desk, AGENTS))


async def test_the_last_administrator_stays_one(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    assert (await send(desk, f"{AGENTS}/{desk.people['reader'].id}/disable")).status == 303
    answer = await send(desk, f"{AGENTS}/{desk.people['administrator'].id}/disable")
    assert answer.status == 409
    assert "This is the last administrator" in text(answer)


async def test_a_team_has_the_members_and_inboxes_that_are_ticked(desk_client: DeskClient) -> None:
    desk = desk_client
    answer = await send(desk, TEAMS, {"name": "Returns"})
    path = answer.headers["Location"].partition("?")[0]
    people = [desk.people["agent"].id, desk.people["outsider"].id]
    assert (await send(desk, path, {"name": "Goods", "member": people, "inbox": [desk.inbox.id]})).status == 303
    team = next(t for t in (await desk.get("/api/v1/teams")).json["items"] if t["name"] == "Goods")
    assert (team["members"], team["inboxes"]) == (sorted(people), [desk.inbox.id])
    assert (await send(desk, path, {"name": "Goods"})).status == 303
    team = next(t for t in (await desk.get("/api/v1/teams")).json["items"] if t["name"] == "Goods")
    assert (team["members"], team["inboxes"]) == ([], [])
    assert wrong(await send(desk, path, {"name": "front DESK"})) == [
        "There is a team of this name already. Choose another."
    ]


async def test_a_role_of_one_s_own_is_made_changed_and_removed(desk_client: DeskClient) -> None:
    desk = desk_client
    assert (await send(desk, ROLES, {"name": "Weekend", "may": ["tickets.read"], "sees": "teams"})).status == 303
    role = await role_id(desk, "Weekend")
    given = {"name": "Weekend", "may": ["tickets.read", "tickets.reply"], "sees": "inboxes"}
    assert (await send(desk, f"{ROLES}/{role}", given)).status == 303
    found = next(r for r in (await desk.get("/api/v1/roles")).json["items"] if r["id"] == role)
    assert (found["permissions"], found["sees"]) == (["tickets.read", "tickets.reply"], "inboxes")
    assert wrong(await send(desk, ROLES, {"name": "X", "may": [], "sees": "all"})) == ["Choose how much they see."]
    someone = f"/api/v1/agents/{desk.people['outsider'].id}"
    assert (await desk.patch(someone, {"role_id": role})).status == 200
    answer = await send(desk, f"{ROLES}/{role}/remove")
    assert answer.status == 409
    assert "Somebody has this role" in text(answer)
    assert (await desk.patch(someone, {"role_id": await role_id(desk, "agent")})).status == 200
    assert (await send(desk, f"{ROLES}/{role}/remove")).status == 303
    assert (await look(desk, f"{ROLES}/{role}")).status == 404


@pytest.mark.parametrize("what", ["change", "remove"])
async def test_a_built_in_role_stays_what_it_is(sqlite_desk_client: DeskClient, what: str) -> None:
    desk = sqlite_desk_client
    role = await role_id(desk, "agent")
    assert '<button class="button">' not in (await look(desk, f"{ROLES}/{role}")).body.decode()
    path = f"{ROLES}/{role}" + ("/remove" if what == "remove" else "")
    answer = await send(desk, path, {"name": "agent", "may": ["desk.manage"], "sees": "everything"})
    assert answer.status in (409, 422)
    assert "built in" in text(answer)


async def test_an_invitation_goes_by_mail_too_where_the_desk_writes_some(desk_client: DeskClient) -> None:
    desk = desk_client
    given = {"name": "Mo", "email": "mo@desk.example", "role": await role_id(desk, "agent")}
    assert "Send them this link" in text(await send(desk, AGENTS, given))
    webhook = {"secret": "whsec_" + "A" * 43 + "="}
    inbox = await desk.store.write(inboxes.create, DESK, kind="webhook", name="Post", settings=webhook)
    assert (await send(desk, "/settings/mail", {"inbox_id": str(inbox.id)})).status == 303
    page = await send(desk, AGENTS, {**given, "email": "mo2@desk.example"})
    assert "on its way to mo2@desk.example" in text(page) and secret(page).startswith(f"{URL}/join/")
    row = await desk.store.read(lambda rx: rx.row("SELECT purpose, address, fields FROM own_mail"))
    assert row is not None and row[:2] == ("invitation", "mo2@desk.example")
    assert secret(page).rpartition("/")[2] in row[2], "the same link, until it has left"
