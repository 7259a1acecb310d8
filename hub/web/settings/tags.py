"""The set of tags: how they are called and look, two made one, one taken off everything, and both taken back."""

from collections.abc import Callable
from typing import Final, cast

from aiohttp import web

from hub.db.tx import Rx, Tx
from hub.desk import tag_set
from hub.desk.tag_set import Kept
from hub.desk.tags import COLOURS, Colour
from hub.errors import Refusal, invalid
from hub.staff.access import Caller
from hub.text import fold
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, draw, named

PATH: Final = "/settings/tags"


async def every_one(request: web.Request, caller: Caller) -> web.Response:
    return await _list(request, caller, None, {})


async def add(request: web.Request, caller: Caller, form: Form) -> web.Response:
    def do(tx: Tx) -> None:
        tag_set.create(tx, caller, form.get("name"), _colour(form))

    try:
        await request.app[DESK].store.write(do)
    except Refusal as refusal:
        return await _list(request, caller, form, plain.wrong(refusal))
    return back(PATH, "added")


async def one(request: web.Request, caller: Caller) -> web.Response:
    return await _one(request, caller, None, {})


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    def do(tx: Tx) -> None:
        tag_set.change(tx, caller, named(request), name=form.get("name"), colour=_colour(form))

    return await _done(request, caller, form, do, "saved")


async def merge(request: web.Request, caller: Caller, form: Form) -> web.Response:
    def do(tx: Tx) -> None:
        into = form.one_id("into")
        if into is None:
            raise invalid("into", "Choose the tag that stays.")
        tag_set.merge(tx, caller, named(request), into)

    return await _done(request, caller, form, do, "tag-merged")


async def delete(request: web.Request, caller: Caller, form: Form) -> web.Response:
    return await _done(request, caller, form, lambda tx: tag_set.delete(tx, caller, named(request)), "tag-deleted")


async def restore(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        await request.app[DESK].store.write(tag_set.restore, caller, named(request))
    except Refusal as refusal:
        if refusal.code == "not_found":
            raise
        return await _list(request, caller, None, {"": refusal.text})
    return back(PATH, "tag-restored")


async def _done(request: web.Request, caller: Caller, form: Form, do: Callable[[Tx], None], said: str) -> web.Response:
    try:
        await request.app[DESK].store.write(do)
    except Refusal as refusal:
        if refusal.code == "not_found":
            raise
        return await _one(request, caller, form, plain.wrong(refusal))
    return back(PATH, said)


async def _list(request: web.Request, caller: Caller, form: Form | None, wrong: dict[str, str]) -> web.Response:
    kept, gone = await request.app[DESK].store.read(_all, caller)
    wanted = fold(request.query.get("q", "")[:200])
    return await draw(
        request,
        caller,
        "tags",
        "tags",
        wrong=wrong,
        items=[tag for tag in kept if not wanted or wanted in fold(tag.name)],
        gone=gone,
        names={tag.id: tag.name for tag in (*gone, *kept)},
        count=len(kept),
        q=request.query.get("q", ""),
        most=tag_set.COUNTED,
        colours=COLOURS,
        name=form.get("name") if form else "",
        colour=form.get("colour", "grey") if form else "grey",
    )


async def _one(request: web.Request, caller: Caller, form: Form | None, wrong: dict[str, str]) -> web.Response:
    kept, _ = await request.app[DESK].store.read(_all, caller)
    tag = next((tag for tag in kept if tag.id == named(request)), None)
    if tag is None:
        raise Refusal("not_found", "There is no such tag.")
    return await draw(
        request,
        caller,
        "tag",
        "tags",
        wrong=wrong,
        tag=tag,
        others=[(other.id, other.name) for other in kept if other.id != tag.id],
        most=tag_set.COUNTED,
        colours=COLOURS,
        name=form.get("name", tag.name) if form else tag.name,
        colour=form.get("colour", tag.colour) if form else tag.colour,
    )


def _all(rx: Rx, caller: Caller) -> tuple[list[Kept], list[Kept]]:
    return tag_set.kept(rx, caller), tag_set.gone(rx, caller)


def _colour(form: Form) -> Colour:
    return cast(Colour, form.get("colour", "grey"))
