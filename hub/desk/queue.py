"""The queue of tickets that wait for an agent: who stands where in it, and who could take what. Reads only."""

from functools import lru_cache
from typing import Any, Final

import msgspec

from hub.clock import SECOND
from hub.db.tx import Rx
from hub.desk.ticket import COLUMNS, Ticket
from hub.staff import access
from hub.staff.access import Grants, may, visible
from hub.text import fold

REPLY: Final = "tickets.reply"
AT_ONCE: Final = 20

# What `waits` says, in SQL; the index ticket_queue holds the first three.
_WAITING = """ticket.assignee_id IS NULL AND ticket.waiting_since IS NOT NULL AND ticket.spam = 0
  AND ticket.status = 'open' AND ticket.handler = 'agent'"""
_SETTINGS = "SELECT settings FROM inbox WHERE id = :id AND enabled = 1"
_ALL_SETTINGS = "SELECT id, settings FROM inbox WHERE enabled = 1"
_ROOM = """
SELECT agent.capacity - agent.load
       - (SELECT CAST(COALESCE(SUM(ticket.weight), 0) AS INTEGER) FROM ticket WHERE ticket.offered_to = agent.id)
FROM agent JOIN presence ON presence.agent_id = agent.id
WHERE agent.id = :agent_id AND presence.until > :now AND agent.availability = 'online' AND agent.disabled_at IS NULL"""
_LOAD = "SELECT capacity - load FROM agent WHERE id = :agent_id"
_THERE = """
SELECT 1 FROM agent JOIN presence ON presence.agent_id = agent.id
WHERE agent.id = :agent_id AND presence.until > :now AND agent.availability <> 'offline'
  AND agent.disabled_at IS NULL"""
_EVERYBODY = "SELECT agent_id FROM presence WHERE until > :now ORDER BY agent_id"
_ONLINE = """
SELECT agent.id, role.permissions, role.sees, agent.languages, agent.skills, agent.capacity, agent.load,
       agent.idle_since,
       (SELECT CAST(COALESCE(SUM(ticket.weight), 0) AS INTEGER) FROM ticket WHERE ticket.offered_to = agent.id)
FROM presence JOIN agent ON agent.id = presence.agent_id JOIN role ON role.id = agent.role_id
WHERE presence.until > :now AND agent.availability = 'online' AND agent.disabled_at IS NULL
  AND agent.load + :weight <= agent.capacity
  AND NOT EXISTS (SELECT 1 FROM offer_passed
                  WHERE offer_passed.ticket_id = :ticket_id AND offer_passed.agent_id = agent.id)"""
_PASSED = "SELECT 1 FROM offer_passed WHERE ticket_id = :ticket_id LIMIT 1"
_TEAMS = """
SELECT team_member.agent_id, team_member.team_id
FROM presence JOIN team_member ON team_member.agent_id = presence.agent_id WHERE presence.until > :now"""
_INBOXES = """
SELECT team_member.agent_id, inbox_team.inbox_id
FROM presence JOIN team_member ON team_member.agent_id = presence.agent_id
JOIN inbox_team ON inbox_team.team_id = team_member.team_id
WHERE presence.until > :now"""
_HELD = f"""
SELECT {COLUMNS} FROM ticket
WHERE ticket.assignee_id = :agent_id AND ticket.status = 'open' AND ticket.waiting_since IS NOT NULL
  AND ticket.spam = 0 AND ticket.handler = 'agent'"""
_IN_ORDER: Final = " ORDER BY ticket.urgency, ticket.waiting_since, ticket.id"
_LANGUAGE = "SELECT language FROM contact WHERE id = :id"
_HAD = """
SELECT assignee_id FROM ticket
WHERE contact_id = :contact_id AND id <> :id AND assignee_id IS NOT NULL ORDER BY id DESC LIMIT 1"""
_PLACE = "SELECT team_id, urgency, waiting_since FROM ticket WHERE ticket.id = :id AND " + _WAITING
_AHEAD = f"""
SELECT COUNT(*) FROM (
  SELECT 1 FROM ticket
  WHERE {_WAITING} AND COALESCE(ticket.team_id, 0) = :team_id AND ticket.urgency = :urgency
    AND (ticket.waiting_since, ticket.id) < (:waiting_since, :id)
  LIMIT 1000) AS ahead"""


