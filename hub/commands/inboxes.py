"""Commands on inboxes: what channels there are, which inboxes, what is set for them and how they fare."""

from typing import Annotated, Any, Final

import msgspec

from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import inboxes, kinds
from hub.desk import settings as forms
from hub.desk.inboxes import Inbox
from hub.staff.access import Caller, require_permission

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class HealthAnswer(msgspec.Struct, frozen=True):
    """`at`: when it last worked or failed, milliseconds since 1970. `error` null: it works, or was not tried yet."""

    at: int | None
    error: str | None


class InboxAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`secrets` names those that are set; what they are is never told. `token` is for those who may manage inboxes."""

    id: int
    kind: str
    name: str
    enabled: bool
    team_id: int | None
    teams: list[int]
    settings: dict[str, Any]
    secrets: list[str]
    health_in: HealthAnswer
    health_out: HealthAnswer
    created_at: int
    token: str | None


class InboxList(msgspec.Struct, frozen=True):
    items: list[InboxAnswer]


class FieldAnswer(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    label: str
    help: str
    type: str
    required: bool
    secret: bool
    choices: list[str]
    default: Any


class ChannelAnswer(msgspec.Struct, frozen=True):
    kind: str
    title: str
    settings: list[FieldAnswer]


class ChannelList(msgspec.Struct, frozen=True):
    items: list[ChannelAnswer]


class ListChannels(_Request, frozen=True, kw_only=True):
    pass


class ListInboxes(_Request, frozen=True, kw_only=True):
    pass


class ReadInbox(_Request, frozen=True, kw_only=True):
    inbox_id: Id


class CheckInbox(_Request, frozen=True, kw_only=True):
    inbox_id: Id


class CheckAnswer(msgspec.Struct, frozen=True):
    """`asked`: the connection is being tried. What comes of it stands in the inbox's `health_out` in a moment."""

    asked: bool = True


class CreateInbox(_Request, frozen=True, kw_only=True):
    kind: str
    name: str
    settings: dict[str, Any] = {}
    team_id: Id | None = None
    teams: tuple[Id, ...] = ()
    enabled: bool = True


class ChangeInbox(_Request, frozen=True, kw_only=True):
    """What is left out stays. `settings` is laid over what is set; null puts one back to its default."""

    inbox_id: Id
    name: str | msgspec.UnsetType = msgspec.UNSET
    settings: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    team_id: Id | msgspec.UnsetType | None = msgspec.UNSET
    teams: tuple[Id, ...] | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET


def _channels(_rx: Rx, caller: Caller, _request: ListChannels) -> ChannelList:
    require_permission(caller, "inboxes.read")
    return ChannelList(
        [
            ChannelAnswer(
                kind.kind,
                kind.title,
                [
                    FieldAnswer(
                        name=field.name,
                        label=field.label,
                        help=field.help,
                        type=field.type,
                        required=field.required,
                        secret=field.secret,
                        choices=list(field.choices),
                        default=field.default,
                    )
                    for field in forms.form(kind.kind)
                ],
            )
            for kind in kinds.known()
        ]
    )


def _list(rx: Rx, caller: Caller, _request: ListInboxes) -> InboxList:
    return InboxList([_answer(rx, caller, inbox) for inbox in inboxes.listed(rx, caller)])


def _read(rx: Rx, caller: Caller, request: ReadInbox) -> InboxAnswer:
    return _answer(rx, caller, inboxes.get(rx, caller, request.inbox_id))


def _create(tx: Tx, caller: Caller, request: CreateInbox) -> InboxAnswer:
    made = inboxes.create(
        tx,
        caller,
        kind=request.kind,
        name=request.name,
        settings=request.settings,
        team_id=request.team_id,
        teams=request.teams,
        enabled=request.enabled,
    )
    return _answer(tx, caller, made)


def _change(tx: Tx, caller: Caller, request: ChangeInbox) -> InboxAnswer:
    changed = inboxes.change(
        tx,
        caller,
        request.inbox_id,
        name=request.name,
        settings=request.settings,
        team_id=request.team_id,
        teams=request.teams,
        enabled=request.enabled,
    )
    return _answer(tx, caller, changed)


def _check(tx: Tx, caller: Caller, request: CheckInbox) -> CheckAnswer:
    inboxes.ask_to_check(tx, caller, request.inbox_id)
    return CheckAnswer()


def _answer(rx: Rx, caller: Caller, inbox: Inbox) -> InboxAnswer:
    manages = caller.actor.kind == "system" or inboxes.MANAGE in caller.grants.permissions
    return InboxAnswer(
        id=inbox.id,
        kind=inbox.kind,
        name=inbox.name,
        enabled=inbox.enabled,
        team_id=inbox.team_id,
        teams=inboxes.teams_of(rx, inbox.id),
        settings=inbox.settings,
        secrets=sorted(inbox.sealed),
        health_in=HealthAnswer(inbox.health_in.at, inbox.health_in.error),
        health_out=HealthAnswer(inbox.health_out.at, inbox.health_out.error),
        created_at=inbox.created_at,
        token=inbox.token if manages else None,
    )


COMMANDS: Final = (
    Command(
        name="list_channels",
        noun="inboxes",
        summary="The kinds of channels there are, and what can be set for an inbox of each.",
        method="GET",
        path="/channels",
        request=ListChannels,
        answer=ChannelList,
        scope="inboxes:read",
        permission="inboxes.read",
        read=_channels,
    ),
    Command(
        name="list_inboxes",
        noun="inboxes",
        summary="The inboxes whose tickets you may see, by name.",
        method="GET",
        path="/inboxes",
        request=ListInboxes,
        answer=InboxList,
        scope="inboxes:read",
        permission="inboxes.read",
        read=_list,
    ),
    Command(
        name="read_inbox",
        noun="inboxes",
        summary="One inbox: its settings, which secrets are set, and how it fares.",
        method="GET",
        path="/inboxes/{inbox_id}",
        request=ReadInbox,
        answer=InboxAnswer,
        scope="inboxes:read",
        permission="inboxes.read",
        read=_read,
    ),
    Command(
        name="create_inbox",
        noun="inboxes",
        summary="Connects a channel.",
        method="POST",
        path="/inboxes",
        request=CreateInbox,
        answer=InboxAnswer,
        scope="inboxes:write",
        permission=inboxes.MANAGE,
        write=_create,
        status=201,
        refuses=("conflict",),
    ),
    Command(
        name="change_inbox",
        noun="inboxes",
        summary="Changes an inbox; what is left out stays as it is.",
        method="PATCH",
        path="/inboxes/{inbox_id}",
        request=ChangeInbox,
        answer=InboxAnswer,
        scope="inboxes:write",
        permission=inboxes.MANAGE,
        write=_change,
        refuses=("conflict",),
    ),
    Command(
        name="check_inbox",
        noun="inboxes",
        summary="Tries the connection; the inbox's health says what came of it.",
        method="POST",
        path="/inboxes/{inbox_id}/check",
        request=CheckInbox,
        answer=CheckAnswer,
        scope="inboxes:write",
        permission=inboxes.MANAGE,
        write=_check,
        status=202,
    ),
)
