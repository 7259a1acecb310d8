"""The texts of console and widget: all of them collected, all of them translated, plurals and dates right."""

import json
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from hub import catalogues

ROOT = Path(__file__).parents[2]
SOURCES = {
    "console": [*(ROOT / "agents_ui" / "templates").rglob("*.html"), *(ROOT / "agents_ui" / "js").rglob("*.js")],
    "widget": [path for path in (ROOT / "widget").rglob("*") if path.suffix in (".js", ".html")],
}
TRANSLATED = [lang for lang in catalogues.LANGUAGES if lang != catalogues.SOURCE]
# Not how Babel looks for them, on purpose: it loses some inside nested templates without a word.
CALL = re.compile(r"""(?<![\w.])(?:_|ngettext)\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")""")
HOLES = re.compile(r"\{\d\}")


def collected(domain: str) -> list[Message]:
    with (ROOT / "locale" / f"{domain}.pot").open("rb") as file:
        return [message for message in read_po(file) if message.id]


def first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


@pytest.mark.parametrize("domain", catalogues.DOMAINS)
def test_every_text_that_is_shown_has_been_collected(domain: str) -> None:
    written = set()
    for path in SOURCES[domain]:
        if not {"vendor", "tests"} & set(path.parts):
            written |= {one or two for one, two in CALL.findall(path.read_text())}
    known = {first(message) for message in collected(domain)}
    assert written
    assert written - known == set(), "run bin/messages; what it does not find, write simpler"
    assert known - written == set(), "run bin/messages"


@pytest.mark.parametrize("lang", TRANSLATED)
@pytest.mark.parametrize("domain", catalogues.DOMAINS)
def test_every_text_is_translated_with_all_that_belongs_into_it(domain: str, lang: str) -> None:
    texts = catalogues.load(domain, lang)
    forms = len(set(json.loads(texts.as_json())["plural"]))
    for message in collected(domain):
        told = texts.messages.get(first(message))
        assert told, first(message)
        if isinstance(message.id, str):
            assert isinstance(told, str)
            assert sorted(HOLES.findall(told)) == sorted(HOLES.findall(message.id)), told
        else:
            assert isinstance(told, list)
            assert len(told) >= forms
            assert set(HOLES.findall(" ".join(told))) <= set(HOLES.findall(message.id[1]))


@pytest.mark.parametrize(
    ("lang", "number", "said"),
    [
        ("en", 1, "1 day"),
        ("en", 0, "0 days"),
        ("ru", 21, "21 день"),
        ("ru", 1_000_012, "1000012 дней"),
        ("km", 1, "1 ថ្ងៃ"),
        ("am", 0, "0 ቀን"),
        ("am", 2, "2 ቀናት"),
        ("ar", 2, "يومين"),
        ("ar", 11, "11 يومًا"),
        ("ar", 100, "100 يوم"),
    ],
)
def test_numbers_have_the_form_that_the_language_wants(lang: str, number: int, said: str) -> None:
    assert catalogues.load("console", lang).ngettext("{0} day", "{0} days", number) == said


@pytest.mark.parametrize("lang", catalogues.LANGUAGES)
def test_two_hundred_digits_tell_the_form_of_every_number(lang: str) -> None:
    texts = catalogues.load("console", lang)
    digits = json.loads(texts.as_json())["plural"]
    assert len(digits) == catalogues.PLURALS
    for number in (*range(1_000), *range(999_000, 1_001_000)):
        assert int(digits[number if number < 200 else 100 + number % 100]) == texts._plural(number)


def test_khmer_dates_come_along_since_browsers_lack_them() -> None:
    dt = catalogues.dates("km")
    assert dt["months"][0] == "មករា"
    assert len(dt["months"]) == len(dt["monthsShort"]) == 12
    assert len(dt["days"]) == 7
    assert dt["full"] == "d MMMM y"


def test_a_name_that_runs_the_other_way_leaves_the_sentence_as_it_is() -> None:
    assert catalogues.load("console", "ar").gettext("Welcome, {0}", "Anna").endswith("\u2068Anna\u2069")
    assert catalogues.load("console", "en").gettext("Welcome, {0}", "ليلى") == "Welcome, \u2068ليلى\u2069"
    assert catalogues.load("console", "en").gettext("Welcome, {0}", "Anna") == "Welcome, Anna"


@pytest.mark.parametrize(
    ("accepted", "wish", "found"),
    [
        (None, None, "en"),
        ("fr, de", None, "en"),
        ("km-KH, en;q=0.5", None, "km"),
        ("en;q=0.2, ar;q=0.8", None, "ar"),
        ("en", "am", "am"),
        ("ru", "fr", "ru"),
        ("q=;;;,,,=", None, "en"),
        ("ru;q=9.9.9, " * 20, None, "en"),
    ],
)
def test_the_language_is_the_reader_s_own(accepted: str | None, wish: str | None, found: str) -> None:
    assert catalogues.best(accepted, wish=wish) == found
