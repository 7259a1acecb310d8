"""What a visitor of a live channel may do. Not in the API: the doors are those of hub.live alone.

The rows are of the one type of commands, but their functions take a `Visitor` where others take a caller; what is
theirs is judged there. None needs a client id: `say` has one in its request, and each other is the same done twice.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from hub.commands.answers import Id, Request
from hub.commands.files import FileId
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import visitors
from hub.desk.files import rows
from hub.desk.visitors import Details, Granted, Link, Mailing, Said, State, Visitor
from hub.feedback import ratings
from hub.feedback.ratings import Rated
from hub.text import MAX_LINE

Line = Annotated[str, msgspec.Meta(max_length=MAX_LINE)]
Address = Annotated[str, msgspec.Meta(max_length=20_000)]


class LeaveDetails(Request, frozen=True, kw_only=True):
    """`consent`: they ticked the box. `answer_me`: the words in which they agreed to be answered by e-mail."""

    name: Line | None = None
    email: Line | None = None
    phone: Line | None = None
    subject: Line | None = None
    consent: bool = False
    answer_me: Line | None = None


class Say(Request, frozen=True, kw_only=True):
    """`client_id`: the same for every try of one message. `details`: what a form asked for beside the text. `files`:
    what was uploaded under `upload`; with some the text may be empty."""

    text: str
    client_id: str
    details: LeaveDetails | None = None
    files: Annotated[tuple[FileId, ...], msgspec.Meta(max_length=50)] = ()


class Upload(Request, frozen=True, kw_only=True):
    """A file that is about to be sent, of so many bytes. `voice`: a voice note, `seconds` long."""

    name: Line
    size: Annotated[int, msgspec.Meta(ge=0, le=2**40)]
    voice: bool = False
    seconds: Annotated[int, msgspec.Meta(ge=0, le=rows.MAX_SECONDS)] | None = None


class LinkFile(Request, frozen=True, kw_only=True):
    file: FileId
    what: Literal["show", "preview", "download"] = "show"


class ReadUpTo(Request, frozen=True, kw_only=True):
    message_id: Id


class Nothing(Request, frozen=True, kw_only=True):
    pass


class Rate(Request, frozen=True, kw_only=True):
    score: Annotated[int, msgspec.Meta(ge=1, le=ratings.BEST)]
    text: str = ""
    number: Id | None = None


class Identify(Request, frozen=True, kw_only=True):
    jwt: str


class PageView(Request, frozen=True, kw_only=True):
    page: Address
    title: Address | None = None


class MailConversation(Request, frozen=True, kw_only=True):
    email: Annotated[str, msgspec.Meta(max_length=320)]


class ConfirmAddress(Request, frozen=True, kw_only=True):
    """`code`: what was mailed there."""

    code: Annotated[str, msgspec.Meta(max_length=20)]


class Look(Request, frozen=True, kw_only=True):
    """`before`: the page of messages before this one."""

    before: Id | None = None


class Done(msgspec.Struct, frozen=True):
    state: State


class Identified(msgspec.Struct, frozen=True):
    """`visitor`: the token to keep instead of the one before; whoever that was is not in sight any longer."""

    visitor: str | None
    state: State


class Empty(msgspec.Struct, frozen=True):
    pass


def _say(tx: Tx, visitor: Visitor, request: Say) -> Said:
    details = None if request.details is None else _details(request.details)
    return visitors.say(tx, visitor, request.text, request.client_id, details, request.files)


def _upload(tx: Tx, visitor: Visitor, request: Upload) -> Granted:
    return visitors.grant(tx, visitor, request.name, request.size, voice=request.voice, seconds=request.seconds)


def _link(rx: Rx, visitor: Visitor, request: LinkFile) -> Link:
    return visitors.link(rx, visitor, request.file, request.what)


def _read(tx: Tx, visitor: Visitor, request: ReadUpTo) -> Empty:
    visitors.read(tx, visitor, request.message_id)
    return Empty()


def _end(tx: Tx, visitor: Visitor, _: Nothing) -> Done:
    visitors.end(tx, visitor)
    return Done(visitors.state(tx, visitor))


def _start_anew(tx: Tx, visitor: Visitor, _: Nothing) -> Done:
    visitors.start_anew(tx, visitor)
    return Done(visitors.state(tx, visitor))


def _rate(tx: Tx, visitor: Visitor, request: Rate) -> Rated:
    return ratings.rate(tx, visitor, request.score, request.text, request.number)


def _identify(tx: Tx, visitor: Visitor, request: Identify) -> Identified:
    entered = visitors.identify(tx, visitor, request.jwt)
    return Identified(entered.token, visitors.state(tx, entered.visitor))


def _leave_details(tx: Tx, visitor: Visitor, request: LeaveDetails) -> Done:
    visitors.leave_details(tx, visitor, visitors.inbox_of(tx, visitor), _details(request))
    return Done(visitors.state(tx, visitor))


def _mail(tx: Tx, visitor: Visitor, request: MailConversation) -> Mailing:
    return visitors.mail_conversation(tx, visitor, request.email)


def _confirm(tx: Tx, visitor: Visitor, request: ConfirmAddress) -> Mailing:
    return visitors.confirm_address(tx, visitor, request.code)


def _page_view(tx: Tx, visitor: Visitor, request: PageView) -> Empty:
    visitors.page_view(tx, visitor, request.page, request.title)
    return Empty()


def _forget(tx: Tx, visitor: Visitor, _: Nothing) -> Empty:
    visitors.forget(tx, visitor)
    return Empty()


def _state(rx: Rx, visitor: Visitor, request: Look) -> State:
    return visitors.state(rx, visitor, before=request.before)


def _details(request: LeaveDetails) -> Details:
    return Details(**msgspec.structs.asdict(request))


def _row(
    name: str, summary: str, request: type[Any], answer: type[Any], *, write: Any = None, read: Any = None
) -> Command:
    return Command(
        name=name,
        noun="visitor",
        summary=summary,
        method="POST",
        path="",
        request=request,
        answer=answer,
        scope="",
        write=write,
        read=read,
    )


COMMANDS: Final[tuple[Command, ...]] = (
    _row("say", "Say something.", Say, Said, write=_say),
    _row("upload", "Ask to upload a file; the answer says where to.", Upload, Granted, write=_upload),
    _row("file_link", "A link to a file, good for a short while.", LinkFile, Link, read=_link),
    _row("read", "Everything of ours up to this message was read.", ReadUpTo, Empty, write=_read),
    _row("end", "End the chat.", Nothing, Done, write=_end),
    _row("start_anew", "End the chat; the next message begins another one.", Nothing, Done, write=_start_anew),
    _row("rate", "Rate a chat that was ended, or change the rating.", Rate, Rated, write=_rate),
    _row("identify", "Bring what the site has signed about who this is.", Identify, Identified, write=_identify),
    _row("leave_details", "Leave name, address and the like.", LeaveDetails, Done, write=_leave_details),
    _row("mail_me", "Have the chat sent by e-mail.", MailConversation, Mailing, write=_mail),
    _row("confirm_address", "Show by a code that an address is one's own.", ConfirmAddress, Mailing, write=_confirm),
    _row("page_view", "Another page of the site was opened.", PageView, Empty, write=_page_view),
    _row("forget", "This device is to forget the chat.", Nothing, Empty, write=_forget),
    _row("state", "How things stand, with a page of messages.", Look, State, read=_state),
)
BY_NAME: Final[Mapping[str, Command]] = {command.name: command for command in COMMANDS}
