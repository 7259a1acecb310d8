"""One-time links: a secret for one purpose, used once, for a while; only its hash is kept.

The first administrator comes in by one that the first start prints, everybody else by one that an administrator makes.
"""

import secrets
from typing import Final, Literal

from hub.clock import HOUR, MINUTE
from hub.db.store import Row, Rx, Tx
from hub.errors import Refusal
from hub.staff.sessions import hashed

Purpose = Literal["first_administrator", "password", "second_step", "reset", "address"]
LASTS: Final[dict[str, int]] = {
    "first_administrator": 72 * HOUR,
    "password": 72 * HOUR,
    "second_step": 10 * MINUTE,
    "reset": HOUR,
    "address": 72 * HOUR,
}
# What anybody can ask for who knows an address ends nothing but what was asked for in the same way before.
_OWN_ONLY: Final = ("reset", "address")
_LENGTH: Final = 43

_INSERT = """
INSERT INTO one_time (purpose, token_hash, agent_id, created_at, expires_at)
VALUES (:purpose, :token_hash, :agent_id, :now, :expires_at)"""
_VOID_PURPOSE = "UPDATE one_time SET used_at = :now WHERE purpose = :purpose AND agent_id IS NULL AND used_at IS NULL"
_VOID_AGENT = "UPDATE one_time SET used_at = :now WHERE agent_id = :agent_id AND used_at IS NULL"
_VOID_SAME = """
UPDATE one_time SET used_at = :now WHERE agent_id = :agent_id AND purpose = :purpose AND used_at IS NULL"""
_VOID_STEPS = """
UPDATE one_time SET used_at = :now WHERE agent_id = :agent_id AND purpose = 'second_step' AND used_at IS NULL"""
_USE = """
UPDATE one_time SET used_at = :now
WHERE token_hash = :token_hash AND purpose = :purpose AND used_at IS NULL AND expires_at > :now
RETURNING id, agent_id"""
_HOLDS = """
SELECT id, agent_id FROM one_time
WHERE token_hash = :token_hash AND purpose = :purpose AND used_at IS NULL AND expires_at > :now"""
_SWEEP = """
DELETE FROM one_time WHERE id IN (SELECT id FROM one_time WHERE expires_at <= :before ORDER BY id LIMIT 500)"""


def create(tx: Tx, purpose: Purpose, agent_id: int | None = None) -> str:
    """The secret of a new link. Those given out before for the same end are void: only the newest works. What leads to
    the second step of a sign-in voids nothing, or whoever knows a password could keep an invitation from working."""
    if purpose == "second_step":
        pass
    elif purpose in _OWN_ONLY:
        tx.run(_VOID_SAME, agent_id=agent_id, purpose=purpose, now=tx.now)
    elif agent_id is None:
        tx.run(_VOID_PURPOSE, purpose=purpose, now=tx.now)
    else:
        void(tx, agent_id)
    token = secrets.token_urlsafe(32)
    tx.run(
        _INSERT,
        purpose=purpose,
        token_hash=hashed(token),
        agent_id=agent_id,
        now=tx.now,
        expires_at=tx.now + LASTS[purpose],
    )
    return token


def void(tx: Tx, agent_id: int) -> None:
    """Every open link of the agent."""
    tx.run(_VOID_AGENT, agent_id=agent_id, now=tx.now)


def void_steps(tx: Tx, agent_id: int) -> None:
    """Sign-ins that wait for their second step."""
    tx.run(_VOID_STEPS, agent_id=agent_id, now=tx.now)


def holds(rx: Rx, purpose: Purpose, token: str) -> bool:
    """Whether it would work now: to show the page behind it. Looking does not use it."""
    return _open(rx, purpose, token) is not None


def whose(rx: Rx, purpose: Purpose, token: str) -> int | None:
    """The agent that an unused link is for."""
    row = _open(rx, purpose, token)
    return None if row is None else row[1]


def _open(rx: Rx, purpose: Purpose, token: str) -> Row | None:
    if len(token) != _LENGTH:
        return None
    return rx.row(_HOLDS, token_hash=hashed(token), purpose=purpose, now=rx.now)


def use(tx: Tx, purpose: Purpose, token: str) -> int | None:
    """Uses it up; the agent it is for. Of two at once, one gets through. The refusal never says what was wrong."""
    row = None
    if len(token) == _LENGTH:
        row = tx.row(_USE, token_hash=hashed(token), purpose=purpose, now=tx.now)
    if row is None:
        raise over()
    return None if row[1] is None else int(row[1])


def over() -> Refusal:
    return Refusal("gone", "This link has been used or is too old. Ask for a new one.")


def sweep(tx: Tx) -> int:
    """Removes up to 500 that have been over for a day; housekeeping."""
    return tx.run(_SWEEP, before=tx.now - 24 * HOUR)
