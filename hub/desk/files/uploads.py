"""Files that are uploaded to be sent: by an agent, whole in one request; by a visitor, with a grant that opens one
upload. Attached to the message or note that is said with them, or swept after a day.

What may not be sent is refused here: too many, too large, or what would run a program where it is opened.
"""

from collections.abc import Sequence
from typing import Final

from hub.clock import DAY, HOUR
from hub.db.contents import in_words
from hub.db.tx import Rx, Tx
from hub.desk.files import access, rows, types
from hub.desk.files.rows import Content, FileShown, Row
from hub.errors import FieldError, Refusal, invalid, not_found
from hub.staff.access import Caller, agent_of

KEPT: Final = DAY  # an upload that nobody sent
GRANTED_FOR: Final = HOUR
FIELD: Final = "files"

_MINE = "UPDATE file SET message_id = :message_id, note_id = :note_id, position = :position WHERE id = :id"
_COPY = """
INSERT INTO file (token, message_id, note_id, agent_id, position, state, content_id, name, content_type, size, voice,
                  seconds, caption, caption_folded, created_at)
SELECT :token, :message_id, :note_id, :agent_id, :position, 'there', content_id, name, content_type, size, voice,
       seconds, caption, caption_folded, :now
FROM file WHERE id = :id"""
_CLAIMED = """
SELECT COUNT(*), COALESCE(SUM(size), 0) FROM file WHERE visitor_id = :visitor_id AND created_at > :since"""
_LOOSE = """
SELECT id FROM file
WHERE message_id IS NULL AND note_id IS NULL AND created_at < :before ORDER BY created_at LIMIT 400"""
_DROP = "DELETE FROM file WHERE id = :id"

RUNS: Final = (
    "Files of this kind run a program when they are opened, so they are not sent. Pack what is needed as text or PDF."
)
NOT_THERE: Final = "This file is not there any more. Attach it again."


def upload(
    tx: Tx, caller: Caller, content: Content, name: str, *, voice: bool = False, seconds: int | None = None
) -> FileShown:
    """What an agent has uploaded, whole and on disk."""
    agent_id = agent_of(caller)
    may_write(caller)
    _refuse_programs(name, content.content_type)
    row = rows.insert(
        tx,
        state="uploading",
        name=name,
        content_type=content.content_type,
        size=content.size,
        agent_id=agent_id,
        voice=voice,
        seconds=seconds,
    )
    rows.there(tx, row.id, content)
    return rows.of_tokens(tx, [row.token])[row.token]


def may_write(caller: Caller) -> None:
    """Who may neither answer nor write a note has nothing to attach a file to."""
    if not {"tickets.reply", "tickets.note"} & caller.grants.permissions:
        raise Refusal("forbidden", "Your role does not allow this (tickets.reply). Ask an administrator.")


def grant(tx: Tx, visitor_id: int, name: str, size: int, *, voice: bool, seconds: int | None) -> Row:
    """One upload of so many bytes, for a visitor: within what one visitor may upload in a day."""
    limits = tx.file_limits
    if size > limits.file:
        raise Refusal("too_large", f"The file is too large. Up to {in_words(limits.file)} can be sent.", field="size")
    _refuse_programs(name, "")
    count, claimed = tx.row(_CLAIMED, visitor_id=visitor_id, since=tx.now - DAY) or (0, 0)
    if count >= limits.visitor_count or claimed + size > limits.visitor:
        raise Refusal("too_many", "That is as much as can be sent in one day. Try again tomorrow.",
                      extra={"retry_after": 3_600})  # fmt: skip
    return rows.insert(
        tx,
        state="uploading",
        name=name,
        content_type=types.UNKNOWN,
        size=size,
        visitor_id=visitor_id,
        voice=voice,
        seconds=seconds,
    )


def granted(rx: Rx, token: str) -> Row:
    """The grant, as long as it opens something."""
    row = rows.by_token(rx, token)
    if row is None:
        raise not_found("upload")
    if row.state != "uploading" or rx.now - row.created_at > GRANTED_FOR:
        raise Refusal("gone", "This upload was used or is over. Begin a new one.")
    return row


