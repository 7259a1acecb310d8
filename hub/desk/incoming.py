"""What a contact says becomes a message of a ticket, once: the unit behind every door."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from hub.clock import MINUTE
from hub.connector import Deletion, Edit, Filed, Message
from hub.db.tx import Rx, Tx
from hub.desk import acknowledging, inboxes, joining
from hub.desk import ticket as tickets
from hub.desk.contact_lists import require_contact
from hub.desk.files import names
from hub.desk.files import rows as files
from hub.desk.inboxes import Inbox
from hub.desk.ticket import Priority, Ticket
from hub.desk.tickets import open_ticket
from hub.errors import invalid, not_found
from hub.events import Actor, MessageDeleted, MessageEdited, MessageReceived, Scope
from hub.people import contacts
from hub.staff.access import Caller, may
from hub.text import MAX_LINE, MAX_MESSAGE, clean

MAX_EXTERNAL_ID: Final = 500
SKEW: Final = 5 * MINUTE
NO_MARKS: Final[Mapping[str, Any]] = MappingProxyType({})

_KNOWN = """
SELECT message.id, message.ticket_id, ticket.number, ticket.contact_id
FROM message JOIN ticket ON ticket.id = message.ticket_id
WHERE message.inbox_id = :inbox_id AND message.external_id = :external_id"""
_NAMED = """
SELECT message.id, message.ticket_id, ticket.number, ticket.contact_id
FROM message_name JOIN message ON message.id = message_name.message_id JOIN ticket ON ticket.id = message.ticket_id
WHERE message_name.inbox_id = :inbox_id AND message_name.name = :name AND message_name.own = 1
ORDER BY message.id DESC LIMIT 1"""
_FILED = """
SELECT ticket.number, message.details FROM message JOIN ticket ON ticket.id = message.ticket_id
WHERE message.inbox_id = :inbox_id AND message.external_id = :external_id"""
_INSERT = """
INSERT INTO message (ticket_id, inbox_id, direction, author_kind, author_id, text, html, subject, external_id,
                     in_reply_to, sent_at, details, created_at)
VALUES (:ticket_id, :inbox_id, 'incoming', 'contact', :contact_id, :text, :html, :subject, :external_id,
        :in_reply_to, :sent_at, :details, :now)
