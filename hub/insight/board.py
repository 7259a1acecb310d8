"""The live board, and one agent's day: how it stands now, and today against the same weekday a week ago.

Kept cheap: what stands comes out of the counters that `hub.desk.ticket` keeps, what happened out of `tally`; of first
replies the newest thousand are looked at, of those who wait the first two thousand. docs/routing.md says what it means.
"""

import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from hub.db.tx import Rx
from hub.desk import contact_lists, routing_settings
from hub.insight import tally
from hub.staff.access import Caller, visible

MOST: Final = 1_000
WAIT: Final = 2_000

_OPEN = """
SELECT ticket.inbox_id, ticket.assignee_id, ticket.waiting, ticket.tickets FROM ticket_count AS ticket
WHERE ticket.status = 'open' AND (ticket.waiting > 0 OR ticket.tickets > 0)"""
_WAITING = """
SELECT ticket.inbox_id, ticket.waiting_since FROM ticket
WHERE ticket.waiting_since IS NOT NULL AND ticket.spam = 0 AND ticket.status = 'open'"""
_LATE = "SELECT ticket.id FROM ticket WHERE ticket.due_at <= :now"
_AGENTS = """
SELECT agent.id, agent.name, agent.availability, COALESCE(presence.until, 0), agent.until, agent.automatic IS NOT NULL,
       agent.load, agent.capacity, agent.idle_since
FROM agent LEFT JOIN presence ON presence.agent_id = agent.id
WHERE agent.disabled_at IS NULL ORDER BY agent.name_folded, agent.id LIMIT 1000"""
_MEMBERS = "SELECT agent_id FROM team_member WHERE team_id = :team_id"
_FIRST = """
SELECT ticket.first_reply_at - ticket.created_at FROM ticket
WHERE ticket.first_reply_at >= :first AND ticket.first_reply_at < :last AND ticket.first_reply_at > ticket.created_at"""
_MINE = """
SELECT CAST(SUM(CASE WHEN status = 'open' THEN tickets ELSE 0 END) AS INTEGER),
       CAST(SUM(CASE WHEN status = 'pending' THEN tickets ELSE 0 END) AS INTEGER), CAST(SUM(waiting) AS INTEGER)
FROM ticket_count WHERE assignee_id = :me"""
_DUE = """
SELECT number, due_at, due_kind, due_state FROM ticket
WHERE assignee_id = :me AND status = 'open' AND due_at IS NOT NULL ORDER BY due_at, id LIMIT 20"""
_OLDEST = """
SELECT MIN(waiting_since) FROM ticket
WHERE assignee_id = :me AND status = 'open' AND waiting_since IS NOT NULL AND spam = 0"""
_MENTIONS = """
SELECT ticket.number, ticket.subject, mention.note_id, mention.at, note.agent_id
FROM mention JOIN ticket ON ticket.id = mention.ticket_id JOIN note ON note.id = mention.note_id
WHERE mention.agent_id = :reader AND mention.seen_at IS NULL AND ticket.spam = 0 AND ticket.merged_into IS NULL"""


class Compared(msgspec.Struct, frozen=True):
    """Since midnight, and in as much of the same weekday a week ago, to the quarter of an hour."""

    today: int
    week_ago: int


class Median(msgspec.Struct, frozen=True):
    """Milliseconds, of so many."""

    median: int | None
    number: int


