"""The pages the desk draws itself (Jinja2, autoescaped) and the files they need. For hub.web.

Templates, translations and files are read once, in a thread, when the first page is asked for. Files lie under
/static/<version>/, where the version is a hash of them all: relative imports between scripts stay within one version,
so there is nothing to build and everything may be cached for ever.
"""

import asyncio
import gzip
import hashlib
import re
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from aiohttp import hdrs, web

from hub import catalogues
from hub.catalogues import Texts
from hub.web import widget_files
from hub.web.problem import HttpError

FOLDER: Final = Path(__file__).parents[2] / "agents_ui"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_IMPORT: Final = re.compile(
    r"""^\s*(?:import|export)\b[^'"]*?from\s*['"](\.[^'"]+)['"]|^import\s*['"](\.[^'"]+)['"]""", re.M
)
_SMALL: Final = 800  # bytes for which compressing is not worth a header


class File(NamedTuple):
    content: bytes
    packed: bytes | None
    type: str


class Pages:
    def __init__(self, folder: Path = FOLDER) -> None:
        """Reads and compiles everything below `folder`: takes a few tenths of a second."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        self.texts = {
            (domain, lang): catalogues.load(domain, lang)
            for domain in catalogues.DOMAINS
            for lang in catalogues.LANGUAGES
        }
        contents = _read(folder) | widget_files.files()
        for (domain, lang), texts in self.texts.items():
            contents[f"catalogue/{domain}-{lang}.json"] = texts.as_json()
        self.files = {name: _file(name, content) for name, content in sorted(contents.items())}
        parts = (part for name, file in self.files.items() for part in (name.encode(), file.content))
        self.version = hashlib.blake2s(b"\0".join(parts), digest_size=6).hexdigest()
        self._env = Environment(
            loader=FileSystemLoader(folder / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.globals["static"] = self.address
        self._env.globals["languages"] = catalogues.LANGUAGES
        self._templates = {name: self._env.get_template(name) for name in self._env.list_templates()}
        self.modules = self._imported_by("js/shell.js")

    def address(self, name: str) -> str:
        return f"/static/{self.version}/{name}"

    def render(self, template: str, texts: Texts, **values: Any) -> str:
        return self._templates[template].render(
            _=texts.gettext, ngettext=texts.ngettext, lang=texts.lang, dir=texts.dir, **values
        )

    def _imported_by(self, entry: str) -> list[str]:
        """Every module that `entry` needs, itself first: told to the browser at once instead of tree level by level."""
        found = [entry]
        for name in found:
            for match in _IMPORT.finditer(self.files[name].content.decode()):
                other = _joined(name, match[1] or match[2])
                if other not in found:
                    found.append(other)
        return found


def _read(folder: Path) -> dict[str, bytes]:
    contents = {path.name: path.read_bytes() for path in (folder / "css").iterdir()}
    for path in (folder / "js").rglob("*.js"):
        contents[f"js/{path.relative_to(folder / 'js').as_posix()}"] = path.read_bytes()
    return contents


def _file(name: str, content: bytes) -> File:
    packed = gzip.compress(content, 6, mtime=0) if len(content) > _SMALL else None
    return File(content, packed, _TYPES[PurePosixPath(name).suffix])


def _joined(name: str, relative: str) -> str:
    parts = list(PurePosixPath(name).parent.parts)
    for step in PurePosixPath(relative).parts:
        if step == "..":
            parts.pop()
        elif step != ".":
            parts.append(step)
    return "/".join(parts)


_loading: list["asyncio.Future[Pages]"] = []


async def page(
    request: web.Request, template: str, *, status: int = 200, wish: str | None = None, **values: Any
) -> web.Response:
    """`wish`: the language that the reader has set for themselves."""
    pages = await ready()
    texts = pages.texts["console", catalogues.best(request.headers.get(hdrs.ACCEPT_LANGUAGE), wish=wish)]
    response = web.Response(text=pages.render(template, texts, **values), status=status, content_type="text/html")
    # With "no-referrer", the default here, a browser hides from us that a form was sent from our own page.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


async def static(request: web.Request) -> web.Response:
    """GET /static/<version>/<name>: any version is served, so that a page left open outlives an update."""
    file = (await ready()).files.get(request.match_info["name"])
    if file is None:
        raise HttpError("not_found", "There is nothing at this address.")
    packed = file.packed if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "") else None
    response = web.Response(body=packed or file.content)
    if packed is not None:
        response.headers["Content-Encoding"] = "gzip"
    if file.packed is not None:
        response.headers["Vary"] = "Accept-Encoding"
    response.headers["Content-Type"] = file.type
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


async def ready() -> Pages:
    if not _loading or _loading[0].get_loop() is not asyncio.get_running_loop():
        _loading[:] = [asyncio.ensure_future(asyncio.to_thread(Pages))]
    return await asyncio.shield(_loading[0])
