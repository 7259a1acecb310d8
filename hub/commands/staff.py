"""Commands on agents; with those of `teams` (roles, teams) and `own` (tokens, availability, offers) all of staff's."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.commands import own, teams
from hub.commands.table import Command
from hub.db import cursor
from hub.db.tx import Rx, Tx
from hub.staff import agents, one_time, two_factor
from hub.staff.access import Caller
from hub.staff.agents import Agent
from hub.text import MAX_NAME

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Meta(ge=1, le=100)]
Cursor = Annotated[str, Meta(max_length=1_000)]
Email = Annotated[str, Meta(min_length=3, max_length=254)]
Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
Language = Annotated[str, Meta(min_length=2, max_length=35)]
Languages = Annotated[list[Language], Meta(max_length=20)]
Skills = Annotated[list[Annotated[str, Meta(min_length=1, max_length=50)]], Meta(max_length=50)]
Capacity = Annotated[int, Meta(ge=0, le=agents.MAX_CAPACITY)]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class AgentPage(msgspec.Struct, frozen=True):
    items: list[Agent]
    next: str | None


class LinkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`secret` is told this once: whoever has it chooses the agent's password."""

    agent_id: int
    secret: str


class ListAgents(_Request, frozen=True, kw_only=True):
    limit: Limit = 50
    cursor: Cursor | None = None


class OneAgent(_Request, frozen=True, kw_only=True):
    agent_id: Id


class CreateAgent(_Request, frozen=True, kw_only=True):
    """They sign in once they have chosen a password by a link (`make_password_link`)."""

    email: Email
    name: Name
    role_id: Id
    language: Language | None = None
    languages: Languages = []
    skills: Skills = []
    capacity: Capacity = 10


class ChangeAgent(_Request, frozen=True, kw_only=True):
    """What is left out stays. Another role or address signs the agent out everywhere."""

    agent_id: Id
    email: Email | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    role_id: Id | UnsetType = UNSET
    language: Language | UnsetType | None = UNSET
    languages: Languages | UnsetType = UNSET
    skills: Skills | UnsetType = UNSET
    capacity: Capacity | UnsetType = UNSET


class Nothing(_Request, frozen=True, kw_only=True):
    pass


class SignInRules(msgspec.Struct, frozen=True, kw_only=True):
    two_factor_required: bool


class ChangeSignIn(_Request, frozen=True, kw_only=True):
    """Whoever has no second factor sets it up at their next sign-in. `at_once`: they are signed out now."""

    two_factor_required: bool
    at_once: bool = False


def _list(rx: Rx, caller: Caller, request: ListAgents) -> AgentPage:
    after = ("", 0) if request.cursor is None else cursor.read("agents", request.cursor, (str, int))
    found = agents.page(rx, after=(after[0], after[1]), limit=request.limit + 1)
    items = [agent for agent, _ in found[: request.limit]]
    more = len(found) > request.limit
    return AgentPage(items, cursor.make("agents", found[request.limit - 1][1]) if more else None)


def _read(rx: Rx, caller: Caller, request: OneAgent) -> Agent:
    return agents.get(rx, request.agent_id)


def _create(tx: Tx, caller: Caller, request: CreateAgent) -> Agent:
    return agents.get(tx, agents.create(tx, caller, **msgspec.structs.asdict(request)))


def _change(tx: Tx, caller: Caller, request: ChangeAgent) -> Agent:
    agents.change(tx, caller, **msgspec.structs.asdict(request))
    return agents.get(tx, request.agent_id)


def _disable(tx: Tx, caller: Caller, request: OneAgent) -> Agent:
    agents.disable(tx, caller, request.agent_id)
    return agents.get(tx, request.agent_id)


def _enable(tx: Tx, caller: Caller, request: OneAgent) -> Agent:
    agents.enable(tx, caller, request.agent_id)
    return agents.get(tx, request.agent_id)


def _sign_out(tx: Tx, caller: Caller, request: OneAgent) -> Agent:
    agents.sign_out(tx, caller, request.agent_id)
    return agents.get(tx, request.agent_id)


def _reset_two_factor(tx: Tx, caller: Caller, request: OneAgent) -> Agent:
    two_factor.reset(tx, caller, request.agent_id)
    return agents.get(tx, request.agent_id)


