"""Two tickets of one contact become one, and two again: `unmerge` puts everything back where it was, but for what was
said and decided meanwhile, which stays where it was said. The journal row is all that it needs.

What was merged keeps its row and number and is in no list; whoever asks for it is told into which it went.
"""

import re
from typing import Any, Final

import msgspec

from hub.db.tx import Rx, Tx
from hub.desk import drafts, moving, reading, visitors
from hub.desk import ticket as tickets
from hub.desk.ticket import Ticket
from hub.desk.tickets import wake_at
from hub.errors import Refusal, invalid
from hub.events import (
    Event,
    TicketAssigned,
    TicketJoined,
    TicketMerged,
    TicketOfferEnded,
    TicketParted,
    TicketPending,
    TicketPriorityChanged,
    TicketReopened,
    TicketSnoozed,
    TicketUnmerged,
)
from hub.staff import access
from hub.staff.access import Caller

# Every column that names a ticket, and what becomes of it in a merge; a test compares this with the schema.
NAMES: Final = {
    "message.ticket_id": "moves",
    "delivery.ticket_id": "moves with its message",
    "note.ticket_id": "moves",
    "mention.ticket_id": "moves with its note",
    "feedback.ticket_id": "moves",
    "visitor_ticket.ticket_id": "moves: the browser goes on in the survivor",
    "visitor.ticket_id": "moves",
    "draft.ticket_id": "moves where the survivor has none of that agent and mode",
    "ticket_read.ticket_id": "who had read both has read the survivor",
    "ticket_tag.ticket_id": "the survivor gets those that it lacks",
    "follower.ticket_id": "the survivor gets those that it lacks",
    "offer_passed.ticket_id": "stays: nobody is offered what was merged",
    "participant.ticket_id": "stays: who takes part in what was merged takes part in the survivor",
    "ticket.merged_into": "stays: what went into this one before follows it",
    "ticket_merge.ticket_id": "stays: the journal",
    "ticket_merge.other_id": "stays: the journal",
    "bulk_item.ticket_id": "stays: what was done to it",
    "event.ticket_id": "stays: what happened to it",
    "own_mail.ticket_id": "stays: of which ticket a copy went out",
    "agent_notice.ticket_id": "stays: told of soon, and gone then",
}
MOST: Final = 20_000  # messages with what was sent of them: the journal names each
_OPENNESS: Final = ("open", "pending", "snoozed", "resolved")

_SIZE = """
SELECT (SELECT COUNT(*) FROM message WHERE ticket_id = :id) + (SELECT COUNT(*) FROM delivery WHERE ticket_id = :id)
     + (SELECT COUNT(*) FROM note WHERE ticket_id = :id) + (SELECT COUNT(*) FROM feedback WHERE ticket_id = :id)"""
