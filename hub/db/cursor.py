"""Where a list goes on: an opaque string of the last row's sort key, bound to the query it belongs to.

It grants nothing (every page is judged anew), so it is not signed; it is checked, so that a forged one is refused.
"""

import base64
import hashlib
import json
from typing import Any

from hub.errors import invalid

_WRONG = "This cursor is not one of this list. Start again without it."


def make(query: str, key: tuple[int | str, ...]) -> str:
    """`query` names the list with its filters and order; `key` holds numbers and strings."""
    text = json.dumps([_mark(query), *key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(query: str, cursor: str, shape: tuple[type, ...]) -> tuple[Any, ...]:
    """The key back, of just these types; Refusal of field `cursor` for anything else."""
    if len(cursor) > 1_000:
        raise invalid("cursor", _WRONG)
    try:
        mark, *key = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, RecursionError):
        raise invalid("cursor", _WRONG) from None
    if mark != _mark(query) or [type(k) for k in key] != list(shape):
        raise invalid("cursor", _WRONG)
    if any(isinstance(k, int) and not -(2**63) <= k < 2**63 for k in key):
        raise invalid("cursor", _WRONG)
    return tuple(key)


def _mark(query: str) -> str:
    return hashlib.blake2s(query.encode(), digest_size=6).hexdigest()
