"""Commands on contacts who are blocked, and on what they sent meanwhile."""

from typing import Annotated, Any, Final

import msgspec

from hub.commands.answers import Id, Request
from hub.commands.desk import Done, OneInbound, Page
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import blocking
from hub.desk.blocking import Block, Chatted, Kept
from hub.staff.access import Caller
from hub.text import MAX_LINE


class BlockContact(Request, frozen=True, kw_only=True):
    """`reason`: for colleagues; the contact is told nothing."""

    contact_id: Id
    reason: Annotated[str, msgspec.Meta(max_length=MAX_LINE)] | None = None


class UnblockContact(Request, frozen=True, kw_only=True):
    contact_id: Id


class KeptPage(msgspec.Struct, frozen=True):
    """`next`: give it as `before` for the page after this one; null on the last. `chats`: what blocked visitors said in
    chats, the newest hundred, with the first page."""

    items: list[Kept]
    next: int | None
    chats: list[Chatted]


def _block(tx: Tx, caller: Caller, request: BlockContact) -> Block:
    return blocking.block(tx, caller, request.contact_id, request.reason)


def _unblock(tx: Tx, caller: Caller, request: UnblockContact) -> Block:
    return blocking.unblock(tx, caller, request.contact_id)


def _kept(rx: Rx, caller: Caller, request: Page) -> KeptPage:
    items = blocking.kept(rx, caller, before=request.before, limit=request.limit)
    chats = blocking.chatted(rx, caller) if request.before is None else []
    return KeptPage(items, items[-1].id if len(items) == request.limit else None, chats)


def _restore(tx: Tx, caller: Caller, request: OneInbound) -> Done:
    blocking.restore(tx, caller, request.inbound_id)
    return Done()


_CONTACT: dict[str, Any] = {
    "noun": "contacts",
    "method": "POST",
    "answer": Block,
    "scope": "contacts:write",
    "permission": "contacts.change",
}

COMMANDS: Final = (
    Command(
        name="block_contact",
        summary="Take in nothing that they write from now on; it is kept raw and can be restored.",
        path="/contacts/{contact_id}/block",
        request=BlockContact,
        write=_block,
        **_CONTACT,
    ),
    Command(
        name="unblock_contact",
        summary="Take in again what they write.",
        path="/contacts/{contact_id}/unblock",
        request=UnblockContact,
        write=_unblock,
        **_CONTACT,
    ),
    Command(
        name="list_blocked",
        noun="contacts",
        summary="What blocked contacts sent, as it came, newest first.",
        method="GET",
        path="/blocked",
        request=Page,
        answer=KeptPage,
        scope="tickets:read",
        permission="tickets.read",
        read=_kept,
    ),
    Command(
        name="restore_blocked",
        noun="contacts",
        summary="Take in what a blocked contact sent, as a message. They stay blocked.",
        method="POST",
        path="/inbound/{inbound_id}/restore",
        request=OneInbound,
        answer=Done,
        scope="tickets:write",
        permission="tickets.change",
        write=_restore,
        refuses=("conflict",),
    ),
)
