"""The client in docs/ does what docs/protocol.md promises, against a real desk."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.fixtures.desk import DeskClient

CLIENT = Path(__file__).parents[2] / "docs" / "live_client.py"


class Running:
    """The client as a process of its own."""

    def __init__(self, desk: DeskClient, cursor: Path) -> None:
        self.desk, self.cursor = desk, cursor

    async def __aenter__(self) -> "Running":
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(CLIENT), self.desk.url, str(self.cursor)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PARLEY_TOKEN": self.desk.people["agent"].token},
            limit=1_000_000,
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def until(self, name: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            while True:
                told: dict[str, Any] = json.loads(await self.process.stdout.readline())
                if name in (told["type"], told.get("name")):
                    return told

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())


def test_the_client_in_the_docs_is_short() -> None:
    lines = CLIENT.read_text().split('"""', 2)[2].strip().splitlines()
    assert len([line for line in lines if line.strip()]) <= 60


async def test_it_prints_what_happens_answers_and_goes_on_where_it_was_killed(
    sqlite_desk_client: DeskClient, tmp_path: Path
) -> None:
    desk = sqlite_desk_client
    number = await desk.new_ticket("The kettle leaks.")
    async with Running(desk, tmp_path / "cursor") as client:
        await client.until("live")
        client.type(f"{number} Which one?")
        said = await client.until("message.sent")
        assert said["message"]["text"] == "Which one?"
    await desk.post(f"/api/v1/tickets/{number}/note", {"text": "Written while it was away."})
    async with Running(desk, tmp_path / "cursor") as client:
        note = await client.until("note.written")
        assert note["note"]["text"] == "Written while it was away."
        live = await client.until("live")
        assert live["cursor"] >= note["id"] > said["id"]
