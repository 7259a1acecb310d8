"""One ticket becomes two, where a contact has begun to speak of something else. Merging the new one back undoes it."""

from typing import Final

import msgspec

from hub.db.tx import Tx
from hub.desk import merging, moving, visitors
from hub.desk import ticket as tickets
from hub.desk.incoming import subject_of
from hub.desk.ticket import Ticket
from hub.desk.tickets import open_ticket
from hub.errors import Refusal, invalid
from hub.events import TicketParted, TicketSplit
from hub.staff.access import Caller

MOST: Final = merging.MOST

_FROM = "SELECT direction, inbox_id, text, subject FROM message WHERE id = :id AND ticket_id = :ticket_id"
_EARLIER = "SELECT 1 FROM message WHERE ticket_id = :ticket_id AND id < :id LIMIT 1"
_FOLLOWING = (
    "SELECT id, direction, inbox_id, created_at FROM message WHERE ticket_id = :ticket_id AND id >= :id ORDER BY id"
)
_STAYING = """
SELECT direction, created_at FROM message WHERE ticket_id = :ticket_id AND id < :id ORDER BY id DESC LIMIT 100"""
_THEIRS = "INSERT INTO visitor_ticket (ticket_id, visitor_id) VALUES (:ticket_id, :visitor_id)"
_PRESENT = "UPDATE visitor SET ticket_id = :to WHERE id = :visitor_id AND ticket_id = :ticket_id"
_INBOX_OF = "SELECT inbox_id FROM visitor WHERE id = :id"


class Journal(msgspec.Struct, frozen=True):
    message: list[int]
    was: merging.Stand


def split(tx: Tx, caller: Caller, number: int, from_message_id: int) -> int:
    """That message of the contact's and all that was said after it become a ticket of their own, with the same agent;
    returns its number. Notes stay where they were written."""
    ticket = tickets.seen(tx, caller, number)
    row = tx.row(_FROM, id=from_message_id, ticket_id=ticket.id)
    if row is None or row[0] != "incoming":
        raise invalid("from_message_id", "Choose a message of the contact's in this ticket.")
    if tx.value(_EARLIER, id=from_message_id, ticket_id=ticket.id) is None:
        raise invalid("from_message_id", "This is where the ticket begins: nothing would stay. Choose a later message.")
    moving.require_still(tx, ticket.id)
    following = tx.rows(_FOLLOWING, id=from_message_id, ticket_id=ticket.id)
    if len(following) > MOST:
        raise Refusal("conflict", f"More than {MOST:,} messages follow. Choose a later one.")
    new = open_ticket(
        tx,
        caller.actor,
        contact_id=ticket.contact_id,
        inbox_id=row[1],
        team_id=ticket.team_id,
        subject=row[3] or subject_of(row[2]),
        priority=ticket.priority,
        spam=bool(ticket.spam),
    )
    ids = [said[0] for said in following]
    split_id = merging.keep(tx, caller, "split", new, ticket, Journal(ids, merging.stand(ticket)))
    moving.begin(tx, split_id, moving.Ids(ids), ticket.id, new.id)
    visitor_id = _visitor(tx, ticket, new, {said[2] for said in following})
    now = _filled(tx, ticket, new, following)
    merging.write(tx, new, now)
    left = _left(tx, ticket, from_message_id)
    merging.write(tx, ticket, left)
    split_off = TicketSplit(out_of=ticket.number, visitor_id=visitor_id)
    tickets.record(tx, new, split_off, caller.actor, now=now)
    tickets.record(tx, ticket, TicketParted(parted=new.number), caller.actor, now=left)
    return new.number


def _visitor(tx: Tx, ticket: Ticket, new: Ticket, inboxes: set[int]) -> int | None:
    """Whose browser it is goes on in the newer matter."""
    visitor_id = visitors.of_ticket(tx, ticket.id)
    if visitor_id is None or tx.value(_INBOX_OF, id=visitor_id) not in inboxes:
        return None
    tx.run(_THEIRS, ticket_id=new.id, visitor_id=visitor_id)
    tx.run(_PRESENT, ticket_id=ticket.id, visitor_id=visitor_id, to=new.id)
    return visitor_id


def _filled(tx: Tx, ticket: Ticket, new: Ticket, following: list[tuple[int, str, int, int]]) -> Ticket:
    """The new ticket: the customer waits from the first word in it that nobody answered."""
    waits = None
    for _, direction, _, at in following:
        waits = None if direction == "outgoing" else waits or at
    last = following[-1]
    return msgspec.structs.replace(
        new,
        assignee_id=ticket.assignee_id,
        waiting_since=waits,
        last_message_id=last[0],
        last_message_at=last[3],
        last_incoming_id=max(said[0] for said in following if said[1] == "incoming"),
        read_to=ticket.read_to,
        changed_at=tx.now,
    )


def _left(tx: Tx, ticket: Ticket, from_message_id: int) -> Ticket:
    """What stays: nobody waits in it for an answer to what has gone."""
    last, at, incoming = moving.newest_but(tx, ticket.id, (), from_message_id)
    waits = None
    for direction, said_at in tx.rows(_STAYING, id=from_message_id, ticket_id=ticket.id):
        if direction == "outgoing":
            break
        waits = said_at
    return msgspec.structs.replace(
        ticket,
        waiting_since=waits if ticket.waiting_since is not None else None,
        last_message_id=last,
        last_message_at=ticket.last_message_at if at is None else at,
        last_incoming_id=incoming,
        changed_at=tx.now,
    )
