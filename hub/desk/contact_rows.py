"""A contact as lists and events show it: who they are in a line, the same for everybody who may see them."""

from collections.abc import Iterable
from typing import Final

import msgspec

from hub.db.many import rows_of
from hub.db.tx import Rx
from hub.desk import tags
from hub.people import fields
from hub.people.fields import Value


class ContactRow(msgspec.Struct, frozen=True, kw_only=True):
    """`point`: the surest address or number, as a person would write it. `seen_at`: when they last wrote; before that,
    when they were made."""

    id: int
    name: str
    title: str | None
    company: str | None
    language: str | None
    point: str | None
    blocked: bool
    owner_id: int | None
    next_contact_at: int | None
    seen_at: int
    created_at: int
    tags: tuple[str, ...]
    fields: dict[str, Value]


_ROWS = """
SELECT contact.id, contact.name, contact.title, company.name, contact.language, contact.blocked_at, contact.owner_id,
       contact.next_contact_at, contact.seen_at, contact.created_at
FROM contact LEFT JOIN company ON company.id = contact.company_id"""
_POINTS = "SELECT contact_id, shown FROM contact_point"
# The surest comes last, so that it stays.
_SUREST: Final = " ORDER BY CASE sureness WHEN 'verified' THEN 2 WHEN 'attested' THEN 1 ELSE 0 END, id DESC"


def by_ids(rx: Rx, ids: Iterable[int]) -> dict[int, ContactRow]:
    wanted = set(ids)
    shown: dict[int, str] = dict(rows_of(rx, _POINTS, "contact_id", wanted, _SUREST, where="scope = ''"))
    tagged = tags.of_contacts(rx, wanted)
    values = fields.of_contacts(rx, wanted)
    return {
        row[0]: ContactRow(
            id=row[0],
            name=row[1],
            title=row[2],
            company=row[3],
            language=row[4],
            point=shown.get(row[0]),
            blocked=row[5] is not None,
            owner_id=row[6],
            next_contact_at=row[7],
            seen_at=row[8],
            created_at=row[9],
            tags=tagged.get(row[0], ()),
            fields=values.get(row[0], {}),
        )
        for row in rows_of(rx, _ROWS, "contact.id", wanted)
    }
