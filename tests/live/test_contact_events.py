"""What an open contact panel holds, with the events that came, is what it would get anew: for every command on
contacts, their notes and fields of one's own; and nothing of it goes to whoever does not see the contact."""

import asyncio
from typing import Any

import pytest

from hub.commands import COMMANDS
from hub.live import stream
from tests.fixtures.desk import DeskClient
from tests.live.client import Client, agent

CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("change_contact", {"name": "Abeba T.", "title": "Buyer", "company": "Nile", "language": "am"}),
    ("change_contact", {"owner_id": "me", "next_contact_at": 1_900_000_000_000}),
    ("change_contact", {"fields": {"plan": "gold"}}),
    ("change_contact", {"owner_id": None, "next_contact_at": None, "fields": {"plan": None}}),
    ("change_contact", {"blocked": True}),
    ("change_contact", {"blocked": False}),
    ("add_contact_point", {"kind": "phone", "value": "+251911234567"}),
    (
        "record_consent",
        {"point_id": "point", "purpose": "marketing", "given": True, "wording": "News?", "how": "phone"},
    ),
    ("tag_contact", {"tag": "VIP"}),
    ("untag_contact", {"tag": "VIP"}),
    ("note_contact", {"text": "Rings before noon."}),
    ("note_contact", {"text": "Likes tea."}),
    ("change_contact_note", {"contact_note_id": "note", "text": "Rings in the evening."}),
    ("delete_contact_note", {"contact_note_id": "note"}),
    ("create_field", {"key": "city", "label": "City", "type": "text"}),
    ("change_field", {"own_field_id": "field", "label": "Town"}),
    ("remove_field", {"own_field_id": "field"}),
]
# About a ticket, or they make or unmake what is told by the tests of those.
ELSEWHERE = {
    "write_to_contact", "create_contact", "remove_contact_point", "block_contact", "unblock_contact", "restore_blocked",
}  # fmt: skip


def test_every_command_on_contacts_is_tried() -> None:
    there = {c.name for c in COMMANDS if c.noun in ("contacts", "fields") and c.write is not None}
    assert there - ELSEWHERE == {name for name, _ in CHANGES}


def applied(held: dict[str, Any], told: list[dict[str, Any]], contact_id: int) -> dict[str, Any]:
    """As a panel keeps itself: the row that an event carries takes the place of the one before."""
    row, notes, fields = held["row"], dict(held["notes"]), dict(held["fields"])
    for frame in told:
        if frame.get("contact_id") == contact_id:
            row = frame["contact"]
            if "contact_note_id" in frame:
                notes.pop(frame["contact_note_id"], None)
                if frame.get("contact_note"):
                    notes[frame["contact_note_id"]] = frame["contact_note"]
        if "own_field_id" in frame:
            fields.pop(frame["own_field_id"], None)
            if frame.get("own_field"):
                fields[frame["own_field_id"]] = frame["own_field"]
    return {"row": row, "notes": notes, "fields": fields}


async def fresh(client: Client, contact_id: int) -> dict[str, Any]:
    rows = (await client.command("list_contacts"))["answer"]["items"]
    notes = await client.command("list_contact_notes", contact_id=contact_id)
    fields = (await client.command("list_fields"))["answer"]["items"]
    return {
        "row": next((row for row in rows if row["id"] == contact_id), None),
        "notes": {note["id"]: note for note in notes["answer"]["items"]} if "answer" in notes else {},
        "fields": {field["id"]: field for field in fields},
    }


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def this_desk(request: pytest.FixtureRequest) -> DeskClient:
    found: DeskClient = request.getfixturevalue(f"{request.param}_desk_client")
    return found


async def test_a_panel_that_hears_events_stays_as_it_would_be_fetched(this_desk: DeskClient) -> None:
    desk = this_desk
    await desk.post("/api/v1/fields", {"key": "plan", "label": "Plan", "type": "choice", "choices": ["gold", "tin"]})
    contact_id = await desk.new_contact()
    await desk.new_ticket(contact_id=contact_id)
    point = (await desk.get(f"/api/v1/contacts/{contact_id}")).json["points"][0]["id"]
    async with agent(desk) as admin, agent(desk, "agent") as watching, agent(desk, "outsider") as outside:
        for client in (admin, watching, outside):
            await client.until("live")
        held, since = await fresh(watching, contact_id), len(watching.frames)
        for name, given in CHANGES:
            filled: dict[str, Any] = {"me": desk.people["administrator"].id, "point": point}
            filled |= {"note": max(held["notes"], default=0), "field": max(held["fields"], default=0)}
            sent: dict[str, Any] = {k: filled.get(v, v) if isinstance(v, str) else v for k, v in given.items()}
            if not {"own_field_id", "contact_note_id"} & {*sent} and name != "create_field":
                sent["contact_id"] = contact_id
            done = await admin.command(name, **sent)
            assert done["type"] == "answer", done
            last = await desk.store.read(stream.last_event)
            await desk.desk.stream.reached(last)
            while desk.desk.live.done < last:
                await asyncio.sleep(0.002)
            await watching.command("read_me")
            told = [frame for frame in watching.frames[since:] if frame["type"] == "event"]
            now = await fresh(watching, contact_id)
            assert now != held or name in ("record_consent", "add_contact_point"), name
            assert applied(held, told, contact_id) == now, (name, told)
            held, since = now, len(watching.frames)
        await outside.command("read_me")
        assert [t["name"] for t in outside.events if t["name"].startswith(("contact", "consent"))] == []
        assert {t["name"] for t in outside.events} >= {"own_field.created", "own_field.changed", "own_field.removed"}
