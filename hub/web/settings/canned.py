"""Canned responses: the desk's, the reader's teams' and their own, written and changed."""

from typing import Any, Final

from aiohttp import web

from hub.db.tx import Rx, Tx
from hub.desk import canned
from hub.desk.canned import Canned, Wanted
from hub.desk.filling import KNOWN
from hub.errors import Refusal
from hub.staff import teams
from hub.staff.access import Caller
from hub.staff.teams import Team
from hub.text import fold
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.agents import MOST
from hub.web.settings.frame import Form, back, draw, named

PATH: Final = "/settings/canned"


async def every_one(request: web.Request, caller: Caller) -> web.Response:
    found, known = await request.app[DESK].store.read(_all, caller)
    wanted = fold(request.query.get("q", "")[:200])
    return await draw(
        request,
        caller,
        "canned",
        "canned",
        items=[one for one in found if not wanted or wanted in fold(f"{one.short} {one.title} {one.text}")],
        teams={team.id: team.name for team in known},
        q=request.query.get("q", ""),
        count=len(found),
    )


async def new(request: web.Request, caller: Caller) -> web.Response:
    return await _form(request, caller, None, {"whose": "desk" if caller.grants.everything else "own"}, {})


async def add(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        await request.app[DESK].store.write(lambda tx: canned.create(tx, caller, Wanted(**_wanted(form))))
    except Refusal as refusal:
        return await _form(request, caller, None, form.values, plain.wrong(refusal))
    return back(PATH, "added")


async def one(request: web.Request, caller: Caller) -> web.Response:
    found = await _one(request, caller)
    whose = "own" if found.own else "desk" if found.team_id is None else str(found.team_id)
    values = {"short": found.short, "title": found.title, "text": found.text, "language": found.language or ""}
    return await _form(request, caller, found, {**values, "whose": whose}, {})


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    found = await _one(request, caller)
    try:
        await request.app[DESK].store.write(lambda tx: canned.change(tx, caller, found.id, **_wanted(form)))
    except Refusal as refusal:
        return await _form(request, caller, found, form.values, plain.wrong(refusal))
    return back(PATH)


async def remove(request: web.Request, caller: Caller, form: Form) -> web.Response:
    def do(tx: Tx) -> None:
        canned.delete(tx, caller, named(request))

    await request.app[DESK].store.write(do)
    return back(PATH, "removed")


async def _form(
    request: web.Request, caller: Caller, found: Canned | None, values: dict[str, str], wrong: dict[str, str]
) -> web.Response:
    _, known = await request.app[DESK].store.read(_all, caller)
    return await draw(
        request,
        caller,
        "canned_one",
        "canned",
        wrong=wrong,
        one=found,
        values=values,
        teams=[team for team in known if caller.grants.everything or team.id in caller.grants.teams],
        everything=caller.grants.everything,
        variables=KNOWN,
        changes="tickets.reply" in caller.grants.permissions,
    )


async def _one(request: web.Request, caller: Caller) -> Canned:
    found, _ = await request.app[DESK].store.read(_all, caller)
    for one in found:
        if one.id == named(request):
            return one
    raise Refusal("not_found", "There is no such canned response.")


def _all(rx: Rx, caller: Caller) -> tuple[list[Canned], list[Team]]:
    return canned.listed(rx, caller), [team for team, _ in teams.page(rx, after=("", 0), limit=MOST)]


def _wanted(form: Form) -> dict[str, Any]:
    whose = form.get("whose")
    return {
        "short": form.get("short").strip().removeprefix("/"),
        "title": form.get("title"),
        "text": form.get("text"),
        "language": form.get("language").strip() or None,
        "own": whose == "own",
        "team_id": None if whose in ("own", "desk") else form.one_id("whose"),
    }
