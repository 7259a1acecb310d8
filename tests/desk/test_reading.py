"""What an agent has read is theirs alone, and goes forward; that somebody has read it is what the customer sees."""

from typing import Any

import pytest

from hub.desk import assignment, lists, reading, tickets
from hub.errors import Refusal
from hub.events import Told
from tests.fixtures.office import Office
from tests.fixtures.visits import Hall


async def unread(office: Office, who: Any = None) -> list[int]:
    page, _ = await office.store.read(lists.listed, who or office.boss, lists.Filter(unread=True))
    return [found.ticket.number for found in page]


async def test_a_ticket_is_unread_until_its_newest_words_were_read_and_again_when_more_is_said(office: Office) -> None:
    got = await office.hears("one")
    assert await unread(office) == [got.number]
    assert await office.does(reading.mark_read, office.boss, got.number, got.message_id) == got.message_id
    assert (await unread(office), await unread(office, office.ann)) == ([], [got.number]), "each has their own mark"
    await office.hears("two", id="two")
    assert await unread(office) == [got.number]


async def test_a_mark_never_goes_back_unless_it_is_asked_for(office: Office) -> None:
    first = await office.hears("one")
    second = await office.hears("two", id="two")
    await office.does(reading.mark_read, office.boss, first.number, second.message_id)
    upto = await office.does(reading.mark_read, office.boss, first.number, first.message_id)
    assert upto == second.message_id
    assert await unread(office) == []
    await office.does(reading.mark_unread, office.boss, first.number)
    assert await unread(office) == [first.number]


async def test_a_message_of_another_ticket_is_refused_and_what_is_out_of_sight_is_not_there(office: Office) -> None:
    one = await office.hears("one")
    other = await office.hears("other", by="other@example.net")
    with pytest.raises(Refusal) as refused:
        await office.does(reading.mark_read, office.boss, one.number, other.message_id)
    assert refused.value.field == "message_id"
    with pytest.raises(Refusal, match="no such ticket"):
        await office.does(reading.mark_read, office.bob, one.number, one.message_id)


async def test_the_other_windows_are_told_once_it_is_stored_and_not_when_it_is_undone(office: Office) -> None:
    told: list[Told] = []
    office.store.passing.append(told.extend)
    got = await office.hears("one")
    boss = office.boss.grants.agent_id
    await office.does(reading.mark_read, office.boss, got.number, got.message_id, "w1")
    frame = {"type": "own", "what": "read", "number": got.number, "message_id": got.message_id, "window": "w1"}
    assert told == [Told("agent", boss, frame, reading.NEEDS)]

    def fails(tx: Any) -> None:
        reading.mark_unread(tx, office.boss, got.number)
        raise ValueError

    with pytest.raises(ValueError):
        await office.store.write(fails)
    assert len(told) == 1
    await office.does(tickets.resolve, office.boss, got.number)
    await office.does(tickets.reopen, office.boss, got.number)
    assert told[-1].frame["message_id"] == got.message_id, "a client whose list did not have it learns what is read"


async def test_the_customer_sees_that_they_were_read_by_whomever(hall: Hall) -> None:
    eve = await hall.browser()
    said = [await eve.says("one"), await eve.says("two")]
    assert [message.read for message in (await eve.sees()).messages] == [False, False]
    told: list[Told] = []
    hall.store.passing.append(told.extend)
    await hall.store.write(reading.mark_read, hall.ann, said[0].number, said[0].message_id)
    assert [message.read for message in (await eve.sees()).messages] == [True, False]
    await hall.store.write(reading.mark_unread, hall.ann, said[0].number)
    assert [message.read for message in (await eve.sees()).messages] == [True, False], "read is read"
    frame = {"type": "read", "number": said[0].number, "message_id": said[0].message_id}
    assert [one for one in told if one.to == "visitor"] == [Told("visitor", eve.visitor.id, frame)]


async def test_who_is_given_a_ticket_again_is_told_what_of_it_they_had_read(office: Office) -> None:
    got = await office.hears("one")
    await office.does(reading.mark_read, office.ann, got.number, got.message_id)
    told: list[Told] = []
    office.store.passing.append(told.extend)
    await office.does(assignment.assign, office.boss, got.number, office.ann.grants.agent_id)
    assert [(one.id, one.frame["what"]) for one in told] == [(office.ann.grants.agent_id, "read")]
