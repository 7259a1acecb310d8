"""The reply clock: by when an answer is due, and what happens when it is not there."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from hub.clock import HOUR, MINUTE, ManualClock
from hub.db import lanes
from hub.db.store import Store
from hub.desk import assignment, hours, inboxes, replies, reply_clock, routing, targets, tickets
from hub.desk import ticket as gate
from hub.desk.targets import Target
from hub.desk.ticket import Ticket
from hub.errors import Refusal
from hub.staff import roles, teams
from hub.staff.access import DESK
from hub.work import queue as jobs
from tests.fixtures.office import Office

NORMAL = Target(priority="normal", first_reply_minutes=60, next_reply_minutes=30, warn_minutes=10)
HIGH = Target(priority="high", first_reply_minutes=20, next_reply_minutes=20)
NEXT = """
SELECT MIN(run_at) FROM job
WHERE state = 'ready' AND run_at <= :until AND kind IN ('reply_due', 'reply_clocks', 'snooze_over')"""
TIMERS: dict[str, Callable[..., object]] = {
    **routing.TIMERS, **reply_clock.TIMERS, "snooze_over": tickets.snooze_over
}  # fmt: skip


@dataclasses.dataclass
class Watch:
    office: Office
    clock: ManualClock

    @property
    def store(self) -> Store:
        return self.office.store

    async def does(self, fn: Callable[..., Any], *args: Any, **more: Any) -> Any:
        return await self.store.write(fn, *args, **more)

    async def wants(self, *items: Target, inbox_id: int | None = None) -> None:
        await self.does(targets.put, DESK, inbox_id, items)

    async def ticket(self, number: int) -> Ticket:
        return await self.store.read(gate.seen, DESK, number)

    async def due(self, number: int) -> tuple[Any, ...]:
        """(minutes from now until it is due, kind, state)."""
        found = await self.ticket(number)
        left = None if found.due_at is None else (found.due_at - self.clock.now()) / MINUTE
        return left, found.due_kind, found.due_state

    async def answers(self, number: int, text: str = "Yes.") -> None:
        await self.does(replies.reply, self.office.boss, number, text, external_id=f"{number} {self.clock.now()}")

    async def passes(self, minutes: float) -> None:
        until = self.clock.now() + int(minutes * MINUTE)
        while True:
            at = await self.store.read(lambda rx: rx.value(NEXT, until=until))
            if at is None:
                break
            self.clock.advance(max(0, at - self.clock.now()))
            for lane in (lanes.OUTBOUND, lanes.HOUSEKEEPING):
                for job in await self.does(jobs.claim, "worker", lane, 100):
                    timer: Any = TIMERS.get(job.kind, lambda tx, payload: None)
                    await self.does(jobs.finish, job, functools.partial(timer, payload=job.payload))
        self.clock.advance(until - self.clock.now())

    async def events(self, name: str) -> int:
        return int(await self.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM event WHERE name = :n", n=name)))

    async def alarms(self) -> int:
        return int(await self.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM job WHERE kind = 'reply_due'")))


@pytest_asyncio.fixture
async def watch(office: Office, clock: ManualClock) -> Watch:
    await office.store.write(roles.ensure_built_in)
    return Watch(office, clock)


async def test_without_targets_nothing_is_due(watch: Watch) -> None:
    got = await watch.office.hears("help")
    assert await watch.due(got.number) == (None, None, None) and await watch.alarms() == 0


async def test_the_first_answer_then_each_next_one(watch: Watch) -> None:
    await watch.wants(NORMAL)
    got = await watch.office.hears("help")
    assert await watch.due(got.number) == (60, "first", "ok")
    await watch.passes(5)
    await watch.office.hears("are you there?")
    assert await watch.due(got.number) == (55, "first", "ok"), "they wait since their first word"
    await watch.answers(got.number)
    assert (await watch.due(got.number))[0] is None and await watch.alarms() == 0
    assert (await watch.ticket(got.number)).first_reply_at == watch.clock.now()
    await watch.passes(5)
    await watch.office.hears("and another thing")
    assert await watch.due(got.number) == (30, "next", "ok")


async def test_an_inboxs_own_go_before_the_desks_priority_by_priority(watch: Watch) -> None:
    await watch.wants(NORMAL, HIGH)
    await watch.wants(Target(priority="normal", first_reply_minutes=5), inbox_id=watch.office.letters.id)
    got = await watch.office.hears("help")
    assert (await watch.due(got.number))[0] == 5
    await watch.does(tickets.set_priority, DESK, got.number, "high")
    assert (await watch.due(got.number))[0] == 20
    other = await watch.office.hears("help", by="adam@example.net", to=watch.office.mute)
    assert (await watch.due(other.number))[0] == 60
    listed = await watch.store.read(targets.listed, DESK)
    assert [(o.inbox_id, [t.priority for t in o.items]) for o in listed] == [
        (None, ["high", "normal"]),
        (watch.office.letters.id, ["normal"]),
    ]


async def test_warned_then_late_each_once_by_one_job(watch: Watch) -> None:
    await watch.wants(NORMAL)
    got = await watch.office.hears("help")
    await watch.passes(49.9)
    assert (await watch.due(got.number))[2] == "ok" and await watch.alarms() == 1
    await watch.passes(0.2)
    assert (await watch.due(got.number))[2] == "warned" and await watch.alarms() == 1
    await watch.passes(9.8)
    assert (await watch.due(got.number))[2] == "warned"
    await watch.passes(0.1)
    assert (await watch.due(got.number))[2] == "breached" and await watch.alarms() == 0
    await watch.passes(600)
    assert (await watch.events("reply.warned"), await watch.events("reply.breached")) == (1, 1)
    await watch.office.hears("hello?!")
    assert (await watch.due(got.number))[2] == "breached", "it stays late until it is answered"
    await watch.answers(got.number)
    assert await watch.due(got.number) == (None, None, None)


async def test_the_clock_goes_by_business_hours(watch: Watch) -> None:
    day = ((("00:00", "12:00"),),) * 7
    hours_id = await watch.does(hours.create, DESK, name="Mornings", zone="UTC", week=day)
    await watch.does(inboxes.change, DESK, watch.office.letters.id, settings={"hours_id": hours_id})
    await watch.wants(NORMAL)
    got = await watch.office.hears("help")  # at 14:13
    midnight = (watch.clock.now() // (24 * HOUR) + 1) * 24 * HOUR
    assert (await watch.ticket(got.number)).due_at == midnight + HOUR
    await watch.does(hours.change, DESK, hours_id, week=((("08:00", "12:00"),),) * 7)
    await watch.passes(0)
    assert (await watch.ticket(got.number)).due_at == midnight + 9 * HOUR, "it moves with the hours"
    assert await watch.events("reply.due_changed") == 1
    team_id = await watch.does(teams.create, DESK, "Night")
    night = await watch.does(hours.create, DESK, name="Nights", zone="UTC", week=((("20:00", "24:00"),),) * 7)
    await watch.does(teams.change, DESK, team_id, hours_id=night)
    await watch.does(assignment.move, DESK, got.number, team_id)
    assert (await watch.ticket(got.number)).due_at == midnight - 3 * HOUR, "and with the team"


@pytest.mark.parametrize("how", ["snooze", "await_contact"])
async def test_put_off_it_stands_still_and_goes_on_from_there(watch: Watch, how: str) -> None:
    await watch.wants(NORMAL)
    got = await watch.office.hears("help")
    asked = watch.clock.now()
    await watch.passes(20)
    if how == "snooze":
        await watch.does(tickets.snooze, DESK, got.number, watch.clock.now() + 120 * MINUTE)
    else:
        await watch.does(tickets.await_contact, DESK, got.number)
    assert await watch.due(got.number) == (None, "first", None) and await watch.alarms() == 0
    await watch.passes(121)
    if how == "await_contact":
        await watch.office.hears("still nothing")
    found = await watch.ticket(got.number)
    back = asked + 140 * MINUTE if how == "snooze" else watch.clock.now()
    assert found.due_at == back + 40 * MINUTE
    if how == "snooze":
        assert found.waiting_since == asked, "who waited when it was put off waits still, since when they did"
    await watch.answers(got.number)
    await watch.office.hears("thanks, and")
    assert await watch.due(got.number) == (30, "next", "ok"), "an answer sets it back"


async def test_answered_while_it_is_put_off_nobody_waits_when_it_comes_back(watch: Watch) -> None:
    await watch.wants(NORMAL)
    got = await watch.office.hears("help")
    await watch.does(tickets.snooze, DESK, got.number, watch.clock.now() + HOUR)
    await watch.answers(got.number)
    await watch.passes(61)
    found = await watch.ticket(got.number)
    assert (found.status, found.waiting_since, found.due_at, found.clock_used) == ("open", None, None, 0)


@pytest.mark.parametrize("how", ["resolve", "spam"])
async def test_over_is_over(watch: Watch, how: str) -> None:
    await watch.wants(NORMAL)
    got = await watch.office.hears("help")
    if how == "resolve":
        await watch.does(tickets.resolve, DESK, got.number)
    else:
        await watch.does(tickets.mark_spam, DESK, got.number, True)
    assert (await watch.due(got.number))[0] is None and await watch.alarms() == 0


async def test_a_breach_escalates(watch: Watch) -> None:
    seniors = await watch.does(teams.create, DESK, "Seniors")
    target = Target(
        priority="normal", first_reply_minutes=60, raise_priority=True, put_back=True, escalate_to_team_id=seniors
    )
    await watch.wants(target, HIGH)
    got = await watch.office.hears("help")
    await watch.does(assignment.assign, DESK, got.number, watch.office.ann.grants.agent_id)
    await watch.passes(61)
    found = await watch.ticket(got.number)
    assert (found.priority, found.team_id, found.assignee_id, found.due_state) == ("high", seniors, None, "breached")
    await watch.passes(600)
    assert await watch.events("reply.breached") == 1, "the next priority's target does not make it late again"
    assert (await watch.ticket(got.number)).priority == "high"


async def test_targets_that_change_move_what_runs(watch: Watch) -> None:
    got = await watch.office.hears("help")
    await watch.passes(10)
    await watch.wants(NORMAL)
    await watch.passes(0)
    assert await watch.due(got.number) == (50, "first", "ok"), "from when they began to wait"
    await watch.wants(Target(priority="normal", first_reply_minutes=15))
    await watch.passes(0)
    assert (await watch.due(got.number))[0] == 5 and await watch.alarms() == 1
    await watch.wants()
    await watch.passes(0)
    assert (await watch.due(got.number))[0] is None and await watch.alarms() == 0


async def test_all_that_waits_is_walked_through(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_clock, "AT_ONCE", 2)
    numbers = [(await watch.office.hears("help", by=f"p{n}@example.net")).number for n in range(5)]
    await watch.wants(NORMAL)
    await watch.passes(0)
    assert {(await watch.due(number))[1] for number in numbers} == {"first"}


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([NORMAL, NORMAL], "items.1.priority"),
        ([Target(priority="low", first_reply_minutes=10, warn_minutes=10)], "items.0.warn_minutes"),
        ([Target(priority="low", first_reply_minutes=10, escalate_to_team_id=4711)], "items.0.escalate_to_team_id"),
    ],
)
async def test_what_is_wrong_is_named(watch: Watch, items: list[Target], field: str) -> None:
    with pytest.raises(Refusal) as caught:
        await watch.wants(*items)
    assert [e.field for e in caught.value.errors] == [field]


async def test_hours_in_which_nobody_ever_answers_make_nothing_due(watch: Watch) -> None:
    hours_id = await watch.does(hours.create, DESK, name="Never", zone="UTC", week=((),) * 7)
    await watch.does(inboxes.change, DESK, watch.office.letters.id, settings={"hours_id": hours_id})
    await watch.wants(NORMAL)
    got = await watch.office.hears("help")
    assert (await watch.due(got.number))[0] is None
