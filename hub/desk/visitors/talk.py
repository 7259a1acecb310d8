"""What a visitor does: say, end, start anew, acknowledge, read. All of it within tickets of their own."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import structs

from hub.connector import Message, Point, Sender
from hub.db.tx import Rx, Tx
from hub.desk import deliveries, inboxes, incoming, tickets
from hub.desk import ticket as gate
from hub.desk.files import uploads
from hub.desk.inboxes import Inbox
from hub.desk.ticket import Ticket
from hub.desk.visitors import details as about
from hub.desk.visitors.details import Details
from hub.desk.visitors.elsewhere import elsewhere
from hub.desk.visitors.row import Visitor, must, record, update
from hub.errors import Refusal, invalid, not_found
from hub.events import Actor, MessageSent, TicketResolved, VisitorStartedAnew
from hub.people import contacts
from hub.text import MAX_MESSAGE, clean

_CLIENT_ID: Final = re.compile(r"[!-~]{1,64}")

_KNOWN = """
SELECT message.id, ticket.number, message.text, message.created_at, message.edited_at, message.deleted_at
FROM message JOIN ticket ON ticket.id = message.ticket_id
WHERE message.inbox_id = :inbox_id AND message.external_id = :external_id"""
_OWN = "INSERT INTO visitor_ticket (ticket_id, visitor_id) VALUES (:ticket_id, :visitor_id)"
_IS_OWN = "SELECT 1 FROM visitor_ticket WHERE ticket_id = :ticket_id AND visitor_id = :visitor_id"
_WAITING = """
SELECT delivery.id, delivery.message_id, delivery.ticket_id
FROM visitor_ticket JOIN delivery ON delivery.ticket_id = visitor_ticket.ticket_id
WHERE visitor_ticket.visitor_id = :visitor_id AND delivery.inbox_id = :inbox_id
  AND delivery.state IN ('queued', 'sent') ORDER BY delivery.id"""
# In a live inbox messages and their events grow together, so the newest message of ours there up to a cursor tells all
# those before it. (What was planned elsewhere is said later than it was written.)
_SENT_UPTO = """
SELECT payload FROM event
WHERE (ticket_id = :ticket_id OR ticket_id IN (SELECT id FROM ticket WHERE merged_into = :ticket_id))
  AND name = 'message.sent' AND id <= :cursor ORDER BY id DESC LIMIT 100"""
_OURS = """
SELECT message.ticket_id, visitor_ticket.visitor_id
FROM message JOIN visitor_ticket ON visitor_ticket.ticket_id = message.ticket_id
WHERE message.id = :id AND message.direction = 'outgoing' AND message.inbox_id = :inbox_id"""
_UNREAD = """
SELECT delivery.id FROM delivery
WHERE delivery.ticket_id = :ticket_id AND delivery.inbox_id = :inbox_id AND delivery.message_id <= :upto
  AND delivery.state IN ('queued', 'sent', 'delivered') ORDER BY delivery.id"""


_sent: Final = msgspec.json.Decoder(MessageSent)


class Said(msgspec.Struct, frozen=True):
    """The same for every repetition, but for `duplicate`."""

    message_id: int
    number: int
    at: int
    duplicate: bool


def say(
    tx: Tx,
    visitor: Visitor,
    text: str,
    client_id: str,
    details: Details | None = None,
    files: Sequence[str] = (),
) -> Said:
    """Stored once for each `client_id`; under one that was used, another text is refused and the first stays. Joins
    what is going on, reopening it where it was ended lately; else opens a ticket. `details`: left with it, as a form
    does that asks for them. `files`: that they have uploaded."""
    visitor = must(tx, visitor.id)
    inbox = inbox_of(tx, visitor)
    if not _CLIENT_ID.fullmatch(client_id):
        raise invalid("client_id", "Give each message an id of its own: 1 to 64 printable ASCII characters.")
    text = clean(text, "text", most=MAX_MESSAGE, least=0 if files else 1)
    external_id = f"{visitor.id}:{client_id}"
    known = tx.row(_KNOWN, inbox_id=inbox.id, external_id=external_id)
    if known is not None:
        if known[2] != text and known[4] is None and known[5] is None:
            raise Refusal("conflict", "Another message was sent under this id already, and that one stays.")
        return Said(known[0], known[1], known[3], True)
    _require_signed(visitor, inbox)
    if details is not None:
        visitor = about.leave_details(tx, visitor, inbox, details)
    visitor, ticket, typed = _ticket_for(tx, visitor, inbox, text or uploads.named(tx, files))
    message = Message(
        external_id=external_id,
        sender=Sender(Point(about.POINT, str(visitor.id), inbox.token), sureness="attested"),
        text=text,
        details={"typed": msgspec.to_builtins(typed)} if typed != Details() else {},
    )
    by = Actor("contact", ticket.contact_id)  # they may have been signed in since as somebody we knew already
    message_id = incoming.store_message(tx, inbox, ticket, by.id, message.text, external_id, by, message, None)
    if files:
        uploads.attach(tx, files, visitor_id=visitor.id, message_id=message_id)
    return Said(message_id, ticket.number, tx.now, False)


def end(tx: Tx, visitor: Visitor) -> None:
    """They are done. What is ended already stays as it is."""
    visitor = must(tx, visitor.id)
    ticket = going_on(tx, visitor)
    if ticket is not None and ticket.status != "resolved":
        tickets.to_status(tx, visitor.caller, ticket, "resolved", TicketResolved(was=ticket.status))


def start_anew(tx: Tx, visitor: Visitor) -> None:
    """Ends what is going on; the next message is another matter."""
    end(tx, visitor)
    visitor = must(tx, visitor.id)
    if visitor.ticket_id is not None:
        record(tx, update(tx, visitor.id, ticket_id=None), VisitorStartedAnew(visitor_id=visitor.id))


def acknowledge(tx: Tx, visitor: Visitor, cursor: int) -> int:
    """Everything of ours up to this event has reached the browser; how many parts that was news for."""
    visitor = must(tx, visitor.id)
    reached = 0
    upto: dict[int, int] = {}
    for delivery_id, message_id, ticket_id in tx.rows(_WAITING, visitor_id=visitor.id, inbox_id=visitor.inbox_id):
        if ticket_id not in upto:
            rows = tx.rows(_SENT_UPTO, ticket_id=ticket_id, cursor=cursor)
            told = (_sent.decode(payload) for (payload,) in rows)
            upto[ticket_id] = next((one.message_id for one in told if one.inbox_id == visitor.inbox_id), 0)
        if message_id <= upto[ticket_id]:
            deliveries.reached(tx, delivery_id, "delivered", by=visitor.caller)
            reached += 1
    return reached


def read(tx: Tx, visitor: Visitor, message_id: int) -> None:
    """They have read this message of ours, and so those before it in its ticket."""
    visitor = must(tx, visitor.id)
    row = tx.row(_OURS, id=message_id, inbox_id=visitor.inbox_id)
    if row is None or (row[1] != visitor.id and row[0] not in elsewhere(tx, visitor)):
        raise not_found("message")
    ticket_id = row[0]
    if message_id > visitor.read_to:
        update(tx, visitor.id, read_to=message_id)
    for (delivery_id,) in tx.rows(_UNREAD, ticket_id=ticket_id, inbox_id=visitor.inbox_id, upto=message_id):
        deliveries.reached(tx, delivery_id, "read", by=visitor.caller)


# --- inside --------------------------------------------------------------------------------------------------------


def inbox_of(rx: Rx, visitor: Visitor) -> Inbox:
    return switched_on(inboxes.by_id(rx, visitor.inbox_id))


def switched_on(inbox: Inbox | None) -> Inbox:
    """`gone`, for what was written on a page that is open still: it is to be told that it will not be sent."""
    if inbox is None or not inbox.enabled:
        raise Refusal("gone", "This chat is switched off. Nothing was sent.")
    return inbox


def going_on(rx: Rx, visitor: Visitor) -> Ticket | None:
    """The visitor's present ticket, whatever its status."""
    if visitor.ticket_id is None:
        return None
    if rx.value(_IS_OWN, ticket_id=visitor.ticket_id, visitor_id=visitor.id) is None:
        return None
    return gate.by_id(rx, visitor.ticket_id)


