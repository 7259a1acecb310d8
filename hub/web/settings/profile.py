"""One's own profile: name, languages, password."""

from typing import Any, Final

from aiohttp import web
from msgspec import UNSET

from hub import catalogues
from hub.db.tx import Rx, Tx
from hub.desk import own_mail
from hub.errors import Refusal, invalid
from hub.staff import agents, sessions, signin
from hub.staff.access import Caller
from hub.web import plain
from hub.web.keys import DESK
from hub.web.remote import remote
from hub.web.session import set_cookie
from hub.web.settings.frame import Form, back, draw, where

PATH: Final = "/settings/profile"


async def profile(request: web.Request, caller: Caller) -> web.Response:
    return await _draw(request, caller, {}, {})


async def change_profile(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        await request.app[DESK].store.write(_change, caller, form)
    except Refusal as refusal:
        return await _draw(request, caller, form.values, plain.wrong(refusal))
    return back(PATH)


async def change_password(request: web.Request, caller: Caller, form: Form) -> web.Response:
    """Every session ends with it; the one that asked goes on as a new one."""
    desk = request.app[DESK]
    agent_id, address = caller.grants.agent_id, remote(request, desk.config.trusted_proxies)
    try:
        await signin.change_password(desk.store, agent_id, form.get("current"), form.get("new"), address)
    except Refusal as refusal:
        return await _draw(request, caller, {}, plain.wrong(refusal))
    response = back(PATH, "password")
    set_cookie(request, response, await desk.store.write(sessions.start, agent_id, where(request)))
    return response


async def prove_address(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(_prove, caller)
    return back(PATH, "proving")


def _prove(tx: Tx, caller: Caller) -> None:
    if own_mail.to_agent(tx, agents.get(tx, caller.grants.agent_id), "address") is None:
        raise Refusal("conflict", "The desk writes no mail of its own yet. An administrator chooses an inbox for that.")


async def _draw(request: web.Request, caller: Caller, values: dict[str, str], wrong: dict[str, str]) -> web.Response:
    def look(rx: Rx) -> dict[str, Any]:
        me = caller.grants.agent_id
        return {
            "proved": agents.proved_at(rx, me) is not None,
            "mails": own_mail.inbox(rx) is not None,
            "signature": agents.signature(rx, me),
        }

    found = await request.app[DESK].store.read(look)
    return await draw(request, caller, "profile", "profile", wrong=wrong, values=values, **found)


def _change(tx: Tx, caller: Caller, form: Form) -> None:
    language = form.get("language") or None
    if language is not None and language not in catalogues.LANGUAGES:
        raise invalid("language", "There is no such language.")
    agents.change(
        tx,
        caller,
        caller.grants.agent_id,
        name=form.get("name") if form.on("name") else UNSET,
        language=language,
        languages=form.words("languages") if form.on("languages") else UNSET,
    )
    if form.on("signature"):
        agents.sign(tx, caller, form.get("signature"))
