"""The reply address and the Message-ID: what of ours an answer carries back, signed so that nobody can make one up.

A token names a ticket, the day it was made and to whom it went, under 128 bits of HMAC by a key of this inbox. It is
written in base32 because mail servers fold addresses. There is no short form, and a number in a subject says nothing.
"""

import base64
import binascii
import hashlib
import hmac
import re
from typing import Final, NamedTuple

MARK: Final = "r"  # what a token begins with
DAY_MS: Final = 86_400_000
DAYS: Final = 366  # how long one opens its ticket
MAX_LOCAL: Final = 64  # RFC 5321 4.5.3.1.1
_MAC: Final = 16
_WHOM: Final = 4
_MAX_TICKET: Final = 16
_TOKEN: Final = re.compile(r"r[a-z2-7]{38,64}", re.ASCII)
# <r….ours-5f….0@shop.example>: the token and then `Outgoing.id`
_OURS: Final = re.compile(r"<(r[a-z2-7]{38,64})\.([A-Za-z0-9_-]{1,100})@[^<>@\s]+>", re.ASCII)


class Opened(NamedTuple):
    ticket: str
    whom: bytes  # `mark_of` the address that it was made for


def mark_of(address: str) -> bytes:
    return hashlib.blake2s(address.casefold().encode(errors="replace"), digest_size=_WHOM).digest()


def make(key: bytes, ticket: str, address: str, now: int) -> str:
    day = (now // DAY_MS).to_bytes(3, "big")
    body = day + mark_of(address) + ticket.encode("ascii")
    return MARK + base64.b32encode(body + _mac(key, body)).decode().rstrip("=").lower()


def open_(key: bytes, token: str, now: int) -> Opened | None:
    """None for whatever is not whole, not ours, or too old."""
    token = token.casefold()
    if not _TOKEN.fullmatch(token):
        return None
    coded = token[1:].upper()
    try:
        raw = base64.b32decode(coded + "=" * (-len(coded) % 8))
    except binascii.Error:
        return None
    body, mac = raw[:-_MAC], raw[-_MAC:]
    if not hmac.compare_digest(mac, _mac(key, body)) or base64.b32encode(raw).decode().rstrip("=") != coded:
        return None
    age = now // DAY_MS - int.from_bytes(body[:3], "big")
    ticket = body[3 + _WHOM :]
    if not -1 <= age <= DAYS or not 0 < len(ticket) <= _MAX_TICKET or not ticket.isascii():
        return None
    return Opened(ticket.decode(), body[3 : 3 + _WHOM])


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()[:_MAC]


def reply_address(address: str, token: str) -> str | None:
    """help@shop.example → help+r…@shop.example; None where the local part would get too long."""
    local, _, domain = address.rpartition("@")
    local = f"{local}+{token}"
    return f"{local}@{domain}" if len(local) <= MAX_LOCAL else None


def in_address(address: str) -> str | None:
    """What stands behind the last plus of a local part."""
    local, _, _domain = address.rpartition("@")
    _, plus, token = local.rpartition("+")
    return token if plus else None


def message_id(token: str, outgoing_id: str, domain: str) -> str:
    """The same at every attempt: it is made of nothing that changes between two of the same day."""
    return f"<{token}.{outgoing_id}@{domain}>"


def in_message_id(found: str) -> tuple[str, str] | None:
    """(token, `Outgoing.id`) of a Message-ID that looks like one of ours."""
    match = _OURS.fullmatch(found)
    return (match[1], match[2]) if match else None
