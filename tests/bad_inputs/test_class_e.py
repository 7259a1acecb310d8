"""Forms under bad input, each a line of class_e.yaml: answered as written there, the text kept, nothing lost."""

import asyncio
import json
import urllib.parse
from typing import Any

import pytest

from hub.desk.inboxes import Inbox
from tests.bad_inputs import load
from tests.fixtures.forms import ALLOWED, GOOD, FormDesk, Page, multipart

URLENCODED = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("case", load.cases("class_e.yaml"))
async def test_a_form_answers_as_written(sqlite_form_desk: FormDesk, case: dict[str, Any]) -> None:
    desk = sqlite_form_desk
    inbox = await desk.inbox(**case.get("settings", {}))
    if case.get("door") == "aborted":
        await send_half(desk, inbox)
        return await still_well(desk, inbox, 0)
    pages = await send(desk, inbox, case)
    statuses = case["status"] if isinstance(case["status"], list) else [case["status"]]
    for page in pages:
        assert page.status in statuses, (page.status, page.text)
        assert b"Traceback" not in page.body
    taken = statuses[0] < 400
    judge_page(pages[-1], case, taken)
    await judge_record(desk, inbox, case, taken)
    await still_well(desk, inbox, case.get("tickets", 1 if taken else 0))


async def send(desk: FormDesk, inbox: Inbox, case: dict[str, Any]) -> list[Page]:
    door = case.get("door", "page")
    page = await desk.show(inbox)
    if case.get("token") == "other":
        page.fields["form_token"] = (await desk.show(await desk.inbox())).fields["form_token"]
    desk.clock.advance(case.get("after", 10_000))
    if "before" in case:
        assert (await send_one(desk, inbox, door, page, {"set": case["before"]})).status in (201, 303)
    tries = [send_one(desk, inbox, door, page, case) for _ in range(case.get("times", 1))]
    if case.get("at_once"):
        return list(await asyncio.gather(*tries))
    return [await one for one in tries]


async def send_one(desk: FormDesk, inbox: Inbox, door: str, page: Page, case: dict[str, Any]) -> Page:
    fields = fields_of(page if door == "page" else None, case)
    headers = case.get("headers", {})
    foreign = f"/f/{inbox.token}/post"
    if door == "raw":
        return await desk.post(foreign, body_of(case), case["type"], headers)
    if door == "json":
        return await desk.post(foreign, json.dumps(fields).encode(), "application/json", headers)
    if door in ("own", "server"):
        origin = {"Origin": ALLOWED} if door == "own" else {}
        return await desk.post(foreign, urllib.parse.urlencode(fields).encode(), URLENCODED, {**origin, **headers})
    return await desk.post(
        page.action, multipart(fields), "multipart/form-data; boundary=----testformboundary", headers
    )


def fields_of(page: Page | None, case: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {**(page.fields if page else {}), **GOOD}
    for name, value in case.get("set", {}).items():
        spelt_out = isinstance(value, dict) and "repeat" in value
        fields[name] = value["repeat"] * value["times"] + value.get("then", "") if spelt_out else value
    fields.update({f"more_{n}": "x" for n in range(case.get("more_fields", 0))})
    return {name: value for name, value in fields.items() if name not in case.get("drop", ())}


def body_of(case: dict[str, Any]) -> bytes:
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    if "repeat" in case:
        text, times = case["repeat"]
        return bytes(text.encode() * times)
    return bytes(case["text"].encode())


def judge_page(page: Page, case: dict[str, Any], taken: bool) -> None:
    if taken:
        if "leads" in case:
            assert page.headers["Location"].startswith(case["leads"])
        return
    if "path" in case:
        assert case["path"] in [error["path"] for error in json.loads(page.body)["errors"]]
    if "field" in case:
        name = case["field"]
        assert set(page.errors) == {name}
        assert page.described[name] == f"{name}-error"
    elif page.headers["Content-Type"].startswith("application/problem+json"):
        assert json.loads(page.body)["detail"]
    else:
        assert [attrs for _, attrs in page.tags if attrs.get("role") == "alert"], "nothing says why"
    if case.get("says"):
        assert case["says"] in page.text
    if case.get("kept", True):
        for name, value in fields_of(None, case).items():
            if name in ("form_token", "consent_privacy", "client_id") or name == case.get("field"):
                continue
            if name.startswith(("more_", "select_")):
                continue
            assert page.fields.get(name) == str(value).replace("\r\n", "\n"), name
    assert not [tag for tag, _ in page.tags if tag in ("script", "img")]


async def judge_record(desk: FormDesk, inbox: Inbox, case: dict[str, Any], taken: bool) -> None:
    kept = await desk.messages(inbox)
    assert len({one.number for one in kept}) == len(kept)
    if not taken:
        return
    one = kept[-1]
    wanted = fields_of(None, case)
    assert one.text == wanted["message"]
    for name, value in case.get("stored", {}).items():
        assert getattr(one, name) == value
    for name, value in case.get("source", {}).items():
        assert getattr(one, name) == value
    assert one.spam is case.get("spam", False)
    if "mail" in case:
        assert await desk.rows("SELECT COUNT(*) FROM delivery") == [(case["mail"],)]
    if "consents" in case:
        rows = await desk.rows("SELECT purpose, given FROM consent ORDER BY id")
        assert dict(rows) == {purpose: int(given) for purpose, given in case["consents"].items()}


async def still_well(desk: FormDesk, inbox: Inbox, tickets: int) -> None:
    """The right number of tickets, nothing in quarantine, and the next person gets through."""
    before = await desk.messages(inbox)
    assert len(before) == tickets
    assert await desk.rows("SELECT id, reason FROM inbound WHERE state = 'quarantined'") == []
    other = await desk.inbox()
    assert (await desk.thanks(await desk.send(await desk.show(other)))).status == 200


async def send_half(desk: FormDesk, inbox: Inbox) -> None:
    host, port = desk.url.removeprefix("http://").split(":")
    body = multipart(GOOD)
    _, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /f/{inbox.token}/post HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=----testformboundary\r\n\r\n"
    )
    writer.write(head.encode() + body[: len(body) // 2])
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
