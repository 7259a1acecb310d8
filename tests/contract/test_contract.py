"""The one suite that every connector passes. To add a connector, add `cases_<kind>.py`; nothing here changes."""

import asyncio
import base64
import logging
from typing import Any

import pytest

from connectors import CONNECTORS
from hub.connector import Connector, Raw
from hub.desk import inbound as stored
from hub.desk import inboxes, kinds
from hub.staff.access import DESK
from hub.work import inbound, outbound
from tests.contract.cases import Cases, all_cases
from tests.contract.conftest import Channel


def test_every_connector_is_in_this_suite() -> None:
    assert {cases.kind for cases in all_cases()} >= set(CONNECTORS)


async def until(channel: Channel, delivery: int, state: str) -> None:
    found = ""
    for _ in range(400):
        if (found := await channel.delivery(delivery)) == state:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"the delivery is {found}, not {state}")


DUE = "SELECT COUNT(*) FROM job WHERE state <> 'dead' AND run_at <= :now AND kind <> 'housekeeping'"


async def quiet(channel: Channel) -> None:
    """Until no job runs or is due."""
    for _ in range(500):
        await asyncio.sleep(0.01)
        due = await channel.store.read(lambda rx: rx.value(DUE, now=rx.now))
        if not due and not channel.runner.worker._running:
            return
    raise AssertionError("jobs go on for ever")


# --- in ------------------------------------------------------------------------------------------------------------


async def test_the_same_request_a_hundred_times_is_one_message(channel: Channel) -> None:
    raw = channel.cases.message("same")
    answers = await asyncio.gather(*(channel.deliver(raw) for _ in range(100)))
    assert len(set(answers)) == 1 and 200 <= answers[0] < 400
    assert await channel.count("message") == 1
    assert await channel.count("ticket") == 1


async def test_the_first_messages_of_somebody_new_all_at_once_are_one_contact_and_one_ticket(channel: Channel) -> None:
    requests = [channel.cases.message(f"first-{number}", f"part {number}") for number in range(20)]
    await asyncio.gather(*(channel.deliver(raw) for raw in requests))
    assert await channel.count("contact") == 1
    assert await channel.count("message") == 20
    assert await channel.count("ticket") in (1, 20), "one matter, or for a form a matter each"
    if not any(m.new_ticket for m in messages_of(channel, requests[0])):
        assert await channel.count("ticket") == 1


def messages_of(channel: Channel, raw: Raw) -> list[Any]:
    from hub.connector import Message

    try:
        items = channel.runner.connector(channel.inbox).parse(raw)
    except Exception:
        return []
    return [item for item in items if isinstance(item, Message)]


async def test_what_is_not_genuine_is_refused_and_leaves_nothing(channel: Channel, lacks: Any) -> None:
    if lacks(channel.cases.signed):
        return
    for what, raw in channel.cases.forged():
        assert await channel.deliver(raw) == 403, what
    assert await channel.count("inbound") == 0
    assert await channel.count("message") == 0


async def test_what_is_genuine_but_of_no_concern_is_kept_and_ignored(channel: Channel, lacks: Any) -> None:
    raw = channel.cases.unknown()
    if lacks(raw):
        return
    assert await channel.deliver(raw) == 200
    assert await channel.states() == ["ignored"]


