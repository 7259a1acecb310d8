"""Routing: offers a waiting ticket to whoever may see it, is there, has room and suits best. Run by `hub.reactions`.

An inbox with the setting `routing: offer` takes part; in any other, tickets wait for someone to claim them. A ticket
that waits there is at every moment either offered to one agent, or in the queue because nobody who may take it has
room, or because those who have let it pass a moment ago (then a job asks again). `hub.desk.queue` reads who that is.
"""

from typing import Any, Final, Literal

from hub.clock import MINUTE
from hub.db import lanes
from hub.db.tx import Tx
from hub.desk import assignment, presence, queue
from hub.desk import ticket as tickets
from hub.desk.ticket import Ticket
from hub.errors import Refusal, not_found
from hub.events import (
    SYSTEM,
    AccessChanged,
    Actor,
    AgentChanged,
    AgentDisabled,
    AgentEnabled,
    AvailabilityChanged,
    Event,
    MessageSent,
    PresenceChanged,
    Recorded,
    TicketAssigned,
    TicketHandedOff,
    TicketMoved,
    TicketOffered,
    TicketOfferEnded,
    TicketReopened,
)
from hub.staff import access
from hub.staff.access import DESK, Caller

GRACE: Final = MINUTE  # how long an agent may be gone before their waiting customers go back to the queue
DRAIN_AT_ONCE: Final = 40
Why = Literal["declined", "timed_out", "gone", "withdrawn"]
OFFER_TIMEOUT: Final = "offer_timeout"
OFFER_AGAIN: Final = "offer_again"
AGENT_GONE: Final = "agent_gone"

MOST_HELD: Final = 500
_AGENT = "SELECT 1 FROM agent WHERE id = :id"
_OFFER = "UPDATE ticket SET offered_to = :to, offered_until = :until, changed_at = :now WHERE id = :id"
_OFFERED_TO = "SELECT id FROM ticket WHERE offered_to = :agent_id ORDER BY urgency, waiting_since, id"
_PASSED = """
INSERT INTO offer_passed (ticket_id, agent_id, at) VALUES (:ticket_id, :agent_id, :now)
ON CONFLICT (ticket_id, agent_id) DO UPDATE SET at = excluded.at"""
_NEW_ROUND = "DELETE FROM offer_passed WHERE ticket_id = :ticket_id"

# After these all are asked anew, whoever let the ticket pass before.
_BEGINS_A_ROUND: Final = (TicketReopened, TicketMoved, TicketAssigned, TicketHandedOff)
_ABOUT_AN_AGENT: Final = (AvailabilityChanged, PresenceChanged, AgentChanged, AgentEnabled, AgentDisabled)


# --- reactions ---------------------------------------------------------------------------------------------------


def route(tx: Tx, to: Recorded) -> None:
    """Something happened to a ticket after which it may be waiting for an agent."""
    if to.ticket_id is None or to.after is None or to.after.inbox_id is None:
        return
    if not queue.takes_part(tx, to.after.inbox_id):
        return
    ticket = tickets.must(tx, to.ticket_id)
    event = to.event
    if isinstance(event, _BEGINS_A_ROUND):
        tx.run(_NEW_ROUND, ticket_id=ticket.id)
        if isinstance(event, TicketAssigned) and event.was is not None:
            if event.how == "drained" or to.by == Actor("agent", event.was):
                _passed(tx, ticket, event.was)  # who has just put it back is not the one to ask first
            _fill(tx, event.was)  # the room that it has left is for the first in line, which need not be this one
            ticket = tickets.must(tx, ticket.id)
        if isinstance(event, TicketMoved) and ticket.offered_to is not None:
            _hand_on(tx, ticket, "withdrawn")
            return
    if queue.waits(ticket):
        if ticket.assignee_id is not None:
            _see_that_they_are_there(tx, ticket.assignee_id)
        elif ticket.offered_to is None:
            _offer(tx, ticket)


def drain(tx: Tx, to: Recorded) -> None:
    """Something happened after which an agent may have room, or none any longer."""
    event = to.event
    if not queue.routed(tx):
        return
    if isinstance(event, TicketOfferEnded):
        _fill(tx, event.to)
        return
    if to.ticket_id is not None:
        _withdraw_if_over(tx, to.ticket_id)
    for agent_id in _touched(tx, to):
        _take_back(tx, agent_id)
        _fill(tx, agent_id)
        if _may_be_gone(event):
            _see_that_they_are_there(tx, agent_id)


def answered(tx: Tx, to: Recorded) -> None:
    """Who answers what is offered to them has accepted it; if somebody else did, the offer is over."""
    ticket = tickets.by_id(tx, to.ticket_id) if to.ticket_id is not None else None
    if ticket is None or ticket.offered_to is None or (isinstance(to.event, MessageSent) and to.event.aside):
        return
    if to.by == Actor("agent", ticket.offered_to):
        assignment.put(tx, Caller(to.by, access.ALL), ticket, ticket.offered_to, "routed")
    elif not queue.waits(ticket):
        _hand_on(tx, ticket, "withdrawn")


