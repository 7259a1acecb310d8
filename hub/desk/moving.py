"""What was said in one ticket goes to another: some at once, the newest first, so that whoever looks sees it as it will
be; the rest by a job, some in each unit. Until all is there nothing else is merged, split or undone with either ticket.

For hub.desk.merging and hub.desk.parting. The journal row of theirs has the ids, so a unit needs no memory of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from hub.db import lanes
from hub.db.many import MOST as AT_ONCE
from hub.db.many import some
from hub.db.tx import Rx, Tx
from hub.desk import ticket as tickets
from hub.errors import Refusal
from hub.events import TicketGathered
from hub.staff.access import DESK

JOB: Final = "ticket.move"
A_UNIT: Final = AT_ONCE  # of messages, each with what was sent of it

# Which rows go with the ids of a journal: (table, column).
_GOES: Final = {
    "message": (("message", "id"), ("delivery", "message_id")),
    "note": (("note", "id"), ("mention", "note_id")),
    "feedback": (("feedback", "id"),),
}
_MOVING = "SELECT moving, journal FROM ticket_merge WHERE id = :id"
_LEFT = "UPDATE ticket_merge SET moving = :left WHERE id = :id"
_OF = """
SELECT COALESCE(SUM(moving), 0) FROM ticket_merge
WHERE moving IS NOT NULL AND (ticket_id = :id OR other_id = :id)"""
_NEWEST = """
SELECT id, direction, created_at FROM message
WHERE ticket_id = :ticket_id AND id < :before ORDER BY id DESC LIMIT 200"""


class Ids(msgspec.Struct, frozen=True):
    """The part of a journal that says which rows."""

    message: list[int]
    note: list[int] = []
    feedback: list[int] = []


def left(rx: Rx, ticket_id: int) -> int:
    """How much is still to come or to go."""
    return int(rx.value(_OF, id=ticket_id))


def require_still(rx: Rx, *ticket_ids: int) -> None:
    for ticket_id in ticket_ids:
        if left(rx, ticket_id):
            text = "What was said there is still being moved from an earlier merge or split. Try again in a moment."
            raise Refusal("conflict", text)


def begin(tx: Tx, merge_id: int, ids: Ids, from_id: int, to_id: int) -> None:
    """A unit's worth now, the rest by the job."""
    parts = list(_parts(ids))
    _move(tx, parts[0] if parts else (), from_id, to_id)
    _rest(tx, merge_id, sum(map(len, parts[1:])), from_id, to_id)


def at_once(tx: Tx, ids: Ids, from_id: int, to_id: int) -> None:
    """What is known to be few."""
    for part in _parts(ids):
        _move(tx, part, from_id, to_id)


def go_on(tx: Tx, payload: dict[str, Any]) -> None:
    """The job. Whoever reads either ticket is told to read it anew when all is where it belongs."""
    merge_id, from_id, to_id = payload["merge_id"], payload["from_id"], payload["to_id"]
    row = tx.row(_MOVING, id=merge_id)
    if row is None or row[0] is None:
        return
    parts = list(_parts(msgspec.json.decode(row[1], type=Ids)))
    done = sum(map(len, parts)) - row[0]
    while parts and done > 0:
        done -= len(parts.pop(0))
    _move(tx, parts[0] if parts else (), from_id, to_id)
    still = sum(map(len, parts[1:]))
    _rest(tx, merge_id, still, from_id, to_id)
    for ticket_id in (to_id,) if still else (to_id, from_id):
        tickets.record(tx, tickets.must(tx, ticket_id), TicketGathered(left=still), DESK.actor)


def newest_but(rx: Rx, ticket_id: int, gone: Iterable[int], before: int = 2**63 - 1) -> tuple[Any, Any, Any]:
    """(the last message, when it was, the last one of the contact) of what is not `gone`, wherever that lies now."""
    gone, last, at = set(gone), None, None
    while rows := rx.rows(_NEWEST, ticket_id=ticket_id, before=before):
        for id, direction, said_at in rows:
            if id in gone:
                continue
            if last is None:
                last, at = id, said_at
            if direction == "incoming":
                return last, at, id
        before = rows[-1][0]
    return last, at, None


Part = Sequence[tuple[str, int]]


def _parts(ids: Ids) -> Iterator[Part]:
    """Units' worth, in the order in which they go."""
    flat = [(what, id) for what in _GOES for id in sorted(getattr(ids, what), reverse=True)]
    for start in range(0, len(flat), A_UNIT):
        yield flat[start : start + A_UNIT]


def _move(tx: Tx, part: Part, from_id: int, to_id: int) -> None:
    """What has gone elsewhere since stays there."""
    for what, tables in _GOES.items():
        for names, values in some([id for kind, id in part if kind == what]):
            for table, column in tables:
                # The names are constants of ours, the ids parameters.
                where = f"{column} IN {names} AND ticket_id = :was"
                tx.run(f"UPDATE {table} SET ticket_id = :to WHERE {where}", to=to_id, was=from_id, **values)


def _rest(tx: Tx, merge_id: int, left: int, from_id: int, to_id: int) -> None:
    tx.run(_LEFT, id=merge_id, left=left or None)
    if left:
        payload = {"merge_id": merge_id, "from_id": from_id, "to_id": to_id}
        tx.enqueue(JOB, payload, key=f"move:{merge_id}", lane=lanes.OUTBOUND)
