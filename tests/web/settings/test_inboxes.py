"""Inboxes through their pages: the form that a connector's settings make, their look, quarantine, jobs, outbox."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from connectors import CONNECTORS
from hub.db.tx import Tx
from hub.desk import inboxes, outbox, settings
from hub.staff.access import DESK
from tests.fixtures.desk import DeskClient
from tests.web.settings.pages import look, send, text, wrong

INBOXES = "/settings/inboxes"
SECRET = "whsec_" + "c2VjcmV0" * 5


async def made(desk: DeskClient, kind: str, **settings: Any) -> int:
    found = await desk.store.write(lambda tx: inboxes.create(tx, DESK, kind=kind, name=f"A {kind}", settings=settings))
    return found.id


async def settings_of(desk: DeskClient, inbox: int) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.get(f"/api/v1/inboxes/{inbox}")).json["settings"]
    return found


def filled(**values: Any) -> dict[str, Any]:
    """A form that shows just these fields."""
    has = [f"settings.{name}" for name in values]
    return {"has": has, **{f"settings.{name}": value for name, value in values.items() if value is not None}}


async def test_a_channel_is_connected_with_what_it_needs(desk_client: DeskClient) -> None:
    desk = desk_client
    page = (await look(desk, f"{INBOXES}/new?kind=webhook")).body.decode()
    assert 'name="settings.secret"' in page
    assert 'type="password"' in page
    given = {"kind": "webhook", "name": "Shop system", **filled(secret="")}
    answer = await send(desk, INBOXES, given)
    assert (answer.status, wrong(answer)) == (422, ["Secret is required."])
    answer = await send(desk, INBOXES, {**given, **filled(secret=SECRET), "team": [desk.team_id]})
    assert answer.status == 303, text(answer)
    path = answer.headers["Location"]
    found = (await desk.get(f"/api/v1/inboxes/{path.rsplit('/', 1)[1]}")).json
    assert (found["name"], found["secrets"], found["teams"]) == ("Shop system", ["secret"], [desk.team_id])
    assert f"/in/{found['token']}" in text(await look(desk, path))
    assert (await send(desk, INBOXES, {"kind": "carrier pigeon", "name": "x"})).status == 404


async def test_a_secret_is_written_and_never_shown(desk_client: DeskClient) -> None:
    desk = desk_client
    inbox = await made(desk, "webhook", secret=SECRET, send_secret=SECRET)
    path = f"{INBOXES}/{inbox}/settings"
    page = (await look(desk, path)).body.decode()
    assert SECRET not in page
    before = await desk.store.read(inboxes.by_id, inbox)
    assert before is not None
    assert (await send(desk, path, {"name": "Shop", **filled(secret="", send_secret="")})).status == 303
    after = await desk.store.read(inboxes.by_id, inbox)
    assert after is not None
    assert after.sealed.keys() == before.sealed.keys(), "left empty they stay"
    bad = await send(desk, path, {"name": "Shop", **filled(secret="short one")})
    assert bad.status == 422
    assert "short one" not in bad.body.decode()
    gone = {"name": "Shop", **filled(send_secret=""), "settings.send_secret.remove": "1"}
    assert (await send(desk, path, gone)).status == 303
    assert (await desk.get(f"/api/v1/inboxes/{inbox}")).json["secrets"] == ["secret"]


async def test_only_what_the_form_shows_is_changed(desk_client: DeskClient) -> None:
    desk = desk_client
    inbox = await made(desk, "form", title="Write to us", ask_subject=False, selects=("Topic: a, b | c",))
    path = f"{INBOXES}/{inbox}/settings"
    assert (await send(desk, path, {"name": "Form", **filled(reopen_days="3", routing="offer")})).status == 303
    found = await settings_of(desk, inbox)
    assert (found["title"], found["ask_subject"], found["reopen_days"]) == ("Write to us", False, 3)
    assert found["selects"] == ["Topic: a, b | c"], "a comma within a line is a comma"
    assert (await send(desk, path, {"name": "Form", **filled(title="", ask_subject="1", selects=None)})).status == 303
    found = await settings_of(desk, inbox)
    assert "title" not in found
    assert not found.get("selects")
    assert found["ask_subject"] is True
    assert found["reopen_days"] == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [("reopen_days", "many"), ("reopen_days", "-1"), ("default_country", "Ethiopia"),
     ("colour", "red"), ("selects", "no question"), ("accept_within", "1")],
)  # fmt: skip
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_there(
    sqlite_desk_client: DeskClient, field: str, value: str
) -> None:
    desk = sqlite_desk_client
    answer = await send(desk, f"{INBOXES}/{desk.inbox.id}/settings", {"name": "Website", **filled(**{field: value})})
    assert answer.status == 422
    assert len(wrong(answer)) == 1
    assert value in answer.body.decode()
    assert field not in await settings_of(desk, desk.inbox.id)


async def test_teams_and_where_tickets_start(desk_client: DeskClient) -> None:
    desk = desk_client
    path = f"{INBOXES}/{desk.inbox.id}/settings"
    assert (await send(desk, path, {"name": "Website", "first": "", "team": []})).status == 303
    found = (await desk.get(f"/api/v1/inboxes/{desk.inbox.id}")).json
    assert (found["team_id"], found["teams"]) == (None, [])
    assert (await send(desk, path, {"name": "Website", "first": desk.team_id})).status == 303
    found = (await desk.get(f"/api/v1/inboxes/{desk.inbox.id}")).json
    assert (found["team_id"], found["teams"]) == (desk.team_id, [desk.team_id])


async def test_an_inbox_is_switched_off_and_on_and_its_connection_tried(desk_client: DeskClient) -> None:
    desk = desk_client
    path = f"{INBOXES}/{desk.inbox.id}"
    assert (await send(desk, f"{path}/switch", {"on": "0"})).status == 303
    assert "switched off" in text(await look(desk, INBOXES))
    assert (await desk.get(f"/f/{desk.inbox.token}", as_=None)).status == 404
    assert (await send(desk, f"{path}/switch", {"on": "1"})).status == 303
    async with asyncio.timeout(30):  # what the desk holds in memory is renewed by the event
        while (await desk.get(f"/f/{desk.inbox.token}", as_=None)).status != 200:
            await asyncio.sleep(0.05)
    answer = await send(desk, f"{path}/check")
    assert answer.status == 303
    page = (await look(desk, answer.headers["Location"])).body.decode()
    assert f'http-equiv="refresh" content="2;url={path}"' in page
    assert await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM job WHERE kind = 'inbox.check'")) == 1


async def test_the_look_is_saved_with_its_questions(desk_client: DeskClient) -> None:
    desk = desk_client
    inbox = await made(desk, "chat", sound=False)
    path = f"{INBOXES}/{inbox}/look"
    given = {
        **filled(title="Ember & Oak", colour="#0f766e", position="start", greeting="Hello", offer_form=None),
        "asks": "1", "ask.name": "may", "ask.email": "must", "ask.phone": "no",
    }  # fmt: skip
    assert (await send(desk, path, given)).status == 303
    found = await settings_of(desk, inbox)
    assert (found["title"], found["colour"], found["position"]) == ("Ember & Oak", "#0f766e", "start")
    assert found["ask"] == ["name", "email*"]
    assert found["sound"] is False
    every = {"asks": "1", **{f"ask.{name}": "may" for name in ("name", "email", "phone", "subject")}}
    answer = await send(desk, path, every)
    assert answer.status == 422
    assert "at most three" in text(answer)
    answer = await send(desk, path, filled(ink="#ffffff", colour="#ffff00"))
    assert "hard to read" in text(answer)
    assert (await settings_of(desk, inbox))["colour"] == "#0f766e"


async def test_quarantine_shows_what_came_and_takes_it_again_or_drops_it(desk_client: DeskClient) -> None:
    desk = desk_client

    def put(tx: Tx) -> list[int]:
        return [
            tx.insert(
                "INSERT INTO inbound (inbox_id, received_at, headers, body, state, reason)"
                " VALUES (:inbox, :now, '[]', :body, 'quarantined', 'no sender') RETURNING id",
                inbox=desk.inbox.id, now=tx.now, body=f"<script>alert({n})</script>".encode(),
            )
            for n in range(27)
        ]  # fmt: skip

    ids = await desk.store.write(put)
    page = await look(desk, "/settings/quarantine")
    assert "&lt;script&gt;alert(26)&lt;/script&gt;" in page.body.decode()
    older = re.search(r'href="(/settings/quarantine\?before=\d+)"', page.body.decode())
    assert older
    assert text(await look(desk, older[1])).count("no sender") == 2
    assert "no sender" not in text(await look(desk, "/settings/quarantine?inbox=999"))
    assert (await send(desk, f"/settings/quarantine/{ids[0]}/retry")).status == 303
    assert await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM job WHERE kind = 'inbound.again'")) == 1
    assert (await send(desk, f"/settings/quarantine/{ids[1]}/drop")).status == 303
    assert (await send(desk, f"/settings/quarantine/{ids[1]}/drop")).status == 409


async def test_a_job_that_was_given_up_is_tried_again_or_dropped(desk_client: DeskClient) -> None:
    desk = desk_client

    def put(tx: Tx) -> list[int]:
        sql = """INSERT INTO job (kind, lane, payload, state, run_at, first_run_at, attempts, last_error, created_at)
                 VALUES ('nothing', 3, '{"a": 1}', 'dead', :now, :now, 9, 'gone fishing', :now) RETURNING id"""
        return [tx.insert(sql, now=tx.now) for _ in range(2)]

    first, second = await desk.store.write(put)
    assert text(await look(desk, "/settings/jobs")).count("gone fishing") == 2
    assert (await send(desk, f"/settings/jobs/{first}/retry")).status == 303
    assert (await send(desk, f"/settings/jobs/{second}/drop")).status == 303
    assert "Nothing has failed for good" in text(await look(desk, "/settings/jobs"))
    assert (await send(desk, f"/settings/jobs/{second}/drop")).status == 404


async def test_the_outbox_shows_what_waits_and_whether_it_may_leave(desk_client: DeskClient) -> None:
    desk = desk_client
    inbox = await made(desk, "webhook", secret=SECRET, url="https://shop.example/in")
    contact = await desk.new_contact()
    ticket = await desk.post(
        "/api/v1/tickets", {"contact_id": contact, "inbox_id": inbox, "text": "The kettle leaks.", "subject": "Kettle"}
    )
    number = ticket.json["number"]
    assert (await send(desk, "/settings/outbox", {"state": "frozen"})).status == 303
    assert await desk.store.read(outbox.is_frozen)
    assert (await desk.post(f"/api/v1/tickets/{number}/reply", {"text": "A new one comes."})).status == 201
    page = await look(desk, "/settings/outbox")
    assert f"#{number}" in text(page)
    cancel = re.search(r'action="(/settings/outbox/\d+/cancel)"', page.body.decode())
    assert cancel
    assert (await send(desk, cancel[1])).status == 303
    assert "Nothing waits" in text(await look(desk, "/settings/outbox"))
    assert (await send(desk, "/settings/outbox", {"state": "open"})).status == 303
    assert not await desk.store.read(outbox.is_frozen)


async def test_the_system_check_says_how_things_are(desk_client: DeskClient) -> None:
    page = text(await look(desk_client, "/settings/health"))
    for words in ("Live connection", "what is acknowledged is on disk", "Version"):
        assert words in page
    assert "every page and every reference holds" not in page
    assert "every page and every reference holds" in text(await look(desk_client, "/settings/health?all=1"))
    assert (await look(desk_client, "/settings/health/clock")).json == {"now": desk_client.clock.now()}


def test_what_channels_declare_can_be_translated(sqlite_desk_client: DeskClient) -> None:
    known = (Path(__file__).parents[3] / "agents_ui/templates/settings/of_channels.html").read_text(encoding="utf-8")
    for kind, (title, _) in CONNECTORS.items():  # those of the tests are told to nobody
        fields = settings.form(kind)
        for told in (title, *(word for f in fields for word in (f.label, f.help, *f.choices) if word)):
            assert told.replace('"', '\\"') in known, told
