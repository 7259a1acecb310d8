"""Rows as CSV for a spreadsheet: RFC 4180, every cell in quotes, nothing in it that a spreadsheet would calculate.

A spreadsheet takes a cell that begins with = + - @ or a tab for a formula, quotes or not, and a formula can send what
stands beside it to anybody. So such a cell gets an apostrophe in front, which makes it text: also a phone number, which
so keeps its plus sign and its noughts.
"""

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Literal

from hub.text import is_blank

Separator = Literal["comma", "semicolon", "tab"]
SEPARATORS: Final[dict[Separator, str]] = {"comma": ",", "semicolon": ";", "tab": "\t"}
MARK: Final = "\ufeff"  # without it Excel takes UTF-8 for the code page of the country
LONGEST: Final = 32_767  # characters of a cell that Excel takes
_STARTS: Final = frozenset("=+-@\t\r\n\0|%")
Cell = str | int | float | bool | None


def cell(value: Cell) -> str:
    """As text, harmless and not too long; without its quotes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if _is_formula(text):
        text = "'" + text
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _is_formula(text: str) -> bool:
    """By the first character that can be seen, in whatever width it is written."""
    if not text or text[0].isalnum():
        return False
    for character in text:
        if character in _STARTS or unicodedata.normalize("NFKC", character)[0] in _STARTS or character == "−":
            return True
        if not (character.isspace() or is_blank(character)):
            return False
    return False


def lines(rows: Iterable[Iterable[Cell]], separator: Separator = "comma") -> bytes:
    between = f'"{SEPARATORS[separator]}"'
    made = ['"' + between.join(cell(value).replace('"', '""') for value in row) + '"\r\n' for row in rows]
    return "".join(made).encode()


def moment(at: int | None) -> str | None:
    """Milliseconds as a date with time, UTC, that spreadsheets and programs read."""
    return None if at is None else datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
