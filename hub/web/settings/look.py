"""How visitors see an inbox that talks live: its texts, colours and questions, beside the real thing on a made-up shop.

What the form holds is shown before it is saved (hub.web.preview); without scripts the form works all the same.
"""

import dataclasses
from typing import Any, Final

import msgspec
from aiohttp import web

from hub.connector import ASKABLE, LiveSettings
from hub.db.tx import Tx
from hub.desk import inboxes
from hub.desk import settings as settings_of
from hub.desk.inboxes import Inbox
from hub.desk.settings import Field
from hub.errors import Refusal
from hub.staff.access import Caller
from hub.web import pages, plain, preview
from hub.web.keys import DESK
from hub.web.settings import fields
from hub.web.settings.frame import Form, back, draw
from hub.web.settings.inboxes import PATH, found

_OF_ALL: Final = {field.name for field in dataclasses.fields(LiveSettings)}
ASK: Final = "ask"  # the questions before the chat have controls of their own


class Question(msgspec.Struct, frozen=True):
    name: str
    how: str  # "no", "may", "must"


async def look(request: web.Request, caller: Caller) -> web.Response:
    return await _draw(request, caller, await _live(request, caller), None, {})


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    inbox = await _live(request, caller)
    wanted = _given(inbox, form)

    def write(tx: Tx) -> Inbox:
        return inboxes.change(tx, caller, inbox.id, settings=wanted)

    try:
        await request.app[DESK].store.write(write)
    except Refusal as refusal:
        return await _draw(request, caller, inbox, form, plain.wrong(refusal))
    return back(f"{PATH}/{inbox.id}/look")


async def _draw(
    request: web.Request, caller: Caller, inbox: Inbox, form: Form | None, wrong: dict[str, str]
) -> web.Response:
    drawn = await pages.ready()
    response = await draw(
        request,
        caller,
        "look",
        "inboxes",
        wrong=wrong,
        inbox=inbox,
        fields=fields.shown([field for field in _fields(inbox) if field.name != ASK], inbox, form),
        questions=_questions(inbox, form),
        more_scripts=[drawn.address("js/preview.js"), drawn.address("js/designer.js")],
    )
    response.headers["Content-Security-Policy"] = preview.EMBEDDING
    return response


async def _live(request: web.Request, caller: Caller) -> Inbox:
    inbox = await found(request, caller)
    if not inbox.features.live:
        raise Refusal("not_found", "Visitors do not see this inbox.")
    return inbox


def _fields(inbox: Inbox) -> list[Field]:
    """What visitors see, the channel's own first, and which sites may show it."""
    found = [f for f in settings_of.form(inbox.kind) if f.look or f.name == "allowed_origins"]
    return sorted(found, key=lambda f: (f.common, f.name in _OF_ALL))


def _questions(inbox: Inbox, form: Form | None) -> list[Question]:
    asked = _asked(form) if form is not None and form.on("asks") else inbox.settings.get(ASK, ())
    how = {one.removesuffix("*"): "must" if one.endswith("*") else "may" for one in asked}
    return [Question(name, how.get(name, "no")) for name in ASKABLE]


def _asked(form: Form) -> list[str]:
    how = {name: form.get(f"ask.{name}", "no") for name in ASKABLE}
    return [name + "*" * (how[name] == "must") for name in ASKABLE if how[name] in ("may", "must")]


def _given(inbox: Inbox, form: Form) -> dict[str, Any]:
    wanted = fields.given(_fields(inbox), form)
    return {**wanted, ASK: _asked(form)} if form.on("asks") else wanted
