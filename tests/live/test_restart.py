"""A desk that is restarted under its clients: they are told when to come back, and miss nothing."""

import contextlib
import http.client
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.app.process import Desk, well
from tests.fixtures.databases import fast_folder

EMAIL, PASSWORD = "bo@example.org", "a long sentence to sign in with"


@pytest.fixture
def data() -> Iterator[Path]:
    folder = fast_folder()
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


class Agent:
    """An administrator by a program's token."""

    def __init__(self, desk: Desk) -> None:
        well(
            desk.data,
            *("agent", "create", "--name", "Bo", "--email", EMAIL, "--role", "administrator", "--password-stdin"),
            stdin=PASSWORD + "\n",
        )
        asked = json.dumps({"email": EMAIL, "password": PASSWORD})
        connection = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=20)
        connection.request("POST", "/api/v1/session", asked, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        assert answer.status == 200
        connection.close()
        wanted = json.dumps({"name": "test", "scopes": ["tickets:read", "tickets:write", "contacts:write"]})
        headers = {"Content-Type": "application/json", "Cookie": cookie, "X-Parley-CSRF": "1"}
        status, text = desk.ask("POST", "/api/v1/tokens", wanted, **headers)
        assert status == 201, text
        self.headers = {"Authorization": f"Bearer {json.loads(text)['secret']}", "Content-Type": "application/json"}

    def asks(self, desk: Desk, path: str, body: Any) -> Any:
        status, text = desk.ask("POST", f"/api/v1{path}", json.dumps(body), **self.headers)
        assert status in (200, 201), text
        return json.loads(text)

    @contextlib.contextmanager
    def live(self, desk: Desk, cursor: int | None = None) -> Iterator[ClientConnection]:
        ticket = self.asks(desk, "/live/tickets", {})["ticket"]
        with connect(f"ws://127.0.0.1:{desk.port}/live", max_size=None) as socket:
            socket.send(json.dumps({"type": "hello", "ticket": ticket, "cursor": cursor}))
            yield socket


def until_live(socket: ClientConnection) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["type"] != "live":
        frames.append(json.loads(socket.recv(timeout=10)))
    return frames


@pytest.mark.may_block("it drives processes")
def test_clients_of_a_desk_that_is_restarted_miss_nothing(data: Path) -> None:
    with Desk(data) as desk:
        agent = Agent(desk)
        contact = agent.asks(desk, "/contacts", {"name": "Abeba"})
        opened = {"contact_id": contact["id"], "inbox_id": 1, "text": "The kettle leaks."}
        number = agent.asks(desk, "/tickets", opened)["number"]
        with agent.live(desk) as socket:
            cursor = until_live(socket)[-1]["cursor"]
            agent.asks(desk, f"/tickets/{number}/note", {"text": "Before."})
            assert json.loads(socket.recv(timeout=10))["note"]["text"] == "Before."
            desk.process.terminate()
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=10)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
            assert "random" in closed.value.rcvd.reason
            assert desk.process.wait(20) == 0
    with Desk(data) as desk:
        agent.asks(desk, f"/tickets/{number}/note", {"text": "After."})
        with agent.live(desk, cursor) as socket:
            frames = until_live(socket)
            notes = [told["note"]["text"] for told in frames if told.get("name") == "note.written"]
            assert notes == ["Before.", "After."]
        assert desk.stop() == 0
