"""Who asks: an API token or a session cookie becomes a Caller. For every door that is not open to strangers."""

import hashlib
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from hub.errors import Refusal
from hub.events import (
    AccessChanged,
    Actor,
    AgentChanged,
    AgentDisabled,
    Recorded,
    RoleChanged,
    SignedOut,
    TokenRevoked,
)
from hub.staff import sessions, tokens
from hub.staff.access import Caller, Grants
from hub.web.keys import DESK, Desk
from hub.web.remote import remote

SAFE: Final = frozenset({"GET", "HEAD"})
CSRF_HEADER: Final = "X-Parley-CSRF"
REMEMBERED_SECONDS: Final = 0.5
MAX_REMEMBERED: Final = 10_000
_BEARER: Final = re.compile(r"[Bb]earer ([\x21-\x7e]{1,200})")
_ENDINGS: Final = (AccessChanged, AgentChanged, AgentDisabled, RoleChanged, SignedOut, TokenRevoked)


class Shown(NamedTuple):
    """Whom a credential belongs to."""

    agent_id: int
    scopes: frozenset[str] | None
    token_id: int | None


class Credentials:
    """Finds whose a credential is, and remembers it for half a second.

    What ends one (revoked, signed out, disabled) empties the memory as soon as this process hears of it: at once where
    it was done here, within a second where another process did it.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[bytes, tuple[float, Shown]] = {}
        self._callers: dict[int, tuple[Grants, Caller]] = {}
        self._generation = 0

    def heard(self, recorded: Sequence[Recorded]) -> None:
        if any(isinstance(r.event, _ENDINGS) for r in recorded):
            self._generation += 1
            self._known.clear()
            self._callers.clear()

    async def of_token(self, token: str) -> Shown | None:
        key = hashlib.sha256(b"token " + token.encode()).digest()
        known = self._recall(key)
        if known is None:
            generation = self._generation
            found = await tokens.use(self._desk.store, token)
            if found is None:
                return None
            agent_id, scopes, token_id = found
            known = self._keep(key, Shown(agent_id, frozenset(scopes), token_id), generation)
        return known

    async def of_session(self, token: str) -> Shown | None:
        key = hashlib.sha256(b"session " + token.encode(errors="replace")).digest()
        known = self._recall(key)
        if known is None:
            generation = self._generation
            agent_id = await sessions.use(self._desk.store, token)
            if agent_id is None:
                return None
            known = self._keep(key, Shown(agent_id, None, None), generation)
        return known

    def caller(self, shown: Shown, grants: Grants) -> Caller:
        """The caller behind a credential; for a token made once, as long as the agent's grants are the same object."""
        if shown.scopes is None or shown.token_id is None:
            return Caller(Actor("agent", shown.agent_id), grants)
        known = self._callers.get(shown.token_id)
        if known is None or known[0] is not grants:
            if len(self._callers) >= MAX_REMEMBERED:
                self._callers.clear()
            known = self._callers[shown.token_id] = grants, tokens.caller(grants, shown.scopes, shown.token_id)
        return known[1]

    def _recall(self, key: bytes) -> Shown | None:
        known = self._known.get(key)
        return known[1] if known is not None and self._desk.clock.monotonic() < known[0] else None

    def _keep(self, key: bytes, shown: Shown, generation: int) -> Shown:
        if generation == self._generation:  # nothing ended while it was being read
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[key] = (self._desk.clock.monotonic() + REMEMBERED_SECONDS, shown)
        return shown


CREDENTIALS: Final[web.AppKey[Credentials]] = web.AppKey("credentials")


async def caller_of(request: web.Request) -> Caller:
    """The caller, or one and the same refusal for whatever is wrong with the credential.

    With an Authorization header the cookie counts for nothing, so a script's token never acts with a person's rights.
    """
    desk = request.app[DESK]
    shown = await _shown(request)
    grants = await desk.grants.get(shown.agent_id) if shown is not None else None
    if shown is None or grants is None:
        desk.limits.stranger(remote(request, desk.config.trusted_proxies))
        raise unauthenticated()
    desk.limits.account(f"token {shown.token_id}" if shown.token_id is not None else f"agent {shown.agent_id}")
    return request.app[CREDENTIALS].caller(shown, grants)


async def same_caller(request: web.Request) -> Caller:
    """The caller with the rights that they have now, for an answer that takes long; refused when they have none any
    longer. Does not count as another request."""
    shown = await _shown(request)
    grants = await request.app[DESK].grants.get(shown.agent_id) if shown is not None else None
    if shown is None or grants is None:
        raise unauthenticated()
    return request.app[CREDENTIALS].caller(shown, grants)


async def _shown(request: web.Request) -> Shown | None:
    credentials = request.app[CREDENTIALS]
    told = request.headers.getall(hdrs.AUTHORIZATION, ())
    if told:
        match = _BEARER.fullmatch(told[0]) if len(told) == 1 else None
        return await credentials.of_token(match[1]) if match is not None else None
    session = session_token(request) if hdrs.COOKIE in request.headers else None
    shown = await credentials.of_session(session) if session else None
    if shown is not None and request.method not in SAFE:
        require_own_page(request)
    return shown


def unauthenticated() -> Refusal:
    return Refusal("unauthenticated", "Send a valid API token as `Authorization: Bearer …`, or sign in.")


# --- cookies ---------------------------------------------------------------------------------------------------------


def cookie_name(desk: Desk) -> str:
    """With the prefix a browser takes it only from this very host over HTTPS."""
    return "__Host-parley" if desk.config.is_https else "parley"


def session_token(request: web.Request) -> str | None:
    token = request.cookies.get(cookie_name(request.app[DESK]))
    return token if token and len(token) <= 200 else None


def require_own_page(request: web.Request) -> None:
    """A change asked for with a cookie has to come from our own page: another site's cannot set this header, and a
    browser says where a request began."""
    if request.headers.get(CSRF_HEADER) != "1":
        raise Refusal("forbidden", f"Send the header `{CSRF_HEADER}: 1` with changes made by cookie.")
    require_own_origin(request)


def require_own_origin(request: web.Request) -> None:
    """The page that asks is ours: under the public address, or under the name by which we are asked (`localhost` for
    `127.0.0.1`), which is known to be one of ours by now."""
    public = request.app[DESK].config.public_url.rstrip("/")
    asked_as = f"{public.partition(':')[0]}://{request.headers.get(hdrs.HOST, '')}"
    if request.headers.get("Sec-Fetch-Site") not in (None, "same-origin", "none") or request.headers.get(
        hdrs.ORIGIN
    ) not in (None, public, asked_as):
        raise Refusal("forbidden", "This was asked for by a page of another site.")
