"""What visitors type about themselves before a chat: it helps to reach them and proves nothing."""

from typing import Any, Final

import msgspec

from hub.connector import Consent, LiveSettings, Point, Sender, Source
from hub.db.tx import Tx
from hub.desk.inboxes import Inbox
from hub.desk.settings import build
from hub.desk.visitors import waiting
from hub.desk.visitors.row import Visitor, must, record, update
from hub.errors import FieldError, Refusal, invalid
from hub.events import Actor, VisitorChanged
from hub.people import consents, contacts, points
from hub.text import MAX_LINE, MAX_NAME, clean

POINT: Final = "visitor"
_HAS_POINT = "SELECT 1 FROM contact_point WHERE contact_id = :contact_id AND kind = :kind LIMIT 1"
_NAME = "SELECT name FROM contact WHERE id = :id"
_LABELS: Final = {
    "name": "your name",
    "email": "your e-mail address",
    "phone": "your phone number",
    "subject": "what it is about",
}


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As typed, e-mail and phone as a person would write them. `consent`: they ticked the box. `answer_me`: the words
    in which they agreed to be answered by e-mail."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    subject: str | None = None
    consent: bool = False
    answer_me: str | None = None


def settings(inbox: Inbox) -> LiveSettings:
    """What the hub reads of them; the secret is not among these."""
    found: LiveSettings = build(LiveSettings, inbox.settings)
    return found


def typed(visitor: Visitor) -> Details:
    return msgspec.json.decode(visitor.typed, type=Details) if visitor.typed else Details()


def leave_details(tx: Tx, visitor: Visitor, inbox: Inbox, details: Details) -> Visitor:
    """Kept with the visitor and, as soon as there is one, with their contact. What somebody else has already joins
    nobody: it stays with the first message, where an agent sees it."""
    visitor = before = must(tx, visitor.id)
    given = _checked(details, inbox.common.default_country)
    was = typed(visitor)
    kept = Details(
        name=given.name or was.name,
        email=given.email or was.email,
        phone=given.phone or was.phone,
        subject=given.subject or was.subject,
    )
    visitor = keep(tx, visitor, kept)
    if details.consent and visitor.consented_at is None:
        visitor = update(tx, visitor.id, consented_at=tx.now)
    if visitor.contact_id is not None:
        _apply(tx, visitor, visitor.contact_id, inbox, kept)
        if details.consent:
            _consent(tx, visitor, inbox)
        if given.email and details.answer_me:
            _may_answer(tx, visitor.contact_id, inbox, given.email, details.answer_me)
    if visitor != before:
        record(tx, visitor, VisitorChanged(visitor_id=visitor.id))
    return visitor


def keep(tx: Tx, visitor: Visitor, known: Details) -> Visitor:
    return update(tx, visitor.id, typed=msgspec.json.encode(known).decode() if known != Details() else None)


def ensure_contact(tx: Tx, visitor: Visitor, inbox: Inbox) -> Visitor:
    """The visitor with a contact, made now if they have none."""
    if visitor.contact_id is not None:
        return visitor
    known = typed(visitor)
    who = contacts.recognise(
        tx,
        Sender(
            Point(POINT, str(visitor.id), inbox.token),
            name=known.name or nameless(visitor.id),
            sureness="attested",
            language=visitor.language,
        ),
        inbox_id=inbox.id,
        country=inbox.common.default_country,
        source=source(visitor),
        how=inbox.kind,
    )
    visitor = update(tx, visitor.id, contact_id=who.contact_id)
    _apply(tx, visitor, who.contact_id, inbox, known)
    if visitor.consented_at is not None:
        _consent(tx, visitor, inbox)
    return visitor


def source(visitor: Visitor) -> Source:
    return Source(place=visitor.site, page=visitor.page, referrer=visitor.referrer)


def nameless(visitor_id: int) -> str:
    """What a contact is called until we know better."""
    return f"Visitor {visitor_id}"


