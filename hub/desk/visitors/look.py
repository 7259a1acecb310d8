"""What a visitor sees: messages of their own tickets in a form of their own, and how those tickets stand. Reads only.

Never notes, other tickets, agents' ids, or what the contact said through another door.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from msgspec import structs

from hub.clock import DAY
from hub.db.backend import Row
from hub.db.tx import Rx
from hub.desk.files import rows as files
from hub.desk.files.rows import FileShown
from hub.desk.inboxes import by_id
from hub.desk.ticket import Status, Ticket
from hub.desk.visitors import details as about
from hub.desk.visitors import talk, waiting
from hub.desk.visitors.elsewhere import elsewhere
from hub.desk.visitors.row import Visitor, must

PAGE: Final = 50
RATE_FOR: Final = DAY  # how long a rating can be changed

_MESSAGES = """
SELECT message.id, visitor.id, ticket.number, message.direction, message.author_kind, agent.name, message.text,
       message.external_id, message.created_at, message.edited_at, message.deleted_at, ticket.read_to
FROM message
JOIN visitor_ticket ON visitor_ticket.ticket_id = message.ticket_id
JOIN visitor ON visitor.id = visitor_ticket.visitor_id AND visitor.inbox_id = message.inbox_id
JOIN ticket ON ticket.id = message.ticket_id
LEFT JOIN agent ON agent.id = message.author_id AND message.author_kind = 'agent'"""
_NEWEST = f"""{_MESSAGES}
WHERE visitor_ticket.visitor_id = :visitor_id AND message.id < :before
  AND (message.direction = 'outgoing' OR SUBSTR(message.external_id, 1, :length) = :prefix)
ORDER BY message.id DESC LIMIT :limit"""
_UNREAD = """
SELECT COUNT(*) FROM (
  SELECT 1 FROM message JOIN visitor_ticket ON visitor_ticket.ticket_id = message.ticket_id
  WHERE visitor_ticket.visitor_id = :visitor_id AND message.inbox_id = :inbox_id AND message.id > :read_to
    AND message.direction = 'outgoing' AND message.deleted_at IS NULL
  LIMIT 100) AS unread"""
_VISITOR_OF = "SELECT visitor_id FROM visitor_ticket WHERE ticket_id = :ticket_id"
_AGENT = "SELECT name FROM agent WHERE id = :id"
_THROUGH_IT = """
SELECT 1 FROM visitor_ticket JOIN visitor ON visitor.id = visitor_ticket.visitor_id
JOIN ticket ON ticket.id = visitor_ticket.ticket_id AND ticket.inbox_id = visitor.inbox_id
WHERE visitor_ticket.ticket_id = :id"""
_MERGED_SUBJECT = """
SELECT merged.subject FROM visitor_ticket JOIN visitor ON visitor.id = visitor_ticket.visitor_id
JOIN ticket AS merged ON merged.merged_into = visitor_ticket.ticket_id AND merged.inbox_id = visitor.inbox_id
WHERE visitor_ticket.ticket_id = :id ORDER BY merged.id DESC LIMIT 1"""
_RATING = """
SELECT score, text, created_at FROM feedback
WHERE ticket_id = :ticket_id AND kind = 'rating' AND by_kind = 'contact' ORDER BY id DESC LIMIT 1"""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`client_id`: of a message of their own, the id they gave it; `read`: that somebody here has read it. `author`: an
    agent's first name."""

    id: int
    number: int
    by: Literal["visitor", "agent", "bot"]
    author: str | None
    text: str
    client_id: str | None
    at: int
    edited_at: int | None
    deleted: bool
    read: bool = False
    files: tuple[FileShown, ...] = ()


class Rating(msgspec.Struct, frozen=True):
    score: int
    text: str


