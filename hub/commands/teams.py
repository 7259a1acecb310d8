"""Commands on roles, and on teams with their members and inboxes: what decides who sees and may do what."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.commands.table import Command
from hub.db import cursor
from hub.db.tx import Rx, Tx
from hub.desk import dissolving
from hub.staff import roles, teams
from hub.staff.access import Caller
from hub.staff.roles import Permission, Role, Sees
from hub.staff.teams import Team
from hub.text import MAX_NAME

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Meta(ge=1, le=100)]
Cursor = Annotated[str, Meta(max_length=1_000)]
Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
Permissions = Annotated[list[Permission], Meta(max_length=len(roles.PERMISSIONS))]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class RolePage(msgspec.Struct, frozen=True):
    items: list[Role]
    next: str | None


class RemovedAnswer(msgspec.Struct, frozen=True):
    id: int


class TeamPage(msgspec.Struct, frozen=True):
    items: list[Team]
    next: str | None


class ListPage(_Request, frozen=True, kw_only=True):
    limit: Limit = 50
    cursor: Cursor | None = None


class CreateRole(_Request, frozen=True, kw_only=True):
    """`sees`: every ticket; those of the agent's teams and their inboxes; those of their teams; or only their own."""

    name: Name
    permissions: Permissions
    sees: Sees


class ChangeRole(_Request, frozen=True, kw_only=True):
    """What is left out stays."""

    role_id: Id
    name: Name | UnsetType = UNSET
    permissions: Permissions | UnsetType = UNSET
    sees: Sees | UnsetType = UNSET


class OneRole(_Request, frozen=True, kw_only=True):
    role_id: Id


class CreateTeam(_Request, frozen=True, kw_only=True):
    name: Name


class RenameTeam(_Request, frozen=True, kw_only=True):
    """What is left out stays. `hours_id`: its business hours; null: those of the inbox."""

    team_id: Id
    name: Name | UnsetType = UNSET
    hours_id: Id | UnsetType | None = UNSET


class DeleteTeam(_Request, frozen=True, kw_only=True):
    """`tickets_to`: the team that gets its tickets and texts; left out: its tickets are in no team's queue, its texts
    the whole desk's."""

    team_id: Id
    tickets_to: Id | None = None


class TeamMember(_Request, frozen=True, kw_only=True):
    team_id: Id
    agent_id: Id


class TeamInbox(_Request, frozen=True, kw_only=True):
    team_id: Id
    inbox_id: Id


def _list_roles(rx: Rx, caller: Caller, request: ListPage) -> RolePage:
    after = 0 if request.cursor is None else cursor.read("roles", request.cursor, (int,))[0]
    found = roles.page(rx, after=after, limit=request.limit + 1)
    items = found[: request.limit]
    return RolePage(items, cursor.make("roles", (items[-1].id,)) if len(found) > request.limit else None)


def _create_role(tx: Tx, caller: Caller, request: CreateRole) -> Role:
    fields = msgspec.structs.asdict(request)
    return roles.get(tx, roles.create(tx, caller, **fields))


def _change_role(tx: Tx, caller: Caller, request: ChangeRole) -> Role:
    fields = {name: value for name, value in msgspec.structs.asdict(request).items() if value is not UNSET}
    roles.change(tx, caller, **fields)
    return roles.get(tx, request.role_id)


def _delete_role(tx: Tx, caller: Caller, request: OneRole) -> RemovedAnswer:
    roles.remove(tx, caller, request.role_id)
    return RemovedAnswer(request.role_id)


def _list_teams(rx: Rx, caller: Caller, request: ListPage) -> TeamPage:
    after = ("", 0) if request.cursor is None else cursor.read("teams", request.cursor, (str, int))
    found = teams.page(rx, after=(after[0], after[1]), limit=request.limit + 1)
    items = [team for team, _ in found[: request.limit]]
    more = len(found) > request.limit
    return TeamPage(items, cursor.make("teams", found[request.limit - 1][1]) if more else None)


def _create_team(tx: Tx, caller: Caller, request: CreateTeam) -> Team:
    return teams.get(tx, teams.create(tx, caller, request.name))


def _rename_team(tx: Tx, caller: Caller, request: RenameTeam) -> Team:
    teams.change(tx, caller, request.team_id, name=request.name, hours_id=request.hours_id)
    return teams.get(tx, request.team_id)


def _delete_team(tx: Tx, caller: Caller, request: DeleteTeam) -> RemovedAnswer:
    dissolving.dissolve(tx, caller, request.team_id, request.tickets_to)
    return RemovedAnswer(request.team_id)


