"""Signing in and choosing passwords: the only asynchronous part of staff, because a password's hash is slow on purpose.

Called by `hub.web`. Whether an address is anybody's shows neither in the answer nor in the work done for it. Whoever
has a second factor, or has to have one, gets no session for the password alone: `SecondStep` carries the secret of a
link to what comes next.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.errors import Refusal, not_found
from hub.events import SYSTEM, Actor, SignedIn, SignInFailed
from hub.people.points import MAX_EMAIL
from hub.staff import agents, links, one_time, organisation, passwords, sessions, throttle, two_factor
from hub.staff.access import ALL, DESK, Caller
from hub.staff.sessions import Where

_STORED = "SELECT password_hash, disabled_at FROM agent WHERE id = :id"
_STILL = "SELECT 1 FROM agent WHERE id = :id AND password_hash = :stored AND disabled_at IS NULL"
_REHASH = "UPDATE agent SET password_hash = :fresh WHERE id = :id AND password_hash = :stored"
_ABOUT = "SELECT email, name FROM agent WHERE id = :id"

T = TypeVar("T")
_WRONG: Final = "The e-mail address or the password is wrong."


class SecondStep(Refusal):
    """The password was right. `step` opens `second_step` for ten minutes; `enrol`: they have no second factor yet and
    need one, so it opens `enrolment` and `enrol` instead."""

    def __init__(self, step: str, enrol: bool) -> None:
        text = "Set up two-factor first: sign in with a browser." if enrol else "The code of the authenticator app too."
        super().__init__("unauthenticated", text, field="code")
        self.step, self.enrol = step, enrol


def refused() -> Refusal:
    """One answer for an unknown address, a wrong password, an agent who is disabled and one who has no password yet."""
    return Refusal("unauthenticated", _WRONG)


async def sign_in(
    store: Store, email: str, password: str, remote: str, browser: str | None = None
) -> tuple[str, agents.Agent]:
    """(the session's secret, who it is). `remote`: the caller's network address, for the throttle.

    Raises Refusal: unauthenticated, or too_many with `retry_after`; SecondStep where the password is not all.
    """
    email = email.strip()[: MAX_EMAIL + 1]
    counted = throttle.keys(email, remote)
    agent_id, stored = await store.write(_try, counted, email)
    right = len(password) <= passwords.MOST and await passwords.verify(stored, password)
    if not right or agent_id is None or stored is None:
        await store.write(_failed, agent_id)
        raise refused()
    fresh = await passwords.hash_password(password) if passwords.is_outdated(stored) else stored
    opened = await store.write(_enter, counted, agent_id, stored, fresh, Where(browser, throttle.network(remote)))
    if opened is None:
        await store.write(_failed, agent_id)
        raise refused()
    if isinstance(opened, SecondStep):
        raise opened
    return opened


async def second_step(
    store: Store, step: str, code: str, remote: str, browser: str | None = None
) -> tuple[str, agents.Agent]:
    """The same as `sign_in` by what it raised, and a code of the app or a recovery code.

    Raises Refusal: gone when it took too long, invalid with field `code`, too_many.
    """
    agent_id = await store.write(_try_code, step, remote)
    opened = await store.write(_enter_by_code, step, agent_id, code, remote, browser)
    if opened is None:
        await store.write(_failed, agent_id)
        raise _wrong_code()
    return opened


async def enrolment(store: Store, step: str) -> tuple[str, str]:
    """(secret, e-mail address): what the page shows to somebody who has to set it up before they come in."""
    return await store.write(_enrolment, step)


async def enrol(
    store: Store, step: str, code: str, remote: str, browser: str | None = None
) -> tuple[str, agents.Agent, list[str]]:
    """`second_step` for them: the session's secret, who it is, the recovery codes."""
    await store.write(_try_code, step, remote)
    return await store.write(_enter_enrolled, step, code, remote, browser)


async def with_code(store: Store, caller: Caller, remote: str, do: Callable[..., T], code: str) -> T:
    """A unit `do(tx, caller, code)` on one's own second factor; tries are counted as when signing in."""
    keys = throttle.code_keys(caller.grants.agent_id, remote)
    await store.write(throttle.take, keys)
    done = await store.write(do, caller, code)
    await store.write(throttle.succeeded, keys)
    return done


async def change_password(store: Store, agent_id: int, current: str, new: str, remote: str, *, firm: str = "") -> None:
    """The agent's own, by giving the current one. Every session of theirs ends, this one included."""
    found = await store.read(_about, agent_id)
    if found is None:
        raise not_found("agent")
    email, name, stored = found
    counted = throttle.keys(email, remote)
    await store.write(throttle.take, counted)
    if len(current) > passwords.MOST or not await passwords.verify(stored, current):
        await store.write(_failed, agent_id)
        raise Refusal("invalid", "This is not your current password.", field="current")
    passwords.check(new, about=(email, name, firm), field="new")
    fresh = await passwords.hash_password(new)
    await store.write(_changed, counted, agent_id, stored or "", fresh)


async def choose_password(store: Store, token: str, password: str, *, firm: str = "") -> int:
    """By a link that an administrator made, or that was mailed; the agent's id."""
    agent_id = await store.read(_linked, token)
    found = await store.read(_about, agent_id) if agent_id is not None else None
    if found is None:
        raise links.over()
    passwords.check(password, about=(found[0], found[1], firm))
    return await store.write(one_time.choose_password, token, await passwords.hash_password(password))


async def create_first_administrator(
    store: Store,
    token: str,
    *,
    name: str,
    email: str,
    password: str,
    language: str | None = None,
    firm: str = "",
    then: Callable[[Tx], None] | None = None,
) -> tuple[str, int]:
    """(session's secret, agent's id), by the link of the first start. `firm`: whose desk it is. `then`: done along."""
    if not await store.read(one_time.first_administrator_link_holds, token):
        raise links.over()
    passwords.check(password, about=(email, name, firm))
    password_hash = await passwords.hash_password(password)

    def create(tx: Tx) -> tuple[str, int]:
        agent_id = one_time.create_first_administrator(tx, token, name, email, password_hash, language)
        organisation.rename(tx, DESK, firm)
        if then is not None:
            then(tx)
        return sessions.start(tx, agent_id), agent_id

    return await store.write(create)


def _try(tx: Tx, counted: tuple[throttle.Key, ...], email: str) -> tuple[int | None, str | None]:
    throttle.take(tx, counted)
    agent_id = agents.by_email(tx, email)
    row = tx.row(_STORED, id=agent_id or 0)
    return (None, None) if row is None else (agent_id, None if row[1] is not None else row[0])


def _failed(tx: Tx, agent_id: int | None) -> None:
    tx.record(SignInFailed(agent_id=agent_id), by=SYSTEM)


def _enter(
    tx: Tx, counted: tuple[throttle.Key, ...], agent_id: int, stored: str, fresh: str, where: Where
) -> tuple[str, agents.Agent] | SecondStep | None:
    """None: the password was changed or the agent disabled while it was being verified."""
    if tx.value(_STILL, id=agent_id, stored=stored) is None:
        return None
    if fresh != stored:
        tx.run(_REHASH, id=agent_id, stored=stored, fresh=fresh)
    throttle.succeeded(tx, counted)
    has = two_factor.is_on(tx, agent_id)
    if has or two_factor.is_required(tx):
        return SecondStep(links.create(tx, "second_step", agent_id), enrol=not has)
    return _open(tx, agent_id, where)


def _open(tx: Tx, agent_id: int, where: Where) -> tuple[str, agents.Agent]:
    tx.record(SignedIn(agent_id=agent_id), by=Actor("agent", agent_id))
    return sessions.start(tx, agent_id, where), agents.get(tx, agent_id)


def _wrong_code() -> Refusal:
    return Refusal("invalid", "This code is wrong, or it was used already. Wait for the next one.", field="code")


def _try_code(tx: Tx, step: str, remote: str) -> int:
    agent_id = links.whose(tx, "second_step", step)
    if agent_id is None:
        raise links.over()
    throttle.take(tx, throttle.code_keys(agent_id, remote))
    return agent_id


def _enter_by_code(
    tx: Tx, step: str, agent_id: int, code: str, remote: str, browser: str | None
) -> tuple[str, agents.Agent] | None:
    if not two_factor.passes(tx, agent_id, code):
        return None
    links.use(tx, "second_step", step)
    throttle.succeeded(tx, throttle.code_keys(agent_id, remote))
    return _open(tx, agent_id, Where(browser, throttle.network(remote)))


def _enrolment(tx: Tx, step: str) -> tuple[str, str]:
    agent_id = links.whose(tx, "second_step", step)
    if agent_id is None or two_factor.is_on(tx, agent_id):
        raise links.over()
    if not two_factor.state(tx, agent_id).begun:
        two_factor.begin(tx, agent_id)
    secret = two_factor.pending(tx, agent_id)
    assert secret is not None
    return secret, agents.get(tx, agent_id).email


def _enter_enrolled(
    tx: Tx, step: str, code: str, remote: str, browser: str | None
) -> tuple[str, agents.Agent, list[str]]:
    agent_id = links.use(tx, "second_step", step)
    assert agent_id is not None
    codes = two_factor.confirm(tx, Caller(Actor("agent", agent_id), ALL), agent_id, code)
    throttle.succeeded(tx, throttle.code_keys(agent_id, remote))
    return *_open(tx, agent_id, Where(browser, throttle.network(remote))), codes


def _changed(tx: Tx, counted: tuple[throttle.Key, ...], agent_id: int, stored: str, fresh: str) -> None:
    if tx.value(_STILL, id=agent_id, stored=stored) is None:
        raise Refusal("conflict", "Your password was changed meanwhile. Sign in with the new one.")
    throttle.succeeded(tx, counted)
    agents.set_password(tx, Caller(Actor("agent", agent_id), ALL), agent_id, fresh)


def _about(rx: Rx, agent_id: int) -> tuple[str, str, str | None] | None:
    row, stored = rx.row(_ABOUT, id=agent_id), rx.row(_STORED, id=agent_id)
    return None if row is None or stored is None or stored[1] is not None else (row[0], row[1], stored[0])


def _linked(rx: Rx, token: str) -> int | None:
    return links.whose(rx, "password", token) or links.whose(rx, "reset", token)
