"""Judging what was written, and the message made of it."""

from typing import Any

import pytest

from connectors.form import filled, settings, tokens, words
from connectors.form.body import Fields
from connectors.form.settings import FormSettings
from hub.connector import Consent, Point, WrongSetting

NOW = 1_790_000_000_000
KEY = b"k" * 32


def fields(**values: str) -> Fields:
    found = Fields()
    for name, value in {"name": "Ann", "email": "ann@example.org", "message": "Where is it?", **values}.items():
        found.add(name, value)
    return found


def fine(point: Point) -> str | None:
    return None


def wrong(values: Fields, **chosen: Any) -> dict[str, str]:
    return {name: key for name, (key, _) in filled.judge(FormSettings(**chosen), values, fine).items()}


def made(values: Fields, token: tokens.Token | None = None, referer: str | None = None, **chosen: Any) -> Any:
    return filled.message(FormSettings(**chosen), values, token, NOW, referer, "en")


def test_each_wrong_value_is_named() -> None:
    assert wrong(fields()) == {}
    assert wrong(fields(name="")) == {"name": "empty"}
    assert wrong(fields(name=""), name_required=False) == {}
    assert wrong(fields(name="x" * 201)) == {"name": "too_long"}
    assert wrong(fields(message=" \u200b\n")) == {"message": "empty"}
    assert wrong(fields(message="x" * 10_001)) == {"message": "too_long"}
    assert wrong(fields(message="x" * 10_000)) == {}
    assert wrong(fields(subject="a\x00b", message="\ud800")) == {"subject": "bad_character", "message": "bad_character"}
    assert wrong(fields(email="")) == {"email": "one_of_two"}
    assert wrong(fields(email=""), ask="email") == {"email": "empty"}
    assert wrong(fields(), ask="both") == {"phone": "empty"}
    assert wrong(fields(email="a@example.org\nBcc: b@example.org")) == {"email": "not_email"}
    assert wrong(fields(email="a%0ab@example.org")) == {"email": "not_email"}


def test_a_consent_is_one_exact_value_or_it_is_none() -> None:
    asked = {"consent": "You may store this."}
    for value in ("", "false", "true", "no", "on", "1", "YES", " yes"):
        assert wrong(fields(consent_privacy=value), **asked) == {"consent_privacy": "consent"}
    assert wrong(fields(consent_privacy="yes"), **asked) == {}


def test_yes_and_no_are_kept_in_the_words_that_were_shown() -> None:
    token = tokens.Token(NOW - 60_000, "00")
    chosen: dict[str, Any] = {"consent": "You may store this.", "marketing": "Send me news."}
    given = made(fields(consent_privacy="yes"), token, **chosen).sender.consents
    assert given == (
        Consent("privacy", True, "You may store this."),
        Consent("marketing", False, "Send me news."),
    )
    # Whether the box for news stood on a firm's own page is not known, so leaving it out refuses nothing.
    assert made(fields(consent_privacy="yes"), **chosen).sender.consents == given[:1]


def test_a_given_answer_has_to_be_one_of_those_offered() -> None:
    chosen: dict[str, Any] = {"selects": ("Topic*: Delivery | Payment", "Size: S | M")}
    assert wrong(fields(select_1="Delivery"), **chosen) == {}
    assert wrong(fields(), **chosen) == {"select_1": "no_choice"}
    assert wrong(fields(select_1="<script>", select_2="XXL"), **chosen) == {
        "select_1": "no_choice",
        "select_2": "no_choice",
    }
    assert made(fields(select_1="Delivery"), **chosen).details["answers"] == {"Topic": "Delivery"}


def test_what_has_no_field_of_its_own_is_kept_all_the_same() -> None:
    details = made(fields(order_number="A-17", department_id="99")).details
    assert details["fields"] == {"order_number": "A-17", "department_id": "99"}


@pytest.mark.parametrize(
    ("text", "spam"),
    [
        ("https://a.example https://b.example/x?y", True),
        ("http://a.example\n\n -> www.b.example", True),
        ("See https://a.example please", False),
        ("https://a.example 退款", False),
        ("No link at all", False),
    ],
)
def test_a_message_of_links_only_is_suspicious(text: str, spam: bool) -> None:
    assert bool(made(fields(message=text)).suspicion) is spam


