"""Taking things in: what comes too early, what comes in any order, what is tidied away, what a crash leaves."""

import asyncio
import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.clock import DAY, MINUTE, ManualClock
from hub.connector import Choice, Deletion, Edit, Ignored, Item, Message, Point, Raw, Reaction, Receipt, Sender
from hub.db.store import Store
from hub.desk import inbound as stored
from hub.desk import inboxes
from hub.errors import Refusal, Unavailable
from hub.events import SYSTEM, HealthChecked, InboundQuarantined, InboundReleased
from hub.staff.access import DESK
from hub.work import housekeeping, inbound
from tests.work.desk import Desk, Pigeons, build

EVE = Sender(Point("email", "eve@example.net"), "Eve", "attested")


class Parsed:
    """A connector that understands just what it is told."""

    kind = "pigeons"
    reader = None

    def __init__(self, items: list[Item]) -> None:
        self.items = items

    def parse(self, _raw: Raw) -> list[Item]:
        return self.items


async def take(desk: Desk, *items: Item) -> Any:
    return await inbound.receive(desk.store, desk.inbox, Parsed(list(items)), Raw(body=b"x"))  # type: ignore[arg-type]


async def row(desk: Desk) -> tuple[str, str | None]:
    found = await desk.store.read(lambda rx: rx.row("SELECT state, reason FROM inbound ORDER BY id DESC LIMIT 1"))
    assert found is not None
    return found[0], found[1]


def says(desk: Desk, monkeypatch: pytest.MonkeyPatch, *items: Item) -> None:
    """What the inbox's real connector makes of a stored request when it is read again."""
    monkeypatch.setattr(Pigeons, "parse", lambda _self, _raw: list(items))


async def test_taken_in_means_message_and_raw_bytes_in_one_unit(desk: Desk) -> None:
    taken = await take(desk, Message(external_id="a", sender=EVE, text="Hello"))
    assert taken.state == "done" and not taken.filed[0].duplicate
    again = await take(desk, Message(external_id="a", sender=EVE, text="Hello, but another text"))
    assert again.filed[0].duplicate and again.filed[0].number == taken.filed[0].number
    texts = await desk.store.read(lambda rx: rx.rows("SELECT text FROM message WHERE external_id = 'a'"))
    assert texts == [("Hello",)], "the first one counts; the raw bytes of both are kept"
    assert await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM inbound")) == 2


async def test_what_cannot_be_stored_is_kept_with_the_field_that_is_wrong(desk: Desk) -> None:
    events: list = []
    desk.store.committed.append(lambda found, _e: events.extend(e.event for e in found))
    taken = await take(desk, Message(external_id="a", sender=EVE, text="x" * 20_000))
    assert taken.state == "quarantined"
    state, reason = await row(desk)
    assert state == "quarantined" and reason is not None and "text" in reason and "10,000" in reason
    assert [type(e) for e in events] == [InboundQuarantined]
    (found,) = await desk.store.read(stored.quarantined, DESK)
    await desk.store.write(stored.discard, DESK, found.id)
    assert (await row(desk))[0] == "ignored" and type(events[-1]) is InboundReleased
    with pytest.raises(Refusal):
        await desk.store.write(stored.retry, DESK, found.id)


@pytest.mark.parametrize(
    "item",
    [Ignored("a typing mark"), Reaction("r", EVE, "👍"), Choice("c", "m", "yes", EVE)],
    ids=lambda i: type(i).__name__,
)
async def test_what_the_desk_does_nothing_with_is_kept_with_its_reason(desk: Desk, item: Item) -> None:
    assert (await take(desk, item)).state == "ignored"
    assert (await row(desk))[1]


async def test_a_connector_that_makes_nonsense_of_it_loses_nothing(desk: Desk) -> None:
    for nonsense in ("a text", None, 7):
        assert (await take(desk, nonsense)).state == "quarantined"  # type: ignore[arg-type]
    nothing = Parsed(None)  # type: ignore[arg-type]
    assert (await inbound.receive(desk.store, desk.inbox, nothing, Raw())).state == "quarantined"  # type: ignore[arg-type]


