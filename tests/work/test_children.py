"""Children that read what strangers sent: whatever it does to one of them, the next job is done."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from hub.errors import Unavailable
from hub.work.children import MIB, Children, Failed, Limits

POISON = "tests.work.poison"
PATIENT = Limits(cpu=1, wall=60.0, memory=128 * MIB)
QUICK = Limits(cpu=1, wall=3.0, memory=128 * MIB)


@pytest_asyncio.fixture
async def children() -> AsyncIterator[Children]:
    async with Children(1) as found:
        yield found


async def ask(children: Children, name: str, *arguments: Any, limits: Limits = PATIENT) -> Any:
    return msgspec.msgpack.decode(await children.run(f"{POISON}:{name}", *arguments, limits=limits))


async def test_a_child_does_one_job_after_the_other(children: Children) -> None:
    first = (await ask(children, "who"))[0]
    assert first != os.getpid()
    assert await ask(children, "length", b"x" * 5_000_000) == 5_000_000
    assert await ask(children, "echo", 1, "zwei", b"\0") == [1, "zwei", b"\0"], "what it prints is not its answer"
    assert (await ask(children, "who"))[0] == first


async def test_a_child_holds_nothing_of_the_desk(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_DATABASE", "postgresql://somebody:secret@example.org/desk")
    _, environment, pipes = await ask(children, "who")
    assert set(environment) <= {"LANG", "LD_LIBRARY_PATH", "TZDIR", "LC_CTYPE"}
    assert pipes == ["/dev/null"] * 3


async def test_a_child_writes_no_files(children: Children, tmp_path: Path) -> None:
    with pytest.raises(Failed, match="OSError"):
        await ask(children, "write_a_file", str(tmp_path / "found"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("loop", "more than 1 seconds of computing time"),
        ("sleep", "longer than 3 seconds"),
        ("eat", "more than 128 MB of memory"),
        ("recurse", "nested too deeply"),
        ("leave", "status 3"),
        ("quit", "SystemExit: enough"),
        ("crash", "signal 11"),
        ("complain", r"^It has no sender\.$"),
        ("stumble", "LookupError: unknown encoding"),
        ("nonsense", "TypeError"),
        ("not_there", "AttributeError"),
    ],
)
async def test_whatever_a_job_does_it_has_a_reason_and_the_next_one_is_done(
    children: Children, name: str, reason: str
) -> None:
    for _ in range(2):
        with pytest.raises(Failed, match=reason):
            await ask(children, name, b"x", limits=QUICK if name == "sleep" else PATIENT)
        assert await ask(children, "length", b"x") == 1


async def test_an_answer_is_bounded(children: Children) -> None:
    small = Limits(answer=1_000)
    with pytest.raises(Failed, match="1,000 are possible"):
        await ask(children, "swell", 100_000, limits=small)
    assert await ask(children, "length", b"x", limits=small) == 1


async def test_nobody_pays_for_what_the_jobs_before_did(children: Children) -> None:
    assert await ask(children, "second_time_crash") == "fine"
    assert await ask(children, "second_time_crash") == "fine", "it was tried again, in a child that is new"


async def test_a_child_that_has_grown_makes_way_for_a_new_one(children: Children) -> None:
    first = (await ask(children, "who"))[0]
    await ask(children, "hoard", 300 * MIB, limits=Limits())
    assert (await ask(children, "who"))[0] != first


async def test_a_child_ends_that_has_nothing_to_do() -> None:
    async with Children(2, idle_seconds=0.05) as children:
        pid = (await ask(children, "who"))[0]
        async with asyncio.timeout(30):
            while Path(f"/proc/{pid}").exists():
                await asyncio.sleep(0.01)


async def test_work_that_is_given_up_is_not_gone_on_with() -> None:
    async with Children(1) as children:
        pid = (await ask(children, "who"))[0]
        task = asyncio.create_task(ask(children, "loop", limits=Limits()))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await ask(children, "length", b"x") == 1
    assert not Path(f"/proc/{pid}").exists()


async def test_no_more_at_once_than_are_allowed() -> None:
    async with Children(2) as children:
        found = await asyncio.gather(*(ask(children, "who") for _ in range(20)))
        assert len({pid for pid, *_ in found}) <= 2


async def test_where_no_process_can_be_started_it_is_not_the_jobs_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Children(1) as children:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(Unavailable):
            await ask(children, "who")


ORPHAN = """
import asyncio, sys
from hub.work.children import Children
import msgspec

async def main():
    children = Children(1)
    pid = msgspec.msgpack.decode(await children.run("tests.work.poison:who"))[0]
    print(pid, flush=True)
    await children.run("tests.work.poison:sleep")

asyncio.run(main())
"""


@pytest.mark.faults
def test_children_of_a_killed_desk_end_with_it() -> None:
    desk = subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert desk.stdout is not None
    with desk.stdout:
        pid = int(desk.stdout.readline())
        time.sleep(0.2)
        desk.send_signal(signal.SIGKILL)
        desk.wait()
    until = time.monotonic() + 5
    while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < until, "it lives on"
        time.sleep(0.01)
