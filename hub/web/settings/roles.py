"""Roles as a grid of what each may; those of one's own are made and changed here."""

from typing import Final, cast

from aiohttp import web

from hub.db.tx import Rx, Tx
from hub.errors import Refusal, invalid
from hub.staff import roles
from hub.staff.access import Caller
from hub.staff.roles import Role, Sees
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.agents import MOST, within
from hub.web.settings.frame import Form, back, draw, named

PATH: Final = "/settings/roles"


async def grid(request: web.Request, caller: Caller) -> web.Response:
    found, held = await request.app[DESK].store.read(_all)
    return await draw(request, caller, "roles", "roles", roles=found, held=held, within=lambda r: within(caller, r))


async def new(request: web.Request, caller: Caller) -> web.Response:
    """Starts as a copy of the role that `like` names, as far as the caller may give it."""
    found, _ = await request.app[DESK].store.read(_all)
    like = next((role for role in found if str(role.id) == request.query.get("like")), None)
    like = like or next(role for role in found if role.name == "agent")
    permissions = set(like.permissions) & set(caller.grants.permissions)
    return await _form(request, caller, None, "", permissions, like.sees, {})


async def add(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        await request.app[DESK].store.write(_add, caller, form)
    except Refusal as refusal:
        return await _again(request, caller, None, form, refusal)
    return back(PATH, "added")


async def one(request: web.Request, caller: Caller) -> web.Response:
    role = await request.app[DESK].store.read(roles.get, named(request))
    return await _form(request, caller, role, role.name, set(role.permissions), role.sees, {})


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    role_id = named(request)
    role = await request.app[DESK].store.read(roles.get, role_id)
    try:
        await request.app[DESK].store.write(_change, caller, role_id, form)
    except Refusal as refusal:
        return await _again(request, caller, role, form, refusal)
    return back(PATH)


async def remove(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(roles.remove, caller, named(request))
    return back(PATH, "removed")


async def _again(request: web.Request, caller: Caller, role: Role | None, form: Form, refusal: Refusal) -> web.Response:
    wrong = plain.wrong(refusal)
    return await _form(request, caller, role, form.get("name"), set(form.all("may")), form.get("sees"), wrong)


async def _form(
    request: web.Request,
    caller: Caller,
    role: Role | None,
    name: str,
    permissions: set[str],
    sees: str,
    wrong: dict[str, str],
) -> web.Response:
    manages = roles.MANAGE in caller.grants.permissions
    _, held = await request.app[DESK].store.read(_all)
    return await draw(
        request,
        caller,
        "role",
        "roles",
        wrong=wrong,
        role=role,
        name=name,
        given=permissions,
        sees=sees,
        mine=caller.grants.permissions,
        held=held.get(role.id, 0) if role else 0,
        changes=manages and (role is None or (not role.built_in and within(caller, role))),
    )


def _all(rx: Rx) -> tuple[list[Role], dict[int, int]]:
    """(every role, role → how many agents have it)."""
    return roles.page(rx, after=0, limit=MOST), roles.held(rx)


def _add(tx: Tx, caller: Caller, form: Form) -> None:
    roles.create(tx, caller, name=form.get("name"), permissions=form.all("may"), sees=_sees(form))


def _change(tx: Tx, caller: Caller, role_id: int, form: Form) -> None:
    roles.change(tx, caller, role_id, name=form.get("name"), permissions=form.all("may"), sees=_sees(form))


def _sees(form: Form) -> Sees:
    if form.get("sees") not in roles.SEES:
        raise invalid("sees", "Choose how much they see.")
    return cast(Sees, form.get("sees"))
