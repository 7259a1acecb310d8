"""Keeping the one set of tags: another name or colour, two made one, one taken away, and both of these taken back.

Merging and deleting change the tag's own row and nothing else, so they are done at once however many tickets bear it,
and undone exactly. After a month, when nobody wants them back, `sweep` moves and drops what bears them, some at a time.
"""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from hub.clock import DAY
from hub.db.tx import Rx, Tx
from hub.desk import saved_views, tags
from hub.desk.tags import Colour
from hub.errors import Refusal, invalid, not_found
from hub.events import TagChanged, TagDeleted, TagMerged, TagRestored
from hub.staff.access import Caller, require_permission
from hub.text import clean, fold

MANAGE: Final = "desk.manage"
COUNTED: Final = 1_000  # uses, at most; more are "999+"
MOST: Final = 1_000
KEPT: Final = 30 * DAY  # how long what is gone can be had back
_A_UNIT: Final = 200

_COLUMNS: Final = "id, name, colour, merged_into, gone_at, shown_as"
_ONE = f"SELECT {_COLUMNS} FROM tag WHERE id = :id"
_LIVING = f"SELECT {_COLUMNS} FROM tag WHERE gone_at IS NULL ORDER BY name_folded, id LIMIT {MOST}"
_GONE = f"SELECT {_COLUMNS} FROM tag WHERE gone_at IS NOT NULL ORDER BY gone_at DESC, id DESC LIMIT 100"
_USES = {
    what: f"""
SELECT COUNT(*) FROM (
  SELECT DISTINCT {what}_id FROM {what}_tag WHERE tag_id IN ({tags.FAMILY}) LIMIT {COUNTED}) AS few"""
    for what in ("ticket", "contact")
}
_NAMED = "SELECT id FROM tag WHERE name_folded = :folded AND gone_at IS NULL"
_CHANGE = "UPDATE tag SET name = :name, name_folded = :folded, colour = :colour WHERE id = :id"
_MERGE = "UPDATE tag SET merged_into = :into, gone_at = :now WHERE id = :id"
_SHOW = "UPDATE tag SET shown_as = :into WHERE id = :id OR shown_as = :id"
_DELETE = "UPDATE tag SET gone_at = :now WHERE id = :id"
_BACK = """
UPDATE tag SET merged_into = NULL, shown_as = NULL, gone_at = NULL, name_folded = :folded WHERE id = :id"""
_MERGED_INTO = "SELECT id FROM tag WHERE merged_into = :id"
_SHOW_ONE = "UPDATE tag SET shown_as = :into WHERE id = :id"

