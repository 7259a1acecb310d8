"""The system check: what `parley doctor` looks at, and what only a browser can see: the live socket through whatever
stands between, the fallback, the clock."""

from typing import Final

from aiohttp import web

from hub import __version__
from hub.staff.access import Caller
from hub.web import pages
from hub.web.keys import DESK
from hub.web.rest import respond
from hub.web.settings.frame import draw

PATH: Final = "/settings/health"
_LONG: Final = ("integrity", "counters")  # read the whole database


async def check(request: web.Request, caller: Caller) -> web.Response:
    from hub import doctor

    desk = request.app[DESK]
    everything = "all" in request.query
    found = await doctor.look(desk, lambda _what, _done, _all: None, but=() if everything else _LONG)
    drawn = await pages.ready()
    return await draw(
        request,
        caller,
        "health",
        "check",
        findings=found,
        all=everything,
        version=__version__,
        database=desk.store.backend.name,
        url=desk.config.public_url,
        more_scripts=[drawn.address("js/check.js")],
    )


async def clock(request: web.Request, caller: Caller) -> web.Response:
    return respond({"now": request.app[DESK].clock.now()})
