"""GET /live: the live protocol over a WebSocket. Cookies count for nothing here; hello says who it is.

Frames to the client are written to its transport, whose buffer is the queue: there is no task and no timer for a
connection besides the handler that reads from it.
"""

import asyncio
from typing import Any, Final, cast

from aiohttp import WSMsgType, hdrs, web
from aiohttp.base_protocol import BaseProtocol

from hub.live import protocol
from hub.live.protocol import End, Frame, Several
from hub.web.keys import DESK
from hub.web.origin import own_page
from hub.web.problem import HttpError
from hub.web.remote import remote
from hub.web.talk import Talk

_CLOSE_SECONDS: Final = 5.0


class SocketLine:
    """A client's socket as hub.live sees it."""

    __slots__ = ("_protocol", "_transport", "over")

    patience: Final = protocol.DEAD
    beats: Final = True

    def __init__(self, transport: asyncio.Transport, protocol: BaseProtocol) -> None:
        self._transport, self._protocol = transport, protocol
        self.over = False

    def send(self, frame: Frame | Several) -> bool:
        if self.over:
            return True
        transport = self._transport
        try:
            transport.write(frame.wire)
            return transport.get_write_buffer_size() <= protocol.MAX_BUFFER
        except RuntimeError:  # closed: its handler is about to say that it is gone
            return True

    def end(self, end: End) -> None:
        if not self.over:
            self.over = True
            if not self._transport.is_closing():
                self._transport.write(protocol.close_frame(end))

    def abort(self) -> None:
        self._transport.abort()

    async def drained(self) -> None:
        await self._protocol._drain_helper()

    def pong(self, data: bytes) -> None:
        if not self.over and not self._transport.is_closing():
            self._transport.write(bytes((0x8A, len(data))) + data)

    def bye(self, code: int | None) -> None:
        """The client ends it, or has answered our end."""
        if not self.over and not self._transport.is_closing():
            answer = code if code in _ECHOED else 1002 if code in _NEVER_SENT else 1000
            self._transport.write(protocol.close_frame(End(answer, "")))
        self.over = True
        self._transport.close()


class Masked:
    """In front of aiohttp's parser, which takes frames without a mask as well: what a client says first shows whether
    it masks at all (RFC 6455, 5.1)."""

    __slots__ = ("_data", "_line", "_parser", "_protocol")

    def __init__(self, protocol: Any, line: SocketLine) -> None:
        self._protocol, self._line = protocol, line
        self._parser = protocol._payload_parser
        self._data = b""
        protocol._payload_parser = self

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self._data += data
        if len(self._data) < 2:
            return False, b""
        if not self._data[1] & 0x80:
            self._line.end(End(1002, "frames of a client are masked"))
            self._line.bye(None)
            return True, b""
        self._protocol._payload_parser = self._parser
        found: tuple[bool, bytes] = self._parser.feed_data(self._data)
        return found

    def feed_eof(self) -> None:
        self._parser.feed_eof()


_ECHOED: Final = frozenset((1000, 1001))
_NEVER_SENT: Final = frozenset((1005, 1006, 1015))  # RFC 6455, 7.4.1; aiohttp lets the second through


async def live(request: web.Request) -> web.StreamResponse:
    desk = request.app[DESK]
    ours = own_page(request)
    if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
        raise HttpError("malformed", "This address speaks WebSocket; POST /live/poll is there for what cannot.")
    socket = web.WebSocketResponse(
        timeout=_CLOSE_SECONDS, autoclose=False, autoping=False, compress=False, max_msg_size=protocol.MAX_AGENT
    )
    await socket.prepare(request)
    transport = request.transport
    if transport is None:
        return socket
    line = SocketLine(transport, cast(BaseProtocol, request.protocol))
    talk = Talk(desk, line, own_page=ours, remote=remote(request, desk.config.trusted_proxies))
    Masked(request.protocol, line)
    desk.live.expect(line)
    try:
        await _listen(socket, line, talk)
    finally:
        talk.gone()
    return socket


async def _listen(socket: web.WebSocketResponse, line: SocketLine, talk: Talk) -> None:
    while True:
        message = await socket.receive()
        if message.type is WSMsgType.TEXT:
            if not line.over:
                await talk.take(message.data)
        elif message.type is WSMsgType.PING:
            if not line.over and talk.heard():
                line.pong(message.data)
        elif message.type is WSMsgType.PONG:
            talk.heard()
        elif message.type is WSMsgType.BINARY:
            talk.end(protocol.BINARY)
        elif message.type is WSMsgType.CLOSE:
            line.bye(message.data)
            return
        else:
            return
