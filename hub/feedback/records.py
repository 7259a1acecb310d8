"""Feedback as a record of its own: praise, complaint, suggestion or rating. `record` is the one way in, whatever the
door (the API, a form, a survey, a bot, an operator); hub/commands/feedback.py and the doors call it.

Whoever is complained of may read it, as anybody who sees the ticket, but can change nothing about it: in a firm of
one a hidden complaint would be heard by nobody, and one that its subject may edit is soon no complaint.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

import msgspec

from hub import text as texts
from hub.db import cursor as cursors
from hub.db.backend import Row
from hub.db.many import rows_of
from hub.db.tx import Rx, Tx
from hub.desk.contact_lists import require_contact
from hub.errors import Refusal, invalid, not_found
from hub.events import Actor, ActorKind, FeedbackChanged, FeedbackRecorded, Scope
from hub.staff.access import Caller, Grants, may, require, require_permission, visible

Kind = Literal["praise", "complaint", "suggestion", "rating"]
Severity = Literal["low", "normal", "high", "grave"]

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]

MAX_PAGE: Final = 100
_EARLIEST: Final = 946_684_800_000  # 2000-01-01: an earlier time is a number of seconds
_LATEST: Final = 4_102_444_800_000  # 2100-01-01
_LINES: Final = {"category": texts.MAX_NAME, "place": texts.MAX_NAME, "about": texts.MAX_NAME}
_TEXTS: Final = {"wanted": 2_000, "cause": 2_000, "outcome": 2_000}


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a door hands in. `about` is whom or what, in the customer's words; `promised_by` in milliseconds; `ticket`
    the ticket's number."""

    kind: Kind
    door: str
    text: str = ""
    score: int | None = None
    score_max: int | None = None
    category: str | None = None
    severity: Severity | None = None
    place: str | None = None
    about: str | None = None
    about_agent_id: Id | None = None
    wanted: str | None = None
    promised_by: int | None = None
    cause: str | None = None
    outcome: str | None = None
    contact_id: Id | None = None
    ticket: Id | None = None
    inbox_id: Id | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may be changed afterwards: how we judge it and what we do. What the customer said stays as they said it."""

    category: str | msgspec.UnsetType | None = msgspec.UNSET
    severity: Severity | msgspec.UnsetType | None = msgspec.UNSET
    place: str | msgspec.UnsetType | None = msgspec.UNSET
    about: str | msgspec.UnsetType | None = msgspec.UNSET
    about_agent_id: Id | msgspec.UnsetType | None = msgspec.UNSET
    wanted: str | msgspec.UnsetType | None = msgspec.UNSET
    promised_by: int | msgspec.UnsetType | None = msgspec.UNSET
    cause: str | msgspec.UnsetType | None = msgspec.UNSET
    outcome: str | msgspec.UnsetType | None = msgspec.UNSET


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it stands, in the order of `_COLUMNS`."""

    id: int
    kind: Kind
    score: int | None
    score_max: int | None
    text: str
    category: str | None
    severity: Severity | None
    place: str | None
    about: str | None
    about_agent_id: int | None
    wanted: str | None
    promised_by: int | None
    cause: str | None
    outcome: str | None
    contact_id: int | None
    ticket: int | None
    inbox_id: int | None
    door: str
    by_kind: ActorKind
    by_id: int
    created_at: int
    changed_at: int


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    kind: Kind | None = None
    severity: Severity | None = None
    category: str | None = None
    ticket: Id | None = None
    contact_id: Id | None = None


class Page(msgspec.Struct, frozen=True):
    items: list[Feedback]
    next: str | None


# --- record ----------------------------------------------------------------------------------------------------------

_TICKET = "SELECT id, inbox_id, team_id, assignee_id, contact_id FROM ticket WHERE number = :number"
_INBOX_EXISTS = "SELECT 1 FROM inbox WHERE id = :inbox_id"
_AGENT_EXISTS = "SELECT 1 FROM agent WHERE id = :agent_id"
_INSERT = """
INSERT INTO feedback (kind, score, score_max, text, category, severity, place, about, about_agent_id, wanted,
  promised_by, cause, outcome, contact_id, ticket_id, inbox_id, door, by_kind, by_id, created_at, changed_at)
VALUES (:kind, :score, :score_max, :text, :category, :severity, :place, :about, :about_agent_id, :wanted,
  :promised_by, :cause, :outcome, :contact_id, :ticket_id, :inbox_id, :door, :by_kind, :by_id, :now, :now)
RETURNING id"""


def record(tx: Tx, caller: Caller, said: Said) -> Feedback:
    """Writes one record. With a ticket it belongs to the ticket's contact and inbox and is seen by those who see the
    ticket; without one by those who see the inbox, or everything."""
    if caller.actor.kind == "agent":
        require_permission(caller, "feedback.record")
    fields = msgspec.structs.asdict(said)
    ticket_id, scope = _belongs(tx, caller, fields, fields.pop("ticket"))
    _judged(tx, fields)
    fields["text"] = texts.clean(said.text, "text", most=texts.MAX_MESSAGE, least=0).strip()
    fields["door"] = texts.clean(said.door, "door", most=40, lines=False)
    _complete(fields)
    by = caller.actor
    feedback_id = tx.insert(_INSERT, **fields, ticket_id=ticket_id, by_kind=by.kind, by_id=by.id, now=tx.now)
    tx.record(
        FeedbackRecorded(feedback_id=feedback_id, kind=said.kind),
        by=by,
        ticket_id=ticket_id,
        contact_id=fields["contact_id"],
        after=scope,
    )
    return _by_id(tx, feedback_id)


