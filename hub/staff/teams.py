"""Teams: who takes work together, and from which inboxes. Both decide what an agent sees, so both change access."""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from hub.db.tx import Rx, Tx
from hub.errors import Refusal, invalid, not_found
from hub.events import AccessChanged, Scope, TeamChanged, TeamCreated, TeamDeleted
from hub.staff.access import Caller, may, require_permission
from hub.text import MAX_NAME, clean, fold

MANAGE: Final = "agents.manage"
# Above this many members everybody renews their grants: cheaper than so many events.
ONE_BY_ONE: Final = 20

_PAGE = """
SELECT id, name, created_at, name_folded, hours_id FROM team
WHERE (name_folded, id) > (:name, :id) AND gone_at IS NULL ORDER BY name_folded, id LIMIT :limit"""
_BY_ID = "SELECT id, name, created_at, name_folded, hours_id FROM team WHERE id = :id AND gone_at IS NULL"
_TAKEN = "SELECT id FROM team WHERE name_folded = :folded"
_INSERT = "INSERT INTO team (name, name_folded, created_at) VALUES (:name, :folded, :now) RETURNING id"
_CHANGE = "UPDATE team SET name = :name, name_folded = :folded, hours_id = :hours_id WHERE id = :id"
_HOURS = "SELECT 1 FROM hours WHERE id = :id"
_MEMBERS = "SELECT agent_id FROM team_member WHERE team_id = :id ORDER BY agent_id"
_INBOXES = "SELECT inbox_id FROM inbox_team WHERE team_id = :id ORDER BY inbox_id"
_AGENT = "SELECT 1 FROM agent WHERE id = :id"
_INBOX = "SELECT 1 FROM inbox WHERE id = :id"
_ADD_MEMBER = """
INSERT INTO team_member (team_id, agent_id) VALUES (:team_id, :agent_id) ON CONFLICT (team_id, agent_id) DO NOTHING"""
_REMOVE_MEMBER = "DELETE FROM team_member WHERE team_id = :team_id AND agent_id = :agent_id"
_ADD_INBOX = """
INSERT INTO inbox_team (inbox_id, team_id) VALUES (:inbox_id, :team_id) ON CONFLICT (inbox_id, team_id) DO NOTHING"""
_END = """
UPDATE team SET gone_at = :now, tickets_to = :to, hours_id = NULL, name_folded = :folded WHERE id = :id"""
_FOLLOW = "UPDATE team SET tickets_to = :to WHERE tickets_to = :id"
_NO_MEMBERS = "DELETE FROM team_member WHERE team_id = :id"
_NO_INBOXES = "DELETE FROM inbox_team WHERE team_id = :id"
_REMOVE_INBOX = "DELETE FROM inbox_team WHERE team_id = :team_id AND inbox_id = :inbox_id"


class Team(msgspec.Struct, frozen=True):
    id: int
    name: str
    members: tuple[int, ...]
    inboxes: tuple[int, ...]
    created_at: int
    hours_id: int | None  # when they answer


def get(rx: Rx, team_id: int) -> Team:
    row = rx.row(_BY_ID, id=team_id)
    if row is None:
        raise not_found("team")
    return _team(rx, row)


def page(rx: Rx, *, after: tuple[str, int], limit: int) -> list[tuple[Team, tuple[str, int]]]:
    """By name, from behind `after`; each with the key that the next page would start from."""
    return [(_team(rx, row), (row[3], row[0])) for row in rx.rows(_PAGE, name=after[0], id=after[1], limit=limit)]


def create(tx: Tx, caller: Caller, name: str) -> int:
    require_permission(caller, MANAGE)
    name, folded = _name(tx, name, own_id=None)
    team_id = tx.insert(_INSERT, name=name, folded=folded, now=tx.now)
    tx.record(TeamCreated(team_id=team_id), by=caller.actor)
    return team_id


def rename(tx: Tx, caller: Caller, team_id: int, name: str) -> None:
    change(tx, caller, team_id, name=name)


def change(
    tx: Tx,
    caller: Caller,
    team_id: int,
    *,
    name: str | UnsetType = UNSET,
    hours_id: int | UnsetType | None = UNSET,
) -> None:
    """Only what is given changes. `hours_id`: the business hours it goes by; None: those of the inbox."""
    row = _managed(tx, caller, team_id)
    now, folded = (row[1], row[3]) if name is UNSET else _name(tx, name, own_id=team_id)
    hours = row[4] if hours_id is UNSET else hours_id
    if hours is not None and tx.value(_HOURS, id=hours) is None:
        raise invalid("hours_id", "There are no such business hours.")
    if (now, hours) != (row[1], row[4]):
        tx.run(_CHANGE, id=team_id, name=now, folded=folded, hours_id=hours)
        tx.record(TeamChanged(team_id=team_id), by=caller.actor)


