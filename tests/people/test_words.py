"""By which words a contact is found, in any script."""

import pytest

from hub.people import words

FOUND = [
    ("Abeba Tesfaye", "tes", True),
    ("Abeba Tesfaye", "ABEBA tesf", True),
    ("Abeba Tesfaye", "tesfaye abeba", True),
    ("Abeba Tesfaye", "beba", False),
    ("O'Brien-Smith", "smith", True),
    ("O'Brien-Smith", "brien", True),
    ("Ｏｔａ", "ota", True),
    ("Straße 7", "strasse", True),
    ("ann.lee@example.org", "lee@exam", True),
    ("ann.lee@example.org", "ann.lee@example.org", True),
    ("王小明", "小明", True),
    ("王小明", "明", True),
    ("王小明", "王明", False),
    ("សុខា វណ្ណៈ", "វណ្ណ", True),
    ("สมชาย", "ชาย", True),
    ("ሰላማዊት", "ሰላ", True),
    ("سارة أحمد", "أحمد", True),
    ("Зоя", "зо", True),
    ("Room 007", "7", True),
    ("Room 007", "007", True),
    ("บ้าน ๑๒๓", "123", True),
    ("100%", "%", False),
    ("a_b", "a_b", True),
]


def found(text: str, asked: str) -> bool:
    have, wanted = set(words.words(text)), words.asked(asked)
    return bool(wanted) and all(any(w.startswith(one) for w in have) for one in wanted)


@pytest.mark.parametrize(("text", "asked", "wanted"), FOUND)
def test_words_are_found_as_they_begin(text: str, asked: str, wanted: bool) -> None:
    assert found(text, asked) is wanted


@pytest.mark.parametrize("asked", ["+251 91 123 4567", "0911 234567", "911-234", "4567", "(0911) 23", "٠٩١١٢٣٤٥٦٧"])
def test_a_number_is_found_with_and_without_its_country(asked: str) -> None:
    have = set(words.of_number("+251911234567"))
    assert all(any(w.startswith(one) for w in have) for one in words.asked(asked))


def test_neither_a_long_text_nor_a_long_search_grows_without_end() -> None:
    assert max(map(len, words.words("x" * 10_000))) == words.LONGEST
    assert len(words.asked("a b c d e f g h i j k l")) == words.ASKED
    assert words.asked(" \u200b.,;% ") == ()
