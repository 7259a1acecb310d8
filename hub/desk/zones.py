"""Time zones by name, as the time zone database has them."""

import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.errors import invalid

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,29}(/[A-Za-z0-9][A-Za-z0-9_+-]{0,29}){0,2}")


def zone(name: str, field: str = "zone") -> ZoneInfo:
    """A Refusal where there is none of this name."""
    try:
        if _NAME.fullmatch(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of theirs
        pass
    raise invalid(field, "There is no such time zone. Write it like Africa/Addis_Ababa or Europe/Paris.")
