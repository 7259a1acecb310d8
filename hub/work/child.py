"""The other side of hub.work.children: takes a job, does it within its limits, answers, until its input ends.

Started as a file by an isolated Python, so that it holds nothing of the desk but the code. What it is given is hostile.
"""

import ctypes
import importlib
import json
import os
import resource
import signal
import struct
import sys
from typing import Any, BinaryIO, Final

import msgspec

JOB: Final = struct.Struct("<Q")
ANSWER: Final = struct.Struct("<c?Q")  # what it is, whether this child ends now, the length of what follows
DONE, RAISED, NO_ROOM = b"d", b"r", b"m"
ENOUGH_JOBS: Final = 2_000  # a child does not get old: whatever leaks, leaks so far
ENOUGH_MEMORY: Final = 256 * 1024 * 1024
MAX_REASON: Final = 500
PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    parent, path = int(sys.argv[1]), json.loads(sys.argv[2])
    _die_with(parent)
    jobs, answers = _take_the_pipes()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no files
    os.nice(5)
    sys.path[:] = path
    done = 0
    while job := _next(jobs):
        kind, answer = _do(*msgspec.msgpack.decode(job))
        del job
        done += 1
        last = kind == NO_ROOM or done >= ENOUGH_JOBS or _resident() > ENOUGH_MEMORY
        answers.write(ANSWER.pack(kind, last, len(answer)))
        answers.write(answer)
        answers.flush()
        if last:
            return


def _die_with(parent: int) -> None:
    """A desk that is killed cannot tell its children."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):
        return  # not Linux: then the end of the input has to do
    if os.getppid() != parent:
        os._exit(0)


def _take_the_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Nothing that a job prints or reads gets between the frames."""
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    return jobs, answers


def _next(jobs: BinaryIO) -> bytes:
    head = jobs.read(JOB.size)
    return jobs.read(JOB.unpack(head)[0]) if len(head) == JOB.size else b""


def _do(target: str, cpu: int, memory: int, arguments: list[Any]) -> tuple[bytes, bytes]:
    _allow(cpu, memory)
    try:
        module, _, name = target.partition(":")
        function = getattr(importlib.import_module(module), name)
        return DONE, msgspec.msgpack.encode(function(*arguments))
    except MemoryError:
        return NO_ROOM, b""
    except BaseException as error:
        return RAISED, _reason(error).encode("utf-8", "replace")


def _allow(cpu: int, memory: int) -> None:
    """Seconds and bytes on top of what this child has used so far. Over the seconds the kernel ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + cpu
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (_pages(0) + memory, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        pass  # a system that does not count it so


def _pages(column: int) -> int:
    """Bytes of address space (0) or of memory (1) that this process has."""
    with open("/proc/self/statm", "rb") as found:
        return int(found.read().split()[column]) * resource.getpagesize()


def _resident() -> int:
    try:
        return _pages(1)
    except OSError:
        return 0


def _reason(error: BaseException) -> str:
    """A sentence that the code wrote for people, or else the kind of the error and what it says."""
    if isinstance(error, RecursionError):
        return "It is nested too deeply."
    said = getattr(error, "reason", None)
    if isinstance(said, str) and type(error).__module__.partition(".")[0] in ("hub", "connectors"):
        return said[:MAX_REASON]
    return f"{type(error).__name__}: {error}"[:MAX_REASON]


if __name__ == "__main__":
    main()
