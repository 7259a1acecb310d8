"""What an agent does in one window, the others of theirs hear of; those of another desk too, and who was away."""

from pathlib import Path
from typing import Any

import pytest

from hub.db.tx import Tx
from hub.events import SYSTEM, AccessChanged
from hub.events import Told as Told_
from tests.fixtures.desk import DeskClient
from tests.live.client import Told, agent, beside, visitor

DENSE = {"density": "compact"}


def own(what: str) -> Any:
    return lambda told: told["type"] == "own" and told["what"] == what


async def newest(desk: DeskClient, number: int) -> int:
    return int((await desk.get(f"/api/v1/tickets/{number}")).json["messages"][-1]["id"])


async def test_another_window_hears_what_was_read_and_a_colleague_does_not(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket()
    upto = await newest(desk_client, number)
    async with agent(desk_client) as one, agent(desk_client) as two, agent(desk_client, "agent") as ann:
        for client in (one, two, ann):
            await client.until("live")
        await one.command("mark_read", number=number, message_id=upto, window="w1")
        wanted = {"type": "own", "what": "read", "number": number, "message_id": upto, "window": "w1"}
        assert await two.until("own") == wanted
        assert await one.until("own") == wanted, "which knows its own word"
        await one.command("set_preferences", **DENSE)
        assert (await two.until(own("preferences")))["preferences"]["density"] == "compact"
        await ann.command("read_me")
        assert "own" not in {told["type"] for told in ann.frames}
    async with agent(desk_client) as again:
        state = (await again.until("snapshot"))["state"]
        assert state["reads"] == {str(number): upto}
        assert state["counts"]["unassigned"] == 1
        assert (await again.until("welcome"))["me"]["preferences"]["density"] == "compact"


async def test_who_was_away_is_told_on_coming_back_with_their_cursor(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket()
    upto = await newest(desk_client, number)
    async with agent(desk_client) as away:
        await away.until("live")
        cursor = away.cursor
    await desk_client.post(f"/api/v1/tickets/{number}/read", {"message_id": upto})
    async with agent(desk_client, cursor=cursor) as back:
        await back.until("live")
        told: Told = await back.until(own("all"))
        assert told["reads"] == {str(number): upto}


async def test_a_visitor_sees_that_they_were_read(desk_client: DeskClient) -> None:
    async with visitor(desk_client) as eve:
        token = (await eve.until("welcome"))["visitor"]
        await eve.until("live")
        said = (await eve.command("say", text="Hello", client_id="m1"))["answer"]
        number, message = said["number"], said["message_id"]
        await desk_client.post(f"/api/v1/tickets/{number}/read", {"message_id": message})
        assert await eve.until("read") == {"type": "read", "number": number, "message_id": message}
        cursor = eve.cursor
    async with visitor(desk_client, token, cursor=cursor) as eve:
        await eve.until("live")
        assert (await eve.until("read"))["message_id"] == message
    async with visitor(desk_client, token) as eve:
        assert [one["read"] for one in (await eve.until("snapshot"))["state"]["messages"]] == [True]


@pytest.mark.postgres
async def test_the_windows_at_another_desk_hear_it_too(postgres_desk_client: DeskClient, tmp_path: Path) -> None:
    one = postgres_desk_client
    number = await one.new_ticket()
    upto = await newest(one, number)
    async with beside(one, tmp_path) as two, agent(one) as here, agent(two) as there:
        await here.until("live")
        await there.until("live")
        await here.command("mark_read", number=number, message_id=upto)
        assert (await there.until(own("read")))["message_id"] == upto
        await there.command("set_preferences", **DENSE)
        assert (await here.until(own("preferences")))["preferences"]["density"] == "compact"
        assert len([told for told in there.frames if own("preferences")(told)]) == 1


async def test_a_draft_is_there_in_the_next_window_and_after_coming_back(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket()
    async with agent(desk_client) as one, agent(desk_client) as two:
        await one.until("live")
        await two.until("live")
        cursor = two.cursor
        saved = (await one.command("save_draft", number=number, mode="reply", text="Dear", window="w1"))["answer"]
        told = await two.until(own("draft"))
        wanted = {"number": number, "mode": "reply", "text": "Dear", "saved_at": saved["saved_at"], "window": "w1"}
        assert told == {"type": "own", "what": "draft", **wanted}
        stale = await two.command("save_draft", number=number, mode="reply", text="Hi", base=0)
        assert (stale["problem"]["status"], stale["problem"]["text"]) == (409, "Dear")
    listed = (await desk_client.get("/api/v1/me/drafts")).json["items"]
    assert [one["text"] for one in listed] == ["Dear"]
    begun = [{"number": number, "mode": "reply", "saved_at": saved["saved_at"]}]
    async with agent(desk_client, cursor=cursor) as back, agent(desk_client) as fresh:
        assert (await back.until(own("all")))["drafts"] == begun
        assert (await fresh.until("snapshot"))["state"]["drafts"] == begun
    async with agent(desk_client, "agent") as ann:
        assert (await ann.until("snapshot"))["state"]["drafts"] == []


async def test_a_canned_response_is_told_to_those_who_may_use_it(desk_client: DeskClient) -> None:
    team = desk_client.team_id
    async with agent(desk_client) as boss, agent(desk_client, "agent") as ann, agent(desk_client, "outsider") as out:
        for client in (boss, ann, out):
            await client.until("live")
        own_one = (await ann.command("create_canned", short="mine", text="Hi", own=True))["answer"]["id"]
        teams_one = (await ann.command("create_canned", short="team", text="Hi", team_id=team))["answer"]["id"]
        everybodys = (await boss.command("create_canned", short="all", text="Hi"))["answer"]["id"]
        await ann.command("change_canned", canned_id=own_one, own=False, team_id=team)
        await ann.command("change_canned", canned_id=teams_one, own=True, team_id=None)
        await boss.command("delete_canned", canned_id=everybodys)

        def heard(client: Any) -> list[tuple[str, int]]:
            return [(t["name"], t["canned_id"]) for t in client.events if t["name"].startswith("canned.")]

        for client in (boss, ann, out):
            await client.event("canned.deleted", canned_id=everybodys)
        created, deleted = "canned.created", "canned.deleted"
        assert heard(out) == [(created, everybodys), (deleted, everybodys)]
        made = [(created, teams_one), (created, everybodys), (created, own_one)]
        assert heard(boss) == [*made, (deleted, teams_one), (deleted, everybodys)]
        assert len(heard(ann)) == 8
    async with agent(desk_client, "supervisor") as late:
        state = (await late.until("snapshot"))["state"]
        assert [one["short"] for one in state["canned"]] == ["mine"]


async def test_who_catches_up_is_not_shown_what_became_somebody_elses_since(desk_client: DeskClient) -> None:
    async with agent(desk_client, "supervisor") as away:
        await away.until("live")
        cursor = away.cursor
    made = (await desk_client.post("/api/v1/canned", {"short": "s", "text": "for all"})).json["id"]
    await desk_client.patch(f"/api/v1/canned/{made}", {"own": True, "text": "only for me"})
    async with agent(desk_client, "supervisor", cursor=cursor) as back:
        await back.until("live")
        told = [t for t in back.events if t["name"].startswith("canned.")]
        assert [(t["name"], "canned" in t) for t in told] == [("canned.created", False), ("canned.deleted", False)]
        assert "only for me" not in str(back.frames)


_ROLE = """UPDATE role SET permissions = '["contacts.read"]' WHERE id = (SELECT role_id FROM agent WHERE id = :id)"""


async def test_who_may_no_longer_read_tickets_is_told_nothing_of_them(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket()
    people = desk_client.people
    await desk_client.request(
        "PUT", f"/api/v1/tickets/{number}/draft", {"mode": "note", "text": "begun"}, as_="observer"
    )
    async with agent(desk_client, "observer") as client:
        await client.until("live")
        assert len((await client.until("snapshot"))["state"]["drafts"]) == 1

        def change(tx: Tx) -> None:
            tx.run(_ROLE, id=people["observer"].id)
            tx.record(AccessChanged(agent_id=people["observer"].id), by=SYSTEM)

        await desk_client.store.write(change)
        await client.until("snapshot_required")
        seen = len(client.frames)
        await client.say("snapshot")
        state = (await client.until("snapshot", since=seen))["state"]
        assert (state["drafts"], state["reads"], state["views"], state["canned"]) == ([], {}, [], [])
        assert set(state["counts"].values()) == {0}
        await client.until("live", since=seen)
        told = Told_("agent", people["observer"].id, {"type": "own", "what": "draft", "number": number}, "tickets.read")
        await desk_client.store.write(lambda tx: tx.tell(told))
        await client.command("read_me")
        assert "own" not in {frame["type"] for frame in client.frames}


async def test_nobody_is_told_that_something_happens_to_a_ticket_out_of_their_sight(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket()
    upto = await newest(desk_client, number)
    await desk_client.post(f"/api/v1/tickets/{number}/read", {"message_id": upto}, as_="agent")
    back = await desk_client.post("/api/v1/teams", {"name": "Back"})
    async with agent(desk_client, "agent") as ann:
        await ann.until("live")

        def hide(tx: Tx) -> None:
            tx.run("UPDATE ticket SET team_id = NULL, inbox_id = :other", other=elsewhere)

        elsewhere = (await desk_client.post("/api/v1/inboxes", {"kind": "form", "name": "Back"})).json["id"]
        await desk_client.store.write(hide)
        await desk_client.post(f"/api/v1/tickets/{number}/move", {"team_id": back.json["id"]})
        await desk_client.post(f"/api/v1/tickets/{number}/resolve", {})
        await desk_client.post(f"/api/v1/tickets/{number}/reopen", {})
        await ann.command("read_me")
        assert "own" not in {frame["type"] for frame in ann.frames}
