"""Addresses of a header field, read by one pass over its characters. Called by connectors.email.reading.

The standard library's way of reading them can be led to another address than the one a server delivers to
(CVE-2023-27043), and into endless recursion. Here what is ambiguous is no address: it is shown as it stands.
"""

import re
from collections.abc import Iterator
from typing import Final

from connectors.email import charsets, headers
from connectors.email.mail import Address

MAX: Final = 500
MAX_NAME: Final = 200
MAX_ADDRESS: Final = 320
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[()<>,;:"]|[^()<>,;:"]+', re.DOTALL)
_TOKEN_WITHOUT_QUOTES: Final = re.compile(r"[()<>,;:]|[^()<>,;:]+")
_QUOTES: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
_LOCAL: Final = re.compile(r"[^\s()<>\[\]:;@\\,\"\x00-\x1f\x7f]+")
_QUOTED_LOCAL: Final = re.compile(r"\"(?:[^\"\\\x00-\x1f\x7f])+\"")
_DOMAIN: Final = re.compile(r"[^\s()<>\[\]:;@\\,\"\x00-\x1f\x7f]+|\[[0-9A-Fa-f:.IPv6]+\]")


def addresses(value: bytes | None, most: int = MAX) -> tuple[Address, ...]:
    """At most `most`, in order. Where somebody is named but no address can be made out, it is empty."""
    if not value:
        return ()
    found: list[Address] = []
    for mailbox in _mailboxes(headers.text_of(value)):
        one = _address(mailbox)
        if one is not None:
            found.append(one)
        if len(found) >= most:
            break
    return tuple(found)


class _Mailbox:
    """What stands between two commas."""

    def __init__(self) -> None:
        self.phrase: list[str] = []
        self.comment: list[str] = []
        self.angle: str | None = None
        self.after: list[str] = []  # behind the angle brackets
        self.broken = False

    def add(self, text: str) -> None:
        (self.phrase if self.angle is None else self.after).append(text)


def _mailboxes(value: str) -> Iterator[_Mailbox]:
    one, depth, inside = _Mailbox(), 0, False
    quotes, place = True, 0
    while place < len(value):
        found = (_TOKEN if quotes else _TOKEN_WITHOUT_QUOTES).match(value, place)
        assert found is not None  # the last alternative takes any character
        token, place = found[0], found.end()
        if depth:
            depth += (token == "(") - (token == ")")
            if depth:
                one.comment.append(token)
        elif inside:
            inside = token != ">"
            if inside:
                one.angle = (one.angle or "") + token
        elif token == "(":
            depth = 1
        elif token == ")":
            one.broken = True
            one.add(token)
        elif token == "<":
            inside, one.broken = True, one.broken or one.angle is not None
            one.angle = "" if one.angle is None else one.angle + " "
        elif token in (",", ";"):
            yield one
            one = _Mailbox()
        elif token == ":" and one.angle is None and not any("@" in piece for piece in one.phrase):
            one = _Mailbox()  # the name of a group
        else:
            quotes = quotes and token != '"'  # one that never ends is a character like any other, and so are the rest
            one.add(token)
    one.broken |= bool(depth)
    yield one


def _address(one: _Mailbox) -> Address | None:
    phrase = "".join(one.phrase).strip()
    if one.angle is None:
        written, name = phrase, "".join(one.comment)
        if "@" not in written:  # a name, and no address
            written, name = "", phrase
    else:
        written, name = one.angle.strip(), phrase or "".join(one.comment)
        one.broken |= "@" in "".join(one.after)
    if not (written or name):
        return None if one.angle is None else Address("")
    name = charsets.line(headers.decoded(_unquoted(name)), MAX_NAME)
    return Address("" if one.broken else _checked(written), name or ("" if _checked(written) else _shown(written)))


def _checked(written: str) -> str:
    local, _, domain = written.rpartition("@")
    fine = (_LOCAL.fullmatch(local) or _QUOTED_LOCAL.fullmatch(local)) and _DOMAIN.fullmatch(domain)
    return written if fine and len(written) <= MAX_ADDRESS else ""


def _shown(written: str) -> str:
    """What stands in the place of an address and is none, so that a person can see it."""
    return charsets.line(written, MAX_NAME)


def _unquoted(phrase: str) -> str:
    return _PAIR.sub(r"\1", _QUOTES.sub(lambda quoted: quoted[1], phrase))
