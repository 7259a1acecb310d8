"""A new message to a contact: on which inboxes they can be reached, and the ticket that it opens.

What an inbox can do is asked of its connector's features, whom it can reach of the contact's points, whether it may of
what they allowed and refused.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from hub.connector import Features
from hub.db.tx import Rx, Tx
from hub.desk import assignment, inboxes, replies
from hub.desk import ticket as tickets
from hub.desk.contact_lists import require_contact
from hub.desk.files import uploads
from hub.desk.inboxes import Inbox
from hub.desk.incoming import subject_of
from hub.desk.replies import Way
from hub.desk.tickets import open_ticket
from hub.errors import Refusal, not_found
from hub.events import Scope
from hub.people import consents, contacts, points
from hub.staff.access import Caller, may
from hub.text import MAX_LINE, MAX_MESSAGE, clean

_NAMES: Final = {points.EMAIL: "e-mail address", points.PHONE: "phone number"}

BLOCKED: Final = "This contact is blocked. Take the block off first."
REFUSED: Final = "The contact asked not to be written to at this address."
ONLY_IN: Final = "Messages come in here, but none can be sent from it."
LIVE: Final = "A conversation here begins when the visitor opens it."


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox and one of the contact's points that it can write to. `able` false: it cannot, and `why` says so."""

    inbox_id: int
    name: str
    kind: str
    subject: bool
    point_id: int | None
    shown: str | None
    able: bool
    why: str | None


def ways(rx: Rx, caller: Caller, contact_id: int) -> list[Reach]:
    """Of the inboxes that the caller may see, those first that can be used; the surest point of each first."""
    require_contact(rx, caller, contact_id)
    blocked = contacts.get(rx, contact_id).blocked_at is not None
    found: list[Reach] = []
    for inbox in inboxes.all_of_them(rx):
        if inbox.enabled and may(caller.grants, Scope(inbox.id)):
            found += _ways(rx, inbox, inbox.features, contact_id, blocked)
    return sorted(found, key=lambda way: not way.able)


def _ways(rx: Rx, inbox: Inbox, features: Features, contact_id: int, blocked: bool) -> list[Reach]:
    def way(why: str | None, point_id: int | None = None, shown: str | None = None) -> Reach:
        return Reach(
            inbox_id=inbox.id,
            name=inbox.name,
            kind=inbox.kind,
            subject=features.subject,
            point_id=point_id,
            shown=shown,
            able=why is None,
            why=why,
        )

    if features.live:
        return [way(LIVE)]
    if not features.replies or not features.reaches:
        return [way(ONLY_IN)]
    theirs = [
        (features.reaches.index(kind), -points.SURENESS.index(sureness), point_id, shown)
        for point_id, kind, scope, _value, shown, sureness in points.of(rx, contact_id)
        if kind in features.reaches and scope in ("", inbox.token)
    ]
    if not theirs:
        named = " or ".join(dict.fromkeys(_NAMES[kind] for kind in features.reaches if kind in _NAMES))
        return [way(f"The contact has no {named} yet. Add one." if named else "The contact never wrote here.")]
    if blocked:
        return [way(BLOCKED, point_id, shown) for _, _, point_id, shown in sorted(theirs)]
    return [
        way(None if consents.may_send(rx, point_id) else REFUSED, point_id, shown)
        for _, _, point_id, shown in sorted(theirs)
    ]


def write(
    tx: Tx,
    caller: Caller,
    contact_id: int,
    *,
    inbox_id: int,
    text: str,
    external_id: str,
    point_id: int | None = None,
    subject: str | None = None,
    hold: int = 0,
    send_at: int | None = None,
    files: Sequence[str] = (),
) -> int:
    """Opens a ticket with a message of ours, the caller's own from the start; returns its number. Without `point_id` it
    goes to the surest point that the inbox reaches. `hold`, `send_at`, `files`: as of a reply."""
    require_contact(tx, caller, contact_id)
    inbox = inboxes.by_id(tx, inbox_id)
    if inbox is None or not may(caller.grants, Scope(inbox.id)):
        raise not_found("inbox")
    if point_id is not None and point_id not in {row[0] for row in points.of(tx, contact_id)}:
        raise not_found("contact point")
    text = clean(text, "text", most=MAX_MESSAGE, least=0 if files else 1)
    subject = clean(subject, "subject", most=MAX_LINE, least=0, lines=False) if subject else None
    way = _way(tx, inbox, contact_id, point_id)
    time = replies.time_of(tx.now, way, hold, send_at)
    ticket = open_ticket(
        tx,
        caller.actor,
        contact_id=contact_id,
        inbox_id=inbox.id,
        team_id=inbox.team_id,
        subject=subject or subject_of(text) or uploads.named(tx, files),
    )
    if caller.actor.kind == "agent":
        ticket = assignment.put(tx, caller, ticket, caller.grants.agent_id, "claimed")
    replies.say(
        tx,
        caller,
        tickets.must(tx, ticket.id),
        text,
        way,
        external_id=external_id,
        subject=subject,
        time=time,
        files=files,
    )
    return ticket.number


def _way(rx: Rx, inbox: Inbox, contact_id: int, point_id: int | None) -> Way:
    if not inbox.enabled:
        raise Refusal("conflict", "This inbox is switched off.", field="inbox_id")
    blocked = contacts.get(rx, contact_id).blocked_at is not None
    features = inbox.features
    found = _ways(rx, inbox, features, contact_id, blocked)
    if point_id is not None:
        found = [way for way in found if way.point_id == point_id]
        if not found:
            raise Refusal("conflict", "This inbox cannot write to this address.", field="point_id")
    able = next((way for way in found if way.able), None)
    if able is None:
        raise Refusal("conflict", found[0].why or ONLY_IN, field="inbox_id" if point_id is None else "point_id")
    return Way(inbox, able.point_id, features.max_text, False)
