"""A team goes, and nothing that hung on it hangs in the air."""

import pytest

from hub.db import examine
from hub.db.tx import Rx, Tx
from hub.desk import assignment, canned, dissolving, hours, inboxes, targets
from hub.desk import ticket as gate
from hub.errors import Refusal
from hub.staff import teams
from hub.staff.access import DESK, load
from tests.fixtures.office import Office

_JOBS = "SELECT COUNT(*) FROM job WHERE kind = 'team.dissolve'"
_TEXTS = "SELECT short, team_id FROM canned ORDER BY id"


async def in_team(office: Office, team_id: int, count: int) -> list[int]:
    numbers = [(await office.hears(f"m{n}", id=f"m{n}", new_ticket=True)).number for n in range(count)]
    for number in numbers:
        await office.does(assignment.move, office.boss, number, team_id)
    return numbers


async def work(office: Office, team_id: int) -> int:
    """As the job does it, in its own time; how many units that took."""

    def left(rx: Rx) -> int:
        return dissolving.tickets_of(rx, team_id)

    units = 0
    while await office.store.read(left):
        await office.store.write(dissolving.go_on, {"team_id": team_id})
        units += 1
    return units


async def of(office: Office, numbers: list[int]) -> list[gate.Ticket]:
    found = [await office.store.read(gate.by_number, number) for number in numbers]
    return [ticket for ticket in found if ticket is not None]


async def two_teams(office: Office) -> tuple[int, int]:
    def make(tx: Tx) -> tuple[int, int]:
        return teams.create(tx, DESK, "Old"), teams.create(tx, DESK, "New")

    found: tuple[int, int] = await office.store.write(make)
    return found


@pytest.mark.parametrize("goes_on", [True, False])
async def test_its_tickets_go_to_another_team_or_out_of_any(office: Office, goes_on: bool) -> None:
    old, new = await two_teams(office)
    to = new if goes_on else None
    numbers = await in_team(office, old, 55)
    await office.does(assignment.assign, office.boss, numbers[0], office.boss.grants.agent_id)
    await office.does(dissolving.dissolve, DESK, old, to)
    assert await office.store.read(lambda rx: rx.value(_JOBS)) == 1
    assert await work(office, old) == 2
    after = await of(office, numbers)
    assert {ticket.team_id for ticket in after} == {to}
    assert after[0].assignee_id == office.boss.grants.agent_id
    assert await office.store.read(examine.wrong_ticket_counts) == []
    with pytest.raises(Refusal, match="no such team"):
        await office.does(assignment.move, office.boss, numbers[0], old)
    with pytest.raises(Refusal):
        await office.does(dissolving.dissolve, DESK, old, to)


async def test_nobody_sees_by_it_and_its_name_is_free(office: Office) -> None:
    old, new = await two_teams(office)
    ann = office.ann.grants.agent_id
    await office.does(teams.add_member, DESK, old, ann)
    await office.does(teams.add_inbox, DESK, old, office.mute.id)
    await office.does(dissolving.dissolve, DESK, old, None)
    grants = await office.store.read(load, ann)
    assert grants is not None and old not in grants.teams and office.mute.id not in grants.inboxes
    assert await office.does(teams.create, DESK, "Old") not in (old, new)
    known = await office.store.read(lambda rx: [team.name for team, _ in teams.page(rx, after=("", 0), limit=9)])
    assert known == ["New", "Old", "one"]


async def test_inboxes_escalation_hours_and_texts_hang_elsewhere(office: Office) -> None:
    old, new = await two_teams(office)

    def hang(tx: Tx) -> int:
        inboxes.change(tx, DESK, office.letters.id, team_id=old)
        when = hours.create(tx, DESK, name="Days", zone="UTC", week=((),) * 7)
        teams.change(tx, DESK, old, hours_id=when)
        item = targets.Target(
            priority="normal",
            first_reply_minutes=60,
            next_reply_minutes=60,
            warn_minutes=5,
            escalate_to_team_id=old,
        )
        targets.put(tx, DESK, None, [item])
        for team_id in (old, new):
            canned.create(tx, office.boss, canned.Wanted(short="hello", title="", text="Hello", team_id=team_id))
        return when

    when = await office.store.write(hang)
    await office.does(dissolving.dissolve, DESK, old, new)
    inbox = await office.store.read(inboxes.by_id, office.letters.id)
    assert inbox is not None and inbox.team_id == new
    assert new in await office.store.read(inboxes.teams_of, office.letters.id)
    assert await office.store.read(lambda rx: rx.rows(_TEXTS)) == [("hello-2", new), ("hello", new)]
    await office.does(hours.delete, DESK, when)
    assert await office.store.read(lambda rx: rx.value("SELECT escalate_to_team_id FROM reply_target")) == new


async def test_a_team_that_was_to_get_them_may_go_as_well(office: Office) -> None:
    old, new = await two_teams(office)
    numbers = await in_team(office, old, 3)
    third = await office.does(teams.create, DESK, "Third")
    await office.does(dissolving.dissolve, DESK, old, new)
    await office.does(dissolving.dissolve, DESK, new, third)
    await work(office, old)
    assert {ticket.team_id for ticket in await of(office, numbers)} == {third}


async def test_a_team_is_not_its_own_heir(office: Office) -> None:
    old, _ = await two_teams(office)
    for to in (old, 2**40):
        with pytest.raises(Refusal) as refused:
            await office.does(dissolving.dissolve, DESK, old, to)
        assert refused.value.field == "tickets_to"
    with pytest.raises(Refusal) as forbidden:
        await office.does(dissolving.dissolve, office.ann, old, None)
    assert forbidden.value.code == "forbidden"
