"""The HTML that somebody sent, as a page of its own for a frame of the console (agents_ui/js/letter.js).

    GET /m/<id>/body             the page; ?pictures=1 with those that lie elsewhere
    GET /m/<id>/picture?n=<n>    one of those, fetched by the desk, so that nobody learns who has looked
    GET /m/<id>/original         what the message came in, to be kept or looked into elsewhere

Three walls, each of which holds by itself: what came in was sanitised by its connector; the frame and the page's own
policy put it into a sandbox without scripts; and that policy lets it fetch nothing but pictures from here.
"""

import asyncio
import re
from collections.abc import Callable
from html import escape
from typing import Final
from urllib.parse import urljoin, urlsplit

from aiohttp import hdrs, web
from markupsafe import Markup

from hub.connector import HttpAnswer, Rejected, Retry, Unknown
from hub.desk import message_pages
from hub.desk.files import names, types
from hub.errors import Refusal, invalid
from hub.staff.access import Caller
from hub.web import body, file_links, pages, plain
from hub.web.keys import DESK, Desk

SANDBOX: Final = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:{more}; base-uri 'none'; form-action 'none'; "
    f"frame-ancestors 'self'; sandbox {SANDBOX}"
)
MAX_PICTURE: Final = 5_000_000
PICTURE_SECONDS: Final = 10.0
HOPS: Final = 3
LONG: Final = 65_536  # characters from which putting it together leaves the loop
_KEPT: Final = "private, max-age=86400"
_OWN_COLOURS: Final = re.compile(r"\sbgcolor=|<font[^>]*\scolor=|\bcolor\s*:|background-color\s*:", re.IGNORECASE)
_SUMMARY: Final = "<summary></summary>"  # the connector marks what is quoted; how that is called depends on the reader


async def show(request: web.Request) -> web.Response:
    caller = await plain.signed_in(request)
    desk, message_id = request.app[DESK], int(request.match_info["id"])
    asked = body.query_of(request, frozenset())
    with_pictures = asked.get("pictures") == "1"
    found = await desk.store.read(message_pages.shown, caller, message_id)
    put_together = _page(desk, caller, message_id, with_pictures)
    html = await asyncio.to_thread(put_together, found) if len(found.html) > LONG else put_together(found)
    response = await pages.page(
        request,
        "message.html",
        wish=found.language,
        subject=found.subject or "",
        pieces=[Markup(piece) for piece in html.split(_SUMMARY)],  # that it may be shown is what this is for
        coloured=_OWN_COLOURS.search(found.html) is not None,
    )
    content = desk.config.content_url
    response.headers["Content-Security-Policy"] = POLICY.format(more=f" {content.rstrip('/')}" if content else "")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _page(desk: Desk, caller: Caller, message_id: int, with_pictures: bool) -> Callable[[message_pages.Shown], str]:
    """Puts the pictures into their places: those that came with it, and those from elsewhere if they are wanted."""
    audience = f"agent:{caller.grants.agent_id}"

    def put_together(found: message_pages.Shown) -> str:
        count = -1

        def place(picture: re.Match[str]) -> str:
            nonlocal count
            attributes = picture[1]
            bare = message_pages.without_source(attributes)
            address = message_pages.source(attributes)
            if message_pages.remote(attributes) is not None:
                count += 1
                if not with_pictures:
                    return f'<img class="elsewhere"{bare}>'
                return f'<img src="/m/{message_id}/picture?n={count}" loading="lazy"{bare}>'
            if address[:4].lower() == "cid:":
                token = found.pictures.get(address[4:])
                if token is None:
                    return f'<img class="missing"{bare}>'
                return f'<img src="{escape(file_links.link(desk, token, audience, "preview"))}"{bare}>'
            return picture[0] if address[:11].lower() == "data:image/" else f"<img{bare}>"

        return message_pages.PICTURE.sub(place, found.html)

    return put_together


async def original(request: web.Request) -> web.Response:
    caller = await plain.signed_in(request)
    message_id = int(request.match_info["id"])
    raw = await request.app[DESK].store.read(message_pages.original, caller, message_id)
    response = web.Response(body=raw, content_type=types.UNKNOWN)
    response.headers[hdrs.CONTENT_DISPOSITION] = names.disposition("attachment", f"message-{message_id}.eml")
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


# --- pictures from elsewhere -----------------------------------------------------------------------------------------


async def picture(request: web.Request) -> web.Response:
    caller = await plain.signed_in(request)
    desk = request.app[DESK]
    number = body.query_of(request, frozenset()).get("n", "")
    if not (number.isascii() and number.isdigit() and len(number) < 6):
        raise invalid("n", "Which picture?")
    address = await desk.store.read(message_pages.remote_picture, caller, int(request.match_info["id"]), int(number))
    answer = await _fetch(desk, address)
    kind = types.told(answer.body[:4_096])  # by its bytes, whatever it is said to be
    if answer.status != 200 or kind not in types.PICTURES:
        raise Refusal("not_found", "There is no picture at the address that this message names.")
    if len(answer.body) >= MAX_PICTURE:
        raise Refusal("too_large", "This picture is too large to be shown here.")
    response = web.Response(body=answer.body, content_type=kind)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers[hdrs.CACHE_CONTROL] = _KEPT
    return response


async def _fetch(desk: Desk, address: str) -> HttpAnswer:
    """Follows a few redirections, each of which the guarded client judges anew."""
    try:
        for _ in range(HOPS):
            answer = await desk.runner.http.request(
                "GET", address, timeout=PICTURE_SECONDS, max_body=MAX_PICTURE, allow_http=True
            )
            onward = answer.header("location")
            if answer.status not in (301, 302, 303, 307, 308) or not onward:
                return answer
            address = urljoin(address, onward)
            if urlsplit(address).scheme not in ("http", "https"):
                break
    except (Rejected, Retry, Unknown) as error:
        raise Refusal("not_found", f"This picture cannot be fetched. {error}") from None
    raise Refusal("not_found", "This picture cannot be fetched: its address leads from one to the next.")
