"""Two tickets become one, and two again just as they were; nobody is forgotten, and nothing is counted twice."""

import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import HOUR, ManualClock
from hub.db import examine
from hub.db.tx import Rx, Tx
from hub.desk import (
    assignment,
    counts,
    drafts,
    followers,
    inboxes,
    incoming,
    kinds,
    lists,
    merging,
    moving,
    notes,
    parting,
    presence,
    reading,
    replies,
    tags,
    tickets,
    visitors,
)
from hub.desk import ticket as gate
from hub.errors import Refusal
from hub.feedback import records
from hub.staff.access import DESK
from tests.fixtures.office import Letters, Office
from tests.fixtures.visits import Hall

KEYS = {
    "sqlite": """SELECT m.name || '.' || f."from" FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) AS f
WHERE m.type = 'table' AND f."table" = 'ticket'""",
    "postgres": """SELECT conrelid::regclass || '.' || attname FROM pg_constraint
JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
WHERE contype = 'f' AND confrelid = 'ticket'::regclass""",
}
# What a merge and its undoing leave behind, and what only says when something was touched.
_LEFT = ("event", "ticket_merge", "job", "ticket_count")
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgres": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
}
_COLUMNS = {
    "sqlite": "SELECT name FROM pragma_table_info('{0}')",
    "postgres": "SELECT column_name FROM information_schema.columns WHERE table_name = '{0}'",
}
_TOUCHED = ("changed_at", "idle_since")


def everything(rx: Rx, database: str) -> dict[str, list[str]]:
    found = {}
    for (table,) in rx.rows(_TABLES[database]):
        if table not in _LEFT:
            columns = sorted(row[0] for row in rx.rows(_COLUMNS[database].format(table)) if row[0] not in _TOUCHED)
            found[table] = sorted(map(repr, rx.rows(f"SELECT {', '.join(columns)} FROM {table}")))
    return found


async def all_of_it(office: Office) -> dict[str, list[str]]:
    return await office.store.read(everything, office.store.backend.name)


async def nothing_is_miscounted(office: Office | Hall) -> None:
    assert await office.store.read(examine.wrong_ticket_counts) == []
    assert await office.store.read(examine.wrong_loads) == []


async def ticket(office: Office, number: int) -> gate.Ticket:
    found = await office.store.read(gate.by_number, number)
    assert found is not None
    return found


async def said(office: Office, number: int) -> list[str]:
    return [m.text for m in (await office.store.read(lists.thread, office.boss, number)).messages]


async def two(office: Office, clock: ManualClock) -> tuple[int, int]:
    first = await office.hears("one", id="one")
    clock.advance(1_000)
    second = await office.hears("two", id="two", new_ticket=True)
    clock.advance(1_000)
    return first.number, second.number


async def test_every_table_that_names_a_ticket_has_a_fate(office: Office) -> None:
    keys = await office.store.read(lambda rx: {row[0] for row in rx.rows(KEYS[office.store.backend.name])})
    assert keys | {"event.ticket_id"} == set(merging.NAMES)


async def test_what_was_said_noted_and_tagged_is_in_the_survivor(office: Office, clock: ManualClock) -> None:
    one, other = await two(office, clock)
    boss = office.boss.grants.agent_id
    await office.does(notes.write, office.boss, one, "note of one")
    await office.does(tags.tag_ticket, office.boss, one, "vip")
    await office.does(followers.follow, office.ann, one)
    await office.does(drafts.save, office.boss, one, "reply", "Dear")
    await office.does(tickets.set_priority, office.boss, one, "urgent")
    await office.does(assignment.claim, office.boss, one)
    await office.does(tickets.resolve, office.boss, other)
    await office.does(merging.merge, office.boss, one, other)
    survivor = await ticket(office, other)
    assert (survivor.status, survivor.priority, survivor.assignee_id) == ("open", "urgent", boss)
    assert survivor.waiting_since == (await office.store.read(lambda rx: rx.value(
        "SELECT created_at FROM message WHERE external_id = 'one'")))  # fmt: skip
    thread = await office.store.read(lists.thread, office.boss, other)
    assert [m.text for m in thread.messages] == ["one", "two"]
    assert [n.text for n in thread.notes] == ["note of one"]
    assert await office.store.read(tags.of_ticket, survivor.id) == ("vip",)
    assert await office.store.read(followers.of_ticket, survivor.id) == (office.ann.grants.agent_id,)
    assert [(d.number, d.text) for d in await office.store.read(drafts.of_caller, office.boss)] == [(other, "Dear")]
    await nothing_is_miscounted(office)
    assert (await office.store.read(counts.of, office.boss)).open == 1


