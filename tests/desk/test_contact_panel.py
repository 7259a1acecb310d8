"""Beside a ticket: notes on the contact, how they can be written to, what happened with them, what they looked at."""

from typing import Any

import pytest

from hub.clock import ManualClock
from hub.connector import Consent, Point
from hub.db.tx import Tx
from hub.desk import contact_notes, merging, notes, panel, replies, visitors, visits, writing
from hub.desk import ticket as tickets
from hub.errors import Refusal
from hub.feedback import records
from hub.insight.timeline import timeline
from hub.people import consents, contacts, points
from hub.staff.access import Caller
from tests.fixtures.office import Office, office

__all__ = ["office"]


async def contact_of(office: Office, *addresses: str) -> int:
    found = await office.does(
        contacts.create,
        office.boss.actor,
        name="Eve",
        points_=[("email", address) for address in addresses],
        company=None,
        language=None,
        country=None,
    )
    return int(found)


async def ways(office: Office, caller: Caller, contact_id: int) -> dict[str, list[tuple[str | None, str | None]]]:
    found: dict[str, list[tuple[str | None, str | None]]] = {}
    for way in await office.store.read(writing.ways, caller, contact_id):
        found.setdefault(way.name, []).append((way.shown, way.why))
    return found


# --- notes


async def test_only_who_wrote_a_note_changes_or_deletes_it(office: Office) -> None:
    contact_id = await contact_of(office)
    note = await office.does(contact_notes.write, office.ann, contact_id, "Rings before noon.")
    for attempt in (contact_notes.change, contact_notes.delete):
        more = ("Never.",) if attempt is contact_notes.change else ()
        with pytest.raises(Refusal) as refused:
            await office.does(attempt, office.boss, note.id, *more)
        assert refused.value.code == "forbidden"
    changed = await office.does(contact_notes.change, office.ann, note.id, "Rings in the evening.")
    assert (changed.text, changed.changed_at is not None) == ("Rings in the evening.", True)
    await office.does(contact_notes.delete, office.ann, note.id)
    assert await office.store.read(contact_notes.of, office.boss, contact_id) == ([], None)


async def test_notes_come_in_pages_and_are_hidden_with_their_contact(office: Office) -> None:
    got = await office.hears("hi", to=office.mute)
    three = [await office.does(contact_notes.write, office.boss, got.contact_id, f"note {n}") for n in range(3)]
    first, more = await office.store.read(contact_notes.of, office.boss, got.contact_id, limit=2)
    rest, end = await office.store.read(contact_notes.of, office.boss, got.contact_id, limit=2, cursor=more)
    assert ([n.text for n in first + rest], end) == (["note 2", "note 1", "note 0"], None)
    for attempt in (
        office.store.read(contact_notes.of, office.ann, got.contact_id),
        office.does(contact_notes.write, office.ann, got.contact_id, "x"),
        office.does(contact_notes.delete, office.ann, three[0].id),
    ):
        with pytest.raises(Refusal) as refused:
            await attempt
        assert refused.value.code == "not_found"


# --- who they are


async def test_the_panel_tells_of_the_tickets_that_the_caller_sees(office: Office) -> None:
    got = await office.hears("hi")
    await office.hears("elsewhere", to=office.mute)
    for caller, numbers in ((office.boss, 2), (office.ann, 1)):
        opened = await office.store.read(panel.open_tickets, caller, got.contact_id)
        counts = await office.store.read(panel.counts, caller, got.contact_id)
        assert (len(opened), counts.tickets) == (numbers, numbers)


async def test_an_owner_is_a_colleague_who_is_there(office: Office) -> None:
    contact_id = await contact_of(office)
    ann = office.ann.grants.agent_id
    await office.does(contacts.change, office.boss.actor, contact_id, owner_id=ann, next_contact_at=5, title="Buyer")
    found = await office.store.read(contacts.get, contact_id)
    assert (found.owner_id, found.next_contact_at, found.title) == (ann, 5, "Buyer")
    with pytest.raises(Refusal) as refused:
        await office.does(contacts.change, office.boss.actor, contact_id, owner_id=999)
    assert refused.value.field == "owner_id"
    await office.does(contacts.change, office.boss.actor, contact_id, owner_id=None, next_contact_at=None, title="")
    found = await office.store.read(contacts.get, contact_id)
    assert (found.owner_id, found.next_contact_at, found.title) == (None, None, None)


async def test_when_they_wrote_last_is_kept_to_the_minute(office: Office, clock: ManualClock) -> None:
    got = await office.hears("one")
    first = (await office.store.read(contacts.get, got.contact_id)).seen_at
    clock.advance(1_000)
    await office.hears("two")
    assert (await office.store.read(contacts.get, got.contact_id)).seen_at == first
    clock.advance(120_000)
    await office.hears("three")
    assert (await office.store.read(contacts.get, got.contact_id)).seen_at == clock.now()


# --- writing to them


