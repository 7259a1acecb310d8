"""Who follows a ticket and whom a note calls: only those who may see it, and only as long as they may."""

import pytest

from hub.db.tx import Tx
from hub.desk import assignment, counts, followers, lists, notes, reading, tickets
from hub.errors import Refusal
from hub.staff.access import Caller
from tests.fixtures.office import Office

ALLOWED = """UPDATE role SET sees = 'everything', permissions = '["tickets.read"]' WHERE name = :n"""


async def sees_all(office: Office, *names: str) -> None:
    def allow(tx: Tx) -> None:
        for name in names:
            tx.run(ALLOWED, n=f"{name}'s")

    await office.store.write(allow)


async def numbers(office: Office, who: Caller, view: lists.View) -> list[int]:
    page, _ = await office.store.read(lists.listed, who, lists.Filter(view=view))
    return [found.ticket.number for found in page]


async def test_whom_a_note_calls_follows_the_ticket_and_has_it_in_their_view_until_they_look(office: Office) -> None:
    await sees_all(office, "ann")
    got = await office.hears("hi")
    ann = office.ann.grants.agent_id
    await office.does(notes.write, office.boss, got.number, "Ann?", (ann, ann))
    thread = await office.store.read(lists.thread, office.boss, got.number)
    assert [note.mentions for note in thread.notes] == [(ann,)]
    assert await office.store.read(followers.of_ticket, got.ticket_id) == (ann,)
    happened, _ = await office.store.read(lists.events, office.boss, got.number)
    assert [one.name for one in happened][:3] == ["agent.mentioned", "ticket.followed", "note.written"]
    assert await numbers(office, office.ann, "mentions") == await numbers(office, office.ann, "following")
    assert (await office.store.read(counts.of, office.ann)).mentions == 1
    await office.does(reading.mark_read, office.ann, got.number, got.message_id)
    assert (await office.store.read(counts.of, office.ann)).mentions == 0
    assert await numbers(office, office.ann, "mentions") == [got.number]
    await office.does(followers.unfollow, office.ann, got.number)
    assert await numbers(office, office.ann, "following") == []


async def test_a_note_calls_nobody_who_may_not_see_the_ticket_and_says_who_that_is(office: Office) -> None:
    got = await office.hears("hi")
    bob = office.bob.grants.agent_id
    for who, says in ((bob, "bob cannot see"), (9_999, "no such agent")):
        with pytest.raises(Refusal, match=says) as refused:
            await office.does(notes.write, office.boss, got.number, "Look", (who,))
        assert refused.value.field == "mentions"
    thread = await office.store.read(lists.thread, office.boss, got.number)
    assert thread.notes == []
    with pytest.raises(Refusal, match="at most 50"):
        await office.does(notes.write, office.boss, got.number, "Look", tuple(range(1, 52)))


async def test_a_call_does_not_show_a_ticket_that_was_taken_out_of_sight(office: Office) -> None:
    await sees_all(office, "ann")
    got = await office.hears("hi")
    await office.does(notes.write, office.boss, got.number, "Ann?", (office.ann.grants.agent_id,))
    await office.does(tickets.mark_spam, office.boss, got.number, True)
    assert (await office.store.read(counts.of, office.ann)).mentions == 0
    await office.does(tickets.mark_spam, office.boss, got.number, False)
    mute = office.mute.id
    await office.store.write(lambda tx: tx.run("UPDATE ticket SET inbox_id = :i, team_id = NULL", i=mute))
    assert (await office.store.read(counts.of, office.ann)).mentions == 0
    views: tuple[lists.View, ...] = ("mentions", "following")
    for view in views:
        assert await numbers(office, office.ann, view) == []
    assert (await office.store.read(counts.of, office.boss)).mentions == 0


async def test_a_ticket_is_handed_over_with_a_word_on_it_or_not_at_all(office: Office) -> None:
    await sees_all(office, "ann")
    got = await office.hears("hi")
    ann, boss = office.ann.grants.agent_id, office.boss.grants.agent_id
    await office.does(assignment.claim, office.boss, got.number)
    bad: tuple[dict[str, int], ...] = (
        {"to": office.bob.grants.agent_id},
        {"team_id": 999},
        {"to": ann, "team_id": 1},
        {},
    )
    for wrong in bad:
        with pytest.raises(Refusal):
            await office.does(
                assignment.hand_over, office.boss, got.number, "Yours", **{"to": None, "team_id": None} | wrong
            )
    thread = await office.store.read(lists.thread, office.boss, got.number)
    assert (thread.notes, thread.ticket.assignee_id) == ([], boss)
    await office.does(assignment.hand_over, office.boss, got.number, "Yours", to=ann, team_id=None)
    thread = await office.store.read(lists.thread, office.boss, got.number)
    assert ([note.text for note in thread.notes], thread.ticket.assignee_id) == (["Yours"], ann)
    happened, _ = await office.store.read(lists.events, office.boss, got.number)
    assert '"handed_over"' in happened[0].payload
    team = await office.store.write(
        lambda tx: tx.insert("INSERT INTO team (name, name_folded, created_at) VALUES ('x', 'x', 0) RETURNING id")
    )
    await office.does(assignment.hand_over, office.ann, got.number, "Rather theirs", to=None, team_id=team)
    thread = await office.store.read(lists.thread, office.boss, got.number)
    assert (thread.ticket.assignee_id, thread.ticket.team_id) == (None, team)
