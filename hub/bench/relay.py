"""A bad network before a desk: a TCP relay on which every connection comes to grief in its own way. For storms."""

import asyncio
import contextlib
import random
from collections import Counter
from typing import Any, Final, Literal

Fault = Literal["reset", "close", "no answers", "no questions", "stall", "slices", "cut"]
FAULTS: Final[tuple[Fault, ...]] = ("reset", "close", "no answers", "no questions", "stall", "slices", "cut")
DEAF: Final = (0.05, 0.4)  # seconds from when nothing comes through to the end of the connection


class Relay:
    """`calm`: from then on everything comes through and nothing ends. `ended`: how many came to which end."""

    def __init__(self, port: int, chance: random.Random, life: float) -> None:
        self.to, self.chance, self.life = port, chance, life
        self.calm = False
        self.ended: Counter[str] = Counter()
        self._running: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> "Relay":
        self._server = await asyncio.start_server(self._come, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            there, away = await asyncio.open_connection("127.0.0.1", self.to)
            await _Passage(self, self.chance.choice(FAULTS)).run((reader, writer), (there, away))
        except (OSError, asyncio.CancelledError):  # cancelled: the storm is over
            writer.transport.abort()
        finally:
            self._running.discard(task)


End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Passage:
    """One connection through the relay: well for a while, then its fault, then its end."""

    def __init__(self, relay: Relay, fault: Fault) -> None:
        self.relay, self.fault = relay, fault
        self.ill = False
        self.over = asyncio.Event()

    async def run(self, client: End, desk: End) -> None:
        ways = [
            asyncio.create_task(self._pass(client[0], desk[1], self.fault in ("no questions", "stall"))),
            asyncio.create_task(self._pass(desk[0], client[1], self.fault in ("no answers", "stall"))),
        ]
        try:
            if not self.relay.calm:
                await self._fall_ill()
            await self.over.wait()
        finally:
            for way in ways:
                way.cancel()
            for _, writer in (client, desk):
                if self.fault == "close":
                    writer.close()
                else:
                    writer.transport.abort()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _fall_ill(self) -> None:
        chance, relay = self.relay.chance, self.relay
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(chance.expovariate(1 / relay.life)):
                await self.over.wait()
        if relay.calm:
            return
        self.ill = True
        if self.fault in ("no answers", "no questions", "stall", "cut"):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(chance.uniform(*DEAF)):
                    await self.over.wait()
        relay.ended[self.fault] += 1
        self.over.set()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deaf: bool) -> None:
        try:
            while data := await reader.read(65_536):
                if self.ill and deaf:
                    continue  # swallowed: whoever sent it believes that it has come
                if self.ill and self.fault == "cut":
                    writer.write(data[: len(data) // 2])
                    break
                if self.fault == "slices":
                    for at in range(0, len(data), 7):
                        writer.write(data[at : at + 7])
                        await asyncio.sleep(0)
                else:
                    writer.write(data)
                await writer.drain()
        except OSError:
            pass
        self.over.set()
