"""What a mail of the desk leads to, and what asks for one: a forgotten password; whether an address is one's own."""

from aiohttp import web

from hub.desk import forgotten, own_mail
from hub.errors import Refusal
from hub.staff import links, one_time
from hub.web import plain
from hub.web.auth import require_own_origin
from hub.web.keys import DESK
from hub.web.pages import page
from hub.web.remote import remote


async def forgot(request: web.Request) -> web.Response:
    return await _forgot(request)


async def forgot_it(request: web.Request) -> web.Response:
    """The same answer for every address, whoever's it is."""
    require_own_origin(request)
    desk = request.app[DESK]
    address = remote(request, desk.config.trusted_proxies)
    desk.limits.stranger(address)
    given = await plain.form(request)
    try:
        await desk.store.write(forgotten.ask, given.get("email", ""), address)
    except Refusal as refusal:
        if refusal.code != "too_many":
            raise
        return await _forgot(request, often=True, status=429)
    return await _forgot(request, asked=True)


async def _forgot(request: web.Request, *, asked: bool = False, often: bool = False, status: int = 200) -> web.Response:
    mails = await request.app[DESK].store.read(own_mail.inbox) is not None
    return await page(request, "forgot.html", status=status, mails=mails, asked=asked, often=often)


async def address(request: web.Request) -> web.Response:
    """A page with a button: what only looks at links (many mail servers do) confirms nothing."""
    desk = request.app[DESK]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    if not await desk.store.read(links.holds, "address", request.match_info["secret"]):
        return await page(request, "gone.html", status=404, hint="address")
    return await page(request, "address.html", done=False)


async def confirm(request: web.Request) -> web.Response:
    require_own_origin(request)
    desk = request.app[DESK]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    try:
        await desk.store.write(one_time.confirm_address, request.match_info["secret"])
    except Refusal:
        return await page(request, "gone.html", status=404, hint="address")
    return await page(request, "address.html", done=True)
