"""Files over HTTP: what is uploaded comes out again as it was, to whoever sees its ticket and to nobody else."""

import asyncio
import dataclasses
import hashlib
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import pytest

from hub.clock import MINUTE, ManualClock
from hub.connector import Connector, Features
from hub.db.store import Store
from hub.desk import inboxes, kinds
from hub.desk.files import rows, uploads
from hub.staff import teams
from hub.staff.access import DESK
from hub.web import file_links
from tests.fixtures.desk import Answer, DeskClient, serving

FILES = "/api/v1/files"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c626001000000ffff030000060005" "57bfabd40000000049454e44ae426082"
)  # fmt: skip


async def upload(desk: DeskClient, data: bytes, name: str = "words.txt", **how: Any) -> Answer:
    headers = {"Content-Type": "application/octet-stream"}
    return await desk.request("POST", f"{FILES}?name={name}", raw=data, headers=headers, **how)


async def said(desk: DeskClient, data: bytes, name: str = "words.txt", **how: Any) -> tuple[int, dict[str, Any]]:
    """(the ticket, a file of a note of the agent's in it)."""
    number = await desk.new_ticket()
    file = (await upload(desk, data, name, as_="agent", **how)).json
    answer = await desk.post(f"/api/v1/tickets/{number}/note", {"text": "", "files": [file["id"]]}, as_="agent")
    assert answer.status == 201, answer.body
    return number, file


async def test_what_is_uploaded_comes_out_as_it_was(desk_client: DeskClient) -> None:
    data = b"plain words" * 50_000
    answer = await upload(desk_client, data)
    assert answer.status == 201
    file = answer.json
    assert (file["name"], file["size"], file["content_type"], file["state"]) == (
        "words.txt", len(data), "text/plain", "there"
    )  # fmt: skip
    out = await desk_client.get(f"{FILES}/{file['id']}")
    assert out.status == 200 and out.body == data
    assert out.headers["Content-Disposition"].startswith("attachment;")
    assert out.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert out.headers["X-Content-Type-Options"] == "nosniff"
    assert out.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_an_upload_is_its_owners_until_it_is_sent_and_then_its_tickets(desk_client: DeskClient) -> None:
    file = (await upload(desk_client, b"mine", as_="agent")).json
    assert (await desk_client.get(f"{FILES}/{file['id']}", as_="agent")).status == 200
    for other in ("administrator", "supervisor", "outsider"):
        assert (await desk_client.get(f"{FILES}/{file['id']}", as_=other)).status == 404
    number = await desk_client.new_ticket()
    taken = await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": "", "files": [file["id"]]})
    assert taken.status == 422 and taken.paths == ["files[0]"], "another agent's upload"
    sent = await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": "", "files": [file["id"]]}, as_="agent")
    assert sent.status == 201
    assert (await desk_client.get(f"{FILES}/{file['id']}", as_="supervisor")).status == 200
    assert (await desk_client.get(f"{FILES}/{file['id']}", as_="outsider")).status == 404
    thread = (await desk_client.get(f"/api/v1/tickets/{number}")).json
    assert [one["id"] for one in thread["notes"][0]["files"]] == [file["id"]]
    assert (await desk_client.delete(f"{FILES}/{file['id']}", as_="agent")).status == 404, "it was said"


async def test_an_answer_with_files_alone_is_one(desk_client: DeskClient) -> None:
    number = await desk_client.new_ticket()
    file = (await upload(desk_client, PNG, "picture.png")).json
    answer = await desk_client.post(f"/api/v1/tickets/{number}/reply", {"text": "", "files": [file["id"]]})
    assert answer.status == 201, answer.body
    (message,) = [m for m in (await desk_client.get(f"/api/v1/tickets/{number}")).json["messages"] if m["files"]]
    assert message["text"] == "" and message["files"][0]["kind"] == "image"
    again = await desk_client.post(f"/api/v1/tickets/{number}/reply", {"text": "once more", "files": [file["id"]]})
    assert again.status == 201, "what one sees can be sent once more"
    assert (await desk_client.post(f"/api/v1/tickets/{number}/reply", {"text": "", "files": []})).status == 422


