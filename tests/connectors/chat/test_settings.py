"""What can be set for a chat: colours that can be read, few questions, a secret that is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.chat.settings import CONTRAST, ChatSettings, contrast, front, on
from hub.connector import WrongSetting

colours = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}")


@given(colours)
def test_whatever_the_brand_colour_the_text_on_it_can_be_read(colour: str) -> None:
    assert contrast(colour, on(ChatSettings(colour=colour))) >= CONTRAST


@given(colours, colours)
def test_a_pair_is_taken_just_when_it_can_be_read(colour: str, ink: str) -> None:
    if contrast(colour, ink) >= CONTRAST:
        assert on(ChatSettings(colour=colour, ink=ink)) == ink
    else:
        with pytest.raises(WrongSetting, match="contrast") as caught:
            ChatSettings(colour=colour, ink=ink)
        assert caught.value.field == "ink"


def test_contrast_is_counted_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("colour", "red"),
        ("colour", "#fff"),
        ("colour", "#1d4ed8;}"),
        ("ink", "white"),
        ("title", "x" * 81),
        ("greeting", "x" * 501),
        ("languages", ("en-US",)),
        ("languages", ("../etc",)),
        ("ask", ("name", "email", "phone", "subject")),
        ("ask", ("name", "name*")),
        ("ask", ("age",)),
        ("identity_secret", "too short"),
        ("low_score", 5),
        ("low_score", -1),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(field: str, value: object) -> None:
    with pytest.raises(WrongSetting) as caught:
        ChatSettings(**{field: value})  # type: ignore[arg-type]
    assert caught.value.field == field


def test_browsers_are_told_what_they_show_and_nothing_secret() -> None:
    settings = ChatSettings(identity_secret="x" * 40, title="Shop", languages=("km",))
    told = front(settings)
    assert told["name"] == "Shop" and told["languages"] == ("km",)
    assert "x" * 40 not in repr(settings) and "x" * 40 not in str(told)
    assert not {"identity_secret", "enforce_identity", "low_score", "ask", "offline"} & set(told)
