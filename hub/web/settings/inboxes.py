"""Inboxes: which there are and how they fare, a new one, and of each what is set for it and what one does with it.

The form of an inbox's settings makes itself out of what its connector declares; its look, where visitors see it, has a
page of its own (`look`).
"""

from typing import Any, Final

import msgspec
from aiohttp import web

from hub.connector import Connector
from hub.db.tx import Rx, Tx
from hub.desk import hours, inboxes, kinds, sites
from hub.desk import settings as settings_of
from hub.desk.inboxes import Inbox
from hub.desk.settings import Field
from hub.errors import ParleyError, Refusal
from hub.staff import teams
from hub.staff.access import Caller
from hub.staff.teams import Team
from hub.web import pages, plain
from hub.web.keys import DESK, Runner
from hub.web.rest import respond
from hub.web.settings import fields
from hub.web.settings.agents import MOST
from hub.web.settings.frame import Form, back, draw, named

PATH: Final = "/settings/inboxes"


async def list_inboxes(request: web.Request, caller: Caller) -> web.Response:
    return await draw(
        request,
        caller,
        "inboxes",
        "inboxes",
        inboxes=await request.app[DESK].store.read(inboxes.listed, caller),
        titles=titles(),
        kinds=kinds.known(),
        manages=inboxes.MANAGE in caller.grants.permissions,
    )


# --- a new one -------------------------------------------------------------------------------------------------------


async def new(request: web.Request, caller: Caller) -> web.Response:
    return await _new(request, caller, request.query.get("kind", ""), None, {})


async def add_inbox(request: web.Request, caller: Caller, form: Form) -> web.Response:
    kind = form.get("kind")
    wanted = fields.given(_form(kind), form)
    try:
        made = await request.app[DESK].store.write(_create, caller, kind, form, wanted)
    except Refusal as refusal:
        return await _new(request, caller, kind, form, plain.wrong(refusal))
    if kinds.load(kind).run is Connector.run:
        return plain.seen_other(f"{PATH}/{made.id}")
    await request.app[DESK].store.write(inboxes.ask_to_check, caller, made.id)
    return back(f"{PATH}/{made.id}", "checking")


async def _new(
    request: web.Request, caller: Caller, kind: str, form: Form | None, wrong: dict[str, str]
) -> web.Response:
    own = [field for field in _form(kind) if not field.common]
    return await draw(
        request,
        caller,
        "inbox_new",
        "inboxes",
        wrong=wrong,
        kind=kind,
        title=titles()[kind],
        fields=fields.shown([field for field in own if field.required or field.early], None, form),
        teams=await request.app[DESK].store.read(_teams),
        name=form.get("name") if form else "",
        chosen=form.ids("team") if form else set(),
    )


# --- one -------------------------------------------------------------------------------------------------------------


async def one_inbox(request: web.Request, caller: Caller) -> web.Response:
    return await page_of(request, caller, await found(request, caller))


async def page_of(request: web.Request, caller: Caller, inbox: Inbox, *, wrong: str | None = None) -> web.Response:
    """`wrong`: what went wrong with what was just tried."""
    desk = request.app[DESK]
    kind = kinds.load(inbox.kind)
    seen = await desk.store.read(inboxes.seen_from, inbox.id)
    url = desk.config.public_url.rstrip("/")
    drawn = await pages.ready()
    return await draw(
        request,
        caller,
        "inbox",
        "inboxes",
        inbox=inbox,
        title=titles().get(inbox.kind, inbox.kind),
        url=url,
        takes_posts=kind.verify is not Connector.verify and not inbox.features.live and not inbox.features.form,
        asks=kind.consent_keeps is not None and _asks(desk.runner, inbox),
        allowed=kind.consent_keeps in inbox.sealed,
        trouble_with=wrong,
        line=f'<script async src="{url}/w/{inbox.token}.js"></script>',
        good=[one for one in seen if one.site and sites.is_allowed(inbox.common.allowed_origins, url, one.site)],
        refused=[one for one in seen if one.site and not sites.is_allowed(inbox.common.allowed_origins, url, one.site)],
        nameless=any(not one.site for one in seen),
        mixed=not desk.config.is_https and any(one.site.startswith("https:") for one in seen),
        seen={"sites": msgspec.to_builtins(seen)},
        manages=inboxes.MANAGE in caller.grants.permissions,
        more_scripts=[drawn.address("js/seen.js")] if inbox.features.live else [],
    )


def _asks(runner: Runner, inbox: Inbox) -> bool:
    """Whether there is somebody to be asked for leave, as it is set now."""
    try:
        return runner.connector(inbox).consent_url("", "", "") is not None
    except ParleyError:
        return True  # something is still missing, which is told when it is asked for


