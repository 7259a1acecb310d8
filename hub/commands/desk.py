"""Commands on the desk's own machinery: jobs given up, what lies in quarantine, whether anything may leave."""

from typing import Annotated, Any, Final, Literal

import msgspec

from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import inbound, jobs, outbox
from hub.staff.access import Caller, require_permission

MANAGE: Final = "desk.manage"
Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Done(msgspec.Struct, frozen=True):
    ok: bool = True


class JobAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was given up, with what it said last. Times are milliseconds since 1970, UTC."""

    id: int
    kind: str
    key: str | None
    payload: Any
    attempts: int
    error: str
    created_at: int
    died_at: int


class JobPage(msgspec.Struct, frozen=True):
    """`next`: give it as `before` for the page after this one; null on the last."""

    items: list[JobAnswer]
    next: int | None


class QuarantineAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came and could not be understood. `body` is its beginning: text, or base64 where `encoded`."""

    id: int
    inbox_id: int
    received_at: int
    reason: str
    tries: int
    size: int
    body: str
    encoded: bool


class QuarantinePage(msgspec.Struct, frozen=True):
    items: list[QuarantineAnswer]
    next: int | None


class OutboxAnswer(msgspec.Struct, frozen=True):
    state: Literal["open", "frozen"]


class Page(_Request, frozen=True, kw_only=True):
    before: Id | None = None
    limit: Limit = 50


class OneJob(_Request, frozen=True, kw_only=True):
    job_id: Id


class OneInbound(_Request, frozen=True, kw_only=True):
    inbound_id: Id


class ReadOutbox(_Request, frozen=True, kw_only=True):
    pass


class ChangeOutbox(_Request, frozen=True, kw_only=True):
    state: Literal["open", "frozen"]


def _dead(rx: Rx, caller: Caller, request: Page) -> JobPage:
    found = jobs.dead(rx, caller, before=request.before, limit=request.limit)
    items = [
        JobAnswer(
            id=job.id,
            kind=job.kind,
            key=job.key,
            payload=job.payload,
            attempts=job.attempts,
            error=job.error,
            created_at=job.created_at,
            died_at=job.died_at,
        )
        for job in found
    ]
    return JobPage(items, items[-1].id if len(items) == request.limit else None)


def _retry_job(tx: Tx, caller: Caller, request: OneJob) -> Done:
    jobs.revive(tx, caller, request.job_id)
    return Done()


def _drop_job(tx: Tx, caller: Caller, request: OneJob) -> Done:
    jobs.drop(tx, caller, request.job_id)
    return Done()


def _quarantine(rx: Rx, caller: Caller, request: Page) -> QuarantinePage:
    found = inbound.quarantined(rx, caller, before=request.before, limit=request.limit)
    items = [
        QuarantineAnswer(
            id=one.id,
            inbox_id=one.inbox_id,
            received_at=one.received_at,
            reason=one.reason,
            tries=one.tries,
            size=one.size,
            body=one.body,
            encoded=one.encoded,
        )
        for one in found
    ]
    return QuarantinePage(items, items[-1].id if len(items) == request.limit else None)


def _retry_quarantined(tx: Tx, caller: Caller, request: OneInbound) -> Done:
    inbound.retry(tx, caller, request.inbound_id)
    return Done()


def _discard_quarantined(tx: Tx, caller: Caller, request: OneInbound) -> Done:
    inbound.discard(tx, caller, request.inbound_id)
    return Done()


def _read_outbox(rx: Rx, caller: Caller, _request: ReadOutbox) -> OutboxAnswer:
    require_permission(caller, MANAGE)
    return OutboxAnswer("frozen" if outbox.is_frozen(rx) else "open")


def _change_outbox(tx: Tx, caller: Caller, request: ChangeOutbox) -> OutboxAnswer:
    (outbox.freeze if request.state == "frozen" else outbox.thaw)(tx, caller)
    return OutboxAnswer(request.state)


def _command(name: str, summary: str, method: Any, path: str, request: Any, answer: Any, **rest: Any) -> Command:
    scope = "desk:read" if method == "GET" else "desk:write"
    return Command(
        name=name,
        noun="desk",
        summary=summary,
        method=method,
        path=path,
        request=request,
        answer=answer,
        scope=scope,
        permission=MANAGE,
        **rest,
    )


COMMANDS: Final = (
    _command(
        "list_dead_jobs", "Jobs that were given up, newest first.", "GET", "/jobs/dead", Page, JobPage, read=_dead
    ),
    _command(
        "retry_job", "Tries a job again from the start.", "POST", "/jobs/{job_id}/retry", OneJob, Done, write=_retry_job
    ),
    _command("drop_job", "Forgets a job that was given up.", "DELETE", "/jobs/{job_id}", OneJob, Done, write=_drop_job),
    _command(
        "list_quarantine",
        "What came in and could not be understood, newest first.",
        "GET",
        "/quarantine",
        Page,
        QuarantinePage,
        read=_quarantine,
    ),
    _command(
        "retry_quarantined",
        "Reads it again, once the cause is mended. Nothing is stored twice.",
        "POST",
        "/quarantine/{inbound_id}/retry",
        OneInbound,
        Done,
        write=_retry_quarantined,
        refuses=("conflict",),
    ),
    _command(
        "discard_quarantined",
        "Takes it out of quarantine unread.",
        "DELETE",
        "/quarantine/{inbound_id}",
        OneInbound,
        Done,
        write=_discard_quarantined,
        refuses=("conflict",),
    ),
    _command(
        "read_outbox",
        "Whether anything may leave the desk.",
        "GET",
        "/outbox",
        ReadOutbox,
        OutboxAnswer,
        read=_read_outbox,
    ),
    _command(
        "change_outbox",
        "Freezes or opens the outbox. After a restore it is frozen, so that nobody is written to twice.",
        "PUT",
        "/outbox",
        ChangeOutbox,
        OutboxAnswer,
        write=_change_outbox,
    ),
)
