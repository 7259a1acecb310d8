"""A letter of a ticket goes to somebody else: with what an agent says about it, its text and its files.

It is no answer: whoever waits goes on waiting. What the other side writes back joins the ticket, shown as theirs.
"""

import datetime
from typing import Final

from hub.connector import Point, Sender
from hub.db.tx import Rx, Tx
from hub.desk import inboxes, kinds, replies
from hub.desk import ticket as tickets
from hub.desk.files import rows as files
from hub.desk.inboxes import Inbox
from hub.desk.replies import Copies, Replied, Way
from hub.errors import Refusal, invalid
from hub.people import contacts
from hub.staff.access import Caller
from hub.text import MAX_LINE, MAX_MESSAGE, clean

_MESSAGE = """
SELECT message.direction, message.text, message.subject, message.created_at, message.author_kind, contact.name,
       agent.name, message.inbox_id
FROM message
LEFT JOIN contact ON message.author_kind = 'contact' AND contact.id = message.author_id
LEFT JOIN agent ON message.author_kind = 'agent' AND agent.id = message.author_id
WHERE message.id = :id AND message.ticket_id = :ticket_id AND message.deleted_at IS NULL"""
LINE: Final = "---------- Forwarded message ----------"


def forward(
    tx: Tx,
    caller: Caller,
    number: int,
    message_id: int,
    copies: Copies,
    text: str,
    *,
    external_id: str,
    with_files: bool = True,
) -> Replied:
    """`copies.to`: whom it goes to, at least one; the first is who is written to."""
    ticket = tickets.seen(tx, caller, number)
    row = tx.row(_MESSAGE, id=message_id, ticket_id=ticket.id)
    if row is None:
        raise invalid("message_id", "Choose a message of this ticket.")
    _, said, subject, at, _, contact_name, agent_name, inbox_id = row
    inbox = _letters(tx, inbox_id)
    if not copies.to:
        raise invalid("to", "Write down whom it goes to.")
    copies = replies.checked(Way(inbox, None, None, False), copies)
    text = clean(text, "text", most=MAX_MESSAGE, least=0)
    point_id = _point(tx, inbox, copies.to[0])
    subject = subject or ticket.subject
    day = datetime.datetime.fromtimestamp(at / 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = f"{LINE}\nFrom: {contact_name or agent_name or ''}\nDate: {day}\nSubject: {subject}"
    whole = f"{text}\n\n{head}\n\n{said}".strip()[:MAX_MESSAGE]
    attached = [one.token for one in files.of_message(tx, message_id) if one.state == "there"] if with_files else []
    return replies.say(
        tx,
        caller,
        ticket,
        whole,
        Way(inbox, point_id, inbox.features.max_text, False),
        external_id=external_id,
        subject=f"Fwd: {subject}"[:MAX_LINE],
        files=attached,
        copies=Copies(copies.to[1:], copies.cc, copies.bcc),
        forwards=(message_id, copies.to),
    )


def _letters(rx: Rx, first: int) -> Inbox:
    """The inbox that letters go out by: the one of the message, else any that has letters."""
    for inbox in inboxes.for_reply(rx, first):
        if kinds.features(inbox.kind).copies:
            return inbox
    raise Refusal("conflict", "Only letters can be forwarded, and this desk has no mailbox. Add an inbox for one.")


def _point(tx: Tx, inbox: Inbox, address: str) -> int:
    """Where it goes; whoever is new there becomes a contact."""
    sender = Sender(Point(inbox.features.reaches[0], address))
    known = contacts.recognise(tx, sender, inbox_id=inbox.id, country=None, source=None, how="forwarded")
    if known.blocked:
        raise invalid("to", "This contact is blocked, so nothing is sent to them.")
    return known.point_id
