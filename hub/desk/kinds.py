"""The kinds of channels this desk has, without knowing any of them: filled by hub.app, asked by everybody.

A connector and its library are imported when the first inbox of its kind needs them.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from hub.connector import Connector, Features
from hub.errors import invalid

Loader = Callable[[], type[Connector]]


class Kind(msgspec.Struct, frozen=True):
    kind: str
    title: str
    loader: Loader


_known: dict[str, Kind] = {}
_loaded: dict[str, type[Connector]] = {}


def register(kind: str, title: str, loader: Loader) -> None:
    """Registering a kind again replaces it: the last one counts."""
    _known[kind] = Kind(kind, title, loader)
    _loaded.pop(kind, None)


def known() -> list[Kind]:
    """In the order of registering."""
    return list(_known.values())


def load(kind: str) -> type[Connector]:
    """The connector's class, imported now if need be. Refusal of field `kind` where there is none."""
    found = _loaded.get(kind)
    if found is None:
        if kind not in _known:
            names = ", ".join(sorted(_known)) or "none"
            raise invalid("kind", f"There is no channel {kind!r} here. There are: {names}.")
        found = _loaded[kind] = _known[kind].loader()
    return found


def features(kind: str) -> Features:
    return load(kind).features


def settings_of(kind: str) -> type[Any]:
    return load(kind).Settings


def is_live(kind: str) -> bool:
    """False also for one that is not installed (any more)."""
    return kind in _known and features(kind).live
