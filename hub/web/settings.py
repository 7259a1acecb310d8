"""The console's settings, as plain pages: inboxes with the line to copy into a site, and one's own profile."""

from typing import Any, Final

import msgspec
from aiohttp import web

from hub.db.tx import Rx, Tx
from hub.desk import inboxes, kinds, sites
from hub.desk.inboxes import Inbox
from hub.errors import Refusal
from hub.staff import agents, sessions, signin
from hub.staff.access import Caller
from hub.web import catalogues, pages, plain
from hub.web.auth import require_own_origin
from hub.web.console import to_sign_in
from hub.web.keys import DESK
from hub.web.pages import page
from hub.web.problem import HttpError
from hub.web.remote import remote
from hub.web.rest import respond
from hub.web.session import set_cookie

READ: Final = "inboxes.read"


# --- inboxes ---------------------------------------------------------------------------------------------------------


async def list_inboxes(request: web.Request) -> web.Response:
    caller = await plain.reader(request)
    return to_sign_in(request) if caller is None else await _list(request, caller, {}, {})


async def add_inbox(request: web.Request) -> web.Response:
    require_own_origin(request)
    caller = await plain.signed_in(request)
    given = await plain.form(request)
    if not any(kind.kind == given.get("kind") for kind in kinds.known()):
        raise HttpError("malformed", "There is no such channel.")
    try:
        made = await request.app[DESK].store.write(_create, caller, given["kind"], given.get("name", ""))
    except Refusal as refusal:
        return await _list(request, caller, given, plain.wrong(refusal))
    return plain.seen_other(f"/settings/inboxes/{made.id}")


async def one_inbox(request: web.Request) -> web.Response:
    caller = await plain.reader(request)
    if caller is None:
        return to_sign_in(request)
    return await _inbox(request, caller, await _found(request, caller), None, {})


async def change_inbox(request: web.Request) -> web.Response:
    require_own_origin(request)
    caller = await plain.signed_in(request)
    inbox = await _found(request, caller)
    given = await plain.form(request)
    allowed = [line.strip().rstrip("/") for line in given.get("allowed_origins", "").splitlines() if line.strip()]
    try:
        changed = {"allowed_origins": allowed}
        await request.app[DESK].store.write(_change, caller, inbox.id, given.get("name", ""), changed)
    except Refusal as refusal:
        return await _inbox(request, caller, inbox, given, plain.wrong(refusal))
    return plain.seen_other(f"/settings/inboxes/{inbox.id}?saved=1")


async def allow_site(request: web.Request) -> web.Response:
    """One press for the site that was refused."""
    require_own_origin(request)
    caller = await plain.signed_in(request)
    inbox = await _found(request, caller)
    site = sites.origin((await plain.form(request)).get("site"))
    if site is not None and site not in inbox.common.allowed_origins:
        changed = {"allowed_origins": [*inbox.common.allowed_origins, site]}
        await request.app[DESK].store.write(_change, caller, inbox.id, inbox.name, changed)
    return plain.seen_other(f"/settings/inboxes/{inbox.id}?saved=1")


async def seen_from(request: web.Request) -> web.Response:
    """What the open page asks now and then, to turn green by itself."""
    caller = await plain.signed_in(request)
    inbox = await _found(request, caller)
    return respond({"sites": await request.app[DESK].store.read(inboxes.seen_from, inbox.id)})


async def _list(request: web.Request, caller: Caller, given: dict[str, str], wrong: dict[str, str]) -> web.Response:
    found, language = await request.app[DESK].store.read(_all, caller)
    return await page(
        request,
        "inboxes.html",
        here="inboxes",
        wish=language,
        status=422 if wrong else 200,
        inboxes=found,
        kinds=kinds.known(),
        manages=inboxes.MANAGE in caller.grants.permissions,
        values=given,
        wrong=wrong,
    )


