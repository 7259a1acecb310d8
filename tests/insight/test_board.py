"""The live board and one's own day: how it stands, and today against the same weekday a week ago."""

import datetime
from typing import Any

import pytest

from hub.clock import DAY, HOUR, MINUTE, ManualClock
from hub.desk import assignment, notes, presence, replies, reply_clock, routing_settings, targets, tickets
from hub.desk.targets import Target
from hub.insight import board, tally
from hub.staff.access import DESK
from tests.fixtures.office import Office


async def answers(office: Office, number: int, text: str = "Yes.") -> None:
    await office.store.write(replies.reply, office.boss, number, text, external_id=f"{number} {text}")


async def shown(office: Office, who: Any = None, team_id: int | None = None) -> board.Board:
    return await office.store.read(board.board, who or office.boss, team_id)


async def test_an_empty_desk_has_an_empty_board(office: Office) -> None:
    found = await shown(office)
    assert (found.waiting_now, found.longest_wait_ms, found.online, found.per_inbox) == (0, 0, 0, [])
    assert found.first_reply.today == board.Median(None, 0)


async def test_who_waits_and_since_when(office: Office, clock: ManualClock) -> None:
    first = await office.hears("a", by="a@example.net")
    clock.advance(10 * MINUTE)
    await office.hears("b", by="b@example.net", to=office.mute)
    third = await office.hears("c", by="c@example.net")
    clock.advance(MINUTE)
    await office.does(assignment.assign, DESK, third.number, office.ann.grants.agent_id)
    found = await shown(office)
    assert (found.waiting_now, found.unassigned, found.open) == (3, 2, 3)
    assert found.longest_wait_ms == 11 * MINUTE
    of = {one.inbox_id: one for one in found.per_inbox}
    assert (of[office.letters.id].waiting, of[office.letters.id].unassigned) == (2, 1)
    assert of[office.mute.id].longest_wait_ms == MINUTE
    assert {one.id: one.waiting for one in found.load}[office.ann.grants.agent_id] == 1
    await answers(office, first.number)
    found = await shown(office)
    assert (found.waiting_now, found.longest_wait_ms) == (2, MINUTE)


async def test_everybody_reads_of_what_they_see(office: Office) -> None:
    await office.hears("a")
    await office.hears("b", to=office.mute)
    ann, bob = await shown(office, office.ann), await shown(office, office.bob)
    assert (ann.waiting_now, ann.opened.today) == (1, 1)
    assert (bob.waiting_now, bob.opened.today, bob.per_inbox) == (0, 0, [])
    team_id = next(iter(office.ann.grants.teams))
    of_team = await shown(office, None, team_id)
    assert (of_team.waiting_now, of_team.opened.today) == (1, 1)
    assert [one.id for one in of_team.load] == [office.ann.grants.agent_id]


async def test_today_against_the_same_weekday_a_week_ago(office: Office, clock: ManualClock) -> None:
    midnight = clock.now() // DAY * DAY
    clock.advance(midnight + 9 * HOUR - clock.now() + DAY)  # tomorrow at nine
    for n in range(3):
        got = await office.hears(f"then {n}", by=f"t{n}@example.net")
        clock.advance(10 * MINUTE)
        await answers(office, got.number)
        await office.does(tickets.resolve, office.boss, got.number)
    clock.advance(8 * HOUR)
    await office.hears("later that day", by="late@example.net")  # not yet at this time of today
    clock.advance(7 * DAY - 8 * HOUR)
    got = await office.hears("now", by="now@example.net")
    clock.advance(4 * MINUTE)
    await answers(office, got.number)
    found = await shown(office)
    assert found.opened == board.Compared(1, 3)
    assert found.answered == board.Compared(1, 3)
    assert found.resolved == board.Compared(0, 3)
    assert found.first_reply == board.FirstReply(board.Median(4 * MINUTE, 1), board.Median(10 * MINUTE, 3))
    day = await office.store.read(board.day, office.boss)
    assert (day.answered, day.resolved) == (board.Compared(1, 3), board.Compared(0, 3))


async def test_the_day_begins_at_the_desks_midnight(office: Office, clock: ManualClock) -> None:
    await office.does(routing_settings.change, DESK, zone="Asia/Phnom_Penh")
    began = datetime.datetime.fromtimestamp((await shown(office)).day_began_at / 1000, datetime.UTC)
    assert (began.hour, began.minute) == (17, 0)
    await office.does(routing_settings.change, DESK, zone="America/St_Johns")
    began = datetime.datetime.fromtimestamp((await shown(office)).day_began_at / 1000, datetime.UTC)
    assert (began.hour, began.minute) == (2, 30)


async def test_agents_as_they_are(office: Office, clock: ManualClock) -> None:
    for caller, says in ((office.ann, "online"), (office.bob, "busy")):
        await office.does(presence.renew, caller.grants.agent_id, "p")
        await office.does(presence.set_availability, caller, says)
    found = await shown(office)
    assert (found.online, found.busy, found.away, found.offline) == (1, 1, 0, 1)
    clock.advance(2 * MINUTE)
    assert (await shown(office)).offline == 3, "who is not connected is not there, whatever they said"


async def test_what_is_late(office: Office, clock: ManualClock) -> None:
    await office.does(targets.put, DESK, None, [Target(priority="normal", first_reply_minutes=5)])
    got = await office.hears("a")
    clock.advance(6 * MINUTE)
    await office.does(reply_clock.ring, {"ticket_id": 1})
    found = await shown(office)
    assert (found.late, found.breached.today) == (1, 1)
    await office.does(assignment.assign, DESK, got.number, office.ann.grants.agent_id)
    day = await office.store.read(board.day, office.ann)
    assert (day.assigned, day.waiting, day.longest_wait_ms) == (1, 1, 6 * MINUTE)
    assert [(one.number, one.due_state) for one in day.due] == [(got.number, "breached")]


async def test_ones_day_has_mentions_and_promises(office: Office, clock: ManualClock) -> None:
    got = await office.hears("a")
    ann = office.ann.grants.agent_id
    await office.does(lambda tx: tx.run("UPDATE role SET permissions = :p", p='["tickets.read"]'))
    await office.does(notes.write, office.boss, got.number, "Have a look", mentions=[ann])
    await office.does(lambda tx: tx.run("UPDATE contact SET owner_id = :a, next_contact_at = :now", a=ann, now=tx.now))
    day = await office.store.read(board.day, office.ann)
    assert [(one.number, one.by) for one in day.mentions] == [(got.number, office.boss.grants.agent_id)]
    assert [one.contact_id for one in day.next_contact] == [got.contact_id]
    other = await office.store.read(board.day, office.boss)
    assert other.mentions == [] and other.next_contact == []


async def test_what_is_old_is_dropped(office: Office, clock: ManualClock) -> None:
    await office.hears("a")
    assert await office.does(tally.sweep) == 0
    clock.advance(tally.KEPT + DAY)
    assert await office.does(tally.sweep) == 1


@pytest.mark.parametrize("everything", [True, False])
def test_what_may_be_known_is_of_inboxes_and_teams_seen_whole(office: Office, everything: bool) -> None:
    assert tally.seen(office.boss.grants if everything else office.bob.grants) == ("1 = 1" if everything else "(1 = 0)")
