"""The header fields of a mail or of a part of it: found, bounded and decoded. For connectors.email.parts and others.

Everything here takes time in proportion to what it looks at, whatever that is: no standard policy, no backtracking.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from email.utils import mktime_tz, parsedate_tz
from typing import Final

from connectors.email import charsets

MAX_BLOCK: Final = 256 * 1024  # bytes of all header fields
MAX_FIELD: Final = 32 * 1024
MAX_FIELDS: Final = 1_000
MAX_PARAMETERS: Final = 100
MAX_IDS: Final = 50  # of each end of a long chain
MAX_ID: Final = 998

_NAME: Final = re.compile(rb"[!-9;-~]+(?=[ \t]*:)")
_WORD: Final = re.compile(r"=\?([^?\s]{1,100})\?([bBqQ])\?([^?]*)\?=")
_ID: Final = re.compile(r"<[^<>\s]{1,998}>")
_PARAMETER: Final = re.compile(r'\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))[^;]*(?:;|$)', re.DOTALL)
_SECTION: Final = re.compile(r"^([^*]+)\*(\d{1,3})?(\*?)$")
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_NO_YEAR: Final = re.compile(r"\b0\d{3}\b(?!:)(?<![+-]\d{4})")
_COMMENT: Final = re.compile(r"\([^()]*\)")


class Headers:
    """Fields in order, values as they came (unfolded bytes). `cut`: there were more, or longer ones."""

    def __init__(self, fields: list[tuple[str, bytes]], *, cut: bool = False) -> None:
        self.fields, self.cut = fields, cut

    def all(self, name: str) -> Iterator[bytes]:
        return (value for found, value in self.fields if found == name)

    def raw(self, name: str) -> bytes | None:
        return next(self.all(name), None)

    def get(self, name: str) -> str:
        """The first one, as ASCII mostly is: nothing in it is decoded."""
        return text_of(self.raw(name) or b"")

    def words(self, name: str, most: int) -> str:
        """The first one as people read it."""
        return charsets.line(decoded(self.get(name)), most)

    def __contains__(self, name: str) -> bool:
        return any(found == name for found, _ in self.fields)


def split(raw: bytes, start: int = 0, end: int | None = None) -> tuple[Headers, int]:
    """(the fields that begin at `start`, where the body begins). A line that is no field ends them, as a blank one
    does, and belongs to the body."""
    end = len(raw) if end is None else end
    block = _Block()
    place = start
    while place < end:
        stop = raw.find(b"\n", place, end)
        following = end if stop < 0 else stop + 1
        if following - place <= 2 and not raw[place:following].strip(b"\r\n"):
            place = following
            break
        if raw[place] in b" \t" and block.name:
            block.more(raw[place:following])
        elif (matched := _NAME.match(raw, place, min(following, place + 200))) is not None:
            block.begin(matched[0], raw[raw.index(b":", matched.end()) + 1 : following])
        elif not block.name and raw.startswith((b"From ", b">From "), place):
            pass  # the line that divides mails in an mbox
        else:
            break
        place = following
    return block.end(), place


class _Block:
    """Puts the fields together, within bounds."""

    def __init__(self) -> None:
        self.name = ""
        self._pieces: list[bytes] = []
        self._fields: list[tuple[str, bytes]] = []
        self._size = 0
        self._cut = False

    def begin(self, name: bytes, rest: bytes) -> None:
        self._finish()
        self.name, self._pieces = name.decode("ascii").lower(), [rest]

    def more(self, folded: bytes) -> None:
        self._pieces.append(folded)

    def end(self) -> Headers:
        self._finish()
        return Headers(self._fields, cut=self._cut)

    def _finish(self) -> None:
        if not self.name:
            return
        value = b"".join(piece.rstrip(b"\r\n") for piece in self._pieces).strip()
        if len(value) > MAX_FIELD:
            self._cut = True
            half = MAX_FIELD // 2 - 1  # of a chain of ids both ends count
            value = value[:half] + b" " + value[-half:] if self.name == "references" else value[:MAX_FIELD]
        if len(self._fields) < MAX_FIELDS and self._size + len(value) <= MAX_BLOCK:
            self._fields.append((self.name, value))
            self._size += len(value)
        else:
            self._cut = True


def text_of(value: bytes) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:  # 8-bit that nobody has declared
        return charsets.decode(value, "")[0]


def decoded(value: str) -> str:
    """Encoded words (RFC 2047) read. Neighbours of one charset are put together first: a character may lie in two."""
    if "=?" not in value:
        return value
    found: list[str] = []
    waiting, charset, place = b"", "", 0
    for word in _WORD.finditer(value):
        between = value[place : word.start()]
        of, way, body = word.groups()
        of = of.partition("*")[0].lower()
        if waiting and (between.strip() or of != charset):
            found.append(charsets.decode(waiting, charset)[0])
            waiting = b""
        if between.strip() or not (found or waiting):
            found.append(between)
        waiting, charset, place = waiting + _word(way, body), of, word.end()
    if waiting:
        found.append(charsets.decode(waiting, charset)[0])
    found.append(value[place:])
    return "".join(found)


def _word(way: str, body: str) -> bytes:
    if way in "bB":
        return unbase64(body.encode("ascii", "ignore"))
    return binascii.a2b_qp(body.replace("_", "=20").encode("utf-8", "replace"))


def unbase64(body: bytes) -> bytes:
    """Whatever of it is base64."""
    try:
        return base64.b64decode(body)
    except (binascii.Error, ValueError):
        body = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        return binascii.a2b_base64(body[: len(body) - len(body) % 4] + _rest(body))


def _rest(body: bytes) -> bytes:
    left = body[len(body) - len(body) % 4 :]
    return b"" if len(left) < 2 else left + b"=" * (4 - len(left))


# --- values with parameters ---------------------------------------------------------------------------------------


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """("text/plain", {"charset": …}) of a Content-Type or Content-Disposition; RFC 2231 put together and decoded."""
    head, _, rest = value.partition(";")
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for count, found in enumerate(_PARAMETER.finditer(rest)):
        if count >= MAX_PARAMETERS:
            break
        name, quoted, bare = found.groups()
        text = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) if quoted is not None else bare.strip()
        section = _SECTION.match(name.lower())
        if section is None:
            plain.setdefault(name.lower(), text)
        else:
            number = int(section[2] or 0)
            encoded = section[3] == "*" or section[2] is None
            sections.setdefault(section[1], {}).setdefault(number, (text, encoded))
    for name, pieces in sections.items():
        plain[name] = _put_together(pieces)
    return _COMMENT.sub("", head).strip().lower(), plain


def _put_together(pieces: dict[int, tuple[str, bool]]) -> str:
    charset, found = "", b""
    for number in sorted(pieces):
        text, encoded = pieces[number]
        if not encoded:
            found += text.encode("utf-8", "replace")
            continue
        if number == min(pieces) and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        found += _PERCENT.sub(lambda hexed: bytes((int(hexed[1], 16),)), text.encode("utf-8", "replace"))
    return charsets.decode(found, charset)[0]


# --- ids and dates ---------------------------------------------------------------------------------------------------


def ids(value: str) -> tuple[str, ...]:
    """Message ids with their brackets; of a long chain the oldest and the newest."""
    found = _ID.findall(value[:MAX_FIELD])
    return tuple(found if len(found) <= 2 * MAX_IDS else found[:MAX_IDS] + found[-MAX_IDS:])


def date(value: str) -> int | None:
    """Milliseconds; None for what is no date, or none of a time when there was mail."""
    try:
        found = parsedate_tz(value[:200])
        at = None if found is None else int(mktime_tz(found)) * 1000
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    if at is None or _NO_YEAR.search(value[:200]) or not 315_532_800_000 <= at < 4_102_444_800_000:  # 1980 to 2099
        return None
    return at
