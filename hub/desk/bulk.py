"""One action on many tickets, and taking it back. A few are done at once; more are a job's, some in each unit, and the
agent who began it hears how far it has come. Each ticket is judged by itself: one that is refused stops no other.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import msgspec

from hub.clock import DAY
from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.desk import assignment, lists, tags, tickets
from hub.desk import ticket as gate
from hub.desk.lists import Filter
from hub.desk.ticket import Ticket
from hub.errors import Refusal, invalid, not_found
from hub.events import Actor, TicketPending, TicketReopened, TicketResolved, TicketSnoozed, Told
from hub.staff import access
from hub.staff.access import Caller, agent_of, may, require_permission

Action = Literal["assign", "tag", "untag", "snooze", "resolve", "priority", "spam", "move"]
JOB: Final = "bulk"
AT_ONCE: Final = 100  # tickets that are done in the unit that asks for it
A_UNIT: Final = 50
KEPT: Final = 30 * DAY  # how long it can be undone
MOST: Final = 10_000
SHOWN: Final = 100  # refusals that are told
_READ: Final = "tickets.read"
_ASSIGN: Final = "tickets.assign"
_CHANGE: Final = "tickets.change"
_NEEDS: Final[dict[str, str]] = {"assign": _ASSIGN, "move": _ASSIGN}
MEANWHILE: Final = "This was changed meanwhile, so it stays as it is."

_INSERT = """
INSERT INTO bulk (agent_id, action, total, started_at) VALUES (:agent_id, :action, :total, :now) RETURNING id"""
_ROW = "SELECT id, agent_id, action, total, done, refused, ended_at, undone_at FROM bulk WHERE id = :id"
_PROGRESS = "UPDATE bulk SET done = done + :done, refused = refused + :refused, ended_at = :ended_at WHERE id = :id"
_UNDO = "UPDATE bulk SET undone_at = :now WHERE id = :id"
_ITEM = """
INSERT INTO bulk_item (bulk_id, ticket_id, state, before, reason)
VALUES (:bulk_id, :ticket_id, :state, :before, :reason)"""
_DONE = """
SELECT ticket_id, before FROM bulk_item WHERE bulk_id = :id AND state = 'done' ORDER BY ticket_id LIMIT :limit"""
_UNDONE = "UPDATE bulk_item SET state = 'undone', reason = :reason WHERE bulk_id = :id AND ticket_id = :ticket_id"
_REASONS = """
SELECT ticket.number, bulk_item.reason FROM bulk_item JOIN ticket ON ticket.id = bulk_item.ticket_id
WHERE bulk_item.bulk_id = :id AND bulk_item.reason IS NOT NULL ORDER BY bulk_item.ticket_id LIMIT :limit"""
_OLD = """
SELECT bulk_item.bulk_id, bulk_item.ticket_id FROM bulk JOIN bulk_item ON bulk_item.bulk_id = bulk.id
WHERE bulk.started_at < :before LIMIT 400"""
_DROP_ITEM = "DELETE FROM bulk_item WHERE bulk_id = :id AND ticket_id = :ticket_id"
_DROP = """
DELETE FROM bulk WHERE id IN (
  SELECT bulk.id FROM bulk WHERE bulk.started_at < :before
    AND NOT EXISTS (SELECT 1 FROM bulk_item WHERE bulk_item.bulk_id = bulk.id) LIMIT 100)"""
_MATCHING: Final = "SELECT ticket.id FROM ticket"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, with the one thing that it needs, if any."""

    do: Action
    args: dict[str, Any] = {}
    ids: list[int] = []


class Refused(msgspec.Struct, frozen=True):
    number: int
    text: str


class Bulk(msgspec.Struct, frozen=True, kw_only=True):
    """`refused`: the first hundred of those that stayed as they were, and why. `ended`: nothing is still to be done."""

    id: int
    total: int
    done: int
    refused: list[Refused]
    ended: bool
    undone: bool


class _Stood(msgspec.Struct, frozen=True):
    status: str
    waiting_since: int | None
    waited_since: int | None
    snoozed_until: int | None
    assignee_id: int | None
    team_id: int | None
    priority: str
    spam: int
    tagged: bool


