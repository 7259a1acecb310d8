"""Whether an agent takes work: what they said of themselves. Whether they are there at all is `hub.desk.presence`."""

from typing import Final, Literal

import msgspec

from hub.clock import DAY
from hub.db.tx import Rx, Tx
from hub.errors import invalid, not_found
from hub.events import Actor, AvailabilityChanged
from hub.text import clean

Availability = Literal["online", "busy", "away", "offline"]
LONGEST: Final = 366 * DAY
MAX_REASON: Final = 200

_GET = "SELECT availability, until, reason, automatic, active_at FROM agent WHERE id = :id"
_SET = """
UPDATE agent SET availability = :availability, until = :until, reason = :reason, automatic = :automatic
WHERE id = :id"""
_IDLE = "UPDATE agent SET idle_since = :now WHERE id = :id"
_ACTIVE = "UPDATE agent SET active_at = :now WHERE id = :id"


class Stand(msgspec.Struct, frozen=True):
    """`until`: when they mean to take work again. `automatic`: away without having said so, and what they were before:
    their first sign of life puts that back. `active_at`: their last one."""

    availability: Availability
    until: int | None = None
    reason: str | None = None
    automatic: Availability | None = None
    active_at: int = 0


def get(rx: Rx, agent_id: int) -> Stand:
    row = rx.row(_GET, id=agent_id)
    if row is None:
        raise not_found("agent")
    return Stand(*row)


def put(
    tx: Tx,
    agent_id: int,
    availability: Availability,
    by: Actor,
    *,
    until: int | None = None,
    reason: str | None = None,
    automatic: Availability | None = None,
) -> None:
    """Writes it and says so; the same again is nothing. Who comes online starts idle at this moment."""
    was = get(tx, agent_id)
    if (was.availability, was.until, was.reason, was.automatic) == (availability, until, reason, automatic):
        return
    tx.run(_SET, id=agent_id, availability=availability, until=until, reason=reason, automatic=automatic)
    if availability == "online" and was.availability != "online":
        tx.run(_IDLE, id=agent_id, now=tx.now)
    tx.record(
        AvailabilityChanged(
            agent_id=agent_id,
            availability=availability,
            was=was.availability,
            until=until,
            automatic=automatic is not None,
        ),
        by=by,
    )


def checked(availability: Availability, until: int | None, reason: str | None, now: int) -> str | None:
    """The reason as it is kept, or a Refusal."""
    if until is not None:
        if availability == "online":
            raise invalid("until", "Who is online takes work now. Leave the time out, or choose another state.")
        if not now < until <= now + LONGEST:
            raise invalid("until", "Choose a time that is still to come, at most a year away.")
    if reason is None or not reason.strip():
        return None
    if availability == "online":
        raise invalid("reason", "Who is online needs no reason. Leave it out.")
    return clean(reason, "reason", most=MAX_REASON, lines=False).strip()


def touch(tx: Tx, agent_id: int) -> None:
    """A sign of life."""
    tx.run(_ACTIVE, id=agent_id, now=tx.now)
