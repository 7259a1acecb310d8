"""What was begun on one device is there on the next; of two that went on with it, none is lost unseen."""

from typing import Any

import pytest

from hub.clock import ManualClock
from hub.desk import assignment, drafts, notes, replies
from hub.errors import Refusal
from hub.events import Told
from tests.fixtures.office import Office


async def mine(office: Office, who: Any = None) -> list[tuple[int, str, str]]:
    found = await office.store.read(drafts.of_caller, who or office.boss)
    return [(one.number, one.mode, one.text) for one in found]


async def test_a_draft_is_ones_own_and_one_of_each_mode(office: Office) -> None:
    got = await office.hears("hi")
    for mode, text in (("reply", "Dear"), ("note", "He is"), ("reply", "Dear Eve,")):
        await office.does(drafts.save, office.boss, got.number, mode, text)
    assert sorted(await mine(office)) == [(got.number, "note", "He is"), (got.number, "reply", "Dear Eve,")]
    assert await mine(office, office.ann) == []
    await office.does(drafts.save, office.boss, got.number, "note", " \n")
    assert await mine(office) == [(got.number, "reply", "Dear Eve,")]


async def test_what_another_device_saved_meanwhile_is_not_written_over(office: Office, clock: ManualClock) -> None:
    got = await office.hears("hi")
    first = await office.does(drafts.save, office.boss, got.number, "reply", "one", base=0)
    second = await office.does(drafts.save, office.boss, got.number, "reply", "two", base=first)
    assert second > first, "also within one millisecond"
    for base in (0, first):
        with pytest.raises(Refusal) as stale:
            await office.does(drafts.save, office.boss, got.number, "reply", "three", base=base)
        assert (stale.value.code, stale.value.extra) == ("stale", {"text": "two", "saved_at": second})
    await office.does(drafts.save, office.boss, got.number, "reply", "three", base=second)
    await office.does(drafts.save, office.boss, got.number, "reply", "", base=None)
    await office.does(drafts.save, office.boss, got.number, "reply", "anew", base=second)
    assert await mine(office) == [(got.number, "reply", "anew")]


async def test_what_is_said_is_begun_no_longer_and_every_window_hears_so(office: Office) -> None:
    got = await office.hears("hi")
    await office.does(drafts.save, office.ann, got.number, "reply", "Hello")
    for mode in ("reply", "note"):
        await office.does(drafts.save, office.boss, got.number, mode, "Hello")
    told: list[Told] = []
    office.store.passing.append(told.extend)
    await office.does(replies.reply, office.boss, got.number, "Hello Eve", external_id="r1")
    assert await mine(office) == [(got.number, "note", "Hello")]
    await office.does(notes.write, office.boss, got.number, "Hello all")
    assert await mine(office) == [] and await mine(office, office.ann) == [(got.number, "reply", "Hello")]
    assert [(one.id, one.frame["mode"], one.frame["text"]) for one in told] == [
        (office.boss.grants.agent_id, "reply", ""),
        (office.boss.grants.agent_id, "note", ""),
    ]


async def test_what_was_begun_anew_on_another_device_outlasts_the_answer(office: Office) -> None:
    got = await office.hears("hi")
    base = await office.does(drafts.save, office.boss, got.number, "reply", "Hello")
    await office.does(drafts.save, office.boss, got.number, "reply", "Hello Eve, I", base=base)  # saved as it was sent
    await office.does(replies.reply, office.boss, got.number, "Hello Eve, I know.", external_id="r1", draft=base)
    assert await mine(office) == []
    base = await office.does(drafts.save, office.boss, got.number, "note", "He is")
    await office.does(drafts.save, office.boss, got.number, "note", "Quite another thing", base=base)
    await office.does(notes.write, office.boss, got.number, "He is late", draft=base)
    assert await mine(office) == [(got.number, "note", "Quite another thing")]
    await office.does(notes.write, office.boss, got.number, "Said by a program")
    assert await mine(office) == []


async def test_a_draft_of_a_ticket_out_of_sight_is_not_shown_and_not_saved(office: Office) -> None:
    got = await office.hears("hi")
    await office.store.write(lambda tx: tx.run("UPDATE role SET sees = 'everything' WHERE name = :n", n="bob's"))
    await office.does(assignment.assign, office.boss, got.number, office.bob.grants.agent_id)
    await office.does(drafts.save, office.bob, got.number, "note", "mine")
    assert len(await mine(office, office.bob)) == 1
    told: list[Told] = []
    await office.does(assignment.assign, office.boss, got.number, None)
    office.store.passing.append(told.extend)
    assert await mine(office, office.bob) == []
    with pytest.raises(Refusal, match="no such ticket"):
        await office.does(drafts.save, office.bob, got.number, "note", "more")
    await office.does(assignment.assign, office.boss, got.number, office.bob.grants.agent_id)
    assert await mine(office, office.bob) == [(got.number, "note", "mine")]
    assert [one.frame["text"] for one in told] == ["mine"], "they learn that it is still there"


async def test_old_drafts_are_swept(office: Office, clock: ManualClock) -> None:
    got = await office.hears("hi")
    await office.does(drafts.save, office.boss, got.number, "reply", "Dear")
    clock.advance(drafts.KEPT)
    assert await office.does(drafts.sweep) == 0
    clock.advance(1)
    assert await office.does(drafts.sweep) == 1
    assert await mine(office) == []
