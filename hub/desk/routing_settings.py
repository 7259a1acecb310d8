"""What routing goes by in the whole desk; what may differ by inbox stands in the inbox's own (`hub.desk.settings`)."""

from typing import Any, Final

import msgspec

from hub.db.tx import Rx, Tx
from hub.desk.zones import zone
from hub.errors import invalid
from hub.events import RoutingChanged
from hub.staff.access import Caller, require_permission

MANAGE: Final = "desk.manage"
MAX_AWAY: Final = 24 * 60
MAX_WAIT: Final = 24 * 60

_GET = "SELECT value FROM setting WHERE name = 'routing'"
_PUT = """
INSERT INTO setting (name, value) VALUES ('routing', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""


class RoutingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`auto_away_minutes`: without a sign of life for so long, an agent is away; 0: never. `long_wait_minutes`: who has
    to wait so long is offered other ways than waiting; 0: never. `zone`: whose midnight begins the day of the board."""

    auto_away_minutes: int = 15
    long_wait_minutes: int = 5
    zone: str = "UTC"


_decode = msgspec.json.Decoder(RoutingSettings).decode
_DEFAULT: Final = RoutingSettings()


def read(rx: Rx) -> RoutingSettings:
    stored = rx.value(_GET)
    return _DEFAULT if stored is None else _decode(stored)


def change(tx: Tx, caller: Caller, /, **given: Any) -> RoutingSettings:
    """Only what is given changes."""
    require_permission(caller, MANAGE)
    was = read(tx)
    now = msgspec.structs.replace(was, **given)
    if not 0 <= now.auto_away_minutes <= MAX_AWAY:
        raise invalid("auto_away_minutes", f"Between 0 (never) and {MAX_AWAY} minutes are possible.")
    if not 0 <= now.long_wait_minutes <= MAX_WAIT:
        raise invalid("long_wait_minutes", f"Between 0 (never) and {MAX_WAIT} minutes are possible.")
    zone(now.zone)
    if now != was:
        tx.run(_PUT, value=msgspec.json.encode(now).decode())
        tx.record(RoutingChanged(), by=caller.actor)
    return now
