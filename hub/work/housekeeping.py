"""Tidies up in small units what has had its time: raw rows, answers, sessions, visitors, probes. A job of timers."""

from typing import Any, Final

from hub.clock import DAY
from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.desk import bulk, drafts, own_mail, tag_set, visitors
from hub.desk.files import ageing, uploads
from hub.events import HealthChecked
from hub.insight import tally
from hub.staff import links, sessions, throttle

AT_ONCE: Final = 400
EVENTS_AT_ONCE: Final = 5_000
ANSWERS_KEPT: Final = 7 * DAY
PROBES_KEPT: Final = DAY
_CURSOR: Final = "housekeeping.events"

# What is in quarantine or still waiting stays until somebody has decided.
DROP_INBOUND = """
DELETE FROM inbound WHERE id IN (
  SELECT id FROM inbound WHERE received_at < :before AND state IN ('done', 'ignored')
  ORDER BY received_at LIMIT :limit)"""
DROP_ANSWERS = """
DELETE FROM answered WHERE (actor, client_id) IN (
  SELECT actor, client_id FROM answered WHERE at < :before ORDER BY at LIMIT :limit)"""
CURSOR = "SELECT value FROM setting WHERE name = :name"
SET_CURSOR = """
INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
REACH = """
SELECT COALESCE(MAX(id), 0), COUNT(*) FROM (
  SELECT id FROM event WHERE id > :after AND at < :before ORDER BY id LIMIT :limit) AS old"""
DROP_PROBES = "DELETE FROM event WHERE id > :after AND id <= :upto AND name = :name"


async def tidy(store: Store, kept_days: int) -> dict[str, int]:
    """How many rows of each went. Every unit is small, and goes after whatever people want."""
    gone: dict[str, int] = {}
    for name, unit, before in (
        ("inbound", _drop_inbound, kept_days * DAY),
        ("answered", _drop_answers, ANSWERS_KEPT),
    ):
        while count := await store.write_later(unit, before):
            gone[name] = gone.get(name, 0) + count
            if count < AT_ONCE:
                break
    for name, sweep in (
        ("sessions", sessions.sweep),
        ("links", links.sweep),
        ("throttle", throttle.sweep),
        ("visitors", visitors.sweep),
        ("drafts", drafts.sweep),
        ("own_mail", own_mail.sweep),
        ("bulk", bulk.sweep),
        ("tally", tally.sweep),
        ("tags", tag_set.sweep),
        ("uploads", uploads.sweep),
        ("files", ageing.expire),
        ("contents", ageing.forget_contents),
    ):
        while count := await store.write_later(sweep):
            gone[name] = gone.get(name, 0) + count
    while True:
        count, more = await store.write_later(_drop_probes)
        gone["probes"] = gone.get("probes", 0) + count
        if not more:
            return gone


def _drop_inbound(tx: Tx, age: int) -> int:
    return tx.run(DROP_INBOUND, before=tx.now - age, limit=AT_ONCE)


def _drop_answers(tx: Tx, age: int) -> int:
    return tx.run(DROP_ANSWERS, before=tx.now - age, limit=AT_ONCE)


def _drop_probes(tx: Tx) -> tuple[int, bool]:
    """Walks the events once: there is no index on names, and every event is looked at in just one of these units."""
    after = _cursor(tx)
    upto, seen = tx.row(REACH, after=after, before=tx.now - PROBES_KEPT, limit=EVENTS_AT_ONCE) or (0, 0)
    if not seen:
        return 0, False
    dropped = tx.run(DROP_PROBES, after=after, upto=upto, name=HealthChecked.name)
    tx.run(SET_CURSOR, name=_CURSOR, value=str(upto))
    return dropped, seen == EVENTS_AT_ONCE


def _cursor(rx: Rx) -> int:
    value: Any = rx.value(CURSOR, name=_CURSOR)
    return int(value) if value else 0
