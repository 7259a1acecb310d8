"""A team is dissolved: at once nobody is in it, nothing new comes to it, and what hung on it hangs elsewhere. A job
then takes its tickets, open or not, to another team or out of any; who has one of them in hand keeps it.
"""

from typing import Any, Final

from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.desk import assignment, canned
from hub.events import AccessChanged, InboxChanged, Scope, TargetsChanged
from hub.staff import teams
from hub.staff.access import DESK, Caller

JOB: Final = "team.dissolve"
A_UNIT: Final = 50
COUNTED: Final = 1_000

_STARTING = "SELECT id FROM inbox WHERE team_id = :id ORDER BY id"
_START = "UPDATE inbox SET team_id = :to WHERE id = :id"
_SHOW = "INSERT INTO inbox_team (inbox_id, team_id) VALUES (:id, :to) ON CONFLICT DO NOTHING"
_ESCALATE = "UPDATE reply_target SET escalate_to_team_id = :to WHERE escalate_to_team_id = :id"
_TO = "SELECT tickets_to FROM team WHERE id = :id"
_SOME = "SELECT number FROM ticket WHERE team_id = :id ORDER BY id LIMIT :limit"
_HOW_MANY = f"SELECT COUNT(*) FROM (SELECT 1 FROM ticket WHERE team_id = :id LIMIT {COUNTED}) AS few"


def tickets_of(rx: Rx, team_id: int) -> int:
    """How many it has, at most 1000 (say "999+")."""
    return int(rx.value(_HOW_MANY, id=team_id))


def dissolve(tx: Tx, caller: Caller, team_id: int, tickets_to: int | None) -> None:
    """`tickets_to`: the team that gets its tickets and texts; None: its tickets are in no team's queue, its texts are
    the whole desk's."""
    starting = [row[0] for row in tx.rows(_STARTING, id=team_id)]
    teams.end(tx, caller, team_id, tickets_to)
    for inbox_id in starting:
        tx.run(_START, id=inbox_id, to=tickets_to)
        if tickets_to is not None:
            tx.run(_SHOW, id=inbox_id, to=tickets_to)
        scope = Scope(inbox_id)
        changed = InboxChanged(inbox_id=inbox_id, fields=("team_id",))
        tx.record(changed, by=caller.actor, before=scope, after=scope)
    if tx.run(_ESCALATE, id=team_id, to=tickets_to):
        tx.record(TargetsChanged(), by=caller.actor)
    canned.give_away(tx, caller, team_id, tickets_to)
    if starting and tickets_to is not None:
        tx.record(AccessChanged(), by=caller.actor)
    _go_on_later(tx, team_id)


def go_on(tx: Tx, payload: dict[str, Any]) -> None:
    """The job: some more of its tickets."""
    team_id = int(payload["team_id"])
    some = tx.rows(_SOME, id=team_id, limit=A_UNIT)
    to: int | None = tx.value(_TO, id=team_id)
    for (number,) in some:
        assignment.take_along(tx, DESK, number, to)
    if len(some) == A_UNIT:
        _go_on_later(tx, team_id)


def _go_on_later(tx: Tx, team_id: int) -> None:
    tx.enqueue(JOB, {"team_id": team_id}, key=f"team:{team_id}", lane=lanes.OUTBOUND)
