"""Commands that make one ticket of two, and two of one."""

from typing import Any, Final

from hub.commands.answers import Id, Request, TicketAnswer, ticket_now
from hub.commands.table import Command
from hub.commands.tickets import OneTicket
from hub.db.tx import Tx
from hub.desk import merging, parting
from hub.staff.access import Caller


class Merge(Request, frozen=True, kw_only=True):
    """`number` becomes part of `into`. Both are of the same contact."""

    number: Id
    into: Id


class Split(Request, frozen=True, kw_only=True):
    """`from_message_id`: the message of the contact's with which the other matter begins."""

    number: Id
    from_message_id: Id


def _merge(tx: Tx, caller: Caller, request: Merge) -> TicketAnswer:
    merging.merge(tx, caller, request.number, request.into)
    return ticket_now(tx, caller, request.into)


def _unmerge(tx: Tx, caller: Caller, request: OneTicket) -> TicketAnswer:
    merging.unmerge(tx, caller, request.number)
    return ticket_now(tx, caller, request.number)


def _split(tx: Tx, caller: Caller, request: Split) -> TicketAnswer:
    return ticket_now(tx, caller, parting.split(tx, caller, request.number, request.from_message_id))


_WRITE: dict[str, Any] = {
    "noun": "tickets",
    "method": "POST",
    "answer": TicketAnswer,
    "scope": "tickets:write",
    "permission": "tickets.change",
    "refuses": ("conflict",),
}
_ONE: Final = "/tickets/{number}"

COMMANDS: Final = (
    Command(
        name="merge_ticket",
        summary="Make it part of another ticket of the same contact; answers with that one.",
        path=f"{_ONE}/merge",
        request=Merge,
        write=_merge,
        **_WRITE,
    ),
    Command(
        name="unmerge_ticket",
        summary="Take a merge back: everything is where it was before.",
        path=f"{_ONE}/unmerge",
        request=OneTicket,
        write=_unmerge,
        **_WRITE,
    ),
    Command(
        name="split_ticket",
        summary="Make a ticket of a message and all that was said after it; answers with the new one.",
        path=f"{_ONE}/split",
        request=Split,
        write=_split,
        status=201,
        **_WRITE,
    ),
)
