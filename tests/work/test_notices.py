"""Notices to agents by mail: who wants them, at most once in five minutes, and nothing that was read meanwhile."""

import asyncio
import itertools
from typing import Any

import msgspec
import pytest

from hub.clock import MINUTE
from hub.connector import Message, Point, Rejected, Sender
from hub.db.tx import Tx
from hub.desk import assignment, incoming, notices, own_mail, reading, replies
from hub.events import Actor
from hub.staff import access, agents, preferences, roles
from hub.staff.access import DESK, Caller
from hub.staff.preferences import Notify, Preferences
from tests.work.desk import Desk, Pigeons, eventually

_numbers = itertools.count(1)


async def wants(desk: Desk, *, proved: bool = True, role: str = "administrator", **notify: Notify) -> Caller:
    def hire(tx: Tx) -> Caller:
        roles.ensure_built_in(tx)
        role_id = roles.named(tx, role).id
        agent_id = agents.create(tx, DESK, email="bo@example.org", name="Bo", role_id=role_id)
        if proved:
            agents.prove_address(tx, agent_id)
        grants = access.load(tx, agent_id)
        assert grants is not None
        caller = Caller(Actor("agent", agent_id), grants)
        preferences.put(tx, caller, Preferences(notify=dict(notify)))
        own_mail.choose(tx, DESK, desk.inbox.id)
        return caller

    return await desk.store.write(hire)


async def says(desk: Desk, text: str) -> int:
    sender = Sender(Point("email", "eve@example.net"), "Eve", "attested")
    message = Message(external_id=f"n-{next(_numbers)}", sender=sender, text=text)
    return (await desk.store.write(incoming.receive, desk.inbox, message)).message_id


async def later(desk: Desk, ms: int) -> None:
    await desk.pass_time(ms)
    await asyncio.sleep(0.05)
    await desk.settled()


async def test_what_happens_in_a_while_comes_in_one_mail_and_the_next_not_before_five_minutes(desk: Desk) -> None:
    await wants(desk, waiting=Notify(email=True, of="all"))
    await says(desk, "Where is it?")
    await says(desk, "<script>alert(1)</script>")
    await later(desk, MINUTE)
    await eventually(lambda: Pigeons.carried)
    (mail,) = Pigeons.carried
    assert mail.to.value == "bo@example.org" and mail.automatic
    assert "Where is it?" in mail.text and "<script>" in mail.text and "<script>" not in (mail.html or "")
    await says(desk, "Hello?")
    await later(desk, 3 * MINUTE)
    assert len(Pigeons.carried) == 1
    await later(desk, 2 * MINUTE)
    await eventually(lambda: len(Pigeons.carried) == 2)
    assert "Where is it?" not in Pigeons.carried[1].text


async def test_what_was_read_meanwhile_is_not_told(desk: Desk) -> None:
    bo = await wants(desk, waiting=Notify(email=True, of="all"))
    message_id = await says(desk, "Where is it?")
    await desk.store.write(reading.mark_read, bo, desk.number, message_id)
    await later(desk, 2 * MINUTE)
    assert Pigeons.carried == []
    left = await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM agent_notice"))
    assert left == 0


@pytest.mark.parametrize("how", ["not proved", "not wanted", "not theirs"])
async def test_who_does_not_want_it_or_may_not_is_told_nothing(desk: Desk, how: str) -> None:
    wish = Notify(email=how != "not wanted", desktop=True, of="all")
    await wants(
        desk, proved=how != "not proved", role="agent" if how == "not theirs" else "administrator", waiting=wish
    )
    await says(desk, "Where is it?")
    await later(desk, 2 * MINUTE)
    assert Pigeons.carried == []


async def test_ones_own_tickets_and_what_did_not_go_out(desk: Desk) -> None:
    bo = await wants(desk, message=Notify(email=True), undelivered=Notify(email=True), assigned=Notify(email=True))
    await desk.store.write(assignment.assign, DESK, desk.number, bo.grants.agent_id)
    await says(desk, "Mine")
    Pigeons.script.append(Rejected("No such roof."))
    made = await desk.store.write(replies.reply, bo, desk.number, "My answer", external_id="mine-1")
    await desk.becomes(made.deliveries[0], "failed")
    await later(desk, MINUTE)
    await eventually(lambda: [part for part in Pigeons.carried if part.automatic])
    text = Pigeons.carried[-1].text
    for what in ("message", "assigned", "undelivered"):
        assert notices.TITLES[what] in text
    assert "My answer" in text


def test_the_matrix_of_the_console_and_ours_have_the_same_events() -> None:
    from pathlib import Path

    script = (Path(__file__).parents[2] / "agents_ui" / "js" / "notices.js").read_text()
    table: Any = script.split("export const WISHES = {")[1].split("};")[0]
    assert {line.strip().partition(":")[0] for line in table.strip().splitlines()} == set(notices.TITLES)
    assert msgspec.json.encode(Notify(email=True)).find(b'"email":true') > 0, "what the statement looks for"
