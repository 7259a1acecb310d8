"""Agents: who works here. Made, changed, disabled and enabled by commands, by the CLI and by the first start."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from hub.db.tx import Rx, Tx
from hub.errors import Refusal, invalid, not_found
from hub.events import AccessChanged, AgentChanged, AgentCreated, AgentDisabled, AgentEnabled, SignedOut
from hub.people import points
from hub.staff import availability, links, roles, sessions, tokens
from hub.staff.access import Caller, agent_of, require_permission
from hub.text import MAX_NAME, clean, fold

MANAGE: Final = "agents.manage"
HELP: Final = "agents.help"  # who has lost their way in
MAX_CAPACITY: Final = 100
MAX_SIGNATURE: Final = 1_000
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")  # BCP 47 without its rarities

_COLUMNS = """agent.id, agent.email, agent.name, agent.role_id, role.name, agent.language, agent.languages,
       agent.skills, agent.capacity, agent.availability, agent.load, agent.password_hash IS NOT NULL,
       agent.created_at, agent.disabled_at, agent.until, agent.reason, agent.automatic IS NOT NULL"""
_BY_ID = f"SELECT {_COLUMNS} FROM agent JOIN role ON role.id = agent.role_id WHERE agent.id = :id"
_PAGE = f"""
SELECT {_COLUMNS}, agent.name_folded FROM agent JOIN role ON role.id = agent.role_id
WHERE (agent.name_folded, agent.id) > (:name, :id) ORDER BY agent.name_folded, agent.id LIMIT :limit"""
_BY_EMAIL = "SELECT id FROM agent WHERE email_folded = :email"
_INSERT = """
INSERT INTO agent (email, email_folded, name, name_folded, role_id, password_hash, language, languages, skills,
                   capacity, created_at)
VALUES (:email, :email_folded, :name, :name_folded, :role_id, :password_hash, :language, :languages, :skills,
        :capacity, :now)
RETURNING id"""
_UPDATE = """
UPDATE agent SET email = :email, email_folded = :email_folded, name = :name, name_folded = :name_folded,
                 role_id = :role_id, language = :language, languages = :languages, skills = :skills,
                 capacity = :capacity
WHERE id = :id"""
_SIGNATURE = "SELECT signature FROM agent WHERE id = :id"
_SIGN = "UPDATE agent SET signature = :signature WHERE id = :id"
_DISABLE = "UPDATE agent SET disabled_at = :now WHERE id = :id"
_ENABLE = "UPDATE agent SET disabled_at = NULL WHERE id = :id"
_ADMINISTRATORS = """
SELECT COUNT(*) FROM agent JOIN role ON role.id = agent.role_id
WHERE role.built_in = 1 AND role.name = 'administrator' AND agent.disabled_at IS NULL"""
_PROVE = "UPDATE agent SET address_proved_at = :now WHERE id = :id"
_UNPROVE = "UPDATE agent SET address_proved_at = NULL WHERE id = :id"
_PROVED = "SELECT address_proved_at FROM agent WHERE id = :id"
_LOST = "UPDATE agent SET address_proved_at = NULL WHERE id = :id AND email_folded = :address"
_SET_PASSWORD = "UPDATE agent SET password_hash = :password_hash WHERE id = :id"


class Agent(msgspec.Struct, frozen=True):
    """An agent as colleagues see them. `load`: points of the tickets that they have in hand, of `capacity`.
    `until`: when they mean to take work again. `automatic`: they were found to be away."""

    id: int
    email: str
    name: str
    role_id: int
    role: str
    language: str | None
    languages: tuple[str, ...]
    skills: tuple[str, ...]
    capacity: int
    availability: str
    load: int
    has_password: bool
    created_at: int
    disabled_at: int | None
    until: int | None = None
    reason: str | None = None
    automatic: bool = False


def get(rx: Rx, agent_id: int) -> Agent:
    row = rx.row(_BY_ID, id=agent_id)
    if row is None:
        raise not_found("agent")
    return _agent(row)


def page(rx: Rx, *, after: tuple[str, int], limit: int) -> list[tuple[Agent, tuple[str, int]]]:
    """By name, from behind `after`; each with the key that the next page would start from."""
    return [(_agent(row), (row[-1], row[0])) for row in rx.rows(_PAGE, name=after[0], id=after[1], limit=limit)]


def by_email(rx: Rx, email: str) -> int | None:
    """The agent's id by their address, however it is written."""
    try:
        folded, _ = points.normalise(points.EMAIL, email, field="email")
    except Refusal:
        return None
    found = rx.value(_BY_EMAIL, email=folded)
    return None if found is None else int(found)


