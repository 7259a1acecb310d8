"""The first run as pages below /welcome: the ways in, the chat's look, trying it, the line for a site, colleagues.

Each step is a page of its own with an address, so that closing the browser loses nothing: /welcome leads to where one
was. What ticks by itself on them asks GET /welcome/state. hub.desk.first_run keeps how far it is.
"""

from typing import Any, Final
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web

from hub import catalogues
from hub.clock import DAY
from hub.commands import BY_NAME
from hub.db.tx import Rx, Tx
from hub.desk import first_run, hours, inboxes, kinds, own_mail, sites, zones
from hub.desk.first_run import STEPS, FirstRun
from hub.desk.inboxes import Inbox
from hub.desk.settings import form
from hub.errors import Refusal
from hub.sample import clear, load
from hub.staff import agents, one_time, organisation, roles, teams, tokens
from hub.staff.access import Caller, require_permission
from hub.web import pages, plain, preview
from hub.web.auth import require_own_origin
from hub.web.console import to_sign_in
from hub.web.keys import DESK
from hub.web.middleware import CSP
from hub.web.pages import page
from hub.web.problem import HttpError
from hub.web.rest import respond

HOURS_NAME: Final = "Business hours"
TOKEN_DAYS: Final = 90
TOKEN_NAME: Final = "First token"
LOOK: Final = ("title", "colour", "greeting", "position")
_FRAMES: Final = f"{CSP}; frame-src 'self'"


class State(msgspec.Struct, frozen=True):
    """What a page of the first run needs to tick by itself."""

    tried: tuple[str, ...]
    sites: list[inboxes.SiteSeen]
    done: tuple[str, ...]


class About(msgspec.Struct, frozen=True):
    """What every page of it shows."""

    run: FirstRun
    tried: tuple[str, ...]
    name: str
    language: str | None
    organisation: str
    inbox: Inbox | None  # the chat
    steps: tuple[str, ...]

    @property
    def done(self) -> set[str]:
        return set(self.run.done)


async def step(request: web.Request) -> web.Response:
    caller = await _leader(request)
    return to_sign_in(request) if caller is None else await _drawn(request, caller)


async def take(request: web.Request) -> web.Response:
    """What a step's form says; "skip" leaves everything as it is."""
    require_own_origin(request)
    caller = await _leader(request)
    if caller is None:
        return to_sign_in(request)
    name = _step(request)
    given = await plain.form(request)
    if "skip" in given:
        await request.app[DESK].store.write(first_run.finish, caller, name)
        return plain.seen_other(_after(name))
    try:
        return await _TAKE[name](request, caller, given)
    except Refusal as refusal:
        return await _drawn(request, caller, given, plain.wrong(refusal))


async def state(request: web.Request) -> web.Response:
    """Asked by an open page now and then, and whenever something happens."""
    caller = await _leader(request)
    if caller is None:
        raise HttpError("forbidden", "Your role does not allow this.")
    desk = request.app[DESK]
    now, fresh = await desk.store.read(_state)
    if fresh:
        await desk.store.write_later(first_run.keep_tried)
    return respond(now)


async def dismiss(request: web.Request) -> web.Response:
    require_own_origin(request)
    caller = await plain.signed_in(request)
    await request.app[DESK].store.write(first_run.dismiss, caller)
    return plain.seen_other("/inbox")


async def welcome(request: web.Request) -> web.Response:
    """Where one was, or once everything is done what there is to look at."""
    caller = await plain.reader(request)
    if caller is None:
        return to_sign_in(request)
    if first_run.MANAGE not in caller.grants.permissions:
        return plain.seen_other("/inbox")
    about = await request.app[DESK].store.read(_about, caller)
    if about.run.since and "all" not in request.query:
        left = [name for name in about.steps if name not in about.done]
        if left:
            return plain.seen_other(f"/welcome/{left[0]}")
    return await _welcome(request, caller, None)


async def sample(request: web.Request) -> web.Response:
    """Loads the sample data, or removes it; the page goes on telling how far it is."""
    require_own_origin(request)
    caller = await _leader(request)
    if caller is None:
        return to_sign_in(request)
    wanted = (await plain.form(request)).get("do")
    try:
        await request.app[DESK].store.write(clear.start if wanted == "clear" else load.start, caller)
    except Refusal as refusal:
        return await _welcome(request, caller, None, sample_wrong=refusal.text)
    return plain.seen_other("/welcome?all#sample")


