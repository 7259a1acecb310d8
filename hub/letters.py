"""The letters that the desk writes itself: one template for each purpose, made into text and simple HTML.

Templates are ours and lie in agents_ui/templates/letters; what they are filled with is not, so they are rendered in
Jinja2's sandbox, with nothing to reach but the values given. For hub.work.outbound, in a thread: reading the
translations takes a while the first time.
"""

import functools
from pathlib import Path
from typing import Any, Final

import msgspec

from hub import catalogues
from hub.catalogues import Texts

FOLDER: Final = Path(__file__).parents[1] / "agents_ui" / "templates"


class Letter(msgspec.Struct, frozen=True):
    subject: str
    text: str
    html: str


def compose(purpose: str, language: str, fields: dict[str, Any], *, firm: str, desk: str) -> Letter:
    """`desk`: its public address, without a slash at the end. `firm`: whose it is, if anybody has said so."""
    texts = _texts(catalogues.best(None, wish=language))
    given = {
        **fields,
        "firm": firm or "Parley",
        "desk": desk,
        "lang": texts.lang,
        "dir": texts.dir,
        "_": texts.gettext,
        "ngettext": texts.ngettext,
    }
    name = f"letters/{purpose}.html"
    subject = " ".join(_in(text=True).get_template(name).render(given, base="letters/subject.html").split())
    text = _in(text=True).get_template(name).render(given, base="letters/text.html").strip() + "\n"
    html = _in(text=False).get_template(name).render(given, base="letters/page.html")
    return Letter(subject, _squeezed(text), html)


def purposes() -> list[str]:
    return sorted(p.stem for p in (FOLDER / "letters").glob("*.html") if p.stem not in ("page", "text", "subject"))


def _squeezed(text: str) -> str:
    """At most one empty line at a time."""
    lines: list[str] = []
    for line in (line.rstrip() for line in text.split("\n")):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines)


@functools.cache
def _in(*, text: bool) -> Any:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(FOLDER),
        autoescape=not text,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@functools.cache
def _texts(language: str) -> Texts:
    return catalogues.load("console", language)