_IDS = {
    "message": "SELECT id FROM message WHERE ticket_id = :id ORDER BY id",
    "note": "SELECT id FROM note WHERE ticket_id = :id ORDER BY id",
    "feedback": "SELECT id FROM feedback WHERE ticket_id = :id ORDER BY id",
}
_TAGS = "SELECT tag_id FROM ticket_tag WHERE ticket_id = :id"
_TAG = "INSERT INTO ticket_tag (ticket_id, tag_id) VALUES (:id, :other) ON CONFLICT DO NOTHING"
_UNTAG = "DELETE FROM ticket_tag WHERE ticket_id = :id AND tag_id = :other"
_FOLLOWERS = "SELECT agent_id FROM follower WHERE ticket_id = :id"
_FOLLOW = "INSERT INTO follower (ticket_id, agent_id, since) VALUES (:id, :other, :now) ON CONFLICT DO NOTHING"
_UNFOLLOW = "DELETE FROM follower WHERE ticket_id = :id AND agent_id = :other"
_THEIRS = "UPDATE visitor_ticket SET ticket_id = :to WHERE ticket_id = :id"
_NOT_THEIRS = "DELETE FROM visitor_ticket WHERE ticket_id = :id"
_THEIRS_AGAIN = "INSERT INTO visitor_ticket (ticket_id, visitor_id) VALUES (:id, :visitor_id) ON CONFLICT DO NOTHING"
_PRESENT = "UPDATE visitor SET ticket_id = :to WHERE ticket_id = :id"
_INBOX_OF = "SELECT inbox_id FROM visitor WHERE id = :id"
_SAID_SINCE = """
SELECT id, direction, created_at FROM message
WHERE ticket_id = :id AND inbox_id = :inbox_id AND id > :after ORDER BY id LIMIT 500"""
_WRITE = """
UPDATE ticket SET status = :status, priority = :priority, urgency = :urgency, assignee_id = :assignee_id,
  waiting_since = :waiting_since, waited_since = :waited_since, snoozed_until = :snoozed_until,
  offered_to = :offered_to, offered_until = :offered_until, last_message_id = :last_message_id,
  last_message_at = :last_message_at,
  last_incoming_id = :last_incoming_id, read_to = :read_to, merged_into = :merged_into, changed_at = :changed_at,
  resolved_at = :resolved_at
WHERE id = :id"""
_WRITTEN: Final = tuple(re.findall(r":(\w+)", _WRITE))
_JOURNAL = """
INSERT INTO ticket_merge (what, ticket_id, other_id, journal, by_kind, by_id, at)
VALUES (:what, :ticket_id, :other_id, :journal, :by_kind, :by_id, :now) RETURNING id"""
_LAST = """
SELECT id, other_id, journal FROM ticket_merge
WHERE ticket_id = :id AND what = 'merge' AND undone_at IS NULL ORDER BY id DESC LIMIT 1"""
_UNDONE = "UPDATE ticket_merge SET undone_at = :now WHERE id = :id"
_ENABLED = "SELECT 1 FROM agent WHERE id = :id AND disabled_at IS NULL"


class Stand(msgspec.Struct, frozen=True):
    """How a ticket stood."""

    status: str
    priority: str
    urgency: int
    assignee_id: int | None
    waiting_since: int | None
    waited_since: int | None
    snoozed_until: int | None
    resolved_at: int | None
    last_message_id: int | None
    last_message_at: int
    last_incoming_id: int | None
    read_to: int


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """What was where. `reads`: (agent, up to where they had read the survivor, and after). `visitor`: (whose it was,
    whether the survivor became theirs by it, whether it was what they were talking in). `last`: the newest message."""

    message: list[int]
    note: list[int]
    feedback: list[int]
    tags: list[int]
    followers: list[int]
    drafts: list[tuple[int, str]]
    reads: list[tuple[int, int, int]]
    visitor: tuple[int, bool, bool] | None
    last: int
    was: Stand
    survivor_was: Stand
    survivor_is: Stand


def merge(tx: Tx, caller: Caller, number: int, into: int) -> None:
    """`number` becomes part of `into`: what was said and noted, whoever follows and the tags move there. The survivor
    is as open, as urgent and waits as long as the one of the two that is more so."""
    ticket, survivor = tickets.seen(tx, caller, number), _seen_into(tx, caller, number, into)
    if ticket.contact_id != survivor.contact_id:
        raise Refusal("conflict", "These tickets are of two contacts: an answer would go to the wrong one.")
    moving.require_still(tx, ticket.id, survivor.id)
    if tx.value(_SIZE, id=ticket.id) > MOST:
        text = "The ticket that would be moved is very long. Merge the other one into it instead."
        raise Refusal("conflict", text)
    visitor = _visitor(tx, ticket, survivor)
    ids = {table: [row[0] for row in tx.rows(sql, id=ticket.id)] for table, sql in _IDS.items()}
    gone = msgspec.structs.replace(
        ticket,
        status="resolved",
        waiting_since=None,
        waited_since=None,
        snoozed_until=None,
        offered_to=None,
        offered_until=None,
        resolved_at=tx.now,
        changed_at=tx.now,
        merged_into=survivor.id,
    )
    now = _absorbed(tx, ticket, survivor)
    journal = Journal(
        **ids,
        tags=_copy(tx, _TAGS, _TAG, ticket, survivor),
        followers=_copy(tx, _FOLLOWERS, _FOLLOW, ticket, survivor, now=tx.now),
        drafts=drafts.move(tx, ticket, survivor),
        reads=reading.join(tx, ticket, survivor, now.last_message_id or 0),
        visitor=visitor,
        last=max(ticket.last_message_id or 0, survivor.last_message_id or 0),
        was=stand(ticket),
        survivor_was=stand(survivor),
        survivor_is=stand(now),
    )
    merge_id = keep(tx, caller, "merge", ticket, survivor, journal)
    moving.begin(tx, merge_id, moving.Ids(**ids), ticket.id, survivor.id)
    write(tx, ticket, gone)
    write(tx, survivor, now)
    _end_offer(tx, caller, ticket, gone)
    by = visitor[0] if visitor is not None else None
    tickets.record(tx, ticket, TicketMerged(into=survivor.number, visitor_id=by), caller.actor, now=gone)
    _tell(tx, caller, survivor, now)
    tickets.record(tx, survivor, TicketJoined(joined=ticket.number), caller.actor, now=now)


