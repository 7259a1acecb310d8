"""Nobody misses an event and nobody hears one twice: while joining, while rights are looked at, while others are slow,
with several desks on one database."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.db.tx import Tx
from hub.events import SYSTEM, AccessChanged, TagCreated
from hub.live import sessions
from hub.live.stream import last_event
from tests.fixtures.desk import DeskClient
from tests.live.client import Client, agent, beside, connected, ticket


def happen(tx: Tx, number: int) -> int:
    if number % 9 == 0:
        tx.record(AccessChanged(), by=SYSTEM)
    event_id = tx.record(TagCreated(tag_id=number), by=SYSTEM).id
    if number % 7 == 0:
        raise ValueError("rolled back")
    return event_id


@contextlib.asynccontextmanager
async def busy(*desks: DeskClient) -> AsyncIterator[list[int]]:
    """Events are committed all the while; the ids of those that are to be heard of."""
    committed: list[int] = []
    stop = asyncio.Event()

    async def work(desk: DeskClient, luck: random.Random) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with contextlib.suppress(ValueError):
                committed.append(await desk.store.write(happen, number))
            await asyncio.sleep(luck.random() * 0.004)

    tasks = [asyncio.create_task(work(desk, random.Random(n))) for n, desk in enumerate(desks * 2)]
    try:
        yield committed
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def come_and_go(desks: tuple[DeskClient, ...], luck: random.Random, times: int) -> tuple[int, int, list[int]]:
    """A client that loses its line again and again: where it began, where it ended, and what it was told in between."""
    cursor: int | None = None
    began = 0
    heard: list[int] = []
    for _ in range(times):
        desk = luck.choice(desks)
        async with agent(desk, "agent", cursor=cursor) as client:
            if cursor is None:
                began = (await client.until("snapshot"))["cursor"]
            await asyncio.sleep(luck.random() * 0.15)
            told = list(client.frames)
        # What had come when the line broke is all it knows.
        ids = [t["id"] for t in told if t["type"] == "event"]
        heard += ids
        cursor = max([cursor or began, *ids, *(t["cursor"] for t in told if t["type"] in ("live", "cursor"))])
    return began, cursor or began, heard


async def test_clients_that_come_while_things_happen_hear_each_once(desk_client: DeskClient) -> None:
    async with busy(desk_client) as committed:
        await asyncio.sleep(0.05)
        async with contextlib.AsyncExitStack() as stack:
            clients: list[Client] = []
            for _ in range(15):
                clients.append(await stack.enter_async_context(agent(desk_client, "agent")))
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            last = max(committed)
            for client in clients:
                await client.until(lambda told: told["type"] == "event" and told["id"] >= last)
                ids = [e["id"] for e in client.events]
                began = next(told["cursor"] for told in client.frames if told["type"] == "snapshot")
                expected = sorted(i for i in committed if began < i <= ids[-1])
                assert ids == expected


def no_rights(tx: Tx, number: int) -> int:
    return tx.record(TagCreated(tag_id=number), by=SYSTEM).id


async def test_clients_that_come_back_again_and_again_miss_and_double_nothing(
    desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.live.test_races.happen", no_rights)
    async with busy(desk_client) as committed:
        await asyncio.sleep(0.02)
        done = await asyncio.gather(*(come_and_go((desk_client,), random.Random(n), 10) for n in range(4)))
    for began, ended, heard in done:
        assert heard == sorted(i for i in committed if began < i <= ended)
        assert heard


@pytest.mark.postgres
async def test_two_desks_on_one_database_tell_the_same(
    postgres_desk_client: DeskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.live.test_races.happen", no_rights)
    async with beside(postgres_desk_client, tmp_path) as other:
        both = (postgres_desk_client, other)
        async with busy(*both) as committed:
            await asyncio.sleep(0.02)
            done = await asyncio.gather(*(come_and_go(both, random.Random(n), 8) for n in range(4)))
    for began, ended, heard in done:
        assert heard == sorted(i for i in committed if began < i <= ended)
        assert heard


@pytest.mark.postgres
async def test_a_ticket_made_at_one_desk_opens_the_other_and_rights_end_at_both(
    postgres_desk_client: DeskClient, tmp_path: Path
) -> None:
    from hub.staff import agents
    from hub.staff.access import DESK

    one = postgres_desk_client
    async with beside(one, tmp_path) as two, connected(two) as client:
        await client.say("hello", ticket=await ticket(one, "agent"))
        await client.until("live")
        await one.store.write(agents.disable, DESK, one.people["agent"].id)
        async with asyncio.timeout(20):
            assert await client.ended() == 4403


async def raw_socket(desk: DeskClient, more: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that says hello and then never reads."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", desk.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1_000)
    writer.write(
        b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    hello = f'{{"type":"hello","ticket":"{await ticket(desk)}"{more}}}'.encode()
    writer.write(bytes((0x81, 0xFE)) + len(hello).to_bytes(2, "big") + b"\0\0\0\0" + hello)
    async with asyncio.timeout(30):
        while not (strangers := tuple(desk.desk.live._strangers)):
            await asyncio.sleep(0.001)
    strangers[0]._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    return reader, writer


async def test_a_client_that_does_not_read_is_cut_off_and_the_others_hear_everything(
    sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "ABORT_AFTER", 1)
    monkeypatch.setattr("hub.live.protocol.MAX_BUFFER", 100_000)
    desk = sqlite_desk_client
    number = await desk.new_ticket()
    async with agent(desk) as client:
        await client.until("live")
        _, writer = await raw_socket(desk)
        async with asyncio.timeout(30):
            while len(desk.desk.live.sessions) < 2:
                await asyncio.sleep(0.01)
        for n in range(120):
            text = f"{n} " + "long " * 1_900
            assert (await desk.post(f"/api/v1/tickets/{number}/note", {"text": text})).status == 201
            if len(desk.desk.live.sessions) == 1:
                break
        assert len(desk.desk.live.sessions) == 1
        await desk.post(f"/api/v1/tickets/{number}/note", {"text": "Still here."})
        await client.until(lambda told: told.get("note", {}).get("text") == "Still here.")
        notes = [int(e["note"]["text"].split()[0]) for e in client.events[:-1] if "note" in e]
        assert notes == list(range(len(notes)))
        writer.close()


async def test_who_cannot_read_a_replay_fast_enough_holds_up_nobody(
    sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "DRAIN_SECONDS", 0.3)
    desk = sqlite_desk_client
    number = await desk.new_ticket()
    cursor = await desk.store.read(last_event)
    for n in range(80):
        await desk.post(f"/api/v1/tickets/{number}/note", {"text": f"{n} " + "long " * 1_900})
    _, writer = await raw_socket(desk, f',"cursor":{cursor}')
    async with agent(desk) as client:
        await client.until("live")
        async with asyncio.timeout(30):
            while len(desk.desk.live.sessions) > 1:
                await asyncio.sleep(0.05)
    writer.close()


async def test_when_the_database_cannot_be_read_all_is_told_later(
    sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.errors import Unavailable

    desk = sqlite_desk_client
    live = desk.desk.live
    really, failures = live._things, iter((Unavailable(), Unavailable()))

    async def sometimes(batch: Any) -> Any:
        for failure in failures:
            raise failure
        return await really(batch)

    async with agent(desk) as client:
        await client.until("live")
        monkeypatch.setattr(live, "_things", sometimes)
        ids = [await desk.store.write(no_rights, n) for n in range(5)]
        await client.until(lambda told: told.get("id") == ids[-1])
        assert [e["id"] for e in client.events] == ids
