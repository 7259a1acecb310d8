"""The guarded client against a canary on this machine: nothing may reach it but what the operator allows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from hub import addresses
from hub.addresses import is_public, wrong_url
from hub.connector import Rejected, Retry, Unknown
from hub.work.http import SafeClient


class Canary:
    """`hits`: whatever connected. Answers by path."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self.port = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.hits.append(request.path)
        match request.path:
            case "/redirect":
                return web.Response(status=302, headers={"Location": f"http://127.0.0.1:{self.port}/inner"})
            case "/huge":
                response = web.StreamResponse()
                await response.prepare(request)
                try:
                    while True:
                        await response.write(b"x" * 65_536)
                except ConnectionError:
                    return response
            case "/slow":
                response = web.StreamResponse()
                await response.prepare(request)
                while True:
                    await response.write(b"x")
                    await asyncio.sleep(0.05)
            case "/cut":
                assert request.transport is not None
                request.transport.abort()
            case "/zipped":
                return web.Response(body=b"\x1f\x8b\x08 not really", headers={"Content-Encoding": "gzip"})
            case "/cookie":
                return web.Response(text=request.headers.get("Cookie", ""), headers={"Set-Cookie": "a=b"})
        return web.Response(text="canary")


@pytest_asyncio.fixture
async def canary() -> AsyncIterator[Canary]:
    made = Canary()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@pytest_asyncio.fixture
async def guarded(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SafeClient]:
    """Allows the canary's port, so that only the guard of addresses stands before it."""
    monkeypatch.setattr(addresses, "PORTS", frozenset({canary.port}))
    client = SafeClient()
    yield client
    await client.close()


@pytest_asyncio.fixture
async def allowed(canary: Canary) -> AsyncIterator[SafeClient]:
    client = SafeClient([f"127.0.0.1:{canary.port}"])
    yield client
    await client.close()


LOOPBACKS = [
    *("127.0.0.1", "localhost", "localhost.", "LOCALHOST", "127.1", "0177.0.0.1", "2130706433", "0x7f.1", "0"),
    *(
        "127.0.0.1.",
        "１２７.0.0.1",
        "①②⑦.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "127.255.255.254",
    ),
]


@pytest.mark.parametrize("host", LOOPBACKS)
async def test_no_way_of_writing_it_leads_to_this_machine(canary: Canary, guarded: SafeClient, host: str) -> None:
    with pytest.raises((Rejected, Retry)) as refused:
        await guarded.request("POST", f"http://{host}:{canary.port}/", body=b"x", allow_http=True)
    assert canary.hits == []
    assert "127.0.0.1" not in str(refused.value).replace(host, "")


