"""Files under bad input, each a line of class_f.yaml: stored under their hash and handed out harmlessly, or refused."""

import asyncio
import gzip
import io
import os
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import aiohttp
import msgspec
import pytest
from PIL import Image

from hub.db.contents import Contents, NoRoom
from hub.desk.files import rows, uploads
from hub.web import file_links
from hub.work.queue import Job
from tests.bad_inputs import load
from tests.fixtures.desk import Answer, DeskClient

FILES = "/api/v1/files"
MOST = 200_000


# --- what is in them -------------------------------------------------------------------------------------------------


def bytes_of(size: int) -> bytes:
    return b"\x01\xff" * (size // 2) + b"\x01" * (size % 2)


def png(then: str = "", cut: int = 0, flip: bool = False) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    data = out.getvalue()
    if flip:
        at = data.index(b"IDAT") + 6
        data = data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]
    return (data[:cut] if cut else data) + then.encode()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_head(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + _chunk(b"IEND", b"")
    )


def png_ztxt() -> bytes:
    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    swells = b"Comment\0\0" + zlib.compress(b"\0" * 50_000_000, 9)
    image = _chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"zTXt", swells) + image + _chunk(b"IEND", b"")


def gif(frames: int) -> bytes:
    out = io.BytesIO()
    some = [Image.new("P", (8, 8), n % 7) for n in range(frames)]
    some[0].save(out, "GIF", save_all=True, append_images=some[1:], duration=10, disposal=2)
    return out.getvalue()


def gif_and_zip() -> bytes:
    return b"GIF89a" + zip_out()


def jpeg(mode: str = "RGB", orientation: int = 1, comment: str = "") -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "A camera that tells"
    Image.new(mode, (40, 30)).save(out, "JPEG", exif=exif, comment=comment.encode())
    return out.getvalue()


