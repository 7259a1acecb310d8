"""Files of visitors: an upload that was granted on their connection, once; and only what is theirs comes out."""

from typing import Any

import msgspec

from hub.clock import HOUR
from hub.desk import inboxes
from hub.staff.access import DESK
from hub.web import file_links
from tests.fixtures.desk import Answer, DeskClient
from tests.live.client import Client, agent, live_inbox, visitor


async def put(desk: DeskClient, url: str, data: bytes) -> Answer:
    return await desk.request("PUT", url, raw=data, as_=None, headers={"Content-Type": "image/png"})


async def sent(desk: DeskClient, eve: Client, data: bytes = b"words", **more: Any) -> str:
    """Uploaded, and said without words; its token."""
    granted = (await eve.command("upload", name="words.txt", size=len(data)))["answer"]
    assert (await put(desk, granted["url"], data)).status == 200
    said = await eve.command("say", text="", client_id=f"with {granted['file']}"[:60].replace(" ", "-"),
                             files=[granted["file"]], **more)  # fmt: skip
    assert said["type"] == "answer", said
    return str(granted["file"])


async def test_a_file_goes_to_the_agent_and_one_comes_back(desk_client: DeskClient) -> None:
    async with agent(desk_client, "agent") as ann, visitor(desk_client) as eve:
        await ann.until("live")
        await eve.until("live")
        file = await sent(desk_client, eve)
        heard = await ann.event("message.received")
        assert [one["id"] for one in heard["message"]["files"]] == [file]
        assert heard["ticket"]["subject"] == "words.txt", "something without words is called like its file"
        out = await desk_client.get(f"/api/v1/files/{file}", as_="agent")
        assert out.body == b"words" and out.headers["Content-Disposition"].startswith("attachment")
        headers = {"Content-Type": "application/octet-stream"}
        mine = (await desk_client.request("POST", "/api/v1/files?name=a.txt", raw=b"ours", headers=headers)).json
        number = heard["number"]
        await desk_client.post(f"/api/v1/tickets/{number}/reply", {"text": "", "files": [mine["id"]], "anyway": True})
        told = await eve.event("message.sent")
        assert [one["id"] for one in told["message"]["files"]] == [mine["id"]]
        link = (await eve.command("file_link", file=mine["id"], what="download"))["answer"]["url"]
        assert (await desk_client.get(link, as_=None)).body == b"ours"


async def test_a_grant_opens_one_upload_of_the_size_that_was_said(desk_client: DeskClient) -> None:
    async with visitor(desk_client) as eve:
        await eve.until("live")
        granted = (await eve.command("upload", name="a.txt", size=5))["answer"]
        assert (await put(desk_client, granted["url"].replace("-put-", "-show-"), b"words")).status == 403
        assert (await put(desk_client, granted["url"], b"words")).status == 200
        assert (await put(desk_client, granted["url"], b"other")).status == 410, "once"
        small = (await eve.command("upload", name="b.txt", size=3))["answer"]
        assert (await put(desk_client, small["url"], b"words")).status == 413
        said = await eve.command("say", text="", client_id="m1", files=[small["file"]])
        assert said["problem"]["status"] == 422, "what never arrived cannot be sent"
        late = (await eve.command("upload", name="c.txt", size=5))["answer"]
        desk_client.clock.advance(2 * HOUR)
        assert (await put(desk_client, late["url"], b"words")).status == 403


async def test_nobody_elses_file_is_handed_out(desk_client: DeskClient) -> None:
    async with visitor(desk_client) as eve, visitor(desk_client) as mallory:
        await eve.until("live")
        await mallory.until("live")
        file = await sent(desk_client, eve)
        assert (await mallory.command("file_link", file=file))["problem"]["status"] == 404
        stolen = await mallory.command("say", text="Mine", client_id="m", files=[file])
        assert stolen["problem"]["status"] == 422
        link = file_links.path(desk_client.desk, file, "visitor:2", "show")
        assert (await desk_client.get(link, as_=None)).status == 404, "a link of theirs is judged by what they may see"
        number = await desk_client.new_ticket()
        headers = {"Content-Type": "application/octet-stream"}
        ours = (await desk_client.request("POST", "/api/v1/files?name=a.txt", raw=b"ours", headers=headers)).json
        await desk_client.post(f"/api/v1/tickets/{number}/note", {"text": "", "files": [ours["id"]]})
        assert (await eve.command("file_link", file=ours["id"]))["problem"]["status"] == 404


async def test_one_visitor_has_so_much_a_day(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    desk.store.file_limits = msgspec.structs.replace(desk.store.file_limits, visitor=10, visitor_count=3)
    async with visitor(desk) as eve:
        await eve.until("live")
        assert (await eve.command("upload", name="a", size=6))["type"] == "answer"
        assert (await eve.command("upload", name="b", size=6))["problem"]["status"] == 429
        for name in "bc":
            assert (await eve.command("upload", name=name, size=1))["type"] == "answer"
        assert (await eve.command("upload", name="d", size=1))["problem"]["status"] == 429
        assert (await eve.command("upload", name="run.exe", size=1))["problem"]["status"] == 422


async def test_an_inbox_that_takes_no_files_says_so(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    token = await live_inbox(desk)
    inbox = await desk.store.read(inboxes.by_token, token)
    assert inbox is not None
    async with visitor(desk) as eve:
        assert (await eve.until("snapshot"))["state"]["files"] is True
        await desk.store.write(inboxes.change, DESK, inbox.id, settings={"files": False})
        assert (await eve.command("upload", name="a.txt", size=5))["problem"]["status"] == 403
        assert (await eve.command("state"))["answer"]["files"] is False
