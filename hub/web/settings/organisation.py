"""Whose desk this is: the name that colleagues see where they come in."""

from typing import Final

from aiohttp import web

from hub.errors import Refusal
from hub.staff import organisation
from hub.staff.access import Caller
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, draw

PATH: Final = "/settings/organisation"


async def named(request: web.Request, caller: Caller) -> web.Response:
    return await _draw(request, caller, await request.app[DESK].store.read(organisation.name), {})


async def rename(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        await request.app[DESK].store.write(organisation.rename, caller, form.get("organisation"))
    except Refusal as refusal:
        return await _draw(request, caller, form.get("organisation"), plain.wrong(refusal))
    return back(PATH)


async def _draw(request: web.Request, caller: Caller, name: str, wrong: dict[str, str]) -> web.Response:
    return await draw(request, caller, "organisation", "organisation", wrong=wrong, name=name)
