"""What an administrator does at the command line. Runs inside the running desk (hub.web.control hands it on), or, while
none runs, inside a desk that hub.cli opens for it. Each takes JSON and gives JSON."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from hub.clock import Clock
from hub.config import Config
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import outbox
from hub.errors import Refusal, invalid
from hub.staff import agents, links, one_time, passwords, roles
from hub.staff.access import DESK

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is, how much it is in all


class Desk(Protocol):
    @property
    def config(self) -> Config: ...
    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...


Operation = Callable[[Desk, Mapping[str, Any], Progress], Awaitable[dict[str, Any]]]


async def create_agent(desk: Desk, asked: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    """With a password, or without one and with a link by which they choose it."""
    email, name, password = str(asked["email"]), str(asked["name"]), asked.get("password")
    hashed = None
    if password:
        passwords.check(str(password), about=(email, name))
        hashed = await passwords.hash_password(str(password))

    def create(tx: Tx) -> tuple[int, str | None]:
        role = roles.named(tx, str(asked["role"]))
        agent_id = agents.create(tx, DESK, email=email, name=name, role_id=role.id, password_hash=hashed)
        return agent_id, None if hashed else links.create(tx, "password", agent_id)

    agent_id, secret = await desk.store.write(create)
    link = f"{desk.config.public_url}/join/{secret}" if secret else None
    return {"agent_id": agent_id, "link": link}


async def setup_link(desk: Desk, _asked: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    secret = await desk.store.write(one_time.first_administrator_link)
    if secret is None:
        raise Refusal("conflict", "There is an administrator already. `parley agent create` makes another.")
    return {"link": f"{desk.config.public_url}/setup/{secret}"}


async def release_outbox(desk: Desk, _asked: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    def release(tx: Tx) -> bool:
        was = outbox.is_frozen(tx)
        outbox.thaw(tx, DESK)
        return was

    return {"was_frozen": await desk.store.write(release)}


async def back_up(desk: Desk, asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from hub.db.backup import create

    path = Path(str(asked["path"]))
    if not path.is_absolute():
        raise invalid("path", "Give the whole path of the backup.")
    return await create(desk.store, path, lambda done, all: progress("copying", done, all))


async def examine(desk: Desk, _asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from hub import doctor

    return {"findings": [finding.as_json() for finding in await doctor.look(desk, progress)]}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "agent.create": create_agent,
    "link": setup_link,
    "outbox.release": release_outbox,
    "backup": back_up,
    "doctor": examine,
}