async def test_what_was_merged_is_in_no_list_and_says_where_it_went(office: Office, clock: ManualClock) -> None:
    one, other = await two(office, clock)
    await office.does(notes.write, office.boss, one, "Bob?", ())
    await office.does(merging.merge, office.boss, one, other)
    views: tuple[lists.View, ...] = ("all", "open", "unassigned", "waiting", "resolved", "spam", "following")
    for view in views:
        page, _ = await office.store.read(lists.listed, office.boss, lists.Filter(view=view))
        assert one not in [found.ticket.number for found in page], view
    for fn, args in (
        (tickets.resolve, ()),
        (notes.write, ("x",)),
        (tags.tag_ticket, ("x",)),
        (assignment.claim, ()),
        (drafts.save, ("reply", "x")),
        (merging.merge, (other,)),
    ):
        with pytest.raises(Refusal, match=f"merged into #{other}") as refused:
            await office.does(fn, office.boss, one, *args)
        assert refused.value.extra == {"merged_into": other}
    assert (await office.store.read(lists.thread, office.boss, one)).messages == []


async def test_undone_at_once_everything_is_as_it_was(office: Office, clock: ManualClock) -> None:
    one, other = await two(office, clock)
    await office.does(replies.reply, office.boss, one, "answer " * 20, external_id="r1")
    await office.does(tickets.snooze, office.boss, one, clock.now() + HOUR)
    for number, tag in ((one, "vip"), (one, "both"), (other, "both")):
        await office.does(tags.tag_ticket, office.boss, number, tag)
    for who, number in ((office.boss, one), (office.boss, other), (office.ann, one)):
        await office.does(drafts.save, who, number, "note", f"draft {number}")
        await office.does(followers.follow, who, number)
        read = (await office.store.read(lists.thread, office.boss, number)).messages[-1].id
        await office.does(reading.mark_read, who, number, read)
    await office.does(records.record, office.boss, records.Said(kind="praise", door="test", text="!", ticket=one))
    before = await all_of_it(office)
    await office.does(merging.merge, office.boss, one, other)
    await nothing_is_miscounted(office)
    assert before != await all_of_it(office)
    await office.does(merging.unmerge, office.boss, one)
    assert await all_of_it(office) == before
    await nothing_is_miscounted(office)


STEPS = ["hear", "reply", "note", "tag", "claim", "pending", "snooze", "resolve", "reopen", "spam", "urgent", "draft",
         "follow", "read", "assign"]  # fmt: skip

MERGES = ["merge", "unmerge", "split"]


async def step(office: Office, what: str, number: int) -> None:
    boss, ann = office.boss, office.ann
    calls: dict[str, Any] = {
        "reply": (replies.reply, boss, number, "ok"),
        "note": (notes.write, boss, number, "note"),
        "tag": (tags.tag_ticket, boss, number, f"tag {number % 2}"),
        "claim": (assignment.claim, boss, number),
        "assign": (assignment.assign, boss, number, ann.grants.agent_id),
        "pending": (tickets.await_contact, boss, number),
        "snooze": (tickets.snooze, boss, number, office.store.clock.now() + HOUR),
        "resolve": (tickets.resolve, boss, number),
        "reopen": (tickets.reopen, boss, number),
        "spam": (tickets.mark_spam, boss, number, True),
        "urgent": (tickets.set_priority, boss, number, "urgent"),
        "draft": (drafts.save, boss, number, "reply", "Dear"),
        "follow": (followers.follow, ann, number),
    }
    if what == "hear":
        known = await office.store.read(lambda rx: rx.value(
            "SELECT external_id FROM message WHERE ticket_id = :id AND direction = 'incoming' ORDER BY id LIMIT 1",
            id=rx.value("SELECT id FROM ticket WHERE number = :n", n=number)))  # fmt: skip
        await office.hears("more", id=str(uuid4()), in_reply_to=known)
    elif what == "read":
        thread = await office.store.read(lists.thread, boss, number)
        await office.does(reading.mark_read, boss, number, thread.messages[-1].id)
    else:
        fn, *args = calls[what]
        more = {"external_id": str(uuid4())} if what == "reply" else {}
        try:
            await office.does(fn, *args, **more)
        except Refusal as refusal:
            assert refusal.code in ("conflict", "invalid")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1)), max_size=12))
