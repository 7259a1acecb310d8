"""Strict JSON and plain addresses, each by itself."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Refusal
from hub.web import body
from hub.web.problem import HttpError
from hub.web.rest import explain

_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner) | st.dictionaries(_texts, inner),
    max_leaves=20,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(st.dictionaries(_texts, _values), st.booleans())
def test_good_json_comes_through_unchanged(value: dict[str, Any], escaped: bool) -> None:
    if depth(value) <= body.MAX_DEPTH:
        assert body.strict_object(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        body.strict_json(raw)
    except (Refusal, HttpError):
        pass


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        body.strict_json(text.encode(errors="surrogatepass"))
    except (Refusal, HttpError):
        pass


@given(st.text(max_size=100))
def test_any_address_is_taken_or_refused(text: str) -> None:
    try:
        body.check_address("/" + text)
    except HttpError as error:
        assert error.kind in ("malformed", "not_found")


def test_a_small_body_costs_little() -> None:
    """Beside msgspec's own decoding; the shortest of many, as the machine may be busy."""
    raw = json.dumps({"text": "x" * 300, "subject": "Kettle", "tags": ["a", "b"], "seen": 7, "more": {"a": 1}}).encode()
    times = []
    for _ in range(200):
        started = time.perf_counter()
        body.strict_object(raw)
        times.append(time.perf_counter() - started)
    assert min(times) < 30e-6


@pytest.mark.parametrize(
    "message, path, text",
    [
        ("Expected `int`, got `str` - at `$.a.b[0]`", "a.b[0]", "This has to be a whole number, not text."),
        ("Expected `str | null`, got `int` - at `$.a`", "a", "This has to be text or null, not a whole number."),
        ("Object missing required field `x` - at `$.a`", "a.x", "This is required."),
        ("Object contains unknown field `x`", "x", "There is no such field here."),
        ("Expected `int` >= 1 - at `$.limit`", "limit", "This has to be at least 1."),
        ("Expected `str` of length <= 1000 - at `$.cursor`", "cursor", "This is too long: at most 1000."),
        ("Invalid enum value 'Open' - at `$.status`", "status", None),
    ],
)
def test_what_is_wrong_is_said_in_words(message: str, path: str, text: str | None) -> None:
    assert explain(message) == (path, text)
