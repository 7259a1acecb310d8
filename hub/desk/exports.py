"""Tickets and contacts as sheets, for spreadsheets and other programs: the filters of their lists, in the order in
which they were made, a slice at a time.

A slice is the next so many rows by id, whatever of them the filter leaves, so each read is short; what is deleted while
an export goes on is not in what comes after, and what is renamed is neither missed nor there twice. Each slice is
judged anew by what the caller may see then.
"""

from typing import Any, Final, Protocol

import msgspec

from hub.db.many import rows_of
from hub.db.tx import Rx, Tx
from hub.desk import contact_lists, contact_rows, lists, tags
from hub.desk.sheet import Cell, moment
from hub.events import Exported
from hub.people import fields, points
from hub.people.fields import Field
from hub.staff.access import Caller

SLICE: Final = 100


class Slice(msgspec.Struct, frozen=True):
    """`after`: the id that the next slice begins behind; None: this was the last."""

    rows: list[list[Cell]]
    after: int | None


class Sheet(Protocol):
    @property
    def head(self) -> list[Cell]: ...
    def slice(self, rx: Rx, caller: Caller, after: int) -> Slice: ...


def note(tx: Tx, caller: Caller, what: str) -> None:
    """That somebody took a copy of so much stands in the record."""
    tx.record(Exported(what=what), by=caller.actor)


# --- tickets ---------------------------------------------------------------------------------------------------------

_NEXT_TICKETS = "SELECT id FROM ticket WHERE id > :after ORDER BY id LIMIT :limit"
# The inner LIMIT keeps a database from looking for the rows in any other way than by their ids.
_TICKETS = """
SELECT ticket.id, ticket.number, ticket.subject, ticket.status, ticket.priority, ticket.spam, contact.id, contact.name,
       company.name, inbox.name, team.name, agent.name, ticket.created_at, ticket.last_message_at,
       ticket.waiting_since, ticket.snoozed_until, ticket.resolved_at, ticket.place, ticket.page, ticket.referrer,
       ticket.utm
FROM (SELECT * FROM ticket WHERE id > :after ORDER BY id LIMIT :limit) AS ticket
JOIN contact ON contact.id = ticket.contact_id
JOIN inbox ON inbox.id = ticket.inbox_id
LEFT JOIN company ON company.id = contact.company_id
LEFT JOIN team ON team.id = ticket.team_id
LEFT JOIN agent ON agent.id = ticket.assignee_id"""


class Tickets:
    head: Final[list[Cell]] = [
        *("number", "subject", "status", "priority", "spam", "contact_id", "contact", "company", "inbox", "team"),
        *("assignee", "tags", "opened", "last_message", "waiting_since", "snoozed_until", "resolved"),
        *("place", "page", "referrer", "utm"),
    ]

    def __init__(self, wanted: lists.Filter) -> None:
        self._wanted = wanted

    def slice(self, rx: Rx, caller: Caller, after: int) -> Slice:
        ids = [row[0] for row in rx.rows(_NEXT_TICKETS, after=after, limit=SLICE)]
        where, params = lists.matching(caller, self._wanted)
        # Composed of constants of ours; values are parameters.
        sql = f"{_TICKETS} WHERE {' AND '.join(where)} ORDER BY ticket.id"
        found = rx.rows(sql, after=after, limit=SLICE, **params)
        tagged = tags.of_tickets(rx, [row[0] for row in found])
        rows = [_ticket(row, tagged.get(row[0], ())) for row in found]
        return Slice(rows, ids[-1] if len(ids) == SLICE else None)


def _ticket(row: tuple[Any, ...], tagged: tuple[str, ...]) -> list[Cell]:
    return [
        *row[1:5],
        bool(row[5]),
        *row[6:12],
        "; ".join(tagged),
        *map(moment, row[12:17]),
        *row[17:20],
        _utm(row[20]),
    ]


def _utm(utm: str | None) -> str | None:
    return "; ".join(f"{k}: {v}" for k, v in msgspec.json.decode(utm).items()) if utm else None


# --- contacts --------------------------------------------------------------------------------------------------------

