"""A visitor has their chat sent to them by mail: at once to an address that is known to be theirs, else after the code
that was mailed there. Nothing that anybody wrote goes to an address before that."""

import hashlib
import hmac
import secrets
from typing import Final, Literal

import msgspec

from hub.clock import MINUTE
from hub.connector import Point
from hub.db.tx import Rx, Tx
from hub.desk import copies, own_mail
from hub.desk.ticket import Ticket
from hub.desk.visitors import details
from hub.desk.visitors.row import Visitor, must
from hub.desk.visitors.talk import going_on, inbox_of
from hub.errors import Refusal, not_found
from hub.people import points

LASTS: Final = 10 * MINUTE
TRIES: Final = 5

_PUT = """
INSERT INTO address_code (visitor_id, address, code_hash, tries, created_at)
VALUES (:visitor_id, :address, :code_hash, 0, :now)
ON CONFLICT (visitor_id) DO UPDATE SET address = excluded.address, code_hash = excluded.code_hash, tries = 0,
  created_at = excluded.created_at"""
_GET = "SELECT address, code_hash, tries, created_at FROM address_code WHERE visitor_id = :visitor_id"
_TRIED = "UPDATE address_code SET tries = tries + 1 WHERE visitor_id = :visitor_id"
_DROP = "DELETE FROM address_code WHERE visitor_id = :visitor_id"


class Mailing(msgspec.Struct, frozen=True):
    """`sent`: it is on its way. `code`: a code is, and wants to be entered. `wrong`: this is not it; `over`: nor can it
    be any longer, ask for another."""

    state: Literal["sent", "code", "wrong", "over"]


def mail_conversation(tx: Tx, visitor: Visitor, address: str) -> Mailing:
    visitor, ticket = _theirs(tx, visitor)
    value, shown = points.normalise(points.EMAIL, address, None, "email")
    if copies.proved(tx, visitor.contact_id, value):
        _send(tx, visitor, ticket, value)
        return Mailing("sent")
    code = f"{secrets.randbelow(1_000_000):06d}"
    sent = own_mail.send(
        tx, purpose="code", address=value, language=visitor.language, fields={"number": code}, ticket_id=ticket.id
    )
    if sent is None:
        raise _no_mail()
    tx.run(_PUT, visitor_id=visitor.id, address=shown, code_hash=_hash(visitor.id, code), now=tx.now)
    return Mailing("code")


def confirm_address(tx: Tx, visitor: Visitor, code: str) -> Mailing:
    """The code has come back: the address is theirs, and what they asked for goes there. A wrong one counts, so it is
    an answer and no refusal."""
    visitor, ticket = _theirs(tx, visitor)
    row = tx.row(_GET, visitor_id=visitor.id)
    if row is None or row[2] >= TRIES or tx.now > row[3] + LASTS:
        return Mailing("over")
    if not hmac.compare_digest(bytes(row[1]), _hash(visitor.id, "".join(code.split()))):
        tx.run(_TRIED, visitor_id=visitor.id)
        return Mailing("wrong" if row[2] + 1 < TRIES else "over")
    tx.run(_DROP, visitor_id=visitor.id)
    _is_theirs(tx, visitor, row[0])
    _send(tx, visitor, ticket, row[0])
    return Mailing("sent")


def _theirs(tx: Tx, visitor: Visitor) -> tuple[Visitor, Ticket]:
    visitor = must(tx, visitor.id)
    ticket = going_on(tx, visitor)
    if ticket is None:
        raise not_found("conversation")
    if own_mail.inbox(tx) is None:
        raise _no_mail()
    return details.ensure_contact(tx, visitor, inbox_of(tx, visitor)), ticket


def _is_theirs(tx: Tx, visitor: Visitor, address: str) -> None:
    """Kept with the contact. Where somebody else has this address by now, an agent judges whether they are one."""
    assert visitor.contact_id is not None
    value, _ = points.normalise(points.EMAIL, address, None, "email")
    found = points.find(tx, points.EMAIL, "", value)
    if found is None:
        points.add(tx, visitor.contact_id, Point(points.EMAIL, address), "verified", visitor.caller.actor)
    elif found[1] == visitor.contact_id:
        points.make_surer(tx, found[0], found[2], "verified")


def _send(tx: Tx, visitor: Visitor, ticket: Ticket, address: str) -> None:
    copies.transcript_for_visitor(tx, ticket, visitor.inbox_id, visitor.id, address, visitor.language or "")


def _hash(visitor_id: int, code: str) -> bytes:
    return hashlib.sha256(f"{visitor_id}:{code}".encode("utf-8", "surrogatepass")).digest()


def _no_mail() -> Refusal:
    return Refusal("conflict", "We cannot send e-mail from here just now.")


def possible(rx: Rx) -> bool:
    return own_mail.inbox(rx) is not None
