"""Who may: one rule in two faces side by side. tests/staff/test_access.py proves that they agree on both databases.

sees a ticket  ⇔  the role sees everything
               ∨  (role sees 'inboxes') the ticket's inbox is one of their teams'
               ∨  (role sees 'inboxes' or 'teams') the ticket's team is one of theirs
               ∨  it is assigned to them
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from hub.db.tx import Rx
from hub.errors import Refusal, not_found
from hub.events import SYSTEM, Actor, Scope


class Grants(msgspec.Struct, frozen=True):
    """What an agent may, as one frozen value: no SQL in the check. Made by `load`, renewed on `access.changed`."""

    agent_id: int
    permissions: frozenset[str]
    everything: bool
    inboxes: frozenset[int]
    teams: frozenset[int]
    sees: str = "own"  # what the role sees of it all: the sets say of which inboxes and teams


class Caller(msgspec.Struct, frozen=True):
    """Who asks, through whatever door. `scopes` is what their API token allows; None: no token, the role decides."""

    actor: Actor
    grants: Grants
    scopes: frozenset[str] | None = None
    token_id: int | None = None


ALL: Final = Grants(0, frozenset(), True, frozenset(), frozenset())
DESK: Final = Caller(SYSTEM, ALL)  # the desk itself: timers, jobs, reactions


def may(grants: Grants, scope: Scope) -> bool:
    return (
        grants.everything
        or scope.inbox_id in grants.inboxes
        or scope.team_id in grants.teams
        or (scope.assignee_id is not None and scope.assignee_id == grants.agent_id)
    )


def visible(grants: Grants, *, checked: bool = False) -> tuple[str, dict[str, Any]]:
    """The same rule as SQL over a table named or aliased `ticket`, with its parameters. Ids are numbers of ours.
    `checked`: on rows that are found otherwise, so that no database looks them up by this."""
    if grants.everything:
        return "1 = 1", {}
    plus = "+" if checked else ""
    parts = [f"{plus}ticket.assignee_id = :me"]
    if grants.inboxes:
        parts.append(f"{plus}ticket.inbox_id IN ({_numbers(grants.inboxes)})")
    if grants.teams:
        parts.append(f"{plus}ticket.team_id IN ({_numbers(grants.teams)})")
    return f"({' OR '.join(parts)})", {"me": grants.agent_id}


def visible_parts(grants: Grants) -> tuple[list[str], dict[str, Any]]:
    """The same in parts, each of which an index can answer in order: a ticket that is in one of them may be seen."""
    if grants.everything:
        return ["1 = 1"], {}
    parts = ["ticket.assignee_id = :me"]
    parts += [f"ticket.inbox_id = {int(i)}" for i in sorted(grants.inboxes)]
    parts += [f"ticket.team_id = {int(i)}" for i in sorted(grants.teams)]
    return parts, {"me": grants.agent_id}


def _numbers(ids: frozenset[int]) -> str:
    return ", ".join(str(int(i)) for i in sorted(ids))


def require(caller: Caller, scope: Scope | None, what: str = "ticket") -> None:
    """Raises "not found" for what is absent and for what the caller may not see: nobody can tell which."""
    if scope is None or not may(caller.grants, scope):
        raise not_found(what)


def require_permission(caller: Caller, permission: str) -> None:
    if caller.actor.kind == "system":
        return
    if permission not in caller.grants.permissions:
        raise Refusal("forbidden", f"Your role does not allow this ({permission}). Ask an administrator.")


def agent_of(caller: Caller) -> int:
    """The agent who asks, for what is an agent's own."""
    if caller.actor.kind != "agent":
        raise Refusal("forbidden", "Only an agent has this.")
    return caller.grants.agent_id


def holds(caller: Caller, permission: str, scope: str) -> bool:
    """Whether role and token both allow it: for what is shown beside something else, and left out where it is not."""
    if caller.actor.kind == "system":
        return True
    return permission in caller.grants.permissions and (caller.scopes is None or scope in caller.scopes)


_LOAD = """
SELECT role.permissions, role.sees FROM agent JOIN role ON role.id = agent.role_id
WHERE agent.id = :agent_id AND agent.disabled_at IS NULL"""
_TEAMS = "SELECT team_id FROM team_member WHERE agent_id = :agent_id"
_INBOXES = """
SELECT inbox_team.inbox_id FROM inbox_team JOIN team_member ON team_member.team_id = inbox_team.team_id
WHERE team_member.agent_id = :agent_id"""


def load(rx: Rx, agent_id: int) -> Grants | None:
    """The agent's grants as they are now; None for nobody and for a disabled agent."""
    found = rx.row(_LOAD, agent_id=agent_id)
    if found is None:
        return None
    permissions, sees = found
    return granted(
        agent_id,
        msgspec.json.decode(permissions, type=list[str]),
        sees,
        (row[0] for row in rx.rows(_TEAMS, agent_id=agent_id)) if sees in ("inboxes", "teams") else (),
        (row[0] for row in rx.rows(_INBOXES, agent_id=agent_id)) if sees == "inboxes" else (),
    )


def granted(
    agent_id: int, permissions: Iterable[str], sees: str, teams: Iterable[int], inboxes: Iterable[int]
) -> Grants:
    """What a role that `sees` so much makes of an agent's teams and of those teams' inboxes."""
    return Grants(
        agent_id=agent_id,
        permissions=frozenset(permissions),
        everything=sees == "everything",
        inboxes=frozenset(inboxes) if sees == "inboxes" else frozenset(),
        teams=frozenset(teams) if sees in ("inboxes", "teams") else frozenset(),
        sees=sees,
    )