async def make_token(request: web.Request) -> web.Response:
    """An API token of the caller's own, shown on this page and never again."""
    require_own_origin(request)
    caller = await plain.signed_in(request)
    try:
        secret = await request.app[DESK].store.write(_token, caller)
    except Refusal as refusal:
        return await _welcome(request, caller, None, refusal.text)
    return await _welcome(request, caller, secret)


# --- what each step does -------------------------------------------------------------------------------------------


async def _take_ways(request: web.Request, caller: Caller, given: dict[str, str]) -> web.Response:
    wanted = [name.removeprefix("way.") for name in given if name.startswith("way.")]
    if not wanted:
        raise Refusal("invalid", "Choose at least one.", errors=())
    titles = {kind.kind: _title(kind) for kind in kinds.known()}
    zone = (given.get("zone", "").strip() or "UTC") if "hours" in given else None
    await request.app[DESK].store.write(_choose, caller, wanted, titles, zone)
    return plain.seen_other(_after("ways"))


async def _take_look(request: web.Request, caller: Caller, given: dict[str, str]) -> web.Response:
    settings = {name: given.get(f"settings.{name}") or None for name in LOOK}
    await request.app[DESK].store.write(_look, caller, settings)
    return plain.seen_other(_after("look"))


async def _take_try(request: web.Request, caller: Caller, given: dict[str, str]) -> web.Response:
    await request.app[DESK].store.write(first_run.finish, caller, "try")
    return plain.seen_other(_after("try"))


async def _take_site(request: web.Request, caller: Caller, given: dict[str, str]) -> web.Response:
    """A site that may carry the chat; whom to tell of the line; or, without either, on."""
    if given.get("developer", "").strip():
        url = request.app[DESK].config.public_url.rstrip("/")
        await request.app[DESK].store.write(_tell_developer, caller, given["developer"], url)
        return plain.seen_other(f"/welcome/site?sent={quote(given['developer'].strip()[:254])}")
    if not given.get("site", "").strip():
        await request.app[DESK].store.write(first_run.finish, caller, "site")
        return plain.seen_other(_after("site"))
    await request.app[DESK].store.write(_allow, caller, given["site"])
    return plain.seen_other("/welcome/site?saved=1")


async def _take_colleagues(request: web.Request, caller: Caller, given: dict[str, str]) -> web.Response:
    if "done" in given:
        await request.app[DESK].store.write(first_run.finish, caller, "colleagues")
        return plain.seen_other("/welcome?all")
    secret = await request.app[DESK].store.write(_invite, caller, given, await _team_name(request, caller))
    link = f"{request.app[DESK].config.public_url.rstrip('/')}/join/{secret}"
    return await _drawn(request, caller, {}, {}, link=link, invited=given.get("name", ""))


_TAKE: Final = {
    "ways": _take_ways,
    "look": _take_look,
    "try": _take_try,
    "site": _take_site,
    "colleagues": _take_colleagues,
}


def _choose(tx: Tx, caller: Caller, wanted: list[str], titles: dict[str, str], zone: str | None) -> None:
    """`zone`: where somebody answers from Monday to Friday, 9 to 18; None: that was not wanted."""
    first_run.choose(tx, caller, wanted, titles)
    if zone is None or hours.all_of_them(tx):
        return
    zones.zone(zone)
    week = ((("09:00", "18:00"),),) * 5 + ((), ())
    hours_id = hours.create(tx, caller, name=HOURS_NAME, zone=zone, week=week)
    for inbox in first_run.real_inboxes(tx):
        if inbox.enabled and inbox.common.hours_id is None:
            inboxes.change(tx, caller, inbox.id, settings={"hours_id": hours_id})


def _tell_developer(tx: Tx, caller: Caller, address: str, url: str) -> None:
    require_permission(caller, own_mail.MANAGE)
    inbox = first_run.live_inbox(tx)
    try_it = _for_developer(f"{url}/w/{inbox.token}.js" if inbox else "", url)
    agent = agents.get(tx, caller.grants.agent_id)
    try:
        own_mail.send(tx, purpose="snippet", address=address, language=agent.language, fields=try_it, agent_id=agent.id)
    except Refusal as refusal:
        raise Refusal("invalid", refusal.text, field="developer") from None


def _for_developer(loader: str, url: str) -> dict[str, str]:
    return {
        "snippet": f'<script async src="{loader}"></script>',
        "policy": f"script-src {url}; frame-src {url}; connect-src {url}",
    }


