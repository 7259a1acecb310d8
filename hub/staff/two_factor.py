"""The second factor: codes of an authenticator app (TOTP, RFC 6238) and recovery codes for the day the phone is gone.

An agent begins, proves with a code that their app has the secret, and from then on signs in with both. Called by
`hub.staff.signin`, which counts the tries in units of their own: what fails here is rolled back.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from typing import Final
from urllib.parse import quote

import msgspec

from hub.clock import SECOND
from hub.db.tx import Rx, Tx
from hub.errors import Refusal, invalid
from hub.events import AgentChanged, SignedOut
from hub.seal import Sealer
from hub.staff import agents, links, roles, sessions
from hub.staff.access import Caller, require_permission

RULES: Final = "desk.manage"
STEP: Final = 30 * SECOND
AROUND: Final = 1  # steps before and after: clocks differ, and typing takes its time
CODES: Final = 10
_SECRET_BYTES: Final = 20  # as RFC 4226 advises for HMAC-SHA1, the only hash that all apps know
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
_LENGTH: Final = 16  # of a recovery code: 79 bits
_WRONG: Final = "This code is wrong, or it was used already. Wait for the next one."

_GET = "SELECT secret, last_step, created_at, confirmed_at FROM two_factor WHERE agent_id = :agent_id"
_BEGIN = """
INSERT INTO two_factor (agent_id, secret, last_step, created_at) VALUES (:agent_id, :secret, 0, :now)
ON CONFLICT (agent_id) DO UPDATE SET secret = excluded.secret, last_step = 0, created_at = excluded.created_at"""
_CONFIRM = "UPDATE two_factor SET confirmed_at = :now, last_step = :step WHERE agent_id = :agent_id"
_TAKEN = "UPDATE two_factor SET last_step = :step, secret = :secret WHERE agent_id = :agent_id AND last_step < :step"
_END = "DELETE FROM two_factor WHERE agent_id = :agent_id"
_NO_CODES = "DELETE FROM recovery_code WHERE agent_id = :agent_id"
_ADD_CODE = "INSERT INTO recovery_code (agent_id, code_hash, created_at) VALUES (:agent_id, :code_hash, :now)"
_USE_CODE = """
UPDATE recovery_code SET used_at = :now WHERE agent_id = :agent_id AND code_hash = :code_hash AND used_at IS NULL"""
_CODES_LEFT = "SELECT COUNT(*) FROM recovery_code WHERE agent_id = :agent_id AND used_at IS NULL"
_HAVE = "SELECT agent_id FROM two_factor WHERE confirmed_at IS NOT NULL"
_HAVE_NOT = """
SELECT agent.id FROM agent LEFT JOIN two_factor ON two_factor.agent_id = agent.id
WHERE agent.disabled_at IS NULL AND two_factor.confirmed_at IS NULL ORDER BY agent.id LIMIT 500"""
_RULE = "SELECT value FROM setting WHERE name = 'two_factor'"
_SET_RULE = """
INSERT INTO setting (name, value) VALUES ('two_factor', :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
_REQUIRED: Final = "required"


class State(msgspec.Struct, frozen=True):
    """`since` None: it is off. `begun`: a secret waits to be confirmed."""

    since: int | None = None
    begun: bool = False
    codes_left: int = 0


def state(rx: Rx, agent_id: int) -> State:
    row = rx.row(_GET, agent_id=agent_id)
    if row is None:
        return State()
    return State(row[3], row[3] is None, int(rx.value(_CODES_LEFT, agent_id=agent_id)))


def is_on(rx: Rx, agent_id: int) -> bool:
    return state(rx, agent_id).since is not None


def everybody(rx: Rx) -> set[int]:
    """Who has it."""
    return {agent_id for (agent_id,) in rx.rows(_HAVE)}


# --- setting it up -----------------------------------------------------------------------------------------------


def begin(tx: Tx, agent_id: int) -> None:
    """A new secret, which counts for nothing until it is confirmed; one that was begun before is forgotten."""
    if is_on(tx, agent_id):
        raise Refusal("conflict", "Two-factor is on already. Turn it off first to set it up with another app.")
    secret = _sealer(tx).seal(base64.b32encode(os.urandom(_SECRET_BYTES)).decode(), _about(agent_id))
    tx.run(_BEGIN, agent_id=agent_id, secret=secret, now=tx.now)


def pending(tx: Tx, agent_id: int) -> str | None:
    """The secret that waits to be confirmed, in base 32 as apps take it; shown to nobody else and never later."""
    row = tx.row(_GET, agent_id=agent_id)
    return None if row is None or row[3] is not None else _sealer(tx).open(row[0], _about(agent_id))


def confirm(tx: Tx, caller: Caller, agent_id: int, code: str) -> list[str]:
    """Turns it on; the recovery codes, which are told this once."""
    row = tx.row(_GET, agent_id=agent_id)
    if row is None or row[3] is not None:
        raise Refusal("conflict", "There is nothing to confirm. Begin anew.")
    step = _step(_sealer(tx).open(row[0], _about(agent_id)), code, tx.now, 0)
    if step is None:
        raise invalid("code", "This is not the code that the app shows now. Is the phone's clock right?")
    tx.run(_CONFIRM, agent_id=agent_id, now=tx.now, step=step)
    tx.record(AgentChanged(agent_id=agent_id, fields=("two_factor",)), by=caller.actor)
    return _new_codes(tx, agent_id)


def new_codes(tx: Tx, caller: Caller, code: str) -> list[str]:
    """Other recovery codes in the place of the old ones, by a code of the app."""
    agent_id = caller.grants.agent_id
    _must_pass(tx, agent_id, code)
    tx.record(AgentChanged(agent_id=agent_id, fields=("two_factor",)), by=caller.actor)
    return _new_codes(tx, agent_id)


def end(tx: Tx, caller: Caller, code: str) -> None:
    """Turns one's own off, by a code of the app or a recovery code: a browser left open does not suffice."""
    agent_id = caller.grants.agent_id
    if is_required(tx):
        raise Refusal("conflict", "Everybody here needs two-factor. An administrator can change that.")
    _must_pass(tx, agent_id, code)
    _forget(tx, agent_id)
    tx.record(AgentChanged(agent_id=agent_id, fields=("two_factor",)), by=caller.actor)


def reset(tx: Tx, caller: Caller, agent_id: int) -> None:
    """For a colleague who has neither phone nor codes any more. They are signed out everywhere, and set it up anew."""
    require_permission(caller, agents.HELP)
    agent = agents.get(tx, agent_id)
    roles.within_reach(caller, roles.get(tx, agent.role_id))
    if caller.grants.agent_id == agent_id:
        raise Refusal("conflict", "Your own you turn off with a code. Without one, ask a colleague.")
    if not _forget(tx, agent_id):
        raise Refusal("conflict", "They have no two-factor to reset.")
    tx.record(AgentChanged(agent_id=agent_id, fields=("two_factor",)), by=caller.actor)
    _signed_out(tx, caller, agent_id)


# --- signing in --------------------------------------------------------------------------------------------------


def passes(tx: Tx, agent_id: int, code: str) -> bool:
    """Whether this opens, and uses it up: a code of the app that is newer than the last one, or a recovery code."""
    row = tx.row(_GET, agent_id=agent_id)
    if row is None or row[3] is None:
        return False
    about, sealer = _about(agent_id), _sealer(tx)
    secret = sealer.open(row[0], about)
    step = _step(secret, code, tx.now, row[1])
    if step is not None:
        kept = row[0] if sealer.is_current(row[0]) else sealer.seal(secret, about)
        return bool(tx.run(_TAKEN, agent_id=agent_id, step=step, secret=kept))
    written = re.sub(r"[\s-]", "", code).lower()
    if len(written) != _LENGTH or not written.isascii():
        return False
    return bool(tx.run(_USE_CODE, agent_id=agent_id, code_hash=_hashed(written), now=tx.now))


def uri(secret: str, email: str, issuer: str) -> str:
    """What an authenticator app reads from the picture (the format of Google Authenticator's key URIs)."""
    return f"otpauth://totp/{quote(f'{issuer}:{email}', safe='')}?secret={secret}&issuer={quote(issuer, safe='')}"


# --- the rule ----------------------------------------------------------------------------------------------------


def is_required(rx: Rx) -> bool:
    return bool(rx.value(_RULE) == _REQUIRED)


def require(tx: Tx, caller: Caller, required: bool, *, at_once: bool = False) -> None:
    """From now on nobody signs in without. `at_once`: whoever has none is signed out, and sets it up as they return."""
    require_permission(caller, RULES)
    if required and caller.actor.kind == "agent" and not is_on(tx, caller.grants.agent_id):
        raise Refusal("conflict", "Set up your own two-factor first, so that you see how it goes.")
    tx.run(_SET_RULE, value=_REQUIRED if required else "")
    if required and at_once:
        for (agent_id,) in tx.rows(_HAVE_NOT):
            _signed_out(tx, caller, agent_id)


# --- inside ------------------------------------------------------------------------------------------------------


def _step(secret: str, code: str, now: int, after: int) -> int | None:
    """The time step that the code belongs to, if that is a later one than `after`."""
    written = re.sub(r"\s", "", code)
    if not re.fullmatch("[0-9]{6}", written):
        return None
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    totp = TOTP(base64.b32decode(secret), 6, SHA1(), STEP // SECOND)
    here, found = now // STEP, None
    for step in range(here - AROUND, here + AROUND + 1):
        right = hmac.compare_digest(totp.generate(step * STEP // SECOND), written.encode())
        if right and step > after and found is None:
            found = step
    return found


def _must_pass(tx: Tx, agent_id: int, code: str) -> None:
    if not is_on(tx, agent_id):
        raise Refusal("conflict", "Two-factor is off.")
    if not passes(tx, agent_id, code):
        raise invalid("code", _WRONG)


def _new_codes(tx: Tx, agent_id: int) -> list[str]:
    tx.run(_NO_CODES, agent_id=agent_id)
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(CODES)]
    for code in codes:
        tx.run(_ADD_CODE, agent_id=agent_id, code_hash=_hashed(code), now=tx.now)
    return ["-".join(code[i : i + 4] for i in range(0, _LENGTH, 4)) for code in codes]


def _forget(tx: Tx, agent_id: int) -> bool:
    tx.run(_NO_CODES, agent_id=agent_id)
    return bool(tx.run(_END, agent_id=agent_id))


def _signed_out(tx: Tx, caller: Caller, agent_id: int) -> None:
    links.void_steps(tx, agent_id)
    if sessions.end_all(tx, agent_id):
        tx.record(SignedOut(agent_id=agent_id), by=caller.actor)


def _hashed(code: str) -> bytes:
    """79 random bits need no slow hash."""
    return hashlib.sha256(f"recovery {code}".encode()).digest()


def _about(agent_id: int) -> str:
    return f"two-factor of agent {agent_id}"


def _sealer(tx: Tx) -> Sealer:
    if tx.sealer is None:
        raise Refusal("conflict", "This desk runs without a key file, so it can keep no secrets.")
    return tx.sealer
