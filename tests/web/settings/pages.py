"""How the tests of this folder speak to the settings: as a browser that is signed in and sends forms."""

import html
import re
from typing import Any
from urllib.parse import urlencode

from tests.fixtures.desk import Answer, DeskClient

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
Given = dict[str, Any]


def cookie(desk: DeskClient, name: str = "administrator") -> dict[str, str]:
    return {"Cookie": f"parley={desk.people[name].session}"}


async def look(desk: DeskClient, path: str, name: str = "administrator", **headers: str) -> Answer:
    return await desk.get(path, as_=None, headers={**cookie(desk, name), **headers})


async def send(desk: DeskClient, path: str, given: Given | None = None, name: str = "administrator") -> Answer:
    """`given`: a value, or a list of them for boxes of one name."""
    raw = urlencode(given or {}, doseq=True).encode()
    return await desk.request("POST", path, raw=raw, as_=None, headers={**FORM, **cookie(desk, name)})


def text(answer: Answer) -> str:
    """What a reader sees of it, more or less."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.body.decode())).split())


def secret(answer: Answer) -> str:
    found = re.search(r'<code class="secret"[^>]*>([^<]+)</code>', answer.body.decode())
    assert found, text(answer)
    return html.unescape(found[1]).strip()


def wrong(answer: Answer) -> list[str]:
    """What is said beside fields."""
    return [html.unescape(one) for one in re.findall(r'class="field__wrong"[^>]*>([^<]+)<', answer.body.decode())]
