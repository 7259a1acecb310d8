"""The script as text: what stands in it can be read, played at any hour, and is in five languages."""

import re

import pytest

from hub.clock import DAY, HOUR, MINUTE
from hub.sample import cast, play, script
from hub.sample.script import Wrong

ANY_DAY = 1_790_000_000_000


def test_forty_stories_in_five_languages() -> None:
    told = script.stories()
    assert len(told) == 40 == len({story.name for story in told})
    for language in ("en", "ru", "km", "am", "ar"):
        assert sum(story.language == language for story in told) == 8
    assert len({story.email for story in told}) == 40
    assert all(story.email.endswith(".example") for story in told), "nobody can be written to there, ever"


def test_every_step_is_one_that_can_be_played() -> None:
    for story in script.stories():
        assert story.inbox in cast.INBOXES and story.door in (cast.LIVE, cast.LETTER), story.name
        assert story.steps[0].who == "they" and story.steps[0].verb == "says", story.name
        for step in story.steps:
            told = {"they": set(play._THEIRS), "it": {"wakes"}}.get(step.who, set(play._OURS))
            assert step.verb in told and (step.who in ("they", "it") or step.who in cast.AGENTS), step
            assert step.text or step.verb not in ("says", "notes", "praise", "complaint"), step
            assert "lorem" not in step.text.lower()


def test_words_are_of_the_language_they_claim() -> None:
    letters = {"ru": "[а-яё]", "km": "[ក-៹]", "am": "[ሀ-፿]", "ar": "[؀-ۿ]"}
    for story in script.stories():
        said = " ".join(step.text for step in story.steps if step.who == "they")
        if story.language in letters:
            assert len(re.findall(letters[story.language], said, re.I)) > len(said) / 2, story.name


@pytest.mark.parametrize("hour", [0, 3, 12, 23])
def test_nothing_lies_in_the_future_and_each_story_keeps_its_order(hour: int) -> None:
    now = ANY_DAY - ANY_DAY % DAY + hour * HOUR + MINUTE
    plan = script.schedule(now)
    assert all(at < now for at, _ in plan) and [at for at, _ in plan] == sorted(at for at, _ in plan)
    assert now - plan[0][0] > 12 * DAY, "two weeks of it"
    for story in script.stories():
        assert [step.number for _, step in plan if step.story == story.name] == list(range(len(story.steps)))


def test_how_a_story_is_written() -> None:
    text = """# a remark
[one] shop live, 40 minutes ago
Ann Lee <ann@mail.example> en, +1 202 555 0112, Lee & Sons
page /mugs
they: Hello: is it blue?
+1m30s mira: It is.
+2h they rate 5: Good.
"""
    (story,) = script.read(text)
    assert (story.phone, story.company, story.page) == ("+1 202 555 0112", "Lee & Sons", "/mugs")
    assert [(s.after, s.who, s.verb, s.what, s.text) for s in story.steps] == [
        (0, "they", "says", "", "Hello: is it blue?"),
        (90_000, "mira", "says", "", "It is."),
        (90_000 + 2 * HOUR, "they", "rate", "5", "Good."),
    ]


def test_a_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(Wrong, match=r"en\.txt:3: 'nonsense!'"):
        script.read("[one] shop live, 4 hours ago\nAnn <a@b.example> en\nnonsense!\n", "en.txt")
