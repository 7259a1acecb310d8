"""How people come in: the first administrator by the link of the first start, colleagues by a link made for them."""

from hub.db.tx import Rx, Tx
from hub.errors import Refusal
from hub.events import AccessChanged, Actor, SetUp
from hub.staff import agents, links, roles
from hub.staff.access import DESK, Caller, require_permission


def first_administrator_link_holds(rx: Rx, token: str) -> bool:
    """Whether the page behind the link is to be shown. Looking does not use it."""
    return agents.administrators(rx) == 0 and links.holds(rx, "first_administrator", token)


def first_administrator_link(tx: Tx) -> str | None:
    """The secret of a link as long as there is no administrator; None once there is one. For every start."""
    if agents.administrators(tx):
        return None
    return links.create(tx, "first_administrator")


def create_first_administrator(
    tx: Tx, token: str, name: str, email: str, password_hash: str, language: str | None = None
) -> int:
    """The agent's id. The link works once, and only while there is nobody who could do this otherwise."""
    links.use(tx, "first_administrator", token)
    if agents.administrators(tx):
        raise Refusal("gone", "This desk has an administrator already. Sign in instead.")
    role = roles.named(tx, roles.ADMINISTRATOR)
    agent_id = agents.create(
        tx, DESK, email=email, name=name, role_id=role.id, password_hash=password_hash, language=language
    )
    by = Actor("agent", agent_id)
    tx.record(SetUp(), by=by)
    tx.record(AccessChanged(agent_id=agent_id), by=by)
    return agent_id


def invite(tx: Tx, caller: Caller, agent_id: int) -> str:
    """The secret of a link by which the agent chooses a password: new here, or having forgotten theirs."""
    require_permission(caller, agents.MANAGE)
    agent = agents.get(tx, agent_id)
    roles.within_reach(caller, roles.get(tx, agent.role_id))
    if agent.disabled_at is not None:
        raise Refusal("conflict", "This agent is disabled. Enable them first.")
    return links.create(tx, "password", agent_id)


def choose_password(tx: Tx, token: str, password_hash: str) -> int:
    """By such a link, or by one that was mailed to whoever has forgotten theirs: that one has shown whose the address
    is. The agent's id."""
    mailed = links.holds(tx, "reset", token)
    agent_id = links.use(tx, "reset" if mailed else "password", token)
    assert agent_id is not None
    if mailed:
        agents.prove_address(tx, agent_id)
    agents.set_password(tx, Caller(Actor("agent", agent_id), DESK.grants), agent_id, password_hash)
    return agent_id


def opens_password(rx: Rx, token: str) -> bool:
    """Whether the page behind such a link is to be shown. Looking does not use it."""
    return links.holds(rx, "password", token) or links.holds(rx, "reset", token)


def confirm_address(tx: Tx, token: str) -> int:
    """By a link that was mailed to the address; the agent's id."""
    agent_id = links.use(tx, "address", token)
    assert agent_id is not None
    agents.prove_address(tx, agent_id)
    return agent_id
