"""What a contact looked at on the site that they chat from: the pages of the present session, and those kept before.

Shown to whoever sees the inbox of that chat or one of the tickets that were opened from that browser.
"""

from typing import Any, Final

import msgspec

from hub.clock import MINUTE
from hub.db.many import rows_of
from hub.db.tx import Rx
from hub.desk.contact_lists import require_contact
from hub.staff.access import Caller, visible

PAUSE: Final = 30 * MINUTE  # without a new page: what comes then is another session

_BROWSERS = """
SELECT visitor.id, visitor.inbox_id, visitor.site, visitor.language, visitor.page, visitor.title, visitor.referrer,
       visitor.used_at, visitor.verified_at
FROM visitor WHERE visitor.contact_id = :contact_id AND visitor.ended_at IS NULL"""
_LATEST = " ORDER BY visitor.used_at DESC, visitor.id DESC LIMIT 20"
_OWN_TICKET = """EXISTS (
  SELECT 1 FROM visitor_ticket JOIN ticket ON ticket.id = visitor_ticket.ticket_id
  WHERE visitor_ticket.visitor_id = visitor.id AND """
_VISITS = "SELECT visitor_id, page, title, at FROM visit"
_NEWEST = " ORDER BY at DESC, id DESC"


class Visited(msgspec.Struct, frozen=True):
    page: str
    title: str | None
    at: int


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Where they are now or were last, and the way there, newest first. `inbox_id` null: never seen on a site."""

    inbox_id: int | None = None
    site: str | None = None
    language: str | None = None
    page: str | None = None
    title: str | None = None
    referrer: str | None = None
    verified: bool = False
    seen_at: int | None = None
    items: list[Visited] = []


def session(rx: Rx, caller: Caller, contact_id: int) -> Session:
    require_contact(rx, caller, contact_id)
    browsers = _browsers(rx, caller, contact_id)
    if not browsers:
        return Session()
    visitor_id, inbox_id, site, language, page, title, referrer, used_at, verified_at = browsers[0]
    items: list[Visited] = []
    for _, seen, named, at in rows_of(rx, _VISITS, "visitor_id", (visitor_id,), _NEWEST):
        if items and items[-1].at - at > PAUSE:
            break
        items.append(Visited(seen, named, at))
    return Session(
        inbox_id=inbox_id,
        site=site,
        language=language,
        page=page,
        title=title,
        referrer=referrer,
        verified=verified_at is not None,
        seen_at=used_at,
        items=items,
    )


def all_of(rx: Rx, caller: Caller, contact_id: int) -> list[Visited]:
    """Every page that is kept, from all their browsers, newest first. Judges the browsers, not the contact."""
    ids = [row[0] for row in _browsers(rx, caller, contact_id)]
    found = [Visited(page, title, at) for _, page, title, at in rows_of(rx, _VISITS, "visitor_id", ids, _NEWEST)]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _browsers(rx: Rx, caller: Caller, contact_id: int) -> list[tuple[Any, ...]]:
    grants = caller.grants
    if grants.everything:
        return rx.rows(f"{_BROWSERS}{_LATEST}", contact_id=contact_id)
    sees, params = visible(grants)
    inboxes = ", ".join(str(int(i)) for i in sorted(grants.inboxes))
    theirs = f"{_OWN_TICKET}{sees})" + (f" OR visitor.inbox_id IN ({inboxes})" if inboxes else "")
    return rx.rows(f"{_BROWSERS} AND ({theirs}){_LATEST}", contact_id=contact_id, **params)
