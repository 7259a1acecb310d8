"""Ways round the rules that no table shows: what is remembered, handed on, climbed, or named in passing."""

import asyncio
from typing import Any

import pytest

from hub.clock import DAY
from hub.commands import BY_NAME
from hub.commands.perform import look, perform
from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.desk import inbound, inboxes
from hub.errors import Refusal
from hub.events import Actor
from hub.staff import access, agents, roles, sessions, teams, tokens
from hub.staff.access import DESK, Caller
from tests.authz.world import Side, fresh
from tests.fixtures.desk import DeskClient

PREFIX = "/api/v1"


def caller(rx: Rx, agent_id: int) -> Caller:
    grants = access.load(rx, agent_id)
    assert grants is not None
    return Caller(Actor("agent", agent_id), grants)


async def with_role(desk: DeskClient, permissions: tuple[str, ...], sees: Any, team_id: int | None = None) -> Caller:
    """Somebody with a role of the firm's own making."""

    def made(tx: Tx) -> Caller:
        role_id = roles.create(tx, DESK, name=f"made for {sees}", permissions=permissions, sees=sees)
        agent_id = agents.create(tx, DESK, email="made@desk.example", name="Made", role_id=role_id)
        if team_id is not None:
            teams.add_member(tx, DESK, team_id, agent_id)
        return caller(tx, agent_id)

    return await desk.store.write(made)


async def sides(desk: DeskClient) -> dict[str, Side]:
    """`front`, which the agent sees, and `back`, which only the outsider sees."""

    def made(tx: Tx) -> dict[str, Side]:
        team_id = teams.create(tx, DESK, "Back office")
        teams.add_member(tx, DESK, team_id, desk.people["outsider"].id)
        back = inboxes.create(tx, DESK, kind="form", name="Back door", team_id=team_id)
        ids = {"front": desk.inbox.id, "back": back.id}
        return fresh(tx, ids, dict.fromkeys(ids, desk.people["agent"].id), desk.people["administrator"].id)

    return await desk.store.write(made)


async def refused(store: Store, who: Caller, command: str, **fields: Any) -> Refusal:
    row = BY_NAME[command]
    with pytest.raises(Refusal) as told:
        if row.write is None:
            await store.read(look, row, who, row.request(**fields))
        else:
            await store.write(perform, row, who, row.request(**fields))
    return told.value


async def done(store: Store, who: Caller, command: str, **fields: Any) -> Any:
    row = BY_NAME[command]
    if row.write is None:
        return await store.read(look, row, who, row.request(**fields))
    return await store.write(perform, row, who, row.request(**fields))


# --- what is remembered


async def test_an_answer_is_not_told_again_to_whoever_has_lost_the_ticket(desk_client: DeskClient) -> None:
    """The agent resolves a ticket under a key, is taken out of the team, and asks under the same key again."""
    desk = desk_client
    number = await desk.new_ticket("the secret is a plum")
    path, key = f"{PREFIX}/tickets/{number}/resolve", {"Idempotency-Key": "once"}
    first = await desk.post(path, as_="agent", headers=key)
    assert first.status == 200 and b"the secret is a plum" in first.body
    again = await desk.post(path, as_="agent", headers=key)
    assert again.body == first.body

    await desk.delete(f"{PREFIX}/teams/{desk.team_id}/members/{desk.people['agent'].id}")
    after = await desk.post(path, as_="agent", headers=key)
    assert after.status == 409
    assert b"plum" not in after.body


async def test_a_key_is_the_callers_own(desk_client: DeskClient) -> None:
    desk = desk_client
    number = await desk.new_ticket("the secret is a plum")
    path, key = f"{PREFIX}/tickets/{number}/resolve", {"Idempotency-Key": "once"}
    assert (await desk.post(path, as_="agent", headers=key)).status == 200
    theirs = await desk.post(path, as_="outsider", headers=key)
    assert theirs.status == 404 and b"plum" not in theirs.body


async def test_a_cursor_opens_nothing_to_somebody_else(desk_client: DeskClient) -> None:
    """It says where a list goes on, and the list is the caller's own."""
    desk = desk_client
    for number in range(3):
        await desk.new_ticket(
            f"the secret is 42, {number}", contact_id=await desk.new_contact(email=f"a{number}@b.example")
        )
    page = (await desk.get(f"{PREFIX}/tickets?limit=1", as_="agent")).json
    assert page["next"]
    theirs = await desk.get(f"{PREFIX}/tickets?limit=1&cursor={page['next']}", as_="outsider")
    assert theirs.json == {"items": [], "next": None}
    thread = await desk.get(f"{PREFIX}/tickets/1001/events?limit=1", as_="agent")
    other = await desk.get(f"{PREFIX}/tickets/1002/events?cursor={thread.json['next']}", as_="agent")
    assert other.status == 422, "the cursor of one ticket is none of another"
    hidden = await desk.get(f"{PREFIX}/tickets/1001/events?cursor={thread.json['next']}", as_="outsider")
    assert hidden.status == 404


