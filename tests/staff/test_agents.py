"""Agents, roles and teams: who may make whom what, and what ends when somebody is shut out."""

import asyncio

import pytest

from hub.db.store import Store
from hub.db.tx import Tx
from hub.errors import Refusal
from hub.staff import agents, one_time, roles, sessions, teams, tokens
from hub.staff.access import DESK

from .conftest import Firm


async def refused(awaited) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await awaited
    return caught.value


class TestRoles:
    async def test_the_built_in_ones_are_made_once_and_mended(self, store: Store) -> None:
        for _ in range(2):
            await store.write(roles.ensure_built_in)
        found = await store.read(roles.page, after=0, limit=100)
        assert [r.name for r in found] == ["administrator", "supervisor", "agent", "observer"]
        assert all(r.built_in for r in found)
        assert set(found[0].permissions) == set(roles.PERMISSIONS) and found[0].sees == "everything"
        assert set(found[0].permissions) - set(found[1].permissions) == {
            "agents.manage",
            "roles.manage",
            "inboxes.manage",
            "desk.manage",
        }
        await store.write(lambda tx: tx.run("UPDATE role SET permissions = '[]', sees = 'own' WHERE name = 'agent'"))
        await store.write(roles.ensure_built_in)
        assert (await store.read(roles.page, after=0, limit=100)) == found

    async def test_one_of_ones_own_changes_at_once_for_all_who_have_it(self, firm: Firm) -> None:
        role_id = await firm.does(roles.create, firm.admin, name="Clerk", permissions=["tickets.read"], sees="teams")
        bob = await firm.hire("bob", "agent")
        await firm.does(agents.change, firm.admin, bob, role_id=role_id)
        assert (await firm.caller(bob)).grants.permissions == {"tickets.read"}
        before = len(await firm.events("access.changed"))
        await firm.does(roles.change, firm.admin, role_id, permissions=["tickets.read", "tickets.note"])
        assert (await firm.caller(bob)).grants.permissions == {"tickets.read", "tickets.note"}
        assert len(await firm.events("access.changed")) == before + 1

    async def test_built_in_ones_unknown_permissions_and_taken_names_are_refused(self, firm: Firm) -> None:
        role = await firm.store.read(roles.named, "observer")
        assert (await refused(firm.does(roles.change, firm.admin, role.id, name="x"))).code == "conflict"
        make = {"permissions": ["tickets.read"], "sees": "own"}
        assert (await refused(firm.does(roles.create, firm.admin, name=" OBSERVER ", **make))).field == "name"
        wrong = firm.does(roles.create, firm.admin, name="x", permissions=["tickets.fly"], sees="own")
        assert (await refused(wrong)).field == "permissions"
        assert (await refused(firm.does(roles.create, firm.ann, name="x", **make))).code == "forbidden"

    async def test_nobody_climbs_by_a_role_that_allows_more_than_their_own(self, firm: Firm) -> None:
        role_id = await firm.does(
            roles.create,
            firm.admin,
            name="Personnel",
            permissions=["agents.manage", "roles.manage", "agents.read"],
            sees="inboxes",
        )
        bob = await firm.hire("bob")
        await firm.does(agents.change, firm.admin, bob, role_id=role_id)
        climber = await firm.caller(bob)
        everything = await firm.store.read(roles.named, "administrator")
        for attempt in (
            firm.does(agents.change, climber, bob, role_id=everything.id),
            firm.does(agents.create, climber, email="x@example.com", name="X", role_id=everything.id),
            firm.does(roles.change, climber, role_id, permissions=list(roles.PERMISSIONS)),
            firm.does(roles.change, climber, role_id, sees="everything"),
            firm.does(roles.create, climber, name="y", permissions=["desk.manage"], sees="own"),
            firm.does(agents.change, climber, firm.admin_id, email="mine@example.com"),
            firm.does(agents.disable, climber, firm.admin_id),
            firm.does(one_time.invite, climber, firm.admin_id),
            firm.does(teams.add_member, climber, firm.team_id, bob),
        ):
            assert (await refused(attempt)).code == "forbidden"


