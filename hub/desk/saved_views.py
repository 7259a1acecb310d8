"""Saved filters of the list of tickets, of one agent or shared with all. They show to each what that agent may see."""

from typing import Any, Final

import msgspec

from hub.db.backend import Row
from hub.db.tx import Rx, Tx
from hub.desk.lists import Filter, Sort, require_sortable
from hub.errors import Refusal, not_found
from hub.events import Event, Scope, ViewChanged, ViewCreated, ViewDeleted
from hub.staff.access import Caller, agent_of
from hub.text import MAX_NAME, clean, fold

MOST: Final = 100  # of one agent, shared ones included

_COLUMNS: Final = "id, name, filter, sort, shared, agent_id, changed_at"
_BY_ID = f"SELECT {_COLUMNS} FROM saved_view WHERE id = :id"
_ALL = f"SELECT {_COLUMNS} FROM saved_view WHERE shared = 1 OR agent_id = :me ORDER BY name, id LIMIT 500"
_HOW_MANY = "SELECT COUNT(*) FROM saved_view WHERE agent_id = :me"
_INSERT = """
INSERT INTO saved_view (agent_id, name, filter, sort, shared, created_at, changed_at)
VALUES (:agent_id, :name, :filter, :sort, :shared, :now, :now) RETURNING id"""
_UPDATE = """
UPDATE saved_view SET name = :name, filter = :filter, sort = :sort, shared = :shared, changed_at = :now
WHERE id = :id"""
_TAGGED = f"SELECT {_COLUMNS} FROM saved_view WHERE filter LIKE '%\"tag\":%' ORDER BY id LIMIT 500"
_REFILTER = "UPDATE saved_view SET filter = :filter, changed_at = :now WHERE id = :id"
_DELETE = "DELETE FROM saved_view WHERE id = :id"


class View(msgspec.Struct, frozen=True, kw_only=True):
    """`agent_id`: who made it, and may change it."""

    id: int
    name: str
    filter: Filter
    sort: Sort
    shared: bool
    agent_id: int
    changed_at: int


def listed(rx: Rx, caller: Caller) -> list[View]:
    """The caller's own and those that are shared, by name."""
    return [_view(row) for row in rx.rows(_ALL, me=caller.grants.agent_id)]


def by_ids(rx: Rx, ids: set[int]) -> dict[int, tuple[Scope, View]]:
    """id → (whose it is, itself). For hub.live; no access is judged."""
    found = (rx.row(_BY_ID, id=id) for id in sorted(ids))
    return {view.id: (_scope(view), view) for row in found if row is not None for view in (_view(row),)}


def create(tx: Tx, caller: Caller, *, name: str, filter: Filter, sort: Sort, shared: bool) -> View:
    me = agent_of(caller)
    if tx.value(_HOW_MANY, me=me) >= MOST:
        raise Refusal("conflict", f"You have {MOST} views already. Delete one that you do not use.")
    view_id = tx.insert(_INSERT, agent_id=me, **_checked(name, filter, sort, shared), now=tx.now)
    made = _must(tx, view_id)
    tx.record(ViewCreated(view_id=view_id), by=caller.actor, after=_scope(made))
    return made


def change(tx: Tx, caller: Caller, view_id: int, **given: Any) -> View:
    """Only what is given. No longer shared, it is gone for the others; shared, it is new to them."""
    was = _changeable(tx, caller, view_id)
    fields = {name: getattr(was, name) for name in ("name", "filter", "sort", "shared")} | given
    tx.run(_UPDATE, id=view_id, **_checked(**fields), now=tx.now)
    now = _must(tx, view_id)
    if _scope(was) == _scope(now):
        _record(tx, caller, ViewChanged(view_id=view_id), before=_scope(was), after=_scope(now))
    else:
        _record(tx, caller, ViewDeleted(view_id=view_id), before=_scope(was))
        _record(tx, caller, ViewCreated(view_id=view_id), after=_scope(now))
    return now


def delete(tx: Tx, caller: Caller, view_id: int) -> None:
    was = _changeable(tx, caller, view_id)
    tx.run(_DELETE, id=view_id)
    _record(tx, caller, ViewDeleted(view_id=view_id), before=_scope(was))


def retag(tx: Tx, caller: Caller, was: str, now: str) -> None:
    """Whoever's view looks for a tag that is called otherwise now finds it. Judges nothing."""
    for row in tx.rows(_TAGGED):
        view = _view(row)
        if view.filter.tag is not None and fold(view.filter.tag) == fold(was):
            filter = msgspec.structs.replace(view.filter, tag=now)
            tx.run(_REFILTER, id=view.id, filter=msgspec.json.encode(filter).decode(), now=tx.now)
            _record(tx, caller, ViewChanged(view_id=view.id), before=_scope(view), after=_scope(view))


def _changeable(rx: Rx, caller: Caller, view_id: int) -> View:
    row = rx.row(_BY_ID, id=view_id)
    view = _view(row) if row is not None else None
    if view is None or not (view.shared or view.agent_id == caller.grants.agent_id):
        raise not_found("view")
    if view.agent_id != caller.grants.agent_id and not caller.grants.everything:
        raise Refusal("forbidden", "A shared view is changed by whoever made it, or by who sees everything.")
    return view


def _checked(name: str, filter: Filter, sort: Sort, shared: bool) -> dict[str, Any]:
    require_sortable(filter, sort)
    if filter.tag is not None:
        clean(filter.tag, "filter.tag", most=MAX_NAME, lines=False)
    return {
        "name": clean(name, "name", most=MAX_NAME, lines=False).strip(),
        "filter": msgspec.json.encode(filter).decode(),
        "sort": sort,
        "shared": int(shared),
    }


def _scope(view: View) -> Scope:
    return Scope(None, None, None if view.shared else view.agent_id)


def _must(rx: Rx, view_id: int) -> View:
    row = rx.row(_BY_ID, id=view_id)
    assert row is not None
    return _view(row)


def _view(row: Row) -> View:
    return View(
        id=row[0],
        name=row[1],
        filter=msgspec.json.decode(row[2], type=Filter),
        sort=row[3],
        shared=bool(row[4]),
        agent_id=row[5],
        changed_at=row[6],
    )


def _record(tx: Tx, caller: Caller, event: Event, *, before: Scope | None = None, after: Scope | None = None) -> None:
    tx.record(event, by=caller.actor, before=before, after=after)
