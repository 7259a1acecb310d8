"""POST /in/<inbox token>: what providers send. Bounded here, judged by the connector, stored by hub.work.inbound."""

from typing import Final

from aiohttp import web

from hub.connector import Raw
from hub.errors import not_found
from hub.web import body
from hub.web.forms import respond
from hub.web.keys import DESK
from hub.web.remote import remote
from hub.work import inbound

MAX_TOKEN: Final = 100


async def take(request: web.Request) -> web.StreamResponse:
    """403 and nothing stored for what is not genuine; else what the provider wants back, once it is on disk."""
    desk = request.app[DESK]
    token = request.match_info["token"]
    address = remote(request, desk.config.trusted_proxies)
    if len(token) > MAX_TOKEN:
        raise not_found("inbox")
    raw = Raw(
        method=request.method,
        url=desk.config.public_url.rstrip("/") + request.path_qs,
        query=request.query_string,
        headers=tuple((str(name), value) for name, value in request.headers.items()),
        body=await body.read(request),
        remote=address,
        received_at=desk.clock.now(),
    )
    reply = await inbound.webhook(desk.runner, token, raw)
    if reply.status == 404:
        desk.limits.stranger(address)  # tokens cannot be tried out
        raise not_found("inbox")
    return respond(reply)
