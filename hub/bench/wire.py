"""A WebSocket client that does next to nothing, so that it is never what is measured; for the benches of hub.live."""

import asyncio
from collections.abc import Callable
from typing import Any

Heard = Callable[[bytes], None]
PING = b'{"type":"ping"}'
PONG = b'{"type":"pong"}'


class Wire(asyncio.Protocol):
    """One connection. `heard` gets every text frame's payload; without it, what comes is only counted in bytes."""

    def __init__(self, head: bytes, heard: Heard | None) -> None:
        self.head, self.heard = head, heard
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False
        self.bytes = 0
        self._got = b""

    def connection_made(self, transport: Any) -> None:  # uvloop's is no asyncio.Transport
        self.transport = transport
        transport.write(self.head)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if not self.open.done():
            self.open.set_exception(ConnectionError("no socket was opened"))

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        if not self.open.done():
            self._got += data
            head, end, rest = self._got.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head[:20]:
                self.open.set_exception(ConnectionError(head.decode(errors="replace")[:200]))
                return
            self.open.set_result(None)
            data, self._got = rest, b""
        if self.heard is not None and data:
            self._frames(data)

    def _frames(self, data: bytes) -> None:
        got = self._got + data if self._got else data
        at = 0
        while len(got) - at >= 2:
            length, start = got[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(got[at + 2 : at + 4]), at + 4
            elif length == 127:
                length, start = int.from_bytes(got[at + 2 : at + 10]), at + 10
            if len(got) < start + length:
                break
            if got[at] & 15 == 1:
                assert self.heard is not None
                text = got[start : start + length]
                if text == PING:
                    self.say(PONG)
                else:
                    self.heard(text)
            at = start + length
        self._got = got[at:]

    def say(self, text: bytes) -> None:
        """Masked with nothing, as is allowed."""
        size = len(text)
        head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2)
        self.transport.write(head + b"\0\0\0\0" + text)


async def connect(port: int, heard: Heard | None = None, path: str = "/live", origin: str | None = None) -> Wire:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *([f"Origin: {origin}"] if origin else []),
    ]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    _, wire = await asyncio.get_running_loop().create_connection(lambda: Wire(head, heard), "127.0.0.1", port)
    await wire.open
    return wire
