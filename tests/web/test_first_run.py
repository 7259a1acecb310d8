"""The first run as pages: every step with forms alone, what it changes, that it goes on where one was."""

import json
import re
from typing import Any

import pytest_asyncio

from hub.db.tx import Tx
from hub.desk import first_run, inboxes, own_mail
from hub.sample import load
from hub.staff import agents, organisation, teams
from hub.staff.access import DESK
from tests.fixtures.desk import Answer, DeskClient
from tests.web.test_console import cookie, look, submit


@pytest_asyncio.fixture
async def desk(sqlite_desk_client: DeskClient) -> DeskClient:
    """A desk with a chat and a form, whose administrator has just come in."""

    def prepare(tx: Tx) -> None:
        inboxes.create(tx, DESK, kind="chat", name="Chat")
        inboxes.create(tx, DESK, kind="form", name="Form")
        organisation.rename(tx, DESK, "Ember & Oak")
        first_run.begin(tx)

    await sqlite_desk_client.store.write(prepare)
    return sqlite_desk_client


async def take(desk: DeskClient, step: str, **given: str) -> Answer:
    return await submit(desk, f"/welcome/{step}", given, **cookie(desk))


async def state(desk: DeskClient) -> Any:
    return json.loads((await look(desk, "/welcome/state")).body)


async def test_it_leads_on_and_comes_back_to_where_one_was(desk: DeskClient) -> None:
    assert (await look(desk, "/welcome")).headers["Location"] == "/welcome/ways"
    on = await take(desk, "ways", **{"way.chat": "1", "way.form": "1"})
    assert on.headers["Location"] == "/welcome/look"
    assert (await look(desk, "/welcome")).headers["Location"] == "/welcome/look"
    assert (await take(desk, "look", skip="1")).headers["Location"] == "/welcome/try"
    assert (await take(desk, "try")).headers["Location"] == "/welcome/site"
    assert (await look(desk, "/welcome/ways")).status == 200, "one may go back"
    assert (await look(desk, "/welcome")).headers["Location"] == "/welcome/site"
    boot = re.search(r'id="boot">(.*?)</script>', (await look(desk, "/inbox")).body.decode())
    assert boot and json.loads(boot[1])["first_run"] == {"done": 3, "of": 5}
    await submit(desk, "/welcome/dismiss", {}, **cookie(desk))
    boot = re.search(r'id="boot">(.*?)</script>', (await look(desk, "/inbox")).body.decode())
    assert boot and json.loads(boot[1])["first_run"] is None
    assert (await look(desk, "/welcome/site")).status == 200, "its pages stay"


async def test_what_was_not_chosen_is_switched_off_and_its_steps_vanish(desk: DeskClient) -> None:
    assert (await take(desk, "ways")).status == 422
    await take(desk, "ways", **{"way.form": "1"})
    kinds = {inbox.kind: inbox.enabled for inbox in await desk.store.read(inboxes.all_of_them)}
    assert kinds["chat"] is False and kinds["form"] is True
    assert (await look(desk, "/welcome/look")).headers["Location"] == "/welcome/try"
    page = (await look(desk, "/welcome/try")).body.decode()
    assert "/welcome/site" not in page
    await take(desk, "ways", **{"way.chat": "1"})
    assert (await look(desk, "/welcome/look")).status == 200


async def test_the_look_is_judged_as_the_inbox_s_settings_are(desk: DeskClient) -> None:
    page = (await look(desk, "/welcome/look")).body.decode()
    assert 'value="Ember &amp; Oak"' in page and 'data-preview="chat"' in page
    wrong = await take(desk, "look", **{"settings.colour": "blue", "settings.title": "Mine"})
    assert wrong.status == 422
    assert "six digits" in wrong.body.decode() and 'value="Mine"' in wrong.body.decode()
    given = {
        "settings.title": "Ours",
        "settings.colour": "#7a1f5c",
        "settings.greeting": "",
        "settings.position": "start",
    }
    assert (await take(desk, "look", **given)).status == 303
    chat = await desk.store.read(first_run.live_inbox)
    assert chat is not None
    assert (chat.settings["title"], chat.settings["colour"], chat.settings["position"]) == ("Ours", "#7a1f5c", "start")


async def test_a_site_is_allowed_as_people_write_it(desk: DeskClient) -> None:
    assert (await take(desk, "site", site="not a site")).status == 422
    assert (await take(desk, "site", site="shop.example/")).headers["Location"] == "/welcome/site?saved=1"
    chat = await desk.store.read(first_run.live_inbox)
    assert chat is not None and chat.common.allowed_origins == ("https://shop.example",)
    page = (await look(desk, "/welcome/site")).body.decode()
    assert "https://shop.example" in page and page.count(f"/w/{chat.token}.js") >= 5
    assert (await take(desk, "site", site="")).headers["Location"] == "/welcome/colleagues"