async def test_what_was_said_meanwhile_is_told_only_to_who_may_read_it(desk_client: DeskClient) -> None:
    desk = desk_client
    number = await desk.new_ticket("the secret is a plum")
    asked = {"text": "Hello", "seen": 0}
    told = await desk.post(f"{PREFIX}/tickets/{number}/reply", asked, as_="agent")
    assert told.status == 409 and b"the secret is a plum" in told.body
    for name in ("outsider", "observer", "reader"):
        answer = await desk.post(f"{PREFIX}/tickets/{number}/reply", asked, as_=name)
        assert answer.status in (403, 404) and b"plum" not in answer.body


# --- who is shut out


async def test_whoever_is_disabled_is_out_at_once_with_every_credential(desk_client: DeskClient) -> None:
    desk = desk_client
    agent = desk.people["agent"]
    cookie = {"Cookie": f"parley={agent.session}"}
    assert (await desk.get(f"{PREFIX}/tickets", as_="agent")).status == 200
    assert (await desk.get(f"{PREFIX}/tickets", as_=None, headers=cookie)).status == 200
    assert (await desk.post(f"{PREFIX}/agents/{agent.id}/disable")).status == 200
    assert (await desk.get(f"{PREFIX}/tickets", as_="agent")).status == 401
    assert (await desk.get(f"{PREFIX}/tickets", as_=None, headers=cookie)).status == 401
    assert (await desk.post(f"{PREFIX}/agents/{agent.id}/enable")).status == 200
    assert (await desk.get(f"{PREFIX}/tickets", as_="agent")).status == 401, "what was ended stays ended"


async def test_of_two_administrators_who_shut_each_other_out_one_stays(desk_client: DeskClient) -> None:
    desk = desk_client
    one, other = desk.people["administrator"], desk.people["reader"]  # the two there are
    theirs = await desk.store.write(sessions.start, other.id)
    answers = await asyncio.gather(
        desk.post(f"{PREFIX}/agents/{other.id}/disable"),
        desk.post(
            f"{PREFIX}/agents/{one.id}/disable",
            as_=None,
            headers={"Cookie": f"parley={theirs}", "X-Parley-CSRF": "1"},
        ),
    )
    assert sorted(a.status for a in answers)[0] == 200
    assert await desk.store.read(agents.administrators) == 1


async def test_the_last_administrator_cannot_become_less(desk_client: DeskClient) -> None:
    desk = desk_client
    assert (await desk.post(f"{PREFIX}/agents/{desk.people['reader'].id}/disable")).status == 200
    me = desk.people["administrator"].id
    agent_role = await desk.store.read(lambda rx: roles.named(rx, "agent").id)
    assert (await desk.post(f"{PREFIX}/agents/{me}/disable")).status == 409
    assert (await desk.patch(f"{PREFIX}/agents/{me}", {"role_id": agent_role})).status == 409


# --- what is climbed


async def test_a_token_makes_none_that_may_more_or_lasts_longer(desk_client: DeskClient) -> None:
    desk = desk_client

    def short(tx: Tx) -> str:
        me = caller(tx, desk.people["administrator"].id)
        return tokens.create(tx, me, name="short", scopes=["staff:write"], expires_at=tx.now + DAY)[1]

    bearer = {"Authorization": f"Bearer {await desk.store.write(short)}"}
    now = desk.clock.now()

    async def make(**fields: Any) -> int:
        asked = {"name": "child", "scopes": ["staff:write"], "expires_at": now + DAY, **fields}
        return (await desk.post(f"{PREFIX}/tokens", asked, as_=None, headers=bearer)).status

    assert await make(scopes=["staff:write", "tickets:read"]) == 403
    assert await make(expires_at=None) == 403
    assert await make(expires_at=now + 2 * DAY) == 403
    assert await make() == 201


