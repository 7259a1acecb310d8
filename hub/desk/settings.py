"""What may be set for an inbox: fields of the connector's own `Settings` and the few that every inbox has (`Common`).

Called by hub.desk.inboxes. Both kinds of fields lie in one JSON object, so their names must differ; secrets stand
apart.
"""

import dataclasses
import types
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from hub.addresses import wrong_url
from hub.connector import WrongSetting, setting
from hub.desk import kinds
from hub.errors import FieldError, Refusal
from hub.text import clean

MAX_SETTING: Final = 10_000
_LIMITS: Final = (
    ("accept_within", 10, 3_600),
    ("after_everybody", 10, 86_400),
    ("weight", 1, 50),
    ("files_kept_days", 1, 36_500),
)


@dataclasses.dataclass(frozen=True)
class Common:
    """Settings that every inbox has, whatever its channel."""

    default_country: str | None = setting(
        "Country", "Two letters (ET, KH, FR): how a phone number without a country code is read.", default=None
    )
    language: str | None = setting(
        "Language", "The one we answer in unless the contact's is known: en, fr, km.", default=None
    )
    routing: Literal["claim", "offer"] = setting(
        "Routing",
        "claim: agents take tickets themselves. offer: what waits is offered to whoever is there and has room.",
        default="claim",
        choices=("claim", "offer"),
    )
    accept_within: int = setting(
        "Time to accept (seconds)", "An offer that is left lying for so long goes to the next agent.", default=60
    )
    after_everybody: int = setting(
        "Ask again after (seconds)", "When everybody has let a ticket pass, all are asked anew after this.", default=60
    )
    weight: int | None = setting(
        "Weight (points)",
        "How much of an agent's capacity one of its tickets takes. Empty: 2 where people talk live, else 1.",
        default=None,
    )
    sticky: bool = setting(
        "Ask whom they know first",
        "A contact's tickets are offered first to the agent who had the last one, when that agent has room.",
        default=True,
    )
    language_matters: bool = setting(
        "Languages count", "Offer a ticket first to those who speak the contact's language.", default=True
    )
    skills: tuple[str, ...] = setting(
        "Skills", "Offer its tickets first to agents who have all of these: billing, returns.", default=()
    )
    hours_id: int | None = setting(
        "Business hours", "When somebody answers here. A team's own hours go before these; none: always.", default=None
    )
    reopen_days: int = setting(
        "Reopen for (days)",
        "A message within this time after resolving reopens the ticket; later it opens a new one.",
        default=14,
    )
    files_kept_days: int | None = setting(
        "Keep files for (days)",
        "Files of its messages are removed when they are so old; what was said stays. Empty: they are kept.",
        default=None,
    )
    acknowledge: bool = setting(
        "Acknowledge new tickets",
        "The desk answers by itself that a message has come: only proven or known senders, once a day, no machines.",
        default=False,
    )
    acknowledge_text: str | None = setting(
        "Words of the acknowledgement",
        "{number} stands for the number of the ticket. Empty: a sentence of ours.",
        default=None,
        shape="lines",
    )
    allowed_origins: tuple[str, ...] = setting(
        "Allowed sites",
        "Origins that may use this inbox from a browser: https://shop.example.",
        default=(),
        shape="lines",
    )
    allow_http: bool = setting("Allow plain http", "Calls to addresses that have no TLS.", default=False)

    def __post_init__(self) -> None:
        country = self.default_country
        if country is not None and not (len(country) == 2 and country.isascii() and country.isupper()):
            raise WrongSetting("default_country", "Write the country as two capital letters: ET, KH, FR.")
        if not 0 <= self.reopen_days <= 3_650:
            raise WrongSetting("reopen_days", "Between 0 and 3650 days are possible.")
        for name, least, most in _LIMITS:
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise WrongSetting(name, f"Between {least} and {most} are possible.")
        for origin in self.allowed_origins:
            scheme, _, host = origin.partition("://")
            if scheme not in ("https", "http") or not host or any(c in host for c in "/?#@\\ "):
                raise WrongSetting("allowed_origins", f"{origin!r} is no origin. Write it like https://shop.example")


class Field(msgspec.Struct, frozen=True):
    """One field of the settings form."""

    name: str
    label: str
    help: str
    type: str
    required: bool
    secret: bool
    choices: tuple[str, ...]
    default: Any
    shape: str = ""
    look: bool = False
    group: str = ""
    early: bool = False
    common: bool = False


_COMMON: Final = tuple(f.name for f in dataclasses.fields(Common))
_hints: dict[type[Any], dict[str, Any]] = {}


def form(kind: str) -> list[Field]:
    """The fields of an inbox of this kind, its own first."""
    return [_described(cls, f) for cls in (kinds.settings_of(kind), Common) for f in dataclasses.fields(cls)]


def secret_names(kind: str) -> list[str]:
    return [f.name for f in dataclasses.fields(kinds.settings_of(kind)) if f.metadata.get("secret")]