async def test_an_inbox_says_whom_it_can_reach_and_why_not(office: Office) -> None:
    contact_id = await contact_of(office, "eve@example.net", "eve@work.example")
    found = await ways(office, office.boss, contact_id)
    assert found == {
        "Letters": [("eve@example.net", None), ("eve@work.example", None)],
        "Mute": [(None, writing.ONLY_IN)],
        "Parlour": [(None, writing.LIVE)],
    }
    assert set(await ways(office, office.ann, contact_id)) == {"Letters"}, "inboxes that she does not see are not told"
    alone = await contact_of(office)
    nothing = (None, "The contact has no e-mail address yet. Add one.")
    assert (await ways(office, office.boss, alone))["Letters"] == [nothing]


async def test_the_surest_address_comes_first(office: Office) -> None:
    contact_id = await contact_of(office, "typed@example.net")
    proven = Point("email", "proven@example.net")
    await office.does(points.add, contact_id, proven, "verified", office.boss.actor)
    found = await ways(office, office.boss, contact_id)
    assert [shown for shown, _ in found["Letters"]] == ["proven@example.net", "typed@example.net"]


async def test_who_refused_or_is_blocked_is_not_written_to(office: Office) -> None:
    contact_id = await contact_of(office, "eve@example.net")
    point_id = (await office.store.read(points.of, contact_id))[0][0]
    no = Consent("support", False, "STOP")
    await office.does(consents.put, point_id, contact_id, no, how="message", by=office.boss.actor)
    assert (await ways(office, office.boss, contact_id))["Letters"] == [("eve@example.net", writing.REFUSED)]
    for more in ({}, {"point_id": point_id}):
        with pytest.raises(Refusal, match="asked not to be written to"):
            await write(office, office.boss, contact_id, **more)
    other = await contact_of(office, "adam@example.net")
    await office.does(contacts.change, office.boss.actor, other, blocked=True)
    assert (await ways(office, office.boss, other))["Letters"] == [("adam@example.net", writing.BLOCKED)]
    with pytest.raises(Refusal, match="blocked"):
        await write(office, office.boss, other)


async def write(office: Office, caller: Caller, contact_id: int, **more: Any) -> int:
    sent: dict[str, Any] = {"inbox_id": office.letters.id, "text": "Your kettle is here.", "external_id": "w1"}
    return int(await office.does(writing.write, caller, contact_id, **sent | more))


async def test_a_new_message_is_a_ticket_of_whoever_wrote_it_and_goes_to_the_chosen_address(office: Office) -> None:
    contact_id = await contact_of(office, "eve@example.net", "eve@work.example")
    chosen = (await office.store.read(points.of, contact_id))[1][0]
    number = await write(office, office.ann, contact_id, point_id=chosen, subject="Kettle")
    ticket = await office.store.read(tickets.by_number, number)
    assert ticket is not None
    assert (ticket.subject, ticket.assignee_id, ticket.status, ticket.waiting_since) == (
        "Kettle", office.ann.grants.agent_id, "open", None,
    )  # fmt: skip
    queued = "SELECT contact_point_id, state FROM delivery ORDER BY id"
    assert await office.store.read(lambda rx: rx.rows(queued)) == [(chosen, "queued")]
    await office.does(replies.reply, office.ann, number, "Have you seen it?", external_id="w2")
    assert await office.store.read(lambda rx: rx.rows(queued)) == [(chosen, "queued"), (chosen, "queued")]


async def test_what_cannot_be_written_to_is_refused_and_nothing_is_opened(office: Office) -> None:
    contact_id = await contact_of(office, "eve@example.net")
    strange = (await office.store.read(points.of, await contact_of(office, "adam@example.net")))[0][0]
    for wrong, code in (
        ({"inbox_id": office.mute.id}, "conflict"),
        ({"inbox_id": office.parlour.id}, "conflict"),
        ({"inbox_id": 999}, "not_found"),
        ({"point_id": strange}, "not_found"),
        ({"text": " "}, "invalid"),
    ):
        with pytest.raises(Refusal) as refused:
            await write(office, office.boss, contact_id, **wrong)
        assert refused.value.code == code
    with pytest.raises(Refusal):
        await write(office, office.ann, contact_id, inbox_id=office.mute.id)
    assert await office.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM ticket")) == 0


# --- what happened with them


async def told(office: Office, caller: Caller, contact_id: int, limit: int = 50) -> list[tuple[str, str]]:
    """(kind, what it tells) of the whole timeline, page by page."""
    found: list[tuple[str, str]] = []
    cursor = None
    while True:
        items, cursor = await office.store.read(timeline, caller, contact_id, limit=limit, cursor=cursor)
        for item in items:
            for thing in (item.message, item.note, item.contact_note, item.feedback):
                if thing is not None:
                    found.append((item.kind, thing.text))
            if item.kind == "visit" and item.visit is not None:
                found.append(("visit", item.visit.page))
            if item.kind == "event":
                found.append(("event", item.name or ""))
        if cursor is None:
            return found


