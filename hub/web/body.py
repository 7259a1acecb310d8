"""Reading a request: bounded and timed bytes, strict JSON, a strict query, a plain path. For rest, session, webhooks.

Strict means that what two readers could understand differently is refused: keys given twice, numbers beyond 64 bits,
NaN, other encodings. (The standard library's JSON with a hook costs 4 µs for 400 bytes; msgspec keeps the last of two
keys silently.)
"""

import asyncio
import json
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, NoReturn
from urllib.parse import unquote_to_bytes

from aiohttp import hdrs, web

from hub.errors import invalid
from hub.web.problem import HttpError, malformed

MAX_BODY: Final = 1_000_000
MAX_DEPTH: Final = 20
GRACE_SECONDS: Final = 10.0  # after these a body has to have come at MIN_RATE on average
MIN_RATE: Final = 1_000  # bytes a second
_LEAST, _MOST = -(2**63), 2**63 - 1
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")

# --- bytes -----------------------------------------------------------------------------------------------------------


async def read(request: web.Request, most: int = MAX_BODY) -> bytes:
    """The body as it came. Compressed ones are refused unread: a few kilobytes could become gigabytes."""
    await begin(request, most)
    content = request.content
    if content.is_eof():
        return content.read_nowait(-1) if content.total_bytes <= most else _refuse_large(most)
    return b"".join([part async for part in paced(content.readany, most)])


async def begin(request: web.Request, most: int) -> None:
    """Refuses by the head what need not be read, and tells whoever waits for it to go on."""
    headers = request.headers
    if hdrs.CONTENT_ENCODING in headers:
        raise HttpError("unsupported", "Send the body as it is, without Content-Encoding.", close=True)
    length = request.content_length
    if length is not None and length > most:
        raise too_large(most)
    if hdrs.EXPECT in headers:
        await _go_on(request)


async def stream(request: web.Request, most: int) -> AsyncIterator[bytes]:
    """The body as it comes, never more than `most` bytes of it."""
    await begin(request, most)
    async for part in paced(request.content.readany, most):
        yield part


async def paced(more: Callable[[], Awaitable[bytes]], most: int) -> AsyncIterator[bytes]:
    """What `more` brings until it brings nothing: at most so many bytes, and not too slowly."""
    loop = asyncio.get_running_loop()
    started, size = loop.time(), 0
    while True:
        deadline = started + GRACE_SECONDS + size / MIN_RATE
        try:
            async with asyncio.timeout_at(deadline):
                part = await more()
        except TimeoutError:
            raise HttpError("too_slow", "The body did not arrive in time.", close=True) from None
        if not part:
            return
        size += len(part)
        if size > most:
            raise too_large(most)
        yield part


async def _go_on(request: web.Request) -> None:
    """For `Expect: 100-continue`, which is answered only now that the head is found good."""
    if request.headers[hdrs.EXPECT].lower() != "100-continue":
        raise HttpError("expectation", "Only `100-continue` can be expected here.", close=True)
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0


def too_large(most: int) -> HttpError:
    return HttpError("too_large", f"The body is larger than {most:,} bytes.", close=True)


def _refuse_large(most: int) -> NoReturn:
    raise too_large(most)


# --- JSON ------------------------------------------------------------------------------------------------------------


async def read_json(request: web.Request) -> dict[str, Any]:
    """A JSON object in UTF-8, or an error that says what it is instead."""
    declared = request.headers.get(hdrs.CONTENT_TYPE, "")
    if declared != "application/json" and not _is_json(declared):
        raise HttpError("unsupported", "Send JSON in UTF-8, with `Content-Type: application/json`.")
    return strict_object(await read(request))


def _is_json(declared: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in declared.split(";"))
    return kind == "application/json" and all(p in ("charset=utf-8", 'charset="utf-8"', "") for p in parameters)


def strict_object(raw: bytes) -> dict[str, Any]:
    value = strict_json(raw)
    if not isinstance(value, dict):
        raise invalid("", "Send a JSON object, that is, one in braces.")
    return value


def strict_json(raw: bytes) -> Any:
    if not raw:
        raise malformed("The body is empty. Send a JSON object.")
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise malformed("The body begins with a byte order mark. Send UTF-8 without one.")
    try:
        value = _decoder.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise malformed(f"The body is not UTF-8 (at byte {error.start}).") from None
    except RecursionError:
        raise malformed(f"The JSON is nested deeper than {MAX_DEPTH}.") from None
    except json.JSONDecodeError as error:
        raise malformed(f"The body is not JSON: {error.msg} (at character {error.pos}).") from None
    except ValueError as error:
        if isinstance(error, _Refused):
            raise malformed(str(error)) from None
        raise malformed("A number in the JSON has too many digits.") from None  # int() stops at 4,300
    _walk(value, "", 0)
    return value


class _Refused(ValueError):
    pass


def _no_pair_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("A key stands twice in one object of the JSON.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is no JSON.")


_decoder = json.JSONDecoder(object_pairs_hook=_no_pair_twice, parse_constant=_no_constant)


def _walk(value: Any, path: str, depth: int) -> None:
    """What is JSON, but what no database or no answer could carry."""
    kind = type(value)
    if kind is str:
        if not value.isascii() or "\0" in value:
            _text(value, path)
    elif kind is int:
        if not _LEAST <= value <= _MOST:
            raise invalid(path, "This number is outside 64 bits.")
    elif kind is float:
        if not math.isfinite(value):
            raise invalid(path, "This number is too large.")
    elif kind is dict or kind is list:
        if depth >= MAX_DEPTH:
            raise malformed(f"The JSON is nested deeper than {MAX_DEPTH}.")
        if kind is dict:
            for key, inner in value.items():
                _text(key, path)
                _walk(inner, f"{path}.{key}" if path else key, depth + 1)
        else:
            for number, inner in enumerate(value):
                _walk(inner, f"{path}[{number}]", depth + 1)


def _text(text: str, path: str) -> None:
    if "\0" in text:
        raise invalid(path, "This has a character that cannot be stored (U+0000). Take it out and try again.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            code = f"U+{ord(text[error.start]):04X}"
            raise invalid(
                path.encode(errors="replace").decode(),
                f"This has half a character ({code}). Take it out and try again.",
            ) from None


# --- addresses -------------------------------------------------------------------------------------------------------


def check_address(raw: str) -> None:
    """One address, one way to write it: no escapes, dots, doubled slashes in the path; a query of whole UTF-8."""
    path, _, query = raw.partition("?")
    if "%" in path or "//" in path or "/." in path or "\\" in path or not path.startswith("/"):
        raise HttpError("not_found", "There is nothing at this address.")
    if "%" in query:
        if _BAD_ESCAPE.search(query):
            raise malformed("There is a % in the query that is no escape; a % itself is written %25.")
        try:
            unquoted = unquote_to_bytes(query).decode()
        except UnicodeDecodeError:
            raise malformed("The query is not UTF-8.") from None
        if "\0" in unquoted:
            raise malformed("The query has a character that cannot be stored (U+0000).")


def query_of(request: web.Request, several: frozenset[str]) -> dict[str, Any]:
    """The query as a dict; only names in `several` may stand more than once, and become lists."""
    found: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in several:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise invalid(name, "This stands twice in the address.")
        else:
            found[name] = value
    return found
