"""Getting one part of a message out: its states, which only ever move forward, and who may wind them back.

    held → queued → sending → sent → delivered → read          cancelled · failed · unknown

`sending` is committed before anything leaves; one found in `sending` later may have arrived: never repeated blindly.
One with `send_at` is of a message that has not been said yet: it is held until then (see `hub.desk.planned`).
"""

from typing import Any, Final, Literal

import msgspec

from hub.connector import Outgoing, Point, Receipt
from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.desk import joining
from hub.desk import ticket as tickets
from hub.desk.files import rows as files
from hub.errors import Refusal, not_found
from hub.events import Actor, DeliveryCancelled, DeliveryChanged, DeliveryFailed, DeliveryUnknown, Event, MessageSent
from hub.people import consents, samples
from hub.staff import organisation
from hub.staff.access import DESK, Caller, require

_AHEAD: Final = ("held", "queued", "sending", "unknown", "sent", "delivered", "read")

_GET = """
SELECT id, message_id, ticket_id, inbox_id, contact_point_id, part, body, state, reason, external_id, attempts, send_at,
       later
FROM delivery WHERE id = :id"""
_BY_EXTERNAL = "SELECT id FROM delivery WHERE inbox_id = :inbox_id AND external_id = :external_id"
_BY_REF = """
SELECT delivery.id FROM delivery JOIN message ON message.id = delivery.message_id
WHERE message.inbox_id = :inbox_id AND message.external_id = :key AND delivery.part = :part"""
_SET = """
UPDATE delivery SET state = :state, reason = :reason, external_id = COALESCE(:external_id, external_id),
                    attempts = attempts + :tries, changed_at = :now
WHERE id = :id"""
_POINT = """
SELECT contact_point.kind, contact_point.scope, contact_point.value, contact.blocked_at, contact.id
FROM contact_point JOIN contact ON contact.id = contact_point.contact_id WHERE contact_point.id = :id"""
_AUTHOR = "SELECT author_kind, author_id FROM message WHERE id = :id"
_SAID = """
UPDATE delivery SET send_at = NULL, state = CASE WHEN state = 'held' THEN 'queued' ELSE state END
WHERE message_id = :message_id AND send_at IS NOT NULL"""
_WAY = "UPDATE delivery SET inbox_id = :inbox_id, contact_point_id = :point_id WHERE id = :id"
_OTHER_PARTS = """
SELECT id FROM delivery
WHERE message_id = :message_id AND state = 'held' AND send_at IS NOT NULL ORDER BY part"""
_MESSAGE = """
SELECT message.external_id, message.author_kind, message.created_at, ticket.number, agent.name, agent.signature
FROM message JOIN ticket ON ticket.id = message.ticket_id
LEFT JOIN agent ON message.author_kind = 'agent' AND agent.id = message.author_id
WHERE message.id = :id"""


class Delivery(msgspec.Struct, frozen=True):
    id: int
    message_id: int
    ticket_id: int
    inbox_id: int
    contact_point_id: int | None
    part: int
    body: str
    state: str
    reason: str | None
    external_id: str | None
    attempts: int
    send_at: int | None = None
    later: int = 0

    @property
    def planned(self) -> bool:
        """Held for its time, and for nothing else."""
        return self.state == "held" and self.send_at is not None


