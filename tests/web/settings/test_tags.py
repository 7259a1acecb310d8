"""The set of tags and the end of a team through their pages."""

import re
from typing import Any

from tests.fixtures.desk import DeskClient
from tests.web.settings.pages import look, send, text, wrong

TAGS, TEAMS = "/settings/tags", "/settings/teams"


async def kept(desk: DeskClient, what: str = "items") -> dict[str, dict[str, Any]]:
    answer = await desk.get("/api/v1/tags/kept", as_="administrator")
    return {tag["name"]: tag for tag in answer.json[what]}


async def test_tags_are_added_changed_merged_deleted_and_brought_back(desk_client: DeskClient) -> None:
    desk = desk_client
    assert "There is none yet" in text(await look(desk, TAGS))
    for name in ("refund", "refunds"):
        assert (await send(desk, TAGS, {"name": name, "colour": "blue"})).status == 303
    assert wrong(await send(desk, TAGS, {"name": "Refund", "colour": "red"})) == [
        "There is a tag of this name already. Choose another, or merge the two."
    ]
    assert wrong(await send(desk, TAGS, {"name": "x", "colour": "mauve"}))
    found = await kept(desk)
    path = f"{TAGS}/{found['refunds']['id']}"
    assert (await send(desk, path, {"name": "Money back", "colour": "green"})).status == 303
    assert (await kept(desk))["Money back"]["colour"] == "green"
    assert wrong(await send(desk, f"{path}/merge", {"into": ""})) == ["Choose the tag that stays."]
    merged = await send(desk, f"{path}/merge", {"into": str(found["refund"]["id"])})
    assert merged.headers["Location"] == f"{TAGS}?done=tag-merged"
    page = await look(desk, merged.headers["Location"])
    assert "Merged or deleted lately" in text(page) and "merged into refund" in text(page)
    assert (await look(desk, path)).status == 404
    assert (await send(desk, f"{path}/restore")).status == 303
    assert set(await kept(desk)) == {"refund", "Money back"}
    assert (await send(desk, f"{path}/delete")).status == 303
    assert set(await kept(desk, "gone")) == {"Money back"}
    assert (await look(desk, TAGS, "agent")).status == 403


async def test_a_team_is_deleted_with_a_word_on_its_tickets(desk_client: DeskClient) -> None:
    desk = desk_client
    for name in ("Old", "New"):
        assert (await send(desk, TEAMS, {"name": name})).status == 303
    teams = {team["name"]: team["id"] for team in (await desk.get("/api/v1/teams", as_="administrator")).json["items"]}
    page = await look(desk, f"{TEAMS}/{teams['Old']}")
    assert "It has 0 tickets." in text(page)
    assert re.search(rf'<option value="{teams["New"]}">New</option>', page.body.decode())
    path = f"{TEAMS}/{teams['Old']}/delete"
    assert wrong(await send(desk, path, {"tickets_to": str(2**40)})) == ["There is no such team."]
    assert (await send(desk, path, {"tickets_to": str(teams["New"])}, "agent")).status == 403
    assert (await send(desk, path, {"tickets_to": str(teams["New"])})).headers[
        "Location"
    ] == f"{TEAMS}?done=team-deleted"
    assert (await look(desk, f"{TEAMS}/{teams['Old']}")).status == 404
