"""What we say: who may, what was seen, into how many parts, and where it stays when nothing can carry it."""

import asyncio

import pytest

from hub.clock import SECOND, ManualClock
from hub.connector import Consent, Receipt
from hub.desk import deliveries, inboxes, lists, replies
from hub.errors import Refusal
from hub.people import consents, contacts
from hub.staff.access import DESK
from tests.fixtures.office import Office


async def states(office: Office) -> list[tuple[str, str | None]]:
    return await office.store.read(lambda rx: rx.rows("SELECT state, reason FROM delivery ORDER BY id"))


async def jobs(office: Office) -> list[tuple[str, str, str]]:
    return await office.store.read(lambda rx: rx.rows("SELECT kind, state, key FROM job ORDER BY id"))


async def test_a_long_answer_is_one_message_in_parts_sent_one_after_the_other(office: Office) -> None:
    got = await office.hears("hi")
    text = "First sentence stands here. The second one is longer than a part."
    replied = await office.does(replies.reply, office.ann, got.number, text, external_id="r")
    assert len(replied.deliveries) == 2
    bodies = await office.store.read(lambda rx: [r[0] for r in rx.rows("SELECT body FROM delivery ORDER BY part")])
    assert '"text":"First sentence stands here."' in bodies[0]
    assert [j[:2] for j in await jobs(office)] == [("deliver", "ready"), ("deliver", "blocked")]


async def test_who_may_not_see_a_ticket_cannot_answer_it_nor_learn_that_it_exists(office: Office) -> None:
    got = await office.hears("hi", to=office.mute)
    for caller in (office.ann, office.bob):
        with pytest.raises(Refusal) as hidden:
            await office.does(replies.reply, caller, got.number, "hello", external_id="r")
        with pytest.raises(Refusal) as absent:
            await office.does(replies.reply, caller, 99_999, "hello", external_id="r")
        assert (hidden.value.code, hidden.value.text) == (absent.value.code, absent.value.text)


async def test_an_answer_that_nothing_can_carry_is_held_with_the_reason(office: Office) -> None:
    got = await office.hears("hi", to=office.mute)
    contact = await office.store.read(contacts.get, got.contact_id)
    await office.store.write(lambda tx: tx.run("UPDATE inbox SET enabled = 0 WHERE kind IN ('letters', 'parlour')"))
    replied = await office.does(replies.reply, office.boss, got.number, "hello", external_id="r")
    assert replied.held and contact.name == "Eve"
    assert await states(office) == [("held", replies.NO_WAY)]
    assert await jobs(office) == []


async def test_what_was_held_goes_out_once_an_inbox_can_carry_it(office: Office) -> None:
    got = await office.hears("hi", to=office.mute)
    await office.store.write(lambda tx: tx.run("UPDATE inbox SET enabled = 0 WHERE kind IN ('letters', 'parlour')"))
    await office.does(replies.reply, office.boss, got.number, "hello", external_id="r")
    await office.store.write(replies.find_ways, {})
    assert (await states(office))[0][0] == "held", "there is none still"
    await office.store.write(inboxes.change, DESK, office.letters.id, enabled=True)
    assert [job[0] for job in await jobs(office)] == [replies.FIND_WAYS]
    await office.store.write(replies.find_ways, {})
    assert await states(office) == [("queued", None)]
    assert [job[0] for job in await jobs(office)] == [replies.FIND_WAYS, "deliver"]
    through = await office.store.read(lambda rx: rx.value("SELECT inbox_id FROM delivery"))
    assert through == office.letters.id


async def test_an_answer_to_a_mute_inbox_goes_by_one_that_reaches_the_contact(office: Office) -> None:
    got = await office.hears("hi", to=office.mute)
    replied = await office.does(replies.reply, office.boss, got.number, "hello", external_id="r")
    inbox = await office.store.read(lambda rx: rx.value("SELECT inbox_id FROM delivery"))
    assert (replied.held, inbox) == (False, office.letters.id)


async def test_a_live_channel_gets_a_delivery_and_no_job(office: Office) -> None:
    got = await office.hears("hi", to=office.parlour)
    await office.does(replies.reply, office.boss, got.number, "hello", external_id="r")
    assert await states(office) == [("queued", None)]
    assert await jobs(office) == []


async def test_what_was_said_meanwhile_refuses_the_answer_and_comes_with_it(office: Office) -> None:
    got = await office.hears("first")
    await office.hears("second")
    with pytest.raises(Refusal) as refused:
        await office.does(replies.reply, office.ann, got.number, "to the first", external_id="r", seen=got.message_id)
    assert refused.value.code == "stale"
    assert [m["text"] for m in refused.value.extra["new"]] == ["second"]
    await office.does(
        replies.reply, office.ann, got.number, "all the same", external_id="r", seen=got.message_id, anyway=True
    )


