"""How many tickets there are in each view of an agent's, out of the counters that hub.desk.ticket keeps."""

from typing import Final

import msgspec

from hub.db.tx import Rx
from hub.staff.access import Caller, visible

MOST: Final = 1_000  # so many or more

# A cell of the counters has what access is judged on, so it may stand for the tickets in it.
_CELLS = """
SELECT SUM(CASE WHEN ticket.assignee_id = :reader AND ticket.status IN ('open', 'pending') THEN ticket.tickets END),
       SUM(CASE WHEN ticket.assignee_id = 0 AND ticket.status IN ('open', 'pending') THEN ticket.tickets END),
       SUM(CASE WHEN ticket.status IN ('open', 'pending') THEN ticket.tickets END),
       SUM(ticket.waiting),
       SUM(CASE WHEN ticket.status = 'snoozed' THEN ticket.tickets END),
       SUM(ticket.spam)
FROM ticket_count AS ticket"""
# Few, and who may see them changes with the ticket and with the agent: so they are looked up, never more than MOST.
_MENTIONS = """
SELECT DISTINCT mention.ticket_id FROM mention JOIN ticket ON ticket.id = mention.ticket_id
WHERE mention.agent_id = :reader AND mention.seen_at IS NULL AND ticket.spam = 0 AND ticket.merged_into IS NULL"""


class Counts(msgspec.Struct, frozen=True):
    """Each at most 1000, which stands for "999+". `mentions`: tickets with one that the agent has not seen yet."""

    mine: int
    unassigned: int
    open: int
    waiting: int
    snoozed: int
    spam: int
    mentions: int


NONE: Final = Counts(mine=0, unassigned=0, open=0, waiting=0, snoozed=0, spam=0, mentions=0)


def of(rx: Rx, caller: Caller) -> Counts:
    sees, params = visible(caller.grants)
    reader = caller.grants.agent_id
    # Composed of constants of ours; values are parameters.
    row = rx.row(f"{_CELLS} WHERE {sees}", **params, reader=reader)
    assert row is not None
    mentions = rx.rows(f"{_MENTIONS} AND {sees} LIMIT {MOST}", **params, reader=reader)
    mine, unassigned, open_, waiting, snoozed, spam = (min(int(found or 0), MOST) for found in row)
    return Counts(
        mine=mine,
        unassigned=unassigned,
        open=open_,
        waiting=waiting,
        snoozed=snoozed,
        spam=spam,
        mentions=len(mentions),
    )