async def test_a_name_that_turns_to_a_private_address_is_judged_when_it_is_connected_to(
    canary: Canary, guarded: SafeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS that answers with something public when it is asked first, and with the inner network afterwards."""
    answers = iter(["203.0.113.1", "127.0.0.1", "127.0.0.1"])
    real = asyncio.get_running_loop().getaddrinfo

    async def rebinding(host: Any, port: Any, **more: Any) -> Any:
        return await real(next(answers), port, **more) if host == "evil.example" else await real(host, port, **more)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebinding)
    for _ in range(3):
        with pytest.raises(Rejected, match="private network"):
            await guarded.request("GET", f"http://evil.example:{canary.port}/", allow_http=True)
    assert canary.hits == []


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "198.18.0.1", "192.0.2.1"),
        *("203.0.113.9", "240.0.0.1", "255.255.255.255", "0.0.0.0", "224.0.0.1", "192.0.0.8", "::1", "::", "fd00::1"),
        *("::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1"),
        *("fec0::1", "fe80::1%lo", "ff02::1", "::127.0.0.1", "2001:db8::1", "no address"),
    ],
)
def test_what_is_not_public_is_known_to_be_so(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1"])
def test_what_is_public_may_be_called(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://shop.example/", "https"),
        ("ftp://shop.example/", "https"),
        ("file://server/share", "https"),
        ("javascript:alert(1)", "https"),
        ("gopher://shop.example", "https"),
        ("//shop.example/", "https"),
        ("shop.example", "https"),
        ("https:shop.example", "https"),
        ("https:///shop.example", "https"),
        ("https://good@evil.example/", "password"),
        ("https://a:b@evil.example/", "password"),
        ("https://good\\@evil.example/", "backslash"),
        ("https://shop.example/a b", "space"),
        ("https://shop.example/\r\nX: y", "control"),
        ("https://shop.example:22/", "Port 22"),
        ("https://shop.example:6379/", "Port 6379"),
        ("https://shop.example:0/", "Port 0"),
        ("https://shop.example:65536/", "no address"),
        ("https://shop.example:abc/", "no address"),
        ("https://[::1/", "no address"),
        ("https://10.1.2.3/", "private"),
        ("https://[fd00::1]/", "private"),
        ("https://localhost/", "private"),
        ("https://shop.example/" + "a" * 8_000, "longer"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_the_rule(url: str, says: str) -> None:
    assert says in (wrong_url(url) or "")


def test_good_addresses_are_not_refused() -> None:
    for url in (
        "https://shop.example",
        "HTTPS://shop.example/x?y#z",
        "https://shop.example:8443/",
        "https://ሰላም.example/",
    ):
        assert wrong_url(url) is None
    assert wrong_url("http://shop.example", allow_http=True) is None
    assert wrong_url("http://intranet:9000/x", allow_http=True, allowed={"intranet:9000"}) is None


async def test_the_operator_may_open_one_place_and_no_other(canary: Canary, allowed: SafeClient) -> None:
    url = f"http://127.0.0.1:{canary.port}/"
    answer = await allowed.request("POST", url, body=b"x", allow_http=True)
    assert (answer.status, answer.body) == (200, b"canary")
    with pytest.raises(Rejected, match="https"):
        await allowed.request("POST", url)
    with pytest.raises(Rejected):
        await allowed.request("POST", f"http://localhost:{canary.port}/", allow_http=True)
    assert len(canary.hits) == 1


async def test_redirects_are_not_followed_cookies_not_kept_and_answers_not_unpacked(
    canary: Canary, allowed: SafeClient
) -> None:
    base = f"http://127.0.0.1:{canary.port}"
    assert (await allowed.request("GET", f"{base}/redirect", allow_http=True)).status == 302
    for _ in range(2):
        assert (await allowed.request("GET", f"{base}/cookie", allow_http=True)).body == b""
    assert (await allowed.request("GET", f"{base}/zipped", allow_http=True)).body.startswith(b"\x1f\x8b")
    assert "/inner" not in canary.hits


async def test_an_answer_is_bounded_in_size_and_in_time(canary: Canary, allowed: SafeClient) -> None:
    base = f"http://127.0.0.1:{canary.port}"
    huge = await allowed.request("GET", f"{base}/huge", allow_http=True, max_body=10_000)
    assert len(huge.body) == 10_000
    with pytest.raises(Unknown):
        await allowed.request("GET", f"{base}/slow", allow_http=True, timeout=0.3)


async def test_what_may_have_arrived_is_told_from_what_did_not(canary: Canary, allowed: SafeClient) -> None:
    base = f"http://127.0.0.1:{canary.port}"
    with pytest.raises(Unknown):
        await allowed.request("POST", f"{base}/cut", body=b"x", allow_http=True)
    closed = SafeClient(["127.0.0.1:1"])
    with pytest.raises(Retry, match="cannot be reached"):
        await closed.request("POST", "http://127.0.0.1:1/", body=b"x", allow_http=True)
    nowhere = SafeClient()
    with pytest.raises(Retry, match="cannot be reached"):
        await nowhere.request("POST", "https://no-such-host.invalid/")
    for client in (closed, nowhere):
        await client.close()


async def test_headers_cannot_smuggle_lines(canary: Canary, allowed: SafeClient) -> None:
    with pytest.raises(Rejected):
        await allowed.request("GET", f"http://127.0.0.1:{canary.port}/", headers={"X": "a\r\nY: b"}, allow_http=True)
    assert canary.hits == []