def unmerge(tx: Tx, caller: Caller, number: int) -> None:
    """`number`, which was merged, is a ticket of its own again."""
    ticket = tickets.seen(tx, caller, number, merged=True)
    row = tx.row(_LAST, id=ticket.id) if ticket.merged_into is not None else None
    if row is None:
        raise Refusal("conflict", "This ticket is not part of another one.")
    survivor = tickets.must(tx, row[1])
    access.require(caller, survivor.scope)
    if survivor.merged_into is not None:
        further = tickets.must(tx, survivor.merged_into)
        text = f"#{survivor.number} was itself merged into #{further.number} meanwhile. Undo that first."
        raise Refusal("conflict", text)
    moving.require_still(tx, ticket.id, survivor.id)
    journal = msgspec.json.decode(row[2], type=Journal)
    tx.run(_UNDONE, id=row[0], now=tx.now)
    since = _since(tx, survivor, journal)
    moved = [*journal.message, *(said[0] for said in since)]
    moving.at_once(tx, moving.Ids([said[0] for said in since]), survivor.id, ticket.id)
    back_to = moving.Ids(journal.message, journal.note, journal.feedback)
    moving.begin(tx, row[0], back_to, survivor.id, ticket.id)
    for tag_id in journal.tags:
        tx.run(_UNTAG, id=survivor.id, other=tag_id)
    for agent_id in journal.followers:
        tx.run(_UNFOLLOW, id=survivor.id, other=agent_id)
    drafts.move(tx, survivor, ticket, journal.drafts)
    reading.part(tx, survivor, journal.reads)
    if journal.visitor is not None:
        _visitor_back(tx, journal.visitor, ticket, survivor)
    back = _restored(tx, ticket, journal, since)
    now = _without(tx, survivor, journal, moved)
    write(tx, ticket, back)
    write(tx, survivor, now)
    if back.status == "snoozed":
        wake_at(tx, back.id, back.snoozed_until)
    by = journal.visitor[0] if journal.visitor is not None else None
    tickets.record(tx, ticket, TicketUnmerged(out_of=survivor.number, visitor_id=by), caller.actor, now=back)
    _tell(tx, caller, survivor, now)
    tickets.record(tx, survivor, TicketParted(parted=ticket.number), caller.actor, now=now)


# --- for hub.desk.parting as well ----------------------------------------------------------------------------------


def stand(ticket: Ticket) -> Stand:
    return Stand(*(getattr(ticket, field) for field in Stand.__struct_fields__))


def keep(tx: Tx, caller: Caller, what: str, ticket: Ticket, other: Ticket, journal: msgspec.Struct) -> int:
    return tx.insert(
        _JOURNAL,
        what=what,
        ticket_id=ticket.id,
        other_id=other.id,
        journal=msgspec.json.encode(journal).decode(),
        by_kind=caller.actor.kind,
        by_id=caller.actor.id,
        now=tx.now,
    )


def write(tx: Tx, was: Ticket, now: Ticket) -> None:
    """The row, the counters and the loads."""
    tx.run(_WRITE, **{field: getattr(now, field) for field in _WRITTEN})
    tickets.count(tx, was, now)


# --- merging ---------------------------------------------------------------------------------------------------------


