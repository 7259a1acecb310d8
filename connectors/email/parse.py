"""What a mail means to a desk: a message, a receipt for one of ours, or nothing. Pure.

Who wrote it is attested only where our own server says so; which ticket it belongs to only a token of ours can prove.
References are handed on as what they are: words of whoever wrote them.
"""

import re
from typing import Any, Final

import msgspec

from connectors.email import tokens, verdicts
from connectors.email.mail import Address, Mail
from connectors.email.settings import EmailSettings
from hub.connector import File, Ignored, Item, Message, Point, Receipt, Sender, Unparsable

KIND: Final = "email"
MAX_TEXT: Final = 10_000
MAX_KEPT: Final = 100_000  # characters of what was written, and of what was quoted; all of it is in the raw mail
MAX_COPIED: Final = 20
HOPS: Final = 60  # a mail that went through so many hands goes round in a circle
_BULK: Final = frozenset({"bulk", "list", "junk", "auto_reply"})
_MACHINES: Final = re.compile(
    r"(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|donotreply|bounces?|listserv|majordomo|daemon)(?:[+=-].*)?",
    re.IGNORECASE,
)
NO_TEXT: Final = "(This mail has no text.)"


def parse(mail: Mail, settings: EmailSettings, key: bytes, now: int, cut: str | None = None) -> list[Item]:
    """`cut`: how many bytes the mail really has, where it was too large to be taken whole."""
    proven = _tokens(mail, key, now)
    if mail.bounce is not None:
        about = _receipt(mail, key, now)
        if mail.bounce.sure or not isinstance(about, Ignored):
            return [about]
    if mail.receipt:
        return [_read(mail, key, now)]
    if mail.hops > HOPS:
        raise Unparsable(f"This mail went through {mail.hops} servers: it goes round in a circle.")
    sender = _sender(mail, settings)
    if sender is None:
        raise Unparsable("Nobody can be found who wrote this mail: it has no usable From.")
    if settings.strangers == "new":
        proven = [one for one in proven if one.whom == tokens.mark_of(sender.point.value)]
    own = _is_own(sender.point.value, settings)
    automatic = own or is_automatic(mail)
    flags = [*mail.flags]
    if own:
        flags.append("own address")
    if cut is not None:
        flags.append("too large")
    copied = _copied(mail, settings, sender)
    details: dict[str, Any] = {
        "from": _plain(mail.senders),
        "reply_to": _plain(mail.reply_to),
        "to": _plain(mail.to),
        "cc": _plain(mail.cc),
        "message_id": mail.message_id,
        "references": list(mail.references),
        "verdict": verdicts.judge(mail, settings.authserv_id).shown,
        "automatic": automatic,
        "new_text": mail.new_text[:MAX_KEPT],
        "quoted": mail.quoted[:MAX_KEPT],
        "signature": mail.signature[:MAX_KEPT],
        "invitation": None if mail.invitation is None else msgspec.to_builtins(mail.invitation),
        "others": [one.point.value for one in copied],
        "flags": flags,
    }
    if cut is not None:
        details["size"] = cut
    return [
        Message(
            external_id=external_id(mail),
            sender=sender,
            text=_words(mail)[:MAX_TEXT],
            html=mail.html,
            subject=mail.subject or None,
            sent_at=mail.sent_at,
            in_reply_to=mail.in_reply_to[-1] if mail.in_reply_to else None,
            tokens=tuple(dict.fromkeys(found.ticket for found in proven)),
            known_as=mail.message_id or None,
            references=tuple(dict.fromkeys((*mail.references, *mail.in_reply_to))),
            copied=copied,
            automatic=automatic,
            new_ticket=settings.joining == "thread",
            files=tuple(File(part.ref, part.name, part.content_type, part.size, part.cid) for part in mail.files),
            details={name: value for name, value in details.items() if value or name == "automatic"},
        )
    ]


def _words(mail: Mail) -> str:
    """What they wrote, before what they quote: of a long mail the beginning counts."""
    written = "\n\n".join(piece for piece in (mail.new_text, mail.signature) if piece.strip())
    return written or mail.text or ("" if mail.files else NO_TEXT)


def external_id(mail: Mail) -> str:
    """Its own id, with a hash of the bytes: the same id with other words is another mail."""
    return f"{mail.message_id[:250]}#{mail.digest}"


