"""An authorisation server (RFC 6749, 7636) for one client and one mailbox: codes once, PKCE checked, refresh tokens
that turn. `allow(url)` does what a person in a browser would: it agrees, and tells where they are sent back to."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web

CLIENT, SECRET = "desk", "client secret of the tests"


@dataclass
class OAuthServer:
    redirect: str
    codes: dict[str, str] = field(default_factory=dict)  # code → challenge
    refresh: set[str] = field(default_factory=set)
    access: set[str] = field(default_factory=set)
    script: list[int | str] = field(default_factory=list)  # a status, or "no refresh"
    turns: bool = True  # a new refresh token at every renewal, the old one forgotten
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> "OAuthServer":
        app = web.Application()
        app.router.add_post("/token", self._token)
        app.router.add_get("/introspect", self._introspect)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def authorize_url(self) -> str:
        return f"http://{self.host}/authorize"

    @property
    def token_url(self) -> str:
        return f"http://{self.host}/token"

    def allow(self, url: str) -> str:
        """Where the browser goes back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(self.authorize_url) and asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT and asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"] == self.redirect
        code = secrets.token_urlsafe(12)
        self.codes[code] = asked["code_challenge"]
        return f"{self.redirect}?{urlencode({'code': code, 'state': asked['state']})}"

    async def _token(self, request: web.Request) -> web.Response:
        given = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(given)
        what = self.script.pop(0) if self.script else None
        if isinstance(what, int):
            return web.json_response({"error": "server_error"}, status=what)
        if (given.get("client_id"), given.get("client_secret")) != (CLIENT, SECRET):
            return _error("invalid_client", 401)
        if given.get("grant_type") == "authorization_code":
            challenge = self.codes.pop(given.get("code", ""), None)
            digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
            mine = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if challenge != mine or given.get("redirect_uri") != self.redirect:
                return _error("invalid_grant")
        elif given.get("grant_type") == "refresh_token":
            if given.get("refresh_token") not in self.refresh:
                return _error("invalid_grant")
            if self.turns:
                self.refresh.discard(given["refresh_token"])
        else:
            return _error("unsupported_grant_type")
        access, refresh = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
        self.access.add(access)
        answer: dict[str, Any] = {"access_token": access, "token_type": "Bearer", "expires_in": 3600}
        if what != "no refresh" and (self.turns or given["grant_type"] == "authorization_code"):
            self.refresh.add(refresh)
            answer["refresh_token"] = refresh
        return web.json_response(answer)

    async def _introspect(self, request: web.Request) -> web.Response:
        """What Dovecot asks: whose is this token?"""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.query.get("token", "")
        if token not in self.access:
            return web.json_response({"active": False})
        return web.json_response({"active": True, "email": "help@shop.example", "scope": "mail"})


def _error(word: str, status: int = 400) -> web.Response:
    return web.json_response({"error": word, "error_description": f"It is {word}."}, status=status)
