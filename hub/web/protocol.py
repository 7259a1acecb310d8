"""HTTP below the routes: what is malformed, too long or too slow is answered here, as a problem like every error.

hub.web.server listens with the `Runner`. aiohttp parses strictly; this names its refusals, gives them the headers that
every answer has, and ends a head that trickles in.
"""

import asyncio
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, LineTooLong
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDict

from hub.web import problem
from hub.web.keys import DESK
from hub.web.middleware import new_request_id, security_headers
from hub.web.problem import REQUEST_ID, HttpError

log = structlog.get_logger("web")

HEAD_SECONDS: Final = 10.0
KEEP_ALIVE_SECONDS: Final = 30
MAX_LINE: Final = 8_190
MAX_FIELD: Final = 8_192  # not the same as a line's, so that an error tells which of them it was
MAX_HEADERS: Final = 100
_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Protocol(RequestHandler):
    """One connection."""

    __slots__ = ("_always", "_head_timer")

    def __init__(self, server: web.Server, always: CIMultiDict[str], **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._always = always
        self._head_timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        waiter = self._waiter
        if waiter is None or waiter.done() or self._messages:  # a request is whole, or one is being answered
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
        elif self._head_timer is None:
            self._head_timer = self._loop.call_later(HEAD_SECONDS, self._head_too_slow)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().connection_lost(exc)

    def _head_too_slow(self) -> None:
        self._head_timer = None
        if self.transport is not None:
            self.transport.write(_TOO_SLOW)
        self.force_close()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Nothing of ours has seen the request: its framing is wrong, or aiohttp itself failed."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is on its way already")
        request_id = request[REQUEST_ID] = new_request_id()
        if status >= 500:
            log.error("failed", request_id=request_id, exc_info=exc)
            return self._dressed(problem.respond(exc if isinstance(exc, Exception) else Exception(), request_id))
        error = _named(exc)
        log.info("malformed request", request_id=request_id, kind=error.kind, error=type(exc).__name__)
        return self._dressed(problem.respond(error, request_id))

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPException) and resp.status >= 400:  # raised around the middleware
            resp = self._dressed(problem.respond(resp, request.get(REQUEST_ID) or new_request_id()))
        return await super().finish_response(request, resp, start_time)

    def _dressed(self, response: web.Response) -> web.Response:
        for name, value in self._always.items():
            response.headers.setdefault(name, value)
        response.force_close()
        return response


def _named(exc: BaseException | None) -> HttpError:
    if isinstance(exc, LineTooLong):
        if len(exc.args) > 1 and str(exc.args[1]) == str(MAX_LINE):
            return HttpError("uri_too_long", f"The first line is longer than {MAX_LINE:,} bytes.", close=True)
        return HttpError("headers_too_large", f"A header is longer than {MAX_FIELD:,} bytes.", close=True)
    if "Too many headers" in str(exc):
        return HttpError("headers_too_large", f"There are more than {MAX_HEADERS} headers.", close=True)
    if isinstance(exc, BadHttpMethod) and "HTTPS" not in str(exc):
        return HttpError("not_implemented", "That method is not known here.", close=True)
    return HttpError("malformed", "This is not the HTTP/1.1 that a desk understands.", close=True)


class _Server(web.Server):
    """aiohttp's, making connections of ours."""

    def __init__(self, like: web.Server, always: CIMultiDict[str]) -> None:
        super().__init__(like.request_handler, request_factory=like.request_factory, loop=like._loop, **like._kwargs)
        self.always = always

    def __call__(self) -> RequestHandler:
        return Protocol(self, self.always, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Serves an application that holds a desk."""

    def __init__(self, app: web.Application, *, shutdown_timeout: float = 15.0) -> None:
        super().__init__(
            app,
            access_log=None,
            handle_signals=False,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            shutdown_timeout=shutdown_timeout,
            auto_decompress=False,
            max_line_size=MAX_LINE,
            max_field_size=MAX_FIELD,
            max_headers=MAX_HEADERS,
            lingering_time=2.0,
        )
        self._always = security_headers(app[DESK].config)

    async def _make_server(self) -> web.Server:
        return _Server(await super()._make_server(), self._always)
