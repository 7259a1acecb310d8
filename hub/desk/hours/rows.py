"""Business hours as they are kept: made and changed by commands, asked by the reply clock and by what visitors see."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.db import lanes
from hub.db.backend import Row
from hub.db.tx import Rx, Tx
from hub.desk.hours.schedule import Schedule, Span, date_of, number_of
from hub.desk.zones import zone as zone_of
from hub.errors import Refusal, invalid, not_found
from hub.events import SYSTEM, HoursChanged
from hub.staff.access import Caller, require_permission
from hub.text import MAX_NAME, clean, fold

MANAGE: Final = "inboxes.manage"
LOOK_UP: Final = "holidays"  # the job that looks up those that are not known yet
MOST_SPANS: Final = 6
MOST_DAYS: Final = 400
DAYS_KNOWN: Final = 400  # so far ahead public holidays are looked up
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")

_COLUMNS = "id, name, zone, week, country, region, days"
_BY_ID = f"SELECT {_COLUMNS} FROM hours WHERE id = :id"
_ALL = f"SELECT {_COLUMNS} FROM hours ORDER BY name_folded, id LIMIT 500"
_TAKEN = "SELECT id FROM hours WHERE name_folded = :folded"
_INSERT = """
INSERT INTO hours (name, name_folded, zone, week, country, region, days, created_at)
VALUES (:name, :folded, :zone, :week, :country, :region, :days, :now) RETURNING id"""
_UPDATE = """
UPDATE hours SET name = :name, name_folded = :folded, zone = :zone, week = :week, country = :country, region = :region,
       days = :days WHERE id = :id"""
_DELETE = "DELETE FROM hours WHERE id = :id"
_TEAMS = "SELECT name FROM team WHERE hours_id = :id ORDER BY name_folded LIMIT 5"
_INBOXES = "SELECT name, settings FROM inbox ORDER BY name_folded"
_OF_TEAM = "SELECT hours_id FROM team WHERE id = :id"
_OF_INBOX = "SELECT settings FROM inbox WHERE id = :id"
_HOLIDAYS = "SELECT day, name FROM holiday WHERE country = :country AND region = :region ORDER BY day"
_IN_USE = "SELECT DISTINCT country, COALESCE(region, '') FROM hours WHERE country IS NOT NULL ORDER BY 1, 2"
_NEWEST = "SELECT MAX(day) FROM holiday WHERE country = :country AND region = :region"
_FORGET = "DELETE FROM holiday WHERE country = :country AND region = :region AND day >= :first"
_KEEP = """
INSERT INTO holiday (country, region, day, name) VALUES (:country, :region, :day, :name)
ON CONFLICT (country, region, day) DO UPDATE SET name = excluded.name"""


class SpecialDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A date that is otherwise than its weekday, and than a public holiday: closed, or open at other times."""

    date: str
    name: str = ""
    closed: bool = True
    open: tuple[tuple[str, str], ...] = ()


class Hours(msgspec.Struct, frozen=True):
    """`week`: seven days from Monday, each a list of [from, to] like ["09:00", "17:30"]; the day ends at "24:00".
    `country`: whose public holidays are days off; `region` narrows it."""

    id: int
    name: str
    zone: str
    week: tuple[tuple[tuple[str, str], ...], ...]
    country: str | None
    region: str | None
    days: tuple[SpecialDay, ...]


class Day(msgspec.Struct, frozen=True):
    """A date as it will be. `open`: moments, in milliseconds since 1970, UTC. `name`: of the holiday or special day."""

    date: str
    open: list[tuple[int, int]]
    name: str | None
    holiday: bool


class _Setting(msgspec.Struct):
    hours_id: int | None = None


_setting = msgspec.json.Decoder(_Setting)
_weeks = msgspec.json.Decoder(tuple[tuple[tuple[str, str], ...], ...])
_special = msgspec.json.Decoder(tuple[SpecialDay, ...])


# --- reading -------------------------------------------------------------------------------------------------------


def all_of_them(rx: Rx) -> list[Hours]:
    """By name; there are few."""
    return [_hours(row) for row in rx.rows(_ALL)]


def get(rx: Rx, hours_id: int) -> Hours:
    row = rx.row(_BY_ID, id=hours_id)
    if row is None:
        raise not_found("business hours")
    return _hours(row)


def require(rx: Rx, hours_id: int | None, field: str) -> None:
    if hours_id is not None and rx.row(_BY_ID, id=hours_id) is None:
        raise invalid(field, "There are no such business hours.")