async def test_an_inbox_whose_key_is_missing_asks_for_another_try(store: Store) -> None:
    desk = await build(store)
    inbox = await store.write(inboxes.change, DESK, desk.inbox.id, settings={"password": "open sesame"})
    desk.runner.sealer = type(desk.runner.sealer).random()
    with pytest.raises(Unavailable):
        await inbound.webhook(desk.runner, inbox.token, Raw())
    assert await store.read(lambda rx: rx.value("SELECT COUNT(*) FROM inbound")) == 0
    async with asyncio.timeout(30):
        while not await store.read(lambda rx: rx.value("SELECT health_in_error FROM inbox")):
            await asyncio.sleep(0.01)


async def test_an_empty_request_is_ignored(desk: Desk) -> None:
    assert (await take(desk)).state == "ignored"


async def test_a_database_that_is_full_is_not_the_messages_fault(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_args: object, **_more: object) -> None:
        raise Unavailable()

    monkeypatch.setattr(desk.store, "write", full)
    with pytest.raises(Unavailable):
        await take(desk, Message(external_id="a", sender=EVE, text="Hello"))


async def test_a_receipt_that_overtakes_the_answer_with_its_id_is_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = Receipt("p-out-1-0", "delivered")
    says(desk, monkeypatch, receipt)
    assert (await take(desk, receipt)).state == "done"
    assert (await row(desk))[0] == "waiting"
    delivery = await desk.reply()
    await desk.becomes(delivery, "sent")
    await desk.pass_time(inbound.PATIENCE[0])
    await desk.becomes(delivery, "delivered")
    await desk.settled()
    assert (await row(desk))[0] == "done"


async def test_a_receipt_for_nothing_of_ours_ends_in_quarantine(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = Receipt("nobody's", "delivered")
    says(desk, monkeypatch, receipt)
    await take(desk, receipt)
    for wait in inbound.PATIENCE:
        assert (await row(desk))[0] == "waiting"
        await desk.pass_time(wait)
        await asyncio.sleep(0.1)
        await desk.settled()
    assert (await row(desk))[0] == "quarantined"


ORDERS = list(itertools.permutations(["new", "edit", "sent", "delivered", "read"]))


@pytest.mark.parametrize("order", ORDERS[::12], ids="-".join)
async def test_whatever_order_things_come_in_the_end_is_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, order: tuple[str, ...]
) -> None:
    delivery = await desk.reply()
    await desk.becomes(delivery, "sent")
    items: dict[str, Item] = {
        "new": Message(external_id="m", sender=EVE, text="first words"),
        "edit": Edit("m", "second words"),
        "sent": Receipt("p-out-1-0", "sent"),
        "delivered": Receipt("p-out-1-0", "delivered"),
        "read": Receipt("p-out-1-0", "read"),
    }
    for name in order:
        if name == "edit":
            says(desk, monkeypatch, items["edit"])
        await take(desk, items[name])
    await desk.pass_time(inbound.PATIENCE[0])
    await asyncio.sleep(0.1)
    await desk.settled()
    assert (await desk.state(delivery))[0] == "read"
    assert (
        await desk.store.read(lambda rx: rx.value("SELECT text FROM message WHERE external_id = 'm'")) == "second words"
    )


async def test_a_message_taken_back_loses_its_words(desk: Desk) -> None:
    await take(desk, Message(external_id="m", sender=EVE, text="a secret"), Deletion("m"))
    found = await desk.store.read(lambda rx: rx.row("SELECT text, deleted_at FROM message WHERE external_id = 'm'"))
    assert found is not None and found[0] == "" and found[1]


def test_headers_that_open_something_are_not_kept() -> None:
    headers = [
        *(("Authorization", "x"), ("cookie", "x"), ("X-Twilio-Signature", "x"), ("webhook-signature", "x")),
        *(("X-Telegram-Bot-Api-Secret-Token", "x"), ("X-API-Key", "x"), ("Content-Type", "y"), ("webhook-id", "y")),
    ]
    kept = inbound.without_credentials(headers)
    assert '"x"' not in kept and kept.count('"y"') == 2


