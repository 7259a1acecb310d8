"""Any system that can post JSON and take JSON, both signed by Standard Webhooks 1.0. README.md is its manual."""

import asyncio
import dataclasses
from typing import Final

from connectors.webhook import parse as reading
from connectors.webhook import render, signing
from hub.connector import (
    Connector,
    Features,
    File,
    Found,
    Item,
    NotFound,
    Outgoing,
    Raw,
    Rejected,
    Retry,
    Sink,
    Unknowable,
    Unknown,
    WrongSetting,
    setting,
)

MAX_FILE: Final = 25_000_000
NO_ADDRESS: Final = "This inbox has no address to send to. Enter one in its settings."


@dataclasses.dataclass(frozen=True)
class WebhookSettings:
    secret: str = setting(
        "Secret",
        "The other system signs what it sends with this: whsec_ and 24 to 64 random bytes in base64. "
        "Two with a space between are both accepted, so that it can be changed without a gap.",
        secret=True,
    )
    url: str | None = setting(
        "Address", "Where answers are posted, https. Empty: nobody can be answered.", url=True, default=None
    )
    send_secret: str | None = setting(
        "Secret for sending",
        "We sign what we send with this. Empty: with the first one above.",
        default=None,
        secret=True,
    )
    vouches: bool = setting(
        "The system vouches for its senders",
        "It has checked that an address belongs to whoever writes. Otherwise addresses count as merely typed.",
        default=False,
    )
    can_find: bool = setting(
        "Can be asked",
        "GET on the address with ?id= answers 200 and an id for what it has, 404 for what it never got. "
        "Then a message whose fate is unknown is asked about.",
        default=False,
    )

    def __post_init__(self) -> None:
        for name, value in (("secret", self.secret), ("send_secret", self.send_secret)):
            try:
                for one in (value or "").split():
                    signing.key(one)
            except ValueError as error:
                raise WrongSetting(name, str(error)) from None
        if not self.secret.split():
            raise WrongSetting("secret", "Enter a secret.")


class WebhookConnector(Connector):
    kind = reading.KIND
    title = "Webhook"
    features = Features(subject=True, files=True, voice=True, receipts=True, reaches=(reading.KIND, "email", "phone"))
    Settings = WebhookSettings
    settings: WebhookSettings

    def verify(self, request: Raw) -> bool:
        return signing.holds(self.settings.secret.split(), request.headers, request.body, self.hub.now() // 1000)

    def parse(self, raw: Raw) -> list[Item]:
        return reading.parse(raw, scope=self.hub.inbox_token, sureness="attested" if self.settings.vouches else "typed")

    async def check(self) -> None:
        now = self.hub.now()
        try:
            await self._post(f"ping_{now}", render.event("ping", now, {}))
        except (Retry, Unknown) as error:
            raise Rejected(error.reason) from None

    async def send(self, part: Outgoing) -> str | None:
        now = self.hub.now()
        body = await asyncio.to_thread(render.body, part, now) if part.files else render.body(part, now)
        return await self._post(part.id, body)

    async def fetch(self, file: File, raw: Raw | None, sink: Sink) -> None:
        """From the address that it was named with. One more byte is asked for than may be: so too much is seen."""
        answer = await self.hub.http.request("GET", file.ref, max_body=MAX_FILE + 1)
        if answer.status == 429 or answer.status >= 500:
            raise Retry(render.retry_after(answer, self.hub.now()), f"Its address answers with {answer.status}.")
        if answer.status != 200:
            raise Rejected(f"Its address answers with {answer.status}.")
        if len(answer.body) > MAX_FILE:
            raise Rejected("It is larger than 25 MB.")
        await sink.write(answer.body)

    async def find(self, part: Outgoing) -> Found | NotFound | Unknowable:
        if not self.settings.can_find or self.settings.url is None:
            return Unknowable()
        answer = await self.hub.http.request(
            "GET", render.asking(self.settings.url, part.id), headers=self._signed(part.id, b"")
        )
        if answer.status == 404:
            return NotFound()
        if answer.status == 200:
            return Found(render.given_id(answer) or part.id)
        if answer.status == 429 or answer.status >= 500:
            raise Retry(render.retry_after(answer, self.hub.now()), f"Asking was answered with {answer.status}.")
        return Unknowable()

    async def _post(self, event_id: str, body: bytes) -> str | None:
        if self.settings.url is None:
            raise Rejected(NO_ADDRESS)
        headers = {"Content-Type": "application/json"} | self._signed(event_id, body)
        answer = await self.hub.http.request("POST", self.settings.url, headers=headers, body=body)
        return render.outcome(answer, self.hub.now())

    def _signed(self, event_id: str, body: bytes) -> dict[str, str]:
        secret = (self.settings.send_secret or self.settings.secret).split()[0]
        # The scheme joins its parts by dots, so an id has none.
        return signing.headers(secret, event_id.replace(".", "_"), self.hub.now() // 1000, body)
