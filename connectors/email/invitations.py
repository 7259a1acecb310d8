"""What a calendar file says, in a few words: an attachment that an agent can read at a glance. Called by
connectors.email.reading.
"""

import datetime
from typing import Any, Final

from connectors.email import charsets
from connectors.email.mail import Invitation

MAX_BYTES: Final = 256 * 1024


def read(body: bytes) -> Invitation | None:
    """Of the first event in it; None for what is no calendar."""
    from icalendar import Calendar

    try:
        calendar: Any = Calendar.from_ical(body[:MAX_BYTES].decode("utf-8", "replace"))
        event = next(iter(calendar.walk("VEVENT")), None)
        if event is None:
            return None
        return Invitation(
            method=charsets.line(str(calendar.get("METHOD", "")), 20).upper(),
            summary=charsets.line(str(event.get("SUMMARY", "")), 300),
            starts=_when(event, "DTSTART"),
            ends=_when(event, "DTEND"),
            place=charsets.line(str(event.get("LOCATION", "")), 300),
            organizer=charsets.line(str(event.get("ORGANIZER", "")), 320)
            .removeprefix("mailto:")
            .removeprefix("MAILTO:"),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError):
        return None


def _when(event: Any, name: str) -> str:
    """As ISO 8601: with its offset, without one where the calendar has none, or the day alone."""
    found = event.get(name)
    value = getattr(found, "dt", None)
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return ""
