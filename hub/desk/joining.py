"""To which ticket a letter belongs, in whatever order letters come in, and who takes part in one.

A token that a connector has proven opens its ticket to whoever has it: somebody new takes part from then on, and is
shown as not verified. What a letter merely refers to opens only tickets in which its sender takes part already. What a
subject says opens nothing.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from hub.connector import Message, Sender
from hub.db.many import rows_of
from hub.db.tx import Rx, Tx
from hub.desk import ticket as tickets
from hub.desk.inboxes import Inbox
from hub.desk.ticket import Ticket
from hub.errors import Refusal
from hub.people import points
from hub.staff.access import DESK
from hub.text import MAX_LINE, MAX_NAME, fold

MOST_NAMES: Final = 24  # of one letter: its own, what it answers, the newest of a long chain and the first
MOST_PEOPLE: Final = 50  # of one ticket

_NAMED = """
SELECT message_name.name, message_name.own, message.ticket_id, message.id
FROM message_name JOIN message ON message.id = message_name.message_id"""
_OF_INBOX = "message_name.inbox_id = :inbox_id"
_NAME = """
INSERT INTO message_name (inbox_id, name, message_id, own) VALUES (:inbox_id, :name, :message_id, :own)
ON CONFLICT DO NOTHING"""
_CHAIN = """
SELECT message_name.name FROM message JOIN message_name ON message_name.message_id = message.id
WHERE message.ticket_id = :ticket_id AND message.inbox_id = :inbox_id AND message.id < :before AND message_name.own = 1
ORDER BY message.id DESC LIMIT 30"""
_OWN_NAME = "SELECT name FROM message_name WHERE message_id = :message_id AND own = 1 ORDER BY name LIMIT 1"
_WROTE = """
SELECT 1 FROM message
WHERE ticket_id = :ticket_id AND direction = 'incoming' AND author_kind = 'contact' AND author_id = :contact_id
LIMIT 1"""
_IS_IN = """
SELECT 1 FROM participant JOIN contact_point
  ON contact_point.kind = participant.kind AND contact_point.value = participant.value AND contact_point.scope = ''
