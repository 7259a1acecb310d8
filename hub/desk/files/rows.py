"""The rows of files, and how each is shown with its message or note.

uploading → there ↘            there: its content lies in the folder
                    gone       gone: removed by age, with its message, or by somebody
fetching  → there ↗
          → failed             with a reason that an agent reads; may be tried again
"""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import msgspec

from hub.connector import File
from hub.db import lanes
from hub.db.many import rows_of
from hub.db.tx import Rx, Tx
from hub.desk import ticket as tickets
from hub.desk.files import names, types
from hub.desk.files.types import Kind
from hub.events import SYSTEM, Actor, MessageFilesChanged, NoteFilesChanged

FETCH: Final = "files.fetch"
PREVIEW: Final = "files.preview"
MOST_OF_A_MESSAGE: Final = 100  # that come in with one message; more are named and not fetched
MAX_SECONDS: Final = 100_000
TOO_MANY: Final = f"The message has more than {MOST_OF_A_MESSAGE} files; this one was not fetched."
State = Literal["uploading", "fetching", "there", "failed", "gone"]

_COLUMNS: Final = """
file.id, file.token, file.message_id, file.note_id, file.agent_id, file.visitor_id, file.inbound_id, file.state,
file.reason, file.content_id, file.name, file.content_type, file.size, file.ref, file.cid, file.voice, file.seconds,
file.created_at, content.sha256, content.preview, content.scan"""
_FROM: Final = "FROM file LEFT JOIN content ON content.id = file.content_id"
_BY_ID = f"SELECT {_COLUMNS} {_FROM} WHERE file.id = :id"
_BY_TOKEN = f"SELECT {_COLUMNS} {_FROM} WHERE file.token = :token"
_OF_MESSAGE = f"SELECT {_COLUMNS} {_FROM} WHERE file.message_id = :message_id ORDER BY file.position, file.id"
_SHOWN = f"""
SELECT file.message_id, file.note_id, file.token, file.name, file.content_type, file.size, file.state, file.reason,
       file.voice, file.seconds, file.caption, file.cid, content.preview, content.width, content.height, content.scan
{_FROM}"""
_IN_ORDER: Final = " ORDER BY file.position, file.id"
_INSERT = """
INSERT INTO file (token, message_id, agent_id, visitor_id, position, state, reason, name, content_type, size, ref, cid,
                  voice, seconds, created_at)
VALUES (:token, :message_id, :agent_id, :visitor_id, :position, :state, :reason, :name, :content_type, :size, :ref,
        :cid, :voice, :seconds, :now)
RETURNING id"""
_CAME_WITH = "UPDATE file SET inbound_id = :inbound_id WHERE message_id = :message_id AND state = 'fetching'"
_FETCHING = "SELECT id FROM file WHERE message_id = :message_id AND state = 'fetching' ORDER BY position, id"
_CONTENT = """
INSERT INTO content (sha256, size, content_type, scan, preview, created_at)
VALUES (:sha256, :size, :content_type, :scan, :preview, :now)
ON CONFLICT (sha256) DO UPDATE SET scan = CASE WHEN content.scan = 'clean' THEN 'clean' ELSE excluded.scan END
RETURNING id, preview"""
_THERE = """
UPDATE file SET state = 'there', reason = NULL, content_id = :content_id, name = :name, content_type = :content_type,
       size = :size, voice = :voice
WHERE id = :id"""
_STATE = "UPDATE file SET state = :state, reason = :reason, content_id = NULL WHERE id = :id"
_TICKET_OF = {
    "message": "SELECT ticket_id FROM message WHERE id = :id",
    "note": "SELECT ticket_id FROM note WHERE id = :id",
}
_SHOWN_WHERE = "SELECT DISTINCT message_id, note_id FROM file WHERE content_id = :content_id ORDER BY 1, 2 LIMIT 200"
_PREVIEWED = """
UPDATE content SET preview = :preview, width = :width, height = :height WHERE id = :id AND preview = 'wanted'"""
_WANTED = "SELECT sha256, preview FROM content WHERE id = :id"


class Row(msgspec.Struct, frozen=True):
    id: int
    token: str
    message_id: int | None
    note_id: int | None
    agent_id: int | None
    visitor_id: int | None
    inbound_id: int | None
    state: State
    reason: str | None
    content_id: int | None
    name: str
    content_type: str
    size: int | None
    ref: str | None
    cid: str | None
    voice: int
    seconds: int | None
    created_at: int
    sha256: str | None
    preview: str | None
    scan: str | None

    @property
    def asked_for(self) -> File:
        """As its connector knows it."""
        return File(self.ref or "", self.name, self.content_type, self.size, self.cid, bool(self.voice), self.seconds)


