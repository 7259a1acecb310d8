"""What servers report about mails of ours: bounces and delivery notices (RFC 3464 and older forms), read receipts
(RFC 8098). Called by connectors.email.reading.

Whether a mail is such a report its header fields tell; whom it is about tell its fields, else flufl.bounce, which
knows the forms of some dozens of servers.
"""

import email
import logging
import re
from collections.abc import Iterator, Sequence
from email.policy import compat32
from typing import Final, Literal

from connectors.email import charsets, headers
from connectors.email.headers import Headers
from connectors.email.mail import Address, Bounce
from connectors.email.parts import Part

State = Literal["failed", "delayed", "delivered"]

MAX_LOOKED_AT: Final = 256 * 1024  # bytes of a report
MAX_GROUPS: Final = 50
MAX_DIVIDED: Final = 1_000  # lines that begin as a boundary does
MAX_REASON: Final = 500
_STATES: Final[dict[str, State]] = {
    "failed": "failed",
    "delayed": "delayed",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}
_DAEMONS: Final = re.compile(r"^(?:mailer|mail|smtp)[-_.]?d[ae]+mon$|^mdaemon$", re.IGNORECASE)
_POSTMEN: Final = re.compile(
    r"^(?:postmaster|mail[-_.]?delivery[-_.]?(?:sub)?system|mailsystem|mail-?admin|bounces?|double-bounce|uucp|amavisd?"
    r"|no-?reply)(?:[-+=.].*)?$",
    re.IGNORECASE,
)
_ANSWERED: Final = re.compile(r"^\s*(?:re|aw|fwd?|wg|tr|sv|vs|отв|ответ|转发|回复)\s*:", re.IGNORECASE)
_SUBJECTS: Final = re.compile(
    r"undeliver(ed|able)|delivery (status )?(notification|failure|report|has failed|problem)|returned (mail"
    r"|to sender)"
    r"|failure notice|mail delivery (failed|system|failure)|delivery (unsuccessful|delayed)|could not (be )?deliver"
    r"|message (not delivered|delivery failure)|nondeliverable|mail (system )?error|unzustellbar|nicht zugestellt"
    r"|non remis|non[- ]distribu|no se (ha podido|pudo) entregar|недоставлен|не доставлен|не може бути доставлен"
    r"|未送达|退信|配信できません|wrong e-?mail address|user unknown",
    re.IGNORECASE,
)
_ID_LINE: Final = re.compile(rb"^[>| \t]*Message-ID:\s*(<[^<>\s]{1,998}>)", re.IGNORECASE | re.MULTILINE)
_CODE: Final = re.compile(
    r"\b([245]\d\d[ -](?:#?[245]\.\d{1,3}\.\d{1,3}\b)?[^\n]{0,300}|#?[245]\.\d{1,3}\.\d{1,3} [^\n]{1,300})"
)
_DELAYED: Final = re.compile(
    r"delayed|will (be retried|keep trying)|still trying|warning: could not|verzögert", re.IGNORECASE
)


def report_type(found: Headers) -> str:
    """ "delivery-status", "disposition-notification" or "", as the mail itself says."""
    kind, parameters = headers.parameters(found.get("content-type"))
    return parameters.get("report-type", "").lower() if kind == "multipart/report" else ""


def bounce(
    raw: bytes, found: Headers, parts: Sequence[Part], senders: Sequence[Address], subject: str
) -> Bounce | None:
    """What it says of a mail of ours; None: it is no report of a delivery."""
    status = next((part for part in parts if part.content_type.startswith("message/") and _is_status(part)), None)
    sure = report_type(found) == "delivery-status" or "x-failed-recipients" in found or _of_a_daemon(senders)
    if not (sure or status is not None or _looks_like_one(found, senders, subject)):
        return None
    words = _words_of(parts)
    state, recipients, reason = _by_its_fields(status) if status is not None else (None, [], "")
    if not recipients and (failed := found.get("x-failed-recipients")):
        recipients = [one.address for one in _addresses(failed) if one.address]
    if not recipients:
        recipients = _by_its_form(raw, senders, subject)
    if state is None:
        state = "delayed" if _DELAYED.search(f"{subject}\n{words[:2_000]}") else "failed"
    if not reason and (code := _CODE.search(words)) is not None:
        reason = code[1]
    return Bounce(
        state,
        _original(parts, words),
        recipients[0] if recipients else "",
        charsets.line(reason, MAX_REASON),
        tuple(recipients[:MAX_GROUPS]),
        sure,
    )


