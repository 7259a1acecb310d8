"""Every error as application/problem+json (RFC 9457): the one place that knows which status a refusal has."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from hub.errors import Refusal, Unavailable

CONTENT_TYPE: Final = "application/problem+json"
REQUEST_ID: Final = web.RequestKey("request_id", str)

# What the address in `type` ends in → status, title. The refusals of hub.errors, and what only HTTP knows.
KINDS: Final[Mapping[str, tuple[int, str]]] = {
    "malformed": (400, "This could not be read"),
    "unauthenticated": (401, "Sign in or send an API token"),
    "forbidden": (403, "Not allowed"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "This address does not take that method"),
    "too_slow": (408, "The request took too long to arrive"),
    "conflict": (409, "That does not fit how things are"),
    "stale": (409, "Something was said meanwhile"),
    "gone": (410, "Gone"),
    "precondition": (412, "It is no longer as you thought"),
    "too_large": (413, "Too large"),
    "uri_too_long": (414, "The address is too long"),
    "unsupported": (415, "Not in this form"),
    "expectation": (417, "That expectation cannot be met"),
    "wrong_host": (421, "The desk is not known under that name"),
    "invalid": (422, "Something in this is wrong"),
    "mismatch": (422, "The Idempotency-Key was used for something else"),
    "too_many": (429, "Too many requests"),
    "headers_too_large": (431, "The headers are too large"),
    "failed": (500, "The desk failed"),
    "not_implemented": (501, "That method is not known here"),
    "unavailable": (503, "Not just now"),
}
BY_STATUS: Final = {status: kind for kind, (status, _) in reversed(list(KINDS.items()))}


class Wrong(msgspec.Struct, frozen=True):
    """One wrong value: where it stands in the request ("contact.email"), and what is wrong with it."""

    path: str
    text: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What every error looks like. `detail` and texts are for a person; programs go by `type` and `errors[].path`."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Wrong] = []
    request_id: str = ""


class HttpError(Exception):
    """What only HTTP can get wrong; `kind` is one of KINDS."""

    def __init__(
        self, kind: str, detail: str, *, headers: Mapping[str, str] | None = None, close: bool = False
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers, self.close = kind, detail, dict(headers or {}), close


def malformed(detail: str) -> HttpError:
    return HttpError("malformed", detail)


def respond(error: Exception, request_id: str) -> web.Response:
    """The answer to an error of ours. Anything else is the desk's own failure and says nothing about itself."""
    if isinstance(error, Refusal):
        return _refusal(error, request_id)
    if isinstance(error, HttpError):
        response = _response(error.kind, error.detail, request_id)
        response.headers.update(error.headers)
        if error.close:
            response.force_close()
        return response
    if isinstance(error, Unavailable):
        response = _response("unavailable", error.text, request_id)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    if isinstance(error, web.HTTPException):
        return _of_aiohttp(error, request_id)
    return _response("failed", f"This is our fault. Tell whoever runs this desk the number {request_id}.", request_id)


def _refusal(error: Refusal, request_id: str) -> web.Response:
    extra = dict(error.extra)
    headers: dict[str, str] = {}
    if "retry_after" in extra:
        headers["Retry-After"] = str(extra["retry_after"])
    if error.code == "unauthenticated":
        # Whatever was wrong with the credential, the answer is the same to the last byte.
        headers["WWW-Authenticate"] = "Bearer"
        request_id, extra = "", {}
    errors = [Wrong(e.field, e.text) for e in error.errors]
    response = _response(error.code, error.text, request_id, errors, extra)
    response.headers.update(headers)
    return response


def _of_aiohttp(error: web.HTTPException, request_id: str) -> web.Response:
    kind = BY_STATUS.get(error.status, "failed" if error.status >= 500 else "malformed")
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        response = _response(kind, f"This address takes {allowed}.", request_id)
        response.headers["Allow"] = allowed
        return response
    detail = "There is nothing at this address." if kind == "not_found" else f"{KINDS[kind][1]}."
    return _response(kind, detail, request_id)


def _response(
    kind: str, detail: str, request_id: str, errors: list[Wrong] | None = None, extra: Mapping[str, Any] | None = None
) -> web.Response:
    status, _ = KINDS[kind]
    return web.Response(status=status, body=body(kind, detail, request_id, errors, extra), content_type=CONTENT_TYPE)


def body(
    kind: str,
    detail: str,
    request_id: str = "",
    errors: list[Wrong] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> bytes:
    status, title = KINDS[kind]
    problem = Problem(f"/problems/{kind}", title, status, detail, errors or [], request_id)
    if not extra:
        return msgspec.json.encode(problem)
    return msgspec.json.encode({**extra, **msgspec.to_builtins(problem)})


async def explain(request: web.Request) -> web.Response:
    """GET /problems/<kind>: the addresses in `type` lead somewhere."""
    found = KINDS.get(request.match_info["kind"])
    if found is None:
        raise HttpError("not_found", "There is nothing at this address.")
    status, title = found
    return web.Response(text=f"{status} {title}\n\ndocs/api.md tells what to do about it.\n")
