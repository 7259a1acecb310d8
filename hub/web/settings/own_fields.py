"""Fields of one's own that contacts have."""

from typing import Final, cast, get_args

from aiohttp import web

from hub.db.tx import Tx
from hub.errors import Refusal, invalid
from hub.people import fields
from hub.people.fields import Field
from hub.staff.access import Caller
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, draw, named

PATH: Final = "/settings/fields"


async def every_field(request: web.Request, caller: Caller) -> web.Response:
    return await _list(request, caller, {}, {})


async def add(request: web.Request, caller: Caller, form: Form) -> web.Response:
    def do(tx: Tx) -> int:
        if form.get("type") not in get_args(fields.Type):
            raise invalid("type", "Choose one of these.")
        kind = cast(fields.Type, form.get("type"))
        choices = tuple(form.lines("choices")) if kind == "choice" else ()
        key, label = form.get("key").strip(), form.get("label")
        return fields.create(
            tx, caller.actor, key=key, label=label, type=kind, choices=choices, required=form.on("required")
        )

    try:
        await request.app[DESK].store.write(do)
    except Refusal as refusal:
        return await _list(request, caller, form.values, plain.wrong(refusal))
    return back(PATH, "added")


async def one(request: web.Request, caller: Caller) -> web.Response:
    found = await request.app[DESK].store.read(fields.get, named(request))
    return await _one(request, caller, found, None, {})


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    found = await request.app[DESK].store.read(fields.get, named(request))

    def do(tx: Tx) -> None:
        choices = tuple(form.lines("choices")) if found.type == "choice" else None
        fields.change(
            tx, caller.actor, found.id, label=form.get("label"), choices=choices, required=form.on("required")
        )

    try:
        await request.app[DESK].store.write(do)
    except Refusal as refusal:
        return await _one(request, caller, found, form, plain.wrong(refusal))
    return back(PATH)


async def remove(request: web.Request, caller: Caller, form: Form) -> web.Response:
    def do(tx: Tx) -> None:
        fields.remove(tx, caller.actor, named(request))

    await request.app[DESK].store.write(do)
    return back(PATH, "removed")


async def _list(request: web.Request, caller: Caller, values: dict[str, str], wrong: dict[str, str]) -> web.Response:
    found = await request.app[DESK].store.read(fields.all_of_them)
    return await draw(request, caller, "fields", "fields", wrong=wrong, items=found, values=values)


async def _one(
    request: web.Request, caller: Caller, found: Field, form: Form | None, wrong: dict[str, str]
) -> web.Response:
    return await draw(
        request,
        caller,
        "field",
        "fields",
        wrong=wrong,
        field=found,
        label=form.get("label") if form else found.label,
        choices=form.get("choices") if form else "\n".join(found.choices),
        required=form.on("required") if form else found.required,
    )
