"""Commands on business hours: when somebody answers, with public holidays and days of one's own."""

from datetime import date
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.commands.answers import Id, Request
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import hours
from hub.desk.hours import Day, Hours, SpecialDay
from hub.errors import invalid
from hub.staff.access import Caller
from hub.text import MAX_NAME

MOST_DAYS: Final = 400
Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
Zone = Annotated[str, Meta(min_length=1, max_length=100)]
Time = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
Week = Annotated[list[Annotated[list[tuple[Time, Time]], Meta(max_length=6)]], Meta(min_length=7, max_length=7)]
Code = Annotated[str, Meta(pattern="^[A-Z]{2}$")]
Region = Annotated[str, Meta(min_length=1, max_length=60)]
Days = Annotated[list[SpecialDay], Meta(max_length=MOST_DAYS)]
Date = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
At = Annotated[int, Meta(ge=0, le=7_258_118_400_000)]  # before 2200


class HoursList(msgspec.Struct, frozen=True):
    items: list[Hours]


class Country(msgspec.Struct, frozen=True):
    """`regions`: those with holidays of their own."""

    code: str
    regions: tuple[str, ...]


class CountryList(msgspec.Struct, frozen=True):
    items: list[Country]


class Calendar(msgspec.Struct, frozen=True):
    items: list[Day]


class OpenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`next_change_at`: when it closes, or opens; null: never."""

    open: bool
    next_change_at: int | None


class Deleted(msgspec.Struct, frozen=True):
    id: int


class Nothing(Request, frozen=True, kw_only=True):
    pass


class CreateHours(Request, frozen=True, kw_only=True):
    """`week`: seven days from Monday, each a list of [from, to]; [] is closed. `country`: its public holidays are days
    off. `days`: dates that are otherwise."""

    name: Name
    zone: Zone
    week: Week
    country: Code | None = None
    region: Region | None = None
    days: Days = msgspec.field(default_factory=list)


class ChangeHours(Request, frozen=True, kw_only=True):
    """What is left out stays."""

    hours_id: Id
    name: Name | UnsetType = UNSET
    zone: Zone | UnsetType = UNSET
    week: Week | UnsetType = UNSET
    country: Code | UnsetType | None = UNSET
    region: Region | UnsetType | None = UNSET
    days: Days | UnsetType = UNSET


class OneHours(Request, frozen=True, kw_only=True):
    hours_id: Id


class ReadCalendar(Request, frozen=True, kw_only=True):
    """From `first` to `last`, both included, at most 400 days."""

    hours_id: Id
    first: Date
    last: Date


class ReadOpen(Request, frozen=True, kw_only=True):
    """`at`: milliseconds since 1970, UTC; left out: now."""

    hours_id: Id
    at: At | None = None


def _list(rx: Rx, caller: Caller, _request: Nothing) -> HoursList:
    return HoursList(hours.all_of_them(rx))


def _countries(rx: Rx, caller: Caller, _request: Nothing) -> CountryList:
    return CountryList([Country(code, regions) for code, regions in hours.countries().items()])


def _create(tx: Tx, caller: Caller, request: CreateHours) -> Hours:
    return hours.get(tx, hours.create(tx, caller, **msgspec.structs.asdict(request)))


def _change(tx: Tx, caller: Caller, request: ChangeHours) -> Hours:
    given = {name: value for name, value in msgspec.structs.asdict(request).items() if value is not UNSET}
    hours.change(tx, caller, given.pop("hours_id"), **given)
    return hours.get(tx, request.hours_id)


def _delete(tx: Tx, caller: Caller, request: OneHours) -> Deleted:
    hours.delete(tx, caller, request.hours_id)
    return Deleted(request.hours_id)


def _calendar(rx: Rx, caller: Caller, request: ReadCalendar) -> Calendar:
    first, last = _date(request.first, "first"), _date(request.last, "last")
    if not 0 <= (last - first).days < MOST_DAYS:
        raise invalid("last", f"The last day must not be before the first, and at most {MOST_DAYS} days are given.")
    return Calendar(hours.calendar(rx, request.hours_id, first, last))


def _open(rx: Rx, caller: Caller, request: ReadOpen) -> OpenAnswer:
    hours.get(rx, request.hours_id)
    schedule = hours.schedule_of(rx, request.hours_id)
    assert schedule is not None
    at = rx.now if request.at is None else request.at
    return OpenAnswer(open=schedule.is_open(at), next_change_at=schedule.next_change(at))


def _date(text: str, field: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise invalid(field, "Write the date as 2026-12-24.") from None
    if not 1970 <= found.year <= 2200:
        raise invalid(field, "Choose a year from 1970 to 2200.")
    return found


_READ: dict[str, Any] = {"noun": "hours", "method": "GET", "scope": "inboxes:read", "permission": "inboxes.read"}
_WRITE: dict[str, Any] = {
    "noun": "hours",
    "scope": "inboxes:write",
    "permission": "inboxes.manage",
    "refuses": ("conflict",),
}

COMMANDS: Final = (
    Command(name="list_hours", summary="All business hours, by name.", path="/hours", request=Nothing,
            answer=HoursList, read=_list, **_READ),
    Command(name="list_countries", summary="The countries whose public holidays are known, with their regions.",
            path="/countries", request=Nothing, answer=CountryList, read=_countries, **_READ),
    Command(name="create_hours", summary="Make business hours.", method="POST", path="/hours", request=CreateHours,
            answer=Hours, write=_create, status=201, **_WRITE),
    Command(name="change_hours", summary="Change business hours; deadlines move with them.", method="PATCH",
            path="/hours/{hours_id}", request=ChangeHours, answer=Hours, write=_change, **_WRITE),
    Command(name="delete_hours", summary="Delete business hours that nothing goes by.", method="DELETE",
            path="/hours/{hours_id}", request=OneHours, answer=Deleted, write=_delete, **_WRITE),
    Command(name="read_calendar", summary="Which days are open when, with holidays.",
            path="/hours/{hours_id}/calendar", request=ReadCalendar, answer=Calendar, read=_calendar, **_READ),
    Command(name="read_open", summary="Whether it is open, and until when.", path="/hours/{hours_id}/open",
            request=ReadOpen, answer=OpenAnswer, read=_open, **_READ),
)  # fmt: skip
