"""What agents say among themselves: never sent."""

from collections.abc import Sequence

from hub.db.tx import Tx
from hub.desk import drafts, followers
from hub.desk import ticket as tickets
from hub.desk.files import uploads
from hub.events import NoteWritten
from hub.staff.access import Caller
from hub.text import MAX_MESSAGE, clean

_INSERT = """
INSERT INTO note (ticket_id, agent_id, text, created_at) VALUES (:ticket_id, :agent_id, :text, :now) RETURNING id"""


def write(
    tx: Tx,
    caller: Caller,
    number: int,
    text: str,
    mentions: tuple[int, ...] = (),
    files: Sequence[str] = (),
    draft: int | None = None,
) -> int:
    """`mentions`: agents whom it calls, and who follow the ticket from then on; each has to be able to see it. `files`:
    that the caller has uploaded; with some there may be no text. `draft`: which one it was, as `drafts.said` has it."""
    ticket = tickets.seen(tx, caller, number)
    text = clean(text, "text", most=MAX_MESSAGE, least=0 if files else 1)
    followers.require_mentionable(tx, ticket, mentions)
    note_id = tx.insert(_INSERT, ticket_id=ticket.id, agent_id=caller.grants.agent_id, text=text, now=tx.now)
    if files:
        uploads.attach(tx, files, caller=caller, note_id=note_id)
    tickets.record(tx, ticket, NoteWritten(note_id=note_id), caller.actor)
    followers.mention(tx, caller, ticket, note_id, mentions)
    drafts.said(tx, caller, ticket, "note", text, draft)
    return note_id
