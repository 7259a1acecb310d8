"""The text of a mail, put together from its parts. Called by connectors.email.reading.

Of a choice between plain text and HTML (multipart/alternative) the HTML is shown and the text read; several texts one
after the other, with pictures between them, are one text.
"""

import re
from collections.abc import Sequence
from html import escape
from typing import Final

import msgspec

from connectors.email import charsets, markup, trimming
from connectors.email.mail import Address
from connectors.email.parts import Part
from connectors.email.trimming import Trimmed

MAX_TEXT: Final = 262_144  # characters; what is longer is in the raw mail
MAX_BODY: Final = 4_000_000  # bytes of one text that are looked at
_PGP: Final = re.compile(r"^-----BEGIN PGP (MESSAGE|SIGNED MESSAGE)-----", re.MULTILINE)
_TEXTS: Final = frozenset({"text/plain", "text/html"})


class Body(msgspec.Struct, frozen=True):
    text: str
    html: str | None
    trimmed: Trimmed
    used: frozenset[int]  # numbers of the parts that are in it
    flags: list[str]


class _Piece:
    """One text: as plain text, as HTML, or as both."""

    def __init__(self) -> None:
        self.plain: Part | None = None
        self.page: Part | None = None


def read(leaves: Sequence[Part], sender: Address) -> Body:
    flags: list[str] = []
    found, used = _pieces(leaves)
    who = sender.name or sender.address
    plain = [(_plain(piece.plain, flags) if piece.plain is not None else "") for piece in found]
    if not any(piece.page is not None for piece in found):
        text = _joined(plain)
        return Body(text, None, trimming.trim(text, who), used, flags)
    pages = [
        _decoded(piece.page, flags) if piece.page is not None else f"<div>{_as_html(words)}</div>"
        for piece, words in zip(found, plain, strict=True)
    ]
    page = markup.read("\n".join(pages), who)
    flags += page.flags
    text = _joined(plain)
    if all(piece.plain is not None for piece in found) and _says_as_much(text, page.text):
        return Body(text, page.html, trimming.trim(text, who), used, flags)
    return Body(page.text, page.html, page.trimmed, used, flags)


def _pieces(leaves: Sequence[Part]) -> tuple[list[_Piece], frozenset[int]]:
    found: list[_Piece] = []
    choices: dict[int, _Piece] = {}
    used: set[int] = set()
    for leaf in leaves:
        if not _is_text(leaf):
            continue
        piece = choices.get(leaf.alternatives) if leaf.alternatives is not None else None
        if piece is None:
            piece = _Piece()
            found.append(piece)
            if leaf.alternatives is not None:
                choices[leaf.alternatives] = piece
        if leaf.content_type == "text/html" and piece.page is None:
            piece.page = leaf
        elif leaf.content_type == "text/plain" and piece.plain is None:
            piece.plain = leaf
        elif leaf.alternatives is not None:  # a second one of its kind within a choice goes on with the text
            piece = _Piece()
            found.append(piece)
            piece.page, piece.plain = (leaf, None) if leaf.content_type == "text/html" else (None, leaf)
        used.add(leaf.number)
    return found, frozenset(used)


def _is_text(leaf: Part) -> bool:
    if leaf.content_type not in _TEXTS or leaf.disposition == "attachment":
        return False
    # Something that has a name is a file, unless it is the only text there could be.
    return not leaf.name or (leaf.disposition == "inline" and leaf.number == 1)


def _plain(leaf: Part, flags: list[str]) -> str:
    text = _decoded(leaf, flags)
    if leaf.parameters.get("format", "").strip().lower() == "flowed":
        text = unflowed(text, leaf.parameters.get("delsp", "").strip().lower() == "yes")
    pgp = _PGP.search(text)
    if pgp is not None:
        flags.append("encrypted" if pgp[1] == "MESSAGE" else "signed")
    if len(text) > MAX_TEXT:
        flags.append("cut")
    return text[:MAX_TEXT]


def _decoded(leaf: Part, flags: list[str]) -> str:
    text, fine = leaf.text(MAX_BODY)
    if not fine:
        flags.append("charset")
    if leaf.raw_size > MAX_BODY:
        flags.append("cut")
    return charsets.clean(text)


def unflowed(text: str, without_space: bool) -> str:
    """Paragraphs that were broken for the journey, whole again (RFC 3676). Quoted lines stay as they are: what they
    are marked with counts, and not how long they are."""
    found: list[str] = []
    goes_on = False
    for line in text.split("\n"):
        marked = line.startswith(">")
        line = line[1:] if line.startswith(" ") and not goes_on else line
        if goes_on and not marked and line != "-- ":
            found[-1] = (found[-1][:-1] if without_space else found[-1]) + line.removeprefix(" ")
        else:
            found.append(line)
        goes_on = line.endswith(" ") and line != "-- " and not marked
    return "\n".join(found)


def _joined(texts: Sequence[str]) -> str:
    return "\n\n".join(words for words in (text.strip("\n") for text in texts) if words.strip())[:MAX_TEXT]


def _as_html(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _says_as_much(text: str, page: str) -> bool:
    """Some programs write "see the HTML" for a text, or only its beginning."""
    return len(_letters(text)) * 2 >= len(_letters(page)[:4_000])


def _letters(text: str) -> str:
    return "".join(text[:20_000].split())
