"""GET /api/openapi.json: the API's document, made from the command table when it is first asked for."""

import functools
import re
from typing import Any, Final

import msgspec
from aiohttp import web

from hub import __version__
from hub.commands import COMMANDS
from hub.commands.exports import EXPORTS
from hub.commands.files import DOWNLOAD, FILES, UPLOAD
from hub.commands.table import Command
from hub.staff.agents import Agent
from hub.web import live_ticket, session
from hub.web.auth import CSRF_HEADER
from hub.web.problem import CONTENT_TYPE, KINDS, Problem
from hub.web.rest import IDEMPOTENCY_KEY, JSON, PREFIX

PATH: Final = "/api/openapi.json"
_REF: Final = "#/components/schemas/{name}"
# What any request can meet.
_ALWAYS: Final = ("malformed", "uri_too_long", "wrong_host", "too_many", "headers_too_large", "failed", "unavailable")
_SIGNED_IN: Final = ("unauthenticated", "forbidden", "not_found", "invalid")
_WITH_BODY: Final = ("too_slow", "too_large", "unsupported")
_SESSION_ROWS: Final = (
    ("post", "sign_in", "Sign in with a password and get a session cookie.", session.SignIn, Agent, 200),
    ("delete", "sign_out", "End the session of the cookie.", None, None, 204),
)

Schema = dict[str, Any]


async def document(request: web.Request) -> web.Response:
    return web.Response(body=_document(), content_type=JSON, headers={"Cache-Control": "public, max-age=300"})


@functools.cache
def _document() -> bytes:
    return msgspec.json.encode(describe(COMMANDS))


def describe(commands: tuple[Command, ...]) -> Schema:
    types: list[Any] = [kind for c in (*commands, *EXPORTS, *FILES) for kind in (c.request, c.answer)]
    types += [kind for row in _SESSION_ROWS for kind in row[3:5]]
    types.append(live_ticket.Ticket)
    wanted = [kind for kind in dict.fromkeys(types) if kind not in (None, type(None))]
    schemas, components = msgspec.json.schema_components([*wanted, Problem], ref_template=_REF)
    refs = dict(zip(wanted, schemas, strict=False))
    for schema in (*components.values(), *refs.values()):
        _bound(schema)
    paths: dict[str, Schema] = {}
    for command in commands:
        operation = _operation(command, refs, components)
        paths.setdefault(PREFIX + command.path, {})[command.method.lower()] = operation
    for command in EXPORTS:
        operation = _operation(command, refs, components)
        operation["responses"].pop("204")
        operation["responses"] = {"200": _CSV, **operation["responses"]}
        paths[PREFIX + command.path] = {command.method.lower(): operation}
    for command in FILES:
        path = paths.setdefault(PREFIX + command.path, {})
        path[command.method.lower()] = _of_bytes(command, _operation(command, refs, components))
    paths[session.PATH] = {row[0]: _session(row, refs) for row in _SESSION_ROWS}
    paths[live_ticket.PATH] = {"post": _live_ticket(refs)}
    paths[PATH] = {"get": _itself()}
    for command in (*commands, *EXPORTS, *FILES):  # requests stand in their operations
        components.pop(_name(refs[command.request]), None)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parley", "version": __version__, "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {"schemas": components, "responses": _responses(), "securitySchemes": _SCHEMES},
    }


_INTRODUCTION: Final = (
    "Everything a desk does, as commands. Send an API token as `Authorization: Bearer …`. Every error is "
    "application/problem+json; `errors[].path` names the field. Lists give `next`: send it back as `cursor`."
)
_SCHEMES: Final[Schema] = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token, with scopes."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-parley",
        "description": f"For the console. Changes also need the header `{CSRF_HEADER}: 1`.",
    },
}
_CSV: Final[Schema] = {
    "description": "UTF-8 with a byte order mark; every cell in quotes, RFC 4180. A cell that a spreadsheet would "
    "calculate has an apostrophe in front. Times are UTC.",
    "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
    "content": {"text/csv": {"schema": {"type": "string"}}},
}
_BYTES: Final[Schema] = {"schema": {"type": "string", "format": "binary"}}
_UPLOADED: Final[Schema] = {
    "application/octet-stream": _BYTES,
    "multipart/form-data": {
        "schema": {"type": "object", "required": ["file"], "properties": {"file": _BYTES["schema"]}}
    },
}
_FILE: Final[Schema] = {
    "description": "The bytes, whole or (206) the part that `Range` asks for.",
    "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
    "content": {"*/*": _BYTES},
}
_KEY_PARAMETER: Final[Schema] = {
    "name": IDEMPOTENCY_KEY,
    "in": "header",
    "description": "An id of yours: the same request again under it is done once and gets the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
}


# --- operations ------------------------------------------------------------------------------------------------------