class _Row(msgspec.Struct, frozen=True):
    id: int
    agent_id: int
    action: str
    total: int
    done: int
    refused: int
    ended_at: int | None
    undone_at: int | None


def start(tx: Tx, caller: Caller, wanted: Wanted, *, numbers: Sequence[int] = (), filter: Filter | None = None) -> Bulk:
    """On the tickets of these numbers, each of which has to be seen; or on all that the filter finds."""
    require_permission(caller, _NEEDS.get(wanted.do, _CHANGE))
    agent_id = agent_of(caller)
    ids = _named(tx, caller, numbers) if filter is None else _found(tx, caller, filter)
    _require_sound(tx, wanted)
    wanted = msgspec.structs.replace(wanted, ids=ids)
    action = msgspec.json.encode(wanted).decode()
    bulk_id = tx.insert(_INSERT, agent_id=agent_id, action=action, total=len(ids), now=tx.now)
    if len(ids) <= AT_ONCE:
        _some(tx, caller, _row(tx, bulk_id), wanted, ids)
    else:
        _later(tx, bulk_id, undo=False)
    return _shown(tx, bulk_id)


def of(rx: Rx, caller: Caller, bulk_id: int) -> Bulk:
    """The caller's own."""
    _own(rx, caller, bulk_id)
    return _shown(rx, bulk_id)


def undo(tx: Tx, caller: Caller, bulk_id: int) -> Bulk:
    """Each ticket as it was before, unless somebody has changed it since in the same respect."""
    row = _own(tx, caller, bulk_id)
    if row.ended_at is None:
        raise Refusal("conflict", "This is still being done. Wait until it has ended.")
    if row.undone_at is not None:
        raise Refusal("conflict", "This was undone already.")
    tx.run(_UNDO, id=bulk_id, now=tx.now)
    if row.done <= AT_ONCE:
        _undo_some(tx, caller, row, AT_ONCE)
    else:
        _later(tx, bulk_id, undo=True)
    return _shown(tx, bulk_id)


def go_on(tx: Tx, payload: dict[str, Any]) -> None:
    """The job: some more, with the rights that the agent has now."""
    row = _row(tx, payload["bulk_id"])
    grants = access.load(tx, row.agent_id)
    if grants is None:
        return  # they are gone, and so is what they wanted
    caller = Caller(Actor("agent", row.agent_id), grants)
    if payload["undo"]:
        more = _undo_some(tx, caller, row, A_UNIT)
    else:
        wanted = msgspec.json.decode(row.action, type=Wanted)
        begun = row.done + row.refused
        _some(tx, caller, row, wanted, wanted.ids[begun : begun + A_UNIT])
        more = begun + A_UNIT < row.total
    if more:
        _later(tx, row.id, undo=payload["undo"])
    frame = {"type": "own", "what": "bulk", "bulk": _shown(tx, row.id)}
    tx.tell(Told("agent", row.agent_id, frame, _READ))


# --- which -----------------------------------------------------------------------------------------------------------


def _named(tx: Tx, caller: Caller, numbers: Sequence[int]) -> list[int]:
    found = []
    for number in dict.fromkeys(numbers):
        ticket = gate.by_number(tx, number)
        if ticket is None or not may(caller.grants, ticket.scope):
            raise not_found("ticket")  # and nothing is done to the others
        found.append(ticket.id)
    return found


def _found(rx: Rx, caller: Caller, filter: Filter) -> list[int]:
    where, params = lists.matching(caller, filter)
    # Composed of constants of ours; values are parameters.
    rows = rx.rows(f"{_MATCHING} WHERE {' AND '.join(where)} ORDER BY ticket.id LIMIT :limit", **params, limit=MOST + 1)
    if len(rows) > MOST:
        raise invalid("filter", f"These are more than {MOST:,} tickets. Narrow it down.")
    return [row[0] for row in rows]


# --- doing -----------------------------------------------------------------------------------------------------------


