"""What we say to a contact: the message, its parts and their deliveries, in one unit; sending them is a job."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from hub.clock import DAY, SECOND
from hub.connector import Point, Sender
from hub.db import lanes
from hub.db.contents import in_words
from hub.db.tx import Rx, Tx
from hub.desk import copies as copies_by_mail
from hub.desk import deliveries, drafts, inboxes, joining, kinds
from hub.desk import ticket as tickets
from hub.desk.files import rows, uploads
from hub.desk.inboxes import Inbox
from hub.desk.splitting import split
from hub.desk.ticket import Ticket
from hub.errors import Refusal, invalid
from hub.events import MessagePlanned, MessageSent, Recorded
from hub.people import points
from hub.staff.access import Caller
from hub.text import MAX_LINE, MAX_MESSAGE, clean

HELD: Final = (0, 5, 10, 20)  # seconds in which one's own words can be called back
SOONEST: Final = 30 * SECOND
LATEST: Final = 366 * DAY

# In a live channel a customer's new words stand in the way only when the agent's client had no chance to show them.
UNSEEN: Final = 5 * SECOND

_INSERT = """
INSERT INTO message (ticket_id, inbox_id, direction, author_kind, author_id, text, html, subject, external_id,
                     in_reply_to, details, created_at)
VALUES (:ticket_id, :inbox_id, 'outgoing', :author_kind, :author_id, :text, NULL, :subject, :external_id,
        :in_reply_to, :details, :now)
RETURNING id"""
_DELIVERY = """
INSERT INTO delivery (message_id, ticket_id, inbox_id, contact_point_id, part, body, state, reason, send_at, later,
                      created_at, changed_at)
VALUES (:message_id, :ticket_id, :inbox_id, :point_id, :part, :body, :state, :reason, :send_at, :later, :now, :now)
RETURNING id"""
_SINCE = """
SELECT id, direction, author_kind, author_id, text, created_at FROM message
WHERE ticket_id = :ticket_id AND id > :seen AND SUBSTR(external_id, 1, 5) <> 'copy-' ORDER BY id LIMIT 50"""
_LAST_INCOMING = """
SELECT id, inbox_id, external_id, subject FROM message
WHERE ticket_id = :ticket_id AND direction = 'incoming' ORDER BY id DESC LIMIT 1"""
_LAST_LETTER = """
SELECT details FROM message
WHERE ticket_id = :ticket_id AND inbox_id = :inbox_id AND direction = 'incoming' AND author_id = :contact_id
ORDER BY id DESC LIMIT 1"""
_LAST_SENT = """
SELECT delivery.inbox_id, delivery.contact_point_id
FROM delivery JOIN contact_point ON contact_point.id = delivery.contact_point_id
WHERE delivery.ticket_id = :ticket_id AND contact_point.contact_id = :contact_id ORDER BY delivery.id DESC LIMIT 1"""
_LAST_ID = "SELECT COALESCE(MAX(id), 0) FROM message WHERE ticket_id = :ticket_id"
_HAS_VISITOR = "SELECT 1 FROM visitor_ticket WHERE ticket_id = :ticket_id"  # some browser shows this ticket
_IS_OF = "SELECT 1 FROM message WHERE id = :id AND ticket_id = :ticket_id"

_HELD = """
SELECT id, ticket_id FROM delivery
WHERE state = 'held' AND send_at IS NULL AND contact_point_id IS NULL AND id > :after ORDER BY id LIMIT :limit"""
FIND_WAYS: Final = "find_ways"
AT_ONCE: Final = 50

NO_WAY = "No inbox of this desk can reach this contact yet. Connect one that can, or add an address; it then goes out."


class Replied(msgspec.Struct, frozen=True):
    message_id: int
    deliveries: tuple[int, ...]
    held: bool  # nothing can carry it yet: `reason` of the delivery says why
    send_at: int | None = None  # until then it can be called back; None: it is on its way


class Time(msgspec.Struct, frozen=True):
    """When it is said. `later`: a person chose the time; else it is only held so that it can be called back."""

    at: int
    later: bool


class Copies(msgspec.Struct, frozen=True):
    """Who gets a letter besides the contact."""

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()

    def people(self, way: "Way | None") -> list[Sender]:
        """Who takes part by it; blind copies stay blind."""
        kind = way.inbox.features.reaches[0] if way is not None else ""
        return [Sender(Point(kind, one)) for one in (*self.to, *self.cc)]


NOBODY: Final = Copies()
MOST_COPIES: Final = 30


class Way(msgspec.Struct, frozen=True):
    """Through which inbox to which of the contact's points; a live channel has its clients instead of points."""

    inbox: Inbox
    point_id: int | None
    max_text: int | None
    live: bool


