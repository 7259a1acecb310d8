"""How long a visitor will wait, whether it is open, and whether anybody is there at all. Reads of a few rows each."""

from typing import Final

from hub.clock import MINUTE
from hub.connector import LiveSettings
from hub.db.tx import Rx
from hub.desk import hours, queue, routing_settings
from hub.desk.inboxes import Inbox

MEDIAN_OF: Final = 20

_ONLINE = """
SELECT 1 FROM presence JOIN agent ON agent.id = presence.agent_id JOIN role ON role.id = agent.role_id
WHERE presence.until > :now AND agent.availability = 'online' AND agent.disabled_at IS NULL
  AND (role.sees = 'everything'
       OR EXISTS (SELECT 1 FROM inbox_team JOIN team_member ON team_member.team_id = inbox_team.team_id
                  WHERE inbox_team.inbox_id = :inbox_id AND team_member.agent_id = agent.id))
LIMIT 1"""
# The newest of each status by the index ticket_inbox; each looks into the first few messages of its ticket.
_FIRST_REPLY = """
SELECT ticket.id, ticket.created_at,
       (SELECT message.created_at FROM message
        WHERE message.ticket_id = ticket.id AND message.direction = 'outgoing' ORDER BY message.id LIMIT 1)
FROM ticket WHERE ticket.inbox_id = :inbox_id AND ticket.status = :status AND ticket.spam = 0
ORDER BY ticket.last_message_at DESC, ticket.id DESC LIMIT 20"""

_WAITS_LONG = """
SELECT 1 FROM ticket
WHERE waiting_since <= :before AND spam = 0 AND inbox_id = :inbox_id AND status = 'open' AND assignee_id IS NULL
LIMIT 1"""


def position(rx: Rx, ticket_id: int) -> int | None:
    """How many older tickets of the same team and urgency wait as well; None: this one does not wait for an agent."""
    return queue.position(rx, ticket_id)


def expected_wait(rx: Rx, inbox_id: int) -> int | None:
    """Milliseconds until the first answer, as it was lately in this inbox; None: nothing to judge by."""
    found: list[tuple[int, int]] = []
    for status in ("open", "pending", "resolved"):
        for ticket_id, asked, answered in rx.rows(_FIRST_REPLY, inbox_id=inbox_id, status=status):
            if answered is not None:
                found.append((ticket_id, max(0, answered - asked)))
    waits = sorted(wait for _, wait in sorted(found, reverse=True)[:MEDIAN_OF])
    return waits[len(waits) // 2] if waits else None


def somebody_online(rx: Rx, inbox_id: int) -> bool:
    """An agent who may see this inbox is connected and takes work."""
    return rx.value(_ONLINE, inbox_id=inbox_id, now=rx.now) is not None


def is_open(rx: Rx, inbox: Inbox) -> bool:
    """By the business hours of the inbox's team, or its own; without any, always."""
    schedule = hours.of(rx, inbox.team_id, inbox.id)
    return schedule is None or schedule.is_open(rx.now)


def opens_at(rx: Rx, inbox: Inbox) -> int | None:
    """When somebody answers again; None: it is open, or nobody can tell."""
    schedule = hours.of(rx, inbox.team_id, inbox.id)
    if schedule is None or schedule.is_open(rx.now):
        return None
    return schedule.next_change(rx.now)


def is_long(rx: Rx, waiting_since: int, expected: int | None) -> bool:
    """So long that one should be offered something else than waiting: it has been, or it will be."""
    limit = routing_settings.read(rx).long_wait_minutes * MINUTE
    waited = rx.now - waiting_since
    return limit > 0 and (waited >= limit or (expected is not None and expected - waited >= limit))


def would_be_long(rx: Rx, inbox_id: int) -> bool:
    """For somebody who comes now: because of others who wait already."""
    limit = routing_settings.read(rx).long_wait_minutes * MINUTE
    return limit > 0 and rx.value(_WAITS_LONG, inbox_id=inbox_id, before=rx.now - limit) is not None


def is_closed(rx: Rx, inbox: Inbox, wanted: LiveSettings) -> bool:
    """The visitor gets a form that asks for an address instead of a chat."""
    match wanted.offline:
        case "always":
            return True
        case "never":
            return False
        case _:
            return not is_open(rx, inbox) or not somebody_online(rx, inbox.id)
