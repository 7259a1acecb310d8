"""What a virus scanner says of a file, asked over a real socket: what it finds is not kept, and silence is no good
word."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.clock import ManualClock
from hub.connector import Raw
from hub.db.store import Store
from hub.desk.files import uploads
from hub.web import file_links
from hub.work import inbound, scanning
from tests.fixtures.desk import DeskClient, serving
from tests.providers.clamd import EICAR, Clamd, clamd
from tests.work.desk import build
from tests.work.test_files import lying_there, settled, trunks

FILES = "/api/v1/files?name=a.txt"
HEADERS = {"Content-Type": "application/octet-stream"}


@pytest_asyncio.fixture
async def scanner(tmp_path: Path) -> AsyncIterator[Clamd]:
    async with clamd(tmp_path / "clamd.sock") as found:
        yield found


@pytest_asyncio.fixture
async def desk(sqlite_store: Store, clock: ManualClock, tmp_path: Path, scanner: Clamd) -> AsyncIterator[DeskClient]:
    async with serving(sqlite_store, clock, tmp_path / "data", clamd=str(tmp_path / "clamd.sock")) as client:
        yield client


async def test_what_is_found_is_not_kept(desk: DeskClient, scanner: Clamd) -> None:
    good = await desk.request("POST", FILES, raw=b"words", headers=HEADERS)
    assert good.status == 201 and good.json["warning"] is None
    bad = await desk.request("POST", FILES, raw=b"before " + EICAR, headers=HEADERS)
    assert bad.status == 422 and "Eicar-Test-Signature" in bad.json["detail"]
    assert scanner.looked == [5, 75]
    assert len(await asyncio.to_thread(lambda: list(desk.desk.runner.files.contents.all()))) == 1


@pytest.mark.parametrize("trouble", ["silent", "break", "limit", "away"])
async def test_what_nobody_looked_at_says_so_and_no_visitor_sends_it(
    desk: DeskClient, scanner: Clamd, trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "SECONDS", 0.3)
    if trouble == "away":
        await asyncio.to_thread((tmp_path / "clamd.sock").unlink)
    else:
        scanner.does = trouble  # type: ignore[assignment]
    ours = await desk.request("POST", FILES, raw=b"words", headers=HEADERS)
    assert ours.status == 201 and ours.json["warning"] == "unscanned"
    row = await desk.store.write(lambda tx: uploads.grant(tx, 1, "a.txt", 5, voice=False, seconds=None))
    url = file_links.path(desk.desk, row.token, "visitor:1", "put")
    theirs = await desk.request("PUT", url, raw=b"words", as_=None, headers=HEADERS)
    assert theirs.status == 409 and "viruses" in theirs.json["detail"]


async def test_what_came_with_a_message_fails_with_its_reason(store: Store, tmp_path: Path, scanner: Clamd) -> None:
    made = await build(store, clamd=str(tmp_path / "clamd.sock"))
    async with made.runner:
        inbox = await trunks(made)
        await inbound.webhook(made.runner, inbox.token, Raw(body=EICAR + b"\ngood"))
        bad, good = await settled(made)
        assert bad.state == "failed" and "Eicar-Test-Signature" in (bad.reason or "")
        assert good.state == "there" and good.warning is None
        assert len(await lying_there(made)) == 1
