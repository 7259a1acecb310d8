"""Signed-in sessions: the secret behind the console's cookie, known here by its hash only.

A session ends 12 hours after its last use, 14 days after it began, and at once when the agent's password or role
changes or they are disabled. `web` asks `use` on every request.
"""

import asyncio
import hashlib
import secrets
from typing import Final

import msgspec

from hub.clock import DAY, HOUR, MINUTE
from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.errors import Unavailable, not_found
from hub.events import Actor, SignedOut
from hub.staff.access import Caller

IDLE: Final = 12 * HOUR
LONGEST: Final = 14 * DAY
COARSE: Final = MINUTE  # `used_at` is written at most this often
_LENGTH: Final = 43  # 256 bits in URL-safe base 64

_INSERT = """
INSERT INTO session (agent_id, token_hash, created_at, used_at, expires_at, browser, network)
VALUES (:agent_id, :token_hash, :now, :now, :expires_at, :browser, :network)"""
_FIND = """
SELECT session.agent_id, session.used_at FROM session JOIN agent ON agent.id = session.agent_id
WHERE session.token_hash = :token_hash AND session.expires_at > :now AND session.used_at > :idle_since
  AND agent.disabled_at IS NULL"""
_TOUCH = """
UPDATE session SET used_at = :now
WHERE token_hash = :token_hash AND used_at <= :before AND used_at > :idle_since AND expires_at > :now"""
_END = "DELETE FROM session WHERE token_hash = :token_hash RETURNING agent_id"
_END_ALL = "DELETE FROM session WHERE agent_id = :agent_id"
_LIST = """
SELECT id, created_at, used_at, browser, network, token_hash FROM session
WHERE agent_id = :agent_id AND expires_at > :now AND used_at > :idle_since ORDER BY used_at DESC, id DESC LIMIT 100"""
_END_ONE = "DELETE FROM session WHERE id = :id AND agent_id = :agent_id"
_END_OTHERS = "DELETE FROM session WHERE agent_id = :agent_id AND token_hash <> :token_hash"
_SWEEP = """
DELETE FROM session WHERE id IN
  (SELECT id FROM session WHERE expires_at <= :now OR used_at <= :idle_since ORDER BY id LIMIT 500)"""


class Where(msgspec.Struct, frozen=True):
    """From where somebody signs in: what their browser calls itself, and whom its address belongs to."""

    browser: str | None = None
    network: str | None = None


NOWHERE: Final = Where()


class Session(msgspec.Struct, frozen=True):
    id: int
    created_at: int
    used_at: int
    browser: str | None
    network: str | None
    current: bool


def start(tx: Tx, agent_id: int, where: Where = NOWHERE) -> str:
    """The secret of a new session. It is told once: what is stored is its hash."""
    token = secrets.token_urlsafe(32)
    tx.run(
        _INSERT,
        agent_id=agent_id,
        token_hash=hashed(token),
        now=tx.now,
        expires_at=tx.now + LONGEST,
        browser=_storable(where.browser),
        network=where.network,
    )
    return token


def listed(rx: Rx, agent_id: int, token: str | None = None) -> list[Session]:
    """Those that hold, the last used first; `token`: whose session is the current one."""
    mine = hashed(token) if token is not None else b""
    rows = rx.rows(_LIST, agent_id=agent_id, now=rx.now, idle_since=rx.now - IDLE)
    return [
        Session(
            id=row[0], created_at=row[1], used_at=row[2], browser=row[3], network=row[4], current=bytes(row[5]) == mine
        )
        for row in rows
    ]


def find(rx: Rx, token: str) -> int | None:
    """Whose session it is, as long as it holds."""
    found = _find(rx, token)
    return None if found is None else found[0]


async def use(store: Store, token: str) -> int | None:
    """`find`, and now and then a note that it was used: not worth waiting for, nor failing for."""
    found = await store.read(_find, token)
    if found is None:
        return None
    agent_id, used_at = found
    if used_at <= store.clock.now() - COARSE:
        later(store, touch, token)
    return agent_id


def touch(tx: Tx, token: str) -> None:
    """It was used. A session that is over stays over."""
    tx.run(_TOUCH, token_hash=hashed(token), now=tx.now, before=tx.now - COARSE, idle_since=tx.now - IDLE)


def end(tx: Tx, token: str) -> int | None:
    """Signs out; whose session it was. Of two at once, the second finds nothing."""
    row = tx.row(_END, token_hash=hashed(token)) if _plausible(token) else None
    if row is None:
        return None
    agent_id = int(row[0])
    tx.record(SignedOut(agent_id=agent_id), by=Actor("agent", agent_id))
    return agent_id


def end_all(tx: Tx, agent_id: int) -> int:
    """Every session of the agent, wherever it is open; how many there were."""
    return tx.run(_END_ALL, agent_id=agent_id)


def end_one(tx: Tx, caller: Caller, session_id: int) -> None:
    """One of the caller's own."""
    agent_id = caller.grants.agent_id
    if caller.actor.kind != "agent" or not tx.run(_END_ONE, id=session_id, agent_id=agent_id):
        raise not_found("session")
    tx.record(SignedOut(agent_id=agent_id), by=caller.actor)


def end_others(tx: Tx, caller: Caller, token: str) -> int:
    """All of the caller's own but the one of `token`; how many there were."""
    agent_id = caller.grants.agent_id
    ended = tx.run(_END_OTHERS, agent_id=agent_id, token_hash=hashed(token))
    if ended:
        tx.record(SignedOut(agent_id=agent_id), by=caller.actor)
    return ended


def sweep(tx: Tx) -> int:
    """Removes up to 500 that are over; housekeeping."""
    return tx.run(_SWEEP, now=tx.now, idle_since=tx.now - IDLE)


def hashed(token: str) -> bytes:
    """256 random bits need no slow hash: nobody guesses them, and this is asked at every request."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _storable(browser: str | None) -> str | None:
    """What a header may carry that no database does is left out."""
    return "".join(c for c in browser if c.isprintable() and not "\ud800" <= c <= "\udfff")[:300] if browser else None


def _plausible(token: str) -> bool:
    return len(token) == _LENGTH and token.isascii()


def _find(rx: Rx, token: str) -> tuple[int, int] | None:
    if not _plausible(token):
        return None
    row = rx.row(_FIND, token_hash=hashed(token), now=rx.now, idle_since=rx.now - IDLE)
    return None if row is None else (int(row[0]), int(row[1]))


_noted: set["asyncio.Task[None]"] = set()


def later(store: Store, note: "object", token: str) -> None:
    """Writes a coarse note in the machines' queue without holding up whoever asked."""

    async def write() -> None:
        try:
            await store.write_later(note, token)  # type: ignore[arg-type]
        except Unavailable:
            pass  # the next use will note it

    task = asyncio.get_running_loop().create_task(write(), name="note-use")
    _noted.add(task)
    task.add_done_callback(_noted.discard)
