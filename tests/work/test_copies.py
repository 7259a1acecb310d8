"""What was not read in a chat goes out by mail, once and in one mail, to an address that is known to be theirs; and the
whole conversation, when an agent sends it."""

import asyncio
import dataclasses
import itertools

import msgspec
import pytest

from hub.clock import MINUTE
from hub.connector import Message, Point, Sender
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import copies, inboxes, incoming, kinds, own_mail, replies, visitors
from hub.desk.inboxes import Inbox
from hub.desk.visitors import Visitor
from hub.errors import Refusal
from hub.events import SYSTEM
from hub.people import contacts, points
from hub.staff.access import DESK
from tests.fixtures.visits import Booth
from tests.work.desk import BOSS, Desk, Pigeons, build, eventually

_numbers = itertools.count(1)
SITE = "https://shop.example"


@dataclasses.dataclass
class Chat:
    desk: Desk
    inbox: Inbox
    visitor: Visitor
    number: int
    contact_id: int

    async def answers(self, text: str) -> int:
        name = f"live-{next(_numbers)}"
        made = await self.desk.store.write(replies.reply, BOSS, self.number, text, external_id=name)
        return made.message_id

    async def has_address(self, sureness: str = "verified", address: str = "eve@home.example") -> None:
        def add(tx: Tx) -> None:
            point_id = contacts.add_point(tx, SYSTEM, self.contact_id, "email", address)
            points.make_surer(tx, point_id, "typed", sureness)  # type: ignore[arg-type]

        await self.desk.store.write(add)


async def chatting(store: Store, minutes: int = 10) -> Chat:
    kinds.register(Booth.kind, "Booth", lambda: Booth)
    desk = await build(store)
    settings = {"unread_minutes": minutes, "allowed_origins": [SITE], "offline": "never"}
    inbox = await store.write(inboxes.create, DESK, kind=Booth.kind, name="Chat", settings=settings)
    entered = await store.write(visitors.enter, inbox, None, SITE)
    said = await store.write(visitors.say, entered.visitor, "Hello?", "c1")
    row = await store.read(lambda rx: rx.row("SELECT contact_id FROM ticket WHERE number = :n", n=said.number))
    await store.write(own_mail.choose, DESK, desk.inbox.id)
    assert row is not None
    return Chat(desk, inbox, entered.visitor, said.number, row[0])


async def test_what_was_not_read_goes_out_in_one_mail_and_the_answer_comes_into_the_same_ticket(store: Store) -> None:
    chat = await chatting(store)
    await chat.has_address()
    async with chat.desk.runner:
        await chat.answers("It left today.")
        await chat.desk.pass_time(6 * MINUTE)
        await chat.answers("The number is 123.")
        await chat.desk.pass_time(5 * MINUTE)
        await asyncio.sleep(0.05)
        assert Pigeons.carried == [], "the second was said five minutes ago"
        await chat.desk.pass_time(5 * MINUTE)
        await eventually(lambda: Pigeons.carried)
        (mail,) = Pigeons.carried
        assert mail.to.value == "eve@home.example" and mail.ticket == str(chat.number)
        assert "It left today." in mail.text and "The number is 123." in mail.text and mail.html
        for _ in range(3):
            await chat.desk.pass_time(30 * MINUTE)
            await asyncio.sleep(0.02)
        assert len(Pigeons.carried) == 1, "once"
        answer = Message(
            external_id="mail-1",
            sender=Sender(Point("email", "eve@home.example"), "Eve", "attested"),
            text="Thank you!",
            tokens=(mail.ticket,),
        )
        received = await store.write(incoming.receive, chat.desk.inbox, answer)
        assert received.number == chat.number
        told = await store.read(lambda rx: rx.rows("SELECT name FROM event WHERE name = 'message.copied'"))
        assert len(told) == 1
        shown = await store.read(visitors.state, chat.visitor)
        assert [one.text for one in shown.messages] == ["Hello?", "It left today.", "The number is 123."]


@pytest.mark.parametrize("sureness", ["typed", "attested", None])
async def test_to_an_address_that_nobody_has_shown_to_be_theirs_nothing_goes(
    store: Store, sureness: str | None
) -> None:
    chat = await chatting(store)
    if sureness:
        await chat.has_address(sureness)
    async with chat.desk.runner:
        await chat.answers("It left today.")
        await chat.desk.pass_time(30 * MINUTE)
        await asyncio.sleep(0.05)
    assert Pigeons.carried == []


@pytest.mark.parametrize("what", ["read", "off"])
async def test_what_was_read_or_is_not_wanted_does_not_go_out(store: Store, what: str) -> None:
    chat = await chatting(store, 0 if what == "off" else 10)
    await chat.has_address()
    async with chat.desk.runner:
        message_id = await chat.answers("It left today.")
        if what == "read":
            await store.write(visitors.read, chat.visitor, message_id)
        await chat.desk.pass_time(30 * MINUTE)
        await asyncio.sleep(0.05)
    assert Pigeons.carried == []
    planned = await store.read(lambda rx: rx.value("SELECT COUNT(*) FROM job WHERE kind = :kind", kind=copies.UNREAD))
    assert planned == 0


async def test_an_agent_sends_the_conversation_and_it_stands_in_the_ticket_with_its_state(store: Store) -> None:
    chat = await chatting(store)
    async with chat.desk.runner:
        await chat.answers("<b>It left</b> today.")
        await chat.has_address("typed", "typed@home.example")
        with pytest.raises(Refusal, match="known to be theirs"):
            await store.write(copies.transcript, BOSS, chat.number)
        await chat.has_address("attested")
        message_id = await store.write(copies.transcript, BOSS, chat.number)
        await eventually(lambda: Pigeons.carried)
        (mail,) = Pigeons.carried
        assert mail.to.value == "eve@home.example"
        assert "Hello?" in mail.text and "<b>It left</b> today." in mail.text
        assert "<b>It left" not in (mail.html or "")
        what = "SELECT details, author_kind FROM message WHERE id = :id"
        row = await store.read(lambda rx: rx.row(what, id=message_id))
        assert row is not None and msgspec.json.decode(row[0])["copy"] == "transcript" and row[1] == "bot"
        # It is no news to whoever answers now.
        seen = await store.read(lambda rx: rx.value("SELECT MAX(id) FROM message WHERE id < :id", id=message_id))
        await store.write(replies.reply, BOSS, chat.number, "More", external_id="more", seen=seen)


async def test_without_an_inbox_for_the_desks_mail_an_agent_is_told_so(store: Store) -> None:
    chat = await chatting(store)
    await store.write(own_mail.choose, DESK, None)
    await chat.has_address()
    with pytest.raises(Refusal, match="no mail of its own"):
        await store.write(copies.transcript, BOSS, chat.number)
