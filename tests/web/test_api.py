"""Commands through HTTP: the whole way from a request to the record and back."""

import asyncio
import json

import msgspec
import pytest

from hub.commands import COMMANDS
from tests.fixtures.desk import DeskClient


async def test_a_ticket_is_opened_read_answered_and_resolved(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket("The kettle leaks.")
    read = await desk_client.get(f"/api/v1/tickets/{number}", as_="agent")
    assert read.status == 200, read.body
    assert read.json["messages"][0]["text"] == "The kettle leaks."
    seen = read.json["messages"][-1]["id"]
    reply = await desk_client.post(
        f"/api/v1/tickets/{number}/reply", {"text": "We send a new one.", "seen": seen}, as_="agent"
    )
    assert reply.status in (200, 201), reply.body
    resolved = await desk_client.post(f"/api/v1/tickets/{number}/resolve", as_="agent")
    assert resolved.status == 200, resolved.body
    listed = await desk_client.get("/api/v1/tickets?status=resolved", as_="agent")
    assert [item["number"] for item in listed.json["items"]] == [number]


async def test_every_answer_has_the_headers_that_keep_browsers_safe(sqlite_desk_client: DeskClient) -> None:
    for method, path in (
        ("GET", "/api/v1/tickets"),
        ("GET", "/nowhere"),
        ("PUT", "/api/v1/tickets"),
        ("GET", "/healthz"),
    ):
        answer = await sqlite_desk_client.request(method, path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Request-Id"]
        assert answer.headers["Server"] == "Parley"
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_problem_names_its_field_and_carries_the_request_id(sqlite_desk_client: DeskClient) -> None:
    answer = await sqlite_desk_client.post("/api/v1/contacts", {"name": 5})
    assert answer.status == 422
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem = answer.json
    assert problem["type"] == "/problems/invalid"
    assert problem["status"] == 422
    assert problem["errors"] == [{"path": "name", "text": "This has to be text, not a whole number."}]
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    explained = await sqlite_desk_client.get(problem["type"], as_=None)
    assert explained.status == 200


async def test_a_method_that_an_address_does_not_take_is_answered_with_those_it_takes(
    sqlite_desk_client: DeskClient,
) -> None:
    answer = await sqlite_desk_client.delete("/api/v1/tickets")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST"


async def test_what_fails_inside_says_nothing_of_itself(
    sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(sqlite_desk_client.store, "read", broken)
    answer = await sqlite_desk_client.get("/api/v1/tickets")
    assert answer.status == 500
    assert b"42" not in answer.body and b"Traceback" not in answer.body and b"RuntimeError" not in answer.body
    assert answer.headers["X-Request-Id"] in answer.json["detail"]


# --- once ------------------------------------------------------------------------------------------------------------


async def test_the_same_request_under_the_same_key_happens_once(desk_client: DeskClient) -> None:
    asked = {"name": "Abeba"}
    first = await desk_client.post("/api/v1/contacts", asked, headers={"Idempotency-Key": "a-1"})
    again = await desk_client.post("/api/v1/contacts", asked, headers={"Idempotency-Key": "a-1"})
    assert (first.status, first.body) == (again.status, again.body)
    listed = await desk_client.get("/api/v1/contacts")
    assert len(listed.json["items"]) == 1


async def test_a_key_used_for_something_else_is_refused(desk_client: DeskClient) -> None:
    await desk_client.post("/api/v1/contacts", {"name": "Abeba"}, headers={"Idempotency-Key": "a-1"})
    other = await desk_client.post("/api/v1/contacts", {"name": "Bekele"}, headers={"Idempotency-Key": "a-1"})
    assert other.status == 422
    assert other.json["type"] == "/problems/mismatch"
    somebody = await desk_client.post(
        "/api/v1/contacts", {"name": "Chaltu"}, as_="supervisor", headers={"Idempotency-Key": "a-1"}
    )
    assert somebody.status == 201, "keys of different people have nothing to do with one another"


async def test_twenty_of_the_same_at_once_are_done_once(desk_client: DeskClient) -> None:
    asked = [
        desk_client.post("/api/v1/contacts", {"name": "Abeba"}, headers={"Idempotency-Key": "x"}) for _ in range(20)
    ]
    answers = await asyncio.gather(*asked)
    assert {(a.status, a.body) for a in answers} == {(201, answers[0].body)}
    listed = await desk_client.get("/api/v1/contacts")
    assert len(listed.json["items"]) == 1


async def test_what_was_refused_is_not_remembered(desk_client: DeskClient) -> None:
    key = {"Idempotency-Key": "later"}
    asked = {"name": "Abeba", "points": [{"kind": "email", "value": "no address"}]}
    assert (await desk_client.post("/api/v1/contacts", asked, headers=key)).status == 422
    asked["points"] = []
    assert (await desk_client.post("/api/v1/contacts", asked, headers=key)).status == 201


# --- the table -------------------------------------------------------------------------------------------------------


def test_every_command_is_well_formed() -> None:
    names = [command.name for command in COMMANDS]
    assert len(names) == len(set(names))
    assert len({(c.method, c.path) for c in COMMANDS}) == len(COMMANDS)
    for command in COMMANDS:
        assert (command.write is None) != (command.read is None), command.name
        assert (command.read is not None) == (command.method == "GET"), command.name
        config = command.request.__struct_config__
        assert config.forbid_unknown_fields and config.frozen, command.name
        fields = {field.encode_name for field in msgspec.structs.fields(command.request)}
        for part in command.path.split("/"):
            if part.startswith("{"):
                assert part[1:-1] in fields, command.name


def test_answers_can_be_remembered() -> None:
    """An answer that is stored as JSON has to come back as the same type."""
    for command in COMMANDS:
        if command.write is not None:
            msgspec.json.Decoder(command.answer)
            json.dumps(msgspec.json.schema(command.answer))
