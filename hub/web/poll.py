"""POST /live/poll and /live/poll/<id>: the live protocol for networks that let no WebSocket through.

What would go over a socket is kept until a later poll says that it has come. A client that does not poll for a minute,
or lets a megabyte pile up, is let go and comes back with its cursor.
"""

import asyncio
import secrets
from collections import deque
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web

from hub.live import protocol
from hub.live.protocol import End, Frame, Several, frame
from hub.web import body, rest
from hub.web.keys import DESK
from hub.web.origin import own_page
from hub.web.problem import HttpError
from hub.web.remote import remote
from hub.web.talk import Talk

LIFE_SECONDS: Final = 60
LONGEST_WAIT: Final = 25
MOST_FRAMES: Final = 100
LOW_WATER: Final = 250_000
MAX_POLLS: Final = 10_000

Frames = Annotated[list[dict[str, Any]], msgspec.Meta(max_length=MOST_FRAMES)]


class Opening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    frames: Frames


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`after`: the last frame that has come; `wait`: seconds to wait for more."""

    after: Annotated[int, msgspec.Meta(ge=0)]
    frames: Frames = []
    wait: Annotated[float, msgspec.Meta(ge=0)] = LONGEST_WAIT


class Poll:
    """One client that polls: its line and what it says."""

    __slots__ = ("_doing", "_first", "_kept", "_room", "_said", "_size", "_waiter", "id", "over", "polls", "talk")

    patience: Final = LIFE_SECONDS
    beats: Final = False

    def __init__(self, polls: "dict[str, Poll]") -> None:
        self.id = secrets.token_urlsafe(16)
        self.polls = polls
        self.over = False
        self.talk: Talk | None = None
        self._kept: deque[bytes] = deque()
        self._first = 1  # the number of the oldest kept
        self._size = 0
        self._waiter: asyncio.Future[bool] | None = None
        self._room = asyncio.Event()
        self._said: deque[dict[str, Any]] = deque()
        self._doing: asyncio.Task[None] | None = None
        self._room.set()

    # --- as hub.live sees it -----------------------------------------------------------------------------------------

    def send(self, frame: Frame | Several) -> bool:
        if self.over:
            return True
        for one in frame.each:
            self._keep(one.text)
        return self._size <= protocol.MAX_BUFFER

    def end(self, end: End) -> None:
        if not self.over:
            self._keep(frame("closing", code=end.code, why=end.why).text)
            self.over = True
            self._room.set()

    def abort(self) -> None:
        self.polls.pop(self.id, None)

    async def drained(self) -> None:
        await self._room.wait()

    def _keep(self, text: bytes) -> None:
        self._kept.append(text)
        self._size += len(text)
        if self._size > LOW_WATER:
            self._room.clear()
        self._wake(True)

    def _wake(self, newest: bool) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(newest)

    # --- as the client sees it ---------------------------------------------------------------------------------------

    def say(self, frames: list[dict[str, Any]]) -> None:
        """Takes them one after the other, however long one lasts."""
        self._said.extend(frames)
        if self._said and (self._doing is None or self._doing.done()):
            self._doing = asyncio.create_task(self._take(), name="live-poll")

    async def _take(self) -> None:
        assert self.talk is not None
        while self._said and not self.over:
            given = self._said.popleft()
            if self.talk.heard():
                await self.talk.say(given)

    def arrived(self, after: int) -> None:
        """Whatever came up to `after` need not be kept."""
        while self._kept and self._first <= after:
            self._size -= len(self._kept.popleft())
            self._first += 1
        if self._size <= LOW_WATER:
            self._room.set()

    async def fetch(self, seconds: float) -> list[bytes]:
        """What is kept, or comes within that time; nothing when a newer poll takes its place."""
        self._wake(False)
        if not self._kept and seconds > 0:
            waiter = self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    if not await waiter:
                        return []
            except TimeoutError:
                pass
            finally:
                if self._waiter is waiter:
                    self._waiter = None
            await asyncio.sleep(0)  # what is sent together comes together
        return list(self._kept)

    def answer(self, frames: list[bytes], opening: bool) -> web.Response:
        name = b'"poll":' + msgspec.json.encode(self.id) + b"," if opening else b""
        last = self._first - 1 + len(frames)
        text = b"{" + name + b'"frames":[' + b",".join(frames) + b'],"after":' + str(last).encode() + b"}"
        return web.Response(body=text, content_type=rest.JSON)


async def start(request: web.Request) -> web.Response:
    """A new one; its first frame is a hello."""
    desk = request.app[DESK]
    ours = own_page(request)
    address = remote(request, desk.config.trusted_proxies)
    asked = rest.typed(Opening, await body.read_json(request))
    if len(desk.live.polls) >= MAX_POLLS:
        raise HttpError("unavailable", "Too many poll already. Try again in a moment.")
    poll = Poll(desk.live.polls)
    poll.talk = Talk(desk, poll, own_page=ours, remote=address)
    desk.live.expect(poll)
    poll.polls[poll.id] = poll
    poll.say(asked.frames)
    return poll.answer(await poll.fetch(LONGEST_WAIT), opening=True)


async def go_on(request: web.Request) -> web.Response:
    desk = request.app[DESK]
    own_page(request)
    poll = desk.live.polls.get(request.match_info["id"])
    if not isinstance(poll, Poll):
        raise HttpError("not_found", "This is over. Say hello again, with your cursor.")
    asked = rest.typed(Asked, await body.read_json(request))
    poll.arrived(asked.after)
    if poll.talk is not None and poll.talk.session is not None:
        poll.talk.session.heard = desk.live.now
    poll.say(asked.frames)
    frames = await poll.fetch(min(asked.wait, LONGEST_WAIT))
    return poll.answer(frames, opening=False)
