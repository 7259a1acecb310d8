"""The real stores of console and widget, in one Node process a session: frames in, the state after them out."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

ROOT = Path(__file__).parents[2]
FILES = (ROOT / "agents_ui/js/store.js", ROOT / "widget/js/store.js")


class Stores:
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def after(self, store: Literal["agent", "visitor"], frames: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The state of a client that has got these frames, and none before."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"store": store, "frames": list(frames)}).encode() + b"\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


@pytest.fixture(scope="session")
def stores() -> Iterator[Stores]:
    command = ["node", str(Path(__file__).with_suffix(".mjs")), *map(str, FILES)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield Stores(process)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0
    assert process.stdout is not None
    process.stdout.close()
