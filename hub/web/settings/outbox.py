"""Whether anything may leave, and what waits to: after a restore it is frozen until a person has looked."""

from typing import Final

from aiohttp import web

from hub.db.tx import Rx
from hub.desk import deliveries, outbox
from hub.desk.outbox import Waiting
from hub.staff.access import Caller
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, draw, named

PATH: Final = "/settings/outbox"
AT_ONCE: Final = 100


async def waiting(request: web.Request, caller: Caller) -> web.Response:
    def look(rx: Rx) -> tuple[bool, list[Waiting]]:
        return outbox.is_frozen(rx), outbox.waiting(rx, caller, limit=AT_ONCE + 1)

    frozen, found = await request.app[DESK].store.read(look)
    more = len(found) > AT_ONCE
    return await draw(request, caller, "outbox", "outbox", frozen=frozen, items=found[:AT_ONCE], more=more)


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    freeze = form.get("state") == outbox.FROZEN
    await request.app[DESK].store.write(outbox.freeze if freeze else outbox.thaw, caller)
    return back(PATH, outbox.FROZEN if freeze else outbox.OPEN)


async def cancel(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(deliveries.cancel, caller, named(request))
    return back(PATH, "cancelled")