RETURNING id"""
_EDIT = "UPDATE message SET text = :text, html = :html, edited_at = :now WHERE id = :id"
_CAME_IN = "UPDATE message SET inbound_id = :inbound_id WHERE id = :id"
_DELETE = """
UPDATE message SET text = '', html = NULL, subject = NULL, details = NULL, deleted_at = :now
WHERE id = :id AND deleted_at IS NULL"""


class Received(msgspec.Struct, frozen=True):
    message_id: int
    ticket_id: int
    number: int
    contact_id: int
    duplicate: bool


def receive(tx: Tx, inbox: Inbox, message: Message, *, restored: bool = False) -> Received:
    """Stores it once and answers the same for every repetition. Raises Refusal for what cannot be stored, and Blocked
    for what a blocked contact says, unless an agent has `restored` it."""
    external_id = clean(message.external_id, "external_id", most=MAX_EXTERNAL_ID, lines=False)
    known = tx.row(_KNOWN, inbox_id=inbox.id, external_id=external_id)
    if known is not None:
        return Received(known[0], known[1], known[2], known[3], True)
    text = clean(message.text, "text", most=MAX_MESSAGE, least=0 if message.files else 1)
    who = contacts.recognise(
        tx,
        message.sender,
        inbox_id=inbox.id,
        country=inbox.common.default_country,
        source=message.source,
        how=inbox.kind,
        stop_blocked=not restored,
    )
    by = Actor("contact", who.contact_id)
    answered = _answered(tx, inbox, message)
    joined = joining.find(tx, inbox, message, who.contact_id)
    if joined is not None:
        ticket = joined.ticket
    else:
        ticket = _ticket_for(tx, inbox, message, who, text, answered[1] if answered else None)
    begins = ticket.last_message_id is None
    marks = {} if begins else joining.marks(tx, ticket, message, who.contact_id)
    in_reply_to = answered[0] if answered and answered[1] == ticket.id else None
    message_id = store_message(
        tx,
        inbox,
        ticket,
        who.contact_id,
        text,
        external_id,
        by,
        message,
        in_reply_to,
        marks,
        begins=begins,
        seen_at=who.seen_at,
    )
    joining.keep(tx, inbox, ticket, message_id, message)
    if begins:
        acknowledging.acknowledge(tx, inbox, ticket, message, who)
    if joined is not None:
        joining.unite(tx, joined)
    # After the event: who hears of it reads the message with what is there at the end of the unit.
    files.expect(tx, message_id, message.files)
    return Received(message_id, ticket.id, ticket.number, who.contact_id, False)


def store_message(
    tx: Tx,
    inbox: Inbox,
    ticket: Ticket,
    contact_id: int,
    text: str,
    external_id: str,
    by: Actor,
    message: Message | None,
    in_reply_to: int | None,
    marks: Mapping[str, Any] = NO_MARKS,
    *,
    begins: bool = True,
    seen_at: int = 0,
) -> int:
    """`marks`: what else is to be seen of it. `begins`: the ticket begins with it. `seen_at`: when they last wrote."""
    subject = message.subject if message else None
    message_id = tx.insert(
        _INSERT,
        ticket_id=ticket.id,
        inbox_id=inbox.id,
        contact_id=contact_id,
        text=text,
        html=message.html if message else None,
        subject=clean(subject, "subject", most=MAX_LINE, least=0, lines=False) if subject else None,
        external_id=external_id,
        in_reply_to=in_reply_to,
        sent_at=_clamped(message.sent_at, tx.now) if message else None,
        details=_details(message, marks) if message else None,
        now=tx.now,
    )
    contacts.heard_from(tx, contact_id, seen_at)
    tx.record(
        MessageReceived(
            message_id=message_id,
            inbox_id=inbox.id,
            automatic=message is not None and message.automatic and not begins,
        ),
        by=by,
        ticket_id=ticket.id,
        contact_id=contact_id,
        before=ticket.scope,
        after=ticket.scope,
    )
    return message_id


def came_in(tx: Tx, message_ids: Iterable[int], inbound_id: int) -> None:
    """The raw bytes that letters came in."""
    for message_id in message_ids:
        tx.run(_CAME_IN, id=message_id, inbound_id=inbound_id)


def write_down(
    tx: Tx,
    caller: Caller,
    *,
    inbox_id: int,
    contact_id: int,
    text: str,
    subject: str | None,
    priority: Priority,
    external_id: str,
) -> int:
    """An agent opens a ticket with what a contact said on the phone or over the counter; returns its number."""
    inbox = inboxes.by_id(tx, inbox_id)
    if inbox is None or not may(caller.grants, Scope(inbox.id)):
        raise not_found("inbox")
    if not inbox.enabled:
        raise invalid("inbox_id", "This inbox is switched off.")
    require_contact(tx, caller, contact_id)  # else a ticket of one's own would open any contact by its number
    contact = contacts.get(tx, contact_id)
    text = clean(text, "text", most=MAX_MESSAGE)
    ticket = open_ticket(
        tx,
        caller.actor,
        contact_id=contact.id,
        inbox_id=inbox.id,
        team_id=inbox.team_id,
        subject=clean(subject, "subject", most=MAX_LINE, lines=False) if subject else subject_of(text),
        priority=priority,
    )
    store_message(tx, inbox, ticket, contact.id, text, external_id, caller.actor, None, None)
    return ticket.number


def filed(rx: Rx, inbox_id: int, external_id: str) -> Filed | None:
    """Where a message of this inbox is, and what it carried besides its text."""
    row = rx.row(_FILED, inbox_id=inbox_id, external_id=external_id)
    return Filed(row[0], True, msgspec.json.decode(row[1]) if row[1] else {}) if row else None


def _answered(rx: Rx, inbox: Inbox, message: Message) -> tuple[Any, ...] | None:
    """(message, ticket) that it answers, by its external id or by the name that letters have for it."""
    if not message.in_reply_to:
        return None
    found = rx.row(_KNOWN, inbox_id=inbox.id, external_id=message.in_reply_to)
    return found or rx.row(_NAMED, inbox_id=inbox.id, name=message.in_reply_to) if message.known_as else found


def _ticket_for(tx: Tx, inbox: Inbox, message: Message, who: contacts.Known, text: str, answers: int | None) -> Ticket:
    """The ticket that it answers, else the one still going on in this inbox, else a new one.

    An answer joins only where its sender takes part: another person who quotes the id opens a ticket of their own.
    """
    if answers is not None:
        found = tickets.must(tx, answers)
        if found.contact_id == who.contact_id:
            return found
    if not message.new_ticket and not who.is_new:
        going_on = tickets.latest(tx, who.contact_id, inbox.id)
        if going_on is not None and joinable(going_on, inbox, tx.now):
            return going_on
    return open_ticket(
        tx,
        Actor("contact", who.contact_id),
        contact_id=who.contact_id,
        inbox_id=inbox.id,
        team_id=inbox.team_id,
        subject=subject_of(message.subject or text) or _named(message),
        source=message.source,
        spam=message.suspicion is not None,
    )


def joinable(ticket: Ticket, inbox: Inbox, now: int) -> bool:
    """Not resolved, or so lately that what comes now is most likely still about it."""
    return ticket.resolved_at is None or now <= inboxes.reopens_until(inbox, ticket.resolved_at)


def subject_of(text: str) -> str:
    line = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return line if len(line) <= 120 else line[:119] + "…"


def _named(message: Message) -> str:
    """Something without words is called like the file that came."""
    return names.clean(message.files[0].name) if message.files else ""


def _clamped(sent_at: int | None, now: int) -> int | None:
    """The sender's own time where it can be true; a clock that runs ahead, or stopped in 1970, is nobody's news."""
    return sent_at if sent_at is not None and 946_684_800_000 <= sent_at <= now + SKEW else None


def _details(message: Message, marks: Mapping[str, Any]) -> str | None:
    details = {**message.details, **marks}
    if message.sender.sureness == "typed":
        details["sender"] = "typed"
    if message.suspicion:
        details["suspicion"] = message.suspicion
    if message.sent_at is not None and details.get("sent_at") is None:
        details["sent_at"] = message.sent_at
    return msgspec.json.encode(details).decode() if details else None


def edit(tx: Tx, inbox: Inbox, change: Edit, *, restored: bool = False) -> bool:
    """The contact changed what they wrote. False: no such message (yet); the raw bytes stay for a retry. Raises Blocked
    as `receive` does."""
    known = tx.row(_KNOWN, inbox_id=inbox.id, external_id=change.external_id)
    if known is None:
        return False
    if not restored and contacts.get(tx, known[3]).blocked_at is not None:
        raise contacts.Blocked(known[3])
    text = clean(change.text, "text", most=MAX_MESSAGE)
    tx.run(_EDIT, id=known[0], text=text, html=change.html, now=tx.now)
    _record(tx, known[1], MessageEdited(message_id=known[0]))
    return True


def delete(tx: Tx, inbox: Inbox, gone: Deletion) -> bool:
    """The contact took it back: the words go, that something was said stays."""
    known = tx.row(_KNOWN, inbox_id=inbox.id, external_id=gone.external_id)
    if known is None:
        return False
    if tx.run(_DELETE, id=known[0], now=tx.now):
        for file in files.of_message(tx, known[0]):
            files.lose(tx, file, "Taken back by who sent it.")
        _record(tx, known[1], MessageDeleted(message_id=known[0]))
    return True


def _record(tx: Tx, ticket_id: int, event: MessageEdited | MessageDeleted) -> None:
    ticket = tickets.must(tx, ticket_id)
    tickets.record(tx, ticket, event, Actor("contact", ticket.contact_id))