async def settings(request: web.Request, caller: Caller) -> web.Response:
    return await _settings(request, caller, await found(request, caller), None, {})


async def change_inbox(request: web.Request, caller: Caller, form: Form) -> web.Response:
    inbox = await found(request, caller)
    wanted = fields.given(_form(inbox.kind), form)
    try:
        await request.app[DESK].store.write(_change, caller, inbox.id, form, wanted)
    except Refusal as refusal:
        return await _settings(request, caller, inbox, form, plain.wrong(refusal))
    return back(f"{PATH}/{inbox.id}/settings")


async def check(request: web.Request, caller: Caller, form: Form) -> web.Response:
    """A job tries the connection; the page asks again until it has."""
    inbox = await found(request, caller)
    await request.app[DESK].store.write(inboxes.ask_to_check, caller, inbox.id)
    return back(f"{PATH}/{inbox.id}", "checking")


async def switch(request: web.Request, caller: Caller, form: Form) -> web.Response:
    """On or off. What is off takes nothing in and sends nothing."""
    inbox, on = await found(request, caller), form.get("on") == "1"
    await request.app[DESK].store.write(lambda tx: inboxes.change(tx, caller, inbox.id, enabled=on))
    return back(f"{PATH}/{inbox.id}", "switched-on" if on else "switched-off")


async def allow_site(request: web.Request, caller: Caller, form: Form) -> web.Response:
    """One press for the site that was refused."""
    inbox = await found(request, caller)
    site = sites.origin(form.get("site"))
    if site is not None and site not in inbox.common.allowed_origins:
        allowed = {"allowed_origins": [*inbox.common.allowed_origins, site]}
        await request.app[DESK].store.write(lambda tx: inboxes.change(tx, caller, inbox.id, settings=allowed))
    return back(f"{PATH}/{inbox.id}")


async def seen_from(request: web.Request, caller: Caller) -> web.Response:
    """What the open page asks now and then, to turn green by itself."""
    inbox = await found(request, caller)
    return respond({"sites": await request.app[DESK].store.read(inboxes.seen_from, inbox.id)})


async def _settings(
    request: web.Request, caller: Caller, inbox: Inbox, form: Form | None, wrong: dict[str, str]
) -> web.Response:
    own = [field for field in settings_of.form(inbox.kind) if not (field.look and inbox.features.live)]

    def look(rx: Rx) -> tuple[list[Team], list[int], list[tuple[int, str]]]:
        return _teams(rx), inboxes.teams_of(rx, inbox.id), [(one.id, one.name) for one in hours.all_of_them(rx)]

    found_teams, see, known = await request.app[DESK].store.read(look)
    return await draw(
        request,
        caller,
        "inbox_settings",
        "inboxes",
        wrong=wrong,
        inbox=inbox,
        own=fields.grouped(fields.shown([field for field in own if not field.common], inbox, form)),
        common=fields.shown([field for field in own if field.common], inbox, form, {"hours_id": known}),
        teams=found_teams,
        name=form.get("name") if form else inbox.name,
        first=form.get("first") if form else inbox.team_id,
        chosen=form.ids("team") if form else set(see),
        changes=inboxes.MANAGE in caller.grants.permissions,
    )


# --- parts -----------------------------------------------------------------------------------------------------------


async def found(request: web.Request, caller: Caller) -> Inbox:
    return await request.app[DESK].store.read(inboxes.get, caller, named(request))


def titles() -> dict[str, str]:
    return {kind.kind: kind.title for kind in kinds.known()}


def _form(kind: str) -> list[Field]:
    if kind not in titles():
        raise Refusal("not_found", "There is no such channel.")
    return settings_of.form(kind)


def _teams(rx: Rx) -> list[Team]:
    return [team for team, _ in teams.page(rx, after=("", 0), limit=MOST)]


def _create(tx: Tx, caller: Caller, kind: str, form: Form, wanted: dict[str, Any]) -> Inbox:
    return inboxes.create(tx, caller, kind=kind, name=form.get("name"), settings=wanted, teams=sorted(form.ids("team")))


def _change(tx: Tx, caller: Caller, inbox_id: int, form: Form, wanted: dict[str, Any]) -> Inbox:
    return inboxes.change(
        tx,
        caller,
        inbox_id,
        name=form.get("name") if form.on("name") else msgspec.UNSET,
        settings=wanted,
        team_id=form.one_id("first") if form.on("first") else msgspec.UNSET,
        teams=sorted(form.ids("team")) if form.on("first") else msgspec.UNSET,
    )