_NEXT_CONTACTS = "SELECT id FROM contact WHERE id > :after ORDER BY id LIMIT :limit"
_CONTACTS = "SELECT contact.id FROM (SELECT * FROM contact WHERE id > :after ORDER BY id LIMIT :limit) AS contact"
_POINTS = "SELECT contact_id, kind, shown FROM contact_point"
_MORE = """
SELECT contact.id, agent.name, inbox.name, contact.place, contact.page, contact.referrer, contact.utm
FROM contact LEFT JOIN agent ON agent.id = contact.owner_id LEFT JOIN inbox ON inbox.id = contact.inbox_id"""
_CONSENTS = """
SELECT contact_point.contact_id, consent.purpose, consent.given, consent.contact_point_id
FROM consent JOIN contact_point ON contact_point.id = consent.contact_point_id"""


class Contacts:
    def __init__(self, wanted: contact_lists.Filter, own: list[Field]) -> None:
        self._wanted, self._own = wanted, own

    @property
    def head(self) -> list[Cell]:
        return [
            *("id", "name", "title", "company", "language", "email", "phone", "owner", "next_contact", "tags"),
            *("blocked", "made", "last_wrote", "allowed", "refused", "inbox", "place", "page", "referrer", "utm"),
            *(field.key for field in self._own),
        ]

    def slice(self, rx: Rx, caller: Caller, after: int) -> Slice:
        ids = [row[0] for row in rx.rows(_NEXT_CONTACTS, after=after, limit=SLICE)]
        following = ids[-1] if len(ids) == SLICE else None
        conditions = contact_lists.conditions_of(rx, caller, self._wanted)
        if conditions is None:
            return Slice([], None)
        where, params = contact_lists.holding(conditions)
        sql = f"{_CONTACTS} WHERE {' AND '.join(where or ['1 = 1'])} ORDER BY contact.id"
        return Slice(self._rows(rx, [r[0] for r in rx.rows(sql, after=after, limit=SLICE, **params)]), following)

    def _rows(self, rx: Rx, ids: list[int]) -> list[list[Cell]]:
        shown = contact_rows.by_ids(rx, ids)
        more = {row[0]: row[1:] for row in rows_of(rx, _MORE, "contact.id", ids)}
        reached: dict[tuple[int, str], list[str]] = {}
        for contact_id, kind, value in rows_of(rx, _POINTS, "contact_id", ids, " ORDER BY id", where="scope = ''"):
            reached.setdefault((contact_id, kind), []).append(value)
        said: dict[int, dict[tuple[str, int], bool]] = {}  # the newest word of each point and purpose counts
        for contact_id, purpose, given, point_id in rows_of(
            rx, _CONSENTS, "contact_point.contact_id", ids, " ORDER BY consent.id"
        ):
            said.setdefault(contact_id, {})[purpose, point_id] = bool(given)
        rows: list[list[Cell]] = []
        for contact_id in ids:
            one, (owner, inbox, place, page, referrer, utm) = shown[contact_id], more[contact_id]
            words = said.get(contact_id, {})
            refused = {purpose for (purpose, _), given in words.items() if not given}
            rows.append(
                [
                    *(one.id, one.name, one.title, one.company, one.language),
                    *("; ".join(reached.get((contact_id, kind), ())) for kind in (points.EMAIL, points.PHONE)),
                    *(owner, moment(one.next_contact_at), "; ".join(one.tags), one.blocked),
                    *(moment(one.created_at), moment(one.seen_at)),
                    "; ".join(sorted({purpose for purpose, _ in words} - refused)),
                    "; ".join(sorted(refused)),
                    *(inbox, place, page, referrer, _utm(utm)),
                    *(one.fields.get(field.key) for field in self._own),
                ]
            )
        return rows


def contacts(rx: Rx, caller: Caller, wanted: contact_lists.Filter) -> Contacts:
    """The sheet, once the filter is found good."""
    contact_lists.conditions_of(rx, caller, wanted)
    return Contacts(wanted, fields.all_of_them(rx))


def tickets(rx: Rx, caller: Caller, wanted: lists.Filter) -> Tickets:
    return Tickets(wanted)
