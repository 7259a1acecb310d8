"""Opening a ticket and moving it through its four statuses."""

import msgspec

from hub.connector import Source
from hub.db.tx import Tx
from hub.desk import assignment, inboxes, tags
from hub.desk import ticket as tickets
from hub.desk.ticket import URGENCY, Priority, Status, Ticket
from hub.errors import invalid
from hub.events import (
    Actor,
    Event,
    TicketMarkedSpam,
    TicketOpened,
    TicketPending,
    TicketPriorityChanged,
    TicketReopened,
    TicketResolved,
    TicketSnoozed,
    TicketSubjectChanged,
)
from hub.people.contacts import dump
from hub.staff.access import DESK, Caller
from hub.text import MAX_LINE, clean

_OPEN = f"""
INSERT INTO ticket (number, contact_id, inbox_id, subject, status, priority, urgency, team_id, handler, spam,
                    last_message_at, changed_at, place, page, referrer, utm, created_at, weight)
VALUES ((SELECT COALESCE(MAX(number), 1000) + 1 FROM ticket), :contact_id, :inbox_id, :subject, 'open', :priority,
        :urgency, :team_id, 'agent', :spam, :now, :now, :place, :page, :referrer, :utm, :now, :weight)
RETURNING {", ".join(Ticket.__struct_fields__)}"""
# Now it is seen by those who see the ticket, and no longer by everybody.
_HAS_TICKET = "UPDATE contact SET has_ticket = 1 WHERE id = :id AND has_ticket = 0"
_STATUS = """
UPDATE ticket SET status = :status, waiting_since = :waiting_since, waited_since = :waited_since,
                  snoozed_until = :snoozed_until,
                  resolved_at = :resolved_at, changed_at = :now
WHERE id = :id"""
_PRIORITY = "UPDATE ticket SET priority = :priority, urgency = :urgency, changed_at = :now WHERE id = :id"
_SUBJECT = "UPDATE ticket SET subject = :subject, changed_at = :now WHERE id = :id"
_SPAM = "UPDATE ticket SET spam = :spam, changed_at = :now WHERE id = :id"


def open_ticket(
    tx: Tx,
    by: Actor,
    *,
    contact_id: int,
    inbox_id: int,
    team_id: int | None,
    subject: str,
    source: Source | None = None,
    priority: Priority = "normal",
    spam: bool = False,
) -> Ticket:
    """A new matter. Its number is the next one; writers are totally ordered, so none is given twice."""
    came = source or Source()
    row = tx.row(
        _OPEN,
        contact_id=contact_id,
        inbox_id=inbox_id,
        subject=subject,
        priority=priority,
        urgency=URGENCY[priority],
        team_id=team_id,
        spam=int(spam),
        now=tx.now,
        place=came.place,
        page=came.page,
        referrer=came.referrer,
        utm=dump(came.utm),
        weight=inboxes.weight_of(tx, inbox_id),
    )
    assert row is not None
    ticket = Ticket(*row)
    tickets.count(tx, None, ticket)
    tx.run(_HAS_TICKET, id=contact_id)
    tx.record(
        TicketOpened(inbox_id=inbox_id, number=ticket.number),
        by=by,
        ticket_id=ticket.id,
        contact_id=contact_id,
        after=ticket.scope,
    )
    return ticket


def resolve(tx: Tx, caller: Caller, number: int) -> None:
    ticket = tickets.seen(tx, caller, number)
    if ticket.status != "resolved":
        to_status(tx, caller, ticket, "resolved", TicketResolved(was=ticket.status))


def reopen(tx: Tx, caller: Caller, number: int) -> None:
    ticket = tickets.seen(tx, caller, number)
    if ticket.status != "open":
        to_status(tx, caller, ticket, "open", TicketReopened(was=ticket.status, because="agent"))


def await_contact(tx: Tx, caller: Caller, number: int) -> None:
    """It is the contact's turn."""
    ticket = tickets.seen(tx, caller, number)
    if ticket.status != "pending":
        to_status(tx, caller, ticket, "pending", TicketPending(was=ticket.status))


