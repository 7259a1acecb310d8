"""A desk process that is forked from a warm one, so that it is up again in a fraction of a second. Used by `kill`."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from hub.bench.process import DeskProcess


class WarmDesk(DeskProcess):
    def __init__(self, data: Path, database: str = "", *, settings: Mapping[str, str] = {}) -> None:
        super().__init__(data, database, settings=settings)
        environ = {n: v for n, v in os.environ.items() if not n.startswith("PARLEY_")} | self.environ
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "hub.bench.zygote"],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._pid = 0  # of the desk; 0: none runs
        self._ended: int | None = None

    def start(self, *, crash_point: str = "") -> None:
        self._to.write(json.dumps({"PARLEY_CRASH_POINT": crash_point}).encode() + b"\n")
        self._to.flush()
        self._pid, self._ended = int(self._from.readline()), None

    @property
    def _to(self) -> IO[bytes]:
        assert self._zygote.stdin is not None
        return self._zygote.stdin

    @property
    def _from(self) -> IO[bytes]:
        assert self._zygote.stdout is not None
        return self._zygote.stdout

    def status(self) -> int | None:
        if self._pid and self._ended is None and select.select([self._from], [], [], 0)[0]:
            self._ended = int(self._from.readline())
        return self._ended

    def died(self) -> bool:
        return not self._pid or self.status() is not None

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if not self.died():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, how)
            self._ended = int(self._from.readline())
        self._pid = 0

    def close(self) -> None:
        self.kill()
        self._to.close()
        self._zygote.wait(10)
        self._from.close()
