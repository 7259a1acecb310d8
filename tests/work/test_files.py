"""Files that a message only names: a job asks the connector for them, and what comes lies in the folder."""

import asyncio
import dataclasses
import hashlib
import os
from collections import deque
from typing import Any, ClassVar

import msgspec
import pytest

from hub.clock import DAY
from hub.connector import Connector, Features, File, Message, Outgoing, Point, Raw, Rejected, Retry, Sender, Sink
from hub.desk import inboxes, kinds
from hub.desk.files import ageing, rows
from hub.desk.files.rows import FileShown
from hub.desk.inboxes import Inbox
from hub.staff.access import DESK
from hub.work import inbound
from tests.work.desk import Desk

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


class Trunks(Connector):
    """Each line of a body is a file of its one message; the file is what stands in the line."""

    kind: ClassVar[str] = "trunks"
    features: ClassVar[Features] = Features(files=True, reaches=("email",))
    script: ClassVar[deque[Any]] = deque()
    carried: ClassVar[list[tuple[str, bytes]]] = []

    @dataclasses.dataclass(frozen=True)
    class Settings:
        pass

    def verify(self, request: Raw) -> bool:
        return True

    def parse(self, raw: Raw) -> list[Any]:
        lines = raw.body.split(b"\n")
        files = tuple(File(str(n), f"../{n}.png", "text/html", len(line)) for n, line in enumerate(lines))
        return [Message(external_id="m", sender=Sender(Point("email", "eve@example.net")), text="", files=files)]

    async def fetch(self, file: File, raw: Raw | None, sink: Sink) -> None:
        what = self.script.popleft() if self.script else None
        if isinstance(what, BaseException):
            raise what
        assert raw is not None
        for byte in raw.body.split(b"\n")[int(file.ref)]:
            await sink.write(bytes([byte]))

    async def send(self, part: Outgoing) -> str | None:
        self.carried.extend((file.name, b"".join(file.open())) for file in part.files)
        return None


async def trunks(desk: Desk) -> Inbox:
    Trunks.script.clear()
    Trunks.carried.clear()
    kinds.register("trunks", "Trunks", lambda: Trunks)
    return await desk.store.write(inboxes.create, DESK, kind="trunks", name="Trunks")


async def shown(desk: Desk) -> tuple[FileShown, ...]:
    def read(rx: Any) -> tuple[FileShown, ...]:
        return rows.of_messages(rx, [1, 2, 3]).popitem()[1]

    return await desk.store.read(read)


async def lying_there(desk: Desk) -> list[Any]:
    return await asyncio.to_thread(lambda: list(desk.runner.files.contents.all()))


def limits(desk: Desk, **changed: int) -> Any:
    return msgspec.structs.replace(desk.store.file_limits, **changed)


async def settled(desk: Desk) -> tuple[FileShown, ...]:
    found: tuple[FileShown, ...] = ()
    for _ in range(300):
        found = await shown(desk)
        if all(file.state != "fetching" for file in found):
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"still being fetched: {found}")


async def test_what_a_message_names_is_fetched_and_is_what_its_bytes_are(desk: Desk) -> None:
    inbox = await trunks(desk)
    reply = await inbound.webhook(desk.runner, inbox.token, Raw(body=PNG.replace(b"\n", b"\r") + b"\nplain words"))
    assert reply.status == 200
    first, second = await settled(desk)
    assert (second.name, second.content_type, second.kind, second.size) == ("1.png", "text/plain", "file", 11)
    assert first.state == "there" and first.name == "0.png", "a path is no part of a name"
    sha = hashlib.sha256(b"plain words").hexdigest()
    contents = desk.runner.files.contents

    def look() -> tuple[bytes, int, list[Any]]:
        path = contents.path(sha)
        return path.read_bytes(), path.stat().st_mode & 0o777, list((contents.root / "new").iterdir())

    assert await asyncio.to_thread(look) == (b"plain words", 0o600, []), "nothing is left of what was written"


async def test_the_same_content_twice_lies_there_once(desk: Desk) -> None:
    inbox = await trunks(desk)
    await inbound.webhook(desk.runner, inbox.token, Raw(body=b"same\nsame"))
    await settled(desk)
    assert await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM content")) == 1
    assert len(await lying_there(desk)) == 1


async def test_what_cannot_be_had_now_is_asked_for_again(desk: Desk) -> None:
    inbox = await trunks(desk)
    Trunks.script.extend([Retry(reason="busy"), RuntimeError("broken")])
    await inbound.webhook(desk.runner, inbox.token, Raw(body=b"late"))
    for _ in range(200):
        found = await shown(desk)
        if found[0].state == "there":
            break
        assert found[0].state == "fetching", "the message is there all the time"
        await desk.pass_time(2_000)
        await asyncio.sleep(0.01)
    assert (await shown(desk))[0].state == "there"


