"""How people come in by a link: /setup makes the first administrator, /join lets a colleague choose a password."""

from typing import Final

from aiohttp import web

from hub import catalogues
from hub.db.tx import Rx
from hub.desk import first_run, inboxes
from hub.errors import Refusal
from hub.staff import one_time, organisation, signin
from hub.web import pages, plain
from hub.web.keys import DESK
from hub.web.pages import page
from hub.web.remote import remote
from hub.web.session import set_cookie

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
            firm=given.get("organisation", ""),
            then=first_run.begin,
        )
    except Refusal as refusal:
        if refusal.code == "gone":
            return await page(request, "gone.html", status=404, hint=_RESTART)
        return await _setup_form(request, given, plain.wrong(refusal), 422)
    response = web.Response(status=303, headers={"Location": "/welcome"})
    set_cookie(request, response, session)
    return response


async def _setup_form(request: web.Request, values: dict[str, str], wrong: dict[str, str], status: int) -> web.Response:
    """In the language that was chosen on it, as soon as one was."""
    wish = values.get("language") or request.query.get("lang")
    script = (await pages.ready()).address("js/setup.js")
    return await page(
        request,
        "setup.html",
        status=status,
        wish=wish if wish in catalogues.LANGUAGES else None,
        values=values,
        wrong=wrong,
        languages=LANGUAGES,
        script=script,
    )


def with_form(rx: Rx) -> inboxes.Inbox | None:
    """The oldest inbox that strangers can write to by a form."""
    open_ones = [i for i in first_run.real_inboxes(rx) if i.enabled and i.features.form]
    return min(open_ones, key=lambda inbox: inbox.id, default=None)


# --- a colleague ---------------------------------------------------------------------------------------------------


async def join(request: web.Request) -> web.Response:
    desk, secret = request.app[DESK], request.match_info["secret"]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    if not await desk.store.read(one_time.opens_password, secret):
        return await page(request, "gone.html", status=404, hint=_ASK)
    return await _join(request, {}, 200)


async def joined(request: web.Request) -> web.Response:
    desk, secret = request.app[DESK], request.match_info["secret"]
    desk.limits.stranger(remote(request, desk.config.trusted_proxies))
    given = await plain.form(request)
    try:
        await signin.choose_password(desk.store, secret, given.get("password", ""))
    except Refusal as refusal:
        if refusal.code == "gone":
            return await page(request, "gone.html", status=404, hint=_ASK)
        return await _join(request, plain.wrong(refusal), 422)
    return await _join(request, {}, 200, done=True)


async def _join(request: web.Request, wrong: dict[str, str], status: int, *, done: bool = False) -> web.Response:
    firm = await request.app[DESK].store.read(organisation.name)
    return await page(request, "join.html", status=status, wrong=wrong, done=done, organisation=firm)
