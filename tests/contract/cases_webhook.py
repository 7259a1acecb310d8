"""The generic webhook channel in the contract suite."""

import base64
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from connectors.webhook import signing
from hub.clock import ManualClock
from hub.connector import Item, Message, Point, Raw, Sender
from tests.contract.cases import Cases, Peer
from tests.providers.webhook_peer import WebhookPeer

SECRET = signing.PREFIX + base64.b64encode(b"incoming secret of the tests 1234").decode()
SENDING = signing.PREFIX + base64.b64encode(b"outgoing secret of the tests 5678").decode()
OTHER = signing.PREFIX + base64.b64encode(b"a secret of quite another inbox!!").decode()
NOW = ManualClock().now() // 1000
_numbers = itertools.count(1)


def signed(body: bytes, secret: str = SECRET, *, event_id: str = "", seconds: int = NOW) -> Raw:
    found = signing.headers(secret, event_id or f"evt_{next(_numbers)}", seconds, body)
    return Raw(headers=(("Content-Type", "application/json"), *found.items()), body=body)


def with_header(raw: Raw, name: str, value: str | None) -> Raw:
    kept = tuple(pair for pair in raw.headers if pair[0] != name)
    return Raw(headers=kept if value is None else (*kept, (name, value)), body=raw.body)


def event(id: str, text: str = "Hello", by: str = "eve@example.net", **more: Any) -> dict[str, Any]:
    return {"id": id, "from": {"email": by, "name": "Eve"}, "text": text} | more


class WebhookCases(Cases):
    kind = "webhook"
    secrets = (SECRET, SENDING, SECRET.removeprefix("whsec_"), "incoming secret of the tests")
    sends = True
    asks = True

    def settings(self, peer: Peer | None) -> dict[str, Any]:
        found: dict[str, Any] = {"secret": SECRET, "send_secret": SENDING, "vouches": True, "can_find": True}
        return found | ({"url": peer.url, "allow_http": True} if peer is not None else {})

    def message(self, id: str, text: str = "Hello", by: str = "eve@example.net") -> Raw:
        return signed(json.dumps(event(id, text, by)).encode())

    def forged(self) -> list[tuple[str, Raw]]:
        good = self.message("forged")
        signature = good.header("webhook-signature") or ""
        raw_mac = base64.b64decode(signature.removeprefix("v1,"))
        odd = [
            *("", "v1", "v1,", "v1,!!!!", "v9," + signature[3:], signature[:-6], signature + "AAAA", signature.upper()),
            *("v1," + raw_mac.hex(), " ".join(["v1,AAAA"] * 1_000), signature.replace("v1,", "v1 "), "\ud800", "é"),
        ]
        anew = json.dumps(json.loads(good.body), indent=1).encode()
        stamps = [
            "",
            "NaN",
            "1e400",
            "-5",
            "1.5",
            "0x10",
            str(NOW - 601),
            str(NOW + 601),
            str(NOW * 1_000),
            "１２３",
            "9" * 50,
        ]
        return [
            ("no headers at all", Raw(body=good.body)),
            ("another inbox's secret", signed(good.body, OTHER)),
            ("our secret for sending", signed(good.body, SENDING)),
            (
                "the body was written anew",
                Raw(headers=good.headers, body=anew),
            ),
            ("the body has one byte more", Raw(headers=good.headers, body=good.body + b" ")),
            ("an old request", signed(good.body, seconds=NOW - 301)),
            ("a request from the future", signed(good.body, seconds=NOW + 301)),
            ("an id with dots", signed(good.body, event_id="a.b")),
            ("an id of 10 KB", signed(good.body, event_id="a" * 10_000)),
            ("no id", with_header(good, "webhook-id", None)),
            ("a signature twice", Raw(headers=(*good.headers, ("Webhook-Signature", signature)), body=good.body)),
            *((f"signature {value[:30]!r}", with_header(good, "webhook-signature", value)) for value in odd),
            *((f"timestamp {value[:30]!r}", with_header(good, "webhook-timestamp", value)) for value in stamps),
        ]

    def unknown(self) -> Raw | None:
        return signed(b'{"type": "order.shipped", "id": "7"}')

    def unparsable(self) -> Raw | None:
        return signed(b"\xff\xfe{not json")

    def mended(self) -> list[Item]:
        return [Message(external_id="mended", sender=Sender(Point("email", "eve@example.net")), text="Now it is read")]

    def batch(self, ids: Sequence[str], bad: int | None = None) -> Raw | None:
        events = [event(id, f"text of {id}", f"{id}@example.net") for id in ids]
        if bad is not None:
            del events[bad]["from"]
        return signed(json.dumps(events).encode())

    @contextlib.asynccontextmanager
    async def peer(self) -> AsyncIterator[Peer | None]:
        async with WebhookPeer(SENDING) as peer:
            yield peer


CASES = WebhookCases()
