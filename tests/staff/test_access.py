"""Who may see a ticket: the rule on a value and the rule in SQL are one rule."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.errors import Refusal
from hub.events import Actor, Scope
from hub.staff import access, agents, roles, teams, tokens
from hub.staff.access import DESK, Caller, Grants, may, visible

from .conftest import INBOX, Firm

SMALL = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
TICKET = """
INSERT INTO ticket (number, contact_id, inbox_id, subject, status, priority, urgency, team_id, assignee_id, handler,
                    last_message_at, changed_at, created_at)
VALUES (:number, :contact, :inbox, '', 'open', 'normal', 2, :team, :assignee, 'agent', 0, 0, 0)"""
CONTACT = "INSERT INTO contact (name, name_folded, created_at, changed_at) VALUES ('', '', 0, 0) RETURNING id"
ALL_TICKETS = "SELECT id, inbox_id, team_id, assignee_id FROM ticket ORDER BY id"


def one_of_each(tx: Tx) -> tuple[list[int], list[int], list[int]]:
    """Three inboxes, teams and agents, and a ticket for every mixture of them, nobody and no team included."""
    roles.ensure_built_in(tx)
    role_id = roles.named(tx, "agent").id
    inboxes = [tx.insert(INBOX, name=f"inbox {n}") for n in range(3)]
    made = [teams.create(tx, DESK, f"team {n}") for n in range(3)]
    people = [
        agents.create(tx, DESK, email=f"a{n}@example.com", name=f"A{n}", role_id=role_id, capacity=0) for n in range(3)
    ]
    contact, number = tx.insert(CONTACT), 0
    for inbox in inboxes:
        for team in (None, *made):
            for assignee in (None, *people):
                number += 1
                tx.run(TICKET, number=number, contact=contact, inbox=inbox, team=team, assignee=assignee)
    return inboxes, made, people


def seen_both_ways(rx: Rx, grants: Grants) -> tuple[list[int], list[int]]:
    condition, params = visible(grants)
    by_value = [row[0] for row in rx.rows(ALL_TICKETS) if may(grants, Scope(row[1], row[2], row[3]))]
    by_sql = [row[0] for row in rx.rows(f"SELECT id FROM ticket WHERE {condition} ORDER BY id", **params)]
    return by_value, by_sql


ids = st.frozensets(st.integers(1, 4), max_size=4)


@SMALL
@given(agent_id=st.integers(1, 4), everything=st.booleans(), inboxes=ids, teams_=ids)
async def test_both_faces_of_the_rule_show_the_same_tickets(
    store: Store, agent_id: int, everything: bool, inboxes: frozenset[int], teams_: frozenset[int]
) -> None:
    if not await store.read(lambda rx: rx.rows(ALL_TICKETS)):
        await store.write(one_of_each)
    grants = Grants(agent_id, frozenset(), everything, inboxes, teams_)
    by_value, by_sql = await store.read(seen_both_ways, grants)
    assert by_value == by_sql


@SMALL
@given(
    sees=st.sampled_from(roles.SEES),
    member=st.frozensets(st.integers(0, 2)),
    shown=st.frozensets(st.tuples(st.integers(0, 2), st.integers(0, 2))),
)
async def test_loaded_grants_say_what_the_tables_say(
    store: Store, sees: str, member: frozenset[int], shown: frozenset[tuple[int, int]]
) -> None:
    if not await store.read(lambda rx: rx.rows(ALL_TICKETS)):
        await store.write(one_of_each)

    def arranged(tx: Tx) -> tuple[Grants, set[int], set[int]]:
        inboxes = [row[0] for row in tx.rows("SELECT id FROM inbox ORDER BY id")]
        made = [row[0] for row in tx.rows("SELECT id FROM team ORDER BY id")]
        me = tx.value("SELECT MIN(id) FROM agent")
        tx.run("DELETE FROM team_member")
        tx.run("DELETE FROM inbox_team")
        tx.run("UPDATE role SET sees = :sees WHERE id = (SELECT role_id FROM agent WHERE id = :me)", sees=sees, me=me)
        for n in member:
            tx.run("INSERT INTO team_member (team_id, agent_id) VALUES (:t, :me)", t=made[n], me=me)
        for team, inbox in shown:
            tx.run("INSERT INTO inbox_team (inbox_id, team_id) VALUES (:i, :t)", i=inboxes[inbox], t=made[team])
        grants = access.load(tx, me)
        assert grants is not None
        return grants, {made[n] for n in member}, {inboxes[i] for t, i in shown if t in member}

    grants, my_teams, my_inboxes = await store.write(arranged)
    assert grants.everything == (sees == "everything")
    assert grants.teams == (my_teams if sees in ("inboxes", "teams") else set())
    assert grants.inboxes == (my_inboxes if sees == "inboxes" else set())
    by_value, by_sql = await store.read(seen_both_ways, grants)
    assert by_value == by_sql


async def test_absent_and_hidden_are_refused_in_the_same_words(firm: Firm) -> None:
    with pytest.raises(Refusal) as absent:
        access.require(firm.ann, None)
    with pytest.raises(Refusal) as hidden:
        access.require(firm.ann, Scope(inbox_id=firm.press))
    assert (absent.value.code, absent.value.text) == (hidden.value.code, hidden.value.text)
    access.require(firm.ann, Scope(inbox_id=firm.shop))


async def test_a_disabled_agent_has_no_grants(firm: Firm) -> None:
    await firm.does(agents.disable, firm.admin, firm.ann_id)
    assert await firm.store.read(access.load, firm.ann_id) is None


def test_a_token_allows_what_role_and_scopes_both_allow() -> None:
    grants = Grants(7, frozenset(roles.PERMISSIONS), True, frozenset(), frozenset())
    reading = tokens.caller(grants, frozenset({"tickets:read", "staff:read"}), 1)
    assert reading.grants.permissions == {"tickets.read", "tickets.export", "agents.read"}
    writing = tokens.caller(grants, frozenset({"staff:write"}), 1)
    assert writing.grants.permissions == {"agents.help", "agents.manage", "roles.manage", "tokens.manage"}
    everything = tokens.caller(grants, frozenset(tokens.SCOPES), 1)
    assert everything.grants.permissions == frozenset(roles.PERMISSIONS), "each permission comes under a scope"
    weak = tokens.caller(Grants(7, frozenset(), False, frozenset(), frozenset()), frozenset(tokens.SCOPES), 1)
    assert weak == Caller(Actor("agent", 7), weak.grants, frozenset(tokens.SCOPES), 1) and not weak.grants.permissions
