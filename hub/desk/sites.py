"""Which sites may carry an inbox, judged by their origin. Asked by hub.web before anybody enters."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from hub.errors import Refusal

_PORTS: Final = {"https": 443, "http": 80}
_HERE: Final = ("localhost", "127.0.0.1", "::1")


def origin(url: str | None) -> str | None:
    """The origin of an address or origin as a browser writes it (lower case, no usual port); None for what has none."""
    if not url or len(url) > 2_000 or any(c <= " " or c in "\\`\"'<>;," or ord(c) > 126 for c in url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc or "*" in host:
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in (None, _PORTS[parts.scheme]) else f":{port}")


def is_allowed(allowed: Iterable[str], public_url: str, site: str | None) -> bool:
    """`site`: an origin or an address. Where no site is named it is the desk's own, and one's own machine to try it."""
    here = origin(site)
    if here is None:
        return False
    if here == origin(public_url):
        return True
    named = {origin(one) for one in allowed}
    return here in named if named else urlsplit(here).hostname in _HERE


def require(allowed: Iterable[str], public_url: str, site: str | None) -> str:
    """The site's origin as it is kept with a visitor."""
    here = origin(site)
    if here is None or not is_allowed(allowed, public_url, here):
        raise Refusal("forbidden", "This site may not use this inbox. Add it to the inbox's allowed sites.")
    return here


def ancestors(allowed: Iterable[str], public_url: str) -> str:
    """The same as the sources of a `frame-ancestors`."""
    named = [found for one in allowed if (found := origin(one))]
    own = origin(public_url)
    if not named:
        named = [f"{scheme}://{host}:*" for scheme in _PORTS for host in ("localhost", "127.0.0.1")]
    return " ".join(dict.fromkeys([*([own] if own else []), *named]))
