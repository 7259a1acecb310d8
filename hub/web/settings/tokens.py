"""One's own API tokens: made with scopes and an end, shown once, revoked."""

from typing import Final

from aiohttp import web

from hub.clock import DAY
from hub.db.tx import Tx
from hub.errors import Refusal, invalid
from hub.staff import tokens
from hub.staff.access import Caller
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, draw, named

PATH: Final = "/settings/tokens"
MOST: Final = 500
DAYS: Final = (7, 30, 90, 365)
NOUNS: Final = tuple(dict.fromkeys(scope.partition(":")[0] for scope in tokens.SCOPES))


async def every_token(request: web.Request, caller: Caller) -> web.Response:
    return await _draw(request, caller, None, {}, None)


async def create(request: web.Request, caller: Caller, form: Form) -> web.Response:
    """The secret is on the page that answers, and never again."""
    try:
        secret = await request.app[DESK].store.write(_create, caller, form)
    except Refusal as refusal:
        return await _draw(request, caller, form, plain.wrong(refusal), None)
    return await _draw(request, caller, None, {}, secret)


async def revoke(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(tokens.revoke, caller, named(request))
    return back(PATH, "revoked")


async def _draw(
    request: web.Request, caller: Caller, form: Form | None, wrong: dict[str, str], secret: str | None
) -> web.Response:
    store = request.app[DESK].store
    found = await store.read(lambda rx: tokens.page(rx, caller.grants.agent_id, after=0, limit=MOST))
    now = store.clock.now()
    alive = [t for t in found if t.revoked_at is None and (t.expires_at is None or t.expires_at > now)]
    return await draw(
        request,
        caller,
        "tokens",
        "tokens",
        wrong=wrong,
        alive=alive[::-1],
        over=[t for t in found if t not in alive][::-1],
        nouns=NOUNS,
        days=DAYS,
        values=form.values if form else {"days": "90"},
        chosen=set(form.all("scope")) if form else set(),
        secret=secret,
        url=request.app[DESK].config.public_url.rstrip("/"),
    )


def _create(tx: Tx, caller: Caller, form: Form) -> str:
    days = form.get("days")
    if days not in ("never", *map(str, DAYS)):
        raise invalid("days", "Choose one of these.")
    expires_at = None if days == "never" else tx.now + int(days) * DAY
    return tokens.create(tx, caller, name=form.get("name"), scopes=form.all("scope"), expires_at=expires_at)[1]
