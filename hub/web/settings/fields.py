"""The form that an inbox's settings make by themselves: which control a field gets, and what the form says of it.

A form names every field that it shows in `has`, so that a box without a tick is told from a field that was not there,
and a page may show some of the fields only. A secret is written and never shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from hub.desk.inboxes import Inbox
from hub.desk.settings import Field
from hub.web.settings.frame import Form

Control = Literal["text", "area", "colour", "whole", "box", "choice", "pick", "secret"]
Options = Mapping[str, Sequence[tuple[int, str]]]  # name of a field that holds an id → what it may be
PREFIX = "settings."


class Shown(msgspec.Struct, frozen=True):
    """A field as a template draws it. `value`: as it is written; of a box, whether it is ticked."""

    name: str  # of the input
    label: str
    help: str
    control: Control
    value: Any
    required: bool
    choices: tuple[str, ...]
    is_list: bool
    is_set: bool  # a secret that is there
    options: tuple[tuple[int, str], ...] = ()
    group: str = ""


def grouped(shown: Iterable[Shown]) -> list[tuple[str, list[Shown]]]:
    """Under their headings, in the order in which those come up first; without one first of all."""
    found: dict[str, list[Shown]] = {}
    for one in shown:
        found.setdefault(one.group, []).append(one)
    return list(found.items())


def shown(
    fields: Iterable[Field], inbox: Inbox | None, form: Form | None, options: Options = MappingProxyType({})
) -> list[Shown]:
    """As the form was sent; else as the inbox has it; else as a new one would begin."""
    return [_shown(field, inbox, form, options) for field in fields]


def given(fields: Iterable[Field], form: Form) -> dict[str, Any]:
    """The settings that the form says, as `hub.desk.inboxes` takes them: None puts one back to its default."""
    names = set(form.all("has"))
    return {
        field.name: _value(field, form)
        for field in fields
        if PREFIX + field.name in names and not _is_left(field, form)
    }


def _shown(field: Field, inbox: Inbox | None, form: Form | None, options: Options) -> Shown:
    name, has = PREFIX + field.name, inbox.settings if inbox else {}
    value = has.get(field.name, field.default)
    control: Control = "pick" if field.name in options else _control(field)
    if form is not None and name in form.all("has"):
        value = form.on(name) if control == "box" else "" if control == "secret" else form.get(name)
    else:
        value = _written(field, value, control)
    return Shown(
        name=name,
        label=field.label,
        help=field.help,
        control=control,
        value=value,
        required=field.required,
        choices=field.choices,
        is_list=field.type.startswith("a list"),
        is_set=inbox is not None and field.name in inbox.sealed,
        options=tuple(options.get(field.name, ())),
        group=field.group,
    )


def _control(field: Field) -> Control:
    if field.secret:
        return "secret"
    if field.choices:
        return "choice"
    if field.shape == "lines":
        return "area"
    if field.shape == "colour":
        return "colour"
    return {"a whole number": "whole", "true or false": "box"}.get(field.type, "text")  # type: ignore[return-value]


def _written(field: Field, value: Any, control: Control) -> Any:
    if control == "box":
        return bool(value)
    if control == "secret" or value is None:
        return ""
    if isinstance(value, list | tuple):
        return ("\n" if control == "area" else ", ").join(map(str, value))
    return value


def _value(field: Field, form: Form) -> Any:
    name, control = PREFIX + field.name, _control(field)
    if control == "box":
        return form.on(name)
    if field.type.startswith("a list"):
        return form.lines(name) if control == "area" else form.words(name)
    if control == "whole":
        return form.whole(name) if form.get(name).strip() else None
    return form.get(name).strip() or None


def _is_left(field: Field, form: Form) -> bool:
    """A secret that nothing was written for stays as it is, unless it is to go."""
    name = PREFIX + field.name
    return field.secret and not form.get(name).strip() and not form.on(f"{name}.remove")
