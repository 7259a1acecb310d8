"""A visitor's live connection: what they say reaches agents, what is answered reaches them, and nothing else does."""

import asyncio
import contextlib
import json
from pathlib import Path

import pytest

from tests.fixtures.desk import DeskClient
from tests.live.client import Told, agent, beside, connected, live_inbox, visitor


async def test_what_a_visitor_says_reaches_an_agent_and_the_answer_comes_back(desk_client: DeskClient) -> None:
    async with agent(desk_client, "agent") as ann, visitor(desk_client) as eve:
        await ann.until("live")
        token = (await eve.until("welcome"))["visitor"]
        assert len(token) == 22
        assert (await eve.until("snapshot"))["state"]["ticket"] is None
        said = await eve.command("say", text="The kettle leaks.", client_id="m1")
        assert said["type"] == "answer", said
        number = said["answer"]["number"]
        entered = await ann.event("ticket.entered", number=number)
        assert entered["because"] == "ticket.opened"
        heard = await ann.event("message.received", number=number)
        assert heard["message"]["text"] == "The kettle leaks."
        await ann.command("reply", number=number, text="Which one?", seen=heard["message"]["id"])
        own = await eve.event("message.received")
        assert own["message"]["client_id"] == "m1"
        told = await eve.event("message.sent")
        assert told["message"]["text"] == "Which one?"
        assert told["message"]["author"] == "Agent"
        assert told["message"]["by"] == "agent"
        await eve.say("seen", cursor=told["id"])
        await ann.until(lambda t: t.get("name") == "delivery.changed" and t["delivery"]["state"] == "delivered")


async def test_notes_other_tickets_and_other_doors_are_nothing_to_a_visitor(desk_client: DeskClient) -> None:
    async with visitor(desk_client) as eve:
        await eve.until("live")
        number = (await eve.command("say", text="Hello", client_id="m1"))["answer"]["number"]
        await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": "A secret."})
        await desk_client.post(f"/api/v1/tickets/{number}/tag", {"tag": "secret"})
        await desk_client.new_ticket("Another's secret.")
        await desk_client.post(f"/api/v1/tickets/{number}/claim", {})
        told = await eve.event("ticket.assigned")
        assert told["ticket"]["agent"] == "Administrator"
        assert told["by"] == {"kind": "agent"}
        assert "ecret" not in json.dumps(eve.frames)
        assert {e["name"] for e in eve.events} == {"ticket.opened", "message.received", "ticket.assigned"}


async def test_a_visitor_comes_back_with_token_and_cursor_and_gets_what_they_missed(desk_client: DeskClient) -> None:
    async with visitor(desk_client) as eve:
        token = (await eve.until("welcome"))["visitor"]
        await eve.until("live")
        number = (await eve.command("say", text="Hello", client_id="m1"))["answer"]["number"]
        await eve.event("message.received")
        cursor = eve.cursor
    await desk_client.post(f"/api/v1/tickets/{number}/reply", {"text": "Good day.", "anyway": True})
    async with visitor(desk_client, token, cursor=cursor) as eve:
        assert "visitor" not in eve.frames[0]
        await eve.until("live")
        assert [e["message"]["text"] for e in eve.events if "message" in e] == ["Good day."]
        again = await eve.command("say", text="Hello", client_id="m1")
        assert again["answer"]["duplicate"] is True


async def test_a_token_of_another_site_opens_nothing(desk_client: DeskClient) -> None:
    async with visitor(desk_client) as eve:
        token = (await eve.until("welcome"))["visitor"]
        await eve.until("live")
        await eve.command("say", text="Hello", client_id="m1")
    async with connected(desk_client, {"Origin": "http://desk.example"}) as other:
        await other.say(
            "hello", inbox=await live_inbox(desk_client), visitor=token, site="http://127.0.0.1:1", cursor=0
        )
        welcome = await other.until("welcome")
        assert welcome["visitor"] != token
        assert (await other.until("snapshot"))["state"]["messages"] == []


