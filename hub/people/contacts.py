"""Contacts: the person or firm that writes to us, found by their contact points, made when they are new."""

from typing import Any, Final

import msgspec

from hub.clock import MINUTE
from hub.connector import Sender, Source
from hub.db.tx import Rx, Tx
from hub.errors import Refusal, invalid, not_found
from hub.events import Actor, ContactChanged, ContactCreated, ContactPointRemoved
from hub.people import companies, consents, points, words
from hub.text import MAX_LINE, MAX_NAME, clean, fold

LATEST: Final = 253_402_300_799_999  # the last millisecond of the year 9999
Unset = msgspec.UnsetType


class Contact(msgspec.Struct, frozen=True):
    id: int
    name: str
    company_id: int | None
    language: str | None
    inbox_id: int | None
    place: str | None
    page: str | None
    referrer: str | None
    utm: str | None
    blocked_at: int | None
    created_at: int
    changed_at: int
    title: str | None
    owner_id: int | None
    next_contact_at: int | None
    seen_at: int
    zone: str | None = None


_GET = f"SELECT {', '.join(Contact.__struct_fields__)} FROM contact WHERE id = :id"
_INSERT = """
INSERT INTO contact (name, name_folded, company_id, language, inbox_id, place, page, referrer, utm, created_at,
                     changed_at, seen_at, worded)
VALUES (:name, :folded, :company_id, :language, :inbox_id, :place, :page, :referrer, :utm, :now, :now, :now, 1)
RETURNING id"""
_RENAME = "UPDATE contact SET name = :name, name_folded = :folded, changed_at = :now WHERE id = :id"
_SET_COMPANY = "UPDATE contact SET company_id = :company_id, changed_at = :now WHERE id = :id"
_SET_LANGUAGE = "UPDATE contact SET language = :language, changed_at = :now WHERE id = :id"
_SET_ZONE = "UPDATE contact SET zone = :zone, changed_at = :now WHERE id = :id"
_SET_TITLE = "UPDATE contact SET title = :title, changed_at = :now WHERE id = :id"
_SET_OWNER = "UPDATE contact SET owner_id = :owner_id, changed_at = :now WHERE id = :id"
_SET_NEXT = "UPDATE contact SET next_contact_at = :at, changed_at = :now WHERE id = :id"
_HEARD = "UPDATE contact SET seen_at = :now WHERE id = :id AND seen_at < :before"
_TOUCH = "UPDATE contact SET changed_at = :now WHERE id = :id"
_AGENT = "SELECT 1 FROM agent WHERE id = :id AND disabled_at IS NULL"
_SET_BLOCKED = """
UPDATE contact SET blocked_at = :blocked_at, blocked_reason = :reason, blocked_by = :by, changed_at = :now
WHERE id = :id"""
_POINT = "SELECT contact_id FROM contact_point WHERE id = :id"
_POINT_USED = """
SELECT 1 FROM delivery WHERE contact_point_id = :id
UNION ALL SELECT 1 FROM consent WHERE contact_point_id = :id LIMIT 1"""
_REMOVE_POINT = "DELETE FROM contact_point WHERE id = :id"


def get(rx: Rx, contact_id: int) -> Contact:
    row = rx.row(_GET, id=contact_id)
    if row is None:
        raise not_found("contact")
    return Contact(*row)


class Blocked(Exception):
    """The contact is blocked, and what they write is not to be taken in."""

    def __init__(self, contact_id: int) -> None:
        super().__init__("The contact is blocked.")
        self.contact_id = contact_id


class Known(msgspec.Struct, frozen=True):
    """Who wrote, by the point they wrote from."""

    contact_id: int
    point_id: int
    blocked: bool
    is_new: bool
    seen_at: int = 0


