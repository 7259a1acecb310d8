"""One set of tags for tickets and contacts."""

from typing import Final, Literal

import msgspec

from hub.db.tx import Rx, Tx
from hub.desk import ticket as tickets
from hub.errors import not_found
from hub.events import ContactTagged, ContactUntagged, TagCreated, TicketTagged, TicketUntagged
from hub.people import contacts
from hub.staff.access import Caller
from hub.text import clean, fold

MAX_TAG: Final = 60
Colour = Literal["grey", "red", "orange", "yellow", "green", "blue", "violet"]

_FIND = "SELECT id FROM tag WHERE name_folded = :folded"
_INSERT = """
INSERT INTO tag (name, name_folded, colour, created_at) VALUES (:name, :folded, :colour, :now) RETURNING id"""
_ALL = "SELECT id, name, colour FROM tag ORDER BY name_folded, id"
_TAG_TICKET = "INSERT INTO ticket_tag (ticket_id, tag_id) VALUES (:id, :tag_id) ON CONFLICT DO NOTHING"
_UNTAG_TICKET = "DELETE FROM ticket_tag WHERE ticket_id = :id AND tag_id = :tag_id"
_HAS = """
SELECT 1 FROM ticket_tag JOIN tag ON tag.id = ticket_tag.tag_id
WHERE ticket_tag.ticket_id = :id AND tag.name_folded = :folded"""
_OF_TICKET = """
SELECT tag.name FROM ticket_tag JOIN tag ON tag.id = ticket_tag.tag_id
WHERE ticket_tag.ticket_id = :id ORDER BY tag.name_folded"""
_TAGGED = "SELECT ticket_tag.ticket_id, tag.name FROM ticket_tag JOIN tag ON tag.id = ticket_tag.tag_id"
_TAG_CONTACT = "INSERT INTO contact_tag (contact_id, tag_id) VALUES (:id, :tag_id) ON CONFLICT DO NOTHING"
_UNTAG_CONTACT = "DELETE FROM contact_tag WHERE contact_id = :id AND tag_id = :tag_id"
_OF_CONTACT = """
SELECT tag.name FROM contact_tag JOIN tag ON tag.id = contact_tag.tag_id
WHERE contact_tag.contact_id = :id ORDER BY tag.name_folded"""


class Tag(msgspec.Struct, frozen=True):
    id: int
    name: str
    colour: str


def ensure(tx: Tx, caller: Caller, name: str, colour: Colour = "grey") -> int:
    """The tag of that name, whatever its case; made when it is new."""
    name = clean(name, "name", most=MAX_TAG, lines=False)
    found = tx.value(_FIND, folded=fold(name))
    if found is not None:
        return int(found)
    tag_id = tx.insert(_INSERT, name=name, folded=fold(name), colour=colour, now=tx.now)
    tx.record(TagCreated(tag_id=tag_id), by=caller.actor)
    return tag_id


def check(name: str) -> None:
    """Refuses what can be no name of a tag."""
    clean(name, "tag", most=MAX_TAG, lines=False)


def has(rx: Rx, ticket_id: int, name: str) -> bool:
    return rx.value(_HAS, id=ticket_id, folded=fold(name)) is not None


def all_tags(rx: Rx) -> list[Tag]:
    return [Tag(*row) for row in rx.rows(_ALL)]


def of_ticket(rx: Rx, ticket_id: int) -> tuple[str, ...]:
    return tuple(row[0] for row in rx.rows(_OF_TICKET, id=ticket_id))


def of_tickets(rx: Rx, ticket_ids: list[int]) -> dict[int, tuple[str, ...]]:
    """The names of each ticket that has any, for a page of a list at once."""
    if not ticket_ids:
        return {}
    ids = ", ".join(str(int(i)) for i in ticket_ids)
    found: dict[int, tuple[str, ...]] = {}
    for ticket_id, name in rx.rows(f"{_TAGGED} WHERE ticket_tag.ticket_id IN ({ids}) ORDER BY tag.name_folded"):
        found[ticket_id] = (*found.get(ticket_id, ()), name)
    return found


def of_contact(rx: Rx, contact_id: int) -> tuple[str, ...]:
    return tuple(row[0] for row in rx.rows(_OF_CONTACT, id=contact_id))


def tag_ticket(tx: Tx, caller: Caller, number: int, name: str) -> None:
    mark(tx, caller, tickets.seen(tx, caller, number), name)


def mark(tx: Tx, caller: Caller, ticket: tickets.Ticket, name: str) -> None:
    """Judges nothing."""
    tag_id = ensure(tx, caller, name)
    if tx.run(_TAG_TICKET, id=ticket.id, tag_id=tag_id):
        _of(tx, caller, ticket, TicketTagged(tag_id=tag_id))


def untag_ticket(tx: Tx, caller: Caller, number: int, name: str) -> None:
    ticket = tickets.seen(tx, caller, number)
    tag_id = _must(tx, name)
    if tx.run(_UNTAG_TICKET, id=ticket.id, tag_id=tag_id):
        _of(tx, caller, ticket, TicketUntagged(tag_id=tag_id))


def _of(tx: Tx, caller: Caller, ticket: tickets.Ticket, event: TicketTagged | TicketUntagged) -> None:
    tickets.record(tx, ticket, event, caller.actor)


def tag_contact(tx: Tx, caller: Caller, contact_id: int, name: str) -> None:
    contacts.get(tx, contact_id)
    tag_id = ensure(tx, caller, name)
    if tx.run(_TAG_CONTACT, id=contact_id, tag_id=tag_id):
        tx.record(ContactTagged(tag_id=tag_id), by=caller.actor, contact_id=contact_id)


def untag_contact(tx: Tx, caller: Caller, contact_id: int, name: str) -> None:
    contacts.get(tx, contact_id)
    tag_id = _must(tx, name)
    if tx.run(_UNTAG_CONTACT, id=contact_id, tag_id=tag_id):
        tx.record(ContactUntagged(tag_id=tag_id), by=caller.actor, contact_id=contact_id)


def _must(rx: Rx, name: str) -> int:
    found = rx.value(_FIND, folded=fold(name))
    if found is None:
        raise not_found("tag")
    return int(found)
