"""Class I of the bad inputs, for canned responses and saved views: each line of class_i_desk.yaml against a desk."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.bad_inputs import load
from tests.fixtures.desk import Answer, DeskClient

FILE = "class_i_desk.yaml"
LINES = [case for case in load.cases(FILE) if "tested_by" not in case.values[0]]


def test_what_is_tested_elsewhere_is_tested_there() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    named = {line["tested_by"] for line in load.lines(FILE) if "tested_by" in line}
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []


@pytest.mark.parametrize("line", LINES)
async def test_it_is_kept_and_filled_in_or_refused(sqlite_desk_client: DeskClient, line: dict[str, Any]) -> None:
    desk = sqlite_desk_client
    contact = await desk.new_contact(line.get("name", "Abeba"))
    number = await desk.new_ticket("The kettle leaks.", contact_id=contact)
    text = line.get("canned") or line.get("repeat", {}).get("piece", "") * line.get("repeat", {}).get("times", 0)
    if "view" in line:
        answer = await desk.post("/api/v1/views", line["view"])
    else:
        answer = await desk.post("/api/v1/canned", line.get("create") or {"short": "x", "text": text})
    wanted = line.get("status", 201)
    assert answer.status == wanted, answer.body
    if wanted >= 400:
        assert answer.paths == [line["path"]]
        assert await kept(desk) == []
    elif "view" not in line:
        await filled_in(desk, answer, number, line, text)


async def kept(desk: DeskClient) -> list[Any]:
    views, canned = (await desk.get("/api/v1/views")).json["items"], (await desk.get("/api/v1/canned")).json["items"]
    return [*views, *canned]


async def filled_in(desk: DeskClient, made: Answer, number: int, line: dict[str, Any], text: str) -> None:
    assert (made.json["text"], made.json["unknown"]) == (text, line.get("unknown", []))
    started = time.process_time()
    filled = (await desk.get(f"/api/v1/canned/{made.json['id']}/fill?number={number}")).json
    took = time.process_time() - started
    if line.get("fast"):
        assert took < 0.5 and filled["text"].count("Abeba") == line["repeat"]["times"]
        return
    assert filled == {"text": line.get("filled", text), "missing": line.get("missing", [])}