def reply(
    tx: Tx,
    caller: Caller,
    number: int,
    text: str,
    *,
    external_id: str,
    seen: int | None = None,
    anyway: bool = False,
    subject: str | None = None,
    hold: int = 0,
    send_at: int | None = None,
    files: Sequence[str] = (),
    copies: Copies = NOBODY,
    draft: int | None = None,
) -> Replied:
    """`external_id`: ours, one for each message ever. `seen`: the last message id that the agent's client had; an
    answer to a state that has moved on is refused as "stale" with what is new, unless `anyway`. `hold`: seconds in
    which it can be called back, where the channel has such; `send_at`: said then, unless the contact writes first.
    `files`: that the caller has uploaded; with some there may be no text. `draft`: as `drafts.said`
    has it."""
    ticket = tickets.seen(tx, caller, number)
    text = clean(text, "text", most=MAX_MESSAGE, least=0 if files else 1)
    last = tx.row(_LAST_INCOMING, ticket_id=ticket.id)
    way = _way(tx, ticket, last[1] if last else None)
    if seen is not None and not anyway:
        _refuse_stale(tx, caller, ticket, seen, live=way is not None and way.live)
    time = time_of(tx.now, way, hold, send_at)
    copies = checked(way, copies)
    return say(
        tx,
        caller,
        ticket,
        text,
        way,
        external_id=external_id,
        subject=subject,
        last=last,
        time=time,
        files=files,
        copies=copies,
        draft=draft,
    )


def require_files(way: Way | None) -> None:
    """A live channel shows whatever there is; another has to be able to carry it."""
    if way is not None and not way.live and not way.inbox.features.files:
        raise invalid("files", f"Through {way.inbox.name} only text can be sent. Take the files out, or write by mail.")


def checked(way: Way | None, copies: Copies) -> Copies:
    """As addresses are written; Refusal for what is none, and where the channel has no copies."""
    if copies == NOBODY:
        return NOBODY
    if way is None or not way.inbox.features.copies:
        raise invalid("cc", "Only letters have copies, and no mailbox of this desk reaches this contact.")
    if len(copies.to) + len(copies.cc) + len(copies.bcc) > MOST_COPIES:
        raise invalid("cc", f"A letter goes to at most {MOST_COPIES} people besides the contact.")
    kind = way.inbox.features.reaches[0]
    return Copies(
        *(
            tuple(dict.fromkeys(points.normalise(kind, one, None, field)[1] for one in getattr(copies, field)))
            for field in ("to", "cc", "bcc")
        )
    )


def _details(copies: Copies, automatic: bool, forwards: tuple[int, tuple[str, ...]] | None) -> str | None:
    found: dict[str, Any] = {name: value for name, value in msgspec.structs.asdict(copies).items() if value}
    if automatic:
        found["automatic"] = True
    if forwards is not None:
        found |= {"forwards": forwards[0], "to": forwards[1]}
    return msgspec.json.encode(found).decode() if found else None


def _answers(rx: Rx, last: tuple[object, ...]) -> str:
    """What the channel calls the message that is answered."""
    assert isinstance(last[0], int)
    return joining.answer_name(rx, last[0]) or str(last[2])


def _require_small_enough(rx: Rx, way: Way | None, message_id: int) -> None:
    most = None if way is None else way.inbox.features.max_file
    for file in rows.of_message(rx, message_id) if most is not None else ():
        if most is not None and (file.size or 0) > most:
            text = (
                f"{file.name} is too large: through {way.inbox.name if way else ''} up to {in_words(most)} can be sent."
            )
            raise invalid("files", text)


def time_of(now: int, way: Way | None, hold: int, send_at: int | None) -> Time | None:
    """When it is said, on that way; None: now."""
    if hold not in HELD:
        raise invalid("hold", "It can be held for 0, 5, 10 or 20 seconds.")
    if send_at is not None:
        if way is not None and way.live:
            raise invalid("send_at", "In a live chat things are said now. To say it later, write to their address.")
        return Time(sendable_at(now, send_at), True)
    if not hold or way is None or way.live or not way.inbox.features.undo:
        return None
    return Time(now + hold * SECOND, False)


