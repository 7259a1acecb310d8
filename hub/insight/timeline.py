"""Everything that happened with one person, over all their tickets and besides: newest first, a page at a time.

The event table is the timeline: it has one order, and what was said is read from where it lies. Of each ticket only
what the caller may see; of feedback only what they may read. The pages that they looked at come in between by time.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from hub.db import cursor as cursors
from hub.db.many import rows_of
from hub.db.tx import Rx
from hub.desk import at_once, contact_notes, visits
from hub.desk.contact_lists import require_contact
from hub.desk.contact_notes import ContactNote
from hub.desk.lists import Noted, Said
from hub.desk.visits import Visited
from hub.events import Actor
from hub.feedback import records
from hub.feedback.records import Feedback
from hub.staff.access import Caller, holds, visible

Kind = Literal["ticket", "message", "note", "visit", "feedback", "contact_note", "event"]
END: Final = 2**63 - 1
SNIPPET: Final = 500
_KINDS: Final[dict[str, Kind]] = {
    "ticket.opened": "ticket",
    "message.received": "message",
    "message.sent": "message",
    "note.written": "note",
    "feedback.recorded": "feedback",
    "contact_note.written": "contact_note",
}
# Steps on the way to what is told anyway. Whatever is not named here is told.
_LEFT_OUT: Final = (
    *("delivery.changed", "delivery.cancelled", "delivery.moved", "message.planned", "message.copied"),
    *("message.edited", "message.deleted", "message.files_changed", "note.files_changed", "reaction.failed"),
    *("ticket.offered", "ticket.offer_ended", "ticket.tagged", "ticket.untagged", "ticket.subject_changed"),
    *("ticket.followed", "ticket.unfollowed", "ticket.gathered", "agent.mentioned"),
    *("contact_note.changed", "contact_note.deleted", "feedback.changed"),
)

_EVENTS = f"""
SELECT event.id, event.name, event.at, event.by_kind, event.by_id, event.ticket_id, event.payload
FROM event
WHERE event.contact_id = :contact_id AND event.id < :before
  AND event.name NOT IN ({", ".join(f"'{name}'" for name in _LEFT_OUT)})"""
# What happened to a ticket that was merged is judged by the one that it went into.
_OF_TICKETS = """ AND (event.ticket_id IS NULL OR EXISTS (
  SELECT 1 FROM ticket AS own JOIN ticket ON ticket.id = COALESCE(own.merged_into, own.id)
  WHERE own.id = event.ticket_id AND """
_OF_NO_TICKET = " AND event.ticket_id IS NULL"
_NEWEST = " ORDER BY event.id DESC LIMIT :limit"
_TICKETS = "SELECT ticket.id, number, subject, status, inbox_id, spam FROM ticket"
_SAID_IN = "SELECT id, ticket_id FROM message"
_NOTED_IN = "SELECT id, ticket_id FROM note"


class About(msgspec.Struct, frozen=True):
    number: int
    subject: str
    status: str
    inbox_id: int
    spam: bool


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A message; of a long one the beginning."""

    id: int
    direction: str
    author_kind: str
    author_id: int
    inbox_id: int
    text: str
    cut: bool
    deleted: bool


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """`name`: the event's, null for a visit. Just what belongs to `kind` is there; `payload` of an "event"."""

    kind: Kind
    at: int
    id: int | None = None
    name: str | None = None
    by: Actor | None = None
    ticket: About | None = None
    message: Words | None = None
    note: Noted | None = None
    contact_note: ContactNote | None = None
    feedback: Feedback | None = None
    visit: Visited | None = None
    payload: dict[str, Any] | None = None


def timeline(
    rx: Rx, caller: Caller, contact_id: int, *, limit: int = 50, cursor: str | None = None
) -> tuple[list[Item], str | None]:
    """A page of so many events with the visits between them, and where the next begins."""
    require_contact(rx, caller, contact_id)
    query = f"timeline {contact_id}"
    before, until = cursors.read(query, cursor, (int, int)) if cursor is not None else (END, END)
    if holds(caller, "tickets.read", "tickets:read"):
        sees, params = visible(caller.grants)
        sql = f"{_EVENTS}{_OF_TICKETS}{sees})){_NEWEST}"  # composed of constants of ours; values are parameters
    else:
        sql, params = f"{_EVENTS}{_OF_NO_TICKET}{_NEWEST}", {}
    rows = rx.rows(sql, contact_id=contact_id, before=before, limit=limit + 1, **params)
    more, rows = len(rows) > limit, rows[:limit]
    since = rows[-1][2] if more else 0
    looked = [one for one in visits.all_of(rx, caller, contact_id) if since <= one.at < until]
    items = _merged(_told(rx, caller, rows), [Item(kind="visit", at=one.at, visit=one) for one in looked])
    return items, cursors.make(query, (rows[-1][0], since)) if more else None


def _told(rx: Rx, caller: Caller, rows: Sequence[tuple[Any, ...]]) -> list[Item]:
    payloads = {row[0]: msgspec.json.decode(row[6]) for row in rows}

    def ids(field: str) -> set[int]:
        return {payload[field] for payload in payloads.values() if field in payload}

    # What was said may stand in another ticket now than when it was said: it is judged by where it stands.
    said_in: dict[int, int] = dict(rows_of(rx, _SAID_IN, "id", ids("message_id")))
    noted_in: dict[int, int] = dict(rows_of(rx, _NOTED_IN, "id", ids("note_id")))
    sees, params = visible(caller.grants)
    tickets = {*said_in.values(), *noted_in.values(), *(row[5] for row in rows if row[5])}
    about = {
        row[0]: About(row[1], row[2], row[3], row[4], bool(row[5]))
        for row in rows_of(rx, _TICKETS, "ticket.id", tickets, where=sees, **params)
    }
    messages, notes = at_once.messages(rx, ids("message_id")), at_once.notes(rx, ids("note_id"))
    own_notes = contact_notes.by_ids(rx, ids("contact_note_id"))
    feedback: dict[int, Feedback] = {}
    if holds(caller, "feedback.read", "feedback:read"):
        feedback = records.seen_of(rx, caller, ids("feedback_id"))
    found: list[Item] = []
    for event_id, name, at, by_kind, by_id, ticket_id, _ in rows:
        payload, kind = payloads[event_id], _KINDS.get(name, "event")
        item = Item(kind=kind, at=at, id=event_id, name=name, by=Actor(by_kind, by_id), ticket=about.get(ticket_id))
        match kind:
            case "message":
                said = messages.get(payload["message_id"])
                where = about.get(said_in.get(payload["message_id"], 0))
                thing: dict[str, Any] = {"message": _words(said) if said is not None else None, "ticket": where}
            case "note":
                where = about.get(noted_in.get(payload["note_id"], 0))
                thing = {"note": notes.get(payload["note_id"]), "ticket": where}
            case "contact_note":
                thing = {"contact_note": own_notes.get(payload["contact_note_id"])}
            case "feedback":
                thing = {"feedback": feedback.get(payload["feedback_id"])}
            case "ticket":
                thing = {"ticket": item.ticket}
            case _:
                thing = {"payload": payload}
        # What was deleted since, or is not theirs to read, has nothing left to tell.
        if all(value is not None for value in thing.values()):
            found.append(msgspec.structs.replace(item, **thing))
    return found


def _words(said: Said) -> Words:
    return Words(
        id=said.id,
        direction=said.direction,
        author_kind=said.author_kind,
        author_id=said.author_id,
        inbox_id=said.inbox_id,
        text=said.text[:SNIPPET],
        cut=len(said.text) > SNIPPET,
        deleted=said.deleted_at is not None,
    )


def _merged(events: list[Item], looked: list[Item]) -> list[Item]:
    """Events stay in the order in which they were committed, whatever a clock said."""
    found: list[Item] = []
    waiting = iter(looked)
    visit = next(waiting, None)
    for event in events:
        while visit is not None and visit.at >= event.at:
            found.append(visit)
            visit = next(waiting, None)
        found.append(event)
    return [*found, *([visit] if visit is not None else []), *waiting]
