"""Which kind of job is answered by what: the timers of the rooms, the doors in and out, and what comes round again."""

from typing import TYPE_CHECKING, Final

from hub.clock import HOUR
from hub.db import lanes
from hub.db.tx import Tx
from hub.desk import inbound as stored
from hub.desk import inboxes, presence, routing, tickets
from hub.people import fields, words
from hub.work import housekeeping, inbound, outbound
from hub.work.queue import Job
from hub.work.worker import Handler, Then, unit

if TYPE_CHECKING:
    from hub.work.runner import Runner

DELIVER: Final = "deliver"
HOUSEKEEPING: Final = "housekeeping"
EVERY: Final = {HOUSEKEEPING: HOUR}
# What else is written when a job of this kind is given up.
DEAD: Final = {DELIVER: outbound.given_up}
PLANNED = "SELECT 1 FROM job WHERE key = :key AND state IN ('ready', 'blocked', 'running') LIMIT 1"


def handlers(runner: "Runner", *, kept_days: int) -> dict[str, Handler]:
    async def take_again(job: Job) -> None:
        await inbound.again(runner, job)

    async def tidy(job: Job) -> Then:
        await housekeeping.tidy(runner.store, kept_days)
        return lambda tx: plan(tx, HOUSEKEEPING, tx.now + EVERY[HOUSEKEEPING])

    return {
        stored.AGAIN: take_again,
        inboxes.CHECK: runner.check,
        DELIVER: runner.outbound.deliver,
        "snooze_over": unit(tickets.snooze_over),
        presence.EXPIRE: unit(presence.expire),
        **{kind: unit(fn) for kind, fn in routing.TIMERS.items()},
        words.CATCH_UP: unit(words.catch_up),
        fields.CLEAR: unit(fields.clear),
        HOUSEKEEPING: tidy,
    }


def plan(tx: Tx, kind: str, run_at: int) -> None:
    tx.enqueue(kind, {}, key=kind, run_at=run_at, lane=lanes.HOUSEKEEPING)


def ensure(tx: Tx) -> None:
    """What comes round again has a row: put there at the first start, and again should one have been given up."""
    for kind in EVERY:
        if tx.value(PLANNED, key=kind) is None:
            plan(tx, kind, tx.now)
