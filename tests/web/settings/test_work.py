"""Canned responses, own fields, business hours, reply targets and routing through their pages."""

import re
from typing import Any

import pytest

from tests.fixtures.desk import DeskClient
from tests.web.settings.pages import look, send, text, wrong

CANNED, FIELDS, HOURS, TARGETS, ROUTING = (
    f"/settings/{noun}" for noun in ("canned", "fields", "hours", "targets", "routing")
)
Week = dict[str, Any]


async def items(desk: DeskClient, noun: str, name: str = "administrator") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await desk.get(f"/api/v1/{noun}", as_=name)).json["items"]
    return found


async def test_a_canned_response_is_written_for_the_desk_a_team_or_oneself(desk_client: DeskClient) -> None:
    desk = desk_client
    given = {"short": "/hours", "title": "", "text": "Nine to five,\r\n{{contact.first_name}}.", "whose": "desk"}
    assert (await send(desk, CANNED, given)).status == 303
    [found] = await items(desk, "canned")
    assert (found["short"], found["title"], found["team_id"], found["own"]) == ("hours", "hours", None, False)
    assert found["text"] == "Nine to five,\n{{contact.first_name}}."
    assert "hours" in text(await look(desk, CANNED, "agent"))
    again = await send(desk, CANNED, given)
    assert wrong(again) == ["There is one under this name already. Choose another, or change that one."]
    refused = await send(desk, f"{CANNED}/{found['id']}", {**given, "text": "Never"}, "agent")
    assert refused.status == 422
    assert "whoever sees everything" in text(refused)
    own = {**given, "short": "mine", "whose": "own", "language": "en"}
    assert (await send(desk, CANNED, own, "agent")).status == 303
    mine = next(c for c in await items(desk, "canned", "agent") if c["own"])
    assert mine["language"] == "en"
    assert (await look(desk, f"{CANNED}/{mine['id']}")).status == 404, "nobody else's"
    team = {**own, "whose": str(desk.team_id)}
    assert (await send(desk, f"{CANNED}/{mine['id']}", team, "agent")).status == 303
    assert (await look(desk, f"{CANNED}/{mine['id']}")).status == 200
    assert (await send(desk, f"{CANNED}/{mine['id']}/remove", name="agent")).status == 303
    assert len(await items(desk, "canned")) == 1
    assert (await send(desk, CANNED, own, "observer")).status == 403


async def test_a_field_of_one_s_own_is_added_changed_and_removed(desk_client: DeskClient) -> None:
    desk = desk_client
    given = {"label": "Plan", "key": "plan", "type": "choice", "choices": "free\npro", "required": "1"}
    assert (await send(desk, FIELDS, given)).status == 303
    [found] = await items(desk, "fields")
    assert (found["choices"], found["required"]) == (["free", "pro"], True)
    assert wrong(await send(desk, FIELDS, {**given, "key": "Plan B"}))
    assert (await send(desk, FIELDS, {**given, "key": "x", "type": "spell"})).status == 422
    path = f"{FIELDS}/{found['id']}"
    assert (await send(desk, path, {"label": "Tariff", "choices": "free\npro\nfirm"})).status == 303
    [found] = await items(desk, "fields")
    assert (found["label"], found["choices"], found["required"]) == ("Tariff", ["free", "pro", "firm"], False)
    assert (await send(desk, f"{path}/remove")).status == 303
    assert await items(desk, "fields") == []


def week(**days: list[tuple[str, str]]) -> Week:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    found: Week = {}
    for number, name in enumerate(names):
        spans = [*days.get(name, []), ("", "")]
        found[f"week.{number}.from"] = [start for start, _ in spans]
        found[f"week.{number}.to"] = [end for _, end in spans]
    return found