class TestAgents:
    async def test_an_address_is_one_however_it_is_written(self, firm: Firm) -> None:
        bob = await firm.hire("bob")
        role_id = (await firm.store.read(agents.get, bob)).role_id
        for spelling in ("BOB@example.com", " bob@EXAMPLE.COM ", "ｂob@example.com"):
            error = await refused(firm.does(agents.create, DESK, email=spelling, name="B", role_id=role_id))
            assert error.field == "email"
        assert await firm.store.read(agents.by_email, "Bob@Example.com") == bob
        for nobody in ("", " ", "bob", "bob@", "bob\0@example.com", "\ud800@example.com", "x" * 400 + "@example.com"):
            assert await firm.store.read(agents.by_email, nobody) is None

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"email": "no address"}, "email"),
            ({"name": " \u200b "}, "name"),
            ({"name": "x" * 201}, "name"),
            ({"role_id": 4711}, "role_id"),
            ({"language": "x"}, "language"),
            ({"languages": ["english please"]}, "languages"),
            ({"skills": ["x" * 51]}, "skills"),
            ({"capacity": -1}, "capacity"),
            ({"capacity": 101}, "capacity"),
        ],
    )
    async def test_a_wrong_value_is_refused_by_the_name_of_its_field(self, firm: Firm, wrong: dict, field: str) -> None:
        assert (await refused(firm.does(agents.change, firm.admin, firm.ann_id, **wrong))).field == field

    async def test_what_is_given_changes_and_the_rest_stays(self, firm: Firm) -> None:
        await firm.does(agents.change, firm.admin, firm.ann_id, languages=["km", "fr"], skills=["billing"], capacity=9)
        await firm.does(agents.change, firm.admin, firm.ann_id, name="Anna", language="fr")
        ann = await firm.store.read(agents.get, firm.ann_id)
        assert (ann.name, ann.language, ann.languages, ann.skills, ann.capacity) == (
            "Anna",
            "fr",
            ("km", "fr"),
            ("billing",),
            9,
        )
        assert (await firm.events("agent.changed"))[-1] == {"agent_id": firm.ann_id, "fields": ["name", "language"]}
        count = len(await firm.events("agent.changed"))
        await firm.does(agents.change, firm.admin, firm.ann_id, name="Anna")
        assert len(await firm.events("agent.changed")) == count, "the same again is nothing"

    async def test_of_oneself_one_changes_name_and_languages_only(self, firm: Firm) -> None:
        await firm.does(agents.change, firm.ann, firm.ann_id, name="Anna", languages=["fr"])
        for more in ({"capacity": 100}, {"role_id": 1}, {"email": "x@example.com"}, {"skills": ["a"]}):
            assert (await refused(firm.does(agents.change, firm.ann, firm.ann_id, **more))).code == "forbidden"
        assert (await refused(firm.does(agents.change, firm.ann, firm.admin_id, name="Eve"))).code == "forbidden"

    async def test_a_list_goes_on_where_the_page_before_ended(self, firm: Firm) -> None:
        for n in range(7):
            await firm.hire(f"b{n}")
        seen, after = [], ("", 0)
        while found := await firm.store.read(agents.page, after=after, limit=2):
            seen += [agent.name for agent, _ in found]
            after = found[-1][1]
        assert seen == sorted(seen) and len(seen) == len(set(seen)) == 9

    async def test_the_last_administrator_stays(self, firm: Firm) -> None:
        plain = (await firm.store.read(roles.named, "agent")).id
        assert (await refused(firm.does(agents.disable, firm.admin, firm.admin_id))).code == "conflict"
        assert (await refused(firm.does(agents.change, firm.admin, firm.admin_id, role_id=plain))).code == "conflict"
        eve = await firm.hire("eve", "administrator")
        await firm.does(agents.disable, firm.admin, eve)
        assert (await refused(firm.does(agents.disable, firm.admin, firm.admin_id))).code == "conflict"

    async def test_of_two_administrators_who_disable_each_other_at_once_one_stays(self, firm: Firm) -> None:
        eve = await firm.hire("eve", "administrator")
        her = await firm.caller(eve)
        done = await asyncio.gather(
            firm.does(agents.disable, firm.admin, eve),
            firm.does(agents.disable, her, firm.admin_id),
            return_exceptions=True,
        )
        assert [type(d) for d in done].count(Refusal) == 1
        assert await firm.store.read(agents.administrators) == 1

    async def test_disabling_ends_sessions_tokens_and_links_and_enabling_revives_none(self, firm: Firm) -> None:
        session = await firm.does(sessions.start, firm.ann_id)
        _, token = await firm.does(tokens.create, firm.ann, name="t", scopes=["tickets:read"], expires_at=None)
        link = await firm.does(one_time.invite, firm.admin, firm.ann_id)
        await firm.does(agents.disable, firm.admin, firm.ann_id)
        await firm.does(agents.enable, firm.admin, firm.ann_id)
        assert await firm.store.read(sessions.find, session) is None
        assert await firm.store.read(tokens.find, token) is None
        assert (await refused(firm.does(one_time.choose_password, link, "x"))).code == "gone"
        assert (await firm.store.read(agents.get, firm.ann_id)).disabled_at is None

    async def test_a_disabled_agents_tickets_stay_with_them(self, firm: Firm) -> None:
        def given(tx: Tx) -> None:
            from .test_access import CONTACT, TICKET

            tx.run(TICKET, number=1, contact=tx.insert(CONTACT), inbox=firm.shop, team=None, assignee=firm.ann_id)

        await firm.does(given)
        await firm.does(agents.disable, firm.admin, firm.ann_id)
        assert await firm.store.read(lambda rx: rx.value("SELECT assignee_id FROM ticket")) == firm.ann_id

    @pytest.mark.parametrize("change", ["role", "email", "password"])
    async def test_another_role_address_or_password_ends_every_session(self, firm: Firm, change: str) -> None:
        observer = (await firm.store.read(roles.named, "observer")).id
        open_ones = [await firm.does(sessions.start, firm.ann_id) for _ in range(3)]
        other = await firm.does(sessions.start, firm.admin_id)
        if change == "role":
            await firm.does(agents.change, firm.admin, firm.ann_id, role_id=observer)
        elif change == "email":
            await firm.does(agents.change, firm.admin, firm.ann_id, email="anna@example.com")
        else:
            await firm.does(agents.set_password, firm.admin, firm.ann_id, "$argon2id$other")
        for token in open_ones:
            assert await firm.store.read(sessions.find, token) is None
        assert await firm.store.read(sessions.find, other) == firm.admin_id


