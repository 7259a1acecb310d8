"""Commands on reply targets: how soon we mean to answer."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.commands.answers import Id, Request
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import targets
from hub.desk.targets import OfInbox, Target
from hub.desk.ticket import Priority
from hub.staff.access import Caller

Minutes = Annotated[int, Meta(ge=1, le=366 * 24 * 60)]


class TargetList(msgspec.Struct, frozen=True):
    items: list[OfInbox]


class Nothing(Request, frozen=True, kw_only=True):
    pass


class WantedTarget(Request, frozen=True, kw_only=True):
    """Minutes of business hours; null: no target. `warn_minutes` before it is due the ticket is marked (0: not). At the
    breach: `raise_priority` by one, move to `escalate_to_team_id`, `put_back` to the queue for others to be asked."""

    priority: Priority
    first_reply_minutes: Minutes | None = None
    next_reply_minutes: Minutes | None = None
    warn_minutes: Annotated[int, Meta(ge=0, le=366 * 24 * 60)] = 0
    raise_priority: bool = False
    put_back: bool = False
    escalate_to_team_id: Id | None = None


class SetTargets(Request, frozen=True, kw_only=True):
    """All targets of an inbox, or with null those that count where an inbox has none of its own for a priority."""

    inbox_id: Id | None = None
    items: Annotated[list[WantedTarget], Meta(max_length=4)]


def _list(rx: Rx, caller: Caller, _request: Nothing) -> TargetList:
    return TargetList(targets.listed(rx, caller))


def _set(tx: Tx, caller: Caller, request: SetTargets) -> OfInbox:
    wanted = [Target(**msgspec.structs.asdict(item)) for item in request.items]
    targets.put(tx, caller, request.inbox_id, wanted)
    return targets.of_inbox(tx, request.inbox_id)


_TARGETS: dict[str, Any] = {"noun": "targets", "path": "/targets"}

COMMANDS: Final = (
    Command(
        name="list_targets",
        summary="How soon we mean to answer: of the desk, and of inboxes that have their own.",
        method="GET",
        request=Nothing,
        answer=TargetList,
        scope="inboxes:read",
        permission="inboxes.read",
        read=_list,
        **_TARGETS,
    ),
    Command(
        name="set_targets",
        summary="Replace the reply targets of an inbox, or of the desk; clocks that run go by the new ones.",
        method="PUT",
        request=SetTargets,
        answer=OfInbox,
        scope="inboxes:write",
        permission=targets.MANAGE,
        write=_set,
        **_TARGETS,
    ),
)