def administrators(rx: Rx) -> int:
    """How many administrators can sign in or be let in: never to fall to none."""
    return int(rx.value(_ADMINISTRATORS))


def create(
    tx: Tx,
    caller: Caller,
    *,
    email: str,
    name: str,
    role_id: int,
    password_hash: str | None = None,
    language: str | None = None,
    languages: Sequence[str] = (),
    skills: Sequence[str] = (),
    capacity: int = 10,
) -> int:
    """Without a password they cannot sign in until they choose one by a link (`hub.staff.one_time`)."""
    require_permission(caller, MANAGE)
    roles.within_reach(caller, roles.get(tx, role_id, "role_id"))
    name = clean(name, "name", most=MAX_NAME, lines=False).strip()
    folded, shown = _address(tx, email, own_id=None)
    agent_id = tx.insert(
        _INSERT,
        email=shown,
        email_folded=folded,
        name=name,
        name_folded=fold(name),
        role_id=role_id,
        password_hash=password_hash,
        language=_language(language, "language"),
        languages=_list(_languages(languages)),
        skills=_list(_skills(skills)),
        capacity=_capacity(capacity),
        now=tx.now,
    )
    tx.record(AgentCreated(agent_id=agent_id), by=caller.actor)
    return agent_id


def change(
    tx: Tx,
    caller: Caller,
    agent_id: int,
    *,
    email: str | UnsetType = UNSET,
    name: str | UnsetType = UNSET,
    role_id: int | UnsetType = UNSET,
    language: str | UnsetType | None = UNSET,
    languages: Sequence[str] | UnsetType = UNSET,
    skills: Sequence[str] | UnsetType = UNSET,
    capacity: int | UnsetType = UNSET,
) -> None:
    """Changes what is given. Another role or address signs them out everywhere."""
    if caller.grants.agent_id != agent_id or not all(v is UNSET for v in (email, role_id, skills, capacity)):
        require_permission(caller, MANAGE)
    was = get(tx, agent_id)
    now = {f: getattr(was, f) for f in ("email", "name", "role_id", "language", "languages", "skills", "capacity")}
    if caller.grants.agent_id != agent_id:
        roles.within_reach(caller, roles.get(tx, was.role_id))
    if email is not UNSET:
        now["email"] = _address(tx, email, own_id=agent_id)[1]
    if name is not UNSET:
        now["name"] = clean(name, "name", most=MAX_NAME, lines=False).strip()
    if role_id is not UNSET:
        now["role_id"] = role_id
    if language is not UNSET:
        now["language"] = _language(language, "language")
    if languages is not UNSET:
        now["languages"] = _languages(languages)
    if skills is not UNSET:
        now["skills"] = _skills(skills)
    if capacity is not UNSET:
        now["capacity"] = _capacity(capacity)
    _write(tx, caller, was, now)


def _write(tx: Tx, caller: Caller, was: Agent, now: dict[str, Any]) -> None:
    changed = tuple(field for field, value in now.items() if value != getattr(was, field))
    if not changed:
        return
    if "role_id" in changed:
        role = roles.get(tx, now["role_id"], "role_id")
        roles.within_reach(caller, role)
        if was.disabled_at is None and was.role == roles.ADMINISTRATOR:
            _not_the_last(tx)
    tx.run(
        _UPDATE,
        id=was.id,
        email=now["email"],
        email_folded=points.normalise(points.EMAIL, now["email"], field="email")[0],
        name=now["name"],
        name_folded=fold(now["name"]),
        role_id=now["role_id"],
        language=now["language"],
        languages=_list(now["languages"]),
        skills=_list(now["skills"]),
        capacity=now["capacity"],
    )
    if "email" in changed:
        tx.run(_UNPROVE, id=was.id)
    if "role_id" in changed or "email" in changed:
        sessions.end_all(tx, was.id)
        links.void(tx, was.id)
    tx.record(AgentChanged(agent_id=was.id, fields=changed), by=caller.actor)
    if "role_id" in changed or "email" in changed:
        tx.record(AccessChanged(agent_id=was.id), by=caller.actor)


def signature(rx: Rx, agent_id: int) -> str:
    """What stands under their letters."""
    return rx.value(_SIGNATURE, id=agent_id) or ""


def sign(tx: Tx, caller: Caller, text: str) -> None:
    """One's own signature."""
    text = clean(text, "signature", most=MAX_SIGNATURE, least=0).strip()
    tx.run(_SIGN, id=agent_of(caller), signature=text or None)