def recognise(
    tx: Tx,
    sender: Sender,
    *,
    inbox_id: int,
    country: str | None,
    source: Source | None,
    how: str,
    stop_blocked: bool = False,
) -> Known:
    """The contact behind a sender, made with its point when nobody has it.

    A typed point files the message with whoever has that point; it shows them nothing and proves nothing, so it never
    makes a point surer and never joins two contacts. `stop_blocked`: raises Blocked, before anything is written.
    """
    value, shown = points.normalise(sender.point.kind, sender.point.value, country, "from")
    found = points.find(tx, sender.point.kind, sender.point.scope, value)
    if found is not None:
        point_id, contact_id, sureness, blocked_at, seen_at = found
        if stop_blocked and blocked_at is not None:
            raise Blocked(contact_id)
        if sureness != sender.sureness:
            points.make_surer(tx, point_id, sureness, sender.sureness)
        known = Known(contact_id, point_id, blocked_at is not None, False, seen_at)
    else:
        contact_id = _insert(tx, sender, shown, inbox_id, source)
        by = Actor("contact", contact_id)
        tx.record(ContactCreated(), by=by, contact_id=contact_id)
        point_id = points.add(tx, contact_id, sender.point, sender.sureness, by, country=country, field="from") or 0
        known = Known(contact_id, point_id, False, True, tx.now)
    by = Actor("contact", known.contact_id)
    for more in sender.points:
        points.add(tx, known.contact_id, more, "typed", by, country=country, field=more.kind)
    for consent in sender.consents:
        consents.put(tx, known.point_id, known.contact_id, consent, how=how, by=by, inbox_id=inbox_id)
    return known


def _insert(tx: Tx, sender: Sender, shown: str, inbox_id: int, source: Source | None) -> int:
    name = clean(sender.name, "name", most=MAX_NAME, least=0, lines=False) or shown[:MAX_NAME]
    came = source or Source()
    company = sender.company.strip() if sender.company else ""
    contact_id = tx.insert(
        _INSERT,
        name=name,
        folded=fold(name),
        company_id=companies.ensure(tx, company, Actor("system")) if company else None,
        language=sender.language,
        inbox_id=inbox_id,
        place=came.place,
        page=came.page,
        referrer=came.referrer,
        utm=dump(came.utm),
        now=tx.now,
    )
    words.add(tx, contact_id, [*words.words(name), *words.words(company)])
    return contact_id


def dump(utm: dict[str, str]) -> str | None:
    return msgspec.json.encode(utm).decode() if utm else None


def heard_from(tx: Tx, contact_id: int, seen_at: int = 0) -> None:
    """They wrote. To the minute, so that a lively chat does not move a contact about in every list. `seen_at`: when
    they last did, where that is known."""
    if seen_at < tx.now - MINUTE:
        tx.run(_HEARD, id=contact_id, now=tx.now, before=tx.now - MINUTE)


def create(
    tx: Tx,
    by: Actor,
    *,
    name: str,
    points_: list[tuple[str, str]],
    company: str | None,
    language: str | None,
    country: str | None,
) -> int:
    """A contact made by hand. `points_`: (kind, value) pairs, each still free."""
    name = clean(name, "name", most=MAX_NAME, lines=False)
    company_id = companies.ensure(tx, company, by) if company else None
    empty: dict[str, Any] = {"inbox_id": None, "place": None, "page": None, "referrer": None, "utm": None}
    contact_id = tx.insert(
        _INSERT, name=name, folded=fold(name), company_id=company_id, language=language, now=tx.now, **empty
    )
    words.add(tx, contact_id, [*words.words(name), *words.words(company or "")])
    tx.record(ContactCreated(), by=by, contact_id=contact_id)
    for number, (kind, value) in enumerate(points_):
        add_point(tx, by, contact_id, kind, value, country=country, field=f"points.{number}.value")
    return contact_id


def add_point(
    tx: Tx, by: Actor, contact_id: int, kind: str, value: str, *, country: str | None = None, field: str = "value"
) -> int:
    """A point typed by an agent. Refused when another contact has it: whether they are one is for a person to say."""
    from hub.connector import Point

    point_id = points.add(tx, contact_id, Point(kind, value), "typed", by, country=country, field=field)
    if point_id is None:
        raise points.taken(kind, field)
    return point_id