def split(
    kind: str, settings: Mapping[str, Any], allowed_hosts: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, str]]:
    """(plain, secrets) of complete settings as they will be stored, defaults left out; or a Refusal naming each wrong
    field. None means "not set". `allowed_hosts`: "host:port" of the operator's own network that may be called."""
    own = kinds.settings_of(kind)
    names = {f.name for f in dataclasses.fields(own)}
    clash = names & set(_COMMON)
    assert not clash, f"the settings of {kind} reuse common names: {clash}"
    wrong = [
        FieldError(
            f"settings.{name}", "There is no such setting. There are: " + ", ".join([*sorted(names), *_COMMON]) + "."
        )
        for name in settings
        if name not in names and name not in _COMMON
    ]
    values: dict[str, Any] = {}
    for cls in (own, Common):
        wrong += _convert(cls, settings, values)
    if not wrong:
        wrong += _wrong_urls(own, values, allowed_hosts)
    if not wrong:
        wrong += [error for cls in (own, Common) if (error := _whole(cls, values))]
    if wrong:
        raise Refusal("invalid", wrong[0].text, errors=tuple(wrong))
    secret = set(secret_names(kind))
    plain = {name: value for name, value in values.items() if name not in secret}
    return plain, {name: str(value) for name, value in values.items() if name in secret}


def build(cls: type[Any], values: Mapping[str, Any]) -> Any:
    """An instance of `cls` from stored values; what it does not know (any more) is left out."""
    hints = _hints_of(cls)
    known = {name: value for name, value in values.items() if name in hints}
    return cls(**{name: msgspec.convert(value, type=hints[name]) for name, value in known.items()})


def _convert(cls: type[Any], given: Mapping[str, Any], into: dict[str, Any]) -> list[FieldError]:
    wrong = []
    hints = _hints_of(cls)
    for field in dataclasses.fields(cls):
        value = given.get(field.name)
        place = f"settings.{field.name}"
        if value is None or (value == "" and field.default is not dataclasses.MISSING):
            if field.default is dataclasses.MISSING:
                wrong.append(FieldError(place, f"{field.metadata.get('label', field.name)} is required."))
            continue
        try:
            into[field.name] = _checked(msgspec.convert(value, type=hints[field.name]), place)
        except msgspec.ValidationError:
            wrong.append(FieldError(place, f"This must be {_words(hints[field.name])}."))
        except Refusal as error:
            wrong += error.errors
        else:
            choices = field.metadata.get("choices")
            if choices and into[field.name] not in choices:
                wrong.append(FieldError(place, "Choose one of: " + ", ".join(choices) + "."))
    return wrong


def _checked(value: Any, place: str) -> Any:
    if isinstance(value, str):
        return clean(value, place, most=MAX_SETTING)
    if isinstance(value, tuple):
        return tuple(clean(v, place, most=MAX_SETTING) if isinstance(v, str) else v for v in value)
    return value


def _whole(cls: type[Any], values: Mapping[str, Any]) -> FieldError | None:
    """What the dataclass itself finds wrong, once each field is right."""
    try:
        cls(**{f.name: values[f.name] for f in dataclasses.fields(cls) if f.name in values})
    except WrongSetting as error:
        return FieldError(f"settings.{error.field}", error.text)
    return None


def _wrong_urls(cls: type[Any], values: Mapping[str, Any], allowed: Collection[str]) -> list[FieldError]:
    allow_http = bool(values.get("allow_http"))
    found = []
    for field in dataclasses.fields(cls):
        url = values.get(field.name) if field.metadata.get("url") else None
        text = wrong_url(url, allow_http=allow_http, allowed=allowed) if url else None
        if text is not None:
            found.append(FieldError(f"settings.{field.name}", text))
    return found


def _hints_of(cls: type[Any]) -> dict[str, Any]:
    if cls not in _hints:
        _hints[cls] = get_type_hints(cls)
    return _hints[cls]


def _described(cls: type[Any], field: "dataclasses.Field[Any]") -> Field:
    meta = field.metadata
    missing = field.default is dataclasses.MISSING
    return Field(
        name=field.name,
        label=meta.get("label", field.name),
        help=meta.get("help", ""),
        type=_words(_hints_of(cls)[field.name]),
        required=missing,
        secret=bool(meta.get("secret")),
        choices=tuple(meta.get("choices", ())),
        default=None if missing or meta.get("secret") else field.default,
        shape=meta.get("shape", ""),
        look=bool(meta.get("look")),
        group=meta.get("group", ""),
        early=bool(meta.get("early")),
        common=cls is Common,
    )


def _words(hint: Any) -> str:
    """A type in words for the person who fills in the form."""
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_words(part) for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(str(part) for part in get_args(hint))
    if get_origin(hint) is tuple:
        return "a list of " + {str: "texts", int: "whole numbers"}.get(get_args(hint)[0], "values")
    return {str: "text", int: "a whole number", bool: "true or false", float: "a number"}.get(hint, "a value")