WHERE participant.ticket_id = :ticket_id AND contact_point.contact_id = :contact_id LIMIT 1"""
_MERGED_HERE = "SELECT id FROM ticket WHERE merged_into = :ticket_id ORDER BY id DESC LIMIT 20"
_PEOPLE = """
SELECT kind, value, shown, name, how, since FROM participant WHERE ticket_id = :ticket_id
ORDER BY since, value LIMIT 50"""
_HOW_MANY = "SELECT COUNT(*) FROM (SELECT 1 FROM participant WHERE ticket_id = :ticket_id LIMIT 51) AS those"
_PERSON = """
INSERT INTO participant (ticket_id, kind, value, shown, name, how, since)
VALUES (:ticket_id, :kind, :value, :shown, :name, :how, :now)
ON CONFLICT (ticket_id, kind, value) DO NOTHING"""

# "Re:", "Fwd:" and what mail programs write for them elsewhere.
_PREFIX: Final = re.compile(
    r"^(?:(?:re|aw|sv|vs|antw|antwort|ref|rif|odp|ynt|res|fwd?|fw|wg|tr|rv|enc|i|回复|回覆|答复|转发|轉寄|رد|أعد|отв|отвeт|пер)"
    r"(?:\[\d+\]|\(\d+\))?\s*[:：]\s*)+",
    re.IGNORECASE,
)


class Joined:
    """Where a letter belongs. `late`: tickets that turn out to be the same matter by it."""

    def __init__(self, ticket: Ticket, *, proven: bool, late: Sequence[Ticket] = ()) -> None:
        self.ticket, self.proven, self.late = ticket, proven, late


def find(rx: Rx, inbox: Inbox, message: Message, contact_id: int) -> Joined | None:
    for token in message.tokens:
        ticket = tickets.by_number(rx, int(token)) if token.isascii() and token.isdigit() and len(token) < 16 else None
        if ticket is not None:
            return Joined(tickets.survivor(rx, ticket), proven=True)
    own = message.known_as
    if own is None:
        return None  # no letter
    above = _above(message)
    found = _named(rx, inbox.id, [*above, own])
    told: dict[int, bool] = {}  # ticket → whether the sender takes part

    def mine(ticket_id: int) -> bool:
        if ticket_id not in told:
            told[ticket_id] = takes_part(rx, tickets.survivor(rx, tickets.must(rx, ticket_id)), contact_id)
        return told[ticket_id]

    up: int | None = None
    for wanted in (1, 0):  # first what it refers to itself; then others that refer to the same, which never came
        for name in above:
            up = up or next((row[2] for row in found if row[0] == name and row[1] == wanted and mine(row[2])), None)
    down = {row[2] for row in found if row[0] == own and row[1] == 0 and mine(row[2])}
    if up is None and not down:
        return None
    first = tickets.survivor(rx, tickets.must(rx, up if up is not None else min(down)))
    others = {one.id: one for one in (tickets.survivor(rx, tickets.must(rx, id)) for id in sorted(down))}
    others.pop(first.id, None)
    return Joined(first, proven=False, late=list(others.values()))


def _above(message: Message) -> list[str]:
    """What it hangs on, the nearest first."""
    nearest = [message.in_reply_to] if message.in_reply_to else []
    found = list(dict.fromkeys([*nearest, *reversed(message.references)]))
    return found if len(found) < MOST_NAMES else [*found[: MOST_NAMES - 2], found[-1]]


def _named(rx: Rx, inbox_id: int, names: Iterable[str]) -> list[tuple[Any, ...]]:
    order = " ORDER BY message.id DESC LIMIT 200"
    return list(rows_of(rx, _NAMED, "message_name.name", names, order, where=_OF_INBOX, inbox_id=inbox_id))


def takes_part(rx: Rx, ticket: Ticket, contact_id: int) -> bool:
    if ticket.contact_id == contact_id:
        return True
    if rx.value(_WROTE, ticket_id=ticket.id, contact_id=contact_id) is not None:
        return True
    here = [ticket.id, *(row[0] for row in rx.rows(_MERGED_HERE, ticket_id=ticket.id))]
    return any(rx.value(_IS_IN, ticket_id=one, contact_id=contact_id) is not None for one in here)


def unite(tx: Tx, joined: Joined) -> None:
    """Tickets that were opened only because letters overtook one another become one. What cannot be, stays."""
    from hub.desk import merging

    for other in joined.late:
        if other.contact_id == joined.ticket.contact_id:
            tx.alone(merging.merge, DESK, other.number, joined.ticket.number)


def keep(tx: Tx, inbox: Inbox, ticket: Ticket, message_id: int, message: Message) -> None:
    """What it is called, what it hangs on, and who takes part by it."""
    own = message.known_as
    if own is None:
        return
    tx.run(_NAME, inbox_id=inbox.id, name=own, message_id=message_id, own=1)
    for name in _above(message):
        if name != own:
            tx.run(_NAME, inbox_id=inbox.id, name=name, message_id=message_id, own=0)
    add_people(tx, ticket.id, [message.sender], "wrote")
    add_people(tx, ticket.id, message.copied, "copied")


def add_people(tx: Tx, ticket_id: int, people: Sequence[Sender], how: str) -> None:
    left = MOST_PEOPLE - int(tx.value(_HOW_MANY, ticket_id=ticket_id) or 0)
    for one in people[: max(left, 0)]:
        try:
            value, shown = points.normalise(one.point.kind, one.point.value)
        except Refusal:
            continue  # no address that anybody could answer to
        tx.run(
            _PERSON,
            ticket_id=ticket_id,
            kind=one.point.kind,
            value=value,
            shown=shown,
            name=" ".join(one.name.split())[:MAX_NAME],
            how=how,
            now=tx.now,
        )


def people(rx: Rx, ticket_id: int) -> list[dict[str, Any]]:
    """Who takes part by letter, the ticket's own contact included."""
    return [
        {"kind": kind, "value": value, "shown": shown, "name": name, "how": how, "since": since}
        for kind, value, shown, name, how, since in rx.rows(_PEOPLE, ticket_id=ticket_id)
    ]


def marks(rx: Rx, ticket: Ticket, message: Message, contact_id: int) -> dict[str, Any]:
    """What an agent should see of a letter that joins a ticket. Asked before it is stored."""
    found: dict[str, Any] = {}
    if contact_id != ticket.contact_id:
        found["participant"] = "known" if takes_part(rx, ticket, contact_id) else "new"
    if message.known_as is not None and is_another_subject(message.subject, ticket.subject):
        found["subject_changed"] = True
    return found


def is_another_subject(now: str | None, was: str) -> bool:
    """Not merely answered or forwarded: what is written there is something else."""
    new, old = bare_subject(now or ""), bare_subject(was)
    return bool(new) and not old.startswith(new) and not new.startswith(old.rstrip("…"))


def bare_subject(subject: str) -> str:
    return fold(_PREFIX.sub("", subject.strip()[:MAX_LINE]))


def answer_name(rx: Rx, message_id: int) -> str | None:
    """By what name an answer refers to a message, where it has another one than its external id."""
    found: str | None = rx.value(_OWN_NAME, message_id=message_id)
    return found


def chain(rx: Rx, ticket_id: int, inbox_id: int, before: int) -> tuple[str, ...]:
    """The names of what was said in the ticket by that inbox before a message, oldest first."""
    found = [row[0] for row in rx.rows(_CHAIN, ticket_id=ticket_id, inbox_id=inbox_id, before=before)]
    return tuple(reversed(found))


def call(tx: Tx, inbox_id: int, message_id: int, name: str) -> None:
    """What the channel calls a message of ours, once it has left."""
    tx.run(_NAME, inbox_id=inbox_id, name=name[:MAX_LINE], message_id=message_id, own=1)
