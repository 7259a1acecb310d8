"""The people of the benchmarks: how many there are, what they write, and a desk that knows them already."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from connectors import CONNECTORS
from hub import seal
from hub.bench.ground import Ground, opened
from hub.clock import SystemClock
from hub.connector import Connector, Raw
from hub.db.store import Store
from hub.desk import inboxes, kinds
from hub.desk.inboxes import Inbox
from hub.staff.access import DESK

KIND: Final = "webhook"
BYTES: Final = 400
SECRET: Final = "whsec_" + "QUFB" * 8  # of a desk that lives for a minute
SEALER: Final = seal.Sealer([bytes(seal.KEY_BYTES)])
_WORDS: Final = (
    "the",
    "parcel",
    "has",
    "not",
    "come",
    "and",
    "I",
    "wait",
    "since",
    "Monday",
    "where",
    "is",
    "it",
    "please",
)


def address(number: int) -> str:
    return f"customer{number}@example.net"


def text(chance: random.Random) -> str:
    """400 bytes of plain words."""
    said = " ".join(chance.choices(_WORDS, k=BYTES // 4))
    return said[: BYTES - 1] + "."


class Post(NamedTuple):
    """One message on its way in."""

    raw: Raw
    sender: str


def posts(seed: int, known: int, new: float) -> Iterator[Post]:
    """Messages without end, of people among the first `known`; the share `new` is of people never heard of."""
    chance = random.Random(seed)
    stranger = itertools.count(known + 1)
    for number in itertools.count(1):
        who = next(stranger) if chance.random() < new else chance.randint(1, known)
        yield post(f"{seed}-{number}", address(who), text(chance))


def post(external_id: str, sender: str, said: str) -> Post:
    body = {"id": external_id, "from": {"email": sender, "name": sender.partition("@")[0]}, "text": said}
    headers = (("Content-Type", "application/json"), ("User-Agent", "provider/1.0"))
    return Post(Raw(headers=headers, body=msgspec.json.encode(body), received_at=SystemClock().now()), sender)


class NoHub:
    """For connectors that only parse."""

    inbox_token = "0" * 32
    public_url = "http://127.0.0.1"
    language = None
    allowed_origins = ()


def connector_of(inbox: Inbox) -> Connector:
    hub: Any = NoHub()
    return kinds.load(inbox.kind)(inboxes.connector_settings(inbox, SEALER), hub)


def register_kinds() -> None:
    import importlib

    for kind, (title, target) in CONNECTORS.items():
        module, _, name = target.partition(":")
        kinds.register(kind, title, lambda m=module, n=name: getattr(importlib.import_module(m), n))  # type: ignore[misc]


async def each(callers: int, what: Iterable[Post], take: Callable[[Post], Awaitable[object]]) -> None:
    """`callers` tasks share the messages: each takes its next one when its last is answered."""
    left = iter(what)

    async def caller() -> None:
        for one in left:
            await take(one)

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(caller())


class Desk(NamedTuple):
    where: str  # the template: copy it, do not write to it
    inbox: Inbox


async def founded(on: Ground, known: int) -> Desk:
    """A desk with one inbox that `known` people have written to once, each through the same door as later."""
    register_kinds()
    where = on.empty()
    async with opened(on.backend(where), SEALER) as store:
        inbox = await store.write(_first_inbox)
        first = (post(f"first-{n}", address(n), f"Hello, this is customer {n}.") for n in range(1, known + 1))
        await each(256, first, taker(store, Desk(where, inbox)))
    return Desk(where, inbox)


def _first_inbox(tx: Any) -> Inbox:
    return inboxes.create(tx, DESK, kind=KIND, name="Shop", settings={"secret": SECRET, "vouches": True})


def taker(store: Store, desk: Desk) -> Callable[[Post], Awaitable[object]]:
    """The door that everything comes in by, behind the check of the signature."""
    from hub.work.inbound import receive

    connector = connector_of(desk.inbox)

    async def take(one: Post) -> None:
        taken = await receive(store, desk.inbox, connector, one.raw)
        if taken.state != "done" or len(taken.filed) != 1:
            raise RuntimeError(f"the desk did not take a message in: {taken}")

    return take
