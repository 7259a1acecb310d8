"""Who has a ticket: assign, claim, hand over, unassign. One function writes it, whoever decided."""

from typing import Literal

import msgspec

from hub.db.tx import Rx, Tx
from hub.desk import notes
from hub.desk import ticket as tickets
from hub.desk.ticket import Ticket
from hub.errors import Refusal, invalid
from hub.events import TicketAssigned, TicketMoved, TicketOfferEnded
from hub.staff import access
from hub.staff.access import Caller, Grants

How = Literal["assigned", "claimed", "handed_over", "unassigned", "routed", "drained"]

_PUT = """
UPDATE ticket SET assignee_id = :to, offered_to = NULL, offered_until = NULL, changed_at = :now WHERE id = :id"""
_MOVE = "UPDATE ticket SET team_id = :team_id, changed_at = :now WHERE id = :id"
_AGENT = "SELECT 1 FROM agent WHERE id = :id AND disabled_at IS NULL"
_TEAM = "SELECT 1 FROM team WHERE id = :id AND gone_at IS NULL"


def put(tx: Tx, caller: Caller, ticket: Ticket, to: int | None, how: How) -> Ticket:
    """Writes who has it, keeps counters and loads, records it. Judges nothing; the same again is nothing."""
    if ticket.assignee_id == to:
        return ticket
    tx.run(_PUT, to=to, now=tx.now, id=ticket.id)
    now = msgspec.structs.replace(ticket, assignee_id=to, offered_to=None, offered_until=None, changed_at=tx.now)
    tickets.count(tx, ticket, now)
    if ticket.offered_to is not None:
        tickets.record(
            tx,
            ticket,
            TicketOfferEnded(to=ticket.offered_to, why="accepted" if to == ticket.offered_to else "withdrawn"),
            caller.actor,
            now=now,
        )
    tickets.record(tx, ticket, TicketAssigned(to=to, was=ticket.assignee_id, how=how), caller.actor, now=now)
    return now


def assign(tx: Tx, caller: Caller, number: int, to: int | None) -> None:
    """To an agent who may see it, or back to the queue."""
    ticket = tickets.seen(tx, caller, number)
    if to is None:
        put(tx, caller, ticket, None, "unassigned")
        return
    _require_fit(tx, ticket, to)
    how: How = "handed_over" if ticket.assignee_id == caller.grants.agent_id != to else "assigned"
    put(tx, caller, ticket, to, how)


def require_agent(rx: Rx, agent_id: int) -> Grants:
    grants = access.load(rx, agent_id) if rx.value(_AGENT, id=agent_id) is not None else None
    if grants is None:
        raise invalid("agent_id", "There is no such agent, or they are disabled.")
    return grants


def _require_fit(rx: Rx, ticket: Ticket, to: int) -> None:
    grants = require_agent(rx, to)
    if not access.may(grants, ticket.scope):
        raise invalid("agent_id", "This agent cannot see this inbox. Add them to one of its teams first.")


def claim(tx: Tx, caller: Caller, number: int) -> None:
    """Takes what nobody has. Of two who press at once, the second is told who was faster."""
    ticket = tickets.seen(tx, caller, number)
    if ticket.assignee_id not in (None, caller.grants.agent_id):
        raise Refusal("conflict", "A colleague has it already.", extra={"assignee_id": ticket.assignee_id})
    put(tx, caller, ticket, caller.grants.agent_id, "claimed")


def hand_over(tx: Tx, caller: Caller, number: int, text: str, *, to: int | None, team_id: int | None) -> None:
    """To a colleague or to a team's queue, with a word on it: both or neither."""
    if (to is None) == (team_id is None):
        raise invalid("agent_id" if to is None else "team_id", "Hand it over either to an agent or to a team.")
    ticket = tickets.seen(tx, caller, number)
    if to is not None:
        _require_fit(tx, ticket, to)
    else:
        require_team(tx, team_id)
    notes.write(tx, caller, number, text)
    if to is not None:
        assign(tx, caller, number, to)
        return
    move(tx, caller, number, team_id)
    put(tx, caller, tickets.must(tx, ticket.id), None, "handed_over")


def move(tx: Tx, caller: Caller, number: int, team_id: int | None) -> None:
    """To another team. Whoever had it keeps it only if they still may see it."""
    ticket = tickets.seen(tx, caller, number)
    if team_id == ticket.team_id:
        return
    require_team(tx, team_id)
    _to_team(tx, caller, ticket, team_id)


def take_along(tx: Tx, caller: Caller, number: int, team_id: int | None) -> None:
    """The same where its team goes away, for whatever was merged as well. Judges no team."""
    _to_team(tx, caller, tickets.seen(tx, caller, number, merged=True), team_id)


def _to_team(tx: Tx, caller: Caller, ticket: Ticket, team_id: int | None) -> None:
    tx.run(_MOVE, team_id=team_id, now=tx.now, id=ticket.id)
    now = msgspec.structs.replace(ticket, team_id=team_id, changed_at=tx.now)
    tickets.count(tx, ticket, now)
    tickets.record(tx, ticket, TicketMoved(team_id=team_id, was=ticket.team_id), caller.actor, now=now)


def require_team(rx: Rx, team_id: int | None) -> None:
    if team_id is not None and rx.value(_TEAM, id=team_id) is None:
        raise invalid("team_id", "There is no such team.")
