"""What the front end of a live channel loads: script, frame, and how things stand. Mounted by hub.web.routes.

    GET /w/<inbox token>.js      what a site's page loads: the loader, with what is set for the inbox
    GET /w/<inbox token>/frame   the chat itself, for an <iframe>
    GET /w/<inbox token>/state   what a returning visitor's launcher shows

That a page carries the script is seen by the request for it alone: a visitor who opens nothing costs one request.
"""

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from weakref import WeakKeyDictionary

from aiohttp import hdrs, web

from hub import catalogues
from hub.catalogues import Texts
from hub.db.store import Store
from hub.db.tx import Rx
from hub.desk import own_mail, sites, visitors
from hub.desk.inboxes import Inbox
from hub.desk.visitors import Summary
from hub.errors import Unavailable, not_found
from hub.web import file_links, pages
from hub.web.keys import DESK, Desk
from hub.web.remote import remote
from hub.web.setup import with_form
from hub.web.widget_files import Widget

FRAME_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:{files}; "
    "media-src 'self' blob:{files}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
    "trusted-types lit-html; frame-ancestors "
)
NOBODY: Final = (
    b'console.warn("Parley: there is no chat at this address. Copy the line anew from the inbox\'s page.");\n'
)
PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(self), payment=(), usb=()"
MAX_TOKEN: Final = 100
_NOTED: Final = 10_000  # sites remembered in this process
_EVERY: Final = 60.0


# --- pages ---------------------------------------------------------------------------------------------------------


async def loader(request: web.Request) -> web.Response:
    desk = request.app[DESK]
    inbox = await _inbox(desk, request)
    if inbox is None:
        desk.limits.stranger(remote(request, desk.config.trusted_proxies))
        return script(request, NOBODY)
    note(desk, inbox, request.headers.get(hdrs.REFERER))
    widget, texts = await ready(), (await pages.ready()).texts
    front = desk.runner.connector(inbox).front()
    allowed = languages(front)
    config = loader_config(front, f"{desk.config.public_url.rstrip('/')}/w/{inbox.token}", inbox.token)
    lang = catalogues.best(request.headers.get(hdrs.ACCEPT_LANGUAGE))
    return script(request, widget.loader(texts["widget", lang if lang in allowed else allowed[0]], config))


async def frame(request: web.Request) -> web.Response:
    desk = request.app[DESK]
    inbox = await _inbox(desk, request)
    if inbox is None:
        desk.limits.stranger(remote(request, desk.config.trusted_proxies))
        raise not_found("page")
    front = desk.runner.connector(inbox).front()
    allowed = languages(front)
    lang = catalogues.best(request.headers.get(hdrs.ACCEPT_LANGUAGE), wish=wish(request))
    texts = (await pages.ready()).texts["widget", lang if lang in allowed else allowed[0]]
    form = await desk.store.read(with_form) if front.get("offer_form") else None
    mails = await desk.store.read(own_mail.inbox) is not None
    address = f"{desk.config.public_url.rstrip('/')}/f/{form.token}" if form else None
    config = frame_config(front, inbox.token, address, mails=mails)
    ancestors = sites.ancestors(inbox.common.allowed_origins, desk.config.public_url)
    response = await frame_page(request, texts, config, ancestors)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # else no page with COEP could carry it
    return response


async def state(request: web.Request) -> web.Response:
    """The visitor's token counts on its site alone, and only a page of an allowed site may read the answer."""
    desk = request.app[DESK]
    desk.limits.take(f"state {remote(request, desk.config.trusted_proxies)}", 600)
    inbox = await _inbox(desk, request)
    site = sites.origin(request.headers.get(hdrs.ORIGIN) or request.headers.get(hdrs.REFERER))
    if inbox is None or site is None or not _may(desk, inbox, site):
        raise not_found("page")
    if request.method == hdrs.METH_OPTIONS:
        return _for(site, web.Response(status=204))
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    found = await desk.store.read(_summary, inbox.id, token if scheme == "Bearer" else None, site)
    if found is None:
        return _for(site, web.json_response({"unread": 0, "open": False}, status=404))
    shown = {"unread": found.unread, "open": found.open, "online": found.online, "at": found.at}
    return _for(site, web.json_response(shown))


# --- parts, of these pages and of hub.web.preview --------------------------------------------------------------------


def loader_config(front: Mapping[str, Any], base: str, token: str) -> dict[str, Any]:
    """What is put into the loader. `base`: the address below which it finds its frame."""
    allowed = languages(front)
    return {
        "base": base,
        "token": token,
        "lang": allowed[0] if len(allowed) == 1 else None,
        **{name: front.get(name) for name in ("side", "colour", "on", "prefix")},
    }


