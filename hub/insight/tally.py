"""What happened in each quarter of an hour, by inbox, team and agent: counted in the unit that did it, so that no board
ever counts rows. Run by `hub.reactions`; read by `board`."""

from typing import Any, Final

from hub.clock import DAY, MINUTE
from hub.db.tx import Rx, Tx
from hub.events import MessageSent, Recorded, ReplyBreached, TicketOpened, TicketResolved
from hub.staff.access import Grants

SLOT: Final = 15 * MINUTE  # every zone's midnight is one
KEPT: Final = 60 * DAY
WHAT: Final = {
    TicketOpened: "opened",
    MessageSent: "answered",
    TicketResolved: "resolved",
    ReplyBreached: "breached",
}

_ADD = """
INSERT INTO tally (slot, what, inbox_id, team_id, agent_id, number)
VALUES (:slot, :what, :inbox_id, :team_id, :agent_id, 1)
ON CONFLICT (slot, what, inbox_id, team_id, agent_id) DO UPDATE SET number = tally.number + 1"""
_OLD = "SELECT DISTINCT slot FROM tally WHERE slot < :before ORDER BY slot LIMIT 20"
_DROP = "DELETE FROM tally WHERE slot = :slot"


def count(tx: Tx, to: Recorded) -> None:
    """One more of it. An answer is an agent's; what a bot said is none."""
    scope = to.after
    by_agent = to.by.kind == "agent"
    if scope is None or scope.inbox_id is None or _is_no_answer(to.event, by_agent):
        return
    tx.run(
        _ADD,
        slot=tx.now // SLOT * SLOT,
        what=WHAT[type(to.event)],
        inbox_id=scope.inbox_id,
        team_id=scope.team_id or 0,
        agent_id=to.by.id if by_agent else 0,
    )


def _is_no_answer(event: object, by_agent: bool) -> bool:
    return isinstance(event, MessageSent) and (event.aside or not by_agent)


def sums(rx: Rx, first: int, last: int, scope: str, params: dict[str, Any]) -> dict[tuple[str, int], int]:
    """(what, inbox) → how often from `first` to before `last`. `scope`: a condition on `tally`, of ours."""
    rows = rx.rows(
        f"""SELECT tally.what, tally.inbox_id, CAST(SUM(tally.number) AS INTEGER) FROM tally
WHERE tally.slot >= :first AND tally.slot < :last AND {scope} GROUP BY tally.what, tally.inbox_id""",
        first=first,
        last=last,
        **params,
    )
    return {(what, inbox_id): number for what, inbox_id, number in rows}


def seen(grants: Grants) -> str:
    """Which of it an agent may know: that of inboxes and teams that they see whole."""
    if grants.everything:
        return "1 = 1"
    parts = ["1 = 0"]
    if grants.inboxes:
        parts.append(f"tally.inbox_id IN ({', '.join(str(int(i)) for i in sorted(grants.inboxes))})")
    if grants.teams:
        parts.append(f"tally.team_id IN ({', '.join(str(int(i)) for i in sorted(grants.teams))})")
    return f"({' OR '.join(parts)})"


def sweep(tx: Tx) -> int:
    """Drops some of what is too old for any board; how many rows."""
    return sum(tx.run(_DROP, slot=slot) for (slot,) in tx.rows(_OLD, before=tx.now - KEPT))
