"""What is held for some seconds or until a time: undone in time or said in time, never both, and not once the contact
has written first."""

import asyncio
import itertools
from typing import Any

import pytest

from hub.clock import DAY, HOUR, MINUTE, SECOND
from hub.connector import Message, Point, Rejected, Retry, Sender
from hub.db.store import Store
from hub.desk import deliveries, incoming, planned, replies
from hub.errors import Refusal
from hub.staff.access import DESK
from tests.work.desk import BOSS, Desk, Options, Pigeons, build

_numbers = itertools.count(1)


async def says(desk: Desk, text: str = "Hello", **when: Any) -> replies.Replied:
    number = next(_numbers)
    return await desk.store.write(replies.reply, BOSS, desk.number, text, external_id=f"planned-{number}", **when)


async def later(desk: Desk, after: int = DAY, text: str = "Good morning") -> replies.Replied:
    now = await desk.store.read(lambda rx: rx.now)
    return await says(desk, text, send_at=now + after)


async def hears(desk: Desk, text: str = "One more thing") -> None:
    sender = Sender(Point("email", "eve@example.net"), "Eve", "attested")
    message = Message(external_id=f"in-{next(_numbers)}-{text}", sender=sender, text=text)
    await desk.store.write(incoming.receive, desk.inbox, message)


async def events(desk: Desk, *names: str) -> list[str]:
    rows = await desk.store.read(lambda rx: rx.rows("SELECT name FROM event ORDER BY id"))
    return [row[0] for row in rows if row[0] in names]


async def waits(desk: Desk) -> bool:
    since = await desk.store.read(
        lambda rx: rx.value("SELECT waiting_since FROM ticket WHERE number = :n", n=desk.number)
    )
    return since is not None


async def test_what_can_be_undone_is_stored_at_once_and_said_when_its_seconds_are_over(desk: Desk) -> None:
    said = await says(desk, hold=10)
    (delivery,) = said.deliveries
    now = await desk.store.read(lambda rx: rx.now)
    assert said.send_at == now + 10 * SECOND
    await asyncio.sleep(0.05)
    assert (await desk.state(delivery))[0] == "held" and Pigeons.carried == []
    assert await waits(desk), "nothing was said yet"
    assert await events(desk, "message.planned", "message.sent") == ["message.planned"]
    await desk.pass_time(10 * SECOND)
    await desk.becomes(delivery, "sent")
    assert [part.text for part in Pigeons.carried] == ["Hello"] and not await waits(desk)
    assert await events(desk, "message.planned", "message.sent") == ["message.planned", "message.sent"]


async def test_undone_in_time_it_never_leaves_and_the_customer_waits_as_before(desk: Desk) -> None:
    (delivery,) = (await says(desk, hold=5)).deliveries
    await desk.store.write(deliveries.cancel, BOSS, delivery)
    await desk.pass_time(MINUTE)
    await asyncio.sleep(0.05)
    await desk.settled()
    assert Pigeons.carried == [] and (await desk.state(delivery))[0] == "cancelled"
    assert await waits(desk) and await events(desk, "message.sent") == []
    with pytest.raises(Refusal, match="cancelled already"):
        await desk.store.write(deliveries.cancel, BOSS, delivery)


async def test_what_was_undone_can_be_sent_after_all(desk: Desk) -> None:
    (delivery,) = (await says(desk, hold=5)).deliveries
    await desk.store.write(deliveries.cancel, BOSS, delivery)
    await desk.store.write(deliveries.resend, BOSS, delivery)
    await desk.becomes(delivery, "sent")
    await desk.pass_time(MINUTE)
    await asyncio.sleep(0.05)
    await desk.settled()
    assert len(Pigeons.carried) == 1 and await events(desk, "message.sent") == ["message.sent"]


async def test_all_parts_are_called_back_together_and_once_one_has_left_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    monkeypatch.setattr(Pigeons, "features", dataclasses.replace(Pigeons.features, max_text=10))
    first = await says(desk, "one two three four five", hold=5)
    assert len(first.deliveries) == 3
    await desk.store.write(deliveries.cancel, BOSS, first.deliveries[1])
    assert {(await desk.state(one))[0] for one in first.deliveries} == {"cancelled"}
    Pigeons.script.extend([None, Retry(reason="storm")])
    second = await says(desk, "six seven eight nine", hold=5)
    await desk.pass_time(5 * SECOND)
    await desk.becomes(second.deliveries[0], "sent")
    async with asyncio.timeout(20):  # the pause begins when the storm was met, which takes a moment
        while (await desk.state(second.deliveries[-1]))[0] != "sent":
            await desk.pass_time(MINUTE)
            await asyncio.sleep(0.05)
    assert await events(desk, "message.sent") == ["message.sent"]


