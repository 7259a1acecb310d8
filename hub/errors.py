"""What can go wrong, in the domain's own words. `web` turns these into problem+json, `live` into error frames.

ParleyError
├── Refusal            the caller asked for something that may not or cannot be: say what and why
├── Unavailable        nothing was done; the same call may work in a moment
│   └── OutcomeUnknown the connection died during COMMIT: repeat with the same client id
└── StartRefused       the desk will not start: says which setting or file, and what to do
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Code = Literal[
    "invalid",  # a value is wrong: `field` names it
    "not_found",  # absent, or not visible to the caller: the two are never told apart
    "forbidden",  # visible, but the caller's role or token does not allow this
    "unauthenticated",  # nobody, or a credential that does not hold
    "conflict",  # true of the request, but not of the state it meets
    "stale",  # the caller has not seen what was said meanwhile; `extra` carries it
    "mismatch",  # the same client id was used with another body
    "too_many",  # a limit; `extra["retry_after"]` in seconds
    "too_large",
    "gone",
]


class FieldError(msgspec.Struct, frozen=True):
    """One wrong value: `field` is a dotted path into the request ("contact.email"), `text` a sentence for a person."""

    field: str
    text: str


class ParleyError(Exception):
    """Base of every error that Parley raises on purpose."""


class Refusal(ParleyError):
    def __init__(
        self,
        code: Code,
        text: str,
        *,
        field: str | None = None,
        errors: tuple[FieldError, ...] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.errors = errors or ((FieldError(field, text),) if field else ())
        self.extra = dict(extra or {})

    @property
    def field(self) -> str | None:
        return self.errors[0].field if self.errors else None


class Unavailable(ParleyError):
    def __init__(
        self, text: str = "The desk cannot take this just now. Nothing was changed; try again.", retry_after: int = 2
    ):
        super().__init__(text)
        self.text = text
        self.retry_after = retry_after


class OutcomeUnknown(Unavailable):
    def __init__(self) -> None:
        super().__init__(
            "The database went away while this was being stored, so it may or may not have happened. "
            "Repeat it with the same client id: it will not happen twice."
        )


class StartRefused(ParleyError):
    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(f"{text}\n{hint}" if hint else text)
        self.text = text
        self.hint = hint


def not_found(what: str) -> Refusal:
    """The one answer for "absent" and for "not yours to see"."""
    return Refusal("not_found", f"There is no such {what}.")


def invalid(field: str, text: str) -> Refusal:
    return Refusal("invalid", text, field=field)
