"""The parts of a mail: where each begins and ends, what it says it is, its content. Called by connectors.email.reading.

One pass over the bytes by `find`: however many parts there are, and however deep, it takes as long as the mail is long.
A mail within a mail is a part like any other, and is not looked into.
"""

import binascii
import re
from collections.abc import Iterator
from typing import Final

from connectors.email import charsets, headers
from connectors.email.headers import Headers

MAX_PARTS: Final = 200
MAX_DEPTH: Final = 20
MAX_NAME: Final = 150
_BOUNDARY: Final = re.compile(r"^[^\x00-\x1f\x7f]{1,200}$")
_TYPE: Final = re.compile(r"^[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}$")
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
# Nobody sees these, and they make one name look like another.
_UNSEEN: Final = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00ad\U000e0000-\U000e007f]")


class Part:
    """A leaf: anything but a multipart. `start` and `end` are where its content lies, still encoded."""

    def __init__(self, raw: bytes, number: int, found: Headers, start: int, end: int, within: tuple[str, ...]) -> None:
        self._raw, self.number, self.headers, self.start, self.end = raw, number, found, start, end
        self.within = within  # the multiparts around it, outermost first: "mixed", "alternative"
        declared, self.parameters = headers.parameters(found.get("content-type"))
        default = "message/rfc822" if within and within[-1] == "digest" else "text/plain"
        self.declared = declared
        fine = _TYPE.match(declared) and not declared.startswith("multipart/")  # which cannot be told apart, here
        self.content_type = declared if fine else "text/plain" if declared else default
        self.disposition, self._how = headers.parameters(found.get("content-disposition"))
        self.alternatives: int | None = None  # which multipart/alternative it is a choice of

    @property
    def cid(self) -> str | None:
        return charsets.line(self.headers.get("content-id").strip().strip("<>"), 250) or None

    @property
    def name(self) -> str:
        """As the sender named it, made harmless; empty where they did not."""
        given = self._how.get("filename") or self.parameters.get("name") or ""
        return safe_name(headers.decoded(given))

    @property
    def raw_size(self) -> int:
        return self.end - self.start

    def content(self, most: int | None = None) -> bytes:
        """Decoded. `most`: of that many bytes as they came, at most."""
        end = self.end if most is None else min(self.end, self.start + most)
        body = self._raw[self.start : end]
        way = self.headers.get("content-transfer-encoding").partition(";")[0].strip().lower()
        if way == "base64":
            return headers.unbase64(body)
        if way == "quoted-printable":
            return binascii.a2b_qp(body)
        if way in ("x-uuencode", "uuencode", "x-uue", "uue"):
            return _unuu(body)
        return body

    def text(self, most: int) -> tuple[str, bool]:
        """(the text, whether its charset was what it says). `most`: bytes of it that are looked at."""
        return charsets.decode(self.content(most), self.parameters.get("charset", ""))


def leaves(raw: bytes) -> tuple[Headers, list[Part], list[str]]:
    """(the mail's own header fields, its parts, what could not be gone into)."""
    found, start = headers.split(raw)
    walk = _Walk(raw)
    walk.go(found, start, len(raw), ())
    return found, walk.parts, walk.flags


class _Walk:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.parts: list[Part] = []
        self.flags: list[str] = []
        self._choices = 0

    def go(self, found: Headers, start: int, end: int, within: tuple[str, ...], choice: int | None = None) -> None:
        if len(self.parts) >= MAX_PARTS:
            self._flag("parts")
            return
        kind, parameters = headers.parameters(found.get("content-type"))
        boundary = parameters.get("boundary", "").rstrip()
        if not kind.startswith("multipart/") or not _BOUNDARY.match(boundary) or len(within) >= MAX_DEPTH:
            if kind.startswith("multipart/"):
                self._flag("nested" if len(within) >= MAX_DEPTH else "broken")
            self._leaf(found, start, end, within, choice)
            return
        sections = list(self._sections(boundary.encode("utf-8", "replace"), start, end))
        if not sections:
            self._flag("broken")
            self._leaf(found, start, end, within, choice)
            return
        subtype = kind.removeprefix("multipart/")
        if subtype == "alternative" and choice is None:
            self._choices += 1
            choice = self._choices
        for begin, stop in sections:
            inner, body = headers.split(self.raw, begin, stop)
            self.go(inner, body, stop, (*within, subtype), choice)

    def _leaf(self, found: Headers, start: int, end: int, within: tuple[str, ...], choice: int | None) -> None:
        part = Part(self.raw, len(self.parts) + 1, found, start, end, within)
        part.alternatives = choice
        self.parts.append(part)

    def _sections(self, boundary: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where each part between the lines of a boundary lies. The last one may lack its closing line."""
        mark = b"--" + boundary
        begin = None
        place = start
        count = 0
        while (at := self.raw.find(mark, place, end)) >= 0:
            place = at + len(mark)
            if at > start and self.raw[at - 1] != 10:
                continue
            stop = self.raw.find(b"\n", place, end)
            after = self.raw[place : end if stop < 0 else stop].rstrip(b" \t\r")
            if after not in (b"", b"--"):
                continue  # the beginning of another boundary, or text
            if begin is not None:
                yield begin, max(begin, self._before(at))
                count += 1
            if after == b"--":
                return
            if count >= MAX_PARTS:
                self._flag("parts")
                return
            begin = place = end if stop < 0 else stop + 1
        if begin is not None and begin < end:
            yield begin, end

    def _before(self, at: int) -> int:
        """The line end before a boundary belongs to the boundary."""
        if self.raw[at - 1 : at] == b"\n":
            at -= 1
        return at - 1 if self.raw[at - 1 : at] == b"\r" else at

    def _flag(self, flag: str) -> None:
        if flag not in self.flags:
            self.flags.append(flag)


def safe_name(given: str) -> str:
    """The last piece of a path, without what a file system, a header or the eye could be misled by."""
    name = given.replace("\\", "/").rpartition("/")[2]
    name = charsets.line(_UNSEEN.sub("", _UNSAFE.sub(" ", name)), 4 * MAX_NAME).strip(" .")
    if len(name) <= MAX_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if dot and len(ending) <= 10:
        return stem[: MAX_NAME - len(ending) - 1] + dot + ending
    return name[:MAX_NAME]


def _unuu(body: bytes) -> bytes:
    found = []
    for line in body.splitlines():
        if line.startswith((b"begin ", b"end")) or not line.strip():
            continue
        try:
            found.append(binascii.a2b_uu(line))
        except binascii.Error:  # some programs pad with what they please
            size = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                found.append(binascii.a2b_uu(line[:size]))
            except binascii.Error:
                continue
    return b"".join(found)
