"""Many rows of the desk by their ids at one go, in a few statements however many they are. For hub.live, which shows
the same batch of events to everybody."""

from collections.abc import Iterable

import msgspec

from hub.db.backend import Row
from hub.db.many import rows_of as rows_of
from hub.db.many import some as some
from hub.db.tx import Rx
from hub.desk import contact_rows, kinds
from hub.desk.contact_rows import ContactRow
from hub.desk.lists import Delivered, Filter, Listed, Noted, Said, delivered, find, noted
from hub.desk.ticket import COLUMNS, Ticket
from hub.events import Scope
from hub.staff.access import Caller

_ROWS = f"""
SELECT {COLUMNS}, contact.name, message.text, message.direction, survivor.number
FROM ticket JOIN contact ON contact.id = ticket.contact_id
LEFT JOIN message ON message.id = ticket.last_message_id
LEFT JOIN ticket AS survivor ON survivor.id = ticket.merged_into"""
_SAID = f"SELECT {', '.join(Said.__struct_fields__)} FROM message"
_NOTED = "SELECT id, agent_id, text, created_at FROM note"
_CALLED = "SELECT note_id, agent_id FROM mention"
_DELIVERED = f"SELECT {', '.join(Delivered.__struct_fields__)} FROM delivery"
_SCOPES = "SELECT DISTINCT contact_id, inbox_id, team_id, assignee_id FROM ticket"
_OF_VISITORS = "SELECT ticket_id, visitor_id FROM visitor_ticket"
# What `hub.desk.queue` calls waiting; the index ticket_queue holds the first three.
_WAITING = """
SELECT visitor_ticket.visitor_id, ticket.id, ticket.number, ticket.inbox_id, ticket.waiting_since
FROM ticket JOIN visitor_ticket ON visitor_ticket.ticket_id = ticket.id
WHERE ticket.assignee_id IS NULL AND ticket.waiting_since IS NOT NULL AND ticket.spam = 0
  AND ticket.status = 'open' AND ticket.handler = 'agent'
ORDER BY ticket.urgency, ticket.waiting_since, ticket.id LIMIT 500"""


def tickets(rx: Rx, ids: Iterable[int]) -> dict[int, Listed]:
    return {row[0]: _listed(row) for row in rows_of(rx, _ROWS, "ticket.id", ids)}


def open_tickets(rx: Rx, caller: Caller, most: int) -> tuple[list[Listed], bool]:
    """What is not resolved and no spam, newest words first, and whether there is more."""
    ids = open_ids(rx, caller, most + 1)
    found = tickets(rx, ids[:most])
    return [found[id] for id in ids[:most]], len(ids) > most


def open_ids(rx: Rx, caller: Caller, most: int) -> list[int]:
    """The ids of the same tickets."""
    return find(rx, caller, Filter(status=("open", "pending", "snoozed")), limit=most)


def messages(rx: Rx, ids: Iterable[int]) -> dict[int, Said]:
    return {row[0]: Said(*row) for row in rows_of(rx, _SAID, "id", ids)}


def notes(rx: Rx, ids: Iterable[int]) -> dict[int, Noted]:
    rows = list(rows_of(rx, _NOTED, "id", ids))
    called = rows_of(rx, _CALLED, "note_id", [row[0] for row in rows], " ORDER BY note_id, agent_id")
    return {note.id: note for note in noted(rx, rows, called)}


def deliveries(rx: Rx, ids: Iterable[int]) -> dict[int, Delivered]:
    return {row[0]: delivered(row) for row in rows_of(rx, _DELIVERED, "id", ids)}


def deliveries_of(rx: Rx, message_ids: Iterable[int]) -> dict[int, tuple[Delivered, ...]]:
    """message id → on their way to whom its parts are."""
    found: dict[int, tuple[Delivered, ...]] = {}
    for row in rows_of(rx, _DELIVERED, "message_id", message_ids, " ORDER BY id"):
        found[row[1]] = (*found.get(row[1], ()), delivered(row))
    return found


def visitors_of(rx: Rx, ticket_ids: Iterable[int]) -> dict[int, int]:
    """ticket id → the visitor whose it is."""
    return dict(rows_of(rx, _OF_VISITORS, "ticket_id", ticket_ids))


def waiting_visitors(rx: Rx) -> list[tuple[int, int, int, int, int]]:
    """(visitor, ticket, its number, inbox, since when) of those who wait for an agent, at most 500."""
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rx.rows(_WAITING)]


def contacts(rx: Rx, ids: Iterable[int]) -> dict[int, ContactRow]:
    return contact_rows.by_ids(rx, ids)


def scopes_of_contacts(rx: Rx, ids: Iterable[int]) -> dict[int, list[Scope]]:
    """By whom a contact may be seen: the scopes of all their tickets."""
    found: dict[int, list[Scope]] = {}
    for contact_id, *scope in rows_of(rx, _SCOPES, "contact_id", ids):
        found.setdefault(contact_id, []).append(Scope(*scope))
    return found


