"""`parley doctor` finds what is wrong: each fault is planted, and nothing is found where none is."""

import asyncio
import os
from typing import Any

import pytest

from hub import app, doctor
from hub.clock import DAY, HOUR
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import outbox
from hub.desk.files import rows
from hub.events import SYSTEM, TagCreated
from hub.staff.access import DESK

INBOX = """
INSERT INTO inbox (token, kind, name, name_folded, settings, created_at)
VALUES ('t', 'k', 'Front', 'front', '{}', 1) RETURNING id"""
CONTACT = "INSERT INTO contact (name, name_folded, created_at, changed_at) VALUES ('A', 'a', 1, 1) RETURNING id"
TICKET = """
INSERT INTO ticket (number, contact_id, inbox_id, subject, status, priority, urgency, handler, last_message_at,
                    changed_at, created_at)
VALUES (1, :contact, :inbox, 's', 'open', 'normal', 2, 'agent', 1, 1, 1) RETURNING id"""
MESSAGE = """
INSERT INTO message (ticket_id, inbox_id, direction, author_kind, author_id, text, external_id, created_at)
VALUES (:ticket, :inbox, 'outgoing', 'agent', 1, 't', 'e', 1) RETURNING id"""
DELIVERY = """
INSERT INTO delivery (message_id, ticket_id, inbox_id, part, body, state, created_at, changed_at)
VALUES (:message, :ticket, :inbox, :part, '{}', :state, 1, :at)"""
JOB = """
INSERT INTO job (kind, lane, payload, state, run_at, first_run_at, attempts, created_at)
VALUES ('x', 1, '{}', :state, :at, :at, 0, :at)"""
QUARANTINED = """
INSERT INTO inbound (inbox_id, received_at, headers, body, state) VALUES (:inbox, 1, '[]', :body, 'quarantined')"""


async def found(desk: app.Desk) -> dict[str, list[doctor.Finding]]:
    every: dict[str, list[doctor.Finding]] = {}
    for finding in await doctor.look(desk, lambda *_: None):
        every.setdefault(finding.what, []).append(finding)
    return every


async def only(desk: app.Desk, what: str) -> doctor.Finding:
    [finding] = (await found(desk))[what]
    return finding


def sick(findings: dict[str, list[doctor.Finding]]) -> set[str]:
    # These two look at the machine that the tests run on.
    return {f.what for fs in findings.values() for f in fs if f.state != "ok"} - {"settings", "disk"}


async def test_nothing_is_found_at_a_healthy_desk(desk: app.Desk) -> None:
    findings = await found(desk)
    assert not sick(findings)
    assert {"schema", "durability", "integrity", "counters", "outbox", "jobs", "deliveries", "quarantine"} <= set(
        findings
    )


async def test_every_finding_that_is_not_well_says_what_to_do(desk: app.Desk) -> None:
    await plant_all(desk.store)
    findings = await found(desk)
    assert all(f.advice for fs in findings.values() for f in fs if f.state != "ok")


async def plant_all(store: Store) -> None:
    await store.write(outbox.freeze, DESK)
    await store.write(spoil_counters)


def spoil_counters(tx: Tx) -> None:
    inbox = tx.insert(INBOX)
    tx.insert(TICKET, contact=tx.insert(CONTACT), inbox=inbox)


async def test_a_ticket_that_no_counter_knows_is_found(desk: app.Desk) -> None:
    await desk.store.write(spoil_counters)
    finding = await only(desk, "counters")
    assert finding.state == "fail"
    assert "1 counts of tickets" in finding.text


async def test_a_load_that_is_not_true_is_found(desk: app.Desk) -> None:
    def spoil(tx: Tx) -> None:
        role = tx.value("SELECT MIN(id) FROM role")
        tx.run(
            "INSERT INTO agent (email, email_folded, name, name_folded, role_id, load, created_at) "
            "VALUES ('a@b.c', 'a@b.c', 'A', 'a', :role, 3, 1)",
            role=role,
        )

    await desk.store.write(spoil)
    finding = await only(desk, "counters")
    assert finding.state == "fail"
    assert "3 instead of 0" in finding.text


async def test_deliveries_that_are_stuck_or_in_doubt_are_found(desk: app.Desk) -> None:
    def spoil(tx: Tx) -> None:
        inbox = tx.insert(INBOX)
        ticket = tx.insert(TICKET, contact=tx.insert(CONTACT), inbox=inbox)
        message = tx.insert(MESSAGE, ticket=ticket, inbox=inbox)
        for part, (state, at) in enumerate((("sending", tx.now - HOUR), ("sending", tx.now), ("unknown", tx.now))):
            tx.run(DELIVERY, message=message, ticket=ticket, inbox=inbox, part=part, state=state, at=at)

    await desk.store.write(spoil)
    stuck, doubtful = (await found(desk))["deliveries"]
    assert (stuck.state, doubtful.state) == ("warn", "warn")
    assert stuck.text.startswith("1 in 'sending'")
    assert doubtful.text.startswith("1 may or may not")