class TestTeams:
    async def test_members_see_the_teams_inboxes_from_that_moment_and_no_longer(self, firm: Firm) -> None:
        bob = await firm.hire("bob")
        await firm.does(teams.add_member, firm.admin, firm.team_id, bob)
        assert (await firm.caller(bob)).grants.inboxes == {firm.shop}
        await firm.does(teams.add_inbox, firm.admin, firm.team_id, firm.press)
        assert (await firm.caller(bob)).grants.inboxes == {firm.shop, firm.press}
        await firm.does(teams.remove_inbox, firm.admin, firm.team_id, firm.shop)
        assert (await firm.caller(bob)).grants.inboxes == {firm.press}
        await firm.does(teams.remove_member, firm.admin, firm.team_id, bob)
        assert (await firm.caller(bob)).grants.inboxes == frozenset()

    async def test_each_change_says_whose_access_changed_and_the_same_again_says_nothing(self, firm: Firm) -> None:
        before = len(await firm.events("access.changed"))
        await firm.does(teams.add_inbox, firm.admin, firm.team_id, firm.press)
        await firm.does(teams.add_inbox, firm.admin, firm.team_id, firm.press)
        await firm.does(teams.remove_member, firm.admin, firm.team_id, firm.ann_id)
        await firm.does(teams.remove_member, firm.admin, firm.team_id, firm.ann_id)
        assert (await firm.events("access.changed"))[before:] == [{"agent_id": firm.ann_id}] * 2

    async def test_what_is_not_there_is_refused(self, firm: Firm) -> None:
        assert (await refused(firm.does(teams.add_member, firm.admin, 4711, firm.ann_id))).code == "not_found"
        assert (await refused(firm.does(teams.add_member, firm.admin, firm.team_id, 4711))).field == "agent_id"
        assert (await refused(firm.does(teams.add_inbox, firm.admin, firm.team_id, 4711))).field == "inbox_id"
        assert (await refused(firm.does(teams.create, firm.admin, "COUNTER"))).field == "name"
        assert (await refused(firm.does(teams.rename, firm.ann, firm.team_id, "Mine"))).code == "forbidden"
        await firm.does(teams.rename, firm.admin, firm.team_id, "counter")
        assert (await firm.store.read(teams.get, firm.team_id)).name == "counter"