async def test_a_colleague_gets_a_link_and_sees_what_was_chosen(desk: DeskClient) -> None:
    before = await desk.store.read(lambda rx: {team.id for team, _ in teams.page(rx, after=("", 0), limit=9)})
    made = await take(desk, "colleagues", name="Bo", email="bo@new.example", role="agent")
    assert made.status == 200
    link = re.search(r"/join/([\w-]{43})", made.body.decode())
    assert link is not None
    assert (await look(desk, link[0])).status == 200
    assert link[0] not in (await look(desk, "/welcome/colleagues")).body.decode(), "it is shown once"
    bo = await desk.store.read(agents.by_email, "bo@new.example")
    after = await desk.store.read(lambda rx: {team.id for team, _ in teams.page(rx, after=("", 0), limit=9)})
    member = await desk.store.read(lambda rx: teams.get(rx, min(before or after)).members)
    assert bo in member
    again = await take(desk, "colleagues", name="Bo", email="bo@new.example", role="agent")
    assert again.status == 422 and "/join/" not in again.body.decode()


async def test_what_is_tried_ticks_whatever_door_it_came_through(desk: DeskClient) -> None:
    assert (await state(desk))["tried"] == []
    ticket = await desk.post("/api/v1/tickets", await _ticket(desk))
    number = ticket.json["number"]
    assert (await state(desk))["tried"] == ["received"]
    await desk.post(f"/api/v1/tickets/{number}/note", {"text": "They called before."})
    await desk.post(f"/api/v1/tickets/{number}/resolve", {})
    now = await state(desk)
    assert now["tried"] == ["received", "noted", "resolved"] and "try" not in now["done"]
    await desk.post(f"/api/v1/tickets/{number}/reply", {"text": "Sorry to hear it."})
    assert (await state(desk))["tried"] == ["received", "answered", "noted", "resolved"]
    assert "try" in (await state(desk))["done"]


async def _ticket(desk: DeskClient) -> dict[str, Any]:
    made = await desk.post("/api/v1/contacts", {"name": "Kid", "points": [{"kind": "email", "value": "kid@x.example"}]})
    assert made.status == 201, made.body
    return {"inbox_id": desk.inbox.id, "contact_id": made.json["id"], "text": "The handle broke."}


async def test_a_desk_that_was_set_up_without_it_begins_when_its_pages_are_opened(
    sqlite_desk_client: DeskClient,
) -> None:
    desk = sqlite_desk_client
    boot = re.search(r'id="boot">(.*?)</script>', (await look(desk, "/inbox")).body.decode())
    assert boot and json.loads(boot[1])["first_run"] is None, "nothing points to what nobody asked for"
    assert (await state(desk))["tried"] == []
    await desk.new_ticket("The kettle leaks.")
    assert (await state(desk))["tried"] == ["received"]


async def test_the_sample_data_is_no_way_to_reach_us(desk: DeskClient) -> None:
    await desk.store.write(load.start, DESK)
    while (await desk.store.read(load.state)).state == "loading":
        await desk.store.write(load.go_on)
    await take(desk, "ways", **{"way.chat": "1"})
    found = {kind.kind: inbox for kind, inbox in await desk.store.read(first_run.ways)}
    assert found["form"] is None and found["chat"] is not None and found["chat"].name == "Chat"
    assert "/f/" not in (await look(desk, "/demo")).body.decode(), "nobody writes to a made-up firm by accident"


async def test_another_site_takes_no_step(desk: DeskClient) -> None:
    for step in ("ways", "look", "try", "site", "colleagues", "dismiss"):
        answer = await submit(desk, f"/welcome/{step}", {}, Origin="https://evil.example", **cookie(desk))
        assert answer.status == 403, step
    assert (await look(desk, "/welcome/nothing")).status == 404
    assert (await desk.get("/welcome/ways", as_=None)).headers["Location"].startswith("/sign-in")


async def test_business_hours_are_offered_in_the_zone_of_the_browser(desk: DeskClient) -> None:
    assert b"Monday to Friday" in (await look(desk, "/welcome/ways")).body
    given = {"way.chat": "1", "hours": "1", "zone": "Mars/Olympus"}
    assert (await take(desk, "ways", **given)).status == 422
    assert (await take(desk, "ways", **given | {"zone": "Africa/Addis_Ababa"})).status == 303
    (found,) = (await desk.get("/api/v1/hours")).json["items"]
    assert (found["zone"], found["week"][0], found["week"][6]) == ("Africa/Addis_Ababa", [["09:00", "18:00"]], [])
    chat = await desk.store.read(first_run.live_inbox)
    assert chat is not None and chat.common.hours_id == found["id"]
    assert b"Monday to Friday" not in (await look(desk, "/welcome/ways")).body, "there are some now"


async def test_the_line_goes_to_a_developer_by_the_desks_mail_or_ones_own(desk: DeskClient) -> None:
    assert b'href="mailto:?subject' in (await look(desk, "/welcome/site")).body
    secret = "whsec_" + "A" * 43 + "="
    inbox = await desk.store.write(inboxes.create, DESK, kind="webhook", name="Post", settings={"secret": secret})
    await desk.store.write(own_mail.choose, DESK, inbox.id)
    assert (await take(desk, "site", developer="no address")).status == 422
    assert (await take(desk, "site", developer="dev@example.org")).status == 303
    row = await desk.store.read(lambda rx: rx.row("SELECT purpose, address, fields FROM own_mail"))
    assert row is not None and row[:2] == ("snippet", "dev@example.org") and "<script async" in row[2]
