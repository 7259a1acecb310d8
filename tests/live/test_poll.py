"""Where no WebSocket gets through: the same frames by long polling, kept until they have come."""

import asyncio
from typing import Any

import pytest

from hub.live.stream import last_event
from tests.fixtures.desk import URL, DeskClient
from tests.live.client import live_inbox, ticket

Told = dict[str, Any]


class Polling:
    """A client that polls; `lost` answers are thrown away, as a bad line does."""

    def __init__(self, desk: DeskClient, headers: dict[str, str] | None = None) -> None:
        self.desk, self.headers = desk, headers or {}
        self.id = ""
        self.after = 0
        self.frames: list[Told] = []

    async def hello(self, **fields: Any) -> int:
        answer = await self.desk.post(
            "/live/poll", {"frames": [{"type": "hello", **fields}]}, as_=None, headers=self.headers
        )
        if answer.status == 200:
            self.id = answer.json["poll"]
            self.take(answer.json)
        return answer.status

    def take(self, answer: Told) -> None:
        self.frames += answer["frames"]
        self.after = answer["after"]

    async def poll(self, *frames: Told, wait: float = 5, lost: bool = False) -> Told:
        answer = await self.desk.post(
            f"/live/poll/{self.id}",
            {"after": self.after, "frames": list(frames), "wait": wait},
            as_=None,
            headers=self.headers,
        )
        assert answer.status == 200, answer.body
        told: Told = answer.json
        if not lost:
            self.take(told)
        return told

    async def until(self, kind: str) -> Told:
        async with asyncio.timeout(20):
            while True:
                for told in self.frames:
                    if kind in (told["type"], told.get("name")):
                        return told
                await self.poll()


async def polling(desk: DeskClient, as_: str = "agent") -> Polling:
    client = Polling(desk)
    assert await client.hello(ticket=await ticket(desk, as_)) == 200
    await client.until("live")
    return client


async def test_an_agent_polls_and_acts(desk_client: DeskClient) -> None:
    client = await polling(desk_client)
    assert [told["type"] for told in client.frames] == ["welcome", "snapshot", "live"]
    number = await desk_client.new_ticket()
    assert (await client.until("ticket.entered"))["number"] == number
    asked = {"type": "command", "id": "c", "name": "note", "request": {"number": number, "text": "By poll."}}
    await client.poll(asked)
    assert "note_id" in (await client.until("answer"))["answer"]
    assert (await client.until("note.written"))["note"]["text"] == "By poll."


async def test_a_visitor_polls_and_is_answered(desk_client: DeskClient) -> None:
    inbox = await live_inbox(desk_client)
    eve = Polling(desk_client, {"Origin": URL})
    await eve.hello(inbox=inbox, visitor=None, site="http://localhost:3000")
    await eve.until("live")
    await eve.poll({"type": "command", "id": "c", "name": "say", "request": {"text": "Hello", "client_id": "m1"}})
    number = (await eve.until("answer"))["answer"]["number"]
    await desk_client.post(f"/api/v1/tickets/{number}/reply", {"text": "Good day.", "anyway": True})
    assert (await eve.until("message.sent"))["message"]["text"] == "Good day."


async def test_an_answer_that_got_lost_is_had_again(desk_client: DeskClient) -> None:
    client = await polling(desk_client)
    await desk_client.new_ticket()
    lost = await client.poll(lost=True)
    assert lost["frames"]
    again = await client.poll()
    assert again["frames"][: len(lost["frames"])] == lost["frames"]
    ids = [told["id"] for told in client.frames if told["type"] == "event"]
    assert ids == sorted(set(ids))


async def test_of_two_polls_at_once_the_newer_is_served_and_nothing_is_lost(desk_client: DeskClient) -> None:
    client = await polling(desk_client)
    older = asyncio.create_task(client.poll(lost=True))
    await asyncio.sleep(0.1)
    newer = asyncio.create_task(client.poll())
    assert (await older)["frames"] == []
    number = await desk_client.new_ticket()
    told = (await newer)["frames"]
    assert told
    assert (await client.until("ticket.entered"))["number"] == number


async def test_a_poll_waits_no_longer_than_asked(sqlite_desk_client: DeskClient) -> None:
    client = await polling(sqlite_desk_client)
    assert (await client.poll(wait=0))["frames"] == []
    assert (await client.poll(wait=0.1))["frames"] == []


async def test_pages_of_others_cannot_poll(sqlite_desk_client: DeskClient) -> None:
    client = await polling(sqlite_desk_client)
    for path, asked in (("/live/poll", {"frames": []}), (f"/live/poll/{client.id}", {"after": 0})):
        answer = await sqlite_desk_client.post(path, asked, as_=None, headers={"Origin": "http://evil.example"})
        assert answer.status == 403


async def test_a_wrong_ticket_is_told_as_an_end(sqlite_desk_client: DeskClient) -> None:
    client = Polling(sqlite_desk_client)
    await client.hello(ticket="nonsense")
    assert client.frames == [{"type": "closing", "code": 4401, "why": "no ticket, or one that does not hold"}]


async def test_an_id_that_is_over_or_never_was_is_not_found(sqlite_desk_client: DeskClient) -> None:
    answer = await sqlite_desk_client.post("/live/poll/AAAA", {"after": 0}, as_=None)
    assert answer.status == 404


async def test_who_does_not_poll_for_a_minute_is_gone(sqlite_desk_client: DeskClient) -> None:
    client = await polling(sqlite_desk_client)
    live = sqlite_desk_client.desk.live
    for session in live.sessions:
        session.heard -= 100
    async with asyncio.timeout(30):
        while live.sessions:
            await asyncio.sleep(0.05)
    assert client.id in live.polls  # for a moment the end can be fetched
    assert (await client.poll())["frames"][-1]["code"] == 4408


async def test_what_piles_up_unread_ends_it(sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.live.protocol.MAX_BUFFER", 50_000)
    client = await polling(sqlite_desk_client)
    number = await sqlite_desk_client.new_ticket()
    for _ in range(20):
        await sqlite_desk_client.post(f"/api/v1/tickets/{number}/note", {"text": "long " * 1_900})
    told = await client.poll()
    assert told["frames"][-1]["code"] == 4408
    assert not sqlite_desk_client.desk.live.sessions


async def test_a_long_replay_comes_in_parts(sqlite_desk_client: DeskClient) -> None:
    cursor = await sqlite_desk_client.store.read(last_event)
    number = await sqlite_desk_client.new_ticket()
    for n in range(150):
        await sqlite_desk_client.post(f"/api/v1/tickets/{number}/note", {"text": f"{n} " + "long " * 1_900})
    client = Polling(sqlite_desk_client)
    await client.hello(ticket=await ticket(sqlite_desk_client, "agent"), cursor=cursor)
    await client.until("live")
    notes = [int(t["note"]["text"].split()[0]) for t in client.frames if t.get("name") == "note.written"]
    assert notes == list(range(150))


@pytest.mark.parametrize(
    "asked", [{}, {"frames": "x"}, {"frames": [1]}, {"frames": [{}] * 101}, {"frames": [], "more": 1}]
)
async def test_what_is_no_poll_is_refused(sqlite_desk_client: DeskClient, asked: Told) -> None:
    answer = await sqlite_desk_client.post("/live/poll", asked, as_=None)
    assert answer.status == 422