class Words(msgspec.Struct, frozen=True):
    """Of a letter that is written when it leaves: see `hub.letters`."""

    purpose: str
    language: str
    fields: dict[str, Any]


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a part says, as it was rendered when it was queued. `to`: others whom it is for as well."""

    text: str
    subject: str | None = None
    in_reply_to: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    automatic: bool = False
    letter: Words | None = None


class Letter(Words, frozen=True):
    """With the name that the firm has when it leaves."""

    firm: str


class Part(msgspec.Struct, frozen=True):
    """What `connector.send` is called with, and through which inbox; `attached`: rows of the files it carries."""

    delivery_id: int
    inbox_id: int
    attempts: int
    outgoing: Outgoing
    attached: tuple[files.Row, ...] = ()
    letter: Letter | None = None


def get(rx: Rx, delivery_id: int) -> Delivery | None:
    row = rx.row(_GET, id=delivery_id)
    return None if row is None else Delivery(*row)


def begin(tx: Tx, delivery_id: int) -> Part | None:
    """queued → sending, and what was held until now; None when there is nothing to send (cancelled or put off
    meanwhile, refused by the contact, blocked)."""
    delivery = get(tx, delivery_id)
    if delivery is None or delivery.contact_point_id is None:
        return None
    if delivery.state != "queued" and not (delivery.planned and (delivery.send_at or 0) <= tx.now):
        return None
    point = tx.row(_POINT, id=delivery.contact_point_id)
    if point is None:
        _to(tx, delivery, "failed", "The address was removed.")
        return None
    if point[3] is not None:
        _to(tx, delivery, "cancelled", "The contact is blocked.")
        return None
    if samples.is_one(tx, "contact", point[4]):
        _to(tx, delivery, "cancelled", "This contact is made up (sample data), so nobody is written to.")
        return None
    if not consents.may_send(tx, delivery.contact_point_id):
        _to(tx, delivery, "cancelled", "The contact asked not to be written to here.")
        return None
    if delivery.send_at is not None:
        _say(tx, delivery)
    _to(tx, delivery, "sending", None, tries=1)
    return _part(tx, delivery, point)


def _say(tx: Tx, delivery: Delivery) -> None:
    """Its time has come: from now on the message has been said, and none of its parts can be called back."""
    tx.run(_SAID, message_id=delivery.message_id)
    kind, author = tx.rows(_AUTHOR, id=delivery.message_id)[0]
    sent = MessageSent(message_id=delivery.message_id, inbox_id=delivery.inbox_id)
    tickets.record(tx, tickets.must(tx, delivery.ticket_id), sent, Actor(kind, author))


def sending(rx: Rx, delivery_id: int) -> Part | None:
    """The part of a delivery that a dead worker left in `sending`, to ask the channel about it."""
    delivery = get(rx, delivery_id)
    if delivery is None or delivery.state != "sending" or delivery.contact_point_id is None:
        return None
    point = rx.row(_POINT, id=delivery.contact_point_id)
    return None if point is None else _part(rx, delivery, point)


def _part(rx: Rx, delivery: Delivery, point: tuple[Any, ...]) -> Part:
    body = msgspec.json.decode(delivery.body, type=Body)
    key, _, said_at, number, author, signature = rx.rows(_MESSAGE, id=delivery.message_id)[0]
    outgoing = Outgoing(
        id=f"{key}-{delivery.part}",
        to=Point(kind=point[0], scope=point[1], value=point[2]),
        text=body.text,
        subject=body.subject,
        in_reply_to=body.in_reply_to,
        ticket=str(number),
        references=joining.chain(rx, delivery.ticket_id, delivery.inbox_id, delivery.message_id),
        cc=body.cc,
        bcc=body.bcc,
        signature=signature,
        author=author,
        automatic=body.automatic,
        at=said_at,
        details={"to": body.to} if body.to else {},
    )
    attached = tuple(files.of_message(rx, delivery.message_id)) if delivery.part == 0 else ()
    words = body.letter
    letter = Letter(words.purpose, words.language, words.fields, organisation.name(rx)) if words is not None else None
    return Part(delivery.id, delivery.inbox_id, delivery.attempts + 1, outgoing, attached, letter)


def sent(tx: Tx, delivery_id: int, external_id: str | None, notice: str | None = None) -> None:
    """Also from `unknown`, when the channel was asked and had it. `notice`: what did not come off all the same."""
    delivery = _must(tx, delivery_id)
    if delivery.state in ("sending", "unknown"):
        _to(tx, delivery, "sent", notice, external_id=external_id)
        if external_id is not None:
            joining.call(tx, delivery.inbox_id, delivery.message_id, external_id)


def retry(tx: Tx, delivery_id: int, reason: str) -> None:
    """sending → queued: it certainly did not leave. The job that tries again is the caller's."""
    delivery = _must(tx, delivery_id)
    if delivery.state == "sending":
        _to(tx, delivery, "queued", reason)


def failed(tx: Tx, delivery_id: int, reason: str) -> None:
    delivery = _must(tx, delivery_id)
    if delivery.state in ("held", "queued", "sending"):
        _to(tx, delivery, "failed", reason)


def unknown(tx: Tx, delivery_id: int, reason: str) -> None:
    delivery = _must(tx, delivery_id)
    if delivery.state == "sending":
        _to(tx, delivery, "unknown", reason)


def receipt(tx: Tx, inbox_id: int, receipt: Receipt) -> bool:
    """What the channel says became of it; receipts come in any order and twice. False: no such delivery (yet)."""
    delivery_id = tx.value(_BY_EXTERNAL, inbox_id=inbox_id, external_id=receipt.external_id)
    if delivery_id is None and receipt.ref is not None:
        key, _, part = receipt.ref.rpartition("-")
        if part.isascii() and part.isdigit() and len(part) < 6:
            delivery_id = tx.value(_BY_REF, inbox_id=inbox_id, key=key, part=int(part))
    if delivery_id is None:
        return False
    delivery = _must(tx, delivery_id)
    moved = after(delivery.state, receipt)
    if moved is not None:
        _to(tx, delivery, *moved)
    return True


