"""How a command reaches the record: through the running desk's control socket, or by opening it while no desk runs.

Called by hub.cli. On SQLite just one process may write the file; on PostgreSQL any number may.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hub.clock import SystemClock
from hub.config import Config
from hub.db.sqlite import DeskLock
from hub.errors import StartRefused
from hub.operations import Progress

LOOKS_ONLY = ("doctor",)


async def ask(config: Config, name: str, asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """{"answer": …} or {"refused": …}."""
    if config.is_sqlite and await asyncio.to_thread(_is_running, config):
        return await _through_the_desk(config, name, asked, progress)
    return await _alone(config, name, asked, progress)


def _is_running(config: Config) -> bool:
    if not config.data.exists():
        return False
    lock = DeskLock(config.data)
    free = lock.acquire()
    lock.release()
    return not free


async def _alone(config: Config, name: str, asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from hub import app
    from hub.web.control import run

    looks = name in LOOKS_ONLY
    if looks and config.is_sqlite and not await asyncio.to_thread(config.database_path.exists):
        raise StartRefused(f"There is no desk in {config.data} yet.", "PARLEY_DATA says where to look.")
    desk = await asyncio.to_thread(app.build, config, None, "look" if looks else "command")
    async with desk:
        return await run(desk, name, asked, progress)


async def restore(config: Config, path: Path, progress: Progress) -> dict[str, Any]:
    """Fills an empty record from a backup. Nobody may be working on it meanwhile."""
    from hub import app
    from hub.db import restore as restoring
    from hub.db.s3 import contents_of

    async with contextlib.AsyncExitStack() as stack:
        if config.is_sqlite:
            stack.callback((await asyncio.to_thread(app.take_lock, config)).release)
        backend = app.backend_of(config, SystemClock())
        stack.push_async_callback(backend.close)
        await backend.open()
        files = await asyncio.to_thread(restoring.bring_contents, path, contents_of(config, SystemClock().now))
        done = await restoring.restore(
            backend, path, SystemClock().now(), lambda done, all: progress("restoring", done, all)
        )
        return {**done, **files}


async def _through_the_desk(config: Config, name: str, asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    connector = aiohttp.UnixConnector(path=str(config.control_path))
    with contextlib.suppress(aiohttp.ClientConnectionError):
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.post(f"http://desk/{name}", data=msgspec.json.encode(dict(asked))) as answer,
        ):
            async for line in answer.content:
                told: dict[str, Any] = msgspec.json.decode(line)
                if "progress" not in told:
                    return told
                progress(*told["progress"])
    raise StartRefused(
        f"A desk holds {config.data}, but does not answer at {config.control_path}.",
        "It may be starting or stopping: try again in a moment.",
    )