async def test_a_part_of_it_can_be_asked_for(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    file = (await upload(desk, bytes(range(256)))).json
    at = f"{FILES}/{file['id']}"
    part = await desk.get(at, headers={"Range": "bytes=10-19"})
    assert part.status == 206 and part.body == bytes(range(10, 20))
    assert part.headers["Content-Range"] == "bytes 10-19/256"
    assert (await desk.get(at, headers={"Range": "bytes=-4"})).body == bytes(range(252, 256))
    assert (await desk.get(at, headers={"Range": "bytes=900-"})).status == 416
    assert (await desk.get(at, headers={"Range": "bytes=0-0," + ",".join(["1-1"] * 5_00)})).status in (200, 416)
    head = await desk.request("HEAD", at)
    assert head.status == 200 and head.body == b"" and head.headers["Content-Length"] == "256"
    known = await desk.get(at, headers={"If-None-Match": head.headers["ETag"]})
    assert known.status == 304


async def test_a_form_can_carry_it(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    form = aiohttp.FormData()
    form.add_field("note", "nothing")
    form.add_field("file", b"in a form", filename="form.txt", content_type="text/html")
    headers = {"Authorization": f"Bearer {desk.people['agent'].token}"}
    async with desk.http.post(f"{desk.url}{FILES}", data=form, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        file = await answer.json()
    assert (file["name"], file["content_type"], file["size"]) == ("form.txt", "text/plain", 9)


async def test_what_arrives_otherwise_than_it_was_sent_is_refused(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    good = hashlib.sha256(b"as sent").hexdigest()
    headers = {"Content-Type": "application/octet-stream"}
    assert (await desk.request("POST", f"{FILES}?sha256={good}", raw=b"as sent", headers=headers)).status == 201
    wrong = await desk.request("POST", f"{FILES}?sha256={good}", raw=b"altered", headers=headers)
    assert wrong.status == 422 and wrong.paths == ["sha256"]


async def test_what_lay_there_and_is_gone_says_so(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    file = (await upload(desk, b"lost")).json
    path: Path = desk.desk.runner.files.contents.path(hashlib.sha256(b"lost").hexdigest())
    await asyncio.to_thread(path.unlink)
    answer = await desk.get(f"{FILES}/{file['id']}")
    assert answer.status == 410 and "backup" in answer.json["detail"]


async def test_a_caption_is_everybodys_who_sees_it(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    number, file = await said(desk, PNG, "crack.png")
    answer = await desk.patch(f"{FILES}/{file['id']}", {"caption": "The crack below the handle"}, as_="supervisor")
    assert answer.status == 200 and answer.json["caption"] == "The crack below the handle"
    thread = (await desk.get(f"/api/v1/tickets/{number}")).json
    assert thread["notes"][0]["files"][0]["caption"] == "The crack below the handle"


# --- links -----------------------------------------------------------------------------------------------------------


async def test_a_signed_link_opens_one_file_for_one_person_for_a_while(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    _, file = await said(desk, b"for you")
    other = (await upload(desk, b"not this", as_="agent")).json
    agent = f"agent:{desk.people['agent'].id}"
    link = file_links.path(desk.desk, file["id"], agent, "show")
    assert (await desk.get(link, as_=None)).body == b"for you"
    assert (await desk.get(link.replace(file["id"], other["id"]), as_=None)).status == 403
    assert (await desk.get(link.replace("-show-", "-preview-"), as_=None)).status == 403
    desk.clock.advance(6 * MINUTE)
    assert (await desk.get(link, as_=None)).status == 403


async def test_no_byte_of_a_link_can_be_altered(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    _, file = await said(desk, b"for you")
    link = file_links.path(desk.desk, file["id"], f"agent:{desk.people['agent'].id}", "show")
    path, _, key = link.partition("?key=")
    for position, was in enumerate(key):
        for now in {"0", "a", "-"} - {was}:
            altered = key[:position] + now + key[position + 1 :]
            answer = await desk.get(f"{path}?key={altered}", as_=None)
            assert answer.status == 403, altered


async def test_a_link_ends_with_the_right_to_what_it_opens(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    _, file = await said(desk, b"for you")
    agent_id = desk.people["agent"].id
    link = file_links.path(desk.desk, file["id"], f"agent:{agent_id}", "show")
    assert (await desk.get(link, as_=None)).status == 200
    await desk.store.write(teams.remove_member, DESK, desk.team_id, agent_id)
    assert (await desk.get(link, as_=None)).status == 404


async def test_a_browser_is_let_in_by_its_cookie(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    _, file = await said(desk, b"for you")
    cookie = {"Cookie": f"parley={desk.people['agent'].session}"}
    assert (await desk.get(f"/files/{file['id']}", as_=None, headers=cookie)).body == b"for you"
    assert (await desk.get(f"/files/{file['id']}", as_=None)).status == 401
    outsider = {"Cookie": f"parley={desk.people['outsider'].session}"}
    assert (await desk.get(f"/files/{file['id']}", as_=None, headers=outsider)).status == 404


async def test_files_may_have_an_address_of_their_own(sqlite_store: Store, clock: ManualClock, tmp_path: Path) -> None:
    async with serving(sqlite_store, clock, tmp_path, content_url="http://files.example") as desk:
        _, file = await said(desk, b"for you")
        cookie = {"Cookie": f"parley={desk.people['agent'].session}"}
        there = ""
        for path in (f"/files/{file['id']}", f"{FILES}/{file['id']}"):
            sent = await desk.get(path, as_=None, headers=cookie)
            assert sent.status == 302 and sent.body != b"for you"
            there = sent.headers["Location"]
            assert there.startswith("http://files.example/files/")
        link = there.removeprefix("http://files.example")
        assert (await desk.get(link, as_=None)).status == 302, "nor by a link from where people are signed in"
        own = {"Host": "files.example"}
        got = await desk.get(link, as_=None, headers=own)
        assert got.status == 200 and got.body == b"for you"
        assert got.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert (await desk.get("/inbox", as_=None, headers=own | cookie)).status == 421
        assert (await desk.get(f"{FILES}/{file['id']}", headers=own)).status == 421
        assert (await desk.get(f"{FILES}/{file['id']}")).body == b"for you", "a program shows nothing to anybody"
        page = await desk.get("/inbox", as_=None, headers=cookie)
        assert "img-src 'self' data: blob: http://files.example" in page.headers["Content-Security-Policy"]


# --- uploads that are not sent ---------------------------------------------------------------------------------------


async def test_an_upload_that_nobody_sends_goes_after_a_day(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    await upload(desk, b"unsent")
    _, sent = await said(desk, b"sent")
    desk.clock.advance(uploads.KEPT + MINUTE)
    assert await desk.store.write(uploads.sweep) == 1
    assert await desk.store.read(lambda rx: rows.by_token(rx, sent["id"])) is not None


@pytest.mark.parametrize("role", ["agent", "observer"])
async def test_too_many_are_too_many(sqlite_desk_client: DeskClient, role: str) -> None:
    desk = sqlite_desk_client
    number = await desk.new_ticket()
    ids = [(await upload(desk, b"%d" % n, as_=role)).json["id"] for n in range(6)]
    answer = await desk.post(f"/api/v1/tickets/{number}/note", {"text": "", "files": ids}, as_=role)
    assert answer.status == 422 and answer.paths == ["files"] and "5 files" in answer.json["detail"]


async def test_what_a_channel_cannot_carry_is_refused_in_words(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client

    class Pigeons(Connector):
        kind = "pigeons"
        features: ClassVar[Features] = Features(reaches=("email",))

        @dataclasses.dataclass(frozen=True)
        class Settings:
            pass

    kinds.register("pigeons", "Pigeons", lambda: Pigeons)
    inbox = await desk.store.write(inboxes.create, DESK, kind="pigeons", name="Roof", team_id=desk.team_id)
    number = await desk.new_ticket(inbox_id=inbox.id)
    file = (await upload(desk, b"0123456789")).json["id"]
    for features, words in (
        (Features(reaches=("email",)), "only text"),
        (Features(reaches=("email",), files=True, max_file=9), "up to 9 bytes"),
    ):
        Pigeons.features = features
        refused = await desk.post(f"/api/v1/tickets/{number}/reply", {"text": "Here", "files": [file]})
        assert refused.status == 422 and refused.paths == ["files"] and words in refused.json["detail"]
    Pigeons.features = Features(reaches=("email",), files=True, max_file=10)
    assert (await desk.post(f"/api/v1/tickets/{number}/reply", {"text": "Here", "files": [file]})).status == 201
