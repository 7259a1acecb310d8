"""The row of a visitor: made at the first opening, found by its token, ended when the device is to forget them."""

import hashlib
import re
import secrets
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from hub.clock import DAY, MINUTE
from hub.db.tx import Rx, Tx
from hub.desk.inboxes import Inbox
from hub.errors import Refusal
from hub.events import Actor, Event, Scope, VisitorForgotten, VisitorReplaced
from hub.staff.access import Caller, Grants

KEPT: Final = 180 * DAY  # a token that nobody has shown for so long opens nothing
UNUSED: Final = 30 * DAY  # somebody who opened the chat, said nothing and never came back
VISITS: Final = 50
MAX_PAGE: Final = 2_000
COARSE: Final = MINUTE
NOTHING: Final = Grants(0, frozenset(), False, frozenset(), frozenset())

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class Visitor(msgspec.Struct, frozen=True):
    id: int
    inbox_id: int
    site: str
    contact_id: int | None
    ticket_id: int | None
    subject: str | None
    verified_at: int | None
    verified_until: int | None
    typed: str | None
    consented_at: int | None
    read_to: int
    language: str | None
    page: str | None
    title: str | None
    referrer: str | None
    created_at: int
    used_at: int
    ended_at: int | None

    @property
    def caller(self) -> Caller:
        """Who does it, in the record. Rights they have none: a visitor's functions judge by what is theirs."""
        return Caller(Actor("contact", self.contact_id or 0), NOTHING)


class Entered(msgspec.Struct, frozen=True):
    """`token` is set when the browser has to keep a new one; it is told this once."""

    visitor: Visitor
    token: str | None


class Visit(msgspec.Struct, frozen=True):
    page: str
    title: str | None
    at: int


_COLUMNS: Final = ", ".join(f"visitor.{f}" for f in Visitor.__struct_fields__)
_BY_ID = f"SELECT {_COLUMNS} FROM visitor WHERE visitor.id = :id"
_BY_TOKEN = f"SELECT {_COLUMNS} FROM visitor WHERE visitor.token_hash = :token_hash"
_INSERT = """
INSERT INTO visitor (inbox_id, site, token_hash, language, page, title, referrer, created_at, used_at)
VALUES (:inbox_id, :site, :token_hash, :language, :page, :title, :referrer, :now, :now) RETURNING id"""
_USED = "UPDATE visitor SET used_at = :now WHERE id = :id"
_PAGE = "UPDATE visitor SET page = :page, title = :title WHERE id = :id"
_VISIT = "INSERT INTO visit (visitor_id, page, title, at) VALUES (:id, :page, :title, :now)"
_OLD = """
DELETE FROM visit WHERE visitor_id = :id AND id <= (
  SELECT id FROM visit WHERE visitor_id = :id ORDER BY id DESC LIMIT 1 OFFSET :most)"""
_VISITS = "SELECT page, title, at FROM visit WHERE visitor_id = :id ORDER BY id DESC LIMIT 50"
_LAST_PAGE = "SELECT page FROM visit WHERE visitor_id = :id ORDER BY id DESC LIMIT 1"
_FORGET = """
UPDATE visitor SET ended_at = :now, page = NULL, title = NULL, referrer = NULL, language = NULL, typed = NULL
WHERE id = :id"""
_NO_VISITS = "DELETE FROM visit WHERE visitor_id = :id"
_IDLE = """
SELECT id FROM visitor WHERE used_at < :before AND contact_id IS NULL ORDER BY used_at, id LIMIT 400"""
_DROP = "DELETE FROM visitor WHERE id = :id"
_END = "UPDATE visitor SET ended_at = :now WHERE id = :id"


def enter(
    tx: Tx,
    inbox: Inbox,
    token: str | None,
    site: str,
    *,
    page: str | None = None,
    title: str | None = None,
    referrer: str | None = None,
    language: str | None = None,
) -> Entered:
    """The visitor of this token, or a new one where it opens nothing here: a token that is wrong, of another inbox or
    site, or ended is never told apart from none. `site`: the origin of the page, judged by hub.desk.sites before."""
    found = find(tx, inbox.id, token, site)
    if found is not None:
        if tx.now - found.used_at > COARSE:
            tx.run(_USED, id=found.id, now=tx.now)
        if address(page):
            page_view(tx, found, page or "", title)
        return Entered(must(tx, found.id), None)
    visitor, secret = make(tx, inbox.id, site, language=language, referrer=referrer)
    if address(page):
        page_view(tx, visitor, page or "", title)
    return Entered(must(tx, visitor.id), secret)


