"""What agents note about a contact, whatever the ticket: seen by whoever sees the contact, never sent."""

from collections.abc import Iterable

import msgspec

from hub.db import cursor as cursors
from hub.db.many import rows_of
from hub.db.tx import Rx, Tx
from hub.desk.contact_lists import require_contact
from hub.errors import Refusal, not_found
from hub.events import ContactNoteChanged, ContactNoteDeleted, ContactNoteWritten
from hub.staff.access import Caller
from hub.text import MAX_MESSAGE, clean


class ContactNote(msgspec.Struct, frozen=True):
    id: int
    contact_id: int
    agent_id: int
    text: str
    created_at: int
    changed_at: int | None


_COLUMNS = "id, contact_id, agent_id, text, created_at, changed_at"
_ONE = f"SELECT {_COLUMNS} FROM contact_note WHERE id = :id"
_SOME = f"SELECT {_COLUMNS} FROM contact_note"
_OF = f"""
SELECT {_COLUMNS} FROM contact_note WHERE contact_id = :contact_id AND id < :before ORDER BY id DESC LIMIT :limit"""
_INSERT = """
INSERT INTO contact_note (contact_id, agent_id, text, created_at) VALUES (:contact_id, :agent_id, :text, :now)
RETURNING id"""
_CHANGE = "UPDATE contact_note SET text = :text, changed_at = :now WHERE id = :id"
_DELETE = "DELETE FROM contact_note WHERE id = :id"
END = 2**63 - 1


def of(
    rx: Rx, caller: Caller, contact_id: int, *, limit: int = 50, cursor: str | None = None
) -> tuple[list[ContactNote], str | None]:
    """Newest first."""
    require_contact(rx, caller, contact_id)
    name = f"contact notes {contact_id}"
    before = cursors.read(name, cursor, (int,))[0] if cursor else END
    rows = rx.rows(_OF, contact_id=contact_id, before=before, limit=limit + 1)
    found = [ContactNote(*row) for row in rows[:limit]]
    return found, cursors.make(name, (found[-1].id,)) if len(rows) > limit else None


def by_ids(rx: Rx, ids: Iterable[int]) -> dict[int, ContactNote]:
    """Many at one go; judges nothing."""
    return {row[0]: ContactNote(*row) for row in rows_of(rx, _SOME, "id", ids)}


def write(tx: Tx, caller: Caller, contact_id: int, text: str) -> ContactNote:
    require_contact(tx, caller, contact_id)
    text = clean(text, "text", most=MAX_MESSAGE)
    note_id = tx.insert(_INSERT, contact_id=contact_id, agent_id=caller.grants.agent_id, text=text, now=tx.now)
    tx.record(ContactNoteWritten(contact_note_id=note_id), by=caller.actor, contact_id=contact_id)
    return _must(tx, note_id)


def change(tx: Tx, caller: Caller, note_id: int, text: str) -> ContactNote:
    note = _own(tx, caller, note_id)
    text = clean(text, "text", most=MAX_MESSAGE)
    if text != note.text:
        tx.run(_CHANGE, id=note_id, text=text, now=tx.now)
        tx.record(ContactNoteChanged(contact_note_id=note_id), by=caller.actor, contact_id=note.contact_id)
    return _must(tx, note_id)


def delete(tx: Tx, caller: Caller, note_id: int) -> None:
    note = _own(tx, caller, note_id)
    tx.run(_DELETE, id=note_id)
    tx.record(ContactNoteDeleted(contact_note_id=note_id), by=caller.actor, contact_id=note.contact_id)


def _own(rx: Rx, caller: Caller, note_id: int) -> ContactNote:
    row = rx.row(_ONE, id=note_id)
    if row is None:
        raise not_found("note")
    note = ContactNote(*row)
    try:
        require_contact(rx, caller, note.contact_id)
    except Refusal:
        raise not_found("note") from None
    if note.agent_id != caller.grants.agent_id:
        raise Refusal("forbidden", "Only who wrote a note can change it. Write one of your own beside it.")
    return note


def _must(rx: Rx, note_id: int) -> ContactNote:
    row = rx.row(_ONE, id=note_id)
    assert row is not None
    return ContactNote(*row)