def _operation(command: Command, refs: dict[Any, Schema], components: dict[str, Schema]) -> Schema:
    request = components[_name(refs[command.request])]
    properties: Schema = dict(request.get("properties", {}))
    required = list(request.get("required", ()))
    in_path = re.findall(r"{(\w+)}", command.path)
    parameters = [{"name": n, "in": "path", "required": True, "schema": properties.pop(n)} for n in in_path]
    required = [name for name in required if name not in in_path]
    operation: Schema = {
        "operationId": command.name,
        "tags": [command.noun],
        "summary": command.summary,
        "description": _needs(command),
        "parameters": parameters,
    }
    kinds = [*_ALWAYS, *_SIGNED_IN, *command.refuses]
    if command.method == "GET":
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": _asked(schema)}
            for name, schema in properties.items()
        ]
    else:
        parameters.append(_KEY_PARAMETER)
        kinds += ["conflict", "mismatch", "precondition", *_WITH_BODY]
        if properties:
            body = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
            if "description" in request:
                body["description"] = request["description"]
            operation["requestBody"] = {"required": True, "content": {JSON: {"schema": body}}}
    operation["responses"] = {**_done(command.status, refs.get(command.answer)), **_problems(kinds)}
    return operation


def _of_bytes(command: Command, operation: Schema) -> Schema:
    """What carries a file instead of JSON: its fields stand in the query."""
    if command is UPLOAD:
        asked = operation["requestBody"]["content"][JSON]["schema"]
        operation["parameters"] = [
            {"name": name, "in": "query", "required": name in asked["required"], "schema": _asked(schema)}
            for name, schema in asked["properties"].items()
        ]
        operation["requestBody"] = {"required": True, "description": asked["description"], "content": _UPLOADED}
        for status in ("409", "412"):
            operation["responses"].pop(status, None)
    elif command is DOWNLOAD:
        operation["responses"].pop("204")
        operation["responses"] = {"200": _FILE, "206": _FILE, **operation["responses"]}
    return operation


def _session(row: tuple[Any, ...], refs: dict[Any, Schema]) -> Schema:
    method, name, summary, asked, answer, status = row
    kinds = [*_ALWAYS, "unauthenticated", "forbidden", *(("invalid", *_WITH_BODY) if asked else ())]
    operation: Schema = {"operationId": name, "tags": ["session"], "summary": summary}
    if asked is not None:
        operation["security"] = []
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": refs[asked]}}}
    if method == "delete":
        operation["security"] = [{"session": []}]
    operation["responses"] = {**_done(status, refs.get(answer)), **_problems(kinds)}
    return operation


def _live_ticket(refs: dict[Any, Schema]) -> Schema:
    return {
        "operationId": "create_live_ticket",
        "tags": ["live"],
        "summary": "A ticket for one hello on the live connection at /live.",
        "description": f"A token needs the scope `{live_ticket.SCOPE}`.",
        "responses": {
            **_done(201, refs[live_ticket.Ticket]),
            **_problems((*_ALWAYS, "unauthenticated", "forbidden")),
        },
    }


def _itself() -> Schema:
    return {
        "operationId": "openapi",
        "tags": ["document"],
        "summary": "This document.",
        "security": [],
        "responses": {
            "200": {"description": "OpenAPI 3.1", "content": {JSON: {"schema": {"type": "object"}}}},
            **_problems(_ALWAYS),
        },
    }


def _needs(command: Command) -> str:
    role = f", and a role with `{command.permission}`" if command.permission else ""
    return f"A token needs the scope `{command.scope}`{role}."


def _done(status: int, schema: Schema | None) -> Schema:
    if schema is None:
        return {"204": {"description": "Done"}}
    return {str(status): {"description": "Done", "content": {JSON: {"schema": schema}}}}


def _problems(kinds: Any) -> Schema:
    return {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted({KINDS[k][0] for k in kinds})
    }


def _responses() -> Schema:
    """One for each status; several kinds may share one."""
    found: Schema = {}
    for kind, (status, title) in KINDS.items():
        known = found.setdefault(str(status), {"description": "", "content": {CONTENT_TYPE: {"schema": _PROBLEM}}})
        known["description"] += ("; " if known["description"] else "") + f"{title} (/problems/{kind})"
        if status in (429, 503):
            known["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait"}}
    return found


_PROBLEM: Final[Schema] = {"$ref": _REF.format(name="Problem")}


# --- schemas ---------------------------------------------------------------------------------------------------------


def _name(ref: Schema) -> str:
    return str(ref["$ref"]).rsplit("/", 1)[-1]


def _bound(schema: Any) -> None:
    """Whole numbers end at 64 bits, everywhere."""
    if isinstance(schema, list):
        for inner in schema:
            _bound(inner)
    elif isinstance(schema, dict):
        if schema.get("type") == "integer" and "enum" not in schema:
            schema.setdefault("minimum", -(2**63))
            schema.setdefault("maximum", 2**63 - 1)
            schema["format"] = "int64"
        for key, inner in schema.items():
            if key not in ("default", "enum", "const", "examples"):
                _bound(inner)


def _asked(schema: Schema) -> Schema:
    """As it stands in a query, where there is no null: what is not given is left out."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if not options:
        return {k: v for k, v in schema.items() if not (k == "default" and v is None)}
    rest = {k: v for k, v in schema.items() if k not in ("anyOf", "default")}
    return {**rest, **(options[0] if len(options) == 1 else {"anyOf": options})}
