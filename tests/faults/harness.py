"""Starts, watches and kills victims, and holds their ledger against the record."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hub.bench.ledger import Ledger, Stored
from hub.clock import SystemClock
from hub.db.backend import Backend
from hub.db.store import Rx, Store
from tests.faults.victim import KIND

FOUND = "SELECT id, payload FROM job WHERE kind = :kind ORDER BY id"
TOLD = "SELECT ticket_id FROM event WHERE name = 'desk.health_checked' ORDER BY id"


class Victim:
    """A running process and the lines it has written so far."""

    def __init__(self, where: str, *options: str, point: str = "", before: tuple[str, ...] = ()) -> None:
        environment = {**os.environ, "PYTHONPATH": os.getcwd(), "PARLEY_CRASH_POINT": point}
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "tests.faults.victim", where, *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.lines: list[bytes] = []
        self.times: list[float] = []
        self.complaints = b""
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._listen)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.times.append(time.monotonic())
            self.lines.append(line)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        self.complaints = self.process.stderr.read()

    def wait_for(self, found: Callable[[bytes], bool], *, count: int = 1, since: int = 0, seconds: float = 30) -> int:
        """Waits until `count` lines from `since` on are such; the index after them."""
        until = time.monotonic() + seconds
        looked, left = since, count
        while True:
            while looked < len(self.lines):
                left -= found(self.lines[looked])
                looked += 1
                if left == 0:
                    return looked
            if time.monotonic() > until or (self.process.poll() is not None and not self._readers[0].is_alive()):
                if looked < len(self.lines):
                    continue
                raise AssertionError(f"{left} of {count} lines are missing; it said {self.complaints[-2000:]!r}")
            time.sleep(0.002)

    def ready(self) -> "Victim":
        self.wait_for(lambda line: b'"ready"' in line)
        return self

    def acknowledged(self, count: int, **more: Any) -> int:
        return self.wait_for(lambda line: b'"as":"ok"' in line, count=count, **more)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.ended()

    def ended(self, seconds: float = 60) -> int:
        """Its exit status; everything it wrote has been read."""
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(seconds)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
        return code

    def __enter__(self) -> "Victim":
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.ended()


def ledger_of(*victims: Victim) -> Ledger:
    ledger = Ledger()
    for victim in victims:
        ledger.read(victim.lines)
    return ledger


def record(rx: Rx) -> tuple[list[tuple[int, str]], list[int]]:
    return [(i, p) for i, p in rx.rows(FOUND, kind=KIND)], [row[0] for row in rx.rows(TOLD)]


async def verdict(backend: Backend, ledger: Ledger) -> list[str]:
    """What is wrong with the record, by the ledger: empty is good. Every operation has its event, and no other has."""
    async with Store(backend, SystemClock()) as store:
        rows, told = await store.read(record)
        if backend.name == "sqlite":
            assert await store.read(lambda rx: rx.value("PRAGMA integrity_check")) == "ok"
    found = [json.loads(payload) for _, payload in rows]
    wrong = ledger.check(Stored(f["id"], f["by"], f["n"], f["hash"]) for f in found)
    if told != [number for number, _ in rows]:
        wrong.append(f"{len(rows)} operations, {len(told)} events, and they do not belong together")
    return wrong


def hidden(path: Path) -> list[str]:
    """Files in a folder beyond the database, its log and the desk's lock."""
    known = {"parley.db", "parley.db-wal", "parley.db-shm", "desk.lock"}
    return sorted(p.name for p in path.iterdir() if p.name not in known)
