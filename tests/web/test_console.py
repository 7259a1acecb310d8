"""The console's pages as a browser gets them: who may see them, what they carry, what can be set there."""

import asyncio
import gzip
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from hub.db.tx import Tx
from hub.staff import agents, passwords
from hub.staff.access import DESK
from tests.fixtures.desk import PASSWORD, URL, Answer, DeskClient

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def cookie(desk: DeskClient, name: str = "administrator") -> dict[str, str]:
    return {"Cookie": f"parley={desk.people[name].session}"}


async def submit(desk: DeskClient, path: str, given: dict[str, str], **headers: str) -> Answer:
    raw = urlencode(given).encode()
    return await desk.request("POST", path, raw=raw, as_=None, headers={**FORM, **headers})


async def look(desk: DeskClient, path: str, name: str = "administrator", **headers: str) -> Answer:
    return await desk.get(path, as_=None, headers={**cookie(desk, name), **headers})


async def give_password(desk: DeskClient, name: str) -> None:
    stored = await passwords.hash_password(PASSWORD)

    def put(tx: Tx) -> None:
        agents.set_password(tx, DESK, desk.people[name].id, stored)

    await desk.store.write(put)


@pytest.mark.parametrize("path", ["/inbox", "/inbox/7", "/queue", "/settings/inboxes", "/settings/profile"])
async def test_a_page_for_agents_leads_strangers_to_the_sign_in_and_back(
    sqlite_desk_client: DeskClient, path: str
) -> None:
    answer = await sqlite_desk_client.get(f"{path}?view=mine", as_=None)
    assert answer.status == 303
    assert answer.headers["Location"] == f"/sign-in?next={path}%3Fview%3Dmine"


async def test_who_is_known_is_led_to_the_inbox_and_who_is_not_to_the_sign_in(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    assert (await desk.get("/", as_=None)).headers["Location"] == "/sign-in"
    assert (await look(desk, "/")).headers["Location"] == "/inbox"
    assert (await look(desk, "/sign-in")).headers["Location"] == "/inbox"


async def test_signing_in_needs_no_script_and_goes_on_to_where_one_was(desk_client: DeskClient) -> None:
    await give_password(desk_client, "agent")
    given = {"email": desk_client.people["agent"].email, "password": PASSWORD, "next": "/inbox/7"}
    wrong = await submit(desk_client, "/sign-in", given | {"password": "x"})
    assert wrong.status == 422
    assert b'role="alert"' in wrong.body
    assert b'value="/inbox/7"' in wrong.body
    right = await submit(desk_client, "/sign-in", given)
    assert (right.status, right.headers["Location"]) == (303, "/inbox/7")
    session = {"Cookie": right.headers["Set-Cookie"].partition(";")[0]}
    assert (await desk_client.get("/inbox", as_=None, headers=session)).status == 200
    out = await submit(desk_client, "/sign-out", {}, **session)
    assert out.headers["Location"] == "/sign-in"
    assert (await desk_client.get("/inbox", as_=None, headers=session)).status == 303


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\r\nX: y",
        "javascript:1",
        "x",
        "",
    ],
)
async def test_nobody_is_led_away_from_the_desk(sqlite_desk_client: DeskClient, onward: str) -> None:
    desk = sqlite_desk_client
    await give_password(desk, "agent")
    given = {"email": desk.people["agent"].email, "password": PASSWORD, "next": onward}
    assert (await submit(desk, "/sign-in", given)).headers["Location"] == "/inbox"


async def test_tries_are_counted(sqlite_desk_client: DeskClient) -> None:
    given = {"email": "nobody@desk.example", "password": "guess"}
    found = [(await submit(sqlite_desk_client, "/sign-in", given)).status for _ in range(30)]
    assert found[0] == 422
    assert found[-1] == 429


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-out", "/settings/inboxes", "/settings/inboxes/1/settings", "/settings/profile"]
)
async def test_no_other_site_sends_our_forms(sqlite_desk_client: DeskClient, path: str) -> None:
    for origin in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await submit(sqlite_desk_client, path, {}, **cookie(sqlite_desk_client), **origin)
        assert answer.status == 403


# --- the console's page ----------------------------------------------------------------------------------------------


