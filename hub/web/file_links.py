"""Signed links to one file, for one agent or visitor and a short while: for browsers, which send no credential for
a picture, and for the address that PARLEY_CONTENT_URL sets apart, where nobody is signed in.

The signature says who may; whether they still may is judged when the link is used.
"""

import base64
import hashlib
import hmac
import re
from typing import Final, Literal

import msgspec
from aiohttp import hdrs, web

from hub.clock import HOUR, MINUTE
from hub.web.keys import Desk
from hub.web.remote import host_of

What = Literal["show", "preview", "download", "put"]
GOOD_FOR: Final = 5 * MINUTE
PUT_GOOD_FOR: Final = HOUR  # for the beginning of an upload
_KEY: Final = re.compile(r"(agent|visitor)-(\d{1,18})-(\d{1,15})-(show|preview|download|put)-([A-Za-z0-9_-]{32})")


class Key(msgspec.Struct, frozen=True):
    audience: str  # "agent:7", "visitor:12"
    what: str


def path(desk: Desk, token: str, audience: str, what: What) -> str:
    """The path and query of a link; under which host, is up to the client."""
    until = desk.clock.now() + (PUT_GOOD_FOR if what == "put" else GOOD_FOR)
    kind, _, id = audience.partition(":")
    said = f"{kind}-{id}-{until}-{what}"
    return f"/files/{token}?key={said}-{_sign(desk, token, said)}"


def link(desk: Desk, token: str, audience: str, what: What) -> str:
    """The whole link where files have an address of their own, else its path."""
    return _content(desk) + path(desk, token, audience, what)


def elsewhere(desk: Desk, request: web.Request, token: str, audience: str, what: What) -> str | None:
    """Where a browser has to go for it, if files have an address of their own and this is another one."""
    return link(desk, token, audience, what) if not is_here(desk, request) else None


def is_here(desk: Desk, request: web.Request) -> bool:
    """Was it asked for where browsers get files?"""
    content = _content(desk)
    return not content or host_of(f"//{request.headers.get(hdrs.HOST, '')}") == host_of(content)


def read(desk: Desk, token: str, key: str, *wanted: What) -> Key | None:
    """What a key says, if it is ours, for this file, not over, and for one of these uses."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    kind, id, until, what, signature = found.groups()
    said = f"{kind}-{id}-{until}-{what}"
    if not hmac.compare_digest(signature, _sign(desk, token, said)):
        return None
    return Key(f"{kind}:{id}", what) if what in wanted and int(until) > desk.clock.now() else None


def sharing(desk: Desk) -> str:
    """Who may show what is answered (Cross-Origin-Resource-Policy)."""
    return "cross-origin" if _content(desk) else "same-origin"


def allowed(policy: str, desk: Desk) -> str:
    """A page's policy with the address that files come from, where that is another one."""
    return policy.replace("{files}", f" {_content(desk)}" if _content(desk) else "")


def _content(desk: Desk) -> str:
    return desk.config.content_url.rstrip("/")


def _sign(desk: Desk, token: str, said: str) -> str:
    assert desk.store.sealer is not None
    key = desk.store.sealer.derive("file links")
    digest = hashlib.blake2s(f"{token} {said}".encode(), key=key, digest_size=24).digest()
    return base64.urlsafe_b64encode(digest).decode()