def _add_member(tx: Tx, caller: Caller, request: TeamMember) -> Team:
    teams.add_member(tx, caller, request.team_id, request.agent_id)
    return teams.get(tx, request.team_id)


def _remove_member(tx: Tx, caller: Caller, request: TeamMember) -> Team:
    teams.remove_member(tx, caller, request.team_id, request.agent_id)
    return teams.get(tx, request.team_id)


def _add_inbox(tx: Tx, caller: Caller, request: TeamInbox) -> Team:
    teams.add_inbox(tx, caller, request.team_id, request.inbox_id)
    return teams.get(tx, request.team_id)


def _remove_inbox(tx: Tx, caller: Caller, request: TeamInbox) -> Team:
    teams.remove_inbox(tx, caller, request.team_id, request.inbox_id)
    return teams.get(tx, request.team_id)


_READ: dict[str, Any] = {"method": "GET", "scope": "staff:read", "permission": "agents.read"}
_ROLES: dict[str, Any] = {
    "noun": "roles",
    "scope": "staff:write",
    "permission": roles.MANAGE,
    "refuses": ("conflict",),
}
_TEAMS: dict[str, Any] = _ROLES | {"noun": "teams", "permission": teams.MANAGE}
_MEMBER: Final = "/teams/{team_id}/members/{agent_id}"
_INBOX: Final = "/teams/{team_id}/inboxes/{inbox_id}"

COMMANDS: Final = (
    Command(
        name="list_roles",
        noun="roles",
        summary="All roles, the built-in ones first.",
        path="/roles",
        request=ListPage,
        answer=RolePage,
        read=_list_roles,
        **_READ,
    ),
    Command(
        name="create_role",
        summary="Add a role of one's own making, which allows no more than the caller's.",
        method="POST",
        path="/roles",
        request=CreateRole,
        answer=Role,
        write=_create_role,
        status=201,
        **_ROLES,
    ),
    Command(
        name="change_role",
        summary="Change a role that is not built in, for everybody who has it and at once.",
        method="PATCH",
        path="/roles/{role_id}",
        request=ChangeRole,
        answer=Role,
        write=_change_role,
        **_ROLES,
    ),
    Command(
        name="delete_role",
        summary="Remove a role that is not built in and that nobody has.",
        method="DELETE",
        path="/roles/{role_id}",
        request=OneRole,
        answer=RemovedAnswer,
        write=_delete_role,
        **_ROLES,
    ),
    Command(
        name="list_teams",
        noun="teams",
        summary="All teams with their members and inboxes, by name.",
        path="/teams",
        request=ListPage,
        answer=TeamPage,
        read=_list_teams,
        **_READ,
    ),
    Command(
        name="create_team",
        summary="Add a team.",
        method="POST",
        path="/teams",
        request=CreateTeam,
        answer=Team,
        write=_create_team,
        status=201,
        **_TEAMS,
    ),
    Command(
        name="rename_team",
        summary="Give a team another name.",
        method="PATCH",
        path="/teams/{team_id}",
        request=RenameTeam,
        answer=Team,
        write=_rename_team,
        **_TEAMS,
    ),
    Command(
        name="delete_team",
        summary="Dissolve a team: nobody is in it from now on; a job takes its tickets to another or out of any.",
        method="POST",
        path="/teams/{team_id}/delete",
        request=DeleteTeam,
        answer=RemovedAnswer,
        write=_delete_team,
        **_TEAMS,
    ),
    Command(
        name="add_team_member",
        summary="Take an agent into a team: they see what it sees, at once.",
        method="PUT",
        path=_MEMBER,
        request=TeamMember,
        answer=Team,
        write=_add_member,
        **_TEAMS,
    ),
    Command(
        name="remove_team_member",
        summary="Take an agent out of a team.",
        method="DELETE",
        path=_MEMBER,
        request=TeamMember,
        answer=Team,
        write=_remove_member,
        **_TEAMS,
    ),
    Command(
        name="add_team_inbox",
        summary="Show an inbox to a team.",
        method="PUT",
        path=_INBOX,
        request=TeamInbox,
        answer=Team,
        write=_add_inbox,
        **_TEAMS,
    ),
    Command(
        name="remove_team_inbox",
        summary="Take an inbox from a team.",
        method="DELETE",
        path=_INBOX,
        request=TeamInbox,
        answer=Team,
        write=_remove_inbox,
        **_TEAMS,
    ),
)
