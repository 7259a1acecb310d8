"""One set of tags for tickets and contacts.

A tag that was merged into another is shown as that one (`tag.shown_as`), and its name leads there; one that was deleted
shows nowhere. hub.desk.tag_set does both.
"""

from collections.abc import Iterable
from typing import Final, Literal, get_args

import msgspec

from hub.db.backend import Row
from hub.db.many import rows_of
from hub.db.tx import Rx, Tx
from hub.desk import ticket as tickets
from hub.errors import not_found
from hub.events import ContactTagged, ContactUntagged, TagCreated, TicketTagged, TicketUntagged
from hub.people import contacts
from hub.staff.access import Caller
from hub.text import clean, fold

MAX_TAG: Final = 60
Colour = Literal["grey", "red", "orange", "yellow", "green", "blue", "violet"]

COLOURS: Final[tuple[str, ...]] = get_args(Colour)

_FIND = """
SELECT shown.id FROM tag JOIN tag AS shown ON shown.id = COALESCE(tag.shown_as, tag.id)
WHERE tag.name_folded = :folded AND shown.gone_at IS NULL"""
_NAMED = "SELECT id FROM tag WHERE name_folded = :folded AND gone_at IS NOT NULL"
_FREE = "UPDATE tag SET name_folded = :folded WHERE id = :id"
_INSERT = """
INSERT INTO tag (name, name_folded, colour, created_at) VALUES (:name, :folded, :colour, :now) RETURNING id"""
_ALL = "SELECT id, name, colour FROM tag WHERE gone_at IS NULL ORDER BY name_folded, id"
# The tags whose rows count for one, itself among them.
FAMILY: Final = "SELECT id FROM tag WHERE id = :tag_id OR shown_as = :tag_id"
# Whatever bears a tag, with the tag as it is shown.
SHOWN: Final = """
JOIN tag AS own ON own.id = tag_id JOIN tag ON tag.id = COALESCE(own.shown_as, own.id) AND tag.gone_at IS NULL"""
_TAG_TICKET = "INSERT INTO ticket_tag (ticket_id, tag_id) VALUES (:id, :tag_id) ON CONFLICT DO NOTHING"
_UNTAG_TICKET = f"DELETE FROM ticket_tag WHERE ticket_id = :id AND tag_id IN ({FAMILY})"
_BEARS = f"SELECT 1 FROM ticket_tag WHERE ticket_id = :id AND tag_id IN ({FAMILY})"
OF_TICKETS: Final = f"SELECT ticket_tag.ticket_id, tag.name FROM ticket_tag {SHOWN}"
OF_CONTACTS: Final = f"SELECT contact_tag.contact_id, tag.name FROM contact_tag {SHOWN}"
_ORDER: Final = " ORDER BY tag.name_folded"
_TAG_CONTACT = "INSERT INTO contact_tag (contact_id, tag_id) VALUES (:id, :tag_id) ON CONFLICT DO NOTHING"
_UNTAG_CONTACT = f"DELETE FROM contact_tag WHERE contact_id = :id AND tag_id IN ({FAMILY})"
_CONTACT_BEARS = f"SELECT 1 FROM contact_tag WHERE contact_id = :id AND tag_id IN ({FAMILY})"


class Tag(msgspec.Struct, frozen=True):
    id: int
    name: str
    colour: str


def ensure(tx: Tx, caller: Caller, name: str, colour: Colour = "grey") -> int:
    """The tag of that name, whatever its case; made when it is new."""
    name = clean(name, "name", most=MAX_TAG, lines=False).strip()
    found = find(tx, name)
    if found is not None:
        return found
    free(tx, fold(name))
    tag_id = tx.insert(_INSERT, name=name, folded=fold(name), colour=colour, now=tx.now)
    tx.record(TagCreated(tag_id=tag_id), by=caller.actor)
    return tag_id


def find(rx: Rx, name: str) -> int | None:
    """The tag that this name leads to."""
    found = rx.value(_FIND, folded=fold(name))
    return None if found is None else int(found)


def free(tx: Tx, folded: str) -> None:
    """What is gone gives its name up to whoever wants it. A space begins no folded text, so it collides with none."""
    for (tag_id,) in tx.rows(_NAMED, folded=folded):
        tx.run(_FREE, id=tag_id, folded=f" {tag_id}")


def check(name: str) -> None:
    """Refuses what can be no name of a tag."""
    clean(name, "tag", most=MAX_TAG, lines=False)


def has(rx: Rx, ticket_id: int, name: str) -> bool:
    tag_id = find(rx, name)
    return tag_id is not None and rx.value(_BEARS, id=ticket_id, tag_id=tag_id) is not None


def all_tags(rx: Rx) -> list[Tag]:
    return [Tag(*row) for row in rx.rows(_ALL)]


def of_ticket(rx: Rx, ticket_id: int) -> tuple[str, ...]:
    return of_tickets(rx, (ticket_id,)).get(ticket_id, ())


def of_tickets(rx: Rx, ticket_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The names of each ticket that has any, for a page of a list at once."""
    return _together(rows_of(rx, OF_TICKETS, "ticket_tag.ticket_id", ticket_ids, _ORDER))


def of_contact(rx: Rx, contact_id: int) -> tuple[str, ...]:
    return of_contacts(rx, (contact_id,)).get(contact_id, ())


def of_contacts(rx: Rx, contact_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    return _together(rows_of(rx, OF_CONTACTS, "contact_tag.contact_id", contact_ids, _ORDER))


def _together(rows: Iterable[Row]) -> dict[int, tuple[str, ...]]:
    """Whatever bears a tag and another that was merged into it has it once."""
    found: dict[int, dict[str, None]] = {}
    for bearer, name in rows:
        found.setdefault(bearer, {})[name] = None
    return {bearer: tuple(names) for bearer, names in found.items()}


def tag_ticket(tx: Tx, caller: Caller, number: int, name: str) -> None:
    mark(tx, caller, tickets.seen(tx, caller, number), name)


def mark(tx: Tx, caller: Caller, ticket: tickets.Ticket, name: str) -> None:
    """Judges nothing."""
    tag_id = ensure(tx, caller, name)
    if tx.value(_BEARS, id=ticket.id, tag_id=tag_id) is None and tx.run(_TAG_TICKET, id=ticket.id, tag_id=tag_id):
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
    if tx.value(_CONTACT_BEARS, id=contact_id, tag_id=tag_id) is None:
        tx.run(_TAG_CONTACT, id=contact_id, tag_id=tag_id)
        tx.record(ContactTagged(tag_id=tag_id), by=caller.actor, contact_id=contact_id)


def untag_contact(tx: Tx, caller: Caller, contact_id: int, name: str) -> None:
    contacts.get(tx, contact_id)
    tag_id = _must(tx, name)
    if tx.run(_UNTAG_CONTACT, id=contact_id, tag_id=tag_id):
        tx.record(ContactUntagged(tag_id=tag_id), by=caller.actor, contact_id=contact_id)


def _must(rx: Rx, name: str) -> int:
    found = find(rx, name)
    if found is None:
        raise not_found("tag")
    return found
