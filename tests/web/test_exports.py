"""Tickets and contacts as CSV over HTTP: what is in it, for whom, and what happens while it is written."""

import asyncio
import csv
import io
import re
from pathlib import Path

import aiohttp
import pytest

from hub.clock import ManualClock
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import exports, inboxes, incoming, sheet
from hub.events import SYSTEM, AccessChanged
from hub.people import contacts
from hub.staff import agents, roles, teams
from hub.staff.access import DESK
from hub.web import exports as door
from tests.authz.world import session
from tests.fixtures.desk import Answer, DeskClient, serving

BAD = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://e?"&A1)', "=cmd|'/C calc'!A0", "＝1", 'a,"b"\n;c\tđ']


def rows(answer: Answer, delimiter: str = ",") -> list[dict[str, str]]:
    assert answer.status == 200, answer.body
    text = answer.body.decode("utf-8")
    assert text.startswith(sheet.MARK)
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), delimiter=delimiter, strict=True))


async def many(desk: DeskClient, count: int, name: str = "Contact {}") -> list[int]:
    """Contacts with a ticket each."""

    def some(tx: Tx, start: int, stop: int) -> list[int]:
        found = []
        for n in range(start, stop):
            contact_id = contacts.create(
                tx, SYSTEM, name=name.format(n), points_=[], company=None, language=None, country=None
            )
            incoming.write_down(
                tx, DESK, inbox_id=desk.inbox.id, contact_id=contact_id, text=f"Ticket {n}", subject=None,
                priority="normal", external_id=f"{name}{n}",
            )  # fmt: skip
            found.append(contact_id)
        return found

    found: list[int] = []
    for start in range(0, count, 50):
        found += await desk.store.write(some, start, min(start + 50, count))
    return found


