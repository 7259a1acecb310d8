"""Getting deliveries out: what each way of ending does, and that nobody is written to twice."""

import asyncio
from typing import Any

import pytest

from hub.clock import HOUR, MINUTE, SECOND
from hub.connector import Consent, Found, NotFound, Rejected, Retry, Unknowable, Unknown
from hub.db.store import Store
from hub.desk import deliveries, inboxes, outbox
from hub.events import SYSTEM
from hub.people import consents
from hub.staff.access import DESK
from hub.work import outbound, queue
from tests.work.desk import Desk, Pigeons, build, eventually


async def test_a_reply_goes_out_once_and_is_sent(desk: Desk) -> None:
    delivery = await desk.reply("It is on its way")
    await desk.becomes(delivery, "sent")
    (part,) = Pigeons.carried
    assert (part.text, part.to.value) == ("It is on its way", "eve@example.net")
    assert (await desk.state(delivery))[2] == f"p-{part.id}"


async def test_replies_to_one_address_keep_their_order_when_the_first_has_to_wait(desk: Desk) -> None:
    Pigeons.script.extend([Retry(reason="storm"), Retry(reason="storm")])
    ids = [await desk.reply(f"{number}") for number in range(4)]
    for _ in range(12):
        await asyncio.sleep(0.03)
        await desk.pass_time(10 * SECOND)
    await desk.becomes(ids[-1], "sent")
    assert [part.text for part in Pigeons.carried] == ["0", "1", "2", "3"]


async def test_what_is_refused_fails_with_the_reason_and_the_next_goes_on(desk: Desk) -> None:
    Pigeons.script.append(Rejected("No such roof."))
    first, second = await desk.reply("a"), await desk.reply("b")
    await desk.becomes(second, "sent")
    assert (await desk.state(first))[:2] == ("failed", "No such roof.")


async def test_one_that_can_never_be_sent_is_given_up_after_a_quarter_of_an_hour(desk: Desk) -> None:
    Pigeons.script.extend([Retry(reason="storm")] * 50)
    first = await desk.reply("a")
    second = await desk.reply("b")
    for _ in range(20):
        await asyncio.sleep(0.03)
        await desk.pass_time(2 * MINUTE)
        if (await desk.state(first))[0] == "failed":
            break
    assert "storm" in ((await desk.state(first))[1] or "")
    Pigeons.script.clear()
    await desk.pass_time(HOUR)
    await desk.becomes(second, "sent")


async def test_a_429_makes_the_whole_inbox_wait_as_long_as_it_says_and_no_longer_than_an_hour(desk: Desk) -> None:
    Pigeons.script.append(Retry(30, "slower", whole_account=True))
    first, second = await desk.reply("a"), await desk.reply("b")
    await eventually(lambda: desk.runner.worker.figures.retried[1] >= 1)
    await desk.settled()
    other = await desk.store.write(lambda tx: tx.enqueue("deliver", {"delivery_id": second}, lane=1))
    assert other
    await asyncio.sleep(0.05)
    await desk.pass_time(29 * SECOND)
    await asyncio.sleep(0.05)
    assert Pigeons.carried == []
    assert await desk.state(first) == ("queued", "slower", None)
    await desk.pass_time(1 * SECOND)
    await desk.becomes(first, "sent")
    await desk.becomes(second, "sent")
    assert len(Pigeons.carried) == 2
    assert outbound._milliseconds(1e9) == HOUR
    assert [outbound._milliseconds(odd) for odd in (-1, 0, float("nan"), None)] == [None] * 4


async def test_pauses_of_an_account_do_not_use_up_a_deliverys_time(desk: Desk) -> None:
    Pigeons.script.extend([Retry(3_000, "slower", whole_account=True)] * 5)
    delivery = await desk.reply()
    for _ in range(6):
        await asyncio.sleep(0.05)
        await desk.pass_time(3_000 * SECOND)
    await desk.becomes(delivery, "sent")


