"""API tokens: an agent's own keys for programs, each with scopes, an expiry and an end that takes effect at once.

A token acts as its agent: it may what the agent's role allows *and* its scopes name. `web` asks `use` on every call.
"""

import hashlib
import secrets
from collections.abc import Iterable
from typing import Any, Final, Literal, get_args

import msgspec

from hub.clock import DAY, MINUTE
from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.errors import Refusal, invalid, not_found
from hub.events import Actor, TokenCreated, TokenRevoked
from hub.staff import sessions
from hub.staff.access import Caller, Grants
from hub.text import MAX_NAME, clean

Scope = Literal[
    "tickets:read",
    "tickets:write",
    "contacts:read",
    "contacts:write",
    "feedback:read",
    "feedback:write",
    "inboxes:read",
    "inboxes:write",
    "staff:read",
    "staff:write",
    "desk:read",
    "desk:write",
]
SCOPES: Final[tuple[str, ...]] = get_args(Scope)
PREFIX: Final = "parley_live_"  # so that scanners for leaked keys can know one
SHOWN: Final = len(PREFIX) + 8
LONGEST: Final = 730 * DAY
MOST: Final = 50  # of one agent, not counting those that are over
COARSE: Final = MINUTE
_LENGTH: Final = len(PREFIX) + 64

_INSERT = """
INSERT INTO api_token (agent_id, name, prefix, token_hash, scopes, created_at, expires_at)
VALUES (:agent_id, :name, :prefix, :token_hash, :scopes, :now, :expires_at)
RETURNING id"""
_HOLDING = """
SELECT COUNT(*) FROM api_token
WHERE agent_id = :agent_id AND revoked_at IS NULL AND COALESCE(expires_at, :now + 1) > :now"""
_FIND = """
SELECT api_token.agent_id, api_token.scopes, api_token.id, COALESCE(api_token.used_at, 0)
FROM api_token JOIN agent ON agent.id = api_token.agent_id
WHERE api_token.token_hash = :token_hash AND api_token.revoked_at IS NULL
  AND COALESCE(api_token.expires_at, :now + 1) > :now AND agent.disabled_at IS NULL"""
_TOUCH = """
UPDATE api_token SET used_at = :now
WHERE token_hash = :token_hash AND COALESCE(used_at, 0) <= :before AND revoked_at IS NULL"""
_COLUMNS = "id, name, prefix, scopes, created_at, expires_at, used_at, revoked_at"
_LIST = f"""
SELECT {_COLUMNS} FROM api_token WHERE agent_id = :agent_id AND id > :after ORDER BY id LIMIT :limit"""
_OWN = "SELECT revoked_at FROM api_token WHERE id = :id AND agent_id = :agent_id"
_ENDS = "SELECT expires_at FROM api_token WHERE id = :id"
_REVOKE = "UPDATE api_token SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL"
_OPEN = "SELECT id FROM api_token WHERE agent_id = :agent_id AND revoked_at IS NULL ORDER BY id"


class Token(msgspec.Struct, frozen=True):
    """What may be shown of one: `prefix` to recognise it by, never the secret."""

    id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None
    used_at: int | None
    revoked_at: int | None


def create(tx: Tx, caller: Caller, *, name: str, scopes: Iterable[str], expires_at: int | None) -> tuple[int, str]:
    """(id, secret) of a new token of the caller's own. The secret is told this once."""
    name = clean(name, "name", most=MAX_NAME, lines=False).strip()
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(SCOPES):
        raise invalid("scopes", "Choose one or more of: " + ", ".join(SCOPES) + ".")
    if caller.scopes is not None and not set(wanted) <= caller.scopes:
        raise Refusal("forbidden", "A token cannot make another that may more than itself.", field="scopes")
    if expires_at is not None and not tx.now < expires_at <= tx.now + LONGEST:
        raise invalid("expires_at", "Choose a time that is to come and at most two years away.")
    if caller.token_id is not None:
        _not_longer_than(tx, caller.token_id, expires_at)
    if caller.actor.kind != "agent":
        raise Refusal("forbidden", "Only an agent has API tokens.")
    agent_id = caller.grants.agent_id
    if tx.value(_HOLDING, agent_id=agent_id, now=tx.now) >= MOST:
        raise Refusal("conflict", f"You have {MOST} API tokens. Revoke one that is no longer used.")
    secret = PREFIX + secrets.token_hex(32)
    token_id = tx.insert(
        _INSERT,
        agent_id=agent_id,
        name=name,
        prefix=secret[:SHOWN],
        token_hash=_hashed(secret),
        scopes=msgspec.json.encode(wanted).decode(),
        now=tx.now,
        expires_at=expires_at,
    )
    tx.record(TokenCreated(token_id=token_id), by=caller.actor)
    return token_id, secret


