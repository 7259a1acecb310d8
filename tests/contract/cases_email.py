"""The e-mail channel in the contract suite."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from hub.connector import Item, Message, Point, Raw, Reply, Sender
from hub.desk.inboxes import Inbox
from hub.work.runner import Runner
from tests.contract.cases import Cases, Peer
from tests.providers.imap_peer import PASSWORD, USER, ImapPeer
from tests.providers.smtp_peer import SmtpPeer


def mail(id: str, text: str = "Hello", by: str = "eve@example.net", **headers: str) -> bytes:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (
        f"From: Eve <{by}>\r\nTo: {USER}\r\nSubject: A question\r\nMessage-ID: <{id}@example.net>\r\n"
        f"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n{more}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


class EmailCases(Cases):
    kind = "email"
    secrets = (PASSWORD,)
    signed = False  # nothing comes by /in: the mailbox is read
    sends = True
    asks = True
    bad_request = 550
    patience = 60_000

    def settings(self, peer: Peer | None) -> dict[str, Any]:
        assert isinstance(peer, SmtpPeer) and peer.imap is not None
        return {
            "address": USER,
            "password": PASSWORD,
            "imap_host": "127.0.0.1",
            "imap_port": peer.imap.port,
            "imap_security": "none",
            "smtp_host": "127.0.0.1",
            "smtp_port": peer.port,
            "smtp_security": "none",
            "joining": "person",
        }

    def message(self, id: str, text: str = "Hello", by: str = "eve@example.net") -> Raw:
        return Raw(method="IMAP", body=mail(id, text, by))

    def unknown(self) -> Raw | None:
        receipt = mail("receipt", Content_Type='multipart/report; report-type=disposition-notification; boundary="b"')
        return Raw(method="IMAP", body=receipt)

    def unparsable(self) -> Raw | None:
        return Raw(method="IMAP", body=b"Subject: nobody wrote this\r\n\r\nHello\r\n")

    def mended(self) -> list[Item]:
        return [Message(external_id="mended", sender=Sender(Point("email", "eve@example.net")), text="Now it is read")]

    @contextlib.asynccontextmanager
    async def peer(self) -> AsyncIterator[Peer | None]:
        async with ImapPeer() as imap, SmtpPeer(imap) as peer:
            yield peer

    async def deliver(self, runner: Runner, inbox: Inbox, raw: Raw) -> Reply:
        """As `run` hands it over; it is only stored then, and read by a job."""
        await runner.connector(inbox).hub.receive(raw)
        for _ in range(1_000):
            if not await runner.store.read(
                lambda rx: rx.value("SELECT 1 FROM inbound WHERE state = 'waiting' LIMIT 1")
            ):
                break
            await asyncio.sleep(0.01)
        return Reply()


CASES = EmailCases()
