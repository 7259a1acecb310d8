"""What a blocked contact sends is kept raw and unread, and can be had after all."""

import asyncio
import itertools
from typing import Any

import pytest

from hub.connector import Item, Message, Point, Sender
from hub.db.tx import Rx, Tx
from hub.desk import blocking
from hub.errors import Refusal
from hub.events import Actor
from hub.people import contacts
from hub.staff.access import Caller, Grants
from tests.fixtures.office import _agent
from tests.work.desk import BOSS, Desk, Pigeons
from tests.work.test_inbound import EVE, take

_ids = itertools.count(1)
BOB = Sender(Point("email", "bob@example.net"), "Bob", "attested")


def says(text: str, who: Sender = EVE) -> Message:
    return Message(external_id=f"b{next(_ids)}", sender=who, text=text)


async def texts(desk: Desk) -> list[str]:
    return [row[0] for row in await desk.store.read(lambda rx: rx.rows("SELECT text FROM message ORDER BY id"))]


async def states(desk: Desk) -> list[tuple[Any, ...]]:
    sql = "SELECT state, reason, contact_id IS NOT NULL FROM inbound ORDER BY id"
    return [(row[0], row[1], bool(row[2])) for row in await desk.store.read(lambda rx: rx.rows(sql))]


def _eve(rx: Rx) -> int:
    return int(rx.value("SELECT contact_id FROM contact_point WHERE value = 'eve@example.net'"))


def _boss(tx: Tx) -> None:
    if tx.value("SELECT 1 FROM agent WHERE id = :id", id=BOSS.actor.id) is None:
        assert _agent(tx, "boss", "everything") == BOSS.actor.id


async def blocked(desk: Desk) -> int:
    eve = await desk.store.read(_eve)
    await desk.store.write(_boss)
    await desk.store.write(blocking.block, BOSS, eve, "Advertising")
    return eve


async def test_it_is_put_away_raw_and_shown_to_those_who_see_the_inbox(desk: Desk) -> None:
    await take(desk, says("Hello"))
    before = await texts(desk)
    eve = await blocked(desk)
    taken = await take(desk, says("Buy this"))
    assert (taken.state, taken.filed) == ("ignored", ())
    assert await texts(desk) == before
    assert (await states(desk))[-1] == ("ignored", "The contact is blocked.", True)
    (kept,) = await desk.store.read(blocking.kept, BOSS, before=None, limit=10)
    assert (kept.contact_id, kept.contact_name, kept.body, kept.inbox_id) == (eve, "Eve", "x", desk.inbox.id)
    stranger = Caller(Actor("agent", 2), Grants(2, BOSS.grants.permissions, False, frozenset(), frozenset()))
    assert await desk.store.read(blocking.kept, stranger, before=None, limit=10) == []
    with pytest.raises(Refusal, match="no such message"):
        await desk.store.write(blocking.restore, stranger, kept.id)
    assert await desk.store.read(blocking.kept, BOSS, before=kept.id, limit=10) == []


async def test_it_can_be_had_after_all_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await take(desk, says("Hello"))
    eve = await blocked(desk)
    message = says("It was important")
    await take(desk, message)
    (kept,) = await desk.store.read(blocking.kept, BOSS, before=None, limit=10)
    monkeypatch.setattr(Pigeons, "parse", lambda _self, _raw: [message])
    await desk.store.write(blocking.restore, BOSS, kept.id)
    async with asyncio.timeout(30):
        while "It was important" not in await texts(desk):
            await asyncio.sleep(0.01)
    assert await desk.store.read(blocking.kept, BOSS, before=None, limit=10) == []
    with pytest.raises(Refusal, match="already"):
        await desk.store.write(blocking.restore, BOSS, kept.id)
    await desk.settled()
    assert (await states(desk))[-1][:1] == ("done",)
    spam = await desk.store.read(lambda rx: rx.value("SELECT SUM(spam) FROM ticket"))
    assert int(spam) == 0 and (await desk.store.read(blocking.of, eve)).reason == "Advertising"


async def test_one_blocked_sender_of_a_batch_does_not_keep_the_others(desk: Desk) -> None:
    await take(desk, says("Hello"))
    await blocked(desk)
    items: list[Item] = [says("Buy this"), says("Where is my mug?", BOB)]
    taken = await take(desk, *items)
    assert (taken.state, len(taken.filed)) == ("done", 1)
    assert "Buy this" not in await texts(desk) and "Where is my mug?" in await texts(desk)
    assert [s[0] for s in (await states(desk))[-2:]] == ["ignored", "done"]
    taken = await take(desk, says("Buy"), says("this"))
    assert taken.state == "ignored" and len(await desk.store.read(blocking.kept, BOSS, before=None, limit=9)) == 2


async def test_a_flood_of_the_blocked_costs_the_others_nothing(desk: Desk) -> None:
    """It is found before anything is written, so no batch starts over."""
    await take(desk, says("Hello"))
    await blocked(desk)
    before = desk.store.figures.started_over
    for n in range(20):
        await take(desk, says(f"Buy {n}"))
    assert desk.store.figures.started_over == before


async def test_who_is_unblocked_is_heard_again(desk: Desk) -> None:
    await take(desk, says("Hello"))
    eve = await blocked(desk)
    assert (await desk.store.read(blocking.of, eve)).by == BOSS.actor.id
    await desk.store.write(blocking.unblock, BOSS, eve)
    assert await desk.store.read(blocking.of, eve) == blocking.Block(contact_id=eve, at=None, by=None, reason=None)
    assert (await take(desk, says("Sorry"))).state == "done"
    assert (await desk.store.read(contacts.get, eve)).blocked_at is None
