"""How a ticket looks in an answer, for every command that gives one."""

from typing import Annotated, Any, Literal

import msgspec

from hub.db.tx import Rx
from hub.desk import at_once, lists, tags
from hub.desk import ticket as gate
from hub.desk.ticket import Priority, Status, Ticket
from hub.errors import not_found
from hub.staff.access import Caller

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=lists.MOST)]
Cursor = Annotated[str, msgspec.Meta(max_length=1_000)]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of requests: a field that a command does not know is refused, never dropped."""


class TicketAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as it stands. Times are milliseconds since 1970, UTC. `due_at`: by when our first or next answer is due,
    null while nobody waits; `due_state`: "warned" when that is soon, "breached" when it is over."""

    number: int
    subject: str
    status: Status
    priority: Priority
    contact_id: int
    contact_name: str
    inbox_id: int
    team_id: int | None
    assignee_id: int | None
    handler: Literal["bot", "agent"]
    spam: bool
    waiting_since: int | None
    snoozed_until: int | None
    offered_to: int | None
    offered_until: int | None
    due_at: int | None
    due_kind: Literal["first", "next"] | None
    due_state: Literal["ok", "warned", "breached"] | None
    last_message_at: int
    last_incoming_id: int | None
    created_at: int
    resolved_at: int | None
    tags: tuple[str, ...]
    source: dict[str, Any]
    last_text: str | None = None
    last_direction: str | None = None
    merged_into: int | None = None


def ticket_answer(
    ticket: Ticket, name: str, tagged: tuple[str, ...], listed: lists.Listed | None = None
) -> TicketAnswer:
    source: dict[str, Any] = {"place": ticket.place, "page": ticket.page, "referrer": ticket.referrer}
    return TicketAnswer(
        number=ticket.number,
        subject=ticket.subject,
        status=ticket.status,
        priority=ticket.priority,
        contact_id=ticket.contact_id,
        contact_name=name,
        inbox_id=ticket.inbox_id,
        team_id=ticket.team_id,
        assignee_id=ticket.assignee_id,
        handler=ticket.handler,
        spam=bool(ticket.spam),
        waiting_since=ticket.waiting_since,
        snoozed_until=ticket.snoozed_until,
        offered_to=ticket.offered_to,
        offered_until=ticket.offered_until,
        due_at=ticket.due_at,
        due_kind=ticket.due_kind if ticket.due_at is not None else None,
        due_state=ticket.due_state,
        last_message_at=ticket.last_message_at,
        last_incoming_id=ticket.last_incoming_id,
        created_at=ticket.created_at,
        resolved_at=ticket.resolved_at,
        tags=tagged,
        source=source | {"utm": msgspec.json.decode(ticket.utm) if ticket.utm else {}},
        last_text=listed.last_text if listed else None,
        last_direction=listed.last_direction if listed else None,
        merged_into=listed.merged_into if listed else None,
    )


def ticket_now(rx: Rx, caller: Caller, number: int) -> TicketAnswer:
    """The ticket as it stands after a change."""
    gate.seen(rx, caller, number)
    return ticket_left(rx, number)


def ticket_left(rx: Rx, number: int) -> TicketAnswer:
    """The ticket as the caller's own change left it, even out of their sight: only after they passed the gate."""
    ticket = gate.by_number(rx, number)
    if ticket is None:
        raise not_found("ticket")
    return ticket_whole(rx, ticket.id)


def ticket_whole(rx: Rx, ticket_id: int) -> TicketAnswer:
    """One ticket just as lists and events have it, with the newest words."""
    listed = at_once.tickets(rx, (ticket_id,))[ticket_id]
    return ticket_answer(listed.ticket, listed.contact_name, tags.of_ticket(rx, ticket_id), listed)
