"""Which contacts an agent may see, one by one and as a list: those with a ticket that the agent may see, and those
without any ticket (made by hand, imported), who are everybody's."""

from typing import Any

import msgspec

from hub.db import cursor as cursors
from hub.db.tx import Rx
from hub.errors import not_found
from hub.people import points
from hub.staff.access import Caller, visible
from hub.text import MAX_LINE, clean, fold

_EXISTS = "SELECT 1 FROM contact WHERE contact.id = :contact_id"
_ANY = "SELECT 1 FROM ticket WHERE ticket.contact_id = :contact_id"
_ROWS = """
SELECT contact.id, contact.name, company.name, contact.blocked_at, contact.created_at, contact.name_folded
FROM contact LEFT JOIN company ON company.id = contact.company_id"""
_POINT = "contact.id IN (SELECT contact_id FROM contact_point WHERE value = :value)"
_THEIRS = "ticket.contact_id = contact.id"


class ContactRow(msgspec.Struct, frozen=True):
    id: int
    name: str
    company: str | None
    blocked: bool
    created_at: int


def require_contact(rx: Rx, caller: Caller, contact_id: int) -> None:
    """Raises "not found" for a contact that is absent and for one that the caller may not see."""
    if rx.value(_EXISTS, contact_id=contact_id) is None:
        raise not_found("contact")
    if caller.grants.everything:
        return
    sees, params = visible(caller.grants)
    if rx.value(f"{_ANY} AND {sees} LIMIT 1", contact_id=contact_id, **params) is not None:
        return
    if rx.value(f"{_ANY} LIMIT 1", contact_id=contact_id) is not None:
        raise not_found("contact")


def _seen(caller: Caller) -> tuple[str, dict[str, Any]]:
    """The same as SQL over `contact`."""
    if caller.grants.everything:
        return "1 = 1", {}
    sees, params = visible(caller.grants)
    some, none = (f"SELECT 1 FROM ticket WHERE {_THEIRS} AND {sees}", f"SELECT 1 FROM ticket WHERE {_THEIRS}")
    return f"(EXISTS ({some}) OR NOT EXISTS ({none}))", params


def listed(
    rx: Rx,
    caller: Caller,
    *,
    name: str | None,
    point: str | None,
    country: str | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[ContactRow], str | None]:
    """By name. `name`: how it begins; `point`: an exact address or number, in any spelling."""
    sees, params = _seen(caller)
    where = [sees]
    if name is not None:
        prefix = fold(clean(name, "name", most=MAX_LINE, least=0))
        where.append("contact.name_folded >= :first AND contact.name_folded < :beyond")
        params |= {"first": prefix, "beyond": prefix + "\U0010ffff"}
    if point is not None:
        kind = points.EMAIL if "@" in point else points.PHONE
        params["value"] = points.normalise(kind, point, country, "point")[0]
        where.append(_POINT)
    query = f"contacts {name!r} {point!r}"
    if cursor is not None:
        folded, last_id = cursors.read(query, cursor, (str, int))
        where.append("(contact.name_folded, contact.id) > (:folded, :last_id)")
        params |= {"folded": folded, "last_id": last_id}
    # Composed of constants of ours; every value is a parameter.
    sql = f"{_ROWS} WHERE {' AND '.join(where)} ORDER BY contact.name_folded, contact.id LIMIT :limit"
    rows = rx.rows(sql, **params, limit=limit + 1)
    items = [ContactRow(r[0], r[1], r[2], r[3] is not None, r[4]) for r in rows[:limit]]
    if len(rows) <= limit:
        return items, None
    last = rows[limit - 1]
    return items, cursors.make(query, (last[5], last[0]))
