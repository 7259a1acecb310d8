"""A desk with a mailbox: a scripted IMAP server and an SMTP server beside it, and a hand that puts letters in."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

from hub.connector import Raw
from hub.db.store import Store
from hub.desk import inboxes, replies
from hub.desk.inboxes import Inbox
from hub.reactions import REACTIONS
from hub.seal import Sealer
from hub.staff.access import DESK
from hub.work.runner import Runner
from tests.fixtures.desk import register_connectors
from tests.providers.imap_peer import PASSWORD, USER, ImapPeer
from tests.providers.smtp_peer import SmtpPeer, Taken
from tests.work.desk import BOSS, Options

_numbers = itertools.count(1)


def letter(
    text: str = "The kettle leaks.",
    *,
    by: str = "Eve <eve@example.net>",
    to: str = USER,
    subject: str = "A kettle",
    id: str | None = None,
    **headers: str,
) -> bytes:
    """`id` without brackets. Other headers with _ for -, in the order given."""
    id = id if id is not None else f"m{next(_numbers)}@example.net"
    head = {"From": by, "To": to, "Subject": subject, "Message-ID": f"<{id}>" if id else ""}
    head |= {name.replace("_", "-"): value for name, value in headers.items()}
    head.setdefault("Content-Type", "text/plain; charset=utf-8")
    lines = [f"{name}: {value}" for name, value in head.items() if value]
    return ("\r\n".join(lines) + f"\r\n\r\n{text}\r\n").encode()


def settings(imap: ImapPeer, smtp: SmtpPeer, **more: Any) -> dict[str, Any]:
    return {
        "address": USER,
        "password": PASSWORD,
        "imap_host": "127.0.0.1",
        "imap_port": imap.port,
        "imap_security": "none",
        "smtp_host": "127.0.0.1",
        "smtp_port": smtp.port,
        "smtp_security": "none",
    } | more


async def until(true: Callable[[], Any], seconds: float = 15) -> None:
    """`true` answers, or answers what is to be awaited."""
    async with asyncio.timeout(seconds):
        while True:
            found = true()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.01)


class Mailroom:
    def __init__(self, store: Store, runner: Runner, inbox: Inbox, imap: ImapPeer, smtp: SmtpPeer) -> None:
        self.store, self.runner, self.inbox, self.imap, self.smtp = store, runner, inbox, imap, smtp

    async def take(self, *raws: bytes, together: bool = False) -> None:
        """Handed over as the poller does, and read: one after the other, or all at once."""
        hub = self.runner.connector(self.inbox).hub
        for raw in raws:
            await hub.receive(Raw(method="IMAP", body=raw))
            if not together:
                await self.read()
        await self.read()

    async def read(self) -> None:
        """Until nothing lies unread."""
        async with asyncio.timeout(60):
            while await self.rows("SELECT 1 FROM inbound WHERE state = 'waiting' LIMIT 1"):
                await asyncio.sleep(0.01)

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return await self.store.read(lambda rx: rx.rows(sql))

    async def tickets(self) -> list[int]:
        return [
            row[0] for row in await self.rows("SELECT number FROM ticket WHERE merged_into IS NULL ORDER BY number")
        ]

    async def texts(self, number: int) -> list[str]:
        found = await self.store.read(
            lambda rx: rx.rows(
                "SELECT message.text FROM message JOIN ticket ON ticket.id = message.ticket_id "
                "WHERE ticket.number = :number ORDER BY message.id",
                number=number,
            )
        )
        return [row[0] for row in found]

    async def details(self) -> dict[str, Any]:
        """Of the newest message."""
        import json

        ((found,),) = await self.rows("SELECT details FROM message ORDER BY id DESC LIMIT 1")
        return dict(json.loads(found))

    async def reply(self, number: int, text: str = "It is on its way.", **how: Any) -> Taken:
        """Said and gone; what the mail server got."""
        before = len(self.smtp.taken)
        await self.store.write(
            lambda tx: replies.reply(tx, BOSS, number, text, external_id=f"ours-{next(_numbers):032x}", **how)
        )
        async with asyncio.timeout(20):
            while len(self.smtp.taken) == before or await self.rows("SELECT 1 FROM delivery WHERE state = 'sending'"):
                await asyncio.sleep(0.01)
        return self.smtp.taken[-1]


@contextlib.asynccontextmanager
async def mailroom(store: Store, *, started: bool = True, **more: Any) -> AsyncIterator[Mailroom]:
    register_connectors()
    async with ImapPeer() as imap, SmtpPeer(imap) as smtp:
        store.reactions = REACTIONS
        store.sealer = Sealer.random()
        runner = Runner(store, store.sealer, Options())
        inbox = await store.write(
            inboxes.create, DESK, kind="email", name="Help", settings=settings(imap, smtp, **more), enabled=True
        )
        room = Mailroom(store, runner, inbox, imap, smtp)
        if started:
            await runner.start()
        try:
            yield room
        finally:
            await runner.stop()
