"""Files over the webhook channel: named by their address on the way in, in the post itself on the way out."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from hub.connector import Rejected
from hub.db.store import Store
from hub.desk import inboxes, kinds, replies
from hub.desk.files import rows, uploads
from hub.desk.files.rows import Content, FileShown
from hub.events import Actor
from hub.reactions import REACTIONS
from hub.seal import Sealer
from hub.staff.access import DESK, Caller, Grants
from hub.work import inbound
from hub.work.runner import Runner
from tests.contract.cases_webhook import CASES, SENDING, event, signed
from tests.providers.webhook_peer import WebhookPeer
from tests.work.desk import Options


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[WebhookPeer]:
    async with WebhookPeer(SENDING) as found:
        yield found


@pytest_asyncio.fixture
async def runner(sqlite_store: Store, peer: WebhookPeer) -> AsyncIterator[Runner]:
    from connectors.webhook.connector import WebhookConnector

    kinds.register("webhook", "Webhook", lambda: WebhookConnector)
    sqlite_store.reactions, sqlite_store.sealer = REACTIONS, Sealer.random()
    sqlite_store.allowed_hosts = frozenset({peer.host})
    await sqlite_store.write(inboxes.create, DESK, kind="webhook", name="Shop", settings=CASES.settings(peer))
    async with Runner(sqlite_store, sqlite_store.sealer, Options()) as found:
        yield found


async def come(runner: Runner, **more: Any) -> tuple[FileShown, ...]:
    inbox = await runner.inbox_by_id(1)
    assert inbox is not None
    await inbound.webhook(runner, inbox.token, signed(json.dumps(event("m", **more)).encode()))
    found: tuple[FileShown, ...] = ()
    for _ in range(300):
        found = (await runner.store.read(lambda rx: rows.of_messages(rx, [1]))).get(1, ())
        if found and all(file.state != "fetching" for file in found):
            break
        await asyncio.sleep(0.02)
    return found


async def test_what_is_named_by_its_address_is_had_from_there(runner: Runner, peer: WebhookPeer) -> None:
    peer.files = {"note.txt": b"plain words", "gone.txt": 410}
    at = peer.url.removesuffix("/hook")
    named = [{"url": f"{at}/files/{name}", "content_type": "text/html"} for name in ("note.txt", "gone.txt", "never")]
    inward = {"url": "http://127.0.0.1/secret", "name": "secret"}
    there, gone, never, private = await come(runner, text="", files=[*named, inward])
    assert (there.name, there.state, there.content_type, there.size) == ("note.txt", "there", "text/plain", 11)
    assert (gone.state, gone.reason) == ("failed", "Its address answers with 410.")
    assert never.state == "failed"
    assert private.state == "failed" and "network" in (private.reason or ""), "no way into our own network"


async def test_files_that_are_none_are_put_aside_with_their_reason(runner: Runner) -> None:
    inbox = await runner.inbox_by_id(1)
    assert inbox is not None
    for wrong in ("x", [1], [{"url": "ftp://x"}], [{"url": "https://x.example"}] * 21):
        await inbound.webhook(runner, inbox.token, signed(json.dumps(event("w", files=wrong)).encode()))
    states = await runner.store.read(lambda rx: [row[0] for row in rx.rows("SELECT state FROM inbound")])
    assert states == ["quarantined"] * 4


async def test_an_answer_carries_what_its_files_hold(runner: Runner, peer: WebhookPeer) -> None:
    await come(runner, text="Where is it?", files=[])
    contents = runner.files.contents

    def put() -> str:
        writing = contents.begin(100)
        writing.write(b"%PDF-1.7 paid")
        return contents.keep(writing)

    name = await asyncio.to_thread(put)
    agent = Caller(Actor("agent", 1), Grants(1, frozenset({"tickets.reply"}), True, frozenset(), frozenset()))

    def answer(tx: Any) -> None:
        tx.run("INSERT INTO role (name, permissions, sees, created_at) VALUES ('r', '[]', 'own', 0)")
        tx.run("INSERT INTO agent (email, email_folded, name, name_folded, role_id, created_at) VALUES "
               "('a', 'a', 'A', 'a', 1, 0)")  # fmt: skip
        file = uploads.upload(tx, agent, Content(name, 13, "application/pdf", "off"), "receipt.pdf")
        replies.reply(tx, agent, 1001, "", external_id="ours", files=[file.id])

    await runner.store.write(answer)
    for _ in range(300):
        if peer.journal:
            break
        await asyncio.sleep(0.02)
    (file,) = peer.journal[0]["data"]["files"]
    assert (file["name"], file["size"], file["content_type"]) == ("receipt.pdf", 13, "application/pdf")
    assert base64.b64decode(file["base64"]) == b"%PDF-1.7 paid"


async def test_a_file_that_is_not_there_any_more_fails_its_delivery(runner: Runner) -> None:
    row = rows.Row(1, "t", 1, None, None, None, None, "gone", "Removed.", None, "a.txt", "", 1, None, None, 0, None, 0,
                   None, None, None)  # fmt: skip
    try:
        runner.files.outgoing((row,))
    except Rejected as error:
        assert "a.txt is not there any more" in error.reason
    else:
        raise AssertionError("it went out without its file")
