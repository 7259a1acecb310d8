"""`parley bench mail`: mails of the sizes that mailboxes hold, read in children as the desk reads them, beside the bare
parsing of the standard library in this process; and how long the loop is ever held meanwhile."""

import asyncio
import base64
import contextlib
import email
import random
import time
from collections.abc import AsyncIterator
from html import escape
from typing import Final

import msgspec

from hub.bench.result import Result, Rounds, console
from hub.work.children import AT_ONCE, Children

READER: Final = "connectors.email.reading:read"
PER_SECOND: Final = 100.0
HELD_MS: Final = 100.0
TICK_SECONDS: Final = 0.001

_WORDS: Final = (
    *("the", "order", "kettle", "delivery", "invoice", "please", "thank", "question", "monday", "returned", "broken"),
    *("заказ", "чайник", "доставка", "спасибо", "вопрос", "ขอบคุณ", "កំសៀវ", "አመሰግናለሁ", "退款", "配送", "address"),
)
_STYLE: Final = 'style="font-family: Arial, sans-serif; font-size: 14px; color: #222222; margin: 0 0 8px"'
_PICTURE: Final = '<a href="https://shop.example/a?b=1"><img src="https://shop.example/i.png"></a>'
_CELL: Final = f'<td {_STYLE} bgcolor="#ffffff">{_PICTURE}</td>'


class Plan(msgspec.Struct, frozen=True):
    mails: int = 300
    rounds: int = 5


async def run(plan: Plan) -> list[Result]:
    mails = _mailbox(plan.mails)
    speed, held, grave = Rounds(), Rounds(), Rounds()
    async with Children() as children:
        await asyncio.gather(*(children.run(READER, mails[0]) for _ in range(AT_ONCE)))  # imports are not measured
        for number in range(plan.rounds):
            bare = await asyncio.to_thread(_bare, mails)
            async with _watched() as longest:
                began = time.perf_counter()
                await _read_all(children, mails)
                per_second = len(mails) / (time.perf_counter() - began)
            async with _watched() as worst:
                await _read_all(children, _hard(), hard=True)
            speed.add(per_second, bare)
            held.add(longest[0], HELD_MS)
            grave.add(worst[0], HELD_MS)
            console.print(
                f"round {number + 1} of {plan.rounds}: {per_second:.0f} mails/s, bare {bare:.0f}", style="dim"
            )
    size = sum(map(len, mails)) / len(mails) / 1024
    console.print(f"mail: {speed.spread()}; {size:.0f} KiB a mail, {AT_ONCE} children")
    return [
        speed.result("mail.per_second", callers=AT_ONCE, budget=PER_SECOND, judged="value"),
        held.result("mail.loop_held_ms", callers=AT_ONCE, budget=HELD_MS, judged="value", wanted="at most"),
        grave.result("mail.loop_held_ms_by_bad_mails", budget=HELD_MS, judged="value", wanted="at most"),
    ]


async def _read_all(children: Children, mails: list[bytes], *, hard: bool = False) -> None:
    """As the lane of what comes in does it: a few at a time."""
    room = asyncio.Semaphore(8)

    async def one(raw: bytes) -> None:
        async with room:
            with contextlib.suppress(Exception) if hard else contextlib.nullcontext():
                await children.run(READER, raw)

    await asyncio.gather(*(one(raw) for raw in mails))


def _bare(mails: list[bytes]) -> float:
    """Mails a second: parts found and decoded by the standard library, and nothing else."""
    began = time.perf_counter()
    for raw in mails:
        for part in email.message_from_bytes(raw).walk():
            if not part.is_multipart():
                part.get_payload(decode=True)
    return len(mails) / (time.perf_counter() - began)


@contextlib.asynccontextmanager
async def _watched() -> AsyncIterator[list[float]]:
    """The most CPU time, in ms, that the loop's thread has spent between two ticks: no callback took longer."""
    longest = [0.0]

    async def tick() -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.thread_time()
            longest[0] = max(longest[0], (now - before) * 1000)
            before = now

    ticking = asyncio.create_task(tick())
    try:
        yield longest
    finally:
        ticking.cancel()