async def test_dead_jobs_and_late_ones_are_found(desk: app.Desk) -> None:
    await desk.runner.worker.stop()

    def spoil(tx: Tx) -> None:
        tx.run(JOB, state="dead", at=tx.now)
        tx.run(JOB, state="ready", at=tx.now - DAY)

    await desk.store.write(spoil)
    dead, late = (await found(desk))["jobs"]
    assert dead.text.startswith("1 failed for good")
    assert "due for 1440 min" in late.text


async def test_a_frozen_outbox_is_found(desk: app.Desk) -> None:
    await desk.store.write(outbox.freeze, DESK)
    finding = await only(desk, "outbox")
    assert finding.state == "warn"
    assert "outbox release" in finding.advice


async def test_what_is_in_quarantine_is_found(desk: app.Desk) -> None:
    await desk.store.write(lambda tx: tx.run(QUARANTINED, inbox=tx.insert(INBOX), body=b"?"))
    assert (await only(desk, "quarantine")).text.startswith("1 came in")


async def test_an_inbox_that_fails_is_found(desk: app.Desk) -> None:
    def spoil(tx: Tx) -> None:
        tx.run("UPDATE inbox SET health_out_at = 1, health_out_error = 'Wrong password.' WHERE id = 1")

    await desk.store.write(spoil)
    finding = await only(desk, "inboxes")
    assert finding.state == "warn"
    assert "Wrong password." in finding.text


async def test_a_reference_to_nothing_is_found(desk: app.Desk) -> None:
    def spoil(session: Any) -> None:
        session.control("PRAGMA foreign_keys = OFF")
        session.begin(0)
        session.count("INSERT INTO ticket_tag (ticket_id, tag_id) VALUES (77, 88)", {})
        session.commit(False)
        session.control("PRAGMA foreign_keys = ON")

    await desk.store.backend.in_writer(spoil)
    findings = (await found(desk))["integrity"]
    assert {f.state for f in findings} == {"fail"}
    assert "ticket_tag points to a" in findings[0].text


async def test_a_writer_that_no_longer_waits_for_the_disk_is_found(desk: app.Desk) -> None:
    await desk.store.backend.in_writer(lambda session: session.control("PRAGMA synchronous = OFF"))
    finding = await only(desk, "durability")
    assert finding.state == "fail"
    assert "synchronous is 0" in finding.text


async def test_a_schema_of_another_version_is_found(desk: app.Desk) -> None:
    await desk.store.write(lambda tx: tx.run("INSERT INTO schema_version (version, applied_at) VALUES (99, 1)"))
    finding = await only(desk, "schema")
    assert finding.state == "fail"
    assert finding.text.startswith("99")


async def test_a_clock_that_was_set_back_is_found(desk: app.Desk) -> None:
    def from_tomorrow(tx: Tx) -> None:
        tx.now += DAY
        tx.record(TagCreated(tag_id=1), by=SYSTEM)

    await desk.store.write(from_tomorrow)
    assert "set back" in (await only(desk, "clock")).text


async def test_a_key_file_that_others_may_read_is_found(desk: app.Desk) -> None:
    await asyncio.to_thread(desk.config.secret_key_file.chmod, 0o640)
    assert (await only(desk, "key file")).state == "warn"


async def test_a_check_that_breaks_is_a_finding_and_not_the_end(
    desk: app.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_desk: doctor.Desk) -> list[doctor.Finding]:
        raise RuntimeError("boom")

    monkeypatch.setattr(doctor, "CHECKS", {"first": broken, **doctor.CHECKS})
    findings = await found(desk)
    assert findings["first"][0].state == "fail"
    assert "counters" in findings


def test_the_worst_finding_decides() -> None:
    ok, warn, fail = (doctor.Finding("x", state, "") for state in ("ok", "warn", "fail"))
    assert doctor.worst([]) == "ok"
    assert doctor.worst([ok, warn]) == "warn"
    assert doctor.worst([warn, fail, ok]) == "fail"


async def test_files_that_are_missing_or_cut_are_found(desk: app.Desk) -> None:
    contents = desk.runner.files.contents

    def put(data: bytes) -> str:
        writing = contents.begin(100)
        writing.write(data)
        return contents.keep(writing)

    names = [await asyncio.to_thread(put, data) for data in (b"one", b"two", b"three")]
    for name, size in zip(names, (3, 3, 5), strict=True):
        await desk.store.write(rows.name_content, rows.Content(name, size, "text/plain", "off"))
    assert (await only(desk, "files")).text == "3 contents, all there"
    await asyncio.to_thread(contents.path(names[0]).unlink)
    await asyncio.to_thread(os.truncate, contents.path(names[1]), 1)
    texts = [finding.text for finding in (await found(desk))["files"]]
    assert len(texts) == 2 and texts[0].startswith("1 of 3 are missing") and texts[1].startswith("1 of 3 are not as")
