"""Fields of one's own on contacts: what a firm wants to know of its customers, typed, checked, found by search.

A field's type never changes: its values would no longer be of it. A choice that is taken out of the list stays where it
was chosen. Removing a field hides it and its values at once; a job then clears the values away.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from math import isfinite
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from hub.db import lanes
from hub.db.backend import Row
from hub.db.many import rows_of
from hub.db.tx import Rx, Tx
from hub.errors import Refusal, invalid, not_found
from hub.events import Actor, FieldChanged, FieldCreated, FieldRemoved
from hub.people import words
from hub.text import MAX_LINE, clean, fold

Type = Literal["text", "number", "date", "choice", "bool", "url"]
Value = str | int | float | bool
MOST: Final = 60  # fields
MAX_LABEL: Final = 60
MAX_TEXT: Final = 2_000
CHOICES: Final = 100
COMPARED: Final = 200  # characters of a value that a filter compares
LARGEST: Final = 1e15  # beyond it a browser's numbers are no longer exact
CLEAR: Final = "own_field_clear"  # the job
AT_ONCE: Final = 50
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DATE: Final = re.compile(r"[1-9]\d{3}-\d\d-\d\d", re.ASCII)


class Field(msgspec.Struct, frozen=True):
    """`key` names it in the API and in exports, `label` on the screen."""

    id: int
    of: str
    key: str
    label: str
    type: Type
    choices: tuple[str, ...]
    required: bool


_COLUMNS = "id, about, key, label, type, choices, required"
_ALL = f"SELECT {_COLUMNS} FROM own_field WHERE removed_at IS NULL ORDER BY id"
_SOME = f"SELECT {_COLUMNS} FROM own_field"
_THERE: Final = "own_field.removed_at IS NULL"
_ONE = f"SELECT {_COLUMNS} FROM own_field WHERE id = :id AND removed_at IS NULL"
_TAKEN = "SELECT id FROM own_field WHERE about = 'contact' AND key = :key"
_INSERT = """
INSERT INTO own_field (about, key, label, type, choices, required, created_at)
VALUES ('contact', :key, :label, :type, :choices, :required, :now) RETURNING id"""
_UPDATE = "UPDATE own_field SET label = :label, choices = :choices, required = :required WHERE id = :id"
_REMOVE = "UPDATE own_field SET removed_at = :now, key = NULL WHERE id = :id"
_DROP = "DELETE FROM own_field WHERE id = :id AND removed_at IS NOT NULL"
_HOLDERS = "SELECT contact_id FROM contact_field WHERE field_id = :id ORDER BY contact_id LIMIT :limit"

_VALUES = """
SELECT contact_field.contact_id, own_field.key, contact_field.value
FROM contact_field JOIN own_field ON own_field.id = contact_field.field_id"""
_PUT = """
INSERT INTO contact_field (contact_id, field_id, value, folded) VALUES (:contact_id, :field_id, :value, :folded)
ON CONFLICT (contact_id, field_id) DO UPDATE SET value = excluded.value, folded = excluded.folded"""
_TAKE_AWAY = "DELETE FROM contact_field WHERE contact_id = :contact_id AND field_id = :field_id"


# --- the fields ------------------------------------------------------------------------------------------------------


def all_of_them(rx: Rx) -> list[Field]:
    return [_field(row) for row in rx.rows(_ALL)]


def get(rx: Rx, field_id: int) -> Field:
    row = rx.row(_ONE, id=field_id)
    if row is None:
        raise not_found("field")
    return _field(row)


def by_ids(rx: Rx, ids: Iterable[int]) -> dict[int, Field]:
    return {row[0]: _field(row) for row in rows_of(rx, _SOME, "id", ids, where=_THERE)}


def create(
    tx: Tx, by: Actor, *, key: str, label: str, type: Type, choices: tuple[str, ...] = (), required: bool = False
) -> int:
    if not _KEY.fullmatch(key):
        raise invalid("key", "A key has up to 40 small letters, digits and _, and begins with a letter: membership_no.")
    if tx.value(_TAKEN, key=key) is not None:
        raise Refusal("conflict", "There is a field with this key already. Choose another.", field="key")
    if len(all_of_them(tx)) >= MOST:
        raise Refusal("conflict", f"There are {MOST} fields already. Remove one that nobody fills in.")
    label = clean(label, "label", most=MAX_LABEL, lines=False)
    field_id = tx.insert(
        _INSERT,
        key=key,
        label=label,
        type=type,
        choices=_stored(_choices(type, choices)),
        required=int(required),
        now=tx.now,
    )
    tx.record(FieldCreated(own_field_id=field_id), by=by)
    return field_id


def change(
    tx: Tx,
    by: Actor,
    field_id: int,
    *,
    label: str | None = None,
    choices: tuple[str, ...] | None = None,
    required: bool | None = None,
) -> None:
    """Only what is given changes."""
    was = get(tx, field_id)
    now = msgspec.structs.replace(
        was,
        label=was.label if label is None else clean(label, "label", most=MAX_LABEL, lines=False),
        choices=was.choices if choices is None else _choices(was.type, choices),
        required=was.required if required is None else required,
    )
    if now != was:
        tx.run(_UPDATE, id=field_id, label=now.label, choices=_stored(now.choices), required=int(now.required))
        tx.record(FieldChanged(own_field_id=field_id), by=by)


def remove(tx: Tx, by: Actor, field_id: int) -> None:
    get(tx, field_id)
    tx.run(_REMOVE, id=field_id, now=tx.now)
    tx.enqueue(CLEAR, {"field_id": field_id}, lane=lanes.HOUSEKEEPING)
    tx.record(FieldRemoved(own_field_id=field_id), by=by)


def clear(tx: Tx, payload: Mapping[str, int]) -> None:
    """The job: a field's values go, a few contacts at a time, and at last the field itself."""
    field_id = payload["field_id"]
    holders = tx.rows(_HOLDERS, id=field_id, limit=AT_ONCE)
    for (contact_id,) in holders:
        tx.run(_TAKE_AWAY, contact_id=contact_id, field_id=field_id)
        words.renew(tx, contact_id)
    if len(holders) == AT_ONCE:
        tx.enqueue(CLEAR, dict(payload), lane=lanes.HOUSEKEEPING)
    else:
        tx.run(_DROP, id=field_id)


