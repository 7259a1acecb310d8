"""Pages that connectors serve to strangers: `/f/<inbox token>` and what stands below it. Mounted by hub.web.routes.

The hub finds the inbox, bounds the body and counts requests; what is shown and taken is the connector's business.
"""

from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web

from hub.connector import Raw, Reply, Route
from hub.errors import not_found
from hub.web import body
from hub.web.keys import DESK
from hub.web.problem import HttpError
from hub.web.remote import remote

_SET_BY_US: Final = frozenset({"content-length", "content-type", "connection", "transfer-encoding", "set-cookie"})


async def page(request: web.Request) -> web.Response:
    """Any method: the connector's routes say which there are."""
    desk = request.app[DESK]
    address = remote(request, desk.config.trusted_proxies)
    desk.limits.stranger(address)
    inbox = await desk.runner.inbox(request.match_info["token"])
    if inbox is None or not inbox.enabled or not inbox.features.form:
        raise not_found("page")
    route = _route(desk.runner.connector(inbox).routes(), request.method, request.match_info.get("path", ""))
    taken = await body.read(request, route.max_body) if request.body_exists else b""
    raw = Raw(
        method=request.method,
        url=desk.config.public_url.rstrip("/") + request.path,
        query=request.query_string,
        headers=tuple((str(name), value) for name, value in request.headers.items()),
        body=taken,
        remote=address,
        received_at=desk.clock.now(),
    )
    return respond(await route.handler(raw))


def _route(routes: Sequence[Route], method: str, path: str) -> Route:
    wanted = hdrs.METH_GET if method == hdrs.METH_HEAD else method
    here = [route for route in routes if route.path == path]
    if not here:
        raise not_found("page")
    for route in here:
        if route.method == wanted:
            return route
    raise HttpError(
        "method_not_allowed",
        "This address does not take that method.",
        headers={hdrs.ALLOW: ", ".join(sorted(route.method for route in here))},
    )


def respond(reply: Reply) -> web.Response:
    """A connector's answer as HTTP. Framing and cookies are ours: a connector sets neither."""
    response = web.Response(status=reply.status, body=reply.body)
    response.headers[hdrs.CONTENT_TYPE] = reply.content_type
    for name, value in reply.headers:
        if name.lower() not in _SET_BY_US:
            response.headers.add(name, value)
    return response