async def test_whatever_they_were_a_merge_is_undone_exactly(office: Office, steps: list[tuple[str, int]]) -> None:
    name = f"{uuid4().hex[:8]}@example.net"
    pair = [(await office.hears(text, id=str(uuid4()), by=name, new_ticket=True)).number for text in ("one", "two")]
    for what, which in steps:
        await step(office, what, pair[which])
    before = await all_of_it(office)
    await office.does(merging.merge, office.boss, *pair)
    await nothing_is_miscounted(office)
    await office.does(merging.unmerge, office.boss, pair[0])
    after = await all_of_it(office)
    assert {table: (before[table], rows) for table, rows in after.items() if before[table] != rows} == {}
    await nothing_is_miscounted(office)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from([*STEPS, "merge", "unmerge", "split"]), st.integers(0, 2)), max_size=20)
)
async def test_through_merges_and_splits_the_counters_stay_right(office: Office, steps: list[tuple[str, int]]) -> None:
    name = f"{uuid4().hex[:8]}@example.net"
    known = [(await office.hears("one", id=str(uuid4()), by=name, new_ticket=True)).number for _ in range(3)]
    for what, which in steps:
        number, other = known[which], known[(which + 1) % 3]
        try:
            if what == "merge":
                await office.does(merging.merge, office.boss, number, other)
            elif what == "unmerge":
                await office.does(merging.unmerge, office.boss, number)
            elif what == "split":
                thread = await office.store.read(lists.thread, office.boss, number)
                incoming = [m.id for m in thread.messages if m.direction == "incoming"]
                if incoming:
                    known.append(await office.does(parting.split, office.boss, number, incoming[-1]))
            elif (await ticket(office, number)).merged_into is None:
                await step(office, what, number)
        except Refusal as refusal:
            assert refusal.code in ("conflict", "invalid")
    await nothing_is_miscounted(office)
    texts = await office.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM message WHERE ticket_id IN ("
                                    "SELECT id FROM ticket WHERE merged_into IS NOT NULL)"))  # fmt: skip
    assert texts == 0, "nothing lies where nobody looks"


async def test_what_was_decided_and_said_meanwhile_stays_where_it_was(office: Office, clock: ManualClock) -> None:
    one, other = await two(office, clock)
    await office.does(merging.merge, office.boss, one, other)
    clock.advance(1_000)
    await office.does(replies.reply, office.boss, other, "for both", external_id="r")
    await office.does(assignment.assign, office.boss, other, office.ann.grants.agent_id)
    await office.does(merging.unmerge, office.boss, one)
    assert (await said(office, one), await said(office, other)) == (["one"], ["two", "for both"])
    back, kept = await ticket(office, one), await ticket(office, other)
    assert back.waiting_since is not None and back.assignee_id is None, "its customer has no answer there"
    assert (kept.waiting_since, kept.assignee_id) == (None, office.ann.grants.agent_id)
    await nothing_is_miscounted(office)


async def test_the_next_word_in_that_inbox_goes_to_the_survivor(office: Office, clock: ManualClock) -> None:
    first = await office.hears("by letter", id="l1")
    other = await office.hears("by the mute one", id="m1", to=office.mute)
    await office.does(merging.merge, office.boss, first.number, other.number)
    more = await office.hears("by letter again", id="l2")
    assert more.number == other.number
    answer = await office.hears("an answer", id="l3", in_reply_to="l1")
    assert answer.number == other.number
    await nothing_is_miscounted(office)


# --- long ones -------------------------------------------------------------------------------------------------------

_SAY = """
INSERT INTO message (ticket_id, inbox_id, direction, author_kind, author_id, text, external_id, created_at)
VALUES (:ticket_id, :inbox_id, :direction, :kind, 0, :text, :text, :now) RETURNING id"""
_SENT = """
INSERT INTO delivery (message_id, ticket_id, inbox_id, part, body, state, created_at, changed_at)
VALUES (:message_id, :ticket_id, :inbox_id, 0, '{}', 'sent', :now, :now)"""
_LAST = "UPDATE ticket SET last_message_id = :id, last_incoming_id = :incoming WHERE id = :ticket_id"
_LIES_IN = "SELECT COUNT(*) FROM message WHERE ticket_id = :id"