def _choices(type: Type, given: tuple[str, ...]) -> tuple[str, ...]:
    if type != "choice":
        if given:
            raise invalid("choices", "Only a field of the type choice has choices.")
        return ()
    if not 1 <= len(given) <= CHOICES:
        raise invalid("choices", f"Give one to {CHOICES} choices.")
    found = tuple(clean(one, f"choices.{n}", most=100, lines=False) for n, one in enumerate(given))
    if len({fold(one) for one in found}) < len(found):
        raise invalid("choices", "The same choice stands there twice.")
    return found


def _stored(choices: tuple[str, ...]) -> str:
    return msgspec.json.encode(choices).decode()


def _field(row: Row) -> Field:
    return Field(
        row[0], row[1], row[2], row[3], row[4], msgspec.json.decode(row[5], type=tuple[str, ...]), bool(row[6])
    )


# --- their values ----------------------------------------------------------------------------------------------------


def of(rx: Rx, contact_id: int) -> dict[str, Value]:
    return of_contacts(rx, (contact_id,)).get(contact_id, {})


def of_contacts(rx: Rx, ids: Iterable[int]) -> dict[int, dict[str, Value]]:
    """contact → key → value, of those that have any."""
    found: dict[int, dict[str, Value]] = {}
    rows = rows_of(rx, _VALUES, "contact_field.contact_id", ids, " ORDER BY own_field.id", where=_THERE)
    for contact_id, key, value in rows:
        found.setdefault(contact_id, {})[key] = msgspec.json.decode(value)
    return found


