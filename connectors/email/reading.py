"""Takes a mail apart: bytes into a `Mail`. Pure; holds no secret; run by the hub in a child of its own.

    read(raw)       all that is known of it
    part(raw, n)    the content of its part n, for `File.ref` "part:<n>"

Whatever the bytes are, there is a Mail, or one sentence why there is none (`Unparsable`). Sizes are bounded everywhere;
the raw bytes are kept by the hub, so that nothing is lost by it.
"""

import hashlib
from collections.abc import Sequence
from html import escape
from typing import Final

from connectors.email import bodies, charsets, headers, invitations, parts, reports
from connectors.email.addresses import addresses
from connectors.email.headers import Headers
from connectors.email.mail import Address, Mail
from connectors.email.mail import Part as File
from connectors.email.parts import Part
from hub.connector import Unparsable

MAX_SUBJECT: Final = 500
MAX_ADDRESSES: Final = 100
MAX_RESULTS: Final = 10
MAX_VALUE: Final = 4_000
_ENCRYPTED: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"})
_SIGNED: Final = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)
_TNEF: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_NO_FILES: Final = frozenset({"message/delivery-status", "message/disposition-notification", "text/x-amp-html"})
_ENDINGS: Final = {
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/html": ".html",
    "text/plain": ".txt",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    "application/pgp-signature": ".asc",
    "application/pkcs7-signature": ".p7s",
    "application/pkcs7-mime": ".p7m",
    "application/ms-tnef": ".dat",
}


def read(raw: bytes) -> Mail:
    raw = _with_line_ends(raw)
    if not raw.strip():
        raise Unparsable("The mail is empty.")
    found, leaves, flags = parts.leaves(raw)
    if not found.fields:
        raise Unparsable("This is no mail: it has no header fields.")
    senders = addresses(_joined(found, "from"), MAX_ADDRESSES)
    subject = found.words("subject", MAX_SUBJECT)
    body = bodies.read(leaves, senders[0] if senders else Address(""))
    flags += body.flags
    flags += _kinds(leaves)
    if found.cut:
        flags.append("headers")
    if len(senders) > 1 or sum(1 for _ in found.all("from")) > 1:
        flags.append("senders")
    return_path = found.raw("return-path")
    calendar = next((leaf for leaf in leaves if leaf.content_type == "text/calendar"), None)
    return Mail(
        digest=_digest(raw, found, leaves),
        message_id=next(iter(headers.ids(found.get("message-id"))), ""),
        in_reply_to=headers.ids(found.get("in-reply-to"))[:20],
        references=headers.ids(found.get("references")),
        subject=subject,
        sent_at=headers.date(found.get("date")),
        senders=senders,
        reply_to=addresses(found.raw("reply-to"), MAX_ADDRESSES),
        to=addresses(_joined(found, "to"), MAX_ADDRESSES),
        cc=addresses(_joined(found, "cc"), MAX_ADDRESSES),
        delivered_to=tuple(
            one.address
            for name in ("delivered-to", "x-original-to", "envelope-to")
            for value in list(found.all(name))[:10]
            for one in addresses(value, 10)
            if one.address
        ),
        return_path=None if return_path is None else charsets.line(headers.text_of(return_path), 320).strip("<> "),
        auto_submitted=found.get("auto-submitted")[:200],
        precedence=found.get("precedence")[:200],
        listed=any(name in found for name in ("list-id", "list-unsubscribe", "list-post")),
        loops=tuple(
            headers.text_of(value)[:200] for name in ("x-loop", "x-parley-loop") for value in list(found.all(name))[:20]
        ),
        suppress=found.get("x-auto-response-suppress")[:200],
        hops=sum(1 for _ in found.all("received")),
        results=tuple(
            headers.text_of(value)[:MAX_VALUE] for value in list(found.all("authentication-results"))[:MAX_RESULTS]
        ),
        text=body.text,
        new_text=body.trimmed.new,
        quoted=body.trimmed.quoted,
        signature=body.trimmed.signature,
        html=body.html,
        files=tuple(
            _file(leaf, body.html or "")
            for leaf in leaves
            if leaf.number not in body.used and leaf.content_type not in _NO_FILES
        ),
        bounce=reports.bounce(raw, found, leaves, senders, subject),
        receipt=reports.is_receipt(found, leaves),
        receipt_of=reports.about(leaves),
        invitation=invitations.read(calendar.content(invitations.MAX_BYTES * 2)) if calendar is not None else None,
        flags=tuple(dict.fromkeys(flags)),
    )


def part(raw: bytes, number: int) -> bytes:
    """The content of one part, decoded."""
    _, leaves, _ = parts.leaves(_with_line_ends(raw))
    found = next((leaf for leaf in leaves if leaf.number == number), None)
    if found is None:
        raise Unparsable("The mail has no such part.")
    return found.content()


def _with_line_ends(raw: bytes) -> bytes:
    """A mail whose lines end in bare carriage returns is a single line to everything else."""
    beginning = raw[:65_536]
    if b"\n" not in beginning and b"\r" in beginning:
        raw = raw.replace(b"\r", b"\n")
    return raw.lstrip(b"\r\n\xef\xbb\xbf")


def _joined(found: Headers, name: str) -> bytes | None:
    """A field that some programs write several of."""
    values = list(found.all(name))[:50]
    return b", ".join(values)[: headers.MAX_FIELD] if values else None


def _digest(raw: bytes, found: Headers, leaves: Sequence[Part]) -> str:
    """Of what the sender wrote, and of nothing that servers add on the way."""
    digest = hashlib.blake2b(digest_size=16)
    for name in ("from", "date", "subject", "message-id"):
        digest.update((found.raw(name) or b"") + b"\n")
    for leaf in leaves:
        digest.update(raw[leaf.start : leaf.end].strip())
    return digest.hexdigest()


def _kinds(leaves: Sequence[Part]) -> list[str]:
    """What there is in it that is not read."""
    found = []
    for leaf in leaves:
        kind = leaf.content_type
        if kind in _SIGNED or leaf.parameters.get("smime-type", "").lower() == "signed-data":
            found.append("signed")
        elif kind in _ENCRYPTED or "encrypted" in leaf.within:
            found.append("encrypted")
        elif kind in ("message/external-body", "message/partial"):
            found.append("external")
        elif kind in _TNEF:
            found.append("tnef")
    return found


def _file(leaf: Part, html: str) -> File:
    """As a list of attachments shows it. Its content is decoded once, to know its size."""
    cid = leaf.cid  # many programs give one to every attachment: it counts where the HTML shows it
    inline = cid is not None and f'"cid:{escape(cid)}"' in html
    name = leaf.name
    if not name and leaf.content_type in ("message/rfc822", "message/global"):
        inner, _ = headers.split(leaf.content(64_000))
        name = parts.safe_name(inner.words("subject", 100) or "mail") + ".eml"
    if not name:
        name = f"part-{leaf.number}{_ENDINGS.get(leaf.content_type, '.bin')}"
    return File(
        ref=f"part:{leaf.number}",
        name=name,
        content_type=leaf.content_type,
        size=len(leaf.content()),
        cid=cid if inline else None,
        inline=inline,
    )
