"""An agent's live connection: coming in, being told, doing something, being sent away."""

from tests.fixtures.desk import DeskClient
from tests.live.client import agent


async def test_a_client_without_a_cursor_gets_a_snapshot_and_then_what_happens(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket("The kettle leaks.")
    async with agent(desk_client, "agent") as client:
        live = await client.until("live")
        kinds = [told["type"] for told in client.frames]
        assert kinds[:3] == ["welcome", "snapshot", "live"]
        welcome, snapshot = client.frames[:2]
        assert welcome["me"]["agent"]["name"] == "Agent"
        assert snapshot["cursor"] == live["cursor"]
        assert [t["number"] for t in snapshot["state"]["tickets"]] == [number]
        assert snapshot["state"]["tickets"][0]["last_text"] == "The kettle leaks."
        await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": "Call them."})
        told = await client.event("note.written")
        assert told["note"]["text"] == "Call them."
        assert told["ticket"]["number"] == number
        assert told["id"] > live["cursor"]
