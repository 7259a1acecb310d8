"""Signing in and out with a cookie, and who one is: POST, DELETE and GET /api/v1/session."""

from typing import Final

import msgspec
from aiohttp import web

from hub.db.tx import Rx
from hub.errors import not_found
from hub.staff import agents, sessions, signin
from hub.staff.access import Caller
from hub.web import body
from hub.web.auth import caller_of, cookie_name, require_own_origin, require_own_page, session_token
from hub.web.keys import DESK
from hub.web.remote import remote
from hub.web.rest import respond, typed

PATH: Final = "/api/v1/session"


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: str
    password: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what they may. `scopes` is null for a person who signed in: their role decides."""

    agent: agents.Agent
    permissions: list[str]
    scopes: list[str] | None


async def sign_in(request: web.Request) -> web.Response:
    """Starts a session and sets its cookie."""
    desk = request.app[DESK]
    require_own_origin(request)
    asked = typed(SignIn, await body.read_json(request))
    address = remote(request, desk.config.trusted_proxies)
    desk.limits.stranger(address)
    token, agent = await signin.sign_in(desk.store, asked.email, asked.password, address)
    grants = await desk.grants.get(agent.id)
    if grants is None:
        raise signin.refused()
    response = respond(Me(agent=agent, permissions=sorted(grants.permissions), scopes=None))
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
    response.del_cookie(cookie_name(request.app[DESK]), path="/")
    return response


async def who_am_i(request: web.Request) -> web.Response:
    caller = await caller_of(request)
    return respond(await request.app[DESK].store.read(_me, caller))


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


def _me(rx: Rx, caller: Caller) -> Me:
    agent = agents.get(rx, caller.grants.agent_id)
    if agent is None:
        raise not_found("agent")
    scopes = None if caller.scopes is None else sorted(caller.scopes)
    return Me(agent=agent, permissions=sorted(caller.grants.permissions), scopes=scopes)
