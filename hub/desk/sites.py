"""Which sites may carry an inbox, judged by their origin. Asked by hub.web before anybody enters."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from hub.db.tx import Tx
from hub.errors import Refusal
from hub.events import SYSTEM, Scope, SiteSeen

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


# --- what was seen -------------------------------------------------------------------------------------------------

MOST: Final = 50  # sites kept for an inbox: whoever loads the script from made-up ones fills no table

_NOTE = """
INSERT INTO site_seen (inbox_id, site, allowed, seen_at) VALUES (:inbox_id, :site, :allowed, :now)
ON CONFLICT (inbox_id, site) DO UPDATE SET allowed = excluded.allowed, seen_at = excluded.seen_at"""
_SEEN = "UPDATE inbox SET seen_at = :now WHERE id = :inbox_id"
_FIRST = "SELECT 1 FROM site_seen WHERE inbox_id = :inbox_id AND site = :site"
_OLD = """
DELETE FROM site_seen WHERE inbox_id = :inbox_id AND allowed = :allowed AND site NOT IN (
  SELECT site FROM site_seen WHERE inbox_id = :inbox_id AND allowed = :allowed
  ORDER BY seen_at DESC, site LIMIT :most)"""


def note(tx: Tx, inbox_id: int, site: str, allowed: bool) -> None:
    """The script of this inbox was loaded by this site ("": it does not say). An event only when that is news, so that
    the page of an inbox that is being set up turns green by itself."""
    if tx.value(_FIRST, inbox_id=inbox_id, site=site) is None:
        scope = Scope(inbox_id)
        tx.record(SiteSeen(inbox_id=inbox_id, allowed=allowed), by=SYSTEM, before=scope, after=scope)
    tx.run(_NOTE, inbox_id=inbox_id, site=site, allowed=int(allowed), now=tx.now)
    tx.run(_OLD, inbox_id=inbox_id, allowed=int(allowed), most=MOST)
    if allowed:
        tx.run(_SEEN, inbox_id=inbox_id, now=tx.now)