def _belongs(tx: Tx, caller: Caller, fields: dict[str, Any], number: int | None) -> tuple[int | None, Scope | None]:
    """Fills in contact and inbox from the ticket; its id and the scope the record is seen by, None: no inbox at all."""
    if number is not None:
        found = tx.row(_TICKET, number=number)
        scope = Scope(*found[1:4]) if found else None
        require(caller, scope)
        assert found is not None
        if fields["contact_id"] not in (None, found[4]):
            raise invalid(
                "contact_id", "This ticket is another contact's. Leave the contact out: the ticket says who it is."
            )
        fields["contact_id"], fields["inbox_id"] = found[4], found[1]
        return found[0], scope
    if fields["contact_id"] is not None:
        require_contact(tx, caller, fields["contact_id"])
    if fields["inbox_id"] is None:
        return None, None
    scope = Scope(inbox_id=fields["inbox_id"])
    if tx.row(_INBOX_EXISTS, inbox_id=fields["inbox_id"]) is None:
        raise not_found("inbox")
    require(caller, scope, "inbox")
    return None, scope


def _judged(tx: Tx, fields: dict[str, Any]) -> None:
    """Checks and cleans, in place, those of the fields that may be changed later too."""
    for name, most in _LINES.items():
        if fields.get(name) is not None:
            fields[name] = texts.clean(fields[name], name, most=most, least=0, lines=False).strip() or None
    for name, most in _TEXTS.items():
        if fields.get(name) is not None:
            fields[name] = texts.clean(fields[name], name, most=most, least=0).strip() or None
    agent_id = fields.get("about_agent_id")
    if agent_id is not None and tx.row(_AGENT_EXISTS, agent_id=agent_id) is None:
        raise invalid("about_agent_id", "There is no such agent.")
    promised = fields.get("promised_by")
    if promised is not None and not _EARLIEST <= promised < _LATEST:
        raise invalid("promised_by", "This is no likely time. Give milliseconds since 1970, UTC.")


def _complete(fields: dict[str, Any]) -> None:
    """Is there enough in it to act on?"""
    score, most = fields["score"], fields["score_max"]
    if fields["kind"] == "rating" and score is None:
        raise invalid("score", "A rating needs a score.")
    if score is None and most is not None:
        raise invalid("score_max", "There is no score that this could be the best of.")
    if score is not None:
        most = fields["score_max"] = 5 if most is None else most
        if not 1 <= most <= 100:
            raise invalid("score_max", "The best possible score is between 1 and 100.")
        if not 0 <= score <= most:
            raise invalid("score", f"The score is between 0 and {most}.")
    blank = texts.is_blank(fields["text"])
    if fields["kind"] == "complaint" and blank and not fields["category"]:
        raise invalid("text", "Say what the complaint is about, or give a category.")
    if fields["kind"] == "suggestion" and blank:
        raise invalid("text", "Say what is suggested.")
    if fields["kind"] == "praise" and blank and not (fields["category"] or fields["about"] or fields["about_agent_id"]):
        raise invalid("text", "Say what or whom the praise is for.")


# --- change ----------------------------------------------------------------------------------------------------------

_CHANGEABLE: Final = Changes.__struct_fields__
_UPDATE = """
UPDATE feedback SET category = :category, severity = :severity, place = :place, about = :about,
  about_agent_id = :about_agent_id, wanted = :wanted, promised_by = :promised_by, cause = :cause, outcome = :outcome,
  changed_at = :now
WHERE id = :id"""


def change(tx: Tx, caller: Caller, feedback_id: int, changes: Changes) -> Feedback:
    """Changes our side of a record: its place in the order of things, cause, outcome, promise."""
    feedback, ticket_id, scope = _seen(tx, caller, feedback_id)
    require_permission(caller, "feedback.change")
    _not_about(caller, feedback)
    wanted = {n: v for n in _CHANGEABLE if (v := getattr(changes, n)) is not msgspec.UNSET}
    _judged(tx, wanted)
    now = {name: getattr(feedback, name) for name in _CHANGEABLE}
    changed = tuple(name for name, value in wanted.items() if value != now[name])
    if not changed:
        return feedback
    now.update(wanted)
    if feedback.kind == "complaint" and texts.is_blank(feedback.text) and not now["category"]:
        raise invalid("category", "This complaint has no text, so it needs a category.")
    tx.run(_UPDATE, **now, now=tx.now, id=feedback_id)
    tx.record(
        FeedbackChanged(feedback_id=feedback_id, fields=changed),
        by=caller.actor,
        ticket_id=ticket_id,
        contact_id=feedback.contact_id,
        before=scope,
        after=scope,
    )
    return _by_id(tx, feedback_id)


