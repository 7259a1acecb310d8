"""Files over HTTP: in, and out again.

    POST /api/v1/files           an agent's upload: the bytes as they are, or one part of a form
    GET  /api/v1/files/<id>      one file, for whoever may see its ticket
    GET  /files/<id>             the same for browsers: with the session's cookie, or with the key of a signed link
    PUT  /files/<id>?key=…       a visitor's upload, which was granted on the live connection

Whatever somebody sent is answered so that no browser runs it: in a sandbox, with no sources, under a type that our own
rules told, and as a download unless it is a picture, a sound or a film.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec
from aiohttp import BodyPartReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from hub.commands.files import DOWNLOAD, UPLOAD
from hub.commands.perform import permit
from hub.db.contents import TooLarge
from hub.db.tx import Rx
from hub.desk import visitors
from hub.desk.files import access, names, types, uploads
from hub.desk.files.access import Opened
from hub.desk.files.rows import Content, FileShown
from hub.errors import Refusal, invalid, not_found
from hub.events import Actor
from hub.staff.access import Caller
from hub.web import body, file_links
from hub.web.auth import caller_of
from hub.web.file_links import Key, What
from hub.web.keys import DESK, Desk
from hub.web.problem import HttpError
from hub.web.remote import remote
from hub.web.rest import Door, respond, typed
from hub.work.scanning import Infected

POLICY: Final = "sandbox; default-src 'none'"
MULTIPART: Final = "multipart/form-data"
PREVIEW_TYPE: Final = "image/webp"


# --- in --------------------------------------------------------------------------------------------------------------


async def upload(request: web.Request) -> web.Response:
    """POST /api/v1/files."""
    caller = await caller_of(request)
    permit(UPLOAD, caller)
    uploads.may_write(caller)
    desk = request.app[DESK]
    asked = typed_query(request)
    name, pieces = await _pieces(request, desk.store.file_limits.file)
    content = await _take(desk, pieces, desk.store.file_limits.file, asked.sha256)
    shown = await desk.store.write(
        uploads.upload, caller, content, asked.name or name, voice=asked.voice, seconds=asked.seconds
    )
    return respond(shown, 201)


def typed_query(request: web.Request) -> Any:
    found = body.query_of(request, frozenset())
    door = _UPLOADING
    given = {name: door.asked(name, value) for name, value in found.items()}
    return typed(door.command.request, given)


async def put(request: web.Request) -> web.Response:
    """PUT /files/<id>: what a grant is for."""
    desk, token = request.app[DESK], request.match_info["id"]
    key = file_links.read(desk, token, request.query.get("key", ""), "put")
    if key is None:
        desk.limits.stranger(remote(request, desk.config.trusted_proxies))
        raise Refusal("forbidden", "This upload was not granted, or the grant is over.")
    row = await desk.store.read(uploads.granted, token)
    most = row.size or 0
    try:
        _, pieces = await _pieces(request, most)
        content = await _take(desk, pieces, most, None)
        shown: FileShown = await desk.store.write(uploads.arrived, token, content)
    except (Refusal, HttpError, TooLarge):
        await desk.store.write(uploads.drop, token)
        raise
    return respond(shown)


async def _pieces(request: web.Request, most: int) -> tuple[str, AsyncIterator[bytes]]:
    """(the name that it came under, its bytes)."""
    if request.content_type != MULTIPART:
        return "", body.stream(request, most)
    await body.begin(request, most + body.MAX_BODY)
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader) and (part.filename is not None or part.name == "file"):
                return part.filename or "", body.paced(part.read_chunk, most)
    except (ValueError, HttpProcessingError) as error:  # the second: of the headers of a part
        raise HttpError("malformed", "This is no form that can be read.", close=True) from error
    raise invalid("file", "There is no file in this form. Its part is called `file`.")


async def _take(desk: Desk, pieces: AsyncIterator[bytes], most: int, wanted: str | None) -> Content:
    """Whole, on disk and looked at."""
    intake = desk.runner.files.intake(most)
    try:
        async for piece in pieces:
            await intake.write(piece)
        content = await intake.finish()
    except TooLarge as error:
        raise HttpError("too_large", str(error), close=True) from None
    except Infected as error:
        raise invalid("file", str(error)) from None
    finally:
        await intake.abort()
    if wanted is not None and wanted.lower() != content.sha256:
        raise invalid("sha256", "What arrived is not what was sent: its SHA-256 is another. Send it again.")
    return content


# --- out -------------------------------------------------------------------------------------------------------------


async def download(request: web.Request) -> web.StreamResponse:
    """GET /api/v1/files/<id>."""
    caller = await caller_of(request)
    permit(DOWNLOAD, caller)
    asked = await _DOWNLOADING.request(request)
    desk = request.app[DESK]
    opened = await desk.store.read(access.open, caller, asked.file_id)
    if hdrs.AUTHORIZATION not in request.headers:
        _send_elsewhere(request, caller, asked.file_id, preview=asked.preview, download=asked.download)
    return await _answer(request, opened, preview=asked.preview, download=asked.download)


def _send_elsewhere(request: web.Request, caller: Caller, token: str, *, preview: bool, download: bool) -> None:
    """A browser in which somebody is signed in gets nothing that others sent from here, if there is another address."""
    what: What = "preview" if preview else "download" if download else "show"
    audience = f"agent:{caller.grants.agent_id}"
    elsewhere = file_links.elsewhere(request.app[DESK], request, token, audience, what)
    if elsewhere is not None:
        raise web.HTTPFound(elsewhere)


async def show(request: web.Request) -> web.StreamResponse:
    """GET /files/<id>: for the pages of the desk, and by a signed link."""
    desk, token = request.app[DESK], request.match_info["id"]
    asked = typed(_Shown, {name: _flag(name, value) for name, value in body.query_of(request, frozenset()).items()})
    if asked.key is None:
        caller = await caller_of(request)
        permit(DOWNLOAD, caller)
        opened = await desk.store.read(access.open, caller, token)
        _send_elsewhere(request, caller, token, preview=asked.preview, download=asked.download)
        return await _answer(request, opened, preview=asked.preview, download=asked.download)
    key = file_links.read(desk, token, asked.key, "preview", "download", "show")
    if key is None:
        desk.limits.stranger(remote(request, desk.config.trusted_proxies))
        raise Refusal("forbidden", "This link is over, or it was altered. Open the file from where it stands.")
    if not file_links.is_here(desk, request):
        raise web.HTTPFound(desk.config.content_url + request.path_qs)
    opened = await _by_key(desk, token, key)
    return await _answer(request, opened, preview=key.what == "preview", download=key.what == "download")


class _Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    preview: bool = False
    download: bool = False


def _flag(name: str, value: Any) -> Any:
    if name == "key":
        return value
    return {"1": True, "true": True, "0": False, "false": False}.get(value, value)


async def _by_key(desk: Desk, token: str, key: Key) -> Opened:
    """Whom the link was made for has to have the right still."""
    kind, _, id = key.audience.partition(":")
    if kind == "agent":
        grants = await desk.grants.get(int(id))
        if grants is None:
            raise not_found("file")
        return await desk.store.read(access.open, Caller(Actor("agent", grants.agent_id), grants), token)
    return await desk.store.read(_for_visitor, int(id), token)


def _for_visitor(rx: Rx, visitor_id: int, token: str) -> Opened:
    return visitors.open_file(rx, visitors.must(rx, visitor_id), token)


async def _answer(request: web.Request, opened: Opened, *, preview: bool, download: bool) -> web.StreamResponse:
    contents, row = request.app[DESK].runner.files.contents, opened.row
    assert row.sha256 is not None
    preview = preview and opened.shown.preview
    if preview:
        path, kind = contents.preview(row.sha256), PREVIEW_TYPE
    else:
        path, kind = contents.path(row.sha256), types.served(row.content_type)
    if not await asyncio.to_thread(contents.ensure_preview if preview else contents.ensure, row.sha256):
        raise Refusal("gone", "What this file held is not there any more. A backup may still have it.")
    inline = preview or (not download and types.kind(row.content_type) != "file")
    response = web.FileResponse(path)
    response.headers.update(
        {
            hdrs.CONTENT_TYPE: kind + ("; charset=utf-8" if kind == "text/plain" else ""),
            hdrs.CONTENT_DISPOSITION: names.disposition("inline" if inline else "attachment", row.name),
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": file_links.sharing(request.app[DESK]),
            hdrs.CACHE_CONTROL: "private, no-cache",  # asked for each time: who lost the right gets it no more
        }
    )
    return response


_UPLOADING: Final = Door(UPLOAD)
_DOWNLOADING: Final = Door(DOWNLOAD)
HANDLERS: Final[dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]]] = {
    UPLOAD.name: upload,
    DOWNLOAD.name: download,
}