async def test_what_is_said_at_once_is_not_kept_waiting_by_what_is_planned(desk: Desk) -> None:
    (first,) = (await later(desk)).deliveries
    (second,) = (await says(desk, "Now")).deliveries
    await desk.becomes(second, "sent")
    assert (await desk.state(first))[0] == "held"
    await desk.pass_time(DAY)
    await desk.becomes(first, "sent")
    assert [part.text for part in Pigeons.carried] == ["Now", "Good morning"]


async def test_planned_for_later_it_is_called_back_when_they_write_first_and_an_undo_is_not(desk: Desk) -> None:
    (tomorrow,) = (await later(desk)).deliveries
    (going,) = (await says(desk, "Bye", hold=20)).deliveries
    await hears(desk)
    assert (await desk.state(tomorrow))[:2] == ("cancelled", planned.WROTE_FIRST)
    assert (await desk.state(going))[0] == "held"
    by = await desk.store.read(
        lambda rx: rx.value("SELECT by_kind FROM event WHERE name = 'delivery.cancelled' ORDER BY id DESC LIMIT 1")
    )
    assert by == "contact"
    await desk.pass_time(2 * DAY)
    await desk.becomes(going, "sent")
    assert [part.text for part in Pigeons.carried] == ["Bye"]


async def test_of_what_they_write_and_what_is_due_whichever_is_committed_first_holds(desk: Desk) -> None:
    """A message from them races with the job: what was called back never left."""
    for round in range(12):
        made = await later(desk, HOUR, f"round {round}")
        await desk.settled()
        desk.store.clock.advance(HOUR)  # type: ignore[attr-defined]
        desk.runner.worker.wake()
        if round % 3:
            await asyncio.sleep(0.001 * (round % 3))
        await hears(desk, f"answer {round}")
        async with asyncio.timeout(30):
            while (await desk.state(made.deliveries[0]))[0] not in ("sent", "cancelled"):
                await asyncio.sleep(0.005)
        left = [part.text for part in Pigeons.carried].count(f"round {round}")
        assert left == int((await desk.state(made.deliveries[0]))[0] == "sent")


async def test_a_time_can_be_moved_both_ways_and_made_now(desk: Desk) -> None:
    made = [(await later(desk, DAY, text)).deliveries[0] for text in ("sooner", "later", "now")]
    now = await desk.store.read(lambda rx: rx.now)
    await desk.store.write(planned.move, BOSS, made[0], now + HOUR)
    await desk.store.write(planned.move, BOSS, made[1], now + 2 * DAY)
    await desk.store.write(planned.move, BOSS, made[2], None)
    await desk.becomes(made[2], "sent")
    await desk.pass_time(HOUR)
    await desk.becomes(made[0], "sent")
    await desk.pass_time(DAY)
    await asyncio.sleep(0.05)
    await desk.settled()
    assert (await desk.state(made[1]))[0] == "held", "the job of the first time does nothing"
    await desk.pass_time(DAY)
    await desk.becomes(made[1], "sent")
    assert sorted(part.text for part in Pigeons.carried) == ["later", "now", "sooner"]
    with pytest.raises(Refusal, match="not waiting"):
        await desk.store.write(planned.move, BOSS, made[1], None)


@pytest.mark.parametrize("after", [-DAY, 0, 10 * SECOND, 400 * DAY])
async def test_a_time_that_is_over_or_too_far_away_is_refused(desk: Desk, after: int) -> None:
    with pytest.raises(Refusal) as refused:
        await later(desk, after)
    assert refused.value.field == "send_at"


async def test_a_desk_that_was_down_when_it_was_due_says_it_when_it_comes_back(store: Store) -> None:
    desk = await build(store)
    async with desk.runner:
        (undo,) = (await says(desk, "soon", hold=5)).deliveries
        (tomorrow,) = (await later(desk)).deliveries
    store.clock.advance(3 * DAY)  # type: ignore[attr-defined]
    async with type(desk.runner)(store, desk.runner.sealer, Options()):
        await desk.becomes(undo, "sent")
        await desk.becomes(tomorrow, "sent")
    assert [part.text for part in Pigeons.carried] == ["soon", "Good morning"]


async def test_what_has_no_end_yet_is_listed_newest_first_and_by_state(desk: Desk) -> None:
    Pigeons.script.append(Rejected("No such roof."))
    (wrong,) = (await says(desk, "a")).deliveries
    await desk.becomes(wrong, "failed")
    (tomorrow,) = (await later(desk)).deliveries

    def listed(**filters: Any) -> Any:
        return desk.store.read(lambda rx: [one.id for one in planned.listed(rx, DESK, **filters)])

    assert await listed() == [tomorrow, wrong]
    assert await listed(states=("planned",)) == [tomorrow]
    assert await listed(states=("unknown", "failed")) == [wrong]
    assert await listed(states=("held",)) == []
    assert await listed(before=tomorrow) == [wrong]
    mine = await desk.store.read(lambda rx: planned.listed(rx, BOSS, mine=True))
    assert [one.text for one in mine] == ["Good morning", "a"]