async def goes_on(office: Office, number: int, count: int) -> None:
    """Every third thing that is said is an answer of ours, with its delivery."""

    def say(tx: Tx) -> None:
        found = gate.by_number(tx, number)
        assert found is not None
        row = {"ticket_id": found.id, "inbox_id": found.inbox_id, "now": tx.now}
        incoming = last = 0
        for n in range(count):
            ours = n % 3 == 0
            who = {"direction": "outgoing", "kind": "agent"} if ours else {"direction": "incoming", "kind": "contact"}
            last = tx.insert(_SAY, **row, **who, text=f"{number}-{n}")
            if ours:
                tx.run(_SENT, **row, message_id=last)
            else:
                incoming = last
        tx.run(_LAST, id=last, incoming=incoming, ticket_id=found.id)

    await office.store.write(say)


async def job(office: Office) -> int:
    """Runs what the job would, as often as it asks for it."""

    def drop(tx: Tx, id: int) -> None:
        tx.run("DELETE FROM job WHERE id = :id", id=id)

    units = 0
    while rows := await office.store.read(lambda rx: rx.rows("SELECT id, payload FROM job WHERE kind = 'ticket.move'")):
        for id, payload in rows:
            await office.store.write(drop, id)
            await office.store.write(moving.go_on, json.loads(payload))
            units += 1
    return units


async def lies_in(office: Office, number: int) -> int:
    found = await ticket(office, number)
    return int(await office.store.read(lambda rx: rx.value(_LIES_IN, id=found.id)))


async def test_a_long_ticket_is_merged_some_at_a_time_and_taken_out_again_just_as_it_was(
    office: Office, clock: ManualClock
) -> None:
    one, other = await two(office, clock)
    await goes_on(office, one, 900)
    await goes_on(office, other, 30)
    await office.does(notes.write, office.boss, one, "note of one")
    before = await all_of_it(office)
    await office.does(merging.merge, office.boss, one, other)
    assert await lies_in(office, other) == 31 + moving.A_UNIT
    newest = await said(office, other)
    assert newest[0] == f"{one}-{899 - 19}" and newest[-1] == f"{other}-29", "what one sees first is there at once"
    for again in ((merging.merge, other, one), (merging.unmerge, one)):
        with pytest.raises(Refusal, match="(still being moved|was merged)"):
            await office.does(again[0], office.boss, *again[1:])
    assert await job(office) == 3
    assert (await lies_in(office, one), await lies_in(office, other)) == (0, 932)
    assert await office.store.read(moving.left, (await ticket(office, other)).id) == 0
    await office.does(merging.unmerge, office.boss, one)
    back = await ticket(office, one)
    assert back.last_message_id is not None and await office.store.read(moving.left, back.id) > 0
    more = await office.hears("meanwhile", id="meanwhile", in_reply_to=f"{one}-1")
    assert more.number in (one, other)
    await office.store.write(lambda tx: tx.run("DELETE FROM message WHERE external_id = 'meanwhile'"))
    await job(office)
    assert (await lies_in(office, one), await lies_in(office, other)) == (901, 31)
    await nothing_is_miscounted(office)
    after = await all_of_it(office)
    for table in ("delivery", "note", "mention"):
        assert after[table] == before[table], table


async def test_a_long_ticket_is_split_some_at_a_time(office: Office, clock: ManualClock) -> None:
    one, _ = await two(office, clock)
    await goes_on(office, one, 700)
    first = "SELECT id FROM message WHERE external_id = :name"
    from_id = int(await office.store.read(lambda rx: rx.value(first, name=f"{one}-31")))
    new = await office.does(parting.split, office.boss, one, from_id)
    with pytest.raises(Refusal, match="still being moved"):
        await office.does(merging.merge, office.boss, new, one)
    left = await ticket(office, one)
    assert left.last_message_id == from_id - 1, "nothing of what goes counts, though it still lies there"
    assert await job(office) == 2
    assert (await lies_in(office, one), await lies_in(office, new)) == (32, 669)
    await office.does(merging.merge, office.boss, new, one)
    await job(office)
    assert (await lies_in(office, one), await lies_in(office, new)) == (701, 0)
    await nothing_is_miscounted(office)


