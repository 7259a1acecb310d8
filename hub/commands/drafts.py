"""Commands on what the caller has begun to write."""

from typing import Annotated, Any, Final

import msgspec

from hub.commands.answers import Id, Request
from hub.commands.reading import Nothing, Window
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import drafts
from hub.desk.drafts import Draft, Mode
from hub.staff.access import Caller


class SaveDraft(Request, frozen=True, kw_only=True):
    """An empty `text` takes the draft away. `base`: the `saved_at` of the one that this was made from, 0 for none; if
    another device has saved since, the answer is 409 `stale` with its `text` and `saved_at`. `window` as in
    `mark_read`."""

    number: Id
    mode: Mode
    text: str
    base: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    window: Window | None = None


class SavedAnswer(msgspec.Struct, frozen=True):
    """`saved_at`: what the next one gives as its `base`."""

    saved_at: int


class DraftList(msgspec.Struct, frozen=True):
    items: list[Draft]


def _save(tx: Tx, caller: Caller, request: SaveDraft) -> SavedAnswer:
    saved_at = drafts.save(
        tx, caller, request.number, request.mode, request.text, base=request.base, window=request.window
    )
    return SavedAnswer(saved_at)


def _list(rx: Rx, caller: Caller, _: Nothing) -> DraftList:
    return DraftList(drafts.of_caller(rx, caller))


_NOUN: dict[str, Any] = {"noun": "drafts"}

COMMANDS: Final = (
    Command(
        name="save_draft",
        summary="Keep what the caller has begun to write.",
        method="PUT",
        path="/tickets/{number}/draft",
        request=SaveDraft,
        answer=SavedAnswer,
        scope="tickets:write",
        write=_save,
        refuses=("stale", "conflict"),
        **_NOUN,
    ),
    Command(
        name="list_drafts",
        summary="The caller's own drafts, newest first, at most 500.",
        method="GET",
        path="/me/drafts",
        request=Nothing,
        answer=DraftList,
        scope="tickets:read",
        permission="tickets.read",
        read=_list,
        **_NOUN,
    ),
)
