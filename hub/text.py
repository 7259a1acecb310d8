"""Text from outside: what is accepted as text at all, how it is folded for comparing, how long it may be."""

import re
import unicodedata
from typing import Final

from hub.errors import invalid

MAX_MESSAGE: Final = 10_000  # characters of one message or note
MAX_NAME: Final = 200
MAX_LINE: Final = 500

# What draws nothing: white space, zero-width characters, marks of direction, fillers.
_INVISIBLE: Final = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\ufeff\uffa0")

_UNSTORABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def fold(text: str) -> str:
    """For comparing and sorting: NFKC, casefold, single spaces. Made here and stored beside the original, so that both
    databases compare alike."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def is_blank(text: str) -> bool:
    """Nothing that anybody could see."""
    return all(c in _INVISIBLE or unicodedata.category(c) in ("Zs", "Zl", "Zp", "Cc", "Cf") for c in text)


def clean(text: str, field: str, *, most: int, least: int = 1, lines: bool = True) -> str:
    """The text as it will be stored, or a Refusal that names `field` and the limit.

    `most` and `least` count characters (code points). `lines`: may it have several; if not, breaks become spaces.
    Refused: NUL and other control characters but tab and newline (PostgreSQL stores no NUL, SQLite stops at it), lone
    surrogates (no database and no answer can carry them), text with nothing visible where one is required.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not lines:
        text = " ".join(text.split("\n")).strip()
    bad = _UNSTORABLE.search(text)
    if bad is not None:
        code = f"U+{ord(bad[0]):04X}"
        raise invalid(field, f"This has a character that cannot be stored ({code}). Take it out and try again.")
    if len(text) > most:
        raise invalid(field, f"This is {len(text):,} characters long; at most {most:,} are possible.")
    if least and is_blank(text):
        raise invalid(field, "This is empty. Write something first.")
    return text