class FirstReply(msgspec.Struct, frozen=True):
    today: Median
    week_ago: Median


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An agent as the board shows them. `waiting`: customers who wait for them, as far as the reader may see."""

    id: int
    name: str
    state: str
    until: int | None
    automatic: bool
    load: int
    capacity: int
    idle_since: int
    waiting: int


class OfInbox(msgspec.Struct, frozen=True, kw_only=True):
    inbox_id: int
    waiting: int
    unassigned: int
    open: int
    longest_wait_ms: int | None
    opened: Compared
    answered: Compared


class Board(msgspec.Struct, frozen=True, kw_only=True):
    at: int
    day_began_at: int
    waiting_now: int
    unassigned: int
    open: int
    late: int
    longest_wait_ms: int
    online: int
    busy: int
    away: int
    offline: int
    load: list[Standing]
    first_reply: FirstReply
    opened: Compared
    answered: Compared
    resolved: Compared
    breached: Compared
    per_inbox: list[OfInbox]


class Due(msgspec.Struct, frozen=True):
    number: int
    due_at: int
    due_kind: str
    due_state: str


class Mention(msgspec.Struct, frozen=True):
    number: int
    subject: str
    note_id: int
    at: int
    by: int


class Promised(msgspec.Struct, frozen=True):
    """A contact of one's own whom one meant to write to by now."""

    contact_id: int
    name: str
    next_contact_at: int


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """`assigned`, `pending`, `waiting`: as they stand; the rest since midnight."""

    at: int
    day_began_at: int
    assigned: int
    pending: int
    waiting: int
    longest_wait_ms: int
    answered: Compared
    resolved: Compared
    first_reply: Median
    due: list[Due]
    next_contact: list[Promised]
    mentions: list[Mention]


def board(rx: Rx, caller: Caller, team_id: int | None = None) -> Board:
    """Of all that the caller may see, or of one team's tickets and members."""
    sees, params = visible(caller.grants)
    scope, known = sees, tally.seen(caller.grants)
    if team_id is not None:
        scope, known = f"{sees} AND ticket.team_id = :team_id", f"{known} AND tally.team_id = :team_id"
        params = {**params, "team_id": team_id}
    cells = rx.rows(f"{_OPEN} AND {scope}", **params)
    stands: dict[int, list[int]] = {}  # inbox → those who wait, of those nobody's, open tickets
    for inbox_id, assignee_id, waiting, tickets in cells:
        found = stands.setdefault(inbox_id, [0, 0, 0])
        found[0] += waiting
        found[1] += 0 if assignee_id else waiting
        found[2] += tickets
    longest: dict[int, int] = {}
    for inbox_id, since in rx.rows(
        f"{_WAITING} AND {scope} ORDER BY ticket.waiting_since, ticket.id LIMIT {WAIT}", **params
    ):
        longest.setdefault(inbox_id, since)
    late = len(rx.rows(f"{_LATE} AND {scope} ORDER BY ticket.due_at, ticket.id LIMIT {MOST}", **params, now=rx.now))
    team = {"team_id": team_id} if team_id is not None else {}
    began, before = _days(rx)
    now = tally.sums(rx, began, rx.now + 1, known, team)
    then = tally.sums(rx, before, before + rx.now - began, known, team)
    held: Counter[int] = Counter()
    for _, assignee_id, waiting, _ in cells:
        held[assignee_id] += waiting
    agents = _agents(rx, held, team_id)
    return Board(
        at=rx.now,
        day_began_at=began,
        waiting_now=sum(row[0] for row in stands.values()),
        unassigned=sum(row[1] for row in stands.values()),
        open=sum(row[2] for row in stands.values()),
        late=late,
        longest_wait_ms=max((rx.now - since for since in longest.values()), default=0),
        load=agents,
        **{state: sum(a.state == state for a in agents) for state in ("online", "busy", "away", "offline")},
        first_reply=FirstReply(
            _first_replies(rx, scope, params, began, rx.now + 1),
            _first_replies(rx, scope, params, before, before + rx.now - began),
        ),
        opened=_compared("opened", now, then),
        answered=_compared("answered", now, then),
        resolved=_compared("resolved", now, then),
        breached=_compared("breached", now, then),
        per_inbox=[
            OfInbox(
                inbox_id=inbox_id,
                waiting=row[0],
                unassigned=row[1],
                open=row[2],
                longest_wait_ms=rx.now - longest[inbox_id] if inbox_id in longest else None,
                opened=_compared("opened", now, then, inbox_id),
                answered=_compared("answered", now, then, inbox_id),
            )
            for inbox_id, row in sorted(stands.items())
        ],
    )


