"""A letter of ours as bytes: headers, text with its HTML beside it, pictures and attachments.

Nothing that came from outside can begin a header of its own, and every attempt at the same letter has the same
Message-ID.
"""

import re
from email import charset, encoders
from email.header import Header
from email.message import Message as Built
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.utils import formatdate
from html import escape
from typing import Any, Final, NamedTuple

from connectors.email import tokens
from connectors.email.settings import EmailSettings
from hub.connector import Outgoing, Rejected

MAX_REFERENCES: Final = 20  # the first and the newest ones of a long chain
_BREAKS: Final = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")
_ATOM: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*", re.ASCII)
_ID: Final = re.compile(r"<[^<>\s]{1,250}>")
_LINK: Final = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?')\]]")
_ADDRESS: Final = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,253}")

_QUOTE: Final = "margin:0 0 0 .8em;padding-left:.8em;border-left:2px solid #ccc"

_ANSWERED: Final = re.compile(r"(?:re|aw|sv|antw|ref|fwd?|wg|tr|отв|رد|回复|回覆)\s*[:：]", re.IGNORECASE)

_QUOTED: Final = charset.Charset("utf-8")
_QUOTED.body_encoding = charset.QP
_BASE64: Final = charset.Charset("utf-8")
_BASE64.body_encoding = charset.BASE64


class Letter(NamedTuple):
    message_id: str
    sender: str  # of the envelope; empty: the null return path
    recipients: tuple[str, ...]
    body: bytes
    needs_utf8: bool  # an address that only SMTPUTF8 carries


class Attached(NamedTuple):
    """A file, read."""

    name: str
    content_type: str
    cid: str | None
    body: bytes


def letter(part: Outgoing, settings: EmailSettings, key: bytes, now: int, files: tuple[Attached, ...] = ()) -> Letter:
    to, cc, bcc = _addresses((part.to.value,)), _addresses(part.cc), _addresses(part.bcc)
    token = tokens.make(key, part.ticket, part.to.value, part.at or now) if part.ticket else ""
    own = tokens.message_id(token, part.id, settings.domain) if token else f"<{part.id}@{settings.domain}>"
    text = body_text(part, settings)
    built = _body(text, files)
    built["Message-ID"] = own
    built["Date"] = formatdate(now / 1000, usegmt=True)
    built["From"] = _mailbox(_name(part, settings), settings.address)
    reply = tokens.reply_address(settings.address, token) if token and settings.plus_addressing else None
    if reply is not None:
        built["Reply-To"] = _mailbox(settings.display_name or "", reply)
    also = _addresses(tuple(part.details.get("to", ())))
    built["To"] = _listed((*to, *also))
    if cc:
        built["Cc"] = _listed(cc)
    answers = _ID.findall(part.in_reply_to or "")[:1]
    built["Subject"] = _words("Subject", subject_of(part.subject or "", answering=bool(answers)))
    if answers:
        built["In-Reply-To"] = answers[0]
    if chain := references(part.references, answers):
        built["References"] = _folded(chain)
    if part.automatic:
        built["Auto-Submitted"] = "auto-replied"
        built["X-Auto-Response-Suppress"] = "All"
        built["Precedence"] = "auto_reply"
        built["X-Parley-Loop"] = settings.address
    recipients = tuple(dict.fromkeys((*to, *also, *cc, *bcc)))
    return Letter(
        own,
        "" if part.automatic else settings.address,
        recipients,
        _bytes(built),
        not all(one.isascii() for one in (*recipients, settings.address)),
    )


def subject_of(subject: str, *, answering: bool) -> str:
    return subject if not answering or _ANSWERED.match(subject) else f"Re: {subject}"


def references(chain: tuple[str, ...], answers: list[str]) -> list[str]:
    """What was said before, oldest first and what is answered last; of a long chain the first one and the newest."""
    found = [one for one in dict.fromkeys(chain) if _ID.fullmatch(one) and one not in answers] + answers
    return found if len(found) <= MAX_REFERENCES else [found[0], *found[-MAX_REFERENCES + 1 :]]


def body_text(part: Outgoing, settings: EmailSettings) -> str:
    """What was written, then the agent's signature and the inbox's, under the sign that mail programs know."""
    below = [one.strip() for one in (part.signature, settings.signature) if one and one.strip()]
    if part.automatic:
        below = below[-1:]
    return part.text.rstrip() + ("\n\n-- \n" + "\n".join(below) if below else "") + "\n"


def _body(text: str, files: tuple[Attached, ...]) -> Built:
    both = MIMEMultipart("alternative")
    del both["MIME-Version"]
    both.attach(_text("plain", text))
    page = _text("html", page_of(text, files))
    pictures = [file for file in files if file.cid]
    if pictures:
        related = MIMEMultipart("related")
        del related["MIME-Version"]
        related.attach(page)
        for file in pictures:
            related.attach(_file(file))
        both.attach(related)
    else:
        both.attach(page)
    others = [file for file in files if not file.cid]
    if not others:
        both["MIME-Version"] = "1.0"
        return both
    mixed = MIMEMultipart("mixed")
    mixed.attach(both)
    for file in others:
        mixed.attach(_file(file))
    return mixed


