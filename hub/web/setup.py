"""How people come in by a link: /setup makes the first administrator, /join lets a colleague choose a password; and
/welcome, where the new administrator sees what to do next."""

from typing import Final

from aiohttp import web

from hub.clock import DAY
from hub.commands import BY_NAME
from hub.db.tx import Rx, Tx
from hub.desk import inboxes
from hub.errors import Refusal
from hub.events import Scope
from hub.staff import agents, links, one_time, signin, tokens
from hub.staff.access import Caller, may, require_permission
from hub.web import plain
from hub.web.auth import require_own_origin
from hub.web.keys import DESK
from hub.web.pages import page
from hub.web.remote import remote
from hub.web.session import set_cookie

TOKEN_DAYS: Final = 90
TOKEN_NAME: Final = "First token"
LANGUAGES: Final = (
    *(("en", "English"), ("am", "አማርኛ"), ("ar", "العربية"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français")),
    *(("he", "עברית"), ("hi", "हिन्दी"), ("km", "ខ្មែរ"), ("pt", "Português"), ("ru", "Русский"), ("uk", "Українська")),
    *(("vi", "Tiếng Việt"), ("zh", "中文")),
)
_RESTART: Final = "restart"
_ASK: Final = "ask"


# --- the first administrator ---------------------------------------------------------------------------------------


async def setup(request: web.Request) -> web.Response:
    """The form behind the link that the first start printed; nothing once there is an administrator."""
    desk, secret = request.app[DESK], request.match_info["secret"]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    if not await desk.store.read(one_time.first_administrator_link_holds, secret):
        return await page(request, "gone.html", status=404, hint=_RESTART)
    return await _setup_form(request, {}, {}, 200)


async def set_up(request: web.Request) -> web.Response:
    desk, secret = request.app[DESK], request.match_info["secret"]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    given = await plain.form(request)
    try:
        session, _ = await signin.create_first_administrator(
            desk.store,
            secret,
            name=given.get("name", ""),
            email=given.get("email", ""),
            password=given.get("password", ""),
            language=given.get("language") or None,
        )
    except Refusal as refusal:
        if refusal.code == "gone":
            return await page(request, "gone.html", status=404, hint=_RESTART)
        return await _setup_form(request, given, plain.wrong(refusal), 422)
    response = web.Response(status=303, headers={"Location": "/welcome"})
    set_cookie(request, response, session)
    return response


async def _setup_form(request: web.Request, values: dict[str, str], wrong: dict[str, str], status: int) -> web.Response:
    return await page(request, "setup.html", status=status, values=values, wrong=wrong, languages=LANGUAGES)


# --- what next -----------------------------------------------------------------------------------------------------


async def welcome(request: web.Request) -> web.Response:
    caller = await plain.signed_in(request)
    return await _welcome(request, caller, None)


async def make_token(request: web.Request) -> web.Response:
    """An API token of the caller's own, shown on this page and never again."""
    require_own_origin(request)
    caller = await plain.signed_in(request)
    try:
        secret = await request.app[DESK].store.write(_token, caller)
    except Refusal as refusal:
        return await _welcome(request, caller, None, refusal.text)
    return await _welcome(request, caller, secret)


def _token(tx: Tx, caller: Caller) -> str:
    require_permission(caller, BY_NAME["create_token"].permission or "")  # the same as through the API
    expires_at = tx.now + TOKEN_DAYS * DAY
    return tokens.create(tx, caller, name=TOKEN_NAME, scopes=tokens.SCOPES, expires_at=expires_at)[1]


async def _welcome(request: web.Request, caller: Caller, secret: str | None, wrong: str = "") -> web.Response:
    desk = request.app[DESK]
    agent, inbox = await desk.store.read(_about, caller)
    url = desk.config.public_url
    return await page(
        request,
        "welcome.html",
        wish=agent.language,
        status=422 if wrong else 200,
        name=agent.name,
        url=url,
        secret=secret,
        days=TOKEN_DAYS,
        wrong=wrong,
        inbox=inbox.name if inbox else "",
        form=f"{url}/f/{inbox.token}" if inbox else "",
    )


def _about(rx: Rx, caller: Caller) -> tuple[agents.Agent, inboxes.Inbox | None]:
    inbox = with_form(rx)
    seen = inbox if inbox is not None and may(caller.grants, Scope(inbox.id)) else None
    return agents.get(rx, caller.grants.agent_id), seen


def with_form(rx: Rx) -> inboxes.Inbox | None:
    """The oldest inbox that strangers can write to by a form."""
    open_ones = [i for i in inboxes.all_of_them(rx) if i.enabled and i.features.form]
    return min(open_ones, key=lambda inbox: inbox.id, default=None)


# --- a colleague ---------------------------------------------------------------------------------------------------


async def join(request: web.Request) -> web.Response:
    desk, secret = request.app[DESK], request.match_info["secret"]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    if not await desk.store.read(links.holds, "password", secret):
        return await page(request, "gone.html", status=404, hint=_ASK)
    return await page(request, "join.html", wrong={}, done=False)


async def joined(request: web.Request) -> web.Response:
    desk, secret = request.app[DESK], request.match_info["secret"]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    given = await plain.form(request)
    try:
        await signin.choose_password(desk.store, secret, given.get("password", ""))
    except Refusal as refusal:
        if refusal.code == "gone":
            return await page(request, "gone.html", status=404, hint=_ASK)
        return await page(request, "join.html", status=422, wrong=plain.wrong(refusal), done=False)
    return await page(request, "join.html", wrong={}, done=True)