async def test_in_a_live_channel_only_what_could_not_be_seen_yet_refuses(office: Office, clock: ManualClock) -> None:
    got = await office.hears("first", to=office.parlour)
    await office.hears("second", to=office.parlour)
    with pytest.raises(Refusal):
        await office.does(replies.reply, office.boss, got.number, "x", external_id="r1", seen=got.message_id)
    clock.advance(6 * SECOND)
    await office.does(replies.reply, office.boss, got.number, "x", external_id="r2", seen=got.message_id)


async def test_of_two_agents_who_answer_at_once_the_second_is_told(office: Office) -> None:
    got = await office.hears("hi")
    tries = await asyncio.gather(
        office.does(replies.reply, office.ann, got.number, "from ann", external_id="a", seen=got.message_id),
        office.does(replies.reply, office.boss, got.number, "from boss", external_id="b", seen=got.message_id),
        return_exceptions=True,
    )
    refused = [t for t in tries if isinstance(t, Refusal)]
    assert len(refused) == 1 and refused[0].extra["new"][0]["text"] == "from ann"


async def test_a_message_of_another_ticket_is_not_what_was_seen(office: Office) -> None:
    got = await office.hears("hi")
    other = await office.hears("other", by="other@example.org")
    with pytest.raises(Refusal) as refused:
        await office.does(replies.reply, office.boss, got.number, "x", external_id="r", seen=other.message_id)
    assert refused.value.field == "seen"


async def _queued(office: Office) -> int:
    got = await office.hears("hi")
    return (await office.does(replies.reply, office.ann, got.number, "hello", external_id="r")).deliveries[0]


async def test_a_delivery_only_moves_forward_whatever_order_receipts_come_in(office: Office) -> None:
    delivery = await _queued(office)
    part = await office.does(deliveries.begin, delivery)
    assert (part.outgoing.to.value, part.outgoing.text) == ("eve@example.net", "hello")
    await office.does(deliveries.sent, delivery, "ext-1")
    for state in ("read", "delivered", "sent", "failed", "read"):
        assert await office.does(deliveries.receipt, office.letters.id, Receipt("ext-1", state))
    assert [s for s, _ in await states(office)] == ["read"]
    assert not await office.does(deliveries.receipt, office.letters.id, Receipt("nobody's", "read"))


async def test_what_is_being_sent_is_not_begun_again(office: Office) -> None:
    delivery = await _queued(office)
    assert await office.does(deliveries.begin, delivery) is not None
    assert await office.does(deliveries.begin, delivery) is None


async def test_unknown_is_never_repeated_but_by_a_person(office: Office) -> None:
    delivery = await _queued(office)
    await office.does(deliveries.begin, delivery)
    await office.does(deliveries.unknown, delivery, "the line went dead")
    assert await office.does(deliveries.begin, delivery) is None
    await office.does(deliveries.resend, office.ann, delivery)
    assert await states(office) == [("queued", None)]


async def test_who_refused_or_is_blocked_gets_nothing(office: Office) -> None:
    delivery = await _queued(office)
    ((point, contact),) = await office.store.read(lambda rx: rx.rows("SELECT id, contact_id FROM contact_point"))
    no = Consent("support", False, "STOP")
    await office.store.write(consents.put, point, contact, no, how="message", by=office.ann.actor)
    assert await office.does(deliveries.begin, delivery) is None
    assert (await states(office))[0][0] == "cancelled"
    await office.does(deliveries.resend, office.ann, delivery)
    yes = Consent("support", True, "START")
    await office.store.write(consents.put, point, contact, yes, how="message", by=office.ann.actor)
    await office.does(contacts.change, office.ann.actor, contact, blocked=True)
    assert await office.does(deliveries.begin, delivery) is None


async def test_what_left_cannot_be_called_back_and_what_waits_can(office: Office) -> None:
    delivery = await _queued(office)
    await office.does(deliveries.cancel, office.ann, delivery)
    assert await office.does(deliveries.begin, delivery) is None
    with pytest.raises(Refusal, match="cancelled"):
        await office.does(deliveries.cancel, office.ann, delivery)
    with pytest.raises(Refusal, match="no such delivery"):
        await office.does(deliveries.cancel, office.bob, delivery)


async def test_the_thread_shows_what_became_of_an_answer(office: Office) -> None:
    delivery = await _queued(office)
    await office.does(deliveries.begin, delivery)
    await office.does(deliveries.failed, delivery, "No such mailbox.")
    thread = await office.store.read(lists.thread, office.ann, 1001)
    assert [(d.state, d.reason) for d in thread.deliveries] == [("failed", "No such mailbox.")]


async def test_who_never_chatted_is_not_answered_in_a_chat(office: Office) -> None:
    """They wrote by a form that nothing can answer: then the answer waits for an inbox that can."""
    got = await office.hears("hi", to=office.mute)
    await office.store.write(lambda tx: tx.run("UPDATE inbox SET enabled = 0 WHERE kind = 'letters'"))
    replied = await office.does(replies.reply, office.boss, got.number, "hello", external_id="r")
    assert replied.held
    assert [state for state, _ in await states(office)] == ["held"]