async def test_what_has_had_its_time_is_dropped_and_what_waits_for_a_person_stays(
    store: Store, clock: ManualClock
) -> None:
    desk = await build(store)
    await take(desk, Message(external_id="a", sender=EVE, text="Hello"))
    await take(desk, Message(external_id="b", sender=EVE, text="x" * 20_000))
    await store.write(lambda tx: tx.record(HealthChecked(), by=SYSTEM))
    clock.advance(29 * DAY)
    await take(desk, Message(external_id="c", sender=EVE, text="Hello"))
    probe = await store.write(lambda tx: tx.record(HealthChecked(), by=SYSTEM).id)
    assert await housekeeping.tidy(store, 30) == {"probes": 1}
    clock.advance(2 * DAY)
    gone = await housekeeping.tidy(store, 30)
    assert gone == {"inbound": 1, "probes": 1}
    assert await housekeeping.tidy(store, 30) == {"probes": 0}
    states = await store.read(lambda rx: rx.rows("SELECT state FROM inbound ORDER BY id"))
    assert states == [("quarantined",), ("done",)]
    left = await store.read(lambda rx: rx.rows("SELECT id FROM event WHERE name = 'desk.health_checked'"))
    assert probe and left == []
    assert await store.read(lambda rx: rx.value("SELECT COUNT(*) FROM event")) > 3, "what happened stays"


async def test_housekeeping_comes_round_again(desk: Desk) -> None:
    async def planned() -> list[Any]:
        return await desk.store.read(lambda rx: rx.rows("SELECT run_at FROM job WHERE kind = 'housekeeping'"))

    await asyncio.sleep(0.1)
    await desk.settled()
    ((first,),) = await planned()
    await desk.pass_time(61 * MINUTE)
    found = await planned()
    for _ in range(100):
        await asyncio.sleep(0.01)
        found = await planned()
        if len(found) == 1 and found[0][0] > first:
            return
    raise AssertionError(f"{found}")


CHILD = """
import asyncio, sys
from pathlib import Path
from hub.clock import ManualClock
from hub.connector import Message, Point, Sender, Raw
from hub.db.migrate import migrate
from hub.db.sqlite import SqliteBackend
from hub.db.store import Store
from hub.work import inbound
from tests.work.desk import build
from tests.work.test_inbound import Parsed, EVE

async def main():
    backend = SqliteBackend(Path(sys.argv[1]))
    async with Store(backend, ManualClock()) as store:
        await migrate(backend, 0)
        desk = await build(store)
        for number in range(3):
            item = Message(external_id=f"m{number}", sender=EVE, text="Hello")
            await inbound.receive(store, desk.inbox, Parsed([item]), Raw(body=b"x"))
            print(f"ACK m{number}", flush=True)

asyncio.run(main())
"""


@pytest.mark.faults
@pytest.mark.parametrize("point", ["inbound.before_write:2", "inbound.after_write:2", "store.after_commit:5"])
async def test_a_desk_killed_while_taking_in_has_kept_what_it_acknowledged(tmp_path: Path, point: str) -> None:
    root = Path(__file__).parents[2]
    path = tmp_path / "parley.db"
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHILD, str(path)),
        env=os.environ | {"PARLEY_CRASH_POINT": point, "PYTHONPATH": str(root)},
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, _err = await child.communicate()
    assert child.returncode == 137
    import sqlite3

    with sqlite3.connect(path) as database:
        kept = {row[0] for row in database.execute("SELECT external_id FROM message WHERE external_id LIKE 'm%'")}
        raw = database.execute("SELECT COUNT(*) FROM inbound").fetchone()[0]
    database.close()
    acknowledged = {line.removeprefix("ACK ") for line in out.decode().splitlines() if line.startswith("ACK ")}
    assert acknowledged <= kept <= {"m0", "m1", "m2"}
    assert raw == len(kept)


