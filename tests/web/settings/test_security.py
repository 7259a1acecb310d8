"""Two-factor, sessions and API tokens through their pages, and the sign-in in two steps."""

import base64
import html
import re
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from hub.clock import DAY, SECOND
from hub.db.tx import Tx
from hub.staff import agents, passwords, two_factor
from hub.staff.access import DESK
from tests.fixtures.desk import PASSWORD, Answer, DeskClient
from tests.web.settings.pages import FORM, look, secret, send, text, wrong

SECURITY, TOKENS = "/settings/security", "/settings/tokens"


def code(desk: DeskClient, key: str) -> str:
    return TOTP(base64.b32decode(key), 6, SHA1(), 30).generate(desk.clock.now() // SECOND).decode()


def hidden(answer: Answer, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.body.decode())
    assert found, text(answer)
    return html.unescape(found[1])


async def give_password(desk: DeskClient, name: str) -> None:
    stored = await passwords.hash_password(PASSWORD)

    def put(tx: Tx) -> None:
        agents.set_password(tx, DESK, desk.people[name].id, stored)

    await desk.store.write(put)


async def stranger(desk: DeskClient, path: str, **given: str) -> Answer:
    headers = {**FORM, "User-Agent": "Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/150.0"}
    return await desk.request("POST", path, raw=urlencode(given).encode(), as_=None, headers=headers)


async def sign_in(desk: DeskClient, name: str = "agent", **more: str) -> Answer:
    return await stranger(desk, "/sign-in", email=desk.people[name].email, password=PASSWORD, **more)


async def opens(desk: DeskClient, answer: Answer) -> bool:
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    return (await desk.get("/settings", as_=None, headers={"Cookie": cookie})).status == 200


async def turned_on(desk: DeskClient) -> tuple[str, list[str]]:
    """(secret, recovery codes), as the agent gets them from their page."""
    await give_password(desk, "agent")
    desk.people["agent"].session = (await sign_in(desk)).headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    assert (await send(desk, f"{SECURITY}/two-factor", name="agent")).status == 303
    key = secret(await look(desk, SECURITY, "agent")).replace(" ", "")
    refused = await send(desk, f"{SECURITY}/two-factor/confirm", {"code": "000000"}, "agent")
    assert refused.status == 422
    assert secret(refused).replace(" ", "") == key, "the picture is still there"
    answer = await send(desk, f"{SECURITY}/two-factor/confirm", {"code": code(desk, key)}, "agent")
    codes = re.findall(r"<li><code>([^<]+)</code>", answer.body.decode())
    assert len(codes) == two_factor.CODES
    desk.clock.advance(2 * two_factor.STEP)
    return key, codes


async def test_the_sign_in_takes_two_steps(desk_client: DeskClient) -> None:
    desk = desk_client
    key, codes = await turned_on(desk)
    page = await look(desk, SECURITY, "agent")
    assert key not in page.body.decode().replace(" ", ""), "never shown again"
    first = await sign_in(desk, next="/settings/profile")
    assert "Set-Cookie" not in first.headers
    step, onward = hidden(first, "step"), hidden(first, "next")
    bad = await stranger(desk, "/sign-in/code", step=step, code="000000", next=onward)
    assert (bad.status, wrong(bad)) == (422, [two_factor._WRONG])
    done = await stranger(desk, "/sign-in/code", step=hidden(bad, "step"), code=code(desk, key), next=onward)
    assert (done.status, done.headers["Location"]) == (303, "/settings/profile")
    assert await opens(desk, done)
    late = await stranger(desk, "/sign-in/code", step=step, code=codes[0])
    assert "That took too long" in text(late)
    away = await stranger(desk, "/sign-in/code", step=hidden(await sign_in(desk), "step"), code=codes[0], next="//evil")
    assert away.headers["Location"] == "/inbox"


async def test_programs_send_the_code_along(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    key, _ = await turned_on(desk)
    given: dict[str, Any] = {"email": desk.people["agent"].email, "password": PASSWORD}
    answer = await desk.post("/api/v1/session", given, as_=None)
    assert (answer.status, answer.paths) == (401, ["code"])
    assert (await desk.post("/api/v1/session", given | {"code": "000000"}, as_=None)).status == 422
    assert (await desk.post("/api/v1/session", given | {"code": code(desk, key)}, as_=None)).status == 200
    assert (await desk.get("/api/v1/me", as_="agent")).status == 200, "tokens are not asked"


async def test_where_everybody_needs_it_one_sets_it_up_on_the_way_in(desk_client: DeskClient) -> None:
    desk = desk_client
    await give_password(desk, "agent")
    refused = await send(desk, "/settings/sign-in", {"required": "1"})
    assert refused.status == 422
    assert "Set up your own two-factor first" in text(refused)
    await send(desk, f"{SECURITY}/two-factor")
    own = secret(await look(desk, SECURITY)).replace(" ", "")
    await send(desk, f"{SECURITY}/two-factor/confirm", {"code": code(desk, own)})
    assert (await send(desk, "/settings/sign-in", {"required": "1"})).status == 303
    page = await sign_in(desk)
    assert "Set up two-factor" in text(page)
    assert (
        await desk.post("/api/v1/session", {"email": desk.people["agent"].email, "password": PASSWORD}, as_=None)
    ).status == 401
    key = secret(page).replace(" ", "")
    done = await stranger(desk, "/sign-in/two-factor", step=hidden(page, "step"), code=code(desk, key))
    assert done.status == 200
    assert len(re.findall(r"<li><code>", done.body.decode())) == two_factor.CODES
    assert await opens(desk, done)
    assert "cannot be turned off" in text(await look(desk, SECURITY))


async def test_it_is_turned_off_by_a_code_and_reset_by_a_supervisor(desk_client: DeskClient) -> None:
    desk = desk_client
    key, codes = await turned_on(desk)
    bad = await send(desk, f"{SECURITY}/two-factor/off", {"code": "x"}, "agent")
    assert (bad.status, wrong(bad)) == (422, [two_factor._WRONG])
    fresh = await send(desk, f"{SECURITY}/two-factor/codes", {"code": code(desk, key)}, "agent")
    assert set(re.findall(r"<li><code>([^<]+)</code>", fresh.body.decode())).isdisjoint(codes)
    path = f"/settings/agents/{desk.people['agent'].id}/two-factor"
    assert (await send(desk, path, name="outsider")).status == 403
    assert (await send(desk, path, name="supervisor")).status == 303
    assert (await look(desk, SECURITY, "agent")).status == 303, "signed out"
    assert await opens(desk, await sign_in(desk))


async def test_a_browser_left_open_elsewhere_is_signed_out(desk_client: DeskClient) -> None:
    desk = desk_client
    await give_password(desk, "agent")
    here, there = await sign_in(desk), await sign_in(desk)
    desk.people["agent"].session = here.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    page = (await look(desk, SECURITY, "agent")).body.decode()
    assert "Firefox on Linux" in page
    assert page.count("this browser") == 1
    others = re.findall(rf'action="({SECURITY}/sessions/\d+)"', page)
    assert len(others) == 1
    assert (await send(desk, others[0], name="outsider")).status == 404
    assert (await send(desk, others[0], name="agent")).status == 303
    assert not await opens(desk, there)
    assert await opens(desk, here)
    again = await sign_in(desk)
    assert (await send(desk, f"{SECURITY}/sessions", name="agent")).status == 303
    assert [await opens(desk, one) for one in (here, again)] == [True, False]


async def test_a_token_is_shown_once_works_as_far_as_it_says_and_is_revoked(desk_client: DeskClient) -> None:
    desk = desk_client
    given = {"name": "Shop", "days": "30", "scope": ["tickets:read", "staff:read"]}
    answer = await send(desk, TOKENS, given, "agent")
    token = secret(answer)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await desk.get("/api/v1/tickets", as_=None, headers=headers)).status == 200
    assert (await desk.get("/api/v1/contacts", as_=None, headers=headers)).status == 403
    page = (await look(desk, TOKENS, "agent")).body.decode()
    assert token not in page
    assert token[:20] in page
    ends = re.search(r'<time datetime="([^"]+)"', page)
    assert ends
    tokens = (await desk.get("/api/v1/tokens", as_="agent")).json["items"]
    assert next(t["expires_at"] for t in tokens if t["name"] == "Shop") == desk.clock.now() + 30 * DAY
    mine = next(t["id"] for t in tokens if t["name"] == "Shop")
    assert (await send(desk, f"{TOKENS}/{mine}/revoke", name="outsider")).status == 404
    assert (await send(desk, f"{TOKENS}/{mine}/revoke", name="agent")).status == 303
    assert (await desk.get("/api/v1/tickets", as_=None, headers=headers)).status == 401


async def test_what_is_wrong_with_a_token_is_said_and_nothing_is_lost(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    for given in (
        {"name": "", "days": "30", "scope": ["tickets:read"]},
        {"name": "Shop", "days": "30"},
        {"name": "Shop", "days": "31", "scope": ["tickets:read"]},
        {"name": "Shop", "days": "30", "scope": ["everything"]},
    ):
        answer = await send(desk, TOKENS, given)
        assert answer.status == 422, given
        assert "parley_live_" not in text(answer).replace(desk.people["administrator"].token[:20], "")
    assert (await send(desk, TOKENS, {"name": "x"}, "observer")).status == 403
