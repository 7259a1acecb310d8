"""What an older desk had is counted and marked by the migrations as if it had been so from the start."""

from pathlib import Path

from hub.clock import SystemClock
from hub.db import examine
from hub.db.migrate import migrate
from hub.db.sqlite import SqliteBackend
from hub.db.store import Store
from hub.db.tx import Tx

ROWS = (
    ("open", 0, 1_000, 1),
    ("open", 0, None, 1),
    ("pending", 0, None, None),
    ("resolved", 0, None, None),
    ("open", 1, 2_000, None),
    ("resolved", 1, None, None),
)
TICKET = """
INSERT INTO ticket (number, contact_id, inbox_id, subject, status, priority, urgency, assignee_id, handler, spam,
                    waiting_since, last_message_at, changed_at, created_at)
VALUES (:number, 1, 1, 'x', :status, 'normal', 2, :assignee, 'agent', :spam, :waiting, 0, 0, 0) RETURNING id"""
MESSAGE = """
INSERT INTO message (ticket_id, inbox_id, direction, author_kind, author_id, text, external_id, created_at)
VALUES (:ticket, 1, :direction, 'contact', 1, 'x', :external, 0) RETURNING id"""
COUNT = """
INSERT INTO ticket_count (inbox_id, status, team_id, assignee_id, tickets)
SELECT inbox_id, status, 0, COALESCE(assignee_id, 0), COUNT(*) FROM ticket WHERE spam = 0
GROUP BY inbox_id, status, COALESCE(assignee_id, 0)"""


def furnish(tx: Tx) -> None:
    tx.run("INSERT INTO role (name, permissions, sees, created_at) VALUES ('r', '[]', 'everything', 0)")
    tx.run(
        "INSERT INTO agent (email, email_folded, name, name_folded, role_id, created_at) VALUES ('a','a','a','a',1,0)"
    )
    tx.run(
        "INSERT INTO inbox (token, kind, name, name_folded, settings, created_at) VALUES ('t','form','I','i','{}',0)"
    )
    tx.run("INSERT INTO contact (name, name_folded, created_at, changed_at) VALUES ('c', 'c', 0, 0)")
    for n, (status, spam, waiting, assignee) in enumerate(ROWS):
        ticket = tx.insert(TICKET, number=1_001 + n, status=status, spam=spam, waiting=waiting, assignee=assignee)
        for m, direction in enumerate(("incoming", "incoming", "outgoing")):
            tx.insert(MESSAGE, ticket=ticket, direction=direction, external=f"{n}.{m}")
    tx.run(COUNT)


async def test_counters_and_the_newest_word_of_the_contact_are_there_after_an_upgrade(tmp_path: Path) -> None:
    store = Store(SqliteBackend(tmp_path / "old.db"), SystemClock())
    async with store:
        await migrate(store.backend, 0, upto=2)
        await store.write(furnish)
        await migrate(store.backend, 0)
        assert await store.read(examine.wrong_ticket_counts) == []
        rows = await store.read(lambda rx: rx.rows("SELECT id, last_incoming_id, read_to, merged_into FROM ticket"))
        assert [(last, read, into) for _, last, read, into in rows] == [(3 * n + 2, 0, None) for n in range(len(ROWS))]
