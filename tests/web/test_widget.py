"""What a site's page loads of a live channel: the script, the frame, and how things stand; and who may."""

import asyncio
import gzip
import json
import re
from typing import Any

import pytest

from hub.desk import inboxes, replies, sites, visitors
from hub.desk.inboxes import Inbox
from hub.staff.access import DESK
from tests.fixtures.desk import URL, DeskClient
from tests.fixtures.office import caller

SITE = "https://shop.example"


async def chat(client: DeskClient, **settings: Any) -> Inbox:
    await client.store.write(inboxes.create, DESK, kind="form", name="Form")
    wanted = {"offline": "never", **settings}
    return await client.store.write(inboxes.create, DESK, kind="chat", name="Chat", settings=wanted)


async def get(client: DeskClient, path: str, method: str = "GET", **headers: str) -> Any:
    sent = {"Accept-Encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.request(method, path, as_=None, headers=sent)


def config_of(page: bytes) -> Any:
    found = re.search(rb'<script type="application/json" id="config">(.*?)</script>', page, re.S)
    assert found is not None
    return json.loads(found[1])


async def test_the_script_carries_the_inbox_and_is_cached_by_what_is_in_it(sqlite_desk_client: DeskClient) -> None:
    client = sqlite_desk_client
    inbox = await chat(client, colour="#ffee00")
    answer = await get(client, f"/w/{inbox.token}.js")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"].startswith("public, max-age=300")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in answer.headers
    text = answer.body.decode()
    assert f"{URL}/w/{inbox.token}" in text and "#ffee00" in text and "#000000" in text and "__CONFIG__" not in text
    packed = await get(client, f"/w/{inbox.token}.js", Accept_Encoding="gzip")
    assert gzip.decompress(packed.body) == answer.body
    again = await get(client, f"/w/{inbox.token}.js", If_None_Match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    await client.store.write(inboxes.change, DESK, inbox.id, settings={"colour": "#000088"})
    await asyncio.sleep(0)
    changed = await get(client, f"/w/{inbox.token}.js", If_None_Match=answer.headers["ETag"])
    assert changed.status == 200 and b"#000088" in changed.body


@pytest.mark.parametrize("token", ["nobody", "x" * 300, "%00", "..%2f..%2fetc"])
async def test_an_unknown_inbox_is_a_hint_in_the_console_and_nothing_else(
    sqlite_desk_client: DeskClient, token: str
) -> None:
    answer = await get(sqlite_desk_client, f"/w/{token}.js")
    assert answer.status in (200, 400, 404)
    if answer.status == 200:
        assert answer.body.startswith(b"console.warn(") and b"\n" not in answer.body.strip()
    assert (await get(sqlite_desk_client, f"/w/{token}/frame")).status in (400, 404)
    assert (await get(sqlite_desk_client, f"/w/{token}/state", Origin=SITE)).status in (400, 404)


async def test_one_that_is_switched_off_or_no_live_channel_is_not_there(sqlite_desk_client: DeskClient) -> None:
    client = sqlite_desk_client
    inbox = await chat(client)
    await client.store.write(inboxes.change, DESK, inbox.id, enabled=False)
    for token in (inbox.token, client.inbox.token):
        assert (await get(client, f"/w/{token}.js")).body.startswith(b"console.warn(")
        assert (await get(client, f"/w/{token}/frame")).status == 404


NASTY = "</script><script>alert(1)</script><!-- \u2028 __CATALOGUE__ ${1} `"


async def test_texts_of_the_settings_end_nothing_they_stand_in(sqlite_desk_client: DeskClient) -> None:
    client = sqlite_desk_client
    inbox = await chat(client, title=NASTY, greeting=NASTY)
    page = (await get(client, f"/w/{inbox.token}/frame")).body
    assert b"alert(1)</script>" not in page and b"<!--" not in page
    assert config_of(page)["name"] == NASTY
    assert config_of(page)["greeting"] == NASTY


async def test_the_frame_may_stand_on_the_allowed_sites_alone(sqlite_desk_client: DeskClient) -> None:
    client = sqlite_desk_client
    inbox = await chat(client, allowed_origins=[SITE, "https://Other.example:8443"])
    answer = await get(client, f"/w/{inbox.token}/frame?lang=ar-EG", Accept_Language="ru")
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["frame-ancestors"].split() == [URL, SITE, "https://other.example:8443"]
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert b'lang="ar"' in answer.body and b'dir="rtl"' in answer.body
    assert "Set-Cookie" not in answer.headers
    assert set(config_of(answer.body)) == {
        "token",
        "form",
        "name",
        "greeting",
        "colour",
        "on",
        "theme",
        "sound",
        "mails",
    }
    anywhere = await chat_without_sites(client)
    found = (await get(client, f"/w/{anywhere.token}/frame")).headers["Content-Security-Policy"]
    assert found.endswith(
        f"frame-ancestors {URL} https://localhost:* https://127.0.0.1:* http://localhost:* http://127.0.0.1:*"
    )


async def chat_without_sites(client: DeskClient) -> Inbox:
    return await client.store.write(inboxes.create, DESK, kind="chat", name="Another chat")


@pytest.mark.parametrize("asked", ["../../etc/passwd", "xx-XX", "x" * 10_000, "<b>", "am-ET"])
async def test_a_language_that_we_lack_is_answered_in_one_we_have(sqlite_desk_client: DeskClient, asked: str) -> None:
    inbox = await chat(sqlite_desk_client, languages=["km", "am"])
    answer = await get(sqlite_desk_client, f"/w/{inbox.token}/frame?lang={asked.replace('<b>', '%3Cb%3E')}")
    assert answer.status in (200, 414)
    if answer.status == 200:
        assert f'lang="{"am" if asked == "am-ET" else "km"}"'.encode() in answer.body


async def test_the_form_is_offered_beside_the_chat_where_it_is_wanted(sqlite_desk_client: DeskClient) -> None:
    client = sqlite_desk_client
    inbox = await chat(client, offer_form=True)
    page = (await get(client, f"/w/{inbox.token}/frame")).body
    assert config_of(page)["form"] == f"{URL}/f/{client.inbox.token}"


# --- how things stand ----------------------------------------------------------------------------------------------


async def test_a_returning_visitor_gets_a_few_figures_by_their_token(desk_client: DeskClient) -> None:
    client = desk_client
    inbox = await chat(client, allowed_origins=[SITE])
    entered = await client.store.write(visitors.enter, inbox, None, SITE)
    said = await client.store.write(visitors.say, entered.visitor, "hello", "a")
    boss = caller(client.people["administrator"].id, everything=True)
    await client.store.write(replies.reply, boss, said.number, "an answer", external_id="1")
    path = f"/w/{inbox.token}/state"
    answer = await get(client, path, Origin=SITE, Authorization=f"Bearer {entered.token}")
    assert answer.status == 200 and len(answer.body) < 400
    assert answer.json == {"unread": 1, "open": True, "online": False, "at": client.clock.now()}
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store, private" and answer.headers["Vary"] == "Origin"
    asked = await get(client, path, "OPTIONS", Origin=SITE, Access_Control_Request_Method="GET")
    assert (asked.status, asked.headers["Access-Control-Allow-Headers"]) == (204, "authorization")


async def test_two_visitors_behind_a_proxy_that_keeps_answers_each_get_their_own(
    sqlite_desk_client: DeskClient,
) -> None:
    """A proxy that keeps whatever it is allowed to, by the address alone, as the careless ones do."""
    client = sqlite_desk_client
    inbox = await chat(client, allowed_origins=[SITE])
    boss = caller(client.people["administrator"].id, everything=True)
    one, two = [await client.store.write(visitors.enter, inbox, None, SITE) for _ in range(2)]
    said = await client.store.write(visitors.say, one.visitor, "only for me", "a")
    await client.store.write(replies.reply, boss, said.number, "only for you", external_id="1")
    kept: dict[str, Any] = {}

    async def through_the_proxy(path: str, token: str | None) -> Any:
        if path not in kept:
            answer = await get(client, path, Origin=SITE, Authorization=f"Bearer {token}")
            allowed = answer.headers.get("Cache-Control", "")
            if "no-store" in allowed or "private" in allowed:
                return answer
            kept[path] = answer
        return kept[path]

    state = f"/w/{inbox.token}/state"
    assert (await through_the_proxy(state, one.token)).json["unread"] == 1
    assert (await through_the_proxy(state, two.token)).json["unread"] == 0
    for path in (f"/w/{inbox.token}.js", f"/w/{inbox.token}/frame"):
        first = await through_the_proxy(path, one.token)
        assert first.status == 200 and (one.token or "?").encode() not in first.body
    assert f"/w/{inbox.token}.js" in kept, "what is the same for all may be kept"


async def test_no_token_that_is_not_this_browsers_tells_anything(sqlite_desk_client: DeskClient) -> None:
    client = sqlite_desk_client
    inbox, other = await chat(client, allowed_origins=[SITE, "https://b.example"]), await chat_without_sites(client)
    token = (await client.store.write(visitors.enter, inbox, None, SITE)).token
    for path, origin, shown in (
        (inbox.token, SITE, ""),
        (inbox.token, SITE, "Bearer"),
        (inbox.token, SITE, f"Basic {token}"),
        (inbox.token, SITE, f"Bearer {token}x"),
        (inbox.token, "https://b.example", f"Bearer {token}"),
        (other.token, "http://localhost:3000", f"Bearer {token}"),
    ):
        answer = await get(client, f"/w/{path}/state", Origin=origin, Authorization=shown)
        assert (answer.status, answer.json) == (404, {"unread": 0, "open": False})


FOREIGN = [
    "https://evil.example",
    "null",
    "",
    "http://shop.example",
    "https://shop.example.evil.example",
    "https://shop.example:8443",
    "https://shop.example.",
    "https://evil.example#https://shop.example",
    "https://shop.example@evil.example",
    "https://shop.example`evil.example",
    "https://xn--shp-8na.example",
    "file://",
    "https://SHOP.example.evil",
    "javascript:alert(1)",
    "https://[::1",
    "https://shop.example, https://shop.example",
]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_pages_of_other_sites_may_read_nothing(sqlite_desk_client: DeskClient, origin: str) -> None:
    client = sqlite_desk_client
    inbox = await chat(client, allowed_origins=[SITE])
    token = (await client.store.write(visitors.enter, inbox, None, SITE)).token
    for method in ("GET", "OPTIONS"):
        answer = await get(client, f"/w/{inbox.token}/state", method, Origin=origin, Authorization=f"Bearer {token}")
        assert answer.status == 404
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("allowed", "site", "may"),
    [
        ([], URL, True),
        ([], "http://localhost:3000", True),
        ([], "https://127.0.0.1", True),
        ([], SITE, False),
        ([], "http://localhost.evil.example", False),
        ([SITE], "http://localhost:3000", False),
        ([SITE], URL, True),
        ([SITE], "https://SHOP.example:443", True),
        ([f"{SITE}/"], SITE, True),
        *(([SITE], origin, False) for origin in FOREIGN),
    ],
)
def test_which_sites_may(allowed: list[str], site: str, may: bool) -> None:
    assert sites.is_allowed(allowed, URL, site) is may


# --- who carries it ------------------------------------------------------------------------------------------------


async def seen(client: DeskClient, inbox: Inbox, many: int) -> list[tuple[str, bool]]:
    found: list[Any] = []
    for _ in range(100):
        found = await client.store.read(inboxes.seen_from, inbox.id)
        if len(found) == many:
            break
        await asyncio.sleep(0.01)
    return sorted((one.site, one.allowed) for one in found)


async def test_the_scripts_own_request_tells_which_sites_carry_it(desk_client: DeskClient) -> None:
    client = desk_client
    inbox = await chat(client, allowed_origins=[SITE])
    for referrer in (f"{SITE}/page?secret=1", f"{SITE}/other", "https://evil.example/", "about:blank"):
        await get(client, f"/w/{inbox.token}.js", Referer=referrer)
    assert await seen(client, inbox, 3) == [("", True), ("https://evil.example", False), (SITE, True)]
    events = "SELECT COUNT(*) FROM event WHERE name = 'inbox.seen'"
    assert await client.store.read(lambda rx: rx.value(events)) == 3
    client.clock.advance(61_000)
    await get(client, f"/w/{inbox.token}.js", Referer=f"{SITE}/page")
    newest = "SELECT MAX(seen_at) FROM site_seen"
    for _ in range(100):
        if await client.store.read(lambda rx: rx.value(newest)) == client.clock.now():
            break
        await asyncio.sleep(0.01)
    assert await client.store.read(lambda rx: rx.value(newest)) == client.clock.now()
    assert await client.store.read(lambda rx: rx.value(events)) == 3


async def test_made_up_sites_fill_no_table_and_push_no_allowed_one_out(desk_client: DeskClient) -> None:
    client = desk_client
    inbox = await chat(client)

    def many(tx: Any) -> None:
        sites.note(tx, inbox.id, SITE, True)
        for number in range(80):
            sites.note(tx, inbox.id, f"https://{number}.example", False)

    await client.store.write(many)
    count = "SELECT COUNT(*) FROM site_seen WHERE allowed = :allowed"
    assert await client.store.read(lambda rx: rx.value(count, allowed=0)) == sites.MOST
    assert await client.store.read(lambda rx: rx.value(count, allowed=1)) == 1