# --- commands ----------------------------------------------------------------------------------------------------


def accept(tx: Tx, caller: Caller, number: int) -> None:
    """Takes what is offered to the caller. Of two who try, or of two tries, one wins."""
    ticket = _offered_to_caller(tx, caller, number)
    if not queue.has_room_for_offered(tx, caller.grants.agent_id, ticket.weight):
        raise Refusal("conflict", "You have as many tickets as you can take. Resolve or hand over one first.")
    assignment.put(tx, caller, ticket, caller.grants.agent_id, "routed")


def decline(tx: Tx, caller: Caller, number: int) -> None:
    """Lets it pass to the next; the caller is not asked again in this round."""
    ticket = _offered_to_caller(tx, caller, number)
    _passed(tx, ticket, caller.grants.agent_id)
    _hand_on(tx, ticket, "declined", by=caller.actor)


def drain_agent(tx: Tx, caller: Caller, agent_id: int) -> tuple[int, bool]:
    """Puts back whoever waits for this agent, as far as the caller may see them, so that somebody else is asked. How
    many that were, and whether there are more: then do it again."""
    if tx.value(_AGENT, id=agent_id) is None:
        raise not_found("agent")
    held = queue.held_by(tx, agent_id, MOST_HELD)
    theirs = [ticket for ticket in held if access.may(caller.grants, ticket.scope)]
    for ticket in theirs[:DRAIN_AT_ONCE]:
        assignment.put(tx, caller, ticket, None, "drained")
    return min(len(theirs), DRAIN_AT_ONCE), len(theirs) > DRAIN_AT_ONCE


# --- timers ------------------------------------------------------------------------------------------------------


def offer_timeout(tx: Tx, payload: dict[str, Any]) -> None:
    """An offer was left lying: on to the next. Nothing when it was answered or made anew meanwhile."""
    ticket = tickets.by_id(tx, payload["ticket_id"])
    if ticket is None or ticket.offered_to is None or ticket.offered_until != payload["offered_until"]:
        return
    _passed(tx, ticket, ticket.offered_to)
    _hand_on(tx, ticket, "timed_out")


def offer_again(tx: Tx, payload: dict[str, Any]) -> None:
    """A new round for a ticket that everybody let pass."""
    ticket = tickets.by_id(tx, payload["ticket_id"])
    if ticket is None:
        return
    tx.run(_NEW_ROUND, ticket_id=ticket.id)
    if ticket.assignee_id is None and ticket.offered_to is None:
        _offer(tx, ticket)


def agent_gone(tx: Tx, payload: dict[str, Any]) -> None:
    """The grace is over: customers who wait for an agent who is not there go back to the queue."""
    agent_id = payload["agent_id"]
    if queue.is_there(tx, agent_id):
        return
    waiting = queue.waiting_for(tx, agent_id)
    for ticket in waiting:
        assignment.put(tx, DESK, ticket, None, "unassigned")
    if len(waiting) == queue.AT_ONCE:
        _once(tx, AGENT_GONE, payload, tx.now)


TIMERS: Final = {
    OFFER_TIMEOUT: offer_timeout,
    OFFER_AGAIN: offer_again,
    AGENT_GONE: agent_gone,
    presence.EXPIRE: presence.expire,
    presence.BACK: presence.back,
}


# --- steps -------------------------------------------------------------------------------------------------------


def _offer(tx: Tx, ticket: Ticket) -> None:
    """To the best of those who have room and were not asked in this round; else it stays in the queue."""
    agent_id = _best(tx, ticket)
    if agent_id is not None:
        _offer_to(tx, ticket, agent_id)


def _hand_on(tx: Tx, ticket: Ticket, why: Why, *, by: Actor = SYSTEM) -> None:
    """The offer is over; the next one is made. In this order, because whoever had it has room again and is offered
    what waits as soon as they are heard of: not this ticket, if somebody else suits it better now."""
    assert ticket.offered_to is not None
    tx.run(_OFFER, id=ticket.id, to=None, until=None, now=tx.now)
    agent_id = _best(tx, ticket)
    again = agent_id == ticket.offered_to  # then it has to stand in line for the room that it frees
    if agent_id is not None and not again:
        tx.run(_OFFER, id=ticket.id, to=agent_id, until=tx.now + MINUTE, now=tx.now)  # so that its room is taken
    _record(tx, ticket, TicketOfferEnded(to=ticket.offered_to, why=why), by)
    if again:
        now = tickets.must(tx, ticket.id)
        if now.offered_to is None:
            _offer(tx, now)
    elif agent_id is not None:
        _offer_to(tx, ticket, agent_id)


