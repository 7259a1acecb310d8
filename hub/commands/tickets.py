"""Commands on tickets, their messages, notes, deliveries and tags."""

import secrets
from typing import Annotated, Any, Final, Literal

import msgspec

from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import assignment, deliveries, incoming, lists, notes, replies, tags, tickets
from hub.desk import ticket as gate
from hub.desk.ticket import Priority, Status, Ticket
from hub.people import contacts
from hub.staff.access import Caller

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=lists.MOST)]
Cursor = Annotated[str, msgspec.Meta(max_length=1_000)]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class TicketAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as it stands. Times are milliseconds since 1970, UTC."""

    number: int
    subject: str
    status: Status
    priority: Priority
    contact_id: int
    contact_name: str
    inbox_id: int
    team_id: int | None
    assignee_id: int | None
    handler: Literal["bot", "agent"]
    spam: bool
    waiting_since: int | None
    snoozed_until: int | None
    offered_to: int | None
    last_message_at: int
    created_at: int
    resolved_at: int | None
    tags: tuple[str, ...]
    source: dict[str, Any]
    last_text: str | None = None
    last_direction: str | None = None


class TicketPage(msgspec.Struct, frozen=True):
    items: list[TicketAnswer]
    next: str | None


class MessageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    inbox_id: int
    direction: Literal["incoming", "outgoing"]
    author_kind: Literal["contact", "agent", "bot"]
    author_id: int
    text: str
    subject: str | None
    in_reply_to: int | None
    sent_at: int | None
    details: dict[str, Any]
    created_at: int
    edited_at: int | None
    deleted_at: int | None


class ThreadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    ticket: TicketAnswer
    messages: list[MessageAnswer]
    deliveries: list[lists.Delivered]
    notes: list[lists.Noted]
    older: str | None


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


class ReplyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`held`: stored, but no inbox can carry it to this contact yet."""

    message_id: int
    deliveries: tuple[int, ...]
    held: bool


class NoteAnswer(msgspec.Struct, frozen=True):
    note_id: int


# --- requests ------------------------------------------------------------------------------------------------------


class ListTickets(_Request, frozen=True, kw_only=True):
    view: lists.View = "all"
    status: Status | None = None
    inbox_id: Id | None = None
    team_id: Id | None = None
    assignee_id: Id | None = None
    contact_id: Id | None = None
    tag: str | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class OneTicket(_Request, frozen=True, kw_only=True):
    number: Id


class ReadTicket(_Request, frozen=True, kw_only=True):
    """`cursor`: the `older` of the page before."""

    number: Id
    limit: Limit = 50
    cursor: Cursor | None = None


class OpenTicket(_Request, frozen=True, kw_only=True):
    """A ticket on behalf of a contact: what they said on the phone or over the counter."""

    contact_id: Id
    inbox_id: Id
    text: str
    subject: str | None = None
    priority: Priority = "normal"


class Reply(_Request, frozen=True, kw_only=True):
    """`seen`: id of the newest message you had read. If more was said since, the answer is 409 with what is new; send
    again with `anyway` to say it all the same."""

    number: Id
    text: str
    subject: str | None = None
    seen: Annotated[int, msgspec.Meta(ge=0)] | None = None
    anyway: bool = False


class Note(_Request, frozen=True, kw_only=True):
    number: Id
    text: str


class Assign(_Request, frozen=True, kw_only=True):
    """`agent_id` null puts it back to the queue."""

    number: Id
    agent_id: Id | None


class Move(_Request, frozen=True, kw_only=True):
    number: Id
    team_id: Id | None


class Snooze(_Request, frozen=True, kw_only=True):
    """`until` in milliseconds since 1970, UTC; null: until the contact writes."""

    number: Id
    until: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)] | None


class ChangeTicket(_Request, frozen=True, kw_only=True):
    """Only what is given changes."""

    number: Id
    subject: str | msgspec.UnsetType = msgspec.UNSET
    priority: Priority | msgspec.UnsetType = msgspec.UNSET
    spam: bool | msgspec.UnsetType = msgspec.UNSET


class TagTicket(_Request, frozen=True, kw_only=True):
    number: Id
    tag: str


class OneDelivery(_Request, frozen=True, kw_only=True):
    delivery_id: Id


# --- what they do --------------------------------------------------------------------------------------------------


