"""Commands on canned responses."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from hub.commands.answers import Id, Request
from hub.commands.reading import Nothing
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import canned
from hub.desk.canned import Canned, Wanted
from hub.desk.filling import Filled
from hub.staff.access import Caller

Language = Annotated[str, msgspec.Meta(pattern="^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3})?$")]


class CreateCanned(Request, frozen=True, kw_only=True):
    """For the whole desk, unless `team_id` names a team or it is one's `own`. Variables stand in double braces, as
    {{contact.first_name}}; docs/api.md has them all."""

    short: str
    text: str
    title: str = ""
    team_id: Id | None = None
    own: bool = False
    language: Language | None = None


class ChangeCanned(Request, frozen=True, kw_only=True):
    """Only what is given changes."""

    canned_id: Id
    short: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    team_id: Id | UnsetType | None = UNSET
    own: bool | UnsetType = UNSET
    language: Language | UnsetType | None = UNSET


class OneCanned(Request, frozen=True, kw_only=True):
    canned_id: Id


class FillCanned(Request, frozen=True, kw_only=True):
    """For the ticket `number`, as the caller would write it."""

    canned_id: Id
    number: Id


class CannedList(msgspec.Struct, frozen=True):
    items: list[Canned]


class DeletedAnswer(msgspec.Struct, frozen=True):
    id: int


def _list(rx: Rx, caller: Caller, _: Nothing) -> CannedList:
    return CannedList(canned.listed(rx, caller))


def _create(tx: Tx, caller: Caller, request: CreateCanned) -> Canned:
    return canned.create(tx, caller, Wanted(**msgspec.structs.asdict(request)))


def _change(tx: Tx, caller: Caller, request: ChangeCanned) -> Canned:
    given = {name: value for name, value in msgspec.structs.asdict(request).items() if value is not UNSET}
    return canned.change(tx, caller, given.pop("canned_id"), **given)


def _delete(tx: Tx, caller: Caller, request: OneCanned) -> DeletedAnswer:
    canned.delete(tx, caller, request.canned_id)
    return DeletedAnswer(request.canned_id)


def _fill(rx: Rx, caller: Caller, request: FillCanned) -> Filled:
    return canned.fill(rx, caller, request.canned_id, request.number)


_WRITE: dict[str, Any] = {"noun": "canned", "scope": "tickets:write", "permission": "tickets.reply"}
_READ: dict[str, Any] = {"noun": "canned", "scope": "tickets:read", "permission": "tickets.read"}
_ONE: Final = "/canned/{canned_id}"

COMMANDS: Final = (
    Command(
        name="list_canned",
        summary="The canned responses that the caller may use, by short name, at most a thousand.",
        method="GET",
        path="/canned",
        request=Nothing,
        answer=CannedList,
        read=_list,
        **_READ,
    ),
    Command(
        name="create_canned",
        summary="Keep a text under a short name.",
        method="POST",
        path="/canned",
        request=CreateCanned,
        answer=Canned,
        write=_create,
        status=201,
        refuses=("conflict",),
        **_WRITE,
    ),
    Command(
        name="change_canned",
        summary="Change a canned response, or whose it is.",
        method="PATCH",
        path=_ONE,
        request=ChangeCanned,
        answer=Canned,
        write=_change,
        **_WRITE,
    ),
    Command(
        name="delete_canned",
        summary="Delete a canned response.",
        method="DELETE",
        path=_ONE,
        request=OneCanned,
        answer=DeletedAnswer,
        write=_delete,
        **_WRITE,
    ),
    Command(
        name="fill_canned",
        summary="The text with its variables filled in; those without a value stand as they were.",
        method="GET",
        path=f"{_ONE}/fill",
        request=FillCanned,
        answer=Filled,
        read=_fill,
        refuses=("conflict",),
        **_READ,
    ),
)
