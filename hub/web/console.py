"""The agents' console: the way in (/, /sign-in, /sign-out) and the page that its scripts fill (/inbox, /queue)."""

from typing import Final
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web

from hub.catalogues import best
from hub.commands import own
from hub.db.tx import Rx
from hub.desk import first_run
from hub.errors import Refusal
from hub.staff import agents, sessions, signin
from hub.staff.access import Caller
from hub.web import file_links, pages, plain, second_step
from hub.web.auth import cookie_name, require_own_origin, session_token
from hub.web.keys import DESK
from hub.web.middleware import CSP
from hub.web.pages import page
from hub.web.remote import remote
from hub.web.session import set_cookie

HOME: Final = "/inbox"
_CSP: Final = CSP.replace(
    "img-src 'self' data:", "img-src 'self' data: blob:{files}; media-src 'self' blob:{files}"
) + "; trusted-types lit-html; frame-src 'self'"  # fmt: skip
PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(self), payment=(), usb=()"  # for voice notes


async def home(request: web.Request) -> web.Response:
    if await plain.reader(request) is not None:
        return plain.seen_other(HOME)
    if await request.app[DESK].store.read(agents.administrators):
        return plain.seen_other("/sign-in")
    return await page(request, "home.html")


async def sign_in(request: web.Request) -> web.Response:
    onward = plain.inside(request.query.get("next")) or HOME
    if await plain.reader(request) is not None:
        return plain.seen_other(onward)
    return await page(request, "sign_in.html", values={}, wrong={}, onward=onward)


async def signed_in(request: web.Request) -> web.Response:
    desk = request.app[DESK]
    require_own_origin(request)
    given = await plain.form(request)
    onward = plain.inside(given.get("next")) or HOME
    address = remote(request, desk.config.trusted_proxies)
    desk.limits.stranger(address)
    browser = request.headers.get(hdrs.USER_AGENT)
    try:
        token, _ = await signin.sign_in(desk.store, given.get("email", ""), given.get("password", ""), address, browser)
    except signin.SecondStep as more:
        return await second_step.ask(request, more.step, onward, enrol=more.enrol)
    except Refusal as refusal:
        status = 429 if refusal.code == "too_many" else 422
        wrong = {"": "too_many" if refusal.code == "too_many" else "wrong"}
        return await page(request, "sign_in.html", status=status, values=given, wrong=wrong, onward=onward)
    response = plain.seen_other(onward)
    set_cookie(request, response, token)
    return response


async def sign_out(request: web.Request) -> web.Response:
    require_own_origin(request)
    token = session_token(request)
    if token:
        await request.app[DESK].store.write(sessions.end, token)
    response = plain.seen_other("/sign-in")
    response.del_cookie(cookie_name(request.app[DESK]), path="/")
    return response


def to_sign_in(request: web.Request) -> web.Response:
    return plain.seen_other(f"/sign-in?next={quote(request.path_qs, safe='/')}")


async def console(request: web.Request) -> web.Response:
    """One page for every screen: which it is, the script reads from the address."""
    caller = await plain.reader(request)
    if caller is None:
        return to_sign_in(request)
    me, first = await request.app[DESK].store.read(_me, caller)
    drawn = await pages.ready()
    lang = best(request.headers.get(hdrs.ACCEPT_LANGUAGE), wish=me.agent.language)
    catalogue = drawn.address(f"catalogue/console-{lang}.json")
    boot = {"me": msgspec.to_builtins(me), "catalogue": catalogue, "version": drawn.version, "first_run": first}
    response = await page(request, "console.html", wish=lang, boot=boot, catalogue=catalogue, modules=drawn.modules)
    response.headers["Content-Security-Policy"] = file_links.allowed(_CSP, request.app[DESK])
    response.headers["Permissions-Policy"] = PERMISSIONS
    return response


def _me(rx: Rx, caller: Caller) -> tuple[own.MeAnswer, dict[str, int] | None]:
    """(who it is, what is left of the first run for whoever looks after the desk)."""
    left = first_run.left(rx) if first_run.MANAGE in caller.grants.permissions else None
    return own.me(rx, caller), left
