"""Which kind of job is answered by what: the timers of the rooms, the doors in and out, and what comes round again."""

from typing import TYPE_CHECKING, Final

from hub.clock import DAY, HOUR
from hub.db import lanes
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import (
    bulk,
    copies,
    dissolving,
    forgotten,
    hours,
    inboxes,
    moving,
    notices,
    own_mail,
    presence,
    replies,
    reply_clock,
    routing,
    self_check,
    tickets,
)
from hub.desk import inbound as stored
from hub.desk.files import rows as files
from hub.desk.hours import lookup
from hub.desk.hours.schedule import date_of
from hub.people import fields, words
from hub.sample import clear as sample_clear
from hub.sample import load as sample_load
from hub.work import housekeeping, inbound, outbound
from hub.work.queue import Job
from hub.work.worker import Handler, Then, unit

if TYPE_CHECKING:
    from hub.work.runner import Runner

DELIVER: Final = "deliver"
HOUSEKEEPING: Final = "housekeeping"
HOLIDAYS: Final = "holidays_known"
EVERY: Final = {HOUSEKEEPING: HOUR, HOLIDAYS: DAY, self_check.JOB: DAY}
# What else is written when a job of this kind is given up.
DEAD: Final = {
    DELIVER: outbound.given_up,
    own_mail.JOB: outbound.mail_given_up,
    stored.AGAIN: inbound.given_up,
    files.FETCH: files.given_up,
    files.PREVIEW: files.no_preview,
}
PLANNED = "SELECT 1 FROM job WHERE key = :key AND state IN ('ready', 'blocked', 'running') LIMIT 1"


def handlers(runner: "Runner", *, kept_days: int) -> dict[str, Handler]:
    async def take_again(job: Job) -> Then | None:
        return await inbound.again(runner, job)

    async def tidy(job: Job) -> Then:
        await housekeeping.tidy(runner.store, kept_days)
        await runner.files.tidy()
        return lambda tx: plan(tx, HOUSEKEEPING, tx.now + EVERY[HOUSEKEEPING])

    async def check_ourselves(_: Job) -> Then:
        def check(tx: Tx) -> None:
            self_check.look(tx)
            plan(tx, self_check.JOB, self_check.next_time(tx))

        return check

    async def look_up_holidays(_: Job) -> Then:
        await look_up(runner.store)
        return lambda tx: None

    async def look_up_again(_: Job) -> Then:
        await look_up(runner.store)
        return lambda tx: plan(tx, HOLIDAYS, tx.now + EVERY[HOLIDAYS])

    return {
        stored.AGAIN: take_again,
        inboxes.CHECK: runner.check,
        DELIVER: runner.outbound.deliver,
        own_mail.JOB: runner.outbound.mail,
        copies.UNREAD: unit(copies.look),
        replies.FIND_WAYS: unit(replies.find_ways),
        notices.JOB: unit(notices.tell),
        forgotten.JOB: unit(forgotten.answer),
        files.FETCH: runner.files.fetch,
        files.PREVIEW: runner.files.preview,
        "snooze_over": unit(tickets.snooze_over),
        bulk.JOB: unit(bulk.go_on),
        moving.JOB: unit(moving.go_on),
        dissolving.JOB: unit(dissolving.go_on),
        presence.EXPIRE: unit(presence.expire),
        **{kind: unit(fn) for kind, fn in (*routing.TIMERS.items(), *reply_clock.TIMERS.items())},
        words.CATCH_UP: unit(words.catch_up),
        fields.CLEAR: unit(fields.clear),
        hours.LOOK_UP: look_up_holidays,
        HOLIDAYS: look_up_again,
        sample_load.LOAD: unit(sample_load.go_on),
        sample_load.CLEAR: unit(sample_clear.go_on),
        self_check.JOB: check_ourselves,
        HOUSEKEEPING: tidy,
    }


async def look_up(store: Store) -> None:
    """Public holidays of this year, the one before and the two after, where they are wanted and not known so far."""
    for country, region in await store.read(hours.unknown_holidays):
        year = date_of(store.clock.now() // DAY).year
        found = await lookup.holidays_of(country, region, year - 1, year + 2)
        await store.write_later(hours.keep_holidays, country, region, found, f"{year - 1}-01-01")


def plan(tx: Tx, kind: str, run_at: int) -> None:
    tx.enqueue(kind, {}, key=kind, run_at=run_at, lane=lanes.HOUSEKEEPING)


def ensure(tx: Tx) -> None:
    """What comes round again has a row: put there at the first start, and again should one have been given up."""
    for kind in EVERY:
        if tx.value(PLANNED, key=kind) is None:
            plan(tx, kind, tx.now)