async def _inbox(
    request: web.Request, caller: Caller, inbox: Inbox, given: dict[str, str] | None, wrong: dict[str, str]
) -> web.Response:
    desk = request.app[DESK]
    seen, language = await desk.store.read(_seen, caller, inbox.id)
    shown = {"name": inbox.name, "allowed_origins": "\n".join(inbox.common.allowed_origins)}
    url = desk.config.public_url.rstrip("/")
    drawn = await pages.ready()
    return await page(
        request,
        "inbox.html",
        here="inboxes",
        wish=language,
        status=422 if wrong else 200,
        inbox=inbox,
        url=url,
        line=f'<script async src="{url}/w/{inbox.token}.js"></script>',
        good=[one for one in seen if one.allowed],
        refused=[one for one in seen if not sites.is_allowed(inbox.common.allowed_origins, url, one.site)],
        mixed=not desk.config.is_https and any(one.site.startswith("https:") for one in seen),
        seen={"sites": msgspec.to_builtins(seen)},
        manages=inboxes.MANAGE in caller.grants.permissions,
        values=given or shown,
        wrong=wrong,
        saved="saved" in request.query,
        script=drawn.address("js/seen.js"),
    )


async def _found(request: web.Request, caller: Caller) -> Inbox:
    try:
        number = int(request.match_info["id"])
    except ValueError:
        raise HttpError("not_found", "There is nothing at this address.") from None
    return await request.app[DESK].store.read(inboxes.get, caller, number)


def _create(tx: Tx, caller: Caller, kind: str, name: str) -> Inbox:
    return inboxes.create(tx, caller, kind=kind, name=name)


def _change(tx: Tx, caller: Caller, inbox_id: int, name: str, settings: dict[str, Any]) -> Inbox:
    return inboxes.change(tx, caller, inbox_id, name=name, settings=settings)


def _all(rx: Rx, caller: Caller) -> tuple[list[Inbox], str | None]:
    found = inboxes.listed(rx, caller) if READ in caller.grants.permissions else []
    return found, agents.get(rx, caller.grants.agent_id).language


def _seen(rx: Rx, caller: Caller, inbox_id: int) -> tuple[list[inboxes.SiteSeen], str | None]:
    return inboxes.seen_from(rx, inbox_id), agents.get(rx, caller.grants.agent_id).language


# --- one's own profile -----------------------------------------------------------------------------------------------


async def profile(request: web.Request) -> web.Response:
    caller = await plain.reader(request)
    return to_sign_in(request) if caller is None else await _profile(request, caller, {})


async def change_profile(request: web.Request) -> web.Response:
    """The language of the console."""
    require_own_origin(request)
    caller = await plain.signed_in(request)
    language = (await plain.form(request)).get("language") or None
    if language is not None and language not in catalogues.LANGUAGES:
        raise HttpError("malformed", "There is no such language.")
    await request.app[DESK].store.write(_set_language, caller, language)
    return plain.seen_other("/settings/profile?saved=language")


async def change_password(request: web.Request) -> web.Response:
    """Every session ends with it; the one that asked goes on as a new one."""
    desk = request.app[DESK]
    require_own_origin(request)
    caller = await plain.signed_in(request)
    given = await plain.form(request)
    agent_id, address = caller.grants.agent_id, remote(request, desk.config.trusted_proxies)
    try:
        await signin.change_password(desk.store, agent_id, given.get("current", ""), given.get("new", ""), address)
    except Refusal as refusal:
        return await _profile(request, caller, plain.wrong(refusal))
    response = plain.seen_other("/settings/profile?saved=password")
    set_cookie(request, response, await desk.store.write(sessions.start, agent_id))
    return response


async def _profile(request: web.Request, caller: Caller, wrong: dict[str, str]) -> web.Response:
    agent = await request.app[DESK].store.read(agents.get, caller.grants.agent_id)
    return await page(
        request,
        "profile.html",
        here="profile",
        wish=agent.language,
        status=422 if wrong else 200,
        agent=agent,
        wrong=wrong,
        saved=request.query.get("saved", ""),
    )


def _set_language(tx: Tx, caller: Caller, language: str | None) -> None:
    agents.change(tx, caller, caller.grants.agent_id, language=language)