def _look(tx: Tx, caller: Caller, settings: dict[str, Any]) -> None:
    inbox = first_run.live_inbox(tx)
    if inbox is not None:
        inboxes.change(tx, caller, inbox.id, settings=settings)
    first_run.finish(tx, caller, "look")


def _allow(tx: Tx, caller: Caller, asked: str) -> None:
    """Whoever types shop.example means https."""
    asked = asked.strip()
    site = sites.origin(asked if "://" in asked else f"https://{asked}")
    if site is None:
        raise Refusal("invalid", "This is no address of a site. Write it like https://shop.example.", field="site")
    inbox = first_run.live_inbox(tx)
    if inbox is not None and site not in inbox.common.allowed_origins:
        inboxes.change(tx, caller, inbox.id, settings={"allowed_origins": [*inbox.common.allowed_origins, site]})


def _invite(tx: Tx, caller: Caller, given: dict[str, str], team_name: str) -> str:
    """The secret of their link. Who sees only what their teams see joins the first team, which then sees the ways that
    were chosen: otherwise a new colleague would look at an empty desk."""
    wanted = given.get("role", "agent")
    role = roles.named(tx, wanted if wanted in roles.BUILT_IN else "agent")
    agent_id = agents.create(tx, caller, email=given.get("email", ""), name=given.get("name", ""), role_id=role.id)
    if role.sees != "everything":
        found = teams.page(tx, after=("", 0), limit=1)
        team_id = found[0][0].id if found else teams.create(tx, caller, team_name)
        teams.add_member(tx, caller, team_id, agent_id)
        if not found:
            for _, inbox in first_run.ways(tx):
                if inbox is not None:
                    teams.add_inbox(tx, caller, team_id, inbox.id)
    return one_time.invite(tx, caller, agent_id)


def _token(tx: Tx, caller: Caller) -> str:
    require_permission(caller, BY_NAME["create_token"].permission or "")  # the same as through the API
    expires_at = tx.now + TOKEN_DAYS * DAY
    return tokens.create(tx, caller, name=TOKEN_NAME, scopes=tokens.SCOPES, expires_at=expires_at)[1]


# --- drawing -------------------------------------------------------------------------------------------------------


async def _drawn(
    request: web.Request,
    caller: Caller,
    given: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    **more: Any,
) -> web.Response:
    desk, name = request.app[DESK], _step(request)
    about = await desk.store.read(_about, caller)
    url = desk.config.public_url.rstrip("/")
    if name in ("look", "site") and about.inbox is None:
        await desk.store.write(first_run.finish, caller, name)
        return plain.seen_other(_after(name))  # no chat was chosen
    drawn = await pages.ready()
    shown = await desk.store.read(_SHOWN[name], caller, url)
    response = await page(
        request,
        f"welcome/{name}.html",
        wish=about.language,
        status=422 if wrong else 200,
        about=about,
        here=name,
        steps=about.steps,
        before=STEPS[STEPS.index(name) - 1] if STEPS.index(name) else None,
        url=url,
        script=drawn.address("js/welcome.js"),
        values=given or {},
        wrong=wrong or {},
        **{
            "link": None,
            "invited": None,
            "saved": "saved" in request.query,
            "sent": request.query.get("sent", "")[:254],
            **shown,
            **more,
        },
    )
    response.headers["Content-Security-Policy"] = preview.EMBEDDING if name == "look" else _FRAMES
    return response


def _shown_ways(rx: Rx, caller: Caller, url: str) -> dict[str, Any]:
    found = first_run.ways(rx)
    simple = {kind.kind for kind, _ in found}
    tiles = [(kind, kinds.features(kind.kind), inbox is not None) for kind, inbox in found]
    return {
        "tiles": tiles,
        "offers_hours": not hours.all_of_them(rx),
        "later": [_title(kind) for kind in kinds.known() if kind.kind not in simple],
    }


def _shown_look(rx: Rx, caller: Caller, url: str) -> dict[str, Any]:
    inbox = first_run.live_inbox(rx)
    had = inbox.settings if inbox else {}
    fields = {field.name: field.default for field in form(inbox.kind)} if inbox else {}
    settings = {name: had.get(name, fields.get(name)) or "" for name in LOOK}
    settings["title"] = settings["title"] or organisation.name(rx)
    return {"inbox": inbox, "settings": settings}


def _shown_try(rx: Rx, caller: Caller, url: str) -> dict[str, Any]:
    inbox = first_run.live_inbox(rx)
    rated = inbox is not None and inbox.settings.get("rating", True)
    return {"live": inbox is not None, "rated": rated, "tried": first_run.tried(rx, first_run.read(rx))}


