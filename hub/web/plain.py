"""What pages without scripts share: who is signed in, the form that was sent, what is wrong in it. For the pages."""

from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from hub.errors import Refusal
from hub.events import Actor
from hub.staff.access import Caller
from hub.web import body
from hub.web.auth import CREDENTIALS, session_token, unauthenticated
from hub.web.keys import DESK
from hub.web.problem import malformed

MAX_FORM: Final = 16_384


async def reader(request: web.Request) -> Caller | None:
    """Who looks at a page, by the cookie alone. A form of ours cannot set the header that the API wants: whoever
    changes something looks at Origin."""
    secret = session_token(request)
    shown = await request.app[CREDENTIALS].of_session(secret) if secret else None
    grants = await request.app[DESK].grants.get(shown.agent_id) if shown else None
    return None if shown is None or grants is None else Caller(Actor("agent", shown.agent_id), grants)


async def signed_in(request: web.Request) -> Caller:
    caller = await reader(request)
    if caller is None:
        raise unauthenticated()
    return caller


async def form(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise malformed("Send the form as a browser does.")
    try:
        text = (await body.read(request, MAX_FORM)).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise malformed("This is not what a form sends.") from None
    return dict(pairs)


def wrong(refusal: Refusal) -> dict[str, str]:
    """By field; what is wrong with no field in particular stands under the empty name."""
    return {error.field: error.text for error in refusal.errors} or {"": refusal.text}


def inside(path: str | None) -> str | None:
    """`path` as long as it leads to a page of this desk, whoever made the link that carries it."""
    if not path or len(path) > 500 or not path.startswith("/") or path[1:2] in ("/", "\\"):
        return None
    return path if path.isascii() and path.isprintable() and "\\" not in path else None


def seen_other(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})