def snooze(tx: Tx, caller: Caller, number: int, until: int | None) -> None:
    """Out of sight until a time (milliseconds), or with None until the contact writes."""
    ticket = tickets.seen(tx, caller, number)
    if until is not None and until <= tx.now:
        raise invalid("until", "This time has passed. Choose one that is still to come.")
    to_status(tx, caller, ticket, "snoozed", TicketSnoozed(was=ticket.status, until=until), snoozed_until=until)
    wake_at(tx, ticket.id, until)


def wake_at(tx: Tx, ticket_id: int, until: int | None) -> None:
    if until is not None:
        tx.enqueue("snooze_over", {"ticket_id": ticket_id, "until": until}, run_at=until)


def snooze_over(tx: Tx, payload: dict[str, int]) -> None:
    """The timer's end of `snooze`; nothing when the ticket was touched or snoozed anew meanwhile."""
    ticket = tickets.by_id(tx, payload["ticket_id"])
    if ticket is not None and ticket.status == "snoozed" and ticket.snoozed_until == payload["until"]:
        to_status(tx, DESK, ticket, "open", TicketReopened(was="snoozed", because="snooze_over"))


def to_status(
    tx: Tx, caller: Caller, ticket: Ticket, status: Status, event: Event, *, snoozed_until: int | None = None
) -> Ticket:
    """Writes a status, keeps counters and loads, records the event. Nobody waits in a ticket that is not open; who
    waited when it was put off waits again, since when they did, once it is not."""
    since = ticket.waiting_since or ticket.waited_since
    now = msgspec.structs.replace(
        ticket,
        status=status,
        waiting_since=since if status == "open" else None,
        waited_since=since if status == "snoozed" else None,
        snoozed_until=snoozed_until,
        resolved_at=tx.now if status == "resolved" else None,
        changed_at=tx.now,
    )
    tx.run(
        _STATUS,
        id=ticket.id,
        status=status,
        waiting_since=now.waiting_since,
        waited_since=now.waited_since,
        snoozed_until=snoozed_until,
        resolved_at=now.resolved_at,
        now=tx.now,
    )
    tickets.count(tx, ticket, now)
    tickets.record(tx, ticket, event, caller.actor, now=now)
    return now


def put_back(tx: Tx, caller: Caller, number: int, tag: str) -> None:
    """Before a person again: open, waiting from now on, nobody's, and marked with the tag; what is open is before
    somebody already and only marked. Judges nothing."""
    ticket = tickets.by_number(tx, number)
    if ticket is None:
        return
    ticket = tickets.survivor(tx, ticket)
    tags.mark(tx, caller, ticket, tag)
    if ticket.status == "open":
        return
    ticket = assignment.put(tx, caller, ticket, None, "unassigned")
    waiting = msgspec.structs.replace(ticket, waiting_since=tx.now)
    to_status(tx, caller, waiting, "open", TicketReopened(was=ticket.status, because="feedback"))


def set_priority(tx: Tx, caller: Caller, number: int, priority: Priority) -> None:
    ticket = tickets.seen(tx, caller, number)
    if ticket.priority == priority:
        return
    tx.run(_PRIORITY, priority=priority, urgency=URGENCY[priority], now=tx.now, id=ticket.id)
    _changed(tx, caller, ticket, TicketPriorityChanged(priority=priority, was=ticket.priority))


def set_subject(tx: Tx, caller: Caller, number: int, subject: str) -> None:
    ticket = tickets.seen(tx, caller, number)
    subject = clean(subject, "subject", most=MAX_LINE, lines=False)
    if subject != ticket.subject:
        tx.run(_SUBJECT, subject=subject, now=tx.now, id=ticket.id)
        _changed(tx, caller, ticket, TicketSubjectChanged())


def mark_spam(tx: Tx, caller: Caller, number: int, spam: bool) -> None:
    """A mark, not a status: taken back, the ticket stands where it stood."""
    ticket = tickets.seen(tx, caller, number)
    if bool(ticket.spam) == spam:
        return
    tx.run(_SPAM, spam=int(spam), now=tx.now, id=ticket.id)
    tickets.count(tx, ticket, msgspec.structs.replace(ticket, spam=int(spam)))
    _changed(tx, caller, ticket, TicketMarkedSpam(spam=spam))


def _changed(tx: Tx, caller: Caller, ticket: Ticket, event: Event) -> None:
    tickets.record(tx, ticket, event, caller.actor)
