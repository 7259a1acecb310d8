"""Reading a post: what three ways of writing it have in common, and what is refused instead of guessed at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.form import body
from connectors.form.body import Fields, Unreadable

FORM = "application/x-www-form-urlencoded"
TEXT = 'ជំរាបសួរ, ሰላም & 1+1=2; 50% "quoted"\nsecond line 📦'


def multipart(*parts: tuple[str, str, bytes], end: bytes = b"--\r\n") -> bytes:
    made = b""
    for name, more, value in parts:
        made += b'--XX\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + more.encode()
        made += b"\r\n\r\n" + value + b"\r\n"
    return made + b"--XX" + end


def test_the_three_ways_say_the_same() -> None:
    from json import dumps
    from urllib.parse import urlencode

    ways = [
        body.read(FORM, urlencode({"message": TEXT, "name": "Ann"}).encode()),
        body.read(
            "multipart/form-data; boundary=XX",
            multipart(("message", "", TEXT.replace("\n", "\r\n").encode()), ("name", "", b"Ann")),
        ),
        body.read("application/json; charset=utf-8", dumps({"message": TEXT, "name": "Ann"}).encode()),
    ]
    for fields in ways:
        assert fields.values == {"message": TEXT, "name": "Ann"}
        assert not (fields.twice or fields.not_text or fields.files or fields.too_many)


@pytest.mark.parametrize(
    ("content_type", "raw", "status"),
    [
        (None, b"a=b", 415),
        ("text/plain", b"a=b", 415),
        (f"{FORM}; charset=utf-16", "a=b".encode("utf-16"), 400),
        (f"{FORM}; charset=iso-8859-1", b"name=J%F6rg", 400),
        (FORM, b"name=J%F6rg", 400),
        (FORM, b"name=J\xf6rg", 400),
        (FORM, "name=Ann".encode("utf-16"), 400),
        (FORM, "name=Ann".encode("utf-16-le"), 400),
        ("multipart/form-data", multipart(("a", "", b"b")), 400),
        ("multipart/form-data; boundary=", multipart(("a", "", b"b")), 400),
        ("multipart/form-data; boundary=YY", multipart(("a", "", b"b")), 400),
        ("multipart/form-data; boundary=XX", multipart(("a", "", b"b"), end=b""), 400),
        ("multipart/form-data; boundary=XX", multipart(("a", "", b"b"))[:40], 400),
        ("multipart/form-data; boundary=XX", b"--XX\r\nContent-Type: text/plain\r\n\r\nb\r\n--XX--\r\n", 400),
        ("multipart/form-data; boundary=XX", multipart(("a", "", "é".encode("latin-1"))), 400),
        ("application/json", b"{", 400),
        ("application/json", b"", 400),
        ("application/json", b"[1, 2]", 422),
        ("application/json", b'"a"', 422),
        ("application/json", b"NaN", 400),
        ("application/json", b"[" * 30_000, 400),
        ("application/json", b'{"a": ' + b"1" * 5_000 + b"}", 400),
        (FORM, b"a=" + b"x" * 65_536, 413),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(content_type: str | None, raw: bytes, status: int) -> None:
    with pytest.raises(Unreadable) as refused:
        body.read(content_type, raw)
    assert refused.value.status == status


def test_fields_beyond_the_limit_are_noticed_and_the_first_kept() -> None:
    many = body.read(FORM, "&".join(f"f{n}=x" for n in range(100)).encode())
    assert many.too_many and len(many.values) == body.MAX_FIELDS
    assert body.read(FORM, b"&".join([b"a=b"] * 10_000)).too_many
    assert body.read(FORM, b"n" * 60_000 + b"=x").too_many
    parts = [(f"f{n}", "", b"x") for n in range(600)]
    assert body.read("multipart/form-data; boundary=XX", multipart(*parts)).too_many


def test_a_name_given_twice_and_a_value_that_is_no_text_are_noticed() -> None:
    assert body.read(FORM, b"a=1&a=2").twice == {"a"}
    assert body.read(FORM, b"a=1&a=2").get("a") == "1"
    fields = body.read("application/json", b'{"a": ["x"], "b": 1, "c": {"d": 1}, "e": null, "f": true, "g": false}')
    assert fields.not_text == {"a", "b", "c"}
    assert fields.ticked == {"f"}


def test_an_empty_file_field_is_no_file() -> None:
    empty = multipart(("f", '; filename=""\r\nContent-Type: application/octet-stream', b""), ("a", "", b"b"))
    full = multipart(("f", '; filename="x.svg"\r\nContent-Type: image/svg+xml', b"<svg/>"))
    assert not body.read("multipart/form-data; boundary=XX", empty).files
    assert body.read("multipart/form-data; boundary=XX", empty).values == {"a": "b"}
    assert body.read("multipart/form-data; boundary=XX", full).files


@given(st.sampled_from([FORM, "multipart/form-data; boundary=XX", "application/json", "x"]), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content_type: str, raw: bytes) -> None:
    try:
        found = body.read(content_type, raw)
    except Unreadable:
        return
    assert isinstance(found, Fields)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_content_type_is_read_or_refused(content_type: str, boundary: str) -> None:
    try:
        body.read(f"multipart/form-data; {content_type}; boundary={boundary}", b"--x\r\n\r\n--x--")
    except Unreadable:
        pass
