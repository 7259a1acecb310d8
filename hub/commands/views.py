"""Commands on saved views, and on many tickets at once."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hub.commands.answers import Id, Request
from hub.commands.reading import Nothing
from hub.commands.table import Command
from hub.commands.tickets import TicketFilter
from hub.db.tx import Rx, Tx
from hub.desk import bulk, lists, saved_views
from hub.desk.bulk import Bulk, Wanted
from hub.desk.saved_views import View
from hub.desk.tags import MAX_TAG
from hub.desk.ticket import Priority
from hub.errors import invalid
from hub.staff.access import Caller
from hub.text import MAX_NAME

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
Until = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]


class CreateView(Request, frozen=True, kw_only=True):
    """`filter` as `list_tickets` takes it. `shared`: with all colleagues; it shows each what they may see."""

    name: Name
    filter: TicketFilter
    sort: lists.Sort = "newest"
    shared: bool = False


class ChangeView(Request, frozen=True, kw_only=True):
    """Only what is given changes; a filter as a whole."""

    view_id: Id
    name: Name | UnsetType = UNSET
    filter: TicketFilter | UnsetType = UNSET
    sort: lists.Sort | UnsetType = UNSET
    shared: bool | UnsetType = UNSET


class OneView(Request, frozen=True, kw_only=True):
    view_id: Id


class ViewList(msgspec.Struct, frozen=True):
    items: list[View]


class DeletedView(msgspec.Struct, frozen=True):
    id: int


class ChangeMany(Request, frozen=True, kw_only=True):
    """Either `numbers`, all of which have to be seen, or a `filter`, up to 10,000 tickets. `do` says what is done, and
    what it needs stands beside it: `agent_id` (null: nobody) to assign, `team_id` to move, `tag`, `until` (null: until
    the contact writes) to snooze, `priority`, `spam`. More than 100 are done bit by bit after the answer; the caller's
    windows are told how far."""

    do: bulk.Action
    numbers: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=500)] | None = None
    filter: TicketFilter | None = None
    agent_id: Id | UnsetType | None = UNSET
    team_id: Id | UnsetType | None = UNSET
    tag: Annotated[str, msgspec.Meta(max_length=MAX_TAG)] | UnsetType = UNSET
    until: Until | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    spam: bool | UnsetType = UNSET


class OneBulk(Request, frozen=True, kw_only=True):
    bulk_id: Id


def _list(rx: Rx, caller: Caller, _: Nothing) -> ViewList:
    return ViewList(saved_views.listed(rx, caller))


def _create(tx: Tx, caller: Caller, request: CreateView) -> View:
    return saved_views.create(
        tx, caller, name=request.name, filter=request.filter.filter, sort=request.sort, shared=request.shared
    )


def _change(tx: Tx, caller: Caller, request: ChangeView) -> View:
    given: dict[str, Any] = {}
    for name in ("name", "filter", "sort", "shared"):
        value = getattr(request, name)
        if value is not UNSET:
            given[name] = value.filter if isinstance(value, TicketFilter) else value
    return saved_views.change(tx, caller, request.view_id, **given)


def _delete(tx: Tx, caller: Caller, request: OneView) -> DeletedView:
    saved_views.delete(tx, caller, request.view_id)
    return DeletedView(request.view_id)


def _change_many(tx: Tx, caller: Caller, request: ChangeMany) -> Bulk:
    if (request.numbers is None) == (request.filter is None):
        raise invalid("numbers", "Give either the numbers of the tickets or a filter.")
    named = ("agent_id", "team_id", "tag", "until", "priority", "spam")
    args = {name: getattr(request, name) for name in named if getattr(request, name) is not UNSET}
    filter = request.filter.filter if request.filter is not None else None
    return bulk.start(tx, caller, Wanted(do=request.do, args=args), numbers=request.numbers or (), filter=filter)


def _read_bulk(rx: Rx, caller: Caller, request: OneBulk) -> Bulk:
    return bulk.of(rx, caller, request.bulk_id)


def _undo_bulk(tx: Tx, caller: Caller, request: OneBulk) -> Bulk:
    return bulk.undo(tx, caller, request.bulk_id)


def _command(
    noun: Literal["views", "tickets"], name: str, summary: str, method: Any, path: str, request: Any, **more: Any
) -> Command:
    write = "write" in more and noun == "tickets"
    return Command(
        name=name,
        noun=noun,
        summary=summary,
        method=method,
        path=path,
        request=request,
        scope="tickets:write" if write else "tickets:read",  # a view is one's own way of reading
        permission="tickets.change" if write else "tickets.read",
        **more,
    )


_ONE: Final = "/views/{view_id}"
_BULK: Final = "/bulk/{bulk_id}"

COMMANDS: Final = (
    _command(
        "views",
        "list_views",
        "The caller's own saved views and those that are shared, by name.",
        "GET",
        "/views",
        Nothing,
        answer=ViewList,
        read=_list,
    ),
    _command(
        "views",
        "create_view",
        "Save a filter and an order under a name.",
        "POST",
        "/views",
        CreateView,
        answer=View,
        write=_create,
        status=201,
        refuses=("conflict",),
    ),
    _command("views", "change_view", "Change a saved view.", "PATCH", _ONE, ChangeView, answer=View, write=_change),
    _command(
        "views", "delete_view", "Delete a saved view.", "DELETE", _ONE, OneView, answer=DeletedView, write=_delete
    ),
    _command(
        "tickets",
        "change_tickets",
        "Do one thing to many tickets.",
        "POST",
        "/tickets/bulk",
        ChangeMany,
        answer=Bulk,
        write=_change_many,
    ),
    _command(
        "tickets",
        "read_bulk",
        "How far an action on many tickets has come, and which of them stayed as they were.",
        "GET",
        _BULK,
        OneBulk,
        answer=Bulk,
        read=_read_bulk,
    ),
    _command(
        "tickets",
        "undo_bulk",
        "Put the tickets back as they were, those that nobody has changed since.",
        "POST",
        f"{_BULK}/undo",
        OneBulk,
        answer=Bulk,
        write=_undo_bulk,
        refuses=("conflict",),
    ),
)
