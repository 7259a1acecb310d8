"""A mail on its whole way: stored, read in a child, made a message, its files fetched, its page put together."""

import asyncio
import base64
import re

import pytest

from hub.connector import Raw
from hub.desk import inboxes
from hub.staff.access import DESK
from hub.work import inbound
from tests.fixtures.desk import DeskClient

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SETTINGS = {
    "address": "help@example.org",
    "password": "x",
    "imap_host": "imap.example.org",
    "smtp_host": "smtp.example.org",
}


def part(kind: str, content: bytes, *more: str) -> bytes:
    head = "\r\n".join((f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", *more))
    return f"{head}\r\n\r\n".encode() + base64.encodebytes(content)


MAIL = b"\r\n--o\r\n".join(
    [
        b"From: Eve Adams <eve@example.net>\r\nTo: help@example.org\r\nSubject: A kettle\r\n"
        b"Message-ID: <1@example.net>\r\nContent-Type: multipart/mixed; boundary=o\r\n",
        part("text/html; charset=utf-8", '<p>Вот чайник: <img src="cid:kettle%40x" alt="чайник"></p>'.encode()),
        part("image/png; name=kettle.png", PICTURE, "Content-ID: <kettle@x>"),
        part("application/pdf; name=form.pdf", b"%PDF-1.4 a form", "Content-ID: <form@x>") + b"--o--\r\n",
    ]
)


@pytest.fixture
def quiet(sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch) -> DeskClient:
    """Its mailbox is not really there, so nobody looks into it."""
    monkeypatch.setattr(sqlite_desk_client.desk.runner.pollers, "start", lambda _inbox: None)
    return sqlite_desk_client


async def test_a_mail_comes_with_its_picture_and_its_file(quiet: DeskClient) -> None:
    client, runner = quiet, quiet.desk.runner
    inbox = await client.store.write(
        lambda tx: inboxes.create(tx, DESK, kind="email", name="Help", team_id=client.team_id, settings=SETTINGS)
    )
    async with runner:
        await inbound.receive(client.store, inbox, runner.connector(inbox), Raw(body=MAIL))
        async with asyncio.timeout(30):
            while await client.store.read(
                lambda rx: rx.value("SELECT COUNT(*) FROM job WHERE kind LIKE 'inbound.%' OR kind LIKE 'files.%'")
            ):
                await asyncio.sleep(0.05)
        (said,) = (await client.get("/api/v1/tickets/1001")).json["messages"]
        assert said["text"] == "Вот чайник: [чайник]" and said["page"] and said["original"]
        files = {file["name"]: file for file in said["files"]}
        assert {name: file["state"] for name, file in files.items()} == {"kettle.png": "there", "form.pdf": "there"}
        assert files["kettle.png"]["cid"] == "kettle@x" and files["form.pdf"]["cid"] is None
        cookie = {"Cookie": f"parley={client.people['agent'].session}"}
        page = (await client.get(f"/m/{said['id']}/body", as_=None, headers=cookie)).body.decode()
        found = re.search(r'<img src="(/files/[^"]+)" alt="чайник">', page)
        assert found is not None
        shown = await client.get(found[1].replace("&amp;", "&"), as_=None)
        assert shown.status == 200 and shown.headers["Content-Type"] in ("image/webp", "image/png")
        assert (await client.get(f"/m/{said['id']}/original", as_=None, headers=cookie)).body == MAIL