def _shown_site(rx: Rx, caller: Caller, url: str) -> dict[str, Any]:
    inbox = first_run.live_inbox(rx)
    seen = inboxes.seen_from(rx, inbox.id) if inbox else []
    elsewhere = [one for one in seen if one.site and one.site != sites.origin(url)]
    allowed = inbox.common.allowed_origins if inbox else ()
    return {
        "loader": f"{url}/w/{inbox.token}.js" if inbox else "",
        "allowed": allowed,
        "good": [one for one in elsewhere if sites.is_allowed(allowed, url, one.site)],
        "refused": [one for one in elsewhere if not sites.is_allowed(allowed, url, one.site)],
        "nameless": any(not one.site for one in seen),
        "mails": own_mail.inbox(rx) is not None,
        "mailto": _mailto(f"{url}/w/{inbox.token}.js" if inbox else "", url),
        "mixed": url.startswith("http:") and any(one.site.startswith("https:") for one in elsewhere),
        "seen": msgspec.to_builtins(seen),
    }


def _mailto(loader: str, url: str) -> str:
    """For their own mail program, as long as the desk sends none. The words stand for themselves in any language."""
    given = _for_developer(loader, url)
    body = f"{given['snippet']}\n\nContent-Security-Policy:\n{given['policy']}\n"
    return f"mailto:?subject={quote('Chat')}&body={quote(body)}"


def _shown_colleagues(rx: Rx, caller: Caller, url: str) -> dict[str, Any]:
    found = [agent for agent, _ in agents.page(rx, after=("", 0), limit=50) if agent.disabled_at is None]
    return {"agents": found, "roles": ["agent", "supervisor", "administrator", "observer"]}


_SHOWN: Final = {
    "ways": _shown_ways,
    "look": _shown_look,
    "try": _shown_try,
    "site": _shown_site,
    "colleagues": _shown_colleagues,
}


async def _welcome(
    request: web.Request, caller: Caller, secret: str | None, wrong: str = "", sample_wrong: str = ""
) -> web.Response:
    desk = request.app[DESK]
    about = await desk.store.read(_about, caller)
    return await page(
        request,
        "welcome.html",
        wish=about.language,
        status=422 if wrong or sample_wrong else 200,
        about=about,
        steps=about.steps,
        sample=await desk.store.read(load.state),
        sample_wrong=sample_wrong,
        url=desk.config.public_url,
        secret=secret,
        days=TOKEN_DAYS,
        wrong=wrong,
    )


def _about(rx: Rx, caller: Caller) -> About:
    run = first_run.read(rx)
    me = agents.get(rx, caller.grants.agent_id)
    return About(
        run=run,
        tried=first_run.tried(rx, run),
        name=me.name,
        language=me.language,
        organisation=organisation.name(rx),
        inbox=first_run.live_inbox(rx),
        steps=first_run.steps(rx),
    )


def _state(rx: Rx) -> tuple[State, bool]:
    """(what is so now, is some of it news that is to be kept)."""
    run = first_run.read(rx)
    tried = first_run.tried(rx, run)
    inbox = first_run.live_inbox(rx)
    return State(tried, inboxes.seen_from(rx, inbox.id) if inbox else [], run.done), tried != run.tried or not run.since


def _step(request: web.Request) -> str:
    name = request.match_info["step"]
    if name not in STEPS:
        raise HttpError("not_found", "There is nothing at this address.")
    return name


def _after(name: str) -> str:
    following = STEPS[STEPS.index(name) + 1 :]
    return f"/welcome/{following[0]}" if following else "/welcome?all"


def _title(kind: kinds.Kind) -> str:
    return kinds.load(kind.kind).title


async def _leader(request: web.Request) -> Caller | None:
    caller = await plain.reader(request)
    if caller is not None and first_run.MANAGE not in caller.grants.permissions:
        raise HttpError("forbidden", "Your role does not allow this. Ask an administrator.")
    return caller


async def _team_name(request: web.Request, caller: Caller) -> str:
    """What the first team is called, in the language of whoever makes it."""
    me = await request.app[DESK].store.read(agents.get, caller.grants.agent_id)
    drawn = await pages.ready()
    texts = drawn.texts["console", catalogues.best(request.headers.get(hdrs.ACCEPT_LANGUAGE), wish=me.language)]
    return drawn.render("team_name.html", texts).strip()