def day(rx: Rx, caller: Caller) -> Day:
    """The caller's own."""
    me = caller.grants.agent_id
    sees, params = visible(caller.grants)
    began, before = _days(rx)
    row = rx.row(_MINE, me=me)
    assert row is not None
    mine = {"mine": me}
    now = tally.sums(rx, began, rx.now + 1, "tally.agent_id = :mine", mine)
    then = tally.sums(rx, before, before + rx.now - began, "tally.agent_id = :mine", mine)
    since = rx.value(_OLDEST, me=me)
    return Day(
        at=rx.now,
        day_began_at=began,
        assigned=row[0] or 0,
        pending=row[1] or 0,
        waiting=row[2] or 0,
        longest_wait_ms=0 if since is None else rx.now - since,
        answered=_compared("answered", now, then),
        resolved=_compared("resolved", now, then),
        first_reply=_first_replies(rx, "ticket.assignee_id = :mine", mine, began, rx.now + 1),
        due=[Due(*due) for due in rx.rows(_DUE, me=me)],
        next_contact=_promised(rx, caller, me),
        mentions=[
            Mention(*found)
            for found in rx.rows(f"{_MENTIONS} AND {sees} ORDER BY mention.note_id DESC LIMIT 20", reader=me, **params)
        ],
    )


# --- inside --------------------------------------------------------------------------------------------------------


def _days(rx: Rx) -> tuple[int, int]:
    """When today began, and the same weekday a week ago: by the desk's clock on the wall."""
    zone = ZoneInfo(routing_settings.read(rx).zone)
    here = datetime.fromtimestamp(rx.now / 1000, UTC).astimezone(zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return _slot(midnight), _slot(midnight - timedelta(days=7))


def _slot(moment: datetime) -> int:
    return int(moment.timestamp() * 1000) // tally.SLOT * tally.SLOT


def _compared(
    what: str, now: dict[tuple[str, int], int], then: dict[tuple[str, int], int], inbox_id: int | None = None
) -> Compared:
    def total(found: dict[tuple[str, int], int]) -> int:
        return sum(n for (name, inbox), n in found.items() if name == what and inbox_id in (None, inbox))

    return Compared(total(now), total(then))


def _first_replies(rx: Rx, scope: str, params: dict[str, Any], first: int, last: int) -> Median:
    sql = f"{_FIRST} AND {scope} ORDER BY ticket.first_reply_at DESC, ticket.id DESC LIMIT {MOST}"
    waits = [row[0] for row in rx.rows(sql, first=first, last=last, **params)]
    return Median(int(statistics.median(waits)) if waits else None, len(waits))


def _agents(rx: Rx, waiting: Counter[int], team_id: int | None) -> list[Standing]:
    members = None if team_id is None else {row[0] for row in rx.rows(_MEMBERS, team_id=team_id)}
    found = []
    for id, name, availability, present, until, automatic, load, capacity, idle in rx.rows(_AGENTS):
        if members is None or id in members:
            state = availability if present > rx.now else "offline"
            one = Standing(
                id=id,
                name=name,
                state=state,
                until=until,
                automatic=bool(automatic),
                load=load,
                capacity=capacity,
                idle_since=idle,
                waiting=waiting[id],
            )
            found.append(one)
    return found


def _promised(rx: Rx, caller: Caller, me: int) -> list[Promised]:
    zone = routing_settings.read(rx).zone
    wanted = contact_lists.Filter(owner_id=me, next_contact="today", zone=zone)
    rows, _ = contact_lists.listed(rx, caller, wanted, sort="next_contact", limit=20)
    return [Promised(row.id, row.name, row.next_contact_at or 0) for row in rows]