def make(
    tx: Tx, inbox_id: int, site: str, *, language: str | None = None, referrer: str | None = None
) -> tuple[Visitor, str]:
    """(a new visitor, the token that opens them)."""
    token = secrets.token_urlsafe(16)
    visitor_id = tx.insert(
        _INSERT,
        inbox_id=inbox_id,
        site=site,
        token_hash=_hashed(token),
        language=language if language and _LANGUAGE.fullmatch(language) else None,
        page=None,
        title=None,
        referrer=address(referrer),
        now=tx.now,
    )
    return must(tx, visitor_id), token


def find(rx: Rx, inbox_id: int, token: str | None, site: str) -> Visitor | None:
    """Whom a token opens, in this inbox and on this site."""
    if token is None or not _TOKEN.fullmatch(token):
        return None
    row = rx.row(_BY_TOKEN, token_hash=_hashed(token))
    if row is None:
        return None
    found = Visitor(*row)
    if found.inbox_id != inbox_id or found.site != site or found.ended_at is not None or rx.now - found.used_at > KEPT:
        return None
    return found


def must(rx: Rx, visitor_id: int) -> Visitor:
    """The row as it stands now. Refused once the device has forgotten them."""
    row = rx.row(_BY_ID, id=visitor_id)
    found = Visitor(*row) if row is not None else None
    if found is None or found.ended_at is not None:
        raise Refusal("unauthenticated", "This chat was ended on this device. Open it anew.")
    return found


def page_view(tx: Tx, visitor: Visitor, page: str, title: str | None = None) -> None:
    """Where they are now. What cannot be an address is not kept, and neither is a query, which may hold secrets."""
    visitor = must(tx, visitor.id)
    here = address(page)
    if here is None:
        return
    shown = _line(title)
    tx.run(_PAGE, id=visitor.id, page=here, title=shown)
    if tx.value(_LAST_PAGE, id=visitor.id) != here:
        tx.run(_VISIT, id=visitor.id, page=here, title=shown, now=tx.now)
        tx.run(_OLD, id=visitor.id, most=VISITS)


def visits(rx: Rx, visitor_id: int) -> list[Visit]:
    """Newest first; for agents."""
    return [Visit(*row) for row in rx.rows(_VISITS, id=visitor_id)]


def forget(tx: Tx, visitor: Visitor) -> None:
    """This device knows them no longer, and we no longer know what they looked at. What they wrote stays: it was said
    to us."""
    visitor = must(tx, visitor.id)
    tx.run(_FORGET, id=visitor.id, now=tx.now)
    tx.run(_NO_VISITS, id=visitor.id)
    record(tx, visitor, VisitorForgotten(visitor_id=visitor.id))


def sweep(tx: Tx) -> int:
    """Drops some of those who never said anything; how many."""
    idle = tx.rows(_IDLE, before=tx.now - UNUSED)
    for (visitor_id,) in idle:
        tx.run(_NO_VISITS, id=visitor_id)
        tx.run(_DROP, id=visitor_id)
    return len(idle)


def close(tx: Tx, visitor: Visitor) -> None:
    """Another has taken their place in this browser."""
    tx.run(_END, id=visitor.id, now=tx.now)
    record(tx, visitor, VisitorReplaced(visitor_id=visitor.id))


def record(tx: Tx, visitor: Visitor, event: Event) -> None:
    """Something about the visitor, which their other windows hear of."""
    tx.record(event, by=visitor.caller.actor, contact_id=visitor.contact_id, after=Scope(visitor.inbox_id))


def address(url: str | None) -> str | None:
    """A web address without what may be private in it; None for anything else."""
    if not url or len(url) > 50_000:
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    path = "".join(c for c in parts.path if c.isprintable())
    if parts.scheme not in ("http", "https") or not host or not host.isprintable():
        return None
    return f"{parts.scheme}://{host}{port}{path}"[:MAX_PAGE]


def _line(text: str | None) -> str | None:
    kept = "".join(c if c.isprintable() else " " for c in text or "").strip()[:300]
    return kept or None


def _hashed(token: str) -> bytes:
    return hashlib.blake2b(token.encode(), digest_size=32, person=b"visitor").digest()


def update(tx: Tx, visitor_id: int, **values: Any) -> Visitor:
    """Writes columns of the row; the names are ours."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    tx.run(f"UPDATE visitor SET {sets} WHERE id = :id", id=visitor_id, **values)
    return must(tx, visitor_id)