def _answer(rx: Rx, ticket: Ticket, name: str, listed: lists.Listed | None = None) -> TicketAnswer:
    source: dict[str, Any] = {"place": ticket.place, "page": ticket.page, "referrer": ticket.referrer}
    return TicketAnswer(
        number=ticket.number,
        subject=ticket.subject,
        status=ticket.status,
        priority=ticket.priority,
        contact_id=ticket.contact_id,
        contact_name=name,
        inbox_id=ticket.inbox_id,
        team_id=ticket.team_id,
        assignee_id=ticket.assignee_id,
        handler=ticket.handler,
        spam=bool(ticket.spam),
        waiting_since=ticket.waiting_since,
        snoozed_until=ticket.snoozed_until,
        offered_to=ticket.offered_to,
        last_message_at=ticket.last_message_at,
        created_at=ticket.created_at,
        resolved_at=ticket.resolved_at,
        tags=tags.of_ticket(rx, ticket.id),
        source=source | {"utm": msgspec.json.decode(ticket.utm) if ticket.utm else {}},
        last_text=listed.last_text if listed else None,
        last_direction=listed.last_direction if listed else None,
    )


def _now(rx: Rx, caller: Caller, number: int) -> TicketAnswer:
    ticket = gate.seen(rx, caller, number)
    return _answer(rx, ticket, contacts.get(rx, ticket.contact_id).name)


def _list(rx: Rx, caller: Caller, request: ListTickets) -> TicketPage:
    fields = msgspec.structs.asdict(request)
    limit, cursor = fields.pop("limit"), fields.pop("cursor")
    found, following = lists.listed(rx, caller, lists.Filter(**fields), limit=limit, cursor=cursor)
    return TicketPage([_answer(rx, one.ticket, one.contact_name, one) for one in found], following)


def _thread(rx: Rx, caller: Caller, request: ReadTicket) -> ThreadAnswer:
    thread = lists.thread(rx, caller, request.number, limit=request.limit, cursor=request.cursor)
    messages = []
    for said in thread.messages:
        fields = msgspec.structs.asdict(said)
        fields.pop("html")
        fields["details"] = msgspec.json.decode(said.details) if said.details else {}
        messages.append(MessageAnswer(**fields))
    return ThreadAnswer(
        ticket=_answer(rx, thread.ticket, thread.contact.name),
        messages=messages,
        deliveries=thread.deliveries,
        notes=thread.notes,
        older=thread.older,
    )


def _events(rx: Rx, caller: Caller, request: ReadTicket) -> EventPage:
    found, following = lists.events(rx, caller, request.number, limit=request.limit, cursor=request.cursor)
    items = []
    for happened in found:
        fields = msgspec.structs.asdict(happened)
        items.append(EventAnswer(**fields | {"payload": msgspec.json.decode(happened.payload)}))
    return EventPage(items, following)


def _open(tx: Tx, caller: Caller, request: OpenTicket) -> TicketAnswer:
    number = incoming.write_down(
        tx,
        caller,
        inbox_id=request.inbox_id,
        contact_id=request.contact_id,
        text=request.text,
        subject=request.subject,
        priority=request.priority,
        external_id=f"written-{secrets.token_hex(16)}",
    )
    return _now(tx, caller, number)


def _reply(tx: Tx, caller: Caller, request: Reply) -> ReplyAnswer:
    replied = replies.reply(
        tx,
        caller,
        request.number,
        request.text,
        external_id=f"ours-{secrets.token_hex(16)}",
        seen=request.seen,
        anyway=request.anyway,
        subject=request.subject,
    )
    return ReplyAnswer(message_id=replied.message_id, deliveries=replied.deliveries, held=replied.held)


def _note(tx: Tx, caller: Caller, request: Note) -> NoteAnswer:
    return NoteAnswer(notes.write(tx, caller, request.number, request.text))


def _assign(tx: Tx, caller: Caller, request: Assign) -> TicketAnswer:
    assignment.assign(tx, caller, request.number, request.agent_id)
    return _now(tx, caller, request.number)


def _claim(tx: Tx, caller: Caller, request: OneTicket) -> TicketAnswer:
    assignment.claim(tx, caller, request.number)
    return _now(tx, caller, request.number)


