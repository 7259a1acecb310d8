"""How often a password may be tried. Counted in the database, so that a restart forgives nothing.

Three counts: of one account from one network (what a guesser does), of one account from anywhere (many guessers), and
from one network (one guesser, many accounts). Called by `hub.staff.signin`.
"""

import hashlib
import ipaddress
from typing import Final

import msgspec

from hub.clock import HOUR, MINUTE
from hub.db.tx import Tx
from hub.errors import Refusal
from hub.text import fold

WINDOW: Final = 15 * MINUTE
LONGEST: Final = HOUR

_GET = "SELECT failures, first_at, until FROM throttle WHERE key = :key"
_PUT = """
INSERT INTO throttle (key, failures, first_at, until) VALUES (:key, :failures, :first_at, :until)
ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, first_at = excluded.first_at, until = excluded.until"""
_FORGET = "DELETE FROM throttle WHERE key = :key"
_TAKE_BACK = "UPDATE throttle SET failures = failures - 1, until = 0 WHERE key = :key AND failures > 0"
_SWEEP = """
DELETE FROM throttle WHERE key IN
  (SELECT key FROM throttle WHERE until <= :before AND first_at <= :before ORDER BY key LIMIT 500)"""


class Key(msgspec.Struct, frozen=True):
    name: str
    most: int


def keys(email: str, remote: str) -> tuple[Key, ...]:
    """Whom a try is counted against. Addresses that are nobody's count like any other, and are stored as hashes."""
    account, where = _hash(fold(email)), network(remote)
    return (
        Key(f"both:{account}:{where}", 5),
        Key(f"account:{account}", 50),
        Key(f"network:{where}", 20),
    )


def code_keys(agent_id: int, remote: str) -> tuple[Key, ...]:
    """The same for the second step: who gets here has the password, so fewer guesses are allowed in all."""
    where = network(remote)
    return (Key(f"code:{agent_id}:{where}", 5), Key(f"code:{agent_id}", 20), Key(f"network:{where}", 20))


def network(remote: str) -> str:
    """Whom an address belongs to, near enough: its /24, or its /56 where addresses are plenty."""
    try:
        address = ipaddress.ip_address(remote.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 56), strict=False))


def take(tx: Tx, wanted: tuple[Key, ...]) -> None:
    """Counts a try before it is made, so that a hundred at once get no further than one after the other.

    With the last allowed one of 15 minutes the door closes until those are over; each further failure then doubles the
    wait, up to an hour. An hour after that it is forgotten.
    """
    states = [(key, *_state(tx, key)) for key in wanted]
    wait = max(until - tx.now for _, _, _, until in states)
    if wait > 0:
        minutes = max(1, -(-wait // MINUTE))
        raise Refusal(
            "too_many",
            f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''} and try again.",
            extra={"retry_after": -(-wait // 1000)},
        )
    for key, failures, first_at, _ in states:
        failures += 1
        beyond = failures - key.most
        until = 0
        if beyond == 0:
            until = first_at + WINDOW
        elif beyond > 0:
            until = tx.now + min(WINDOW << min(beyond, 10), LONGEST)
        tx.run(_PUT, key=key.name, failures=failures, first_at=first_at, until=until)


def succeeded(tx: Tx, wanted: tuple[Key, ...]) -> None:
    """Forgets the account's failures; the network keeps those of others, or a guesser with one account of their own
    could wipe the slate between tries."""
    for key in wanted:
        tx.run(_TAKE_BACK if key.name.startswith("network:") else _FORGET, key=key.name)


def sweep(tx: Tx) -> int:
    """Removes up to 500 that no longer count; housekeeping."""
    return tx.run(_SWEEP, before=tx.now - 2 * LONGEST)


def _state(tx: Tx, key: Key) -> tuple[int, int, int]:
    """(failures, first at, closed until), those forgotten that are too old."""
    row = tx.row(_GET, key=key.name)
    if row is None:
        return 0, tx.now, 0
    failures, first_at, until = row
    if failures < key.most and tx.now >= first_at + WINDOW:
        return 0, tx.now, 0
    if tx.now >= max(until, first_at + WINDOW) + LONGEST:
        return 0, tx.now, 0
    return failures, first_at, until


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
