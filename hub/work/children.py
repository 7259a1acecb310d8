"""What a stranger's bytes could make endless, huge or fatal is done in children that may be killed.

    answer = await children.run("connectors.email.reading:read", body)

A child is a fresh Python, never a fork: no secret is in its memory or environment, and it has none of the desk's files
and sockets. It does many jobs one after the other, each within its limits (hub/work/child.py); what breaks it costs
that job alone, another child takes its place. Children are made when they are needed, and end after a minute without
work or with the desk, however that ends. Called by hub.work.inbound and whatever else looks into what came in.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from typing import Any, Final

import msgspec
import structlog

from hub.errors import ParleyError, Unavailable
from hub.work import child

log = structlog.get_logger("children")

MIB: Final = 1024 * 1024
IDLE_SECONDS: Final = 60.0
AT_ONCE: Final = min(4, os.cpu_count() or 1)
_PASSED_ON: Final = ("LD_LIBRARY_PATH", "TZDIR")  # where Python itself finds its parts


class Limits(msgspec.Struct, frozen=True):
    """What one job may cost. `cpu` in whole seconds, `wall` seconds from handing it over, the rest in bytes."""

    cpu: int = 10
    wall: float = 20.0
    memory: int = 512 * MIB
    answer: int = 64 * MIB


LIMITS: Final = Limits()


class Failed(ParleyError):
    """The job's own fault, as a sentence for whoever looks at what it was about."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Broken(Exception):
    """A child ended in the middle of a job, or has no memory left. `first`: it was the first job that it had."""

    def __init__(self, reason: str, first: bool) -> None:
        super().__init__(reason)
        self.reason, self.first = reason, first


class _Child:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None and process.stdout is not None
        self.process, self._in, self._out = process, process.stdin, process.stdout
        self._jobs = 0
        self.retired = False

    async def ask(self, job: bytes, limits: Limits) -> tuple[bool, bytes]:
        """(whether it was done, its answer or the reason). After anything that this raises it is of no more use:
        Failed where the job is to blame, _Broken where the child may be."""
        self._jobs += 1
        try:
            async with asyncio.timeout(limits.wall):
                self._in.write(child.JOB.pack(len(job)))
                self._in.write(job)
                await self._in.drain()
                kind, last, length = child.ANSWER.unpack(await self._out.readexactly(child.ANSWER.size))
                if length > limits.answer:
                    raise Failed(f"What came of it has {length:,} bytes; {limits.answer:,} are possible.")
                answer = await self._out.readexactly(length)
        except TimeoutError:
            raise Failed(f"It took longer than {limits.wall:.0f} seconds.") from None
        except (asyncio.IncompleteReadError, OSError):
            raise await self._why(limits) from None
        if kind == child.NO_ROOM:
            raise self._broken(f"It took more than {limits.memory // MIB:,} MB of memory.")
        self.retired = last
        return kind == child.DONE, answer

    async def _why(self, limits: Limits) -> Exception:
        """It has ended, or closed its pipes, without an answer."""
        try:
            async with asyncio.timeout(2):
                status = await self.process.wait()
        except TimeoutError:
            return self._broken("It broke the program that reads it.")
        if status == -signal.SIGXCPU:
            return Failed(f"It took more than {limits.cpu} seconds of computing time.")
        what = f"signal {-status}" if status < 0 else f"status {status}"
        return self._broken(f"It ended the program that reads it ({what}).")

    def _broken(self, reason: str) -> _Broken:
        return _Broken(reason, self._jobs == 1)

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self._in.close()
        with contextlib.suppress(OSError):
            while await self._out.read(65_536):
                pass  # until the pipe has ended: it would stay open
        await self.process.wait()


class Children:
    """`at_once`: how many there are at most. `idle_seconds`: how long one is kept that has nothing to do."""

    def __init__(self, at_once: int = AT_ONCE, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._room = asyncio.Semaphore(at_once)
        self._idle: list[_Child] = []  # the one that worked last is the last
        self._idle_seconds = idle_seconds
        self._endings: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    async def run(self, target: str, *arguments: Any, limits: Limits = LIMITS) -> bytes:
        """Calls "package.module:function" with `arguments` in a child; its answer, encoded by msgspec as MessagePack.

        Raises Failed for what the function raised or what became of the child, Unavailable where there can be none.
        """
        job = msgspec.msgpack.encode((target, limits.cpu, limits.memory, arguments))
        async with self._room:
            try:
                done, answer = await self._with_one(job, limits)
            except _Broken as broken:
                log.warning("a child broke", target=target, why=broken.reason)
                if broken.first:
                    raise Failed(broken.reason) from None
                # It may have suffered from the jobs before this one: once more, in a child that has had none.
                try:
                    done, answer = await self._with_one(job, limits, fresh=True)
                except _Broken as again:
                    raise Failed(again.reason) from None
        if not done:
            raise Failed(answer.decode("utf-8", "replace"))
        return answer

    async def _with_one(self, job: bytes, limits: Limits, *, fresh: bool = False) -> tuple[bool, bytes]:
        one = self._idle.pop() if self._idle and not fresh else await self._make()
        try:
            answered = await one.ask(job, limits)
        except BaseException:
            self._end(one)
            raise
        if one.retired or self._stopped:
            self._end(one)
        else:
            self._idle.append(one)
            self._wait()
        return answered

    async def _make(self) -> _Child:
        if self._stopped:
            raise Unavailable("The desk is stopping.")
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-B", "-X", "utf8", child.__file__, str(os.getpid()), json.dumps(sys.path)),
                env={"LANG": "C.UTF-8", **{name: os.environ[name] for name in _PASSED_ON if name in os.environ}},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in a terminal is for the desk
            )
        except OSError as error:
            raise Unavailable(f"No process could be started to read it: {error.strerror}.") from None
        return _Child(process)

    # --- those that have nothing to do ---------------------------------------------------------------------------

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_idle)

    def _end_idle(self) -> None:
        while self._idle:
            self._end(self._idle.pop())

    def _end(self, one: _Child) -> None:
        task = asyncio.create_task(one.end())
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def stop(self) -> None:
        """Those at work are ended by whoever waits for them being cancelled."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        self._end_idle()
        await asyncio.gather(*self._endings, return_exceptions=True)

    async def __aenter__(self) -> "Children":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()
