"""What was written and is to be said later: held for some seconds so that it can be called back, or until a time that a
person chose. Until then the customer waits as before.

What was planned for later is called back when the contact writes first, in the unit that takes in what they write: of
the two, whichever is committed first holds.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from hub.db.tx import Rx, Tx
from hub.desk import deliveries
from hub.desk import ticket as tickets
from hub.desk.replies import sendable_at
from hub.errors import Refusal
from hub.events import DeliveryMoved, MessageReceived, Recorded
from hub.staff.access import DESK, Caller, agent_of, visible

State = Literal["planned", "held", "queued", "sending", "unknown", "failed"]
STATES: Final[tuple[State, ...]] = ("planned", "held", "queued", "sending", "unknown", "failed")
WROTE_FIRST: Final = "They wrote before it was time."

_LATER = """
SELECT MIN(id) FROM delivery
WHERE ticket_id = :ticket_id AND state = 'held' AND send_at IS NOT NULL AND later = 1
GROUP BY message_id ORDER BY message_id"""
_PARTS = """
SELECT id FROM delivery
WHERE message_id = :message_id AND state = 'held' AND send_at IS NOT NULL ORDER BY part"""
_MOVE = "UPDATE delivery SET send_at = :at, later = 1, changed_at = :now WHERE id = :id"
_OPEN = """
SELECT delivery.id, delivery.message_id, ticket.number, contact.name, delivery.inbox_id,
       contact_point.shown, delivery.state, delivery.reason, delivery.send_at, delivery.later, delivery.created_at,
       delivery.changed_at, message.author_kind, message.author_id, message.text
FROM delivery JOIN ticket ON ticket.id = delivery.ticket_id JOIN contact ON contact.id = ticket.contact_id
JOIN message ON message.id = delivery.message_id
LEFT JOIN contact_point ON contact_point.id = delivery.contact_point_id
WHERE delivery.state IN ('held', 'queued', 'sending', 'unknown', 'failed')
  AND (delivery.contact_point_id IS NOT NULL OR delivery.state <> 'queued')"""
_NEWEST = " ORDER BY delivery.id DESC LIMIT :limit"
_IS = {
    "planned": "delivery.state = 'held' AND delivery.send_at IS NOT NULL",
    "held": "delivery.state = 'held' AND delivery.send_at IS NULL",
    **{state: f"delivery.state = '{state}'" for state in ("queued", "sending", "unknown", "failed")},
}
SNIPPET: Final = 140


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that has not come to its end, and what it is about. `state` as it is stored; with `send_at`, `held`
    means that it leaves then. What is on its way in a live channel is not among them: the visitor's browser has it."""

    id: int
    message_id: int
    number: int
    contact_name: str
    inbox_id: int
    to: str | None
    state: str
    reason: str | None
    send_at: int | None
    later: bool
    created_at: int
    changed_at: int
    author_kind: str
    author_id: int
    text: str


def they_wrote_first(tx: Tx, to: Recorded) -> None:
    """What was to be said later may be wrong by now: its author is told and decides. Run by `hub.reactions`."""
    assert isinstance(to.event, MessageReceived)
    if to.by.kind != "contact":
        return
    for (delivery_id,) in tx.rows(_LATER, ticket_id=to.ticket_id):
        delivery = deliveries.get(tx, delivery_id)
        assert delivery is not None
        deliveries.call_back(tx, Caller(to.by, DESK.grants), delivery, WROTE_FIRST)


def move(tx: Tx, caller: Caller, delivery_id: int, send_at: int | None) -> int | None:
    """To another time, all parts of the message together; None: now. What left or was called back cannot be moved."""
    delivery = deliveries.seen(tx, caller, delivery_id)
    if not delivery.planned:
        raise Refusal("conflict", "It is not waiting for its time any longer.")
    at = tx.now if send_at is None else sendable_at(tx.now, send_at)
    ticket = tickets.must(tx, delivery.ticket_id)
    for (part_id,) in tx.rows(_PARTS, message_id=delivery.message_id):
        tx.run(_MOVE, id=part_id, at=at, now=tx.now)
        deliveries.enqueue(tx, part_id, delivery.contact_point_id, at)
        tickets.record(tx, ticket, DeliveryMoved(delivery_id=part_id, message_id=delivery.message_id), caller.actor)
    return at


def listed(
    rx: Rx,
    caller: Caller,
    *,
    states: Sequence[State] = (),
    mine: bool = False,
    before: int | None = None,
    changed_before: int | None = None,
    limit: int = 50,
) -> list[Open]:
    """What has not come to its end, newest first, of the tickets that the caller sees. `mine`: what they wrote."""
    sees, params = visible(caller.grants)
    where = [_OPEN, sees]
    if states:
        where.append("(" + " OR ".join(f"({_IS[state]})" for state in dict.fromkeys(states)) + ")")
    if mine:
        where.append("message.author_kind = 'agent' AND message.author_id = :author")
        params["author"] = agent_of(caller)
    if before is not None:
        where.append("delivery.id < :before")
        params["before"] = before
    if changed_before is not None:
        where.append("delivery.changed_at < :changed_before")
        params["changed_before"] = changed_before
    # Composed of constants of ours; values are parameters.
    rows = rx.rows(" AND ".join(where) + _NEWEST, **params, limit=limit)
    names = Open.__struct_fields__
    found = []
    for row in rows:
        fields = dict(zip(names, row, strict=True))
        text = fields["text"]
        fields["text"] = text if len(text) <= SNIPPET else text[: SNIPPET - 1] + "…"
        found.append(Open(**fields | {"later": bool(fields["later"])}))
    return found