def remove_point(tx: Tx, by: Actor, contact_id: int, point_id: int) -> None:
    if tx.value(_POINT, id=point_id) != contact_id:
        raise not_found("contact point")
    if tx.value(_POINT_USED, id=point_id) is not None:
        raise Refusal(
            "conflict", "Something was sent to it or a consent hangs on it, so it stays. Record a refusal instead."
        )
    tx.run(_REMOVE_POINT, id=point_id)
    words.renew(tx, contact_id)
    tx.record(ContactPointRemoved(point_id=point_id), by=by, contact_id=contact_id)


def change(
    tx: Tx,
    by: Actor,
    contact_id: int,
    *,
    name: str | None = None,
    company: str | None = None,
    language: str | None = None,
    title: str | None = None,
    zone: str | None = None,
    owner_id: int | Unset | None = msgspec.UNSET,
    next_contact_at: int | Unset | None = msgspec.UNSET,
    blocked: bool | None = None,
    also: tuple[str, ...] = (),
    reason: str | None = None,
) -> None:
    """Changes what is given. An empty `company`, `language`, `title` or `zone` takes it away. `also`: what else of the
    contact the caller has just changed, for the one event that tells of it all."""
    was = get(tx, contact_id)
    changed: list[str] = []
    if name is not None and name != was.name:
        name = clean(name, "name", most=MAX_NAME, lines=False)
        tx.run(_RENAME, id=contact_id, name=name, folded=fold(name), now=tx.now)
        changed.append("name")
    if company is not None:
        company_id = companies.ensure(tx, company, by) if company.strip() else None
        if company_id != was.company_id:
            tx.run(_SET_COMPANY, id=contact_id, company_id=company_id, now=tx.now)
            changed.append("company")
    if language is not None and (language or None) != was.language:
        language = clean(language, "language", most=MAX_LINE, least=0, lines=False)
        tx.run(_SET_LANGUAGE, id=contact_id, language=language or None, now=tx.now)
        changed.append("language")
    if title is not None and (title or None) != was.title:
        title = clean(title, "title", most=MAX_NAME, least=0, lines=False)
        tx.run(_SET_TITLE, id=contact_id, title=title or None, now=tx.now)
        changed.append("title")
    if zone is not None and (zone or None) != was.zone:
        tx.run(_SET_ZONE, id=contact_id, zone=zone or None, now=tx.now)
        changed.append("zone")
    if not isinstance(owner_id, Unset) and owner_id != was.owner_id:
        if owner_id is not None and tx.value(_AGENT, id=owner_id) is None:
            raise invalid("owner_id", "There is no such agent, or they are disabled.")
        tx.run(_SET_OWNER, id=contact_id, owner_id=owner_id, now=tx.now)
        changed.append("owner_id")
    if not isinstance(next_contact_at, Unset) and next_contact_at != was.next_contact_at:
        tx.run(_SET_NEXT, id=contact_id, at=next_contact_at, now=tx.now)
        changed.append("next_contact_at")
    if blocked is not None and blocked != (was.blocked_at is not None):
        tx.run(
            _SET_BLOCKED,
            id=contact_id,
            blocked_at=tx.now if blocked else None,
            reason=clean(reason, "reason", most=MAX_LINE, lines=False) if blocked and reason else None,
            by=by.id if blocked and by.kind == "agent" else None,
            now=tx.now,
        )
        changed.append("blocked")
    if also:
        tx.run(_TOUCH, id=contact_id, now=tx.now)
        changed += also
    if not changed:
        return
    if not _FOUND_BY.isdisjoint(changed):
        words.renew(tx, contact_id)
    tx.record(ContactChanged(fields=tuple(changed)), by=by, contact_id=contact_id)


_FOUND_BY: Final = frozenset(("name", "company", "title", "fields"))