def require_for_a_new_ticket(tx: Tx, visitor: Visitor, inbox: Inbox) -> None:
    """Raises a Refusal that names every field which has to be filled in first. Whom the site has signed is asked
    nothing, but for the consent."""
    wanted = settings(inbox)
    known = typed(visitor)
    wrong: list[FieldError] = []
    if wanted.consent and visitor.consented_at is None:
        wrong.append(FieldError("consent", "Tick the box first: without it we may not keep what you write."))
    if visitor.verified_at is None:
        asked = {field.removesuffix("*") for field in wanted.ask if field.endswith("*")}
        if waiting.is_closed(tx, inbox, wanted):
            asked.add("email")
        wrong += [
            FieldError(field, f"Please add {label}, so that we can answer you.")
            for field, label in _LABELS.items()
            if field in asked and not getattr(known, field) and not _has(tx, visitor, field)
        ]
    elif waiting.is_closed(tx, inbox, wanted) and not known.email and not _has(tx, visitor, points.EMAIL):
        wrong.append(FieldError("email", "Nobody is here now. Please add your e-mail address, so that we can answer."))
    if wrong:
        raise Refusal("invalid", wrong[0].text, errors=tuple(wrong))


def _has(tx: Tx, visitor: Visitor, kind: str) -> bool:
    return visitor.contact_id is not None and tx.value(_HAS_POINT, contact_id=visitor.contact_id, kind=kind) is not None


def _checked(details: Details, country: str | None) -> Details:
    """Cleaned, or a Refusal that names every field that is wrong."""
    found: dict[str, Any] = {}
    wrong: list[FieldError] = []
    for field in _LABELS:
        value = getattr(details, field)
        if not value or not value.strip():
            continue
        try:
            if field in (points.EMAIL, points.PHONE):
                if "\n" in value or "\r" in value:
                    raise invalid(field, "This has to stand in one line.")
                found[field] = points.normalise(field, value, country, field)[1]
            else:
                most = MAX_NAME if field == "name" else MAX_LINE
                found[field] = clean(value, field, most=most, lines=False).strip()
        except Refusal as error:
            wrong += error.errors
    if wrong:
        raise Refusal("invalid", wrong[0].text, errors=tuple(wrong))
    return Details(**found)


def _apply(tx: Tx, visitor: Visitor, contact_id: int, inbox: Inbox, known: Details) -> None:
    by = Actor("contact", contact_id)
    if known.name and tx.value(_NAME, id=contact_id) == nameless(visitor.id):
        contacts.change(tx, by, contact_id, name=known.name)
    for kind in (points.EMAIL, points.PHONE):
        value = getattr(known, kind)
        if value:
            points.add(tx, contact_id, Point(kind, value), "typed", by, country=inbox.common.default_country)


def _may_answer(tx: Tx, contact_id: int, inbox: Inbox, email: str, words: str) -> None:
    """Theirs alone: an address that somebody else has says nothing about that one."""
    kind = points.EMAIL
    found = points.find(tx, kind, "", points.normalise(kind, email, inbox.common.default_country, kind)[0])
    if found is None or found[1] != contact_id:
        return
    wording = clean(words, "answer_me", most=MAX_LINE, lines=False)
    consent = Consent(consents.SUPPORT, True, wording)
    consents.put(tx, found[0], contact_id, consent, how=inbox.kind, by=Actor("contact", contact_id), inbox_id=inbox.id)


def _consent(tx: Tx, visitor: Visitor, inbox: Inbox) -> None:
    wording = settings(inbox).consent
    point = points.find(tx, POINT, inbox.token, str(visitor.id))
    if wording and point is not None and consents.current(tx, point[0], "privacy") is not True:
        owner = point[1]  # who this browser was before the site said who they are
        consent = Consent("privacy", True, wording)
        consents.put(tx, point[0], owner, consent, how=inbox.kind, by=Actor("contact", owner), inbox_id=inbox.id)
