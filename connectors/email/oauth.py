"""Signing in without a password (OAuth 2.0: RFC 6749, 7636): the consent, and tokens that are renewed in time.

A provider may give a new refresh token at every renewal and forget the old one, so the newest is kept: encrypted, by a
key of this inbox.
"""

import asyncio
import base64
import binascii
import os
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from connectors.email.settings import EmailSettings
from hub.connector import HttpAnswer, Hub, Rejected, Retry, Unknown

EARLY: Final = 120.0  # seconds before its end from which a token is renewed
KEPT: Final = "refresh token"


class Granted(msgspec.Struct, frozen=True):
    access_token: str = ""
    refresh_token: str = ""
    expires_in: float = 3_600.0
    error: str = ""
    error_description: str = ""


class SignIn:
    """The access token of one inbox."""

    def __init__(self, settings: EmailSettings, hub: Hub) -> None:
        self._settings, self._hub = settings, hub
        self._token, self._until = "", 0.0
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return "<SignIn>"

    def consent_url(self, redirect: str, state: str, challenge: str) -> str | None:
        consent = self._settings.consent
        if consent is None:
            return None
        if not self._settings.client_id:
            raise Rejected("Enter the client ID in the settings of this inbox first.")
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect,
            "scope": consent.scope,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "login_hint": self._settings.login,
            **dict(consent.more),
        }
        return f"{consent.authorize_url}{'&' if '?' in consent.authorize_url else '?'}{urlencode(asked)}"

    async def consented(self, redirect: str, code: str, verifier: str) -> Mapping[str, Any]:
        granted = await self._ask(
            grant_type="authorization_code", code=code, redirect_uri=redirect, code_verifier=verifier
        )
        if not granted.refresh_token:
            raise Rejected(
                "The provider gave no refresh token, so the desk could not stay signed in. Remove the desk from the "
                "account's connected apps there, then allow it again."
            )
        await self._keep(granted.refresh_token)
        return {"refresh_token": granted.refresh_token}

    async def token(self, *, fresh: bool = False) -> str:
        """`fresh`: the one at hand was refused."""
        async with self._lock:
            if fresh or not self._token or time.monotonic() > self._until - EARLY:
                refresh = await self._kept() or self._settings.refresh_token
                if not refresh:
                    raise Rejected("Nobody has allowed the desk to sign in yet. Open the inbox and press “Allow”.")
                granted = await self._ask(grant_type="refresh_token", refresh_token=refresh)
                if granted.refresh_token and granted.refresh_token != refresh:
                    await self._keep(granted.refresh_token)
                self._token, self._until = granted.access_token, time.monotonic() + granted.expires_in
            return self._token

    async def _ask(self, **asked: str) -> Granted:
        consent, settings = self._settings.consent, self._settings
        if consent is None or not settings.client_id:
            raise Rejected("The client ID is missing in the settings of this inbox.")
        asked |= {"client_id": settings.client_id}
        if settings.client_secret:
            asked |= {"client_secret": settings.client_secret}
        if consent.scope and asked["grant_type"] == "refresh_token":
            asked |= {"scope": consent.scope}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            answer = await self._hub.http.request(
                "POST", consent.token_url, headers=headers, body=urlencode(asked).encode()
            )
        except Unknown as error:
            raise Retry(reason=f"The provider's sign-in did not answer. {error.reason}") from None
        return _granted(answer)

    async def _keep(self, refresh: str) -> None:
        nonce = os.urandom(12)
        sealed = nonce + self._cipher().encrypt(nonce, refresh.encode(), None)
        await self._hub.remember(KEPT, base64.b64encode(sealed).decode())

    async def _kept(self) -> str | None:
        """None where there is none, or the desk's key was changed since: then the one in the settings has to do."""
        from cryptography.exceptions import InvalidTag

        found = await self._hub.recall(KEPT)
        try:
            raw = base64.b64decode(found or "", validate=True)
            return self._cipher().decrypt(raw[:12], raw[12:], None).decode() if len(raw) > 28 else None
        except (InvalidTag, binascii.Error, ValueError):
            return None

    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._hub.key(KEPT))


def _granted(answer: HttpAnswer) -> Granted:
    try:
        found = msgspec.json.decode(answer.body, type=Granted)
    except msgspec.MsgspecError:
        found = Granted()
    if answer.status == 429 or answer.status >= 500:
        raise Retry(reason=f"The provider's sign-in answered with {answer.status}.")
    if answer.status != 200 or not found.access_token:
        why = " ".join(f"{found.error} {found.error_description}".split())[:200] or f"status {answer.status}"
        hint = " Allow it once more on the page of this inbox." if found.error == "invalid_grant" else ""
        raise Rejected(f"The provider refused to sign us in: {why}.{hint}")
    return found


def xoauth2(user: str, token: str) -> str:
    return f"user={user}\x01auth=Bearer {token}\x01\x01"
