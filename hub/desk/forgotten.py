"""A forgotten password: whoever asks hears the same, whether the address is anybody's or not. A job then looks."""

import contextlib
from typing import Any, Final

from hub.db import lanes
from hub.db.tx import Tx
from hub.desk import own_mail
from hub.errors import Refusal
from hub.staff import agents, throttle
from hub.staff.throttle import Key

JOB: Final = "forgotten"
FROM_ONE_NETWORK: Final = 10
MAX_ADDRESS: Final = 320


def ask(tx: Tx, email: str, remote: str) -> None:
    """The same work for every address: one row. Raises too_many for a network that asks and asks."""
    throttle.take(tx, (Key(f"forgotten:{throttle.network(remote)}", FROM_ONE_NETWORK),))
    tx.enqueue(JOB, {"email": email[:MAX_ADDRESS]}, lane=lanes.OUTBOUND)


def answer(tx: Tx, payload: dict[str, Any]) -> None:
    agent_id = agents.by_email(tx, payload["email"])
    agent = agents.get(tx, agent_id) if agent_id is not None else None
    if agent is not None and agent.disabled_at is None:
        with contextlib.suppress(Refusal):  # too many lately: the last ones are there
            own_mail.to_agent(tx, agent, "reset")
