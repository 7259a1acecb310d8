"""Autobahn's cases against our socket: its own reader, limits and endings, with what comes in sent back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from kosoku import FailureError, run_fuzzingclient

from hub.live import protocol
from hub.live.protocol import End, Frame
from hub.web.socket import SocketLine, _listen

# Binary frames (we end with 1003), messages over our limit of 1 MB, compression (we offer none).
NOT_OURS = ["1.2.*", "9.*", "12.*", "13.*"]


class Echo:
    """In the place of hub.web.talk.Talk."""

    def __init__(self, line: SocketLine) -> None:
        self.line = line

    def heard(self) -> bool:
        return True

    async def take(self, text: str) -> None:
        self.line.send(Frame(text.encode()))
        await self.line.drained()

    def end(self, end: End) -> None:
        self.line.end(end)


async def echo(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(
        timeout=5.0, autoclose=False, autoping=False, compress=False, max_msg_size=protocol.MAX_AGENT
    )
    await socket.prepare(request)
    assert request.transport is not None
    line = SocketLine(request.transport, request.protocol)
    talk: Any = Echo(line)
    await _listen(socket, line, talk)
    return socket


@pytest_asyncio.fixture
async def address() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.timeout(180)
async def test_no_case_of_autobahn_fails(address: str) -> None:
    try:
        async with asyncio.timeout(150):
            results = await run_fuzzingclient(address, None, NOT_OURS, concurrency=8)
    except FailureError as error:
        pytest.fail(str(error))
    assert len(results) > 200