# What has been gone long enough, and stands for no other tag.
_OLD = """
SELECT tag.id, tag.shown_as FROM tag WHERE tag.gone_at < :before
  AND NOT EXISTS (SELECT 1 FROM tag AS other WHERE other.shown_as = tag.id OR other.merged_into = tag.id)
ORDER BY tag.id LIMIT 1"""
_BEARERS = {
    "ticket_id": "SELECT ticket_id FROM ticket_tag WHERE tag_id = :id ORDER BY ticket_id LIMIT :limit",
    "contact_id": "SELECT contact_id FROM contact_tag WHERE tag_id = :id ORDER BY contact_id LIMIT :limit",
}
_PUT = {
    "ticket_id": "INSERT INTO ticket_tag (ticket_id, tag_id) VALUES (:bearer, :id) ON CONFLICT DO NOTHING",
    "contact_id": "INSERT INTO contact_tag (contact_id, tag_id) VALUES (:bearer, :id) ON CONFLICT DO NOTHING",
}
_TAKE = {
    "ticket_id": "DELETE FROM ticket_tag WHERE ticket_id = :bearer AND tag_id = :id",
    "contact_id": "DELETE FROM contact_tag WHERE contact_id = :bearer AND tag_id = :id",
}
_DROP = "DELETE FROM tag WHERE id = :id"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A tag as those see it who keep the set. `tickets`, `contacts`: how many bear it, at most 1000 (say "999+").
    `merged_into`, `gone_at`: of one that is gone and can be had back."""

    id: int
    name: str
    colour: str
    tickets: int
    contacts: int
    merged_into: int | None = None
    gone_at: int | None = None


def kept(rx: Rx, caller: Caller) -> list[Kept]:
    """All that there are, by name."""
    require_permission(caller, MANAGE)
    return [_kept(rx, row) for row in rx.rows(_LIVING)]


def gone(rx: Rx, caller: Caller) -> list[Kept]:
    """What was merged or deleted in the last month, the latest first."""
    require_permission(caller, MANAGE)
    return [_kept(rx, row) for row in rx.rows(_GONE)]


def get(rx: Rx, caller: Caller, tag_id: int) -> Kept:
    require_permission(caller, MANAGE)
    return _kept(rx, _row(rx, tag_id))


def create(tx: Tx, caller: Caller, name: str, colour: Colour) -> int:
    require_permission(caller, MANAGE)
    _require_colour(colour)
    name = clean(name, "name", most=tags.MAX_TAG, lines=False).strip()
    _require_free(tx, name, None)
    return tags.ensure(tx, caller, name, colour)


def change(
    tx: Tx, caller: Caller, tag_id: int, *, name: str | UnsetType = UNSET, colour: Colour | UnsetType = UNSET
) -> None:
    """Only what is given. Views that look for the old name look for the new one."""
    require_permission(caller, MANAGE)
    _, was, had, *_ = _living(tx, tag_id)
    if colour is not UNSET:
        _require_colour(colour)
    now = was if name is UNSET else clean(name, "name", most=tags.MAX_TAG, lines=False).strip()
    if fold(now) != fold(was):
        _require_free(tx, now, tag_id)
        tags.free(tx, fold(now))
    look = had if colour is UNSET else colour
    if (now, look) == (was, had):
        return
    tx.run(_CHANGE, id=tag_id, name=now, folded=fold(now), colour=look)
    if now != was:
        saved_views.retag(tx, caller, was, now)
    tx.record(TagChanged(tag_id=tag_id), by=caller.actor)


def merge(tx: Tx, caller: Caller, tag_id: int, into: int) -> None:
    """Whatever bears the one bears the other instead, and whoever types its name gets the other."""
    require_permission(caller, MANAGE)
    _, was, *_ = _living(tx, tag_id)
    if tag_id == into:
        raise invalid("into", "A tag cannot be merged into itself. Choose another.")
    row = tx.row(_ONE, id=into)
    if row is None or row[4] is not None:
        raise invalid("into", "There is no such tag.")
    tx.run(_MERGE, id=tag_id, into=into, now=tx.now)
    tx.run(_SHOW, id=tag_id, into=into)
    saved_views.retag(tx, caller, was, row[1])
    tx.record(TagMerged(tag_id=tag_id, into=into), by=caller.actor)


def delete(tx: Tx, caller: Caller, tag_id: int) -> None:
    """Nothing bears it any longer, nor what was merged into it."""
    require_permission(caller, MANAGE)
    _, was, *_ = _living(tx, tag_id)
    tx.run(_DELETE, id=tag_id, now=tx.now)
    tags.free(tx, fold(was))
    tx.record(TagDeleted(tag_id=tag_id), by=caller.actor)


def restore(tx: Tx, caller: Caller, tag_id: int) -> None:
    """A tag of its own again, on all that bore it before. Views that were led elsewhere stay there."""
    require_permission(caller, MANAGE)
    row = _row(tx, tag_id)
    if row[4] is None:
        raise Refusal("conflict", "This tag is there: nothing is to be brought back.")
    folded = fold(row[1])
    _require_free(tx, row[1], tag_id)
    tags.free(tx, folded)
    tx.run(_BACK, id=tag_id, folded=folded)
    for other in _below(tx, tag_id):
        tx.run(_SHOW_ONE, id=other, into=tag_id)
    tx.record(TagRestored(tag_id=tag_id), by=caller.actor)


def sweep(tx: Tx) -> int:
    """Folds some of what nobody wants back any more into what it is shown as, or drops it; how many rows."""
    row = tx.row(_OLD, before=tx.now - KEPT)
    if row is None:
        return 0
    tag_id, into = row
    done = 0
    for column, sql in _BEARERS.items():
        for (bearer,) in tx.rows(sql, id=tag_id, limit=_A_UNIT):
            if into is not None:
                tx.run(_PUT[column], bearer=bearer, id=into)
            done += tx.run(_TAKE[column], bearer=bearer, id=tag_id)
    return done or tx.run(_DROP, id=tag_id)


# --- inside ----------------------------------------------------------------------------------------------------------


def _below(rx: Rx, tag_id: int) -> list[int]:
    """What was merged into it, and into that."""
    found: list[int] = []
    for (other,) in rx.rows(_MERGED_INTO, id=tag_id):
        found += [other, *_below(rx, other)]
    return found


def _kept(rx: Rx, row: tuple[Any, ...]) -> Kept:
    uses = {what: int(rx.value(sql, tag_id=row[0])) for what, sql in _USES.items()}
    return Kept(
        id=row[0],
        name=row[1],
        colour=row[2],
        tickets=uses["ticket"],
        contacts=uses["contact"],
        merged_into=row[3],
        gone_at=row[4],
    )


def _row(rx: Rx, tag_id: int) -> tuple[Any, ...]:
    row = rx.row(_ONE, id=tag_id)
    if row is None:
        raise not_found("tag")
    return row


def _living(rx: Rx, tag_id: int) -> tuple[Any, ...]:
    row = _row(rx, tag_id)
    if row[4] is not None:
        raise not_found("tag")
    return row


def _require_free(rx: Rx, name: str, own_id: int | None) -> None:
    """What a merged tag was called is not taken: it only leads elsewhere until somebody wants the name."""
    found = rx.value(_NAMED, folded=fold(name))
    if found not in (None, own_id):
        text = "There is a tag of this name already. Choose another, or merge the two."
        raise Refusal("conflict", text, field="name")


def _require_colour(colour: str) -> None:
    if colour not in tags.COLOURS:
        raise invalid("colour", "There is no such colour. Choose one of those that are offered.")