class FileShown(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a message. `id`: its token, as in /api/v1/files/<id>. `kind`: how it can be shown. `reason`: why it
    failed or is gone. `width`, `height`: of a picture, as it is looked at; `preview`: there is a small one of it.
    `warning`: "runs" (opening it may run a program), "unscanned" (it could not be looked at for viruses)."""

    id: str
    name: str
    content_type: str
    kind: Kind
    size: int | None
    state: State
    reason: str | None
    width: int | None
    height: int | None
    seconds: int | None
    voice: bool
    preview: bool
    caption: str
    cid: str | None
    warning: Literal["runs", "unscanned"] | None


class Content(msgspec.Struct, frozen=True):
    """What was written to the folder: its name there, and what it was found to be."""

    sha256: str
    size: int
    content_type: str
    scan: Literal["off", "clean", "failed"]


# --- reading ---------------------------------------------------------------------------------------------------------


def by_id(rx: Rx, file_id: int) -> Row | None:
    row = rx.row(_BY_ID, id=file_id)
    return None if row is None else Row(*row)


def by_token(rx: Rx, token: str) -> Row | None:
    row = rx.row(_BY_TOKEN, token=token)
    return None if row is None else Row(*row)


def of_message(rx: Rx, message_id: int) -> list[Row]:
    return [Row(*row) for row in rx.rows(_OF_MESSAGE, message_id=message_id)]


def of_messages(rx: Rx, ids: Iterable[int]) -> dict[int, tuple[FileShown, ...]]:
    """message id → its files, in order. Messages without any are not in it."""
    return _grouped(rows_of(rx, _SHOWN, "file.message_id", ids, _IN_ORDER), 0)


def of_notes(rx: Rx, ids: Iterable[int]) -> dict[int, tuple[FileShown, ...]]:
    return _grouped(rows_of(rx, _SHOWN, "file.note_id", ids, _IN_ORDER), 1)


def of_tokens(rx: Rx, tokens: Sequence[str]) -> dict[str, FileShown]:
    found = {}
    for token in tokens:
        row = rx.row(f"{_SHOWN} WHERE file.token = :token", token=token)
        if row is not None:
            found[token] = _shown(row)
    return found


def _grouped(rows: Iterable[Any], by: int) -> dict[int, tuple[FileShown, ...]]:
    found: dict[int, list[FileShown]] = {}
    for row in rows:
        found.setdefault(row[by], []).append(_shown(row))
    return {id: tuple(files) for id, files in found.items()}


def _shown(row: Any) -> FileShown:
    token, name, content_type, size, state, reason, voice, seconds, caption, cid, preview, width, height, scan = row[2:]
    there = state == "there"
    return FileShown(
        id=token,
        name=name,
        content_type=content_type,
        kind=types.kind(content_type) if there else "file",
        size=size,
        state=state,
        reason=reason,
        width=width,
        height=height,
        seconds=seconds,
        voice=bool(voice),
        preview=there and preview == "there",
        caption=caption,
        cid=cid,
        warning="runs" if there and types.runs(name, content_type) else "unscanned" if scan == "failed" else None,
    )


def ticket_id_of(rx: Rx, row: Row) -> int | None:
    """Of the ticket that it was said in; None: of none yet."""
    if row.message_id is not None:
        return int(rx.value(_TICKET_OF["message"], id=row.message_id))
    return int(rx.value(_TICKET_OF["note"], id=row.note_id)) if row.note_id is not None else None


def new_token() -> str:
    return secrets.token_urlsafe(16)


# --- what comes in ---------------------------------------------------------------------------------------------------


def expect(tx: Tx, message_id: int, files: Sequence[File]) -> None:
    """Files that a stored message came with: jobs fetch them once `came_with` says what it came in."""
    for position, file in enumerate(files[: 2 * MOST_OF_A_MESSAGE]):
        wanted = position < MOST_OF_A_MESSAGE
        insert(
            tx,
            message_id=message_id,
            position=position,
            state="fetching" if wanted else "failed",
            reason=None if wanted else TOO_MANY,
            name=file.name,
            content_type=file.content_type,
            size=file.size,
            ref=file.ref,
            cid=file.cid,
            voice=file.voice,
            seconds=file.seconds,
        )


def came_with(tx: Tx, message_ids: Iterable[int], inbound_id: int) -> None:
    """The raw request of messages whose files are expected."""
    for message_id in message_ids:
        tx.run(_CAME_WITH, message_id=message_id, inbound_id=inbound_id)
        for (file_id,) in tx.rows(_FETCHING, message_id=message_id):
            tx.enqueue(FETCH, {"file_id": file_id}, lane=lanes.INBOUND)


def insert(
    tx: Tx,
    *,
    state: State,
    name: str,
    content_type: str,
    size: int | None,
    message_id: int | None = None,
    agent_id: int | None = None,
    visitor_id: int | None = None,
    position: int = 0,
    reason: str | None = None,
    ref: str | None = None,
    cid: str | None = None,
    voice: bool = False,
    seconds: int | None = None,
) -> Row:
    content_type = content_type.partition(";")[0].strip().lower()
    file_id = tx.insert(
        _INSERT,
        token=new_token(),
        message_id=message_id,
        agent_id=agent_id,
        visitor_id=visitor_id,
        position=position,
        state=state,
        reason=reason,
        name=names.clean(name, content_type),
        content_type=content_type if content_type.isascii() and len(content_type) <= 100 else types.UNKNOWN,
        size=size if size is not None and 0 <= size < 2**62 else None,
        ref=ref,
        cid=cid,
        voice=int(voice),
        seconds=seconds if seconds is not None and 0 <= seconds <= MAX_SECONDS else None,
        now=tx.now,
    )
    found = by_id(tx, file_id)
    assert found is not None
    return found


def there(tx: Tx, file_id: int, content: Content) -> Row | None:
    """Its content lies in the folder now. None: it is not waited for any longer."""
    was = by_id(tx, file_id)
    if was is None or was.state not in ("uploading", "fetching"):
        return None
    content_id, preview = name_content(tx, content)
    audible = types.kind(content.content_type) == "audio"
    tx.run(
        _THERE,
        id=file_id,
        content_id=content_id,
        name=names.clean(was.name, content.content_type),
        content_type=content.content_type,
        size=content.size,
        voice=int(was.voice and audible),
    )
    if preview == "wanted":
        tx.enqueue(PREVIEW, {"content_id": content_id}, key=f"preview:{content_id}", lane=lanes.HOUSEKEEPING)
    changed(tx, was, SYSTEM)
    return by_id(tx, file_id)


def name_content(tx: Tx, content: Content) -> tuple[int, str]:
    """(id, what is with its preview) of a content, whoever brought it first."""
    row = tx.row(
        _CONTENT,
        sha256=content.sha256,
        size=content.size,
        content_type=content.content_type,
        scan=content.scan,
        preview="wanted" if content.content_type in types.PICTURES else "none",
        now=tx.now,
    )
    assert row is not None
    return int(row[0]), str(row[1])


def failed(tx: Tx, file_id: int, reason: str) -> None:
    was = by_id(tx, file_id)
    if was is not None and was.state == "fetching":
        tx.run(_STATE, id=file_id, state="failed", reason=reason)
        changed(tx, was, SYSTEM)


def given_up(tx: Tx, payload: dict[str, int]) -> None:
    """The job was buried."""
    failed(tx, payload["file_id"], "The desk failed to fetch it. An administrator sees why among the failed jobs.")


def lose(tx: Tx, was: Row, reason: str, by: Actor = SYSTEM) -> None:
    """It is taken away: that there was one stays, with why it is gone. Its content goes once nothing else has it."""
    if was.state != "gone":
        tx.run(_STATE, id=was.id, state="gone", reason=reason)
        changed(tx, was, by)


# --- previews --------------------------------------------------------------------------------------------------------


def wants_preview(rx: Rx, content_id: int) -> str | None:
    """Of which content, if it is still wanted."""
    row = rx.row(_WANTED, id=content_id)
    return str(row[0]) if row is not None and row[1] == "wanted" else None


def previewed(tx: Tx, content_id: int, size: tuple[int, int] | None) -> None:
    """There is a small picture; or (None) it cannot be made."""
    width, height = size or (None, None)
    done = tx.run(
        _PREVIEWED, id=content_id, preview="there" if size is not None else "failed", width=width, height=height
    )
    for message_id, note_id in tx.rows(_SHOWN_WHERE, content_id=content_id) if done else ():
        _changed(tx, message_id, note_id, SYSTEM)


def no_preview(tx: Tx, payload: dict[str, int]) -> None:
    """The job was buried."""
    previewed(tx, payload["content_id"], None)


# --- telling ---------------------------------------------------------------------------------------------------------


def changed(tx: Tx, file: Row, by: Actor) -> None:
    """Whoever has the message or note before them gets to know; of an upload nobody has."""
    _changed(tx, file.message_id, file.note_id, by)


def _changed(tx: Tx, message_id: int | None, note_id: int | None, by: Actor) -> None:
    if message_id is not None:
        ticket = tickets.must(tx, tx.value(_TICKET_OF["message"], id=message_id))
        tickets.record(tx, ticket, MessageFilesChanged(message_id=message_id), by)
    elif note_id is not None:
        ticket = tickets.must(tx, tx.value(_TICKET_OF["note"], id=note_id))
        tickets.record(tx, ticket, NoteFilesChanged(note_id=note_id), by)
