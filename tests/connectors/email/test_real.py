"""The mailbox and the mail server of Debian: a conversation by mail, and everything exactly once."""

import asyncio
import functools
import random
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest

from hub.db.store import Store
from hub.desk import inboxes, replies
from hub.reactions import REACTIONS
from hub.seal import Sealer
from hub.staff.access import DESK
from hub.work import pollers
from hub.work.runner import Runner
from tests.connectors.email import mailroom
from tests.connectors.email.mailroom import letter
from tests.fixtures.desk import register_connectors
from tests.providers.mail_server import PASSWORD, MailServer, mail_server
from tests.providers.oauth_server import CLIENT, SECRET, OAuthServer
from tests.work.desk import BOSS, Options

until = functools.partial(mailroom.until, seconds=30)
US, EVE = "help@shop.example", "eve@customer.example"


def settings(server: MailServer, **more: Any) -> dict[str, Any]:
    return {
        "address": US,
        "password": PASSWORD,
        "imap_host": "127.0.0.1",
        "imap_port": server.imap,
        "imap_security": "none",
        "smtp_host": "127.0.0.1",
        "smtp_port": server.smtp or 1,
        "smtp_security": "none",
    } | more


async def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return await store.read(lambda rx: rx.rows(sql))


def runner_on(store: Store) -> Runner:
    register_connectors()
    store.reactions = REACTIONS
    store.sealer = store.sealer or Sealer.random()
    return Runner(store, store.sealer, Options())


async def test_mail_in_answer_out_answer_in_is_one_ticket(sqlite_store: Store) -> None:
    store = sqlite_store
    async with mail_server(postfix=True) as server:
        runner = runner_on(store)
        inbox = await store.write(inboxes.create, DESK, kind="email", name="Help", settings=settings(server))
        async with runner:
            await runner.connector(inbox).check()
            await until(lambda: rows(store, "SELECT 1 FROM connector_memory"))
            await say(server, letter("The kettle leaks.", by=EVE, to=US, subject="ការឆ្លើយតប"), EVE, US)
            await until(lambda: rows(store, "SELECT 1 FROM message"))
            ((number,),) = await rows(store, "SELECT number FROM ticket")
            await store.write(replies.reply, BOSS, number, "We send a new one.", external_id="ours-" + "1" * 32)
            await until(lambda: server.mails("eve"))
            answer = BytesParser().parsebytes(server.mails("eve")[0])
            assert answer["In-Reply-To"] and answer["Reply-To"].startswith("<help+r")
            reply = EmailMessage()
            reply["From"], reply["To"], reply["Subject"] = EVE, answer["Reply-To"], "Re: a kettle"
            reply["Message-ID"] = "<again@customer.example>"
            reply.set_content("Thank you!")
            await say(server, reply.as_bytes(), EVE, answer["Reply-To"].strip("<>"))
            await until(lambda: rows(store, "SELECT 1 FROM message WHERE text LIKE 'Thank you%'"))
            assert await rows(store, "SELECT number FROM ticket") == [(number,)]
            # Whoever is not there: what Postfix sends back is the state of the letter, and no ticket.
            gone = letter("I am going.", by="gone@customer.example", to=US)
            await say(server, gone, "gone@customer.example", US)
            await until(lambda: rows(store, "SELECT 1 FROM message WHERE text LIKE 'I am going%'"))
            ((other,),) = await rows(store, f"SELECT number FROM ticket WHERE number <> {number}")
            await store.write(replies.reply, BOSS, other, "Where to?", external_id="ours-" + "2" * 32)
            await until(lambda: rows(store, "SELECT 1 FROM delivery WHERE state = 'failed'"))
            assert await rows(store, "SELECT COUNT(*) FROM ticket") == [(2,)]


async def say(server: MailServer, raw: bytes, by: str, to: str) -> None:
    import aiosmtplib

    raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=server.smtp, start_tls=False) as client:
        await client.sendmail(by, [to], raw)


