"""Canned responses: texts under a short name, of one agent, of a team, or of the whole desk.

One's own are changed by oneself, a team's by whoever sees that team's tickets, the desk's by whoever sees everything.
"""

import re
from typing import Any, Final

import msgspec

from hub.db.backend import Row
from hub.db.tx import Rx, Tx
from hub.desk import filling
from hub.desk import ticket as tickets
from hub.desk.filling import Filled
from hub.errors import Refusal, invalid, not_found
from hub.events import CannedChanged, CannedCreated, CannedDeleted, Event, Scope
from hub.staff.access import Caller, agent_of
from hub.text import MAX_MESSAGE, MAX_NAME, clean, fold

MAX_SHORT: Final = 40
MOST: Final = 500  # of one agent, of one team, of the desk
SHOWN: Final = 1_000

_COLUMNS: Final = "id, short, title, text, language, team_id, agent_id, changed_at"
_BY_ID = f"SELECT {_COLUMNS} FROM canned WHERE id = :id"
_OF_TEAM = f"SELECT {_COLUMNS} FROM canned WHERE team_id = :id ORDER BY id LIMIT {MOST}"
_ALL = f"SELECT {_COLUMNS} FROM canned"
_INSERT = """
INSERT INTO canned (short, short_folded, title, text, language, team_id, agent_id, created_at, changed_at)
VALUES (:short, :folded, :title, :text, :language, :team_id, :agent_id, :now, :now) RETURNING id"""
_UPDATE = """
UPDATE canned SET short = :short, short_folded = :folded, title = :title, text = :text, language = :language,
                  team_id = :team_id, agent_id = :agent_id, changed_at = :now
WHERE id = :id"""
_DELETE = "DELETE FROM canned WHERE id = :id"
_TAKEN = """
SELECT 1 FROM canned WHERE short_folded = :folded AND COALESCE(team_id, 0) = :team AND COALESCE(agent_id, 0) = :agent
  AND COALESCE(language, '') = :language AND id <> :id"""
_HOW_MANY = """
SELECT COUNT(*) FROM canned WHERE COALESCE(team_id, 0) = :team AND COALESCE(agent_id, 0) = :agent"""
_TEAM = "SELECT 1 FROM team WHERE id = :id AND gone_at IS NULL"


class Canned(msgspec.Struct, frozen=True, kw_only=True):
    """`own`: its reader's, and nobody else has it. `unknown`: what looks like a variable in it and is none."""

    id: int
    short: str
    title: str
    text: str
    language: str | None
    team_id: int | None
    own: bool
    changed_at: int
    unknown: tuple[str, ...] = ()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    short: str
    title: str
    text: str
    language: str | None = None
    team_id: int | None = None
    own: bool = False


def listed(rx: Rx, caller: Caller) -> list[Canned]:
    """All that the caller may use, by short name, at most a thousand."""
    where = ["(agent_id IS NULL OR agent_id = :me)"]
    if not caller.grants.everything:
        teams = ", ".join(str(int(i)) for i in sorted(caller.grants.teams)) or "0"  # numbers of ours
        where.append(f"(team_id IS NULL OR team_id IN ({teams}))")
    # Composed of constants of ours; values are parameters.
    sql = f"{_ALL} WHERE {' AND '.join(where)} ORDER BY short_folded, id LIMIT :limit"
    return [_canned(row) for row in rx.rows(sql, me=caller.grants.agent_id, limit=SHOWN)]


def by_ids(rx: Rx, ids: set[int]) -> dict[int, tuple[Scope, Canned]]:
    """id → (whose it is, itself). For hub.live; no access is judged."""
    found = (rx.row(_BY_ID, id=id) for id in sorted(ids))
    return {row[0]: (Scope(None, row[5], row[6]), _canned(row)) for row in found if row is not None}


def create(tx: Tx, caller: Caller, wanted: Wanted) -> Canned:
    wanted = _checked(tx, caller, wanted, 0)
    owner = agent_of(caller) if wanted.own else None
    if tx.value(_HOW_MANY, team=wanted.team_id or 0, agent=owner or 0) >= MOST:
        raise Refusal("conflict", f"There are {MOST} of these already. Delete some that nobody uses.")
    canned_id = tx.insert(_INSERT, **_values(wanted, owner), now=tx.now)
    _record(tx, caller, CannedCreated(canned_id=canned_id), after=_scope(wanted, owner))
    return _now(tx, canned_id)


def change(tx: Tx, caller: Caller, canned_id: int, **given: Any) -> Canned:
    """Only what is given. Who loses sight of it by that is told as if it were gone, who gains it as if it were new."""
    row = _changeable(tx, caller, canned_id)
    was = _canned(row)
    fields = {name: getattr(was, name) for name in Wanted.__struct_fields__}
    wanted = _checked(tx, caller, Wanted(**fields | given), canned_id)
    owner = agent_of(caller) if wanted.own else None
    before, after = Scope(None, row[5], row[6]), _scope(wanted, owner)
    tx.run(_UPDATE, id=canned_id, **_values(wanted, owner), now=tx.now)
    if before == after:
        _record(tx, caller, CannedChanged(canned_id=canned_id), before=before, after=after)
    else:
        _record(tx, caller, CannedDeleted(canned_id=canned_id), before=before)
        _record(tx, caller, CannedCreated(canned_id=canned_id), after=after)
    return _now(tx, canned_id)