class _Setting(msgspec.Struct):
    """What routing reads of an inbox's settings; `hub.desk.settings.Common` tells what they mean."""

    routing: str = "claim"
    accept_within: int = 60
    after_everybody: int = 60
    sticky: bool = True
    language_matters: bool = True
    skills: tuple[str, ...] = ()


_setting = msgspec.json.Decoder(_Setting)
_texts = msgspec.json.Decoder(list[str])


def accept_within(rx: Rx, inbox_id: int) -> int:
    """How long an offer of this inbox holds, in milliseconds."""
    return _settings_of(rx, inbox_id).accept_within * SECOND


def pause(rx: Rx, inbox_id: int) -> int:
    """How long after everybody let a ticket of this inbox pass they are asked anew, in milliseconds."""
    return _settings_of(rx, inbox_id).after_everybody * SECOND


def takes_part(rx: Rx, inbox_id: int) -> bool:
    """Whether tickets of this inbox are offered; else they wait to be claimed."""
    settings = rx.value(_SETTINGS, id=inbox_id)
    return settings is not None and _setting.decode(settings).routing == "offer"


def waits(ticket: Ticket) -> bool:
    """The customer waits for an agent's word; whether one is responsible is another matter."""
    return (
        ticket.waiting_since is not None and ticket.status == "open" and ticket.handler == "agent" and not ticket.spam
    )


def position(rx: Rx, ticket_id: int) -> int | None:
    """How many older tickets of the same team and urgency wait for an agent (1000: so many or more); None: it waits
    for none."""
    row = rx.row(_PLACE, id=ticket_id)
    if row is None:
        return None
    return int(rx.value(_AHEAD, id=ticket_id, team_id=row[0] or 0, urgency=row[1], waiting_since=row[2]))


def is_there(rx: Rx, agent_id: int) -> bool:
    """Somebody who can be waited for: they are connected and have not gone offline."""
    return rx.value(_THERE, agent_id=agent_id, now=rx.now) is not None


def everybody_there(rx: Rx) -> list[int]:
    return [row[0] for row in rx.rows(_EVERYBODY, now=rx.now)]


def room(rx: Rx, agent_id: int) -> int | None:
    """How many more points may be offered to the agent, those on offer counted; None: they take none at all."""
    found = rx.value(_ROOM, agent_id=agent_id, now=rx.now)
    return None if found is None else int(found)


def has_room_for_offered(rx: Rx, agent_id: int, weight: int) -> bool:
    """Whether one of this weight that is on offer to them may become theirs."""
    found = rx.value(_LOAD, agent_id=agent_id)
    return found is not None and found >= weight


def candidates(rx: Rx, ticket: Ticket) -> list[int]:
    """The agents with room for it who may see it and have not let it pass in this round, the best first.

    Best: of the ticket's team, who had the contact's last one, speaking their language, having the inbox's skills,
    least busy, longest idle.
    """
    online = rx.rows(_ONLINE, ticket_id=ticket.id, weight=ticket.weight, now=rx.now)
    if not online:
        return []
    teams, inboxes = _grouped(rx.rows(_TEAMS, now=rx.now)), _grouped(rx.rows(_INBOXES, now=rx.now))
    settings = _settings_of(rx, ticket.inbox_id)
    language = _primary(rx.value(_LANGUAGE, id=ticket.contact_id)) if settings.language_matters else None
    known = rx.value(_HAD, contact_id=ticket.contact_id, id=ticket.id) if settings.sticky else None
    wanted = {fold(skill) for skill in settings.skills}
    scope = ticket.scope
    found: list[tuple[tuple[Any, ...], int]] = []
    for agent_id, permissions, sees, languages, skills, capacity, load, idle_since, offered in online:
        if load + offered + ticket.weight > capacity or REPLY not in (allowed := _listed(permissions)):
            continue
        grants = access.granted(agent_id, allowed, sees, teams.get(agent_id, ()), inboxes.get(agent_id, ()))
        if not may(grants, scope):
            continue
        rank = (
            ticket.team_id is not None and ticket.team_id not in teams.get(agent_id, ()),
            known is not None and agent_id != known,
            language is not None and language not in _languages(languages),
            len(wanted - _skills(skills)),
            (load + offered) / capacity,
            idle_since,
            agent_id,
        )
        found.append((rank, agent_id))
    return [agent_id for _, agent_id in sorted(found)]