async def test_the_page_runs_our_own_scripts_only_and_says_who_one_is(sqlite_desk_client: DeskClient) -> None:
    answer = await look(sqlite_desk_client, "/inbox/7", "agent")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "require-trusted-types-for 'script'; trusted-types lit-html" in policy
    assert "unsafe" not in policy
    page = answer.body.decode()
    found = re.search(r'<script type="application/json" id="boot">(.*?)</script>', page)
    assert found
    assert json.loads(found[1])["me"]["agent"]["name"] == "Agent"
    assert not re.search(r"<script(?![^>]*(src=|application/json))|\son\w+=|\sstyle=", page)


async def test_every_module_is_told_at_once_and_kept_for_ever(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    page = (await look(desk, "/inbox")).body.decode()
    told = re.findall(r'<link rel="modulepreload" href="([^"]+)">', page)
    asked = ["", *re.findall(r'<script type="module" src="([^"]+)"', page)][1:]
    for address in [*told, *asked]:
        answer = await desk.get(address, as_=None)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Type"].startswith("text/javascript")
        for other in re.findall(rb"""(?:from|import) '(\.[^']+)'""", answer.body):
            name = other.decode().rsplit("/", 1)[-1]
            assert any(one.endswith(f"/{name}") for one in told), f"{address} asks for {name}"


async def test_files_are_compressed_for_whoever_takes_it(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    plain = await desk.get("/static/x/js/store.js", as_=None, headers={"Accept-Encoding": "identity"})
    packed = await desk.get("/static/x/js/store.js", as_=None, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    for path in ("js/none.js", "js/../templates/base.html", "js/vendor/README.md", "package.json"):
        assert (await desk.get(f"/static/x/{path}", as_=None)).status == 404


async def test_the_first_screen_is_small(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    page = await look(desk, "/inbox")
    names = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.body.decode()))
    modules = [name for name in names if name.endswith(".js")]
    assert 1 < len(modules) <= 10, "on a slow line each module costs as much as many kilobytes"
    sizes = {name: len((await desk.get(name, as_=None, headers={"Accept-Encoding": "gzip"})).body) for name in names}
    assert sum(sizes.values()) + len(gzip.compress(page.body)) <= 120_000, sizes
    assert sum(size for name, size in sizes.items() if name.endswith(".css")) <= 14_000


@pytest.mark.parametrize(
    ("accepted", "found"), [("km", "km"), ("de, ar;q=0.9, ru;q=0.5", "ar"), ("de", "en"), ("", "en")]
)
async def test_a_page_speaks_the_reader_s_language(sqlite_desk_client: DeskClient, accepted: str, found: str) -> None:
    answer = await sqlite_desk_client.get("/sign-in", as_=None, headers={"Accept-Language": accepted})
    direction = "rtl" if found == "ar" else "ltr"
    assert f'<html lang="{found}" dir="{direction}">' in answer.body.decode()


# --- settings --------------------------------------------------------------------------------------------------------


async def test_the_language_one_sets_is_the_one_that_counts(desk_client: DeskClient) -> None:
    answer = await submit(desk_client, "/settings/profile", {"language": "am"}, **cookie(desk_client))
    assert answer.status == 303
    page = (await look(desk_client, "/inbox", **{"Accept-Language": "ru"})).body.decode()
    assert '<html lang="am"' in page
    assert "/catalogue/console-am.json" in page
    assert (await submit(desk_client, "/settings/profile", {"language": "xx"}, **cookie(desk_client))).status == 422


async def test_a_new_password_ends_every_session_but_goes_on_here(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    await give_password(desk, "agent")
    given = {"email": desk.people["agent"].email, "password": PASSWORD}
    session = (await submit(desk, "/sign-in", given)).headers["Set-Cookie"].partition(";")[0]
    other = (await submit(desk, "/sign-in", given)).headers["Set-Cookie"].partition(";")[0]
    wrong = await submit(desk, "/settings/profile/password", {"current": "x", "new": "y"}, Cookie=session)
    assert wrong.status == 422
    new = {"current": PASSWORD, "new": "another sentence to sign in with"}
    answer = await submit(desk, "/settings/profile/password", new, Cookie=session)
    assert answer.status == 303
    fresh = answer.headers["Set-Cookie"].partition(";")[0]
    statuses = [(await desk.get("/inbox", as_=None, headers={"Cookie": c})).status for c in (session, other, fresh)]
    assert statuses == [303, 303, 200]


async def chat(desk: DeskClient) -> int:
    """An inbox of a channel that is live."""
    kinds = [kind["kind"] for kind in (await desk.get("/api/v1/channels")).json["items"]]
    assert "chat" in kinds
    answer = await submit(desk, "/settings/inboxes", {"kind": "chat", "name": "Our chat"}, **cookie(desk))
    assert answer.status == 303, answer.body
    return int(answer.headers["Location"].rsplit("/", 1)[1])


def sites(lines: str) -> dict[str, str]:
    return {"has": "settings.allowed_origins", "settings.allowed_origins": lines}


async def loaded_by(desk: DeskClient, inbox: int, token: str, page: str) -> None:
    """What a site's page asks for; that it did is written down a moment later."""
    await desk.get(f"/w/{token}.js", as_=None, headers={"Referer": page})
    for _ in range(200):
        sites = (await look(desk, f"/settings/inboxes/{inbox}/seen")).json["sites"]
        if any(page.startswith(one["site"]) for one in sites):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{page} was not seen")


async def test_the_inbox_s_page_shows_the_line_and_turns_green_when_a_page_has_loaded_it(
    desk_client: DeskClient,
) -> None:
    desk = desk_client
    inbox = await chat(desk)
    token = (await desk.get(f"/api/v1/inboxes/{inbox}")).json["token"]
    page = (await look(desk, f"/settings/inboxes/{inbox}")).body.decode()
    assert f"&lt;script async src=&#34;{URL}/w/{token}.js&#34;&gt;&lt;/script&gt;" in page
    assert "Waiting for the first page view" in page
    changed = {"name": "Our chat", **sites("https://shop.example\nhttps://www.shop.example")}
    assert (await submit(desk, f"/settings/inboxes/{inbox}/settings", changed, **cookie(desk))).status == 303
    allowed = (await desk.get(f"/api/v1/inboxes/{inbox}")).json["settings"]["allowed_origins"]
    assert allowed == ["https://shop.example", "https://www.shop.example"]

    await loaded_by(desk, inbox, token, "https://other.example/cart")
    page = (await look(desk, f"/settings/inboxes/{inbox}")).body.decode()
    assert "https://other.example has loaded the line" in page
    assert "Waiting for the first page view" in page
    site = {"site": "https://other.example"}
    assert (await submit(desk, f"/settings/inboxes/{inbox}/sites", site, **cookie(desk))).status == 303
    await loaded_by(desk, inbox, token, "https://shop.example/")
    page = (await look(desk, f"/settings/inboxes/{inbox}")).body.decode()
    assert "It works" in page
    assert "has loaded the line" not in page
    seen: Any = (await look(desk, f"/settings/inboxes/{inbox}/seen")).json
    assert {one["site"] for one in seen["sites"]} == {"https://shop.example", "https://other.example"}


async def test_what_is_wrong_with_an_inbox_is_said_at_its_field(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    inbox = await chat(desk)
    given = {"name": "", **sites("https://shop.example")}
    answer = await submit(desk, f"/settings/inboxes/{inbox}/settings", given, **cookie(desk))
    assert answer.status == 422
    assert b'aria-invalid="true"' in answer.body
    given = {"name": "Our chat", **sites("shop.example")}
    answer = await submit(desk, f"/settings/inboxes/{inbox}/settings", given, **cookie(desk))
    assert answer.status == 422
    assert b"is no origin" in answer.body


async def test_who_may_not_manage_inboxes_sees_no_token_and_changes_nothing(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    inbox = desk.inbox
    page = await look(desk, f"/settings/inboxes/{inbox.id}", "agent")
    assert page.status == 200
    assert inbox.token.encode() not in page.body
    assert (await look(desk, f"/settings/inboxes/{inbox.id}", "outsider")).status == 404
    given = {"name": "Mine now", **sites("")}
    refused = await submit(desk, f"/settings/inboxes/{inbox.id}/settings", given, **cookie(desk, "agent"))
    assert refused.status in (403, 422)
    added = await submit(desk, "/settings/inboxes", {"kind": "form", "name": "X"}, **cookie(desk, "agent"))
    assert added.status in (403, 422)
    assert len((await desk.get("/api/v1/inboxes")).json["items"]) == 1
