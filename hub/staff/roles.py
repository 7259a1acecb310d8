"""Roles: which permissions go together and how much their holders see. Four are built in; a firm may add its own.

Called by `hub.app` at start (`ensure_built_in`) and by the commands of staff.
"""

from collections.abc import Iterable
from typing import Any, Final, Literal, get_args

import msgspec

from hub.db.tx import Rx, Tx
from hub.errors import Refusal, invalid, not_found
from hub.events import SYSTEM, AccessChanged, RoleChanged
from hub.staff.access import Caller, require_permission
from hub.text import MAX_NAME, clean, fold

Permission = Literal[
    "tickets.read",
    "tickets.reply",
    "tickets.note",
    "tickets.assign",
    "tickets.change",
    "tickets.export",
    "contacts.read",
    "contacts.change",
    "contacts.export",
    "feedback.read",
    "feedback.record",
    "feedback.change",
    "inboxes.read",
    "inboxes.manage",
    "agents.read",
    "agents.manage",
    "agents.help",
    "roles.manage",
    "tokens.manage",
    "desk.manage",
]
Sees = Literal["everything", "inboxes", "teams", "own"]
PERMISSIONS: Final[tuple[str, ...]] = get_args(Permission)
SEES: Final[tuple[str, ...]] = get_args(Sees)  # from most to least

MANAGE: Final = "roles.manage"
ADMINISTRATOR: Final = "administrator"
_RUNS_THE_DESK: Final = {"agents.manage", "roles.manage", "inboxes.manage", "desk.manage"}
_TAKES_OUT: Final = {"tickets.export", "contacts.export"}  # a copy of everything one sees is not everybody's
_READS: Final = {"tickets.read", "contacts.read", "feedback.read", "inboxes.read", "agents.read"}
BUILT_IN: Final[dict[str, tuple[frozenset[str], Sees]]] = {
    ADMINISTRATOR: (frozenset(PERMISSIONS), "everything"),
    "supervisor": (frozenset(PERMISSIONS) - _RUNS_THE_DESK, "everything"),
    "agent": (frozenset(PERMISSIONS) - _RUNS_THE_DESK - _TAKES_OUT - {"agents.help"}, "inboxes"),
    "observer": (frozenset(_READS | {"tickets.note"}), "inboxes"),
}

_COLUMNS = "id, name, permissions, sees, built_in, created_at"
_LIST = f"SELECT {_COLUMNS} FROM role WHERE id > :after ORDER BY id LIMIT :limit"
_BY_ID = f"SELECT {_COLUMNS} FROM role WHERE id = :id"
_BY_NAME = f"SELECT {_COLUMNS} FROM role WHERE name = :name"
_NAMES = "SELECT id, name FROM role"
_INSERT = """
INSERT INTO role (name, permissions, sees, built_in, created_at)
VALUES (:name, :permissions, :sees, :built_in, :now)
RETURNING id"""
_UPDATE = """
UPDATE role SET name = :name, permissions = :permissions, sees = :sees, built_in = :built_in WHERE id = :id"""

_REMOVE = "DELETE FROM role WHERE id = :id"
_HELD = "SELECT role_id, COUNT(*) FROM agent GROUP BY role_id"


class Role(msgspec.Struct, frozen=True):
    id: int
    name: str
    permissions: tuple[str, ...]
    sees: Sees
    built_in: bool
    created_at: int


def ensure_built_in(tx: Tx) -> None:
    """Makes the built-in roles what this version says they are; the same again changes nothing."""
    for name, (permissions, sees) in BUILT_IN.items():
        row = tx.row(_BY_NAME, name=name)
        text = _stored(permissions)
        if row is None:
            role_id = tx.insert(_INSERT, name=name, permissions=text, sees=sees, built_in=1, now=tx.now)
        elif (row[2], row[3], row[4]) == (text, sees, 1):
            continue
        else:
            role_id = row[0]
            tx.run(_UPDATE, id=role_id, name=name, permissions=text, sees=sees, built_in=1)
        tx.record(RoleChanged(role_id=role_id), by=SYSTEM)
        tx.record(AccessChanged(), by=SYSTEM)


def get(rx: Rx, role_id: int, field: str | None = None) -> Role:
    """The role; refused as "no such role", or as a wrong `field` where it is part of a request."""
    row = rx.row(_BY_ID, id=role_id)
    if row is None:
        raise invalid(field, "There is no such role.") if field else not_found("role")
    return _role(row)


def named(rx: Rx, name: str) -> Role:
    row = rx.row(_BY_NAME, name=name)
    if row is None:
        raise not_found("role")
    return _role(row)


