"""Commands that read tickets, and that move them: assign, resolve, snooze, tag and the like."""

from typing import Annotated, Any, Final, Literal

import msgspec

from hub.commands.answers import (
    Cursor,
    Id,
    Limit,
    Request,
    TicketAnswer,
    ticket_answer,
    ticket_left,
    ticket_now,
    ticket_whole,
)
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import assignment, followers, lists, moving, tags, tickets
from hub.desk import ticket as gate
from hub.desk.files import rows as files
from hub.desk.files.rows import FileShown
from hub.desk.ticket import Priority, Status
from hub.staff.access import Caller, require_permission


class TicketPage(msgspec.Struct, frozen=True):
    items: list[TicketAnswer]
    next: str | None


class MessageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`page`: there is HTML of it, to be seen at /m/<id>/body. `original`: it can be had as it came, at
    /m/<id>/original, as long as that is kept."""

    id: int
    inbox_id: int
    direction: Literal["incoming", "outgoing"]
    author_kind: Literal["contact", "agent", "bot"]
    author_id: int
    text: str
    page: bool
    original: bool
    subject: str | None
    in_reply_to: int | None
    sent_at: int | None
    details: dict[str, Any]
    created_at: int
    edited_at: int | None
    deleted_at: int | None
    files: tuple[FileShown, ...] = ()


def message_answer(said: lists.Said, files: tuple[FileShown, ...]) -> MessageAnswer:
    fields = msgspec.structs.asdict(said)
    fields["page"] = fields.pop("html") is not None
    fields["original"] = fields.pop("inbound_id") is not None and said.deleted_at is None
    fields["details"] = msgspec.json.decode(said.details) if said.details else {}
    return MessageAnswer(**fields, files=files)


class ThreadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    ticket: TicketAnswer
    messages: list[MessageAnswer]
    deliveries: list[lists.Delivered]
    notes: list[lists.Noted]
    followers: tuple[int, ...]
    older: str | None
    moving: int  # of a merge or split so much is still on its way here or from here


class FollowersAnswer(msgspec.Struct, frozen=True):
    """The ids of the agents who follow it."""

    number: int
    followers: tuple[int, ...]


class EventAnswer(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    at: int
    by_kind: str
    by_id: int
    payload: dict[str, Any]


class EventPage(msgspec.Struct, frozen=True):
    items: list[EventAnswer]
    next: str | None


# --- requests ------------------------------------------------------------------------------------------------------


class TicketFilter(Request, frozen=True, kw_only=True):
    """`status`, `priority`: any of these. Unless `status` says otherwise, `mine`, `unassigned` and `open` show what is
    open or pending. `unread`: the contact has written since the caller read it."""

    view: lists.View = "all"
    status: Annotated[tuple[Status, ...], msgspec.Meta(max_length=4)] = ()
    priority: Annotated[tuple[Priority, ...], msgspec.Meta(max_length=4)] = ()
    inbox_id: Id | None = None
    kind: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    team_id: Id | None = None
    assignee_id: Id | None = None
    contact_id: Id | None = None
    tag: str | None = None
    unread: bool = False

    @property
    def filter(self) -> lists.Filter:
        return lists.Filter(**{name: getattr(self, name) for name in lists.Filter.__struct_fields__})


class ListTickets(TicketFilter, frozen=True, kw_only=True):
    """`status`, `priority`: any of these. Unless `status` says otherwise, `mine`, `unassigned` and `open` show what is
    open or pending. `unread`: the contact has written since the caller read it. `sort`: the newest words first; or
    who has waited longest first, the most urgent first: both of what is not resolved."""

    sort: lists.Sort = "newest"
    limit: Limit = 50
    cursor: Cursor | None = None


class OneTicket(Request, frozen=True, kw_only=True):
    number: Id


class ReadTicket(Request, frozen=True, kw_only=True):
    """`cursor`: the `older` of the page before."""

    number: Id
    limit: Limit = 50
    cursor: Cursor | None = None


class Assign(Request, frozen=True, kw_only=True):
    """`agent_id` null puts it back to the queue."""

    number: Id
    agent_id: Id | None


class Move(Request, frozen=True, kw_only=True):
    number: Id
    team_id: Id | None


class HandOver(Request, frozen=True, kw_only=True):
    """To one of the two, with a note."""

    number: Id
    note: str
    agent_id: Id | None = None
    team_id: Id | None = None


class Snooze(Request, frozen=True, kw_only=True):
    """`until` in milliseconds since 1970, UTC; null: until the contact writes."""

    number: Id
    until: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)] | None


class ChangeTicket(Request, frozen=True, kw_only=True):
    """Only what is given changes."""

    number: Id
    subject: str | msgspec.UnsetType = msgspec.UNSET
    priority: Priority | msgspec.UnsetType = msgspec.UNSET
    spam: bool | msgspec.UnsetType = msgspec.UNSET


class TagTicket(Request, frozen=True, kw_only=True):
    number: Id
    tag: str


# --- what they do --------------------------------------------------------------------------------------------------


def _list(rx: Rx, caller: Caller, request: ListTickets) -> TicketPage:
    found, following = lists.listed(
        rx, caller, request.filter, sort=request.sort, limit=request.limit, cursor=request.cursor
    )
    tagged = tags.of_tickets(rx, [one.ticket.id for one in found])
    return TicketPage(
        [ticket_answer(one.ticket, one.contact_name, tagged.get(one.ticket.id, ()), one) for one in found], following
    )


def _thread(rx: Rx, caller: Caller, request: ReadTicket) -> ThreadAnswer:
    thread = lists.thread(rx, caller, request.number, limit=request.limit, cursor=request.cursor)
    attached = files.of_messages(rx, [said.id for said in thread.messages])
    return ThreadAnswer(
        ticket=ticket_whole(rx, thread.ticket.id),
        messages=[message_answer(said, attached.get(said.id, ())) for said in thread.messages],
        deliveries=thread.deliveries,
        notes=thread.notes,
        followers=followers.of_ticket(rx, thread.ticket.id),
        older=thread.older,
        moving=moving.left(rx, thread.ticket.id),
    )


def _events(rx: Rx, caller: Caller, request: ReadTicket) -> EventPage:
    found, following = lists.events(rx, caller, request.number, limit=request.limit, cursor=request.cursor)
    items = []
    for happened in found:
        fields = msgspec.structs.asdict(happened)
        items.append(EventAnswer(**fields | {"payload": msgspec.json.decode(happened.payload)}))
    return EventPage(items, following)


def _assign(tx: Tx, caller: Caller, request: Assign) -> TicketAnswer:
    """Answers with the ticket as it is then, even out of the caller's own sight: else nobody could put back or hand
    over what they see only because it is theirs."""
    assignment.assign(tx, caller, request.number, request.agent_id)
    return ticket_left(tx, request.number)


def _hand_over(tx: Tx, caller: Caller, request: HandOver) -> TicketAnswer:
    """Answers with the ticket as it is then, even out of the caller's own sight."""
    require_permission(caller, "tickets.note")
    assignment.hand_over(tx, caller, request.number, request.note, to=request.agent_id, team_id=request.team_id)
    return ticket_left(tx, request.number)