def _not_about(caller: Caller, feedback: Feedback) -> None:
    if feedback.about_agent_id is not None and caller.actor == Actor("agent", feedback.about_agent_id):
        raise Refusal("forbidden", "This is about you, so somebody else has to deal with it.")


# --- read ------------------------------------------------------------------------------------------------------------

_COLUMNS: Final = ", ".join(
    "ticket.number" if name == "ticket" else f"feedback.{name}" for name in Feedback.__struct_fields__
)
_ONE: Final = (
    f"SELECT {_COLUMNS}, ticket.id, ticket.team_id, ticket.assignee_id FROM feedback "
    "LEFT JOIN ticket ON ticket.id = feedback.ticket_id WHERE feedback.id = :id"
)
_SOME: Final = f"SELECT {_COLUMNS} FROM feedback LEFT JOIN ticket ON ticket.id = feedback.ticket_id"
_LIST: Final = (
    f"SELECT {_COLUMNS} FROM feedback LEFT JOIN ticket ON ticket.id = feedback.ticket_id WHERE feedback.id < :before"
)
_FILTERS: Final = {
    name: f" AND {'ticket.number' if name == 'ticket' else f'feedback.{name}'} = :{name}"
    for name in Filter.__struct_fields__
}
_PAGE: Final = " ORDER BY feedback.id DESC LIMIT :limit"


def get(rx: Rx, caller: Caller, feedback_id: int) -> Feedback:
    found = _seen(rx, caller, feedback_id)[0]
    require_permission(caller, "feedback.read")
    return found


def list_(rx: Rx, caller: Caller, wanted: Filter, *, cursor: str | None = None, limit: int = 50) -> Page:
    """Newest first, a page at a time."""
    require_permission(caller, "feedback.read")
    if not 1 <= limit <= MAX_PAGE:
        raise invalid("limit", f"A page has between 1 and {MAX_PAGE} records.")
    filters = {name: v for name in Filter.__struct_fields__ if (v := getattr(wanted, name)) is not None}
    if wanted.category is not None:
        filters["category"] = texts.clean(wanted.category, "category", most=texts.MAX_NAME, least=0)
    query = f"feedback {sorted(filters.items())}"
    before = cursors.read(query, cursor, (int,))[0] if cursor else 2**62
    where, params = _visible(caller.grants)
    sql = "".join([_LIST, " AND ", where, *(_FILTERS[name] for name in filters), _PAGE])
    rows = rx.rows(sql, before=before, limit=limit + 1, **params, **filters)
    items = [_feedback(row) for row in rows[:limit]]
    return Page(items, cursors.make(query, (items[-1].id,)) if len(rows) > limit else None)


def _seen(rx: Rx, caller: Caller, feedback_id: int) -> tuple[Feedback, int | None, Scope | None]:
    """The record, its ticket's id and its scope; "not found" for what is absent and for what is not theirs to see."""
    row = rx.row(_ONE, id=feedback_id)
    if row is None:
        raise not_found("feedback")
    feedback, ticket_id = _feedback(row[:-3]), row[-3]
    scope = Scope(feedback.inbox_id, *row[-2:])
    mine = ticket_id is None and caller.actor == Actor(feedback.by_kind, feedback.by_id)
    if not (mine or may(caller.grants, scope)):
        raise not_found("feedback")
    return feedback, ticket_id, None if scope == Scope() else scope


def _visible(grants: Grants) -> tuple[str, dict[str, Any]]:
    """The rule of `_seen` as SQL: like its ticket; without one by its inbox, or by who wrote it down."""
    if grants.everything:
        return "1 = 1", {}
    by_ticket, params = visible(grants)
    inboxes = ", ".join(str(int(i)) for i in sorted(grants.inboxes))
    own = "feedback.by_kind = 'agent' AND feedback.by_id = :me"
    alone = f"(feedback.inbox_id IN ({inboxes}) OR {own})" if inboxes else f"({own})"
    return f"(({by_ticket}) OR (feedback.ticket_id IS NULL AND {alone}))", {**params, "me": grants.agent_id}


def _by_id(rx: Rx, feedback_id: int) -> Feedback:
    row = rx.row(_ONE, id=feedback_id)
    assert row is not None
    return _feedback(row[:-3])


def by_ids(rx: Rx, ids: Iterable[int]) -> dict[int, Feedback]:
    """Many at one go, for hub.live; who may see them is judged there."""
    return {row[0]: _feedback(row) for row in rows_of(rx, _SOME, "feedback.id", ids)}


def seen_of(rx: Rx, caller: Caller, ids: Iterable[int]) -> dict[int, Feedback]:
    """Those of them that the caller may see."""
    sees, params = _visible(caller.grants)
    return {row[0]: _feedback(row) for row in rows_of(rx, _SOME, "feedback.id", ids, where=sees, **params)}


def _feedback(row: Row) -> Feedback:
    return Feedback(**dict(zip(Feedback.__struct_fields__, row, strict=True)))
