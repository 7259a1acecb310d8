"""The runner: connectors that poll, what they are given of the hub, and who does it when there are two desks."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.clock import ManualClock
from hub.connector import Connector, Features, Item, Message, Point, Raw, Rejected, Sender
from hub.db.postgres import PostgresBackend
from hub.db.store import Store
from hub.desk import inboxes, kinds
from hub.reactions import REACTIONS
from hub.seal import Sealer
from hub.staff.access import DESK
from hub.work import pollers
from hub.work.runner import Runner
from hub.work.throttle import Throttle, network
from tests.work.desk import Options, PigeonSettings, build, eventually


class Mailbox(Connector):
    """Polls: each thing it fetches is one message. Remembers where it stopped."""

    kind = "mailbox"
    title = "Mailbox"
    features = Features(replies=False)
    Settings = PigeonSettings

    waiting: list[str] = []  # noqa: RUF012
    running = 0
    most = 0
    starts = 0
    trouble: Exception | None = None

    def parse(self, raw: Raw) -> list[Item]:
        text = raw.body.decode()
        return [Message(external_id=text, sender=Sender(Point("email", "eve@example.net")), text=text)]

    async def run(self) -> None:
        cls = type(self)
        cls.starts += 1
        cls.running += 1
        cls.most = max(cls.most, cls.running)
        try:
            while True:
                if cls.trouble is not None:
                    raise cls.trouble
                seen = int(await self.hub.recall("seen") or 0)
                for text in self.waiting[seen:]:
                    await self.hub.receive(Raw(body=text.encode()))
                    seen += 1
                    await self.hub.remember("seen", str(seen))
                await asyncio.sleep(0.01)
        finally:
            cls.running -= 1


@pytest.fixture(autouse=True)
def mailbox(monkeypatch: pytest.MonkeyPatch) -> None:
    Mailbox.waiting, Mailbox.running, Mailbox.most, Mailbox.starts, Mailbox.trouble = [], 0, 0, 0, None
    kinds.register("mailbox", "Mailbox", lambda: Mailbox)
    monkeypatch.setattr(pollers, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(pollers, "RENEW_SECONDS", 0.05)


@pytest_asyncio.fixture
async def runner(store: Store) -> AsyncIterator[Runner]:
    store.reactions = REACTIONS
    store.sealer = Sealer.random()
    await store.write(inboxes.create, DESK, kind="mailbox", name="Post")
    async with Runner(store, store.sealer, Options()) as runner:
        yield runner


async def texts(store: Store) -> list[str]:
    return [row[0] for row in await store.read(lambda rx: rx.rows("SELECT text FROM message ORDER BY id"))]


async def test_a_poller_brings_in_what_it_finds_and_goes_on_where_it_stopped(store: Store, runner: Runner) -> None:
    Mailbox.waiting.extend(["a", "b"])
    async with asyncio.timeout(30):
        while await texts(store) != ["a", "b"]:
            await asyncio.sleep(0.01)
    await runner.stop()
    assert Mailbox.running == 0
    Mailbox.waiting.append("c")
    assert store.sealer is not None
    async with Runner(store, store.sealer, Options()):
        async with asyncio.timeout(30):
            while await texts(store) != ["a", "b", "c"]:
                await asyncio.sleep(0.01)
    assert await store.read(lambda rx: rx.value("SELECT COUNT(*) FROM inbound")) == 3, "nothing was fetched twice"


async def test_a_poller_that_fails_is_started_again_and_its_inbox_says_why(store: Store, runner: Runner) -> None:
    Mailbox.trouble = Rejected("The password was refused.")
    async with asyncio.timeout(30):
        while await store.read(lambda rx: rx.value("SELECT health_in_error FROM inbox")) != "The password was refused.":
            await asyncio.sleep(0.01)
    Mailbox.trouble = None
    Mailbox.waiting.append("a")
    async with asyncio.timeout(30):
        while await texts(store) != ["a"]:
            await asyncio.sleep(0.01)
    assert Mailbox.starts >= 2
    async with asyncio.timeout(30):
        while await store.read(lambda rx: rx.value("SELECT health_in_error FROM inbox")) is not None:
            await asyncio.sleep(0.01)


async def test_an_inbox_that_is_made_switched_off_or_changed_is_heard_of_at_once(store: Store, runner: Runner) -> None:
    await eventually(lambda: Mailbox.running == 1)
    second = await store.write(inboxes.create, DESK, kind="mailbox", name="More post")
    await eventually(lambda: Mailbox.running == 2)
    starts = Mailbox.starts
    await store.write(inboxes.change, DESK, second.id, settings={"loft": "away"})
    await eventually(lambda: Mailbox.starts == starts + 1 and Mailbox.running == 2)
    await store.write(inboxes.change, DESK, second.id, enabled=False)
    await eventually(lambda: Mailbox.running == 1)


async def test_an_inbox_is_read_once_and_again_after_a_change(store: Store, runner: Runner) -> None:
    (inbox,) = await store.read(inboxes.all_of_them)
    first = await runner.inbox(inbox.token)
    assert first is not None and await runner.inbox(inbox.token) is first
    assert await runner.inbox_by_id(inbox.id) is first
    await store.write(inboxes.change, DESK, inbox.id, name="Another name")
    changed = await runner.inbox(inbox.token)
    assert changed is not None and changed.name == "Another name"
    assert await runner.inbox("nobody's") is None


@pytest.mark.postgres
async def test_of_two_desks_one_polls_and_the_other_takes_over(postgres_url: str, clock: ManualClock) -> None:
    def store() -> Store:
        return Store(PostgresBackend(postgres_url, own_clock=True), clock, REACTIONS)

    sealer = Sealer.random()
    async with store() as one, store() as two:
        one.sealer = two.sealer = sealer
        await one.write(inboxes.create, DESK, kind="mailbox", name="Post")
        first, second = Runner(one, sealer, Options()), Runner(two, sealer, Options())
        await first.start()
        await eventually(lambda: Mailbox.running == 1)
        await second.start()
        await asyncio.sleep(0.3)
        assert Mailbox.most == 1
        await first.stop()
        await eventually(lambda: Mailbox.running == 1)
        assert Mailbox.most == 1 and Mailbox.starts == 2
        # A desk that stands still loses its lease, and stops when it finds out.
        clock.advance(pollers.LEASE)
        assert await one.write(pollers.take, "poll 1", "somebody else")
        await eventually(lambda: Mailbox.running == 0)
        await second.stop()


async def test_what_a_connector_signs_with_is_the_same_in_every_desk_with_the_key_file(store: Store) -> None:
    desk = await build(store)
    other = Runner(store, desk.runner.sealer, Options())
    mine, theirs = (runner.connector(desk.inbox).hub for runner in (desk.runner, other))
    assert mine.key("form") == theirs.key("form") != mine.key("other") and len(mine.key("form")) == 32
    assert mine.wrong(Point("email", "no address")) and mine.wrong(Point("email", "eve@example.net")) is None
    assert await mine.recall("x") is None
    await mine.remember("x", "1")
    await mine.remember("x", "2")
    assert await theirs.recall("x") == "2"


def test_strangers_are_counted_by_network_and_a_post_repeated_counts_once() -> None:
    clock = ManualClock()
    throttle = Throttle(clock, 3)
    assert [throttle.wait("f", "192.0.2.1", mark) for mark in ("a", "a", "b", "c", "a")] == [0] * 5
    assert 3_500 < throttle.wait("f", "192.0.2.1", "d") <= 3_601
    assert throttle.wait("g", "192.0.2.1", "d") == 0, "another inbox counts by itself"
    clock.advance(3_601_000)
    assert throttle.wait("f", "192.0.2.1", "d") == 0
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2:9::4") != network("2001:db8:9::")
    assert network("unix") == "unix"