def delete(tx: Tx, caller: Caller, canned_id: int) -> None:
    row = _changeable(tx, caller, canned_id)
    tx.run(_DELETE, id=canned_id)
    _record(tx, caller, CannedDeleted(canned_id=canned_id), before=Scope(None, row[5], row[6]))


def give_away(tx: Tx, caller: Caller, team_id: int, to: int | None) -> None:
    """What a team wrote is another's, or the whole desk's. Under a name that is taken there it gets a number."""
    for row in tx.rows(_OF_TEAM, id=team_id):
        short, number = row[1], 1
        where = {"team": to or 0, "agent": 0, "language": row[4] or ""}
        while tx.value(_TAKEN, folded=fold(short), **where, id=row[0]) is not None:
            number += 1
            short = f"{row[1][: MAX_SHORT - 4]}-{number}"
        wanted = Wanted(short=short, title=row[2], text=row[3], language=row[4], team_id=to)
        tx.run(_UPDATE, id=row[0], **_values(wanted, None), now=tx.now)
        _record(tx, caller, CannedDeleted(canned_id=row[0]), before=Scope(None, team_id, None))
        _record(tx, caller, CannedCreated(canned_id=row[0]), after=Scope(None, to, None))


def fill(rx: Rx, caller: Caller, canned_id: int, number: int) -> Filled:
    """For a ticket that the caller may see, as written by the caller."""
    row = _usable(rx, caller, canned_id)
    ticket = tickets.seen(rx, caller, number)
    return filling.filled(row[3], filling.values(rx, ticket, caller.grants.agent_id))


# --- inside --------------------------------------------------------------------------------------------------------


def _usable(rx: Rx, caller: Caller, canned_id: int) -> Row:
    row = rx.row(_BY_ID, id=canned_id)
    grants = caller.grants
    if row is None or (row[6] is not None and row[6] != grants.agent_id):
        raise not_found("canned response")
    if row[5] is not None and not grants.everything and row[5] not in grants.teams:
        raise not_found("canned response")
    return row


def _changeable(rx: Rx, caller: Caller, canned_id: int) -> Row:
    row = _usable(rx, caller, canned_id)
    if row[5] is None and row[6] is None:
        _may_change_the_desks(caller)
    return row


def _may_change_the_desks(caller: Caller) -> None:
    if not caller.grants.everything:
        text = "A text of the whole desk is changed by whoever sees everything. Make it your team's or your own."
        raise Refusal("forbidden", text)


def _checked(rx: Rx, caller: Caller, wanted: Wanted, canned_id: int) -> Wanted:
    short = clean(wanted.short, "short", most=MAX_SHORT, lines=False)
    if re.search(r"\s", short):
        raise invalid("short", "A short name has no blanks, so that it can be typed in one go.")
    text = clean(wanted.text, "text", most=MAX_MESSAGE)
    title = clean(wanted.title, "title", most=MAX_NAME, least=0, lines=False).strip() or short
    if wanted.own and wanted.team_id is not None:
        raise invalid("team_id", "It is either your own or a team's.")
    if wanted.team_id is not None:
        seen = caller.grants.everything or wanted.team_id in caller.grants.teams
        if not seen or rx.value(_TEAM, id=wanted.team_id) is None:
            raise invalid("team_id", "There is no such team, or you are not in it.")
    elif not wanted.own:
        _may_change_the_desks(caller)
    owner = agent_of(caller) if wanted.own else 0
    language = wanted.language or None
    taken = {"folded": fold(short), "team": wanted.team_id or 0, "agent": owner, "language": language or ""}
    if rx.value(_TAKEN, **taken, id=canned_id) is not None:
        raise invalid("short", "There is one under this name already. Choose another, or change that one.")
    return Wanted(short=short, title=title, text=text, language=language, team_id=wanted.team_id, own=wanted.own)


def _values(wanted: Wanted, owner: int | None) -> dict[str, Any]:
    fields = msgspec.structs.asdict(wanted)
    fields.pop("own")
    return fields | {"folded": fold(wanted.short), "agent_id": owner}


def _scope(wanted: Wanted, owner: int | None) -> Scope:
    return Scope(None, wanted.team_id, owner)


def _now(rx: Rx, canned_id: int) -> Canned:
    row = rx.row(_BY_ID, id=canned_id)
    assert row is not None
    return _canned(row)


def _canned(row: Row) -> Canned:
    return Canned(
        id=row[0],
        short=row[1],
        title=row[2],
        text=row[3],
        language=row[4],
        team_id=row[5],
        own=row[6] is not None,
        changed_at=row[7],
        unknown=filling.unknown(row[3]),
    )


def _record(tx: Tx, caller: Caller, event: Event, *, before: Scope | None = None, after: Scope | None = None) -> None:
    tx.record(event, by=caller.actor, before=before, after=after)
