"""Commands that say something: open a ticket, reply, note; and what becomes of deliveries."""

import secrets
from typing import Annotated, Any, Final, Literal

import msgspec

from hub.commands.answers import Id, Limit, Request, TicketAnswer, ticket_now
from hub.commands.files import Files
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import copies, deliveries, followers, forwarding, incoming, notes, planned, replies
from hub.desk.ticket import Priority
from hub.staff.access import Caller

At = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]


class ReplyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`held`: stored, but no inbox can carry it to this contact yet. `send_at`: it is said then and can be called back
    before; null: it is on its way."""

    message_id: int
    deliveries: tuple[int, ...]
    held: bool
    send_at: int | None = None


class NoteAnswer(msgspec.Struct, frozen=True):
    note_id: int


class DeliveryAnswer(msgspec.Struct, frozen=True):
    delivery_id: int
    state: str


Addresses = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=320)], ...], msgspec.Meta(max_length=30)]


class OpenTicket(Request, frozen=True, kw_only=True):
    """A ticket on behalf of a contact: what they said on the phone or over the counter."""

    contact_id: Id
    inbox_id: Id
    text: str
    subject: str | None = None
    priority: Priority = "normal"


class Reply(Request, frozen=True, kw_only=True):
    """`seen`: id of the newest message you had read. If more was said since, the answer is 409 with what is new; send
    again with `anyway` to say it all the same. `hold`: seconds in which it can be called back, 0, 5, 10 or 20; a live
    chat has none. `send_at`: milliseconds since 1970, UTC, to say it then, unless the contact writes first.
    `files`: ids of uploads of yours, or of files of messages that you see, to be sent once more; with some the text may
    be empty. `to`, `cc`, `bcc`: addresses that a letter goes to besides the contact. `draft`: `saved_at` of the draft
    that it was (0: of none): one that was saved since stays."""

    number: Id
    text: str
    subject: str | None = None
    seen: Annotated[int, msgspec.Meta(ge=0)] | None = None
    anyway: bool = False
    hold: Literal[0, 5, 10, 20] = 0
    send_at: At | None = None
    files: Files = ()
    to: Addresses = ()
    cc: Addresses = ()
    bcc: Addresses = ()
    draft: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Forward(Request, frozen=True, kw_only=True):
    """A message of the ticket, with its files, to somebody else. `to`: at least one. `text`: what you say about it."""

    number: Id
    message_id: Id
    to: Addresses
    cc: Addresses = ()
    bcc: Addresses = ()
    text: str = ""
    with_files: bool = True


class Note(Request, frozen=True, kw_only=True):
    """`mentions`: ids of agents whom it calls. Each has to be able to see the ticket, and follows it from then on.
    `files`, `draft`: as of a reply."""

    number: Id
    text: str
    mentions: Annotated[tuple[Id, ...], msgspec.Meta(max_length=followers.MOST_MENTIONS)] = ()
    files: Files = ()
    draft: Annotated[int, msgspec.Meta(ge=0)] | None = None


class OneDelivery(Request, frozen=True, kw_only=True):
    delivery_id: Id


class OneOfTickets(Request, frozen=True, kw_only=True):
    number: Id


class CopyAnswer(msgspec.Struct, frozen=True):
    message_id: int


class MoveDelivery(Request, frozen=True, kw_only=True):
    """`send_at`: milliseconds since 1970, UTC; null: now."""

    delivery_id: Id
    send_at: At | None


class MovedAnswer(msgspec.Struct, frozen=True):
    delivery_id: int
    send_at: int | None


class ListDeliveries(Request, frozen=True, kw_only=True):
    """`state`: any of these; `planned` waits for its time, `held` for an inbox that can carry it. `mine`: what the
    caller wrote. `before`: the `next` of the page before."""

    state: Annotated[tuple[planned.State, ...], msgspec.Meta(max_length=6)] = ()
    mine: bool = False
    before: Id | None = None
    limit: Limit = 50


class DeliveryPage(msgspec.Struct, frozen=True):
    items: list[planned.Open]
    next: int | None


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
    return ticket_now(tx, caller, number)


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
        hold=request.hold,
        copies=replies.Copies(request.to, request.cc, request.bcc),
        send_at=request.send_at,
        files=request.files,
        draft=request.draft,
    )
    return ReplyAnswer(
        message_id=replied.message_id, deliveries=replied.deliveries, held=replied.held, send_at=replied.send_at
    )


def _forward(tx: Tx, caller: Caller, request: Forward) -> ReplyAnswer:
    replied = forwarding.forward(
        tx,
        caller,
        request.number,
        request.message_id,
        replies.Copies(request.to, request.cc, request.bcc),
        request.text,
        external_id=f"ours-{secrets.token_hex(16)}",
        with_files=request.with_files,
    )
    return ReplyAnswer(message_id=replied.message_id, deliveries=replied.deliveries, held=False)


def _note(tx: Tx, caller: Caller, request: Note) -> NoteAnswer:
    return NoteAnswer(
        notes.write(tx, caller, request.number, request.text, request.mentions, request.files, request.draft)
    )


def _resend(tx: Tx, caller: Caller, request: OneDelivery) -> DeliveryAnswer:
    deliveries.resend(tx, caller, request.delivery_id)
    return DeliveryAnswer(request.delivery_id, "queued")


def _cancel(tx: Tx, caller: Caller, request: OneDelivery) -> DeliveryAnswer:
    deliveries.cancel(tx, caller, request.delivery_id)
    return DeliveryAnswer(request.delivery_id, "cancelled")


def _move(tx: Tx, caller: Caller, request: MoveDelivery) -> MovedAnswer:
    return MovedAnswer(request.delivery_id, planned.move(tx, caller, request.delivery_id, request.send_at))


def _open_ones(rx: Rx, caller: Caller, request: ListDeliveries) -> DeliveryPage:
    found = planned.listed(
        rx, caller, states=request.state, mine=request.mine, before=request.before, limit=request.limit + 1
    )
    items = found[: request.limit]
    return DeliveryPage(items, items[-1].id if len(found) > request.limit else None)


def _transcript(tx: Tx, caller: Caller, request: OneOfTickets) -> CopyAnswer:
    return CopyAnswer(copies.transcript(tx, caller, request.number))


_WRITE: dict[str, Any] = {"noun": "tickets", "method": "POST", "scope": "tickets:write", "refuses": ("conflict",)}
_ONE: Final = "/tickets/{number}"

COMMANDS: Final = (
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
        name="forward",
        summary="Send a message of a ticket to somebody else, by mail. No answer to the contact.",
        path=f"{_ONE}/forward",
        request=Forward,
        answer=ReplyAnswer,
        permission="tickets.reply",
        write=_forward,
        status=201,
        **_WRITE,
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
        name="mail_conversation",
        summary="Send the customer what was said, by e-mail, to an address that is known to be theirs.",
        path=f"{_ONE}/mail_conversation",
        request=OneOfTickets,
        answer=CopyAnswer,
        permission="tickets.reply",
        write=_transcript,
        status=201,
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
    Command(
        name="move_delivery",
        summary="Say at another time, or now, what waits for its time.",
        path="/deliveries/{delivery_id}",
        request=MoveDelivery,
        answer=MovedAnswer,
        permission="tickets.reply",
        write=_move,
        **_WRITE | {"noun": "deliveries", "method": "PATCH"},
    ),
    Command(
        name="list_deliveries",
        noun="deliveries",
        summary="What has not come to its end: planned, held, on its way, unknown or failed; newest first.",
        method="GET",
        path="/deliveries",
        request=ListDeliveries,
        answer=DeliveryPage,
        scope="tickets:read",
        permission="tickets.read",
        read=_open_ones,
    ),
)