async def test_two_contacts_are_not_mixed_and_a_ticket_not_merged_into_itself(office: Office) -> None:
    one = await office.hears("one", by="a@example.org")
    other = await office.hears("two", by="b@example.org")
    with pytest.raises(Refusal, match="two contacts"):
        await office.does(merging.merge, office.boss, one.number, other.number)
    with pytest.raises(Refusal) as itself:
        await office.does(merging.merge, office.boss, one.number, one.number)
    assert itself.value.field == "into"
    with pytest.raises(Refusal, match="not part of"):
        await office.does(merging.unmerge, office.boss, one.number)
    hidden = await office.hears("three", by="a@example.org", to=office.mute)
    for pair in ((one.number, hidden.number), (hidden.number, one.number)):
        with pytest.raises(Refusal, match="no such ticket"):
            await office.does(merging.merge, office.ann, *pair)


async def test_merges_are_undone_from_the_last_one_on(office: Office, clock: ManualClock) -> None:
    one, other = await two(office, clock)
    third = (await office.hears("three", id="three", new_ticket=True)).number
    await office.does(merging.merge, office.boss, one, other)
    await office.does(merging.merge, office.boss, other, third)
    assert await said(office, third) == ["one", "two", "three"]
    with pytest.raises(Refusal, match=f"#{other} was itself merged into #{third}"):
        await office.does(merging.unmerge, office.boss, one)
    await office.does(merging.unmerge, office.boss, other)
    await office.does(merging.unmerge, office.boss, one)
    assert [await said(office, n) for n in (one, other, third)] == [["one"], ["two"], ["three"]]


async def test_a_snooze_that_has_passed_meanwhile_is_over(office: Office, clock: ManualClock) -> None:
    one, other = await two(office, clock)
    await office.does(tickets.snooze, office.boss, one, clock.now() + HOUR)
    await office.does(merging.merge, office.boss, one, other)
    clock.advance(2 * HOUR)
    await office.does(merging.unmerge, office.boss, one)
    assert (await ticket(office, one)).status == "open"
    await nothing_is_miscounted(office)


# --- splitting -------------------------------------------------------------------------------------------------------


async def test_a_ticket_is_split_where_another_matter_begins(office: Office, clock: ManualClock) -> None:
    first = await office.hears("my kettle leaks", id="a")
    await office.does(assignment.claim, office.boss, first.number)
    await office.does(replies.reply, office.boss, first.number, "we send one", external_id="r1")
    clock.advance(1_000)
    second = await office.hears("and the invoice is wrong", id="b", subject="Invoice")
    clock.advance(1_000)
    await office.hears("by ten euros", id="c")
    with pytest.raises(Refusal, match="nothing would stay"):
        await office.does(parting.split, office.boss, first.number, first.message_id)
    number = await office.does(parting.split, office.boss, first.number, second.message_id)
    new, old = await ticket(office, number), await ticket(office, first.number)
    assert await said(office, number) == ["and the invoice is wrong", "by ten euros"]
    assert await said(office, first.number) == ["my kettle leaks", "we send one"]
    assert (new.subject, new.assignee_id, new.status) == ("Invoice", office.boss.grants.agent_id, "open")
    assert (new.waiting_since, old.waiting_since) == (clock.now() - 1_000, None)
    await nothing_is_miscounted(office)
    with pytest.raises(Refusal) as outgoing:
        thread = await office.store.read(lists.thread, office.boss, first.number)
        await office.does(parting.split, office.boss, first.number, thread.messages[-1].id)
    assert outgoing.value.field == "from_message_id"
    await office.does(merging.merge, office.boss, number, first.number)
    whole = ["my kettle leaks", "we send one", "and the invoice is wrong", "by ten euros"]
    assert await said(office, first.number) == whole
    assert (await ticket(office, first.number)).waiting_since == new.waiting_since
    await nothing_is_miscounted(office)


# --- chats -----------------------------------------------------------------------------------------------------------


async def written_down(hall: Hall, contact_id: int, text: str) -> int:
    """Another ticket of that contact, by mail."""
    kinds.register(Letters.kind, "Letters", lambda: Letters)

    def write(tx: Any) -> int:
        inbox = next((i for i in inboxes.all_of_them(tx) if i.kind == Letters.kind), None)
        inbox = inbox or inboxes.create(tx, DESK, kind=Letters.kind, name="Letters")
        return incoming.write_down(
            tx, hall.ann, inbox_id=inbox.id, contact_id=contact_id, text=text, subject=None, priority="normal",
            external_id=str(uuid4()),
        )  # fmt: skip

    return await hall.store.write(write)