@pytest.mark.parametrize(
    ("found", "state", "carried"),
    [(Found("theirs-1"), "sent", 0), (NotFound(), "sent", 1), (Unknowable(), "unknown", 0)],
)
async def test_an_unknown_is_asked_about_and_never_simply_repeated(
    desk: Desk, found: Any, state: str, carried: int
) -> None:
    Pigeons.script.append(Unknown("the wind took the note"))
    Pigeons.found = found
    delivery = await desk.reply()
    await eventually(lambda: desk.runner.worker.figures.retried[1] == 1)
    assert (await desk.state(delivery))[0] == "sending"
    for _ in range(3):
        await desk.pass_time(outbound.ASK_AFTER)
        await asyncio.sleep(0.05)
    await desk.becomes(delivery, state)
    assert len(Pigeons.carried) == carried


async def test_where_nobody_can_be_asked_a_person_decides(store: Store) -> None:
    desk = await build(store, "arrows")
    Pigeons.script.append(RuntimeError("a bug of the connector"))
    async with desk.runner:
        delivery = await desk.reply()
        await desk.becomes(delivery, "unknown")
        assert "a bug" not in str(await desk.state(delivery)), "what a library says is for the log"
        await desk.pass_time(HOUR)
        await asyncio.sleep(0.05)
        assert Pigeons.carried == []
        await desk.store.write(deliveries.resend, DESK, delivery)
        await desk.becomes(delivery, "sent")


async def test_no_answer_in_time_counts_as_unknown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "SEND_SECONDS", 0.05)
    Pigeons.script.append("carry and hang")
    Pigeons.found = "look"
    delivery = await desk.reply()
    await eventually(lambda: desk.runner.worker.figures.retried[1] == 1)
    await desk.pass_time(outbound.ASK_AFTER)
    await desk.becomes(delivery, "sent")
    assert len(Pigeons.carried) == 1


@pytest.mark.parametrize("carried", [True, False])
async def test_a_desk_that_died_while_sending_asks_when_it_comes_back(store: Store, carried: bool) -> None:
    desk = await build(store)
    Pigeons.found = "look"
    delivery = await desk.reply()
    # What a killed process leaves: the job under a lease, the delivery in `sending`, the note out of the window or not.
    (job,) = await store.write(queue.claim, "dead", 1, 1)
    part = await store.write(deliveries.begin, delivery)
    assert part is not None and job.payload == {"delivery_id": delivery}
    if carried:
        Pigeons.carried.append(part.outgoing)
    if store.backend.name == "postgres":
        store.clock.advance(queue.LEASE)  # type: ignore[attr-defined]
    async with desk.runner:
        await desk.becomes(delivery, "sent")
    assert len(Pigeons.carried) == 1


async def test_a_delivery_outlives_as_many_crashes_as_it_has_tries(store: Store) -> None:
    desk = await build(store)
    Pigeons.found = "look"
    delivery = await desk.reply()
    again = type(desk.runner)
    for _ in range(queue.PAUSES[1][2] - 1):
        # Killed before the note was out of the window; the next desk asks, is told so, and is killed in its turn.
        (killed,) = await store.write(queue.claim, "dead", 1, 1)
        assert await store.write(deliveries.begin, delivery) is not None
        await store.write(queue.again, killed, "killed", 0)
        (job,) = await store.write(queue.claim, "next", 1, 1)
        with pytest.raises(queue.Again) as asked:
            await desk.runner.outbound.deliver(job)
        await store.write(queue.again, job, "asked", 0, counted=asked.value.counted)
    async with again(store, desk.runner.sealer, _options()):
        await desk.becomes(delivery, "sent")
    assert len(Pigeons.carried) == 1


async def test_stopping_while_sending_leaves_it_to_be_asked_about(store: Store) -> None:
    desk = await build(store)
    Pigeons.found = "look"
    Pigeons.script.append("carry and hang")
    async with desk.runner:
        delivery = await desk.reply()
        await eventually(lambda: len(Pigeons.carried) == 1)
    assert (await desk.state(delivery))[0] == "sending"
    again = type(desk.runner)(store, desk.runner.sealer, _options())
    async with again:
        await desk.becomes(delivery, "sent")
    assert len(Pigeons.carried) == 1


def _options() -> Any:
    from tests.work.desk import Options

    return Options()


async def test_a_reply_whose_job_is_given_up_does_not_stay_queued_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_job: Any) -> None:
        raise KeyError("a bug of the desk")

    monkeypatch.setitem(desk.runner.worker.handlers, "deliver", broken)
    delivery = await desk.reply()
    for _ in range(60):
        await asyncio.sleep(0.02)
        await desk.pass_time(2 * MINUTE)
        if (await desk.state(delivery))[0] == "failed":
            break
    assert (await desk.state(delivery))[0] == "failed"
    assert await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM job WHERE state = 'dead'")) == 1