def _some(tx: Tx, caller: Caller, row: _Row, wanted: Wanted, ids: Sequence[int]) -> None:
    done = 0
    for ticket_id in ids:
        before, error = tx.alone(_one, caller, wanted, ticket_id)
        if error is not None and not isinstance(error, Refusal):
            raise error
        tx.run(
            _ITEM,
            bulk_id=row.id,
            ticket_id=ticket_id,
            state="done" if error is None else "refused",
            before=before,
            reason=None if error is None else str(error),
        )
        done += error is None
    over = row.done + row.refused + len(ids) >= row.total
    tx.run(_PROGRESS, id=row.id, done=done, refused=len(ids) - done, ended_at=tx.now if over else None)


def _one(tx: Tx, caller: Caller, wanted: Wanted, ticket_id: int) -> str:
    """How it stood before and stands after, as it is kept."""
    before = gate.must(tx, ticket_id)
    stood = _stood(tx, before, wanted)
    _DO[wanted.do](tx, caller, before.number, wanted.args)
    now = _stood(tx, gate.must(tx, ticket_id), wanted)
    return msgspec.json.encode([stood, now]).decode()


def _mark(tx: Tx, caller: Caller, number: int, args: dict[str, Any]) -> None:
    tags.tag_ticket(tx, caller, number, args["tag"])


def _unmark(tx: Tx, caller: Caller, number: int, args: dict[str, Any]) -> None:
    tags.untag_ticket(tx, caller, number, args["tag"])


_DO: Final[dict[str, Callable[[Tx, Caller, int, dict[str, Any]], None]]] = {
    "assign": lambda tx, caller, number, args: assignment.assign(tx, caller, number, args["agent_id"]),
    "move": lambda tx, caller, number, args: assignment.move(tx, caller, number, args["team_id"]),
    "tag": _mark,
    "untag": _unmark,
    "snooze": lambda tx, caller, number, args: tickets.snooze(tx, caller, number, args["until"]),
    "resolve": lambda tx, caller, number, args: tickets.resolve(tx, caller, number),
    "priority": lambda tx, caller, number, args: tickets.set_priority(tx, caller, number, args["priority"]),
    "spam": lambda tx, caller, number, args: tickets.mark_spam(tx, caller, number, args["spam"]),
}
_ARGS: Final[dict[str, str]] = {
    "assign": "agent_id",
    "move": "team_id",
    "tag": "tag",
    "untag": "tag",
    "snooze": "until",
    "priority": "priority",
    "spam": "spam",
}


def _require_sound(tx: Tx, wanted: Wanted) -> None:
    """What would be refused for every one of them is refused once."""
    needed = _ARGS.get(wanted.do)
    for name in wanted.args:
        if name != needed:
            raise invalid(name, f"This is not for {wanted.do}.")
    if needed is not None and needed not in wanted.args:
        raise invalid(needed, f"Say which, to {wanted.do} them.")
    if wanted.do == "assign" and wanted.args["agent_id"] is not None:
        assignment.require_agent(tx, wanted.args["agent_id"])
    if wanted.do == "move":
        assignment.require_team(tx, wanted.args["team_id"])
    if wanted.do == "snooze" and (wanted.args["until"] or tx.now + 1) <= tx.now:
        raise invalid("until", "This time has passed. Choose one that is still to come.")
    if wanted.do in ("tag", "untag"):
        tags.check(wanted.args["tag"])


# --- undoing ---------------------------------------------------------------------------------------------------------


def _undo_some(tx: Tx, caller: Caller, row: _Row, limit: int) -> bool:
    """Whether there may be more."""
    wanted = msgspec.json.decode(row.action, type=Wanted)
    items = tx.rows(_DONE, id=row.id, limit=limit)
    for ticket_id, kept in items:
        before, after = msgspec.json.decode(kept, type=tuple[_Stood, _Stood])
        _, error = tx.alone(_back, caller, wanted, ticket_id, before, after)
        if error is not None and not isinstance(error, Refusal):
            raise error
        tx.run(_UNDONE, id=row.id, ticket_id=ticket_id, reason=None if error is None else str(error))
    return len(items) == limit


