"""A desk as a process of its own, for tests: started on a free port, asked over HTTP, stopped."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def environment(data: Path, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    ours = {f"PARLEY_{name}": value for name, value in settings.items()}
    return {**kept, "PYTHONPATH": str(ROOT), "PARLEY_DATA": str(data), "PARLEY_PORT": "0", **ours}


def parley(data: Path, *words: str, stdin: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
    """One command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "hub", *words],
        env=environment(data, **settings),
        cwd=data.parent,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


def well(data: Path, *words: str, stdin: str = "", **settings: str) -> str:
    """One command that ends well; what it said."""
    ended = parley(data, *words, stdin=stdin, **settings)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


class Desk:
    """`path`: folders that its Python looks into first."""

    def __init__(self, data: Path, path: Sequence[Path] = (), /, **settings: str) -> None:
        self.data = data
        env = environment(data, **settings)
        env["PYTHONPATH"] = os.pathsep.join([*map(str, path), env["PYTHONPATH"]])
        self.log, self._said = (data.parent / f"{data.name}.{what}" for what in ("log", "said"))
        started = time.monotonic()
        with self.log.open("ab") as log, self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub", "serve"],
                env=env,
                cwd=data.parent,
                stdout=said,
                stderr=log,
            )
        while (found := re.match(r"Parley is ready: http://127\.0\.0\.1:(\d+)\n", self._said.read_text())) is None:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - started < 30, self.log.read_text()
            time.sleep(0.01)
        self.port = int(found[1])
        self.seconds = time.monotonic() - started

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    @property
    def setup_link(self) -> str | None:
        """The path of the link that was printed."""
        found = re.search(r"http://127\.0\.0\.1:\d+(/setup/\S+)", self._said.read_text())
        return found[1] if found else None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def health(self) -> tuple[int, dict[str, Any]]:
        status, text = self.ask("GET", "/healthz")
        return status, json.loads(text)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)
