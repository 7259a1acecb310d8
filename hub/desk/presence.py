"""Who is there: a lease per agent, renewed every 20 s by a process that holds a socket of theirs; and who is away.

Called by `hub.live` (`renew`, `active`), by the timers (`expire`, `back`) and by commands (`set_availability`). That an
agent is there, and that they take work, are two things: routing wants both. Who gives no sign of life for a while is
away by themselves, and back with the first one; who said when they would be back, with the first one from then on.
"""

from typing import Any, Final

from hub.clock import MINUTE, SECOND
from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.desk import routing_settings
from hub.events import SYSTEM, Actor, PresenceChanged
from hub.staff import availability
from hub.staff.access import Caller
from hub.staff.availability import Availability

LEASE: Final = 60 * SECOND
RENEW: Final = 20 * SECOND
AWAKE: Final = 2 * MINUTE  # a sign of life is so old at most when it still means "sits there"
EXPIRE: Final = "presence_expire"  # the kind of the job that `expire` answers
BACK: Final = "availability_over"

_GET = "SELECT until FROM presence WHERE agent_id = :agent_id"
_PUT = """
INSERT INTO presence (agent_id, until, process) VALUES (:agent_id, :until, :process)
ON CONFLICT (agent_id) DO UPDATE SET until = excluded.until, process = excluded.process"""
_OVER = "SELECT agent_id FROM presence WHERE until <= :now ORDER BY agent_id LIMIT 200"
_REMOVE = "DELETE FROM presence WHERE agent_id = :agent_id AND until <= :now"
_QUIET = """
SELECT availability FROM agent
WHERE id = :agent_id AND availability IN ('online', 'busy') AND until IS NULL AND active_at <= :before"""


def renew(tx: Tx, agent_id: int, process: str) -> None:
    """The agent is there for another minute. Of several processes any may say so; the last word holds."""
    until = tx.value(_GET, agent_id=agent_id)
    tx.run(_PUT, agent_id=agent_id, until=tx.now + LEASE, process=process)
    if until is None or until <= tx.now:
        availability.touch(tx, agent_id)
        _plan(tx, agent_id, tx.now + LEASE)
        tx.record(PresenceChanged(agent_id=agent_id, present=True), by=SYSTEM)
    else:
        _away_if_quiet(tx, agent_id)


def active(tx: Tx, agent_id: int) -> None:
    """A sign of life: who was only found to be away is what they were before."""
    was = availability.get(tx, agent_id)
    availability.touch(tx, agent_id)
    if was.automatic is not None:
        availability.put(tx, agent_id, was.automatic, Actor("agent", agent_id))


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


def back(tx: Tx, payload: dict[str, Any]) -> None:
    """The time that they named has come. Who sits there is online; who does not is so from their first sign of life,
    for nothing is to be offered to an empty chair. Nothing when they said something else meanwhile."""
    agent_id = payload["agent_id"]
    stand = availability.get(tx, agent_id)
    if stand.until != payload["until"]:
        return
    if is_present(tx, agent_id) and stand.active_at > tx.now - AWAKE:
        availability.put(tx, agent_id, "online", SYSTEM)
    else:
        availability.put(tx, agent_id, stand.availability, SYSTEM, reason=stand.reason, automatic="online")


def is_present(rx: Rx, agent_id: int) -> bool:
    until = rx.value(_GET, agent_id=agent_id)
    return until is not None and until > rx.now


def set_availability(
    tx: Tx, caller: Caller, to: Availability, *, until: int | None = None, reason: str | None = None
) -> None:
    """The caller's own. `until`: when they mean to take work again."""
    agent_id = caller.grants.agent_id
    reason = availability.checked(to, until, reason, tx.now)
    availability.touch(tx, agent_id)
    availability.put(tx, agent_id, to, caller.actor, until=until, reason=reason)
    if until is not None:
        tx.enqueue(BACK, {"agent_id": agent_id, "until": until}, run_at=until, lane=lanes.OUTBOUND)


def _away_if_quiet(tx: Tx, agent_id: int) -> None:
    minutes = routing_settings.read(tx).auto_away_minutes
    if not minutes:
        return
    was = tx.value(_QUIET, agent_id=agent_id, before=tx.now - minutes * MINUTE)
    if was is not None:
        availability.put(tx, agent_id, "away", SYSTEM, automatic=was)


def _plan(tx: Tx, agent_id: int, at: int) -> None:
    """One look ahead for each agent, however often this is asked; a running one does not count, it is this one."""
    tx.enqueue_once(EXPIRE, {"agent_id": agent_id}, key=f"presence:{agent_id}", run_at=at, lane=lanes.OUTBOUND)
