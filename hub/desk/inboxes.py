"""Inboxes: one configured instance of a channel each. Created and changed by commands, read by every door.

An inbox's settings are plain JSON; its secrets are sealed one by one and can be written, never read. See
hub.desk.settings for what can be set.
"""

import secrets as random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from hub.clock import DAY
from hub.connector import Features
from hub.db import lanes
from hub.db.backend import Row
from hub.db.tx import Rx, Tx
from hub.desk import hours, kinds
from hub.desk.settings import Common, build, secret_names, split
from hub.errors import Refusal, invalid, not_found
from hub.events import SYSTEM, AccessChanged, InboxChanged, InboxCreated, InboxHealthChanged, Scope
from hub.seal import SealBroken, Sealer
from hub.staff.access import Caller, may, require_permission
from hub.text import MAX_NAME, clean, fold

MANAGE = "inboxes.manage"
LIVE_WEIGHT: Final = 2  # somebody who waits in front of the screen takes more attention than a letter
CHECK = "inbox.check"  # the job that tries a connection


class Health(msgspec.Struct, frozen=True):
    """When a way last worked or failed; `error` None: it works."""

    at: int | None = None
    error: str | None = None


class Inbox(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    id: int
    token: str
    kind: str
    name: str
    team_id: int | None
    enabled: bool
    created_at: int
    settings: dict[str, Any] = {}  # all that is plain, as stored
    common: Common = Common()
    sealed: dict[str, str] = {}  # names of the secrets that are set, and what only `connector_settings` opens
    health_in: Health = Health()
    health_out: Health = Health()

    @property
    def features(self) -> Features:
        return kinds.features(self.kind)

    def __repr__(self) -> str:
        return f"<Inbox {self.id} {self.kind} {self.name!r}>"


class _Weight(msgspec.Struct):
    weight: int | None = None


_weight = msgspec.json.Decoder(_Weight)


class SiteSeen(msgspec.Struct, frozen=True):
    """A site that has loaded an inbox's script lately, and whether it may."""

    site: str
    allowed: bool
    seen_at: int


_COLUMNS = """id, token, kind, name, team_id, enabled, created_at, settings, secrets,
       health_in_at, health_in_error, health_out_at, health_out_error"""
BY_ID = f"SELECT {_COLUMNS} FROM inbox WHERE id = :id"
BY_TOKEN = f"SELECT {_COLUMNS} FROM inbox WHERE token = :token"
ALL = f"SELECT {_COLUMNS} FROM inbox ORDER BY name_folded"
ENABLED = f"SELECT {_COLUMNS} FROM inbox WHERE enabled = 1 AND id <> :but ORDER BY id"
INSERT = """
INSERT INTO inbox (token, kind, name, name_folded, team_id, settings, secrets, enabled, created_at)
VALUES (:token, :kind, :name, :name_folded, :team_id, :settings, :secrets, :enabled, :now) RETURNING id"""
UPDATE = """
UPDATE inbox SET name = :name, name_folded = :name_folded, team_id = :team_id, settings = :settings, secrets = :secrets,
       enabled = :enabled WHERE id = :id"""
KIND = "SELECT kind, settings FROM inbox WHERE id = :id"
NAME_TAKEN = "SELECT id FROM inbox WHERE name_folded = :name_folded"
TEAM = "SELECT id FROM team WHERE id = :id AND gone_at IS NULL"
TEAMS = "SELECT team_id FROM inbox_team WHERE inbox_id = :inbox_id ORDER BY team_id"
ADD_TEAM = "INSERT INTO inbox_team (inbox_id, team_id) VALUES (:inbox_id, :team_id)"
NO_TEAMS = "DELETE FROM inbox_team WHERE inbox_id = :inbox_id"
SEEN = "SELECT site, allowed, seen_at FROM site_seen WHERE inbox_id = :inbox_id ORDER BY seen_at DESC, site LIMIT 20"
HEALTH = {
    "in": "SELECT health_in_at, health_in_error FROM inbox WHERE id = :id",
    "out": "SELECT health_out_at, health_out_error FROM inbox WHERE id = :id",
}
SET_HEALTH = {
    "in": "UPDATE inbox SET health_in_at = :now, health_in_error = :error, seen_at = :now WHERE id = :id",
    "out": "UPDATE inbox SET health_out_at = :now, health_out_error = :error WHERE id = :id",
}


# --- reading -------------------------------------------------------------------------------------------------------


def by_id(rx: Rx, inbox_id: int) -> Inbox | None:
    row = rx.row(BY_ID, id=inbox_id)
    return _inbox(row) if row else None


def by_token(rx: Rx, token: str) -> Inbox | None:
    row = rx.row(BY_TOKEN, token=token)
    return _inbox(row) if row else None


def all_of_them(rx: Rx) -> list[Inbox]:
    """Every inbox, for the desk itself."""
    return [_inbox(row) for row in rx.rows(ALL)]


def listed(rx: Rx, caller: Caller) -> list[Inbox]:
    """Those that the caller may see, by name."""
    require_permission(caller, "inboxes.read")
    return [inbox for inbox in all_of_them(rx) if may(caller.grants, Scope(inbox.id))]


def get(rx: Rx, caller: Caller, inbox_id: int) -> Inbox:
    require_permission(caller, "inboxes.read")
    inbox = by_id(rx, inbox_id)
    if inbox is None or not may(caller.grants, Scope(inbox.id)):
        raise not_found("inbox")
    return inbox


def for_reply(rx: Rx, inbox_id: int) -> Iterator[Inbox]:
    """The enabled inboxes in the order in which a reply tries them: the one written to, then the oldest."""
    first = by_id(rx, inbox_id)
    if first is not None and first.enabled:
        yield first
    for row in rx.rows(ENABLED, but=inbox_id):
        yield _inbox(row)


def weight_of(rx: Rx, inbox_id: int) -> int:
    """Points of an agent's capacity that a new ticket of this inbox takes."""
    kind, settings = rx.rows(KIND, id=inbox_id)[0]
    own = _weight.decode(settings).weight
    return own if own is not None else LIVE_WEIGHT if kinds.features(kind).live else 1


def teams_of(rx: Rx, inbox_id: int) -> list[int]:
    """Whose members see its tickets."""
    return [row[0] for row in rx.rows(TEAMS, inbox_id=inbox_id)]


def seen_from(rx: Rx, inbox_id: int) -> list[SiteSeen]:
    """Newest first. Whether one is allowed is told as it was when it was seen."""
    return [SiteSeen(site, bool(allowed), at) for site, allowed, at in rx.rows(SEEN, inbox_id=inbox_id)]


def connector_settings(inbox: Inbox, sealer: Sealer | None) -> Any:
    """The `Settings` its connector is made with, secrets opened. SealBroken where one does not open."""
    values = dict(inbox.settings)
    for name, sealed in inbox.sealed.items():
        if sealer is None:
            raise SealBroken("This desk runs without a key file, so its inboxes' secrets stay closed.")
        values[name] = sealer.open(sealed, _about(inbox.token, name))
    return build(kinds.settings_of(inbox.kind), values)


# --- changing ------------------------------------------------------------------------------------------------------


def create(
    tx: Tx,
    caller: Caller,
    *,
    kind: str,
    name: str,
    settings: Mapping[str, Any] | None = None,
    team_id: int | None = None,
    teams: Iterable[int] = (),
    enabled: bool = True,
) -> Inbox:
    """`team_id`: where its tickets start. `teams`: whose members see them; that one is always among them."""
    require_permission(caller, MANAGE)
    name, folded = _free_name(tx, name, None)
    token = random.token_urlsafe(16)
    plain, sealed = _stored(tx, kind, token, settings or {}, {})
    _require_team(tx, team_id, "team_id")
    inbox_id = tx.insert(
        INSERT,
        token=token,
        kind=kind,
        name=name,
        name_folded=folded,
        team_id=team_id,
        settings=_json(plain),
        secrets=_json(sealed).encode() if sealed else None,
        enabled=int(enabled),
        now=tx.now,
    )
    _set_teams(tx, inbox_id, set(teams) | ({team_id} if team_id else set()))
    tx.record(InboxCreated(inbox_id=inbox_id), by=caller.actor, after=Scope(inbox_id))
    return _must(tx, inbox_id)


def change(
    tx: Tx,
    caller: Caller,
    inbox_id: int,
    *,
    name: str | msgspec.UnsetType = msgspec.UNSET,
    settings: Mapping[str, Any] | msgspec.UnsetType = msgspec.UNSET,
    team_id: int | msgspec.UnsetType | None = msgspec.UNSET,
    teams: Iterable[int] | msgspec.UnsetType = msgspec.UNSET,
    enabled: bool | msgspec.UnsetType = msgspec.UNSET,
) -> Inbox:
    """Only what is given changes. `settings` is laid over those it has; null puts one back to its default, and a secret
    that is not named stays."""
    require_permission(caller, MANAGE)
    was = by_id(tx, inbox_id)
    if was is None or not may(caller.grants, Scope(inbox_id)):
        raise not_found("inbox")  # else whoever manages inboxes could show themselves any by giving it their team
    new_name, folded = (
        (was.name, fold(was.name)) if isinstance(name, msgspec.UnsetType) else _free_name(tx, name, inbox_id)
    )
    plain, sealed = was.settings, was.sealed
    if not isinstance(settings, msgspec.UnsetType):
        plain, sealed = _stored(tx, was.kind, was.token, was.settings | dict(settings), was.sealed)
    new_team = was.team_id if isinstance(team_id, msgspec.UnsetType) else team_id
    _require_team(tx, new_team, "team_id")
    now_enabled = was.enabled if isinstance(enabled, msgspec.UnsetType) else enabled
    changed = [
        field
        for field, old, new in (
            ("name", was.name, new_name),
            ("settings", (was.settings, was.sealed), (plain, sealed)),
            ("team_id", was.team_id, new_team),
            ("enabled", was.enabled, now_enabled),
        )
        if old != new
    ]
    seen_by = set(teams_of(tx, inbox_id))
    see = (seen_by if isinstance(teams, msgspec.UnsetType) else set(teams)) | ({new_team} if new_team else set())
    if see != seen_by:
        _set_teams(tx, inbox_id, see)
        changed.append("teams")
    if changed:
        tx.run(
            UPDATE,
            id=inbox_id,
            name=new_name,
            name_folded=folded,
            team_id=new_team,
            settings=_json(plain),
            secrets=_json(sealed).encode() if sealed else None,
            enabled=int(now_enabled),
        )
        scope = Scope(inbox_id)
        tx.record(InboxChanged(inbox_id=inbox_id, fields=tuple(changed)), by=caller.actor, before=scope, after=scope)
        if "teams" in changed:
            tx.record(AccessChanged(), by=caller.actor)
    return _must(tx, inbox_id)


def health(tx: Tx, inbox_id: int, way: Literal["in", "out"], error: str | None) -> None:
    """Writes down that a way works (`error` None) or does not; an event only when that is news."""
    row = tx.row(HEALTH[way], id=inbox_id)
    if row is None:
        return
    tx.run(SET_HEALTH[way], id=inbox_id, now=tx.now, error=error)
    if (row[1] is None) != (error is None):
        scope = Scope(inbox_id)
        tx.record(InboxHealthChanged(inbox_id=inbox_id, healthy=error is None), by=SYSTEM, before=scope, after=scope)


def ask_to_check(tx: Tx, caller: Caller, inbox_id: int) -> None:
    """A job tries the connection; what came of it stands in the inbox's health."""
    require_permission(caller, MANAGE)
    if by_id(tx, inbox_id) is None:
        raise not_found("inbox")
    tx.enqueue(CHECK, {"inbox_id": inbox_id}, lane=lanes.INBOUND)


def reopens_until(inbox: Inbox, resolved_at: int) -> int:
    """Until when a message reopens a ticket that was resolved then."""
    return resolved_at + inbox.common.reopen_days * DAY


# --- inside --------------------------------------------------------------------------------------------------------


def _stored(
    tx: Tx, kind: str, token: str, wanted: Mapping[str, Any], had: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """(plain settings, sealed secrets) to store. A secret that is not in `wanted` stays as it was."""
    kept = {name: had[name] for name in secret_names(kind) if name in had and name not in wanted}
    opened = {name: _opened(tx, token, name, sealed) for name, sealed in kept.items()}
    plain, given = split(kind, {**wanted, **opened}, tx.allowed_hosts)
    hours.require(tx, plain.get("hours_id"), "settings.hours_id")
    sealed = {
        # What stays is sealed anew where the key has changed since: so keys rotate by use.
        name: kept[name]
        if name in kept and _sealer(tx).is_current(kept[name])
        else _sealer(tx).seal(text, _about(token, name))
        for name, text in given.items()
    }
    return plain, sealed


def _sealer(tx: Tx) -> Sealer:
    if tx.sealer is None:
        raise Refusal("conflict", "This desk runs without a key file, so it can keep no secrets.")
    return tx.sealer


def _opened(tx: Tx, token: str, name: str, sealed: str) -> str:
    try:
        return _sealer(tx).open(sealed, _about(token, name))
    except SealBroken as error:
        raise Refusal("conflict", str(error), field=f"settings.{name}") from None


def _free_name(tx: Tx, name: str, own: int | None) -> tuple[str, str]:
    name = clean(name, "name", most=MAX_NAME, lines=False)
    folded = fold(name)
    taken = tx.value(NAME_TAKEN, name_folded=folded)
    if taken is not None and taken != own:
        raise Refusal("conflict", f"There is an inbox called {name!r} already.", field="name")
    return name, folded


def _require_team(tx: Tx, team_id: int | None, field: str) -> None:
    if team_id is not None and tx.value(TEAM, id=team_id) is None:
        raise invalid(field, "There is no such team.")


def _set_teams(tx: Tx, inbox_id: int, teams: set[int]) -> None:
    tx.run(NO_TEAMS, inbox_id=inbox_id)
    for team_id in sorted(teams):
        _require_team(tx, team_id, "teams")
        tx.run(ADD_TEAM, inbox_id=inbox_id, team_id=team_id)


def _must(rx: Rx, inbox_id: int) -> Inbox:
    inbox = by_id(rx, inbox_id)
    assert inbox is not None
    return inbox


def _about(token: str, name: str) -> str:
    return f"inbox {token} {name}"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _inbox(row: Row) -> Inbox:
    plain = msgspec.json.decode(row[7])
    return Inbox(
        id=row[0],
        token=row[1],
        kind=row[2],
        name=row[3],
        team_id=row[4],
        enabled=bool(row[5]),
        created_at=row[6],
        settings=plain,
        common=build(Common, plain),
        sealed=msgspec.json.decode(row[8], type=dict[str, str]) if row[8] else {},
        health_in=Health(row[9], row[10]),
        health_out=Health(row[11], row[12]),
    )