def _listed(row: Row) -> Listed:
    width = len(Ticket.__struct_fields__)
    text = row[width + 1]
    snippet = text if text is None or len(text) <= 140 else text[:139] + "…"
    return Listed(Ticket(*row[:width]), row[width], snippet, row[width + 2], row[width + 3])


# --- who and what there is, in the small form that names things -----------------------------------------------------


class Colleague(msgspec.Struct, frozen=True):
    """An agent by name. `present`: connected now; `availability`: whether they take work, and `until` when not;
    `automatic`: they were found to be away. `load`: points of what they have in hand, of `capacity`; `idle_since`: when
    something last left their hand."""

    id: int
    name: str
    availability: str
    present: bool
    disabled: bool
    until: int | None
    reason: str | None
    automatic: bool
    load: int
    capacity: int
    idle_since: int


class TeamName(msgspec.Struct, frozen=True):
    id: int
    name: str
    members: tuple[int, ...]


class InboxName(msgspec.Struct, frozen=True):
    """`live`: those who write there wait in front of a screen; what is said there is said now."""

    id: int
    name: str
    kind: str
    team_id: int | None
    enabled: bool
    healthy: bool
    live: bool


class TagName(msgspec.Struct, frozen=True):
    id: int
    name: str
    colour: str


class Names(msgspec.Struct, frozen=True):
    agents: dict[int, Colleague]
    teams: dict[int, TeamName]
    inboxes: dict[int, InboxName]
    tags: dict[int, TagName]


_AGENTS = """
SELECT agent.id, agent.name, agent.availability, COALESCE(presence.until, 0), agent.disabled_at, agent.until,
       agent.reason, agent.automatic IS NOT NULL, agent.load, agent.capacity, agent.idle_since
FROM agent LEFT JOIN presence ON presence.agent_id = agent.id"""
_TEAMS = "SELECT id, name FROM team"
_THERE = "gone_at IS NULL"  # of teams and tags
_MEMBERS = "SELECT team_id, agent_id FROM team_member"
_INBOXES = "SELECT id, name, kind, team_id, enabled, health_in_error, health_out_error FROM inbox"
_TAGS = "SELECT id, name, colour FROM tag"


def names(rx: Rx, *, agents: Iterable[int], teams: Iterable[int], inboxes: Iterable[int], tags: Iterable[int]) -> Names:
    members: dict[int, tuple[int, ...]] = {}
    teams = set(teams)
    for team_id, agent_id in rows_of(rx, _MEMBERS, "team_id", teams, " ORDER BY agent_id"):
        members[team_id] = (*members.get(team_id, ()), agent_id)
    return Names(
        {row[0]: _colleague(row, rx.now) for row in rows_of(rx, _AGENTS, "agent.id", agents)},
        {
            row[0]: TeamName(row[0], row[1], members.get(row[0], ()))
            for row in rows_of(rx, _TEAMS, "id", teams, where=_THERE)
        },
        {row[0]: _inbox(row) for row in rows_of(rx, _INBOXES, "id", inboxes)},
        {row[0]: TagName(*row) for row in rows_of(rx, _TAGS, "id", tags, where=_THERE)},
    )


def all_names(rx: Rx) -> Names:
    members: dict[int, tuple[int, ...]] = {}
    for team_id, agent_id in rx.rows(f"{_MEMBERS} ORDER BY agent_id"):
        members[team_id] = (*members.get(team_id, ()), agent_id)
    return Names(
        {row[0]: _colleague(row, rx.now) for row in rx.rows(f"{_AGENTS} ORDER BY agent.id")},
        {
            row[0]: TeamName(row[0], row[1], members.get(row[0], ()))
            for row in rx.rows(f"{_TEAMS} WHERE {_THERE} ORDER BY id")
        },
        {row[0]: _inbox(row) for row in rx.rows(f"{_INBOXES} ORDER BY id")},
        {row[0]: TagName(*row) for row in rx.rows(f"{_TAGS} WHERE {_THERE} ORDER BY name_folded, id")},
    )


def _colleague(row: Row, now: int) -> Colleague:
    id, name, availability, present_until, disabled_at, until, reason, automatic, load, capacity, idle_since = row
    return Colleague(
        id=id,
        name=name,
        availability=availability,
        present=present_until > now,
        disabled=disabled_at is not None,
        until=until,
        reason=reason,
        automatic=bool(automatic),
        load=load,
        capacity=capacity,
        idle_since=idle_since,
    )


def _inbox(row: Row) -> InboxName:
    id, name, kind, team_id, enabled, in_error, out_error = row
    return InboxName(
        id=id,
        name=name,
        kind=kind,
        team_id=team_id,
        enabled=bool(enabled),
        healthy=in_error is None and out_error is None,
        live=kinds.is_live(kind),
    )
