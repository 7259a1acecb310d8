"""HTTP itself: framing, time, size, hosts, proxies; and what one connection may do to a desk."""

import asyncio
import ipaddress
import json
import zlib
from pathlib import Path

import pytest

from hub.clock import ManualClock
from hub.db.store import Store
from hub.web import body, protocol
from tests.bad_inputs.test_class_a import record, speak
from tests.fixtures.desk import DeskClient, serving


def head(client: DeskClient, length: int, path: str = "/api/v1/contacts") -> bytes:
    token = client.people["administrator"].token
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


async def test_a_compressed_body_is_refused_unread(sqlite_desk_client: DeskClient) -> None:
    bomb = zlib.compress(b"[" * 50_000_000, 9, wbits=31)
    answer = await sqlite_desk_client.request(
        "POST", "/api/v1/contacts", raw=bomb, headers={"Content-Encoding": "gzip"}
    )
    assert answer.status == 415
    assert answer.json["type"] == "/problems/unsupported"


async def test_a_body_that_trickles_is_given_up(
    sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "GRACE_SECONDS", 0.3)
    got = await speak(sqlite_desk_client.port, head(sqlite_desk_client, 16) + b'{"n', ends=True)
    assert got.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in got


async def test_a_head_that_trickles_is_given_up(
    sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    got = await speak(sqlite_desk_client.port, b"GET /healthz HTTP/1.1\r\nHost: loc", ends=True)
    assert got.startswith(b"HTTP/1.1 408 ")


async def test_a_slow_head_of_a_second_request_is_given_up_too(
    sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    first = b"GET /problems/invalid HTTP/1.1\r\nHost: localhost\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_desk_client.port)
    writer.write(first)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"GET /problems/")
    async with asyncio.timeout(30):
        assert b"HTTP/1.1 408 " in await reader.read()
    writer.close()


async def test_a_body_in_pieces_is_taken(sqlite_desk_client: DeskClient) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_desk_client.port)
    writer.write(head(sqlite_desk_client, 16))
    for byte in b'{"name":"Abeba"}':
        await writer.drain()
        await asyncio.sleep(0.005)
        writer.write(bytes([byte]))
    async with asyncio.timeout(30):
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 201 ")
    writer.close()