def is_automatic(mail: Mail) -> bool:
    """RFC 3834 and what came before it: whatever a machine wrote, or sent to many."""
    word = mail.auto_submitted.partition(";")[0].partition(" ")[0].strip().casefold()
    if word and word != "no":
        return True
    if mail.return_path == "" or mail.loops or mail.listed:
        return True
    if {"all", "autoreply", "oof"} & {word.strip().casefold() for word in mail.suppress.split(",")}:
        return True
    if mail.precedence.strip().casefold() in _BULK:
        return True
    writers = (*mail.senders, Address(mail.return_path or ""))
    return any(_MACHINES.fullmatch(one.address.rpartition("@")[0]) for one in writers)


def _sender(mail: Mail, settings: EmailSettings) -> Sender | None:
    """Who From says that it is. An answer goes to Reply-To, which is only an address that they typed."""
    found = next((one for one in mail.senders if "@" in one.address), None)
    if found is None:
        return None
    surely = len(mail.senders) == 1 and verdicts.judge(mail, settings.authserv_id).aligned
    answers = tuple(
        Point(KIND, one.address)
        for one in mail.reply_to[:3]
        if "@" in one.address
        and one.address.casefold() != found.address.casefold()
        and not _is_own(one.address, settings)
    )
    return Sender(
        Point(KIND, found.address), found.name, "attested" if surely else "typed", points=answers if surely else ()
    )


def _is_own(address: str, settings: EmailSettings) -> bool:
    address = address.casefold()
    local, _, domain = address.rpartition("@")
    return address in settings.own or f"{local.partition('+')[0]}@{domain}" in settings.own


def _copied(mail: Mail, settings: EmailSettings, sender: Sender) -> tuple[Sender, ...]:
    """The others whom it went to, ourselves left out."""
    found: dict[str, Sender] = {}
    for one in (*mail.to, *mail.cc):
        address = one.address.casefold()
        if "@" in address and address != sender.point.value.casefold() and not _is_own(address, settings):
            found.setdefault(address, Sender(Point(KIND, one.address), one.name))
    return tuple(found.values())[:MAX_COPIED]


def _tokens(mail: Mail, key: bytes, now: int) -> list[tokens.Opened]:
    """In the addresses it went to and the ids that it answers; what stands in subject and text counts for nothing."""
    addresses = [one.address for one in (*mail.to, *mail.cc)] + list(mail.delivered_to)
    words = [tokens.in_address(address) for address in addresses]
    words += [
        ours[0] for found in (*mail.in_reply_to, *reversed(mail.references)) if (ours := tokens.in_message_id(found))
    ]
    opened = [tokens.open_(key, word, now) for word in dict.fromkeys(words) if word]
    return [one for one in opened if one is not None]


def _receipt(mail: Mail, key: bytes, now: int) -> Item:
    """Of a mail of ours, by the id that we signed; whoever never got one cannot make one up."""
    assert mail.bounce is not None
    for found in (mail.bounce.message_id, *mail.in_reply_to, *reversed(mail.references)):
        ours = tokens.in_message_id(found)
        if ours is None or tokens.open_(key, ours[0], now) is None:
            continue
        if mail.bounce.state == "delayed":
            return Ignored(f"Still on its way, the other server says. {mail.bounce.reason}".strip())
        if mail.bounce.state == "delivered":
            return Receipt(found, "delivered", ref=ours[1])
        who = f"{mail.bounce.recipient}: " if mail.bounce.recipient else ""
        reason = mail.bounce.reason or "It came back, and nothing says why."
        return Receipt(found, "failed", f"{who}{reason}"[:500], ref=ours[1])
    return Ignored("A bounce of a mail that is none of ours.")


def _read(mail: Mail, key: bytes, now: int) -> Item:
    """Whoever sends a read receipt of a letter of ours has it; nobody is told of one by a ticket."""
    ours = tokens.in_message_id(mail.receipt_of)
    if ours is None or tokens.open_(key, ours[0], now) is None:
        return Ignored("A read receipt.")
    return Receipt(mail.receipt_of, "read", ref=ours[1])


def _plain(addresses: tuple[Address, ...]) -> list[dict[str, str]]:
    return [{"address": one.address, "name": one.name} for one in addresses]
