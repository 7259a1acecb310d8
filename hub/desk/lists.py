"""Lists of tickets and one ticket's timeline: by keyset, newest first, never more than a page."""

from typing import Any, Final, Literal

import msgspec

from hub.db import cursor as cursors
from hub.db.tx import Rx
from hub.desk import ticket as tickets
from hub.desk.ticket import COLUMNS, Status, Ticket
from hub.people import contacts
from hub.staff.access import Caller, visible

MOST: Final = 100
View = Literal["all", "mine", "unassigned", "waiting", "spam"]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows; all that is given must hold."""

    view: View = "all"
    status: Status | None = None
    inbox_id: int | None = None
    team_id: int | None = None
    assignee_id: int | None = None
    contact_id: int | None = None
    tag: str | None = None


class Listed(msgspec.Struct, frozen=True):
    """A ticket with what its row in a list shows besides."""

    ticket: Ticket
    contact_name: str
    last_text: str | None
    last_direction: str | None


_ROWS = f"""
SELECT {COLUMNS}, contact.name, message.text, message.direction
FROM ticket JOIN contact ON contact.id = ticket.contact_id
LEFT JOIN message ON message.id = ticket.last_message_id"""
_NEWEST = " ORDER BY ticket.last_message_at DESC, ticket.id DESC LIMIT :limit"
_TAGGED = """ticket.id IN (SELECT ticket_tag.ticket_id FROM ticket_tag JOIN tag ON tag.id = ticket_tag.tag_id
             WHERE tag.name_folded = :tag)"""


def listed(
    rx: Rx, caller: Caller, wanted: Filter, *, limit: int = 50, cursor: str | None = None
) -> tuple[list[Listed], str | None]:
    """A page, and where the next begins (None: this was the last). Newest words first."""
    where, params = _where(caller, wanted)
    name = f"tickets {msgspec.json.encode(wanted).decode()}"
    if cursor is not None:
        at, ticket_id = cursors.read(name, cursor, (int, int))
        where.append("(ticket.last_message_at, ticket.id) < (:at, :after_id)")
        params |= {"at": at, "after_id": ticket_id}
    limit = max(1, min(limit, MOST))
    sql = f"{_ROWS} WHERE {' AND '.join(where)}{_NEWEST}"  # composed of constants of ours; values are parameters
    rows = rx.rows(sql, **params, limit=limit + 1)
    width = len(Ticket.__struct_fields__)
    found = [Listed(Ticket(*row[:width]), row[width], _snippet(row[width + 1]), row[width + 2]) for row in rows[:limit]]
    if len(rows) <= limit:
        return found, None
    last = found[-1].ticket
    return found, cursors.make(name, (last.last_message_at, last.id))


def _where(caller: Caller, wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    sees, params = visible(caller.grants)
    where = [sees, f"ticket.spam = {int(wanted.view == 'spam')}"]
    match wanted.view:
        case "mine":
            where.append("ticket.assignee_id = :mine")
            params["mine"] = caller.grants.agent_id
        case "unassigned":
            where.append("ticket.assignee_id IS NULL")
        case "waiting":
            where.append("ticket.waiting_since IS NOT NULL")
        case _:
            pass
    for field in ("status", "inbox_id", "team_id", "assignee_id", "contact_id"):
        value = getattr(wanted, field)
        if value is not None:
            where.append(f"ticket.{field} = :{field}")
            params[field] = value
    if wanted.tag is not None:
        from hub.text import fold

        where.append(_TAGGED)
        params["tag"] = fold(wanted.tag)
    return where, params


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


class Noted(msgspec.Struct, frozen=True):
    id: int
    agent_id: int
    text: str
    created_at: int


class Delivered(msgspec.Struct, frozen=True):
    id: int
    message_id: int
    part: int
    state: str
    reason: str | None
    changed_at: int


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
_DELIVERED = """
SELECT id, message_id, part, state, reason, changed_at FROM delivery
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
    ticket = tickets.seen(rx, caller, number)
    name = f"thread {ticket.id}"
    before = cursors.read(name, cursor, (int,))[0] if cursor else END
    limit = max(1, min(limit, MOST))
    rows = rx.rows(_SAID, ticket_id=ticket.id, before=before, limit=limit + 1)
    said = [Said(*row) for row in reversed(rows[:limit])]
    return Thread(
        ticket=ticket,
        contact=contacts.get(rx, ticket.contact_id),
        messages=said,
        deliveries=[Delivered(*r) for r in rx.rows(_DELIVERED, ticket_id=ticket.id, first=said[0].id, before=before)]
        if said
        else [],
        notes=[Noted(*row) for row in reversed(rx.rows(_NOTED, ticket_id=ticket.id, limit=MOST))],
        older=cursors.make(name, (said[0].id,)) if len(rows) > limit else None,
    )


def events(
    rx: Rx, caller: Caller, number: int, *, limit: int = 50, cursor: str | None = None
) -> tuple[list[Happened], str | None]:
    """What happened to a ticket, newest first."""
    ticket = tickets.seen(rx, caller, number)
    name = f"events {ticket.id}"
    before = cursors.read(name, cursor, (int,))[0] if cursor else END
    limit = max(1, min(limit, MOST))
    rows = rx.rows(_HAPPENED, ticket_id=ticket.id, before=before, limit=limit + 1)
    found = [Happened(*row) for row in rows[:limit]]
    return found, cursors.make(name, (found[-1].id,)) if len(rows) > limit else None
