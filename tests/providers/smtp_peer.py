"""A mail server for submission (aiosmtpd) that answers by a script, and keeps what it really took.

`script`: what to do with the next letters. "ok", "429" (421 at MAIL, the whole account), 550 (at MAIL), another number
(that answer to DATA; 500 and 503 stand for what passes and are said as 451), "hang" (takes it and never answers),
"take and die", "refuse and die" (at MAIL), "no recipient" (550 at RCPT). What was taken also lies in the folder of sent
mail of an IMAP peer, if there is one.
"""

import asyncio
import email
import re
import warnings
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.providers.imap_peer import PASSWORD, USER, ImapPeer

SLOW_DOWN, REFUSE_AND_DIE = "429", "refuse and die"
_PASSES = {500: "451 4.3.0 try again", 503: "451 4.3.2 try again later"}


@dataclass
class Taken:
    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def parsed(self) -> Any:
        return email.message_from_bytes(self.raw)

    @property
    def text(self) -> str:
        for part in self.parsed.walk():
            if part.get_content_type() == "text/plain":
                return part.get_payload(decode=True).decode().replace("\r\n", "\n")
        return ""


def _drop(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()


class SmtpPeer:
    def __init__(self, imap: ImapPeer | None = None) -> None:
        self.script: deque[str | int] = deque()
        self.taken: list[Taken] = []
        self.calls = 0
        self.refused: set[str] = set()  # addresses that get 550 at RCPT
        self.imap = imap
        self.port = 0
        self._server: asyncio.Server | None = None
        self._servers: list[SMTP] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"smtp://{self.host}"

    def accepted(self) -> list[str]:
        return [re.split(r"\n\n-- \n", one.text)[0].strip() for one in self.taken]

    async def __aenter__(self) -> "SmtpPeer":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for one in self._servers:
            _drop(one)
        await asyncio.sleep(0)

    def _make(self) -> SMTP:
        with warnings.catch_warnings():  # that passwords go without TLS here is known
            warnings.simplefilter("ignore")
            made = SMTP(
                self,
                hostname="mail.example",
                enable_SMTPUTF8=True,
                auth_require_tls=False,
                auth_required=True,
                authenticator=self._authenticate,
                loop=asyncio.get_running_loop(),
            )
        self._servers.append(made)
        return made

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False, auth_data=data)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        what = self.script[0] if self.script else None
        if what in (550, SLOW_DOWN, REFUSE_AND_DIE):
            self.script.popleft()
            if what == REFUSE_AND_DIE:
                _drop(server)
            return "550 5.7.1 go away" if what == 550 else "421 4.7.0 too much, slower"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 no such user"
        if self.script and self.script[0] == "no recipient":
            self.script.popleft()
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.calls += 1
        what = self.script.popleft() if self.script else "ok"
        if isinstance(what, int):
            return _PASSES.get(what, f"{what} 5.7.1 refused for good")
        content = envelope.original_content or b""
        self.taken.append(Taken(envelope.mail_from or "", list(envelope.rcpt_tos), content))
        if self.imap is not None:
            self.imap.folders["Sent"].add(content)
        if what == "hang":
            await asyncio.sleep(3_600)
        if what == "take and die":
            _drop(server)
        return "250 2.0.0 queued"
