"""The frames of the live protocol and the codes it ends with; docs/protocol.md describes them for others.

Used by the rest of hub.live and by its two doors, hub.web.socket and hub.web.poll.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec

HEARTBEAT: Final = 20  # seconds of silence after which a side says something
DEAD: Final = 45  # seconds of silence after which a line is taken to be dead
HELLO_WITHIN: Final = 10
REPLAY: Final = 2_000  # events, at most; who is further behind starts from a snapshot
MAX_VISITOR: Final = 64 * 1024
MAX_AGENT: Final = 1_000_000
MAX_BUFFER: Final = 1_000_000  # bytes that may wait for one client
STRIKES: Final = 3

encode = msgspec.json.Encoder().encode


class End(NamedTuple):
    """Why a connection is ended, as its close code and in words."""

    code: int
    why: str


NO_TICKET: Final = End(4401, "no ticket, or one that does not hold")
NO_HELLO: Final = End(4401, "no hello in time")
SIGNED_OUT: Final = End(4401, "signed out")
RIGHTS_TAKEN: Final = End(4403, "no rights here any longer")
TOO_SLOW: Final = End(4408, "too slow: come back with the cursor")
SILENT: Final = End(4408, "nothing heard for too long")
NO_JSON: Final = End(1007, "frames that are no JSON objects")
BINARY: Final = End(1003, "only text frames are understood")
TOO_MANY: Final = End(1008, "too many frames")
TOO_LARGE: Final = End(1009, "the frame is too large")
RESTART: Final = End(1012, "restart: come back after up to 5 s, chosen at random")


class Frame:
    """One frame for any number of clients: as JSON, and as it goes over a WebSocket, each made once."""

    __slots__ = ("text", "wire")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.wire = text_header(len(text)) + text

    @property
    def each(self) -> Sequence["Frame"]:
        return (self,)


class Several:
    """Frames that go out in one write: fifty events to twenty clients cost twenty writes and not a thousand."""

    __slots__ = ("each", "wire")

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.each = frames
        self.wire = b"".join([frame.wire for frame in frames])


def frame(type: str, **fields: Any) -> Frame:
    return Frame(encode({"type": type, **fields}))


def text_header(length: int) -> bytes:
    """Of an unmasked, final text frame (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((0x81, length))
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")


def close_frame(end: End) -> bytes:
    body = end.code.to_bytes(2, "big") + end.why.encode()[:123]
    return bytes((0x88, len(body))) + body


PING: Final = frame("ping")
PONG: Final = frame("pong")

Why = Literal["too_far_behind", "unknown_cursor", "rights_changed"]


def snapshot_required(why: Why) -> Frame:
    return frame("snapshot_required", why=why)


# --- what comes in -----------------------------------------------------------------------------------------------


class _In(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that a frame has besides are passed over: a newer client may speak to an older desk."""


Cursor = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Text = Annotated[str, msgspec.Meta(max_length=4_000)]


class Hello(_In, frozen=True, kw_only=True):
    """An agent comes with `ticket`, a visitor with `inbox`."""

    cursor: Cursor | None = None
    ticket: Text | None = None
    present: bool | None = None
    inbox: Text | None = None
    visitor: Text | None = None
    site: Text | None = None
    page: Text | None = None
    referrer: Text | None = None
    language: Text | None = None
    jwt: Text | None = None


class Command(_In, frozen=True, kw_only=True):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    name: str
    request: dict[str, Any] = {}
    client_id: Annotated[str, msgspec.Meta(pattern="^[ -~]{1,200}$")] | None = None


class Typing(_In, frozen=True, kw_only=True):
    on: bool
    number: Number | None = None  # a visitor has no need to say
    mode: Literal["reply", "note"] = "reply"


class Viewing(_In, frozen=True, kw_only=True):
    number: Number | None


class Seen(_In, frozen=True, kw_only=True):
    cursor: Cursor


class Active(_In, frozen=True, kw_only=True):
    """Somebody sits there: an agent's page says so at most once a minute."""


INCOMING: Final[dict[str, type[Any]]] = {
    "hello": Hello,
    "command": Command,
    "typing": Typing,
    "viewing": Viewing,
    "seen": Seen,
    "active": Active,
}
