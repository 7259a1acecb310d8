"""A post's body as named texts, whichever of the three ways a form or a script writes it. Called by the connector.

Strict where a liberal reading loses or guesses text: another encoding than UTF-8, a boundary that is not there.
"""

import dataclasses
import json
import re
from typing import Any, Final
from urllib.parse import unquote_to_bytes

MAX_BODY: Final = 65_536
MAX_WITH_FILES: Final = 10_500_000
MAX_FILES: Final = 3
MAX_FIELDS: Final = 50
MAX_FIELD_NAME: Final = 100

URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"


class Unreadable(Exception):
    """`why` is a key of the table of words; `status` what to answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


@dataclasses.dataclass(frozen=True)
class Attached:
    """A file as a browser sends it."""

    name: str
    content_type: str
    data: bytes


class Fields:
    """What was posted. The first value of a name counts; `twice` has the names that came again, `not_text` those whose
    value was something else, `ticked` those that a script gave as true."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.twice: set[str] = set()
        self.not_text: set[str] = set()
        self.ticked: set[str] = set()
        self.files: list[Attached] = []
        self.too_many = False

    def add(self, name: str, value: str) -> None:
        if name in self.values:
            self.twice.add(name)
        elif len(self.values) >= MAX_FIELDS or len(name) > MAX_FIELD_NAME:
            self.too_many = True
        else:
            self.values[name] = value.replace("\r\n", "\n").replace("\r", "\n")

    def get(self, name: str) -> str:
        return self.values.get(name, "")


_PARAMETER = re.compile(r';\s*([A-Za-z0-9_-]+)\s*=\s*(?:"([^"]*)"|([^;]*))')


def media_type(content_type: str | None) -> tuple[str, dict[str, str]]:
    """(type in small letters, its parameters)."""
    text = content_type or ""
    found = {m[1].lower(): (m[3].strip() if m[2] is None else m[2]) for m in _PARAMETER.finditer(text)}
    return text.partition(";")[0].strip().lower(), found


def read(content_type: str | None, body: bytes, *, files: bool = False) -> Fields:
    """Raises Unreadable for what cannot be read without guessing. `files`: some may be in it."""
    kind, params = media_type(content_type)
    if len(body) > (MAX_WITH_FILES if files and kind == MULTIPART else MAX_BODY):
        raise Unreadable(413, "too_large")
    charset = params.get("charset", "utf-8").strip().lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Unreadable(400, "not_utf8")
    if kind == URLENCODED:
        return _urlencoded(body)
    if kind == MULTIPART:
        return _multipart(body, params.get("boundary", ""))
    if kind == JSON:
        return _json(body)
    raise Unreadable(415, "not_a_form")


def _decode(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable(400, "not_utf8") from None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or text.count("\x00") > len(text) // 4 + 1:
        raise Unreadable(400, "not_utf8")  # UTF-16 that happens to decode: every other byte is a NUL
    return text


def _urlencoded(body: bytes) -> Fields:
    fields = Fields()
    pairs = body.split(b"&", 10 * MAX_FIELDS)
    for pair in pairs:
        if not pair:
            continue
        name, _, value = pair.partition(b"=")
        fields.add(
            _decode(unquote_to_bytes(name.replace(b"+", b" "))), _decode(unquote_to_bytes(value.replace(b"+", b" ")))
        )
    fields.too_many |= len(pairs) > 10 * MAX_FIELDS
    return fields


_NAME = re.compile(r'(?:^|;)\s*name="([^"]*)"')
_FILENAME = re.compile(r"(?:^|;)\s*filename\*?=(\"([^\"]*)\"|[^;]*)")


def _multipart(body: bytes, boundary: str) -> Fields:
    fields = Fields()
    if not boundary or len(boundary) > 200 or not boundary.isascii():
        raise Unreadable(400, "cut_off")
    mark = b"--" + boundary.encode("ascii")
    pieces = (b"\r\n" + body).split(b"\r\n" + mark, 10 * MAX_FIELDS)
    if len(pieces) < 2:
        raise Unreadable(400, "cut_off")
    if len(pieces) > 10 * MAX_FIELDS:
        fields.too_many = True
    elif not pieces[-1].startswith(b"--"):
        raise Unreadable(400, "cut_off")
    for piece in pieces[1:-1]:
        head, blank, value = piece.partition(b"\r\n\r\n")
        if not blank:
            raise Unreadable(400, "cut_off")
        _part(fields, head, value)
    return fields


def _part(fields: Fields, head: bytes, value: bytes) -> None:
    line = next((h for h in _decode(head).split("\r\n") if h.lower().startswith("content-disposition:")), "")
    rest = line.partition(":")[2].partition(";")[2]
    named = _NAME.search(rest)
    if named is None:
        raise Unreadable(400, "cut_off")
    file = _FILENAME.search(rest)
    if file is not None:
        # A file field that nobody filled in comes as an empty file without a name.
        name = file.group(2) or ""
        if value or name:
            typed = next((h for h in _decode(head).split("\r\n") if h.lower().startswith("content-type:")), "")
            fields.files.append(Attached(name, typed.partition(":")[2].strip(), value))
        return
    # As browsers write these three in a name.
    name = named.group(1).replace("%22", '"').replace("%0D%0A", "\n").replace("%0A", "\n")
    fields.add(name, _decode(value))


def _json(body: bytes) -> Fields:
    fields = Fields()
    try:
        found: Any = json.loads(_decode(body), object_pairs_hook=lambda pairs: pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Unreadable(400, "not_json") from None
    if not isinstance(found, list) or any(not isinstance(pair, tuple) for pair in found):
        raise Unreadable(422, "not_object")
    for name, value in found:
        if isinstance(value, bool):
            if value:
                fields.ticked.add(name)
        elif isinstance(value, str):
            fields.add(name, value)
        elif value is not None:
            fields.not_text.add(name)
            fields.add(name, "")
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(name)
