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
    inline: bool = False  # shown within the HTML, by its cid


class Bounce(msgspec.Struct, frozen=True):
    """What a delivery status notification, or a bounce in one of the older forms, says of a mail of ours."""

    state: Literal["failed", "delayed", "delivered"]
    message_id: str = ""  # of the mail that it is about, with its brackets
    recipient: str = ""
    reason: str = ""  # for people: "550 5.1.1 No such user"
    recipients: tuple[str, ...] = ()  # all that it is about; `recipient` is the first of them
    sure: bool = True  # else it only looks like a bounce, and may be what somebody wrote


class Invitation(msgspec.Struct, frozen=True):
    """A calendar file in a few words. Times as ISO 8601."""

    method: str = ""  # REQUEST, CANCEL, REPLY…
    summary: str = ""
    starts: str = ""
    ends: str = ""
    place: str = ""
    organizer: str = ""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    digest: str  # of what the sender wrote: the same however the mail travelled
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
    html: str | None = None  # sanitised; what it quotes lies in <details>, so that it is folded
    files: tuple[Part, ...] = ()
    bounce: Bounce | None = None
    receipt: bool = False  # a read receipt (RFC 8098)
    receipt_of: str = ""  # the id of the mail that it is about
    invitation: Invitation | None = None
    # What an agent should know: "cut" (the text goes on in the raw mail), "headers" (so do the header fields), "parts"
    # and "nested" (not all parts were looked at), "broken" (its parts cannot be told apart), "charset" (some characters
    # may be wrong), "encrypted", "signed", "external" (it only refers to content elsewhere), "tnef" (a winmail.dat),
    # "hidden" (something in its HTML could not be seen), "links" (a link shows another address than it goes to),
    # "senders" (it has several).
    flags: tuple[str, ...] = ()
