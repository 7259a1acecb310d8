"""Listens and speaks HTTP: the public port, and in SQLite's case the control socket. Started by hub.serve."""

import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from aiohttp import web

from hub.errors import StartRefused

BACKLOG: Final = 1024


def bind(host: str, port: int) -> socket.socket:
    """Takes the address before anything else is opened; nobody is answered yet."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, proto)
    except OSError as error:
        raise StartRefused(f"PARLEY_HOST={host} is no address of this machine: {error.strerror}.") from None
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError as error:
        taken.close()
        raise StartRefused(
            f"Cannot listen on {host}, port {port}: {error.strerror}.",
            f"Is something else using it (`ss -ltnp sport = :{port}` tells)? PARLEY_PORT chooses another.",
        ) from None
    taken.setblocking(False)
    return taken


@contextlib.asynccontextmanager
async def answering(runner: web.AppRunner, taken: socket.socket) -> AsyncIterator[None]:
    """Answers on `taken` until left; then what is being answered may finish, for as long as `runner` says."""
    await runner.setup()
    try:
        await web.SockSite(runner, taken, backlog=BACKLOG).start()
        yield
    finally:
        await runner.cleanup()


def bind_file(path: Path) -> socket.socket:
    """A Unix socket that only this user may open. The caller holds the desk's lock, what lies there is a dead one's."""
    if len(os.fsencode(path)) > 100:
        raise StartRefused(f"The path {path} is too long for a socket.", "Give PARLEY_DATA a shorter path.")
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    taken = socket.socket(socket.AF_UNIX)
    taken.bind(os.fspath(path))
    path.chmod(0o600)
    taken.setblocking(False)
    return taken