async def test_agents_commands_are_not_for_visitors(desk_client: DeskClient) -> None:
    async with visitor(desk_client) as eve:
        await eve.until("live")
        for name in ("note", "assign", "list_tickets", "read_me"):
            refused = await eve.command(name)
            assert refused["problem"]["type"] == "/problems/forbidden"
        await eve.say("viewing", number=1001)
        refused = await eve.until("error", since=len(eve.frames))
        assert refused["problem"]["status"] == 403


async def test_more_than_twenty_messages_a_minute_are_too_many(desk_client: DeskClient) -> None:
    async with visitor(desk_client) as eve:
        await eve.until("live")
        answers = [await eve.command("say", text=f"Hello {n}", client_id=f"m{n}") for n in range(21)]
        assert [a["type"] for a in answers] == ["answer"] * 20 + ["error"]
        assert answers[-1]["problem"]["status"] == 429
        assert answers[-1]["problem"]["retry_after"] >= 1


async def test_a_device_that_forgets_is_sent_away_in_all_its_windows(desk_client: DeskClient) -> None:
    async with visitor(desk_client) as eve:
        token = (await eve.until("welcome"))["visitor"]
        await eve.until("live")
        async with visitor(desk_client, token) as window:
            await window.until("live")
            assert (await eve.command("forget"))["type"] == "answer"
            assert await window.ended() == 4401
            assert await eve.ended() == 4401
        async with visitor(desk_client, token) as anew:
            assert (await anew.until("welcome"))["visitor"] != token


def signed(inbox: str, subject: str) -> str:
    from joserfc import jwk, jwt

    from tests.live.client import SECRET

    now = 1_790_000_000
    key = jwk.OctKey.import_key(SECRET)
    return str(jwt.encode({"alg": "HS256"}, {"sub": subject, "aud": inbox, "iat": now, "exp": now + 600}, key))


async def test_another_who_signs_in_sees_nothing_of_the_one_before(desk_client: DeskClient) -> None:
    inbox = await live_inbox(desk_client)
    async with visitor(desk_client, jwt=signed(inbox, "eve")) as eve:
        await eve.until("live")
        assert (await eve.until("snapshot"))["state"]["verified"] is True
        await eve.command("say", text="Eve's secret", client_id="m1")
        await eve.event("message.received")
        seen = len(eve.frames)
        changed = await eve.command("identify", jwt=signed(inbox, "bob"))
        assert changed["answer"]["visitor"]
        snapshot = await eve.until("snapshot", since=seen)
        assert snapshot["state"]["messages"] == []
        await eve.until("live", since=seen)
        # What came before the answer is about Eve, and still hers.
        assert "secret" not in json.dumps(eve.frames[eve.frames.index(changed) :])
        said = await eve.command("say", text="Bob's own", client_id="m1")
        assert said["answer"]["duplicate"] is False


async def test_a_forged_identity_is_told_and_changes_nothing(desk_client: DeskClient) -> None:
    async with visitor(desk_client, jwt="a.b.c") as eve:
        assert (await eve.until("error"))["problem"]["status"] == 403
        assert (await eve.until("snapshot"))["state"]["verified"] is False


async def test_another_window_hears_at_once_what_no_event_of_a_ticket_tells(desk_client: DeskClient) -> None:
    async with visitor(desk_client) as eve:
        token = (await eve.until("welcome"))["visitor"]
        await eve.until("live")
        async with visitor(desk_client, token) as window:
            await window.until("live")

            async def told(**wanted: object) -> None:
                def holds(frame: Told) -> bool:
                    return frame["type"] == "standing" and all(frame["state"][f] == v for f, v in wanted.items())

                await window.until(holds)

            number = (await eve.command("say", text="Hello", client_id="m1"))["answer"]["number"]
            await window.event("message.received")
            await eve.command("leave_details", name="Eve")
            await told(name="Eve")
            await eve.command("start_anew")
            assert (await window.event("ticket.resolved"))["ticket"]["number"] == number
            await told(ticket=None)
            await eve.command("identify", jwt=signed(await live_inbox(desk_client), "eve"))
            await told(verified=True)
            assert not [frame for frame in window.frames if frame["type"] == "snapshot_required"]
            assert not any("messages" in frame["state"] for frame in window.frames if frame["type"] == "standing")


