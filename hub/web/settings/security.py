"""One's own second factor, and the browsers in which one is signed in."""

import re
from typing import Final

import msgspec
from aiohttp import web

from hub.db.tx import Rx, Tx
from hub.errors import Refusal
from hub.staff import agents, sessions, signin, two_factor
from hub.staff.access import Caller
from hub.staff.sessions import Session
from hub.web import plain, qr
from hub.web.auth import session_token
from hub.web.keys import DESK
from hub.web.remote import remote
from hub.web.second_step import issuer
from hub.web.settings.frame import Form, back, draw, named

PATH: Final = "/settings/security"
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "Mac")),
    *(("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


class Shown(msgspec.Struct, frozen=True):
    session: Session
    browser: str
    system: str


async def security(request: web.Request, caller: Caller) -> web.Response:
    return await _draw(request, caller, {}, "")


async def begin(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(two_factor.begin, caller.grants.agent_id)
    return plain.seen_other(f"{PATH}#two-factor")


async def confirm(request: web.Request, caller: Caller, form: Form) -> web.Response:
    def do(tx: Tx, caller: Caller, code: str) -> list[str]:
        return two_factor.confirm(tx, caller, caller.grants.agent_id, code)

    try:
        codes = await signin.with_code(request.app[DESK].store, caller, _address(request), do, form.get("code"))
    except Refusal as refusal:
        return await _draw(request, caller, plain.wrong(refusal), "confirm")
    return await draw(request, caller, "codes", "security", codes=codes)


async def new_codes(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        codes = await signin.with_code(
            request.app[DESK].store, caller, _address(request), two_factor.new_codes, form.get("code")
        )
    except Refusal as refusal:
        return await _draw(request, caller, plain.wrong(refusal), "codes")
    return await draw(request, caller, "codes", "security", codes=codes)


async def end(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        await signin.with_code(request.app[DESK].store, caller, _address(request), two_factor.end, form.get("code"))
    except Refusal as refusal:
        return await _draw(request, caller, plain.wrong(refusal), "off")
    return back(PATH, "two-factor-off")


async def end_session(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(sessions.end_one, caller, named(request))
    return back(PATH, "ended")


async def end_others(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(sessions.end_others, caller, session_token(request) or "")
    return back(PATH, "others-ended")


async def _draw(request: web.Request, caller: Caller, wrong: dict[str, str], at: str) -> web.Response:
    """`at`: the form that `wrong` belongs to."""
    desk, agent_id = request.app[DESK], caller.grants.agent_id
    token = session_token(request)

    def look(rx: Rx) -> tuple[two_factor.State, bool, list[Session]]:
        return two_factor.state(rx, agent_id), two_factor.is_required(rx), sessions.listed(rx, agent_id, token)

    state, required, found = await desk.store.read(look)
    secret = await desk.store.write(two_factor.pending, agent_id) if state.begun else None
    uri = two_factor.uri(secret, await _email(request, agent_id), issuer(desk)) if secret else None
    return await draw(
        request,
        caller,
        "security",
        "security",
        wrong=wrong,
        at=at,
        state=state,
        required=required,
        secret=secret,
        picture=await qr.picture(uri) if uri else None,
        sessions=[Shown(one, *described(one.browser)) for one in found],
    )


async def _email(request: web.Request, agent_id: int) -> str:
    return (await request.app[DESK].store.read(agents.get, agent_id)).email


def described(browser: str | None) -> tuple[str, str]:
    """What a browser calls itself, as far as people know the names: (browser, system), empty where nobody can tell."""
    told = browser or ""
    name = next((shown for mark, shown in _BROWSERS if mark in told), "")
    system = next((shown for mark, shown in _SYSTEMS if mark in told), "")
    return name or (re.split(r"[/ ]", told)[0][:40] if told else ""), system


def _address(request: web.Request) -> str:
    return remote(request, request.app[DESK].config.trusted_proxies)