async def test_a_contact_is_a_row_with_everything_that_is_known(desk_client: DeskClient) -> None:
    for field in (
        {"key": "plan", "label": "Plan", "type": "text"},
        {"key": "seats", "label": "Seats", "type": "number"},
    ):
        await desk_client.post("/api/v1/fields", field)
    given = {
        "name": "Abeba", "title": "Buyer", "company": "Nile", "language": "am", "owner_id": 1,
        "next_contact_at": 1_800_000_000_000, "fields": {"plan": "gold", "seats": 12},
        "points": [{"kind": "email", "value": "a@example.org"}, {"kind": "email", "value": "b@example.org"},
                   {"kind": "phone", "value": "+251911234567"}],
    }  # fmt: skip
    made = (await desk_client.post("/api/v1/contacts", given)).json
    await desk_client.post(f"/api/v1/contacts/{made['id']}/tag", {"tag": "VIP"})
    for purpose, said in (("marketing", True), ("survey", True), ("survey", False)):
        consent = {"purpose": purpose, "given": said, "wording": "May we?", "how": "phone"}
        await desk_client.post(f"/api/v1/contacts/{made['id']}/points/{made['points'][0]['id']}/consents", consent)
    answer = await desk_client.get("/api/v1/contacts.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert re.fullmatch(r'attachment; filename="contacts-\d{4}-\d\d-\d\d\.csv"', answer.headers["Content-Disposition"])
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Content-Type-Options"] == "nosniff"
    (row,) = rows(answer)
    assert row | {
        "name": "Abeba", "title": "Buyer", "company": "Nile", "language": "am", "owner": "Administrator",
        "email": "a@example.org; b@example.org", "phone": "'+251 91 123 4567", "tags": "VIP", "blocked": "false",
        "next_contact": "2027-01-15T08:00:00Z", "allowed": "marketing", "refused": "survey", "plan": "gold",
        "seats": "12",
    } == row  # fmt: skip


async def test_a_ticket_is_a_row_with_names_instead_of_ids(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket("The kettle leaks.")
    await desk_client.post(f"/api/v1/tickets/{number}/assign", {"agent_id": desk_client.people["agent"].id})
    await desk_client.post(f"/api/v1/tickets/{number}/tag", {"tag": "warranty"})
    answer = await desk_client.get("/api/v1/tickets.csv?separator=semicolon&status=open")
    (row,) = rows(answer, ";")
    assert row | {
        "number": str(number), "subject": "The kettle leaks.", "status": "open", "contact": "Abeba", "inbox": "Website",
        "team": "Front desk", "assignee": "Agent", "tags": "warranty", "resolved": "", "spam": "false",
    } == row  # fmt: skip
    assert rows(await desk_client.get("/api/v1/tickets.csv?status=resolved")) == []


async def test_no_cell_is_calculated_whoever_wrote_it(sqlite_desk_client: DeskClient) -> None:
    for name in BAD:
        contact_id = (await sqlite_desk_client.post("/api/v1/contacts", {"name": name, "company": name})).json["id"]
        await sqlite_desk_client.new_ticket(name, contact_id=contact_id, subject=name)
        await sqlite_desk_client.post(f"/api/v1/contacts/{contact_id}/tag", {"tag": name})
    for what in ("contacts", "tickets"):
        found = rows(await sqlite_desk_client.get(f"/api/v1/{what}.csv"))
        assert len(found) == len(BAD)
        for row in found:
            assert not [cell for cell in row.values() if cell.lstrip()[:1] in set("=+-@\t＝")]


async def test_filters_are_those_of_the_lists_and_wrong_ones_are_refused_before_anything_is_sent(
    desk_client: DeskClient,
) -> None:
    await many(desk_client, 3)
    assert [r["name"] for r in rows(await desk_client.get("/api/v1/contacts.csv?q=contact+1"))] == ["Contact 1"]
    assert rows(await desk_client.get("/api/v1/contacts.csv?tag=none")) == []
    for path, field in (
        ("contacts.csv?field=nothing:1", "field.0"),
        ("contacts.csv?separator=,", "separator"),
        ("contacts.csv?limit=5", "limit"),
        ("contacts.csv?zone=Mars&next_contact=today", "zone"),
        ("tickets.csv?status=done", "status[0]"),
        ("tickets.csv?sort=newest", "sort"),
    ):
        answer = await desk_client.get(f"/api/v1/{path}")
        assert (answer.status, answer.paths) == (422, [field]), path
        assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_every_row_is_there_once_however_many_slices_it_takes(desk_client: DeskClient) -> None:
    made = await many(desk_client, exports.SLICE * 2)
    for what, column in (("contacts", "id"), ("tickets", "contact_id")):
        found = rows(await desk_client.get(f"/api/v1/{what}.csv"))
        assert [int(row[column]) for row in found] == made
    last = rows(await desk_client.get(f"/api/v1/contacts.csv?q={exports.SLICE * 2 - 1}"))
    assert [row["name"] for row in last] == [f"Contact {exports.SLICE * 2 - 1}"]


def taking_out(tx: Tx, team_id: int) -> int:
    """Somebody who sees one inbox and may take out what they see."""
    permissions = ("tickets.read", "contacts.read", "tickets.export", "contacts.export", "tokens.manage")
    role_id = roles.create(tx, DESK, name="Taker", permissions=permissions, sees="inboxes")
    agent_id = agents.create(tx, DESK, email="taker@desk.example", name="Taker", role_id=role_id)
    teams.add_member(tx, DESK, team_id, agent_id)
    return agent_id


async def test_who_sees_one_inbox_takes_out_what_is_in_it(desk_client: DeskClient) -> None:
    seen = await many(desk_client, 2)

    def elsewhere(tx: Tx) -> int:
        back = inboxes.create(tx, DESK, kind="form", name="Back door")
        contact_id = contacts.create(tx, SYSTEM, name="Hid", points_=[], company=None, language=None, country=None)
        incoming.write_down(
            tx,
            DESK,
            inbox_id=back.id,
            contact_id=contact_id,
            text="x",
            subject=None,
            priority="normal",
            external_id="h",
        )
        return taking_out(tx, desk_client.team_id)

    headers = await desk_client.store.write(session, await desk_client.store.write(elsewhere))
    for what, column in (("contacts", "id"), ("tickets", "contact_id")):
        found = rows(await desk_client.get(f"/api/v1/{what}.csv", as_=None, headers=headers))
        assert [int(row[column]) for row in found] == seen
        assert (await desk_client.get(f"/api/v1/{what}.csv", as_="agent")).status == 403
        assert (await desk_client.get(f"/api/v1/{what}.csv", as_=None)).status == 401
    assert len(rows(await desk_client.get("/api/v1/contacts.csv"))) == 3


async def test_that_somebody_took_a_copy_stands_in_the_record(desk_client: DeskClient) -> None:
    await desk_client.get("/api/v1/contacts.csv", as_="supervisor")
    found = await desk_client.store.read(
        lambda rx: rx.rows("SELECT by_id, payload FROM event WHERE name = 'desk.exported'")
    )
    assert found == [(desk_client.people["supervisor"].id, '{"what":"contacts"}')]


async def test_head_tells_what_would_come_and_takes_nothing(sqlite_desk_client: DeskClient) -> None:
    await many(sqlite_desk_client, 1)
    answer = await sqlite_desk_client.request("HEAD", "/api/v1/tickets.csv")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert (
        await sqlite_desk_client.store.read(
            lambda rx: rx.value("SELECT COUNT(*) FROM event WHERE name = 'desk.exported'")
        )
        == 0
    )


class Slow:
    """An export that is read by hand, so that things can happen in its middle."""

    def __init__(self, desk: DeskClient, answer: aiohttp.ClientResponse) -> None:
        self.desk, self.answer, self.body = desk, answer, b""

    async def some(self) -> None:
        self.body += await self.answer.content.readany()

    async def rest(self) -> None:
        self.body += await self.answer.content.read()


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "SLICE", 1)
    monkeypatch.setattr(door, "REST", 0.02)


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("how", ["disabled", "role", "revoked"])
async def test_who_loses_their_rights_gets_no_more_and_no_proper_end(sqlite_desk_client: DeskClient, how: str) -> None:
    desk = sqlite_desk_client
    await many(desk, 60)
    headers = {"Authorization": f"Bearer {desk.people['supervisor'].token}"}
    async with desk.http.get(f"{desk.url}/api/v1/contacts.csv", headers=headers) as answer:
        slow = Slow(desk, answer)
        await slow.some()

        def lose(tx: Tx) -> None:
            supervisor = desk.people["supervisor"].id
            if how == "disabled":
                agents.disable(tx, DESK, supervisor)
            elif how == "role":
                agents.change(tx, DESK, supervisor, role_id=roles.named(tx, "agent").id)
            else:
                tx.run("UPDATE api_token SET revoked_at = :now WHERE agent_id = :id", now=tx.now, id=supervisor)
                tx.record(AccessChanged(), by=SYSTEM)

        await desk.store.write(lose)
        with pytest.raises(aiohttp.ClientError):
            await slow.rest()
        assert slow.body.count(b"\r\n") < 60


@pytest.mark.usefixtures("small_slices")
async def test_a_desk_that_stops_waits_for_no_export(sqlite_store: Store, clock: ManualClock, tmp_path: Path) -> None:
    """Its test would wait a second for what is being answered."""
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as http:
        async with serving(sqlite_store, clock, tmp_path) as desk:
            await many(desk, 300)
            headers = {"Authorization": f"Bearer {desk.people['administrator'].token}"}
            answer = await http.get(f"{desk.url}/api/v1/contacts.csv", headers=headers)
            await answer.content.readany()
            began = loop.time()
        assert loop.time() - began < 0.9
        with pytest.raises(aiohttp.ClientError):
            await answer.content.read()
        answer.close()


@pytest.mark.usefixtures("small_slices")
async def test_who_is_erased_meanwhile_is_not_in_what_comes_after(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    ids = [(await desk.post("/api/v1/contacts", {"name": f"Contact {n}"})).json["id"] for n in range(40)]
    headers = {"Authorization": f"Bearer {desk.people['administrator'].token}"}
    async with desk.http.get(f"{desk.url}/api/v1/contacts.csv", headers=headers) as answer:
        slow = Slow(desk, answer)
        await slow.some()

        def erase(tx: Tx) -> None:
            tx.run("DELETE FROM contact_word WHERE contact_id = :id", id=ids[-1])
            tx.run("DELETE FROM contact WHERE id = :id", id=ids[-1])
            contacts.change(tx, SYSTEM, ids[-2], name="Renamed")

        await desk.store.write(erase)
        await slow.rest()
    names = [line.split(",")[1] for line in slow.body.decode().splitlines()[1:]]
    assert names[-2:] == ['"Contact 37"', '"Renamed"'] and len(names) == 39


@pytest.mark.usefixtures("small_slices")
async def test_one_agent_has_two_at_once_and_no_more(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    await many(desk, 30)
    tries = await asyncio.gather(*(desk.get("/api/v1/tickets.csv") for _ in range(3)))
    assert sorted(answer.status for answer in tries) == [200, 200, 429]
    refused = next(answer for answer in tries if answer.status == 429)
    assert int(refused.headers["Retry-After"]) > 0
    assert (await desk.get("/api/v1/tickets.csv")).status == 200, "and those that ended make room"
