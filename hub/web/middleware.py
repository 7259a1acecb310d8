"""The one layer around every handler: request id, address and host, errors as problems, headers on every answer."""

import itertools
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware
from multidict import CIMultiDict

from hub.config import Config
from hub.errors import ParleyError, Unavailable
from hub.web import body, problem
from hub.web.figures import HTTP
from hub.web.problem import REQUEST_ID, HttpError
from hub.web.remote import Hosts, host_of

log = structlog.get_logger("web")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CSP: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self'; "
    "font-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
_PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"

_prefix: Final = secrets.token_hex(5)
_numbers: Final = itertools.count(1)


def new_request_id() -> str:
    return f"{_prefix}-{next(_numbers):x}"


def security_headers(config: Config) -> CIMultiDict[str]:
    """On every answer, whatever its status. A page that needs another policy sets it, and then keeps its own."""
    headers = CIMultiDict(
        {
            "Content-Security-Policy": CSP,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": _PERMISSIONS,
            "Cache-Control": "no-store",
        }
    )
    if config.is_https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def dress(always: CIMultiDict[str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """The signal that puts `always` on an answer just before it leaves."""
    pairs = tuple(always.items())

    async def headers(request: web.Request, response: web.StreamResponse) -> None:
        mine = response.headers
        for name, value in pairs:
            mine.setdefault(name, value)
        mine["Server"] = "Parley"  # aiohttp has put its own there
        mine["X-Request-Id"] = request.get(REQUEST_ID) or new_request_id()
        HTTP.count(route_of(request), request.method, response.status)

    return headers


def guard(config: Config) -> Middleware:
    hosts = Hosts(config.public_url)
    files_host = host_of(config.content_url)
    # Asked by machines under whatever name their network has for us; what they answer is tied to no name.
    by_any_name = {"/healthz", "/metrics"} if config.metrics_token else {"/healthz"}

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = request[REQUEST_ID] = new_request_id()
        try:
            if request.version.major != 1:
                raise HttpError("malformed", "The desk speaks HTTP/1.1.", close=True)
            named = request.headers.getall(hdrs.HOST, ())
            if files_host and len(named) == 1 and host_of(f"//{named[0]}") == files_host:
                if not request.path.startswith("/files/"):
                    raise HttpError("wrong_host", "Only files are answered under this name.", close=True)
            elif (len(named) != 1 or not hosts.knows(named[0])) and request.path not in by_any_name:
                _refuse_host(request, len(named))
            body.check_address(request.raw_path)
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return problem.respond(error, request_id)
        except web.RequestPayloadError:
            return problem.respond(
                HttpError("malformed", "The body ended early or is framed wrongly.", close=True), request_id
            )
        except ConnectionError:
            raise
        except Unavailable as error:
            log.warning("unavailable", request_id=request_id, route=route_of(request))
            return problem.respond(error, request_id)
        except (ParleyError, HttpError) as error:
            return problem.respond(error, request_id)
        except Exception as error:
            log.exception("failed", request_id=request_id, method=request.method, route=route_of(request))
            return problem.respond(error, request_id)

    return around


def _refuse_host(request: web.Request, named: int) -> None:
    if named == 1:
        raise HttpError("wrong_host", "The desk does not answer under this name.", close=True)
    if named or request.version >= (1, 1):
        raise HttpError("malformed", "There has to be one Host header.", close=True)


def route_of(request: web.Request) -> str:
    """The route's pattern for logs and figures: never what stood in the address itself."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