def sendable_at(now: int, send_at: int) -> int:
    """A time at which something can still be sent."""
    if send_at < now + SOONEST:
        raise invalid("send_at", "That time is over, or nearly. Choose a later one, or send it now.")
    if send_at > now + LATEST:
        raise invalid("send_at", "That is more than a year away. Choose an earlier time.")
    return send_at


def say(
    tx: Tx,
    caller: Caller,
    ticket: Ticket,
    text: str,
    way: Way | None,
    *,
    external_id: str,
    subject: str | None = None,
    last: tuple[object, ...] | None = None,
    time: Time | None = None,
    files: Sequence[str] = (),
    copies: Copies = NOBODY,
    automatic: bool = False,
    draft: int | None = None,
    forwards: tuple[int, tuple[str, ...]] | None = None,
) -> Replied:
    """Stores it and queues its parts. Judges nothing but its files. `last`: what it answers, as `_LAST_INCOMING` has
    it. With a `time` it has not been said until then: whoever waits goes on waiting. So they do after what a
    machine says (`automatic`), and after what goes to others (`forwards`: which message, to whom)."""
    message_id = tx.insert(
        _INSERT,
        ticket_id=ticket.id,
        inbox_id=way.inbox.id if way else ticket.inbox_id,
        author_kind=caller.actor.kind,
        author_id=caller.actor.id,
        text=text,
        subject=clean(subject, "subject", most=MAX_LINE, least=0, lines=False) if subject else None,
        external_id=external_id,
        in_reply_to=last[0] if last else None,
        details=_details(copies, automatic, forwards),
        now=tx.now,
    )
    if files:
        require_files(way)
        uploads.attach(tx, files, caller=caller, message_id=message_id)
        _require_small_enough(tx, way, message_id)
    if copies != NOBODY:
        joining.add_people(tx, ticket.id, copies.people(way), "copied")
    if forwards is not None and way is not None:
        joining.add_people(tx, ticket.id, Copies(forwards[1]).people(way), "forwarded")
    time = time if way is not None else None
    parts = _queue(tx, ticket, message_id, text, way, subject, last, time, copies, automatic)
    inbox_id = way.inbox.id if way else ticket.inbox_id
    aside = automatic or forwards is not None
    if time is None:
        tickets.record(tx, ticket, MessageSent(message_id=message_id, inbox_id=inbox_id, aside=aside), caller.actor)
    else:
        tickets.record(tx, ticket, MessagePlanned(message_id=message_id, inbox_id=inbox_id), caller.actor)
    if way is not None and way.live:
        copies_by_mail.plan(tx, ticket.id, way.inbox)
    if not aside:
        drafts.said(tx, caller, ticket, "reply", text, draft)
    return Replied(message_id, parts, way is None, time.at if time is not None else None)


def _way(tx: Tx, ticket: Ticket, last_inbox: int | None) -> Way | None:
    """Where the contact wrote last, if that can be answered; before they wrote, where we wrote to; else any inbox that
    reaches one of their points. A live channel reaches only whoever has this ticket in their browser."""
    if last_inbox is None and (again := _as_before(tx, ticket)) is not None:
        return again
    for inbox in inboxes.for_reply(tx, last_inbox or ticket.inbox_id):
        features = kinds.features(inbox.kind)
        if features.live:
            if inbox.id == last_inbox or tx.value(_HAS_VISITOR, ticket_id=ticket.id) is not None:
                return Way(inbox, None, features.max_text, True)
        elif features.replies:
            found = _wrote_from(tx, ticket, inbox) or points.best(tx, ticket.contact_id, features.reaches, inbox.token)
            if found is not None:
                return Way(inbox, found[0], features.max_text, False)
    return None


def _wrote_from(rx: Rx, ticket: Ticket, inbox: Inbox) -> tuple[int, Point] | None:
    """The contact's own address that they wrote this ticket's last letter from, or asked to be answered at."""
    if not inbox.features.copies:
        return None
    row = rx.row(_LAST_LETTER, ticket_id=ticket.id, inbox_id=inbox.id, contact_id=ticket.contact_id)
    found = msgspec.json.decode(row[0]) if row is not None and row[0] else {}
    kind = inbox.features.reaches[0]
    for one in (*found.get("reply_to", ()), *found.get("from", ())):
        try:
            value, _ = points.normalise(kind, one["address"])
        except Refusal:
            continue
        known = points.find(rx, kind, "", value)
        if known is not None and known[1] == ticket.contact_id:
            return known[0], Point(kind, value)
    return None


