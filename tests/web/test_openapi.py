"""The document and the routes say the same; what an answer may be is written down."""

import re
from typing import Any

import msgspec
import pytest

from hub.commands import COMMANDS
from hub.web import openapi, routes, settings
from tests.fixtures.desk import DeskClient

# Reviewed: for people, providers and machines, not for programs of others.
NOT_THE_API = {
    "GET /m/{id}/body",
    "GET /m/{id}/original",
    "GET /m/{id}/picture",
    "GET /",
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-in/code",
    "POST /sign-in/two-factor",
    "POST /sign-out",
    "GET /inbox",
    "GET /inbox/{number}",
    "GET /queue",
    "GET /contacts",
    "GET /contacts/{id}",
    "GET /preferences",
    "GET /board",
    "GET /day",
    *(f"{method} {path}" for method, path, _ in settings.PAGES),
    "GET /forgot",
    "POST /forgot",
    "GET /address/{secret}",
    "POST /address/{secret}",
    "GET /demo",
    "GET /healthz",
    "GET /metrics",
    "GET /problems/{kind}",
    "GET /setup/{secret}",
    "POST /setup/{secret}",
    "GET /welcome",
    "GET /welcome/state",
    "POST /welcome/token",
    "POST /welcome/sample",
    "POST /welcome/dismiss",
    "GET /welcome/{step}",
    "POST /welcome/{step}",
    "GET /join/{secret}",
    "POST /join/{secret}",
    "GET /static/{version}/{name}",
    "GET /f/{token}",
    "POST /f/{token}",
    "GET /f/{token}/{path}",
    "POST /f/{token}/{path}",
    "GET /w/{token}.js",
    "GET /w/{token}/frame",
    "GET /w/{token}/state",
    "OPTIONS /w/{token}/state",
    "POST /preview",
    "GET /preview/{look}",
    "GET /preview/{look}/w.js",
    "GET /preview/{look}/w/frame",
    "GET /files/{id}",
    "PUT /files/{id}",
    "POST /in/{token}",
    "GET /live",
    "POST /live/poll",
    "POST /live/poll/{id}",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(openapi.describe(COMMANDS)))
    return found


async def test_every_route_is_in_the_document_or_on_the_list(
    sqlite_desk_client: DeskClient, document: dict[str, Any]
) -> None:
    answer = await sqlite_desk_client.get("/api/openapi.json", as_=None)
    assert answer.status == 200
    assert answer.json == document
    described = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    # What is really mounted, as aiohttp knows it, not what the table says.
    mounted = {
        f"{route.method} {route.resource.canonical}"
        for resource in routes.application(sqlite_desk_client.desk).router.resources()
        for route in resource
        if route.method != "HEAD" and route.resource is not None
    }
    assert mounted - described == NOT_THE_API
    assert described - mounted == set()


def test_every_command_is_an_operation(document: dict[str, Any]) -> None:
    operations = [op for item in document["paths"].values() for op in item.values()]
    names = [op["operationId"] for op in operations]
    assert len(names) == len(set(names))
    assert {command.name for command in COMMANDS} <= set(names)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def look(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                at: Any = document
                for part in node["$ref"].removeprefix("#/").split("/"):
                    at = at[part]
            for inner in node.values():
                look(inner)
        elif isinstance(node, list):
            for inner in node:
                look(inner)

    look(document)


def test_every_answer_that_can_occur_is_written_down(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            answers = set(operation["responses"])
            assert {"400", "421", "429", "500", "503"} <= answers, (method, path)
            if path.startswith("/api/v1/") and operation.get("security") != []:
                assert {"401", "403"} <= answers, (method, path)
            if "requestBody" in operation:
                assert {"408", "413", "415", "422"} <= answers, (method, path)
            for status, answer in operation["responses"].items():
                if status >= "400":
                    assert answer == {"$ref": f"#/components/responses/{status}"}


def test_what_stands_in_a_path_is_a_parameter_and_not_in_the_body(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        named = set(re.findall(r"{(\w+)}", path))
        for operation in item.values():
            in_path = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert in_path == named
            for content in operation.get("requestBody", {}).get("content", {}).values():
                assert not named & set(content["schema"].get("properties", ()))
