"""Public holidays of a country, by the library `holidays`. That takes a second of CPU and much memory, so it is asked
in a process of its own. Called by hub.work.timers.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

import msgspec

import hub

SECONDS: Final = 60.0
_CODE: Final = "from hub.desk.hours.lookup import main; main()"


async def holidays_of(country: str, region: str, first: int, last: int) -> dict[str, str]:
    """Date → name, of the years from `first` to `last`."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _CODE,
        country,
        region,
        str(first),
        str(last),
        cwd=Path(hub.__file__).parent.parent,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            said, complaint = await child.communicate()
    except BaseException:
        if child.returncode is None:
            child.kill()
            await child.wait()
        raise
    if child.returncode:
        raise RuntimeError(f"holidays of {country} {region}: {complaint.decode(errors='replace')[-300:]}")
    return msgspec.json.decode(said, type=dict[str, str])


def look_up(country: str, region: str, first: int, last: int) -> dict[str, str]:
    import holidays

    found = holidays.country_holidays(country, subdiv=region or None, years=range(first, last + 1))
    return {day.isoformat(): name for day, name in sorted(found.items())}


def main() -> None:
    country, region, first, last = sys.argv[1:5]
    sys.stdout.buffer.write(msgspec.json.encode(look_up(country, region, int(first), int(last))))
