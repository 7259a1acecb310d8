"""A snooze ends at its time, not before and not after; or when the contact writes, whichever comes first."""

import asyncio

import pytest

from hub.clock import HOUR
from hub.connector import Message
from hub.desk import ticket as gate
from hub.desk import tickets
from tests.work.desk import BOSS, Desk
from tests.work.test_inbound import EVE, take


async def status(desk: Desk) -> str:
    found = await desk.store.read(gate.by_number, desk.number)
    assert found is not None
    return found.status


async def becomes(desk: Desk, wanted: str) -> None:
    async with asyncio.timeout(30):
        while await status(desk) != wanted:
            await asyncio.sleep(0.01)


@pytest.fixture
def until(desk: Desk) -> int:
    return desk.store.clock.now() + HOUR


async def test_it_wakes_at_its_time_to_the_millisecond(desk: Desk, until: int) -> None:
    await desk.store.write(tickets.snooze, BOSS, desk.number, until)
    await desk.pass_time(HOUR - 1)
    await asyncio.sleep(0.05)
    await desk.settled()
    assert await status(desk) == "snoozed"
    await desk.pass_time(1)
    await becomes(desk, "open")


@pytest.mark.parametrize("timed", [True, False])
async def test_the_contacts_word_wakes_it_at_once_and_the_timer_does_nothing_more(
    desk: Desk, until: int, timed: bool
) -> None:
    await desk.store.write(tickets.snooze, BOSS, desk.number, until if timed else None)
    await take(desk, Message(external_id="wake", sender=EVE, text="Hello?", in_reply_to="in-1"))
    assert await status(desk) == "open"
    await desk.store.write(tickets.resolve, BOSS, desk.number)
    await desk.pass_time(2 * HOUR)
    await asyncio.sleep(0.05)
    await desk.settled()
    assert await status(desk) == "resolved"


async def test_one_that_was_set_anew_ends_at_the_later_time(desk: Desk, until: int) -> None:
    await desk.store.write(tickets.snooze, BOSS, desk.number, until)
    await desk.store.write(tickets.snooze, BOSS, desk.number, until + HOUR)
    await desk.pass_time(HOUR)
    await asyncio.sleep(0.05)
    await desk.settled()
    assert await status(desk) == "snoozed"
    await desk.pass_time(HOUR)
    await becomes(desk, "open")