async def test_what_is_cancelled_in_time_never_leaves(desk: Desk) -> None:
    Pigeons.script.append(Retry(reason="storm"))
    delivery = await desk.reply()
    await eventually(lambda: desk.runner.worker.figures.retried[1] == 1)
    await desk.settled()
    await desk.store.write(deliveries.cancel, DESK, delivery)
    await desk.pass_time(MINUTE)
    await asyncio.sleep(0.05)
    await desk.settled()
    assert Pigeons.carried == [] and (await desk.state(delivery))[0] == "cancelled"
    assert await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM job WHERE kind = 'deliver'")) == 0


async def test_who_said_no_is_not_written_to_even_if_it_was_queued_before(store: Store) -> None:
    desk = await build(store)
    delivery = await desk.reply()
    point = await store.read(lambda rx: rx.row("SELECT id, contact_id FROM contact_point"))
    assert point is not None
    refusal = Consent("support", False, "Do not write to me")
    await store.write(consents.put, point[0], point[1], refusal, how="said on the phone", by=SYSTEM)
    async with desk.runner:
        await desk.becomes(delivery, "cancelled")
    assert Pigeons.carried == []


async def test_a_frozen_outbox_lets_nothing_out_until_it_is_thawed(desk: Desk) -> None:
    await desk.store.write(outbox.freeze, DESK)
    delivery = await desk.reply()
    for _ in range(3):
        await asyncio.sleep(0.05)
        await desk.pass_time(10 * MINUTE)
    assert Pigeons.carried == [] and (await desk.state(delivery))[0] == "queued"
    await desk.store.write(outbox.thaw, DESK)
    await desk.becomes(delivery, "sent")


async def test_an_inbox_that_is_switched_off_keeps_what_it_has_and_sends_it_later(desk: Desk) -> None:
    first = await desk.reply("a")
    await desk.becomes(first, "sent")
    await desk.store.write(inboxes.change, DESK, desk.inbox.id, enabled=False)
    await desk.store.write(
        lambda tx: tx.run("UPDATE delivery SET state = 'failed', external_id = NULL WHERE id = :id", id=first)
    )
    await desk.store.write(deliveries.resend, DESK, first)
    await asyncio.sleep(0.05)
    await desk.pass_time(10 * MINUTE)
    assert len(Pigeons.carried) == 1
    await desk.store.write(inboxes.change, DESK, desk.inbox.id, enabled=True)
    await desk.pass_time(MINUTE)
    await desk.becomes(first, "sent")
    assert len(Pigeons.carried) == 2


async def test_changed_settings_make_a_new_connector(desk: Desk) -> None:
    await desk.becomes(await desk.reply("a"), "sent")
    await desk.store.write(inboxes.change, DESK, desk.inbox.id, settings={"loft": "away"})
    await desk.becomes(await desk.reply("b"), "sent")
    assert [one.settings.loft for one in Pigeons.made] == ["home", "away"]


async def test_health_goes_down_with_trouble_and_up_with_success(desk: Desk) -> None:
    async def error() -> Any:
        return await desk.store.read(lambda rx: rx.value("SELECT health_out_error FROM inbox"))

    Pigeons.script.append(Retry(reason="storm over the roof"))
    delivery = await desk.reply()
    async with asyncio.timeout(30):
        while await error() != "storm over the roof":
            await asyncio.sleep(0.01)
    await desk.pass_time(MINUTE)
    await desk.becomes(delivery, "sent")
    async with asyncio.timeout(30):
        while await error() is not None:
            await asyncio.sleep(0.01)


async def test_secrets_that_do_not_open_hold_the_mail_and_say_so(store: Store) -> None:
    desk = await build(store)
    await store.write(inboxes.change, DESK, desk.inbox.id, settings={"password": "open sesame"})
    desk.runner.sealer = type(desk.runner.sealer).random()
    async with desk.runner:
        delivery = await desk.reply()
        async with asyncio.timeout(30):
            while not await store.read(lambda rx: rx.value("SELECT health_out_error FROM inbox")):
                await asyncio.sleep(0.01)
        assert (await desk.state(delivery))[0] == "queued"