def _follow(tx: Tx, caller: Caller, request: OneTicket) -> FollowersAnswer:
    followers.follow(tx, caller, request.number)
    return _followers(tx, caller, request.number)


def _unfollow(tx: Tx, caller: Caller, request: OneTicket) -> FollowersAnswer:
    followers.unfollow(tx, caller, request.number)
    return _followers(tx, caller, request.number)


def _followers(rx: Rx, caller: Caller, number: int) -> FollowersAnswer:
    return FollowersAnswer(number, followers.of_ticket(rx, gate.seen(rx, caller, number).id))


def _claim(tx: Tx, caller: Caller, request: OneTicket) -> TicketAnswer:
    assignment.claim(tx, caller, request.number)
    return ticket_now(tx, caller, request.number)


def _move(tx: Tx, caller: Caller, request: Move) -> TicketAnswer:
    """Answers with the ticket as it was moved, even out of the caller's own sight."""
    assignment.move(tx, caller, request.number, request.team_id)
    return ticket_left(tx, request.number)


def _resolve(tx: Tx, caller: Caller, request: OneTicket) -> TicketAnswer:
    tickets.resolve(tx, caller, request.number)
    return ticket_now(tx, caller, request.number)


def _reopen(tx: Tx, caller: Caller, request: OneTicket) -> TicketAnswer:
    tickets.reopen(tx, caller, request.number)
    return ticket_now(tx, caller, request.number)


def _await(tx: Tx, caller: Caller, request: OneTicket) -> TicketAnswer:
    tickets.await_contact(tx, caller, request.number)
    return ticket_now(tx, caller, request.number)


def _snooze(tx: Tx, caller: Caller, request: Snooze) -> TicketAnswer:
    tickets.snooze(tx, caller, request.number, request.until)
    return ticket_now(tx, caller, request.number)


def _change(tx: Tx, caller: Caller, request: ChangeTicket) -> TicketAnswer:
    gate.seen(tx, caller, request.number)
    if request.subject is not msgspec.UNSET:
        tickets.set_subject(tx, caller, request.number, request.subject)
    if request.priority is not msgspec.UNSET:
        tickets.set_priority(tx, caller, request.number, request.priority)
    if request.spam is not msgspec.UNSET:
        tickets.mark_spam(tx, caller, request.number, request.spam)
    return ticket_now(tx, caller, request.number)


def _tag(tx: Tx, caller: Caller, request: TagTicket) -> TicketAnswer:
    tags.tag_ticket(tx, caller, request.number, request.tag)
    return ticket_now(tx, caller, request.number)