async def test_a_token_opens_the_mailbox(sqlite_store: Store) -> None:
    store = sqlite_store
    async with (
        OAuthServer("https://desk.example/settings/inboxes/consent") as provider,
        mail_server(oauth_port=provider.port) as server,
    ):
        runner = runner_on(store)
        runner.http._allowed = store.allowed_hosts = frozenset({provider.host})
        provider.refresh.add("from the consent")
        more = {
            "password": None,
            "sign_in": "oauth2",
            "authorize_url": provider.authorize_url,
            "exchange_url": provider.token_url,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "refresh_token": "from the consent",
            "allow_http": True,
        }
        await store.write(inboxes.create, DESK, kind="email", name="Help", settings=settings(server, **more))
        async with runner:
            await until(lambda: rows(store, "SELECT 1 FROM connector_memory WHERE name LIKE 'folder%'"))
            server.put(letter("By a token"))
            await until(lambda: rows(store, "SELECT 1 FROM message WHERE text = 'By a token'"))
            provider.access.clear()  # the token at hand is worth nothing any more
            for inbox in await store.read(inboxes.all_of_them):
                await runner.pollers.end(inbox.id)
                runner.pollers.start(inbox)
            server.put(letter("By the next one"))
            await until(lambda: rows(store, "SELECT 1 FROM message WHERE text = 'By the next one'"))
    assert sum(one["grant_type"] == "refresh_token" for one in provider.asked) >= 2


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_thousand_letters_are_there_exactly_once_whatever_happens(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In random order, the desk ended at random and away for days, the folder numbered anew."""
    monkeypatch.setattr(pollers, "FIRST_PAUSE", 0.05)
    await thousand(sqlite_store, 1_000)


async def test_some_letters_are_there_exactly_once_whatever_happens(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pollers, "FIRST_PAUSE", 0.05)
    await thousand(sqlite_store, 80)


async def thousand(store: Store, many: int) -> None:
    chance = random.Random(11)
    threads = [
        [
            letter(
                f"{thread}.{n}",
                by=f"p{thread}@customer.example",
                id=f"{thread}.{n}@c.example",
                **({"In_Reply_To": f"<{thread}.{n - 1}@c.example>"} if n else {}),
            )
            for n in range(4)
        ]
        for thread in range(many // 4)
    ]
    letters = [one for thread in threads for one in thread]
    chance.shuffle(letters)
    async with mail_server() as server:
        runner = runner_on(store)
        await store.write(inboxes.create, DESK, kind="email", name="Help", settings=settings(server))
        async with runner:
            await until(lambda: rows(store, "SELECT 1 FROM connector_memory"))
        steps = 8
        for step in range(steps):
            part = letters[step * many // steps : (step + 1) * many // steps]
            away = step == 3
            if away:
                for one in part:
                    server.put(one)
                store.clock.advance(3 * 86_400_000)  # type: ignore[attr-defined]
            if step == 5:
                server.renumber()
            runner = runner_on(store)
            await runner.start()
            if not away:
                for one in part:
                    server.put(one)
            await asyncio.sleep(chance.uniform(0.05, 0.8))  # somewhere in the middle of it
            await runner.stop(0)
        runner = runner_on(store)
        async with runner:
            await until(lambda: _all(store, many), seconds=240)
            await until(lambda: _none_waits(store), seconds=60)
    texts = [row[0] for row in await rows(store, "SELECT text FROM message")]
    assert len(texts) == len(set(texts)) == many
    assert await rows(store, "SELECT COUNT(*) FROM ticket WHERE merged_into IS NULL") == [(many // 4,)]
    assert await rows(store, "SELECT COUNT(*) FROM inbound WHERE state = 'quarantined'") == [(0,)]


async def _all(store: Store, many: int) -> bool:
    return (await rows(store, "SELECT COUNT(*) FROM message"))[0][0] >= many


async def _none_waits(store: Store) -> bool:
    return not await rows(store, "SELECT 1 FROM inbound WHERE state = 'waiting' LIMIT 1")
