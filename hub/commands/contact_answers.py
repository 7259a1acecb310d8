"""How a contact looks in an answer: the whole panel in one read, for every command that gives one."""

from typing import Any

import msgspec

from hub.db.tx import Rx
from hub.desk import panel, tags
from hub.desk.panel import Counts, OpenTicket
from hub.people import companies, consents, contacts, fields, points
from hub.people.fields import Value
from hub.staff.access import Caller, holds


class PointAnswer(msgspec.Struct, frozen=True):
    """`sureness`: typed by somebody, attested by the channel, or verified by proof."""

    id: int
    kind: str
    scope: str
    value: str
    shown: str
    sureness: str


class ConsentAnswer(msgspec.Struct, frozen=True):
    id: int
    point_id: int
    purpose: str
    given: bool
    wording: str
    how: str
    at: int


class ContactAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Times are milliseconds since 1970, UTC. `source`: where they came from first. `seen_at`: when they last wrote;
    before that, when they were made. `open`: their tickets that are not resolved, of those that the caller may see;
    `counts` likewise, up to 1,000."""

    id: int
    name: str
    title: str | None
    company: str | None
    language: str | None
    zone: str | None
    blocked: bool
    owner_id: int | None
    next_contact_at: int | None
    seen_at: int
    points: list[PointAnswer]
    consents: list[ConsentAnswer]
    tags: tuple[str, ...]
    fields: dict[str, Value]
    open: list[OpenTicket]
    counts: Counts
    source: dict[str, Any]
    created_at: int
    changed_at: int


def contact_answer(rx: Rx, caller: Caller, contact_id: int) -> ContactAnswer:
    """Judges which tickets the caller may see; that they may see the contact is known by now."""
    contact = contacts.get(rx, contact_id)
    reads = holds(caller, "tickets.read", "tickets:read")
    counts = panel.counts(rx, caller, contact_id)
    source: dict[str, Any] = {
        "inbox_id": contact.inbox_id,
        "place": contact.place,
        "page": contact.page,
        "referrer": contact.referrer,
        "utm": msgspec.json.decode(contact.utm) if contact.utm else {},
    }
    return ContactAnswer(
        id=contact.id,
        name=contact.name,
        title=contact.title,
        company=companies.name(rx, contact.company_id),
        language=contact.language,
        zone=contact.zone,
        blocked=contact.blocked_at is not None,
        owner_id=contact.owner_id,
        next_contact_at=contact.next_contact_at,
        seen_at=contact.seen_at,
        points=[PointAnswer(*row) for row in points.of(rx, contact_id)],
        consents=[
            ConsentAnswer(r[0], r[1], r[2], bool(r[3]), r[4], r[5], r[6]) for r in consents.of_contact(rx, contact_id)
        ],
        tags=tags.of_contact(rx, contact_id),
        fields=fields.of(rx, contact_id),
        open=panel.open_tickets(rx, caller, contact_id) if reads else [],
        counts=counts if reads else msgspec.structs.replace(counts, tickets=0),
        source=source,
        created_at=contact.created_at,
        changed_at=contact.changed_at,
    )
