"""One row of the command table as an HTTP handler: path, query and JSON become the typed request, the answer JSON."""

import hashlib
import re
import types
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from aiohttp import hdrs, web

from hub.commands.perform import look, perform, permit
from hub.commands.table import Command
from hub.errors import Refusal, invalid
from hub.web import body
from hub.web.auth import caller_of
from hub.web.keys import DESK
from hub.web.problem import HttpError

PREFIX: Final = "/api/v1"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
JSON: Final = "application/json"
_KEY: Final = re.compile(r"[\x20-\x7e]{1,200}")
_encode = msgspec.json.Encoder().encode
T = TypeVar("T")


def converted(command: Command, given: dict[str, Any]) -> Any:
    """The typed request out of JSON, for a door that has it all in one object."""
    try:
        return msgspec.convert(given, command.request)
    except msgspec.ValidationError as error:
        raise Door(command).wrong(str(error)) from None


class Door:
    """What is worked out once for a command, so that a request costs little."""

    def __init__(self, command: Command) -> None:
        fields = {field.encode_name: field for field in msgspec.structs.fields(command.request)}
        in_path = re.findall(r"{(\w+)}", command.path)
        self.command = command
        self.path: dict[str, Any] = {name: fields.pop(name).type for name in in_path}
        self.fields = fields  # those that come from the query or the body
        self.several = frozenset(name for name, field in fields.items() if _is_list(field.type))
        self.in_query: dict[str, Any] = {name: _without_null(field.type) for name, field in fields.items()}

    def in_path(self, request: web.Request) -> dict[str, Any]:
        """What stands in the path; what cannot be an id names nothing."""
        try:
            return {
                name: msgspec.convert(request.match_info[name], kind, strict=False) for name, kind in self.path.items()
            }
        except msgspec.ValidationError:
            raise HttpError("not_found", "There is nothing at this address.") from None

    async def request(self, request: web.Request) -> Any:
        path = self.in_path(request) if self.path else {}
        if self.command.method == "GET":
            given = {name: self.asked(name, value) for name, value in body.query_of(request, self.several).items()}
        else:
            if request.query_string:
                raise invalid(next(iter(request.query), "?"), "Send this in the JSON body, not in the address.")
            given = await self.given(request)
        for name in path:
            if name in given:
                raise invalid(name, "This stands in the address already.")
        try:
            return msgspec.convert({**given, **path}, self.command.request)
        except msgspec.ValidationError as error:
            raise self.wrong(str(error)) from None

    def asked(self, name: str, value: str | list[str]) -> Any:
        """What stands in the query, where everything is text. "null" is a word like any other: what is not wanted is
        left out, and a list must not lose its filter over it."""
        if name not in self.in_query:
            return value  # refused with the others
        if isinstance(value, list) and _values(self.in_query[name]):  # of a closed set: a list may stand in one
            value = [part for one in value for part in one.split(",")]
        try:
            return msgspec.convert(value, self.in_query[name], strict=False)
        except msgspec.ValidationError as error:
            message = str(error)
            at = f" - at `$.{name}"
            raise self.wrong(message.replace(" - at `$", at) if " - at `$" in message else f"{message}{at}`") from None

    async def given(self, request: web.Request) -> dict[str, Any]:
        if not self.fields and not request.can_read_body:
            return {}  # nothing to say, nothing said
        return await body.read_json(request)

    def wrong(self, message: str) -> Refusal:
        path, text = explain(message)
        if text is None:
            field = self.fields.get(path.partition("[")[0])
            values = _values(field.type) if field is not None else ()
            text = f"This has to be one of: {', '.join(values)}." if values else "This is none of the possible values."
        return invalid(path, text)


