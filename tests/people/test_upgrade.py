"""Contacts from before they had owners, words and dates: what they are after the change of schema."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.clock import ManualClock
from hub.db.backend import Backend
from hub.db.migrate import migrate
from hub.db.postgres import PostgresBackend
from hub.db.sqlite import SqliteBackend
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import contact_lists
from hub.desk.contact_lists import Filter
from hub.people import words
from hub.staff.access import DESK
from tests.fixtures.databases import BOTH

BEFORE = 3
NAME = "before_people"


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    if request.param == "sqlite":
        yield SqliteBackend(tmp_path / "old.db")
        return
    admin, server = request.getfixturevalue("postgres_admin"), request.getfixturevalue("postgres_server")
    admin.execute(f"CREATE DATABASE {NAME}")
    yield PostgresBackend(server.database(NAME), own_clock=True)
    admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


INBOX = "INSERT INTO inbox (token, kind, name, name_folded, settings, created_at) VALUES ('t', 'x', 'X', 'x', '{}', 0)"
CONTACT = "INSERT INTO contact (name, name_folded, created_at, changed_at) VALUES (:name, :folded, :at, :at)"
TICKET = """
INSERT INTO ticket (number, contact_id, inbox_id, subject, status, priority, urgency, handler, last_message_at,
                    changed_at, created_at)
VALUES (1001, 1, 1, 'x', 'open', 'normal', 2, 'agent', 9000, 0, 0)"""


def old(tx: Tx) -> None:
    tx.run(INBOX)
    for name, at in (("Abeba", 1_000), ("Bekele", 2_000)):
        tx.run(CONTACT, name=name, folded=name.lower(), at=at)
    tx.run(TICKET)


async def test_contacts_from_before_are_as_if_they_had_been_made_now(empty: Backend) -> None:
    async with Store(empty, ManualClock()) as store:
        await migrate(empty, 0, upto=BEFORE)
        await store.write(old)
        await migrate(empty, 0)
        sql = "SELECT name, has_ticket, seen_at, worded FROM contact ORDER BY id"
        assert await store.read(lambda rx: rx.rows(sql)) == [("Abeba", 1, 9_000, 0), ("Bekele", 0, 2_000, 0)]
        jobs = await store.read(lambda rx: rx.rows("SELECT kind, state, payload FROM job"))
        assert jobs == [(words.CATCH_UP, "ready", "{}")]
        await store.write(words.catch_up, {})
        found, _ = await store.read(contact_lists.listed, DESK, Filter(q="bek"))
        assert [row.name for row in found] == ["Bekele"]
