"""The commands of visitors: few, typed, and none of an agent's."""

from typing import Any

import msgspec
import pytest

from hub import commands
from hub.commands.visitors import BY_NAME
from hub.errors import Refusal
from tests.fixtures.visits import Browser, Hall


async def ask(browser: Browser, command_: str, /, **request: Any) -> Any:
    """As a door does: typed, then in a unit; the answer as JSON."""
    command = BY_NAME[command_]
    typed = msgspec.convert(request, command.request)
    store = browser.hall.store
    if command.read is not None:
        answer = await store.read(command.read, browser.visitor, typed)  # type: ignore[arg-type]
    else:
        assert command.write is not None
        answer = await store.write(command.write, browser.visitor, typed)  # type: ignore[arg-type]
    assert isinstance(answer, command.answer)
    return msgspec.json.decode(msgspec.json.encode(answer))


async def test_a_chat_from_its_beginning_to_being_forgotten(hall: Hall) -> None:
    browser = await hall.browser()
    assert (await ask(browser, "state"))["messages"] == []
    await ask(browser, "page_view", page="https://shop.example/kettles", title="Kettles")
    left = await ask(browser, "leave_details", name="Abeba", email="abeba@example.net")
    assert left["state"]["name"] == "Abeba"
    said = await ask(browser, "say", text="hello", client_id="01J", details={"phone": "+251911234567"})
    assert (said["number"], said["duplicate"]) == (1001, False)
    answered = await hall.answers(1001, "good day")
    await ask(browser, "read", message_id=answered)
    identified = await ask(browser, "identify", jwt=hall.signed(hall.inbox, "customer-1"))
    assert identified["visitor"] is None and identified["state"]["verified"]
    assert (await ask(browser, "end"))["state"]["ticket"]["status"] == "resolved"
    assert (await ask(browser, "rate", score=4, text="fine"))["score"] == 4
    assert (await ask(browser, "start_anew"))["state"]["ticket"] is None
    assert len((await ask(browser, "state"))["messages"]) == 2
    other = await ask(browser, "identify", jwt=hall.signed(hall.inbox, "customer-2"))
    assert len(other["visitor"]) == 22 and other["state"]["messages"] == []
    again = await hall.browser(token=other["visitor"])
    await ask(again, "forget")
    with pytest.raises(Refusal):
        await ask(again, "state")


async def test_pages_of_messages_go_back_to_the_first(hall: Hall) -> None:
    browser = await hall.browser()
    for number in range(120):
        await browser.says(f"{number}")
    found: list[str] = []
    before = None
    while True:
        page = await ask(browser, "state", before=before)
        found = [m["text"] for m in page["messages"]] + found
        if not page["older"]:
            break
        before = page["messages"][0]["id"]
    assert found == [str(number) for number in range(120)]


def test_nothing_of_an_agent_is_among_them() -> None:
    assert set(BY_NAME) & set(commands.BY_NAME) == set()
    assert set(BY_NAME) == {
        *("say", "read", "end", "start_anew", "rate"),
        *("identify", "leave_details", "page_view", "forget", "state"),
        *("upload", "file_link", "mail_me", "confirm_address"),
    }


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("say", {"text": "x", "client_id": "1", "author": "agent"}),
        ("say", {"text": "x", "client_id": "1", "number": 1001}),
        ("say", {"text": "x", "client_id": 1}),
        ("say", {"text": ["x"], "client_id": "1"}),
        ("say", {"text": "x"}),
        ("say", {"text": "x", "client_id": "1", "details": {"admin": True}}),
        ("read", {"message_id": "1"}),
        ("read", {"message_id": 0}),
        ("read", {"message_id": 2**63}),
        ("read", {"message_id": 1.5}),
        ("rate", {"score": 6}),
        ("rate", {"score": True}),
        ("rate", {"score": "5"}),
        ("identify", {"jwt": ["x"]}),
        ("identify", {"user_id": "customer-1"}),
        ("leave_details", {"name": "x" * 501}),
        ("leave_details", {"attributes": {"a": {"b": 1}}}),
        ("page_view", {"page": "https://x/" + "y" * 20_000}),
        ("end", {"number": 1001}),
        ("state", {"before": -1}),
    ],
)
def test_requests_that_are_none_are_refused_at_the_door(name: str, request_: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(request_, BY_NAME[name].request)