def _move(tx: Tx, caller: Caller, request: Move) -> TicketAnswer:
    """Answers with the ticket as it was moved, even out of the caller's own sight."""
    before = _now(tx, caller, request.number)
    assignment.move(tx, caller, request.number, request.team_id)
    return msgspec.structs.replace(before, team_id=request.team_id)


def _resolve(tx: Tx, caller: Caller, request: OneTicket) -> TicketAnswer:
    tickets.resolve(tx, caller, request.number)
    return _now(tx, caller, request.number)


def _reopen(tx: Tx, caller: Caller, request: OneTicket) -> TicketAnswer:
    tickets.reopen(tx, caller, request.number)
    return _now(tx, caller, request.number)


def _await(tx: Tx, caller: Caller, request: OneTicket) -> TicketAnswer:
    tickets.await_contact(tx, caller, request.number)
    return _now(tx, caller, request.number)


def _snooze(tx: Tx, caller: Caller, request: Snooze) -> TicketAnswer:
    tickets.snooze(tx, caller, request.number, request.until)
    return _now(tx, caller, request.number)


def _change(tx: Tx, caller: Caller, request: ChangeTicket) -> TicketAnswer:
    gate.seen(tx, caller, request.number)
    if request.subject is not msgspec.UNSET:
        tickets.set_subject(tx, caller, request.number, request.subject)
    if request.priority is not msgspec.UNSET:
        tickets.set_priority(tx, caller, request.number, request.priority)
    if request.spam is not msgspec.UNSET:
        tickets.mark_spam(tx, caller, request.number, request.spam)
    return _now(tx, caller, request.number)


def _tag(tx: Tx, caller: Caller, request: TagTicket) -> TicketAnswer:
    tags.tag_ticket(tx, caller, request.number, request.tag)
    return _now(tx, caller, request.number)


def _untag(tx: Tx, caller: Caller, request: TagTicket) -> TicketAnswer:
    tags.untag_ticket(tx, caller, request.number, request.tag)
    return _now(tx, caller, request.number)


class DeliveryAnswer(msgspec.Struct, frozen=True):
    delivery_id: int
    state: str


def _resend(tx: Tx, caller: Caller, request: OneDelivery) -> DeliveryAnswer:
    deliveries.resend(tx, caller, request.delivery_id)
    return DeliveryAnswer(request.delivery_id, "queued")


def _cancel(tx: Tx, caller: Caller, request: OneDelivery) -> DeliveryAnswer:
    deliveries.cancel(tx, caller, request.delivery_id)
    return DeliveryAnswer(request.delivery_id, "cancelled")


_READ: dict[str, Any] = {"noun": "tickets", "method": "GET", "scope": "tickets:read", "permission": "tickets.read"}
_WRITE: dict[str, Any] = {"noun": "tickets", "method": "POST", "scope": "tickets:write", "refuses": ("conflict",)}
_ONE: Final = "/tickets/{number}"

COMMANDS: Final = (
    Command(
        name="list_tickets",
        summary="Tickets, newest words first.",
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
        name="open_ticket",
        summary="Open a ticket for a contact, with what they said.",
        path="/tickets",
        request=OpenTicket,
        answer=TicketAnswer,
        permission="tickets.reply",
        write=_open,
        status=201,
        **_WRITE,
    ),
    Command(
        name="reply",
        summary="Answer the contact.",
        path=f"{_ONE}/reply",
        request=Reply,
        answer=ReplyAnswer,
        permission="tickets.reply",
        write=_reply,
        status=201,
        **_WRITE | {"refuses": ("conflict", "stale")},
    ),
    Command(
        name="note",
        summary="Write a note for colleagues; it is never sent.",
        path=f"{_ONE}/note",
        request=Note,
        answer=NoteAnswer,
        permission="tickets.note",
        write=_note,
        status=201,
        **_WRITE,
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
    Command(
        name="resend_delivery",
        summary="Send again what failed, or what may have arrived.",
        path="/deliveries/{delivery_id}/resend",
        request=OneDelivery,
        answer=DeliveryAnswer,
        permission="tickets.reply",
        write=_resend,
        **_WRITE | {"noun": "deliveries"},
    ),
    Command(
        name="cancel_delivery",
        summary="Call back what has not left yet.",
        path="/deliveries/{delivery_id}/cancel",
        request=OneDelivery,
        answer=DeliveryAnswer,
        permission="tickets.reply",
        write=_cancel,
        **_WRITE | {"noun": "deliveries"},
    ),
)
