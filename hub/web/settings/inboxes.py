"""Inboxes: the line to copy into a site, the sites that may carry it, what is set for each."""

from typing import Any, Final

import msgspec
from aiohttp import web

from hub.db.tx import Tx
from hub.desk import inboxes, kinds, sites
from hub.desk.inboxes import Inbox
from hub.errors import Refusal
from hub.staff.access import Caller
from hub.web import pages, plain
from hub.web.keys import DESK
from hub.web.problem import HttpError
from hub.web.rest import respond
from hub.web.settings.frame import Form, back, draw, named

PATH: Final = "/settings/inboxes"


async def list_inboxes(request: web.Request, caller: Caller) -> web.Response:
    return await _list(request, caller, {}, {})


async def add_inbox(request: web.Request, caller: Caller, form: Form) -> web.Response:
    if not any(kind.kind == form.get("kind") for kind in kinds.known()):
        raise HttpError("malformed", "There is no such channel.")
    try:
        made = await request.app[DESK].store.write(_create, caller, form.get("kind"), form.get("name"))
    except Refusal as refusal:
        return await _list(request, caller, form.values, plain.wrong(refusal))
    return plain.seen_other(f"{PATH}/{made.id}")


async def one_inbox(request: web.Request, caller: Caller) -> web.Response:
    return await _inbox(request, caller, await _found(request, caller), None, {})


async def change_inbox(request: web.Request, caller: Caller, form: Form) -> web.Response:
    inbox = await _found(request, caller)
    changed = {"allowed_origins": [site.rstrip("/") for site in form.lines("allowed_origins")]}
    try:
        await request.app[DESK].store.write(_change, caller, inbox.id, form.get("name"), changed)
    except Refusal as refusal:
        return await _inbox(request, caller, inbox, form.values, plain.wrong(refusal))
    return back(f"{PATH}/{inbox.id}")


async def allow_site(request: web.Request, caller: Caller, form: Form) -> web.Response:
    """One press for the site that was refused."""
    inbox = await _found(request, caller)
    site = sites.origin(form.get("site"))
    if site is not None and site not in inbox.common.allowed_origins:
        changed = {"allowed_origins": [*inbox.common.allowed_origins, site]}
        await request.app[DESK].store.write(_change, caller, inbox.id, inbox.name, changed)
    return back(f"{PATH}/{inbox.id}")


async def seen_from(request: web.Request, caller: Caller) -> web.Response:
    """What the open page asks now and then, to turn green by itself."""
    inbox = await _found(request, caller)
    return respond({"sites": await request.app[DESK].store.read(inboxes.seen_from, inbox.id)})


async def _list(request: web.Request, caller: Caller, given: dict[str, str], wrong: dict[str, str]) -> web.Response:
    found = await request.app[DESK].store.read(inboxes.listed, caller)
    return await draw(
        request,
        caller,
        "inboxes",
        "inboxes",
        wrong=wrong,
        inboxes=found,
        kinds=kinds.known(),
        manages=inboxes.MANAGE in caller.grants.permissions,
        values=given,
    )


async def _inbox(
    request: web.Request, caller: Caller, inbox: Inbox, given: dict[str, str] | None, wrong: dict[str, str]
) -> web.Response:
    desk = request.app[DESK]
    seen = await desk.store.read(inboxes.seen_from, inbox.id)
    shown = {"name": inbox.name, "allowed_origins": "\n".join(inbox.common.allowed_origins)}
    url = desk.config.public_url.rstrip("/")
    drawn = await pages.ready()
    return await draw(
        request,
        caller,
        "inbox",
        "inboxes",
        wrong=wrong,
        inbox=inbox,
        url=url,
        line=f'<script async src="{url}/w/{inbox.token}.js"></script>',
        good=[one for one in seen if one.site and sites.is_allowed(inbox.common.allowed_origins, url, one.site)],
        refused=[one for one in seen if one.site and not sites.is_allowed(inbox.common.allowed_origins, url, one.site)],
        nameless=any(not one.site for one in seen),
        mixed=not desk.config.is_https and any(one.site.startswith("https:") for one in seen),
        seen={"sites": msgspec.to_builtins(seen)},
        manages=inboxes.MANAGE in caller.grants.permissions,
        values=given or shown,
        more_scripts=[drawn.address("js/seen.js")] if inbox.features.live else [],
    )


async def _found(request: web.Request, caller: Caller) -> Inbox:
    return await request.app[DESK].store.read(inboxes.get, caller, named(request))


def _create(tx: Tx, caller: Caller, kind: str, name: str) -> Inbox:
    return inboxes.create(tx, caller, kind=kind, name=name)


def _change(tx: Tx, caller: Caller, inbox_id: int, name: str, settings: dict[str, Any]) -> Inbox:
    return inboxes.change(tx, caller, inbox_id, name=name, settings=settings)
