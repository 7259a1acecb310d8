"""Whether an agent takes work: what they said of themselves. Whether they are there at all is `hub.desk.presence`."""

from typing import Literal

from hub.db.tx import Tx
from hub.errors import not_found
from hub.events import Actor, AvailabilityChanged

Availability = Literal["online", "busy", "away", "offline"]

_GET = "SELECT availability FROM agent WHERE id = :id"
_SET = "UPDATE agent SET availability = :availability WHERE id = :id"
_SET_ONLINE = "UPDATE agent SET availability = 'online', idle_since = :now WHERE id = :id"


def put(tx: Tx, agent_id: int, availability: Availability, by: Actor) -> None:
    """Writes it and says so; the same again is nothing. Who comes online starts idle at this moment."""
    was = tx.value(_GET, id=agent_id)
    if was is None:
        raise not_found("agent")
    if was == availability:
        return
    if availability == "online":
        tx.run(_SET_ONLINE, id=agent_id, now=tx.now)
    else:
        tx.run(_SET, id=agent_id, availability=availability)
    tx.record(AvailabilityChanged(agent_id=agent_id, availability=availability, was=was), by=by)
