"""The reply clock: until when a customer who waits is to be answered, in business hours; warning, breach, escalation.

It runs while the customer waits, stands still while the ticket is put off or it is the contact's turn, and goes on from
there; our answer sets it back. What runs has one job, which is moved when the deadline moves. A breach stays until the
answer, whatever is changed meanwhile. Run by `hub.reactions` (`follow`, `all_anew`) and by timers (`ring`, `walk`).
"""

from typing import Any, Final, Literal

import msgspec

from hub.clock import MINUTE
from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.desk import assignment, hours, targets, tickets
from hub.desk import ticket as gate
from hub.desk.queue import waits
from hub.desk.targets import Target
from hub.desk.ticket import URGENCY, Ticket
from hub.events import (
    SYSTEM,
    InboxChanged,
    MessageSent,
    Recorded,
    ReplyBreached,
    ReplyDueChanged,
    ReplyWarned,
    TicketReopened,
)
from hub.staff.access import DESK

RING: Final = "reply_due"
WALK: Final = "reply_clocks"
AT_ONCE: Final = 50
_PAUSED: Final = ("pending", "snoozed")

_CONCERNED = f"""
SELECT {gate.COLUMNS} FROM ticket
WHERE ticket.id = :id AND (ticket.due_kind IS NOT NULL OR ticket.clock_used > 0 OR EXISTS (
  SELECT 1 FROM reply_target
  WHERE reply_target.priority = ticket.priority AND reply_target.inbox_id IN (0, ticket.inbox_id)))"""
_SET = """
UPDATE ticket SET due_at = :due_at, due_kind = :due_kind, due_state = :due_state, clock_from = :clock_from,
       clock_used = :clock_used WHERE id = :id"""
_STATE = "UPDATE ticket SET due_state = :state, changed_at = :now WHERE id = :id"
_MOVE = "UPDATE job SET run_at = :at, first_run_at = :at WHERE key = :key AND state IN ('ready', 'blocked')"
_DROP = "DELETE FROM job WHERE key = :key AND state IN ('ready', 'blocked')"
_NEXT = """
SELECT id FROM ticket
WHERE id > :after AND waiting_since IS NOT NULL AND spam = 0 ORDER BY id LIMIT :limit"""


class Clock(msgspec.Struct, frozen=True):
    """The columns of a ticket that are the clock's."""

    due_at: int | None = None
    due_kind: Literal["first", "next"] | None = None
    due_state: Literal["ok", "warned", "breached"] | None = None
    clock_from: int | None = None
    clock_used: int = 0


NONE: Final = Clock()


# --- reactions -----------------------------------------------------------------------------------------------------


def follow(tx: Tx, to: Recorded) -> None:
    """Something happened to a ticket after which somebody waits, waits no longer, or waits for another time."""
    row = tx.row(_CONCERNED, id=to.ticket_id)
    if row is not None:
        resumed = isinstance(to.event, TicketReopened)
        answered = isinstance(to.event, MessageSent) and not to.event.aside
        _tend(tx, Ticket(*row), answered=answered, since=tx.now if resumed else None)


def all_anew(tx: Tx, to: Recorded) -> None:
    """Targets or business hours are otherwise now: every clock is looked at, by a job, some at a time."""
    if isinstance(to.event, InboxChanged) and "settings" not in to.event.fields:
        return
    tx.enqueue_once(WALK, {"after": 0}, key=WALK, lane=lanes.OUTBOUND)


# --- timers --------------------------------------------------------------------------------------------------------


def ring(tx: Tx, payload: dict[str, Any]) -> None:
    """It is time to warn, or too late. Nothing when the clock was stopped or moved meanwhile."""
    ticket = gate.by_id(tx, payload["ticket_id"])
    if ticket is None or ticket.due_at is None or ticket.due_state in (None, "breached"):
        return
    if tx.now >= ticket.due_at:
        tx.run(_STATE, id=ticket.id, state="breached", now=tx.now)
        assert ticket.due_kind is not None
        gate.record(tx, ticket, ReplyBreached(kind=ticket.due_kind, due_at=ticket.due_at), SYSTEM)
        target = targets.of(tx, ticket.inbox_id, ticket.priority)
        if target is not None:
            _escalate(tx, ticket, target)
        return
    warn_at = _warn_at(tx, ticket)
    if ticket.due_state == "ok" and warn_at is not None and tx.now >= warn_at:
        tx.run(_STATE, id=ticket.id, state="warned", now=tx.now)
        assert ticket.due_kind is not None
        gate.record(tx, ticket, ReplyWarned(kind=ticket.due_kind, due_at=ticket.due_at), SYSTEM)
        _plan(tx, ticket.id, ticket.due_at)
    else:
        _plan(tx, ticket.id, ticket.due_at if warn_at is None or ticket.due_state == "warned" else warn_at)


