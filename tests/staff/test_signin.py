"""Signing in: who gets in, what strangers learn, how often one may try."""

import asyncio
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from argon2 import PasswordHasher

from hub.clock import DAY, HOUR, MINUTE, ManualClock
from hub.db.postgres import PostgresBackend
from hub.db.sqlite import SqliteBackend
from hub.db.store import Store
from hub.errors import Refusal
from hub.staff import agents, links, one_time, passwords, roles, sessions, signin, throttle

from .conftest import Firm

PASSWORD = "a quiet harbour at noon"
HERE, THERE = "203.0.113.7", "198.51.100.9"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stored() -> str:
    return await passwords.hash_password(PASSWORD)


@pytest_asyncio.fixture
async def office(firm: Firm, stored: str) -> Firm:
    """The firm, with a password for Ann."""
    await firm.does(agents.set_password, firm.admin, firm.ann_id, stored)
    return firm


async def refused(awaited) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await awaited
    return caught.value


def told(error: Refusal) -> bytes:
    """All that an answer is made of."""
    return msgspec.json.encode((error.code, error.text, error.errors, error.extra))


async def reopened(store: Store, clock: ManualClock) -> Store:
    """What a restart leaves: the same database, nothing of the memory."""
    await store.close()
    if isinstance(store.backend, PostgresBackend):
        return Store(PostgresBackend(store.backend.url, own_clock=True), clock)
    assert isinstance(store.backend, SqliteBackend)
    return Store(SqliteBackend(store.backend.path), clock)


