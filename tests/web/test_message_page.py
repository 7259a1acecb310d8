"""The HTML of a message as a page of its own: for whom, under which policy, with which pictures."""

import re
from typing import Any

import pytest
from aiohttp import web

from hub.connector import Message, Point, Raw, Sender
from hub.db.tx import Tx
from hub.desk import incoming
from hub.work import inbound
from hub.work.http import SafeClient
from tests.fixtures.desk import DeskClient

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
HTML = (
    '<p>Hello<img src="https://pictures.example/a.png?x=1&amp;y=2" alt="a &gt; b"><img src="cid:logo" alt="logo">'
    '<img src="data:image/png;base64,AAAA"></p><details class="quoted"><summary></summary>theirs</details>'
)


def receive(tx: Tx, client: DeskClient, html: str | None) -> int:
    sender = Sender(Point("email", "eve@example.net"), "Eve")
    found = incoming.receive(tx, client.inbox, Message(external_id="m", sender=sender, text="Hello", html=html))
    return found.message_id


async def page(client: DeskClient, path: str, as_: str = "agent") -> Any:
    cookie = f"parley={client.people[as_].session}"
    return await client.get(path, as_=None, headers={"Cookie": cookie})


async def test_it_is_shown_to_whoever_sees_the_ticket(desk_client: DeskClient) -> None:
    message_id = await desk_client.store.write(receive, desk_client, HTML)
    answer = await page(desk_client, f"/m/{message_id}/body")
    assert answer.status == 200
    assert (await page(desk_client, f"/m/{message_id}/body", "outsider")).status == 404
    assert (await page(desk_client, f"/m/{message_id}/picture?n=0", "outsider")).status == 404
    assert (await desk_client.get(f"/m/{message_id}/body", as_=None)).status == 401
    assert (await page(desk_client, "/m/999999/body")).status == 404
    thread = (await desk_client.get("/api/v1/tickets/1001")).json
    assert [message["page"] for message in thread["messages"]] == [True]


async def test_a_message_without_html_has_no_page(sqlite_desk_client: DeskClient) -> None:
    message_id = await sqlite_desk_client.store.write(receive, sqlite_desk_client, None)
    assert (await page(sqlite_desk_client, f"/m/{message_id}/body")).status == 404


async def test_the_page_may_do_nothing_but_be_looked_at(sqlite_desk_client: DeskClient) -> None:
    message_id = await sqlite_desk_client.store.write(receive, sqlite_desk_client, HTML)
    answer = await page(sqlite_desk_client, f"/m/{message_id}/body")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:;")
    assert "sandbox allow-same-origin allow-popups" in policy and "script" not in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    text = answer.body.decode()
    assert "pictures.example" not in text and 'class="elsewhere" alt="a &gt; b"' in text
    assert 'class="missing" alt="logo"' in text and 'src="data:image/png;base64,AAAA"' in text
    assert "<summary>What it quotes</summary>theirs" in text


async def test_pictures_from_elsewhere_come_by_way_of_the_desk(
    sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sqlite_desk_client
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        if request.path == "/onward":
            raise web.HTTPFound("/a.png?x=1&y=2")
        if request.path == "/away":
            raise web.HTTPFound("http://169.254.169.254/latest")
        return web.Response(body=PNG if request.path == "/a.png" else b"<svg onload=x>", content_type="image/png")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    place = f"127.0.0.1:{runner.addresses[0][1]}"
    client.desk.runner.http = SafeClient([place])
    urls = [f"http://{place}/{path}" for path in ("a.png?x=1&y=2", "b.svg", "onward", "away")]
    urls += ["http://127.0.0.1:1/", "http://[::1]/x.png", "https://localhost/x.png", "http://0177.0.0.1/x.png"]
    html = "".join(f'<img src="{url.replace("&", "&amp;")}">' for url in urls)
    try:
        message_id = await client.store.write(receive, client, html)
        shown = (await page(client, f"/m/{message_id}/body?pictures=1")).body.decode()
        assert re.findall(r'<img src="([^"]*)"', shown) == [f"/m/{message_id}/picture?n={n}" for n in range(len(urls))]
        found = [await page(client, f"/m/{message_id}/picture?n={n}") for n in range(len(urls) + 1)]
    finally:
        await runner.cleanup()
        await client.desk.runner.http.close()
    assert [answer.status for answer in found] == [200, 404, 200, 404, 404, 404, 404, 404, 404]
    assert found[0].body == PNG and found[0].headers["Content-Type"] == "image/png"
    assert "sandbox" in found[0].headers["Content-Security-Policy"]
    assert asked == ["/a.png?x=1&y=2", "/b.svg", "/onward", "/a.png?x=1&y=2", "/away"]
    assert (await page(client, f"/m/{message_id}/picture?n=x")).status == 422


async def test_the_original_is_what_came(desk_client: DeskClient) -> None:
    client = desk_client
    message = Message(
        external_id="m", sender=Sender(Point("email", "eve@example.net"), "Eve"), text="Hello", html="<p>"
    )

    class Letters:
        kind, reader = "letters", None

        def parse(self, _raw: Raw) -> list[Message]:
            return [message]

    raw = Raw(body=b"From: eve@example.net\r\n\r\nHello")
    await inbound.receive(client.store, client.inbox, Letters(), raw)  # type: ignore[arg-type]
    thread = (await client.get("/api/v1/tickets/1001")).json
    (said,) = thread["messages"]
    assert said["original"]
    answer = await page(client, f"/m/{said['id']}/original")
    assert answer.status == 200 and answer.body == raw.body
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert (await page(client, f"/m/{said['id']}/original", "outsider")).status == 404
    await client.store.write(lambda tx: tx.run("DELETE FROM inbound"))
    assert (await page(client, f"/m/{said['id']}/original")).status == 410