def set_password(tx: Tx, caller: Caller, agent_id: int, password_hash: str) -> None:
    """Ends every session and every open link: whoever else was in is out. Who may is the caller's to judge."""
    if not tx.run(_SET_PASSWORD, id=agent_id, password_hash=password_hash):
        raise not_found("agent")
    sessions.end_all(tx, agent_id)
    links.void(tx, agent_id)
    tx.record(AgentChanged(agent_id=agent_id, fields=("password",)), by=caller.actor)
    tx.record(AccessChanged(agent_id=agent_id), by=caller.actor)


def proved_at(rx: Rx, agent_id: int) -> int | None:
    """When it was shown that mail to the agent's address reaches them; None: it was not."""
    found: int | None = rx.value(_PROVED, id=agent_id)
    return found


def prove_address(tx: Tx, agent_id: int) -> None:
    """A link that was mailed to it has come back."""
    tx.run(_PROVE, id=agent_id, now=tx.now)


def address_lost(tx: Tx, agent_id: int, address: str) -> None:
    """Mail to it came back: nothing is sent there until it is proved anew."""
    tx.run(_LOST, id=agent_id, address=address)


def disable(tx: Tx, caller: Caller, agent_id: int) -> None:
    """Nothing of theirs opens anything from now on. Their tickets stay with them, for a person to hand over."""
    require_permission(caller, MANAGE)
    was = get(tx, agent_id)
    if was.disabled_at is not None:
        return
    roles.within_reach(caller, roles.get(tx, was.role_id))
    if was.role == roles.ADMINISTRATOR:
        _not_the_last(tx)
    tx.run(_DISABLE, id=agent_id, now=tx.now)
    sessions.end_all(tx, agent_id)
    tokens.revoke_all(tx, agent_id, caller.actor)
    links.void(tx, agent_id)
    availability.put(tx, agent_id, "offline", caller.actor)
    tx.record(AgentDisabled(agent_id=agent_id), by=caller.actor)
    tx.record(AccessChanged(agent_id=agent_id), by=caller.actor)


def sign_out(tx: Tx, caller: Caller, agent_id: int) -> None:
    """Every browser of theirs is signed out, wherever it is; they may sign in again. API tokens go on."""
    require_permission(caller, HELP)
    roles.within_reach(caller, roles.get(tx, get(tx, agent_id).role_id))
    links.void_steps(tx, agent_id)
    if sessions.end_all(tx, agent_id):
        tx.record(SignedOut(agent_id=agent_id), by=caller.actor)


def enable(tx: Tx, caller: Caller, agent_id: int) -> None:
    """They may sign in again; sessions and tokens of before stay dead."""
    require_permission(caller, MANAGE)
    was = get(tx, agent_id)
    if was.disabled_at is None:
        return
    roles.within_reach(caller, roles.get(tx, was.role_id))
    tx.run(_ENABLE, id=agent_id)
    tx.record(AgentEnabled(agent_id=agent_id), by=caller.actor)
    tx.record(AccessChanged(agent_id=agent_id), by=caller.actor)


def _not_the_last(tx: Tx) -> None:
    """Writers are totally ordered: of two administrators who remove each other at once, one stays."""
    if administrators(tx) <= 1:
        raise Refusal("conflict", "This is the last administrator. Make another one first.")


def _address(tx: Tx, email: str, own_id: int | None) -> tuple[str, str]:
    folded, shown = points.normalise(points.EMAIL, email, field="email")
    if tx.value(_BY_EMAIL, email=folded) not in (None, own_id):
        raise Refusal("conflict", "Another agent has this e-mail address.", field="email")
    return folded, shown


def _language(language: str | None, field: str) -> str | None:
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise invalid(field, "Write a language as its code: en, fr, pt-BR, km.")
    return language


def _languages(languages: Sequence[str]) -> tuple[str, ...]:
    if len(languages) > 20:
        raise invalid("languages", "At most 20 languages are possible.")
    return tuple(dict.fromkeys(v for v in (_language(v, "languages") for v in languages) if v))


def _skills(skills: Sequence[str]) -> tuple[str, ...]:
    if len(skills) > 50:
        raise invalid("skills", "At most 50 skills are possible.")
    return tuple(dict.fromkeys(clean(s, "skills", most=50, lines=False).strip() for s in skills))


def _capacity(capacity: int) -> int:
    if not 0 <= capacity <= MAX_CAPACITY:
        raise invalid("capacity", f"Between 0 and {MAX_CAPACITY} points of load are possible.")
    return capacity


def _list(values: Sequence[str]) -> str:
    return msgspec.json.encode(list(values)).decode()


def _agent(row: tuple[Any, ...]) -> Agent:
    values = dict(zip(Agent.__struct_fields__, row, strict=False))
    for name in ("languages", "skills"):
        values[name] = tuple(msgspec.json.decode(values[name], type=list[str]))
    for name in ("has_password", "automatic"):
        values[name] = bool(values[name])
    return Agent(**values)
