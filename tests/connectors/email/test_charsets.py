"""Bytes into text: whatever they are and say they are, there is one, and soon."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.email import charsets

PLAIN = "Grüße, привет, γειά, שלום, مرحبا, こんにちは, 안녕, 你好, សួស្តី, ሰላም"


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("Grüße €", "windows-1252"),
        ("Grüße", "ISO-8859-1"),
        ("Zażółć", "iso-8859-2"),
        ("привет", "koi8-u"),
        ("привет", "cp866"),
        ("γειά", "iso-8859-7"),
        ("שלום", "windows-1255"),
        ("مرحبا", "iso-8859-6"),
        ("สวัสดี", "tis-620"),
        ("你好", "big5"),
        ("こんにちは", "euc-jp"),
        (PLAIN, "utf-8"),
        (PLAIN, "UTF8"),
        (PLAIN, "utf-16"),
        (PLAIN, ""),
    ],
)
def test_what_is_declared_rightly_is_read_exactly(text: str, charset: str) -> None:
    codec = {"UTF8": "utf-8", "": "utf-8", "tis-620": "cp874"}.get(charset, charset)
    assert charsets.decode(text.encode(codec), charset)[0] == text


@pytest.mark.parametrize(
    "charset", ["utf-7", "rot13", "zlib", "idna", "unicode_escape", "x" * 999, "a\0b", "undefined"]
)
def test_what_is_no_charset_of_mail_is_not_used(charset: str) -> None:
    assert charsets.codec_of(charset) is None
    assert charsets.decode(b"+ADw-b", charset) == ("+ADw-b", False)


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "utf-8", "us-ascii", "gb2312", "iso-2022-jp", "utf-16", "nope", "big5"]),
)
def test_there_is_always_a_text(raw: bytes, charset: str) -> None:
    text = charsets.clean(charsets.decode(raw, charset)[0])
    assert "\0" not in text and text.encode("utf-8") is not None


def test_much_of_it_takes_no_time() -> None:
    assert len(charsets.decode(b"\x81\xe9" * 2_000_000, "iso-8859-1")[0]) == 4_000_000


def test_a_line_is_one_and_turns_nothing() -> None:
    assert charsets.line("a\r\nb\u202ec\u2066d\0e  f", 100) == "a bcd e f"
    assert charsets.line("x" * 500, 10) == "x" * 10
