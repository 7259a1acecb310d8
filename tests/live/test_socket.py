"""An agent's live connection: coming in, being told, doing something, being sent away."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from hub.db.tx import Tx
from hub.desk import assignment
from hub.desk import ticket as tickets
from hub.staff import agents, sessions, teams, tokens
from hub.staff.access import DESK, Caller
from tests.fixtures.desk import URL, DeskClient
from tests.live.client import agent, connected, ticket


class TestComingIn:
    async def test_a_client_without_a_cursor_gets_a_snapshot_and_then_what_happens(
        self, desk_client: DeskClient
    ) -> None:
        number = await desk_client.new_ticket("The kettle leaks.")
        async with agent(desk_client, "agent") as client:
            live = await client.until("live")
            assert [told["type"] for told in client.frames][:3] == ["welcome", "snapshot", "live"]
            welcome, snapshot = client.frames[:2]
            assert welcome["me"]["agent"]["name"] == "Agent"
            assert snapshot["cursor"] == live["cursor"]
            assert [t["number"] for t in snapshot["state"]["tickets"]] == [number]
            assert snapshot["state"]["tickets"][0]["last_text"] == "The kettle leaks."
            await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": "Call them."})
            told = await client.event("note.written")
            assert told["note"]["text"] == "Call them."
            assert told["ticket"]["number"] == number
            assert told["id"] > live["cursor"]

    async def test_a_client_with_a_cursor_gets_what_came_after_it_and_no_more(self, desk_client: DeskClient) -> None:
        number = await desk_client.new_ticket()
        async with agent(desk_client, "agent") as client:
            cursor = (await client.until("live"))["cursor"]
        for text in ("one", "two", "three"):
            await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": text})
        async with agent(desk_client, "agent", cursor=cursor) as client:
            live = await client.until("live")
            notes = [e["note"]["text"] for e in client.events if e["name"] == "note.written"]
            assert notes == ["one", "two", "three"]
            assert "snapshot" not in {told["type"] for told in client.frames}
            assert all(cursor < e["id"] <= live["cursor"] for e in client.events)

    @pytest.mark.parametrize("cursor", [-1, 1.5, "7", True, [], 2**63])
    async def test_a_cursor_that_is_no_number_of_an_event_is_an_error(
        self, sqlite_desk_client: DeskClient, cursor: Any
    ) -> None:
        async with connected(sqlite_desk_client) as client:
            await client.say("hello", ticket=await ticket(sqlite_desk_client), cursor=cursor)
            wrong = await client.until("error")
            assert wrong["problem"]["errors"][0]["path"] == "cursor"

    async def test_nan_is_no_json(self, sqlite_desk_client: DeskClient) -> None:
        async with connected(sqlite_desk_client) as client:
            await client.socket.send_str('{"type":"hello","ticket":"x","cursor":NaN}')
            assert (await client.until("error"))["problem"]["type"] == "/problems/malformed"

    async def test_a_cursor_from_the_future_asks_for_a_snapshot(self, desk_client: DeskClient) -> None:
        async with agent(desk_client, cursor=2**40) as client:
            assert (await client.until("snapshot_required"))["why"] == "unknown_cursor"
            await desk_client.new_ticket()
            await client.say("snapshot")
            snapshot = await client.until("snapshot")
            assert len(snapshot["state"]["tickets"]) == 1
            await client.until("live")
            assert client.events == []

    @pytest.mark.loop_may_block("two thousand events are made at once")
    async def test_too_far_behind_asks_for_a_snapshot(self, sqlite_desk_client: DeskClient) -> None:
        from hub.events import SYSTEM, TagCreated

        def much(tx: Any) -> None:
            for number in range(2_001):
                tx.record(TagCreated(tag_id=number), by=SYSTEM)

        async with agent(sqlite_desk_client) as client:
            cursor = (await client.until("live"))["cursor"]
        await sqlite_desk_client.store.write(much)
        async with agent(sqlite_desk_client, cursor=cursor) as client:
            assert (await client.until("snapshot_required"))["why"] == "too_far_behind"
        async with agent(sqlite_desk_client, cursor=cursor + 1) as client:
            await client.until("live")
            assert len(client.events) == 2_000

    async def test_a_ticket_works_once(self, desk_client: DeskClient) -> None:
        once = await ticket(desk_client)
        for expected in ("welcome", None):
            async with connected(desk_client) as client:
                await client.say("hello", ticket=once)
                if expected:
                    await client.until(expected)
                else:
                    assert await client.ended() == 4401

    async def test_two_at_once_with_one_ticket_and_one_gets_in(self, desk_client: DeskClient) -> None:
        once = await ticket(desk_client)
        async with connected(desk_client) as one, connected(desk_client) as two:
            await asyncio.gather(*(client.say("hello", ticket=once) for client in (one, two)))
            async with asyncio.timeout(20):
                while not (any(c.frames for c in (one, two)) and any(c.code for c in (one, two))):
                    await asyncio.sleep(0.02)
            assert sorted([c.code or 0, [told["type"] for told in c.frames][:1]] for c in (one, two)) == [
                [0, ["welcome"]],
                [4401, []],
            ]

    async def test_a_ticket_is_over_after_thirty_seconds(self, desk_client: DeskClient) -> None:
        old = await ticket(desk_client)
        desk_client.clock.advance(30_000)
        async with connected(desk_client) as client:
            await client.say("hello", ticket=old)
            assert await client.ended() == 4401

    async def test_a_ticket_cannot_be_rewritten_for_another_session(self, desk_client: DeskClient) -> None:
        mine = await ticket(desk_client, "agent")
        secret, _, name = mine.partition(".")
        for forged in (f"{secret}.t1", f"{secret}.s1", secret, f"{mine}0", "", "x" * 3_000):
            if forged == mine:
                continue
            async with connected(desk_client) as client:
                await client.say("hello", ticket=forged)
                assert await client.ended() == 4401, (forged, name)

    async def test_a_ticket_needs_a_caller_with_the_scope(self, sqlite_desk_client: DeskClient) -> None:
        assert (await sqlite_desk_client.post("/api/v1/live/tickets", {}, as_=None)).status == 401
        cookie = {"Cookie": f"parley={sqlite_desk_client.people['agent'].session}"}
        assert (await sqlite_desk_client.post("/api/v1/live/tickets", {}, as_=None, headers=cookie)).status == 403

    async def test_nobody_who_says_nothing_is_waited_for(self, sqlite_desk_client: DeskClient) -> None:
        async with connected(sqlite_desk_client) as client:
            live = sqlite_desk_client.desk.live
            assert len(live._strangers) == 1
            live._strangers = dict.fromkeys(live._strangers, live.now)
            assert await client.ended() == 4401

    async def test_before_hello_nothing_is_answered(self, sqlite_desk_client: DeskClient) -> None:
        async with connected(sqlite_desk_client) as client:
            refused = await client.command("list_tickets")
            assert refused["problem"]["status"] == 401

    async def test_hello_is_said_once(self, sqlite_desk_client: DeskClient) -> None:
        async with agent(sqlite_desk_client) as client:
            await client.say("hello", ticket=await ticket(sqlite_desk_client))
            assert (await client.until("error"))["problem"]["status"] == 409


ORIGINS = [
    "http://evil.example",
    "null",
    "http://desk.example.evil.example",
    "https://desk.example",
    "http://desk.example:80",
    "HTTP://desk.example",
    "http://Desk.Example",
    "http://desk.example/",
    "http://desk.example.",
    "http://user@desk.example",
    "http://desk.example\\.evil.example",
    "http://xn--dsk-hoa.example",
    "",
]


class TestOrigin:
    @pytest.mark.parametrize("origin", ORIGINS)
    async def test_pages_of_others_get_no_socket(self, sqlite_desk_client: DeskClient, origin: str) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with connected(sqlite_desk_client, {"Origin": origin}):
                pass
        assert refused.value.status == 403

    async def test_two_origins_are_none(self, sqlite_desk_client: DeskClient) -> None:
        answer = await sqlite_desk_client.request(
            "POST", "/live/poll", {"frames": []}, as_=None, headers={"Origin": f"{URL}, {URL}"}
        )
        assert answer.status == 403

    async def test_our_own_page_and_a_program_without_one_come_in(self, desk_client: DeskClient) -> None:
        async with agent(desk_client, session=True) as page, agent(desk_client) as program:
            await page.until("live")
            await program.until("live")

    async def test_the_ticket_of_a_session_needs_our_page(self, sqlite_desk_client: DeskClient) -> None:
        async with connected(sqlite_desk_client) as client:
            await client.say("hello", ticket=await ticket(sqlite_desk_client, session=True))
            assert await client.ended() == 4401

    async def test_a_cookie_alone_opens_nothing(self, sqlite_desk_client: DeskClient) -> None:
        headers = {"Origin": URL, "Cookie": f"parley={sqlite_desk_client.people['agent'].session}"}
        async with connected(sqlite_desk_client, headers) as client:
            await client.say("hello")
            assert (await client.until("error"))["problem"]["status"] == 401

    async def test_what_is_no_websocket_is_told_so(self, sqlite_desk_client: DeskClient) -> None:
        answer = await sqlite_desk_client.get("/live", as_=None)
        assert answer.status == 400
        assert "WebSocket" in answer.json["detail"]


class TestFrames:
    async def test_three_frames_that_are_no_json_objects_end_it(self, sqlite_desk_client: DeskClient) -> None:
        async with connected(sqlite_desk_client) as client:
            for text in ("hello", "[1]", '{"type":'):
                await client.socket.send_str(text)
            assert await client.ended() == 1007
            assert [told["type"] for told in client.frames] == ["error"] * 3

    async def test_a_client_that_does_not_mask_is_ended(self, sqlite_desk_client: DeskClient) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_desk_client.port)
        writer.write(
            b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81\x02{}")
        async with asyncio.timeout(30):
            answer = await reader.read()
        assert answer[:4] == b"\x88\x1f" + (1002).to_bytes(2, "big")
        writer.close()

    async def test_bytes_are_not_understood(self, sqlite_desk_client: DeskClient) -> None:
        async with agent(sqlite_desk_client) as client:
            await client.socket.send_bytes(b"\x00\x01")
            assert await client.ended() == 1003

    async def test_text_that_is_no_utf_8_ends_it(self, sqlite_desk_client: DeskClient) -> None:
        async with connected(sqlite_desk_client) as client:
            await client.socket.send_frame(b'{"type":"\xff"}', aiohttp.WSMsgType.TEXT)
            assert await client.ended() == 1007

    async def test_a_stranger_may_not_send_more_than_a_visitor(self, sqlite_desk_client: DeskClient) -> None:
        async with connected(sqlite_desk_client) as client:
            await client.say("hello", inbox="x" * 70_000)
            assert await client.ended() == 1009

    async def test_an_agent_may_send_a_megabyte_and_no_more(self, sqlite_desk_client: DeskClient) -> None:
        async with agent(sqlite_desk_client) as client:
            refused = await client.command("note", number=1, text="x" * 900_000)
            assert refused["problem"]["status"] == 404
            await client.say("command", id="c", name="note", request={"text": "x" * 1_100_000})
            assert await client.ended() == 1009

    async def test_a_flood_of_pings_ends_it(self, sqlite_desk_client: DeskClient) -> None:
        async with agent(sqlite_desk_client) as client:
            with pytest.raises((ConnectionError, aiohttp.ClientError)):
                for _ in range(2_000):
                    await client.socket.ping()
                    await asyncio.sleep(0)
                assert await client.ended() == 1008
                raise ConnectionError

    async def test_a_ping_is_answered_in_both_its_forms(self, sqlite_desk_client: DeskClient) -> None:
        async with agent(sqlite_desk_client) as client:
            await client.say("ping")
            await client.until("pong")
            await client.socket.ping(b"there?")

    @pytest.mark.parametrize("frame", [{"type": "subscribe", "room": "*"}, {"type": 7}, {}, {"type": None}])
    async def test_an_unknown_frame_is_an_error_and_no_more(
        self, sqlite_desk_client: DeskClient, frame: dict[str, Any]
    ) -> None:
        async with agent(sqlite_desk_client) as client:
            for _ in range(5):
                await client.socket.send_str(json.dumps(frame))
            assert (await client.until("error"))["problem"]["errors"][0]["path"] == "type"
            await client.say("ping")
            await client.until("pong")


class TestCommands:
    async def test_a_command_is_answered_as_by_http(self, desk_client: DeskClient) -> None:
        number = await desk_client.new_ticket()
        async with agent(desk_client, "agent") as client:
            answer = await client.command("read_ticket", number=number)
            http = await desk_client.get(f"/api/v1/tickets/{number}", as_="agent")
            assert answer["answer"] == http.json

    @pytest.mark.parametrize(
        ("name", "request_", "path"),
        [
            ("note", {"number": 1001, "text": ""}, "/tickets/1001/note"),
            ("note", {"number": 999_999, "text": "x"}, "/tickets/999999/note"),
            ("note", {"number": 1001, "text": 7}, "/tickets/1001/note"),
            ("resolve", {"number": 1001, "extra": 1}, "/tickets/1001/resolve"),
        ],
    )
    async def test_a_problem_is_the_same_as_by_http(
        self, sqlite_desk_client: DeskClient, name: str, request_: dict[str, Any], path: str
    ) -> None:
        await sqlite_desk_client.new_ticket()
        async with agent(sqlite_desk_client) as client:
            problem = (await client.command(name, **request_))["problem"]
        body = {k: v for k, v in request_.items() if k != "number"}
        http = (await sqlite_desk_client.post(f"/api/v1{path}", body)).json
        http.pop("request_id")
        assert problem == http

    async def test_a_client_id_makes_it_happen_once(self, desk_client: DeskClient) -> None:
        number = await desk_client.new_ticket()
        async with agent(desk_client) as client:
            first = await client.command("note", client_id="n1", number=number, text="Once.")
            again = await client.command("note", client_id="n1", number=number, text="Once.")
            assert first["answer"] == again["answer"]
            other = await client.command("note", client_id="n1", number=number, text="Another.")
            assert other["problem"]["type"] == "/problems/mismatch"
            http = await desk_client.post(
                f"/api/v1/tickets/{number}/note", {"text": "Once."}, headers={"Idempotency-Key": "n1"}
            )
            assert http.json == first["answer"]

    @pytest.mark.parametrize("wrong", [{"client_id": ""}, {"client_id": "x" * 10_000}, {"client_id": 7}, {"id": None}])
    async def test_ids_have_a_shape(self, sqlite_desk_client: DeskClient, wrong: dict[str, Any]) -> None:
        async with agent(sqlite_desk_client) as client:
            await client.say("command", **{"id": "c", "name": "read_me", **wrong})
            assert (await client.until("error"))["problem"]["status"] == 422

    async def test_many_commands_at_once_are_done_in_their_order(self, desk_client: DeskClient) -> None:
        number = await desk_client.new_ticket()
        async with agent(desk_client) as client:
            await client.until("live")
            for n in range(50):
                await client.say("command", id=f"x{n}", name="note", request={"number": number, "text": str(n)})
            await client.until(lambda told: told.get("note", {}).get("text") == "49")
            assert [e["note"]["text"] for e in client.events] == [str(n) for n in range(50)]

    async def test_a_token_without_the_scope_is_refused(self, sqlite_desk_client: DeskClient) -> None:
        number = await sqlite_desk_client.new_ticket()
        async with agent(sqlite_desk_client, "reader") as client:
            refused = await client.command("note", number=number, text="x")
            assert refused["problem"]["status"] == 403
            assert (await client.command("no_such_thing"))["problem"]["status"] == 404


async def move(desk: DeskClient, number: int, team_id: int | None) -> None:
    answer = await desk.post(f"/api/v1/tickets/{number}/move", {"team_id": team_id})
    assert answer.status == 200, answer.body


def put(tx: Tx, number: int, agent_id: int | None) -> None:
    """Assigned as it was before their rights were taken."""
    found = tickets.by_number(tx, number)
    assert found is not None
    assignment.put(tx, DESK, found, agent_id, "assigned")


class TestSight:
    async def other_team(self, desk: DeskClient) -> int:
        def make(tx: Any) -> int:
            team_id = teams.create(tx, DESK, "Elsewhere")
            teams.add_member(tx, DESK, team_id, desk.people["outsider"].id)
            return team_id

        return await desk.store.write(make)

    async def test_a_ticket_enters_and_leaves_the_sight_of_who_may_see_it(self, desk_client: DeskClient) -> None:
        team_id = await self.other_team(desk_client)
        async with agent(desk_client, "outsider") as client, agent(desk_client) as boss:
            await client.until("live")
            await boss.until("live")
            number = await desk_client.new_ticket("Not theirs yet.")
            await move(desk_client, number, team_id)
            entered = await client.event("ticket.entered")
            assert (entered["because"], entered["number"]) == ("ticket.moved", number)
            assert entered["ticket"]["team_id"] == team_id
            await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": "Now they see it."})
            await client.event("note.written")
            await move(desk_client, number, desk_client.team_id)
            left = await client.event("ticket.left")
            assert (left["because"], left["number"]) == ("ticket.moved", number)
            assert "ticket" not in left
            await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": "Not theirs any more."})
            await boss.until(lambda told: told.get("note", {}).get("text") == "Not theirs any more.")
            await asyncio.sleep(0.1)
            assert "any more" not in json.dumps(client.frames)
            names = [e["name"] for e in boss.events if e.get("number") == number]
            assert names[:1] == ["ticket.entered"]
            assert names.count("ticket.moved") == 2

    async def test_an_assigned_ticket_is_seen_by_its_agent_alone_of_their_like(self, desk_client: DeskClient) -> None:
        number = await desk_client.new_ticket()
        outsider = desk_client.people["outsider"].id
        async with agent(desk_client, "outsider") as client:
            await client.until("live")
            await desk_client.store.write(put, number, outsider)
            assert (await client.event("ticket.entered"))["ticket"]["assignee_id"] == outsider
            await desk_client.store.write(put, number, None)
            await client.event("ticket.left")

    async def test_what_moved_on_before_it_was_told_leaks_nothing(self, desk_client: DeskClient) -> None:
        """A replay tells of the past, but shows things as they are: no longer theirs."""
        team_id = await self.other_team(desk_client)
        number = await desk_client.new_ticket("Before.")
        await move(desk_client, number, team_id)
        async with agent(desk_client, "outsider") as client:
            cursor = (await client.until("live"))["cursor"]
        await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": "While it was theirs."})
        await move(desk_client, number, desk_client.team_id)
        await desk_client.patch(f"/api/v1/tickets/{number}", {"subject": "A new secret"})
        async with agent(desk_client, "outsider", cursor=cursor) as client:
            await client.until("live")
            note, left = client.events
            assert (note["name"], note["number"]) == ("note.written", number)
            assert not {"ticket", "note", "note_id"} & note.keys()
            assert left["name"] == "ticket.left"
            assert "secret" not in json.dumps(client.frames)

    async def test_sign_ins_are_told_to_those_who_manage_agents(self, desk_client: DeskClient) -> None:
        from hub.events import SYSTEM, SignInFailed

        async with agent(desk_client) as boss, agent(desk_client, "agent") as client:
            await boss.until("live")
            await client.until("live")
            await desk_client.store.write(lambda tx: tx.record(SignInFailed(), by=SYSTEM))
            await desk_client.new_ticket()
            await boss.event("agent.sign_in_failed")
            await client.event("ticket.entered")
            assert "agent.sign_in_failed" not in {e["name"] for e in client.events}

    async def test_contacts_are_told_to_who_sees_a_ticket_of_theirs(self, desk_client: DeskClient) -> None:
        contact_id = await desk_client.new_contact()
        await desk_client.new_ticket(contact_id=contact_id)
        async with agent(desk_client, "agent") as client, agent(desk_client, "outsider") as outsider:
            await client.until("live")
            await outsider.until("live")
            await desk_client.patch(f"/api/v1/contacts/{contact_id}", {"name": "Abeba T."})
            told = await client.event("contact.changed")
            assert told["contact"]["name"] == "Abeba T."
            everybodys = await desk_client.new_contact("Bopha", "bopha@example.org")
            await desk_client.patch(f"/api/v1/contacts/{everybodys}", {"name": "Bopha K."})
            await outsider.event("contact.changed")
            assert "Abeba" not in json.dumps(outsider.events)


class TestRights:
    async def test_rights_that_change_ask_for_a_snapshot(self, desk_client: DeskClient) -> None:
        number = await desk_client.new_ticket()
        async with agent(desk_client, "outsider") as client:
            assert (await client.until("live")) and client.frames[1]["state"]["tickets"] == []
            helper = desk_client.people["outsider"]
            await desk_client.store.write(teams.add_member, DESK, desk_client.team_id, helper.id)
            assert (await client.until("snapshot_required"))["why"] == "rights_changed"
            await client.say("snapshot")
            seen = len(client.frames)
            snapshot = await client.until("snapshot", since=seen - 1)
            assert [t["number"] for t in snapshot["state"]["tickets"]] == [number]
            await desk_client.store.write(teams.remove_member, DESK, desk_client.team_id, helper.id)
            await client.until("snapshot_required", since=seen)
            await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": "A secret."})
            await asyncio.sleep(0.2)
            assert "secret" not in json.dumps(client.frames)

    async def test_rights_that_changed_while_one_was_away_ask_for_a_snapshot(self, desk_client: DeskClient) -> None:
        async with agent(desk_client, "outsider") as client:
            cursor = (await client.until("live"))["cursor"]
        helper = desk_client.people["outsider"]
        await desk_client.store.write(teams.add_member, DESK, desk_client.team_id, helper.id)
        async with agent(desk_client, "outsider", cursor=cursor) as client:
            assert (await client.until("snapshot_required"))["why"] == "rights_changed"

    async def test_a_change_that_changes_nothing_for_one_is_not_noticed(self, desk_client: DeskClient) -> None:
        from hub.events import SYSTEM, AccessChanged

        number = await desk_client.new_ticket()
        async with agent(desk_client, "agent") as client:
            await client.until("live")
            for n in range(20):
                await desk_client.store.write(lambda tx: tx.record(AccessChanged(), by=SYSTEM))
                await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": str(n)})
            await client.until(lambda told: told.get("note", {}).get("text") == "19")
            assert [e["note"]["text"] for e in client.events] == [str(n) for n in range(20)]

    async def test_signing_out_ends_the_sockets_of_that_session(self, desk_client: DeskClient) -> None:
        helper = desk_client.people["agent"]
        async with agent(desk_client, "agent", session=True) as page, agent(desk_client, "agent") as program:
            await page.until("live")
            await program.until("live")
            await desk_client.store.write(sessions.end, helper.session)
            async with asyncio.timeout(20):
                assert await page.ended() == 4401
            await program.say("ping")
            await program.until("pong")

    async def test_a_revoked_token_ends_its_sockets(self, desk_client: DeskClient) -> None:
        helper = desk_client.people["agent"]

        def revoke(tx: Any) -> None:
            from hub.events import Actor
            from hub.staff import access

            grants = access.load(tx, helper.id)
            assert grants is not None
            (token,) = tokens.page(tx, helper.id, after=0, limit=5)
            tokens.revoke(tx, Caller(Actor("agent", helper.id), grants), token.id)

        async with agent(desk_client, "agent") as program:
            await program.until("live")
            await desk_client.store.write(revoke)
            async with asyncio.timeout(20):
                assert await program.ended() == 4401

    async def test_a_disabled_agent_is_sent_away(self, desk_client: DeskClient) -> None:
        async with agent(desk_client, "agent") as client:
            await client.until("live")
            await desk_client.store.write(agents.disable, DESK, desk_client.people["agent"].id)
            async with asyncio.timeout(20):
                assert await client.ended() == 4403

    async def test_a_session_that_ran_out_is_found_by_the_look_once_a_minute(self, desk_client: DeskClient) -> None:
        async with agent(desk_client, "agent", session=True) as page:
            await page.until("live")
            desk_client.clock.advance(sessions.IDLE + 1)
            await desk_client.desk.keeping._look_at_all()
            assert await page.ended() == 4401


class TestHeartbeat:
    async def test_silence_is_broken_by_the_cursor_or_a_ping(self, sqlite_desk_client: DeskClient) -> None:
        from hub.events import SYSTEM, HealthChecked

        desk = sqlite_desk_client
        async with agent(desk) as client:
            await client.until("live")
            await desk.store.write(lambda tx: tx.record(HealthChecked(), by=SYSTEM))
            for kind in ("cursor", "ping"):
                for session in desk.desk.live.sessions:
                    session.told -= 30
                await client.until(kind)
            assert client.cursor == desk.desk.stream.tail

    async def test_who_is_silent_for_too_long_is_let_go(self, sqlite_desk_client: DeskClient) -> None:
        desk = sqlite_desk_client
        async with agent(desk) as client:
            await client.until("live")
            for session in desk.desk.live.sessions:
                session.heard -= 60
            assert await client.ended() == 4408
            assert not desk.desk.live.sessions


async def test_a_desk_that_stops_sends_everybody_home(sqlite_desk_client: DeskClient) -> None:
    async with agent(sqlite_desk_client) as client, connected(sqlite_desk_client) as stranger:
        await client.until("live")
        sqlite_desk_client.desk.live.close()
        assert await client.ended() == 1012
        assert await stranger.ended() == 1012
        async with connected(sqlite_desk_client) as late:
            assert await late.ended() == 1012
