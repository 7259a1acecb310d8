"""A desk with a chat, for the benches of the live channel: who is there, how they come in, and the bare thing."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from hub.bench.customers import register_kinds
from hub.bench.process import DeskProcess, administrator, free_port, pinned
from hub.bench.storm import PUBLIC
from hub.bench.watching import SITE
from hub.bench.wire import Heard, Wire, connect
from hub.db.tx import Tx
from hub.desk import inboxes, tags, visitors
from hub.events import SYSTEM
from hub.people import contacts as people
from hub.staff.access import DESK

A_UNIT: Final = 200
AT_ONCE: Final = 50
FILL: Final = 25


class Guests(msgspec.Struct):
    """`agents`: API tokens of people who see everything; `visitors`: tokens of browsers."""

    inbox: str
    agents: list[str]
    visitors: list[str]


def desk_in(place: Path, url: str, **more: Any) -> DeskProcess:
    data = place / "desk"
    data.mkdir(exist_ok=True)
    return DeskProcess(data, url, settings={"PARLEY_PUBLIC_URL": PUBLIC}, **more)


async def furnish(desk: DeskProcess, agents: int, count: int, *, said: bool) -> Guests:
    """`said`: each of them has begun a chat."""
    register_kinds()

    def house(tx: Tx) -> tuple[inboxes.Inbox, list[str]]:
        inbox = inboxes.create(tx, DESK, kind="chat", name="Chat", settings={"offline": "never"})
        return inbox, [administrator(tx, f"ann{n}@example.org")[1] for n in range(agents)]

    def enter(tx: Tx, inbox: inboxes.Inbox, some: int) -> list[str]:
        found = []
        for _ in range(some):
            entered = visitors.enter(tx, inbox, None, SITE)
            if said:
                visitors.say(tx, entered.visitor, "Hello.", "first", None)
            found.append(entered.token or "")
        return found

    async with desk.record() as store:
        inbox, tokens = await store.write(house)
        browsers: list[str] = []
        while len(browsers) < count:
            browsers += await store.write(enter, inbox, min(A_UNIT, count - len(browsers)))
    return Guests(inbox.token, tokens, browsers)


async def fill(desk: DeskProcess, contacts: int) -> None:
    """So many people who never wrote, each with a name, two points and a tag: what an export has to go through."""

    def some(tx: Tx, start: int, stop: int) -> None:
        for number in range(start, stop):
            contact_id = people.create(
                tx,
                SYSTEM,
                name=f"Somebody {number}",
                points_=[("email", f"s{number}@example.org"), ("phone", f"+25191{number:07d}")],
                company=f"Firm {number % 100}",
                language="en",
                country=None,
            )
            tags.tag_contact(tx, DESK, contact_id, f"tag {number % 10}")

    async with desk.record() as store:
        for start in range(0, contacts, FILL):
            await store.write(some, start, min(start + FILL, contacts))


@contextlib.asynccontextmanager
async def running(desk: DeskProcess) -> AsyncIterator[None]:
    desk.start()
    try:
        await desk.ready()
        yield
    finally:
        desk.stop()


@contextlib.asynccontextmanager
async def bare(core: int | None = None) -> AsyncIterator[tuple[int, int]]:
    """(port, process) of a server that echoes."""
    port = free_port()
    before = pinned(core) if core is not None else ()
    child = subprocess.Popen([*before, sys.executable, "-m", "hub.bench.bare_socket", str(port)])
    try:
        for _ in range(400):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.02)
        yield port, child.pid
    finally:
        child.kill()
        child.wait()


async def agent_in(desk: DeskProcess, token: str, heard: Heard | None) -> Wire:
    url = f"{desk.url}/api/v1/live/tickets"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as http, http.post(url, json={}, headers=headers) as answer:
        ticket = (await answer.json())["ticket"]
    wire = await connect(desk.port, heard)
    wire.say(json.dumps({"type": "hello", "ticket": ticket, "cursor": None}).encode())
    return wire


async def visitor_in(desk: DeskProcess, guests: Guests, number: int, heard: Heard | None) -> Wire:
    wire = await connect(desk.port, heard, origin=PUBLIC)
    hello = {"type": "hello", "inbox": guests.inbox, "visitor": guests.visitors[number], "site": SITE, "cursor": None}
    wire.say(json.dumps(hello).encode())
    return wire


def resident(process: int) -> float:
    """MiB."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