class TestWhoGetsIn:
    async def test_the_right_password_opens_a_session_of_that_agent(self, office: Firm) -> None:
        token, agent = await signin.sign_in(office.store, " ANN@example.com ", PASSWORD, HERE)
        assert agent.id == office.ann_id and len(token) >= 43
        assert await office.store.read(sessions.find, token) == office.ann_id
        assert await office.events("agent.signed_in") == [{"agent_id": office.ann_id}]

    async def test_each_sign_in_has_a_secret_of_its_own_and_only_its_hash_is_kept(self, office: Firm) -> None:
        tokens = {(await signin.sign_in(office.store, "ann@example.com", PASSWORD, HERE))[0] for _ in range(2)}
        assert len(tokens) == 2
        kept = await office.store.read(lambda rx: [bytes(r[0]) for r in rx.rows("SELECT token_hash FROM session")])
        assert sorted(kept) == sorted(map(sessions.hashed, tokens))
        assert not {t.encode() for t in tokens} & set(kept)

    async def test_letters_composed_in_another_way_are_the_same_password(self, firm: Firm) -> None:
        await firm.does(
            agents.set_password, firm.admin, firm.ann_id, await passwords.hash_password("caf\u00e9 au soleil")
        )
        await signin.sign_in(firm.store, "ann@example.com", "cafe\u0301 au soleil", HERE)

    @pytest.mark.parametrize(
        ("email", "password"),
        [
            ("ann@example.com", "wrong"),
            ("ann@example.com", ""),
            ("ann@example.com", PASSWORD + " "),
            ("ann@example.com", "x" * 100_000),
            ("ann@example.com", "\ud800" * 12),
            ("nobody@example.com", PASSWORD),
            ("ada@example.com", PASSWORD),
            ("", PASSWORD),
            ("\0", PASSWORD),
            ("\ud800@example.com", PASSWORD),
            ("x" * 100_000, PASSWORD),
            ("' OR 1=1 --", PASSWORD),
        ],
    )
    async def test_everything_else_gets_one_and_the_same_answer(self, office: Firm, email: str, password: str) -> None:
        error = await refused(signin.sign_in(office.store, email, password, HERE))
        assert (error.code, error.text, error.errors, error.extra) == (
            "unauthenticated",
            signin.refused().text,
            (),
            {},
        )

    async def test_no_password_yet_and_disabled_answer_like_unknown(self, office: Firm) -> None:
        await office.hire("new")
        first = await refused(signin.sign_in(office.store, "new@example.com", PASSWORD, HERE))
        await office.does(agents.disable, office.admin, office.ann_id)
        second = await refused(signin.sign_in(office.store, "ann@example.com", PASSWORD, HERE))
        third = await refused(signin.sign_in(office.store, "nobody@example.com", PASSWORD, HERE))
        assert told(first) == told(second) == told(third)

    async def test_an_unknown_address_costs_as_much_work_as_a_known_one(
        self, office: Firm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The work is counted, not timed: one hash with the same parameters, and two units."""
        hashed: list[str] = []
        verify = PasswordHasher.verify

        def counting(self: PasswordHasher, stored: str, given: bytes) -> bool:
            hashed.append("$".join(stored.split("$")[:4]))
            return verify(self, stored, given)

        monkeypatch.setattr(PasswordHasher, "verify", counting)
        work = []
        for email in ("ann@example.com", "nobody@example.com", "ada@example.com"):
            hashed.clear()
            units = office.store.figures.units
            await refused(signin.sign_in(office.store, email, "not the password", THERE))
            work.append((list(hashed), office.store.figures.units - units))
        assert work == [(["$argon2id$v=19$m=65536,t=3,p=1"], 2)] * 3

    async def test_disabled_between_the_question_and_the_answer_is_not_let_in(self, office: Firm) -> None:
        attempt = asyncio.create_task(signin.sign_in(office.store, "ann@example.com", PASSWORD, HERE))
        while passwords._waiting == 0:
            await asyncio.sleep(0)
        await office.does(agents.disable, office.admin, office.ann_id)
        assert (await refused(attempt)).code == "unauthenticated"
        assert await office.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM session")) == 0


class TestThrottle:
    async def test_after_five_failures_the_sixth_is_not_even_tried_and_says_when(self, office: Firm) -> None:
        for _ in range(5):
            assert (await refused(signin.sign_in(office.store, "ann@example.com", "wrong", HERE))).code != "too_many"
        error = await refused(signin.sign_in(office.store, "ann@example.com", PASSWORD, HERE))
        assert error.code == "too_many" and error.extra["retry_after"] == 15 * 60

    async def test_known_and_unknown_addresses_are_shut_out_in_the_same_words(self, office: Firm) -> None:
        answers = []
        for email in ("ann@example.com", "nobody@example.com"):
            got = [await refused(signin.sign_in(office.store, email, "wrong", HERE)) for _ in range(7)]
            answers.append([told(error) for error in got])
        assert answers[0] == answers[1]

    async def test_a_restart_forgives_nothing(self, office: Firm, clock: ManualClock) -> None:
        for _ in range(5):
            await refused(signin.sign_in(office.store, "ann@example.com", "wrong", HERE))
        async with await reopened(office.store, clock) as store:
            assert (await refused(signin.sign_in(store, "ann@example.com", PASSWORD, HERE))).code == "too_many"
            clock.advance(15 * MINUTE + 1)
            assert (await signin.sign_in(store, "ann@example.com", PASSWORD, HERE))[1].id == office.ann_id

    async def test_many_at_once_get_no_further_than_one_after_the_other(self, office: Firm) -> None:
        done = await asyncio.gather(
            *(signin.sign_in(office.store, "ann@example.com", f"guess {n}", HERE) for n in range(20)),
            return_exceptions=True,
        )
        codes = [error.code for error in done if isinstance(error, Refusal)]
        assert sorted(codes) == ["too_many"] * 15 + ["unauthenticated"] * 5

    async def test_the_wait_doubles_up_to_an_hour_and_is_forgotten_an_hour_later(
        self, store: Store, clock: ManualClock
    ) -> None:
        key = (throttle.Key("k", 5),)
        for _ in range(5):
            await store.write(throttle.take, key)
        waits = []
        for _ in range(4):
            wait = (await refused(store.write(throttle.take, key))).extra["retry_after"]
            waits.append(wait // 60)
            clock.advance(wait * 1000)
            await store.write(throttle.take, key)
        assert waits == [15, 30, 60, 60]
        wait = (await refused(store.write(throttle.take, key))).extra["retry_after"]
        clock.advance(wait * 1000 + HOUR)
        for _ in range(5):
            await store.write(throttle.take, key)

    async def test_getting_in_wipes_the_accounts_slate_but_not_the_networks(self, office: Firm) -> None:
        for _ in range(4):
            for _ in range(4):
                await refused(signin.sign_in(office.store, "ann@example.com", "wrong", HERE))
            await signin.sign_in(office.store, "ann@example.com", PASSWORD, HERE)
        rows = await office.store.read(lambda rx: rx.rows("SELECT key, failures FROM throttle"))
        assert rows == [(f"network:{throttle.network(HERE)}", 16)]
        for n in range(4):
            await refused(signin.sign_in(office.store, f"x{n}@example.com", "wrong", HERE))
        assert (
            await refused(signin.sign_in(office.store, "y@example.com", "wrong", "203.0.113.200"))
        ).code == "too_many"

    async def test_somebody_elsewhere_can_still_get_in(self, office: Firm) -> None:
        for _ in range(6):
            await refused(signin.sign_in(office.store, "ann@example.com", "wrong", HERE))
        assert (await signin.sign_in(office.store, "ann@example.com", PASSWORD, THERE))[1].id == office.ann_id

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("203.0.113.7", "203.0.113.250", True),
            ("203.0.113.7", "203.0.114.7", False),
            ("::ffff:203.0.113.7", "203.0.113.9", True),
            ("2001:db8:1:2200::1", "2001:db8:1:22ff::9", True),
            ("2001:db8:1:2200::1", "2001:db8:1:2300::1", False),
            ("fe80::1%eth0", "fe80::2%eth1", True),
            ("no address", "", True),
        ],
    )
    def test_a_network_is_what_one_guesser_has(self, one: str, other: str, same: bool) -> None:
        assert (throttle.network(one) == throttle.network(other)) is same

    async def test_what_no_longer_counts_is_swept(self, office: Firm, clock: ManualClock) -> None:
        await refused(signin.sign_in(office.store, "ann@example.com", "wrong", HERE))
        assert await office.does(throttle.sweep) == 0
        clock.advance(DAY)
        assert await office.does(throttle.sweep) == 3


class TestPasswords:
    @pytest.mark.parametrize(
        "password",
        [
            "short",
            "elevenchars",
            "x" * 257,
            "aaaaaaaaaaaaaaaa",
            "abababababab",
            "abcabcabcabc",
            "123456789012",
            "0987654321098",
            "qwertyuiopas",
            "1qaz2wsx3edc",
            "password1234",
            "P A S S W O R D 1 2 3 4",
            "Password-1234",
            "correct horse battery staple",
            "\u200b" * 12,
            " " * 12,
            "\ud800" * 12,
            "ann.smith@example.com",
            "ann.smith1234",
            "HarbourBooks1",
        ],
    )
    def test_what_anybody_would_try_first_is_refused(self, password: str) -> None:
        with pytest.raises(Refusal) as caught:
            passwords.check(password, about=("ann.smith@example.com", "Ann Smith", "Harbour Books"))
        assert caught.value.field == "password"

    @pytest.mark.parametrize(
        "password", [PASSWORD, "x7!Qm2#vLp9z", "ខ្ញុំចូលចិត្តអានសៀវភៅ", "מים שקטים חודרים עמוק", "x" * 200 + "abcdefg"]
    )
    def test_what_is_long_and_ones_own_is_taken_in_any_script(self, password: str) -> None:
        passwords.check(password, about=("ann@example.com", "Ann", "Harbour Books"))

    async def test_changing_it_needs_the_present_one_and_ends_every_session(self, office: Firm) -> None:
        token, _ = await signin.sign_in(office.store, "ann@example.com", PASSWORD, HERE)
        new = "another harbour at dusk"
        wrong = await refused(signin.change_password(office.store, office.ann_id, "no", new, HERE))
        weak = await refused(signin.change_password(office.store, office.ann_id, PASSWORD, "password1234", HERE))
        assert (wrong.field, weak.field) == ("current", "new")
        assert await office.store.read(sessions.find, token) == office.ann_id
        await signin.change_password(office.store, office.ann_id, PASSWORD, new, HERE)
        assert await office.store.read(sessions.find, token) is None
        await refused(signin.sign_in(office.store, "ann@example.com", PASSWORD, HERE))
        await signin.sign_in(office.store, "ann@example.com", new, HERE)

    async def test_guessing_the_present_one_is_throttled_like_signing_in(self, office: Firm) -> None:
        for _ in range(5):
            await refused(signin.change_password(office.store, office.ann_id, "guess", PASSWORD, HERE))
        assert (await refused(signin.sign_in(office.store, "ann@example.com", PASSWORD, HERE))).code == "too_many"

    async def test_at_most_two_hashes_are_made_at_a_time(self) -> None:
        await asyncio.gather(*(passwords.verify(None, "x") for _ in range(5)))
        assert len(passwords._threads) == 1 and passwords._threads[0]._max_workers == 2
        assert len(passwords._threads[0]._threads) <= 2


class TestLinks:
    async def test_the_first_administrator_comes_in_by_a_link_that_works_once(self, store: Store) -> None:
        await store.write(roles.ensure_built_in)
        link = await store.write(one_time.first_administrator_link)
        assert link is not None and await store.read(one_time.first_administrator_link_holds, link)
        session, agent_id = await signin.create_first_administrator(
            store, link, name="Ada", email="ada@example.com", password=PASSWORD, language="en"
        )
        assert await store.read(sessions.find, session) == agent_id
        agent = await store.read(agents.get, agent_id)
        assert (agent.role, agent.language, agent.has_password) == ("administrator", "en", True)
        again = signin.create_first_administrator(store, link, name="E", email="e@example.com", password=PASSWORD)
        assert (await refused(again)).code == "gone"
        assert await store.write(one_time.first_administrator_link) is None

    async def test_of_two_who_use_it_at_once_one_becomes_administrator(self, store: Store) -> None:
        await store.write(roles.ensure_built_in)
        link = await store.write(one_time.first_administrator_link)
        assert link is not None
        done = await asyncio.gather(
            *(
                signin.create_first_administrator(store, link, name=n, email=f"{n}@example.com", password=PASSWORD)
                for n in ("one", "two")
            ),
            return_exceptions=True,
        )
        assert sorted(type(d).__name__ for d in done) == ["Refusal", "tuple"]
        assert await store.read(agents.administrators) == 1

    async def test_a_refused_form_does_not_use_it_up(self, store: Store) -> None:
        await store.write(roles.ensure_built_in)
        link = await store.write(one_time.first_administrator_link)
        assert link is not None
        for wrong in ({"email": "no address"}, {"password": "short"}, {"name": " "}):
            fields: dict[str, Any] = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD} | wrong
            assert (await refused(signin.create_first_administrator(store, link, **fields))).code == "invalid"
        await signin.create_first_administrator(store, link, name="Ada", email="ada@example.com", password=PASSWORD)

    async def test_a_later_start_makes_a_new_one_and_voids_the_old(self, store: Store, clock: ManualClock) -> None:
        await store.write(roles.ensure_built_in)
        old = await store.write(one_time.first_administrator_link)
        new = await store.write(one_time.first_administrator_link)
        assert old is not None and new is not None
        assert not await store.read(one_time.first_administrator_link_holds, old)
        clock.advance(72 * HOUR - 1)
        assert await store.read(one_time.first_administrator_link_holds, new)
        clock.advance(1)
        assert not await store.read(one_time.first_administrator_link_holds, new)
        assert (await refused(store.write(links.use, "first_administrator", new))).code == "gone"

    @pytest.mark.parametrize("token", ["", " ", "x" * 43, "\0" * 43, "\ud800" * 43, "ü" * 43, "x" * 100_000])
    async def test_what_is_no_link_is_refused(self, firm: Firm, token: str) -> None:
        await firm.does(links.create, "first_administrator")
        assert not await firm.store.read(one_time.first_administrator_link_holds, token)
        assert (await refused(firm.does(links.use, "first_administrator", token))).code == "gone"
        assert (await refused(signin.choose_password(firm.store, token, PASSWORD))).code == "gone"

    async def test_a_colleague_chooses_a_password_by_theirs_and_only_the_newest_works(self, firm: Firm) -> None:
        bob = await firm.hire("bob")
        old = await firm.does(one_time.invite, firm.admin, bob)
        new = await firm.does(one_time.invite, firm.admin, bob)
        assert (await refused(signin.choose_password(firm.store, old, PASSWORD))).code == "gone"
        assert (await refused(signin.choose_password(firm.store, new, "bob@example.com"))).field == "password"
        assert await signin.choose_password(firm.store, new, PASSWORD) == bob
        assert (await refused(signin.choose_password(firm.store, new, PASSWORD))).code == "gone"
        assert (await signin.sign_in(firm.store, "bob@example.com", PASSWORD, HERE))[1].id == bob

    async def test_a_link_for_one_purpose_is_none_for_another(self, firm: Firm) -> None:
        link = await firm.does(one_time.invite, firm.admin, firm.ann_id)
        assert (await refused(firm.does(links.use, "first_administrator", link))).code == "gone"
        assert await firm.does(links.use, "password", link) == firm.ann_id

    async def test_only_who_manages_agents_makes_one_and_not_for_the_disabled(self, firm: Firm) -> None:
        assert (await refused(firm.does(one_time.invite, firm.ann, firm.admin_id))).code == "forbidden"
        await firm.does(agents.disable, firm.admin, firm.ann_id)
        assert (await refused(firm.does(one_time.invite, firm.admin, firm.ann_id))).code == "conflict"

    async def test_old_ones_are_swept(self, firm: Firm, clock: ManualClock) -> None:
        await firm.does(one_time.invite, firm.admin, firm.ann_id)
        clock.advance(72 * HOUR)
        assert await firm.does(links.sweep) == 0
        clock.advance(DAY)
        assert await firm.does(links.sweep) == 1
