"""What a rendered form carries back: when it was rendered and a number used once, signed with a key of its inbox alone.

The number makes the message's id, so that a double click, a second try and the back button are one message.
"""

import base64
import hmac
import secrets
from typing import Final, NamedTuple

LIFE_MS: Final = 24 * 3_600_000
FASTEST_MS: Final = 2_000  # nobody reads and fills in a form faster

_TIME, _NONCE, _MAC = 8, 12, 16


class Token(NamedTuple):
    issued_at: int
    nonce: str


def make(key: bytes, now: int) -> str:
    body = now.to_bytes(_TIME, "big") + secrets.token_bytes(_NONCE)
    return _text(body + _mac(key, body))


def read(key: bytes, text: str) -> Token | None:
    """None for anything that this inbox did not sign. Its age is for the caller to judge."""
    raw = _bytes(text)
    if raw is None or len(raw) != _TIME + _NONCE + _MAC:
        return None
    body, mac = raw[:-_MAC], raw[-_MAC:]
    if not hmac.compare_digest(mac, _mac(key, body)):
        return None
    return Token(int.from_bytes(body[:_TIME], "big"), body[_TIME:].hex())


def sign_number(key: bytes, number: int) -> str:
    """The ticket's number for the thank-you page's address: nobody makes our page show another."""
    body = number.to_bytes(_TIME, "big")
    return _text(body + _mac(key, body))


def read_number(key: bytes, text: str) -> int | None:
    raw = _bytes(text)
    if raw is None or len(raw) != _TIME + _MAC or not hmac.compare_digest(raw[_TIME:], _mac(key, raw[:_TIME])):
        return None
    return int.from_bytes(raw[:_TIME], "big")


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:_MAC]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes | None:
    if len(text) > 200:
        return None
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
