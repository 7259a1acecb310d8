"""The pages the desk draws itself (Jinja2, autoescaped, without scripts) and the files they need. For hub.web.

Templates and files are read once, in a thread, when the first page is asked for.
"""

import asyncio
import hashlib
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from hub.web.problem import HttpError

FOLDER: Final = Path(__file__).parents[2] / "agents_ui"
_TYPES: Final = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


class Pages:
    def __init__(self, folder: Path = FOLDER) -> None:
        """Reads and compiles everything below `folder`: takes a tenth of a second."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        self.files = {path.name: path.read_bytes() for path in sorted((folder / "css").iterdir())}
        self.version = hashlib.blake2s(b"".join(self.files.values()), digest_size=6).hexdigest()
        self._env = Environment(
            loader=FileSystemLoader(folder / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.globals["static"] = lambda name: f"/static/{self.version}/{name}"
        self._templates = {name: self._env.get_template(name) for name in self._env.list_templates()}

    def render(self, template: str, **values: Any) -> str:
        return self._templates[template].render(values)


_loading: list["asyncio.Future[Pages]"] = []


async def page(template: str, *, status: int = 200, **values: Any) -> web.Response:
    pages = await ready()
    response = web.Response(text=pages.render(template, **values), status=status, content_type="text/html")
    # With "no-referrer", the default here, a browser hides from us that a form was sent from our own page.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


async def static(request: web.Request) -> web.Response:
    """GET /static/<version>/<name>: any version is served, so that a page left open outlives an update."""
    name = request.match_info["name"]
    content = (await ready()).files.get(name)
    if content is None:
        raise HttpError("not_found", "There is nothing at this address.")
    response = web.Response(body=content)
    response.headers["Content-Type"] = _TYPES[Path(name).suffix]
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


async def ready() -> Pages:
    if not _loading or _loading[0].get_loop() is not asyncio.get_running_loop():
        _loading[:] = [asyncio.ensure_future(asyncio.to_thread(Pages))]
    return await asyncio.shield(_loading[0])
