"""Bytes into text, by the charset they say they have: tolerant of the names people's programs use, never of codecs that
are none (rot13, zlib) or that hide markup (UTF-7). Called by all that reads a mail."""

import codecs
import re
from typing import Final

MAX_NAME: Final = 60

# What is written → what Python calls it. Latin-1 and ASCII mean windows-1252, as they do in every browser.
_NAMES: Final = {
    "": "utf-8",
    "utf8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "utf-8mb4": "utf-8",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "ansi_x3.4-1968": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-1-windows-3.1-latin-1": "cp1252",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "big5": "cp950",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "ksc5601": "cp949",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-ukrainian": "mac_cyrillic",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
    "koi8": "koi8-r",
    "koi8-ru": "koi8-u",
    "win-1251": "cp1251",
    "win1251": "cp1251",
    "x-cp1251": "cp1251",
    "x-cp1250": "cp1250",
    "dos-866": "cp866",
}
# Text codecs in Python's eyes, that no mail is written in.
_REFUSED: Final = frozenset(
    {"utf-7", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "unicode_escape", "raw_unicode_escape"}
    | {"undefined", "mbcs", "oem", "unicode-internal"}
)
_WINDOWS: Final = {byte: bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)}
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\ud800-\udfff\ufffe\uffff]")
# What changes the direction of everything after it, and what cannot be seen at all.
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\ufeff\U000e0000-\U000e007f]")


def codec_of(charset: str) -> str | None:
    """The codec that is meant by a charset's name; None where there is none that can be used."""
    name = charset.strip().strip("\"'").strip().lower()
    if len(name) > MAX_NAME or not name.isascii() or not name.isprintable():
        return None
    name = _NAMES.get(name, name)
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if not getattr(found, "_is_text_encoding", False) or found.name.replace("_", "-") in _REFUSED:
        return None
    return found.name


def decode(raw: bytes, charset: str) -> tuple[str, bool]:
    """(the text, whether the charset was what it said). Whatever the bytes are, there is a text."""
    codec = codec_of(charset)
    if codec is None:
        return _guessed(raw), False
    if codec == "cp1252":  # very often UTF-8 that nobody has declared
        if raw.isascii():
            return raw.decode("ascii"), True
        if charset.strip().lower() in ("us-ascii", "ascii", ""):
            return _guessed(raw), False
        return _windows(raw), True
    try:
        return raw.decode(codec), True
    except (UnicodeError, ValueError):
        pass
    if codec == "utf-8":
        # Not a single character of several bytes in it: then it is in something else.
        text = raw.decode("utf-8", "replace")
        return (text if _mostly_fine(text, raw) else _windows(raw)), False
    try:
        return raw.decode(codec, "replace"), False
    except (UnicodeError, ValueError):
        return _guessed(raw), False


def clean(text: str) -> str:
    """A text of many lines, without what neither people nor databases can do anything with."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def line(text: str, most: int) -> str:
    """One line of at most `most` characters: a subject, a name. Nothing in it turns what stands beside it."""
    return " ".join(_TURNING.sub("", _CONTROL.sub(" ", text[: 4 * most + 1_000])).split())[:most].rstrip()


def _guessed(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return _windows(raw)


def _windows(raw: bytes) -> str:
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:  # a few of its places are empty
        return raw.decode("latin-1").translate(_WINDOWS)


def _mostly_fine(text: str, raw: bytes) -> bool:
    broken = text.count("\ufffd")
    return len(raw) - len(text) + broken > broken
