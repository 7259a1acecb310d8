"""Signing in and out with a cookie: POST and DELETE /api/v1/session. Who one is says the command `read_me`."""

from typing import Final

import msgspec
from aiohttp import hdrs, web

from hub.staff import sessions, signin
from hub.web import body
from hub.web.auth import caller_of, cookie_name, require_own_origin, require_own_page, session_token
from hub.web.keys import DESK
from hub.web.remote import remote
from hub.web.rest import respond, typed

PATH: Final = "/api/v1/session"


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`code`: of the authenticator app, or a recovery code, for whoever has a second factor."""

    email: str
    password: str
    code: str | None = None


async def sign_in(request: web.Request) -> web.Response:
    """Starts a session and sets its cookie."""
    desk = request.app[DESK]
    require_own_origin(request)
    asked = typed(SignIn, await body.read_json(request))
    address = remote(request, desk.config.trusted_proxies)
    desk.limits.stranger(address)
    browser = request.headers.get(hdrs.USER_AGENT)
    try:
        token, agent = await signin.sign_in(desk.store, asked.email, asked.password, address, browser)
    except signin.SecondStep as more:
        if asked.code is None or more.enrol:
            raise
        token, agent = await signin.second_step(desk.store, more.step, asked.code, address, browser)
    response = respond(agent)
    set_cookie(request, response, token)
    return response


async def sign_out(request: web.Request) -> web.Response:
    """Ends the session of the cookie, and no other."""
    await caller_of(request)
    require_own_page(request)
    token = session_token(request)
    if token:
        await request.app[DESK].store.write(sessions.end, token)
    response = web.Response(status=204)
    desk = request.app[DESK]
    # With the same attributes as it was set, or a browser does not take it for the same cookie.
    response.del_cookie(cookie_name(desk), path="/", secure=desk.config.is_https, httponly=True, samesite="Lax")
    return response


def set_cookie(request: web.Request, response: web.StreamResponse, token: str) -> None:
    desk = request.app[DESK]
    response.set_cookie(
        cookie_name(desk),
        token,
        max_age=sessions.LONGEST // 1000,
        path="/",
        secure=desk.config.is_https,
        httponly=True,
        samesite="Lax",
    )
