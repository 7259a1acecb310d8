"""Reply targets: how soon we mean to answer, by inbox and priority. `hub.desk.reply_clock` keeps to them."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hub.db.backend import Row
from hub.db.tx import Rx, Tx
from hub.desk.ticket import URGENCY, Priority
from hub.errors import invalid, not_found
from hub.events import Scope, TargetsChanged
from hub.staff.access import Caller, may, require_permission

MANAGE: Final = "inboxes.manage"
EVERYWHERE: Final = 0  # the inbox_id of those that count where an inbox has none of its own

_COLUMNS = """inbox_id, priority, first_reply_minutes, next_reply_minutes, warn_minutes, raise_priority, put_back,
       escalate_to_team_id"""
_ALL = f"SELECT {_COLUMNS} FROM reply_target ORDER BY inbox_id, priority LIMIT 2000"
_OF = f"""
SELECT {_COLUMNS} FROM reply_target
WHERE priority = :priority AND inbox_id IN (0, :inbox_id) ORDER BY inbox_id DESC LIMIT 1"""
_CLEAR = "DELETE FROM reply_target WHERE inbox_id = :inbox_id"
_PUT = """
INSERT INTO reply_target (inbox_id, priority, first_reply_minutes, next_reply_minutes, warn_minutes, raise_priority,
                          put_back, escalate_to_team_id)
VALUES (:inbox_id, :priority, :first_reply_minutes, :next_reply_minutes, :warn_minutes, :raise_priority, :put_back,
        :escalate_to_team_id)"""
_INBOX = "SELECT 1 FROM inbox WHERE id = :id"
_TEAM = "SELECT 1 FROM team WHERE id = :id AND gone_at IS NULL"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Minutes of business hours; null: no target. `warn_minutes` before it is due the ticket is marked (0: not). At the
    breach: `raise_priority` by one, move to `escalate_to_team_id`, `put_back` to the queue for others to be asked."""

    priority: Priority
    first_reply_minutes: int | None = None
    next_reply_minutes: int | None = None
    warn_minutes: int = 0
    raise_priority: bool = False
    put_back: bool = False
    escalate_to_team_id: int | None = None


class OfInbox(msgspec.Struct, frozen=True, kw_only=True):
    """`inbox_id` null: what counts in every inbox that has none of its own for a priority."""

    inbox_id: int | None
    items: tuple[Target, ...]


def of(rx: Rx, inbox_id: int, priority: str) -> Target | None:
    """The inbox's own for this priority, else the desk's."""
    row = rx.row(_OF, inbox_id=inbox_id, priority=priority)
    return None if row is None else _target(row)


def listed(rx: Rx, caller: Caller) -> list[OfInbox]:
    """The desk's first, then those of inboxes that the caller may see."""
    found: dict[int, list[Target]] = {EVERYWHERE: []}
    for row in rx.rows(_ALL):
        if row[0] == EVERYWHERE or may(caller.grants, Scope(row[0])):
            found.setdefault(row[0], []).append(_target(row))
    return [
        OfInbox(inbox_id=inbox_id or None, items=tuple(sorted(items, key=lambda one: URGENCY[one.priority])))
        for inbox_id, items in found.items()
    ]


def of_inbox(rx: Rx, inbox_id: int | None) -> OfInbox:
    place = EVERYWHERE if inbox_id is None else inbox_id
    items = [_target(row) for row in rx.rows(_ALL) if row[0] == place]
    return OfInbox(inbox_id=inbox_id, items=tuple(sorted(items, key=lambda one: URGENCY[one.priority])))


def put(tx: Tx, caller: Caller, inbox_id: int | None, items: Sequence[Target]) -> None:
    """Replaces all targets of an inbox, or of the desk. Clocks that run go by the new ones from now on."""
    require_permission(caller, MANAGE)
    if inbox_id is not None and (tx.value(_INBOX, id=inbox_id) is None or not may(caller.grants, Scope(inbox_id))):
        raise not_found("inbox")
    wanted: dict[str, Target] = {}
    for number, item in enumerate(items):
        field = f"items.{number}"
        if item.priority in wanted:
            raise invalid(f"{field}.priority", "There is a target for this priority already.")
        shortest = min((m for m in (item.first_reply_minutes, item.next_reply_minutes) if m is not None), default=None)
        if shortest is not None and item.warn_minutes >= shortest:
            raise invalid(f"{field}.warn_minutes", "Warn fewer minutes before than there are in all.")
        if item.escalate_to_team_id is not None and tx.value(_TEAM, id=item.escalate_to_team_id) is None:
            raise invalid(f"{field}.escalate_to_team_id", "There is no such team.")
        wanted[item.priority] = item
    place = EVERYWHERE if inbox_id is None else inbox_id
    tx.run(_CLEAR, inbox_id=place)
    for item in wanted.values():
        fields = msgspec.structs.asdict(item)
        fields |= {"raise_priority": int(item.raise_priority), "put_back": int(item.put_back)}
        tx.run(_PUT, inbox_id=place, **fields)
    tx.record(TargetsChanged(inbox_id=inbox_id), by=caller.actor)


def _target(row: Row) -> Target:
    return Target(
        priority=row[1],
        first_reply_minutes=row[2],
        next_reply_minutes=row[3],
        warn_minutes=row[4],
        raise_priority=bool(row[5]),
        put_back=bool(row[6]),
        escalate_to_team_id=row[7],
    )