def page_of(text: str, files: tuple[Attached, ...] = ()) -> str:
    """The same words as a page: paragraphs, quoted lines set in, addresses of the web as links."""
    blocks: list[str] = []
    for block in re.split(r"\n{2,}", text.strip("\n")):
        lines = block.split("\n")
        if all(line.startswith(">") for line in lines):
            inner = "<br>\n".join(_linked(line.lstrip("> ")) for line in lines)
            blocks.append(f'<blockquote style="{_QUOTE}">{inner}</blockquote>')
        else:
            blocks.append(f'<p dir="auto">{"<br>".join(_linked(line) for line in lines)}</p>')
    blocks += [f'<p><img src="cid:{escape(file.cid)}" alt="{escape(file.name)}"></p>' for file in files if file.cid]
    body = "\n".join(blocks)
    return f'<!doctype html>\n<html><head><meta charset="utf-8"></head><body>\n{body}\n</body></html>\n'


def _linked(line: str) -> str:
    found, at = [], 0
    for match in _LINK.finditer(line):
        found.append(escape(line[at : match.start()]))
        found.append(f'<a href="{escape(match[0])}">{escape(match[0])}</a>')
        at = match.end()
    return "".join(found) + escape(line[at:])


def _text(kind: str, text: str) -> Built:
    text = text.encode("utf-8", "replace").decode().replace("\0", "")
    strange = sum(not c.isascii() for c in text)
    part = MIMENonMultipart("text", kind, charset="utf-8")
    del part["MIME-Version"]
    part.set_payload(text, _BASE64 if strange * 4 > len(text) else _QUOTED)
    return part


def _file(file: Attached) -> Built:
    main, _, sub = file.content_type.partition("/")
    if not re.fullmatch(r"[A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,100}", file.content_type) or main in (
        "multipart",
        "message",
    ):
        main, sub = "application", "octet-stream"
    part = MIMEBase(main, sub)
    del part["MIME-Version"]
    part.set_payload(file.body)
    encoders.encode_base64(part)
    name = one_line(file.name) or "file"
    part.add_header("Content-Disposition", "inline" if file.cid else "attachment", filename=_parameter(name))
    if file.cid:
        part["Content-ID"] = f"<{one_line(file.cid)}>"
    return part


def _parameter(name: str) -> Any:
    return name if name.isascii() else ("utf-8", "", name)


def one_line(text: str) -> str:
    """Without anything that could end a header line."""
    return " ".join(_BREAKS.sub(" ", text).split())


def _words(header: str, text: str) -> str:
    text = one_line(text)
    return Header(text, None if text.isascii() else "utf-8", maxlinelen=76, header_name=header).encode()


def _name(part: Outgoing, settings: EmailSettings) -> str:
    if settings.agent_name and part.author and not part.automatic:
        return f"{part.author} ({settings.display_name})" if settings.display_name else part.author
    return settings.display_name or ""


def _mailbox(name: str, address: str) -> str:
    name = one_line(name)
    if not name:
        return f"<{address}>"
    if not name.isascii():
        shown = Header(name, "utf-8", maxlinelen=76, header_name="Reply-To").encode()
    elif _ATOM.fullmatch(name):
        shown = name
    else:
        shown = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{shown} <{address}>"


def _addresses(found: tuple[str, ...]) -> tuple[str, ...]:
    for one in found:
        if not _ADDRESS.fullmatch(one):
            raise Rejected(f"{one_line(one)[:100]!r} is no address that mail can be sent to.")
    return tuple(dict.fromkeys(_wired(one) for one in found))


def _wired(address: str) -> str:
    """With its domain as the wire wants it."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        raise Rejected(f"{address!r} has a domain that cannot be written to.") from None


def _listed(found: tuple[str, ...]) -> str:
    return ",\n ".join(one if one.isascii() else _stand_in(one) for one in dict.fromkeys(found))


def _stand_in(address: str) -> str:
    """What stands for an address that is not ASCII until the bytes are made: the library would encode it as words."""
    return f"utf8-{address.encode().hex()}@stand.invalid"


_STAND_IN: Final = re.compile(rb"utf8-([0-9a-f]+)@stand\.invalid")


def _folded(ids: list[str]) -> str:
    return "\n ".join(ids)


def _bytes(built: Built) -> bytes:
    """Lines end as SMTP wants them, and nothing is folded that was not folded here: folding would break long ids."""
    from email.generator import BytesGenerator
    from email.policy import compat32
    from io import BytesIO

    out = BytesIO()
    policy = compat32.clone(linesep="\r\n", max_line_length=0, cte_type="8bit")
    BytesGenerator(out, mangle_from_=False, policy=policy).flatten(built)
    head, mark, body = out.getvalue().partition(b"\r\n\r\n")
    return _STAND_IN.sub(lambda match: bytes.fromhex(match[1].decode()), head) + mark + body
