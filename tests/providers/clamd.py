"""A small clamd: it speaks INSTREAM over a real socket, knows one virus, and may be told to stay silent or to break."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
MOST = 25_000_000  # StreamMaxLength


class Clamd:
    """`does`: "look", "silent" (never answers), "break" (hangs up), "limit" (says that it was too much)."""

    def __init__(self) -> None:
        self.does: Literal["look", "silent", "break", "limit"] = "look"
        self.looked: list[int] = []  # sizes
        self.serving: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here = asyncio.current_task()
        assert here is not None
        self.serving.add(here)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
            data = b""
            while length := struct.unpack(">I", await reader.readexactly(4))[0]:
                data += await reader.readexactly(length)
            self.looked.append(len(data))
            if self.does == "silent":
                await asyncio.sleep(60)
            elif self.does == "limit":
                writer.write(b"INSTREAM size limit exceeded. ERROR\0")
            elif self.does == "look":
                writer.write(b"stream: Eicar-Test-Signature FOUND\0" if EICAR in data else b"stream: OK\0")
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def clamd(path: Path) -> AsyncIterator[Clamd]:
    """Listens at `path` until it ends."""
    server = Clamd()
    listening = await asyncio.start_unix_server(server.serve, path)
    try:
        yield server
    finally:
        listening.close()
        for task in server.serving:
            task.cancel()
        await asyncio.gather(*server.serving, return_exceptions=True)
