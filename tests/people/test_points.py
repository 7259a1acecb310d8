"""What counts as the same address or number, and what is none."""

import pytest

from hub.errors import Refusal
from hub.people import points

SAME_EMAIL = [
    ("Ann.Lee@Example.COM", "ann.lee@example.com"),
    ("  ann@example.com ", "ann@example.com"),
    ("zoe\u0308@example.net", "zoë@example.net"),
    ("info@xn--mnchen-3ya.de", "info@münchen.de"),
    ("a+shop@example.com", "a+shop@example.com"),
]
NO_EMAIL = [
    "ann",
    "@example.com",
    "a@@b.com",
    "a@b@c.com",
    "a@b",
    "a@b.com.",
    "a b@example.com",
    "a@example.com, b@example.com",
    "Ann <a@example.com>",
    '"a b"@example.com',
    "a@[127.0.0.1]",
    "a@example.com\nBcc: b@example.com",
    "a@example.com%0aBcc:b@example.com",
    "a@exam\u0000ple.com",
    "a" * 65 + "@example.com",
    "a@" + "b" * 250 + ".com",
    "a..b@example.com",
    ".a@example.com",
    "a@-example.com",
    "javascript:alert(1)@x",
]
SAME_PHONE = [
    ("+251 91 123 4567", None, "+251911234567"),
    ("0911234567", "ET", "+251911234567"),
    ("00251911234567", None, "+251911234567"),
    ("(012) 345-678", "KH", "+85512345678"),
    ("+١ ٢٠٢ ٤٥٦ ١١١١", None, "+12024561111"),
    ("＋１ ２０２ ４５６ １１１１", None, "+12024561111"),
    ("\u202a+1 202 456 1111\u202c", None, "+12024561111"),
    ("1-800-FLOWERS", "US", "+18003569377"),
    ("+1 202 456 1111 ext. 12", None, "+12024561111"),
]
NO_PHONE = [
    ("", None),
    ("abc", "ET"),
    ("+", None),
    ("++251911234567", None),
    ("0911234567", None),
    ("9" * 25, "ET"),
    ("112", "ET"),
]


@pytest.mark.parametrize(("written", "same"), SAME_EMAIL)
def test_every_spelling_of_an_address_is_one(written: str, same: str) -> None:
    assert points.normalise("email", written)[0] == same


@pytest.mark.parametrize("written", NO_EMAIL)
def test_what_is_no_address_is_refused_with_a_sentence(written: str) -> None:
    with pytest.raises(Refusal) as refused:
        points.normalise("email", written, field="from.email")
    assert refused.value.field == "from.email" and refused.value.text.endswith((".", ")"))


@pytest.mark.parametrize(("written", "country", "same"), SAME_PHONE)
def test_every_spelling_of_a_number_is_one(written: str, country: str | None, same: str) -> None:
    assert points.normalise("phone", written, country)[0] == same


@pytest.mark.parametrize(("written", "country"), NO_PHONE)
def test_what_is_no_number_is_refused_with_a_sentence(written: str, country: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        points.normalise("phone", written, country, field="phone")
    assert refused.value.field == "phone"


def test_an_id_of_another_channel_stays_as_it_came() -> None:
    assert points.normalise("visitor", "AbC-9") == ("AbC-9", "AbC-9")
