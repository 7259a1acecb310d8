"""A chat with settings that nobody has saved: who may look, what is refused, and that it leads to no desk."""

import json
from typing import Any

import pytest

from hub.desk import inboxes
from hub.staff.access import DESK
from tests.fixtures.desk import Answer, DeskClient
from tests.web.test_console import look
from tests.web.test_widget import NASTY, config_of


async def make(desk: DeskClient, name: str = "administrator", **asked: Any) -> Answer:
    headers = {"Cookie": f"parley={desk.people[name].session}", "X-Parley-CSRF": "1"}
    return await desk.request(
        "POST", "/preview", body={"kind": "chat", "settings": {}, **asked}, as_=None, headers=headers
    )


async def seen(desk: DeskClient, path: str) -> Answer:
    return await look(desk, path, **{"Accept-Encoding": "identity"})


async def page_of(desk: DeskClient, **asked: Any) -> str:
    answer = await make(desk, **asked)
    assert answer.status == 200, answer.body
    return str(json.loads(answer.body)["page"])


async def test_a_look_is_a_page_of_ours_and_the_real_widget_in_it(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    page = await page_of(desk, settings={"colour": "#123456", "greeting": NASTY}, scene="talk")
    shop = await look(desk, page)
    assert shop.status == 200 and f'src="{page}/w.js"' in shop.body.decode()
    assert "frame-ancestors 'self'" in shop.headers["Content-Security-Policy"]
    loader = (await seen(desk, f"{page}/w.js")).body.decode()
    assert "#123456" in loader and f'{page}/w"' in loader
    frame = await seen(desk, f"{page}/w/frame?lang=ar")
    assert frame.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")
    config = config_of(frame.body)
    assert config["greeting"] == NASTY
    assert config["rehearsal"]["scene"] == "talk"
    assert 'dir="rtl"' in frame.body.decode()
    assert (await look(desk, "/static/x/widget/rehearsal.js")).status == 200


async def test_what_is_wrong_is_told_by_field_as_when_it_is_saved(sqlite_desk_client: DeskClient) -> None:
    answer = await make(sqlite_desk_client, settings={"colour": "blue"})
    assert answer.status == 422
    assert json.loads(answer.body)["errors"][0]["path"] == "settings.colour"
    for asked in ({"kind": "nothing"}, {"kind": "form"}, {"scene": "gone"}, {"more": 1}):
        assert (await make(sqlite_desk_client, **asked)).status in (400, 422), asked


async def test_an_inbox_is_the_ground_of_what_is_typed(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    given = {"title": "Ours", "identity_secret": "s" * 40, "allowed_origins": ["https://shop.example"]}
    inbox = await desk.store.write(inboxes.create, DESK, kind="chat", name="Chat", settings=given)
    page = await page_of(desk, inbox_id=inbox.id, settings={"colour": "#101010"})
    frame = await seen(desk, f"{page}/w/frame")
    assert (config_of(frame.body)["name"], config_of(frame.body)["colour"]) == ("Ours", "#101010")
    assert "s" * 40 not in page + frame.body.decode()
    assert (await make(desk, inbox_id=desk.inbox.id)).status == 422  # of another kind
    assert (await make(desk, inbox_id=99_999)).status == 404


async def test_only_who_manages_inboxes_looks_and_nobody_from_elsewhere(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    page = await page_of(desk)
    assert (await make(desk, "agent")).status == 403
    for path in (page, f"{page}/w.js", f"{page}/w/frame"):
        assert (await look(desk, path, "agent")).status == 403
        assert (await desk.get(path, as_=None)).status == 401
    cookie = {"Cookie": f"parley={desk.people['administrator'].session}", "Origin": "https://evil.example"}
    sent = {"kind": "chat", "settings": {}}
    assert (await desk.request("POST", "/preview", body=sent, as_=None, headers=cookie)).status == 403


@pytest.mark.parametrize("packed", ["x", "bm90IGpzb24", "e30", "x" * 5000])
async def test_what_is_no_look_is_not_there(sqlite_desk_client: DeskClient, packed: str) -> None:
    for path in ("", "/w.js", "/w/frame"):
        assert (await look(sqlite_desk_client, f"/preview/{packed}{path}")).status == 404
