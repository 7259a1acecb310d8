"""Up to where each agent has read a ticket, and so up to where the customer has been read at all.

An agent's own: it is no event but told to their other windows, and to the visitor whose message it was."""

from collections.abc import Iterable, Iterator
from typing import Final

from hub.db.backend import Row
from hub.db.tx import Rx, Tx
from hub.desk import at_once, followers, visitors
from hub.desk import ticket as tickets
from hub.desk.ticket import Ticket
from hub.errors import Refusal, invalid
from hub.events import Recorded, Told
from hub.staff import access
from hub.staff.access import Caller, agent_of

READ: Final = "read"  # what a frame tells
NEEDS: Final = "tickets.read"

_PUT = """
INSERT INTO ticket_read (agent_id, ticket_id, message_id) VALUES (:agent_id, :ticket_id, :message_id)
ON CONFLICT (agent_id, ticket_id) DO UPDATE SET message_id = excluded.message_id"""
_GET = "SELECT message_id FROM ticket_read WHERE agent_id = :agent_id AND ticket_id = :ticket_id"
_OF = """
SELECT ticket.number, ticket_read.message_id
FROM ticket JOIN ticket_read ON ticket_read.ticket_id = ticket.id AND ticket_read.agent_id = :agent_id"""
_READERS = "SELECT agent_id, message_id FROM ticket_read WHERE ticket_id = :ticket_id"
_IS_OF = "SELECT 1 FROM message WHERE id = :id AND ticket_id = :ticket_id"
_READ = "UPDATE ticket SET read_to = :message_id WHERE id = :id AND read_to < :message_id"


def mark_read(tx: Tx, caller: Caller, number: int, message_id: int, window: str | None = None) -> int:
    """Up to this message; never backwards. Returns up to where the caller has read then."""
    ticket = tickets.seen(tx, caller, number)
    agent_id = agent_of(caller)
    if tx.value(_IS_OF, id=message_id, ticket_id=ticket.id) is None:
        raise invalid("message_id", "This message is not of this ticket.")
    before = tx.value(_GET, agent_id=agent_id, ticket_id=ticket.id) or 0
    if message_id > before:
        _put(tx, agent_id, ticket, message_id, window)
    followers.saw(tx, agent_id, ticket.id)
    if tx.run(_READ, id=ticket.id, message_id=message_id):
        _tell_visitor(tx, ticket, message_id)
    return int(max(before, message_id))


def mark_unread(tx: Tx, caller: Caller, number: int, window: str | None = None) -> int:
    """Everything from the contact's newest message on. That somebody has read it stays true for the contact."""
    ticket = tickets.seen(tx, caller, number)
    agent_id = agent_of(caller)
    if ticket.last_incoming_id is None:
        raise Refusal("conflict", "The contact has written nothing here that could be unread.")
    _put(tx, agent_id, ticket, ticket.last_incoming_id - 1, window)
    return ticket.last_incoming_id - 1


def tell_again(tx: Tx, to: Recorded) -> None:
    """A ticket may have come back into somebody's list, and a client holds what is read of its list alone: run by
    `hub.reactions`."""
    ticket = tickets.must(tx, to.ticket_id or 0)
    for agent_id, message_id in tx.rows(_READERS, ticket_id=ticket.id):
        if sees(tx, agent_id, ticket):
            tx.tell(_own(agent_id, ticket, message_id, None))


def sees(rx: Rx, agent_id: int, ticket: Ticket) -> bool:
    """Whether the agent may see it now: others are not told that anything happened to it."""
    grants = access.load(rx, agent_id)
    return grants is not None and access.may(grants, ticket.scope)


def join(tx: Tx, ticket: Ticket, survivor: Ticket, last: int) -> list[tuple[int, int, int]]:
    """Who had read all that the contact wrote in both has read the survivor up to its last message: (agent, up to where
    before, and now)."""
    theirs: dict[int, int] = dict(tx.rows(_READERS, ticket_id=survivor.id))
    joined: list[tuple[int, int, int]] = []
    for agent_id, message_id in tx.rows(_READERS, ticket_id=ticket.id):
        before = theirs.get(agent_id, 0)
        read = message_id >= (ticket.last_incoming_id or 0) and before >= (survivor.last_incoming_id or 0)
        if read and last > before:
            _put(tx, agent_id, survivor, last, None)
            joined.append((agent_id, before, last))
    return joined


def part(tx: Tx, survivor: Ticket, joined: list[tuple[int, int, int]]) -> None:
    """The same back, for whoever has read nothing more since."""
    now: dict[int, int] = dict(tx.rows(_READERS, ticket_id=survivor.id))
    for agent_id, before, after in joined:
        if now.get(agent_id) == after:
            _put(tx, agent_id, survivor, before, None)


def of_agent(rx: Rx, agent_id: int, ticket_ids: Iterable[int]) -> dict[str, int]:
    """The number of each ticket of which the agent has read something → up to which message. (A JSON object's keys
    are strings.)"""
    return {str(number): message_id for number, message_id in _rows(rx, agent_id, ticket_ids)}


def _rows(rx: Rx, agent_id: int, ticket_ids: Iterable[int]) -> Iterator[Row]:
    for names, values in at_once.some(ticket_ids):
        scope = f"ticket.id IN {names}"
        yield from rx.rows(f"{_OF} WHERE {scope}", agent_id=agent_id, **values)


def _put(tx: Tx, agent_id: int, ticket: Ticket, message_id: int, window: str | None) -> None:
    tx.run(_PUT, agent_id=agent_id, ticket_id=ticket.id, message_id=message_id)
    tx.tell(_own(agent_id, ticket, message_id, window))


def _own(agent_id: int, ticket: Ticket, message_id: int, window: str | None) -> Told:
    frame = {"type": "own", "what": READ, "number": ticket.number, "message_id": message_id, "window": window}
    return Told("agent", agent_id, frame, NEEDS)


def _tell_visitor(tx: Tx, ticket: Ticket, message_id: int) -> None:
    visitor_id = visitors.of_ticket(tx, ticket.id)
    if visitor_id is not None:
        tx.tell(Told("visitor", visitor_id, {"type": READ, "number": ticket.number, "message_id": message_id}))
