"""The translations: PO files, read into what templates call (`Texts`) and the JSON that scripts fetch. For pages and
letters.

A text is written in English where it is shown, `_('Hello {0}', name)`, and looked up under itself.
"""

import functools
import gettext
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

FOLDER: Final = Path(__file__).parents[1] / "locale"
DOMAINS: Final = ("console", "widget")
SOURCE: Final = "en"
LANGUAGES: Final = {"en": "English", "ru": "Русский", "km": "ខ្មែរ", "am": "አማርኛ", "ar": "العربية"}
PLURALS: Final = 200  # what holds for n holds for 100 + n % 100, from here on
_HOLE: Final = re.compile(r"\{(\d)\}")
_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_ACCEPTED: Final = re.compile(r"\s*([A-Za-z]{2,3})(?:-[\w-]*)?\s*(?:;\s*q=(\d(?:\.\d+)?))?\s*")

Messages = dict[str, str | list[str]]


class Texts:
    """One language of one domain."""

    def __init__(self, lang: str, messages: Messages, plural: Callable[[int], int], dt: dict[str, Any]) -> None:
        self.lang, self.messages, self._plural, self.dt = lang, messages, plural, dt
        self.dir = "rtl" if lang in ("ar", "he", "fa", "ur") else "ltr"

    def gettext(self, text: str, *values: object) -> str:
        found = self.messages.get(text, text)
        return self._filled(found if isinstance(found, str) else found[0], values)

    def ngettext(self, one: str, many: str, number: int, *values: object) -> str:
        """`{0}` is the number, `{1}` and on the other values."""
        found = self.messages.get(one)
        if isinstance(found, list):
            text = found[min(self._plural(number), len(found) - 1)]
        else:
            text = one if number == 1 else many
        return self._filled(text, (number, *values))

    def as_json(self) -> bytes:
        return msgspec.json.encode(
            {
                "lang": self.lang,
                "dir": self.dir,
                "plural": "".join(str(self._plural(n)) for n in range(PLURALS)),
                "msgs": self.messages,
                "dt": self.dt,
            }
        )

    def _filled(self, text: str, values: tuple[object, ...]) -> str:
        if not values:
            return text
        return _HOLE.sub(lambda hole: self._isolated(values[int(hole[1])]), text)

    def _isolated(self, value: object) -> str:
        """A name that runs the other way must not turn the sentence around it."""
        if isinstance(value, str) and (self.dir == "rtl" or _RIGHT_TO_LEFT.search(value)):
            return f"\u2068{value}\u2069"
        return str(value)


def load(domain: str, lang: str, folder: Path = FOLDER) -> Texts:
    """Reads one PO file; a language or domain without one is English."""
    from babel.messages.pofile import read_po

    messages: Messages = {}
    plural: Callable[[int], int] = _english
    path = folder / lang / "LC_MESSAGES" / f"{domain}.po"
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=lang)
        plural = gettext.c2py(catalogue.plural_expr)
        for message in catalogue:
            if not message.id or message.fuzzy:
                continue
            told = message.string
            if isinstance(message.id, tuple | list):
                if isinstance(told, tuple | list) and all(told):
                    messages[message.id[0]] = list(told)
            elif told:
                messages[message.id] = str(told)
    return Texts(lang, messages, plural, dates(lang))


@functools.cache
def dates(lang: str) -> dict[str, Any]:
    """Names and patterns of dates, for browsers that do not know the language (Chromium has no Khmer)."""
    from babel import Locale

    locale = Locale.parse(lang)
    months, days = locale.months["format"], locale.days["format"]
    order = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return {
        "months": [months["wide"][n] for n in range(1, 13)],
        "monthsShort": [months["abbreviated"][n] for n in range(1, 13)],
        "days": [days["abbreviated"][n] for n in range(len(order))],
        "day": _skeleton(locale, "MMMd"),
        "date": locale.date_formats["medium"].pattern,
        "full": locale.date_formats["long"].pattern,
        "time": "HH:mm",
        "both": "{1} {0}",
    }


def _skeleton(locale: Any, name: str) -> str:
    found = locale.datetime_skeletons.get(name)
    return found.pattern if found is not None else "d MMM"


def _english(number: int) -> int:
    return int(number != 1)


def best(accepted: str | None, *, wish: str | None = None) -> str:
    """The language to speak: the one that somebody set, else the first that their browser asks for and we have."""
    if wish and wish.split("-")[0].lower() in LANGUAGES:
        return wish.split("-")[0].lower()
    asked: list[tuple[float, int, str]] = []
    for place, part in enumerate((accepted or "")[:500].split(",")):
        found = _ACCEPTED.fullmatch(part)
        if found and found[1].lower() in LANGUAGES:
            asked.append((-float(found[2] or 1), place, found[1].lower()))
    return min(asked)[2] if asked else SOURCE