def _read_sign_in(rx: Rx, caller: Caller, request: Nothing) -> SignInRules:
    return SignInRules(two_factor_required=two_factor.is_required(rx))


def _change_sign_in(tx: Tx, caller: Caller, request: ChangeSignIn) -> SignInRules:
    two_factor.require(tx, caller, request.two_factor_required, at_once=request.at_once)
    return SignInRules(two_factor_required=request.two_factor_required)


def _link(tx: Tx, caller: Caller, request: OneAgent) -> LinkAnswer:
    return LinkAnswer(agent_id=request.agent_id, secret=one_time.invite(tx, caller, request.agent_id))


_READ: dict[str, Any] = {"noun": "agents", "method": "GET", "scope": "staff:read", "permission": "agents.read"}
_WRITE: dict[str, Any] = {"noun": "agents", "scope": "staff:write", "refuses": ("conflict",)}
_MANAGE: dict[str, Any] = _WRITE | {"permission": agents.MANAGE}
_HELP: dict[str, Any] = _WRITE | {"permission": agents.HELP}
_ONE: Final = "/agents/{agent_id}"

COMMANDS: Final = (
    Command(
        name="list_agents",
        summary="Everybody who works here, by name; those who are disabled too.",
        path="/agents",
        request=ListAgents,
        answer=AgentPage,
        read=_list,
        **_READ,
    ),
    Command(
        name="read_agent",
        summary="One agent.",
        path=_ONE,
        request=OneAgent,
        answer=Agent,
        read=_read,
        **_READ,
    ),
    Command(
        name="create_agent",
        summary="Add an agent, who cannot sign in yet.",
        method="POST",
        path="/agents",
        request=CreateAgent,
        answer=Agent,
        write=_create,
        status=201,
        **_MANAGE,
    ),
    Command(
        name="change_agent",
        summary="Change an agent; of oneself, anybody may change name and languages.",
        method="PATCH",
        path=_ONE,
        request=ChangeAgent,
        answer=Agent,
        write=_change,
        **_WRITE,
    ),
    Command(
        name="disable_agent",
        summary="Shut an agent out at once: sessions, tokens and links end. Their tickets stay with them.",
        method="POST",
        path=f"{_ONE}/disable",
        request=OneAgent,
        answer=Agent,
        write=_disable,
        **_MANAGE,
    ),
    Command(
        name="enable_agent",
        summary="Let an agent sign in again.",
        method="POST",
        path=f"{_ONE}/enable",
        request=OneAgent,
        answer=Agent,
        write=_enable,
        **_MANAGE,
    ),
    Command(
        name="sign_out_agent",
        summary="Sign an agent out of every browser. They may sign in again; their API tokens go on.",
        method="POST",
        path=f"{_ONE}/sign-out",
        request=OneAgent,
        answer=Agent,
        write=_sign_out,
        **_HELP,
    ),
    Command(
        name="reset_two_factor",
        summary="Take the second factor off an agent who has lost it. They are signed out and set it up anew.",
        method="POST",
        path=f"{_ONE}/two-factor/reset",
        request=OneAgent,
        answer=Agent,
        write=_reset_two_factor,
        **_HELP,
    ),
    Command(
        name="read_sign_in",
        noun="desk",
        summary="Whether everybody needs two-factor.",
        method="GET",
        path="/sign-in",
        request=Nothing,
        answer=SignInRules,
        scope="desk:read",
        permission=two_factor.RULES,
        read=_read_sign_in,
    ),
    Command(
        name="change_sign_in",
        noun="desk",
        summary="Say whether everybody needs two-factor.",
        method="PUT",
        path="/sign-in",
        request=ChangeSignIn,
        answer=SignInRules,
        scope="desk:write",
        permission=two_factor.RULES,
        write=_change_sign_in,
        refuses=("conflict",),
    ),
    Command(
        name="make_password_link",
        summary="Make a link by which the agent chooses a password: once, within 72 hours.",
        method="POST",
        path=f"{_ONE}/password-link",
        request=OneAgent,
        answer=LinkAnswer,
        write=_link,
        status=201,
        tells_secret=True,
        **_MANAGE,
    ),
    *teams.COMMANDS,
    *own.COMMANDS,
)
