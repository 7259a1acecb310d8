"""Where a live connection was opened: a browser says so in Origin, and only a page of ours may open one."""

from typing import Final

from aiohttp import hdrs, web

from hub.web.keys import DESK
from hub.web.problem import HttpError

_ELSEWHERE: Final = "This connection was opened by a page of another site."


def own_page(request: web.Request) -> bool:
    """True: by a page of ours. False: by no browser. Refused: by anybody else's page.

    Compared letter by letter: what a browser writes there has one spelling.
    """
    told = request.headers.getall(hdrs.ORIGIN, ())
    if not told:
        return False
    if len(told) > 1 or told[0] != request.app[DESK].config.public_url:
        raise HttpError("forbidden", _ELSEWHERE)
    return True
