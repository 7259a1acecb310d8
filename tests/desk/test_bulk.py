"""One action on many tickets: each judged by itself, many by a job bit by bit, and taken back exactly."""

from typing import Any

import msgspec
import pytest

from hub.clock import HOUR, ManualClock
from hub.db import examine
from hub.desk import assignment, bulk, lists, tags, tickets
from hub.desk import ticket as gate
from hub.desk.bulk import Bulk, Wanted
from hub.errors import Refusal
from hub.events import Told
from tests.fixtures.office import Office


async def several(office: Office, count: int) -> list[int]:
    return [(await office.hears(f"m{n}", by=f"c{n}@example.org")).number for n in range(count)]


async def ticket(office: Office, number: int) -> gate.Ticket:
    found = await office.store.read(gate.by_number, number)
    assert found is not None
    return found


async def start(office: Office, do: Any, numbers: list[int], who: Any = None, **args: Any) -> Bulk:
    done: Bulk = await office.does(bulk.start, who or office.boss, Wanted(do=do, args=args), numbers=numbers)
    return done


async def agree(office: Office) -> None:
    assert await office.store.read(examine.wrong_ticket_counts) == []
    assert await office.store.read(examine.wrong_loads) == []


@pytest.mark.parametrize(
    ("do", "args", "field", "value"),
    [
        ("resolve", {}, "status", "resolved"),
        ("snooze", {"until": None}, "status", "snoozed"),
        ("priority", {"priority": "urgent"}, "priority", "urgent"),
        ("spam", {"spam": True}, "spam", 1),
        ("move", {"team_id": None}, "team_id", None),
    ],
)
async def test_each_action_is_done_to_all_and_undone_exactly(
    office: Office, clock: ManualClock, do: Any, args: dict[str, Any], field: str, value: Any
) -> None:
    numbers = await several(office, 3)
    await office.does(assignment.claim, office.boss, numbers[0])
    await office.does(tickets.await_contact, office.boss, numbers[1])
    before = [await ticket(office, n) for n in numbers]
    clock.advance(1_000)
    done = await start(office, do, numbers, **args)
    assert (done.total, done.done, done.refused, done.ended) == (3, 3, [], True)
    assert [getattr(await ticket(office, n), field) for n in numbers] == [value] * 3
    await agree(office)
    undone: Bulk = await office.does(bulk.undo, office.boss, done.id)
    assert (undone.undone, undone.refused) == (True, [])
    after = [await ticket(office, n) for n in numbers]
    kept = ("status", "priority", "spam", "team_id", "assignee_id", "waiting_since", "snoozed_until")
    assert [[getattr(t, f) for f in kept] for t in after] == [[getattr(t, f) for f in kept] for t in before]
    await agree(office)
    with pytest.raises(Refusal, match="undone already"):
        await office.does(bulk.undo, office.boss, done.id)


async def test_tags_come_off_only_where_they_were_put_on(office: Office) -> None:
    numbers = await several(office, 2)
    await office.does(tags.tag_ticket, office.boss, numbers[0], "vip")
    done = await start(office, "tag", numbers, tag="VIP")
    assert done.done == 2
    await office.does(bulk.undo, office.boss, done.id)
    tagged = [await office.store.read(tags.of_ticket, (await ticket(office, n)).id) for n in numbers]
    assert tagged == [("vip",), ()]


async def test_one_that_cannot_is_named_and_stops_no_other(office: Office) -> None:
    numbers = await several(office, 2)
    elsewhere = (await office.hears("x", by="x@example.org", to=office.mute)).number
    await office.store.write(lambda tx: tx.run("UPDATE role SET permissions = '[]'"))
    done = await start(office, "assign", [*numbers, elsewhere], agent_id=office.ann.grants.agent_id)
    assert (done.done, [r.number for r in done.refused]) == (2, [elsewhere])
    assert "cannot see" in done.refused[0].text
    await agree(office)


async def test_one_that_is_hidden_refuses_all_and_nothing_is_done(office: Office) -> None:
    numbers = await several(office, 2)
    hidden = (await office.hears("x", by="x@example.org", to=office.mute)).number
    for wrong in (hidden, 99_999):
        with pytest.raises(Refusal, match="no such ticket"):
            await start(office, "resolve", [*numbers, wrong], who=office.ann)
    assert {(await ticket(office, n)).status for n in numbers} == {"open"}


