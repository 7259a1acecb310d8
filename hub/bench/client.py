"""A small HTTP client for load: keep-alive, one request in flight a connection, so little work that it is never what is
measured."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

Request = Callable[[], bytes]
END: Final = b"\r\n\r\n"


def request(method: str, path: str, port: int, body: bytes = b"", **headers: str) -> bytes:
    """`content_type` becomes Content-Type."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, load: "Load") -> None:
        self._load, self._got, self._sent = load, b"", 0.0

    def connection_made(self, transport: Any) -> None:  # uvloop's is no asyncio.Transport
        self._transport = transport
        self._send()

    def _send(self) -> None:
        if self._load.over:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(self._load.next())

    def data_received(self, data: bytes) -> None:
        got = self._got = self._got + data if self._got else data
        head = got.find(END)
        if head < 0:
            return
        at = got.find(b"Content-Length: ", 0, head)
        length = int(got[at + 16 : got.find(b"\r", at)]) if at >= 0 else 0
        if len(got) < head + 4 + length:
            return
        self._got = b""
        self._load.answered(int(got[9:12]), time.perf_counter() - self._sent, got)
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._load.lost()


class Load:
    """`connections` at once for `seconds`; then `rate`, `latencies` and how many answers were not 2xx."""

    def __init__(self, port: int, connections: int, following: Request) -> None:
        self.next = following
        self.over = False
        self.latencies: list[float] = []
        self.wrong = 0
        self.sample = b""  # of the answers that were wrong
        self.rate = 0.0
        self._port, self._open = port, connections
        self._done = asyncio.Event()

    async def run(self, seconds: float) -> "Load":
        loop = asyncio.get_running_loop()
        for _ in range(self._open):
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
        await asyncio.sleep(min(0.3, seconds / 4))  # warm
        self.latencies.clear()
        started = time.perf_counter()
        await asyncio.sleep(seconds)
        self.rate = len(self.latencies) / (time.perf_counter() - started)
        self.over = True
        await asyncio.wait_for(self._done.wait(), 30)
        return self

    def answered(self, status: int, seconds: float, answer: bytes) -> None:
        self.latencies.append(seconds)
        if not 200 <= status < 300:
            self.wrong += 1
            self.sample = answer[:1_000]

    def lost(self) -> None:
        self._open -= 1
        if self._open == 0:
            self._done.set()
