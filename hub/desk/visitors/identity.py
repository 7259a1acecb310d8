"""Who a site says its visitor is: a JWT that the site's server signs with the inbox's secret (HS256).

Fresh and for this inbox alone: `sub`, `aud` (the inbox's token), `iat`, and `exp` at most an hour away. Why one does
not hold is never told: the answer is the same for every fault.
"""

from typing import Any, Final

from hub.clock import HOUR, MINUTE
from hub.connector import Point, Sender, Sureness
from hub.db.tx import Tx
from hub.desk import inboxes
from hub.desk.inboxes import Inbox
from hub.desk.visitors import details as about
from hub.desk.visitors import talk
from hub.desk.visitors.row import Entered, Visitor, close, make, must, record, update
from hub.errors import Refusal
from hub.events import Actor, VisitorIdentified
from hub.people import contacts, points
from hub.seal import SealBroken
from hub.text import MAX_NAME, clean

EXTERNAL: Final = "external"  # a contact point: the site's own id of a customer
MAX_TOKEN: Final = 8_192
MAX_SUBJECT: Final = 255
LONGEST: Final = HOUR
SKEW: Final = MINUTE  # clocks differ


def identify(tx: Tx, visitor: Visitor, token: str) -> Entered:
    """Ties the visitor to the contact of that name, who is made if need be. Whoever was signed in as somebody else
    before is gone: then there is a new visitor with a new token, and the old one opens nothing."""
    visitor = must(tx, visitor.id)
    inbox = talk.inbox_of(tx, visitor)
    claims = _claims(tx, inbox, token)
    subject: str = claims["sub"]
    secret = None
    if visitor.subject is not None and visitor.subject != subject:
        close(tx, visitor)
        visitor, secret = make(tx, inbox.id, visitor.site, language=visitor.language)
    visitor = update(
        tx,
        visitor.id,
        subject=subject,
        verified_at=visitor.verified_at or tx.now,
        verified_until=claims["exp"] * 1_000,
        contact_id=_contact(tx, visitor, inbox, claims),
    )
    record(tx, visitor, VisitorIdentified(visitor_id=visitor.id))
    return Entered(visitor, secret)


def _claims(tx: Tx, inbox: Inbox, token: str) -> dict[str, Any]:
    """What the token claims, if it holds."""
    try:
        secret = inboxes.connector_settings(inbox, tx.sealer).identity_secret
        claims = _signed(token, secret) if secret else None
    except (SealBroken, AttributeError):
        claims = None
    if claims is None or not _holds(claims, inbox.token, tx.now // 1_000):
        raise Refusal("forbidden", "Who you are could not be confirmed. Reload the page and try again.", field="jwt")
    return claims


def _signed(token: str, secret: str) -> dict[str, Any] | None:
    """The claims of a token that was signed with the secret and by no other way than HS256."""
    from joserfc import jwk, jwt  # 40 ms to import, and few inboxes need it

    if not 0 < len(token) <= MAX_TOKEN or not token.isascii() or token.count(".") != 2:
        return None
    try:
        key = jwk.OctKey.import_key(secret)
        return dict(jwt.decode(token, key, algorithms=["HS256"]).claims)
    except Exception:  # whatever a stranger's bytes make the library raise, it is no signature
        return None


def _holds(claims: dict[str, Any], audience: str, now: int) -> bool:
    """`now` in seconds, as all times of a JWT."""
    subject, meant, issued, expires = (claims.get(name) for name in ("sub", "aud", "iat", "exp"))
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
        return False
    if subject != subject.strip():
        return False
    if meant != audience and not (isinstance(meant, list) and audience in meant):
        return False
    if type(issued) is not int or type(expires) is not int:
        return False
    if issued > now + SKEW // 1_000 or not now < expires <= now + LONGEST // 1_000:
        return False
    starts = claims.get("nbf", issued)
    return type(starts) is int and starts <= now + SKEW // 1_000


def _contact(tx: Tx, visitor: Visitor, inbox: Inbox, claims: dict[str, Any]) -> int:
    """Whoever has this id of the site; else the visitor's own contact, which now has it; else a new one. Tickets that
    the visitor opened before as somebody unknown stay with the contact they were opened by."""
    known = points.find(tx, EXTERNAL, inbox.token, claims["sub"])
    point = Point(EXTERNAL, claims["sub"], inbox.token)
    name = _text(claims.get("name"), MAX_NAME)
    if known is None and visitor.contact_id is not None:
        contact_id = visitor.contact_id
        points.add(tx, contact_id, point, "verified", Actor("contact", contact_id))
    else:
        who = contacts.recognise(
            tx,
            Sender(point, name=name or claims["sub"], sureness="verified", language=visitor.language),
            inbox_id=inbox.id,
            country=inbox.common.default_country,
            source=about.source(visitor),
            how=inbox.kind,
        )
        contact_id = who.contact_id
        if visitor.contact_id is None:
            browser = Point(about.POINT, str(visitor.id), inbox.token)
            points.add(tx, contact_id, browser, "attested", Actor("contact", contact_id))
    by = Actor("contact", contact_id)
    if name:
        contacts.change(tx, by, contact_id, name=name)
    for kind in (points.EMAIL, points.PHONE):
        _vouched(tx, contact_id, inbox, kind, claims, by)
    return contact_id


def _vouched(tx: Tx, contact_id: int, inbox: Inbox, kind: str, claims: dict[str, Any], by: Actor) -> None:
    """An address that the site vouches for, unless it says itself that it never checked it. Another contact who has it
    keeps it: whether the two are one is for a person to say."""
    text = _text(claims.get(kind), 500)
    if not text:
        return
    try:
        value, _ = points.normalise(kind, text, inbox.common.default_country)
    except Refusal:
        return
    checked = claims.get(f"{kind}_verified", True) is True
    found = points.find(tx, kind, "", value)
    if found is None:
        sureness: Sureness = "verified" if checked else "typed"
        points.add(tx, contact_id, Point(kind, text), sureness, by, country=inbox.common.default_country)
    elif found[1] == contact_id and checked:
        points.make_surer(tx, found[0], found[2], "verified")


def _text(claim: object, most: int) -> str | None:
    if not isinstance(claim, str):
        return None
    try:
        return clean(claim, "claim", most=most, lines=False).strip() or None
    except Refusal:
        return None
