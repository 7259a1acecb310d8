"""Mail by the desk itself: invitations, forgotten passwords, notices, copies of conversations, codes. Deliveries of no
message, with the same states, jobs and receipts; `hub.letters` makes the text when one leaves.

What people wrote goes only to addresses that were proved (`PROVED`): else anybody could have the desk write their words
to a stranger. To others there are only fixed words, and only so many an hour.
"""

import secrets
from typing import Any, Final, Literal

import msgspec

from hub.clock import DAY, HOUR
from hub.connector import Outgoing, Point, Receipt
from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.desk import inboxes
from hub.desk import ticket as tickets
from hub.desk.deliveries import Letter, Part, after
from hub.desk.inboxes import Inbox
from hub.errors import Refusal, invalid, not_found
from hub.events import OwnMailChanged
from hub.people import points
from hub.staff import agents, links, organisation
from hub.staff.access import Caller, require_permission

Purpose = Literal["test", "invitation", "reset", "address", "notices", "transcript", "code", "unended", "snippet"]
JOB: Final = "own_mail"
MANAGE: Final = "desk.manage"
PROVED: Final = ("notices", "transcript", "unended")
# Those that strangers can cause, and how many of each may go to one address and from the whole desk in an hour.
BY_STRANGERS: Final = {"reset": (3, 60), "code": (3, 60), "transcript": (5, 300)}
# A link is made when the letter leaves, so that none lies in the database: by purpose, what it opens.
_LINKS: Final[dict[str, links.Purpose]] = {"reset": "reset", "address": "address"}
KEPT: Final = 90 * DAY

_SETTING = "SELECT value FROM setting WHERE name = 'own_mail'"
_SET = """
INSERT INTO setting (name, value) VALUES ('own_mail', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
_INSERT = """
INSERT INTO own_mail (token, inbox_id, purpose, address, language, agent_id, ticket_id, fields, state, created_at,
                      changed_at)
VALUES (:token, :inbox_id, :purpose, :address, :language, :agent_id, :ticket_id, :fields, 'queued', :now, :now)
RETURNING id"""
_GET = """
SELECT id, token, inbox_id, purpose, address, language, agent_id, ticket_id, fields, state, reason, attempts, created_at
FROM own_mail WHERE id = :id"""
_TO = """
UPDATE own_mail SET state = :state, reason = :reason, external_id = COALESCE(:external_id, external_id),
                    attempts = attempts + :tries, fields = CASE WHEN :over = 1 THEN '{}' ELSE fields END,
                    changed_at = :now
