"""Class I of the bad inputs, for people: each line of class_i_people.yaml against a running desk."""

import csv
import io
import tracemalloc
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from hub.db.tx import Tx
from hub.desk import exports
from hub.desk.contact_lists import Filter
from hub.desk.sheet import MARK, SEPARATORS, Separator, lines
from hub.staff.access import DESK
from tests.bad_inputs import load
from tests.fixtures.desk import DeskClient

FILE = "class_i_people.yaml"
LINES = [case for case in load.cases(FILE) if "tested_by" not in case.values[0]]
SEARCHES = [case for case in LINES if {"search", "repeat", "raw", "query"} & set(case.values[0])]
CELLS = [case for case in LINES if {"cell", "phone"} & set(case.values[0])]


async def furnished(desk: DeskClient) -> int:
    for key, kind in (("born", "date"), ("remark", "text")):
        await desk.post("/api/v1/fields", {"key": key, "label": key.title(), "type": kind})
    return await desk.new_contact()


def test_every_line_is_tried_or_tested_where_it_says() -> None:
    assert len(SEARCHES) + len(CELLS) == len(LINES)
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    named = {line["tested_by"] for line in load.lines(FILE) if "tested_by" in line}
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []


@pytest.mark.parametrize("line", SEARCHES)
async def test_a_search_finds_or_refuses_and_never_fails(desk_client: DeskClient, line: dict[str, Any]) -> None:
    contact_id = await furnished(desk_client)
    if "query" in line:
        query = line["query"]
    elif "raw" in line:
        query = f"q={line['raw']}"
    else:
        text = line["repeat"]["piece"] * line["repeat"]["times"] if "repeat" in line else line["search"]
        query = f"q={quote(text, safe='')}"
    for path in ("contacts?", "contacts.csv?"):
        answer = await desk_client.get(f"/api/v1/{path}{query}")
        if "refused" in line:
            assert answer.status in (400, 422), answer.body
            if path == "contacts?" or "sort=" not in query:
                assert not line["refused"] or answer.paths == [line["refused"]]
            continue
        assert answer.status == 200, answer.body
        if path == "contacts?":
            found = [row["id"] for row in answer.json["items"]]
        else:
            found = [int(row["id"]) for row in csv.DictReader(io.StringIO(answer.body.decode()[1:], newline=""))]
        assert found == ([contact_id] if line.get("finds") else []), path


@pytest.mark.parametrize("line", CELLS)
async def test_a_cell_is_text_whatever_stands_in_it(sqlite_desk_client: DeskClient, line: dict[str, Any]) -> None:
    desk = sqlite_desk_client
    contact_id = await furnished(desk)
    if "phone" in line:
        point = {"kind": "phone", "value": line["phone"]}
        assert (await desk.post(f"/api/v1/contacts/{contact_id}/points", point)).status == 201
        column, wanted = "phone", line["shown"]
    else:
        changed = await desk.patch(f"/api/v1/contacts/{contact_id}", {"fields": {"remark": line["cell"]}})
        assert changed.status == 200, changed.body
        await desk.new_ticket(contact_id=contact_id, subject=line["cell"])
        column, wanted = "remark", line.get("shown", f"'{line['cell']}")
    for separator, delimiter in SEPARATORS.items():
        (row,) = await read(desk, "contacts", separator, delimiter)
        assert row[column] == wanted
        for ticket in await read(desk, "tickets", separator, delimiter):
            assert ticket["subject"] == wanted


async def read(desk: DeskClient, what: str, separator: Separator, delimiter: str) -> list[dict[str, str]]:
    answer = await desk.get(f"/api/v1/{what}.csv?separator={separator}")
    assert answer.status == 200 and answer.body.startswith(MARK.encode())
    text = answer.body.decode("utf-8").removeprefix(MARK)
    found = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    for row in found:
        assert None not in row, "nothing broke out of its cell"
        assert not [cell for cell in row.values() if cell.lstrip(" \u200b")[:1] in set("=+-@\t\r\n|＝＋－＠﹦−")]
    return found


async def test_five_thousand_values_of_fields_are_refused(sqlite_desk_client: DeskClient) -> None:
    contact_id = await furnished(sqlite_desk_client)
    many = {f"key_{n}": n for n in range(5_000)}
    answer = await sqlite_desk_client.patch(f"/api/v1/contacts/{contact_id}", {"fields": many})
    assert (answer.status, answer.paths) == (422, ["fields"])
    assert (await sqlite_desk_client.get(f"/api/v1/contacts/{contact_id}")).json["fields"] == {}


@pytest.mark.loop_may_block("memory is measured, which makes everything slow")
async def test_an_export_of_many_rows_takes_little_memory(sqlite_desk_client: DeskClient) -> None:
    """Rows are made a slice at a time and kept nowhere: how many there are makes no difference."""
    desk = sqlite_desk_client

    def many(tx: Tx, count: int) -> None:
        tx.run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
            " INSERT INTO contact (name, name_folded, created_at, changed_at, worded)"
            " SELECT 'Somebody ' || i, 'somebody ' || i, 0, 0, 1 FROM n",
            count=count,
        )

    await desk.store.write(many, 20_000)
    sheet = await desk.store.read(exports.contacts, DESK, Filter())
    after: int | None = 0
    rows, peak = 0, 0
    tracemalloc.start()
    try:
        while after is not None:
            tracemalloc.reset_peak()
            found = await desk.store.read(sheet.slice, DESK, after)
            rows, after = rows + len(found.rows), found.after
            assert len(lines(found.rows)) < 1_000_000
            peak = max(peak, tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert rows == 20_000
    assert peak < 16 * 2**20
