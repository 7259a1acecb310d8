"""The contact form: pages for people with nothing but a browser, and posts from a firm's own form or server.

GET <base> shows the form, POST <base>/send takes it back; POST <base>/post takes what a firm's page or server sends.
The form goes to an address of its own, because a browser forgets the page at an address that it posts to: the back
button would show a fresh form with the old text in it, and pressing once more make a second ticket.
Everything that is taken goes through `Hub.receive`, so it is kept as it came and is one message however often it comes.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, urlsplit

from connectors.form import body, filled, pages, tokens, words
from connectors.form.body import Fields, Unreadable
from connectors.form.filled import CLIENT_ID, LANGUAGE, NEXT, TOKEN, UTM, Wrong
from connectors.form.settings import FormSettings
from hub.connector import (
    Connector,
    Features,
    File,
    Item,
    Raw,
    Rejected,
    Reply,
    Route,
    Sink,
    Taken,
    Unavailable,
    Unparsable,
)

HTML: Final = "text/html; charset=utf-8"
_CARRIED: Final = (LANGUAGE, "place", "page", *UTM)  # from the address of the form into the form
_EARLY_MS: Final = 5 * 60_000  # clocks of two desks differ


class FormConnector(Connector):
    kind: ClassVar[str] = "form"
    title: ClassVar[str] = "Contact form"
    features: ClassVar[Features] = Features(replies=False, subject=True, form=True)
    Settings: ClassVar[type] = FormSettings
    settings: FormSettings

    def routes(self) -> Sequence[Route]:
        # More than is taken, so that it is the form that answers a body too large, with a page.
        most = 2 * body.MAX_WITH_FILES if self.settings.files else 4 * body.MAX_BODY
        return (
            Route("GET", "", self.show),
            Route("POST", "", self.take, most),
            Route("POST", "send", self.take, most),
            Route("GET", "send", self.back),
            Route("POST", "post", self.take_foreign, most),
            Route("GET", "post", self.back),
            Route("GET", "thanks", self.thank),
            Route("GET", "form.css", self.style),
        )

    # --- the contract's pure part ------------------------------------------------------------------------------------

    def verify(self, request: Raw) -> bool:
        """Our own form proves itself by its token, a firm's own by the site it stands on. No other way in: what comes
        by the webhooks' address has been neither counted nor judged."""
        path = urlsplit(request.url).path
        if path == f"{self._base()}/post":
            return self._may_send(request)
        if path not in (self._base(), f"{self._base()}/send"):
            return False
        fields = self._fields(request)
        return self._token(fields, request.received_at)[1] is None

    def parse(self, raw: Raw) -> list[Item]:
        try:
            fields = self._fields(raw)
        except Unreadable as error:
            raise Unparsable(words.say("en", error.why)) from None
        token = tokens.read(self._key(), fields.get(TOKEN))
        if fields.get(TOKEN) and token is None:
            raise Unparsable("The form's token is not one of this inbox.")
        wrong = filled.judge(self.settings, fields, self.hub.wrong)
        if wrong:
            look = self._look(raw, fields, "en")
            raise Unparsable("; ".join(f"{name or 'form'}: {look.sentence(why)}" for name, why in wrong.items()))
        language = words.choose(fields.get(LANGUAGE), self.hub.language, raw.header("accept-language"))
        return [filled.message(self.settings, fields, token, raw.received_at, raw.header("referer"), language)]

    async def fetch(self, file: File, raw: Raw | None, sink: Sink) -> None:
        """Out of the post that it came in."""
        if raw is None:
            raise Rejected("The post that it came in is not kept any longer.")
        fields = await asyncio.to_thread(self._fields, raw)
        await sink.write(fields.files[int(file.ref.removeprefix("file:"))].data)

    def _fields(self, raw: Raw) -> Fields:
        return body.read(raw.header("content-type"), raw.body, files=self.settings.files)

    # --- pages -------------------------------------------------------------------------------------------------------

    async def show(self, raw: Raw) -> Reply:
        fields = Fields()
        asked = dict(parse_qsl(raw.query, max_num_fields=100))
        for name in _CARRIED:
            if asked.get(name):
                fields.add(name, asked[name][:500])
        came_from = filled.web_address(raw.header("referer") or "")
        if came_from and urlsplit(came_from).netloc != urlsplit(self.hub.public_url).netloc:
            fields.add("referrer", came_from)
        return self._form(raw, fields, 200, {})

    async def take(self, raw: Raw) -> Reply:
        """Our own form comes back."""
        try:
            fields = self._fields(raw)
        except Unreadable as error:
            return self._unreadable(raw, error)
        token, why = self._token(fields, raw.received_at)
        wrong = filled.judge(self.settings, fields, self.hub.wrong)
        if why is not None:
            return self._form(raw, fields, 422, {name: w for name, w in wrong.items() if name}, (why, {}))
        if wrong:
            return self._form(raw, fields, 422, wrong, token=fields.get(TOKEN))
        return await self._store(raw, fields, token)

    async def take_foreign(self, raw: Raw) -> Reply:
        """A firm's own form or server sends."""
        try:
            fields = self._fields(raw)
        except Unreadable as error:
            return self._unreadable(raw, error)
        fields.values.pop(TOKEN, None)
        if not self._may_send(raw):
            return self._form(raw, fields, 403, {}, ("wrong_site", {}))
        wrong = filled.judge(self.settings, fields, self.hub.wrong)
        if wrong:
            return self._form(raw, fields, 422, wrong)
        if not fields.get(CLIENT_ID):
            # The window of fifteen minutes slides: what came at the end of the one before is the same message too.
            earlier = await self.hub.filed(filled.external_id(None, fields, raw.received_at - filled.WINDOW_MS))
            if earlier and raw.received_at - int(earlier.details.get("received_at", 0)) < filled.WINDOW_MS:
                return self._thanks(raw, fields, earlier.number, duplicate=True)
        return await self._store(raw, fields, None)

    async def thank(self, raw: Raw) -> Reply:
        asked = dict(parse_qsl(raw.query, max_num_fields=100))
        number = tokens.read_number(self._key(), asked.get("t", ""))
        if number is None:
            return self._redirect(raw, self._base(), b"")
        return self._reply(200, pages.thanks(self._look(raw, Fields(), asked.get(LANGUAGE, "")), number))

    async def back(self, raw: Raw) -> Reply:
        """Somebody loads the address of a page that was the answer to a post."""
        return self._redirect(raw, self._base(), b"")

    async def style(self, raw: Raw) -> Reply:
        headers = (("Cache-Control", "public, max-age=300"),)
        return Reply(200, pages.style(self.settings), "text/css; charset=utf-8", headers)

    # --- storing -----------------------------------------------------------------------------------------------------

    async def _store(self, raw: Raw, fields: Fields, token: tokens.Token | None) -> Reply:
        mark = filled.external_id(token, fields, raw.received_at)
        wait = 0 if self.settings.is_own_server(raw.remote) else self.hub.throttle(raw.remote, mark)
        kept = fields.get(TOKEN)
        if wait:
            why: Wrong = ("busy", {"minutes": -(-wait // 60)})
            return self._form(raw, fields, 429, {}, why, token=kept, headers=(("Retry-After", str(wait)),))
        try:
            taken: Taken = await self.hub.receive(raw)
        except Unavailable as error:
            headers = (("Retry-After", str(error.retry_after)),)
            return self._form(raw, fields, 503, {}, ("unavailable", {}), token=kept, headers=headers)
        if not taken.filed:
            return self._thanks(raw, fields, None)
        filed = taken.filed[0]
        if filed.duplicate:
            first = await self.hub.filed(mark)
            if first is not None and first.details.get("digest") != filled.digest(fields):
                return self._form(raw, fields, 409, {}, ("used", {}))
        return self._thanks(raw, fields, filed.number, duplicate=filed.duplicate)

    def _token(self, fields: Fields, now: int) -> tuple[tokens.Token | None, str | None]:
        """The token, and why it does not hold."""
        token = tokens.read(self._key(), fields.get(TOKEN))
        if token is None:
            return None, "no_token"
        if not -_EARLY_MS <= now - token.issued_at <= tokens.LIFE_MS:
            return None, "expired"
        return token, None

    def _may_send(self, raw: Raw) -> bool:
        """Without Origin it is a server's or a program's post. "null" is a page that hides where it is; the browser
        itself says whether that is ours."""
        origin = raw.header("origin")
        if origin is None or raw.header("sec-fetch-site") == "same-origin":
            return True
        return self._is_allowed(origin)

    def _is_allowed(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        ours = urlsplit(self.hub.public_url)
        allowed = {f"{ours.scheme}://{ours.netloc}", *self.hub.allowed_origins}
        return f"{parts.scheme}://{parts.netloc}".lower() in {origin.rstrip("/").lower() for origin in allowed}

    # --- answers -----------------------------------------------------------------------------------------------------

    def _form(
        self,
        raw: Raw,
        fields: Fields,
        status: int,
        wrong: dict[str, Wrong],
        why: Wrong | None = None,
        *,
        token: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Reply:
        """The form once more, with the text kept; `why` stands above it. A program gets the same as a problem."""
        if _is_program(raw):
            look = self._look(raw, fields, "en")
            return self._reply(status, _problem(look, status, wrong, why), "application/problem+json", headers)
        look = self._look(raw, fields)
        said = look.say(why[0], **why[1]) if why else ""
        page = pages.form(look, fields, token or tokens.make(self._key(), self.hub.now()), wrong, said)
        return self._reply(status, page, headers=headers)

    def _unreadable(self, raw: Raw, error: Unreadable) -> Reply:
        return self._form(raw, Fields(), error.status, {}, (error.why, {}))

    def _thanks(self, raw: Raw, fields: Fields, number: int | None, *, duplicate: bool = False) -> Reply:
        if _is_program(raw):
            answer = json.dumps({"number": number, "duplicate": duplicate}).encode()
            return self._reply(202 if number is None else 200 if duplicate else 201, answer, "application/json")
        page = pages.thanks(self._look(raw, fields), number)
        wanted = fields.get(NEXT)
        if wanted and self._is_allowed(wanted) and not any(c <= " " or c in '\\"<>' for c in wanted):
            return self._redirect(raw, wanted, page)
        if number is None:
            return self._reply(200, page)
        asked = f"&lang={fields.get(LANGUAGE)}" if fields.get(LANGUAGE) in words.LANGUAGES else ""
        address = f"{self._base()}/thanks?t={tokens.sign_number(self._key(), number)}{asked}"
        return self._redirect(raw, address, page)

    def _redirect(self, raw: Raw, address: str, page: bytes) -> Reply:
        """303: reloading the page after it, or going back to it, sends nothing again."""
        return self._reply(303, page, headers=(("Location", address),))

    def _reply(
        self, status: int, content: bytes, content_type: str = HTML, headers: tuple[tuple[str, str], ...] = ()
    ) -> Reply:
        framed_by = " ".join(self.hub.allowed_origins) or "'none'"
        policy = (
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors " + framed_by
        )
        # Not no-store: the back button shall find the form as it was left, with the token that was sent.
        common = (("Content-Security-Policy", policy), ("Cache-Control", "private, no-cache"))
        more = (("Referrer-Policy", "same-origin"), ("X-Content-Type-Options", "nosniff"))
        return Reply(status, content, content_type, (*common, *more, *headers))

    def _look(self, raw: Raw, fields: Fields, language: str = "") -> pages.Look:
        asked = language or fields.get(LANGUAGE)
        asked = asked if asked in words.LANGUAGES else ""
        return pages.Look(
            settings=self.settings,
            language=words.choose(asked, self.hub.language, raw.header("accept-language")),
            asked=asked,
            base=self._base(),
        )

    def _base(self) -> str:
        return pages.base(self.hub.public_url, self.hub.inbox_token)

    def _key(self) -> bytes:
        return self.hub.key("form")


def _is_program(raw: Raw) -> bool:
    return body.media_type(raw.header("content-type"))[0] == body.JSON


def _problem(look: pages.Look, status: int, wrong: dict[str, Wrong], why: Wrong | None) -> bytes:
    """As the API's problems look (RFC 9457)."""
    kinds = {400: "malformed", 403: "forbidden", 409: "conflict", 413: "too_large", 429: "too_many", 503: "unavailable"}
    errors = [{"path": name, "text": look.sentence(w)} for name, w in wrong.items()]
    detail = look.sentence(why or wrong.get("") or next(iter(wrong.values())))
    found: dict[str, Any] = {
        "type": f"/problems/{kinds.get(status, 'invalid')}",
        "title": "This was not taken",
        "status": status,
        "detail": detail,
        "errors": errors,
    }
    return json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
