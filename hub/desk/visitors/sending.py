"""Files of visitors: what they may upload, and which they may have: those of messages that they are shown, judged like
the message itself, and uploads of their own."""

from typing import Literal

import msgspec

from hub.db.tx import Rx, Tx
from hub.desk import inboxes
from hub.desk.files import access, rows, uploads
from hub.desk.files.access import Opened
from hub.desk.files.rows import Row
from hub.desk.visitors import details as about
from hub.desk.visitors.elsewhere import elsewhere
from hub.desk.visitors.look import shown
from hub.desk.visitors.row import Visitor, must
from hub.errors import Refusal, not_found

UNSCANNED = "This file could not be looked at for viruses, so it is not handed out."


class Granted(msgspec.Struct, frozen=True):
    """One upload: `file` is to be said with the message once its bytes are there."""

    file: str
    visitor_id: int


class Link(msgspec.Struct, frozen=True):
    """That the visitor may have the file; the door makes a link of it."""

    file: str
    visitor_id: int
    what: Literal["show", "preview", "download"]


def grant(tx: Tx, visitor: Visitor, name: str, size: int, *, voice: bool, seconds: int | None) -> Granted:
    visitor = must(tx, visitor.id)
    inbox = inboxes.by_id(tx, visitor.inbox_id)
    if inbox is None or not inbox.enabled:
        raise Refusal("gone", "This chat is switched off. Nothing was sent.")
    if not about.settings(inbox).files:
        raise Refusal("forbidden", "Files cannot be sent here. Write to us instead.")
    row = uploads.grant(tx, visitor.id, name, size, voice=voice, seconds=seconds)
    return Granted(row.token, visitor.id)


def link(rx: Rx, visitor: Visitor, token: str, what: Literal["show", "preview", "download"]) -> Link:
    open_file(rx, visitor, token)
    return Link(token, visitor.id, what)


def open_file(rx: Rx, visitor: Visitor, token: str) -> Opened:
    visitor = must(rx, visitor.id)
    row = rows.by_token(rx, token)
    if row is None or not _may(rx, visitor, row):
        raise not_found("file")
    found = access.opened(rx, row)
    if found.shown.warning == "unscanned":
        raise Refusal("forbidden", UNSCANNED)
    return found


def _may(rx: Rx, visitor: Visitor, row: Row) -> bool:
    if row.message_id is None:
        return row.note_id is None and row.visitor_id == visitor.id
    seen = shown(rx, [row.message_id]).get(row.message_id)
    if seen is None:
        return False
    return seen[0] == visitor.id or rows.ticket_id_of(rx, row) in elsewhere(rx, visitor)
