"""An administrator allows the desk into a mailbox (or the like) at its provider: OAuth 2.0 with PKCE (RFC 6749, 7636).

What has to come back with the answer travels in `state`, sealed: which inbox, who asked, until when, and the verifier.
So nothing is kept meanwhile, and an answer that somebody else started opens nothing.
"""

import base64
import hashlib
import secrets
from typing import Final

import msgspec
from aiohttp import web

from hub.clock import MINUTE
from hub.connector import Rejected, Retry
from hub.desk import inboxes
from hub.desk.inboxes import Inbox
from hub.errors import Refusal
from hub.seal import SealBroken, Sealer
from hub.staff.access import Caller
from hub.web import plain
from hub.web.keys import DESK, Desk
from hub.web.settings.frame import back
from hub.web.settings.inboxes import PATH, found, page_of

CALLBACK: Final = f"{PATH}/consent"
ABOUT: Final = "consent of an inbox"
HOLDS: Final = 15 * MINUTE


class _State(msgspec.Struct, frozen=True):
    inbox_id: int
    agent_id: int
    until: int
    verifier: str


def redirect_of(desk: Desk) -> str:
    """The address that has to be entered at the provider."""
    return f"{desk.config.public_url.rstrip('/')}{CALLBACK}"


async def ask(request: web.Request, caller: Caller) -> web.Response:
    """Off to the provider."""
    desk, inbox = request.app[DESK], await found(request, caller)
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    state = _State(inbox.id, caller.grants.agent_id, desk.clock.now() + HOLDS, verifier)
    sealed = _sealer(desk).seal(msgspec.json.encode(state).decode(), ABOUT)
    try:
        url = desk.runner.connector(inbox).consent_url(redirect_of(desk), sealed, challenge)
    except Rejected as error:
        return await page_of(request, caller, inbox, wrong=error.reason)
    if url is None:
        raise Refusal("not_found", "This inbox asks nobody's leave.")
    return plain.seen_other(url)


async def answered(request: web.Request, caller: Caller) -> web.Response:
    """Back from the provider, with a code or with the reason why there is none."""
    desk = request.app[DESK]
    state = _opened(desk, request.query.get("state", ""), caller)
    inbox: Inbox = await desk.store.read(inboxes.get, caller, state.inbox_id)
    code = request.query.get("code", "")
    if not code:
        why = request.query.get("error_description") or request.query.get("error") or "no reason given"
        return await page_of(request, caller, inbox, wrong=f"The provider did not allow it: {why[:300]}")
    try:
        kept = await desk.runner.connector(inbox).consented(redirect_of(desk), code, state.verifier)
    except (Rejected, Retry) as error:
        return await page_of(request, caller, inbox, wrong=error.reason)
    await desk.store.write(lambda tx: inboxes.change(tx, caller, inbox.id, settings=kept))
    await desk.store.write(inboxes.ask_to_check, caller, inbox.id)
    return back(f"{PATH}/{inbox.id}", "checking")


def _opened(desk: Desk, sealed: str, caller: Caller) -> _State:
    try:
        state = msgspec.json.decode(_sealer(desk).open(sealed, ABOUT), type=_State)
    except (SealBroken, msgspec.MsgspecError):
        state = None
    if state is None or state.agent_id != caller.grants.agent_id or state.until < desk.clock.now():
        text = "This answer of the provider is too old, or was not asked for by you. Start again on the inbox's page."
        raise Refusal("not_found", text)
    return state


def _sealer(desk: Desk) -> Sealer:
    sealer: Sealer | None = desk.store.sealer
    if sealer is None:
        raise Refusal("conflict", "This desk runs without a key file, so it can keep no secrets.")
    return sealer
