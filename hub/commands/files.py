"""Commands on files. The two that carry bytes, UPLOAD and DOWNLOAD, have a door of their own, hub.web.files; the others
are rows like any."""

from typing import Annotated, Any, Final

import msgspec

from hub.commands.answers import Request
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk.files import access, rows, uploads
from hub.desk.files.rows import FileShown
from hub.staff.access import Caller

FileId = Annotated[str, msgspec.Meta(max_length=100)]
Files = Annotated[tuple[FileId, ...], msgspec.Meta(max_length=50)]


class UploadFile(Request, frozen=True, kw_only=True):
    """`name`: what it is called. `voice`: it is a voice note, `seconds` long. `sha256`: of its bytes, in hex; what
    arrives otherwise is refused."""

    name: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    voice: bool = False
    seconds: Annotated[int, msgspec.Meta(ge=0, le=rows.MAX_SECONDS)] | None = None
    sha256: Annotated[str, msgspec.Meta(min_length=64, max_length=64)] | None = None


class OneFile(Request, frozen=True, kw_only=True):
    file_id: FileId


class DownloadFile(OneFile, frozen=True, kw_only=True):
    """`preview`: the small picture of it, where there is one. `download`: as a file to be saved, also of a picture."""

    preview: bool = False
    download: bool = False


class CaptionFile(OneFile, frozen=True, kw_only=True):
    """What is said or seen in it, in words; empty: none."""

    caption: str


def _caption(tx: Tx, caller: Caller, request: CaptionFile) -> FileShown:
    return access.caption(tx, caller, request.file_id, request.caption)


def _fetch(tx: Tx, caller: Caller, request: OneFile) -> FileShown:
    return access.fetch_again(tx, caller, request.file_id)


def _take_back(tx: Tx, caller: Caller, request: OneFile) -> None:
    uploads.take_back(tx, caller, request.file_id)


def _nothing(_rx: Rx, _caller: Caller, _request: Any) -> None:
    raise TypeError("its bytes go through hub.web.files")


_NOUN: Final[dict[str, Any]] = {"noun": "files"}
_ONE: Final = "/files/{file_id}"
UPLOAD: Final = Command(
    name="upload_file",
    summary="Upload a file, to be sent with a message or note.",
    method="POST",
    path="/files",
    request=UploadFile,
    answer=FileShown,
    scope="tickets:write",
    read=_nothing,
    status=201,
    refuses=("too_large",),
    **_NOUN,
)
DOWNLOAD: Final = Command(
    name="download_file",
    summary="One file of a message or note, or an upload of one's own.",
    method="GET",
    path=_ONE,
    request=DownloadFile,
    answer=type(None),
    scope="tickets:read",
    permission="tickets.read",
    read=_nothing,
    refuses=("gone",),
    **_NOUN,
)
FILES: Final = (UPLOAD, DOWNLOAD)

COMMANDS: Final = (
    Command(
        name="caption_file",
        summary="Say in words what is in a file, so that it can be searched for.",
        method="PATCH",
        path=_ONE,
        request=CaptionFile,
        answer=FileShown,
        scope="tickets:write",
        permission="tickets.note",
        write=_caption,
        **_NOUN,
    ),
    Command(
        name="fetch_file",
        summary="Try once more to fetch a file that failed.",
        method="POST",
        path=f"{_ONE}/fetch",
        request=OneFile,
        answer=FileShown,
        scope="tickets:write",
        permission="tickets.reply",
        write=_fetch,
        refuses=("conflict",),
        **_NOUN,
    ),
    Command(
        name="delete_upload",
        summary="An upload of one's own that was not sent is not wanted.",
        method="DELETE",
        path=_ONE,
        request=OneFile,
        answer=type(None),
        scope="tickets:write",
        write=_take_back,
        status=204,
        **_NOUN,
    ),
)
