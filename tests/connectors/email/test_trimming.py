"""What is new in a reply: replies.yaml has them as programs of many languages write them. Never is a line lost."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connectors.email.trimming import trim

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = yaml.safe_load((HERE / "replies.yaml").read_text(encoding="utf-8"))
MINE = "Yes, please do it.\nI will be there at 10:30.\n\nThank you very much"


def stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_what_is_new_is_shown_and_what_is_quoted_is_folded(case: dict[str, Any]) -> None:
    mail = case.get("mail") or f"{MINE}\n\n{case['top']}\n"
    shown = case.get("shown", mail if "mail" in case else MINE)
    found = trim(mail, case.get("sender", ""))
    assert stripped(found.shown) == stripped(shown)
    if "signed" in case:
        assert found.signature == case["signed"]


def test_the_lines_are_all_there_in_one_piece_or_another() -> None:
    for case in CASES:
        mail = case.get("mail") or f"{MINE}\n\n{case['top']}\n"
        found = trim(mail)
        there = "\n".join((found.new, found.quoted, found.signature)).split("\n")
        for line in filter(str.strip, mail.split("\n")):
            assert line.rstrip() in [one.rstrip() for one in there], line


def test_a_reply_to_a_reply_is_folded_as_one() -> None:
    rng = random.Random(1)
    tops = [case["top"] for case in CASES if "top" in case]
    for _ in range(200):
        first, second = rng.sample(tops, 2)
        deeper = "\n".join(f"> {line}".rstrip() for line in second.split("\n"))
        assert stripped(trim(f"{MINE}\n\n{first}\n{deeper}\n").shown) == MINE, (first, second)


WORDS = st.sampled_from(
    [
        *("Hello", "On Monday", "12.05.2026", "eve@example.net", "<eve@example.net>", "wrote", "написал", ":", "10:12"),
        *(
            "From:",
            "To: Paris",
            "Subject: it",
            "Sent",
            "--",
            "----",
            "schrieb",
            "a écrit",
            "写道：",
            "?",
            "Thanks",
            "> ",
        ),
        "Original Message",
    ]
)


@given(st.lists(st.lists(WORDS, max_size=7).map(" ".join), max_size=8))
def test_what_has_no_quotation_is_shown_whole(lines: list[str]) -> None:
    """Lines of signs in disorder: without a whole sign, nothing is folded that stands below."""
    text = "My words.\n" + "\n".join(line for line in lines if not line.startswith((">", "--"))) + "\nMy last words."
    found = trim(text)
    assert "My words." in found.shown
    if found.quoted:
        assert ":" in found.quoted or "：" in found.quoted


def test_it_takes_no_time() -> None:
    repeated = (("> ", 100_000), ("On ", 100_000), ("a:\n", 19_000), ("From: a@b.c\n", 19_000), ("-", 500_000))
    for text in (*(piece * times for piece, times in repeated), "> a\nb\n" * 9_000):
        trim(text)
    assert trim("").shown == ""