def put(tx: Tx, contact_id: int, given: Mapping[str, Value | None], *, is_new: bool = False) -> bool:
    """Writes those that are given, null or "" takes one away; was there anything to do? `is_new`: what is required has
    to be given now. Who calls it records the change and renews the contact's words."""
    known = {field.key: field for field in all_of_them(tx)}
    if len(given) > MOST:
        raise invalid("fields", f"A contact has at most {MOST} fields.")
    for key in given:
        if key not in known:
            raise invalid(f"fields.{key[:MAX_LABEL]}", "There is no such field.")
    has = {} if is_new else of(tx, contact_id)
    if is_new:
        for field in known.values():
            if field.required and _is_empty(given.get(field.key)):
                raise invalid(f"fields.{field.key}", f"{field.label}: this is required.")
    changed = False
    for key, value in given.items():
        field, where = known[key], f"fields.{key}"
        if _is_empty(value):
            if field.required and key in has:
                raise invalid(where, f"{field.label}: this is required. Change it, but do not leave it out.")
            changed |= bool(tx.run(_TAKE_AWAY, contact_id=contact_id, field_id=field.id))
            continue
        assert value is not None
        checked = has[key] if has.get(key) == value and type(has[key]) is type(value) else check(field, value, where)
        if key not in has or has[key] != checked:
            text = msgspec.json.encode(checked).decode()
            tx.run(_PUT, contact_id=contact_id, field_id=field.id, value=text, folded=compared(checked))
            changed = True
    return changed


def _is_empty(value: Value | None) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def check(field: Field, value: Value, where: str) -> Value:
    """The value as it is kept, or a Refusal that says what it has to be."""
    match field.type:
        case "bool":
            if not isinstance(value, bool):
                raise invalid(where, "This is true or false.")
            return value
        case "number":
            return _number(value, where)
        case _ if not isinstance(value, str):
            raise invalid(where, "This has to be text.")
        case "date":
            return _day(value, where)
        case "choice":
            wanted = fold(value)
            found = next((choice for choice in field.choices if fold(choice) == wanted), None)
            if found is None:
                raise invalid(where, "This has to be one of: " + ", ".join(field.choices[:20]) + ".")
            return found
        case "url":
            return _url(value, where)
        case _:
            return clean(value, where, most=MAX_TEXT).strip()


def asked(field: Field, text: str, where: str) -> str:
    """What a filter's text is compared with."""
    text = clean(text, where, most=MAX_LINE, least=0)
    if field.type == "bool":
        if text not in ("true", "false"):
            raise invalid(where, "This is true or false.")
        return text
    if field.type == "number":
        try:
            return compared(_number(float(text), where))
        except ValueError:
            raise invalid(where, "This has to be a number.") from None
    if field.type == "date":
        return _day(text, where)
    return compared(text)


def compared(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format(value, ".15g") if value else "0"  # minus nought is nought
    return fold(value)[:COMPARED]


def _number(value: Value, where: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(where, "This has to be a number.")
    if not isfinite(value) or abs(value) > LARGEST:
        raise invalid(where, "This number is too large.")
    return int(value) if value == int(value) else value


def _day(value: str, where: str) -> str:
    try:
        return date.fromisoformat(value if _DATE.fullmatch(value) else "").isoformat()
    except ValueError:
        raise invalid(where, "This has to be a day that there is, written like 2026-02-28.") from None


def _url(value: str, where: str) -> str:
    """The whole of it is parsed and the scheme compared: searching for one finds it in the middle, too."""
    value = clean(value, where, most=MAX_TEXT, lines=False).strip()
    wrong = invalid(where, "This has to be a web address that begins with https:// or http://.")
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        raise wrong from None
    if not has_host or parts.scheme not in ("http", "https") or not value.isprintable() or {" ", "\\"} & set(value):
        raise wrong
    return value
