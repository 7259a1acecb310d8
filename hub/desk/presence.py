"""Who is there: a lease per agent, renewed every 20 seconds by a process that holds a socket of theirs.

Called by `hub.live` (`renew`), by the timers (`expire`) and by the commands (`set_availability`). That an agent is
there, and that they take work, are two things: routing wants both.
"""

from typing import Any, Final

from hub.clock import SECOND
from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.events import SYSTEM, PresenceChanged
from hub.staff import availability
from hub.staff.access import Caller
from hub.staff.availability import Availability

LEASE: Final = 60 * SECOND
RENEW: Final = 20 * SECOND
EXPIRE: Final = "presence_expire"  # the kind of the job that `expire` answers

_GET = "SELECT until FROM presence WHERE agent_id = :agent_id"
_PUT = """
INSERT INTO presence (agent_id, until, process) VALUES (:agent_id, :until, :process)
ON CONFLICT (agent_id) DO UPDATE SET until = excluded.until, process = excluded.process"""
_OVER = "SELECT agent_id FROM presence WHERE until <= :now ORDER BY agent_id LIMIT 200"
_REMOVE = "DELETE FROM presence WHERE agent_id = :agent_id AND until <= :now"
_PLANNED = "SELECT 1 FROM job WHERE key = :key AND state IN ('ready', 'blocked')"


def renew(tx: Tx, agent_id: int, process: str) -> None:
    """The agent is there for another minute. Of several processes any may say so; the last word holds."""
    until = tx.value(_GET, agent_id=agent_id)
    tx.run(_PUT, agent_id=agent_id, until=tx.now + LEASE, process=process)
    if until is None or until <= tx.now:
        _plan(tx, agent_id, tx.now + LEASE)
        tx.record(PresenceChanged(agent_id=agent_id, present=True), by=SYSTEM)


def expire(tx: Tx, payload: dict[str, Any]) -> None:
    """Ends every lease that ran out. Where the one of the agent in `payload` was renewed, plans the next look."""
    for (agent_id,) in tx.rows(_OVER, now=tx.now):
        if tx.run(_REMOVE, agent_id=agent_id, now=tx.now):
            tx.record(PresenceChanged(agent_id=agent_id, present=False), by=SYSTEM)
    agent_id = payload.get("agent_id")
    if agent_id is not None:
        until = tx.value(_GET, agent_id=agent_id)
        if until is not None:
            _plan(tx, agent_id, until)


def is_present(rx: Rx, agent_id: int) -> bool:
    until = rx.value(_GET, agent_id=agent_id)
    return until is not None and until > rx.now


def set_availability(tx: Tx, caller: Caller, to: Availability) -> None:
    """The caller's own."""
    availability.put(tx, caller.grants.agent_id, to, caller.actor)


def _plan(tx: Tx, agent_id: int, at: int) -> None:
    """One look ahead for each agent, however often this is asked; a running one does not count, it is this one."""
    key = f"presence:{agent_id}"
    if tx.value(_PLANNED, key=key) is None:
        tx.enqueue(EXPIRE, {"agent_id": agent_id}, key=key, run_at=at, lane=lanes.OUTBOUND)
