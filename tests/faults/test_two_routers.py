"""Two desks on one PostgreSQL accept side by side what is offered: each ticket is had by exactly one agent, once."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hub.clock import SystemClock
from hub.connector import Message, Point, Sender
from hub.db.postgres import PostgresBackend
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import inboxes, incoming, kinds, presence
from hub.desk.inboxes import Inbox
from hub.events import Actor
from hub.reactions import REACTIONS
from hub.staff import access, agents, roles, teams
from hub.staff.access import DESK, Caller
from tests.fixtures.office import Letters

pytestmark = [pytest.mark.faults, pytest.mark.postgres]
TICKETS, AGENTS, CAPACITY = 60, 6, 8


def staffed(tx: Tx) -> Inbox:
    roles.ensure_built_in(tx)
    team_id = teams.create(tx, DESK, "Counter")
    chat = inboxes.create(tx, DESK, kind="letters", name="Chat", team_id=team_id, settings={"routing": "offer"})
    for n in range(AGENTS):
        role = roles.named(tx, "agent").id
        agent_id = agents.create(tx, DESK, email=f"a{n}@example.com", name=f"A{n}", role_id=role, capacity=CAPACITY)
        teams.add_member(tx, DESK, team_id, agent_id)
        grants = access.load(tx, agent_id)
        assert grants is not None
        presence.renew(tx, agent_id, "p")
        presence.set_availability(tx, Caller(Actor("agent", agent_id), grants), "online")
    return chat


@pytest.mark.may_block(reason="children are waited for; nobody is served by this loop")
@pytest.mark.loop_may_block(reason="children are waited for; nobody is served by this loop")
async def test_of_two_desks_that_accept_the_same_one_has_it(postgres_url: str) -> None:
    kinds.register(Letters.kind, "Letters", lambda: Letters)
    command = [sys.executable, "-m", "tests.faults.accepting", postgres_url]
    root = Path(__file__).parents[2]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": root}
    async with Store(PostgresBackend(postgres_url), SystemClock(), REACTIONS) as store:
        chat = await store.write(staffed)
        children = [subprocess.Popen(command, **pipes) for _ in range(2)]
        try:
            for child in children:
                assert child.stdout is not None and child.stdout.readline() == "ready\n"
            for child in children:
                assert child.stdin is not None
                child.stdin.write("go\n")
                child.stdin.flush()
            for n in range(TICKETS):
                sender = Sender(Point("email", f"p{n}@example.net"), sureness="attested")
                await store.write(incoming.receive, chat, Message(external_id=f"m{n}", sender=sender, text="Hello"))
                await asyncio.sleep(0.005)
            while await store.read(lambda rx: rx.value("SELECT COUNT(*) FROM ticket WHERE offered_to IS NOT NULL")):
                await asyncio.sleep(0.05)
            said = [
                json.loads((await asyncio.to_thread(child.communicate, "stop\n"))[0].splitlines()[-1])
                for child in children
            ]
        finally:
            for child in children:
                child.kill()
                child.wait()
        taken = Counter(number for one in said for number in one["got"])
        assert max(taken.values()) == 1 and all(one["got"] for one in said)
        rows = await store.read(lambda rx: rx.rows("SELECT number, assignee_id, offered_to FROM ticket ORDER BY id"))
        held = Counter(assignee for _, assignee, _ in rows if assignee is not None)
        assert set(taken) == {number for number, assignee, _ in rows if assignee is not None}
        assert max(held.values()) <= CAPACITY
        loads: dict[int, int] = dict(await store.read(lambda rx: rx.rows("SELECT id, load FROM agent WHERE load > 0")))
        assert loads == dict(held)
        assert len(taken) == AGENTS * CAPACITY, "as many as there is room for, the oldest"
        assert [number for number, assignee, _ in rows if assignee is None] == [number for number, _, _ in rows][-12:]
        events = "SELECT COUNT(*) FROM event WHERE name = 'ticket.assigned'"
        assert await store.read(lambda rx: rx.value(events)) == len(taken)