async def test_the_page_that_makes_a_token_asks_for_the_same_right_as_the_command(desk_client: DeskClient) -> None:
    desk = desk_client

    async def page(name: str, method: str, path: str) -> Any:
        cookie = {"Cookie": f"parley={desk.people[name].session}"}
        return await desk.request(method, path, as_=None, headers=cookie)

    made = await page("agent", "POST", "/welcome/token")
    assert made.status == 200 and b"parley_live_" in made.body
    refused = await page("observer", "POST", "/welcome/token")
    assert refused.status == 422 and b"parley_live_" not in refused.body
    for path in ("/welcome", "/welcome?all"):
        assert (await page("agent", "GET", path)).headers["Location"] == "/inbox"
    for path in ("ways", "look", "try", "site", "colleagues", "state"):
        assert (await page("supervisor", "GET", f"/welcome/{path}")).status == 403
        assert path == "state" or (await page("supervisor", "POST", f"/welcome/{path}")).status == 403
    for path in ("dismiss", "sample"):
        assert (await page("supervisor", "POST", f"/welcome/{path}")).status == 403


async def test_nobody_gives_a_role_that_allows_or_sees_more_than_their_own(desk_client: DeskClient) -> None:
    desk = desk_client
    manager = await with_role(desk, ("agents.manage", "roles.manage", "agents.read"), "teams", desk.team_id)
    administrator = await desk.store.read(lambda rx: roles.named(rx, "administrator").id)
    for permissions, sees in ((["tickets.read"], "own"), ([], "inboxes"), ([], "everything")):
        told = await refused(desk.store, manager, "create_role", name="more", permissions=permissions, sees=sees)
        assert told.code == "forbidden"
    await done(desk.store, manager, "create_role", name="less", permissions=["agents.read"], sees="teams")
    mine = manager.grants.agent_id
    for command, fields in (
        ("change_agent", {"agent_id": mine, "role_id": administrator}),
        ("create_agent", {"email": "more@desk.example", "name": "More", "role_id": administrator}),
        ("change_agent", {"agent_id": desk.people["administrator"].id, "email": "mine@desk.example"}),
        ("make_password_link", {"agent_id": desk.people["administrator"].id}),
        ("disable_agent", {"agent_id": desk.people["administrator"].id}),
    ):
        assert (await refused(desk.store, manager, command, **fields)).code == "forbidden", command
    own = await desk.store.read(lambda rx: agents.get(rx, mine).role_id)
    for change in ({"permissions": ["agents.manage", "tickets.read"]}, {"sees": "inboxes"}):
        assert (await refused(desk.store, manager, "change_role", role_id=own, **change)).code == "forbidden"


async def test_who_manages_teams_shows_themselves_no_inbox(desk_client: DeskClient) -> None:
    desk = desk_client
    back = (await sides(desk))["back"]
    manager = await with_role(desk, ("agents.manage", "agents.read"), "inboxes", desk.team_id)
    back_team = await desk.store.read(lambda rx: rx.value("SELECT team_id FROM inbox WHERE id = :id", id=back.inbox_id))
    mine = manager.grants.agent_id
    told = await refused(desk.store, manager, "add_team_member", team_id=back_team, agent_id=mine)
    assert told.code == "forbidden"
    for inbox_id in (back.inbox_id, 2**53 - 1):
        told = await refused(desk.store, manager, "add_team_inbox", team_id=desk.team_id, inbox_id=inbox_id)
        assert (told.code, told.text) == ("invalid", "There is no such inbox.")


async def test_who_manages_inboxes_shows_themselves_none(desk_client: DeskClient) -> None:
    desk = desk_client
    world = await sides(desk)
    manager = await with_role(desk, ("inboxes.manage", "inboxes.read"), "inboxes", desk.team_id)
    for inbox_id in (world["back"].inbox_id, 2**53 - 1):
        told = await refused(desk.store, manager, "change_inbox", inbox_id=inbox_id, teams=(desk.team_id,))
        assert (told.code, told.text) == ("not_found", "There is no such inbox.")
    changed = await done(desk.store, manager, "change_inbox", inbox_id=world["front"].inbox_id, teams=(desk.team_id,))
    assert desk.team_id in changed.teams


async def test_the_quarantine_shows_what_came_in_through_inboxes_that_one_sees(desk_client: DeskClient) -> None:
    desk = desk_client
    world = await sides(desk)
    keeper = await with_role(desk, ("desk.manage",), "inboxes", desk.team_id)
    shown = await desk.store.read(inbound.quarantined, keeper)
    assert [one.body for one in shown] == ["of front"]
    for command in ("retry_quarantined", "discard_quarantined"):
        told = [
            (await refused(desk.store, keeper, command, inbound_id=inbound_id)).text
            for inbound_id in (world["back"].inbound_id, 2**53 - 1)
        ]
        assert told[0] == told[1]
    nobody = await with_role_seeing_nothing(desk)
    assert await desk.store.read(inbound.quarantined, nobody) == []