def _require_signed(visitor: Visitor, inbox: Inbox) -> None:
    if about.settings(inbox).enforce_identity and visitor.verified_at is None:
        raise Refusal("forbidden", "Please sign in on this site first; then you can write to us here.")


def _ticket_for(tx: Tx, visitor: Visitor, inbox: Inbox, text: str) -> tuple[Visitor, Ticket, Details]:
    """(the visitor, with a contact now; the ticket that what they say goes to; if it was opened for it, what they
    typed about themselves: an agent sees that there, whoever has such an address too)."""
    ticket = going_on(tx, visitor)
    blocked = visitor.contact_id is not None and contacts.get(tx, visitor.contact_id).blocked_at is not None
    if ticket is not None and incoming.joinable(ticket, inbox, tx.now) and (ticket.spam or not blocked):
        return visitor, ticket, Details()
    if not blocked:
        about.require_for_a_new_ticket(tx, visitor, inbox)
    visitor = about.ensure_contact(tx, visitor, inbox)
    assert visitor.contact_id is not None
    typed = about.typed(visitor)
    ticket = tickets.open_ticket(
        tx,
        visitor.caller.actor,
        contact_id=visitor.contact_id,
        inbox_id=inbox.id,
        team_id=inbox.team_id,
        subject=incoming.subject_of(typed.subject or text),
        source=about.source(visitor),
        spam=blocked,
    )
    tx.run(_OWN, ticket_id=ticket.id, visitor_id=visitor.id)
    visitor = about.keep(tx, update(tx, visitor.id, ticket_id=ticket.id), structs.replace(typed, subject=None))
    return visitor, ticket, typed