async def test_what_can_never_be_had_says_why(desk: Desk) -> None:
    inbox = await trunks(desk)
    Trunks.script.append(Rejected("The provider has deleted it."))
    await inbound.webhook(desk.runner, inbox.token, Raw(body=b"gone"))
    (found,) = await settled(desk)
    assert (found.state, found.reason, found.kind) == ("failed", "The provider has deleted it.", "file")


async def test_more_bytes_than_may_be_are_given_up_and_leave_nothing(desk: Desk) -> None:
    inbox = await trunks(desk)
    desk.store.file_limits = limits(desk, file=1_000)
    await inbound.webhook(desk.runner, inbox.token, Raw(body=b"x" * 1_001 + b"\n" + b"y" * 1_000))
    too_large, fits = await settled(desk)
    assert (too_large.state, too_large.reason) == ("failed", "The file is larger than 1 KB.")
    assert fits.state == "there"
    assert len(await lying_there(desk)) == 1


async def test_whoever_has_the_message_hears_that_its_file_is_there(desk: Desk) -> None:
    inbox = await trunks(desk)
    await inbound.webhook(desk.runner, inbox.token, Raw(body=b"words"))
    await settled(desk)
    names = await desk.store.read(lambda rx: [row[0] for row in rx.rows("SELECT name FROM event ORDER BY id")])
    assert names[-1] == "message.files_changed"


@pytest.mark.parametrize("count", [101, 250])
async def test_more_files_than_a_message_may_have_are_named_and_not_fetched(desk: Desk, count: int) -> None:
    inbox = await trunks(desk)
    await inbound.webhook(desk.runner, inbox.token, Raw(body=b"\n".join(b"%d" % n for n in range(count))))
    found = await settled(desk)
    assert [file.state for file in found[:100]] == ["there"] * 100
    assert all(file.state == "failed" and file.reason == rows.TOO_MANY for file in found[100:])


# --- what has had its time -------------------------------------------------------------------------------------------


async def grow_old(desk: Desk) -> None:
    """The contents that lie there were written hours ago."""

    def age() -> None:
        for _, path in desk.runner.files.contents.all():
            os.utime(path, (1_000_000_000, 1_000_000_000))

    await asyncio.to_thread(age)


async def test_files_go_with_their_inbox_s_days_and_what_was_said_stays(desk: Desk) -> None:
    inbox = await trunks(desk)
    await desk.store.write(inboxes.change, DESK, inbox.id, settings={"files_kept_days": 30})
    await inbound.webhook(desk.runner, inbox.token, Raw(body=b"old words"))
    await settled(desk)
    assert await desk.store.write(ageing.expire) == 0
    await desk.pass_time(31 * DAY)
    assert await desk.store.write(ageing.expire) == 1
    (found,) = await shown(desk)
    assert (found.state, found.reason, found.name) == ("gone", "Removed after 30 days.", "0.png")
    await grow_old(desk)
    assert await desk.store.write(ageing.forget_contents) == 1
    assert await desk.runner.files.tidy() == 1
    assert await lying_there(desk) == []


async def test_what_is_named_by_another_message_too_stays(desk: Desk) -> None:
    inbox = await trunks(desk)
    await inbound.webhook(desk.runner, inbox.token, Raw(body=b"same\nsame"))
    await settled(desk)
    first = await desk.store.read(lambda rx: rows.of_message(rx, 2)[0])
    await desk.store.write(rows.lose, first, "Taken back by who sent it.")
    await desk.pass_time(2 * DAY)
    await grow_old(desk)
    assert await desk.store.write(ageing.forget_contents) == 0
    assert await desk.runner.files.tidy() == 0
    assert [file.state for file in await shown(desk)] == ["gone", "there"]


async def test_an_orphan_that_is_written_once_more_is_young_again(desk: Desk) -> None:
    contents = desk.runner.files.contents

    def put() -> str:
        writing = contents.begin(100)
        writing.write(b"once more")
        return contents.keep(writing)

    name = await asyncio.to_thread(put)
    await grow_old(desk)
    await asyncio.to_thread(put)
    assert await desk.runner.files.tidy() == 0, "its row is about to come"
    await grow_old(desk)
    assert await desk.runner.files.tidy() == 1
    assert not await asyncio.to_thread(contents.path(name).exists)
