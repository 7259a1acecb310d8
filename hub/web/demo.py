"""GET /demo: a small shop whose own contact form writes into the desk. To try things out, and for the tests."""

import secrets

from aiohttp import web

from hub.web.keys import DESK
from hub.web.pages import page
from hub.web.remote import remote
from hub.web.setup import with_form


async def demo(request: web.Request) -> web.Response:
    desk = request.app[DESK]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    inbox = await desk.store.read(with_form)
    # Sent along, so that a form sent twice from one page is one message.
    return await page(request, "demo.html", token=inbox.token if inbox else "", client_id=secrets.token_urlsafe(16))
