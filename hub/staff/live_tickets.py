"""One-time tickets for the live socket, and whether what they were made with still holds. For hub.web and hub.live.

A ticket stands in the database, so that any desk of several takes it. Its last part names the session or API token it
was made with; as the hash covers all of it, nobody can write another name there.
"""

import re
import secrets
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

import msgspec

from hub.clock import SECOND
from hub.db.tx import Rx, Tx
from hub.events import Actor
from hub.staff import access, sessions, tokens
from hub.staff.access import Caller
from hub.staff.sessions import hashed

LASTS: Final = 30 * SECOND
_PURPOSE: Final = "live"
_TICKET: Final = re.compile(r"[A-Za-z0-9_-]{43}\.([st])([0-9]{1,18})")

_INSERT = """
INSERT INTO one_time (purpose, token_hash, agent_id, created_at, expires_at)
VALUES (:purpose, :token_hash, :agent_id, :now, :expires_at)"""
_USE = """
UPDATE one_time SET used_at = :now
WHERE token_hash = :token_hash AND purpose = :purpose AND used_at IS NULL AND expires_at > :now
RETURNING agent_id"""
_SESSION = "SELECT id FROM session WHERE token_hash = :token_hash"
_SESSION_HOLDS = """
SELECT agent_id FROM session WHERE id = :id AND expires_at > :now AND used_at > :idle_since"""
_SESSION_USED = "UPDATE session SET used_at = :now WHERE id = :id AND used_at > :idle_since AND expires_at > :now"
_TOKEN_HOLDS = """
SELECT agent_id, scopes FROM api_token
WHERE id = :id AND revoked_at IS NULL AND COALESCE(expires_at, :now + 1) > :now"""


class Credential(NamedTuple):
    """What a live connection was opened with."""

    kind: Literal["session", "token"]
    id: int
    agent_id: int


def create(tx: Tx, caller: Caller, session: str | None) -> str | None:
    """A ticket for whoever asks by API token, or else by the session whose secret is given; None: it is over."""
    if caller.token_id is not None:
        name = f"t{caller.token_id}"
    else:
        session_id = tx.value(_SESSION, token_hash=hashed(session or ""))
        if session_id is None:
            return None
        name = f"s{session_id}"
    ticket = f"{secrets.token_urlsafe(32)}.{name}"
    tx.run(
        _INSERT,
        purpose=_PURPOSE,
        token_hash=hashed(ticket),
        agent_id=caller.grants.agent_id,
        now=tx.now,
        expires_at=tx.now + LASTS,
    )
    return ticket


def use(tx: Tx, ticket: str) -> Credential | None:
    """Uses it up. None for whatever is wrong with it: unknown, used, too old."""
    shape = _TICKET.fullmatch(ticket)
    if shape is None:
        return None
    agent_id = tx.value(_USE, token_hash=hashed(ticket), purpose=_PURPOSE, now=tx.now)
    if agent_id is None:
        return None
    return Credential("session" if shape[1] == "s" else "token", int(shape[2]), int(agent_id))


def callers(rx: Rx, credentials: Iterable[Credential]) -> dict[Credential, Caller | None]:
    """Who each of them is now, with what they may; None where the credential is over. An agent who is disabled has no
    entry at all."""
    found: dict[Credential, Caller | None] = {}
    for credential in credentials:
        grants = access.load(rx, credential.agent_id)
        if grants is None:
            continue
        if credential.kind == "session":
            holds = rx.value(_SESSION_HOLDS, id=credential.id, now=rx.now, idle_since=rx.now - sessions.IDLE)
            found[credential] = Caller(Actor("agent", credential.agent_id), grants) if holds is not None else None
        else:
            row = rx.row(_TOKEN_HOLDS, id=credential.id, now=rx.now)
            scopes = frozenset(msgspec.json.decode(row[1], type=list[str])) if row is not None else None
            found[credential] = tokens.caller(grants, scopes, credential.id) if scopes is not None else None
    return found


def used(tx: Tx, session_ids: list[int]) -> None:
    """Somebody works through a live connection: that is a use of their session."""
    for session_id in session_ids:
        tx.run(_SESSION_USED, id=session_id, now=tx.now, idle_since=tx.now - sessions.IDLE)
