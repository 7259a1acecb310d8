"""A real desk as a child process: prepared, started, waited for, killed. For start, post and kill."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from hub import app
from hub.config import Config, read
from hub.db.store import Store
from hub.db.tx import Tx
from hub.events import Actor
from hub.staff import access, agents, roles, tokens

READY_SECONDS: Final = 30.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def pinned(core: int) -> Sequence[str]:
    """What to put before a command so that it runs on one core; nothing where that cannot be."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", str(core)] if taskset and (os.cpu_count() or 1) > 1 else []


class DeskProcess:
    """`parley serve` on `data`. Its port stays the same however often it is started."""

    def __init__(
        self, data: Path, database: str = "", *, settings: Mapping[str, str] = {}, core: int | None = None
    ) -> None:
        self.data, self.database = data, database
        self.port = free_port()
        self.environ = {
            "PARLEY_DATA": str(data),
            "PARLEY_PORT": str(self.port),
            "PARLEY_DATABASE": database,
            "PARLEY_LOG_LEVEL": "warning",
            "PARLEY_API_PER_MINUTE": "100000000",
            "PARLEY_STRANGERS_PER_MINUTE": "100000000",
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._core = core

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.data / "desk.log"

    def config(self) -> Config:
        """The same settings that the process gets."""
        return read(self.environ)

    @contextlib.asynccontextmanager
    async def record(self) -> AsyncIterator[Store]:
        """Its database, opened by us while it does not run."""
        async with app.build(self.config(), purpose="command") as desk:
            yield desk.store

    def start(self, *, crash_point: str = "") -> None:
        environ = {n: v for n, v in os.environ.items() if not n.startswith("PARLEY_")}
        environ |= self.environ | {"PARLEY_CRASH_POINT": crash_point}
        command = [*(pinned(self._core) if self._core is not None else ()), sys.executable, "-m", "hub", "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    async def ready(self, path: str = "/healthz") -> float:
        """Waits until a page is answered; seconds that took. RuntimeError with the log's end where none ever is."""
        started = time.perf_counter()
        while time.perf_counter() - started < READY_SECONDS:
            if await asyncio.to_thread(self._answers, path):
                return time.perf_counter() - started
            if self.died():
                break
            await asyncio.sleep(0.005)
        end = self.log.read_text(encoding="utf-8", errors="replace")[-2_000:]
        raise RuntimeError(f"the desk does not answer (status {self.status()}):\n{end}")

    def _answers(self, path: str) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as talk:
                talk.sendall(
                    f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n".encode()
                )
                return talk.recv(12)[9:12] in (b"200", b"302", b"303")
        except OSError:
            return False

    def died(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def status(self) -> int | None:
        return self.process.poll() if self.process else None

    def kill(self) -> None:
        """As the kernel does it, or a power cut to the process: nothing is flushed."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """In order, as a service manager does it."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def memory(self) -> tuple[float, float] | None:
        """(RSS, PSS) in MiB; None where the kernel does not say."""
        assert self.process is not None
        try:
            lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            return None
        found = {name: int(rest.split()[0]) / 1024 for name, _, rest in (line.partition(":") for line in lines[1:])}
        return found["Rss"], found["Pss"]


def administrator(tx: Tx, email: str) -> tuple[int, str]:
    """(agent, API token) of a new one, who may everything."""
    role = roles.named(tx, "administrator")
    agent_id = agents.create(tx, access.DESK, email=email, name=email.partition("@")[0], role_id=role.id)
    grants = access.load(tx, agent_id)
    assert grants is not None
    caller = access.Caller(Actor("agent", agent_id), grants)
    return agent_id, tokens.create(tx, caller, name="bench", scopes=tokens.SCOPES, expires_at=None)[1]
