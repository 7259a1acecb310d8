"""When it is open, reckoned exactly: by a wall clock in a zone, with hours that a change of the clock skips or repeats.

It is open at a moment when the clock on the wall then shows a time that lies in one of that date's spans. So what
begins in an hour that is skipped begins where the clock goes on, and an hour that comes twice is open twice.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from hub.clock import DAY, HOUR, MINUTE

HORIZON: Final = 800  # days that are looked through; what opens in none of them never does
_EPOCH: Final = date(1970, 1, 1)
_STEP: Final = 6 * HOUR  # no zone changes its clock twice within it

Span = tuple[int, int]  # minutes of a day, the second not in it


class Schedule(msgspec.Struct, frozen=True):
    """`week`: from Monday, each day's spans in order, none touching the next. `days`: dates (days since 1970) that are
    otherwise."""

    zone: str
    week: tuple[tuple[Span, ...], ...]
    days: dict[int, tuple[Span, ...]] = {}

    def is_open(self, at: int) -> bool:
        day, minute = self._wall(at)
        return any(start <= minute < end for start, end in self._spans(day))

    def next_change(self, at: int) -> int | None:
        """When it opens, if it is closed; when it closes, if it is open. None: never, as far as can be seen."""
        end = None
        for start, until in self._open_from(at):
            if end is None:
                if start > at:
                    return start
                end = until
            elif start == end:
                end = until
            else:
                break
        return end if end is not None and end < at + (HORIZON - 2) * DAY else None

    def add(self, at: int, length: int) -> int | None:
        """The moment at which it will have been open for `length` milliseconds since `at`; None: never."""
        left = length
        for start, end in self._open_from(at):
            begin = max(start, at)
            if left <= end - begin:
                return begin + left
            left -= end - begin
        return None

    def between(self, start: int, end: int) -> int:
        """Milliseconds that it was open from `start` to `end`."""
        found = 0
        for opens, closes in self._open_from(start):
            if opens >= end:
                break
            found += max(0, min(closes, end) - max(opens, start))
        return found

    def day(self, day: int) -> list[tuple[int, int]]:
        """The moments, as (from, to), at which it is open on that date."""
        return _moments(self.zone, day, self._spans(day))

    def _open_from(self, at: int) -> Iterator[tuple[int, int]]:
        first = self._wall(at)[0]
        for day in range(first - 1, first + HORIZON):
            for start, end in self.day(day):
                if end > at:
                    yield start, end

    def _spans(self, day: int) -> tuple[Span, ...]:
        found = self.days.get(day)
        return self.week[weekday(day)] if found is None else found

    def _wall(self, at: int) -> tuple[int, int]:
        """(date, minute) that the clock on the wall shows."""
        shown = at + _offset(ZoneInfo(self.zone), at)
        return shown // DAY, shown % DAY // MINUTE


def weekday(day: int) -> int:
    """0: Monday. The first of January 1970 was a Thursday."""
    return (day + 3) % 7


def number_of(day: date) -> int:
    return (day - _EPOCH).days


def date_of(number: int) -> date:
    return _EPOCH + timedelta(days=number)


@lru_cache(8_192)
def _moments(zone: str, day: int, spans: tuple[Span, ...]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    if not spans:
        return found
    for start, end, offset in _clock(zone, day):
        for opens, closes in spans:
            first = max(start, day * DAY + opens * MINUTE - offset)
            last = min(end, day * DAY + closes * MINUTE - offset)
            if first >= last:
                continue
            if found and found[-1][1] == first:
                found[-1] = found[-1][0], last
            else:
                found.append((first, last))
    return sorted(found)


@lru_cache(1_024)
def _clock(name: str, day: int) -> list[tuple[int, int, int]]:
    """(from, to, offset): how far the zone's clock was ahead while any place on earth had this date."""
    zone = ZoneInfo(name)
    start, end = day * DAY - 15 * HOUR, (day + 1) * DAY + 13 * HOUR
    found, since, offset = [], start, _offset(zone, start)
    for at in range(start + _STEP, end + _STEP, _STEP):
        now = _offset(zone, min(at, end))
        if now != offset:
            changed = _changed(zone, at - _STEP, min(at, end))
            found.append((since, changed, offset))
            since, offset = changed, now
    found.append((since, end, offset))
    return found


def _changed(zone: ZoneInfo, low: int, high: int) -> int:
    """The moment between the two at which the offset became that of `high`; changes are on whole seconds."""
    before = _offset(zone, low)
    low, high = low // 1_000, high // 1_000
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle * 1_000) == before:
            low = middle
        else:
            high = middle
    return high * 1_000


def _offset(zone: ZoneInfo, at: int) -> int:
    found = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).astimezone(zone).utcoffset()
    return 0 if found is None else int(found.total_seconds() * 1_000)