def test_a_trap_and_haste_are_suspicious_and_stored() -> None:
    assert "do not see" in made(fields(website="x")).suspicion
    assert made(fields(), tokens.Token(NOW - 200, "00")).suspicion == "It was sent 0.2 s after the form was shown."
    assert made(fields(), tokens.Token(NOW - 2_000, "00")).suspicion is None
    assert made(fields(), None).suspicion is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Shop.Example/cart?token=1#x", "https://shop.example/cart"),
        ("http://user:secret@shop.example:8080/a", "http://shop.example:8080/a"),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("javascript:alert(1)", None),
        (" JavaScript:alert(1)", None),
        ("data:text/html,x", None),
        ("//shop.example/a", None),
        ("https://", None),
        ("https://a b/", None),
        ("http://[::1", None),
        ("https://x:99999/", None),
        ("", None),
    ],
)
def test_only_addresses_of_the_web_are_kept_and_without_query(given: str, kept: str | None) -> None:
    assert filled.web_address(given) == kept


def test_where_it_came_from_is_kept() -> None:
    source = made(
        fields(page="javascript:1", referrer="https://search.example/?q=x", utm_source="flyer", place="Branch 7"),
        referer="https://shop.example/contact?id=1",
    ).source
    assert (source.place, source.page, source.referrer) == ("Branch 7", None, "https://search.example/")
    assert source.utm == {"source": "flyer"}
    assert made(fields(), referer="https://shop.example/contact?id=1").source.page == "https://shop.example/contact"
    assert made(fields(), place="Kiosk").source.place == "Kiosk"


def test_ids_tell_the_same_from_another() -> None:
    token = tokens.Token(NOW, "ab12")
    assert filled.external_id(token, fields(), NOW) == "page:ab12"
    one = filled.external_id(None, fields(client_id="order-17"), NOW)
    assert one == filled.external_id(None, fields(client_id="order-17", message="other"), NOW + 10**9)
    words_id = filled.external_id(None, fields(), NOW)
    assert words_id == filled.external_id(None, fields(), NOW + 1_000)
    assert words_id != filled.external_id(None, fields(message="Else"), NOW)
    assert words_id != filled.external_id(None, fields(), NOW + filled.WINDOW_MS)


def test_a_token_holds_for_its_inbox_and_nothing_else() -> None:
    token = tokens.make(KEY, NOW)
    found = tokens.read(KEY, token)
    assert found is not None and found.issued_at == NOW
    assert tokens.read(b"l" * 32, token) is None
    assert tokens.make(KEY, NOW) != token
    for forged in ("", "x", token[:-1], token + "A", "B" + token[1:], "é" * 48, "=" * 48, "A" * 10_000):
        assert tokens.read(KEY, forged) is None
    assert tokens.read_number(KEY, tokens.sign_number(KEY, 1042)) == 1042
    assert tokens.read_number(KEY, token) is None
    assert tokens.read_number(b"l" * 32, tokens.sign_number(KEY, 1042)) is None


def test_every_language_says_everything_with_the_same_blanks() -> None:
    import re

    english = words.LANGUAGES["en"]
    for language, table in words.LANGUAGES.items():
        assert table.keys() == english.keys(), language
        for key, text in table.items():
            blanks = re.findall(r"\{\w+\}", text)
            assert sorted(blanks) == sorted(re.findall(r"\{\w+\}", english[key])), (language, key)


@pytest.mark.parametrize(
    ("asked", "inbox", "accepts", "language"),
    [
        ("", None, None, "en"),
        ("", None, "km-KH, en;q=0.8", "km"),
        ("", None, "fr, de;q=0.9, am;q=0.5, ru;q=0.7", "ru"),
        ("", None, ";;,q=x;q=y,*;q=nan", "en"),
        ("", "am", "ru", "am"),
        ("ar", "am", "ru", "ar"),
        ("xx", "fr", "ru-RU", "ru"),
    ],
)
def test_the_language_is_the_one_asked_for(asked: str, inbox: str | None, accepts: str | None, language: str) -> None:
    assert words.choose(asked, inbox, accepts) == language


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"colour": "#12345"}, "colour"),
        ({"selects": ("Topic",)}, "selects"),
        ({"selects": ("Topic: one",)}, "selects"),
        ({"selects": (": a | b",)}, "selects"),
        ({"selects": ("Q: a | b",) * 11}, "selects"),
        ({"servers": ("shop.example",)}, "servers"),
    ],
)
def test_wrong_settings_are_named(chosen: dict[str, Any], field: str) -> None:
    with pytest.raises(WrongSetting) as refused:
        FormSettings(**chosen)
    assert refused.value.field == field


def test_letters_on_the_brand_colour_can_be_read() -> None:
    assert settings.ink("#ffffff") == settings.ink("#ffd400") == "#000000"
    assert settings.ink("#000000") == settings.ink("#1f5fbf") == "#ffffff"


def test_own_servers_are_known_by_their_network() -> None:
    chosen = FormSettings(servers=("203.0.113.7", "2001:db8::/48"))
    assert chosen.is_own_server("203.0.113.7") and chosen.is_own_server("2001:db8::5")
    assert not chosen.is_own_server("203.0.113.8") and not chosen.is_own_server("nonsense")