async def with_role_seeing_nothing(desk: DeskClient) -> Caller:
    def made(tx: Tx) -> Caller:
        role_id = roles.create(tx, DESK, name="nothing", permissions=("desk.manage",), sees="own")
        return caller(tx, agents.create(tx, DESK, email="none@desk.example", name="None", role_id=role_id))

    return await desk.store.write(made)


# --- what is named in passing


async def test_a_ticket_of_ones_own_does_not_open_a_contact(desk_client: DeskClient) -> None:
    """Else whoever may open tickets reads every contact: open one for it, then look."""
    desk = desk_client
    back = (await sides(desk))["back"]
    asked = {"contact_id": back.contact_id, "inbox_id": desk.inbox.id, "text": "x"}
    assert (await desk.post(f"{PREFIX}/tickets", asked, as_="agent")).status == 404
    praise = {"kind": "praise", "text": "x", "contact_id": back.contact_id}
    assert (await desk.post(f"{PREFIX}/feedback", praise, as_="agent")).status == 404
    assert (await desk.get(f"{PREFIX}/contacts/{back.contact_id}", as_="agent")).status == 404


async def test_an_address_that_is_taken_says_no_more_than_that(desk_client: DeskClient) -> None:
    """That somebody has it cannot be kept quiet, because an address is one person's; who it is can."""
    desk = desk_client
    back = (await sides(desk))["back"]
    asked = {"name": "Me", "points": [{"kind": "email", "value": back.address}]}
    answer = await desk.post(f"{PREFIX}/contacts", asked, as_="agent")
    assert answer.status == 409
    assert str(back.contact_id) not in answer.json["detail"] and "back" not in answer.json["detail"]


async def test_filters_find_nothing_of_what_is_hidden(desk_client: DeskClient) -> None:
    desk = desk_client
    back = (await sides(desk))["back"]
    for query in (
        f"tickets?inbox_id={back.inbox_id}",
        f"tickets?contact_id={back.contact_id}",
        f"tickets?team_id={back.team_id}",
        "tickets?tag=regular&view=unassigned&inbox_id=" + str(back.inbox_id),
        f"contacts?point={back.address}",
        "contacts?name=back",
        f"feedback?ticket={back.number}",
        f"feedback?contact_id={back.contact_id}",
    ):
        answer = await desk.get(f"{PREFIX}/{query}", as_="agent")
        assert answer.json == {"items": [], "next": None}, query


async def test_a_filter_is_not_lost_over_the_word_null(desk_client: DeskClient) -> None:
    desk = desk_client
    await desk.new_ticket()
    for query in ("tickets?tag=null", "contacts?name=null", "feedback?category=null"):
        assert (await desk.get(f"{PREFIX}/{query}")).json["items"] == [], query
    for query in ("tickets?team_id=null", "jobs/dead?before=null"):
        assert (await desk.get(f"{PREFIX}/{query}")).status == 422, query


async def test_a_ticket_that_leaves_ones_sight_takes_everything_with_it(desk_client: DeskClient) -> None:
    """Assigned to the outsider, it is theirs to see; taken back, neither it, its events, deliveries, contact nor its
    feedback are."""
    desk = desk_client
    front = (await sides(desk))["front"]
    outsider = desk.people["outsider"].id
    row = "UPDATE ticket SET assignee_id = :to WHERE id = :id"
    addresses = (
        f"{PREFIX}/tickets/{front.number}",
        f"{PREFIX}/tickets/{front.number}/events",
        f"{PREFIX}/contacts/{front.contact_id}",
        f"{PREFIX}/feedback/{front.feedback_id}",
    )
    await desk.store.write(lambda tx: tx.run(row, to=outsider, id=front.ticket_id))
    assert [(await desk.get(a, as_="outsider")).status for a in addresses] == [200] * 4
    back = await desk.post(f"{PREFIX}/tickets/{front.number}/assign", {"agent_id": None}, as_="outsider")
    assert (back.status, back.json["assignee_id"]) == (200, None), "what is theirs they can put back"
    assert [(await desk.get(a, as_="outsider")).status for a in addresses] == [404] * 4
    for way in ("resend", "cancel"):
        answer = await desk.post(f"{PREFIX}/deliveries/{front.delivery_id}/{way}", as_="outsider")
        assert answer.status == 404