@pytest.mark.postgres
async def test_a_window_at_another_desk_hears_it_too(postgres_desk_client: DeskClient, tmp_path: Path) -> None:
    one = postgres_desk_client
    async with visitor(one) as eve:
        token = (await eve.until("welcome"))["visitor"]
        await eve.until("live")
        async with beside(one, tmp_path) as two, visitor(two, token) as window:
            await window.until("live")
            await eve.command("say", text="Hello", client_id="m1")
            await window.event("message.received")
            await eve.command("leave_details", name="Eve")
            await window.until(lambda frame: frame["type"] == "standing" and frame["state"]["name"] == "Eve")
            await eve.command("start_anew")
            await window.event("ticket.resolved")
            await window.until(lambda frame: frame["type"] == "standing" and frame["state"]["ticket"] is None)
            assert not [frame for frame in window.frames if frame["type"] == "snapshot_required"]


async def test_who_comes_back_with_a_cursor_hears_how_things_stand_by_now(desk_client: DeskClient) -> None:
    async with visitor(desk_client) as eve:
        token = (await eve.until("welcome"))["visitor"]
        await eve.until("live")
        await eve.command("say", text="Hello", client_id="m1")
        await eve.event("message.received")
        async with visitor(desk_client, token) as window:
            await window.until("live")
            await window.command("start_anew")
        cursor = eve.cursor
    async with visitor(desk_client, token, cursor=cursor) as eve:
        await eve.until("live")
        kinds = [f["type"] for f in eve.frames if f["type"] in ("event", "standing", "live", "snapshot")]
        assert kinds[-2:] == ["standing", "live"]
        assert "snapshot" not in kinds
        assert next(f for f in eve.frames if f["type"] == "standing")["state"]["ticket"] is None


@pytest.mark.parametrize("how", ["in this window", "in a new one"])
async def test_when_another_signs_in_every_other_window_of_the_one_before_is_over(
    desk_client: DeskClient, how: str
) -> None:
    inbox = await live_inbox(desk_client)
    async with visitor(desk_client, jwt=signed(inbox, "eve")) as eve:
        token = (await eve.until("welcome"))["visitor"]
        await eve.until("live")
        async with visitor(desk_client, token) as window:
            await window.until("live")
            if how == "in this window":
                assert (await eve.command("identify", jwt=signed(inbox, "bob")))["answer"]["visitor"] != token
                assert await window.ended() == 4401
                assert (await eve.command("say", text="Bob's own", client_id="m1"))["type"] == "answer"
            else:
                async with visitor(desk_client, token, jwt=signed(inbox, "bob")) as bob:
                    assert (await bob.until("welcome"))["visitor"] != token
                    assert await window.ended() == 4401
                    assert await eve.ended() == 4401
                    assert (await bob.command("say", text="Bob's own", client_id="m1"))["type"] == "answer"


async def test_an_office_that_comes_back_at_once_is_served(sqlite_desk_client: DeskClient) -> None:
    """All from one address, as behind one router, whose line was away: nobody is counted as a stranger."""
    desk = sqlite_desk_client
    tokens = []
    for _ in range(20):
        async with visitor(desk) as eve:
            tokens.append((await eve.until("welcome"))["visitor"])
    for _ in range(15):
        async with contextlib.AsyncExitStack() as stack:
            back = await asyncio.gather(*(stack.enter_async_context(visitor(desk, token)) for token in tokens))
            for eve in back:
                await eve.until("live")
                assert "visitor" not in eve.frames[0]
