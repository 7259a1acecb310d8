"""Standard Webhooks 1.0 (https://www.standardwebhooks.com): signs what goes out, verifies what comes in. Pure."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
TOLERANCE: Final = 300  # seconds that the two clocks may differ
MAX_SIGNATURES: Final = 20
MAX_ID: Final = 256
_SECONDS: Final = re.compile(r"[0-9]{1,12}")


def key(secret: str) -> bytes:
    """The bytes behind `whsec_…`; ValueError says in a sentence what is wrong with it."""
    try:
        found = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("A secret looks like whsec_ followed by base64.") from None
    if not secret.startswith(PREFIX) or not 24 <= len(found) <= 64:
        raise ValueError("A secret looks like whsec_ followed by 24 to 64 random bytes in base64.")
    return found


def sign(secret: str, event_id: str, seconds: int, body: bytes) -> str:
    mac = hmac.new(key(secret), f"{event_id}.{seconds}.".encode("utf-8", "surrogateescape") + body, hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def headers(secret: str, event_id: str, seconds: int, body: bytes) -> dict[str, str]:
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": sign(secret, event_id, seconds, body),
    }


def holds(secrets: Sequence[str], found: Sequence[tuple[str, str]], body: bytes, now: int) -> bool:
    """Is it signed with one of `secrets`? `found`: the request's headers; `now`: seconds. No for anything odd."""
    values: dict[str, str] = {}
    for name, value in found:
        name = name.lower()
        if name in values and name.startswith("webhook-"):
            return False  # said twice: nobody knows which one was meant
        values[name] = value
    event_id = values.get("webhook-id", "")
    stamp = values.get("webhook-timestamp", "")
    given = values.get("webhook-signature", "").split(" ")
    if not event_id or len(event_id) > MAX_ID or "." in event_id or len(given) > MAX_SIGNATURES:
        return False
    if not _SECONDS.fullmatch(stamp) or abs(int(stamp) - now) > TOLERANCE:
        return False
    wanted = [sign(secret, event_id, int(stamp), body).encode() for secret in secrets]
    # Every pair is compared, so that the time taken tells nothing.
    matches = [hmac.compare_digest(one.encode("utf-8", "replace"), other) for one in given for other in wanted]
    return any(matches)
