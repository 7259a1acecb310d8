"""What blocked contacts sent: kept as it came, taken in after all where somebody asks for it."""

from typing import Final

from aiohttp import web

from hub.db.tx import Rx
from hub.desk import blocking, inboxes
from hub.desk.blocking import Chatted, Kept
from hub.staff.access import Caller
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, draw, named
from hub.web.settings.quarantine import asked

PATH: Final = "/settings/blocked"
AT_ONCE: Final = 25


async def kept(request: web.Request, caller: Caller) -> web.Response:
    before = asked(request, "before")

    def look(rx: Rx) -> tuple[list[Kept], list[Chatted], dict[int, str]]:
        found = blocking.kept(rx, caller, before=before, limit=AT_ONCE + 1)
        chats = blocking.chatted(rx, caller) if before is None else []
        return found, chats, {inbox.id: inbox.name for inbox in inboxes.all_of_them(rx)}

    found, chats, names = await request.app[DESK].store.read(look)
    return await draw(
        request,
        caller,
        "blocked",
        "blocked",
        items=found[:AT_ONCE],
        chats=chats,
        names=names,
        older=found[AT_ONCE - 1].id if len(found) > AT_ONCE else None,
        restores="tickets.change" in caller.grants.permissions,
    )


async def restore(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(blocking.restore, caller, named(request))
    return back(PATH, "restored")
