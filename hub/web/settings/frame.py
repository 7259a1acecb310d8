"""What every settings page shares: who looks at it, the form that was sent, the frame it is drawn in.

`shown` and `taken` make handlers out of functions that are given the caller: whoever is not signed in is sent to sign
in, whoever may not look sees a page that says so, and a refusal that no field can carry is told on a page too.
"""

import datetime
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from aiohttp import hdrs, web

from hub import catalogues
from hub.db.tx import Tx
from hub.errors import Refusal
from hub.staff import agents, throttle
from hub.staff.access import Caller
from hub.staff.sessions import Where
from hub.web import body, pages, plain
from hub.web.auth import require_own_origin
from hub.web.keys import DESK
from hub.web.problem import HttpError, malformed
from hub.web.remote import remote

MAX_FORM: Final = 131_072
MAX_FIELDS: Final = 600
_STATUS: Final = {"not_found": 404, "forbidden": 403, "conflict": 409, "too_many": 429, "gone": 410}
_PAGE: Final = re.compile(r"/settings(/[\w-]+)*")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Form:
    """What a browser sent: `get` for one value, `all` for boxes of one name, `on` for a box."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._all: dict[str, list[str]] = {}
        for name, value in pairs:
            self._all.setdefault(name, []).append(value)

    def get(self, name: str, default: str = "") -> str:
        return self._all.get(name, [default])[0]

    def all(self, name: str) -> list[str]:
        return self._all.get(name, [])

    def on(self, name: str) -> bool:
        return name in self._all

    def ids(self, name: str) -> set[int]:
        """Numbers of ours; what is none came from no form of ours."""
        try:
            return {number(text) for text in self.all(name)}
        except ValueError:
            raise malformed("This is not what the form sends.") from None

    def one_id(self, name: str) -> int | None:
        """None: nothing was chosen."""
        found = self.ids(name) if self.get(name) else set()
        return min(found, default=None)

    def words(self, name: str) -> list[str]:
        """What is written with commas or line breaks between."""
        return [word for part in re.split(r"[,،、\n]", self.get(name)) if (word := part.strip())]

    def lines(self, name: str) -> list[str]:
        return [line for part in self.get(name).splitlines() if (line := part.strip())]

    def whole(self, name: str) -> int | str:
        """A whole number where there is one; else as it was written, to be refused by whoever wants a number."""
        text = self.get(name).strip()
        return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text

    @property
    def values(self) -> dict[str, str]:
        return {name: values[0] for name, values in self._all.items()}


Look = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]
Change = Callable[[web.Request, Caller, Form], Awaitable[web.StreamResponse]]


def shown(look: Look, needs: str | None = None) -> Handler:
    """A page. `needs`: the permission without which there is nothing to see."""

    async def handler(request: web.Request) -> web.StreamResponse:
        caller = await plain.reader(request)
        if caller is None:
            return plain.seen_other(f"/sign-in?next={quote(request.path_qs, safe='/')}")
        if needs is not None and needs not in caller.grants.permissions:
            return await _trouble(request, caller, "forbidden", "")
        try:
            return await look(request, caller)
        except Refusal as refusal:
            return await _trouble(request, caller, refusal.code, refusal.text)

    return handler


def taken(change: Change, needs: str | None = None) -> Handler:
    """What a form of a page asks for. What its fields can be blamed for, the function itself tells beside them."""

    async def handler(request: web.Request) -> web.StreamResponse:
        require_own_origin(request)
        caller = await plain.reader(request)
        if caller is None:
            return plain.seen_other(f"/sign-in?next={quote(_from(request), safe='/')}")
        if needs is not None and needs not in caller.grants.permissions:
            return await _trouble(request, caller, "forbidden", "")
        form = await read_form(request)
        try:
            return await change(request, caller, form)
        except Refusal as refusal:
            return await _trouble(request, caller, refusal.code, refusal.text)

    return handler


async def draw(
    request: web.Request,
    caller: Caller,
    template: str,
    here: str,
    *,
    wrong: dict[str, str] | None = None,
    status: int = 200,
    **values: Any,
) -> web.Response:
    """`here`: the entry of the navigation that this page belongs to. `wrong`: by field, what has to be mended."""
    me = await request.app[DESK].store.read(agents.get, caller.grants.agent_id)
    drawn = await pages.ready()
    lang = catalogues.best(request.headers.get("Accept-Language"), wish=me.language)
    return await pages.page(
        request,
        f"settings/{template}.html",
        wish=me.language,
        status=422 if wrong and status == 200 else status,
        me=me,
        may=caller.grants.permissions,
        here=here,
        done=request.query.get("done", ""),
        path=request.path,
        wrong=wrong or {},
        scripts=[drawn.address("js/settings.js"), *values.pop("more_scripts", ())],
        moment=lambda at: moment(at, lang),
        iso=iso,
        **values,
    )


async def changed(
    request: web.Request,
    caller: Caller,
    form: Form,
    *,
    unit: Callable[[Tx, Caller, int, Form], None],
    again: Callable[[web.Request, Caller, Form, dict[str, str]], Awaitable[web.Response]],
    path: str,
) -> web.Response:
    """The change of the one thing that the address names: to its page with the outcome, or the form again with what has
    to be mended in it. `path`: what the thing's id stands behind."""
    try:
        await request.app[DESK].store.write(unit, caller, named(request), form)
    except Refusal as refusal:
        if refusal.code == "not_found":
            raise
        return await again(request, caller, form, plain.wrong(refusal))
    return back(f"{path}/{named(request)}")


def number(text: str) -> int:
    """An id as it stands in an address or a form; ValueError for what cannot be one."""
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise ValueError
    return int(text)


def named(request: web.Request, name: str = "id") -> int:
    """The id in the address."""
    try:
        return number(request.match_info[name])
    except ValueError:
        raise Refusal("not_found", "There is nothing at this address.") from None


def back(path: str, done: str = "saved") -> web.Response:
    """To the page with the outcome, so that loading it again does nothing twice."""
    return plain.seen_other(f"{path}?done={done}")


def where(request: web.Request) -> Where:
    """For a session that begins with this request."""
    address = remote(request, request.app[DESK].config.trusted_proxies)
    return Where(request.headers.get(hdrs.USER_AGENT), throttle.network(address))


def iso(at: int) -> str:
    return datetime.datetime.fromtimestamp(at // 1000, datetime.UTC).isoformat()


def moment(at: int, lang: str) -> str:
    """Date and time in words, UTC: the script of the pages puts it into the reader's own time."""
    from babel.dates import format_datetime

    when = datetime.datetime.fromtimestamp(at / 1000, datetime.UTC)
    return f"{format_datetime(when, 'medium', locale=lang)} UTC"


async def read_form(request: web.Request) -> Form:
    if request.content_type != "application/x-www-form-urlencoded":
        raise malformed("Send the form as a browser does.")
    try:
        text = (await body.read(request, MAX_FORM)).decode("ascii")
        return Form(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))
    except ValueError:
        raise malformed("This is not what a form sends.") from None


def _from(request: web.Request) -> str:
    """The page whose form was sent, as far as it is one of these."""
    path = request.path
    while path != "/settings" and not _PAGE.fullmatch(path):
        path = path.rpartition("/")[0] or "/settings"
    return path


async def _trouble(request: web.Request, caller: Caller, code: str, text: str) -> web.Response:
    status = _STATUS.get(code, 422)
    if code == "unauthenticated":
        raise HttpError("malformed", text)
    return await draw(request, caller, "trouble", "", status=status, code=code, text=text)
