"""GET /demo: a small shop with a contact form of its own and the chat. To try things out, and for the tests."""

import secrets

from aiohttp import web

from hub.db.tx import Rx
from hub.desk import first_run, inboxes
from hub.web.keys import DESK
from hub.web.pages import page
from hub.web.preview import SHOP_POLICY
from hub.web.remote import remote
from hub.web.setup import with_form


async def demo(request: web.Request) -> web.Response:
    desk = request.app[DESK]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    form, chat = await desk.store.read(_doors)
    response = await page(
        request,
        "demo.html",
        token=form.token if form else "",
        client_id=secrets.token_urlsafe(16),  # sent along, so that a form sent twice from one page is one message
        chat=f"{desk.config.public_url.rstrip('/')}/w/{chat.token}.js" if chat else "",
    )
    response.headers["Content-Security-Policy"] = SHOP_POLICY
    return response


def _doors(rx: Rx) -> tuple[inboxes.Inbox | None, inboxes.Inbox | None]:
    """(the oldest inbox with a form, the oldest live one)."""
    live = [inbox for inbox in first_run.real_inboxes(rx) if inbox.enabled and inbox.features.live]
    return with_form(rx), min(live, key=lambda inbox: inbox.id, default=None)
