"""Asks a virus scanner about a content before it gets its name: clamd, by the socket that PARLEY_CLAMD names.

The protocol is clamd's INSTREAM: the bytes go over the socket in pieces with their length in front, an empty piece ends
them, and one line comes back. Whatever else happens means that nobody has looked.
"""

import asyncio
import struct
from pathlib import Path
from typing import Final, Literal

import structlog

from hub.db.contents import PIECE

log = structlog.get_logger("files")

CONNECT_SECONDS: Final = 3.0
SECONDS: Final = 30.0  # for all of it
Verdict = Literal["off", "clean", "failed"]


class Infected(Exception):
    """`name`: what the scanner calls it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A virus was found in it ({name}), so it was not kept.")
        self.name = name


class Scanner:
    """`address`: the path of a socket, `host:port`, or "" where nobody looks."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def look(self, path: Path) -> Verdict:
        """Raises Infected. "failed": the scanner could not be asked, or did not know."""
        if not self._address:
            return "off"
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._ask(path)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            log.warning("the virus scanner does not answer", error=type(error).__name__)
            return "failed"
        said = answer.rstrip(b"\0\n").decode("utf-8", "replace").removeprefix("stream: ")
        if said.endswith(" FOUND"):
            raise Infected("".join(c for c in said.removesuffix(" FOUND") if c.isprintable())[:100])
        if said != "OK":
            log.warning("the virus scanner could not look at a file", said=said[:200])
            return "failed"
        return "clean"

    async def _ask(self, path: Path) -> bytes:
        reader, writer = await self._connect()
        try:
            writer.write(b"zINSTREAM\0")
            with await asyncio.to_thread(path.open, "rb") as file:
                while piece := await asyncio.to_thread(file.read, PIECE):
                    writer.write(struct.pack(">I", len(piece)) + piece)
                    await writer.drain()
            writer.write(struct.pack(">I", 0))
            await writer.drain()
            return await reader.readuntil(b"\0")
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, colon, port = self._address.rpartition(":")
        async with asyncio.timeout(CONNECT_SECONDS):
            if colon and port.isdigit() and "/" not in self._address:
                return await asyncio.open_connection(host.strip("[]"), int(port))
            return await asyncio.open_unix_connection(self._address)