def handler(command: Command) -> Callable[[web.Request], Awaitable[web.Response]]:
    door = Door(command)
    write, name = command.write is not None, command.name

    async def serve(request: web.Request) -> web.Response:
        caller = await caller_of(request)
        permit(command, caller)
        desk = request.app[DESK]
        if not write:
            return respond(await desk.store.read(look, command, caller, await door.request(request)))
        if hdrs.IF_MATCH in request.headers:  # nothing here has an ETag, so none can match
            raise HttpError("precondition", "Nothing here has an ETag. Leave out If-Match.")
        client_id = client_id_of(request)
        asked = await door.request(request)
        digest = hashlib.sha256(_encode(asked)).digest() if client_id is not None else b""
        return respond(await desk.store.write(perform, command, caller, asked, client_id, digest), command.status)

    serve.__name__ = name
    return serve


def client_id_of(request: web.Request) -> str | None:
    """The client's own id for this request: with it a repeat is answered like the first and done once."""
    told = request.headers.getall(IDEMPOTENCY_KEY, ())
    if not told:
        return None
    if len(told) > 1 or not _KEY.fullmatch(told[0]):
        raise invalid(IDEMPOTENCY_KEY, "An Idempotency-Key is 1 to 200 printable ASCII characters, given once.")
    return told[0]


def typed(kind: type[T], given: dict[str, Any]) -> T:
    """A request that is no command's, checked like one."""
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        path, text = explain(str(error))
        raise invalid(path, text or "This is none of the possible values.") from None


def respond(answer: Any, status: int = 200) -> web.Response:
    if answer is None:
        return web.Response(status=204)
    return web.Response(body=_encode(answer), status=status, content_type=JSON)


# --- what is wrong, in words -----------------------------------------------------------------------------------------

_AT: Final = re.compile(r" - at `(?:key in )?\$\.?(.*)`$")
_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "null": "null",
    "object": "an object",
    "array": "a list",
}
_RANGE: Final = re.compile(r"Expected `(\w+)` (>=|<=|>|<|of length >=|of length <=|matching regex) ?(.*)")
_RANGES: Final = {
    ">=": "This has to be at least {0}.",
    "<=": "This can be at most {0}.",
    ">": "This has to be more than {0}.",
    "<": "This has to be less than {0}.",
    "of length >=": "This is too short: at least {0}.",
    "of length <=": "This is too long: at most {0}.",
    "matching regex": "This is not written as it has to be ({0}).",
}


def explain(message: str) -> tuple[str, str | None]:
    """msgspec's message → (where, a sentence); no sentence: not one of the possible values."""
    at = _AT.search(message)
    path = at[1] if at else ""
    message = message[: at.start()] if at else message
    named = re.fullmatch(r"Object (missing required|contains unknown) field `(.*)`", message, re.DOTALL)
    if named:
        path = f"{path}.{named[2]}" if path else named[2]
        return path, "This is required." if named[1] == "missing required" else "There is no such field here."
    if message.startswith("Invalid enum value"):
        return path, None
    limits = _RANGE.fullmatch(message)
    if limits:
        return path, _RANGES[limits[2]].format(limits[3])
    kinds = re.fullmatch(r"Expected `(.*)`, got `(.*)`", message)
    if kinds:
        wanted = " or ".join(_KINDS.get(kind.strip(), kind.strip()) for kind in kinds[1].split("|"))
        return path, f"This has to be {wanted}, not {_KINDS.get(kinds[2], kinds[2])}."
    return path, f"{message}."


def _without_null(kind: Any) -> Any:
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else ()
    return Union[tuple(o for o in options if o is not type(None))] if type(None) in options else kind  # noqa: UP007


def _is_list(kind: Any) -> bool:
    origin = get_origin(kind)
    if origin in (list, tuple, set, frozenset):
        return True
    return any(_is_list(inner) for inner in get_args(kind)) if origin is not Literal else False


def _values(kind: Any) -> tuple[str, ...]:
    if isinstance(kind, TypeVar):
        return ()
    if get_origin(kind) is Literal:
        return tuple(str(value) for value in get_args(kind))
    return tuple(value for inner in get_args(kind) for value in _values(inner))