def walk(tx: Tx, payload: dict[str, Any]) -> None:
    """Looks at the clocks of those who wait, some at a time."""
    ids = [row[0] for row in tx.rows(_NEXT, after=payload["after"], limit=AT_ONCE)]
    for ticket_id in ids:
        ticket = gate.must(tx, ticket_id)
        if _tend(tx, ticket, answered=False, since=None):
            gate.record(tx, ticket, ReplyDueChanged(), SYSTEM)
    if len(ids) == AT_ONCE:
        tx.enqueue(WALK, {"after": ids[-1]}, key=WALK, lane=lanes.OUTBOUND)


TIMERS: Final = {RING: ring, WALK: walk}


# --- steps ---------------------------------------------------------------------------------------------------------


def _tend(tx: Tx, ticket: Ticket, *, answered: bool, since: int | None) -> bool:
    """Sets the clock as it has to stand now; whether anything changed. `since`: it starts or goes on at this moment."""
    was = Clock(ticket.due_at, ticket.due_kind, ticket.due_state, ticket.clock_from, ticket.clock_used)
    running = waits(ticket) and ticket.merged_into is None and not answered
    if running and was.due_state == "breached" and was.clock_from is not None:
        return False
    warn_at = None
    if running:
        now, warn_at = _running(tx, ticket, was, since)
    elif ticket.status in _PAUSED and not answered:
        now = _paused(tx, ticket, was)
    else:
        now = NONE
    if now == was:
        return False
    tx.run(_SET, id=ticket.id, **msgspec.structs.asdict(now))
    if now.due_at is None:
        if was.due_at is not None:
            tx.run(_DROP, key=_key(ticket.id))
    elif now.due_at != was.due_at or was.due_state != now.due_state:
        _plan(tx, ticket.id, now.due_at if warn_at is None else warn_at)
    return True


def _running(tx: Tx, ticket: Ticket, was: Clock, since: int | None) -> tuple[Clock, int | None]:
    """(the clock of one who waits, when to warn)."""
    kind: Literal["first", "next"] = "first" if ticket.first_reply_at is None else "next"
    target = targets.of(tx, ticket.inbox_id, ticket.priority)
    minutes = None if target is None else target.first_reply_minutes if kind == "first" else target.next_reply_minutes
    if target is None or minutes is None:
        return NONE, None
    start = was.clock_from if was.clock_from is not None else since or ticket.waiting_since
    assert start is not None
    left = max(0, minutes * MINUTE - was.clock_used)
    due_at = _add(tx, ticket, start, left)
    if due_at is None:  # it never opens: there is no time by which
        return NONE, None
    warn = max(0, left - target.warn_minutes * MINUTE)
    warn_at = _add(tx, ticket, start, warn) if target.warn_minutes else None
    same = due_at == was.due_at and kind == was.due_kind
    state = was.due_state if same and was.due_state == "warned" else "ok"
    return Clock(due_at, kind, state, start, was.clock_used), None if state == "warned" else warn_at


def _paused(tx: Tx, ticket: Ticket, was: Clock) -> Clock:
    if was.clock_from is None:
        return was
    used = was.clock_used + _between(tx, ticket, was.clock_from, tx.now)
    return Clock(None, was.due_kind, None, None, used)


def _escalate(tx: Tx, ticket: Ticket, target: Target) -> None:
    """Whoever may do something about it gets it before them. Told by the breach itself in any case."""
    if target.escalate_to_team_id is not None and ticket.team_id != target.escalate_to_team_id:
        assignment.move(tx, DESK, ticket.number, target.escalate_to_team_id)
    if target.raise_priority and ticket.urgency > 0:
        higher = next(name for name, urgency in URGENCY.items() if urgency == ticket.urgency - 1)
        tickets.set_priority(tx, DESK, ticket.number, higher)  # type: ignore[arg-type]
    now = gate.must(tx, ticket.id)
    if target.put_back and now.assignee_id is not None:
        assignment.put(tx, DESK, now, None, "drained")


def _warn_at(rx: Rx, ticket: Ticket) -> int | None:
    target = targets.of(rx, ticket.inbox_id, ticket.priority)
    if target is None or not target.warn_minutes or ticket.clock_from is None:
        return None
    minutes = target.first_reply_minutes if ticket.due_kind == "first" else target.next_reply_minutes
    left = (minutes or 0) * MINUTE - ticket.clock_used - target.warn_minutes * MINUTE
    return _add(rx, ticket, ticket.clock_from, max(0, left))


def _add(rx: Rx, ticket: Ticket, at: int, length: int) -> int | None:
    schedule = hours.of(rx, ticket.team_id, ticket.inbox_id)
    return at + length if schedule is None else schedule.add(at, length)


def _between(rx: Rx, ticket: Ticket, start: int, end: int) -> int:
    schedule = hours.of(rx, ticket.team_id, ticket.inbox_id)
    return max(0, end - start) if schedule is None else schedule.between(start, end)


def _plan(tx: Tx, ticket_id: int, at: int) -> None:
    """One job a ticket: moved, if it is there."""
    key = _key(ticket_id)
    if tx.run(_MOVE, key=key, at=at):
        tx.enqueued = True
    else:
        tx.enqueue(RING, {"ticket_id": ticket_id}, key=key, run_at=at, lane=lanes.OUTBOUND)


def _key(ticket_id: int) -> str:
    return f"{RING}:{ticket_id}"