# --- mails -----------------------------------------------------------------------------------------------------------


def _mailbox(count: int) -> list[bytes]:
    """Half of them short answers, some long pages of shops, some with attachments of up to 3 MB."""
    chance = random.Random(5)
    kinds = chance.choices(("answer", "page", "small file", "large file"), (60, 25, 12, 3), k=count)
    return [_mail(chance, number, kind) for number, kind in enumerate(kinds)]


def _mail(chance: random.Random, number: int, kind: str) -> bytes:
    said = [" ".join(chance.choices(_WORDS, k=12)) for _ in range(chance.randint(3, 25))]
    quoted = [" ".join(chance.choices(_WORDS, k=12)) for _ in range(chance.randint(5, 60))]
    above = "On Mon, May 4, 2026 at 9:12 AM Desk <desk@example.org> wrote:"
    text = "\n".join((*said, "", above, "", *(f"> {line}" for line in quoted)))
    page = "".join(f"<div {_STYLE}><span {_STYLE}>{line}</span></div>" for line in said)
    if kind == "page":
        page += f"<table>{f'<tr>{_CELL}{_CELL}</tr>' * chance.randint(60, 200)}</table>"
    below = "".join(f"<div {_STYLE}>{line}</div>" for line in quoted)
    page += f'<div class="gmail_quote">{escape(above)}<br><blockquote class="gmail_quote">{below}</blockquote></div>'
    pieces = (("text/plain; charset=utf-8", text), ("text/html; charset=utf-8", page))
    both = _multipart("alternative", "inner", [_part(of, content.encode()) for of, content in pieces])
    if kind in ("answer", "page"):
        return _head(number) + both
    size = chance.randint(50_000, 400_000) if kind == "small file" else chance.randint(1_000_000, 3_000_000)
    file = _part("application/pdf; name=a.pdf", chance.randbytes(size))
    return _head(number) + _multipart("mixed", "outer", [both, file])


def _head(number: int) -> bytes:
    name = base64.b64encode("Ева Адамс".encode()).decode()
    hops = (f"from mx{n}.example.net by mx{n + 1}.example.org; Mon, 4 May 2026 09:1{n}:00 +0000" for n in range(5))
    fields = [
        *(("Received", hop) for hop in hops),
        (
            "Authentication-Results",
            "mx.example.org; spf=pass smtp.mailfrom=example.net; dkim=pass header.d=example.net",
        ),
        ("From", f"=?utf-8?B?{name}?= <eve{number}@example.net>"),
        ("To", "desk@example.org"),
        ("Subject", f"Re: order {number}"),
        ("Message-ID", f"<{number}@example.net>"),
        ("Date", "Mon, 4 May 2026 09:12:00 +0000"),
        ("MIME-Version", "1.0"),
    ]
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode()


def _multipart(kind: str, boundary: str, parts: list[bytes]) -> bytes:
    mark = f"--{boundary}"
    inside = b"".join(mark.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return f"Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n".encode() + inside + mark.encode() + b"--\r\n"


def _part(kind: str, content: bytes) -> bytes:
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + base64.encodebytes(content)


def _hard() -> list[bytes]:
    """What made other parsers stand still (class C of the bad inputs has many more)."""
    head = b"From: eve@example.net\r\nSubject: x\r\n"
    return [
        b"From: eve@example.net\r\nSubject: " + b"a " * 200_000 + b"\r\n\r\nwords",
        head + b"References: " + b"<a@example.net> " * 60_000 + b"\r\n\r\nwords",
        head + b"To: " + b"eve@example.net, " * 20_000 + b"\r\n\r\nwords",
        head + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\n" * 100_000,
        head + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 50_000 + b"words",
        head + b"\r\n" + b"words " * 6_000_000,
    ]
