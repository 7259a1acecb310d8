"""The pages of set-up, invitation and the demo, as a browser without scripts uses them."""

import http.client
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.app.process import Desk, parley
from tests.fixtures.databases import fast_folder

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GOOD = {
    "name": "Abeba <b>Lemma</b>",
    "email": "abeba@example.org",
    "password": "plum tree river stone",
    "language": "am",
}


class Form(HTMLParser):
    """The first form of a page: where it goes, and the names of its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = told.get("action") or ""
        if tag in ("input", "textarea", "select") and told.get("name"):
            self.fields[str(told["name"])] = told.get("value") or ""


@pytest.fixture(scope="module")
def waiting() -> Iterator[Desk]:
    """A desk whose first administrator nobody makes."""
    folder = fast_folder()
    with Desk(folder / "data") as desk:
        yield desk
        desk.stop()
    shutil.rmtree(folder, ignore_errors=True)


def set_up(desk: Desk) -> str:
    """Makes the administrator; the cookie to send from now on."""
    assert desk.setup_link is not None
    connection = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=20)
    connection.request("POST", desk.setup_link, urlencode(GOOD), FORM)
    answer = connection.getresponse()
    answer.read()
    assert (answer.status, answer.getheader("Location")) == (303, "/welcome")
    cookie = answer.getheader("Set-Cookie") or ""
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    connection.close()
    return cookie.partition(";")[0]


def test_the_link_makes_an_administrator_once(data: Path) -> None:
    with Desk(data) as desk:
        link = desk.setup_link
        assert link is not None
        assert set(Form(desk.ask("GET", link)[1]).fields) == {"language", "organisation", "name", "email", "password"}
        cookie = set_up(desk)
        assert desk.ask("GET", "/welcome", Cookie=cookie)[0] == 303
        status, page = desk.ask("GET", "/welcome?all", Cookie=cookie)
        assert status == 200
        assert "Abeba &lt;b&gt;Lemma&lt;/b&gt;" in page
        assert desk.ask("GET", link)[0] == 404
        assert desk.ask("POST", link, urlencode(GOOD | {"email": "second@example.org"}), **FORM)[0] == 404
        assert "already" in parley(data, "link").stderr
        desk.stop()
    with Desk(data) as desk:
        assert desk.setup_link is None
        desk.stop()


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"password": "short"}, "password", "at least 12"),
        ({"password": "abeba@example.org"}, "password", "your address"),
        ({"email": "nobody"}, "email", "e-mail"),
        ({"name": " "}, "name", "empty"),
        ({"language": "xx-nonsense-1"}, "language", "language"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_rest_is_kept(
    waiting: Desk, change: dict[str, str], field: str, said: str
) -> None:
    link = waiting.setup_link
    assert link is not None
    status, page = waiting.ask("POST", link, urlencode(GOOD | change), **FORM)
    assert status == 422
    wrong = re.search(r'<span class="field__wrong"[^>]*>([^<]*)', page)
    assert wrong, page
    assert said in wrong[1]
    kept = Form(page).fields
    assert kept["password"] == "", "a password is never sent back"
    for name in {"name", "email"} - {field}:
        assert kept[name] == GOOD[name]
    assert waiting.ask("GET", link)[0] == 200, "the link still works"


@pytest.mark.parametrize("secret", ["x", "x" * 43, "%20", "%00", "é"])
def test_no_other_link_opens_the_page(waiting: Desk, secret: str) -> None:
    assert waiting.ask("GET", f"/setup/{quote(secret, safe='%')}")[0] in (400, 404)


def test_a_token_is_made_and_shown_once(data: Path) -> None:
    with Desk(data) as desk:
        cookie = set_up(desk)
        status, page = desk.ask("POST", "/welcome/token", "", Cookie=cookie, **FORM)
        assert status == 200
        secret = re.search(r"parley_live_\w+", page)
        assert secret
        assert desk.ask("GET", "/api/v1/tickets", Authorization=f"Bearer {secret[0]}")[0] == 200
        assert secret[0] not in desk.ask("GET", "/welcome?all", Cookie=cookie)[1]
        desk.stop()


def test_another_site_cannot_make_a_token_and_a_stranger_sees_nothing(data: Path) -> None:
    with Desk(data) as desk:
        cookie = set_up(desk)
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            status, page = desk.ask("POST", "/welcome/token", "", Cookie=cookie, **headers, **FORM)
            assert status == 403
            assert "parley_live_" not in page
        assert desk.ask("GET", "/welcome")[0] == 303
        assert desk.ask("POST", "/welcome/token", "", **FORM)[0] == 401
        desk.stop()


def test_a_colleague_chooses_a_password_by_a_link_that_works_once(data: Path) -> None:
    with Desk(data) as desk:
        said = parley(data, "agent", "create", "--name", "Bo", "--email", "bo@example.org", "--invite").stdout
        found = re.search(r"/join/\S+", said)
        assert found
        link = found[0]
        assert desk.ask("POST", link, urlencode({"password": "short"}), **FORM)[0] == 422
        assert desk.ask("POST", link, urlencode({"password": "plum tree river stone"}), **FORM)[0] == 200
        assert desk.ask("GET", link)[0] == 404
        body = '{"email": "bo@example.org", "password": "plum tree river stone"}'
        assert desk.ask("POST", "/api/v1/session", body, **{"Content-Type": "application/json"})[0] == 200
        desk.stop()


def test_the_shop_s_form_becomes_a_ticket_and_once_only(data: Path) -> None:
    with Desk(data) as desk:
        form = Form(desk.ask("GET", "/demo")[1])
        assert form.action is not None
        given = form.fields | {"name": "Kid", "email": "kid@example.org", "message": "The handle broke."}
        answers = [desk.ask("POST", form.action, urlencode(given), **FORM)[0] for _ in range(2)]
        assert answers == [303, 303]
        cookie = set_up(desk)
        page = desk.ask("POST", "/welcome/token", "", Cookie=cookie, **FORM)[1]
        secret = re.search(r"parley_live_\w+", page)
        assert secret
        tickets = desk.ask("GET", "/api/v1/tickets", Authorization=f"Bearer {secret[0]}")[1]
        assert tickets.count('"number":') == 1
        assert '"place":"Demo shop"' in tickets
        desk.stop()


def test_pages_carry_their_files_with_a_version(waiting: Desk) -> None:
    for path in ("/", "/demo", str(waiting.setup_link)):
        page = waiting.ask("GET", path)[1]
        assert ("<script" in page) == (path != "/"), "the shop carries the chat, setting up changes its language"
        assert " style=" not in page
        for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
            assert waiting.ask("GET", name)[0] == 200
    assert waiting.ask("GET", "/static/old/pages.css")[0] == 200, "a page left open outlives an update"
    assert waiting.ask("GET", "/static/old/..%2ftemplates%2fbase.html")[0] in (400, 404)