def arrived(tx: Tx, token: str, content: Content) -> FileShown:
    """What a grant was for: once, whoever else tries it."""
    row = granted(tx, token)
    _refuse_programs(row.name, content.content_type)
    if content.scan == "failed":
        raise Refusal("conflict", "Files cannot be looked at for viruses just now. Try again in a while.")
    rows.there(tx, row.id, content)
    return rows.of_tokens(tx, [token])[token]


def take_back(tx: Tx, caller: Caller, token: str) -> None:
    """An upload of one's own that was not sent is not wanted after all."""
    row = rows.by_token(tx, token)
    if row is None or row.agent_id != agent_of(caller) or (row.message_id or row.note_id):
        raise not_found("upload")
    tx.run(_DROP, id=row.id)


def drop(tx: Tx, token: str) -> None:
    """An upload that failed."""
    row = rows.by_token(tx, token)
    if row is not None and row.state == "uploading":
        tx.run(_DROP, id=row.id)


# --- sending ---------------------------------------------------------------------------------------------------------


def attach(
    tx: Tx,
    tokens: Sequence[str],
    *,
    caller: Caller | None = None,
    visitor_id: int | None = None,
    message_id: int | None = None,
    note_id: int | None = None,
) -> None:
    """Files to what was just said, in the order given. An agent's own uploads, and files of messages that they may
    see, which are sent once more; a visitor's own uploads and nothing else."""
    found = [_mine(tx, token, number, caller, visitor_id) for number, token in enumerate(_checked(tx, tokens))]
    size = sum(row.size or 0 for row in found)
    if size > tx.file_limits.message:
        raise invalid(FIELD, f"Together they are larger than {in_words(tx.file_limits.message)}. Send them one by one.")
    where = {"message_id": message_id, "note_id": note_id}
    for position, row in enumerate(found):
        if row.message_id is None and row.note_id is None:
            tx.run(_MINE, id=row.id, position=position, **where)
        else:
            agent_id = caller.grants.agent_id if caller is not None else None
            tx.run(_COPY, id=row.id, token=rows.new_token(), agent_id=agent_id, position=position, now=tx.now, **where)


def _checked(rx: Tx, tokens: Sequence[str]) -> Sequence[str]:
    most = rx.file_limits.count
    if len(tokens) > most:
        raise invalid(FIELD, f"A message can have up to {most} files. Send the others with another one.")
    if len(set(tokens)) < len(tokens):
        raise invalid(FIELD, "A file stands twice in this.")
    return tokens


def _mine(rx: Rx, token: str, number: int, caller: Caller | None, visitor_id: int | None) -> Row:
    row = rows.by_token(rx, token)
    loose = row is not None and row.message_id is None and row.note_id is None
    if row is None:
        own = False
    elif visitor_id is not None:
        own = loose and row.visitor_id == visitor_id
    elif caller is not None and caller.actor.kind == "agent" and loose:
        own = row.agent_id == caller.grants.agent_id
    else:
        own = caller is not None and not loose and access.may_open(rx, caller, row)
    if row is None or not own or row.state != "there":
        text = "This file has not arrived yet. Wait for it." if own and row and row.state == "uploading" else NOT_THERE
        raise Refusal("invalid", text, errors=(FieldError(f"{FIELD}[{number}]", text),))
    _refuse_programs(row.name, row.content_type)
    return row


def _refuse_programs(name: str, content_type: str) -> None:
    if types.runs(name, content_type):
        raise Refusal("invalid", RUNS, field="name")


def named(rx: Rx, tokens: Sequence[str]) -> str:
    """What something without words is about: the name of its first file."""
    row = rows.by_token(rx, tokens[0]) if tokens else None
    return row.name if row is not None else ""


# --- tidying ---------------------------------------------------------------------------------------------------------


def sweep(tx: Tx) -> int:
    """Drops some uploads that nobody sent; how many."""
    old = tx.rows(_LOOSE, before=tx.now - KEPT)
    for (file_id,) in old:
        tx.run(_DROP, id=file_id)
    return len(old)