def of(rx: Rx, team_id: int | None, inbox_id: int) -> Schedule | None:
    """Those of the team if it has any, else those of the inbox; None: always open."""
    hours_id = rx.value(_OF_TEAM, id=team_id) if team_id is not None else None
    if hours_id is None:
        settings = rx.value(_OF_INBOX, id=inbox_id)
        hours_id = _setting.decode(settings).hours_id if settings is not None and "hours_id" in settings else None
    return None if hours_id is None else schedule_of(rx, hours_id)


def schedule_of(rx: Rx, hours_id: int) -> Schedule | None:
    row = rx.row(_BY_ID, id=hours_id)
    if row is None:
        return None
    free = tuple(day for day, _ in _public(rx, row[4], row[5]))
    return _schedule(row[2], row[3], row[6], free)


def calendar(rx: Rx, hours_id: int, first: date, last: date) -> list[Day]:
    """Each date with what is special about it."""
    hours = get(rx, hours_id)
    schedule = schedule_of(rx, hours_id)
    assert schedule is not None
    public: dict[str, str] = dict(_public(rx, hours.country, hours.region))
    own = {day.date: day for day in hours.days}
    found = []
    for number in range(number_of(first), number_of(last) + 1):
        day = date_of(number).isoformat()
        special = own.get(day)
        name = (special.name if special is not None else "") or public.get(day)
        found.append(Day(day, schedule.day(number), name or None, day in public))
    return found


@cache
def countries() -> dict[str, tuple[str, ...]]:
    """Country → its regions with holidays of their own: what the library knows. Kept as a file, because importing it
    takes longer than a unit may."""
    lines = Path(__file__).with_name("countries.txt").read_text(encoding="utf-8").splitlines()
    return {line[:2]: tuple(line[3:].split(",")) if line[3:] else () for line in lines}


# --- changing ------------------------------------------------------------------------------------------------------


def create(tx: Tx, caller: Caller, /, **given: Any) -> int:
    """`given`: the fields of `Hours` but its id."""
    require_permission(caller, MANAGE)
    stored = _checked(tx, given, None)
    hours_id = tx.insert(_INSERT, **stored, now=tx.now)
    _changed(tx, caller, hours_id, stored["country"])
    return hours_id


def change(tx: Tx, caller: Caller, hours_id: int, /, **given: Any) -> None:
    """Only what is given changes."""
    require_permission(caller, MANAGE)
    was = get(tx, hours_id)
    now = {name: getattr(was, name) for name in was.__struct_fields__ if name != "id"} | given
    if "country" in given and "region" not in given:
        now["region"] = None
    stored = _checked(tx, now, hours_id)
    if stored == _stored_of(was):
        return
    tx.run(_UPDATE, **stored, id=hours_id)
    _changed(tx, caller, hours_id, stored["country"])


def delete(tx: Tx, caller: Caller, hours_id: int) -> None:
    """Not while anything goes by them."""
    require_permission(caller, MANAGE)
    get(tx, hours_id)
    used = [name for (name,) in tx.rows(_TEAMS, id=hours_id)]
    used += [name for name, settings in tx.rows(_INBOXES) if _setting.decode(settings).hours_id == hours_id]
    if used:
        names = ", ".join(used[:5])
        raise Refusal("conflict", f"These go by them: {names}. Give those other hours first.")
    tx.run(_DELETE, id=hours_id)
    _changed(tx, caller, hours_id, None)


def _changed(tx: Tx, caller: Caller, hours_id: int, country: str | None) -> None:
    tx.record(HoursChanged(hours_id=hours_id), by=caller.actor)
    if country is not None:
        tx.enqueue(LOOK_UP, {}, lane=lanes.HOUSEKEEPING)


# --- public holidays -----------------------------------------------------------------------------------------------


