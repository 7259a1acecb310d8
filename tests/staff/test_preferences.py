"""How an agent wants the console to be: checked, whole, and theirs alone."""

from typing import Any

import pytest

from tests.fixtures.desk import DeskClient

PATH = "/api/v1/me/preferences"
QUIET = {"from": "22:00", "to": "07:00", "days": [1, 7]}


async def test_they_have_defaults_and_are_set_as_a_whole(desk_client: DeskClient) -> None:
    at_first = (await desk_client.get(PATH)).json
    assert at_first["enter_sends"] == {"chat": True, "mail": False} and at_first["quiet"] is None
    wanted: dict[str, Any] = {
        "theme": "dark",
        "enter_sends": True,
        "keys": {"resolve": "e"},
        "notify": {"ticket.assigned": {"sound": True, "of": "teams"}},
        "quiet": QUIET,
        "panels": {"list": 320, "contact": False},
    }
    answer = await desk_client.request("PUT", PATH, wanted)
    assert answer.status == 200
    wanted["notify"]["ticket.assigned"] |= {"desktop": False, "email": False}
    assert (await desk_client.get(PATH)).json == at_first | wanted
    assert (await desk_client.get("/api/v1/me")).json["preferences"] == at_first | wanted
    assert (await desk_client.get(PATH, as_="agent")).json == at_first
    await desk_client.request("PUT", PATH, {})
    assert (await desk_client.get(PATH)).json == at_first


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"density": "Compact"}, "density"),
        ({"undo_seconds": 7}, "undo_seconds"),
        ({"enter_sends": "yes"}, "enter_sends"),
        ({"quiet": QUIET | {"from": "24:00"}}, "quiet.from"),
        ({"quiet": QUIET | {"days": [0]}}, "quiet.days[0]"),
        ({"notify": {"message": {"of": "nobody"}}}, "notify[...].of"),
        ({"keys": {f"action {n}": "k" for n in range(201)}}, "keys"),
        ({"panels": {"list": -1}}, "panels[...]"),
        ({"sound": True}, "sound"),
    ],
)
async def test_what_they_cannot_be_is_refused_and_named(
    sqlite_desk_client: DeskClient, wrong: dict[str, Any], path: str
) -> None:
    answer = await sqlite_desk_client.request("PUT", PATH, wrong)
    assert (answer.status, answer.paths) == (422, [path])
