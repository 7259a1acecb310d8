"""A ticket as the rooms hold it, how it is looked up, and the kept counters that every change of it goes through."""

from typing import Final, Literal

import msgspec

from hub.db.tx import Rx, Tx
from hub.errors import Refusal, not_found
from hub.events import SYSTEM, Actor, AgentLoadChanged, Event, Scope
from hub.staff.access import Caller, may

Status = Literal["open", "pending", "snoozed", "resolved"]
Priority = Literal["low", "normal", "high", "urgent"]
URGENCY: Final[dict[str, int]] = {"urgent": 0, "high": 1, "normal": 2, "low": 3}
# What an agent has in hand, and so what counts against their capacity.
IN_HAND: Final = ("open", "pending")


class Ticket(msgspec.Struct, frozen=True):
    id: int
    number: int
    contact_id: int
    inbox_id: int
    subject: str
    status: Status
    priority: Priority
    urgency: int
    team_id: int | None
    assignee_id: int | None
    handler: Literal["bot", "agent"]
    spam: int
    waiting_since: int | None
    snoozed_until: int | None
    offered_to: int | None
    offered_until: int | None
    last_message_id: int | None
    last_message_at: int
    last_incoming_id: int | None
    read_to: int
    merged_into: int | None
    changed_at: int
    place: str | None
    page: str | None
    referrer: str | None
    utm: str | None
    created_at: int
    resolved_at: int | None
    weight: int = 1  # points of its agent's load
    waited_since: int | None = None  # put off while the customer waited: since when they do
    first_reply_at: int | None = None
    due_at: int | None = None
    due_kind: Literal["first", "next"] | None = None
    due_state: Literal["ok", "warned", "breached"] | None = None
    clock_from: int | None = None
    clock_used: int = 0

    @property
    def scope(self) -> Scope:
        return Scope(self.inbox_id, self.team_id, self.assignee_id)


COLUMNS: Final = ", ".join(f"ticket.{f}" for f in Ticket.__struct_fields__)
_BY_ID = f"SELECT {COLUMNS} FROM ticket WHERE ticket.id = :id"
_BY_NUMBER = f"SELECT {COLUMNS} FROM ticket WHERE ticket.number = :number"
_LATEST = f"""
SELECT {COLUMNS} FROM ticket
WHERE ticket.contact_id = :contact_id AND ticket.inbox_id = :inbox_id ORDER BY ticket.id DESC LIMIT 1"""


def by_id(rx: Rx, ticket_id: int) -> Ticket | None:
    row = rx.row(_BY_ID, id=ticket_id)
    return None if row is None else Ticket(*row)


def must(rx: Rx, ticket_id: int) -> Ticket:
    """The ticket that a row of ours points to; no access is judged."""
    found = by_id(rx, ticket_id)
    if found is None:
        raise not_found("ticket")
    return found


def by_number(rx: Rx, number: int) -> Ticket | None:
    row = rx.row(_BY_NUMBER, number=number)
    return None if row is None else Ticket(*row)


def seen(rx: Rx, caller: Caller, number: int, *, merged: bool = False) -> Ticket:
    """The ticket of a public number, if the caller may see it: the gate that every command goes through. What was
    merged into another can only be looked at (`merged`)."""
    found = by_number(rx, number)
    if found is None or not may(caller.grants, found.scope):
        raise not_found("ticket")
    if found.merged_into is not None and not merged:
        into = must(rx, found.merged_into).number
        raise Refusal("conflict", f"This ticket was merged into #{into}. Go on there.", extra={"merged_into": into})
    return found


def survivor(rx: Rx, ticket: Ticket) -> Ticket:
    """The ticket that it is part of now; itself, if it was not merged."""
    while ticket.merged_into is not None:
        ticket = must(rx, ticket.merged_into)
    return ticket


def latest(rx: Rx, contact_id: int, inbox_id: int) -> Ticket | None:
    """What the contact spoke of last in that inbox, wherever it was merged to."""
    row = rx.row(_LATEST, contact_id=contact_id, inbox_id=inbox_id)
    return None if row is None else survivor(rx, Ticket(*row))


def record(tx: Tx, ticket: Ticket, event: Event, by: Actor, *, now: Ticket | None = None) -> None:
    """Records what happened to a ticket, with its scope before and, where that changed (`now`), after."""
    tx.record(
        event,
        by=by,
        ticket_id=ticket.id,
        contact_id=ticket.contact_id,
        before=ticket.scope,
        after=(now or ticket).scope,
    )


_COUNT = """
INSERT INTO ticket_count (inbox_id, status, team_id, assignee_id, tickets, waiting, spam)
VALUES (:inbox_id, :status, :team_id, :assignee_id, :tickets, :waiting, :spam)
ON CONFLICT (inbox_id, status, team_id, assignee_id) DO UPDATE
SET tickets = ticket_count.tickets + excluded.tickets, waiting = ticket_count.waiting + excluded.waiting,
    spam = ticket_count.spam + excluded.spam"""
_LOAD = "UPDATE agent SET load = load + :by WHERE id = :agent_id"
_FREED = "UPDATE agent SET load = load - :by, idle_since = :now WHERE id = :agent_id"


def count(tx: Tx, was: Ticket | None, now: Ticket | None) -> None:
    """Keeps the counters and the agents' loads in the unit that changes a ticket. Spam counts apart, and what was
    merged into another ticket not at all."""
    before, after = _counted(was), _counted(now)
    if before != after:
        if before is not None and after is not None and before[0] == after[0]:
            _add(tx, before[0], *(b - a for a, b in zip(before[1:], after[1:], strict=True)))
        else:
            if before is not None:
                _add(tx, before[0], *(-n for n in before[1:]))
            if after is not None:
                _add(tx, *after)
    freed, busy = _busy(was), _busy(now)
    if freed != busy:
        if freed is not None:
            tx.run(_FREED, agent_id=freed[0], by=freed[1], now=tx.now)
        if busy is not None:
            tx.run(_LOAD, agent_id=busy[0], by=busy[1])
        for agent_id in sorted({one[0] for one in (freed, busy) if one is not None}):
            tx.record(AgentLoadChanged(agent_id=agent_id), by=SYSTEM)


def count_waiting(tx: Tx, scope: Scope) -> None:
    """In one more open ticket of that scope a customer waits."""
    assert scope.inbox_id is not None
    _add(tx, (scope.inbox_id, "open", scope.team_id or 0, scope.assignee_id or 0), 0, 1, 0)


_Cell = tuple[int, str, int, int]


def _add(tx: Tx, cell: _Cell, tickets: int, waiting: int, spam: int) -> None:
    tx.run(
        _COUNT,
        inbox_id=cell[0],
        status=cell[1],
        team_id=cell[2],
        assignee_id=cell[3],
        tickets=tickets,
        waiting=waiting,
        spam=spam,
    )


def _counted(ticket: Ticket | None) -> tuple[_Cell, int, int, int] | None:
    """(its cell; what it adds there: a ticket, one that waits, spam)."""
    if ticket is None or ticket.merged_into is not None:
        return None
    cell = ticket.inbox_id, ticket.status, ticket.team_id or 0, ticket.assignee_id or 0
    if ticket.spam:
        return cell, 0, 0, 1
    return cell, 1, int(ticket.status == "open" and ticket.waiting_since is not None), 0


def _busy(ticket: Ticket | None) -> tuple[int, int] | None:
    """Whose load it is part of, with how many points."""
    if ticket is None or ticket.assignee_id is None or ticket.status not in IN_HAND:
        return None
    return None if ticket.spam or ticket.merged_into is not None else (ticket.assignee_id, ticket.weight)
