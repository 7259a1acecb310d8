"""E-mail: IMAP in, SMTP out. README.md is its manual; `watch` reads a mailbox, `parse` judges what came, `render` and
`sending` write."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

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
    File,
    Found,
    Hub,
    Item,
    NotFound,
    Outgoing,
    Raw,
    Rejected,
    Retry,
    Sent,
    Sink,
    Unknowable,
    Unparsable,
)

PART: Final = "connectors.email.reading:part"
MOST_FILES: Final = 18_000_000  # bytes together: in base64 that is what the large providers take
log = structlog.get_logger("email")


class EmailConnector(Connector):
    kind = meaning.KIND
    title = "E-mail"
    features = Features(
        html=True, subject=True, files=True, receipts=True, copies=True, max_file=MOST_FILES, reaches=("email",)
    )
    reader = "connectors.email.reading:read"
    Settings = EmailSettings
    consent_keeps = "refresh_token"
    settings: EmailSettings

    def __init__(self, settings: EmailSettings, hub: Hub) -> None:
        super().__init__(settings, hub)
        self._sign_in = SignIn(settings, hub)
        self._copying: set[asyncio.Task[None]] = set()

    # --- in ---

    async def run(self) -> None:
        from connectors.email.watch import Watch  # its library is only needed by what polls

        await Watch(self.settings, self.hub, self._sign_in).run()

    def parse(self, raw: Raw) -> list[Item]:
        missing = raw.header("x-mail-missing")
        if missing is not None:
            raise Unparsable(f"The mail server would not give this mail ({raw.header('x-mail-uid')}): {missing}")
        mail = msgspec.msgpack.decode(raw.read, type=Mail) if raw.read is not None else reading.read(raw.body)
        return meaning.parse(mail, self.settings, self._key, self.hub.now(), raw.header("x-mail-cut"))

    async def fetch(self, file: File, raw: Raw | None, sink: Sink) -> None:
        _, _, number = file.ref.partition(":")
        if raw is None or not number.isdigit():
            raise Rejected("The mail that it came in is not kept any more.")
        await sink.write(msgspec.msgpack.decode(await self.hub.apart(PART, raw.body, int(number)), type=bytes))

    # --- out ---

    async def send(self, part: Outgoing) -> Sent:
        letter = await asyncio.to_thread(self._letter, part)
        refused = await sending.submit(letter, self.settings, await self._token(out=True))
        if self.settings.keep_copies:
            task = asyncio.create_task(self._keep_copy(letter.body))  # nobody waits for it: the letter has left
            self._copying.add(task)
            task.add_done_callback(self._copying.discard)
        return Sent(letter.message_id, f"Not to all: {'; '.join(refused)}" if refused else None)

    def _letter(self, part: Outgoing) -> render.Letter:
        """With its files, so not on the loop."""
        files = [render.Attached(one.name, one.content_type, one.cid, b"".join(one.open())) for one in part.files]
        if sum(len(one.body) for one in files) > MOST_FILES:
            megabytes = MOST_FILES // 1_000_000
            raise Rejected(f"The files are larger than {megabytes} MB together; no mail server takes so much.")
        return render.letter(part, self.settings, self._key, self.hub.now(), tuple(files))

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
            async with asyncio.timeout(30):
                mailbox = await watch.opened(self.settings, self._sign_in)
                try:
                    await watch.in_thread(mailbox.keep_copy, body, seconds=20, cut=mailbox.cut)
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