def _seen_into(tx: Tx, caller: Caller, number: int, into: int) -> Ticket:
    if number == into:
        raise invalid("into", "A ticket cannot be merged into itself. Choose another.")
    return tickets.seen(tx, caller, into)


def _visitor(tx: Tx, ticket: Ticket, survivor: Ticket) -> tuple[int, bool, bool] | None:
    """Their browser sees and says in the survivor from now on. One browser must not see what was said in another."""
    theirs, others = visitors.of_ticket(tx, ticket.id), visitors.of_ticket(tx, survivor.id)
    if theirs is None:
        return None
    if others is not None and others != theirs:
        text = "Both are chats, in two browsers of this contact. What is said in one must not be seen in the other."
        raise Refusal("conflict", text)
    if others is None:
        tx.run(_THEIRS, id=ticket.id, to=survivor.id)
    else:
        tx.run(_NOT_THEIRS, id=ticket.id)
    return theirs, others is None, tx.run(_PRESENT, id=ticket.id, to=survivor.id) > 0


def _absorbed(rx: Rx, ticket: Ticket, survivor: Ticket) -> Ticket:
    """The survivor as it is with all of the other in it."""
    both = (ticket, survivor)
    status = min((one.status for one in both), key=_OPENNESS.index)
    urgent = min(both, key=lambda one: one.urgency)
    since = [at for one in both if (at := one.waiting_since or one.waited_since) is not None]
    until = [one.snoozed_until for one in both if one.status == "snoozed" and one.snoozed_until is not None]
    ended = [one.resolved_at for one in both if one.resolved_at is not None]
    latest = max(both, key=lambda one: one.last_message_id or 0)
    incoming = [one.last_incoming_id for one in both if one.last_incoming_id is not None]
    all_read = all(one.read_to >= (one.last_incoming_id or 0) for one in both)
    assignee = survivor.assignee_id
    if assignee is None and ticket.assignee_id is not None:
        grants = access.load(rx, ticket.assignee_id)
        assignee = ticket.assignee_id if grants is not None and access.may(grants, survivor.scope) else None
    return msgspec.structs.replace(
        survivor,
        status=status,
        priority=urgent.priority,
        urgency=urgent.urgency,
        assignee_id=assignee,
        offered_to=survivor.offered_to if assignee is None else None,
        offered_until=survivor.offered_until if assignee is None else None,
        waiting_since=min(since) if status == "open" and since else None,
        waited_since=min(since) if status == "snoozed" and since else None,
        snoozed_until=min(until) if status == "snoozed" and until else None,
        resolved_at=max(ended) if status == "resolved" else None,
        last_message_id=latest.last_message_id,
        last_message_at=latest.last_message_at,
        last_incoming_id=max(incoming) if incoming else None,
        read_to=(max if all_read else min)(one.read_to for one in both),
        changed_at=rx.now,
    )


def _copy(tx: Tx, those: str, add: str, ticket: Ticket, survivor: Ticket, **more: Any) -> list[int]:
    """Which the survivor lacked and has now."""
    return [row[0] for row in tx.rows(those, id=ticket.id) if tx.run(add, id=survivor.id, other=row[0], **more)]


def _end_offer(tx: Tx, caller: Caller, ticket: Ticket, now: Ticket) -> None:
    if ticket.offered_to is not None and now.offered_to is None:
        ended = TicketOfferEnded(to=ticket.offered_to, why="withdrawn")
        tickets.record(tx, ticket, ended, caller.actor, now=now)


def _tell(tx: Tx, caller: Caller, was: Ticket, now: Ticket) -> None:
    """What else changed about the ticket, in the words that such changes have."""
    _end_offer(tx, caller, was, now)
    told: list[Event] = []
    if now.assignee_id != was.assignee_id:
        told.append(TicketAssigned(to=now.assignee_id, was=was.assignee_id, how="assigned"))
    if now.priority != was.priority:
        told.append(TicketPriorityChanged(priority=now.priority, was=was.priority))
    if now.status != was.status and now.status == "open":
        told.append(TicketReopened(was=was.status, because="merge"))
    elif now.status != was.status and now.status == "pending":
        told.append(TicketPending(was=was.status))
    elif now.status == "snoozed" and (was.status, was.snoozed_until) != (now.status, now.snoozed_until):
        told.append(TicketSnoozed(was=was.status, until=now.snoozed_until))
        wake_at(tx, now.id, now.snoozed_until)
    for event in told:
        tickets.record(tx, was, event, caller.actor, now=now)


