"""State that follows from what was said: who waits, what is open again. Run inline by `hub.reactions`."""

import msgspec

from hub.db.tx import Tx
from hub.desk import ticket as tickets
from hub.desk.ticket import Ticket
from hub.events import MessageReceived, MessageSent, Recorded, TicketReopened

_BEGINS_TO_WAIT = """
UPDATE ticket SET last_message_id = :message_id, last_incoming_id = :message_id, last_message_at = :now,
                  changed_at = :now, waiting_since = :now
WHERE id = :id AND status = 'open' AND spam = 0 AND waiting_since IS NULL"""
_SPOKE = """
UPDATE ticket SET last_message_id = :message_id, last_incoming_id = :message_id, last_message_at = :now,
                  changed_at = :now
WHERE id = :id AND status = 'open' AND spam = 0 AND waiting_since IS NOT NULL"""
_REOPEN = """
UPDATE ticket SET last_message_id = :message_id, last_incoming_id = :message_id, last_message_at = :now,
                  changed_at = :now, status = 'open', waiting_since = COALESCE(waited_since, :now), waited_since = NULL,
                  snoozed_until = NULL, resolved_at = NULL
WHERE id = :id"""
_STANDS = """
UPDATE ticket SET last_message_id = :message_id, last_incoming_id = :message_id, last_message_at = :now,
                  changed_at = :now
WHERE id = :id"""
_SAID_ASIDE = """
UPDATE ticket SET last_message_id = :message_id, last_message_at = :now, changed_at = :now WHERE id = :id"""
_ANSWERED = """
UPDATE ticket SET last_message_id = :message_id, last_message_at = :now, changed_at = :now, waiting_since = NULL,
                  waited_since = NULL, first_reply_at = COALESCE(first_reply_at, :first)
WHERE id = :id"""


def contact_spoke(tx: Tx, to: Recorded) -> None:
    """The customer waits from the first message that nobody answered; what was closed is open again."""
    event = to.event
    assert isinstance(event, MessageReceived) and to.ticket_id is not None and to.after is not None
    if event.automatic:
        tx.run(_STANDS, id=to.ticket_id, message_id=event.message_id, now=tx.now)
        return
    if tx.run(_SPOKE, id=to.ticket_id, message_id=event.message_id, now=tx.now):
        return
    if tx.run(_BEGINS_TO_WAIT, id=to.ticket_id, message_id=event.message_id, now=tx.now):
        tickets.count_waiting(tx, to.after)
        return
    ticket = tickets.must(tx, to.ticket_id)
    if ticket.spam:
        tx.run(_STANDS, id=ticket.id, message_id=event.message_id, now=tx.now)
        return
    _reopen(tx, ticket, event.message_id, to)


def _reopen(tx: Tx, ticket: Ticket, message_id: int, to: Recorded) -> None:
    tx.run(_REOPEN, id=ticket.id, message_id=message_id, now=tx.now)
    since = ticket.waited_since or tx.now
    now = msgspec.structs.replace(ticket, status="open", waiting_since=since, snoozed_until=None, resolved_at=None)
    tickets.count(tx, ticket, now)
    tickets.record(tx, ticket, TicketReopened(was=ticket.status, because="message"), to.by, now=now)


def we_spoke(tx: Tx, to: Recorded) -> None:
    """Nobody waits any longer; unless it was no answer."""
    event = to.event
    assert isinstance(event, MessageSent) and to.ticket_id is not None
    if event.aside:
        tx.run(_SAID_ASIDE, id=to.ticket_id, message_id=event.message_id, now=tx.now)
        return
    ticket = tickets.must(tx, to.ticket_id)
    first = tx.now if to.by.kind == "agent" else None  # a bot's word is no reply yet
    tx.run(_ANSWERED, id=to.ticket_id, message_id=event.message_id, first=first, now=tx.now)
    tickets.count(tx, ticket, msgspec.structs.replace(ticket, waiting_since=None))