@pytest.mark.parametrize(
    ("do", "args", "field"),
    [
        ("assign", {}, "agent_id"),
        ("assign", {"agent_id": 9_999}, "agent_id"),
        ("move", {"team_id": 9_999}, "team_id"),
        ("snooze", {"until": 1}, "until"),
        ("tag", {"tag": " "}, "tag"),
        ("resolve", {"tag": "x"}, "tag"),
    ],
)
async def test_what_is_wrong_for_all_is_said_once(office: Office, do: Any, args: dict[str, Any], field: str) -> None:
    numbers = await several(office, 1)
    with pytest.raises(Refusal) as refused:
        await start(office, do, numbers, **args)
    assert refused.value.field == field


async def test_what_was_changed_meanwhile_is_not_undone(office: Office, clock: ManualClock) -> None:
    numbers = await several(office, 2)
    done = await start(office, "snooze", numbers, until=clock.now() + HOUR)
    await office.does(tickets.snooze, office.ann, numbers[0], clock.now() + 2 * HOUR)
    undone: Bulk = await office.does(bulk.undo, office.boss, done.id)
    assert [(r.number, r.text) for r in undone.refused] == [(numbers[0], bulk.MEANWHILE)]
    assert [(await ticket(office, n)).status for n in numbers] == ["snoozed", "open"]
    with pytest.raises(Refusal, match="no such action"):
        await office.does(bulk.undo, office.ann, done.id)


async def test_many_are_done_by_a_job_bit_by_bit_and_undone_by_one(office: Office) -> None:
    numbers = await several(office, bulk.AT_ONCE + 20)
    told: list[Told] = []
    office.store.passing.append(told.extend)
    done: Bulk = await office.does(
        bulk.start, office.boss, Wanted(do="priority", args={"priority": "high"}), filter=lists.Filter(view="open")
    )
    assert (done.total, done.done, done.ended) == (len(numbers), 0, False)
    with pytest.raises(Refusal, match="still being done"):
        await office.does(bulk.undo, office.boss, done.id)
    await office.store.write(lambda tx: tx.run("UPDATE role SET sees = 'everything', permissions = :p", p=PERMISSIONS))
    for _ in range(3):
        await office.does(bulk.go_on, {"bulk_id": done.id, "undo": False})
    shown: Bulk = await office.store.read(bulk.of, office.boss, done.id)
    assert (shown.done, shown.ended) == (len(numbers), True)
    progress = [one.frame["bulk"].done for one in told if one.frame["what"] == "bulk"]
    assert progress == [50, 100, 120]
    await office.does(bulk.undo, office.boss, done.id)
    for _ in range(3):
        await office.does(bulk.go_on, {"bulk_id": done.id, "undo": True})
    assert {(await ticket(office, n)).priority for n in numbers} == {"normal"}
    shown = await office.store.read(bulk.of, office.boss, done.id)
    assert (shown.undone, shown.ended) == (True, True)


async def test_after_a_month_it_is_forgotten(office: Office, clock: ManualClock) -> None:
    numbers = await several(office, 2)
    done = await start(office, "resolve", numbers)
    clock.advance(bulk.KEPT)
    assert await office.does(bulk.sweep) == 0
    clock.advance(1)
    assert [await office.does(bulk.sweep), await office.does(bulk.sweep)] == [3, 0]
    with pytest.raises(Refusal, match="no such action"):
        await office.store.read(bulk.of, office.boss, done.id)


PERMISSIONS = '["tickets.read", "tickets.change", "tickets.assign"]'


async def test_who_may_not_change_tickets_changes_none_of_many(office: Office) -> None:
    numbers = await several(office, 1)
    grants = msgspec.structs.replace(office.boss.grants, permissions=frozenset({"tickets.read", "tickets.change"}))
    with pytest.raises(Refusal) as refused:
        await start(office, "assign", numbers, who=msgspec.structs.replace(office.boss, grants=grants), agent_id=None)
    assert refused.value.code == "forbidden"
