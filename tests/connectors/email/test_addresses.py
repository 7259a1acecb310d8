"""Addresses: what is ambiguous is none, and nothing takes long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.email.addresses import addresses


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("a@b.example", [("", "a@b.example")]),
        ("A B <a@b.example>", [("A B", "a@b.example")]),
        ('"B, A" <a@b.example>, c@d.example', [("B, A", "a@b.example"), ("", "c@d.example")]),
        ("a@b.example (A B)", [("A B", "a@b.example")]),
        ("a@b.example; c@d.example", [("", "a@b.example"), ("", "c@d.example")]),
        ("=?utf-8?B?0JXQstCw?= <a@b.example>", [("Ева", "a@b.example")]),
        ('"=?utf-8?B?0JXQstCw?=" <a@b.example>', [("Ева", "a@b.example")]),
        ("Team: a@b.example, c@d.example;", [("", "a@b.example"), ("", "c@d.example")]),
        ("ева@пример.рф", [("", "ева@пример.рф")]),
        ('"A \\"the\\" B" <a@b.example>', [('A "the" B', "a@b.example")]),
        ("A <a@b.example", [("A", "a@b.example")]),
        ("Somebody", [("Somebody", "")]),
        ("a@b@c.example", [("a@b@c.example", "")]),
        ("a b@c.example", [("a b@c.example", "")]),
        ('"a@b.example" <@>', [("a@b.example", "")]),
    ],
)
def test_an_address_is_read(field: str, found: list[tuple[str, str]]) -> None:
    assert [(one.name, one.address) for one in addresses(field.encode())] == found


PIECES = st.sampled_from(
    ['"', "(", ")", "<", ">", ",", ";", ":", "@", "\\", "a", "b.example", " ", "=?utf-8?q?x?=", "é"]
)


@given(st.lists(PIECES, max_size=40))
def test_every_address_that_is_found_is_one(pieces: list[str]) -> None:
    for one in addresses("".join(pieces).encode()):
        local, _, domain = one.address.rpartition("@")
        if one.address and not local.startswith('"'):
            assert local and domain and not set(one.address) & set('<>,;:()\\ "@') - {"@"}
            assert one.address.count("@") == 1


def test_nothing_takes_long() -> None:
    for piece in ('"', "(", "<", '"\\', "a,", "a@b.example,", ":", '"a" '):
        addresses((piece * 30_000).encode()[:32_768])
