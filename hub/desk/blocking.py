"""Contacts whose words are not taken in. What they send is kept as it came, unread, for as long as everything raw is
kept; an agent may look at it and have it taken in after all. hub.work.inbound puts it away.

In a live channel there is nothing to put away: what a blocked visitor says there goes to a ticket marked as spam. They
are told nothing, as nobody is who is blocked; it lies among the rest of what blocked contacts sent.
"""

from typing import Any, Final

import msgspec

from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.desk import inbound
from hub.desk.contact_lists import require_contact
from hub.errors import Refusal, not_found
from hub.events import Scope
from hub.people import contacts
from hub.staff.access import Caller, may, visible

_LIST = """
SELECT inbound.id, inbound.inbox_id, inbound.received_at, inbound.body, contact.id, contact.name
FROM inbound JOIN contact ON contact.id = inbound.contact_id
WHERE inbound.state = 'ignored' AND inbound.restored_at IS NULL AND inbound.id < :before"""
_CHATTED = """
SELECT message.id, ticket.number, message.inbox_id, contact.id, contact.name, message.created_at, message.text
FROM ticket JOIN contact ON contact.id = ticket.contact_id JOIN message ON message.ticket_id = ticket.id
JOIN visitor_ticket ON visitor_ticket.ticket_id = ticket.id
WHERE ticket.spam = 1 AND contact.blocked_at IS NOT NULL AND message.direction = 'incoming'
  AND message.created_at >= contact.blocked_at AND message.deleted_at IS NULL"""
CHATTED: Final = 100
_NEWEST: Final = " ORDER BY inbound.id DESC LIMIT :limit"
_ONE = "SELECT inbox_id, contact_id, restored_at, state FROM inbound WHERE id = :id"
_RESTORED = "UPDATE inbound SET restored_at = :now WHERE id = :id"
_WHY = "SELECT blocked_reason, blocked_by, blocked_at FROM contact WHERE id = :id"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a blocked contact sent, as it came. `body` is text where it is text, else base64 (`encoded`), cut short."""

    id: int
    inbox_id: int
    contact_id: int
    contact_name: str
    received_at: int
    size: int
    body: str
    encoded: bool


class Chatted(msgspec.Struct, frozen=True, kw_only=True):
    """What a blocked visitor said in a chat, with the ticket that it lies in, marked as spam."""

    message_id: int
    number: int
    inbox_id: int
    contact_id: int
    contact_name: str
    received_at: int
    text: str


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """`by`: the agent, if an agent did it. `at`: None when the contact is not blocked."""

    contact_id: int
    at: int | None
    by: int | None
    reason: str | None


def block(tx: Tx, caller: Caller, contact_id: int, reason: str | None) -> Block:
    """Those who are blocked already stay as they were."""
    require_contact(tx, caller, contact_id)
    contacts.change(tx, caller.actor, contact_id, blocked=True, reason=reason)
    return of(tx, contact_id)


def unblock(tx: Tx, caller: Caller, contact_id: int) -> Block:
    """What came meanwhile stays put away, unless it is restored."""
    require_contact(tx, caller, contact_id)
    contacts.change(tx, caller.actor, contact_id, blocked=False)
    return of(tx, contact_id)


def of(rx: Rx, contact_id: int) -> Block:
    row = rx.row(_WHY, id=contact_id)
    reason, by, at = row or (None, None, None)
    return Block(contact_id=contact_id, at=at, by=by, reason=reason)


def kept(rx: Rx, caller: Caller, *, before: int | None, limit: int) -> list[Kept]:
    """Newest first, of inboxes that the caller sees: raw bytes are what somebody wrote there."""
    sees, params = _seen(caller)
    # Composed of constants of ours; values are parameters.
    sql = f"{_LIST} AND {sees}{_NEWEST}"
    return [_kept(*row) for row in rx.rows(sql, **params, before=2**62 if before is None else before, limit=limit)]


def chatted(rx: Rx, caller: Caller, *, limit: int = CHATTED) -> list[Chatted]:
    """Newest first, since each was blocked, of tickets that the caller sees."""
    sees, params = visible(caller.grants)
    # Composed of constants of ours; values are parameters.
    rows = rx.rows(f"{_CHATTED} AND {sees} ORDER BY message.id DESC LIMIT :limit", **params, limit=limit)
    names = Chatted.__struct_fields__
    return [Chatted(**dict(zip(names, row, strict=True))) for row in rows]


def restore(tx: Tx, caller: Caller, inbound_id: int) -> None:
    """A job takes it in as if the contact were not blocked; they stay blocked. Nothing is stored twice."""
    row = tx.row(_ONE, id=inbound_id)
    if row is None or row[1] is None or not may(caller.grants, Scope(row[0])):
        raise not_found("message of a blocked contact")
    if row[2] is not None or row[3] != "ignored":
        raise Refusal("conflict", "This was taken in already.")
    tx.run(_RESTORED, id=inbound_id, now=tx.now)
    payload = {"inbound_id": inbound_id, "restored": True}
    tx.enqueue(inbound.AGAIN, payload, key=f"inbound:{inbound_id}", lane=lanes.INBOUND)


def _seen(caller: Caller) -> tuple[str, dict[str, Any]]:
    if caller.grants.everything:
        return "1 = 1", {}
    inboxes = ", ".join(str(int(i)) for i in sorted(caller.grants.inboxes)) or "0"  # numbers of ours
    return f"inbound.inbox_id IN ({inboxes})", {}


def _kept(id: int, inbox_id: int, received_at: int, body: bytes, contact_id: int, name: str) -> Kept:
    text, encoded = inbound.shown(bytes(body))
    return Kept(
        id=id,
        inbox_id=inbox_id,
        contact_id=contact_id,
        contact_name=name,
        received_at=received_at,
        size=len(body),
        body=text,
        encoded=encoded,
    )
