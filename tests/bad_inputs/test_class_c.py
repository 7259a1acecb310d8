"""Mails under bad input, each a line of class_c.yaml: read as written there or refused with a sentence, within a
time, first by itself and then one after the other in a child, as the desk does it."""

import base64
import re
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.email import reading
from connectors.email.mail import Address, Mail
from hub.connector import Unparsable
from hub.work.children import Children, Failed, Limits
from tests.bad_inputs import load

FILE = "class_c.yaml"
TESTS = Path(__file__).parents[1]
USUAL = {
    "From": "Eve Adams <eve@example.net>",
    "To": "desk@example.org",
    "Subject": "Hello",
    "Message-ID": "<one@example.net>",
    "Date": "Sun, 3 May 2026 10:12:00 +0200",
    "Content-Type": "text/plain; charset=utf-8",
}
TIMES = re.compile("«(.*?)\\*(\\d+)»", re.DOTALL)


def many(text: str) -> str:
    return TIMES.sub(lambda found: found[1] * int(found[2]), text)


def raw_of(case: dict[str, Any]) -> bytes:
    if "base64" in case:
        return base64.b64decode(case["base64"] + "==")
    if "mail" in case:
        return many(case["mail"]).encode()
    if "nested" in case:
        return nested(case["nested"])
    given = case.get("head", {})
    fields = {name: value for name, value in USUAL.items() if name not in given} | given
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value != "")
    return many(f"{head}\r\n{case.get('body', 'Hello')}").encode("latin-1" if case.get("latin") else "utf-8")


def nested(depth: int) -> bytes:
    opened = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(depth))
    return f"From: eve@example.net\r\n{opened}\r\nwords".encode()


def plain(value: Any) -> Any:
    if isinstance(value, Address):
        return f"{value.name} <{value.address}>" if value.name else value.address
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return many(value) if isinstance(value, str) else value


@pytest.mark.parametrize("case", load.cases(FILE))
def test_a_mail_is_read_or_refused_with_a_sentence(case: dict[str, Any]) -> None:
    raw = raw_of(case)
    began = time.process_time()
    try:
        mail = reading.read(raw)
    except Unparsable as error:
        assert case.get("refused", "It should be read.") in error.reason
        return
    finally:
        assert time.process_time() - began < 2 * case.get("seconds", 1)
    assert "refused" not in case
    judge(mail, case)
    for file in mail.files:
        assert len(reading.part(raw, int(file.ref.removeprefix("part:")))) == file.size
    msgspec.msgpack.encode(mail)


def judge(mail: Mail, case: dict[str, Any]) -> None:
    for name, value in case.get("is", {}).items():
        found = plain(getattr(mail, name))
        if case.get("name_only"):
            found = [one.partition(" <")[0][:200] for one in found]
            value = [many(one)[:200] for one in value]
        expected = [many(one) for one in value] if isinstance(value, list) else value
        assert found == (expected.replace("\r\n", "\n") if isinstance(expected, str) else expected), name
    for name, value in case.get("has", {}).items():
        assert value in getattr(mail, name), name
    for name, value in case.get("count", {}).items():
        assert len(getattr(mail, name)) == value, name
    for place, key in ((0, "first"), (-1, "last")):
        for name, value in case.get(key, {}).items():
            assert getattr(mail, name)[place] == value
    assert set(case.get("flags", ())) <= set(mail.flags), mail.flags
    if "files" in case:
        assert [file.name for file in mail.files] == [many(name) for name in case["files"]]
    for name in ("bounce", "invitation"):
        for field, value in case.get(name, {}).items():
            assert getattr(getattr(mail, name), field) == value, (name, field)


async def test_each_is_read_in_a_child_and_the_next_one_goes_on() -> None:
    good = raw_of({"id": "good"})
    async with Children(1) as children:
        for (case,) in (one.values for one in load.cases(FILE)):
            try:
                answer = await children.run("connectors.email.reading:read", raw_of(case), limits=Limits())
                assert "refused" not in case, case["id"]
                msgspec.msgpack.decode(answer, type=Mail)
            except Failed as error:
                assert case.get("refused", "It should be read.") in error.reason, case["id"]
        answer = await children.run("connectors.email.reading:read", good)
        assert msgspec.msgpack.decode(answer, type=Mail).text == "Hello"


def test_every_kind_of_bad_mail_has_a_line() -> None:
    numbers = {int(re.match(r"C(\d+)", line["id"])[1]) for line in load.lines(FILE)}  # type: ignore[index]
    assert sorted(set(range(1, 101)) - numbers) == []


def test_the_tests_that_lines_name_are_there() -> None:
    named = {line["tested_by"] for line in load.lines(FILE) if "tested_by" in line}
    written = "".join(path.read_text() for path in TESTS.rglob("test_*.py"))
    assert [name for name in sorted(named) if f"def {name}(" not in written] == []
