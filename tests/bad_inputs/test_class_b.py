"""The live socket under bad input, each a line of class_b.yaml: answered as written there, and others hear on. What is
no matter of one connection is tried by the test that its line names. Cursors belong to a desk, not to an account
(B 33); events are kept, so too long ago means too many since (B 34); visitors have no time zone (B 57).
"""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.bad_inputs import load
from tests.fixtures.desk import URL, DeskClient
from tests.live.client import agent, live_inbox, ticket, visitor

SECONDS = 15.0
SITE = "http://localhost:3000"
TESTS = Path(__file__).parents[1]


class Raw:
    """A socket with nothing between the test and its bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, desk: DeskClient, origin: str | None, protocol: str | None) -> tuple["Raw", int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["GET /live HTTP/1.1", f"Host: 127.0.0.1:{desk.port}", "Connection: Upgrade", "Upgrade: websocket"]
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        lines += [f"Origin: {origin}"] if origin is not None else []
        lines += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        return cls(reader, writer), int(head.split()[1])

    def say(self, frame: Any) -> None:
        text = frame.encode() if isinstance(frame, str) else json.dumps(frame).encode()
        size = len(text)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2) if size < 65_536 else b""
        self.writer.write(b"\x81" + (length or b"\xff" + size.to_bytes(8)) + bytes(4) + text)

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        """What comes, the last being how it ended, if it does."""
        try:
            while True:
                first, length = await self.reader.readexactly(2)
                if length in (126, 127):
                    length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8))
                body = await self.reader.readexactly(length)
                if first & 15 == 8:
                    yield {"type": "closed", "code": int.from_bytes(body[:2]) if body else 1005}
                    return
                if first & 15 == 1:
                    yield json.loads(body)
        except (asyncio.IncompleteReadError, ConnectionError):
            yield {"type": "closed", "code": None}


@pytest.mark.parametrize("case", load.cases("class_b.yaml"))
async def test_the_socket_answers_as_written(sqlite_desk_client: DeskClient, case: dict[str, Any]) -> None:
    desk = sqlite_desk_client
    values = await furnished(desk)
    origin = case.get("origin", URL if case.get("as") != "agent" else None)
    raw, status = await Raw.open(desk, None if origin == "none" else origin, case.get("protocol"))
    if "status" in case:
        assert status == case["status"]
    else:
        assert status == 101
        await judge(desk, raw, case, await hello(desk, case, values), values)
    raw.writer.transport.abort()
    await others_hear_on(desk, values["$number"])


async def furnished(desk: DeskClient) -> dict[str, Any]:
    """A visitor who has a chat, and a ticket that the agent does not see."""
    async with visitor(desk) as eve:
        token = (await eve.until("welcome"))["visitor"]
        await eve.until("live")
        said = await eve.command("say", text="Hello", client_id="m1")
    back = await desk.post("/api/v1/inboxes", {"kind": "form", "name": "Back"})
    other = await desk.new_ticket("Not yours.", inbox_id=back.json["id"]) if back.status < 300 else 999
    return {"$token": token, "$number": said["answer"]["number"], "$other": other}


async def hello(desk: DeskClient, case: dict[str, Any], values: dict[str, Any]) -> dict[str, Any] | None:
    who = case.get("as", "visitor")
    if who == "nobody":
        return None
    if who == "visitor":
        found = {"inbox": await live_inbox(desk), "visitor": values["$token"], "site": SITE, "cursor": None}
    else:
        found = {"ticket": await ticket(desk, "agent"), "cursor": None}
        if case.get("expired"):
            desk.clock.advance(31_000)
        if case.get("hello", {}).get("ticket") == "$used":
            async with agent(desk, "agent"):
                pass
            return {"type": "hello", "ticket": await used(desk)}
    return {"type": "hello", **found, **case.get("hello", {})}


async def used(desk: DeskClient) -> str:
    once = await ticket(desk, "agent")
    raw, _ = await Raw.open(desk, None, None)
    raw.say({"type": "hello", "ticket": once})
    async with asyncio.timeout(SECONDS):
        assert (await anext(raw.frames()))["type"] == "welcome"
    raw.writer.transport.abort()
    return once


def filled(case: dict[str, Any], values: dict[str, Any]) -> list[Any]:
    frames = []
    for frame in case.get("say", ()):
        text = frame if isinstance(frame, str) else json.dumps(frame)
        for name, value in values.items():
            text = text.replace(f'"{name}"', json.dumps(value))
        frames.append(text)
    if "fill" in case:
        frames[-1] = case["fill"] * case["size"]
    if "big" in case:
        last = json.loads(frames[-1])
        last["request"][case["big"]["field"]] = "x" * case["big"]["size"]
        frames[-1] = json.dumps(last)
    return frames * case.get("times", 1)


def on_the_wire(case: dict[str, Any]) -> bytes:
    def spelt(text: str) -> bytes:
        text, _, zeros = text.partition("$zeros:")
        return bytes.fromhex(text) + bytes(int(zeros or 0))

    if "then" in case:
        return spelt(case["wire"]) + spelt(case["then"]) * case["times"]
    return spelt(case["wire"]) * case.get("times", 1)


async def judge(
    desk: DeskClient, raw: Raw, case: dict[str, Any], first: dict[str, Any] | None, values: dict[str, Any]
) -> None:
    frames = raw.frames()
    told: list[dict[str, Any]] = []
    async with asyncio.timeout(SECONDS):
        if first is not None:
            raw.say(first)
            if "hello" not in case and "expired" not in case and case.get("origin") != "none":
                while not told or told[-1]["type"] != "live":
                    told.append(await anext(frames))
        if case.get("late"):
            desk.desk.live._strangers = dict.fromkeys(desk.desk.live._strangers, desk.desk.live.now)
        if "wire" in case:
            raw.writer.write(on_the_wire(case))
        for frame in filled(case, values):
            raw.say(frame)
        if case.get("half"):
            raw.writer.write_eof()
        start = len(told)
        if case.get("alone"):  # nothing else can be said on this connection: it neither answers nor does harm
            return
        kept = "code" not in case and not case.get("closed")
        if kept:
            raw.say({"type": "ping"})
        async for frame in frames:
            told.append(frame)
            if frame["type"] == "closed" or (frame["type"] == "pong" and enough(case, told[start:])):
                break
            if kept and "pong" in [t["type"] for t in told] and enough(case, told[start:]):
                break
    found = told[start:]
    assert case.get("never", "\0") not in json.dumps(told)
    if not kept:
        assert found[-1]["type"] == "closed", found
        assert case.get("closed") or found[-1]["code"] == case["code"], found
        return
    assert "pong" in [t["type"] for t in found], found
    assert enough(case, found), found
    if case.get("silent"):
        assert not [t for t in found if t["type"] in ("error", "closed")], found


def enough(case: dict[str, Any], told: list[dict[str, Any]]) -> bool:
    """What has to come has come."""
    errors = [t["problem"] for t in told if t["type"] == "error"]
    answers = [t["answer"] for t in told if t["type"] == "answer"]
    if "error" in case:
        assert all("Traceback" not in json.dumps(e) for e in errors)
        return any(e["type"] == f"/problems/{case['error']}" for e in errors)
    if "answer" in case:
        wanted = case["answer"].items()
        return any(all(f in a and v in ("any", a[f]) for f, v in wanted) for a in answers)
    if "frame" in case:
        return case["frame"] in [t["type"] for t in told]
    return bool(errors or answers) if case.get("any") else True


async def others_hear_on(desk: DeskClient, number: int) -> None:
    async with agent(desk, "agent") as ann:
        await ann.until("live")
        await desk.post(f"/api/v1/tickets/{number}/note", {"text": "Still here."})
        assert (await ann.event("note.written"))["note"]["text"] == "Still here."


def test_the_tests_that_lines_name_are_there() -> None:
    named = {line["tested_by"] for line in load.lines("class_b.yaml") if "tested_by" in line}
    written = "".join(path.read_text() for path in TESTS.rglob("test_*.py"))
    assert [name for name in sorted(named) if f"def {name}(" not in written] == []


def test_every_number_stands_here() -> None:
    numbers = {int(line["id"].split()[0][1:]) for line in load.lines("class_b.yaml")}
    assert numbers == set(range(1, 73))