async def test_what_cannot_be_read_is_kept_in_quarantine_and_read_once_the_connector_is_mended(
    channel: Channel, lacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = channel.cases.unparsable()
    if lacks(raw):
        return
    assert raw is not None
    assert await channel.deliver(raw) == 200
    (found,) = await channel.store.read(stored.quarantined, DESK)
    assert found.reason and await channel.count("message") == 0
    shown = base64.b64decode(found.body) if found.encoded else found.body.encode()
    assert shown == raw.body[: stored.SHOWN]
    await channel.store.write(stored.retry, DESK, found.id)
    await quiet(channel)
    assert await channel.states() == ["quarantined"], "nothing was mended yet"
    monkeypatch.setattr(kinds.load(channel.cases.kind), "parse", lambda _self, _raw: channel.cases.mended())
    for _ in range(2):
        await channel.store.write(
            lambda tx: tx.enqueue(stored.AGAIN, {"inbound_id": found.id}, key=f"inbound:{found.id}", lane=0)
        )
        await quiet(channel)
    assert await channel.states() == ["done"]
    assert await channel.count("message") == 1


async def test_one_bad_item_does_not_stop_the_others(channel: Channel, lacks: Any) -> None:
    raw = channel.cases.batch([f"n{number}" for number in range(5)], bad=2)
    if lacks(raw):
        return
    assert await channel.deliver(raw) == 200
    assert await channel.count("message") == 4
    (found,) = await channel.store.read(stored.quarantined, DESK)
    assert "Item 3" in found.reason
    await channel.store.write(stored.retry, DESK, found.id)
    await quiet(channel)
    assert await channel.count("message") == 4, "what was stored the first time is not stored twice"


async def test_a_batch_of_a_thousand_is_answered_at_once_and_stored_whole(channel: Channel, lacks: Any) -> None:
    raw = channel.cases.batch([f"n{number}" for number in range(1_000)], bad=500)
    if lacks(raw):
        return
    assert await channel.deliver(raw) == 200
    for _ in range(3_000):
        if await channel.states() != ["waiting"]:
            break
        await asyncio.sleep(0.01)
    assert await channel.states() == ["quarantined"]
    assert await channel.count("message") == 999


async def test_credentials_are_not_stored_with_the_request(channel: Channel) -> None:
    raw = channel.cases.message("one")
    extra = (("Authorization", "Bearer abc123"), ("Cookie", "session=abc123"), ("X-Hub-Signature", "abc123"))
    await channel.deliver(Raw(headers=(*raw.headers, *extra), body=raw.body, query=raw.query, method=raw.method))
    headers = await channel.store.read(lambda rx: rx.value("SELECT headers FROM inbound"))
    assert "abc123" not in (headers or "")
    assert "ignature" not in (headers or "")


async def test_the_same_id_in_another_inbox_is_another_message(channel: Channel) -> None:
    settings = channel.cases.settings(channel.peer)
    other = await channel.store.write(
        inboxes.create, DESK, kind=channel.cases.kind, name="The other one", settings=settings
    )
    raw = channel.cases.message("one")
    await channel.deliver(raw)
    await channel.cases.deliver(channel.runner, other, raw)
    assert await channel.count("message") == 2


async def test_an_inbox_that_is_switched_off_takes_nothing(channel: Channel, lacks: Any) -> None:
    if lacks(channel.cases.signed):
        return
    await channel.store.write(inboxes.change, DESK, channel.inbox.id, enabled=False)
    assert await channel.deliver(channel.cases.message("one")) == 404
    assert await channel.count("inbound") == 0
    assert (await inbound.webhook(channel.runner, "no-such-token", Raw())).status == 404


# --- out -----------------------------------------------------------------------------------------------------------


async def answered(channel: Channel, *script: Any) -> int:
    """A customer wrote; an agent answers while the other side does what `script` says."""
    await channel.deliver(channel.cases.message("question", by="eve@example.net"))
    assert channel.peer is not None
    channel.peer.script.extend(script)
    return await channel.reply("our answer")


async def test_an_answer_arrives_once(channel: Channel, lacks: Any) -> None:
    if lacks(channel.cases.sends):
        return
    delivery = await answered(channel)
    await until(channel, delivery, "sent")
    assert channel.peer is not None and channel.peer.accepted() == ["our answer"]


@pytest.mark.parametrize("trouble", ["429", 500, 503, "refuse and die"])
async def test_trouble_is_waited_out(channel: Channel, lacks: Any, trouble: Any) -> None:
    if lacks(channel.cases.sends):
        return
    delivery = await answered(channel, trouble)
    for _ in range(100):
        await channel.pass_time(1_000)
        await asyncio.sleep(0.02)
        if await channel.delivery(delivery) == "sent":
            break
    assert channel.peer is not None and channel.peer.accepted() == ["our answer"]


async def test_nothing_is_sent_while_the_other_side_asks_for_patience(channel: Channel, lacks: Any) -> None:
    if lacks(channel.cases.sends):
        return
    delivery = await answered(channel, "429")
    await asyncio.sleep(0.1)
    await channel.pass_time(channel.cases.patience - 100)
    await asyncio.sleep(0.1)
    assert channel.peer is not None and channel.peer.accepted() == []
    assert await channel.delivery(delivery) == "queued"
    await channel.pass_time(200)
    await until(channel, delivery, "sent")


async def test_what_the_other_side_refuses_for_good_fails_with_its_reason(channel: Channel, lacks: Any) -> None:
    if lacks(channel.cases.sends):
        return
    delivery = await answered(channel, channel.cases.bad_request)
    await until(channel, delivery, "failed")
    reason = await channel.store.read(lambda rx: rx.value("SELECT reason FROM delivery"))
    assert str(channel.cases.bad_request) in reason


@pytest.mark.parametrize("how", ["take and die", "hang"])
async def test_what_may_have_arrived_is_asked_about_and_not_repeated(
    channel: Channel, lacks: Any, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lacks(channel.cases.sends):
        return
    monkeypatch.setattr(outbound, "SEND_SECONDS", 0.5)
    delivery = await answered(channel, how)
    for _ in range(100):
        await asyncio.sleep(0.05)
        if await channel.delivery(delivery) in ("sent", "unknown"):
            break
        await channel.pass_time(1_000)
    assert await channel.delivery(delivery) == ("sent" if channel.cases.asks else "unknown")
    assert channel.peer is not None and channel.peer.accepted() == ["our answer"]


async def test_trying_the_connection_tells_what_is_wrong(channel: Channel, lacks: Any) -> None:
    if lacks(channel.cases.sends):
        return
    assert channel.peer is not None

    async def health(error: bool) -> None:
        found = None
        for _ in range(300):
            found = await channel.store.read(lambda rx: rx.row("SELECT health_out_at, health_out_error FROM inbox"))
            if found is not None and found[0] and (found[1] is not None) == error:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{found}")

    channel.peer.script.append(channel.cases.bad_request)
    await channel.store.write(inboxes.ask_to_check, DESK, channel.inbox.id)
    await health(True)
    await channel.store.write(inboxes.ask_to_check, DESK, channel.inbox.id)
    await health(False)


# --- what holds for all --------------------------------------------------------------------------------------------


async def test_run_ends_when_it_is_cancelled(channel: Channel) -> None:
    running = asyncio.create_task(channel.runner.connector(channel.inbox).run())
    await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.wait([running], timeout=30)
    assert running.done()


async def test_no_secret_is_in_a_log_or_a_repr(
    channel: Channel, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    await channel.deliver(channel.cases.message("one"))
    for _, raw in channel.cases.forged():
        await channel.deliver(raw)
    if channel.cases.sends:
        delivery = await answered(channel, 500, "take and die")
        for _ in range(20):
            await channel.pass_time(5_000)
            await asyncio.sleep(0.02)
        assert await channel.delivery(delivery) in ("sent", "unknown")
    connector = channel.runner.connector(channel.inbox)
    printed = capsys.readouterr()
    shown = [caplog.text, printed.out, printed.err, repr(connector), repr(connector.settings), repr(connector.hub)]
    shown += [repr(channel.inbox), repr(channel.runner.sealer), repr(vars(connector))]
    for secret in channel.cases.secrets:
        assert not [text for text in shown if secret in text]


async def test_every_setting_has_a_label_and_a_secret_says_that_it_is_one(cases: Cases) -> None:
    from hub.desk import settings

    fields = settings.form(cases.kind)
    assert all(field.label and field.label != field.name for field in fields)
    for field in fields:
        if any(word in field.name for word in ("secret", "password", "token", "api_key")):
            assert field.secret


def test_a_connector_says_what_it_is(cases: Cases) -> None:
    found = kinds.load(cases.kind)
    assert Connector in found.__mro__ and found.kind == cases.kind and found.title
    assert not (found.features.reaches and not found.features.replies)


async def test_a_storm_of_junk_never_raises(channel: Channel, lacks: Any) -> None:
    if lacks(channel.cases.signed):
        return
    for body in (b"", b"\x00" * 100, b"{" * 10_000, b"[" * 100_000, b"\xff" * 100, b'{"a":' * 5_000):
        for headers in ((), tuple((f"X-{number}", "y" * 100) for number in range(300))):
            assert await channel.deliver(Raw(headers=headers, body=body)) == 403
    assert await channel.count("inbound") == 0
