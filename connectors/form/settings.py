"""What can be set for a form, and what is derived from it. Read by every module of this folder."""

import dataclasses
import ipaddress
import re
from typing import Final, Literal

from hub.connector import WrongSetting, setting

MAX_SELECTS: Final = 10
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_MARK = "Label: one | two | three. A star after the label makes an answer necessary: Topic*: Delivery | Payment."


@dataclasses.dataclass(frozen=True)
class Select:
    """A question with given answers; `name` is the field's name in a post."""

    name: str
    label: str
    options: tuple[str, ...]
    required: bool


@dataclasses.dataclass(frozen=True)
class FormSettings:
    title: str | None = setting("Title", "Above the form. Left empty: a word in the visitor's language.", default=None)
    intro: str | None = setting("Introduction", "A few lines below the title.", default=None, shape="lines")
    colour: str = setting("Brand colour", "Six digits: #1f6f5c.", default="#1f5fbf", shape="colour")
    ask: Literal["email", "phone", "either", "both"] = setting(
        "How to reach them",
        "What the form asks for. either: both fields are shown and one is needed.",
        default="either",
        choices=("email", "phone", "either", "both"),
    )
    name_required: bool = setting("A name is needed", default=True)
    ask_subject: bool = setting("Ask for a subject", default=True)
    selects: tuple[str, ...] = setting("Questions with given answers", _MARK, default=(), shape="lines")
    consent: str | None = setting(
        "Consent",
        "A box that has to be ticked, in these words. Kept with each message as purpose 'privacy'.",
        default=None,
        shape="lines",
    )
    marketing: str | None = setting(
        "News",
        "A box that may be ticked, in these words. Yes and no are kept as purpose 'marketing'.",
        default=None,
        shape="lines",
    )
    files: bool = setting("Take files", "A field for up to three files, together no larger than 10 MB.", default=False)
    place: str | None = setting("Place", "Where this form hangs or belongs: a branch, a counter, a page.", default=None)
    servers: tuple[str, ...] = setting(
        "Own servers", "Addresses or networks whose posts are not counted: 203.0.113.7, 2001:db8::/48.", default=()
    )

    def __post_init__(self) -> None:
        if not _COLOUR.fullmatch(self.colour):
            raise WrongSetting("colour", "Write the colour as # and six digits: #1f6f5c.")
        if len(self.selects) > MAX_SELECTS:
            raise WrongSetting("selects", f"At most {MAX_SELECTS} questions are possible.")
        for line in self.selects:
            if select(1, line) is None:
                raise WrongSetting("selects", f"{line!r} is no question with answers. Write it like this: {_MARK}")
        for network in self.servers:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                raise WrongSetting("servers", f"{network!r} is no address or network.") from None

    def questions(self) -> tuple[Select, ...]:
        return tuple(s for n, line in enumerate(self.selects, 1) if (s := select(n, line)) is not None)

    def is_own_server(self, remote: str) -> bool:
        try:
            address = ipaddress.ip_address(remote)
        except ValueError:
            return False
        return any(address in ipaddress.ip_network(network) for network in self.servers)


def select(number: int, line: str) -> Select | None:
    """`Label: one | two`; None when it is not written so."""
    label, colon, rest = line.partition(":")
    options = tuple(dict.fromkeys(o for part in rest.split("|") if (o := " ".join(part.split()))))
    label = label.strip()
    required = label.endswith("*")
    label = label.rstrip("* ")
    if not colon or not label or len(options) < 2 or len(line) > 2_000:
        return None
    return Select(f"select_{number}", label, options, required)


def ink(colour: str) -> str:
    """Black or white, whichever reads better on `colour` (WCAG's relative luminance)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return "#000000" if 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 else "#ffffff"
