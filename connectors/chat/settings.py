"""What can be set for a chat, and what is derived from it."""

import dataclasses
import re
from typing import Any, Final, Literal

from hub.connector import LiveSettings, WrongSetting, setting

CONTRAST: Final = 4.5  # WCAG 2.2, 1.4.3
MAX_GREETING: Final = 500
MAX_TITLE: Final = 80
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChatSettings(LiveSettings):
    title: str | None = setting(
        "Title",
        "Above the chat: your firm's name. Left empty: a word in the visitor's language.",
        default=None,
        look=True,
    )
    greeting: str | None = setting(
        "Greeting", "What stands there before anybody has written.", default=None, shape="lines", look=True
    )
    colour: str = setting(
        "Brand colour",
        "Six digits: #1d4ed8. The text on it is black or white.",
        default="#1d4ed8",
        shape="colour",
        look=True,
    )
    ink: str | None = setting(
        "Text on the brand colour",
        "Left empty: black or white, whichever reads better.",
        default=None,
        shape="colour",
        look=True,
    )
    position: Literal["end", "start"] = setting(
        "Side",
        "end: where lines of the page's language end (right in English).",
        default="end",
        choices=("end", "start"),
        look=True,
    )
    theme: Literal["auto", "light", "dark"] = setting(
        "Theme", "auto: as the visitor's device is set.", default="auto", choices=("auto", "light", "dark"), look=True
    )
    languages: tuple[str, ...] = setting(
        "Languages",
        "Those the chat may be shown in, the first one for everybody else: en, km. Empty: all.",
        default=(),
        look=True,
    )
    sound: bool = setting("Sound", "A sound for a new message, until a visitor turns it off.", default=True, look=True)
    title_count: bool = setting(
        "Count in the page's title", "(2) before it, while there is something new.", default=True, look=True
    )
    offer_form: bool = setting(
        "Offer the contact form too", "As the other way on the first screen.", default=False, look=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, colour in (("colour", self.colour), ("ink", self.ink)):
            if colour is not None and not _COLOUR.fullmatch(colour):
                raise WrongSetting(name, "Write the colour as # and six digits: #1d4ed8.")
        found = contrast(self.colour, on(self))
        if found < CONTRAST:
            raise WrongSetting(
                "ink",
                f"This is hard to read on {self.colour}: its contrast is {found:.1f}, and {CONTRAST} is needed.",
            )
        if len(self.title or "") > MAX_TITLE:
            raise WrongSetting("title", f"At most {MAX_TITLE} characters are possible.")
        if len(self.greeting or "") > MAX_GREETING:
            raise WrongSetting("greeting", f"At most {MAX_GREETING} characters are possible.")
        for language in self.languages:
            if not _LANGUAGE.fullmatch(language):
                raise WrongSetting("languages", f"{language!r} is no language. Write two small letters: en, km.")


def on(settings: ChatSettings) -> str:
    """The colour of text on the brand colour. Of black and white one always has a contrast of 4.58 or more."""
    return settings.ink or max(("#ffffff", "#000000"), key=lambda ink: contrast(settings.colour, ink))


def front(settings: ChatSettings) -> dict[str, Any]:
    """What every browser is told: no secret, nothing about the desk."""
    return {
        "name": settings.title,
        "greeting": settings.greeting,
        "colour": settings.colour,
        "on": on(settings),
        "side": settings.position,
        "theme": settings.theme,
        "languages": settings.languages,
        "sound": settings.sound,
        "prefix": settings.title_count,
        "offer_form": settings.offer_form,
    }


def contrast(one: str, other: str) -> float:
    """Between 1 and 21, as WCAG counts it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