def _back(tx: Tx, caller: Caller, wanted: Wanted, ticket_id: int, before: _Stood, after: _Stood) -> None:
    ticket = gate.seen(tx, caller, gate.must(tx, ticket_id).number)
    now = _stood(tx, ticket, wanted)
    if before == after:
        return
    if any(getattr(now, field) != getattr(after, field) for field in _CHANGES[wanted.do]):
        raise Refusal("conflict", MEANWHILE)
    match wanted.do:
        case "assign":
            assignment.assign(tx, caller, ticket.number, before.assignee_id)
        case "move":
            assignment.move(tx, caller, ticket.number, before.team_id)
        case "tag" | "untag":
            (_mark if before.tagged else _unmark)(tx, caller, ticket.number, wanted.args)
        case "priority":
            tickets.set_priority(tx, caller, ticket.number, before.priority)  # type: ignore[arg-type]
        case "spam":
            tickets.mark_spam(tx, caller, ticket.number, bool(before.spam))
        case _:
            _status_back(tx, caller, ticket, before)


def _status_back(tx: Tx, caller: Caller, ticket: Ticket, before: _Stood) -> None:
    """Who waited for us before waits again, since then."""
    waiting = msgspec.structs.replace(ticket, waiting_since=before.waiting_since or before.waited_since)
    until = before.snoozed_until
    match before.status:
        case "snoozed" if until is None or until > tx.now:
            tickets.to_status(
                tx, caller, waiting, "snoozed", TicketSnoozed(was=ticket.status, until=until), snoozed_until=until
            )
            tickets.wake_at(tx, ticket.id, until)
        case "pending":
            tickets.to_status(tx, caller, waiting, "pending", TicketPending(was=ticket.status))
        case "resolved":
            tickets.to_status(tx, caller, waiting, "resolved", TicketResolved(was=ticket.status))
        case _:
            tickets.to_status(tx, caller, waiting, "open", TicketReopened(was=ticket.status, because="agent"))


_CHANGES: Final[dict[str, tuple[str, ...]]] = {
    "assign": ("assignee_id",),
    "move": ("team_id",),
    "tag": ("tagged",),
    "untag": ("tagged",),
    "priority": ("priority",),
    "spam": ("spam",),
    "resolve": ("status",),
    "snooze": ("status", "snoozed_until"),
}


def sweep(tx: Tx) -> int:
    """Drops some of what can hardly be wanted back any more; how many rows."""
    old = tx.rows(_OLD, before=tx.now - KEPT)
    for bulk_id, ticket_id in old:
        tx.run(_DROP_ITEM, id=bulk_id, ticket_id=ticket_id)
    return len(old) + tx.run(_DROP, before=tx.now - KEPT)


# --- inside ----------------------------------------------------------------------------------------------------------


def _stood(rx: Rx, ticket: Ticket, wanted: Wanted) -> _Stood:
    tag = wanted.args.get("tag")
    return _Stood(
        status=ticket.status,
        waiting_since=ticket.waiting_since,
        waited_since=ticket.waited_since,
        snoozed_until=ticket.snoozed_until,
        assignee_id=ticket.assignee_id,
        team_id=ticket.team_id,
        priority=ticket.priority,
        spam=ticket.spam,
        tagged=tag is not None and tags.has(rx, ticket.id, tag),
    )


def _later(tx: Tx, bulk_id: int, *, undo: bool) -> None:
    tx.enqueue(JOB, {"bulk_id": bulk_id, "undo": undo}, key=f"bulk:{bulk_id}", lane=lanes.OUTBOUND)


def _row(rx: Rx, bulk_id: int) -> _Row:
    row = rx.row(_ROW, id=bulk_id)
    if row is None:
        raise not_found("action on many tickets")
    return _Row(*row)


def _own(rx: Rx, caller: Caller, bulk_id: int) -> _Row:
    row = _row(rx, bulk_id)
    if row.agent_id != agent_of(caller):
        raise not_found("action on many tickets")
    return row


def _shown(rx: Rx, bulk_id: int) -> Bulk:
    row = _row(rx, bulk_id)
    refused = [Refused(number, text) for number, text in rx.rows(_REASONS, id=bulk_id, limit=SHOWN)]
    over = row.ended_at is not None and (row.undone_at is None or not rx.rows(_DONE, id=bulk_id, limit=1))
    return Bulk(
        id=row.id,
        total=row.total,
        done=row.done,
        refused=refused,
        ended=over,
        undone=row.undone_at is not None,
    )