async def test_the_timeline_goes_over_all_tickets_and_tells_what_the_caller_sees(office: Office) -> None:
    got = await office.hears("one")
    hidden = await office.hears("two", to=office.mute)
    said = records.Said(kind="praise", door="test", text="So friendly.", ticket=hidden.number)
    await office.does(records.record, office.boss, said)
    await office.does(contact_notes.write, office.boss, got.contact_id, "Rings before noon.")
    deleted = await office.does(contact_notes.write, office.boss, got.contact_id, "Gone.")
    await office.does(contact_notes.delete, office.boss, deleted.id)
    await office.does(contacts.change, office.boss.actor, got.contact_id, language="am")
    everything = [
        ("event", "contact.changed"),
        ("contact_note", "Rings before noon."),
        ("feedback", "So friendly."),
        ("message", "two"),
        ("message", "one"),
        ("event", "contact_point.added"),
        ("event", "contact.created"),
    ]
    for limit in (50, 2, 1):
        assert await told(office, office.boss, got.contact_id, limit) == everything
    hers = [line for line in everything if line[1] not in ("two", "So friendly.")]
    for limit in (50, 1):
        assert await told(office, office.ann, got.contact_id, limit) == hers
    with pytest.raises(Refusal):
        await told(office, office.bob, got.contact_id)


async def test_what_was_moved_is_judged_by_where_it_stands_now(office: Office) -> None:
    got = await office.hears("one")
    await office.hears("two", new_ticket=True)
    hidden = await office.hears("three", to=office.mute)
    note_id = await office.does(notes.write, office.ann, got.number, "noted")

    def move(tx: Tx) -> None:
        """As merging and splitting do."""
        tx.run("UPDATE message SET ticket_id = :to WHERE id = :id", to=hidden.ticket_id, id=got.message_id)
        tx.run("UPDATE note SET ticket_id = :to WHERE id = :id", to=hidden.ticket_id, id=note_id)

    def words(lines: list[tuple[str, str]]) -> list[str]:
        return [text for kind, text in lines if kind in ("message", "note")]

    assert words(await told(office, office.ann, got.contact_id)) == ["noted", "two", "one"]
    await office.store.write(move)
    assert words(await told(office, office.ann, got.contact_id)) == ["two"]
    assert words(await told(office, office.boss, got.contact_id)) == ["noted", "three", "two", "one"]


async def test_what_was_merged_is_seen_with_the_ticket_that_it_went_into(office: Office) -> None:
    got = await office.hears("one")
    other = await office.hears("two", to=office.mute)

    async def hers() -> list[str]:
        return [text for kind, text in await told(office, office.ann, got.contact_id) if kind == "message"]

    assert await hers() == ["one"]
    await office.does(merging.merge, office.boss, other.number, got.number)
    assert await hers() == ["two", "one"]
    counts = await office.store.read(panel.counts, office.boss, got.contact_id)
    assert counts.tickets == 1
    await office.does(merging.unmerge, office.boss, other.number)
    assert await hers() == ["one"]


async def test_pages_they_looked_at_stand_between_what_was_said(office: Office, clock: ManualClock) -> None:
    def come(tx: Tx, *pages: str) -> visitors.Visitor:
        found = visitors.enter(tx, office.parlour, None, "https://shop.example").visitor
        for page in pages:
            visitors.page_view(tx, found, page)
        return found

    visitor = await office.store.write(come, "https://shop.example/")
    clock.advance(3_600_000)
    await office.store.write(visitors.page_view, visitor, "https://shop.example/kettles?secret=1", "Kettles")
    clock.advance(1_000)
    await office.store.write(visitors.say, visitor, "It leaks.", "c1", visitors.Details(email="eve@example.net"))
    clock.advance(1_000)
    await office.store.write(visitors.page_view, visitor, "https://shop.example/help")
    contact_id = await office.store.read(lambda rx: visitors.must(rx, visitor.id).contact_id)
    assert contact_id is not None
    lines = [
        ("visit", "https://shop.example/help"),
        ("message", "It leaks."),
        ("visit", "https://shop.example/kettles"),
        ("visit", "https://shop.example/"),
    ]
    for limit in (50, 1):
        assert [t for t in await told(office, office.boss, contact_id, limit) if t[0] != "event"] == lines
    session = await office.store.read(visits.session, office.boss, contact_id)
    # An hour ago was another session.
    assert [one.page.rsplit("/", 1)[1] for one in session.items] == ["help", "kettles"]
    assert (session.page, session.inbox_id) == ("https://shop.example/help", office.parlour.id)


async def test_who_sees_a_ticket_elsewhere_does_not_see_where_they_surf(office: Office) -> None:
    got = await office.hears("hi")

    def come(tx: Tx) -> None:
        visitor = visitors.enter(tx, office.parlour, None, "https://shop.example").visitor
        visitors.page_view(tx, visitor, "https://shop.example/")
        tx.run("UPDATE visitor SET contact_id = :contact_id", contact_id=got.contact_id)

    await office.store.write(come)
    assert (await office.store.read(visits.session, office.ann, got.contact_id)).items == []
    assert len((await office.store.read(visits.session, office.boss, got.contact_id)).items) == 1