class TicketShown(msgspec.Struct, frozen=True, kw_only=True):
    """`position`: so many wait before them (None: they wait for nobody). `expected_wait`: in milliseconds."""

    number: int
    status: Status
    subject: str
    agent: str | None
    waiting_since: int | None
    position: int | None
    expected_wait: int | None
    created_at: int
    resolved_at: int | None
    can_rate: bool
    rating: Rating | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How things stand, besides what was said. `closed`: a new ticket needs an e-mail address, nobody is here;
    `opens_at`: when somebody is, by the business hours. `long_wait`: waiting takes so long that other `ways` are to be
    offered; "message": leave an address and be answered there. `ask`: what is still to be asked before a new ticket,
    with a star where it is necessary. `files`: they may send some. `consent`: the words of the box that has still to
    be ticked."""

    ticket: TicketShown | None
    read_to: int
    unread: int
    name: str | None
    verified: bool
    online: bool
    closed: bool
    ask: tuple[str, ...]
    consent: str | None
    must_sign_in: bool
    rating: bool
    opens_at: int | None
    long_wait: bool
    files: bool
    ways: tuple[Literal["message"], ...]


class State(Standing, frozen=True, kw_only=True):
    """All that a widget needs to draw itself: with a page of what was said."""

    messages: list[Shown]
    older: bool


class Summary(msgspec.Struct, frozen=True):
    """What a loader asks before anything is opened."""

    unread: int
    open: bool
    online: bool
    at: int | None  # when something was last said in the ticket that is going on


def state(rx: Rx, visitor: Visitor, *, before: int | None = None) -> State:
    """The newest page of what was said, oldest first, and how things stand. `before`: the page before that message."""
    messages, older = page(rx, visitor, before=before)
    return State(**msgspec.structs.asdict(standing(rx, visitor)), messages=messages, older=older)


def standing(rx: Rx, visitor: Visitor) -> Standing:
    visitor = must(rx, visitor.id)
    inbox = by_id(rx, visitor.inbox_id)
    assert inbox is not None
    wanted = about.settings(inbox)
    ticket = talk.going_on(rx, visitor)
    known = about.typed(visitor)
    missing = [f for f in wanted.ask if not getattr(known, f.removesuffix("*"))] if visitor.verified_at is None else []
    shown = None if ticket is None else ticket_shown(rx, ticket)
    long = is_long_for(rx, inbox.id, shown)
    return Standing(
        ticket=shown,
        read_to=visitor.read_to,
        unread=_unread(rx, visitor),
        name=known.name,
        verified=visitor.verified_at is not None,
        online=waiting.somebody_online(rx, inbox.id),
        closed=waiting.is_closed(rx, inbox, wanted),
        ask=tuple(missing),
        consent=wanted.consent if visitor.consented_at is None else None,
        must_sign_in=wanted.enforce_identity and visitor.verified_at is None,
        rating=wanted.rating,
        opens_at=waiting.opens_at(rx, inbox),
        long_wait=long,
        files=wanted.files,
        ways=("message",) if long and not known.email else (),
    )


def is_long_for(rx: Rx, inbox_id: int, shown: TicketShown | None) -> bool:
    """Whether somebody whose ticket stands like this waits too long; without one, whether a new one would."""
    if shown is not None and shown.status == "open":
        since = shown.waiting_since if shown.position is not None else None
        return since is not None and waiting.is_long(rx, since, shown.expected_wait)
    return waiting.would_be_long(rx, inbox_id)


def page(rx: Rx, visitor: Visitor, *, before: int | None = None) -> tuple[list[Shown], bool]:
    """(messages, oldest first; are there older ones)."""
    prefix = f"{visitor.id}:"
    before = 2**62 if before is None else before
    rows = rx.rows(_NEWEST, visitor_id=visitor.id, before=before, prefix=prefix, length=len(prefix), limit=PAGE + 1)
    more = elsewhere(rx, visitor)
    if more:
        places = ", ".join(map(str, more))
        theirs = f"""{_MESSAGES}
WHERE message.ticket_id IN ({places}) AND message.id < :before
  AND (message.direction = 'outgoing' OR message.external_id LIKE CAST(visitor.id AS TEXT) || ':%')
