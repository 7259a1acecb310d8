"""A chat as it would look with settings that nobody has saved: the real widget on a page of a made-up shop.

    POST /preview               {"kind", "settings", "inbox_id"?, "scene"?} → where the page is, or what is wrong
    GET  /preview/<look>        the shop, for an <iframe>; below it what its page loads, as under /w/<inbox token>

A look is the settings themselves, packed into the address: nothing is kept, and whoever may not manage inboxes sees
nothing. Nobody is written to: in the place of the line to the desk stands widget/js/rehearsal.js. The other half of
this is agents_ui/js/preview.js, which puts the page beside a form.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from aiohttp import hdrs, web

from hub import catalogues
from hub.connector import Connector, LiveSettings
from hub.db.tx import Rx
from hub.desk import inboxes, kinds
from hub.desk.settings import build, split
from hub.desk.visitors.look import first_name
from hub.errors import Refusal, invalid, not_found
from hub.staff import agents
from hub.staff.access import Caller, require_permission
from hub.web import body, pages, plain, widget
from hub.web.auth import require_own_origin
from hub.web.keys import DESK, Desk
from hub.web.middleware import CSP
from hub.web.problem import malformed
from hub.web.rest import respond

EMBEDDING: Final = f"{CSP}; frame-src 'self'"  # the policy of a page that shows one
MAX_LOOK: Final = 6_000  # characters of an address; settings may be longer than what is seen of them
SHOP_POLICY: Final = EMBEDDING.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
_UNSEEN: Final = ("hours_id", "team_id", "allowed_origins")

Scene = Literal["greeting", "talk", "closed"]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`inbox_id`: the settings are laid over those that this one has. `scene`: the first screen, a chat that is going
    on, or only the launcher."""

    kind: str
    settings: dict[str, Any]
    inbox_id: int | None = None
    scene: Scene = "greeting"


class Look(msgspec.Struct, frozen=True):
    kind: str
    settings: dict[str, Any]
    scene: Scene


async def make(request: web.Request) -> web.Response:
    """What a form holds just now → the address of its page, and how its colours stand out."""
    require_own_origin(request)
    caller = await _designer(request)
    try:
        asked = msgspec.convert(await body.read_json(request), Asked)
    except msgspec.ValidationError as error:
        raise malformed(str(error)) from None
    desk = request.app[DESK]
    before = await desk.store.read(inboxes.get, caller, asked.inbox_id) if asked.inbox_id is not None else None
    if before is not None and before.kind != asked.kind:
        raise invalid("kind", "This inbox is of another kind.")
    plain_settings, _ = split(asked.kind, {**(before.settings if before else {}), **asked.settings})
    seen = {name: value for name, value in plain_settings.items() if name not in _UNSEEN}
    look = Look(asked.kind, seen, asked.scene)
    front = _connector(desk, look).front()
    shown = {"colour": front.get("colour"), "on": front.get("on")}
    return respond({"page": f"/preview/{_packed(look)}", **shown})


async def shop(request: web.Request) -> web.Response:
    caller = await _designer(request)
    desk, look = request.app[DESK], _look(request)
    _connector(desk, look)
    drawn = await pages.ready()
    response = await pages.page(
        request,
        "preview.html",
        wish=await desk.store.read(_language, caller),
        loader=f"{request.path}/w.js",
        script=drawn.address("js/shop.js"),
        scene=look.scene,
    )
    response.headers["Content-Security-Policy"] = SHOP_POLICY
    return response


async def loader(request: web.Request) -> web.Response:
    caller = await _designer(request)
    desk, look = request.app[DESK], _look(request)
    front = _connector(desk, look).front()
    lang = await _lang(request, desk, caller, front)
    base = f"{desk.config.public_url.rstrip('/')}{request.path.removesuffix('.js')}"
    config = widget.loader_config(front, base, "preview")
    texts = (await pages.ready()).texts["widget", lang]
    response = widget.script(request, (await widget.ready()).loader(texts, config))
    response.headers["Cache-Control"] = "no-store"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


async def frame(request: web.Request) -> web.Response:
    caller = await _designer(request)
    desk, look = request.app[DESK], _look(request)
    front = _connector(desk, look).front()
    lang = await _lang(request, desk, caller, front)
    drawn = await pages.ready()
    said = msgspec.json.decode(drawn.render("rehearsal.html", drawn.texts["console", lang]))
    config = widget.frame_config(front, "preview", "#" if front.get("offer_form") else None)
    config["rehearsal"] = _rehearsal(look, said, await desk.store.read(_first_name, caller))
    return await widget.frame_page(request, drawn.texts["widget", lang], config, "'self'")


# --- parts ---------------------------------------------------------------------------------------------------------


async def _designer(request: web.Request) -> Caller:
    caller = await plain.signed_in(request)
    require_permission(caller, inboxes.MANAGE)
    return caller


def _packed(look: Look) -> str:
    packed = base64.urlsafe_b64encode(msgspec.json.encode(look)).decode().rstrip("=")
    if len(packed) > MAX_LOOK:
        raise Refusal("invalid", "These texts are too long to be shown beforehand.")
    return packed


def _look(request: web.Request) -> Look:
    packed = request.match_info["look"]
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), type=Look)
    except (ValueError, msgspec.MsgspecError):
        raise not_found("page") from None


def _connector(desk: Desk, look: Look) -> Connector:
    """Made for this answer alone, out of settings that were judged like those of an inbox."""
    if not kinds.features(look.kind).live:
        raise invalid("kind", "Only a chat can be shown beforehand.")
    return desk.runner.unsaved(look.kind, look.settings)


def _rehearsal(look: Look, said: Mapping[str, str], name: str | None) -> dict[str, Any]:
    """The part that the desk and an agent would have."""
    wanted: LiveSettings = build(LiveSettings, look.settings)
    state = {"closed": wanted.offline == "always", "ask": wanted.ask, "consent": wanted.consent}
    return {"scene": look.scene, "state": state, "agent": name, **said}


def _language(rx: Rx, caller: Caller) -> str | None:
    return agents.get(rx, caller.grants.agent_id).language


def _first_name(rx: Rx, caller: Caller) -> str | None:
    return first_name(agents.get(rx, caller.grants.agent_id).name)


async def _lang(request: web.Request, desk: Desk, caller: Caller, front: Mapping[str, Any]) -> str:
    """The designer's own where the chat may be shown in it."""
    wish = widget.wish(request) or await desk.store.read(_language, caller)
    lang = catalogues.best(request.headers.get(hdrs.ACCEPT_LANGUAGE), wish=wish)
    allowed = widget.languages(front)
    return lang if lang in allowed else allowed[0]
