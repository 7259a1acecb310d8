"""Reads a record back after kills and says what is wrong with it: against the ledger, the peer's journal and itself."""

import contextlib
import sqlite3
from typing import Final

from hub.bench.ledger import Ledger, Stored, digest
from hub.bench.peer import Peer
from hub.bench.process import DeskProcess
from hub.bench.senders import MARK
from hub.db import examine
from hub.db.store import Store
from hub.db.tx import Rx

_TEXTS: Final = {
    "message": "SELECT text FROM message WHERE text LIKE 'op-%' ORDER BY id",
    "note": "SELECT text FROM note WHERE text LIKE 'op-%' ORDER BY id",
    "feedback": "SELECT text FROM feedback WHERE text LIKE 'op-%' ORDER BY id",
    "contact": "SELECT name FROM contact WHERE name LIKE 'op-%' ORDER BY id",
}
_SWITCHES: Final = """
SELECT ticket.number, event.name FROM event JOIN ticket ON ticket.id = event.ticket_id
WHERE event.name IN ('ticket.resolved', 'ticket.reopened') ORDER BY event.id"""
_DELIVERIES: Final = """
SELECT delivery.id, delivery.state, delivery.external_id, message.external_id, delivery.part
FROM delivery JOIN message ON message.id = delivery.message_id ORDER BY delivery.id"""
_UNDER_WAY: Final = "SELECT COUNT(*) FROM delivery WHERE state IN ('queued', 'sending')"
# By address: how many wait, and for which job.
_WAITING: Final = """
SELECT delivery.contact_point_id, COUNT(*), MIN(delivery.id), MIN(delivery.state),
       (SELECT job.state || ', attempt ' || job.attempts || ', due in ms: ' || (job.run_at - :now) || ', '
               || COALESCE(job.last_error, '')
        FROM job WHERE job.key = 'contact_point:' || delivery.contact_point_id AND job.state <> 'blocked')
FROM delivery WHERE delivery.state IN ('queued', 'sending') GROUP BY delivery.contact_point_id"""
_LEASES_OVER: Final = "UPDATE job SET lease_until = 0 WHERE state = 'running'"
# A job that was running at a dozen kills in a row is taken for their cause and given up: it is shown to a person, as it
# has to be, and here it is we who killed.
_DEAD: Final = "SELECT kind, last_error FROM job WHERE state = 'dead' AND last_error NOT LIKE 'It was begun % times%'"
_QUARANTINED: Final = "SELECT reason FROM inbound WHERE state = 'quarantined'"


def under_way(desk: DeskProcess) -> int:
    """How many deliveries have not come to an end; asked beside the running desk."""
    if desk.database:
        import psycopg

        with psycopg.connect(desk.database) as server:
            row = server.execute(_UNDER_WAY).fetchone()
    else:
        with contextlib.closing(sqlite3.connect(f"file:{desk.config().database_path}?mode=ro", uri=True)) as file:
            row = file.execute(_UNDER_WAY).fetchone()
    return int(row[0]) if row else 0


def end_leases(desk: DeskProcess) -> None:
    """On PostgreSQL the jobs of a dead desk are left alone until their lease is over. As if that minute had passed:
    otherwise nearly nothing would be sent between two kills."""
    if desk.database:
        import psycopg

        with psycopg.connect(desk.database, autocommit=True) as server:
            server.execute(_LEASES_OVER)


async def judge(store: Store, ledger: Ledger, switches: dict[int, str], peer: Peer, *, ended: bool) -> list[str]:
    """A sentence for each thing that is wrong. `switches`: which sender's ticket it is, by number."""
    return await store.read(lambda rx: _judge(rx, store.backend.name, ledger, switches, peer, ended))


def _judge(rx: Rx, database: str, ledger: Ledger, switches: dict[int, str], peer: Peer, ended: bool) -> list[str]:
    rows = [_stored(row[0]) for sql in _TEXTS.values() for row in rx.rows(sql)]
    wrong = ledger.check([*rows, *_switched(rx, switches)])
    wrong += examine.integrity(rx, database)
    wrong += [f"a count of tickets is wrong: {row}" for row in examine.wrong_ticket_counts(rx)]
    wrong += [f"an agent's load is wrong: {row}" for row in examine.wrong_loads(rx)]
    wrong += [f"a job died: {row}" for row in rx.rows(_DEAD)]
    wrong += [f"something came into quarantine: {row[0]}" for row in rx.rows(_QUARANTINED)]
    return wrong + _sent(rx, peer, ended)


def _stored(text: str) -> Stored:
    said = text.split("\n", 1)[0]
    key, by, n, *_ = f"{said} ".split(" ")
    return Stored(key, by, int(n), digest(said))


def _switched(rx: Rx, switches: dict[int, str]) -> list[Stored]:
    """Each change of status that was asked for is one event; they took turns, so the events are the operations."""
    counts = dict.fromkeys(switches, 0)
    found = []
    for number, name in rx.rows(_SWITCHES):
        if number in switches:
            counts[number] += 1
            by, n = switches[number], counts[number]
            found.append(Stored(f"{MARK}-{by}-{n}", by, n, digest(name.removeprefix("ticket."))))
    return found


def _sent(rx: Rx, peer: Peer, ended: bool) -> list[str]:
    """Nothing arrived twice but what the desk itself calls unknown; what it calls sent has arrived."""
    wrong, journal = [], peer.journal
    states = {f"peer-{part}": count for part, count in journal.items()}
    for delivery_id, state, external_id, *_ in rx.rows(_DELIVERIES):
        if state in ("sent", "delivered", "read") and not states.get(external_id or ""):
            wrong.append(f"delivery {delivery_id} counts as sent and never arrived")
        if state == "failed":
            wrong.append(f"delivery {delivery_id} failed")
    if ended:
        wrong += [f"still under way: {row}" for row in rx.rows(_WAITING, now=rx.now)]
    wrong += [f"{part} was sent more than once: {count} times" for part, count in journal.items() if count > 1]
    for address, said in peer.order.items():
        numbers = [_stored(text).n for text in said]
        if numbers != sorted(numbers):
            wrong.append(f"what was sent to {address} arrived out of order: {numbers}")
    return wrong
