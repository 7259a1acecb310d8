"""A disk that is full, that fails, and that is made to keep its promise: what was acknowledged has reached it."""

import asyncio
import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db.sqlite import SqliteBackend
from tests.faults.harness import Victim, hidden, ledger_of, verdict

pytestmark = pytest.mark.faults


def refused(line: bytes) -> bool:
    return b'"as":"refused"' in line


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A real file system of 64 MB where we may mount one; elsewhere the tests below limit the size of files instead."""
    folder = Path(tempfile.mkdtemp(prefix="small-"))
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "parley-test", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    yield folder
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)
    shutil.rmtree(folder, ignore_errors=True)


class Filler:
    """Takes all room of a disk, or, on one that cannot be filled, all room a process may write."""

    def __init__(self, folder: Path, victim: Victim) -> None:
        self.path = folder / "filler"
        self.pid = victim.process.pid
        self.real = os.path.ismount(folder)

    def fill(self) -> None:
        if not self.real:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            return
        with self.path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            for size in (65_536, 4_096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * size)

    def empty(self) -> None:
        if self.real:
            self.path.unlink()
        else:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


async def test_a_full_disk_refuses_and_an_emptied_one_is_written_again(small_disk: Path) -> None:
    path = small_disk / "parley.db"

    def run() -> Victim:
        with Victim(str(path), "--callers", "4", "--size", "300") as victim:
            seen = victim.ready().acknowledged(100)
            filler = Filler(small_disk, victim)
            for _ in range(3):
                filler.fill()
                seen = victim.wait_for(refused, count=40, since=seen)
                filler.empty()
                seen = victim.acknowledged(100, since=seen, seconds=10)
            victim.kill()
        return victim

    victim = await asyncio.to_thread(run)
    ledger = ledger_of(victim)
    assert ledger.count("ok") >= 400
    assert await verdict(SqliteBackend(path), ledger) == []
    assert hidden(small_disk) == []


async def test_writes_that_fail_refuse_and_store_nothing_of_their_batch(tmp_path: Path) -> None:
    """Beyond a limit on its size every write to the file fails, in the middle of a transaction as well."""
    path = tmp_path / "parley.db"

    def run() -> Victim:
        with Victim(str(path), "--callers", "32", "--size", "3000") as victim:
            seen = victim.ready().acknowledged(50)
            for more in (0, 40_000, 150_000):
                size = max(path.stat().st_size, path.with_name("parley.db-wal").stat().st_size)
                resource.prlimit(victim.process.pid, resource.RLIMIT_FSIZE, (size + more, resource.RLIM_INFINITY))
                seen = victim.wait_for(refused, count=40, since=seen)
                unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
                resource.prlimit(victim.process.pid, resource.RLIMIT_FSIZE, unlimited)
                seen = victim.acknowledged(50, since=seen, seconds=10)
            victim.kill()
        return victim

    ledger = ledger_of(await asyncio.to_thread(run))
    assert await verdict(SqliteBackend(path), ledger) == []


# --- fsync before the answer -----------------------------------------------------------------------------------------

WROTE = re.compile(r"(?:pwrite64|write|pwritev)\(\d+<[^>]*-wal>")
SYNCED = re.compile(r"(?:fdatasync|fsync)\(\d+<[^>]*-wal>\)\s*= 0")
STARTED = re.compile(r"(?:fdatasync|fsync)\(\d+<[^>]*-wal> <unfinished")
RESUMED = re.compile(r"<\.\.\. (?:fdatasync|fsync) resumed>\)\s*= 0")
ANSWERED = re.compile(r'write\(1<[^>]*>, "\{\\"did\\"')


def unproved(trace: list[str]) -> tuple[int, int]:
    """(answers, those of them before which something written to the log had not been synced)."""
    answers, bad, dirty, syncing = 0, 0, True, False
    for line in trace:
        if ANSWERED.search(line):
            answers += 1
            bad += dirty
            dirty = True  # each answer needs a sync of its own where there is one caller
        elif STARTED.search(line):
            syncing = True
        elif SYNCED.search(line) or (syncing and RESUMED.search(line)):
            dirty, syncing = False, False
        elif WROTE.search(line):
            dirty = True
    return answers, bad


def test_a_trace_without_a_sync_is_found() -> None:
    wrote, sync, answer = (
        '7 pwrite64(6</a/parley.db-wal>, "", 4096, 32) = 4096',
        "7 fdatasync(6</a/parley.db-wal>) = 0",
        '8 write(1<pipe:[3]>, "{\\"did\\":\\"a\\"}\\n", 12) = 12',
    )
    assert unproved([wrote, sync, answer]) == (1, 0)
    assert unproved([wrote, answer, sync]) == (1, 1)
    assert unproved([wrote, sync, wrote, answer]) == (1, 1)
    assert unproved([wrote, sync, answer, answer]) == (2, 1)
    cut = ["7 fdatasync(6</a/parley.db-wal> <unfinished ...>", "7 <... fdatasync resumed>) = 0"]
    assert unproved([wrote, *cut, answer]) == (1, 0)


def test_every_answer_comes_after_the_disk_has_said_yes(tmp_path: Path) -> None:
    count = 1_000 if os.environ.get("PARLEY_TEST_ALL") else 100
    assert shutil.which("strace"), "strace counts the system calls here: apt-get install strace"
    trace = tmp_path / "trace"
    calls = "trace=pwrite64,write,pwritev,fdatasync,fsync"
    before = ("strace", "-f", "-y", "-s", "64", "-e", calls, "-o", str(trace))
    (tmp_path / "data").mkdir()
    options = ("--callers", "1", "--limit", str(count))
    with Victim(str(tmp_path / "data" / "parley.db"), *options, before=before) as victim:
        assert victim.ended() == 0, victim.complaints
    assert unproved(trace.read_text(errors="replace").splitlines()) == (count, 0)


def test_a_second_desk_on_the_same_file_refuses(tmp_path: Path) -> None:
    path = str(tmp_path / "parley.db")
    with Victim(path, "--callers", "2", "--name", "first") as first:
        seen = first.ready().acknowledged(10)
        with Victim(path, "--name", "second") as second:
            assert second.ended() == 3
            assert second.lines == [b'{"refused": "another desk"}\n']
        first.acknowledged(10, since=seen)
        first.process.send_signal(signal.SIGKILL)
        first.ended()
        with Victim(path, "--limit", "1", "--name", "third") as third:
            assert third.ended() == 0, third.complaints
