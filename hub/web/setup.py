"""How people come in by a link: /setup makes the first administrator, /join lets a colleague choose a password; and
/welcome, where the new administrator sees what to do next."""

from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from hub.clock import DAY
from hub.commands import BY_NAME
from hub.db.tx import Rx, Tx
from hub.desk import inboxes
from hub.errors import Refusal
from hub.events import Actor, Scope
from hub.staff import agents, links, one_time, signin, tokens
from hub.staff.access import Caller, may, require_permission
from hub.web import body
from hub.web.auth import CREDENTIALS, require_own_origin, session_token, unauthenticated
from hub.web.keys import DESK
from hub.web.pages import page
from hub.web.problem import malformed
from hub.web.remote import remote
from hub.web.session import set_cookie

MAX_FORM: Final = 16_384
TOKEN_DAYS: Final = 90
TOKEN_NAME: Final = "First token"
LANGUAGES: Final = (
    *(("en", "English"), ("am", "አማርኛ"), ("ar", "العربية"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français")),
    *(("he", "עברית"), ("hi", "हिन्दी"), ("km", "ខ្មែរ"), ("pt", "Português"), ("ru", "Русский"), ("uk", "Українська")),
    *(("vi", "Tiếng Việt"), ("zh", "中文")),
)
_RESTART: Final = "`parley link` on the desk's machine prints a new one as long as there is no administrator."
_ASK: Final = "Ask an administrator for a new one."


async def home(_request: web.Request) -> web.Response:
    return await page("home.html")


# --- the first administrator ---------------------------------------------------------------------------------------


async def setup(request: web.Request) -> web.Response:
    """The form behind the link that the first start printed; nothing once there is an administrator."""
    desk, secret = request.app[DESK], request.match_info["secret"]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    if not await desk.store.read(one_time.first_administrator_link_holds, secret):
        return await page("gone.html", status=404, hint=_RESTART)
    return await _setup_form({}, {}, 200)


async def set_up(request: web.Request) -> web.Response:
    desk, secret = request.app[DESK], request.match_info["secret"]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    given = await _form(request)
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
            return await page("gone.html", status=404, hint=_RESTART)
        return await _setup_form(given, _wrong(refusal), 422)
    response = web.Response(status=303, headers={"Location": "/welcome"})
    set_cookie(request, response, session)
    return response


async def _setup_form(values: dict[str, str], wrong: dict[str, str], status: int) -> web.Response:
    return await page("setup.html", status=status, values=values, wrong=wrong, languages=LANGUAGES)


# --- what next -----------------------------------------------------------------------------------------------------


async def welcome(request: web.Request) -> web.Response:
    caller = await _signed_in(request)
    return await _welcome(request, caller, None)


async def make_token(request: web.Request) -> web.Response:
    """An API token of the caller's own, shown on this page and never again."""
    require_own_origin(request)
    caller = await _signed_in(request)
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
        "welcome.html",
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


async def _signed_in(request: web.Request) -> Caller:
    """By the cookie alone. A form of ours cannot set the header that the API wants: the caller looks at Origin."""
    secret = session_token(request)
    shown = await request.app[CREDENTIALS].of_session(secret) if secret else None
    grants = await request.app[DESK].grants.get(shown.agent_id) if shown else None
    if shown is None or grants is None:
        raise unauthenticated()
    return Caller(Actor("agent", shown.agent_id), grants)


# --- a colleague ---------------------------------------------------------------------------------------------------


async def join(request: web.Request) -> web.Response:
    desk, secret = request.app[DESK], request.match_info["secret"]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    if not await desk.store.read(links.holds, "password", secret):
        return await page("gone.html", status=404, hint=_ASK)
    return await page("join.html", wrong={}, done=False)


async def joined(request: web.Request) -> web.Response:
    desk, secret = request.app[DESK], request.match_info["secret"]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    given = await _form(request)
    try:
        await signin.choose_password(desk.store, secret, given.get("password", ""))
    except Refusal as refusal:
        if refusal.code == "gone":
            return await page("gone.html", status=404, hint=_ASK)
        return await page("join.html", status=422, wrong=_wrong(refusal), done=False)
    return await page("join.html", wrong={}, done=True)


# --- forms ---------------------------------------------------------------------------------------------------------


async def _form(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise malformed("Send the form as a browser does.")
    try:
        text = (await body.read(request, MAX_FORM)).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise malformed("This is not what a form sends.") from None
    return dict(pairs)


def _wrong(refusal: Refusal) -> dict[str, str]:
    return {error.field: error.text for error in refusal.errors} or {"": refusal.text}