async def test_hours_have_a_week_holidays_and_days_of_their_own_and_show_what_comes(desk_client: DeskClient) -> None:
    desk = desk_client
    open_days = week(mon=[("09:00", "13:00"), ("14:00", "18:00")], sun=[("20:00", "00:00")])
    special = {
        "day.date": ["2026-12-24", "2026-12-31", ""], "day.name": ["Christmas Eve", "", "nothing"],
        "day.from": ["09:00", "", ""], "day.to": ["12:00", "", ""],
    }  # fmt: skip
    given = {"name": "Shop", "zone": "Africa/Addis_Ababa", **open_days, "country": "DE", "region": "", **special}
    answer = await send(desk, HOURS, given)
    assert answer.status == 303, text(answer)
    path = answer.headers["Location"].partition("?")[0]
    [found] = await items(desk, "hours")
    assert found["week"][0] == [["09:00", "13:00"], ["14:00", "18:00"]]
    assert found["week"][6] == [["20:00", "24:00"]]
    assert found["country"] == "DE"
    assert [(d["date"], d["closed"]) for d in found["days"]] == [("2026-12-24", False), ("2026-12-31", True)]
    page = text(await look(desk, path))
    assert page.count("09:00–13:00") == 3, "three Mondays of the next three weeks"
    assert "20:00–00:00" in page
    for change, said in (
        ({"zone": "Mars/Olympus"}, "There is no such time zone"),
        (week(mon=[("18:00", "09:00")]), "close after it opens"),
        (week(mon=[("09:00", "13:00"), ("12:00", "18:00")]), "overlap"),
        ({"name": ""}, "empty"),
        ({"country": "XX"}, "not known"),
        ({"day.date": ["2026-12-24", "2026-12-24", ""]}, "twice"),
    ):
        answer = await send(desk, path, {**given, **change})
        assert answer.status == 422, said
        assert said in " ".join(wrong(answer)), said
        assert "Christmas Eve" in answer.body.decode(), "nothing is lost"
    settings = {"has": "settings.hours_id", "settings.hours_id": str(found["id"]), "name": "Website"}
    assert (await send(desk, f"/settings/inboxes/{desk.inbox.id}/settings", settings)).status == 303
    assert "Website" in text(await look(desk, HOURS))
    assert (await send(desk, f"{path}/remove")).status == 409
    assert (
        await send(desk, f"/settings/inboxes/{desk.inbox.id}/settings", {**settings, "settings.hours_id": ""})
    ).status == 303
    team = {"name": "Front desk", "hours": str(found["id"]), "inbox": [desk.inbox.id]}
    assert (await send(desk, f"/settings/teams/{desk.team_id}", team)).status == 303
    assert (await items(desk, "teams"))[0]["hours_id"] == found["id"]
    assert (await send(desk, f"/settings/teams/{desk.team_id}", {**team, "hours": ""})).status == 303
    assert (await send(desk, f"{path}/remove")).status == 303


async def test_targets_are_set_for_all_inboxes_and_for_one(desk_client: DeskClient) -> None:
    desk = desk_client
    given = {
        "inbox": "", "urgent.first": "30", "urgent.next": "2 h", "urgent.warn": "10m", "urgent.raise": "1",
        "normal.first": "1d", "normal.team": str(desk.team_id), "normal.back": "1",
    }  # fmt: skip
    assert (await send(desk, TARGETS, given)).status == 303
    [everywhere] = await items(desk, "targets")
    urgent, normal = everywhere["items"]
    assert (urgent["first_reply_minutes"], urgent["next_reply_minutes"], urgent["warn_minutes"]) == (30, 120, 10)
    assert (urgent["raise_priority"], urgent["put_back"]) == (True, False)
    assert (normal["first_reply_minutes"], normal["escalate_to_team_id"], normal["put_back"]) == (
        1440,
        desk.team_id,
        True,
    )
    page = (await look(desk, TARGETS)).body.decode()
    assert re.search(r'name="urgent.next"[^>]*value="2h"', page)
    own = {"inbox": str(desk.inbox.id), "high.first": "45m"}
    assert (await send(desk, TARGETS, own)).status == 303
    assert [of["inbox_id"] for of in await items(desk, "targets")] == [None, desk.inbox.id]
    for bad in ({"urgent.first": "soon"}, {"urgent.first": "30", "urgent.warn": "40"}, {"urgent.first": "400d"}):
        answer = await send(desk, TARGETS, {"inbox": "", **bad})
        assert answer.status == 422
        assert next(iter(bad.values())) in answer.body.decode()
    assert len((await items(desk, "targets"))[0]["items"]) == 2
    assert (await send(desk, TARGETS, given, "agent")).status == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [("auto_away_minutes", "soon"), ("auto_away_minutes", "-1"), ("long_wait_minutes", "99999"), ("zone", "x")],
)
async def test_the_rules_of_routing(sqlite_desk_client: DeskClient, field: str, value: str) -> None:
    desk = sqlite_desk_client
    given = {"auto_away_minutes": "7", "long_wait_minutes": "3", "zone": "Asia/Phnom_Penh"}
    assert (await send(desk, ROUTING, given)).status == 303
    assert 'value="Asia/Phnom_Penh"' in (await look(desk, ROUTING)).body.decode()
    answer = await send(desk, ROUTING, {**given, field: value})
    assert answer.status == 422
    assert len(wrong(answer)) == 1
