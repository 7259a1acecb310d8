"""The rule for signing in: whether everybody needs a second factor."""

from typing import Final

from aiohttp import web

from hub.db.tx import Rx, Tx
from hub.errors import Refusal
from hub.staff import two_factor
from hub.staff.access import Caller
from hub.staff.agents import Agent
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.agents import staff
from hub.web.settings.frame import Form, back, draw

PATH: Final = "/settings/sign-in"


async def rules(request: web.Request, caller: Caller) -> web.Response:
    return await _draw(request, caller, {})


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    def do(tx: Tx) -> None:
        two_factor.require(tx, caller, form.on("required"), at_once=form.on("at_once"))

    try:
        await request.app[DESK].store.write(do)
    except Refusal as refusal:
        return await _draw(request, caller, plain.wrong(refusal))
    return back(PATH)


async def _draw(request: web.Request, caller: Caller, wrong: dict[str, str]) -> web.Response:
    def look(rx: Rx) -> tuple[bool, list[Agent]]:
        found = staff(rx)
        without = [a for a in found.agents if a.disabled_at is None and a.id not in found.two_factor]
        return two_factor.is_required(rx), without

    required, without = await request.app[DESK].store.read(look)
    return await draw(request, caller, "sign_in", "desk", wrong=wrong, required=required, without=without)