def unknown_holidays(rx: Rx) -> list[tuple[str, str]]:
    """(country, region) in use of which too few days ahead are known."""
    until = date_of(rx.now // 86_400_000 + DAYS_KNOWN).isoformat()
    found = []
    for country, region in rx.rows(_IN_USE):
        newest = rx.value(_NEWEST, country=country, region=region)
        if newest is None or newest < until:
            found.append((country, region))
    return found


def keep_holidays(tx: Tx, country: str, region: str, found: Mapping[str, str], first: str) -> None:
    """From the date `first` on these are all."""
    tx.run(_FORGET, country=country, region=region, first=first)
    for day, name in found.items():
        tx.run(_KEEP, country=country, region=region, day=day, name=name[:200])
    for hours in all_of_them(tx):
        if hours.country == country and (hours.region or "") == region:
            tx.record(HoursChanged(hours_id=hours.id), by=SYSTEM)


# --- inside --------------------------------------------------------------------------------------------------------


def _public(rx: Rx, country: str | None, region: str | None) -> list[Row]:
    return [] if country is None else rx.rows(_HOLIDAYS, country=country, region=region or "")


@lru_cache(256)
def _schedule(zone: str, week: str, days: str, free: tuple[str, ...]) -> Schedule:
    otherwise: dict[int, tuple[Span, ...]] = {number_of(date.fromisoformat(day)): () for day in free}
    for day in _special.decode(days):
        otherwise[number_of(date.fromisoformat(day.date))] = _spans(day.open)
    return Schedule(zone, tuple(_spans(day) for day in _weeks.decode(week)), otherwise)


def _spans(times: Sequence[tuple[str, str]]) -> tuple[Span, ...]:
    return tuple((_minutes(start), _minutes(end)) for start, end in times)


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _checked(rx: Rx, given: Mapping[str, Any], own_id: int | None) -> dict[str, Any]:
    """The columns, or a Refusal that names what is wrong."""
    name = clean(given["name"], "name", most=MAX_NAME, lines=False).strip()
    if rx.value(_TAKEN, folded=fold(name)) not in (None, own_id):
        raise Refusal("conflict", "There are business hours of this name already. Choose another.", field="name")
    zone_of(given["zone"])
    week = given["week"]
    if len(week) != 7:
        raise invalid("week", "A week has seven days, from Monday to Sunday.")
    week = tuple(_day(day, f"week.{number}") for number, day in enumerate(week))
    country, region = given.get("country"), given.get("region") or None
    if country is not None and country not in countries():
        raise invalid("country", "The public holidays of this country are not known. Add its days by hand.")
    if region is not None and region not in countries().get(country or "", ()):
        raise invalid("region", "There is no such region in this country with holidays of its own.")
    return _stored(name, given["zone"], week, country, region, _special_days(given.get("days") or ()))


def _special_days(days: Sequence[SpecialDay]) -> tuple[SpecialDay, ...]:
    if len(days) > MOST_DAYS:
        raise invalid("days", f"At most {MOST_DAYS} special days are possible.")
    found: dict[str, SpecialDay] = {}
    for number, day in enumerate(days):
        field = f"days.{number}"
        try:
            when = date.fromisoformat(day.date)
        except ValueError:
            raise invalid(f"{field}.date", "Write the date as 2026-12-24.") from None
        if not 1970 <= when.year <= 2200 or len(day.date) != 10:
            raise invalid(f"{field}.date", "Write the date as 2026-12-24.")
        if day.date in found:
            raise invalid(f"{field}.date", "This date is there twice.")
        if day.closed == bool(day.open):
            raise invalid(f"{field}.open", "Say either that it is closed or when it is open.")
        name = clean(day.name, f"{field}.name", most=MAX_NAME, least=0, lines=False).strip()
        found[day.date] = SpecialDay(day.date, name, day.closed, _day(day.open, f"{field}.open"))
    return tuple(found[day] for day in sorted(found))


def _day(times: Sequence[Sequence[str]], field: str) -> tuple[tuple[str, str], ...]:
    """In order; what touches is one."""
    if len(times) > MOST_SPANS:
        raise invalid(field, f"At most {MOST_SPANS} spans a day are possible.")
    found: list[tuple[str, str]] = []
    for start, end in sorted((one[0], one[1]) for one in times):
        if not _TIME.fullmatch(start) or not _TIME.fullmatch(end) or start == "24:00":
            raise invalid(field, "Write times as 09:00 and 17:30; a day ends at 24:00.")
        if end <= start:
            raise invalid(field, "It has to close after it opens. What goes past midnight goes on on the next day.")
        if found and start < found[-1][1]:
            raise invalid(field, "These times overlap.")
        if found and start == found[-1][1]:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return tuple(found)


def _stored(
    name: str, zone: str, week: Any, country: str | None, region: str | None, days: tuple[SpecialDay, ...]
) -> dict[str, Any]:
    return {
        "name": name,
        "folded": fold(name),
        "zone": zone,
        "week": msgspec.json.encode(week).decode(),
        "country": country,
        "region": region,
        "days": msgspec.json.encode(days).decode(),
    }


def _stored_of(hours: Hours) -> dict[str, Any]:
    return _stored(hours.name, hours.zone, hours.week, hours.country, hours.region, hours.days)


def _hours(row: Row) -> Hours:
    return Hours(row[0], row[1], row[2], _weeks.decode(row[3]), row[4], row[5], _special.decode(row[6]))
