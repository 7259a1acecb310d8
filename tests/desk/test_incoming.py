"""What contacts say: stored once, in the right ticket, with the right person, in order."""

import asyncio

import pytest

from hub.clock import DAY, ManualClock
from hub.connector import Consent, Deletion, Edit, Message, Point, Sender, Source
from hub.desk import incoming, lists, replies, tickets
from hub.errors import Refusal
from hub.people import consents, contacts
from tests.fixtures.office import Office


async def count(office: Office, table: str) -> int:
    return await office.store.read(lambda rx: rx.value(f"SELECT COUNT(*) FROM {table}"))


async def test_a_first_message_makes_a_contact_a_ticket_and_somebody_who_waits(office: Office) -> None:
    got = await office.hears("Where is my parcel?\nIt was due on Monday.")
    thread = await office.store.read(lists.thread, office.boss, got.number)
    assert got.number == 1001
    assert thread.ticket.subject == "Where is my parcel?"
    assert (thread.ticket.status, thread.ticket.handler) == ("open", "agent")
    assert thread.ticket.waiting_since == thread.ticket.created_at
    assert thread.contact.name == "Eve"
    assert [m.text for m in thread.messages] == ["Where is my parcel?\nIt was due on Monday."]


async def test_the_same_message_a_hundred_times_is_one_message_and_every_answer_is_alike(office: Office) -> None:
    answers = await asyncio.gather(*(office.hears("hello", id="once") for _ in range(100)))
    assert len({(a.message_id, a.number) for a in answers}) == 1
    assert [a.duplicate for a in answers].count(False) == 1
    assert await count(office, "message") == await count(office, "ticket") == await count(office, "contact") == 1


async def test_twenty_first_messages_at_once_are_one_contact_and_one_ticket_in_order(office: Office) -> None:
    await asyncio.gather(*(office.hears(f"line {n}") for n in range(20)))
    assert await count(office, "contact") == await count(office, "ticket") == 1
    thread = await office.store.read(lists.thread, office.boss, 1001)
    assert [m.text for m in thread.messages] == [f"line {n}" for n in range(20)]


async def test_one_external_id_in_two_inboxes_is_two_messages(office: Office) -> None:
    await office.hears("one", id="7")
    await office.hears("two", id="7", to=office.mute)
    assert await count(office, "message") == 2


async def test_every_spelling_of_an_address_is_one_contact(office: Office) -> None:
    first = await office.hears("a", by="Zoë@Example.NET")
    second = await office.hears("b", by="zoe\u0308@example.net")
    assert first.contact_id == second.contact_id


async def test_a_matter_of_its_own_opens_a_new_ticket_but_only_once(office: Office) -> None:
    first = await office.hears("a form", new_ticket=True)
    second = await office.hears("another form", new_ticket=True)
    again = await office.hears("another form", new_ticket=True)
    assert first.number != second.number == again.number
    assert again.duplicate


async def test_a_message_reopens_what_was_resolved_lately_and_opens_anew_what_was_long_ago(
    office: Office, clock: ManualClock
) -> None:
    first = await office.hears("it broke")
    await office.does(tickets.resolve, office.boss, first.number)
    clock.advance(3 * DAY)
    soon = await office.hears("it broke again")
    assert soon.number == first.number
    thread = await office.store.read(lists.thread, office.boss, first.number)
    assert (thread.ticket.status, thread.ticket.resolved_at) == ("open", None)
    assert thread.ticket.waiting_since == clock.now()
    await office.does(tickets.resolve, office.boss, first.number)
    clock.advance(15 * DAY)
    late = await office.hears("something else")
    assert late.number != first.number


async def test_only_who_takes_part_joins_by_quoting(office: Office) -> None:
    mine = await office.hears("mine", id="original", new_ticket=True)
    await office.hears("another of mine", new_ticket=True)
    answered = await office.hears("about the first", in_reply_to="original")
    assert answered.number == mine.number
    stranger = await office.hears("let me in", by="mallory@example.com", in_reply_to="original")
    assert stranger.number != mine.number


