"""The visitor's front end as it is served: the loader, the frame's page and the files of the frame. For hub.web.

There is no build step: the modules of widget/js are written one after the other into one file, so that a chat opens
with few requests, and lines that are only comment or indentation stay behind.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.catalogues import Texts

FOLDER: Final = Path(__file__).parents[2] / "widget"
# Each after those that it imports from.
MODULES: Final = (
    *("ids", "sound", "words", "store", "line", "forgetting", "views", "sight", "outbox", "writing", "choices"),
    *("whereabouts", "whoever", "chat"),
)
ALONE: Final = ("rehearsal", "files", "mail")  # loaded by itself, and by few
_VENDOR: Final = re.compile(r'^import \{([^}]*)\} from "\.\./vendor/lit-html\.js";\n', re.M)
_OWN: Final = re.compile(r'^import \{[^}]*\} from "\./[\w-]+\.js";\n', re.M)
_EXPORT: Final = re.compile(r"^export (?=(?:const|function|class|async) )", re.M)
_COMMENT: Final = re.compile(r"^[ \t]*//.*\n", re.M)
_INDENT: Final = re.compile(r"^[ \t]+|\n(?=\n)", re.M)
_HOLE: Final = re.compile(r"__(\w+)__")
# Strings, templates and patterns stay as they are; elsewhere blanks around signs, and lines of comment, say nothing.
_SPARE: Final = re.compile(
    r'("(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=\()/(?:\\.|[^/\\\n])+/)'
    r"|^[ \t]*//.*\n|^[ \t]+|[ \t]*([{}()\[\]=,;:?<>+*&|!]+)[ \t]*",
    re.M,
)


def files(folder: Path = FOLDER) -> dict[str, bytes]:
    """name under /static/<version>/ → content."""
    return {
        "widget/chat.js": bundle(
            {name: (folder / "js" / f"{name}.js").read_text("utf-8") for name in MODULES}
        ).encode(),
        **{f"widget/{name}.js": _tight((folder / "js" / f"{name}.js").read_text("utf-8")).encode() for name in ALONE},
        "widget/chat.css": _tight((folder / "chat.css").read_text("utf-8")).encode(),
        "widget/lit-html.js": (folder / "vendor" / "lit-html.js").read_bytes(),
    }


def bundle(modules: Mapping[str, str]) -> str:
    """One module out of several, which share their names as they do in one file; a test reads the result with Node."""
    wanted: set[str] = set()
    parts = []
    for source in modules.values():
        for names in _VENDOR.findall(source):
            wanted |= {name.strip() for name in names.split(",") if name.strip()}
        parts.append(_EXPORT.sub("", _OWN.sub("", _VENDOR.sub("", source))))
    head = f'import {{ {", ".join(sorted(wanted))} }} from "./lit-html.js";\n' if wanted else ""
    return head + _tight("".join(parts))


def _tight(source: str) -> str:
    return _INDENT.sub("", _COMMENT.sub("", source))


class Widget:
    """Read once; `loader` and `frame` fill in what differs by inbox and language."""

    def __init__(self, folder: Path = FOLDER) -> None:
        loader = (folder / "loader.js").read_text("utf-8")
        self._loader = re.sub(r"\n+", "\n", _SPARE.sub(lambda found: found[1] or found[2] or "", loader))
        self._frame = (folder / "frame.html").read_text("utf-8")

    def loader(self, texts: Texts, config: Mapping[str, Any]) -> bytes:
        """`config`: token, base (the address of /w/<token>), colour, on (the colour on it), side ("end", "start")."""
        words = [texts.gettext("Chat with us"), texts.gettext("Chat"), texts.gettext("{0} unread")]
        return _fill(self._loader, CONFIG=_json({**config, "words": words})).encode()

    def frame(self, texts: Texts, version: str, config: Mapping[str, Any]) -> bytes:
        """`config`: token, name, colour, on, theme, and form (an address) where there is a form beside the chat."""
        return _fill(
            self._frame,
            CONFIG=_json(config),
            CATALOGUE=_in_script(texts.as_json()),
            LANG=texts.lang,
            DIR=texts.dir,
            VERSION=version,
        ).encode()


def _fill(template: str, **values: str) -> str:
    return _HOLE.sub(lambda hole: values.get(hole[1], hole[0]), template)


def _json(value: Any) -> str:
    return _in_script(msgspec.json.encode(value))


def _in_script(json: bytes) -> str:
    """So that nothing in it ends the script element, or the line, that it stands in."""
    text = json.decode().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