def end(tx: Tx, caller: Caller, team_id: int, to: int | None) -> None:
    """Nobody is in it and it sees nothing from now on; its name is free. `to`: the team that has its tickets instead.
    The row stays, for what happened. For `hub.desk.dissolving`, which sees to what hangs on it."""
    _managed(tx, caller, team_id)
    if to == team_id:
        raise invalid("tickets_to", "This is the team that is deleted. Choose another.")
    if to is not None and tx.row(_BY_ID, id=to) is None:
        raise invalid("tickets_to", "There is no such team.")
    tx.run(_END, id=team_id, to=to, folded=f" {team_id}", now=tx.now)  # no folded name begins with a space
    tx.run(_FOLLOW, id=team_id, to=to)
    _sight_changed(tx, caller, team_id)
    tx.run(_NO_MEMBERS, id=team_id)
    tx.run(_NO_INBOXES, id=team_id)
    tx.record(TeamDeleted(team_id=team_id), by=caller.actor)


def add_member(tx: Tx, caller: Caller, team_id: int, agent_id: int) -> None:
    """They see what the team sees from this moment; a member already is nothing."""
    _managed(tx, caller, team_id)
    if tx.value(_AGENT, id=agent_id) is None:
        raise invalid("agent_id", "There is no such agent.")
    if tx.run(_ADD_MEMBER, team_id=team_id, agent_id=agent_id):
        _member_changed(tx, caller, team_id, agent_id)


def remove_member(tx: Tx, caller: Caller, team_id: int, agent_id: int) -> None:
    _managed(tx, caller, team_id)
    if tx.run(_REMOVE_MEMBER, team_id=team_id, agent_id=agent_id):
        _member_changed(tx, caller, team_id, agent_id)


def add_inbox(tx: Tx, caller: Caller, team_id: int, inbox_id: int) -> None:
    """The team's members see all of the inbox. Only who sees it may show it to others."""
    _managed(tx, caller, team_id)
    _seen_inbox(tx, caller, inbox_id)
    if tx.run(_ADD_INBOX, team_id=team_id, inbox_id=inbox_id):
        _inboxes_changed(tx, caller, team_id)


def remove_inbox(tx: Tx, caller: Caller, team_id: int, inbox_id: int) -> None:
    _managed(tx, caller, team_id)
    _seen_inbox(tx, caller, inbox_id)
    if tx.run(_REMOVE_INBOX, team_id=team_id, inbox_id=inbox_id):
        _inboxes_changed(tx, caller, team_id)


def _managed(tx: Tx, caller: Caller, team_id: int) -> tuple[Any, ...]:
    """The team's row. Who manages agents but does not see everything manages only the teams they are in: otherwise
    they could show themselves any inbox by joining its team."""
    require_permission(caller, MANAGE)
    row = tx.row(_BY_ID, id=team_id)
    if row is None:
        raise not_found("team")
    if not caller.grants.everything and team_id not in caller.grants.teams:
        raise Refusal("forbidden", "You manage only the teams that you are in. Ask an administrator.")
    return row


def _seen_inbox(tx: Tx, caller: Caller, inbox_id: int) -> None:
    if tx.value(_INBOX, id=inbox_id) is None or not may(caller.grants, Scope(inbox_id=inbox_id)):
        raise invalid("inbox_id", "There is no such inbox.")


def _member_changed(tx: Tx, caller: Caller, team_id: int, agent_id: int) -> None:
    tx.record(TeamChanged(team_id=team_id), by=caller.actor)
    tx.record(AccessChanged(agent_id=agent_id), by=caller.actor)


def _inboxes_changed(tx: Tx, caller: Caller, team_id: int) -> None:
    tx.record(TeamChanged(team_id=team_id), by=caller.actor)
    _sight_changed(tx, caller, team_id)


def _sight_changed(tx: Tx, caller: Caller, team_id: int) -> None:
    members = tx.rows(_MEMBERS, id=team_id)
    if len(members) > ONE_BY_ONE:
        tx.record(AccessChanged(), by=caller.actor)
        return
    for (agent_id,) in members:
        tx.record(AccessChanged(agent_id=agent_id), by=caller.actor)


def _name(tx: Tx, name: str, own_id: int | None) -> tuple[str, str]:
    name = clean(name, "name", most=MAX_NAME, lines=False).strip()
    folded = fold(name)
    if tx.value(_TAKEN, folded=folded) not in (None, own_id):
        raise Refusal("conflict", "There is a team of this name already. Choose another.", field="name")
    return name, folded


def _team(rx: Rx, row: tuple[Any, ...]) -> Team:
    members = tuple(r[0] for r in rx.rows(_MEMBERS, id=row[0]))
    return Team(row[0], row[1], members, tuple(r[0] for r in rx.rows(_INBOXES, id=row[0])), row[2], row[4])
