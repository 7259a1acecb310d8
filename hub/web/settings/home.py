"""GET /settings: everything that can be set, as far as the reader may see it."""

from aiohttp import web

from hub.staff.access import Caller
from hub.web.settings.frame import draw


async def home(request: web.Request, caller: Caller) -> web.Response:
    return await draw(request, caller, "home", "home")
