"""The dead-letter screen: jobs that were given up, to be looked at, tried again or dropped. hub.work runs them."""

from typing import Any

import msgspec

from hub.db.backend import Row
from hub.db.tx import Rx, Tx
from hub.errors import not_found
from hub.events import JobRetried
from hub.staff.access import Caller, require_permission

MANAGE = "desk.manage"

DEAD = """
SELECT id, kind, key, lane, payload, attempts, last_error, created_at, run_at FROM job
WHERE state = 'dead' AND id < :before ORDER BY id DESC LIMIT :limit"""
ONE_DEAD = "SELECT id, key FROM job WHERE id = :id AND state = 'dead'"
HEAD = "SELECT id FROM job WHERE key = :key AND state IN ('ready', 'running') LIMIT 1"
REVIVE = """
UPDATE job SET state = :state, attempts = 0, run_at = :now, first_run_at = :now, tried_at = NULL, lease_until = NULL,
       lease_by = NULL
WHERE id = :id AND state = 'dead'"""
DROP = "DELETE FROM job WHERE id = :id AND state = 'dead'"


class DeadJob(msgspec.Struct, frozen=True):
    id: int
    kind: str
    key: str | None
    lane: int
    payload: Any
    attempts: int
    error: str
    created_at: int
    died_at: int


def dead(rx: Rx, caller: Caller, *, before: int | None = None, limit: int = 50) -> list[DeadJob]:
    """Newest first; `before`: the id that the last page ended with."""
    require_permission(caller, MANAGE)
    return [_dead(row) for row in rx.rows(DEAD, before=2**62 if before is None else before, limit=limit)]


def revive(tx: Tx, caller: Caller, job_id: int) -> None:
    """From the start, as if it had been put there now."""
    require_permission(caller, MANAGE)
    row = tx.row(ONE_DEAD, id=job_id)
    if row is None:
        raise not_found("dead job")
    taken = row[1] is not None and tx.value(HEAD, key=row[1]) is not None
    tx.run(REVIVE, id=job_id, state="blocked" if taken else "ready", now=tx.now)
    tx.enqueued = True
    tx.record(JobRetried(job_id=job_id), by=caller.actor)


def drop(tx: Tx, caller: Caller, job_id: int) -> None:
    require_permission(caller, MANAGE)
    if not tx.run(DROP, id=job_id):
        raise not_found("dead job")


def _dead(row: Row) -> DeadJob:
    return DeadJob(
        id=row[0],
        kind=row[1],
        key=row[2],
        lane=row[3],
        payload=msgspec.json.decode(row[4]),
        attempts=row[5],
        error=row[6] or "",
        created_at=row[7],
        died_at=row[8],
    )
