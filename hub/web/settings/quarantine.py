"""What came in and could not be understood: as it came, to be read again or dropped."""

from typing import Final

from aiohttp import web

from hub.db.tx import Rx
from hub.desk import inbound, inboxes
from hub.desk.inbound import Quarantined
from hub.staff.access import Caller
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, draw, named, number

PATH: Final = "/settings/quarantine"
AT_ONCE: Final = 25


async def held(request: web.Request, caller: Caller) -> web.Response:
    before, only = asked(request, "before"), asked(request, "inbox")

    def look(rx: Rx) -> tuple[list[Quarantined], dict[int, str]]:
        found = inbound.quarantined(rx, caller, before=before, limit=AT_ONCE + 1, inbox_id=only)
        return found, {inbox.id: inbox.name for inbox in inboxes.all_of_them(rx)}

    found, names = await request.app[DESK].store.read(look)
    items = found[:AT_ONCE]
    older = items[-1].id if len(found) > AT_ONCE else None
    return await draw(request, caller, "quarantine", "quarantine", items=items, names=names, older=older, only=only)


async def retry(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(inbound.retry, caller, named(request))
    return back(PATH, "retried")


async def drop(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(inbound.discard, caller, named(request))
    return back(PATH, "dropped")


def asked(request: web.Request, name: str) -> int | None:
    """An id in the query; what is none is as if it were not there."""
    try:
        return number(request.query.get(name, ""))
    except ValueError:
        return None