# --- and back --------------------------------------------------------------------------------------------------------


def _since(rx: Rx, survivor: Ticket, journal: Journal) -> list[tuple[int, str, int]]:
    """What was said meanwhile in the browser that came with the ticket: that goes back with it."""
    if journal.visitor is None or not journal.visitor[1]:
        return []
    inbox_id = rx.value(_INBOX_OF, id=journal.visitor[0])
    rows = rx.rows(_SAID_SINCE, id=survivor.id, inbox_id=inbox_id, after=journal.last)
    return [(row[0], row[1], row[2]) for row in rows]


def _visitor_back(tx: Tx, visitor: tuple[int, bool, bool], ticket: Ticket, survivor: Ticket) -> None:
    visitor_id, moved, present = visitor
    if visitors.of_ticket(tx, survivor.id) == visitor_id:
        if moved:
            tx.run(_THEIRS, id=survivor.id, to=ticket.id)
        else:
            tx.run(_THEIRS_AGAIN, id=ticket.id, visitor_id=visitor_id)
        if present:
            tx.run(_PRESENT, id=survivor.id, to=ticket.id)


def _restored(rx: Rx, ticket: Ticket, journal: Journal, since: list[tuple[int, str, int]]) -> Ticket:
    """As it stood, with what was said in it since."""
    was = journal.was
    fields = msgspec.structs.asdict(was)
    if was.assignee_id is not None and rx.value(_ENABLED, id=was.assignee_id) is None:
        fields["assignee_id"] = None
    if was.status == "snoozed" and was.snoozed_until is not None and was.snoozed_until <= rx.now:
        fields |= _awake(fields)
    if since:
        waits = was.waiting_since or was.waited_since
        for _, direction, at in since:
            waits = None if direction == "outgoing" else waits or at
        fields["last_message_id"], _, fields["last_message_at"] = since[-1]
        fields["last_incoming_id"] = max((s[0] for s in since if s[1] == "incoming"), default=was.last_incoming_id)
        fields |= {"status": "open", "waiting_since": waits, "waited_since": None, "snoozed_until": None}
        fields["resolved_at"] = None
    return msgspec.structs.replace(ticket, **fields, merged_into=None, changed_at=rx.now)


def _awake(fields: dict[str, Any]) -> dict[str, Any]:
    """The snooze is over meanwhile."""
    since = fields["waiting_since"] or fields["waited_since"]
    return {"status": "open", "snoozed_until": None, "waiting_since": since, "waited_since": None}


def _without(rx: Rx, survivor: Ticket, journal: Journal, gone: list[int]) -> Ticket:
    """What the merge changed and nobody since is as it was before."""
    was, then, now = journal.survivor_was, journal.survivor_is, stand(survivor)
    fields: dict[str, Any] = {}
    for group in (
        ("status", "waiting_since", "waited_since", "snoozed_until", "resolved_at"),
        ("priority", "urgency"),
        ("assignee_id",),
        ("read_to",),
    ):
        if all(getattr(now, field) == getattr(then, field) for field in group):
            fields |= {field: getattr(was, field) for field in group}
    assignee = fields.get("assignee_id")
    if assignee is not None and rx.value(_ENABLED, id=assignee) is None:
        fields["assignee_id"] = None
    if fields.get("status") == "snoozed" and (fields["snoozed_until"] or rx.now + 1) <= rx.now:
        fields |= _awake(fields)
    if not {survivor.last_message_id, survivor.last_incoming_id}.isdisjoint(gone):
        last, at, incoming = moving.newest_but(rx, survivor.id, gone)
        unchanged = last == was.last_message_id
        fields |= {
            "last_message_id": last,
            "last_message_at": was.last_message_at if unchanged or at is None else at,
            "last_incoming_id": incoming,
        }
    return msgspec.structs.replace(survivor, **fields, changed_at=rx.now)
