"""The second step of a sign-in: a code of the authenticator app, or setting that up where everybody has to have it.

The secret of the step goes from form to form: it is worth nothing without a code, and ten minutes at the longest.
"""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from hub.errors import Refusal
from hub.staff import signin, two_factor
from hub.web import plain, qr
from hub.web.auth import require_own_origin
from hub.web.keys import DESK, Desk
from hub.web.pages import page
from hub.web.remote import remote
from hub.web.session import set_cookie

PATH: Final = "/sign-in/code"
ENROL: Final = "/sign-in/two-factor"


async def ask(request: web.Request, step: str, onward: str, *, enrol: bool) -> web.Response:
    """The page after the right password."""
    return await (_enrolment if enrol else _code)(request, step, onward, {}, 200)


async def code(request: web.Request) -> web.Response:
    desk, given, step, onward, address = await _sent(request)
    try:
        token, _ = await signin.second_step(desk.store, step, given.get("code", ""), address, _browser(request))
    except Refusal as refusal:
        if refusal.code == "gone":
            return await _over(request, onward)
        return await _code(request, step, onward, plain.wrong(refusal), 429 if refusal.code == "too_many" else 422)
    response = plain.seen_other(onward)
    set_cookie(request, response, token)
    return response


async def enrol(request: web.Request) -> web.Response:
    """The recovery codes are on the page that answers, with the session's cookie, and never again."""
    desk, given, step, onward, address = await _sent(request)
    try:
        token, _, codes = await signin.enrol(desk.store, step, given.get("code", ""), address, _browser(request))
    except Refusal as refusal:
        if refusal.code == "gone":
            return await _over(request, onward)
        status = 429 if refusal.code == "too_many" else 422
        return await _enrolment(request, step, onward, plain.wrong(refusal), status)
    response = await page(request, "sign_in_codes.html", codes=codes, onward=onward)
    set_cookie(request, response, token)
    return response


def issuer(desk: Desk) -> str:
    """How the app names it: by its host, for whoever works at several desks."""
    return f"Parley {urlsplit(desk.config.public_url).hostname or ''}".strip()


async def _sent(request: web.Request) -> tuple[Desk, dict[str, str], str, str, str]:
    desk = request.app[DESK]
    require_own_origin(request)
    given = await plain.form(request)
    address = remote(request, desk.config.trusted_proxies)
    desk.limits.stranger(address)
    return desk, given, given.get("step", ""), plain.inside(given.get("next")) or "/inbox", address


async def _code(request: web.Request, step: str, onward: str, wrong: dict[str, str], status: int) -> web.Response:
    return await page(request, "sign_in_code.html", status=status, step=step, onward=onward, wrong=wrong)


async def _enrolment(request: web.Request, step: str, onward: str, wrong: dict[str, str], status: int) -> web.Response:
    desk = request.app[DESK]
    try:
        secret, email = await signin.enrolment(desk.store, step)
    except Refusal:
        return await _over(request, onward)
    return await page(
        request,
        "sign_in_enrol.html",
        status=status,
        step=step,
        onward=onward,
        wrong=wrong,
        secret=secret,
        picture=await qr.picture(two_factor.uri(secret, email, issuer(desk))),
    )


async def _over(request: web.Request, onward: str) -> web.Response:
    return await page(request, "sign_in.html", status=422, values={}, wrong={"": "over"}, onward=onward)


def _browser(request: web.Request) -> str | None:
    return request.headers.get(hdrs.USER_AGENT)
