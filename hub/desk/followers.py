"""Who follows a ticket: because they want to, or because a note names them. They see it only as long as they may."""

from typing import Final

from hub.db.tx import Rx, Tx
from hub.desk import ticket as tickets
from hub.desk.ticket import Ticket
from hub.errors import invalid
from hub.events import AgentMentioned, TicketFollowed, TicketUnfollowed
from hub.staff import access
from hub.staff.access import Caller, agent_of

MOST_MENTIONS: Final = 50
READ: Final = "tickets.read"

_FOLLOW = """
INSERT INTO follower (ticket_id, agent_id, since) VALUES (:ticket_id, :agent_id, :now) ON CONFLICT DO NOTHING"""
_UNFOLLOW = "DELETE FROM follower WHERE ticket_id = :ticket_id AND agent_id = :agent_id"
_OF = "SELECT agent_id FROM follower WHERE ticket_id = :ticket_id ORDER BY agent_id"
_MENTION = """
INSERT INTO mention (note_id, agent_id, ticket_id, at) VALUES (:note_id, :agent_id, :ticket_id, :now)"""
_SEEN = """
UPDATE mention SET seen_at = :now WHERE agent_id = :agent_id AND ticket_id = :ticket_id AND seen_at IS NULL"""
_NAME = "SELECT name FROM agent WHERE id = :id AND disabled_at IS NULL"


def follow(tx: Tx, caller: Caller, number: int) -> None:
    _add(tx, caller, tickets.seen(tx, caller, number), agent_of(caller))


def unfollow(tx: Tx, caller: Caller, number: int) -> None:
    ticket = tickets.seen(tx, caller, number)
    agent_id = agent_of(caller)
    if tx.run(_UNFOLLOW, ticket_id=ticket.id, agent_id=agent_id):
        tickets.record(tx, ticket, TicketUnfollowed(agent_id=agent_id), caller.actor)


def of_ticket(rx: Rx, ticket_id: int) -> tuple[int, ...]:
    return tuple(row[0] for row in rx.rows(_OF, ticket_id=ticket_id))


def require_mentionable(rx: Rx, ticket: Ticket, agent_ids: tuple[int, ...]) -> None:
    """Before anything is written: a note never shows a ticket to somebody who may not see it, so it cannot call one
    there either."""
    if len(agent_ids) > MOST_MENTIONS:
        raise invalid("mentions", f"A note can name at most {MOST_MENTIONS} colleagues.")
    for agent_id in dict.fromkeys(agent_ids):
        name = rx.value(_NAME, id=agent_id)
        if name is None:
            raise invalid("mentions", "There is no such agent, or they are disabled.")
        grants = access.load(rx, agent_id)
        if grants is None or READ not in grants.permissions or not access.may(grants, ticket.scope):
            text = f"{name} cannot see this ticket. Hand it over to them, or leave their name out."
            raise invalid("mentions", text)


def mention(tx: Tx, caller: Caller, ticket: Ticket, note_id: int, agent_ids: tuple[int, ...]) -> None:
    """Those whom `require_mentionable` let through. Who names themselves is not called."""
    for agent_id in dict.fromkeys(agent_ids):
        if caller.actor.kind == "agent" and agent_id == caller.actor.id:
            continue
        tx.run(_MENTION, note_id=note_id, agent_id=agent_id, ticket_id=ticket.id, now=tx.now)
        _add(tx, caller, ticket, agent_id)
        tickets.record(tx, ticket, AgentMentioned(agent_id=agent_id, note_id=note_id), caller.actor)


def saw(tx: Tx, agent_id: int, ticket_id: int) -> None:
    """They have looked at the ticket, and so at the notes that name them."""
    tx.run(_SEEN, agent_id=agent_id, ticket_id=ticket_id, now=tx.now)


def _add(tx: Tx, caller: Caller, ticket: Ticket, agent_id: int) -> None:
    if tx.run(_FOLLOW, ticket_id=ticket.id, agent_id=agent_id, now=tx.now):
        tickets.record(tx, ticket, TicketFollowed(agent_id=agent_id), caller.actor)
