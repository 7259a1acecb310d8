"""Two-factor: what opens, once, and for how long; who may take it off; what happens where everybody needs it."""

import asyncio
import base64

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from hub.clock import MINUTE, SECOND, ManualClock
from hub.db.store import Store
from hub.errors import Refusal
from hub.seal import Sealer
from hub.staff import agents, links, passwords, sessions, signin, throttle, two_factor
from hub.staff.signin import SecondStep

from .conftest import Firm

PASSWORD = "a quiet harbour at noon"
HERE, THERE = "203.0.113.7", "198.51.100.9"
EMAIL = "ann@example.com"


def code_of(secret: str, at: int) -> str:
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(at // SECOND).decode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stored() -> str:
    return await passwords.hash_password(PASSWORD)


@pytest_asyncio.fixture
async def office(firm: Firm, stored: str) -> Firm:
    """The firm, with a password for Ann and a key for its secrets."""
    firm.store.sealer = Sealer.random()
    await firm.does(agents.set_password, firm.admin, firm.ann_id, stored)
    return firm


async def refused(awaited) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await awaited
    return caught.value


async def set_up(firm: Firm, clock: ManualClock) -> tuple[str, list[str]]:
    """(secret, recovery codes) of Ann, who has turned it on just now and may use the next code."""
    await firm.does(two_factor.begin, firm.ann_id)
    secret = await firm.does(two_factor.pending, firm.ann_id)
    codes = await firm.does(two_factor.confirm, firm.ann, firm.ann_id, code_of(secret, clock.now()))
    clock.advance(2 * two_factor.STEP)
    return secret, codes


async def step(firm: Firm) -> SecondStep:
    with pytest.raises(SecondStep) as caught:
        await signin.sign_in(firm.store, EMAIL, PASSWORD, HERE)
    return caught.value


async def test_the_codes_are_those_of_the_rfc() -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    # RFC 6238, appendix B: the last six of the eight digits.
    for seconds, digits in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert two_factor._step(secret, digits, seconds * SECOND, 0) == seconds // 30
        assert two_factor._step(secret, digits, (seconds + 90) * SECOND, 0) is None


async def test_the_password_alone_opens_nothing_and_a_code_opens_once(office: Firm, clock: ManualClock) -> None:
    secret, _ = await set_up(office, clock)
    first = await step(office)
    assert not first.enrol
    assert await office.events("agent.signed_in") == []
    code = code_of(secret, clock.now())
    token, agent = await signin.second_step(office.store, first.step, code, HERE, "Firefox")
    assert agent.id == office.ann_id
    assert await office.store.read(sessions.find, token) == office.ann_id
    assert (await refused(signin.second_step(office.store, first.step, code, HERE))).code == "gone"
    again = await step(office)
    assert (await refused(signin.second_step(office.store, again.step, code, HERE))).code == "invalid"
    clock.advance(two_factor.STEP)
    await signin.second_step(office.store, again.step, code_of(secret, clock.now()), HERE)


async def test_an_older_code_is_refused_once_a_newer_was_taken(office: Firm, clock: ManualClock) -> None:
    secret, _ = await set_up(office, clock)
    ahead = code_of(secret, clock.now() + two_factor.STEP)
    assert await office.does(two_factor.passes, office.ann_id, ahead)
    assert not await office.does(two_factor.passes, office.ann_id, code_of(secret, clock.now()))


@pytest.mark.parametrize(("off", "opens"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_clock_may_be_off_by_one_step(office: Firm, clock: ManualClock, off: int, opens: bool) -> None:
    secret, _ = await set_up(office, clock)
    clock.advance(5 * two_factor.STEP)
    code = code_of(secret, clock.now() + off * two_factor.STEP)
    assert await office.does(two_factor.passes, office.ann_id, code) is opens


@pytest.mark.parametrize(
    "code", ["", "0", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12 34 5x", "-" * 19, "\x00" * 16, "x" * 10_000]
)
async def test_what_is_no_code_opens_nothing(office: Firm, clock: ManualClock, code: str) -> None:
    await set_up(office, clock)
    first = await step(office)
    error = await refused(signin.second_step(office.store, first.step, code, HERE))
    assert (error.code, error.field) == ("invalid", "code")
    assert len(await office.events("agent.sign_in_failed")) == 1


async def test_of_two_at_once_with_one_code_one_gets_in(office: Firm, clock: ManualClock) -> None:
    secret, _ = await set_up(office, clock)
    steps = [await step(office), await step(office)]
    code = code_of(secret, clock.now())
    done = await asyncio.gather(
        *(signin.second_step(office.store, s.step, code, HERE) for s in steps), return_exceptions=True
    )
    assert sorted(isinstance(one, Refusal) for one in done) == [False, True]


async def test_a_recovery_code_opens_once_however_it_is_typed(office: Firm, clock: ManualClock) -> None:
    _, codes = await set_up(office, clock)
    assert len(set(codes)) == two_factor.CODES
    kept = await office.store.read(lambda rx: [bytes(r[0]) for r in rx.rows("SELECT code_hash FROM recovery_code")])
    assert not [code for code in codes if code.encode() in kept]
    await signin.second_step(office.store, (await step(office)).step, f" {codes[0].upper()} ", HERE)
    again = await step(office)
    assert (await refused(signin.second_step(office.store, again.step, codes[0], HERE))).code == "invalid"
    await signin.second_step(office.store, again.step, codes[1].replace("-", ""), HERE)
    assert (await office.store.read(two_factor.state, office.ann_id)).codes_left == two_factor.CODES - 2


async def test_guessing_is_slowed_for_the_account_whatever_the_network(office: Firm, clock: ManualClock) -> None:
    secret, _ = await set_up(office, clock)
    first = await step(office)
    for _ in range(5):
        assert (await refused(signin.second_step(office.store, first.step, "000000", HERE))).code == "invalid"
    right = code_of(secret, clock.now())
    error = await refused(signin.second_step(office.store, first.step, right, HERE))
    assert error.code == "too_many" and error.extra["retry_after"] > 0
    for n in range(15):
        clock.advance(SECOND)
        await refused(signin.second_step(office.store, first.step, "000000", f"198.51.{n}.9"))
    error = await refused(signin.second_step(office.store, first.step, right, "192.0.2.1"))
    assert error.code == "too_many"
    clock.advance(throttle.WINDOW + MINUTE)
    assert (await refused(signin.second_step(office.store, first.step, right, HERE))).code == "gone"


@pytest.mark.parametrize("secret", ["", "x", "x" * 43, "é" * 43, "\x00" * 43])
async def test_no_step_of_ours_leads_nowhere(office: Firm, secret: str) -> None:
    assert (await refused(signin.second_step(office.store, secret, "123456", HERE))).code == "gone"
    assert (await refused(signin.enrolment(office.store, secret))).code == "gone"
    assert (await refused(signin.enrol(office.store, secret, "123456", HERE))).code == "gone"


async def test_another_password_or_a_lost_right_ends_a_sign_in_that_waits(
    office: Firm, clock: ManualClock, stored: str
) -> None:
    secret, _ = await set_up(office, clock)
    for end in (
        lambda: office.does(agents.set_password, office.admin, office.ann_id, stored),
        lambda: office.does(agents.sign_out, office.admin, office.ann_id),
        lambda: office.does(agents.disable, office.admin, office.ann_id),
    ):
        first = await step(office)
        await end()
        error = await refused(signin.second_step(office.store, first.step, code_of(secret, clock.now()), HERE))
        assert error.code == "gone"


async def test_waiting_for_a_code_does_not_end_an_invitation(office: Firm, clock: ManualClock) -> None:
    await set_up(office, clock)
    link = await office.does(links.create, "password", office.ann_id)
    await step(office)
    assert await office.store.read(links.holds, "password", link)


async def test_turning_it_off_needs_a_code(office: Firm, clock: ManualClock) -> None:
    secret, codes = await set_up(office, clock)
    error = await refused(signin.with_code(office.store, office.ann, HERE, two_factor.end, "000000"))
    assert (error.code, error.field) == ("invalid", "code")
    await signin.with_code(office.store, office.ann, HERE, two_factor.end, codes[3])
    token, _ = await signin.sign_in(office.store, EMAIL, PASSWORD, HERE)
    assert await office.store.read(sessions.find, token) == office.ann_id
    assert not await office.does(two_factor.passes, office.ann_id, code_of(secret, clock.now()))
    assert not await office.does(two_factor.passes, office.ann_id, codes[4])


async def test_guessing_in_a_browser_left_open_is_slowed_too(office: Firm, clock: ManualClock) -> None:
    secret, _ = await set_up(office, clock)
    for _ in range(5):
        await refused(signin.with_code(office.store, office.ann, HERE, two_factor.end, "000000"))
    code = code_of(secret, clock.now())
    assert (await refused(signin.with_code(office.store, office.ann, HERE, two_factor.end, code))).code == "too_many"
    assert await office.store.read(two_factor.is_on, office.ann_id)


async def test_what_was_begun_counts_for_nothing_until_it_is_confirmed(office: Firm, clock: ManualClock) -> None:
    await office.does(two_factor.begin, office.ann_id)
    await signin.sign_in(office.store, EMAIL, PASSWORD, HERE)
    first = await office.does(two_factor.pending, office.ann_id)
    error = await refused(office.does(two_factor.confirm, office.ann, office.ann_id, "000000"))
    assert error.field == "code"
    await office.does(two_factor.begin, office.ann_id)
    second = await office.does(two_factor.pending, office.ann_id)
    assert first != second
    await refused(office.does(two_factor.confirm, office.ann, office.ann_id, code_of(first, clock.now())))
    await office.does(two_factor.confirm, office.ann, office.ann_id, code_of(second, clock.now()))
    assert await office.does(two_factor.pending, office.ann_id) is None
    assert (await refused(office.does(two_factor.begin, office.ann_id))).code == "conflict"


async def test_the_secret_is_sealed_and_moves_to_a_new_key_by_use(office: Firm, clock: ManualClock) -> None:
    old, new = b"o" * 32, b"n" * 32
    office.store.sealer = Sealer([old])
    secret, _ = await set_up(office, clock)
    read = lambda rx: rx.value("SELECT secret FROM two_factor")  # noqa: E731
    assert secret not in await office.store.read(read)
    office.store.sealer = Sealer([new, old])
    assert await office.does(two_factor.passes, office.ann_id, code_of(secret, clock.now()))
    assert office.store.sealer.is_current(await office.store.read(read))


async def test_who_may_reset_it(office: Firm, clock: ManualClock) -> None:
    await set_up(office, clock)
    colleague = await office.caller(await office.hire("Cem"))
    assert (await refused(office.does(two_factor.reset, colleague, office.ann_id))).code == "forbidden"
    assert (await refused(office.does(two_factor.reset, office.ann, office.ann_id))).code == "forbidden"
    supervisor = await office.caller(await office.hire("Sue", "supervisor"))
    token = await office.does(sessions.start, office.ann_id)
    await office.does(two_factor.reset, supervisor, office.ann_id)
    assert await office.store.read(sessions.find, token) is None
    assert not await office.store.read(two_factor.is_on, office.ann_id)
    await signin.sign_in(office.store, EMAIL, PASSWORD, HERE)
    error = await refused(office.does(two_factor.reset, supervisor, office.ann_id))
    assert error.code == "conflict"
    await office.does(two_factor.begin, office.admin_id)
    assert (await refused(office.does(two_factor.reset, supervisor, office.admin_id))).code == "forbidden"


class TestWhereEverybodyNeedsIt:
    @pytest_asyncio.fixture
    async def strict(self, office: Firm) -> Firm:
        def require(tx) -> None:
            tx.run("INSERT INTO setting (name, value) VALUES ('two_factor', 'required')")

        await office.does(require)
        return office

    async def test_who_has_none_sets_it_up_before_they_come_in(self, strict: Firm, clock: ManualClock) -> None:
        first = await step(strict)
        assert first.enrol
        assert (await refused(signin.second_step(strict.store, first.step, "123456", HERE))).code == "invalid"
        secret, email = await signin.enrolment(strict.store, first.step)
        assert email == EMAIL
        assert (await signin.enrolment(strict.store, first.step))[0] == secret, "loading the page again changes nothing"
        assert (await refused(signin.enrol(strict.store, first.step, "000000", HERE))).field == "code"
        code = code_of(secret, clock.now())
        token, agent, codes = await signin.enrol(strict.store, first.step, code, HERE)
        assert agent.id == strict.ann_id and len(codes) == two_factor.CODES
        assert await strict.store.read(sessions.find, token) == strict.ann_id
        clock.advance(2 * two_factor.STEP)
        again = await step(strict)
        assert not again.enrol
        assert (await refused(signin.enrolment(strict.store, again.step))).code == "gone"

    async def test_nobody_turns_theirs_off(self, strict: Firm, clock: ManualClock) -> None:
        _, codes = await set_up(strict, clock)
        error = await refused(signin.with_code(strict.store, strict.ann, HERE, two_factor.end, codes[0]))
        assert error.code == "conflict"

    async def test_who_asks_for_it_has_it_and_may_sign_the_others_out(self, office: Firm, clock: ManualClock) -> None:
        error = await refused(office.does(two_factor.require, office.admin, True))
        assert error.code == "conflict"
        assert (await refused(office.does(two_factor.require, office.ann, True))).code == "forbidden"
        await office.does(two_factor.begin, office.admin_id)
        secret = await office.does(two_factor.pending, office.admin_id)
        await office.does(two_factor.confirm, office.admin, office.admin_id, code_of(secret, clock.now()))
        tokens = [await office.does(sessions.start, one) for one in (office.ann_id, office.admin_id)]
        await office.does(two_factor.require, office.admin, True)
        assert await office.store.read(sessions.find, tokens[0]) == office.ann_id
        await office.does(two_factor.require, office.admin, True, at_once=True)
        assert [await office.store.read(sessions.find, token) for token in tokens] == [None, office.admin_id]
        await office.does(two_factor.require, office.admin, False)
        await signin.sign_in(office.store, EMAIL, PASSWORD, HERE)


async def test_sessions_are_listed_with_where_they_began_and_end_one_by_one(office: Firm) -> None:
    store: Store = office.store
    here, _ = await signin.sign_in(store, EMAIL, PASSWORD, HERE, "Firefox\x00\ud800/1")
    there, _ = await signin.sign_in(store, EMAIL, PASSWORD, "2001:db8:1:2::3", "Safari")
    found = await store.read(sessions.listed, office.ann_id, here)
    assert {(one.browser, one.network, one.current) for one in found} == {
        ("Firefox/1", "203.0.113.0/24", True),
        ("Safari", "2001:db8:1::/56", False),
    }
    other = next(one.id for one in found if not one.current)
    assert (await refused(office.does(sessions.end_one, office.admin, other))).code == "not_found"
    await office.does(sessions.end_one, office.ann, other)
    assert await store.read(sessions.find, there) is None
    await signin.sign_in(store, EMAIL, PASSWORD, HERE)
    assert await office.does(sessions.end_others, office.ann, here) == 1
    assert await store.read(sessions.find, here) == office.ann_id
