"""Whether anything may leave. After a restore the outbox is frozen until a person has looked, lest we write twice."""

import msgspec

from hub.db.tx import Rx, Tx
from hub.staff.access import Caller, require_permission, visible

IS_FROZEN = "SELECT value FROM setting WHERE name = 'outbox'"
SET = """
INSERT INTO setting (name, value) VALUES ('outbox', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
NOW = """
UPDATE job SET run_at = :now WHERE kind = 'deliver' AND state = 'ready' AND run_at > :now"""
WAITING = """
SELECT delivery.id, ticket.number, ticket.subject, contact_point.shown, inbox.name, delivery.created_at
FROM delivery JOIN ticket ON ticket.id = delivery.ticket_id JOIN inbox ON inbox.id = delivery.inbox_id
JOIN contact_point ON contact_point.id = delivery.contact_point_id
WHERE delivery.state IN ('held', 'queued')"""
OLDEST = " ORDER BY delivery.id LIMIT :limit"
FROZEN = "frozen"
OPEN = "open"


class Waiting(msgspec.Struct, frozen=True):
    """A delivery that has not left. (Those of live channels have no way to be on.)"""

    id: int
    number: int
    subject: str
    to: str
    inbox: str
    created_at: int


def waiting(rx: Rx, caller: Caller, *, limit: int) -> list[Waiting]:
    """Oldest first, of the tickets that the caller sees."""
    require_permission(caller, "desk.manage")
    sees, params = visible(caller.grants)
    return [Waiting(*row) for row in rx.rows(f"{WAITING} AND {sees}{OLDEST}", **params, limit=limit)]


def is_frozen(rx: Rx) -> bool:
    return bool(rx.value(IS_FROZEN) == FROZEN)


def freeze(tx: Tx, caller: Caller) -> None:
    """What is queued waits; what agents write joins it."""
    require_permission(caller, "desk.manage")
    tx.run(SET, value=FROZEN)


def thaw(tx: Tx, caller: Caller) -> None:
    require_permission(caller, "desk.manage")
    tx.run(SET, value=OPEN)
    tx.run(NOW, now=tx.now)
    tx.enqueued = True
