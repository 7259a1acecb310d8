"""The commands about feedback; hub/commands/__init__.py puts them into the table."""

from typing import Final

import msgspec

from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.feedback import records
from hub.feedback.records import Changes, Feedback, Filter, Id, Kind, Page, Said, Severity
from hub.staff.access import Caller


class RecordFeedback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rating needs `score` (of `score_max`, 5 if not said); a complaint `text` or `category`. With `ticket`, its
    number, contact and inbox are the ticket's. `promised_by` in milliseconds since 1970, UTC."""

    kind: Kind
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


class ChangeFeedback(Changes, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; null empties it. What the customer said cannot be changed."""

    feedback_id: Id


class GetFeedback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    feedback_id: Id


class ListFeedback(Filter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cursor: str | None = None
    limit: int = 50


def _record(tx: Tx, caller: Caller, request: RecordFeedback) -> Feedback:
    door = "console" if caller.token_id is None else "api"
    return records.record(tx, caller, Said(door=door, **msgspec.structs.asdict(request)))


def _change(tx: Tx, caller: Caller, request: ChangeFeedback) -> Feedback:
    return records.change(tx, caller, request.feedback_id, request)


def _get(rx: Rx, caller: Caller, request: GetFeedback) -> Feedback:
    return records.get(rx, caller, request.feedback_id)


def _list(rx: Rx, caller: Caller, request: ListFeedback) -> Page:
    return records.list_(rx, caller, request, cursor=request.cursor, limit=request.limit)


COMMANDS: Final = (
    Command(
        name="record_feedback",
        noun="feedback",
        summary="Write down praise, a complaint, a suggestion or a rating, with or without a contact and a ticket.",
        method="POST",
        path="/feedback",
        request=RecordFeedback,
        answer=Feedback,
        scope="feedback:write",
        permission="feedback.record",
        write=_record,
        status=201,
    ),
    Command(
        name="change_feedback",
        noun="feedback",
        summary="Change how a record is judged, what was promised, its cause and its outcome.",
        method="PATCH",
        path="/feedback/{feedback_id}",
        request=ChangeFeedback,
        answer=Feedback,
        scope="feedback:write",
        permission="feedback.change",
        write=_change,
    ),
    Command(
        name="get_feedback",
        noun="feedback",
        summary="Read one record.",
        method="GET",
        path="/feedback/{feedback_id}",
        request=GetFeedback,
        answer=Feedback,
        scope="feedback:read",
        permission="feedback.read",
        read=_get,
    ),
    Command(
        name="list_feedback",
        noun="feedback",
        summary="List records, newest first, by kind, severity, category, ticket or contact.",
        method="GET",
        path="/feedback",
        request=ListFeedback,
        answer=Page,
        scope="feedback:read",
        permission="feedback.read",
        read=_list,
    ),
)
