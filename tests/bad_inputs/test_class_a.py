"""Class A of the bad inputs: the API and HTTP itself, each line of class_a.yaml against a running desk."""

import asyncio
import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from hub.commands import BY_NAME
from hub.db.tx import Rx
from tests.bad_inputs.load import cases, lines, waiting
from tests.fixtures.desk import DeskClient

FILE = "class_a.yaml"
LINES = 90
ALL = cases(FILE)
# What every request may write, whatever comes of it.
_NOTED = ("api_token", "session", "throttle", "presence")
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgres": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
}


def record(rx: Rx, database: str) -> dict[str, list[str]]:
    """Everything that is stored, but for when a credential was last used."""
    tables = sorted(row[0] for row in rx.rows(_TABLES[database]) if row[0] not in _NOTED)
    return {table: sorted(map(repr, rx.rows(f"SELECT * FROM {table}"))) for table in tables}


async def known(client: DeskClient) -> dict[str, str]:
    """What the lines name in braces."""
    contact = await client.new_contact()
    number = await client.new_ticket(contact_id=contact)
    shown = await client.get(f"/api/v1/contacts/{contact}")
    for key, kind in (("born", "date"), ("remark", "text")):
        made = await client.post("/api/v1/fields", {"key": key, "label": key.title(), "type": kind})
        assert made.status == 201, made.body
    return {
        "ticket": str(number),
        "contact": str(contact),
        "point": str(shown.json["points"][0]["id"]),
        "inbox": str(client.inbox.id),
        "token": client.inbox.token,
    }


def filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"{(ticket|contact|point|inbox|token|auth|repeat)}", lambda m: values[m[1]], text)


def repeated(what: dict[str, Any]) -> str:
    return what.get("before", "") + what["piece"] * what["times"] + what.get("after", "")


def body_of(line: dict[str, Any]) -> bytes | None:
    if "json" in line:
        return json.dumps(line["json"]).encode()
    if "text" in line:
        return str(line["text"]).encode()
    if "hex" in line:
        return bytes.fromhex(line["hex"])
    return repeated(line["repeat"]).encode() if "repeat" in line else None


def statuses(line: dict[str, Any]) -> list[Any]:
    wanted = line["status"]
    return wanted if isinstance(wanted, list) else [wanted]


async def speak(port: int, sent: bytes, *, ends: bool, patience: float = 5.0) -> bytes:
    """What comes back for bytes on a socket; with `ends` the desk has to end the connection itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        with contextlib.suppress(ConnectionError):
            writer.write(sent)
            await writer.drain()
        try:
            async with asyncio.timeout(patience):
                while part := await reader.read(65_536):
                    got += part
                    if not ends and whole(got):
                        break
        except TimeoutError:
            raise AssertionError(f"the connection is still open; so far: {got[:500]!r}") from None
        except ConnectionError:
            pass
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return got


def whole(got: bytes) -> bool:
    head, blank, rest = got.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(blank) and length is not None and len(rest) >= int(length[1])


async def by_socket(client: DeskClient, line: dict[str, Any], values: dict[str, str]) -> tuple[Any, bytes]:
    values = values | {
        "auth": f"Authorization: Bearer {client.people['administrator'].token}",
        "repeat": repeated(line["raw_repeat"]) if "raw_repeat" in line else "",
    }
    got = await speak(client.port, filled(line["raw"], values).encode("latin-1"), ends=line.get("ends", False))
    if not got:
        return "closed", b""
    head, _, rest = got.partition(b"\r\n\r\n")
    assert b"\r\nX-Content-Type-Options: nosniff" in head, head
    return int(head.split(b" ", 2)[1]), rest


async def by_request(client: DeskClient, line: dict[str, Any], values: dict[str, str]) -> tuple[Any, bytes]:
    method, path = filled(line.get("request", "POST /api/v1/contacts"), values).split(" ", 1)
    headers = {k: repeated(v) if isinstance(v, dict) else v for k, v in line.get("headers", {}).items()}
    if "type" in line:
        headers["Content-Type"] = line["type"]
    answer = await client.request(method, path, as_=line.get("as", "administrator"), headers=headers, raw=body_of(line))
    return answer.status, answer.body


@pytest.mark.parametrize("line", ALL)
@pytest.mark.loop_may_block("a body of a megabyte is decoded at once")
async def test_a_bad_request_is_answered_and_changes_nothing(desk_client: DeskClient, line: dict[str, Any]) -> None:
    values = await known(desk_client)
    database = desk_client.store.backend.name
    before = await desk_client.store.read(record, database)
    status, body = await (by_socket if "raw" in line else by_request)(desk_client, line, values)
    assert status in statuses(line), body[:500]
    if line.get("empty"):
        assert body == b""
    elif status != "closed" and status >= 400:
        judge(line, json.loads(body), status)
    elif "answer" in line:
        assert json.loads(body) | line["answer"] == json.loads(body)
    for word in (line.get("not"), "Traceback", 'File "'):
        assert word is None or word.encode() not in body
    if not line.get("changes"):
        assert await desk_client.store.read(record, database) == before
    assert (await desk_client.get(f"/api/v1/tickets/{values['ticket']}")).status == 200, "others are not touched by it"


def judge(line: dict[str, Any], problem: dict[str, Any], status: int) -> None:
    """Is it a whole problem, and does it say what it has to?"""
    assert problem["type"].startswith("/problems/")
    assert problem["status"] == status
    assert problem["title"] and problem["detail"]
    texts = " ".join([problem["detail"], *(error["text"] for error in problem.get("errors", ()))])
    assert str(line.get("says", "")) in texts
    if "path" in line:
        assert [error["path"] for error in problem["errors"]] == [line["path"]]


# --- the file itself -------------------------------------------------------------------------------------------------


def test_every_line_of_the_class_is_there() -> None:
    there = {int(match[1]) for line in lines(FILE) if (match := re.match(r"A(\d+) ", line["id"]))}
    assert there == set(range(1, LINES + 1))


def test_what_is_tested_elsewhere_is_tested_there() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    named = {line["tested_by"] for line in lines(FILE) if "tested_by" in line}
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []


def test_no_input_waits_for_a_command_that_is_there() -> None:
    assert [(file, line) for file, line, command in waiting() if command in BY_NAME] == []
