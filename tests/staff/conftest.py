"""A small firm: the built-in roles, an administrator, an agent, a team and two inboxes."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest_asyncio

from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.events import Actor
from hub.staff import access, agents, roles, teams
from hub.staff.access import DESK, Caller

# A hash that no password opens, for agents who never sign in here: a real one costs a tenth of a second.
NO_PASSWORD = "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
INBOX = """INSERT INTO inbox (token, kind, name, name_folded, settings, created_at)
VALUES (:name, 'made-up', :name, :name, '{}', 0) RETURNING id"""


@dataclasses.dataclass
class Firm:
    store: Store
    admin_id: int
    ann_id: int  # a plain agent, in the team
    team_id: int
    shop: int  # an inbox of the team
    press: int  # an inbox of nobody
    admin: Caller
    ann: Caller

    async def does(self, fn: Callable[..., Any], *args: Any, **more: Any) -> Any:
        return await self.store.write(fn, *args, **more)

    async def hire(self, name: str, role: str = "agent", **more: Any) -> int:
        def hired(tx: Tx) -> int:
            role_id = roles.named(tx, role).id
            return agents.create(tx, DESK, email=f"{name}@example.com", name=name.title(), role_id=role_id, **more)

        return await self.store.write(hired)

    async def caller(self, agent_id: int) -> Caller:
        return await self.store.read(acting, agent_id)

    async def events(self, name: str) -> list[dict[str, Any]]:
        import json

        rows = await self.store.read(
            lambda rx: rx.rows("SELECT payload FROM event WHERE name = :name ORDER BY id", name=name)
        )
        return [json.loads(row[0]) for row in rows]


def acting(rx: Rx, agent_id: int) -> Caller:
    grants = access.load(rx, agent_id)
    assert grants is not None
    return Caller(Actor("agent", agent_id), grants)


@pytest_asyncio.fixture
async def firm(store: Store) -> Firm:
    return await found_firm(store)


async def found_firm(store: Store) -> Firm:
    def found(tx: Tx) -> tuple[int, int, int, int, int]:
        roles.ensure_built_in(tx)
        admin, plain = roles.named(tx, "administrator").id, roles.named(tx, "agent").id
        admin_id = agents.create(
            tx, DESK, email="ada@example.com", name="Ada", role_id=admin, password_hash=NO_PASSWORD
        )
        ann_id = agents.create(tx, DESK, email="ann@example.com", name="Ann", role_id=plain, password_hash=NO_PASSWORD)
        shop, press = tx.insert(INBOX, name="shop"), tx.insert(INBOX, name="press")
        team_id = teams.create(tx, DESK, "Counter")
        teams.add_member(tx, DESK, team_id, ann_id)
        teams.add_inbox(tx, DESK, team_id, shop)
        return admin_id, ann_id, team_id, shop, press

    admin_id, ann_id, team_id, shop, press = await store.write(found)
    admin, ann = await store.read(lambda rx: (acting(rx, admin_id), acting(rx, ann_id)))
    return Firm(store, admin_id, ann_id, team_id, shop, press, admin, ann)
