"""The form's pages as HTML: the form with what was typed and what is wrong, the thank-you, the style sheet."""

import dataclasses
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import jinja2

from connectors.form import words
from connectors.form.body import MAX_FILES, Fields
from connectors.form.filled import CLIENT_ID, LANGUAGE, NEXT, OURS, PURPOSES, TICKED, TOKEN, TRAP, UTM, Wrong, box
from connectors.form.settings import FormSettings, ink

_FOLDER: Final = Path(__file__).parent / "templates"
_SOURCES: Final = {path.name: path.read_text(encoding="utf-8") for path in sorted(_FOLDER.iterdir())}
_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.DictLoader(_SOURCES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
)
_FORM: Final = _ENVIRONMENT.get_template("form.html")
_THANKS: Final = _ENVIRONMENT.get_template("thanks.html")
_KEPT: Final = (LANGUAGE, "place", "page", "referrer", *UTM, NEXT)
_KINDS: Final = {
    "name": ("text", "name"),
    "email": ("email", "email"),
    "phone": ("tel", "tel"),
    "subject": ("text", ""),
}


@dataclasses.dataclass(frozen=True)
class Shown:
    """One field as the template draws it."""

    name: str
    label: str
    kind: str
    value: str
    required: bool
    error: str
    complete: str = ""
    options: tuple[str, ...] = ()
    hint: str = ""  # the id of the text that says more
    says: str = ""
    focus: bool = False


@dataclasses.dataclass(frozen=True)
class Look:
    """What all pages of one inbox have in common."""

    settings: FormSettings
    language: str
    asked: str  # the language that the address asked for, to be kept in links
    base: str

    def common(self, heading: str) -> dict[str, str]:
        direction = "rtl" if self.language in words.RIGHT_TO_LEFT else "ltr"
        return {"language": self.language, "direction": direction, "base": self.base, "heading": heading}

    def say(self, key: str, **values: object) -> str:
        return words.say(self.language, key, **values)

    def sentence(self, wrong: Wrong) -> str:
        """The hub's own sentence about an address says more, but in English."""
        key, values = wrong
        said = str(values.get("hub", "…"))
        if self.language == "en" and said != "…":
            return said
        return self.say(key, **values)


def base(public_url: str, token: str) -> str:
    return f"{urlsplit(public_url).path.rstrip('/')}/f/{token}"


def form(look: Look, fields: Fields, token: str, wrong: dict[str, Wrong], problem: str = "") -> bytes:
    """The page with what was typed. `wrong` by field, "" the form as a whole; `problem` stands above all."""
    shown = [*_lines(look, fields, wrong), *_questions(look, fields, wrong), _message(look, fields, wrong)]
    if look.settings.files:
        says = look.say("files_again") if fields.files else look.say("files_hint", most=MAX_FILES)
        error = _error(look, wrong, "files")
        shown.append(Shown("files", look.say("files_label"), "file", "", False, error, hint="files-hint", says=says))
    boxes = _boxes(look, fields, wrong)
    marked = [field for field in (*shown, *boxes) if field.error]
    if "" in wrong:
        problem = look.sentence(wrong[""])
    elif marked and not problem:
        problem = look.say("check")
    if marked:
        shown, boxes = [_focused(f, marked[0]) for f in shown], [_focused(f, marked[0]) for f in boxes]
    asked = {field.name for field in (*shown, *boxes)}
    drawn = asked | OURS | {TOKEN, TRAP, CLIENT_ID, *(box(purpose) for purpose, _ in PURPOSES)}
    kept = [(name, value) for name in _KEPT if (value := fields.get(name))]
    # What a form with fields or a subject of its own has sent is not lost when ours is shown in its stead.
    kept += [(n, v) for n, v in fields.values.items() if v and n not in asked and (n not in drawn or n in _KINDS)]
    html = _FORM.render(
        **look.common(look.settings.title or look.say("title")),
        intro=look.settings.intro,
        problem=problem,
        marked=marked,
        hidden=[(TOKEN, token), *kept],
        trap=look.say("trap"),
        trapped=fields.get(TRAP),
        fields=shown,
        boxes=boxes,
        optional=look.say("optional"),
        choose=look.say("choose"),
        send=look.say("send"),
    )
    return html.encode("utf-8", "replace")


def _lines(look: Look, fields: Fields, wrong: dict[str, Wrong]) -> list[Shown]:
    ask = look.settings.ask
    names = ["name", *(("email", "phone") if ask in ("either", "both") else (ask,))]
    if look.settings.ask_subject:
        names.append("subject")
    found = []
    for name in names:
        kind, complete = _KINDS[name]
        reaches = name in ("email", "phone")
        either = ask == "either" and reaches
        found.append(
            Shown(
                name=name,
                label=look.say(name),
                kind=kind,
                value=fields.get(name),
                required=(reaches and not either) or (name == "name" and look.settings.name_required),
                error=_error(look, wrong, name),
                complete=complete,
                hint="either" if either else "",
                says=look.say("either") if either and name == "phone" else "",
            )
        )
    return found


def _questions(look: Look, fields: Fields, wrong: dict[str, Wrong]) -> list[Shown]:
    return [
        Shown(
            q.name,
            q.label,
            "select",
            fields.get(q.name).strip(),
            q.required,
            _error(look, wrong, q.name),
            options=q.options,
        )
        for q in look.settings.questions()
    ]


def _message(look: Look, fields: Fields, wrong: dict[str, Wrong]) -> Shown:
    error = _error(look, wrong, "message")
    return Shown("message", look.say("message"), "textarea", fields.get("message"), True, error)


def _boxes(look: Look, fields: Fields, wrong: dict[str, Wrong]) -> list[Shown]:
    found = []
    for purpose, setting in PURPOSES:
        wording: str | None = getattr(look.settings, setting)
        if wording:
            name = box(purpose)
            ticked = TICKED if name in fields.ticked or fields.get(name) == TICKED else ""
            error = _error(look, wrong, name)
            found.append(Shown(name, wording, "checkbox", ticked, purpose == "privacy", error))
    return found


def _error(look: Look, wrong: dict[str, Wrong], name: str) -> str:
    return look.sentence(wrong[name]) if name in wrong else ""


def _focused(field: Shown, first: Shown) -> Shown:
    return dataclasses.replace(field, focus=True) if field is first else field


def thanks(look: Look, number: int | None) -> bytes:
    """`number` None: stored, but somebody has to look at it before it has one."""
    html = _THANKS.render(
        **look.common(look.say("thanks")),
        asked=look.asked,
        arrived=look.say("arrived") if number is None else look.say("number", number=f"#{number}"),
        keep="" if number is None else look.say("keep"),
        again=look.say("again"),
    )
    return html.encode()


def style(settings: FormSettings) -> bytes:
    sheet = _SOURCES["form.css"].replace("#BRAND#", settings.colour).replace("#INK#", ink(settings.colour))
    return sheet.encode()