async def test_a_typed_address_proves_nothing(office: Office) -> None:
    await office.hears("proven")
    typed = Message(external_id="t", sender=Sender(Point("email", "eve@example.net"), name="Not Eve"), text="typed")
    got = await office.store.write(incoming.receive, office.mute, typed)
    contact = await office.store.read(contacts.get, got.contact_id)
    sureness = await office.store.read(lambda rx: rx.value("SELECT sureness FROM contact_point"))
    thread = await office.store.read(lists.thread, office.boss, got.number)
    assert (contact.name, sureness) == ("Eve", "attested")
    assert thread.messages[0].details is not None and '"sender":"typed"' in thread.messages[0].details


async def test_source_and_consent_are_kept_from_the_first_message(office: Office) -> None:
    source = Source(
        place="Counter 3", page="https://shop.example/lamp", referrer="https://ads.example/", utm={"source": "x"}
    )
    consent = Consent("marketing", False, "May we write to you about offers?")
    sender = Sender(Point("email", "a@example.org"), name="A", consents=(consent,))
    got = await office.store.write(
        incoming.receive, office.letters, Message(external_id="s", sender=sender, text="hi", source=source)
    )
    contact = await office.store.read(contacts.get, got.contact_id)
    thread = await office.store.read(lists.thread, office.boss, got.number)
    for kept in (contact, thread.ticket):
        assert (kept.place, kept.page, kept.referrer) == (source.place, source.page, source.referrer)
        assert kept.utm == '{"source":"x"}'
    said = await office.store.read(consents.of_contact, got.contact_id)
    assert [(c[2], c[3], c[4], c[5]) for c in said] == [
        ("marketing", 0, "May we write to you about offers?", "letters")
    ]


async def test_what_a_blocked_contact_says_or_changes_is_not_taken_in(office: Office) -> None:
    first = await office.hears("hello", id="first")
    await office.does(contacts.change, office.boss.actor, first.contact_id, blocked=True)
    for new_ticket in (False, True):
        with pytest.raises(contacts.Blocked):
            await office.hears("buy this", new_ticket=new_ticket)
    with pytest.raises(contacts.Blocked):
        await office.does(incoming.edit, office.letters, Edit("first", "buy this"))
    assert (await office.hears("hello", id="first")).duplicate
    thread = await office.store.read(lists.thread, office.boss, first.number)
    assert [message.text for message in thread.messages] == ["hello"]


@pytest.mark.parametrize(
    ("text", "why"), [("", "empty"), (" \u200b\n\u2060", "empty"), ("a" * 10_001, "10,000"), ("a\x00b", "U\\+0000")]
)
async def test_what_cannot_be_stored_is_refused_with_the_field_and_nothing_is_left(
    office: Office, text: str, why: str
) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        await office.hears(text, id="x")
    assert refused.value.field == "text"
    assert await count(office, "contact") == await count(office, "ticket") == await count(office, "event") - 3 == 0


async def test_what_they_took_back_is_gone_and_that_they_said_it_stays(office: Office) -> None:
    got = await office.hears("my password is hunter2", id="oops")
    assert await office.does(incoming.edit, office.letters, Edit("oops", "never mind"))
    assert await office.does(incoming.delete, office.letters, Deletion("oops"))
    assert not await office.does(incoming.delete, office.letters, Deletion("never-was"))
    said = (await office.store.read(lists.thread, office.boss, got.number)).messages
    assert [(m.text, m.edited_at is not None, m.deleted_at is not None) for m in said] == [("", True, True)]


async def test_the_event_carries_ids_and_never_words(office: Office) -> None:
    await office.hears("a very secret sentence")
    payloads = await office.store.read(lambda rx: rx.rows("SELECT payload FROM event"))
    assert not any("secret" in p[0] for p in payloads)


async def test_a_clock_that_cannot_be_right_is_kept_aside(office: Office, clock: ManualClock) -> None:
    got = await office.hears("from the future", sent_at=clock.now() + 30 * DAY)
    said = (await office.store.read(lists.thread, office.boss, got.number)).messages[0]
    assert said.sent_at is None and said.details is not None and "sent_at" in said.details


async def test_our_own_answer_ends_the_wait(office: Office) -> None:
    got = await office.hears("hello?")
    await office.does(replies.reply, office.ann, got.number, "Hello!", external_id="r1")
    ticket = (await office.store.read(lists.thread, office.boss, got.number)).ticket
    assert ticket.waiting_since is None
