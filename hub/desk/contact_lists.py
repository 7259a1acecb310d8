"""Which contacts an agent may see, one by one and as a list: those with a ticket that the agent may see, and those
without any ticket (made by hand, imported), who are everybody's.

A list is found in one of two ways. Where some filter leaves few contacts, those few are looked at and put in order;
else the list is walked in its order, along an index, and each contact is held against the filters. So neither a rare
word nor a common one is slow among a hundred thousand contacts.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from hub.db import cursor as cursors
from hub.db.many import some
from hub.db.tx import Rx
from hub.desk import contact_rows, tags
from hub.desk.contact_rows import ContactRow as ContactRow
from hub.errors import invalid, not_found
from hub.people import fields, points, words
from hub.staff.access import Caller, visible
from hub.text import MAX_LINE, clean, fold

FEW: Final = 2_000
NEVER: Final = 9_007_199_254_740_991  # where whoever has no date for the next contact stands in order

_EXISTS = "SELECT has_ticket FROM contact WHERE contact.id = :contact_id"
_ANY = "SELECT 1 FROM ticket WHERE ticket.contact_id = :contact_id"
_THEIRS = "ticket.contact_id = contact.id"
_COMPANY = "SELECT id FROM company WHERE name_folded = :folded"
_OPEN = "ticket.status IN ('open', 'pending', 'snoozed') AND ticket.spam = 0"
_NEXT: Final = f"COALESCE(contact.next_contact_at, {NEVER})"

Sort = Literal["name", "newest", "next_contact", "last_seen"]
# sort → (what is compared, the type of it, the last comes first)
SORTS: Final[dict[Sort, tuple[str, type, bool]]] = {
    "name": ("contact.name_folded", str, False),
    "newest": ("contact.created_at", int, True),
    "next_contact": (_NEXT, int, False),
    "last_seen": ("contact.seen_at", int, True),
}


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows; all that is given must hold. `q`: words of name, title, company, address, number or fields of
    one's own, each as it begins. `point`: an exact address or number in any spelling; `name`: how the whole name
    begins. `next_contact`: due already, by the end of today, or within seven days, in the time zone `zone`. `field`:
    each "key:value"."""

    q: str | None = None
    name: str | None = None
    point: str | None = None
    country: str | None = None
    owner_id: int | None = None
    tag: str | None = None
    company: str | None = None
    has_open: bool = False
    next_contact: Literal["overdue", "today", "week"] | None = None
    zone: str = "UTC"
    field: tuple[str, ...] = ()


class Condition(NamedTuple):
    """`ids`: the statement that finds all contacts for which it holds; `holds`: the same over one `contact`, written so
    that no database takes an index of its own for it."""

    ids: str
    holds: str
    params: dict[str, Any]


def require_contact(rx: Rx, caller: Caller, contact_id: int) -> None:
    """Raises "not found" for a contact that is absent and for one that the caller may not see."""
    has_ticket = rx.value(_EXISTS, contact_id=contact_id)
    if has_ticket is None:
        raise not_found("contact")
    if caller.grants.everything or not has_ticket:
        return
    sees, params = visible(caller.grants)
    if rx.value(f"{_ANY} AND {sees} LIMIT 1", contact_id=contact_id, **params) is None:
        raise not_found("contact")


def listed(
    rx: Rx, caller: Caller, wanted: Filter, *, sort: Sort = "name", limit: int = 50, cursor: str | None = None
) -> tuple[list[ContactRow], str | None]:
    """A page, and where the next begins (None: this was the last)."""
    column, kind, down = SORTS[sort]
    query = f"contacts {sort} {msgspec.json.encode(wanted).decode()}"
    after = cursors.read(query, cursor, (kind, int)) if cursor is not None else None
    conditions = conditions_of(rx, caller, wanted)
    if conditions is None:
        return [], None
    order = f"ORDER BY {column}{' DESC' if down else ''}, contact.id{' DESC' if down else ''}"
    found = _in_order(rx, conditions, column, order, after, down, limit + 1)
    rows = contact_rows.by_ids(rx, [contact_id for _, contact_id in found[:limit]])
    items = [rows[contact_id] for _, contact_id in found[:limit]]
    return items, cursors.make(query, found[limit - 1]) if len(found) > limit else None


