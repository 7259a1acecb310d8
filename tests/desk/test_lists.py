"""Views, filters and orders of the list of tickets; and the kept counters that stand beside the views."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import HOUR, ManualClock
from hub.db.tx import Rx
from hub.desk import assignment, counts, lists, reading, replies, tickets
from hub.errors import Refusal
from tests.fixtures.office import Office

SORTS: tuple[lists.Sort, ...] = ("newest", "oldest_waiting", "priority")


async def numbers(office: Office, who: Any = None, *, sort: lists.Sort = "newest", **wanted: Any) -> list[int]:
    page, _ = await office.store.read(lists.listed, who or office.boss, lists.Filter(**wanted), sort=sort)
    return [found.ticket.number for found in page]


async def several(office: Office, clock: ManualClock, count: int) -> list[int]:
    found = []
    for n in range(count):
        clock.advance(1_000)
        found.append((await office.hears(f"matter {n}", by=f"c{n}@example.org")).number)
    return found


async def test_each_view_shows_its_own(office: Office, clock: ManualClock) -> None:
    mine, free, answered, later, done, junk = await several(office, clock, 6)
    await office.does(assignment.claim, office.boss, mine)
    await office.does(replies.reply, office.boss, answered, "ok", external_id="r")
    await office.does(tickets.await_contact, office.boss, answered)
    await office.does(tickets.snooze, office.boss, later, clock.now() + HOUR)
    await office.does(tickets.resolve, office.boss, done)
    await office.does(tickets.mark_spam, office.boss, junk, True)
    assert await numbers(office) == [answered, done, later, free, mine]
    assert await numbers(office, view="mine") == [mine]
    assert await numbers(office, view="unassigned") == [answered, free]
    assert await numbers(office, view="open") == [answered, free, mine]
    assert await numbers(office, view="waiting") == [free, mine]
    assert await numbers(office, view="snoozed") == [later]
    assert await numbers(office, view="resolved") == [done]
    assert await numbers(office, view="spam") == [junk]
    assert await numbers(office, view="open", status=("resolved", "snoozed")) == [done, later]
    assert await numbers(office, kind="mute") == []
    assert len(await numbers(office, kind="letters", status=("open",))) == 2


async def test_who_waited_longest_comes_first_and_who_waits_for_nobody_last(office: Office, clock: ManualClock) -> None:
    first, second, answered, third = await several(office, clock, 4)
    await office.does(replies.reply, office.boss, answered, "ok", external_id="r")
    await office.hears("and?", id="again", by="c0@example.org")
    assert await numbers(office, sort="oldest_waiting") == [first, second, third, answered]
    await office.does(tickets.set_priority, office.boss, third, "urgent")
    await office.does(tickets.set_priority, office.boss, first, "low")
    assert await numbers(office, sort="priority") == [third, second, answered, first]
    await office.does(tickets.resolve, office.boss, second)
    assert await numbers(office, sort="priority") == [third, answered, first]
    for filter in ({"view": "resolved"}, {"status": ("open", "resolved")}):
        with pytest.raises(Refusal) as refused:
            await numbers(office, sort="oldest_waiting", **filter)
        assert refused.value.field == "sort"


@pytest.mark.parametrize("sort", SORTS)
async def test_every_order_is_paged_without_a_gap_or_a_repeat(
    office: Office, clock: ManualClock, sort: lists.Sort
) -> None:
    made = await several(office, clock, 12)
    for number in made[::3]:
        await office.does(tickets.set_priority, office.boss, number, "high")
    for number in made[::4]:
        await office.does(replies.reply, office.boss, number, "ok", external_id=f"r{number}")
    whole = await numbers(office, sort=sort)
    seen: list[int] = []
    cursor = None
    while True:
        page, cursor = await office.store.read(
            lists.listed, office.boss, lists.Filter(), sort=sort, limit=5, cursor=cursor
        )
        seen += [found.ticket.number for found in page]
        if cursor is None:
            break
        with pytest.raises(Refusal):
            other: lists.Sort = "priority" if sort == "newest" else "newest"
            await office.store.read(lists.listed, office.boss, lists.Filter(), sort=other, cursor=cursor)
    assert seen == whole and len(seen) == 12


async def test_the_counters_say_what_the_lists_show(office: Office, clock: ManualClock) -> None:
    mine, _free, answered, later, _done, junk = await several(office, clock, 6)
    await office.does(assignment.claim, office.boss, mine)
    await office.does(replies.reply, office.boss, answered, "ok", external_id="r")
    await office.does(tickets.snooze, office.boss, later, None)
    await office.does(tickets.mark_spam, office.boss, junk, True)
    for who in (office.boss, office.ann, office.bob):
        kept = await office.store.read(counts.of, who)
        for view in ("mine", "unassigned", "open", "waiting", "snoozed", "spam"):
            assert getattr(kept, view) == len(await numbers(office, who, view=view)), (view, who.grants.agent_id)


STEPS = ["claim", "unassign", "reply", "hear", "resolve", "reopen", "pending", "snooze", "spam", "ham", "move"]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2)), min_size=1, max_size=15))
async def test_after_anything_the_counters_are_as_long_as_the_lists(
    office: Office, steps: list[tuple[str, int]]
) -> None:
    boss = office.boss
    known = [(await office.hears("hello", by=f"p{n}@example.org")).number for n in range(3)]
    for at, (step, who) in enumerate(steps):
        number = known[who]
        calls: dict[str, Any] = {
            "claim": (assignment.claim, boss, number),
            "unassign": (assignment.assign, boss, number, None),
            "reply": (replies.reply, boss, number, "ok"),
            "resolve": (tickets.resolve, boss, number),
            "reopen": (tickets.reopen, boss, number),
            "pending": (tickets.await_contact, boss, number),
            "snooze": (tickets.snooze, boss, number, None),
            "spam": (tickets.mark_spam, boss, number, True),
            "ham": (tickets.mark_spam, boss, number, False),
            "move": (assignment.move, boss, number, None),
        }
        if step == "hear":
            await office.hears("more", id=f"{number} {at} {id(steps)}", by=f"p{who}@example.org")
        else:
            fn, *args = calls[step]
            more = {"external_id": f"r{number} {at} {id(steps)}"} if step == "reply" else {}
            await office.does(fn, *args, **more)
    kept = await office.store.read(counts.of, boss)
    for view in ("mine", "unassigned", "open", "waiting", "snoozed", "spam"):
        listed, _ = await office.store.read(lists.listed, boss, lists.Filter(view=view), limit=100)
        if len(listed) < 100:
            assert getattr(kept, view) == len(listed), view


async def test_a_mark_of_reading_touches_nobody_elses_list(office: Office) -> None:
    got = await office.hears("hi")
    await office.does(reading.mark_read, office.ann, got.number, got.message_id)
    assert await numbers(office, office.ann, unread=True) == []
    assert await numbers(office, unread=True) == [got.number]


def _numbers(rx: Rx, sql: str, params: dict[str, Any]) -> set[int]:
    return {row[0] for row in rx.rows(sql, **params)}


async def test_whoever_looks_gets_every_order_of_just_what_they_may_see(office: Office, clock: ManualClock) -> None:
    """Lists are read part by part; what comes together is what one condition finds."""
    mine = await several(office, clock, 6)
    for n in range(4):
        clock.advance(1_000)
        await office.hears(f"mute {n}", by=f"m{n}@example.org", to=office.mute)
    await office.does(assignment.claim, office.boss, mine[0])
    await office.does(tickets.resolve, office.boss, mine[1])
    await office.does(tickets.snooze, office.boss, mine[2], None)
    sorts: tuple[lists.Sort, ...] = ("newest", "oldest_waiting", "priority", "due")
    for who in (office.boss, office.ann, office.bob):
        where, params = lists.matching(who, lists.Filter())
        seen = await office.store.read(_numbers, f"SELECT number FROM ticket WHERE {' AND '.join(where)}", params)
        unresolved = seen - {mine[1]}
        for sort in sorts:
            found = await numbers(office, who, sort=sort)
            assert len(found) == len(set(found))
            assert set(found) == (seen if sort == "newest" else unresolved), sort
