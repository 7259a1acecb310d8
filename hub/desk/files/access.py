"""Which file an agent may have: that of a message or note whose ticket they see, by the same gate; and an upload of
their own. What they may not have answers like what is not there."""

from typing import Final

import msgspec

from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.desk import ticket as tickets
from hub.desk.files import rows
from hub.desk.files.rows import FileShown, Row
from hub.desk.ticket import Ticket
from hub.errors import Refusal, not_found
from hub.staff.access import Caller, may
from hub.text import MAX_MESSAGE, clean, fold

MAX_CAPTION: Final = min(2_000, MAX_MESSAGE)
GONE: Final = "This file is not there any more."

_CAPTION = "UPDATE file SET caption = :caption, caption_folded = :folded WHERE id = :id"
_AGAIN = "UPDATE file SET state = 'fetching', reason = NULL WHERE id = :id"
_FAILED = "SELECT 1 FROM file WHERE id = :id AND ref IS NOT NULL AND state = 'failed'"


class Opened(msgspec.Struct, frozen=True):
    """A file in hand: where its content lies, and what it is."""

    row: Row
    shown: FileShown


def seen(rx: Rx, caller: Caller, token: str) -> Row:
    row = rows.by_token(rx, token)
    if row is None or not may_open(rx, caller, row):
        raise not_found("file")
    return row


def may_open(rx: Rx, caller: Caller, row: Row) -> bool:
    ticket = ticket_of(rx, row)
    if ticket is not None:
        return may(caller.grants, ticket.scope)
    return caller.actor.kind == "agent" and row.agent_id == caller.grants.agent_id


def ticket_of(rx: Rx, row: Row) -> Ticket | None:
    """Where it was said; None: it was not said yet."""
    ticket_id = rows.ticket_id_of(rx, row)
    return None if ticket_id is None else tickets.must(rx, ticket_id)


def open(rx: Rx, caller: Caller, token: str) -> Opened:
    """To be read. What is gone, or was never fetched, says why."""
    return opened(rx, seen(rx, caller, token))


def opened(rx: Rx, row: Row) -> Opened:
    if row.state != "there" or row.sha256 is None:
        raise Refusal("gone", row.reason or ("It is still being fetched." if row.state == "fetching" else GONE))
    return Opened(row, rows.of_tokens(rx, [row.token])[row.token])


def caption(tx: Tx, caller: Caller, token: str, text: str) -> FileShown:
    """What is said or to be seen in it, in words that can be searched for."""
    row = seen(tx, caller, token)
    text = clean(text, "caption", most=MAX_CAPTION, least=0)
    tx.run(_CAPTION, id=row.id, caption=text, folded=fold(text))
    rows.changed(tx, row, caller.actor)
    return rows.of_tokens(tx, [token])[token]


def fetch_again(tx: Tx, caller: Caller, token: str) -> FileShown:
    """A person wants it tried once more."""
    row = seen(tx, caller, token)
    if tx.value(_FAILED, id=row.id) is None:
        raise Refusal("conflict", "There is nothing to try again: it is here, or its channel cannot be asked for it.")
    tx.run(_AGAIN, id=row.id)
    tx.enqueue(rows.FETCH, {"file_id": row.id}, lane=lanes.INBOUND)
    rows.changed(tx, row, caller.actor)
    return rows.of_tokens(tx, [token])[token]