def _as_before(rx: Rx, ticket: Ticket) -> Way | None:
    row = rx.row(_LAST_SENT, ticket_id=ticket.id, contact_id=ticket.contact_id)
    inbox = inboxes.by_id(rx, row[0]) if row is not None else None
    if row is None or inbox is None or not inbox.enabled:
        return None
    return Way(inbox, row[1], inbox.features.max_text, False)


def _refuse_stale(rx: Rx, caller: Caller, ticket: Ticket, seen: int, *, live: bool) -> None:
    if seen and rx.value(_IS_OF, id=seen, ticket_id=ticket.id) is None:
        raise invalid("seen", "This message is not of this ticket.")
    new = [
        {"id": r[0], "direction": r[1], "author_kind": r[2], "author_id": r[3], "text": r[4], "created_at": r[5]}
        for r in rx.rows(_SINCE, ticket_id=ticket.id, seen=seen)
        if not (r[2] == caller.actor.kind and r[3] == caller.actor.id)
    ]
    if live:
        new = [m for m in new if m["direction"] == "outgoing" or rx.now - m["created_at"] < UNSEEN]
    if new:
        text = "More was said meanwhile. Read it, then send anyway, edit or discard."
        raise Refusal("stale", text, extra={"new": new, "seen": rx.value(_LAST_ID, ticket_id=ticket.id)})


def _queue(
    tx: Tx,
    ticket: Ticket,
    message_id: int,
    text: str,
    way: Way | None,
    subject: str | None,
    last: tuple[object, ...] | None,
    time: Time | None,
    copies: Copies,
    automatic: bool,
) -> tuple[int, ...]:
    """A delivery a part. A live channel has no job: its client acknowledges."""
    made = []
    answers = _answers(tx, last) if last is not None and way is not None and last[1] == way.inbox.id else None
    for number, part in enumerate(split(text, way.max_text if way else None)):
        body = deliveries.Body(
            text=part,
            subject=(subject or ticket.subject or None) if number == 0 else None,
            in_reply_to=answers,
            to=copies.to,
            cc=copies.cc,
            bcc=copies.bcc,
            automatic=automatic,
        )
        delivery_id = tx.insert(
            _DELIVERY,
            message_id=message_id,
            ticket_id=ticket.id,
            inbox_id=way.inbox.id if way else ticket.inbox_id,
            point_id=way.point_id if way else None,
            part=number,
            body=msgspec.json.encode(body).decode(),
            state="queued" if way and time is None else "held",
            reason=None if way else NO_WAY,
            send_at=time.at if time is not None else None,
            later=int(time is not None and time.later),
            now=tx.now,
        )
        made.append(delivery_id)
        if way is not None and not way.live:
            deliveries.enqueue(tx, delivery_id, way.point_id, time.at if time is not None else None)
    return tuple(made)


def find_ways(tx: Tx, payload: dict[str, int]) -> None:
    """An inbox or an address has come: what was held because nothing could carry it goes out, if it can now. Some at a
    time; a job of `hub.work.timers`."""
    rows = tx.rows(_HELD, after=payload.get("after", 0), limit=AT_ONCE)
    for delivery_id, ticket_id in rows:
        ticket = tickets.must(tx, ticket_id)
        last = tx.row(_LAST_INCOMING, ticket_id=ticket.id)
        way = _way(tx, ticket, last[1] if last else None)
        if way is not None and way.point_id is not None:
            deliveries.takes_way(tx, delivery_id, way.inbox.id, way.point_id)
    if len(rows) == AT_ONCE:
        tx.enqueue(FIND_WAYS, {"after": rows[-1][0]}, lane=lanes.OUTBOUND)


def a_way_has_come(tx: Tx, _to: Recorded) -> None:
    """Run by `hub.reactions`; nothing where nothing is held."""
    if tx.rows(_HELD, after=0, limit=1):
        tx.enqueue(FIND_WAYS, {}, lane=lanes.OUTBOUND)
