"""The durable queue: jobs are rows, written in the transaction of what they follow from. Run by hub.work.worker.

    blocked → ready → running → (gone) | ready, later | dead

Only the head of a key is `ready` or `running`; when it leaves, the next one is promoted. So claiming looks at one index
and never behind a key. A lease is judged by the database's clock (`tx.now`); what a worker that lost its lease wants to
write is refused.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from hub.clock import HOUR, MINUTE, SECOND
from hub.db import lanes
from hub.db.backend import Row
from hub.db.crash import crash_point
from hub.db.tx import Rx, Tx
from hub.errors import ParleyError
from hub.events import SYSTEM, JobDied

LEASE: Final = 60 * SECOND
HOLDS_ITS_KEY: Final = 15 * MINUTE  # from its first try: then it is buried and the next one goes on

# The first pause after a failure, the longest, and how many tries there are; by lane.
PAUSES: Final = {
    lanes.INBOUND: (1 * SECOND, 5 * MINUTE, 12),
    lanes.OUTBOUND: (2 * SECOND, 5 * MINUTE, 12),
    lanes.WEBHOOKS: (5 * SECOND, 24 * HOUR, 10),
    lanes.HOUSEKEEPING: (30 * SECOND, 1 * HOUR, 12),
}
# Webhooks to other systems: minutes become hours, 75 hours in all.
WEBHOOK_PAUSES: Final = (
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
LANES: Final = (lanes.INBOUND, lanes.OUTBOUND, lanes.WEBHOOKS, lanes.HOUSEKEEPING)
_COLUMNS = "id, kind, key, lane, payload, attempts, tried_at, run_at, first_run_at"

CLAIM = f"""
UPDATE job SET state = 'running', lease_until = :until, lease_by = :worker, attempts = attempts + 1,
       tried_at = COALESCE(tried_at, :now)
WHERE id IN (SELECT id FROM job WHERE state = 'ready' AND lane = :lane AND run_at <= :now
             ORDER BY run_at, id LIMIT :limit)
RETURNING {_COLUMNS}"""
DUE = "SELECT run_at FROM job WHERE state = 'ready' AND lane = :lane ORDER BY run_at, id LIMIT 1"
OURS = "SELECT 1 FROM job WHERE id = :id AND state = 'running' AND lease_by = :worker"
FINISH = "DELETE FROM job WHERE id = :id AND state = 'running' AND lease_by = :worker"
NEXT = "SELECT id FROM job WHERE key = :key AND state = 'blocked' ORDER BY first_run_at, id LIMIT 1"
PROMOTE = "UPDATE job SET state = 'ready' WHERE id = :id"
AGAIN = """
UPDATE job SET state = 'ready', run_at = :run_at, attempts = attempts - :uncounted, last_error = :error,
       tried_at = CASE WHEN :uncounted = 1 THEN NULL ELSE tried_at END, lease_until = NULL, lease_by = NULL
