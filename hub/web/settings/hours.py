"""Business hours: a week, public holidays by country, days of one's own, and what the next days look like."""

import asyncio
import datetime
from datetime import date
from typing import Any, Final

import msgspec
from aiohttp import web

from hub import catalogues
from hub.db.tx import Rx, Tx
from hub.desk import hours, inboxes
from hub.desk.hours import Day, Hours, SpecialDay
from hub.desk.zones import zone
from hub.errors import Refusal
from hub.staff import agents, teams
from hub.staff.access import Caller
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.agents import MOST
from hub.web.settings.frame import Form, back, draw, named
from hub.web.settings.routing import time_zones

PATH: Final = "/settings/hours"
SPANS: Final = 3  # a day, in the form
PREVIEW: Final = 21  # days
_USUAL: Final = ((("09:00", "17:00"),),) * 5 + ((), ())


class Shown(msgspec.Struct, frozen=True):
    """A day of the preview, in words of the reader's language."""

    date: str
    weekday: str
    spans: tuple[str, ...]
    name: str | None
    holiday: bool


async def every_one(request: web.Request, caller: Caller) -> web.Response:
    found, used = await request.app[DESK].store.read(_all)
    return await draw(request, caller, "hours", "hours", items=found, used=used)


async def new(request: web.Request, caller: Caller) -> web.Response:
    return await _form(request, caller, None, None, {})


async def add(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        hours_id = await request.app[DESK].store.write(lambda tx: hours.create(tx, caller, **_wanted(form)))
    except Refusal as refusal:
        return await _form(request, caller, None, form, plain.wrong(refusal))
    return back(f"{PATH}/{hours_id}", "added")


async def one(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DESK].store.read(hours.get, named(request))
    return await _form(request, caller, found, None, {})


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    store = request.app[DESK].store
    found = await store.read(hours.get, named(request))
    try:
        await store.write(lambda tx: hours.change(tx, caller, found.id, **_wanted(form)))
    except Refusal as refusal:
        return await _form(request, caller, found, form, plain.wrong(refusal))
    return back(f"{PATH}/{found.id}")


async def remove(request: web.Request, caller: Caller, form: Form) -> web.Response:
    def do(tx: Tx) -> None:
        hours.delete(tx, caller, named(request))

    await request.app[DESK].store.write(do)
    return back(PATH, "removed")


async def _form(
    request: web.Request, caller: Caller, found: Hours | None, form: Form | None, wrong: dict[str, str]
) -> web.Response:
    desk = request.app[DESK]
    me = await desk.store.read(agents.get, caller.grants.agent_id)
    lang = catalogues.best(request.headers.get("Accept-Language"), wish=me.language)
    if form is not None:
        shown: dict[str, Any] = _typed(form)
    else:
        shown = {
            "name": found.name if found else "",
            "zone": found.zone if found else "UTC",
            "week": found.week if found else _USUAL,
            "country": (found.country if found else None) or "",
            "region": (found.region if found else None) or "",
            "days": found.days if found else (),
        }
    preview = await desk.store.read(_preview, found, lang) if found else []
    return await draw(
        request,
        caller,
        "hours_one",
        "hours",
        wrong=wrong,
        hours=found,
        shown=shown,
        spans=range(SPANS),
        weekdays=_weekdays(lang),
        zones=await time_zones(),
        countries=await asyncio.to_thread(_countries, lang),
        regions=hours.countries().get(shown["country"], ()),
        preview=preview,
        changes=inboxes.MANAGE in caller.grants.permissions,
    )


# --- the form --------------------------------------------------------------------------------------------------------


def _typed(form: Form) -> dict[str, Any]:
    """As it was written, right or wrong: to be shown again."""
    rows = zip(form.all("day.date"), form.all("day.name"), form.all("day.from"), form.all("day.to"), strict=False)
    return {
        "name": form.get("name"),
        "zone": form.get("zone"),
        "week": tuple(_spans(form, f"week.{day}") for day in range(7)),
        "country": form.get("country"),
        "region": form.get("region"),
        "days": tuple(
            SpecialDay(when, name.strip(), not (start or end), ((start, end),) if start or end else ())
            for when, name, start, end in rows
            if when
        ),
    }


def _spans(form: Form, name: str) -> tuple[tuple[str, str], ...]:
    pairs = zip(form.all(f"{name}.from"), form.all(f"{name}.to"), strict=False)
    # A browser's field knows no 24:00; a day that goes on to midnight is written as ending at 00:00.
    return tuple((start, "24:00" if end == "00:00" else end) for start, end in pairs if start or end)


def _wanted(form: Form) -> dict[str, Any]:
    typed = _typed(form)
    return {**typed, "country": typed["country"] or None, "region": typed["region"] or None}


# --- what is known ---------------------------------------------------------------------------------------------------


def _all(rx: Rx) -> tuple[list[Hours], dict[int, list[str]]]:
    """(all of them, id → the teams and inboxes that go by them)."""
    used: dict[int, list[str]] = {}
    for team, _ in teams.page(rx, after=("", 0), limit=MOST):
        if team.hours_id is not None:
            used.setdefault(team.hours_id, []).append(team.name)
    for inbox in inboxes.all_of_them(rx):
        if inbox.common.hours_id is not None:
            used.setdefault(inbox.common.hours_id, []).append(inbox.name)
    return hours.all_of_them(rx), used


def _preview(rx: Rx, found: Hours, lang: str) -> list[Shown]:
    from babel.dates import format_date

    here = zone(found.zone)
    today = datetime.datetime.fromtimestamp(rx.now / 1000, here).date()
    days = hours.calendar(rx, found.id, today, today + datetime.timedelta(days=PREVIEW - 1))

    def clock(at: int) -> str:
        return datetime.datetime.fromtimestamp(at / 1000, here).strftime("%H:%M")

    def shown(day: Day) -> Shown:
        when = date.fromisoformat(day.date)
        spans = tuple(f"{clock(start)}–{clock(end)}" for start, end in day.open)
        words = format_date(when, "EEEE", locale=lang), format_date(when, "long", locale=lang)
        return Shown(words[1], words[0], spans, day.name, day.holiday)

    return [shown(day) for day in days]


def _weekdays(lang: str) -> list[str]:
    from babel import Locale

    names = Locale.parse(lang).days["stand-alone"]["wide"]
    return [names[day] for day in range(7)]


def _countries(lang: str) -> list[tuple[str, str]]:
    from babel import Locale

    names = Locale.parse(lang).territories
    return sorted(((code, names.get(code, code)) for code in hours.countries()), key=lambda pair: pair[1])