def _in_order(
    rx: Rx,
    conditions: list[Condition],
    column: str,
    order: str,
    after: tuple[Any, ...] | None,
    down: bool,
    limit: int,
) -> list[tuple[Any, int]]:
    """(what is compared, id) of the first so many behind `after`."""
    few = few_of(rx, conditions)
    columns = f"{column}, contact.id"
    where, params = holding(conditions)
    if after is not None:
        where.append(f"({columns}) {'<' if down else '>'} (:after, :after_id)")
        params |= {"after": after[0], "after_id": after[1]}
    # Composed of constants of ours; every value is a parameter.
    condition = " AND ".join(where or ["1 = 1"])
    sql = f"SELECT {columns} FROM contact WHERE {condition}"
    if few is None:
        return [(row[0], row[1]) for row in rx.rows(f"{sql} {order} LIMIT :limit", **params, limit=limit)]
    found: list[tuple[Any, int]] = []
    for names, ids in some(few):
        found += [(row[0], row[1]) for row in rx.rows(f"{sql} AND contact.id IN {names}", **ids, **params)]
    return sorted(found, reverse=down)[:limit]


def few_of(rx: Rx, conditions: Iterable[Condition]) -> set[int] | None:
    """The contacts that the narrowest conditions leave, where one of them leaves few; None where none does."""
    few: set[int] | None = None
    for condition in conditions:
        if not condition.ids:
            continue
        if few is not None and len(few) <= 50:
            break  # fewer are hardly worth another look
        ids = {row[0] for row in rx.rows(f"{condition.ids} LIMIT :few", **condition.params, few=FEW + 1)}
        if len(ids) <= FEW:
            few = ids if few is None else few & ids
    return few


def holding(conditions: Iterable[Condition]) -> tuple[list[str], dict[str, Any]]:
    where: list[str] = []
    params: dict[str, Any] = {}
    for condition in conditions:
        where.append(condition.holds)
        params |= condition.params
    return where, params


# --- filters ---------------------------------------------------------------------------------------------------------


def conditions_of(rx: Rx, caller: Caller, wanted: Filter) -> list[Condition] | None:
    """All that has to hold, the narrowest first as far as can be told; None: nothing can be found."""
    found: list[Condition] = []
    if wanted.point is not None:
        found.append(_point(wanted.point, wanted.country))
    for number, key_and_value in enumerate(wanted.field):
        found.append(_field(rx, number, key_and_value))
    if wanted.company is not None:
        company_id = rx.value(_COMPANY, folded=fold(clean(wanted.company, "company", most=MAX_LINE, least=0)))
        if company_id is None:
            return None
        found.append(_of_company(company_id))
    if wanted.tag is not None:
        tag_id = tags.find(rx, clean(wanted.tag, "tag", most=MAX_LINE, least=0))
        if tag_id is None:
            return None
        found.append(_tagged(tag_id))
    if wanted.owner_id is not None:
        found.append(
            Condition(
                "SELECT contact.id FROM contact WHERE contact.owner_id = :owner_id",
                "+contact.owner_id = :owner_id",
                {"owner_id": wanted.owner_id},
            )
        )
    if wanted.q is not None:
        asked = words.asked(clean(wanted.q, "q", most=MAX_LINE, least=0))
        if not asked and wanted.q.strip():
            return None  # signs alone are no word of anybody
        # The longest is most likely the rarest.
        found += [_word(n, word) for n, word in enumerate(sorted(asked, key=len, reverse=True))]
    if wanted.name is not None:
        prefix = fold(clean(wanted.name, "name", most=MAX_LINE, least=0))
        found.append(
            Condition(
                "SELECT contact.id FROM contact WHERE contact.name_folded >= :first AND contact.name_folded < :beyond",
                "contact.name_folded >= :first AND contact.name_folded < :beyond",
                {"first": prefix, "beyond": prefix + words.BEYOND},
            )
        )
    if wanted.next_contact is not None:
        found.append(
            Condition(
                f"SELECT contact.id FROM contact WHERE {_NEXT} < :next",
                f"{_NEXT} < :next",
                {"next": _until(rx.now, wanted.next_contact, wanted.zone)},
            )
        )
    if wanted.has_open:
        sees, params = visible(caller.grants)
        found.append(
            Condition(
                f"SELECT ticket.contact_id FROM ticket WHERE {_OPEN} AND {sees}",
                f"EXISTS (SELECT 1 FROM ticket WHERE {_THEIRS} AND {_OPEN} AND {sees})",
                params,
            )
        )
    return found + seen(caller)