class ReadPigeons(Pigeons):
    """What comes by these is read in a child first."""

    reader = "tests.work.poison:length"

    def parse(self, raw: Raw) -> list[Item]:
        assert raw.read is not None
        size = msgspec.msgpack.decode(raw.read, type=int)
        return [Message(external_id=f"{size}", sender=EVE, text=f"{size} bytes")]


@pytest.fixture
def read_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pigeons, "reader", ReadPigeons.reader)
    monkeypatch.setattr(Pigeons, "parse", ReadPigeons.parse)


async def bring(desk: Desk, body: bytes) -> Any:
    return await inbound.receive(desk.store, desk.inbox, desk.runner.connector(desk.inbox), Raw(body=body))


async def ends(desk: Desk) -> tuple[str, str | None]:
    async with asyncio.timeout(30):
        while (found := await row(desk))[0] == "waiting":
            await asyncio.sleep(0.02)
    await desk.settled()
    return found


async def test_what_a_child_has_to_read_is_stored_before_it_is_read(desk: Desk, read_in_a_child: None) -> None:
    taken = await bring(desk, b"coo " * 20_000)
    assert taken.state == "done" and taken.filed == ()
    assert (await ends(desk))[0] == "done"
    found = await desk.store.read(lambda rx: rx.rows("SELECT text FROM message WHERE external_id = '80000'"))
    assert found == [("80000 bytes",)]
    assert await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM inbound")) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("complain", "It has no sender."),
        ("crash", "signal 11"),
        ("recurse", "nested too deeply"),
        ("leave", "status 3"),
    ],
)
async def test_what_breaks_its_reader_waits_in_quarantine_and_the_next_one_goes_on(
    desk: Desk, read_in_a_child: None, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    monkeypatch.setattr(Pigeons, "reader", f"tests.work.poison:{name}")
    await bring(desk, b"a poisoned one")
    state, why = await ends(desk)
    assert state == "quarantined" and why is not None and reason in why
    monkeypatch.setattr(Pigeons, "reader", ReadPigeons.reader)
    await bring(desk, b"a good one")
    assert (await ends(desk))[0] == "done"
    (found,) = await desk.store.read(stored.quarantined, DESK)
    await desk.store.write(stored.retry, DESK, found.id)
    async with asyncio.timeout(30):
        while await desk.store.read(stored.quarantined, DESK):
            await asyncio.sleep(0.02)


async def test_without_a_process_to_read_it_nothing_is_judged(
    desk: Desk, read_in_a_child: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    await bring(desk, b"coo")
    async with asyncio.timeout(30):
        while not await desk.store.read(lambda rx: rx.value("SELECT last_error FROM job WHERE kind = 'inbound.again'")):
            await asyncio.sleep(0.02)
    assert (await row(desk))[0] == "waiting"
    monkeypatch.undo()
    monkeypatch.setattr(Pigeons, "reader", ReadPigeons.reader)
    monkeypatch.setattr(Pigeons, "parse", ReadPigeons.parse)
    await desk.pass_time(10_000)
    assert (await ends(desk))[0] == "done"


async def test_what_the_desk_cannot_go_through_with_is_shown(desk: Desk, read_in_a_child: None) -> None:
    await desk.runner.worker.stop()
    await bring(desk, b"coo")
    inbound_id = await desk.store.read(lambda rx: rx.value("SELECT id FROM inbound"))
    await desk.store.write(inbound.given_up, {"inbound_id": inbound_id})
    assert (await row(desk))[0] == "quarantined"


async def test_a_blocked_contacts_mail_is_put_away_as_it_came(desk: Desk, read_in_a_child: None) -> None:
    await bring(desk, b"coo")
    assert (await ends(desk))[0] == "done"
    await desk.store.write(lambda tx: tx.run("UPDATE contact SET blocked_at = 1 WHERE name = 'Eve'"))
    await bring(desk, b"coo coo")
    assert await ends(desk) == ("ignored", stored.BLOCKED)
    kept = await desk.store.read(lambda rx: rx.rows("SELECT contact_id FROM inbound ORDER BY id"))
    assert len(kept) == 2 and kept[0] == (None,) and kept[1][0]
