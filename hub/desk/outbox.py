"""Whether anything may leave. After a restore the outbox is frozen until a person has looked, lest we write twice."""

from hub.db.tx import Rx, Tx
from hub.staff.access import Caller, require_permission

IS_FROZEN = "SELECT value FROM setting WHERE name = 'outbox'"
SET = """
INSERT INTO setting (name, value) VALUES ('outbox', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
NOW = """
UPDATE job SET run_at = :now WHERE kind IN ('deliver', 'own_mail') AND state = 'ready' AND run_at > :now"""
FROZEN = "frozen"
OPEN = "open"


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
