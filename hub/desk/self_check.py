"""Every night: which messages have not come to their end for more than a day. Said to those who look after the desk, as
an event and by mail; `parley doctor` and the metrics count the same.
"""

from typing import Final

from hub.clock import DAY, HOUR
from hub.db import figures
from hub.db.tx import Rx, Tx
from hub.desk import own_mail
from hub.events import SYSTEM, DeliveriesUnended
from hub.staff import agents

JOB: Final = "self_check"
AT: Final = 2 * HOUR  # UTC
_LOOK_AFTER_IT = """
SELECT agent.id FROM agent JOIN role ON role.id = agent.role_id
WHERE agent.disabled_at IS NULL AND agent.address_proved_at IS NOT NULL AND role.permissions LIKE '%"desk.manage"%'
ORDER BY agent.id LIMIT 50"""


def look(tx: Tx) -> int:
    number = figures.unended(tx)
    if number:
        tx.record(DeliveriesUnended(number=number), by=SYSTEM)
        for (agent_id,) in tx.rows(_LOOK_AFTER_IT):
            own_mail.to_agent(tx, agents.get(tx, agent_id), "unended", {"number": number})
    return number


def next_time(rx: Rx) -> int:
    return (rx.now - AT) // DAY * DAY + DAY + AT
