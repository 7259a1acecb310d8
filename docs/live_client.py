"""A whole client of the live protocol: prints what happens, answers what you type, misses nothing across restarts.

    pip install websockets
    PARLEY_TOKEN=parley_live_… python live_client.py https://desk.example.org cursor.txt

A line "1001 Good morning" on standard input answers ticket 1001. docs/protocol.md says what the frames mean.
"""

import asyncio
import json
import os
import random
import sys
import urllib.request
import uuid
from pathlib import Path

import websockets

DESK, CURSOR = sys.argv[1], Path(sys.argv[2])
TOKEN = os.environ["PARLEY_TOKEN"]
unanswered: dict[str, str] = {}  # commands by id, sent again after a break: their client_id makes them happen once


def ticket() -> str:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{DESK}/api/v1/live/tickets", data=b"{}", headers=headers, method="POST")
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return str(json.load(answer)["ticket"])


async def live() -> None:
    async with websockets.connect(f"ws{DESK.removeprefix('http')}/live", ping_interval=None) as socket:
        cursor = int(CURSOR.read_text()) if CURSOR.exists() else None
        await socket.send(json.dumps({"type": "hello", "ticket": await asyncio.to_thread(ticket), "cursor": cursor}))
        typing = asyncio.create_task(answering(socket))
        try:
            while True:
                told = json.loads(await asyncio.wait_for(socket.recv(), 45))
                if told["type"] == "ping":
                    await socket.send('{"type":"pong"}')
                elif told["type"] == "snapshot_required":
                    await socket.send('{"type":"snapshot"}')
                elif told["type"] == "live":
                    for command in unanswered.values():
                        await socket.send(command)
                unanswered.pop(told.get("id") if told["type"] in ("answer", "error") else "", None)
                print(json.dumps(told, ensure_ascii=False), flush=True)
                if told["type"] in ("event", "cursor", "snapshot"):
                    CURSOR.write_text(str(told["id"] if told["type"] == "event" else told["cursor"]))
        finally:
            typing.cancel()


async def answering(socket: websockets.ClientConnection) -> None:
    while line := await lines.get():
        number, _, text = line.strip().partition(" ")
        id, request = str(uuid.uuid4()), {"number": int(number), "text": text, "anyway": True}
        frame = {"type": "command", "id": id, "name": "reply", "request": request, "client_id": id}
        unanswered[id] = json.dumps(frame)
        await socket.send(unanswered[id])


async def main() -> None:
    global lines
    lines = asyncio.Queue()
    asyncio.get_running_loop().add_reader(sys.stdin, lambda: lines.put_nowait(sys.stdin.readline()))
    pause = 1.0
    while True:
        try:
            await live()
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            print(f"again in {pause:.0f} s: {error}", file=sys.stderr, flush=True)
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(pause * 2, 30)


asyncio.run(main())
