"""What was said goes to its customer once more, by mail: what they have not read in the chat, gathered into one; and
the whole conversation, when they or an agent ask for it. An answer to such a mail comes into the same ticket.

Only to an address that is known to be theirs: the words in it are other people's too.
"""

import datetime
import secrets
from typing import Any, Final, Literal, cast
from zoneinfo import ZoneInfo

import msgspec

from hub.clock import MINUTE
from hub.connector import LiveSettings
from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.desk import deliveries, inboxes, own_mail
from hub.desk import ticket as tickets
from hub.desk.inboxes import Inbox
from hub.desk.ticket import Ticket
from hub.errors import Refusal
from hub.events import Actor, MessageCopied
from hub.people import contacts, points
from hub.staff.access import Caller

UNREAD: Final = "unread_by_mail"
MOST: Final = 200  # messages in one mail
MOST_TEXT: Final = 100_000  # characters of them
BOT: Final = Actor("bot", 0)
What = Literal["unread", "transcript"]

# What stands in a chat, has not been read there, and has not gone out by mail.
_UNREAD = """
SELECT DISTINCT message.id, message.created_at, message.text, agent.name
FROM delivery JOIN message ON message.id = delivery.message_id
LEFT JOIN agent ON agent.id = message.author_id AND message.author_kind = 'agent'
WHERE delivery.ticket_id = :ticket_id AND delivery.contact_point_id IS NULL
  AND delivery.state IN ('queued', 'sent', 'delivered') AND message.deleted_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM mailed_copy WHERE mailed_copy.message_id = message.id)
ORDER BY message.id LIMIT 200"""
_SAID = """
SELECT message.id, message.created_at, message.text, agent.name, message.direction, message.author_kind
FROM message LEFT JOIN agent ON agent.id = message.author_id AND message.author_kind = 'agent'
WHERE message.ticket_id = :ticket_id AND message.deleted_at IS NULL
  AND SUBSTR(message.external_id, 1, 5) <> 'copy-'
  AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.message_id = message.id AND delivery.send_at IS NOT NULL)
ORDER BY message.id DESC LIMIT 200"""
_SAID_TO_VISITOR = """
SELECT message.id, message.created_at, message.text, agent.name, message.direction, message.author_kind
FROM message LEFT JOIN agent ON agent.id = message.author_id AND message.author_kind = 'agent'
WHERE message.ticket_id = :ticket_id AND message.inbox_id = :inbox_id AND message.deleted_at IS NULL
  AND (message.direction = 'outgoing' OR SUBSTR(message.external_id, 1, :length) = :prefix)
ORDER BY message.id DESC LIMIT 200"""
_ADDRESSES = """
SELECT id, shown, sureness FROM contact_point
WHERE contact_id = :contact_id AND kind = 'email' AND scope = ''
ORDER BY CASE sureness WHEN 'verified' THEN 0 WHEN 'attested' THEN 1 ELSE 2 END, id LIMIT 1"""
_INSERT = """
INSERT INTO message (ticket_id, inbox_id, direction, author_kind, author_id, text, external_id, details, created_at)
VALUES (:ticket_id, :inbox_id, 'outgoing', 'bot', 0, :text, :external_id, :details, :now) RETURNING id"""
_DELIVERY = """
INSERT INTO delivery (message_id, ticket_id, inbox_id, contact_point_id, part, body, state, created_at, changed_at)
VALUES (:message_id, :ticket_id, :inbox_id, :point_id, 0, :body, 'queued', :now, :now) RETURNING id"""
_COPIED = "INSERT INTO mailed_copy (message_id, copy_id) VALUES (:message_id, :copy_id)"


# --- what was not read ---------------------------------------------------------------------------------------------


def plan(tx: Tx, ticket_id: int, inbox: Inbox) -> None:
    """Something was said in a chat: after a while it is looked whether it was read. One job for a ticket at a time."""
    minutes = _minutes(inbox)
    if minutes:
        at = tx.now + minutes * MINUTE
        tx.enqueue_once(UNREAD, {"ticket_id": ticket_id}, key=_key(ticket_id), run_at=at, lane=lanes.OUTBOUND)


def look(tx: Tx, payload: dict[str, Any]) -> None:
    """Sends what has been unread for so long, all in one mail and each message once; comes back for what is newer."""
    ticket = tickets.by_id(tx, payload["ticket_id"])
    if ticket is None:
        return
    ticket = tickets.survivor(tx, ticket)
    home = inboxes.by_id(tx, ticket.inbox_id)
    minutes = _minutes(home) if home is not None else 0
    rows = tx.rows(_UNREAD, ticket_id=ticket.id)
    due = [row for row in rows if row[1] <= tx.now - minutes * MINUTE]
    if not minutes or not rows:
        return
    if due and due[-1][0] == rows[-1][0]:
        _mail_unread(tx, ticket, due)
        return
    # They are in the middle of it: with what was said last, so that it is one mail and not one a minute.
    at = rows[-1][1] + minutes * MINUTE
    tx.enqueue(UNREAD, {"ticket_id": ticket.id}, key=_key(ticket.id), run_at=at, lane=lanes.OUTBOUND)


