"""Notices to agents by mail: the matrix of their preferences, as the console has it for sounds and desktops. What has
happened is gathered, so that there is one mail in five minutes at most, and what they have read meanwhile is not in it.
"""

from typing import Any, Final

import msgspec

from hub.clock import MINUTE
from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.desk import own_mail
from hub.desk import ticket as tickets
from hub.desk.ticket import Ticket
from hub.events import (
    AgentMentioned,
    DeliveryCancelled,
    DeliveryFailed,
    DeliveryUnknown,
    MessageReceived,
    NoteWritten,
    Recorded,
    ReplyBreached,
    ReplyWarned,
    TicketAssigned,
    TicketOffered,
)
from hub.staff import access, agents
from hub.staff.preferences import Notify, Preferences

JOB: Final = "notices"
GATHERS: Final = MINUTE
EVERY: Final = 5 * MINUTE
MOST: Final = 20
# As the console says it; what stands for each is translated when the mail is written.
TITLES: Final = {
    "waiting": "A new ticket that nobody has",
    "offered": "A ticket is offered to you",
    "message": "A customer writes",
    "assigned": "A ticket is given to you",
    "mentioned": "A colleague mentions you",
    "note": "A colleague writes a note",
    "due": "An answer is nearly due, or late",
    "undelivered": "What I wrote did not go out",
}
_OWN: Final = ("offered", "assigned", "mentioned", "undelivered")

# Who wants any mail at all; asked of each event that somebody may be told of, so it is one look at one index.
_WISHES: Final = """
SELECT agent.id, preferences.value FROM agent JOIN preferences ON preferences.agent_id = agent.id
WHERE agent.address_proved_at IS NOT NULL AND agent.disabled_at IS NULL AND preferences.value LIKE :by_mail"""
_BY_MAIL: Final = '%"email":true%'
_INSERT = """
INSERT INTO agent_notice (agent_id, ticket_id, what, message_id, at)
VALUES (:agent_id, :ticket_id, :what, :message_id, :now) RETURNING id"""
_LAST = "SELECT MAX(created_at) FROM own_mail WHERE agent_id = :agent_id AND purpose = 'notices'"
_GATHERED = """
SELECT agent_notice.ticket_id, agent_notice.what, agent_notice.message_id, ticket.number, ticket.subject, contact.name,
       message.text, COALESCE(ticket_read.message_id, 0)
FROM agent_notice JOIN ticket ON ticket.id = agent_notice.ticket_id JOIN contact ON contact.id = ticket.contact_id
LEFT JOIN message ON message.id = agent_notice.message_id
LEFT JOIN ticket_read ON ticket_read.ticket_id = agent_notice.ticket_id AND ticket_read.agent_id = agent_notice.agent_id
WHERE agent_notice.agent_id = :agent_id ORDER BY agent_notice.id LIMIT 200"""
_DROP = "DELETE FROM agent_notice WHERE agent_id = :agent_id"
_FOLLOWS = "SELECT 1 FROM follower WHERE ticket_id = :ticket_id AND agent_id = :agent_id"
_MEMBER = "SELECT 1 FROM team_member WHERE team_id = :team_id AND agent_id = :agent_id"
_AUTHOR = "SELECT author_id FROM message WHERE id = :id AND author_kind = 'agent'"
_TEXT: Final = 200


def gather(tx: Tx, to: Recorded) -> None:
    """Something happened: noted down for everybody who wants to be told of it by mail. Run by `hub.reactions`."""
    wishes = tx.rows(_WISHES, by_mail=_BY_MAIL)
    if not wishes or to.ticket_id is None:
        return
    ticket = tickets.by_id(tx, to.ticket_id)
    if ticket is None or ticket.spam:
        return
    for agent_id, value in wishes:
        what = _what(tx, to, ticket, agent_id)
        if what is None:
            continue
        wish = msgspec.json.decode(value, type=Preferences).notify.get(what, Notify())
        if wish.email and (what in _OWN or _concerns(tx, wish.of, ticket, agent_id)) and _sees(tx, ticket, agent_id):
            message_id = getattr(to.event, "message_id", None)
            tx.insert(_INSERT, agent_id=agent_id, ticket_id=ticket.id, what=what, message_id=message_id, now=tx.now)
            _plan(tx, agent_id)


def tell(tx: Tx, payload: dict[str, Any]) -> None:
    """One mail with all of it; nothing where everything was read meanwhile. What they may not see any longer is not in
    it either."""
    agent_id = payload["agent_id"]
    news = []
    for ticket_id, what, message_id, number, subject, name, text, read in tx.rows(_GATHERED, agent_id=agent_id):
        ticket = tickets.by_id(tx, ticket_id)
        was_read = what in ("message", "waiting") and message_id is not None and message_id <= read
        if ticket is None or was_read or not _sees(tx, ticket, agent_id):
            continue
        said = text if what in ("message", "waiting", "undelivered") and text else subject
        news.append({"what": TITLES[what], "title": name or f"#{number}", "number": number, "text": said[:_TEXT]})
    tx.run(_DROP, agent_id=agent_id)
    agent = agents.get(tx, agent_id)
    if news and agent.disabled_at is None and agents.proved_at(tx, agent_id) is not None:
        own_mail.to_agent(tx, agent, "notices", {"news": news[:MOST], "more": max(0, len(news) - MOST)})


def _plan(tx: Tx, agent_id: int) -> None:
    key = f"{JOB}:{agent_id}"
    if not tx.is_to_come(key):
        last = tx.value(_LAST, agent_id=agent_id) or 0
        at = max(tx.now + GATHERS, last + EVERY)
        tx.enqueue(JOB, {"agent_id": agent_id}, key=key, run_at=at, lane=lanes.HOUSEKEEPING)


def _what(rx: Rx, to: Recorded, ticket: Ticket, agent_id: int) -> str | None:
    """As agents_ui/js/notices.js has it."""
    event, own = to.event, to.by.kind == "agent" and to.by.id == agent_id
    match event:
        case TicketOffered():
            return "offered" if event.to == agent_id else None
        case ReplyWarned() | ReplyBreached():
            return "due"
        case DeliveryFailed() | DeliveryUnknown() | DeliveryCancelled():
            if isinstance(event, DeliveryCancelled) and to.by.kind == "agent":
                return None
            return "undelivered" if rx.value(_AUTHOR, id=event.message_id) == agent_id else None
        case _ if own:
            return None
        case MessageReceived():
            return "waiting" if ticket.assignee_id is None and ticket.offered_to is None else "message"
        case TicketAssigned():
            return "assigned" if event.to == agent_id else None
        case AgentMentioned():
            return "mentioned" if event.agent_id == agent_id else None
        case NoteWritten():
            return "note"
        case _:
            return None


def _concerns(rx: Rx, of: str, ticket: Ticket, agent_id: int) -> bool:
    if of == "all" or agent_id in (ticket.assignee_id, ticket.offered_to):
        return True
    if rx.value(_FOLLOWS, ticket_id=ticket.id, agent_id=agent_id) is not None:
        return True
    if of != "teams" or ticket.assignee_id is not None:
        return False
    return ticket.team_id is None or rx.value(_MEMBER, team_id=ticket.team_id, agent_id=agent_id) is not None


def _sees(rx: Rx, ticket: Ticket, agent_id: int) -> bool:
    grants = access.load(rx, agent_id)
    return grants is not None and access.may(grants, ticket.scope)