def is_receipt(found: Headers, parts: Sequence[Part]) -> bool:
    return report_type(found) == "disposition-notification" or any(
        part.content_type == "message/disposition-notification" for part in parts
    )


def about(parts: Sequence[Part]) -> str:
    """The id of the mail that a read receipt is about."""
    for part in parts:
        if part.content_type == "message/disposition-notification":
            fields, _ = headers.split(part.content(MAX_LOOKED_AT))
            return next(iter(headers.ids(fields.get("original-message-id"))), "")
    return ""


def _is_status(part: Part) -> bool:
    return part.content_type in ("message/delivery-status", "message/global-delivery-status")


def _of_a_daemon(senders: Sequence[Address]) -> bool:
    """By a name that no person has."""
    return any(_DAEMONS.match(one.address.partition("@")[0]) for one in senders)


def _looks_like_one(found: Headers, senders: Sequence[Address], subject: str) -> bool:
    postman = any(_POSTMEN.match(one.address.partition("@")[0]) for one in senders)
    nobody = found.get("return-path").strip() == "<>"
    tells = _SUBJECTS.search(subject) is not None and not _ANSWERED.match(subject)
    automatic = found.get("auto-submitted").strip().lower()[:5] == "auto-"
    return (postman and (nobody or tells or automatic)) or (tells and (nobody or automatic or not senders))


def _by_its_fields(part: Part) -> tuple[State | None, list[str], str]:
    """(what became of it, of whom, why): of several recipients the worst, and who fared so."""
    groups = list(_groups(part.content(MAX_LOOKED_AT)))
    found: list[tuple[State, str, str]] = []
    for fields in groups:
        recipient = _after_type(fields.get("original-recipient") or fields.get("final-recipient"))
        if not recipient and "action" not in fields:
            continue
        state = _STATES.get(fields.get("action").partition(";")[0].strip().lower(), "failed")
        status, diagnostic = fields.get("status").strip(), _after_type(fields.get("diagnostic-code"))
        reason = diagnostic if status and status in diagnostic else f"{status} {diagnostic}".strip()
        found.append((state, recipient.strip("<> "), reason))
    for state in ("failed", "delayed", "delivered"):
        of_them = [(recipient, reason) for was, recipient, reason in found if was == state]
        if of_them:
            return _STATES[state], [r for r, _ in of_them if r], of_them[0][1]
    return None, [], ""


def _groups(body: bytes) -> Iterator[Headers]:
    place = 0
    for _ in range(MAX_GROUPS):
        while body[place : place + 1] in (b"\r", b"\n") and place < len(body):
            place += 1
        fields, following = headers.split(body, place)
        if following <= place:
            return
        place = following
        yield fields


def _after_type(value: str) -> str:
    """ "rfc822; eve@example.net" without what comes first."""
    kind, semicolon, rest = value.partition(";")
    return (rest if semicolon and "@" not in kind else value).strip()


def _by_its_form(raw: bytes, senders: Sequence[Address], subject: str) -> list[str]:
    from flufl.bounce import all_failures

    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    looked_at = raw[:MAX_LOOKED_AT]
    if looked_at.count(b"\n--") > MAX_DIVIDED:  # the standard library would take seconds over it
        return []
    try:
        parsed = email.message_from_bytes(looked_at, policy=compat32)
        for name, value in (("From", senders[0].address if senders else ""), ("Subject", subject)):
            del parsed[name]
            parsed[name] = value or "mailer-daemon@localhost"  # one that is missing or odd would stop it at once
        temporary, permanent = all_failures(parsed)
    except Exception:  # it meets anything at all, and trusts it
        return []
    found: set[str] = {one.decode("utf-8", "replace") for one in permanent or temporary}
    return sorted(one for one in found if "@" in one)


def _original(parts: Sequence[Part], words: str) -> str:
    """The id of the mail that came back, as it lies within, in whole or in part."""
    for part in parts:
        if part.content_type in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global"):
            matched = _ID_LINE.search(part.content(MAX_LOOKED_AT))
            if matched is not None:
                return matched[1].decode("utf-8", "replace")
    matched = _ID_LINE.search(words.encode("utf-8", "replace"))
    return matched[1].decode("utf-8", "replace") if matched is not None else ""


def _words_of(parts: Sequence[Part]) -> str:
    texts = (part.text(MAX_LOOKED_AT)[0] for part in parts[:3] if part.content_type == "text/plain")
    return charsets.clean("\n".join(texts))


def _addresses(value: str) -> tuple[Address, ...]:
    from connectors.email.addresses import addresses

    return addresses(value.encode("utf-8", "replace"), MAX_GROUPS)
