"""Reply targets: how soon we mean to answer, for the whole desk and for inboxes that have their own."""

import re
from typing import Final, cast, get_args

from aiohttp import web

from hub.db.tx import Rx
from hub.desk import inboxes, targets
from hub.desk.inboxes import Inbox
from hub.desk.targets import OfInbox, Target
from hub.desk.ticket import Priority
from hub.errors import Refusal, invalid
from hub.staff import teams
from hub.staff.access import Caller
from hub.staff.teams import Team
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.agents import MOST
from hub.web.settings.frame import Form, back, draw
from hub.web.settings.quarantine import asked

PATH: Final = "/settings/targets"
PRIORITIES: Final[tuple[str, ...]] = tuple(reversed(get_args(Priority)))
_UNITS: Final = {"": 1, "m": 1, "min": 1, "h": 60, "d": 1_440}


async def every_one(request: web.Request, caller: Caller) -> web.Response:
    return await _draw(request, caller, asked(request, "inbox"), None, {})


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    inbox_id = form.one_id("inbox")
    try:
        wanted = [_target(form, priority, n) for n, priority in enumerate(PRIORITIES)]
        wanted = [one for one in wanted if one.first_reply_minutes or one.next_reply_minutes]
        await request.app[DESK].store.write(lambda tx: targets.put(tx, caller, inbox_id, wanted))
    except Refusal as refusal:
        return await _draw(request, caller, inbox_id, form, plain.wrong(refusal))
    return back(PATH) if inbox_id is None else plain.seen_other(f"{PATH}?inbox={inbox_id}&done=saved")


async def _draw(
    request: web.Request, caller: Caller, inbox_id: int | None, form: Form | None, wrong: dict[str, str]
) -> web.Response:
    def look(rx: Rx) -> tuple[list[OfInbox], list[Inbox], list[Team]]:
        return (
            targets.listed(rx, caller),
            inboxes.listed(rx, caller),
            [team for team, _ in teams.page(rx, after=("", 0), limit=MOST)],
        )

    found, places, known = await request.app[DESK].store.read(look)
    mine = {one.priority: one for of in found if of.inbox_id == inbox_id for one in of.items}
    return await draw(
        request,
        caller,
        "targets",
        "targets",
        wrong=wrong,
        priorities=PRIORITIES,
        mine={name: mine.get(cast(Priority, name)) for name in PRIORITIES},
        values=form.values if form else None,
        inbox_id=inbox_id,
        inboxes=places,
        own={of.inbox_id for of in found if of.items},
        teams=known,
        written=written,
        changes=targets.MANAGE in caller.grants.permissions,
    )


def written(minutes: int | None) -> str:
    """As one says it: 30m, 4h, 2d."""
    if not minutes:
        return ""
    for unit, size in (("d", 1_440), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def _target(form: Form, priority: str, n: int) -> Target:
    return Target(
        priority=cast(Priority, priority),
        first_reply_minutes=_minutes(form, f"{priority}.first", f"items.{n}.first") or None,
        next_reply_minutes=_minutes(form, f"{priority}.next", f"items.{n}.next") or None,
        warn_minutes=_minutes(form, f"{priority}.warn", f"items.{n}.warn"),
        raise_priority=form.on(f"{priority}.raise"),
        put_back=form.on(f"{priority}.back"),
        escalate_to_team_id=form.one_id(f"{priority}.team"),
    )


def _minutes(form: Form, name: str, field: str) -> int:
    text = form.get(name).strip().lower().replace(" ", "")
    if not text:
        return 0
    found = re.fullmatch(r"([0-9]{1,6})(m|min|h|d)?", text)
    if not found or not 0 < int(found[1]) * _UNITS[found[2] or ""] <= 366 * 1_440:
        raise invalid(field, "Write it like 30m, 4h or 2d; a day is 24 hours of business.")
    return int(found[1]) * _UNITS[found[2] or ""]
