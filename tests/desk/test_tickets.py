"""The four statuses, who has a ticket, lists, and counters that agree with a recount after anything."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import HOUR, ManualClock
from hub.desk import assignment, lists, notes, replies, splitting, tags, tickets
from hub.errors import Refusal
from tests.fixtures.office import Office

RECOUNT = """
SELECT inbox_id, status, COALESCE(team_id, 0), COALESCE(assignee_id, 0), CAST(SUM(1 - spam) AS INTEGER),
  CAST(SUM(CASE WHEN spam = 0 AND waiting_since IS NOT NULL THEN 1 ELSE 0 END) AS INTEGER), CAST(SUM(spam) AS INTEGER)
FROM ticket WHERE merged_into IS NULL
GROUP BY inbox_id, status, COALESCE(team_id, 0), COALESCE(assignee_id, 0) ORDER BY 1, 2, 3, 4"""
KEPT = """
SELECT inbox_id, status, team_id, assignee_id, tickets, waiting, spam FROM ticket_count
WHERE tickets <> 0 OR waiting <> 0 OR spam <> 0 ORDER BY 1, 2, 3, 4"""
LOADS = """
SELECT agent.id, agent.load, (SELECT COALESCE(SUM(weight), 0) FROM ticket WHERE ticket.assignee_id = agent.id
  AND ticket.status IN ('open', 'pending') AND ticket.spam = 0) FROM agent"""


async def counters_agree(office: Office) -> None:
    assert await office.store.read(lambda rx: rx.rows(KEPT)) == await office.store.read(lambda rx: rx.rows(RECOUNT))
    for agent, kept, recount in await office.store.read(lambda rx: rx.rows(LOADS)):
        assert kept == recount, f"agent {agent}"


async def ticket(office: Office, number: int) -> Any:
    return (await office.store.read(lists.thread, office.boss, number)).ticket


async def test_of_two_who_claim_at_once_one_has_it(office: Office) -> None:
    got = await office.hears("hi")
    tries = await asyncio.gather(
        office.does(assignment.claim, office.ann, got.number),
        office.does(assignment.claim, office.boss, got.number),
        return_exceptions=True,
    )
    assert [isinstance(t, Refusal) for t in tries] == [False, True]
    assert (await ticket(office, got.number)).assignee_id == office.ann.grants.agent_id
    await office.does(assignment.claim, office.ann, got.number)
    await counters_agree(office)


async def test_who_was_given_a_ticket_sees_it_and_no_longer_when_it_is_taken_away(office: Office) -> None:
    got = await office.hears("hi")
    bob = office.bob.grants.agent_id
    with pytest.raises(Refusal, match="no such ticket"):
        await office.store.read(lists.thread, office.bob, got.number)
    with pytest.raises(Refusal) as cannot:
        await office.does(assignment.assign, office.boss, got.number, bob)
    assert cannot.value.field == "agent_id"
    await office.store.write(lambda tx: tx.run("UPDATE role SET sees = 'everything' WHERE name = :n", n="bob's"))
    await office.does(assignment.assign, office.boss, got.number, bob)
    assert (await office.store.read(lists.thread, office.bob, got.number)).ticket.number == got.number
    await office.does(assignment.assign, office.boss, got.number, None)
    with pytest.raises(Refusal, match="no such ticket"):
        await office.store.read(lists.thread, office.bob, got.number)
    await counters_agree(office)


async def test_a_snooze_ends_at_its_time_and_not_if_it_was_set_anew(office: Office, clock: ManualClock) -> None:
    got = await office.hears("hi")
    with pytest.raises(Refusal, match="passed"):
        await office.does(tickets.snooze, office.ann, got.number, clock.now())
    first, second = clock.now() + HOUR, clock.now() + 2 * HOUR
    await office.does(tickets.snooze, office.ann, got.number, first)
    await office.does(tickets.snooze, office.ann, got.number, second)
    clock.advance(HOUR)
    await office.does(tickets.snooze_over, {"ticket_id": got.ticket_id, "until": first})
    assert (await ticket(office, got.number)).status == "snoozed"
    clock.advance(HOUR)
    await office.does(tickets.snooze_over, {"ticket_id": got.ticket_id, "until": second})
    assert (await ticket(office, got.number)).status == "open"


async def test_spam_is_a_mark_and_taken_back_the_ticket_stands_where_it_stood(office: Office) -> None:
    got = await office.hears("buy")
    await office.does(tickets.mark_spam, office.ann, got.number, True)
    page, _ = await office.store.read(lists.listed, office.ann, lists.Filter())
    spam, _ = await office.store.read(lists.listed, office.ann, lists.Filter(view="spam"))
    assert ([t.ticket.number for t in page], [t.ticket.number for t in spam]) == ([], [got.number])
    await counters_agree(office)
    await office.does(tickets.mark_spam, office.ann, got.number, False)
    assert (await ticket(office, got.number)).status == "open"
    await counters_agree(office)


async def test_a_list_is_paged_without_a_gap_or_a_repeat_while_it_moves(office: Office, clock: ManualClock) -> None:
    for n in range(25):
        clock.advance(1)
        await office.hears(f"matter {n}", by=f"c{n}@example.org")
    seen: list[int] = []
    cursor = None
    while True:
        page, cursor = await office.store.read(lists.listed, office.ann, lists.Filter(), limit=10, cursor=cursor)
        seen += [t.ticket.number for t in page]
        if cursor is None:
            break
        await office.hears("a new one meanwhile", by=f"late{len(seen)}@example.org")
    assert seen == list(range(1025, 1000, -1))
    assert page[-1].last_text == "matter 0" and page[-1].contact_name == "Eve"


async def test_a_cursor_of_another_list_is_refused(office: Office) -> None:
    for n in range(3):
        await office.hears(f"m{n}", by=f"c{n}@example.org")
    _, cursor = await office.store.read(lists.listed, office.ann, lists.Filter(), limit=2)
    assert cursor is not None
    for wrong in (cursor[:-2], cursor + "AA", "x", "", "ey" * 600):
        with pytest.raises(Refusal) as refused:
            await office.store.read(lists.listed, office.ann, lists.Filter(), cursor=wrong)
        assert refused.value.field == "cursor"
    with pytest.raises(Refusal):
        await office.store.read(lists.listed, office.ann, lists.Filter(status=("open",)), cursor=cursor)


async def test_views_and_filters_show_what_they_say(office: Office) -> None:
    a = await office.hears("a", by="a@example.org")
    b = await office.hears("b", by="b@example.org")
    c = await office.hears("c", by="c@example.org", to=office.mute)
    await office.does(assignment.claim, office.boss, a.number)
    await office.does(replies.reply, office.boss, b.number, "ok", external_id="r")
    await office.does(tags.tag_ticket, office.boss, c.number, "Refund")

    async def numbers(caller: Any = office.boss, **wanted: Any) -> set[int]:
        page, _ = await office.store.read(lists.listed, caller, lists.Filter(**wanted))
        return {t.ticket.number for t in page}

    assert await numbers() == {a.number, b.number, c.number}
    assert await numbers(view="mine") == {a.number}
    assert await numbers(view="unassigned") == {b.number, c.number}
    assert await numbers(view="waiting") == {a.number, c.number}
    assert await numbers(tag="REFUND") == {c.number}
    assert await numbers(inbox_id=office.mute.id, status=("open",)) == {c.number}
    assert await numbers(office.ann) == {a.number, b.number}
    assert await numbers(office.bob) == set()


async def test_notes_tags_and_what_happened_are_in_the_thread(office: Office) -> None:
    got = await office.hears("hi")
    await office.does(notes.write, office.ann, got.number, "He is right.")
    await office.does(tags.tag_ticket, office.ann, got.number, "vip")
    await office.does(tags.tag_ticket, office.ann, got.number, "VIP")
    thread = await office.store.read(lists.thread, office.ann, got.number)
    assert [n.text for n in thread.notes] == ["He is right."]
    assert await office.store.read(tags.of_ticket, got.ticket_id) == ("vip",)
    happened, _ = await office.store.read(lists.events, office.ann, got.number)
    assert [e.name for e in reversed(happened)] == [
        "ticket.opened",
        "message.received",
        "note.written",
        "ticket.tagged",
    ]


KINDS = ["hear", "form", "resolve", "reopen", "pending", "snooze", "claim", "assign", "unassign", "move", "spam", "ham"]
STEPS = st.lists(st.tuples(st.sampled_from([*KINDS, "reply"]), st.integers(0, 3)), min_size=1, max_size=25)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_after_anything_the_counters_agree_with_a_recount(office: Office, steps: list[tuple[str, int]]) -> None:
    boss, ann = office.boss, office.ann
    for number, (step, who) in enumerate(steps):
        known = await office.store.read(lambda rx: [r[0] for r in rx.rows("SELECT number FROM ticket ORDER BY id")])
        if step in ("hear", "form") or not known:
            await office.hears(
                f"{number}", id=f"{len(known)}-{number}-{who}", by=f"p{who}@example.org", new_ticket=step == "form"
            )
            continue
        target = known[who % len(known)]
        calls: dict[str, Any] = {
            "resolve": lambda t: office.does(tickets.resolve, boss, t),
            "reopen": lambda t: office.does(tickets.reopen, boss, t),
            "pending": lambda t: office.does(tickets.await_contact, boss, t),
            "snooze": lambda t: office.does(tickets.snooze, boss, t, None),
            "claim": lambda t: office.does(assignment.claim, boss, t),
            "assign": lambda t: office.does(assignment.assign, boss, t, ann.grants.agent_id),
            "unassign": lambda t: office.does(assignment.assign, boss, t, None),
            "move": lambda t: office.does(assignment.move, boss, t, None),
            "spam": lambda t: office.does(tickets.mark_spam, boss, t, True),
            "ham": lambda t: office.does(tickets.mark_spam, boss, t, False),
            "reply": lambda t, n=number: office.does(replies.reply, boss, t, "ok", external_id=f"r{n}-{t}-{uuid4()}"),
        }
        try:
            await calls[step](target)
        except Refusal as refusal:
            assert refusal.code in ("conflict", "invalid")
    await counters_agree(office)


@given(text=st.text(min_size=1, max_size=300), most=st.integers(5, 60))
def test_no_part_is_too_long_and_no_letter_is_lost(text: str, most: int) -> None:
    parts = splitting.split(text, most)
    assert all(0 < len(part) <= most for part in parts) or not text.strip()
    assert "".join("".join(parts).split()) == "".join(text.split())
