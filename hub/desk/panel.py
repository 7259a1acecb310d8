"""What the console shows beside a ticket: the tickets of its contact that the caller may see, and how much there is."""

from typing import Final

import msgspec

from hub.db.tx import Rx
from hub.staff.access import Caller, visible

MOST: Final = 50  # open tickets that are named
COUNTED: Final = 1_000  # "999+" is said of more

_OPEN = """
SELECT ticket.number, ticket.subject, ticket.status, ticket.priority, ticket.inbox_id, ticket.assignee_id,
       ticket.last_message_at
FROM ticket
WHERE ticket.contact_id = :contact_id AND ticket.status IN ('open', 'pending', 'snoozed') AND ticket.spam = 0"""
_NEWEST = " ORDER BY ticket.last_message_at DESC, ticket.id DESC LIMIT :limit"
_TICKETS = "SELECT 1 FROM ticket WHERE ticket.contact_id = :contact_id AND ticket.merged_into IS NULL"
_NOTES = """
SELECT COUNT(*) FROM (SELECT 1 FROM contact_note WHERE contact_id = :contact_id LIMIT :most) AS counted"""


class OpenTicket(msgspec.Struct, frozen=True):
    number: int
    subject: str
    status: str
    priority: str
    inbox_id: int
    assignee_id: int | None
    last_message_at: int


class Counts(msgspec.Struct, frozen=True):
    """Of what the caller may see; each stops at 1,000."""

    tickets: int
    notes: int


def open_tickets(rx: Rx, caller: Caller, contact_id: int) -> list[OpenTicket]:
    """Newest words first."""
    sees, params = visible(caller.grants)
    sql = f"{_OPEN} AND {sees}{_NEWEST}"  # composed of constants of ours; values are parameters
    return [OpenTicket(*row) for row in rx.rows(sql, contact_id=contact_id, limit=MOST, **params)]


def counts(rx: Rx, caller: Caller, contact_id: int) -> Counts:
    sees, params = visible(caller.grants)
    filters = f"{_TICKETS} AND {sees} LIMIT :most"
    return Counts(
        tickets=int(
            rx.value(f"SELECT COUNT(*) FROM ({filters}) AS counted", contact_id=contact_id, most=COUNTED, **params)
        ),
        notes=int(rx.value(_NOTES, contact_id=contact_id, most=COUNTED)),
    )
