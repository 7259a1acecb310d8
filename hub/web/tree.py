"""All routes of the API as one resource, found segment by segment. Used by hub.web.routes.

aiohttp tries the patterns below a common path one after the other, which for a hundred commands costs more than
everything else that a request needs before its handler.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn

from aiohttp import web
from aiohttp.web_urldispatcher import DynamicResource, PlainResource, Resource, ResourceRoute, UrlMappingMatchInfo
from yarl import URL

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ANY: Final = "{}"


class _Node:
    __slots__ = ("inner", "names", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Node] = {}
        self.inner: Resource | None = None
        self.names: tuple[str, ...] = ()


class Tree(Resource):
    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix
        self._root = _Node()
        self._inner: list[Resource] = []

    def add(self, method: str, path: str, handler: Handler, expect_handler: Any) -> None:
        """`path` below the prefix; a segment in braces stands for any."""
        node, names = self._root, []
        for segment in path.strip("/").split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                segment = _ANY
            node = node.next.setdefault(segment, _Node())
        if node.inner is None:
            node.inner = DynamicResource(self._prefix + path) if names else PlainResource(self._prefix + path)
            node.names = tuple(names)
            self._inner.append(node.inner)
        elif tuple(names) != node.names:
            raise ValueError(f"{path} has other names than an earlier path of the same form")
        node.inner.add_route(method, handler, expect_handler=expect_handler)

    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo | None, set[str]]:
        path = request.rel_url.raw_path
        node, values = self._root, []
        for segment in path[len(self._prefix) + 1 :].split("/"):
            known = node.next.get(segment)
            if known is None:
                known = node.next.get(_ANY)
                if known is None or not segment:
                    return None, set()
                values.append(segment)
            node = known
        inner = node.inner
        if inner is None:
            return None, set()
        route = inner._routes.get(request.method)
        if route is None:
            return None, inner._allowed_methods
        return UrlMappingMatchInfo(dict(zip(node.names, values, strict=True)), route), inner._allowed_methods

    # --- what aiohttp asks of a resource -----------------------------------------------------------------------------

    @property
    def canonical(self) -> str:
        return self._prefix

    def __len__(self) -> int:
        return sum(map(len, self._inner))

    def __iter__(self) -> Any:
        routes: list[ResourceRoute] = [route for inner in self._inner for route in inner]
        return iter(routes)

    def _match(self, path: str) -> dict[str, str] | None:
        return None

    def raw_match(self, path: str) -> bool:
        return False

    def get_info(self) -> Any:
        return {"path": self._prefix}

    def url_for(self, **kwargs: str) -> URL:
        return _no("addresses")

    def add_prefix(self, prefix: str) -> None:
        _no("a prefix")


def _no(what: str) -> NoReturn:
    raise NotImplementedError(f"the tree of the API makes no {what}")
