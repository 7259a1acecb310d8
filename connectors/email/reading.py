"""Takes a mail apart: bytes into a `Mail`. Pure; holds no secret; run by the hub in a child of its own."""

import email
import hashlib
import re
from email.header import decode_header
from email.message import Message as Parsed
from email.utils import getaddresses, mktime_tz, parsedate_tz
from html import unescape
from typing import Final

from connectors.email.mail import Address, Bounce, Mail, Part

MAX_HEADER: Final = 20_000
MAX_IDS: Final = 50
MAX_ADDRESSES: Final = 100
MAX_TEXT: Final = 10_000
_ID: Final = re.compile(r"<[^<>\s]{1,250}>")
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_TAG: Final = re.compile(r"<(?:style|script)\b.*?</(?:style|script)\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)


def read(raw: bytes) -> Mail:
    parsed = email.message_from_bytes(raw)
    texts: list[str] = []
    pages: list[str] = []
    files: list[Part] = []
    for number, part in enumerate(parsed.walk()):
        if part.is_multipart():
            continue
        kind, name = part.get_content_type(), part.get_filename()
        if kind in ("text/plain", "text/html") and not name and part.get_content_disposition() != "attachment":
            (texts if kind == "text/plain" else pages).append(_decoded(part))
        elif parsed.get_content_type() != "multipart/report":
            body = part.get_payload(decode=True)
            size = len(body) if isinstance(body, bytes) else 0
            files.append(Part(f"part:{number}", _line(name or "", 250), kind, size))
    text = "\n\n".join(texts) or "\n\n".join(unescape(_TAG.sub(" ", page)) for page in pages)
    text = _CONTROL.sub("", text.replace("\r\n", "\n")).strip()
    ids = _ID.findall(_raw(parsed, "Message-ID"))
    references = _ID.findall(_raw(parsed, "References"))
    date = parsedate_tz(_raw(parsed, "Date")[:200])
    try:
        sent_at = int(mktime_tz(date) * 1000) if date else None
    except (ValueError, OverflowError):
        sent_at = None
    return_path = parsed.get("Return-Path")
    return Mail(
        digest=hashlib.blake2b(raw, digest_size=16).hexdigest(),
        message_id=ids[0] if ids else "",
        in_reply_to=tuple(_ID.findall(_raw(parsed, "In-Reply-To"))[:MAX_IDS]),
        references=tuple(references[:10] + references[10:][-MAX_IDS:]),
        subject=_line(_words(parsed, "Subject"), 500),
        sent_at=sent_at,
        senders=_addresses(parsed, "From"),
        reply_to=_addresses(parsed, "Reply-To"),
        to=_addresses(parsed, "To"),
        cc=_addresses(parsed, "Cc"),
        delivered_to=tuple(
            address.address
            for name in ("Delivered-To", "X-Original-To", "Envelope-To")
            for address in _addresses(parsed, name)
        ),
        return_path=None if return_path is None else str(return_path).strip().strip("<>")[:320],
        auto_submitted=_raw(parsed, "Auto-Submitted")[:200],
        precedence=_raw(parsed, "Precedence")[:200],
        listed="List-Id" in parsed or "List-Unsubscribe" in parsed,
        loops=tuple(str(one)[:200] for name in ("X-Loop", "X-Parley-Loop") for one in parsed.get_all(name, [])[:20]),
        suppress=_raw(parsed, "X-Auto-Response-Suppress")[:200],
        hops=len(parsed.get_all("Received", [])),
        results=tuple(str(one)[:4_000] for one in parsed.get_all("Authentication-Results", [])[:10]),
        text=text[:MAX_TEXT],
        new_text=text[:MAX_TEXT],
        files=tuple(files),
        bounce=_bounce(parsed),
        receipt=str(parsed.get_param("report-type", "")).lower() == "disposition-notification",
        flags=("cut",) if len(text) > MAX_TEXT else (),
    )


def _bounce(parsed: Parsed) -> Bounce | None:
    if str(parsed.get_param("report-type", "")).lower() != "delivery-status":
        return None
    fields: dict[str, str] = {}
    original = ""
    for part in parsed.walk():
        if part.get_content_type() == "message/delivery-status":
            for group in part.get_payload() if isinstance(part.get_payload(), list) else []:
                fields |= {name.lower(): str(value) for name, value in group.items()}  # type: ignore[union-attr]
        elif part.get_content_type() == "text/rfc822-headers":
            found = re.search(r"^Message-ID:\s*(<[^<>\s]+>)", _decoded(part), re.IGNORECASE | re.MULTILINE)
            original = found[1] if found else original
        elif part is not parsed and part.get("Message-ID"):
            original = (_ID.findall(str(part["Message-ID"])) or [""])[0]
    action = fields.get("action", "failed").strip().lower()
    state = {"delayed": "delayed", "delivered": "delivered", "relayed": "delivered", "expanded": "delivered"}
    return Bounce(
        state.get(action, "failed"),  # type: ignore[arg-type]
        original,
        fields.get("final-recipient", "").partition(";")[2].strip(),
        _line(fields.get("diagnostic-code", "").partition(";")[2].strip() or fields.get("status", ""), 300),
    )


def _raw(parsed: Parsed, name: str) -> str:
    return str(parsed.get(name) or "")[:MAX_HEADER]


def _words(parsed: Parsed, name: str) -> str:
    value = _raw(parsed, name)
    try:
        return "".join(
            piece.decode(charset or "utf-8", "replace") if isinstance(piece, bytes) else piece
            for piece, charset in decode_header(value)
        )
    except (LookupError, ValueError):
        return value


def _line(text: str, most: int) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())[:most]


def _addresses(parsed: Parsed, name: str) -> tuple[Address, ...]:
    values = [_words(parsed, name)] if name in parsed else []
    try:
        found = getaddresses(values)
    except (RecursionError, IndexError):
        return ()
    return tuple(Address(_line(address, 320), _line(who, 200)) for who, address in found[:MAX_ADDRESSES] if address)


def _decoded(part: Parsed) -> str:
    body = part.get_payload(decode=True)
    if not isinstance(body, bytes):
        return ""
    try:
        return body.decode(str(part.get_content_charset() or "utf-8"), "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")