async def test_a_chunked_body_is_taken_up_to_the_limit(sqlite_desk_client: DeskClient) -> None:
    lines = head(sqlite_desk_client, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    got = await speak(sqlite_desk_client.port, lines + b'10\r\n{"name":"Abeba"}\r\n0\r\n\r\n', ends=False)
    assert got.startswith(b"HTTP/1.1 201 ")
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    got = await speak(sqlite_desk_client.port, lines + piece * 17 + b"0\r\n\r\n", ends=True)
    assert got.startswith(b"HTTP/1.1 413 ")


async def test_whoever_leaves_in_the_middle_changes_nothing(desk_client: DeskClient) -> None:
    database = desk_client.store.backend.name
    before = await desk_client.store.read(record, database)
    for sent in (head(desk_client, 16), head(desk_client, 16) + b'{"name":"Ab', head(desk_client, 16)[:60]):
        _, writer = await asyncio.open_connection("127.0.0.1", desk_client.port)
        writer.write(sent)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.transport.abort()
    await asyncio.sleep(0.05)
    assert await desk_client.store.read(record, database) == before
    assert (await desk_client.get("/api/v1/contacts")).status == 200


async def test_a_flood_on_one_connection_is_bounded(sqlite_desk_client: DeskClient) -> None:
    """Ten thousand requests at once and no reading: the desk holds back, and goes on serving others."""
    one = b"GET /problems/invalid HTTP/1.1\r\nHost: localhost\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_desk_client.port)
    writer.write(one * 10_000)
    await asyncio.sleep(0.1)
    async with asyncio.timeout(20):
        assert (await sqlite_desk_client.get("/api/v1/contacts")).status == 200
    async with asyncio.timeout(60):
        answered = 0
        while answered < 10_000:
            got = await reader.read(1_000_000)
            if not got:
                break
            answered += got.count(b"HTTP/1.1 200 ")
    assert answered > 0
    writer.close()


async def test_an_odd_host_reaches_no_link(sqlite_desk_client: DeskClient) -> None:
    for host in ("127.0.0.1", "localhost:1", "desk.example"):
        answer = await sqlite_desk_client.get("/sign-in", as_=None, headers={"Host": host})
        assert answer.status == 200
        link = await sqlite_desk_client.get(
            f"/f/{sqlite_desk_client.inbox.token}", as_=None, headers={"Host": host, "X-Forwarded-Host": "evil.example"}
        )
        assert link.status == 200
        assert b"evil.example" not in link.body and b"localhost:1" not in link.body
    assert (await sqlite_desk_client.get("/", as_=None, headers={"Host": "evil.example"})).status == 421
    assert (await sqlite_desk_client.get("/metrics", as_=None, headers={"Host": "evil.example"})).status == 421
    assert (await sqlite_desk_client.get("/healthz", as_=None, headers={"Host": "desk-7.internal"})).status == 200


async def test_only_a_trusted_proxy_says_who_is_behind_it(
    sqlite_store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    async def knock(client: DeskClient, told: str) -> int:
        return (await client.get("/api/v1/me", as_=None, headers={"X-Forwarded-For": told})).status

    async with serving(sqlite_store, clock, tmp_path) as client:
        client.desk.limits.strangers_per_minute = 3
        answers = [await knock(client, f"10.0.0.{n}") for n in range(5)]
        assert answers == [401, 401, 401, 429, 429], "a made-up address makes nobody a new stranger"


async def test_behind_a_trusted_proxy_strangers_are_told_apart(
    sqlite_store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    trusted = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.1.0.0/16"))
    async with serving(sqlite_store, clock, tmp_path, trusted_proxies=trusted) as client:
        client.desk.limits.strangers_per_minute = 2

        async def knock(told: str) -> int:
            return (await client.get("/api/v1/me", as_=None, headers={"X-Forwarded-For": told})).status

        assert [await knock("203.0.113.7") for _ in range(3)] == [401, 401, 429]
        assert await knock("198.51.100.1, 203.0.113.7, 10.1.2.3") == 429, "the last that is no proxy of ours counts"
        assert await knock("203.0.113.8") == 401
        assert await knock("2001:db8::1") == 401
        assert await knock("2001:db8::2") == 401
        assert await knock("2001:db8::3") == 429, "a /64 is one stranger"
        assert await knock("2001:db8:0:1::3") == 401


async def test_too_many_requests_of_a_token_are_answered_with_when_to_come_back(
    sqlite_desk_client: DeskClient,
) -> None:
    client = sqlite_desk_client
    client.desk.limits.api_per_minute = 6
    answers = [await client.get("/api/v1/me", as_="agent") for _ in range(7)]
    assert [answer.status for answer in answers] == [200] * 6 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 11
    assert answers[-1].json["type"] == "/problems/too_many"
    assert (await client.get("/api/v1/me", as_="observer")).status == 200
    client.clock.advance(int(answers[-1].headers["Retry-After"]) * 1000)
    assert (await client.get("/api/v1/me", as_="agent")).status == 200


async def test_an_address_in_two_unicode_forms_is_one_contact(desk_client: DeskClient) -> None:
    first = await desk_client.post(
        "/api/v1/contacts", {"name": "René", "points": [{"kind": "email", "value": "ren\u00e9@example.org"}]}
    )
    assert first.status == 201, first.body
    again = await desk_client.post(
        "/api/v1/contacts", {"name": "René", "points": [{"kind": "email", "value": "rene\u0301@example.org"}]}
    )
    assert again.status == 409


async def test_what_was_removed_is_gone_for_good(desk_client: DeskClient) -> None:
    contact = await desk_client.new_contact()
    shown = (await desk_client.get(f"/api/v1/contacts/{contact}")).json
    path = f"/api/v1/contacts/{contact}/points/{shown['points'][0]['id']}"
    assert (await desk_client.delete(path)).status == 200
    assert (await desk_client.delete(path)).status == 404


async def test_a_cursor_serves_only_the_list_it_came_from(desk_client: DeskClient) -> None:
    contact = await desk_client.new_contact()
    for n in range(3):
        await desk_client.new_ticket(f"matter {n}", contact_id=contact)
    page = await desk_client.get("/api/v1/tickets?limit=2")
    cursor = page.json["next"]
    assert cursor
    rest = await desk_client.get(f"/api/v1/tickets?limit=2&cursor={cursor}")
    assert len(rest.json["items"]) == 1 and rest.json["next"] is None
    for path in ("/api/v1/contacts", "/api/v1/feedback", "/api/v1/agents"):
        answer = await desk_client.get(f"{path}?cursor={cursor}")
        assert (answer.status, answer.paths) == (422, ["cursor"]), path
    other = await desk_client.get(f"/api/v1/tickets?status=resolved&cursor={cursor}")
    assert (other.status, other.paths) == (422, ["cursor"])


async def test_a_webhook_is_stored_once_it_is_genuine(desk_client: DeskClient) -> None:
    from connectors.webhook import signing

    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = await desk_client.post(
        "/api/v1/inboxes", {"kind": "webhook", "name": "Hook", "settings": {"secret": secret}}
    )
    assert made.status == 201, made.body
    path = f"/in/{made.json['token']}"
    sent = json.dumps({"id": "m-1"}).encode()
    database = desk_client.store.backend.name
    before = await desk_client.store.read(record, database)
    forged = signing.headers("whsec_" + "A" * 32, "m-1", desk_client.clock.now() // 1000, sent)
    assert (await desk_client.request("POST", path, raw=sent, as_=None, headers=forged)).status == 403
    assert (await desk_client.request("POST", "/in/nobody", raw=sent, as_=None)).status == 404
    huge = b"x" * 1_000_001
    assert (await desk_client.request("POST", path, raw=huge, as_=None, headers=forged)).status == 413
    assert await desk_client.store.read(record, database) == before
    good = signing.headers(secret, "m-1", desk_client.clock.now() // 1000, sent)
    assert (await desk_client.request("POST", path, raw=sent, as_=None, headers=good)).status == 200
    assert await desk_client.store.read(record, database) != before
