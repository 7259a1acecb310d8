"""What came in as it came: raw rows, what became of them, the quarantine screen. hub.work.inbound takes them in."""

import base64
from typing import Final

import msgspec

from hub.db import lanes
from hub.db.backend import Row
from hub.db.tx import Rx, Tx
from hub.errors import Refusal, not_found
from hub.events import SYSTEM, InboundQuarantined, InboundReleased, Scope
from hub.staff.access import Caller, may, require_permission

MANAGE = "desk.manage"
AGAIN: Final = "inbound.again"  # the job that takes a stored row once more
BLOCKED: Final = "The contact is blocked."  # why it was put away unread
SHOWN: Final = 2_000  # bytes of a body on the quarantine screen

INSERT = """
INSERT INTO inbound (inbox_id, received_at, headers, query, body, state, reason, contact_id)
VALUES (:inbox_id, :received_at, :headers, :query, :body, :state, :reason, :contact_id) RETURNING id"""
GET = "SELECT id, inbox_id, received_at, headers, query, body, state, reason, tries FROM inbound WHERE id = :id"
SETTLE = "UPDATE inbound SET state = :state, reason = :reason, tries = tries + :tries WHERE id = :id"
PUT_AWAY = "UPDATE inbound SET contact_id = :contact_id WHERE id = :id"
QUARANTINED = """
SELECT id, inbox_id, received_at, headers, query, body, state, reason, tries FROM inbound
WHERE state = 'quarantined' AND id < :before"""
NEWEST = " ORDER BY id DESC LIMIT :limit"
KEPT_SINCE = "SELECT id FROM inbound WHERE received_at < :before AND state IN ('done', 'ignored') LIMIT :limit"
DROP = (
    "DELETE FROM inbound WHERE id >= :first AND id <= :last AND received_at < :before AND state IN ('done', 'ignored')"
)


class Stored(msgspec.Struct, frozen=True):
    id: int
    inbox_id: int
    received_at: int
    headers: tuple[tuple[str, str], ...]
    query: str
    body: bytes
    state: str
    reason: str | None
    tries: int


class Quarantined(msgspec.Struct, frozen=True):
    """As the screen shows it. `body` is text where it is text, else base64 (`encoded`), cut at 2,000 bytes."""

    id: int
    inbox_id: int
    received_at: int
    reason: str
    tries: int
    size: int
    body: str
    encoded: bool


def get(rx: Rx, inbound_id: int) -> Stored | None:
    row = rx.row(GET, id=inbound_id)
    return _stored(row) if row else None


def settle(tx: Tx, was: Stored, state: str, reason: str | None) -> None:
    """What became of it after one more try."""
    tx.run(SETTLE, id=was.id, state=state, reason=reason, tries=1)
    scope = Scope(was.inbox_id)
    if state == "quarantined" and was.state != "quarantined":
        tx.record(InboundQuarantined(inbound_id=was.id, inbox_id=was.inbox_id), by=SYSTEM, before=scope, after=scope)
    elif was.state == "quarantined" and state != "quarantined":
        tx.record(InboundReleased(inbound_id=was.id, inbox_id=was.inbox_id), by=SYSTEM, before=scope, after=scope)


def put_away(tx: Tx, was: Stored, contact_id: int) -> None:
    """Whoever wrote all of it is blocked: kept, and not looked at."""
    settle(tx, was, "ignored", BLOCKED)
    tx.run(PUT_AWAY, id=was.id, contact_id=contact_id)


# --- the quarantine screen -----------------------------------------------------------------------------------------


def quarantined(
    rx: Rx, caller: Caller, *, before: int | None = None, limit: int = 50, inbox_id: int | None = None
) -> list[Quarantined]:
    """Newest first; `before`: the id that the last page ended with. `inbox_id`: of that inbox alone."""
    require_permission(caller, MANAGE)
    before = 2**62 if before is None else before
    if inbox_id is None:
        rows = rx.rows(_of_theirs(caller) + NEWEST, before=before, limit=limit)
    else:
        sql = f"{_of_theirs(caller)} AND inbox_id = :inbox_id{NEWEST}"
        rows = rx.rows(sql, before=before, limit=limit, inbox_id=inbox_id)
    return [_shown(_stored(row)) for row in rows]


def _of_theirs(caller: Caller) -> str:
    """Only what came in through inboxes that the caller sees: raw bytes are what somebody wrote."""
    if caller.grants.everything:
        return QUARANTINED
    inboxes = ", ".join(str(int(i)) for i in sorted(caller.grants.inboxes)) or "0"  # numbers of ours
    return f"{QUARANTINED} AND inbox_id IN ({inboxes})"


def retry(tx: Tx, caller: Caller, inbound_id: int) -> None:
    """A job reads it again; what of it was stored the first time is not stored twice."""
    _must_be_quarantined(tx, caller, inbound_id)
    tx.enqueue(AGAIN, {"inbound_id": inbound_id}, key=f"inbound:{inbound_id}", lane=lanes.INBOUND)


def discard(tx: Tx, caller: Caller, inbound_id: int) -> None:
    """Nobody needs it. The raw bytes are kept as long as those of anything else."""
    settle(tx, _must_be_quarantined(tx, caller, inbound_id), "ignored", "Discarded by an agent.")


def _must_be_quarantined(rx: Rx, caller: Caller, inbound_id: int) -> Stored:
    require_permission(caller, MANAGE)
    found = get(rx, inbound_id)
    if found is None or not may(caller.grants, Scope(found.inbox_id)):
        raise not_found("item in quarantine")
    if found.state != "quarantined":
        raise Refusal("conflict", "This is not in quarantine any more.")
    return found


# --- inside --------------------------------------------------------------------------------------------------------


def _stored(row: Row) -> Stored:
    headers = msgspec.json.decode(row[3], type=tuple[tuple[str, str], ...])
    return Stored(row[0], row[1], row[2], headers, row[4], bytes(row[5]), row[6], row[7], row[8])


def shown(body: bytes) -> tuple[str, bool]:
    """(its beginning, whether that is base64 because it is no text)."""
    start = body[:SHOWN]
    try:
        # A character that the cut went through is no reason to show everything as base64.
        return start.decode("utf-8", "strict" if len(start) == len(body) else "ignore"), False
    except UnicodeDecodeError:
        return base64.b64encode(start).decode(), True


def _shown(found: Stored) -> Quarantined:
    text, encoded = shown(found.body)
    return Quarantined(
        id=found.id,
        inbox_id=found.inbox_id,
        received_at=found.received_at,
        reason=found.reason or "",
        tries=found.tries,
        size=len(found.body),
        body=text,
        encoded=encoded,
    )
