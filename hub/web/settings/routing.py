"""What routing goes by in the whole desk; what differs by inbox stands with the inbox."""

import asyncio
import functools
import zoneinfo
from typing import Final

from aiohttp import web

from hub.desk import routing_settings
from hub.errors import Refusal, invalid
from hub.staff.access import Caller
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, draw

PATH: Final = "/settings/routing"


async def rules(request: web.Request, caller: Caller) -> web.Response:
    return await _draw(request, caller, None, {})


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        away, long = _minutes(form, "auto_away_minutes"), _minutes(form, "long_wait_minutes")
        given = {"auto_away_minutes": away, "long_wait_minutes": long, "zone": form.get("zone").strip()}
        await request.app[DESK].store.write(lambda tx: routing_settings.change(tx, caller, **given))
    except Refusal as refusal:
        return await _draw(request, caller, form, plain.wrong(refusal))
    return back(PATH)


async def _draw(request: web.Request, caller: Caller, form: Form | None, wrong: dict[str, str]) -> web.Response:
    now = await request.app[DESK].store.read(routing_settings.read)
    values = form.values if form else {name: getattr(now, name) for name in now.__struct_fields__}
    return await draw(request, caller, "routing", "routing", wrong=wrong, values=values, zones=await time_zones())


async def time_zones() -> list[str]:
    """All that there are, by name. Looked up in a thread: they are files."""
    return await asyncio.to_thread(_zones)


@functools.cache
def _zones() -> list[str]:
    return sorted(zoneinfo.available_timezones())


def _minutes(form: Form, name: str) -> int:
    found = form.whole(name)
    if isinstance(found, str):
        raise invalid(name, "Write a whole number of minutes; 0: never.")
    return found
