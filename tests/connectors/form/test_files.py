"""Files of a form: only where its setting says so, taken out of the post by a job, and no message is lost over them."""

import asyncio
from typing import Any

import pytest

from connectors.form import body
from hub.desk.files import rows
from tests.fixtures.forms import GOOD, FormDesk, Page

BOUNDARY = "----testformboundary"


def post(fields: dict[str, str], *files: tuple[str, bytes]) -> bytes:
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    parts += [
        f'Content-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: text/html\r\n\r\n'.encode()
        + data
        for name, data in files
    ]
    return b"".join(f"--{BOUNDARY}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


async def send(desk: FormDesk, inbox: Any, *files: tuple[str, bytes]) -> Page:
    page = await desk.show(inbox)
    desk.clock.advance(10_000)
    sent = post({**page.fields, **GOOD}, *files)
    return await desk.post(page.action, sent, f"multipart/form-data; boundary={BOUNDARY}", {})


async def test_a_form_takes_files_where_it_may(sqlite_form_desk: FormDesk) -> None:
    desk = sqlite_form_desk
    inbox = await desk.inbox(files=True)
    assert b'type="file"' in (await desk.show(inbox)).body
    assert (await send(desk, inbox, ("crack.txt", b"a photo in words"), ("", b""))).status == 303
    found: list[rows.Row] = []
    for _ in range(300):
        found = await desk.store.read(lambda rx: rows.of_message(rx, 1))
        if found and found[0].state == "there":
            break
        await asyncio.sleep(0.02)
    (file,) = found
    assert (file.name, file.content_type, file.state, file.size) == ("crack.txt", "text/plain", "there", 16)


async def test_a_form_that_takes_none_says_so_and_keeps_the_text(sqlite_form_desk: FormDesk) -> None:
    desk = sqlite_form_desk
    answer = await send(desk, await desk.inbox(), ("crack.txt", b"words"))
    assert answer.status == 422 and GOOD["message"] in answer.text
    assert b'type="file"' not in answer.body


async def test_too_many_or_too_large_is_told(sqlite_form_desk: FormDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = sqlite_form_desk
    inbox = await desk.inbox(files=True)
    many = await send(desk, inbox, *((f"{n}.txt", b"x") for n in range(4)))
    assert many.status == 422 and "3 are possible" in many.text and GOOD["message"] in many.text
    monkeypatch.setattr(body, "MAX_WITH_FILES", 100_000)
    large = await send(desk, inbox, ("large.bin", b"x" * 100_001))
    assert large.status == 413