def _not_longer_than(rx: Rx, token_id: int, expires_at: int | None) -> None:
    """What ends on a day must not be able to go on under another name."""
    ends = rx.value(_ENDS, id=token_id)
    if ends is not None and (expires_at is None or expires_at > ends):
        raise Refusal("forbidden", "A token cannot make another that lasts longer than itself.", field="expires_at")


def page(rx: Rx, agent_id: int, *, after: int, limit: int) -> list[Token]:
    """The agent's, oldest first, those that are over included."""
    return [_token(row) for row in rx.rows(_LIST, agent_id=agent_id, after=after, limit=limit)]


def revoke(tx: Tx, caller: Caller, token_id: int) -> None:
    """One of the caller's own; from the moment this is committed it opens nothing."""
    row = tx.row(_OWN, id=token_id, agent_id=caller.grants.agent_id)
    if row is None:
        raise not_found("API token")
    if tx.run(_REVOKE, id=token_id, now=tx.now):
        tx.record(TokenRevoked(token_id=token_id), by=caller.actor)


def revoke_all(tx: Tx, agent_id: int, by: Actor) -> None:
    for (token_id,) in tx.rows(_OPEN, agent_id=agent_id):
        tx.run(_REVOKE, id=token_id, now=tx.now)
        tx.record(TokenRevoked(token_id=token_id), by=by)


def find(rx: Rx, token: str) -> tuple[int, frozenset[str], int] | None:
    """(agent id, scopes, token id) as long as the token holds and its agent works here."""
    found = _find(rx, token)
    return None if found is None else found[:3]


async def use(store: Store, token: str) -> tuple[int, frozenset[str], int] | None:
    """`find`, and at most once a minute a note that it was used."""
    found = await store.read(_find, token)
    if found is None:
        return None
    if found[3] <= store.clock.now() - COARSE:
        sessions.later(store, touch, token)
    return found[:3]


def touch(tx: Tx, token: str) -> None:
    tx.run(_TOUCH, token_hash=_hashed(token), now=tx.now, before=tx.now - COARSE)


def caller(grants: Grants, scopes: frozenset[str], token_id: int) -> Caller:
    """The agent through one of their tokens: the permissions of the role that the scopes name, and no others."""
    narrowed = msgspec.structs.replace(
        grants, permissions=frozenset(p for p in grants.permissions if scopes & _scopes(p))
    )
    return Caller(Actor("agent", grants.agent_id), narrowed, scopes, token_id)


_NOUNS: Final = {"agents": "staff", "roles": "staff", "tokens": "staff"}


def _scopes(permission: str) -> set[str]:
    """The scopes that a permission comes under: tickets.reply → tickets:write. Who may look at the desk's machinery is
    who may manage it, so that one comes under both; which commands a scope opens is judged apart."""
    noun, _, verb = permission.partition(".")
    noun = _NOUNS.get(noun, noun)
    if noun == "desk":
        return {"desk:read", "desk:write"}
    return {f"{noun}:{'read' if verb in ('read', 'export') else 'write'}"}


def _find(rx: Rx, token: str) -> tuple[int, frozenset[str], int, int] | None:
    # What is not shaped like one never reaches the database: empty, blank, cut short, padded.
    if len(token) != _LENGTH or not token.startswith(PREFIX) or not token.isascii():
        return None
    row = rx.row(_FIND, token_hash=_hashed(token), now=rx.now)
    if row is None:
        return None
    return row[0], frozenset(msgspec.json.decode(row[1], type=list[str])), row[2], row[3]


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _token(row: tuple[Any, ...]) -> Token:
    return Token(row[0], row[1], row[2], tuple(msgspec.json.decode(row[3], type=list[str])), *row[4:])