def _best(tx: Tx, ticket: Ticket) -> int | None:
    """Whom to offer it to. If it is nobody and somebody let it pass, even one who left, all are asked anew after a
    pause."""
    if not queue.waits(ticket) or ticket.assignee_id is not None or not queue.takes_part(tx, ticket.inbox_id):
        return None
    found = queue.candidates(tx, ticket)
    if found:
        return found[0]
    if queue.was_passed(tx, ticket.id):
        _once(tx, OFFER_AGAIN, {"ticket_id": ticket.id}, tx.now + queue.pause(tx, ticket.inbox_id))
    return None


def _offer_to(tx: Tx, ticket: Ticket, agent_id: int) -> None:
    until = tx.now + queue.accept_within(tx, ticket.inbox_id)
    tx.run(_OFFER, id=ticket.id, to=agent_id, until=until, now=tx.now)
    payload = {"ticket_id": ticket.id, "offered_until": until}
    tx.enqueue(OFFER_TIMEOUT, payload, run_at=until, lane=lanes.OUTBOUND)
    _record(tx, ticket, TicketOffered(to=agent_id, until=until), SYSTEM)


def _record(tx: Tx, ticket: Ticket, event: Event, by: Actor) -> None:
    tickets.record(tx, ticket, event, by)


def _passed(tx: Tx, ticket: Ticket, agent_id: int) -> None:
    tx.run(_PASSED, ticket_id=ticket.id, agent_id=agent_id, now=tx.now)


def _offered_to_caller(tx: Tx, caller: Caller, number: int) -> Ticket:
    ticket = tickets.seen(tx, caller, number)
    if ticket.offered_to is None or ticket.offered_to != caller.grants.agent_id:
        raise Refusal("conflict", "This ticket is not offered to you any longer.")
    return ticket


def _withdraw_if_over(tx: Tx, ticket_id: int) -> None:
    """Nobody is to accept what waits no longer: resolved, snoozed or answered by somebody else, marked as spam."""
    ticket = tickets.by_id(tx, ticket_id)
    if ticket is not None and ticket.offered_to is not None and not queue.waits(ticket):
        _hand_on(tx, ticket, "withdrawn")


def _touched(tx: Tx, to: Recorded) -> list[int]:
    """The agents whose room may have changed."""
    event = to.event
    if isinstance(event, _ABOUT_AN_AGENT):
        return [event.agent_id]
    if isinstance(event, AccessChanged):
        return queue.everybody_there(tx) if event.agent_id is None else [event.agent_id]
    ids = {scope.assignee_id for scope in (to.before, to.after) if scope is not None}
    return sorted(i for i in ids if i is not None)


def _may_be_gone(event: Event) -> bool:
    return (
        (isinstance(event, PresenceChanged) and not event.present)
        or (isinstance(event, AvailabilityChanged) and event.availability == "offline")
        or isinstance(event, AgentDisabled)
    )


def _see_that_they_are_there(tx: Tx, agent_id: int) -> None:
    """A customer may wait for an agent who left: after a grace they go back to the queue."""
    if not queue.is_there(tx, agent_id):
        _once(tx, AGENT_GONE, {"agent_id": agent_id}, tx.now + GRACE)


def _take_back(tx: Tx, agent_id: int) -> None:
    """Offers that the agent may not take any longer, or cannot: the last in line go first. They stand in line again
    all together, or the first to be handed on would get room before one that comes before it."""
    offered = [tickets.must(tx, ticket_id) for (ticket_id,) in tx.rows(_OFFERED_TO, agent_id=agent_id)]
    if not offered:
        return
    grants, room = access.load(tx, agent_id), queue.room(tx, agent_id)
    over: list[tuple[Ticket, Why]] = []
    for ticket in reversed(offered):
        if grants is None or room is None:
            over.append((ticket, "gone"))
        elif room < 0 or not access.may(grants, ticket.scope):
            over.append((ticket, "withdrawn"))
            room += ticket.weight
    for ticket, _ in over:
        tx.run(_OFFER, id=ticket.id, to=None, until=None, now=tx.now)
    for ticket, why in reversed(over):
        _record(tx, ticket, TicketOfferEnded(to=agent_id, why=why), SYSTEM)
        now = tickets.must(tx, ticket.id)
        if now.offered_to is None:
            _offer(tx, now)


def _fill(tx: Tx, agent_id: int) -> None:
    """Offers the agent what waits and fits, oldest first, until their room is full."""
    room = queue.room(tx, agent_id) or 0
    grants = access.load(tx, agent_id) if room > 0 else None
    if grants is None or queue.REPLY not in grants.permissions:
        return
    while room > 0:
        ticket = queue.oldest_for(tx, grants, room)
        if ticket is None:
            return
        _offer_to(tx, ticket, agent_id)
        room -= ticket.weight


def _once(tx: Tx, kind: str, payload: dict[str, Any], at: int) -> None:
    """A timer that is set only if none of its kind and about the same is still to come."""
    key = f"{kind}:{','.join(str(value) for value in payload.values())}"
    tx.enqueue_once(kind, payload, key=key, run_at=at, lane=lanes.OUTBOUND)