def frame_config(front: Mapping[str, Any], token: str, form: str | None, *, mails: bool = False) -> dict[str, Any]:
    """What is put into the frame. `form`: the address of a form beside the chat. `mails`: the desk writes letters."""
    named = {name: front.get(name) for name in ("name", "greeting", "colour", "on", "theme", "sound")}
    return {"token": token, "form": form, "mails": mails, **named}


async def frame_page(request: web.Request, texts: Texts, config: Mapping[str, Any], ancestors: str) -> web.Response:
    """`ancestors`: who may carry it, as the sources of a `frame-ancestors`."""
    widget, drawn = await ready(), await pages.ready()
    response = _packed_for(request, widget.frame(texts, drawn.version, config))
    response.headers[hdrs.CONTENT_TYPE] = "text/html; charset=utf-8"
    response.headers["Content-Security-Policy"] = file_links.allowed(FRAME_POLICY, request.app[DESK]) + ancestors
    response.headers["Permissions-Policy"] = PERMISSIONS  # for voice notes; the page that embeds it is asked too
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def script(request: web.Request, content: bytes) -> web.Response:
    tag = f'"{hashlib.blake2s(content, digest_size=9).hexdigest()}"'
    known = [one.strip().removeprefix("W/") for one in request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")]
    if tag in known:
        response = web.Response(status=304)
    else:
        response = _packed_for(request, content)
    response.headers[hdrs.CONTENT_TYPE] = "text/javascript; charset=utf-8"
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "public, max-age=300, stale-while-revalidate=86400"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _packed_for(request: web.Request, content: bytes) -> web.Response:
    headers = {"Vary": "Accept-Encoding, Accept-Language"}
    if "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        return web.Response(body=content, headers=headers)
    return web.Response(body=_packed(content), headers={**headers, hdrs.CONTENT_ENCODING: "gzip"})


@lru_cache(256)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def _for(site: str, response: web.Response) -> web.Response:
    response.headers["Access-Control-Allow-Origin"] = site
    response.headers["Access-Control-Allow-Headers"] = "authorization"
    response.headers["Access-Control-Allow-Methods"] = "GET"
    response.headers["Access-Control-Max-Age"] = "7200"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Vary"] = "Origin"
    response.headers["Cache-Control"] = "no-store, private"
    return response


def _summary(rx: Rx, inbox_id: int, token: str | None, site: str) -> Summary | None:
    visitor = visitors.find(rx, inbox_id, token, site)
    return None if visitor is None else visitors.summary(rx, visitor)


async def _inbox(desk: Desk, request: web.Request) -> Inbox | None:
    """An inbox that is switched off is not there: its site shows no chat."""
    token = request.match_info["token"]
    if len(token) > MAX_TOKEN:
        return None
    found = await desk.runner.inbox(token)
    return found if found is not None and found.enabled and found.features.live else None


def _may(desk: Desk, inbox: Inbox, site: str) -> bool:
    return sites.is_allowed(inbox.common.allowed_origins, desk.config.public_url, site)


def wish(request: web.Request) -> str | None:
    asked = request.query.get("lang", "")[:20].partition("-")[0].lower()
    return asked if asked in catalogues.LANGUAGES else None


def languages(front: Mapping[str, Any]) -> list[str]:
    wanted = [code for code in front.get("languages") or () if code in catalogues.LANGUAGES]
    return wanted or list(catalogues.LANGUAGES)


_noted: WeakKeyDictionary[Store, OrderedDict[tuple[int, str, bool], float]] = WeakKeyDictionary()
_writing: set[asyncio.Task[None]] = set()


def note(desk: Desk, inbox: Inbox, address: str | None) -> None:
    """At most once a minute for a site: who carries the script, and whether they may. Nobody waits for it. `address`:
    of the page, as the browser tells with the request for the script, or the chat when it comes in."""
    site = sites.origin(address) or ""
    now = desk.clock.monotonic()
    allowed = not site or _may(desk, inbox, site)
    key, noted = (inbox.id, site, allowed), _noted.setdefault(desk.store, OrderedDict())
    if now - noted.get(key, -_EVERY) < _EVERY:
        return
    noted[key] = now
    noted.move_to_end(key)
    if len(noted) > _NOTED:
        noted.popitem(last=False)
    task = asyncio.create_task(_write(desk, inbox.id, site, allowed))
    _writing.add(task)
    task.add_done_callback(_writing.discard)


async def _write(desk: Desk, inbox_id: int, site: str, allowed: bool) -> None:
    try:
        await desk.store.write_later(sites.note, inbox_id, site, allowed)
    except Unavailable:
        _noted[desk.store].pop((inbox_id, site, allowed), None)  # the next page view will do


_loading: list["asyncio.Future[Widget]"] = []


async def ready() -> Widget:
    if not _loading or _loading[0].get_loop() is not asyncio.get_running_loop():
        _loading[:] = [asyncio.ensure_future(asyncio.to_thread(Widget))]
    return await asyncio.shield(_loading[0])