ORDER BY message.id DESC LIMIT :limit"""
        rows = sorted([*rows, *rx.rows(theirs, before=before, limit=PAGE + 1)], key=_id, reverse=True)
    return _with_files(rx, [found for row in reversed(rows[:PAGE]) if (found := _shown(row))]), len(rows) > PAGE


def shown(rx: Rx, message_ids: Iterable[int]) -> dict[int, tuple[int, Shown]]:
    """message id → (the visitor who may see it, as they see it). What no visitor may see is not in it."""
    ids = sorted(set(message_ids))
    found: dict[int, tuple[int, Shown]] = {}
    for start in range(0, len(ids), 256):
        some = ", ".join(str(int(i)) for i in ids[start : start + 256])
        where = f" WHERE message.id IN ({some})"
        for row in rx.rows(f"{_MESSAGES}{where}"):
            if seen := _shown(row):
                found[row[0]] = (row[1], seen)
    whole = _with_files(rx, [seen for _, seen in found.values()])
    return {one.id: (found[one.id][0], one) for one in whole}


def _with_files(rx: Rx, messages: list[Shown]) -> list[Shown]:
    attached = files.of_messages(rx, [one.id for one in messages])
    return [structs.replace(one, files=attached[one.id]) if one.id in attached else one for one in messages]


def ticket_shown(rx: Rx, ticket: Ticket) -> TicketShown:
    rating = rx.row(_RATING, ticket_id=ticket.id)
    place = waiting.position(rx, ticket.id)
    changeable = rating is not None and rx.now - rating[2] < RATE_FOR
    rated_since = rating is not None and ticket.resolved_at is not None and rating[2] >= ticket.resolved_at
    return TicketShown(
        number=ticket.number,
        status="resolved" if ticket.status == "resolved" else "open",  # the rest is the agents' own affair
        subject=_subject(rx, ticket),
        agent=None if ticket.assignee_id is None else first_name(rx.value(_AGENT, id=ticket.assignee_id)),
        waiting_since=ticket.waiting_since,
        position=place,
        expected_wait=None if place is None else waiting.expected_wait(rx, ticket.inbox_id),
        created_at=ticket.created_at,
        resolved_at=ticket.resolved_at,
        can_rate=changeable or (ticket.status == "resolved" and not rated_since),
        rating=None if rating is None else Rating(rating[0], rating[1]),
    )


def read_upto(rx: Rx, visitor: Visitor) -> tuple[int, int] | None:
    """(the number of the ticket that is going on, up to which message of it somebody here has read)."""
    ticket = talk.going_on(rx, visitor)
    return None if ticket is None else (ticket.number, ticket.read_to)


def _subject(rx: Rx, ticket: Ticket) -> str:
    """What it is about, in words of this channel: what their contact wrote elsewhere, this browser is not shown, though
    their ticket was merged into that."""
    if rx.value(_THROUGH_IT, id=ticket.id) is not None:
        return ticket.subject
    return str(rx.value(_MERGED_SUBJECT, id=ticket.id) or "")


def summary(rx: Rx, visitor: Visitor) -> Summary:
    visitor = must(rx, visitor.id)
    ticket = talk.going_on(rx, visitor)
    return Summary(
        _unread(rx, visitor),
        ticket is not None and ticket.status != "resolved",
        waiting.somebody_online(rx, visitor.inbox_id),
        None if ticket is None else ticket.last_message_at,
    )


def of_ticket(rx: Rx, ticket_id: int) -> int | None:
    """The id of the visitor whose ticket this is."""
    found: int | None = rx.value(_VISITOR_OF, ticket_id=ticket_id)
    return found


def first_name(name: str | None) -> str | None:
    """All that a stranger is told of an agent."""
    words = (name or "").split()
    return words[0] if words else None


def _id(row: Row) -> int:
    return int(row[0])


def _unread(rx: Rx, visitor: Visitor) -> int:
    return int(rx.value(_UNREAD, visitor_id=visitor.id, inbox_id=visitor.inbox_id, read_to=visitor.read_to))


def _shown(row: Row) -> Shown | None:
    message_id, visitor_id, number, direction, author, agent, text, external_id, at, edited_at, deleted_at = row[:11]
    own = direction == "incoming"
    prefix = f"{visitor_id}:"
    if own and not external_id.startswith(prefix):
        return None
    return Shown(
        id=message_id,
        number=number,
        by="visitor" if own else "bot" if author == "bot" else "agent",
        author=None if own else first_name(agent),
        text="" if deleted_at is not None else text,
        client_id=external_id.removeprefix(prefix) if own else None,
        at=at,
        edited_at=edited_at,
        deleted=deleted_at is not None,
        read=own and message_id <= row[11],
    )
