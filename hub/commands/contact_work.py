"""Commands around one contact: notes, the timeline, what they looked at, and a new message to them."""

import secrets
from typing import Annotated, Any, Final, Literal

import msgspec

from hub.commands.answers import Cursor, Id, Limit, Request, TicketAnswer, ticket_left
from hub.commands.files import Files
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import contact_notes, visits, writing
from hub.desk.contact_notes import ContactNote
from hub.desk.visits import Session
from hub.desk.writing import Reach
from hub.insight.timeline import Item, timeline
from hub.staff.access import Caller


class ContactNotePage(msgspec.Struct, frozen=True):
    items: list[ContactNote]
    next: str | None


class WayList(msgspec.Struct, frozen=True):
    items: list[Reach]


class TimelinePage(msgspec.Struct, frozen=True):
    items: list[Item]
    next: str | None


class OneContact(Request, frozen=True, kw_only=True):
    contact_id: Id


class PageOfContact(Request, frozen=True, kw_only=True):
    contact_id: Id
    limit: Limit = 50
    cursor: Cursor | None = None


class WriteNote(Request, frozen=True, kw_only=True):
    contact_id: Id
    text: str


class OneNote(Request, frozen=True, kw_only=True):
    contact_note_id: Id


class ChangeNote(Request, frozen=True, kw_only=True):
    contact_note_id: Id
    text: str


class WriteToContact(Request, frozen=True, kw_only=True):
    """`inbox_id` and `point_id` as `ways` gives them; without a point it goes to the surest that the inbox reaches.
    `hold`, `send_at`, `files`: as of a reply."""

    contact_id: Id
    inbox_id: Id
    text: str
    point_id: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None
    subject: str | None = None
    hold: Literal[0, 5, 10, 20] = 0
    send_at: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)] | None = None
    files: Files = ()


def _notes(rx: Rx, caller: Caller, request: PageOfContact) -> ContactNotePage:
    return ContactNotePage(
        *contact_notes.of(rx, caller, request.contact_id, limit=request.limit, cursor=request.cursor)
    )


def _note(tx: Tx, caller: Caller, request: WriteNote) -> ContactNote:
    return contact_notes.write(tx, caller, request.contact_id, request.text)


def _change_note(tx: Tx, caller: Caller, request: ChangeNote) -> ContactNote:
    return contact_notes.change(tx, caller, request.contact_note_id, request.text)


def _delete_note(tx: Tx, caller: Caller, request: OneNote) -> None:
    contact_notes.delete(tx, caller, request.contact_note_id)


def _ways(rx: Rx, caller: Caller, request: OneContact) -> WayList:
    return WayList(writing.ways(rx, caller, request.contact_id))


def _write(tx: Tx, caller: Caller, request: WriteToContact) -> TicketAnswer:
    number = writing.write(
        tx,
        caller,
        request.contact_id,
        inbox_id=request.inbox_id,
        point_id=request.point_id,
        text=request.text,
        subject=request.subject,
        external_id=f"ours-{secrets.token_hex(16)}",
        hold=request.hold,
        send_at=request.send_at,
        files=request.files,
    )
    return ticket_left(tx, number)


def _timeline(rx: Rx, caller: Caller, request: PageOfContact) -> TimelinePage:
    return TimelinePage(*timeline(rx, caller, request.contact_id, limit=request.limit, cursor=request.cursor))


def _visits(rx: Rx, caller: Caller, request: OneContact) -> Session:
    return visits.session(rx, caller, request.contact_id)


_READ: dict[str, Any] = {
    "noun": "contacts", "method": "GET", "scope": "contacts:read", "permission": "contacts.read",
}  # fmt: skip
_WRITE: dict[str, Any] = {
    "noun": "contacts", "method": "POST", "scope": "contacts:write", "permission": "contacts.change",
}  # fmt: skip
_ONE: Final = "/contacts/{contact_id}"
_A_NOTE: Final = "/contact_notes/{contact_note_id}"

COMMANDS: Final = (
    Command(
        name="list_contact_notes",
        summary="What agents noted about a contact, newest first.",
        path=f"{_ONE}/notes",
        request=PageOfContact,
        answer=ContactNotePage,
        read=_notes,
        **_READ,
    ),
    Command(
        name="note_contact",
        summary="Note something about a contact, for colleagues; it is never sent.",
        path=f"{_ONE}/notes",
        request=WriteNote,
        answer=ContactNote,
        write=_note,
        status=201,
        **_WRITE,
    ),
    Command(
        name="change_contact_note",
        summary="Change a note of your own about a contact.",
        path=_A_NOTE,
        request=ChangeNote,
        answer=ContactNote,
        write=_change_note,
        **_WRITE | {"method": "PATCH"},
    ),
    Command(
        name="delete_contact_note",
        summary="Delete a note of your own about a contact.",
        path=_A_NOTE,
        request=OneNote,
        answer=type(None),
        write=_delete_note,
        **_WRITE | {"method": "DELETE"},
    ),
    Command(
        name="list_contact_ways",
        summary="Through which inboxes, and to which address, a contact can be written to; why not through the others.",
        path=f"{_ONE}/ways",
        request=OneContact,
        answer=WayList,
        read=_ways,
        **_READ,
    ),
    Command(
        name="write_to_contact",
        summary="Open a ticket with a message of ours.",
        path=f"{_ONE}/write",
        request=WriteToContact,
        answer=TicketAnswer,
        write=_write,
        status=201,
        refuses=("conflict",),
        **_WRITE | {"scope": "tickets:write", "permission": "tickets.reply"},
    ),
    Command(
        name="read_contact_timeline",
        summary="Everything with one person that you may see, over all their tickets, newest first.",
        path=f"{_ONE}/timeline",
        request=PageOfContact,
        answer=TimelinePage,
        read=_timeline,
        **_READ,
    ),
    Command(
        name="read_contact_visits",
        summary="The pages that a contact looked at in the present session, newest first.",
        path=f"{_ONE}/visits",
        request=OneContact,
        answer=Session,
        read=_visits,
        **_READ,
    ),
)
