"""Teams: who is in them, and which inboxes their members see."""

from typing import Final

from aiohttp import web
from msgspec import UNSET

from hub.db.tx import Rx, Tx
from hub.desk import dissolving, hours, inboxes
from hub.desk.inboxes import Inbox
from hub.errors import Refusal
from hub.events import Scope
from hub.staff import agents, teams
from hub.staff.access import Caller, may
from hub.staff.agents import Agent
from hub.staff.teams import Team
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.agents import MOST
from hub.web.settings.frame import Form, back, changed, draw, named

PATH: Final = "/settings/teams"


async def every_team(request: web.Request, caller: Caller) -> web.Response:
    return await _list(request, caller, "", {})


async def add(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        team_id = await request.app[DESK].store.write(_add, caller, form)
    except Refusal as refusal:
        return await _list(request, caller, form.get("name"), plain.wrong(refusal))
    return back(f"{PATH}/{team_id}", "added")


async def one(request: web.Request, caller: Caller) -> web.Response:
    return await _one(request, caller, None, {})


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    return await changed(request, caller, form, unit=_change, again=_one, path=PATH)


async def delete(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        await request.app[DESK].store.write(_delete, caller, named(request), form)
    except Refusal as refusal:
        if refusal.code == "not_found":
            raise
        return await _one(request, caller, None, plain.wrong(refusal))
    return back(PATH, "team-deleted")


async def _list(request: web.Request, caller: Caller, name: str, wrong: dict[str, str]) -> web.Response:
    found, _, places = await request.app[DESK].store.read(_everything, caller)
    names = {inbox.id: inbox.name for inbox in places}
    return await draw(
        request,
        caller,
        "teams",
        "teams",
        wrong=wrong,
        name=name,
        teams=[(team, [names[i] for i in team.inboxes if i in names]) for team in found],
    )


async def _one(request: web.Request, caller: Caller, form: Form | None, wrong: dict[str, str]) -> web.Response:
    team_id = named(request)
    found, people, places = await request.app[DESK].store.read(_everything, caller)
    team = next((team for team in found if team.id == team_id), None)
    if team is None:
        raise Refusal("not_found", "There is no such team.")
    return await draw(
        request,
        caller,
        "team",
        "teams",
        wrong=wrong,
        team=team,
        changes=teams.MANAGE in caller.grants.permissions
        and (caller.grants.everything or team.id in caller.grants.teams),
        people=[agent for agent in people if agent.disabled_at is None or agent.id in team.members],
        places=places,
        members=form.ids("member") if form else set(team.members),
        inboxes=form.ids("inbox") if form else set(team.inboxes),
        name=form.get("name") if form else team.name,
        tickets=await request.app[DESK].store.read(dissolving.tickets_of, team.id),
        others=[(other.id, other.name) for other in found if other.id != team.id],
        hours=[(one.id, one.name) for one in await request.app[DESK].store.read(hours.all_of_them)],
        hours_id=form.get("hours") if form else team.hours_id,
    )


def _everything(rx: Rx, caller: Caller) -> tuple[list[Team], list[Agent], list[Inbox]]:
    return (
        [team for team, _ in teams.page(rx, after=("", 0), limit=MOST)],
        [agent for agent, _ in agents.page(rx, after=("", 0), limit=MOST)],
        [inbox for inbox in inboxes.all_of_them(rx) if may(caller.grants, Scope(inbox.id))],
    )


def _add(tx: Tx, caller: Caller, form: Form) -> int:
    return teams.create(tx, caller, form.get("name"))


def _delete(tx: Tx, caller: Caller, team_id: int, form: Form) -> None:
    dissolving.dissolve(tx, caller, team_id, form.one_id("tickets_to"))


def _change(tx: Tx, caller: Caller, team_id: int, form: Form) -> None:
    was = teams.get(tx, team_id)
    when = form.one_id("hours") if form.on("hours") else UNSET
    teams.change(tx, caller, team_id, name=form.get("name"), hours_id=when)
    members, shown = form.ids("member"), form.ids("inbox")
    for inbox_id in sorted(shown - set(was.inboxes)):
        teams.add_inbox(tx, caller, team_id, inbox_id)
    for inbox_id in was.inboxes:
        if inbox_id not in shown and may(caller.grants, Scope(inbox_id)):
            teams.remove_inbox(tx, caller, team_id, inbox_id)
    for agent_id in sorted(members - set(was.members)):
        teams.add_member(tx, caller, team_id, agent_id)
    for agent_id in was.members:
        if agent_id not in members:
            teams.remove_member(tx, caller, team_id, agent_id)
