"""Who is typing and who is looking: passed on between clients and desks, kept nowhere. And presence, which is."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hub.clock import MINUTE
from hub.desk import presence
from tests.fixtures.desk import DeskClient
from tests.live.client import agent, beside, connected, ticket, visitor


async def test_those_who_look_at_a_ticket_see_one_another_and_who_types(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket()
    people = desk_client.people
    async with agent(desk_client, "agent") as ann, agent(desk_client, "supervisor") as bob:
        await ann.until("live")
        await bob.until("live")
        await ann.say("viewing", number=number)
        assert (await ann.until("viewers"))["agents"] == [people["agent"].id]
        await bob.say("viewing", number=number)
        both = sorted((people["agent"].id, people["supervisor"].id))
        await ann.until(lambda told: told["type"] == "viewers" and told["agents"] == both)
        await bob.say("typing", number=number, on=True, mode="note")
        told = await ann.until("typing")
        assert told == {
            "type": "typing",
            "number": number,
            "by": {"kind": "agent", "id": people["supervisor"].id},
            "on": True,
            "mode": "note",
        }
        seen = len(ann.frames)
        await bob.close()
        assert (await ann.until("typing", since=seen))["on"] is False
        assert (await ann.until("viewers", since=seen))["agents"] == [people["agent"].id]
        assert "typing" not in {told["type"] for told in bob.frames}


async def test_a_sign_of_life_brings_back_who_was_found_to_be_away(desk_client: DeskClient) -> None:
    me = desk_client.people["agent"].id
    async with agent(desk_client, "agent", present=True) as ann, agent(desk_client) as boss:
        await ann.until("live")
        await boss.until("live")
        await ann.command("set_availability", availability="online")
        desk_client.clock.advance(16 * MINUTE)
        await desk_client.store.write(presence.renew, me, "another desk")  # the lease ran out while the clock jumped
        await desk_client.store.write(lambda tx: tx.run("UPDATE agent SET active_at = 0 WHERE id = :me", me=me))
        await desk_client.store.write(presence.renew, me, "another desk")
        gone = await boss.until(
            lambda told: told.get("name") == "agent.availability_changed" and told["agent"]["automatic"]
        )
        assert (gone["agent"]["id"], gone["agent"]["availability"]) == (me, "away")
        desk_client.desk.keeping._active_at.clear()
        seen = len(boss.frames)
        await ann.say("active")
        back = await boss.until(lambda told: (told.get("agent") or {}).get("availability") == "online", since=seen)
        assert (back["agent"]["id"], back["agent"]["automatic"]) == (me, False)


async def test_a_ticket_out_of_sight_cannot_be_looked_at(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket()
    async with agent(desk_client, "outsider") as client:
        await client.until("live")
        asked: tuple[dict[str, Any], ...] = (
            {"type": "viewing", "number": number},
            {"type": "typing", "number": number, "on": True},
        )
        for frame in asked:
            seen = len(client.frames)
            await client.say(**frame)
            refused = await client.until("error", since=seen)
            assert refused["problem"]["status"] == 404


async def test_who_loses_sight_of_a_ticket_looks_at_it_no_longer(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket()
    async with agent(desk_client, "agent") as ann, agent(desk_client) as boss:
        await ann.until("live")
        await boss.until("live")
        for client in (ann, boss):
            await client.say("viewing", number=number)
            await client.until("viewers")
        seen = len(boss.frames)
        await desk_client.post(f"/api/v1/tickets/{number}/move", {"team_id": None})
        inbox = desk_client.inbox.id
        await desk_client.store.write(lambda tx: tx.run("DELETE FROM inbox_team WHERE inbox_id = :inbox", inbox=inbox))
        from hub.events import SYSTEM, AccessChanged

        await desk_client.store.write(lambda tx: tx.record(AccessChanged(), by=SYSTEM))
        told = await boss.until(lambda told: told["type"] == "viewers" and len(told["agents"]) == 1, since=seen)
        assert told["agents"] == [desk_client.people["administrator"].id]


async def test_visitor_and_agent_see_each_other_type_but_never_a_note(desk_client: DeskClient) -> None:
    async with agent(desk_client, "agent") as ann, visitor(desk_client) as eve, visitor(desk_client) as other:
        await ann.until("live")
        await eve.until("live")
        await other.until("live")
        number = (await eve.command("say", text="Hello", client_id="m1"))["answer"]["number"]
        await other.command("say", text="Hello", client_id="m1")
        await ann.say("viewing", number=number)
        await ann.until("viewers")
        await eve.say("typing", on=True)
        assert (await ann.until("typing"))["by"]["kind"] == "contact"
        await ann.say("typing", number=number, on=True, mode="note")
        await asyncio.sleep(0.1)
        await ann.say("typing", number=number, on=False)
        await ann.say("typing", number=number, on=True)
        told = await eve.until("typing")
        assert told == {"type": "typing", "number": number, "by": {"kind": "agent", "name": "Agent"}, "on": True}
        assert "typing" not in {told["type"] for told in other.frames}


async def test_typing_a_thousand_times_a_second_is_said_once(sqlite_desk_client: DeskClient) -> None:
    number = await sqlite_desk_client.new_ticket()
    async with agent(sqlite_desk_client, "agent") as ann, agent(sqlite_desk_client) as bob:
        await ann.until("live")
        await bob.until("live")
        await ann.say("viewing", number=number)
        await ann.until("viewers")
        for _ in range(200):
            await bob.say("typing", number=number, on=True)
        await bob.say("ping")
        await bob.until("pong")
        assert 1 <= len([told for told in ann.frames if told["type"] == "typing"]) <= 3


async def test_typing_stops_by_itself(sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.live.signals.TYPING_LASTS", 1)
    number = await sqlite_desk_client.new_ticket()
    async with agent(sqlite_desk_client, "agent") as ann, agent(sqlite_desk_client) as bob:
        await ann.until("live")
        await bob.until("live")
        await ann.say("viewing", number=number)
        await ann.until("viewers")
        await bob.say("typing", number=number, on=True)
        await ann.until(lambda told: told["type"] == "typing" and told["on"])
        await ann.until(lambda told: told["type"] == "typing" and not told["on"])


@pytest.mark.postgres
async def test_signals_reach_the_clients_of_another_desk(postgres_desk_client: DeskClient, tmp_path: Path) -> None:
    one = postgres_desk_client
    number = await one.new_ticket()
    async with beside(one, tmp_path) as two, agent(one, "agent") as ann, agent(two, "supervisor") as bob:
        await ann.until("live")
        await bob.until("live")
        await ann.say("viewing", number=number)
        await bob.say("viewing", number=number)
        both = sorted((one.people["agent"].id, one.people["supervisor"].id))
        for client in (ann, bob):
            await client.until(lambda told: told["type"] == "viewers" and told["agents"] == both)
        await bob.say("typing", number=number, on=True)
        assert (await ann.until("typing"))["by"]["id"] == one.people["supervisor"].id
        seen = len(ann.frames)
        await bob.close()
        assert (await ann.until("viewers", since=seen))["agents"] == [one.people["agent"].id]


async def test_a_person_with_a_socket_is_present_and_a_program_only_if_it_says_so(desk_client: DeskClient) -> None:
    people = desk_client.people

    async def present(name: str) -> bool:
        return bool(await desk_client.store.read(presence.is_present, people[name].id))

    async with agent(desk_client) as boss:
        await boss.until("live")
        async with agent(desk_client, "agent", session=True), agent(desk_client, "supervisor", present=True):
            for name in ("agent", "supervisor"):
                await boss.event("agent.presence_changed", agent_id=people[name].id, present=True)
                assert await present(name)
        assert not await present("administrator")
        assert await present("agent")  # for a minute of grace
        desk_client.clock.advance(presence.LEASE + 1)
        assert not await present("agent")


async def test_the_lease_is_renewed_as_long_as_the_socket_is_there(
    desk_client: DeskClient,
) -> None:
    desk = desk_client.desk
    async with agent(desk_client, "agent", session=True) as client:
        await client.until("live")
        await client.event("agent.presence_changed")
        desk_client.clock.advance(presence.LEASE - 1)
        await desk.keeping._renew_some([desk_client.people["agent"].id])
        desk_client.clock.advance(presence.LEASE - 1)
        assert await desk_client.store.read(presence.is_present, desk_client.people["agent"].id)


async def test_a_visitor_who_waits_is_told_their_place_when_it_changes(
    desk_client: DeskClient,
) -> None:
    tell_positions = desk_client.desk.keeping.tell_positions
    async with visitor(desk_client) as first, visitor(desk_client) as second:
        await first.until("live")
        await second.until("live")
        one = (await first.command("say", text="Hello", client_id="m1"))["answer"]["number"]
        desk_client.clock.advance(1_000)
        await second.command("say", text="Hello", client_id="m1")
        await tell_positions()
        told = await second.until(lambda told: told["type"] == "position" and told["position"] == 1)
        assert set(told) == {"type", "number", "position", "expected_wait", "long_wait"}
        await desk_client.post(f"/api/v1/tickets/{one}/claim", {})
        await tell_positions()
        await tell_positions()
        assert len([told for told in second.frames if told["type"] == "position"]) <= 2
        await second.until(lambda told: told["type"] == "position" and told["position"] == 0)
        await first.until(lambda told: told["type"] == "position" and told["position"] is None)


async def test_a_socket_that_says_hello_twice_over_is_one_session(sqlite_desk_client: DeskClient) -> None:
    async with connected(sqlite_desk_client) as client:
        one, two = await ticket(sqlite_desk_client), await ticket(sqlite_desk_client)
        await client.say("hello", ticket=one)
        await client.say("hello", ticket=two)
        await client.until("live")
        assert len(sqlite_desk_client.desk.live.sessions) == 1
