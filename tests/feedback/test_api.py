"""Feedback through REST."""

from tests.fixtures.desk import DeskClient


async def test_feedback_is_written_read_judged_and_listed_by_ticket(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket()
    said = {"kind": "complaint", "ticket": number, "text": "It leaks.", "severity": "high", "wanted": "a new one"}
    made = await desk_client.post("/api/v1/feedback", said, as_="agent")
    assert made.status == 201, made.body
    assert made.json["ticket"] == number and made.json["door"] == "api"
    feedback_id = made.json["id"]
    changed = await desk_client.patch(
        f"/api/v1/feedback/{feedback_id}", {"cause": "seal", "severity": None}, as_="agent"
    )
    assert (changed.status, changed.json["cause"], changed.json["severity"]) == (200, "seal", None)
    assert changed.json["text"] == "It leaks."
    listed = await desk_client.get(f"/api/v1/feedback?ticket={number}&kind=complaint", as_="agent")
    assert [item["id"] for item in listed.json["items"]] == [feedback_id]
    assert (await desk_client.get("/api/v1/feedback?ticket=999999", as_="agent")).json["items"] == []
    assert (await desk_client.get(f"/api/v1/feedback/{feedback_id}", as_="outsider")).status == 404
    wrong = await desk_client.post("/api/v1/feedback", {"kind": "rating"}, as_="agent")
    assert (wrong.status, wrong.paths) == (422, ["score"])
    assert (await desk_client.patch(f"/api/v1/feedback/{feedback_id}", {"text": "x"}, as_="agent")).status == 422
