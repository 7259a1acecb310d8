"""The desk's own answer to a new ticket, where an inbox wants one: that it has come, and by which number.

It may be turned against others, so it says nothing that the sender wrote, goes only to an address that is proven or
known, once a day at most, never to a machine, and never so often that an inbox could be used to flood anybody.
"""

import secrets
from typing import Final

from hub.clock import DAY, HOUR
from hub.connector import Message
from hub.db.tx import Rx, Tx
from hub.desk import replies
from hub.desk.inboxes import Inbox
from hub.desk.replies import Way
from hub.desk.ticket import Ticket
from hub.events import Actor
from hub.people.contacts import Known
from hub.staff.access import ALL, Caller

AN_HOUR: Final = 200  # of one inbox
TEXT: Final = "Thank you, we have received your message. It has the number #{number}. We will answer as soon as we can."

_EARLIER = """
SELECT 1 FROM ticket WHERE contact_id = :contact_id AND id <> :ticket_id AND spam = 0 AND first_reply_at IS NOT NULL
LIMIT 1"""
_LAST = "SELECT at FROM acknowledged WHERE inbox_id = :inbox_id AND contact_point_id = :point_id"
_LATELY = "SELECT COUNT(*) FROM acknowledged WHERE inbox_id = :inbox_id AND at > :since"
_DONE = """
INSERT INTO acknowledged (inbox_id, contact_point_id, at) VALUES (:inbox_id, :point_id, :now)
ON CONFLICT (inbox_id, contact_point_id) DO UPDATE SET at = excluded.at"""
_LAST_INCOMING = """
SELECT id, inbox_id, external_id, subject FROM message
WHERE ticket_id = :ticket_id AND direction = 'incoming' ORDER BY id DESC LIMIT 1"""

_BOT: Final = Caller(Actor("bot"), ALL)


def acknowledge(tx: Tx, inbox: Inbox, ticket: Ticket, message: Message, who: Known) -> bool:
    """Called in the unit that opened the ticket, once its first message is stored. Whether it was done."""
    if not inbox.common.acknowledge or message.automatic or ticket.spam or who.blocked:
        return False
    features = inbox.features
    if features.live or not features.replies or message.sender.point.kind not in features.reaches:
        return False
    if not _is_proven(tx, message, ticket, who):
        return False
    last = tx.value(_LAST, inbox_id=inbox.id, point_id=who.point_id)
    if last is not None and tx.now - last < DAY:
        return False
    if int(tx.value(_LATELY, inbox_id=inbox.id, since=tx.now - HOUR) or 0) >= AN_HOUR:
        return False
    tx.run(_DONE, inbox_id=inbox.id, point_id=who.point_id, now=tx.now)
    text = (inbox.common.acknowledge_text or TEXT).replace("{number}", str(ticket.number))
    replies.say(
        tx,
        _BOT,
        ticket,
        text,
        Way(inbox, who.point_id, features.max_text, False),
        external_id=f"ours-{secrets.token_hex(16)}",
        subject=f"#{ticket.number}",  # none of theirs
        last=tx.row(_LAST_INCOMING, ticket_id=ticket.id),
        automatic=True,
    )
    return True


def _is_proven(rx: Rx, message: Message, ticket: Ticket, who: Known) -> bool:
    """The other side vouches for the sender, or we have answered them before."""
    if message.sender.sureness in ("attested", "verified"):
        return True
    return not who.is_new and rx.value(_EARLIER, contact_id=who.contact_id, ticket_id=ticket.id) is not None
