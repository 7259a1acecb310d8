"""How an agent wants the console to be. Kept here so that it is the same on every device; what it means, the console
knows. Every field has a default, so that there is always a whole one."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from hub.db.tx import Rx, Tx
from hub.errors import invalid
from hub.events import Told
from hub.staff.access import Caller, agent_of

MOST_KEYS: Final = 200

Word = Annotated[str, Meta(min_length=1, max_length=60)]
Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Weekday = Annotated[int, Meta(ge=1, le=7)]  # as ISO 8601 has it: 1 is Monday
Size = Annotated[int, Meta(ge=0, le=10_000)]


class EnterSends(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In talks that go to and fro, and in letters."""

    chat: bool = True
    mail: bool = False


class Notify(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of whose tickets."""

    desktop: bool = False
    sound: bool = False
    email: bool = False
    of: Literal["mine", "teams", "all"] = "mine"


class Quiet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By the clock of the device; over midnight where `to` is the earlier. No days: every day."""

    since: Clock = msgspec.field(name="from")
    to: Clock
    days: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ()


class Preferences(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    density: Literal["comfortable", "compact"] = "comfortable"
    theme: Literal["auto", "light", "dark"] = "auto"
    enter_sends: bool | EnterSends = EnterSends()
    letters: bool = True
    keys: dict[Word, Annotated[str, Meta(max_length=60)]] = {}
    after_resolve: Literal["next", "list", "stay"] = "next"
    undo_seconds: Literal[0, 5, 10, 20] = 5
    notify: dict[Word, Notify] = {}
    quiet: Quiet | None = None
    panels: dict[Word, Size | bool] = {}


_GET = "SELECT value FROM preferences WHERE agent_id = :agent_id"
_PUT = """
INSERT INTO preferences (agent_id, value, changed_at) VALUES (:agent_id, :value, :now)
ON CONFLICT (agent_id) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at"""


def of(rx: Rx, agent_id: int) -> Preferences:
    value = rx.value(_GET, agent_id=agent_id)
    return msgspec.json.decode(value, type=Preferences) if value is not None else Preferences()


def put(tx: Tx, caller: Caller, wanted: Preferences, window: str | None = None) -> Preferences:
    """All of them, in the place of those before."""
    agent_id = agent_of(caller)
    for field in ("keys", "notify", "panels"):
        if len(getattr(wanted, field)) > MOST_KEYS:
            raise invalid(field, f"These are too many: at most {MOST_KEYS}.")
    tx.run(_PUT, agent_id=agent_id, value=msgspec.json.encode(wanted).decode(), now=tx.now)
    frame = {"type": "own", "what": "preferences", "preferences": wanted, "window": window}
    tx.tell(Told("agent", agent_id, frame))
    return wanted