async def test_a_visitor_goes_on_in_the_survivor_and_sees_nothing_else_of_it(hall: Hall) -> None:
    eve = await hall.browser()
    chat = (await eve.says("hello")).number
    contact = await hall.value("SELECT contact_id FROM ticket WHERE number = :n", n=chat)
    letter = await written_down(hall, contact, "my secret illness")
    await hall.store.write(merging.merge, hall.ann, chat, letter)
    state = await eve.sees()
    assert state.ticket is not None
    assert (state.ticket.number, state.ticket.subject) == (letter, "hello"), "not what they wrote elsewhere"
    assert "illness" not in repr(state)
    more = await eve.says("are you there?")
    await hall.answers(letter, "we are")
    assert more.number == letter and await eve.texts() == ["hello", "are you there?", "we are"]
    await nothing_is_miscounted(hall)
    await hall.store.write(merging.unmerge, hall.ann, chat)
    assert await eve.texts() == ["hello", "are you there?", "we are"], "their chat goes back as a whole"
    assert (await eve.says("good")).number == chat
    thread = await hall.store.read(lists.thread, hall.ann, letter)
    assert [m.text for m in thread.messages] == ["my secret illness"]
    await nothing_is_miscounted(hall)


async def test_what_two_browsers_said_is_not_put_together(hall: Hall, clock: ManualClock) -> None:
    one, other = await hall.browser(), await hall.browser()
    await one.signs_in("customer-1")
    await other.signs_in("customer-1")
    first, second = (await one.says("from the phone")).number, (await other.says("from the laptop")).number
    with pytest.raises(Refusal, match="two browsers"):
        await hall.store.write(merging.merge, hall.ann, first, second)
    clock.advance(2 * HOUR)  # what the site has signed is no longer fresh
    assert (await one.texts(), await other.texts()) == (["from the phone"], ["from the laptop"])


async def test_two_chats_of_one_browser_become_one(hall: Hall) -> None:
    eve = await hall.browser()
    first = (await eve.says("one")).number
    await eve.does(visitors.start_anew)
    second = (await eve.says("two")).number
    await hall.store.write(merging.merge, hall.ann, second, first)
    assert (await eve.says("three")).number == first
    assert await eve.texts() == ["one", "two", "three"]
    await hall.store.write(merging.unmerge, hall.ann, second)
    assert await eve.texts() == ["one", "two", "three"] and (await eve.says("four")).number == second


async def test_a_chat_that_is_split_goes_on_in_the_newer_matter(hall: Hall) -> None:
    eve = await hall.browser()
    chat = await eve.says("one")
    await hall.answers(chat.number, "yes")
    other = await eve.says("something else")
    number = await hall.store.write(parting.split, hall.ann, chat.number, other.message_id)
    assert (await eve.says("more")).number == number
    assert await eve.texts() == ["one", "yes", "something else", "more"]
    assert [m.number for m in (await eve.sees()).messages] == [chat.number, chat.number, number, number]


# --- routing ---------------------------------------------------------------------------------------------------------

_MAY = """UPDATE role SET permissions = '["tickets.read", "tickets.reply"]'"""


async def test_an_offer_of_what_is_merged_ends_and_the_survivor_is_offered(office: Office, clock: ManualClock) -> None:
    """The agent has room for one: what is merged away makes it, and undone both are somebody's or in the queue."""
    ann = office.ann.grants.agent_id

    def ready(tx: Any) -> None:
        tx.run(_MAY)
        tx.run("UPDATE agent SET capacity = 1 WHERE id = :id", id=ann)
        office.letters = inboxes.change(tx, DESK, office.letters.id, settings={"routing": "offer"})
        presence.renew(tx, ann, "test")
        presence.set_availability(tx, office.ann, "online")

    await office.store.write(ready)
    one, other = await two(office, clock)
    assert [(await ticket(office, n)).offered_to for n in (one, other)] == [ann, None]
    await office.does(merging.merge, office.boss, one, other)
    assert [(await ticket(office, n)).offered_to for n in (one, other)] == [None, ann]
    await office.does(merging.unmerge, office.boss, one)
    offers = [(await ticket(office, n)).offered_to for n in (one, other)]
    assert sorted(offers, key=str) == sorted([ann, None], key=str)
    assert [(await ticket(office, n)).waiting_since is not None for n in (one, other)] == [True, True]
    await office.does(assignment.claim, office.ann, one if offers[0] else other)
    await office.does(merging.merge, office.boss, one, other)
    assert (await ticket(office, other)).assignee_id == ann
    await nothing_is_miscounted(office)
