"""Lists of tickets and one ticket's timeline: by keyset, never more than a page."""

import itertools
from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from hub.db import cursor as cursors
from hub.db.backend import Row
from hub.db.many import rows_of
from hub.db.tx import Rx
from hub.desk import ticket as tickets
from hub.desk.files import rows as files
from hub.desk.files.rows import FileShown
from hub.desk.ticket import COLUMNS, Priority, Status, Ticket
from hub.errors import invalid
from hub.people import contacts
from hub.staff.access import Caller, visible, visible_parts
from hub.text import fold

MOST: Final = 100
View = Literal["all", "mine", "unassigned", "open", "waiting", "snoozed", "resolved", "spam", "mentions", "following"]
Sort = Literal["newest", "oldest_waiting", "priority", "due"]


class Filter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a list shows; all that is given must hold. `status`, `priority`: one of these. `kind`: of the inbox."""

    view: View = "all"
    status: tuple[Status, ...] = ()
    priority: tuple[Priority, ...] = ()
    inbox_id: int | None = None
    kind: str | None = None
    team_id: int | None = None
    assignee_id: int | None = None
    contact_id: int | None = None
    tag: str | None = None
    unread: bool = False


class Listed(msgspec.Struct, frozen=True):
    """A ticket with what its row in a list shows besides."""

    ticket: Ticket
    contact_name: str
    last_text: str | None
    last_direction: str | None
    merged_into: int | None = None  # the number of the ticket that it is part of now


class _Order(msgspec.Struct, frozen=True):
    """`key` and what follows sort a list; `of` reads them off its last row, for the next page to begin after."""

    key: tuple[str, ...]
    down: bool
    of: Any


# When nobody waits, after all those who do. The indices of these orders hold what is not resolved.
_NEVER: Final = 9_007_199_254_740_991
_SINCE = "COALESCE(ticket.waiting_since, 9007199254740991)"
_DUE = "COALESCE(ticket.due_at, 9007199254740991)"
_ORDERS: Final[dict[str, _Order]] = {
    "newest": _Order(("ticket.last_message_at", "ticket.id"), True, lambda t: (t.last_message_at, t.id)),
    "oldest_waiting": _Order((_SINCE, "ticket.id"), False, lambda t: (_since(t), t.id)),
    "due": _Order((_DUE, "ticket.id"), False, lambda t: (_NEVER if t.due_at is None else t.due_at, t.id)),
    "priority": _Order(("ticket.urgency", _SINCE, "ticket.id"), False, lambda t: (t.urgency, _since(t), t.id)),
}

_ROWS = f"""
SELECT {COLUMNS}, contact.name, message.text, message.direction
FROM ticket JOIN contact ON contact.id = ticket.contact_id
LEFT JOIN message ON message.id = ticket.last_message_id"""
_TAGGED = """ticket.id IN (SELECT ticket_tag.ticket_id FROM ticket_tag WHERE ticket_tag.tag_id IN (
  SELECT own.id FROM tag AS named JOIN tag AS shown ON shown.id = COALESCE(named.shown_as, named.id)
  JOIN tag AS own ON own.id = shown.id OR own.shown_as = shown.id
  WHERE named.name_folded = :tag AND shown.gone_at IS NULL))"""
_OF_KIND = "ticket.inbox_id IN (SELECT id FROM inbox WHERE kind = :kind)"
_UNREAD = """ticket.last_incoming_id > COALESCE(
  (SELECT message_id FROM ticket_read WHERE agent_id = :reader AND ticket_id = ticket.id), 0)"""
_MENTIONED = "ticket.id IN (SELECT ticket_id FROM mention WHERE agent_id = :reader)"
_FOLLOWED = "ticket.id IN (SELECT ticket_id FROM follower WHERE agent_id = :reader)"
_UNRESOLVED = "ticket.status <> 'resolved'"
_ALL: Final[tuple[Status, ...]] = ("open", "pending", "snoozed", "resolved")
_IN_HAND: Final[tuple[Status, ...]] = ("open", "pending")
# What a view shows, and of which statuses unless the filter says so itself.
_VIEWS: Final[dict[str, tuple[str, tuple[Status, ...]]]] = {
    "all": ("", _ALL),
    "mine": ("ticket.assignee_id = :reader", _IN_HAND),
    "unassigned": ("ticket.assignee_id IS NULL", _IN_HAND),
    "open": ("", _IN_HAND),
    "waiting": ("+ticket.waiting_since IS NOT NULL", ("open",)),
    "snoozed": ("", ("snoozed",)),
    "resolved": ("", ("resolved",)),
    "spam": ("", _ALL),
    "mentions": (_MENTIONED, _ALL),
    "following": (_FOLLOWED, _ALL),
}
# Few tickets, found by something of their own and then checked for whether the caller may see them.
_FEW: Final = ("spam", "mentions", "following")
MOST_PARTS: Final = 400  # of one statement


def _since(ticket: Ticket) -> int:
    return _NEVER if ticket.waiting_since is None else ticket.waiting_since


def listed(
    rx: Rx,
    caller: Caller,
    wanted: Filter,
    *,
    sort: Sort = "newest",
    limit: int = 50,
    cursor: str | None = None,
) -> tuple[list[Listed], str | None]:
    """A page, and where the next begins (None: this was the last). By the newest words, newest first; by how long
    the customer waits, longest first, then those who wait for nobody; by priority, and then the same; by when an answer
    is due. All but the first show what is not resolved."""
    by = _ORDERS[sort]
    name = f"tickets {sort} {msgspec.json.encode(wanted).decode()}"
    after = None if cursor is None else cursors.read(name, cursor, (int,) * len(by.key))
    limit = max(1, min(limit, MOST))
    ids = find(rx, caller, wanted, sort=sort, limit=limit + 1, after=after)
    rows = {row[0]: row for row in rows_of(rx, _ROWS, "ticket.id", ids[:limit])}
    width = len(Ticket.__struct_fields__)
    found = [
        Listed(Ticket(*row[:width]), row[width], _snippet(row[width + 1]), row[width + 2])
        for row in (rows[id] for id in ids[:limit])
    ]
    return found, cursors.make(name, by.of(found[-1].ticket)) if len(ids) > limit else None


def find(
    rx: Rx,
    caller: Caller,
    wanted: Filter,
    *,
    sort: Sort = "newest",
    limit: int,
    after: tuple[int, ...] | None = None,
) -> list[int]:
    """The ids of the first so many tickets, in order. Each inbox, team and status is read in order by itself, so that
    it costs as much for one who sees little of much as for one who sees everything."""
    require_sortable(wanted, sort)
    by = _ORDERS[sort]
    where, params = _conditions(caller, wanted)
    if after is not None:
        names = [f"after{n}" for n in range(len(after))]
        params |= dict(zip(names, after, strict=True))
        order = "<" if by.down else ">"
        where.append(f"({', '.join(by.key)}) {order} ({', '.join(f':{name}' for name in names)})")
    parts, of_status, more = _parts(caller, wanted, sort)
    columns = ", ".join(["ticket.id AS id", *(f"{key} AS key{n}" for n, key in enumerate(by.key))])
    order = ", ".join(f"key{n} DESC" if by.down else f"key{n}" for n in range(len(by.key)))
    selects = []
    for number, part in enumerate(itertools.product(parts, of_status)):
        table, conditions = f"part{number}", " AND ".join([*part, *where])
        selects.append(
            f"SELECT * FROM (SELECT {columns} FROM ticket WHERE {conditions} ORDER BY {order} LIMIT :limit) AS {table}"
        )
    # Composed of constants of ours; values are parameters.
    sql = f"{' UNION '.join(selects)} ORDER BY {order} LIMIT :limit"
    return [row[0] for row in rx.rows(sql, **params, **more, limit=limit)]


def _parts(caller: Caller, wanted: Filter, sort: Sort) -> tuple[list[str], list[str], dict[str, Any]]:
    """(what of the tickets is read in order by itself, and of which statuses, and parameters)."""
    sees, params = visible(caller.grants, checked=True)
    statuses = _statuses(wanted)
    if sort != "newest":  # an index of its own, of the few that are not resolved
        return [sees], [f"{_UNRESOLVED} AND {_is_of(statuses, checked=True)}"], params
    if wanted.view in _FEW or wanted.contact_id is not None or wanted.tag is not None:
        return [sees], [_is_of(statuses, checked=True)], params
    each = [f"ticket.status = '{one}'" for one in statuses]
    if wanted.view == "mine" or any(v is not None for v in (wanted.assignee_id, wanted.inbox_id, wanted.team_id)):
        return [sees], each, params
    parts, params_of_parts = visible_parts(caller.grants)
    if len(parts) * len(each) > MOST_PARTS:
        return [sees], each, params
    return parts, each, params_of_parts


def require_sortable(wanted: Filter, sort: Sort) -> None:
    if sort != "newest" and (wanted.view == "resolved" or "resolved" in wanted.status):
        raise invalid("sort", "What is resolved waits for nobody: it can only be sorted by the newest words.")


def matching(caller: Caller, wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    """Conditions over `ticket`, constants of ours that all must hold, and their parameters: what of the filter the
    caller may see. What was merged into another ticket is in no list."""
    where, params = _conditions(caller, wanted)
    sees, more = visible(caller.grants)
    return [sees, _is_of(_statuses(wanted)), *where], params | more


def _statuses(wanted: Filter) -> tuple[Status, ...]:
    if wanted.status:
        return tuple(dict.fromkeys(wanted.status))
    statuses = _VIEWS[wanted.view][1]
    return tuple(one for one in statuses if one != "resolved") if wanted.unread else statuses


def _is_of(statuses: tuple[Status, ...], *, checked: bool = False) -> str:
    """`checked`: on rows that are found otherwise, so that no database looks them up by this."""
    column = "ticket.status || ''" if checked else "ticket.status"
    return f"{column} IN ({_words(statuses)})"


def _conditions(caller: Caller, wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    """But for what the caller may see, and the statuses."""
    params: dict[str, Any] = {}
    where = [f"ticket.spam = {int(wanted.view == 'spam')}", "ticket.merged_into IS NULL"]
    if _VIEWS[wanted.view][0]:
        where.append(_VIEWS[wanted.view][0])
    if wanted.priority:
        where.append(f"ticket.urgency IN ({_words(tuple(tickets.URGENCY[p] for p in wanted.priority))})")
    if wanted.unread:
        where.append(_UNREAD)
    if ":reader" in "".join(where):
        params["reader"] = caller.grants.agent_id
    for field in ("inbox_id", "team_id", "assignee_id", "contact_id"):
        value = getattr(wanted, field)
        if value is not None:
            where.append(f"ticket.{field} = :{field}")
            params[field] = value
    if wanted.kind is not None:
        where.append(_OF_KIND)
        params["kind"] = wanted.kind
    if wanted.tag is not None:
        where.append(_TAGGED)
        params["tag"] = fold(wanted.tag)
    return where, params


def _words(values: tuple[str | int, ...]) -> str:
    """Of a closed set of ours, so that they may stand in the statement: a database plans better for what it knows."""
    return ", ".join(str(value) if isinstance(value, int) else f"'{value}'" for value in dict.fromkeys(values))


def _snippet(text: str | None) -> str | None:
    return text if text is None or len(text) <= 140 else text[:139] + "…"


class Said(msgspec.Struct, frozen=True):
    """A message as its ticket shows it."""

    id: int
    inbox_id: int
    direction: str
    author_kind: str
    author_id: int
    text: str
    html: str | None
    subject: str | None
    in_reply_to: int | None
    sent_at: int | None
    details: str | None
    created_at: int
    edited_at: int | None
    deleted_at: int | None
    inbound_id: int | None  # the raw bytes that it came in


class Noted(msgspec.Struct, frozen=True):
    """`mentions`: the agents whom it calls."""

    id: int
    agent_id: int
    text: str
    created_at: int
    mentions: tuple[int, ...] = ()
    files: tuple[FileShown, ...] = ()


def noted(rx: Rx, rows: Iterable[Row], mentioned: Iterable[Row]) -> list[Noted]:
    """Rows of notes with those of the mentions in them, (note, agent), and their files."""
    of: dict[int, tuple[int, ...]] = {}
    for note_id, agent_id in mentioned:
        of[note_id] = (*of.get(note_id, ()), agent_id)
    rows = list(rows)
    attached = files.of_notes(rx, [row[0] for row in rows])
    return [Noted(id, by, text, at, of.get(id, ()), attached.get(id, ())) for id, by, text, at in rows]


class Delivered(msgspec.Struct, frozen=True):
    """`send_at`: it has not been said yet, and is held until then; `later`: a person chose that time."""

    id: int
    message_id: int
    part: int
    state: str
    reason: str | None
    changed_at: int
    send_at: int | None
    later: bool


def delivered(row: Row) -> Delivered:
    """Of its columns in order."""
    return msgspec.structs.replace(Delivered(*row), later=bool(row[-1]))


class Happened(msgspec.Struct, frozen=True):
    id: int
    name: str
    at: int
    by_kind: str
    by_id: int
    payload: str


_SAID = f"""
SELECT {", ".join(Said.__struct_fields__)} FROM message
WHERE ticket_id = :ticket_id AND id < :before ORDER BY id DESC LIMIT :limit"""
_NOTED = "SELECT id, agent_id, text, created_at FROM note WHERE ticket_id = :ticket_id ORDER BY id DESC LIMIT :limit"
_CALLED = "SELECT note_id, agent_id FROM mention WHERE ticket_id = :ticket_id ORDER BY note_id, agent_id"
_DELIVERED = f"""
SELECT {", ".join(Delivered.__struct_fields__)} FROM delivery
WHERE ticket_id = :ticket_id AND message_id >= :first AND message_id < :before ORDER BY id"""
_HAPPENED = """
SELECT id, name, at, by_kind, by_id, payload FROM event
WHERE ticket_id = :ticket_id AND id < :before ORDER BY id DESC LIMIT :limit"""
END: Final = 2**63 - 1


class Thread(msgspec.Struct, frozen=True):
    """One ticket as a person reads it, oldest first; `older` is where the messages before these begin."""

    ticket: Ticket
    contact: contacts.Contact
    messages: list[Said]
    deliveries: list[Delivered]
    notes: list[Noted]
    older: str | None


def thread(rx: Rx, caller: Caller, number: int, *, limit: int = 50, cursor: str | None = None) -> Thread:
    ticket = tickets.seen(rx, caller, number, merged=True)
    name = f"thread {ticket.id}"
    before = cursors.read(name, cursor, (int,))[0] if cursor else END
    limit = max(1, min(limit, MOST))
    rows = rx.rows(_SAID, ticket_id=ticket.id, before=before, limit=limit + 1)
    said = [Said(*row) for row in reversed(rows[:limit])]
    return Thread(
        ticket=ticket,
        contact=contacts.get(rx, ticket.contact_id),
        messages=said,
        deliveries=[delivered(r) for r in rx.rows(_DELIVERED, ticket_id=ticket.id, first=said[0].id, before=before)]
        if said
        else [],
        notes=noted(
            rx,
            reversed(rx.rows(_NOTED, ticket_id=ticket.id, limit=MOST)),
            rx.rows(_CALLED, ticket_id=ticket.id),
        ),
        older=cursors.make(name, (said[0].id,)) if len(rows) > limit else None,
    )


def events(
    rx: Rx, caller: Caller, number: int, *, limit: int = 50, cursor: str | None = None
) -> tuple[list[Happened], str | None]:
    """What happened to a ticket, newest first."""
    ticket = tickets.seen(rx, caller, number, merged=True)
    name = f"events {ticket.id}"
    before = cursors.read(name, cursor, (int,))[0] if cursor else END
    limit = max(1, min(limit, MOST))
    rows = rx.rows(_HAPPENED, ticket_id=ticket.id, before=before, limit=limit + 1)
    found = [Happened(*row) for row in rows[:limit]]
    return found, cursors.make(name, (found[-1].id,)) if len(rows) > limit else None