def was_passed(rx: Rx, ticket_id: int) -> bool:
    """Whether anybody, here or gone meanwhile, let it pass in this round."""
    return rx.value(_PASSED, ticket_id=ticket_id) is not None


def oldest_for(rx: Rx, grants: Grants, room: int) -> Ticket | None:
    """The most urgent, then oldest ticket in the queue that fits into so much room, that the agent may see and has not
    let pass in this round."""
    inboxes = routed(rx)
    if not inboxes:
        return None
    condition, params = visible(grants)
    scope = ", ".join(str(i) for i in inboxes)
    row = rx.row(
        f"""SELECT {COLUMNS} FROM ticket
WHERE {_WAITING} AND ticket.offered_to IS NULL AND ticket.inbox_id IN ({scope})
  AND ticket.weight <= :room AND {condition}
  AND NOT EXISTS (SELECT 1 FROM offer_passed
                  WHERE offer_passed.ticket_id = ticket.id AND offer_passed.agent_id = :asked)
ORDER BY ticket.urgency, ticket.waiting_since, ticket.id LIMIT 1""",
        asked=grants.agent_id,
        room=room,
        **params,
    )
    return None if row is None else Ticket(*row)


def waiting_for(rx: Rx, agent_id: int) -> list[Ticket]:
    """Tickets of routed inboxes that are the agent's and whose customers wait, as in the queue, at most 20."""
    inboxes = routed(rx)
    if not inboxes:
        return []
    scope = ", ".join(str(i) for i in inboxes)
    where = f"{_HELD} AND ticket.inbox_id IN ({scope})"
    rows = rx.rows(f"{where}{_IN_ORDER} LIMIT :most", agent_id=agent_id, most=AT_ONCE)
    return [Ticket(*row) for row in rows]


def held_by(rx: Rx, agent_id: int, most: int) -> list[Ticket]:
    """Tickets of any inbox that are the agent's and whose customers wait, oldest first."""
    sql = f"{_HELD}{_IN_ORDER} LIMIT :most"
    return [Ticket(*row) for row in rx.rows(sql, agent_id=agent_id, most=most)]


def routed(rx: Rx) -> list[int]:
    """The inboxes whose tickets are offered."""
    return sorted(int(i) for i, settings in rx.rows(_ALL_SETTINGS) if _setting.decode(settings).routing == "offer")


def _settings_of(rx: Rx, inbox_id: int) -> _Setting:
    return _setting.decode(rx.value(_SETTINGS, id=inbox_id) or "{}")


@lru_cache(2_000)
def _listed(stored: str) -> frozenset[str]:
    return frozenset(_texts.decode(stored))


@lru_cache(2_000)
def _languages(stored: str) -> frozenset[str | None]:
    return frozenset(_primary(code) for code in _texts.decode(stored))


@lru_cache(2_000)
def _skills(stored: str) -> frozenset[str]:
    return frozenset(fold(skill) for skill in _texts.decode(stored))


def _grouped(pairs: list[tuple[Any, ...]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for agent_id, other in pairs:
        found.setdefault(agent_id, set()).add(other)
    return found


def _primary(code: str | None) -> str | None:
    """fr-CA and fr are one language to somebody who answers."""
    return code.partition("-")[0].casefold() if code else None