WHERE id = :id"""
_LATELY = "SELECT COUNT(*) FROM own_mail WHERE purpose = :purpose AND created_at > :since"
_LATELY_TO = """
SELECT COUNT(*) FROM own_mail WHERE purpose = :purpose AND created_at > :since AND address = :address"""
_BY_EXTERNAL = "SELECT id FROM own_mail WHERE inbox_id = :inbox_id AND external_id = :external_id"
_BY_TOKEN = "SELECT id FROM own_mail WHERE inbox_id = :inbox_id AND token = :token"
_OPEN = """
SELECT id, purpose, address, inbox_id, state, reason, created_at, changed_at FROM own_mail
WHERE state IN ('queued', 'sending', 'unknown', 'failed') AND changed_at < :before ORDER BY id DESC LIMIT :limit"""
_LATEST = "SELECT id, purpose, address, state, reason, created_at FROM own_mail ORDER BY id DESC LIMIT :limit"
_OLD = """
DELETE FROM own_mail WHERE id IN (
  SELECT id FROM own_mail WHERE changed_at < :before ORDER BY changed_at LIMIT 400)"""


class OwnMail(msgspec.Struct, frozen=True):
    id: int
    token: str
    inbox_id: int
    purpose: str
    address: str
    language: str
    agent_id: int | None
    ticket_id: int | None
    fields: str
    state: str
    reason: str | None
    attempts: int
    created_at: int
    planned: bool = False


class Open(msgspec.Struct, frozen=True):
    """One that has not come to its end."""

    id: int
    purpose: str
    address: str
    inbox_id: int
    state: str
    reason: str | None
    created_at: int
    changed_at: int


# --- through which inbox -------------------------------------------------------------------------------------------


def carries(inbox: Inbox) -> bool:
    """Whether an inbox can send letters."""
    features = inbox.features
    return points.EMAIL in features.reaches and features.replies and not features.live


def inbox(rx: Rx) -> Inbox | None:
    """The one that was chosen, as long as it can send."""
    value = rx.value(_SETTING)
    found = inboxes.by_id(rx, int(value)) if value else None
    return found if found is not None and found.enabled and carries(found) else None


def possible(rx: Rx) -> list[Inbox]:
    return [one for one in inboxes.all_of_them(rx) if one.enabled and carries(one)]


def choose(tx: Tx, caller: Caller, inbox_id: int | None) -> None:
    """None: the desk writes no mail of its own."""
    require_permission(caller, MANAGE)
    if inbox_id is not None and inbox_id not in {one.id for one in possible(tx)}:
        raise invalid("inbox_id", "Choose an inbox that is switched on and can send e-mail.")
    tx.run(_SET, value=str(inbox_id or ""))
    tx.record(OwnMailChanged(), by=caller.actor)


# --- writing one ---------------------------------------------------------------------------------------------------


def send(
    tx: Tx,
    *,
    purpose: Purpose,
    address: str,
    language: str | None,
    fields: dict[str, Any] | None = None,
    agent_id: int | None = None,
    ticket_id: int | None = None,
    proved: bool = False,
) -> int | None:
    """The mail's id; None where no inbox was chosen for such. Raises Refusal of an address that is none, and where too
    many were asked for. `proved`: whoever reads the address has shown that it is theirs."""
    if purpose in PROVED and not proved:
        raise ValueError(f"{purpose} may carry what people wrote, so only to an address that was proved")
    through = inbox(tx)
    if through is None:
        return None
    value, _ = points.normalise(points.EMAIL, address, None, "email")
    _bound(tx, purpose, value)
    mail_id = tx.insert(
        _INSERT,
        token=f"own-{secrets.token_hex(16)}",
        inbox_id=through.id,
        purpose=purpose,
        address=value,
        language=language or through.common.language or "en",
        agent_id=agent_id,
        ticket_id=ticket_id,
        fields=msgspec.json.encode(fields or {}).decode(),
        now=tx.now,
    )
    _enqueue(tx, mail_id, value)
    return mail_id


def _enqueue(tx: Tx, mail_id: int, address: str) -> None:
    tx.enqueue(JOB, {"delivery_id": mail_id}, key=f"own_mail:{address}", lane=lanes.OUTBOUND)


def _bound(rx: Rx, purpose: str, address: str) -> None:
    if purpose not in BY_STRANGERS:
        return
    each, all_of_them = BY_STRANGERS[purpose]
    since = rx.now - HOUR
    if (
        rx.value(_LATELY_TO, purpose=purpose, since=since, address=address) >= each
        or rx.value(_LATELY, purpose=purpose, since=since) >= all_of_them
    ):
        raise Refusal("too_many", "That was asked for too often. Wait an hour and try again.")


def to_agent(tx: Tx, agent: agents.Agent, purpose: Purpose, fields: dict[str, Any] | None = None) -> int | None:
    return send(
        tx,
        purpose=purpose,
        address=agent.email,
        language=agent.language,
        fields={"name": agent.name, **(fields or {})},
        agent_id=agent.id,
        proved=agents.proved_at(tx, agent.id) is not None,
    )


# --- the book that hub.work.outbound keeps -------------------------------------------------------------------------


def get(rx: Rx, mail_id: int) -> OwnMail | None:
    row = rx.row(_GET, id=mail_id)
    return None if row is None else OwnMail(*row)


def begin(tx: Tx, mail_id: int) -> Part | None:
    """queued → sending, with the secret of the link that it carries, if any."""
    mail = get(tx, mail_id)
    if mail is None or mail.state != "queued":
        return None
    fields = msgspec.json.decode(mail.fields, type=dict[str, Any])
    if mail.purpose in _LINKS and mail.agent_id is not None:
        fields["secret"] = links.create(tx, _LINKS[mail.purpose], mail.agent_id)
    _to(tx, mail, "sending", None, tries=1)
    return _part(tx, mail, fields)


def sending(rx: Rx, mail_id: int) -> Part | None:
    mail = get(rx, mail_id)
    return _part(rx, mail, {}) if mail is not None and mail.state == "sending" else None


def _part(rx: Rx, mail: OwnMail, fields: dict[str, Any]) -> Part:
    ticket = tickets.by_id(rx, mail.ticket_id) if mail.ticket_id is not None else None
    outgoing = Outgoing(
        id=mail.token,
        ticket=str(ticket.number) if ticket is not None else "",
        to=Point(kind=points.EMAIL, value=mail.address),
        text="",
        automatic=True,
        at=mail.created_at,
    )
    letter = Letter(mail.purpose, mail.language, fields, organisation.name(rx))
    return Part(mail.id, mail.inbox_id, mail.attempts + 1, outgoing, letter=letter)


def sent(tx: Tx, mail_id: int, external_id: str | None, notice: str | None = None) -> None:
    mail = _must(tx, mail_id)
    if mail.state in ("sending", "unknown"):
        _to(tx, mail, "sent", notice, external_id=external_id)


def retry(tx: Tx, mail_id: int, reason: str) -> None:
    mail = _must(tx, mail_id)
    if mail.state == "sending":
        _to(tx, mail, "queued", reason)


def failed(tx: Tx, mail_id: int, reason: str) -> None:
    mail = _must(tx, mail_id)
    if mail.state in ("queued", "sending"):
        _to(tx, mail, "failed", reason)


def unknown(tx: Tx, mail_id: int, reason: str) -> None:
    mail = _must(tx, mail_id)
    if mail.state == "sending":
        _to(tx, mail, "unknown", reason)


def receipt(tx: Tx, inbox_id: int, receipt: Receipt) -> bool:
    """As of a delivery. Where mail to an agent comes back, their address is no longer a proved one."""
    mail_id = tx.value(_BY_EXTERNAL, inbox_id=inbox_id, external_id=receipt.external_id)
    if mail_id is None and receipt.ref:
        mail_id = tx.value(_BY_TOKEN, inbox_id=inbox_id, token=receipt.ref)
    if mail_id is None:
        return False
    mail = _must(tx, mail_id)
    moved = after(mail.state, receipt)
    if moved is not None:
        _to(tx, mail, *moved)
        if moved[0] == "failed" and mail.agent_id is not None and mail.purpose != "test":
            agents.address_lost(tx, mail.agent_id, mail.address)
    return True


def resend(tx: Tx, caller: Caller, mail_id: int) -> None:
    require_permission(caller, MANAGE)
    mail = _must(tx, mail_id)
    if mail.state not in ("failed", "unknown"):
        raise Refusal("conflict", f"It is {mail.state}: there is nothing to send again.")
    _to(tx, mail, "queued", None)
    _enqueue(tx, mail.id, mail.address)


def cancel(tx: Tx, caller: Caller, mail_id: int) -> None:
    require_permission(caller, MANAGE)
    mail = _must(tx, mail_id)
    if mail.state not in ("queued", "failed", "unknown"):
        raise Refusal("conflict", f"It is {mail.state} already and cannot be called back.")
    _to(tx, mail, "cancelled", "Called back.")


class Sent(msgspec.Struct, frozen=True):
    id: int
    purpose: str
    address: str
    state: str
    reason: str | None
    created_at: int


def latest(rx: Rx, caller: Caller, *, limit: int) -> list[Sent]:
    require_permission(caller, MANAGE)
    return [Sent(*row) for row in rx.rows(_LATEST, limit=limit)]


def unended(rx: Rx, caller: Caller, *, before: int, limit: int) -> list[Open]:
    """What has not come to its end and has not moved since `before`, newest first."""
    require_permission(caller, MANAGE)
    return [Open(*row) for row in rx.rows(_OPEN, before=before, limit=limit)]


def sweep(tx: Tx) -> int:
    """Drops some of what has long been over; housekeeping."""
    return tx.run(_OLD, before=tx.now - KEPT)


def _must(rx: Rx, mail_id: int) -> OwnMail:
    found = get(rx, mail_id)
    if found is None:
        raise not_found("mail")
    return found


def _to(
    tx: Tx, mail: OwnMail, state: str, reason: str | None, *, external_id: str | None = None, tries: int = 0
) -> None:
    """What it was filled with goes as soon as it is not needed to send it once more."""
    over = state in ("sent", "delivered", "read", "cancelled")
    tx.run(
        _TO, id=mail.id, state=state, reason=reason, external_id=external_id, tries=tries, over=int(over), now=tx.now
    )
