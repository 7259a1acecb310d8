"""The desk's own door for `parley` at the command line: a Unix socket in the data folder that only its user may open.

POST /<operation> with its arguments as JSON. The answer comes as lines of JSON: {"progress": …} while it lasts, then
one {"answer": …} or {"refused": …}.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog
from aiohttp import web

from hub import operations
from hub.errors import ParleyError, Refusal

log = structlog.get_logger("control")
TELL_EVERY_SECONDS: Final = 0.2


def runner(desk: operations.Desk) -> web.AppRunner:
    async def operate(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in operations.OPERATIONS:
            raise web.HTTPNotFound
        asked = await request.json(loads=msgspec.json.decode)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        latest: list[Any] = []
        work = asyncio.create_task(run(desk, name, asked, lambda *told: latest.__setitem__(slice(None), told)))
        try:
            while not (await asyncio.wait({work}, timeout=TELL_EVERY_SECONDS))[0]:
                if latest:
                    await _line(response, {"progress": latest})
            await _line(response, await work)
        finally:
            work.cancel()  # the one who asked went away
        return response

    app = web.Application()
    app.router.add_post("/{name}", operate)
    return web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=5.0)


async def run(
    desk: operations.Desk, name: str, asked: Mapping[str, Any], progress: operations.Progress
) -> dict[str, Any]:
    """The operation's answer, or why it was refused, as it goes over the socket."""
    try:
        return {"answer": await operations.OPERATIONS[name](desk, asked, progress)}
    except Refusal as refusal:
        return {"refused": refusal.text, "field": refusal.field}
    except ParleyError as error:
        return {"refused": str(error)}
    except Exception:
        log.exception("an operation failed", operation=name)
        return {"refused": "The desk failed at this; its log says why."}


async def _line(response: web.StreamResponse, line: dict[str, Any]) -> None:
    await response.write(msgspec.json.encode(line) + b"\n")