WHERE id = :id AND state = 'running' AND lease_by = :worker"""
BURY = """
UPDATE job SET state = 'dead', run_at = :now, last_error = :error, lease_until = NULL, lease_by = NULL
WHERE id = :id AND state = 'running' AND lease_by = :worker"""
RENEW = "UPDATE job SET lease_until = :until WHERE state = 'running' AND lease_by = :worker"
RECLAIM = """
UPDATE job SET state = 'ready', lease_until = NULL, lease_by = NULL
WHERE state = 'running' AND lease_until <= :now"""
CLEAR = "UPDATE job SET state = 'ready', lease_until = NULL, lease_by = NULL WHERE state = 'running'"


class Job(msgspec.Struct, frozen=True):
    id: int
    kind: str
    key: str | None
    lane: int
    payload: Any
    attempts: int  # this one included
    tried_at: int
    run_at: int
    first_run_at: int
    worker: str


class LeaseLost(ParleyError):
    """Another worker has this job now: what this one wanted to write about it is not written."""


class Again(ParleyError):
    """Raised by a handler: not done, try again. `after`: milliseconds, None: as the lane has it. `counted` False: it
    was not this job's fault (the outbox is frozen, the account has to wait), so it neither ages nor counts."""

    def __init__(self, reason: str, after: int | None = None, *, counted: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.after, self.counted = reason, after, counted


# --- units -----------------------------------------------------------------------------------------------------------


def claim(tx: Tx, worker: str, lane: int, limit: int) -> list[Job]:
    """Takes up to `limit` due jobs of a lane, in order, under a lease."""
    found = tx.rows(CLAIM, worker=worker, lane=lane, limit=limit, now=tx.now, until=tx.now + LEASE)
    crash_point("queue.claimed")
    return sorted((_job(row, worker) for row in found), key=lambda job: (job.run_at, job.id))


def finish(tx: Tx, job: Job, then: Callable[[Tx], object] | None = None) -> None:
    """The job is done and gone, the next of its key ready; `then` is written in the same unit."""
    if then is not None:
        _require_lease(tx, job)
        then(tx)
    if not tx.run(FINISH, id=job.id, worker=job.worker):
        raise LeaseLost("the lease of this job ran out")
    promote(tx, job.key)


def again(
    tx: Tx,
    job: Job,
    error: str,
    after: int,
    *,
    counted: bool = True,
    dead: Callable[[Tx], object] | None = None,
) -> bool:
    """Ready again in `after` milliseconds, or buried when it has had its time. True: it will be tried again.

    `dead`: what else is written when it is buried."""
    if counted and is_last_try(job, tx.now, after):
        bury(tx, job, error, dead)
        return False
    _require_lease(tx, job)
    tx.run(AGAIN, id=job.id, worker=job.worker, run_at=tx.now + after, error=error[:500], uncounted=int(not counted))
    return True


def bury(tx: Tx, job: Job, error: str, dead: Callable[[Tx], object] | None = None) -> None:
    """Given up and shown; the next of its key goes on. `dead`: what else is written then."""
    _require_lease(tx, job)
    if dead is not None:
        dead(tx)
    tx.run(BURY, id=job.id, worker=job.worker, now=tx.now, error=error[:500])
    promote(tx, job.key)
    tx.record(JobDied(job_id=job.id, kind=job.kind), by=SYSTEM)


def promote(tx: Tx, key: str | None) -> None:
    """The head has left: the next of the key is ready."""
    if key is None:
        return
    following = tx.value(NEXT, key=key)
    if following is not None:
        tx.run(PROMOTE, id=following)
        tx.enqueued = True


def renew(tx: Tx, worker: str) -> None:
    tx.run(RENEW, worker=worker, until=tx.now + LEASE)


def reclaim(tx: Tx) -> int:
    """Jobs whose worker died or stands still are ready again; how many. Their handlers find out what became of them."""
    found = tx.run(RECLAIM, now=tx.now)
    tx.enqueued = tx.enqueued or found > 0
    return found


def clear_leases(tx: Tx) -> int:
    """At the start of the only desk of a database: whoever held a lease is dead."""
    return tx.run(CLEAR)


# --- reading and reckoning -------------------------------------------------------------------------------------------


def due(rx: Rx) -> dict[int, int]:
    """By lane, when its next job is to run; lanes without jobs are absent."""
    found = {}
    for lane in LANES:
        run_at = rx.value(DUE, lane=lane)
        if run_at is not None:
            found[lane] = int(run_at)
    return found


def pause(job: Job, chance: float) -> int:
    """Milliseconds until the next try: growing, and spread by up to a fifth. `chance`: random, 0 to 1."""
    first, longest, _ = PAUSES[job.lane]
    if job.lane == lanes.WEBHOOKS:
        length = WEBHOOK_PAUSES[min(job.attempts - 1, len(WEBHOOK_PAUSES) - 1)]
    else:
        length = min(first * 2 ** min(job.attempts - 1, 20), longest)
    return int(length * (0.8 + 0.4 * chance))


def is_last_try(job: Job, now: int, after: int) -> bool:
    """Would a retry in `after` milliseconds come too late, or once too often?"""
    if job.attempts >= PAUSES[job.lane][2]:
        return True
    return job.key is not None and now + after > job.tried_at + HOLDS_ITS_KEY


def is_poison(job: Job) -> bool:
    """Taken more often than it may fail: whoever ran it died of it."""
    return job.attempts > PAUSES[job.lane][2] + 1


def _require_lease(tx: Tx, job: Job) -> None:
    if tx.value(OURS, id=job.id, worker=job.worker) is None:
        raise LeaseLost("the lease of this job ran out")


def _job(row: Row, worker: str) -> Job:
    return Job(row[0], row[1], row[2], row[3], msgspec.json.decode(row[4]), row[5], row[6], row[7], row[8], worker)
