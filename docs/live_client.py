"""A whole client of the live protocol: prints what happens, answers what you type, misses nothing across restarts.

    pip install websockets
    PARLEY_TOKEN=parley_live_… python live_client.py https://desk.example.org cursor.txt

A line "1001 Good morning" on standard input answers ticket 1001. docs/protocol.md says what the frames mean.
"""

import json
import os
import random
import sys
import threading
import time
import urllib.request
import uuid
from pathlib import Path

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

DESK, CURSOR = sys.argv[1], Path(sys.argv[2])
HEADERS = {"Authorization": f"Bearer {os.environ['PARLEY_TOKEN']}", "Content-Type": "application/json"}
open_sockets: list[ClientConnection] = []
unanswered: dict[str, str] = {}  # sent again after a break: their client_id makes them happen once


def live() -> None:
    asked = urllib.request.Request(f"{DESK}/api/v1/live/tickets", data=b"{}", headers=HEADERS)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        ticket = json.load(answer)["ticket"]
    with connect(f"ws{DESK.removeprefix('http')}/live", ping_interval=None, max_size=None) as socket:
        cursor = int(CURSOR.read_text()) if CURSOR.exists() else None
        socket.send(json.dumps({"type": "hello", "ticket": ticket, "cursor": cursor}))
        while True:
            told = json.loads(socket.recv(timeout=45))
            print(json.dumps(told, ensure_ascii=False), flush=True)
            match told["type"]:
                case "ping":
                    socket.send('{"type":"pong"}')
                case "snapshot_required":
                    socket.send('{"type":"snapshot"}')
                case "live":
                    open_sockets[:] = [socket]
                    for command in list(unanswered.values()):
                        socket.send(command)
                case "answer" | "error":
                    unanswered.pop(told.get("id"), None)
                case "event" | "cursor" | "snapshot":
                    CURSOR.write_text(str(told.get("cursor") or told["id"]))


def answer_what_is_typed() -> None:
    for line in sys.stdin:
        number, _, text = line.strip().partition(" ")
        id, request = str(uuid.uuid4()), {"number": int(number), "text": text, "anyway": True}
        frame = {"type": "command", "id": id, "name": "reply", "request": request, "client_id": id}
        unanswered[id] = json.dumps(frame)
        for socket in open_sockets:
            socket.send(unanswered[id])


threading.Thread(target=answer_what_is_typed, daemon=True).start()
pause = 1.0
while True:
    started = time.monotonic()
    try:
        live()
    except (OSError, WebSocketException) as error:  # OSError: TimeoutError is one, and so is what urllib raises
        print(f"lost, coming back: {error}", file=sys.stderr, flush=True)
    open_sockets.clear()
    pause = 1.0 if time.monotonic() - started > 60 else min(pause * 2, 30)
    time.sleep(pause * random.uniform(0.5, 1.5))
