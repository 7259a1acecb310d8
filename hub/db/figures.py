"""Counts of the machinery for /healthz, /metrics and `parley doctor`, each over an index and none beyond MOST."""

from typing import Final

import msgspec

from hub.clock import DAY
from hub.db import lanes
from hub.db.tx import Rx

MOST: Final = 10_000  # "that or more": nobody needs the exact number of a queue that long

LANES: Final = {
    lanes.INBOUND: "inbound",
    lanes.OUTBOUND: "outbound",
    lanes.WEBHOOKS: "webhooks",
    lanes.HOUSEKEEPING: "housekeeping",
}
UNDER_WAY: Final = ("held", "queued", "sending", "unknown")

OLDEST_JOB = "SELECT MIN(run_at) FROM job WHERE state = 'ready' AND lane = :lane"
READY_JOBS = """
SELECT COUNT(*) FROM (SELECT 1 FROM job WHERE state = 'ready' AND lane = :lane LIMIT :most) AS counted"""
DEAD_JOBS = "SELECT COUNT(*) FROM (SELECT 1 FROM job WHERE state = 'dead' LIMIT :most) AS counted"
RUNNING_JOBS = "SELECT COUNT(*) FROM (SELECT 1 FROM job WHERE state = 'running' LIMIT :most) AS counted"
DELIVERIES = """
SELECT COUNT(*) FROM (
  SELECT 1 FROM delivery WHERE state = :state AND state IN ('held', 'queued', 'sending', 'unknown') LIMIT :most
) AS counted"""
UNENDED = """
SELECT COUNT(*) FROM (
  SELECT 1 FROM delivery
  WHERE state IN ('held', 'queued', 'sending', 'unknown') AND changed_at < :before
    AND (send_at IS NULL OR send_at < :before) AND (contact_point_id IS NOT NULL OR state <> 'queued')
  LIMIT :most) AS counted"""
UNENDED_MAIL = """
SELECT COUNT(*) FROM (
  SELECT 1 FROM own_mail
  WHERE state IN ('queued', 'sending', 'unknown', 'failed') AND state <> 'failed' AND changed_at < :before
  LIMIT :most) AS counted"""
QUARANTINED = "SELECT COUNT(*) FROM (SELECT 1 FROM inbound WHERE state = 'quarantined' LIMIT :most) AS counted"


class Machinery(msgspec.Struct, frozen=True):
    jobs: dict[str, int]  # by lane: ready to run, now or later
    running: int
    dead: int
    deliveries: dict[str, int]  # by state, those that are under way
    quarantined: int
    unended: int  # of which nobody knows for more than a day what became of them
    oldest_job_ms: int  # how long the job that is due longest has been due


def oldest_job_ms(rx: Rx) -> int:
    due = [at for lane in LANES if (at := rx.value(OLDEST_JOB, lane=lane)) is not None]
    return max(0, rx.now - min(due)) if due else 0


def unended(rx: Rx) -> int:
    before = rx.now - DAY
    return int(rx.value(UNENDED, before=before, most=MOST)) + int(rx.value(UNENDED_MAIL, before=before, most=MOST))


def machinery(rx: Rx) -> Machinery:
    return Machinery(
        jobs={name: rx.value(READY_JOBS, lane=lane, most=MOST) for lane, name in LANES.items()},
        running=rx.value(RUNNING_JOBS, most=MOST),
        dead=rx.value(DEAD_JOBS, most=MOST),
        deliveries={state: rx.value(DELIVERIES, state=state, most=MOST) for state in UNDER_WAY},
        quarantined=rx.value(QUARANTINED, most=MOST),
        unended=unended(rx),
        oldest_job_ms=oldest_job_ms(rx),
    )
