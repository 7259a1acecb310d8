"""Sessions, API tokens and grants in memory: how long they hold, and that they end when they should."""

import asyncio

import pytest

from hub.clock import DAY, HOUR, MINUTE, ManualClock
from hub.commands import BY_NAME
from hub.commands.perform import perform
from hub.db.postgres import PostgresBackend
from hub.db.store import Store
from hub.staff import agents, sessions, teams, tokens
from hub.staff.access import DESK
from hub.staff.grants import GrantCache

from .conftest import Firm
from .test_signin import refused

NO_CREDENTIAL = ["", " ", "\t\n", "x", "x" * 43, "\0" * 43, "ü" * 43, "\ud800" * 43, "x" * 100_000, "parley_live_"]


async def settled(store: Store) -> None:
    """Until the notes that nobody waits for are written."""
    while sessions._noted:
        await asyncio.gather(*sessions._noted, return_exceptions=True)


class TestSessions:
    async def test_it_ends_twelve_hours_after_its_last_use(self, firm: Firm, clock: ManualClock) -> None:
        token = await firm.does(sessions.start, firm.ann_id)
        for _ in range(3):
            clock.advance(12 * HOUR - 1)
            assert await sessions.use(firm.store, token) == firm.ann_id
            await settled(firm.store)
        clock.advance(12 * HOUR)
        assert await sessions.use(firm.store, token) is None
        await firm.does(sessions.touch, token)
        assert await sessions.use(firm.store, token) is None, "what is over cannot be touched alive again"

    async def test_it_ends_after_fourteen_days_however_much_it_is_used(self, firm: Firm, clock: ManualClock) -> None:
        token = await firm.does(sessions.start, firm.ann_id)
        for _ in range(14 * 4 - 1):
            clock.advance(6 * HOUR)
            assert await sessions.use(firm.store, token) == firm.ann_id
            await settled(firm.store)
        clock.advance(6 * HOUR)
        assert await sessions.use(firm.store, token) is None

    async def test_its_use_is_noted_once_a_minute_at_most(self, firm: Firm, clock: ManualClock) -> None:
        token = await firm.does(sessions.start, firm.ann_id)
        units = firm.store.figures.units
        for _ in range(50):
            clock.advance(MINUTE // 25)
            await sessions.use(firm.store, token)
            await settled(firm.store)
        assert firm.store.figures.units - units == 2

    @pytest.mark.parametrize("token", NO_CREDENTIAL)
    async def test_what_is_no_session_opens_nothing(self, firm: Firm, token: str) -> None:
        await firm.does(sessions.start, firm.ann_id)
        assert await sessions.use(firm.store, token) is None
        assert await firm.does(sessions.end, token) is None

    async def test_a_signed_out_one_is_dead_and_the_others_live(self, firm: Firm) -> None:
        one, other = [await firm.does(sessions.start, firm.ann_id) for _ in range(2)]
        assert await firm.does(sessions.end, one) == firm.ann_id
        assert await firm.does(sessions.end, one) is None
        assert await sessions.use(firm.store, one) is None
        assert await sessions.use(firm.store, other) == firm.ann_id
        assert len(await firm.events("agent.signed_out")) == 1

    async def test_its_hash_and_a_near_miss_open_nothing(self, firm: Firm) -> None:
        token = await firm.does(sessions.start, firm.ann_id)
        for wrong in (sessions.hashed(token).hex(), token[:-1], token + "=", token.swapcase(), f" {token}"):
            assert await sessions.use(firm.store, wrong) is None

    async def test_what_is_over_is_swept(self, firm: Firm, clock: ManualClock) -> None:
        await firm.does(sessions.start, firm.ann_id)
        clock.advance(11 * HOUR)
        await firm.does(sessions.start, firm.admin_id)
        assert await firm.does(sessions.sweep) == 0
        clock.advance(2 * HOUR)
        assert await firm.does(sessions.sweep) == 1


class TestTokens:
    async def make(self, firm: Firm, **more) -> tuple[int, str]:
        wanted = {"name": "shop", "scopes": ["tickets:read"], "expires_at": None} | more
        return await firm.does(tokens.create, firm.ann, **wanted)

    async def test_its_secret_is_told_once_and_kept_as_a_hash(self, firm: Firm) -> None:
        token_id, secret = await self.make(firm)
        assert secret.startswith("parley_live_") and len(secret) == len("parley_live_") + 64
        (shown,) = await firm.store.read(tokens.page, firm.ann_id, after=0, limit=10)
        assert shown.id == token_id and secret.startswith(shown.prefix) and len(shown.prefix) == 20
        kept = await firm.store.read(lambda rx: rx.rows("SELECT * FROM api_token"))
        assert secret not in repr(kept) and secret[20:] not in repr(kept)

    async def test_a_client_id_does_not_keep_the_secret_either(self, firm: Firm) -> None:
        command = BY_NAME["create_token"]
        request = command.request(name="shop", scopes=["tickets:read"])
        answer = await firm.does(perform, command, firm.ann, request, "client-1", b"hash")
        assert answer.secret.startswith(tokens.PREFIX)
        assert await firm.store.read(lambda rx: rx.rows("SELECT * FROM answered")) == []

    async def test_it_acts_as_its_agent_within_its_scopes(self, firm: Firm) -> None:
        token_id, secret = await self.make(firm, scopes=["tickets:write", "tickets:read", "tickets:read"])
        assert await tokens.use(firm.store, secret) == (
            firm.ann_id,
            frozenset({"tickets:read", "tickets:write"}),
            token_id,
        )

    @pytest.mark.parametrize("token", [*NO_CREDENTIAL, "parley_live_" + "0" * 64, "parley_test_" + "0" * 64])
    async def test_what_is_no_token_opens_nothing(self, firm: Firm, token: str) -> None:
        await self.make(firm)
        assert await tokens.use(firm.store, token) is None

    async def test_a_near_miss_opens_nothing(self, firm: Firm) -> None:
        _, secret = await self.make(firm)
        for wrong in (secret[:-1], secret + " ", f" {secret}", secret.upper(), secret[:-1] + "\0", secret[:20]):
            assert await tokens.use(firm.store, wrong) is None

    async def test_a_revoked_one_is_dead_at_once_and_for_ever(self, firm: Firm) -> None:
        token_id, secret = await self.make(firm)
        await firm.does(tokens.revoke, firm.ann, token_id)
        assert await tokens.use(firm.store, secret) is None
        await firm.does(tokens.revoke, firm.ann, token_id)
        assert await firm.events("api_token.revoked") == [{"token_id": token_id}]

    async def test_an_expired_one_is_dead(self, firm: Firm, clock: ManualClock) -> None:
        _, secret = await self.make(firm, expires_at=clock.now() + HOUR)
        clock.advance(HOUR - 1)
        assert await tokens.use(firm.store, secret) is not None
        clock.advance(1)
        assert await tokens.use(firm.store, secret) is None

    async def test_a_disabled_agents_is_dead(self, firm: Firm) -> None:
        _, secret = await self.make(firm)
        await firm.does(agents.disable, firm.admin, firm.ann_id)
        assert await tokens.use(firm.store, secret) is None

    async def test_only_ones_own_can_be_seen_and_revoked(self, firm: Firm) -> None:
        token_id, secret = await self.make(firm)
        assert (await refused(firm.does(tokens.revoke, firm.admin, token_id))).code == "not_found"
        assert await firm.store.read(tokens.page, firm.admin_id, after=0, limit=10) == []
        assert await tokens.use(firm.store, secret) is not None

    async def test_wrong_wishes_are_refused(self, firm: Firm, clock: ManualClock) -> None:
        for wrong, field in (
            ({"scopes": []}, "scopes"),
            ({"scopes": ["tickets:fly"]}, "scopes"),
            ({"name": " "}, "name"),
            ({"expires_at": clock.now()}, "expires_at"),
            ({"expires_at": clock.now() + 731 * DAY}, "expires_at"),
        ):
            assert (await refused(self.make(firm, **wrong))).field == field
        make = {"name": "x", "scopes": ["tickets:read"], "expires_at": None}
        assert (await refused(firm.does(tokens.create, DESK, **make))).code == "forbidden"

    async def test_a_token_cannot_make_one_that_may_more(self, firm: Firm) -> None:
        through = tokens.caller(firm.ann.grants, frozenset({"staff:write", "tickets:read"}), 1)
        make = {"name": "x", "expires_at": None}
        assert (await refused(firm.does(tokens.create, through, scopes=["tickets:write"], **make))).code == "forbidden"
        await firm.does(tokens.create, through, scopes=["tickets:read"], **make)

    async def test_an_agent_has_fifty_at_most_that_hold(self, firm: Firm, clock: ManualClock) -> None:
        for _ in range(tokens.MOST):
            await self.make(firm, expires_at=clock.now() + HOUR)
        assert (await refused(self.make(firm))).code == "conflict"
        clock.advance(HOUR)
        await self.make(firm)

    async def test_its_use_is_noted_once_a_minute_at_most(self, firm: Firm, clock: ManualClock) -> None:
        _, secret = await self.make(firm)
        units = firm.store.figures.units
        for _ in range(50):
            clock.advance(MINUTE // 25)
            await tokens.use(firm.store, secret)
            await settled(firm.store)
        assert firm.store.figures.units - units == 2  # the first use, and a minute later


class TestGrantsInMemory:
    async def test_they_are_read_once_and_renewed_when_access_changes(self, firm: Firm) -> None:
        cache = GrantCache(firm.store)
        first = await cache.get(firm.ann_id)
        assert first is not None and await cache.get(firm.ann_id) is first
        await firm.does(teams.add_inbox, firm.admin, firm.team_id, firm.press)
        renewed = await cache.get(firm.ann_id)
        assert renewed is not None and renewed.inboxes == {firm.shop, firm.press}
        await firm.does(agents.disable, firm.admin, firm.ann_id)
        assert await cache.get(firm.ann_id) is None
        assert await cache.get(4711) is None

    async def test_what_was_read_while_it_changed_is_not_kept(self, firm: Firm) -> None:
        cache = GrantCache(firm.store)
        for _ in range(20):
            await asyncio.gather(
                cache.get(firm.ann_id), firm.does(teams.add_inbox, firm.admin, firm.team_id, firm.press)
            )
            shown = await cache.get(firm.ann_id)
            assert shown is not None and firm.press in shown.inboxes
            await asyncio.gather(
                cache.get(firm.ann_id), firm.does(teams.remove_inbox, firm.admin, firm.team_id, firm.press)
            )
            hidden = await cache.get(firm.ann_id)
            assert hidden is not None and firm.press not in hidden.inboxes

    @pytest.mark.postgres
    async def test_another_process_is_heard_through_the_stream(self, postgres_store: Store, clock: ManualClock) -> None:
        from hub.live.stream import Stream

        from .conftest import found_firm

        firm = await found_firm(postgres_store)
        assert isinstance(postgres_store.backend, PostgresBackend)
        async with Store(PostgresBackend(postgres_store.backend.url, own_clock=True), clock) as other:
            cache, stream = GrantCache(other), Stream(other)
            await stream.start()
            try:
                cache.listen(stream)
                before = await cache.get(firm.ann_id)
                await firm.does(teams.add_inbox, firm.admin, firm.team_id, firm.press)
                async with asyncio.timeout(30):
                    while await cache.get(firm.ann_id) == before:
                        await asyncio.sleep(0.01)
            finally:
                await stream.stop()