def seen(caller: Caller) -> list[Condition]:
    """Who may see which, as a condition like the others."""
    if caller.grants.everything:
        return []
    sees, params = visible(caller.grants)
    return [
        Condition(
            f"SELECT ticket.contact_id FROM ticket WHERE {sees}"
            " UNION ALL SELECT contact.id FROM contact WHERE contact.has_ticket = 0",
            f"(contact.has_ticket = 0 OR EXISTS (SELECT 1 FROM ticket WHERE {_THEIRS} AND {sees}))",
            params,
        )
    ]


def _point(text: str, country: str | None) -> Condition:
    kind = points.EMAIL if "@" in text else points.PHONE
    condition = "contact_point.kind = :kind AND contact_point.scope = '' AND contact_point.value = :value"
    return Condition(
        f"SELECT contact_point.contact_id FROM contact_point WHERE {condition}",
        f"EXISTS (SELECT 1 FROM contact_point WHERE contact_point.contact_id = contact.id AND {condition})",
        {"kind": kind, "value": points.normalise(kind, text, country, "point")[0]},
    )


def _word(number: int, word: str) -> Condition:
    condition = f"contact_word.word >= :word{number} AND contact_word.word < :beyond{number}"
    return Condition(
        f"SELECT contact_word.contact_id FROM contact_word WHERE {condition}",
        f"EXISTS (SELECT 1 FROM contact_word WHERE contact_word.contact_id = contact.id AND {condition})",
        {f"word{number}": word, f"beyond{number}": word + words.BEYOND},
    )


def _field(rx: Rx, number: int, key_and_value: str) -> Condition:
    key, colon, text = key_and_value.partition(":")
    field = next((one for one in fields.all_of_them(rx) if one.key == key), None)
    if field is None or not colon:
        raise invalid(f"field.{number}", "Write key:value, with the key of a field that there is.")
    condition = f"contact_field.field_id = :field{number} AND contact_field.folded = :value{number}"
    return Condition(
        f"SELECT contact_field.contact_id FROM contact_field WHERE {condition}",
        f"EXISTS (SELECT 1 FROM contact_field WHERE contact_field.contact_id = contact.id AND {condition})",
        {f"field{number}": field.id, f"value{number}": fields.asked(field, text, f"field.{number}")},
    )


def _of_company(company_id: int) -> Condition:
    return Condition(
        "SELECT contact.id FROM contact WHERE contact.company_id = :company_id",
        "+contact.company_id = :company_id",
        {"company_id": company_id},
    )


def _tagged(tag_id: int) -> Condition:
    return Condition(
        f"SELECT contact_tag.contact_id FROM contact_tag WHERE contact_tag.tag_id IN ({tags.FAMILY})",
        "EXISTS (SELECT 1 FROM contact_tag WHERE contact_tag.contact_id = contact.id "
        f"AND contact_tag.tag_id IN ({tags.FAMILY}))",
        {"tag_id": tag_id},
    )


def _until(now: int, when: str, zone: str) -> int:
    if when == "overdue":
        return now
    try:
        here = datetime.fromtimestamp(now / 1000, ZoneInfo(zone))
    except (ValueError, OSError, LookupError):
        raise invalid("zone", "This is no time zone. Write one like Africa/Addis_Ababa.") from None
    days = 1 if when == "today" else 7
    end = (here + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(end.timestamp() * 1000)
