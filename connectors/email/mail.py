"""One mail as `connectors.email.reading.read` takes it apart, in a child. Judged by `connectors.email.parse`.

Everything is as the sender wrote it, decoded and bounded; nothing in here is proven.
"""

from typing import Literal

import msgspec


class Address(msgspec.Struct, frozen=True):
    """`address` as it was written, decoded; empty where there was none (`undisclosed-recipients:;`)."""

    address: str
    name: str = ""


class Part(msgspec.Struct, frozen=True):
    """An attachment or a picture of the text; `ref` is what `fetch` takes it out of the raw bytes by."""

    ref: str  # "part:<n>"
    name: str = ""
    content_type: str = "application/octet-stream"
    size: int = 0
    cid: str | None = None  # Content-ID without its brackets
    inline: bool = False


class Bounce(msgspec.Struct, frozen=True):
    """What a delivery status notification, or a bounce in one of the older forms, says of a mail of ours."""

    state: Literal["failed", "delayed", "delivered"]
    message_id: str = ""  # of the mail that it is about, with its brackets
    recipient: str = ""
    reason: str = ""  # for people: "550 5.1.1 No such user"


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    digest: str  # of the raw bytes
    message_id: str = ""  # with its brackets; empty where there is none that can be used
    in_reply_to: tuple[str, ...] = ()  # with their brackets, at most 20
    references: tuple[str, ...] = ()  # with their brackets, oldest first; of a long chain the first and the last ones
    subject: str = ""
    sent_at: int | None = None  # milliseconds
    senders: tuple[Address, ...] = ()  # From; more than one is odd, and none too
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()  # at most 100 of each
    cc: tuple[Address, ...] = ()
    delivered_to: tuple[str, ...] = ()  # Delivered-To, X-Original-To, Envelope-To
    return_path: str | None = None  # "" is the null return path; None: the field is missing
    auto_submitted: str = ""
    precedence: str = ""
    listed: bool = False  # it has a List-Id or a List-Unsubscribe
    loops: tuple[str, ...] = ()  # X-Loop, X-Parley-Loop
    suppress: str = ""  # X-Auto-Response-Suppress
    hops: int = 0  # how many Received fields
    results: tuple[str, ...] = ()  # Authentication-Results, topmost first, as they stand
    text: str = ""  # all that they wrote: plain text, or what the HTML says
    new_text: str = ""  # without what they quote and without their signature
    quoted: str = ""
    signature: str = ""
    html: str | None = None  # sanitised
    files: tuple[Part, ...] = ()
    bounce: Bounce | None = None
    receipt: bool = False  # a read receipt (RFC 8098)
    flags: tuple[str, ...] = ()  # what an agent should know: "cut", "encrypted", "signed", "calendar"…
