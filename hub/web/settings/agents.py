"""Agents: who works here; inviting them, changing what they may and take on, shutting them out."""

from typing import Any, Final

import msgspec
from aiohttp import web

from hub.db.tx import Rx, Tx
from hub.desk import own_mail
from hub.errors import Refusal
from hub.staff import agents, one_time, roles, teams, two_factor
from hub.staff.access import Caller
from hub.staff.agents import Agent
from hub.staff.roles import Role
from hub.staff.teams import Team
from hub.text import fold
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, changed, draw, named

PATH: Final = "/settings/agents"
MOST: Final = 1_000


class Staff(msgspec.Struct, frozen=True):
    agents: list[Agent]
    roles: list[Role]
    teams: list[Team]
    two_factor: set[int]  # who has a second factor

    def of(self, agent_id: int) -> list[Team]:
        return [team for team in self.teams if agent_id in team.members]


def staff(rx: Rx) -> Staff:
    return Staff(
        [agent for agent, _ in agents.page(rx, after=("", 0), limit=MOST)],
        roles.page(rx, after=0, limit=MOST),
        [team for team, _ in teams.page(rx, after=("", 0), limit=MOST)],
        two_factor.everybody(rx),
    )


async def everybody(request: web.Request, caller: Caller) -> web.Response:
    return await _list(request, caller, None, {})


async def invite(request: web.Request, caller: Caller, form: Form) -> web.Response:
    """The link is on the page that answers, and never again."""
    desk = request.app[DESK]
    try:
        agent, secret, mailed = await desk.store.write(_invite, caller, form)
    except Refusal as refusal:
        return await _list(request, caller, form, plain.wrong(refusal))
    return await _link(request, caller, agent, secret, mailed)


async def one(request: web.Request, caller: Caller) -> web.Response:
    return await _one(request, caller, None, {})


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    return await changed(request, caller, form, unit=_change, again=_one, path=PATH)


async def new_link(request: web.Request, caller: Caller, form: Form) -> web.Response:
    store, agent_id = request.app[DESK].store, named(request)
    secret, mailed = await store.write(_mailed, caller, agent_id)
    return await _link(request, caller, await store.read(agents.get, agent_id), secret, mailed)


async def disable(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(agents.disable, caller, named(request))
    return back(f"{PATH}/{named(request)}", "disabled")


async def enable(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(agents.enable, caller, named(request))
    return back(f"{PATH}/{named(request)}", "enabled")


async def sign_out(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(agents.sign_out, caller, named(request))
    return back(f"{PATH}/{named(request)}", "signed-out")


async def reset_two_factor(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(two_factor.reset, caller, named(request))
    return back(f"{PATH}/{named(request)}", "reset")


def within(caller: Caller, role: Role) -> bool:
    """Whether the caller may give, take or change this role."""
    try:
        roles.within_reach(caller, role)
    except Refusal:
        return False
    return True


# --- drawing ---------------------------------------------------------------------------------------------------------


async def _list(request: web.Request, caller: Caller, form: Form | None, wrong: dict[str, str]) -> web.Response:
    found = await request.app[DESK].store.read(staff)
    wanted = fold(request.query.get("q", "")[:200])
    people = [a for a in found.agents if not wanted or wanted in fold(f"{a.name} {a.email} {a.role}")]
    return await draw(
        request,
        caller,
        "agents",
        "agents",
        wrong=wrong,
        people=[(agent, [team.name for team in found.of(agent.id)]) for agent in people],
        two_factor=found.two_factor,
        tells=agents.HELP in caller.grants.permissions,
        q=request.query.get("q", ""),
        count=len(found.agents),
        roles=[role for role in found.roles if within(caller, role)],
        teams=_managed(caller, found.teams),
        values=form.values if form else {},
        chosen=form.ids("team") if form else set(),
    )


async def _one(request: web.Request, caller: Caller, form: Form | None, wrong: dict[str, str]) -> web.Response:
    found, agent_id = await request.app[DESK].store.read(staff), named(request)
    agent = next((a for a in found.agents if a.id == agent_id), None)
    if agent is None:
        raise Refusal("not_found", "There is no such agent.")
    role = next(role for role in found.roles if role.id == agent.role_id)
    return await draw(
        request,
        caller,
        "agent",
        "agents",
        wrong=wrong,
        agent=agent,
        role=role,
        theirs=[team.name for team in found.of(agent.id)],
        changes=agents.MANAGE in caller.grants.permissions and within(caller, role),
        helps=agents.HELP in caller.grants.permissions and within(caller, role),
        two_factor=agent.id in found.two_factor,
        is_me=agent.id == caller.grants.agent_id,
        roles=[r for r in found.roles if within(caller, r) or r.id == role.id],
        teams=_managed(caller, found.teams),
        chosen=form.ids("team") if form else {team.id for team in found.of(agent.id)},
        values=form.values if form else _as_written(agent),
    )


async def _link(request: web.Request, caller: Caller, agent: Agent, secret: str, mailed: bool) -> web.Response:
    url = f"{request.app[DESK].config.public_url.rstrip('/')}/join/{secret}"
    return await draw(request, caller, "agent_link", "agents", agent=agent, link=url, mailed=mailed)


def _as_written(agent: Agent) -> dict[str, Any]:
    return {
        "name": agent.name,
        "email": agent.email,
        "role": agent.role_id,
        "capacity": agent.capacity,
        "skills": ", ".join(agent.skills),
        "languages": ", ".join(agent.languages),
    }


def _managed(caller: Caller, found: list[Team]) -> list[Team]:
    """Who does not see everything manages only the teams they are in."""
    return [team for team in found if caller.grants.everything or team.id in caller.grants.teams]


# --- changing --------------------------------------------------------------------------------------------------------


def _mailed(tx: Tx, caller: Caller, agent_id: int) -> tuple[str, bool]:
    """The secret of a link, and whether it goes to them by mail as well."""
    secret = one_time.invite(tx, caller, agent_id)
    return secret, own_mail.to_agent(tx, agents.get(tx, agent_id), "invitation", {"secret": secret}) is not None


def _invite(tx: Tx, caller: Caller, form: Form) -> tuple[Agent, str, bool]:
    role = form.one_id("role")
    agent_id = agents.create(tx, caller, email=form.get("email"), name=form.get("name"), role_id=role or 0)
    for team_id in form.ids("team"):
        teams.add_member(tx, caller, team_id, agent_id)
    return agents.get(tx, agent_id), *_mailed(tx, caller, agent_id)


def _change(tx: Tx, caller: Caller, agent_id: int, form: Form) -> None:
    was = agents.get(tx, agent_id)
    capacity = form.whole("capacity")
    agents.change(
        tx,
        caller,
        agent_id,
        name=form.get("name"),
        email=form.get("email"),
        role_id=form.one_id("role") or was.role_id,
        languages=form.words("languages"),
        skills=form.words("skills"),
        capacity=capacity if isinstance(capacity, int) else -1,
    )
    for team in _managed(caller, [team for team, _ in teams.page(tx, after=("", 0), limit=MOST)]):
        wanted, is_in = team.id in form.ids("team"), agent_id in team.members
        if wanted and not is_in:
            teams.add_member(tx, caller, team.id, agent_id)
        elif is_in and not wanted:
            teams.remove_member(tx, caller, team.id, agent_id)