def _zip(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def office(macro: bool = False) -> bytes:
    more = {"word/vbaProject.bin": b"x"} if macro else {}
    return _zip(**{"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<x/>", **more})


def zip_bomb() -> bytes:
    return _zip(zeros=b"\0" * 30_000_000)


def nested_zip() -> bytes:
    inner = b"end"
    for _ in range(10):
        inner = _zip(inner=inner)
    return inner


def zip_out() -> bytes:
    return _zip(**{"../../evil.txt": b"x"})


def many_zip() -> bytes:
    return _zip(**{f"{n}": b"" for n in range(1_500)})


def tar_links() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind in (("a", tarfile.SYMTYPE), ("b", tarfile.LNKTYPE), ("c", tarfile.BLKTYPE)):
            one = tarfile.TarInfo(name)
            one.type, one.linkname = kind, "/etc/passwd"
            archive.addfile(one)
    return out.getvalue()


MAKERS = {
    maker.__name__: maker
    for maker in (bytes_of, png, png_head, png_ztxt, gif, gif_and_zip, jpeg, office, zip_bomb, nested_zip, zip_out,
                  many_zip, tar_links)
}  # fmt: skip


def data_of(case: dict[str, Any]) -> bytes:
    if "make" in case:
        made: bytes = MAKERS[case["make"]](**case.get("with", {}))
        return made
    return bytes.fromhex(case["hex"]) if "hex" in case else str(case["text"]).encode()


def spelt(value: Any) -> str:
    if isinstance(value, dict):
        return str(value["repeat"]) * int(value["times"]) + str(value.get("then", ""))
    return str(value)


# --- each of them ----------------------------------------------------------------------------------------------------


async def send(desk: DeskClient, name: str, data: bytes, kind: str = "application/octet-stream") -> Answer:
    headers = {"Content-Type": kind}
    return await desk.request("POST", f"{FILES}?name={quote(name, safe='')}", raw=data, headers=headers)


def limit(desk: DeskClient, **limits: int) -> None:
    desk.store.file_limits = msgspec.structs.replace(desk.store.file_limits, **limits)


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("case", load.cases("class_f.yaml"))
async def test_a_file_is_harmless(sqlite_desk_client: DeskClient, case: dict[str, Any]) -> None:
    desk = sqlite_desk_client
    limit(desk, file=MOST)
    data = await asyncio.to_thread(data_of, case)
    name = spelt(case["name"])
    answer = await send(desk, name, data, spelt(case.get("type", "application/octet-stream")))
    statuses = case.get("status", 422 if case.get("runs") else 201)
    assert answer.status in (statuses if isinstance(statuses, list) else [statuses]), answer.body
    root = desk.desk.runner.files.contents.root
    lying = await asyncio.to_thread(below, desk.desk.config.data)
    assert all(path.startswith("files/") for path in lying), lying
    assert not [path for path in lying if "/new/" in path], "nothing is left half written"
    assert root.name == "files"
    if answer.status >= 400:
        assert await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM file")) == 0
        return
    file = answer.json
    wanted = case.get("shown", name)
    assert file["name"] == wanted if "longest" not in case else len(file["name"].encode()) <= case["longest"]
    if "is" in case:
        assert file["content_type"] == case["is"]
    await judge_download(desk, file, data, bool(case.get("inline")))
    await judge_preview(desk, file, case)


async def judge_download(desk: DeskClient, file: dict[str, Any], data: bytes, inline: bool) -> None:
    out = await desk.get(f"{FILES}/{file['id']}")
    assert out.status == 200 and out.body == data
    told = out.headers["Content-Disposition"]
    assert told.startswith("inline;" if inline else "attachment;")
    assert unquote(told.rpartition("''")[2]) == file["name"]
    assert "\r" not in told and "\n" not in told and told.count('"') == 2
    assert out.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert out.headers["X-Content-Type-Options"] == "nosniff"
    assert out.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    kind = out.headers["Content-Type"].partition(";")[0]
    assert not any(word in kind for word in ("html", "xml", "svg", "script", "rfc822"))
    saved = await desk.get(f"{FILES}/{file['id']}?download=true")
    assert saved.headers["Content-Disposition"].startswith("attachment;")


async def judge_preview(desk: DeskClient, file: dict[str, Any], case: dict[str, Any]) -> None:
    """What a job would do, done here: by the same child."""
    row = await desk.store.read(lambda rx: rows.by_token(rx, file["id"]))
    assert row is not None
    if "preview" not in case:
        assert row.preview == "none"
        return
    job = Job(1, rows.PREVIEW, None, 3, {"content_id": row.content_id}, 1, 0, 0, 0, "here")
    then = await desk.desk.runner.files.preview(job)
    assert then is not None
    await desk.store.write(lambda tx: then(tx))
    shown = (await desk.store.read(lambda rx: rows.of_tokens(rx, [file["id"]])))[file["id"]]
    assert shown.preview == (case["preview"] == "there")
    if shown.preview:
        small = await desk.get(f"{FILES}/{file['id']}?preview=true")
        assert small.headers["Content-Type"] == "image/webp" and b"camera" not in small.body
        assert b"script" not in small.body and b"php" not in small.body
        if "size" in case:
            assert [shown.width, shown.height] == case["size"]
            with Image.open(io.BytesIO(small.body)) as picture:
                assert list(picture.size) == case["size"]


def test_the_numbers_are_all_there() -> None:
    numbers = {int(line["id"].split()[0][1:]) for line in load.lines("class_f.yaml")}
    assert numbers == set(range(1, 71))


def test_what_is_tested_elsewhere_is_tested_there() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    named = {line["tested_by"] for line in load.lines("class_f.yaml") if "tested_by" in line}
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []


# --- what takes more than one request --------------------------------------------------------------------------------


async def half(desk: DeskClient, head: str, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    token = desk.people["agent"].token
    writer.write(
        f"POST {FILES}?name=a.txt HTTP/1.1\r\nHost: desk.example\r\n"
        f"Authorization: Bearer {token}\r\n{head}\r\n\r\n".encode()
        + data
    )
    await writer.drain()
    if b"chunked" in head.encode():
        answer = await asyncio.wait_for(reader.read(4_096), 10)
    else:
        await asyncio.sleep(0.1)
        answer = b""
    writer.close()
    return answer


async def test_what_is_broken_off_or_lies_leaves_nothing(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    limit(desk, file=MOST)
    await half(desk, "Content-Length: 1000", b"x" * 999)
    await half(desk, "Content-Length: 150000", b"x" * 100_000)
    endless = b"".join(b"10000\r\n" + b"x" * 65_536 + b"\r\n" for _ in range(4))
    assert b" 413 " in await half(desk, "Transfer-Encoding: chunked", endless)
    left = {"?"}
    for _ in range(100):
        left = await asyncio.to_thread(below, desk.desk.config.data)
        if not left:
            break
        await asyncio.sleep(0.02)
    assert left == set()
    assert await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM file")) == 0


async def test_of_two_at_once_for_one_grant_one_is_taken(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    row = await desk.store.write(lambda tx: uploads.grant(tx, 1, "a.txt", 5, voice=False, seconds=None))
    url = file_links.path(desk.desk, row.token, "visitor:1", "put")
    headers = {"Content-Type": "text/plain"}
    both = await asyncio.gather(
        *(desk.request("PUT", url, raw=data, as_=None, headers=headers) for data in (b"first", b"other"))
    )
    assert sorted(answer.status for answer in both) == [200, 410]


async def test_a_full_disk_says_so_and_nothing_is_left(
    sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = sqlite_desk_client

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = await send(desk, "a.txt", b"words")
    assert answer.status == 503 and "no room" in answer.json["detail"]
    monkeypatch.undo()
    assert await asyncio.to_thread(below, desk.desk.config.data) == set()
    assert (await send(desk, "a.txt", b"words")).status == 201, "once there is room again"


async def test_a_folder_that_cannot_be_written_says_so(
    sqlite_desk_client: DeskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = sqlite_desk_client

    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    await send(desk, "b.txt", b"so that the folder is there")
    monkeypatch.setattr("hub.db.contents.Writing", refused)
    answer = await send(desk, "a.txt", b"words")
    assert answer.status == 503 and "Read-only" in answer.json["detail"]


def test_little_room_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("U", (), {"free": 100})())
    with pytest.raises(NoRoom):
        Contents(tmp_path / "files").begin(100)


async def test_what_is_removed_while_it_is_read_is_read_to_its_end(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    data = os.urandom(900_000)
    file = (await send(desk, "a.bin", data)).json
    row = await desk.store.read(lambda rx: rows.by_token(rx, file["id"]))
    assert row is not None and row.sha256 is not None
    path = desk.desk.runner.files.contents.path(row.sha256)
    headers = {"Authorization": f"Bearer {desk.people['administrator'].token}"}
    async with aiohttp.ClientSession() as http, http.get(f"{desk.url}{FILES}/{file['id']}", headers=headers) as answer:
        first = await answer.content.read(1_000)
        await asyncio.to_thread(path.unlink)
        assert first + await answer.content.read() == data


async def test_a_part_of_what_has_changed_since_is_all_of_it(sqlite_desk_client: DeskClient) -> None:
    desk = sqlite_desk_client
    file = (await send(desk, "a.txt", gzip.compress(b"words"))).json
    old = {"Range": "bytes=0-1", "If-Range": "Wed, 01 Jan 2020 00:00:00 GMT"}
    assert (await desk.get(f"{FILES}/{file['id']}", headers=old)).status == 200
