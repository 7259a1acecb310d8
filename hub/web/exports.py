"""GET /api/v1/tickets.csv, /contacts.csv: a list as CSV, written as it is read, a slice at a time.

Reading and writing down a slice is done in a reader's thread and takes a few milliseconds; then as long is left to
others. Whoever loses their rights while it goes on loses the connection: what they have is then not taken for all.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from aiohttp import web

from hub.commands.perform import permit
from hub.commands.table import Command
from hub.db.tx import Rx
from hub.desk import exports
from hub.desk.exports import Sheet
from hub.desk.sheet import MARK, Separator, lines
from hub.errors import ParleyError, Refusal, Unavailable
from hub.staff.access import Caller
from hub.web.auth import caller_of, same_caller
from hub.web.keys import DESK
from hub.web.rest import Door

log = structlog.get_logger("web")

PATIENCE: Final = 60.0  # seconds in which whoever asked has to take what a slice is
AT_ONCE: Final = 2  # exports of one agent
MOST: Final = 4  # of all
REST: Final = 0.1  # seconds at most that are left to others after a slice


class GoingOn:
    """The exports of this desk, counted by agent."""

    def __init__(self) -> None:
        self.of: Counter[int] = Counter()
        self.over = False  # the desk stops: what is not whole by now will not be


GOING_ON: Final[web.AppKey[GoingOn]] = web.AppKey("exports")


def mount(app: web.Application) -> None:
    app[GOING_ON] = GoingOn()
    app.on_shutdown.append(_stop)


async def _stop(app: web.Application) -> None:
    app[GOING_ON].over = True


def handler(command: Command) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    door = Door(command)

    async def serve(request: web.Request) -> web.StreamResponse:
        caller = await caller_of(request)
        permit(command, caller)
        asked = await door.request(request)
        sheet: Sheet = await request.app[DESK].store.read(_sheet, command, caller, asked)
        agent_id, going_on = caller.grants.agent_id, request.app[GOING_ON].of
        if going_on[agent_id] >= AT_ONCE or going_on.total() >= MOST:
            busy = "Other exports are going on. Try again when they are done."
            raise Refusal("too_many", busy, extra={"retry_after": 30})
        going_on[agent_id] += 1
        try:
            return await _answer(request, command, caller, asked.separator, sheet)
        finally:
            going_on[agent_id] -= 1

    serve.__name__ = command.name
    return serve


def _sheet(rx: Rx, command: Command, caller: Caller, asked: Any) -> Sheet:
    assert command.read is not None
    sheet: Sheet = command.read(rx, caller, asked)
    return sheet


async def _answer(
    request: web.Request, command: Command, caller: Caller, separator: Separator, sheet: Sheet
) -> web.StreamResponse:
    store, what = request.app[DESK].store, command.noun
    day = datetime.fromtimestamp(request.app[DESK].clock.now() / 1000, UTC).date()
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8; header=present",
            "Content-Disposition": f'attachment; filename="{what}-{day.isoformat()}.csv"',
        }
    )
    if request.method == "HEAD":
        await response.prepare(request)
        return response
    part, after = await store.read(_slice, sheet, caller, separator, 0)
    await store.write(exports.note, caller, what)
    await response.prepare(request)
    try:
        await _write(response, MARK.encode() + lines([sheet.head], separator) + part)
        while after is not None:
            if request.app[GOING_ON].over:
                raise Unavailable
            caller = await same_caller(request)
            permit(command, caller)
            began = time.monotonic()
            part, after = await store.read(_slice, sheet, caller, separator, after)
            await asyncio.sleep(min(time.monotonic() - began, REST))
            if part:
                await _write(response, part)
        await response.write_eof()
    except (ParleyError, TimeoutError) as error:
        log.warning("an export was broken off", what=what, agent=caller.grants.agent_id, why=type(error).__name__)
        if request.transport is not None:
            request.transport.abort()
    return response


def _slice(rx: Rx, sheet: Sheet, caller: Caller, separator: Separator, after: int) -> tuple[bytes, int | None]:
    found = sheet.slice(rx, caller, after)
    return lines(found.rows, separator), found.after


async def _write(response: web.StreamResponse, part: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        await response.write(part)
