"""A desk without its web: a runner on a store, a scripted channel, and a ticket to answer."""

import asyncio
import dataclasses
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest_asyncio

from hub.connector import (
    Connector,
    Features,
    Found,
    Message,
    NotFound,
    Outgoing,
    Point,
    Rejected,
    Retry,
    Sender,
    Unknowable,
    Unknown,
    setting,
)
from hub.db.store import Store
from hub.desk import inboxes, incoming, kinds, replies
from hub.desk.inboxes import Inbox
from hub.events import Actor
from hub.reactions import REACTIONS
from hub.seal import Sealer
from hub.staff.access import DESK, Caller, Grants
from hub.work.runner import Runner

BOSS = Caller(Actor("agent", 1), Grants(1, frozenset({"tickets.reply"}), True, frozenset(), frozenset()))


@dataclasses.dataclass(frozen=True)
class Options:
    public_url: str = "https://desk.example.org"
    forms_per_hour: int = 5
    inbound_kept_days: int = 30
    clamd: str = ""
    files: str = ""
    s3_endpoint: str = ""
    s3_region: str = ""
    s3_key: str = ""
    s3_secret: str = ""
    files_folder: Path = dataclasses.field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="parley-files-")))


@dataclasses.dataclass(frozen=True)
class PigeonSettings:
    loft: str = setting("Loft", default="home")
    password: str | None = setting("Password", default=None, secret=True)


class Pigeons(Connector):
    """Does what its script says, and keeps what it carried. `found`: what asking answers."""

    kind = "pigeons"
    features = Features(reaches=("email",))
    Settings = PigeonSettings

    script: ClassVar[deque[Any]] = deque()
    carried: ClassVar[list[Outgoing]] = []
    made: ClassVar[list["Pigeons"]] = []
    found: ClassVar[Any] = Unknowable()

    def __init__(self, settings: Any, hub: Any) -> None:
        super().__init__(settings, hub)
        self.made.append(self)

    async def send(self, part: Outgoing) -> str | None:
        what = self.script.popleft() if self.script else None
        if what == "hang":
            await asyncio.sleep(3_600)
        if what == "carry and hang":
            self.carried.append(part)
            await asyncio.sleep(3_600)
        if isinstance(what, BaseException):
            if isinstance(what, Unknown) and what.reason == "carried":
                self.carried.append(part)
            raise what
        self.carried.append(part)
        return f"p-{part.id}"

    async def find(self, part: Outgoing) -> Found | NotFound | Unknowable:
        if isinstance(self.found, BaseException):
            raise self.found
        if self.found == "look":
            return Found(f"p-{part.id}") if part in self.carried else NotFound()
        found: Found | NotFound | Unknowable = self.found
        return found


class Arrows(Pigeons):
    """Cannot be asked."""

    kind = "arrows"
    find = Connector.find


@dataclasses.dataclass
class Desk:
    store: Store
    runner: Runner
    inbox: Inbox
    number: int
    replied: int = 0

    async def reply(self, text: str = "Hello") -> int:
        """The id of the delivery."""
        self.replied += 1
        made = await self.store.write(replies.reply, BOSS, self.number, text, external_id=f"out-{self.replied}")
        return made.deliveries[0]

    async def state(self, delivery_id: int) -> tuple[str, str | None, str | None]:
        row = await self.store.read(
            lambda rx: rx.row("SELECT state, reason, external_id FROM delivery WHERE id = :id", id=delivery_id)
        )
        assert row is not None
        return row[0], row[1], row[2]

    async def becomes(self, delivery_id: int, state: str, seconds: float = 5.0) -> None:
        found = ""
        try:
            async with asyncio.timeout(seconds):
                while (found := (await self.state(delivery_id))[0]) != state:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"it is {found}, not {state}") from None

    async def settled(self) -> None:
        while self.runner.worker._running:
            await asyncio.sleep(0.005)

    async def pass_time(self, ms: int) -> None:
        await self.settled()
        self.store.clock.advance(ms)  # type: ignore[attr-defined]
        self.runner.worker.wake()


async def eventually(true: Callable[[], Any], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


async def build(store: Store, kind: str = "pigeons", **options: Any) -> Desk:
    Pigeons.script, Pigeons.carried, Pigeons.made, Pigeons.found = deque(), [], [], Unknowable()
    for channel in (Pigeons, Arrows):
        kinds.register(channel.kind, channel.kind.title(), lambda c=channel: c)  # type: ignore[misc]
    store.reactions = REACTIONS
    store.sealer = Sealer.random()
    runner = Runner(store, store.sealer, Options(**options))
    inbox = await store.write(inboxes.create, DESK, kind=kind, name="Roof")
    message = Message(
        external_id="in-1", sender=Sender(Point("email", "eve@example.net"), "Eve", "attested"), text="Hi"
    )
    received = await store.write(incoming.receive, inbox, message)
    return Desk(store, runner, inbox, received.number)


@pytest_asyncio.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    made = await build(store)
    async with made.runner:
        yield made


__all__ = ["Arrows", "Desk", "Options", "Pigeons", "Rejected", "Retry", "build", "desk", "eventually"]
