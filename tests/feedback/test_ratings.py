"""What visitors think of how they were helped: one record a ticket, a low one puts it back before a person."""

from typing import Any

import pytest

from hub.clock import DAY, HOUR, ManualClock
from hub.desk import assignment, tags, tickets, visitors
from hub.errors import Refusal
from hub.feedback import ratings
from tests.fixtures.visits import Browser, Hall, hall

__all__ = ["hall"]


async def helped(hall: Hall) -> tuple[Browser, int]:
    """A chat that Ann had and that is over."""
    browser = await hall.browser()
    number = (await browser.says("hello")).number
    await hall.store.write(assignment.claim, hall.ann, number)
    await hall.answers(number, "bye")
    await browser.does(visitors.end)
    return browser, number


async def refused(doing: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await doing
    return caught.value


RECORDS = "SELECT kind, score, score_max, text, about_agent_id, door, by_kind FROM feedback ORDER BY id"


async def test_a_rating_is_a_record_credited_to_who_had_the_ticket(hall: Hall) -> None:
    browser, number = await helped(hall)
    state = await browser.sees()
    assert state.ticket is not None and state.ticket.can_rate and state.ticket.rating is None
    rated = await browser.does(ratings.rate, 5, "Thank you")
    assert (rated.number, rated.score, rated.changed) == (number, 5, False)
    ann = hall.ann.grants.agent_id
    assert await hall.rows(RECORDS) == [("rating", 5, 5, "Thank you", ann, hall.inbox.kind, "contact")]
    assert await hall.value("SELECT status FROM ticket") == "resolved"
    state = await browser.sees()
    assert state.ticket is not None and state.ticket.rating is not None and state.ticket.rating.score == 5


async def test_a_low_one_puts_it_back_open_waiting_marked_and_nobodys_in_one_unit(
    hall: Hall, clock: ManualClock
) -> None:
    browser, _number = await helped(hall)
    clock.advance(HOUR)
    await browser.does(ratings.rate, 2)
    row = await hall.rows("SELECT id, status, waiting_since, assignee_id, resolved_at FROM ticket")
    assert row[0][1:] == ("open", clock.now(), None, None)
    assert await hall.store.read(tags.of_ticket, row[0][0]) == ("low rating",)
    assert [e["because"] for e in await hall.events("ticket.reopened")] == ["feedback"]
    names = [r[0] for r in await hall.rows("SELECT name FROM event WHERE at = :at ORDER BY id", at=clock.now())]
    assert names == ["feedback.recorded", "tag.created", "ticket.tagged", "ticket.assigned", "ticket.reopened"]
    assert await hall.value("SELECT about_agent_id FROM feedback") == hall.ann.grants.agent_id
    assert await hall.value("SELECT load FROM agent") == 0
    state = await browser.sees()
    assert state.ticket is not None and state.ticket.position == 0


async def test_for_a_day_it_can_be_changed_and_stays_one_record(hall: Hall, clock: ManualClock) -> None:
    browser, number = await helped(hall)
    await browser.does(ratings.rate, 5)
    await browser.does(ratings.rate, 5)
    assert await hall.events("feedback.changed") == []
    clock.advance(23 * HOUR)
    assert (await browser.does(ratings.rate, 1, "It broke again")).changed
    assert [r[1:4] for r in await hall.rows(RECORDS)] == [(1, 5, "It broke again")]
    assert await hall.value("SELECT status FROM ticket") == "open"
    await browser.does(ratings.rate, 2, "It broke again")
    assert len(await hall.events("ticket.reopened")) == 1, "it is before a person already"
    clock.advance(2 * HOUR)
    assert (await refused(browser.does(ratings.rate, 4))).code == "conflict"
    await hall.store.write(tickets.resolve, hall.ann, number)
    assert not (await browser.does(ratings.rate, 4)).changed
    assert [r[1] for r in await hall.rows(RECORDS)] == [2, 4]
    clock.advance(DAY)
    assert (await refused(browser.does(ratings.rate, 5))).code == "conflict"


async def test_only_what_is_over_and_ones_own_can_be_rated_from_one_to_five(hall: Hall) -> None:
    browser, number = await helped(hall)
    stranger = await hall.browser()
    assert (await refused(stranger.does(ratings.rate, 5))).code == "not_found"
    assert (await refused(stranger.does(ratings.rate, 5, "", number))).code == "not_found"
    await stranger.says("hello")
    assert (await refused(stranger.does(ratings.rate, 5))).code == "conflict"
    for score in (0, 6, -1):
        assert (await refused(browser.does(ratings.rate, score))).field == "score"
    assert (await refused(browser.does(ratings.rate, 5, "x" * 10_001))).field == "text"
    assert await hall.rows(RECORDS) == []


async def test_what_counts_as_low_is_set_and_ratings_can_be_off(hall: Hall) -> None:
    await hall.set(low_score=0)
    browser, _ = await helped(hall)
    await browser.does(ratings.rate, 1)
    assert await hall.value("SELECT status FROM ticket") == "resolved"
    await hall.set(rating=False)
    other, _ = await helped(hall)
    assert (await refused(other.does(ratings.rate, 1))).code == "conflict"
