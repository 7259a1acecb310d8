"""Commands on what is an agent's own about tickets: what they have read, and how many there are in each view."""

from typing import Annotated, Any, Final

import msgspec

from hub.commands.answers import Id, Request
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import counts, reading
from hub.desk.counts import Counts
from hub.staff.access import Caller

Window = Annotated[str, msgspec.Meta(max_length=64)]


class MarkRead(Request, frozen=True, kw_only=True):
    """Everything up to this message. `window`: whatever names the client's window; what the agent's other windows
    hear of it carries it, so that this one can pass it over."""

    number: Id
    message_id: Id
    window: Window | None = None


class MarkUnread(Request, frozen=True, kw_only=True):
    number: Id
    window: Window | None = None


class Nothing(Request, frozen=True, kw_only=True):
    pass


class ReadAnswer(msgspec.Struct, frozen=True):
    """The caller has read up to there."""

    number: int
    message_id: int


def _read(tx: Tx, caller: Caller, request: MarkRead) -> ReadAnswer:
    upto = reading.mark_read(tx, caller, request.number, request.message_id, request.window)
    return ReadAnswer(request.number, upto)


def _unread(tx: Tx, caller: Caller, request: MarkUnread) -> ReadAnswer:
    return ReadAnswer(request.number, reading.mark_unread(tx, caller, request.number, request.window))


def _counts(rx: Rx, caller: Caller, _: Nothing) -> Counts:
    return counts.of(rx, caller)


_OWN: dict[str, Any] = {
    "noun": "reading",
    "method": "POST",
    "answer": ReadAnswer,
    "scope": "tickets:read",  # to have read it goes with reading
    "permission": "tickets.read",
    "refuses": ("conflict",),
}

COMMANDS: Final = (
    Command(
        name="mark_read",
        summary="The caller has read everything up to this message.",
        path="/tickets/{number}/read",
        request=MarkRead,
        write=_read,
        **_OWN,
    ),
    Command(
        name="mark_unread",
        summary="The contact's newest message counts as unread again, for the caller.",
        path="/tickets/{number}/unread",
        request=MarkUnread,
        write=_unread,
        **_OWN,
    ),
    Command(
        name="read_counts",
        noun="reading",
        summary="How many tickets there are in each of the caller's views, up to 1000.",
        method="GET",
        path="/counts",
        request=Nothing,
        answer=Counts,
        scope="tickets:read",
        permission="tickets.read",
        read=_counts,
    ),
)
