"""E-mail: IMAP in, SMTP out. README.md is its manual; `watch` reads a mailbox, `parse` judges what came, `render` and
`sending` write."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from connectors.email import parse as meaning
from connectors.email import reading, render, sending
from connectors.email.mail import Mail
from connectors.email.oauth import SignIn
from connectors.email.settings import EmailSettings
from hub.connector import (
    Connector,
    Features,
    Found,
    Hub,
    Item,
    NotFound,
    Outgoing,
    Raw,
    Rejected,
    Retry,
    Unknowable,
    Unparsable,
)

log = structlog.get_logger("email")


class EmailConnector(Connector):
    kind = meaning.KIND
    title = "E-mail"
    features = Features(html=True, subject=True, files=True, receipts=True, copies=True, reaches=("email",))
    reader = "connectors.email.reading:read"
    Settings = EmailSettings
    settings: EmailSettings

    def __init__(self, settings: EmailSettings, hub: Hub) -> None:
        super().__init__(settings, hub)
        self._sign_in = SignIn(settings, hub)

    # --- in ---

    async def run(self) -> None:
        from connectors.email.watch import Watch  # its library is only needed by what polls

        await Watch(self.settings, self.hub, self._sign_in).run()

    def parse(self, raw: Raw) -> list[Item]:
        missing = raw.header("x-mail-missing")
        if missing is not None:
            raise Unparsable(f"The mail server would not give this mail ({raw.header('x-mail-uid')}): {missing}")
        if not raw.body.strip():
            raise Unparsable("This mail is empty.")
        mail = msgspec.msgpack.decode(raw.read, type=Mail) if raw.read is not None else reading.read(raw.body)
        return meaning.parse(mail, self.settings, self._key, self.hub.now(), raw.header("x-mail-cut"))

    # --- out ---

    async def send(self, part: Outgoing) -> str | None:
        letter = render.letter(part, self.settings, self._key, self.hub.now())
        refused = await sending.submit(letter, self.settings, await self._token(out=True))
        if refused:
            log.warning("some of the copies were refused", inbox=self.hub.inbox_token, how_many=len(refused))
        if self.settings.keep_copies:
            await self._keep_copy(letter.body)
        return letter.message_id

    async def find(self, part: Outgoing) -> Found | NotFound | Unknowable:
        """Looks among what was sent. That it is not there proves nothing: a copy may come late, or never."""
        from connectors.email import watch

        letter = render.letter(part, self.settings, self._key, self.hub.now())
        mailbox = await watch.opened(self.settings, self._sign_in)
        try:
            was = await watch.in_thread(mailbox.was_sent, letter.message_id, seconds=15, cut=mailbox.cut)
        except (watch.Hung, Rejected):
            return Unknowable()
        finally:
            mailbox.cut()
        return Found(letter.message_id) if was else Unknowable()

    async def _keep_copy(self, body: bytes) -> None:
        """Never the reason for sending anything twice: what goes wrong here is only said."""
        from connectors.email import watch

        try:
            async with asyncio.timeout(8):
                mailbox = await watch.opened(self.settings, self._sign_in)
                try:
                    await watch.in_thread(mailbox.keep_copy, body, seconds=8, cut=mailbox.cut)
                finally:
                    mailbox.cut()
        except Exception as error:
            log.warning("no copy was kept", inbox=self.hub.inbox_token, error=type(error).__name__)

    # --- both ---

    async def check(self) -> None:
        """Both ways; all that is wrong in one answer."""
        wrong = [said for said in await asyncio.gather(self._try_in(), self._try_out()) if said]
        if wrong:
            raise Rejected(" ".join(wrong))

    async def _try_in(self) -> str | None:
        from connectors.email import watch

        try:
            mailbox = await watch.opened(self.settings, self._sign_in)
            try:
                for folder in self.settings.folders:
                    await watch.in_thread(mailbox.select, folder, seconds=10, cut=mailbox.cut)
            finally:
                mailbox.cut()
        except (Rejected, Retry) as error:
            return error.reason
        except watch.Hung:
            return "Reading (IMAP): the server does not answer."
        return None

    async def _try_out(self) -> str | None:
        try:
            await sending.look_in(self.settings, await self._token(out=True))
        except (Rejected, Retry) as error:
            return error.reason if error.reason.startswith("Sending") else f"Sending (SMTP): {error.reason}"
        return None

    async def _token(self, *, out: bool) -> str | None:
        if self.settings.sign_in == "password" or (out and self.settings.smtp_password):
            return None
        return await self._sign_in.token()

    @property
    def _key(self) -> bytes:
        return self.hub.key("reply address")

    def consent_url(self, redirect: str, state: str, challenge: str) -> str | None:
        return self._sign_in.consent_url(redirect, state, challenge)

    async def consented(self, redirect: str, code: str, verifier: str) -> Mapping[str, Any]:
        return await self._sign_in.consented(redirect, code, verifier)
