"""Contact points: what counts as the same e-mail address or phone number, and who has it."""

import unicodedata
from functools import lru_cache
from typing import Any, Final

from hub.connector import Point, Sureness
from hub.db.tx import Rx, Tx
from hub.errors import Refusal, invalid
from hub.events import Actor, ContactPointAdded
from hub.people import words
from hub.text import clean

EMAIL: Final = "email"
PHONE: Final = words.PHONE
MAX_EMAIL: Final = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
SURENESS: Final = ("typed", "attested", "verified")


def normalise(kind: str, value: str, country: str | None = None, field: str = "value") -> tuple[str, str]:
    """(normalised, as a person would write it). `country`: ISO 3166 two letters, for numbers without a +.

    E-mail and phone have rules of their own; any other kind is an id that its channel gave and stays as it came.
    Raises Refusal naming `field`.
    """
    value = clean(value, field, most=500, lines=False).strip()
    if kind == EMAIL:
        return _email(value, field)
    if kind == PHONE:
        return _phone(value, country, field)
    return value, value


@lru_cache(4_096)  # the same people write again and again, and these rules are the dearest step of taking a message in
def _email(value: str, field: str) -> tuple[str, str]:
    """RFC 5321/6531 without comments, quoting or literals. The local part is folded too: no provider in use tells
    Ann@ from ann@, and people write both."""
    from email_validator import EmailNotValidError, validate_email  # 30 ms to import: not before it is needed

    if len(value) > MAX_EMAIL:
        raise invalid(field, f"An e-mail address has at most {MAX_EMAIL} characters.")
    try:
        found = validate_email(value, check_deliverability=False, allow_smtputf8=True, strict=True)
    except EmailNotValidError as error:
        raise invalid(field, f"This is not an e-mail address. {error}") from None
    shown = found.normalized
    local, _, domain = shown.rpartition("@")
    return f"{unicodedata.normalize('NFKC', local).casefold()}@{domain.casefold()}", shown


# Digits of other scripts are digits (libphonenumber knows most); these marks of direction come along when copied.
_MARKS: Final = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"))


@lru_cache(4_096)
def _phone(value: str, country: str | None, field: str) -> tuple[str, str]:
    import phonenumbers  # 40 ms and 8 MiB: not before it is needed

    text = unicodedata.normalize("NFKC", value.translate(_MARKS))
    if text.count("+") > 1:
        raise invalid(field, "This is not a phone number: it has more than one plus sign.")
    if country is None and not text.startswith(("+", "00")):
        raise invalid(field, "Write the number with its country code, for example +251 11 123 4567.")
    if country is None and text.startswith("00"):
        text = "+" + text[2:]
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        raise invalid(field, "This is not a phone number.") from None
    if not phonenumbers.is_valid_number(number):
        raise invalid(field, "There is no such phone number. Is a digit missing?")
    if number.extension:
        # The extension is how to be put through, not who is reached: one line is one contact point.
        number.extension = None
    return (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL),
    )


_FIND = """
SELECT contact_point.id, contact_point.contact_id, contact_point.sureness, contact.blocked_at, contact.seen_at
FROM contact_point JOIN contact ON contact.id = contact_point.contact_id
WHERE contact_point.kind = :kind AND contact_point.scope = :scope AND contact_point.value = :value"""
_INSERT = """
INSERT INTO contact_point (contact_id, kind, scope, value, shown, sureness, created_at)
VALUES (:contact_id, :kind, :scope, :value, :shown, :sureness, :now)
ON CONFLICT (kind, scope, value) DO NOTHING
RETURNING id"""
_SURER = "UPDATE contact_point SET sureness = :sureness WHERE id = :id"
_OF = """
SELECT id, kind, scope, value, shown, sureness FROM contact_point WHERE contact_id = :contact_id ORDER BY id"""
_OF_KINDS = """
SELECT id, kind, scope, value FROM contact_point
WHERE contact_id = :contact_id AND kind = :kind AND scope IN ('', :scope)
ORDER BY CASE sureness WHEN 'verified' THEN 0 WHEN 'attested' THEN 1 ELSE 2 END, id
LIMIT 1"""


def find(rx: Rx, kind: str, scope: str, value: str) -> tuple[int, int, str, int | None, int] | None:
    """(point id, contact id, sureness, blocked at, last seen at) of a normalised value, or None."""
    return rx.row(_FIND, kind=kind, scope=scope, value=value)


def add(
    tx: Tx,
    contact_id: int,
    point: Point,
    sureness: Sureness,
    by: Actor,
    *,
    country: str | None = None,
    field: str = "value",
) -> int | None:
    """The new point's id; None when somebody has it already (then it is for a person to judge whether they are one)."""
    value, shown = normalise(point.kind, point.value, country, field)
    found = tx.row(
        _INSERT,
        contact_id=contact_id,
        kind=point.kind,
        scope=point.scope,
        value=value,
        shown=shown,
        sureness=sureness,
        now=tx.now,
    )
    if found is None:
        return None
    words.add(tx, contact_id, words.of_point(point.kind, value))
    tx.record(ContactPointAdded(point_id=found[0], sureness=sureness), by=by, contact_id=contact_id)
    return int(found[0])


def make_surer(tx: Tx, point_id: int, was: str, now_is: Sureness) -> None:
    """Sureness only ever grows: that it was typed later does not undo that it was proven."""
    if SURENESS.index(now_is) > SURENESS.index(was):
        tx.run(_SURER, id=point_id, sureness=now_is)


def of(rx: Rx, contact_id: int) -> list[tuple[Any, ...]]:
    """(id, kind, scope, value, shown, sureness) of each, oldest first."""
    return rx.rows(_OF, contact_id=contact_id)


def best(rx: Rx, contact_id: int, kinds: tuple[str, ...], scope: str) -> tuple[int, Point] | None:
    """The surest of the contact's points that a channel reaching `kinds` can send to, in the order of `kinds`."""
    for kind in kinds:
        row = rx.row(_OF_KINDS, contact_id=contact_id, kind=kind, scope=scope)
        if row is not None:
            return row[0], Point(kind=row[1], scope=row[2], value=row[3])
    return None


def taken(kind: str, field: str = "value") -> Refusal:
    return Refusal("conflict", f"Another contact already has this {kind}. Open that contact instead.", field=field)