def _untag(tx: Tx, caller: Caller, request: TagTicket) -> TicketAnswer:
    tags.untag_ticket(tx, caller, request.number, request.tag)
    return ticket_now(tx, caller, request.number)


_READ: dict[str, Any] = {"noun": "tickets", "method": "GET", "scope": "tickets:read", "permission": "tickets.read"}
_WRITE: dict[str, Any] = {"noun": "tickets", "method": "POST", "scope": "tickets:write", "refuses": ("conflict",)}
# One's own mark on a ticket, which goes with reading it.
_OWN: dict[str, Any] = {
    "noun": "tickets",
    "method": "POST",
    "scope": "tickets:read",
    "permission": "tickets.read",
    "refuses": ("conflict",),
}
_ONE: Final = "/tickets/{number}"

COMMANDS: Final = (
    Command(
        name="list_tickets",
        summary="Tickets, by view, filter and order.",
        path="/tickets",
        request=ListTickets,
        answer=TicketPage,
        read=_list,
        **_READ,
    ),
    Command(
        name="read_ticket",
        summary="One ticket with what was said, oldest first.",
        path=_ONE,
        request=ReadTicket,
        answer=ThreadAnswer,
        read=_thread,
        **_READ,
    ),
    Command(
        name="list_ticket_events",
        summary="What happened to a ticket, newest first.",
        path=f"{_ONE}/events",
        request=ReadTicket,
        answer=EventPage,
        read=_events,
        **_READ,
    ),
    Command(
        name="assign",
        summary="Give it to an agent, or put it back.",
        path=f"{_ONE}/assign",
        request=Assign,
        answer=TicketAnswer,
        permission="tickets.assign",
        write=_assign,
        **_WRITE,
    ),
    Command(
        name="claim",
        summary="Take it.",
        path=f"{_ONE}/claim",
        request=OneTicket,
        answer=TicketAnswer,
        permission="tickets.reply",
        write=_claim,
        **_WRITE,
    ),
    Command(
        name="move",
        summary="Give it to another team.",
        path=f"{_ONE}/move",
        request=Move,
        answer=TicketAnswer,
        permission="tickets.assign",
        write=_move,
        **_WRITE,
    ),
    Command(
        name="hand_over",
        summary="Give it to a colleague or to another team's queue, with a note.",
        path=f"{_ONE}/hand_over",
        request=HandOver,
        answer=TicketAnswer,
        permission="tickets.assign",
        write=_hand_over,
        **_WRITE,
    ),
    Command(
        name="follow",
        summary="Follow it: it stands in the caller's view of those.",
        path=f"{_ONE}/follow",
        request=OneTicket,
        answer=FollowersAnswer,
        write=_follow,
        **_OWN,
    ),
    Command(
        name="unfollow",
        summary="Follow it no longer.",
        path=f"{_ONE}/unfollow",
        request=OneTicket,
        answer=FollowersAnswer,
        write=_unfollow,
        **_OWN,
    ),
    Command(
        name="resolve",
        summary="It is done.",
        path=f"{_ONE}/resolve",
        request=OneTicket,
        answer=TicketAnswer,
        permission="tickets.change",
        write=_resolve,
        **_WRITE,
    ),
    Command(
        name="reopen",
        summary="It is not done after all.",
        path=f"{_ONE}/reopen",
        request=OneTicket,
        answer=TicketAnswer,
        permission="tickets.change",
        write=_reopen,
        **_WRITE,
    ),
    Command(
        name="await_contact",
        summary="It is the contact's turn.",
        path=f"{_ONE}/pending",
        request=OneTicket,
        answer=TicketAnswer,
        permission="tickets.change",
        write=_await,
        **_WRITE,
    ),
    Command(
        name="snooze",
        summary="Out of sight until a time or until the contact writes.",
        path=f"{_ONE}/snooze",
        request=Snooze,
        answer=TicketAnswer,
        permission="tickets.change",
        write=_snooze,
        **_WRITE,
    ),
    Command(
        name="change_ticket",
        summary="Change subject, priority or the spam mark.",
        path=_ONE,
        request=ChangeTicket,
        answer=TicketAnswer,
        permission="tickets.change",
        write=_change,
        **_WRITE | {"method": "PATCH"},
    ),
    Command(
        name="tag_ticket",
        summary="Put a tag on it; a new one is made.",
        path=f"{_ONE}/tag",
        request=TagTicket,
        answer=TicketAnswer,
        permission="tickets.change",
        write=_tag,
        **_WRITE,
    ),
    Command(
        name="untag_ticket",
        summary="Take a tag off.",
        path=f"{_ONE}/untag",
        request=TagTicket,
        answer=TicketAnswer,
        permission="tickets.change",
        write=_untag,
        **_WRITE,
    ),
)