def _mail_unread(tx: Tx, ticket: Ticket, rows: list[tuple[Any, ...]]) -> None:
    through, to = own_mail.inbox(tx), _address(tx, ticket.contact_id)
    if through is None or to is None or to[2] != "verified":
        return
    clock = _clock(tx, ticket.contact_id)
    said = [{"who": name or "", "at": clock(at), "text": text} for _, at, text, name in rows]
    copy_id = _send(tx, ticket, BOT, through, to[0], "unread", said, [row[0] for row in rows])
    for row in rows:
        tx.run(_COPIED, message_id=row[0], copy_id=copy_id)


def _minutes(inbox: Inbox) -> int:
    if not inbox.features.live:
        return 0
    return int(inbox.settings.get("unread_minutes", LiveSettings.unread_minutes))


def _key(ticket_id: int) -> str:
    return f"{UNREAD}:{ticket_id}"


# --- the whole conversation ----------------------------------------------------------------------------------------


def transcript(tx: Tx, caller: Caller, number: int) -> int:
    """An agent sends the customer what was said. The id of the message that it is."""
    ticket = tickets.seen(tx, caller, number)
    through, to = own_mail.inbox(tx), _address(tx, ticket.contact_id)
    if through is None:
        raise Refusal("conflict", "The desk writes no mail of its own yet. An administrator chooses an inbox for that.")
    if to is None or to[2] == "typed":
        text = "No e-mail address of this customer is known to be theirs: a conversation goes only to one that is."
        raise Refusal("conflict", text)
    said = _said(tx, ticket, tx.rows(_SAID, ticket_id=ticket.id))
    return _send(tx, ticket, caller.actor, through, to[0], "transcript", said, [])


def transcript_for_visitor(tx: Tx, ticket: Ticket, inbox_id: int, visitor_id: int, address: str, language: str) -> None:
    """To an address that the visitor has shown to be theirs: what stands in their chat, and nothing else."""
    prefix = f"{visitor_id}:"
    rows = tx.rows(_SAID_TO_VISITOR, ticket_id=ticket.id, inbox_id=inbox_id, prefix=prefix, length=len(prefix))
    fields = {"number": ticket.number, "said": _said(tx, ticket, rows)}
    own_mail.send(
        tx,
        purpose="transcript",
        address=address,
        language=language,
        fields=fields,
        ticket_id=ticket.id,
        proved=True,
    )


def _said(rx: Rx, ticket: Ticket, rows: list[tuple[Any, ...]]) -> list[dict[str, str]]:
    """Oldest first; of a very long one the end."""
    clock = _clock(rx, ticket.contact_id)
    found: list[dict[str, str]] = []
    room = MOST_TEXT
    for _, at, text, name, direction, kind in rows:
        room -= len(text)
        if room < 0:
            break
        who = "" if direction == "incoming" else name or ("Bot" if kind == "bot" else "Parley")
        found.append({"who": who, "at": clock(at), "text": text})
    return found[::-1]


# --- inside --------------------------------------------------------------------------------------------------------


def _send(
    tx: Tx,
    ticket: Ticket,
    by: Actor,
    through: Inbox,
    point_id: int,
    what: What,
    said: list[dict[str, str]],
    of: list[int],
) -> int:
    contact = contacts.get(tx, ticket.contact_id)
    letter = deliveries.Words(
        purpose=what,
        language=contact.language or through.common.language or "en",
        fields={"number": ticket.number, "said": said},
    )
    details = {"copy": what, "by": by.id if by.kind == "agent" else 0, "of": of}
    message_id = tx.insert(
        _INSERT,
        ticket_id=ticket.id,
        inbox_id=through.id,
        text="\n\n".join(one["text"] for one in said)[:MOST_TEXT] or "–",
        external_id=f"copy-{secrets.token_hex(16)}",
        details=msgspec.json.encode(details).decode(),
        now=tx.now,
    )
    body = deliveries.Body(text="", automatic=True, letter=letter)
    delivery_id = tx.insert(
        _DELIVERY,
        message_id=message_id,
        ticket_id=ticket.id,
        inbox_id=through.id,
        point_id=point_id,
        body=msgspec.json.encode(body).decode(),
        now=tx.now,
    )
    deliveries.enqueue(tx, delivery_id, point_id)
    tickets.record(tx, ticket, MessageCopied(message_id=message_id, inbox_id=through.id), by)
    return message_id


def _address(rx: Rx, contact_id: int) -> tuple[int, str, str] | None:
    """(point, as it is written, how sure) of the surest."""
    return cast("tuple[int, str, str] | None", rx.row(_ADDRESSES, contact_id=contact_id))


def _clock(rx: Rx, contact_id: int) -> Any:
    """Says when by the customer's clock, as far as it is known."""
    name = contacts.get(rx, contact_id).zone
    zone = ZoneInfo(name) if name else datetime.UTC

    def told(at: int) -> str:
        when = datetime.datetime.fromtimestamp(at / 1000, zone)
        return f"{when:%Y-%m-%d %H:%M}" + ("" if name else " UTC")

    return told


def proved(rx: Rx, contact_id: int | None, address: str) -> bool:
    """Whether an address is a verified one of this contact."""
    value, _ = points.normalise(points.EMAIL, address, None, "email")
    found = points.find(rx, points.EMAIL, "", value)
    return found is not None and found[1] == contact_id and found[2] == "verified"