def page(rx: Rx, *, after: int, limit: int) -> list[Role]:
    """Oldest first, from behind the id `after`."""
    return [_role(row) for row in rx.rows(_LIST, after=after, limit=limit)]


def held(rx: Rx) -> dict[int, int]:
    """Role → how many agents have it, those who are disabled too."""
    return dict(rx.rows(_HELD))


def create(tx: Tx, caller: Caller, *, name: str, permissions: Iterable[str], sees: Sees) -> int:
    require_permission(caller, MANAGE)
    name = _name(tx, name, own_id=None)
    wanted = _known(permissions)
    _within_reach(caller, wanted, sees)
    role_id = tx.insert(_INSERT, name=name, permissions=_stored(wanted), sees=sees, built_in=0, now=tx.now)
    tx.record(RoleChanged(role_id=role_id), by=caller.actor)
    return role_id


def change(
    tx: Tx,
    caller: Caller,
    role_id: int,
    *,
    name: str | None = None,
    permissions: Iterable[str] | None = None,
    sees: Sees | None = None,
) -> None:
    """Changes what is given, for everybody who has the role and at once. The built-in ones stay what they are."""
    require_permission(caller, MANAGE)
    role = get(tx, role_id)
    if role.built_in:
        raise Refusal("conflict", "This role is built in and stays as it is. Make one of your own instead.")
    within_reach(caller, role)
    new_name = role.name if name is None else _name(tx, name, own_id=role_id)
    wanted = frozenset(role.permissions) if permissions is None else _known(permissions)
    new_sees = sees or role.sees
    _within_reach(caller, wanted, new_sees)
    if (new_name, wanted, new_sees) == (role.name, frozenset(role.permissions), role.sees):
        return
    tx.run(_UPDATE, id=role_id, name=new_name, permissions=_stored(wanted), sees=new_sees, built_in=0)
    tx.record(RoleChanged(role_id=role_id), by=caller.actor)
    if (wanted, new_sees) != (frozenset(role.permissions), role.sees):
        tx.record(AccessChanged(), by=caller.actor)


def remove(tx: Tx, caller: Caller, role_id: int) -> None:
    """One of the firm's own that nobody has."""
    require_permission(caller, MANAGE)
    role = get(tx, role_id)
    if role.built_in:
        raise Refusal("conflict", "This role is built in and stays.")
    within_reach(caller, role)
    if held(tx).get(role_id):
        raise Refusal("conflict", "Somebody has this role, perhaps an agent who is disabled. Give them another first.")
    tx.run(_REMOVE, id=role_id)
    tx.record(RoleChanged(role_id=role_id), by=caller.actor)


def within_reach(caller: Caller, role: Role) -> None:
    """Nobody gives, takes or changes a role that allows more than their own: rights cannot be climbed."""
    _within_reach(caller, frozenset(role.permissions), role.sees)


def _within_reach(caller: Caller, permissions: frozenset[str], sees: Sees) -> None:
    if caller.actor.kind == "system":
        return
    mine = caller.grants.permissions
    if caller.scopes is not None and "desk:write" not in caller.scopes:
        mine -= {"desk.manage"}  # such a token only looks
    beyond = permissions - mine
    sees_more = not caller.grants.everything and SEES.index(sees) < SEES.index(caller.grants.sees)
    if beyond or sees_more:
        what = ", ".join(sorted(beyond)) or f"seeing {sees}"
        raise Refusal("forbidden", f"This role allows more than your own role or token ({what}). Ask an administrator.")


def _known(permissions: Iterable[str]) -> frozenset[str]:
    wanted = frozenset(permissions)
    unknown = wanted - set(PERMISSIONS)
    if unknown:
        raise invalid("permissions", "There are only these permissions: " + ", ".join(PERMISSIONS) + ".")
    return wanted


def _name(tx: Tx, name: str, own_id: int | None) -> str:
    name = clean(name, "name", most=MAX_NAME, lines=False).strip()
    for role_id, taken in tx.rows(_NAMES):
        if fold(taken) == fold(name) and role_id != own_id:
            raise Refusal("conflict", "There is a role of this name already. Choose another.", field="name")
    return name


def _stored(permissions: frozenset[str]) -> str:
    return msgspec.json.encode(sorted(permissions)).decode()


def _role(row: tuple[Any, ...]) -> Role:
    permissions = tuple(msgspec.json.decode(row[2], type=list[str]))
    return Role(row[0], row[1], permissions, row[3], bool(row[4]), row[5])
