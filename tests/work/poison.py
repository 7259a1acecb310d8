"""What the children of tests/work/test_children.py are made to do."""

import os
import signal
import sys
import time
from typing import Any

from hub.connector import Unparsable

kept: list[bytes] = []


def length(raw: bytes) -> int:
    return len(raw)


def echo(*what: Any) -> Any:
    print("this is not part of the answer")
    sys.stdout.flush()
    os.write(1, b"nor this")
    return what


def who() -> tuple[int, dict[str, str], list[str]]:
    return os.getpid(), dict(os.environ), sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in (0, 1, 2))


def loop(_raw: bytes = b"") -> None:
    while True:
        pass


def sleep(_raw: bytes = b"") -> None:
    time.sleep(600)


def eat(_raw: bytes = b"") -> None:
    found = []
    while True:
        found.append(bytearray(1 << 24))


def hoard(size: int) -> None:
    """Keeps a little more each time: a leak."""
    kept.append(b"x" * size)


def recurse(raw: bytes = b"") -> None:
    recurse(raw)


def leave(_raw: bytes = b"") -> None:
    os._exit(3)


def quit(_raw: bytes = b"") -> None:
    sys.exit("enough")


def crash(_raw: bytes = b"") -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def second_time_crash() -> str:
    kept.append(b"")
    if len(kept) > 1:
        os.kill(os.getpid(), signal.SIGSEGV)
    return "fine"


def complain(_raw: bytes = b"") -> None:
    raise Unparsable("It has no sender.")


def stumble(_raw: bytes = b"") -> None:
    raise LookupError("unknown encoding: \udcff")


def write_a_file(path: str) -> None:
    with open(path, "w") as found:
        found.write("x")


def swell(size: int) -> bytes:
    return bytes(size)


def nonsense(_raw: bytes = b"") -> object:
    return object()