def after(state: str, receipt: Receipt) -> tuple[str, str | None] | None:
    """(the state, its reason) that a receipt moves something forward to; None: it says nothing new."""
    if receipt.state == "failed":
        over = state in ("delivered", "read", "cancelled", "failed")
        return None if over else ("failed", receipt.reason or "The other side could not deliver it.")
    return (receipt.state, None) if _is_ahead(receipt.state, state) else None


def _is_ahead(state: str, was: str) -> bool:
    return was in _AHEAD and _AHEAD.index(state) > _AHEAD.index(was)


def reached(tx: Tx, delivery_id: int, state: Literal["delivered", "read"], *, by: Caller) -> None:
    """The client of a live channel says so itself."""
    delivery = _must(tx, delivery_id)
    if _is_ahead(state, delivery.state):
        _to(tx, delivery, state, None, by=by)


def cancel(tx: Tx, caller: Caller, delivery_id: int) -> None:
    """Before it left; what is on its way cannot be called back."""
    delivery = seen(tx, caller, delivery_id)
    if delivery.state not in ("held", "queued"):
        raise Refusal("conflict", f"It is {delivery.state} already and cannot be called back.")
    if delivery.state == "queued" and delivery.contact_point_id is None:  # a live channel: there is no way to be on
        raise Refusal("conflict", "It stands in the chat already and cannot be called back.")
    call_back(tx, caller, delivery, "Called back.")


def call_back(tx: Tx, caller: Caller, delivery: Delivery, reason: str) -> None:
    """Of what has not been said yet all parts together: half a message is none."""
    if not delivery.planned:
        return _to(tx, delivery, "cancelled", reason, by=caller)
    for (part_id,) in tx.rows(_OTHER_PARTS, message_id=delivery.message_id):
        _to(tx, _must(tx, part_id), "cancelled", reason, by=caller)
    return None


def resend(tx: Tx, caller: Caller, delivery_id: int) -> None:
    """A person's decision, for what failed or may have arrived, and for what was called back."""
    delivery = seen(tx, caller, delivery_id)
    if delivery.state not in ("failed", "unknown", "cancelled"):
        raise Refusal("conflict", f"It is {delivery.state}: there is nothing to send again.")
    if delivery.contact_point_id is None:
        raise Refusal("conflict", "Nothing can carry it yet. Connect an inbox that reaches this contact first.")
    _to(tx, delivery, "queued", None, by=caller)
    enqueue(tx, delivery.id, delivery.contact_point_id)


def takes_way(tx: Tx, delivery_id: int, inbox_id: int, point_id: int) -> None:
    """held → queued: something can carry it now."""
    delivery = _must(tx, delivery_id)
    if delivery.state == "held" and delivery.send_at is None:
        tx.run(_WAY, id=delivery_id, inbox_id=inbox_id, point_id=point_id)
        _to(tx, delivery, "queued", None)
        enqueue(tx, delivery_id, point_id)


def enqueue(tx: Tx, delivery_id: int, point_id: int | None, at: int | None = None) -> None:
    """The job that gets it out. One that comes too early, or once it was called back, does nothing."""
    tx.enqueue("deliver", {"delivery_id": delivery_id}, key=f"contact_point:{point_id}", run_at=at, lane=lanes.OUTBOUND)


def _must(rx: Rx, delivery_id: int) -> Delivery:
    delivery = get(rx, delivery_id)
    if delivery is None:
        raise not_found("delivery")
    return delivery


def seen(rx: Rx, caller: Caller, delivery_id: int) -> Delivery:
    """Raises "not found" for what the caller may not see."""
    delivery = get(rx, delivery_id)
    ticket = None if delivery is None else tickets.must(rx, delivery.ticket_id)
    require(caller, None if ticket is None else ticket.scope, "delivery")
    assert delivery is not None
    return delivery


def _to(
    tx: Tx,
    delivery: Delivery,
    state: str,
    reason: str | None,
    *,
    external_id: str | None = None,
    tries: int = 0,
    by: Caller = DESK,
) -> None:
    tx.run(_SET, id=delivery.id, state=state, reason=reason, external_id=external_id, tries=tries, now=tx.now)
    ticket = tickets.must(tx, delivery.ticket_id)
    tickets.record(tx, ticket, _event(delivery, state), by.actor)


def _event(delivery: Delivery, state: str) -> Event:
    ids = {"delivery_id": delivery.id, "message_id": delivery.message_id}
    match state:
        case "failed":
            return DeliveryFailed(**ids)
        case "unknown":
            return DeliveryUnknown(**ids)
        case "cancelled":
            return DeliveryCancelled(**ids)
        case _:
            return DeliveryChanged(**ids, state=state, was=delivery.state)
