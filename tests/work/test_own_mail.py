"""Mail by the desk itself: what goes out, to whom, how often, and what its links open."""

import asyncio
import re
from typing import Any

import msgspec
import pytest

from hub import letters
from hub.clock import DAY, HOUR, MINUTE
from hub.connector import Receipt, Rejected, Retry
from hub.db import figures
from hub.db.tx import Tx
from hub.desk import forgotten, outbox, own_mail, self_check
from hub.errors import Refusal
from hub.staff import agents, one_time, roles, sessions, signin
from hub.staff.access import DESK
from hub.staff.sessions import Where
from tests.work.desk import Desk, Pigeons, eventually

BO = "bo@example.org"


async def hire(desk: Desk, email: str = BO, **more: Any) -> int:
    def hired(tx: Any) -> int:
        roles.ensure_built_in(tx)
        role_id = roles.named(tx, more.pop("role", "agent")).id
        return agents.create(tx, DESK, email=email, name="Bo", role_id=role_id, **more)

    return await desk.store.write(hired)


async def chosen(desk: Desk) -> None:
    await desk.store.write(own_mail.choose, DESK, desk.inbox.id)


async def asks(desk: Desk, email: str = BO, remote: str = "192.0.2.7") -> None:
    await desk.store.write(forgotten.ask, email, remote)
    await asyncio.sleep(0.02)
    await eventually(lambda: not desk.runner.worker._running)


def link(number: int = -1) -> str:
    found = re.search(r"https://desk\.example\.org/(?:join|address)/(\S+)", Pigeons.carried[number].text)
    assert found, Pigeons.carried[number].text
    return found[1]


async def states(desk: Desk) -> list[tuple[str, str]]:
    rows = await desk.store.read(lambda rx: rx.rows("SELECT purpose, state FROM own_mail ORDER BY id"))
    return [(row[0], row[1]) for row in rows]


async def test_a_forgotten_password_is_chosen_anew_by_a_link_that_works_once_and_signs_out_everywhere(
    desk: Desk,
) -> None:
    bo = await hire(desk)
    await chosen(desk)
    session = await desk.store.write(sessions.start, bo, Where(None, "x"))
    await asks(desk, "BO@example.org")
    await eventually(lambda: Pigeons.carried)
    (mail,) = Pigeons.carried
    assert (mail.to.value, mail.automatic) == (BO, True)
    assert mail.subject and mail.html and link() in mail.html
    assert await signin.choose_password(desk.store, link(), "plum tree river stone") == bo
    assert await sessions.use(desk.store, session) is None
    assert await desk.store.read(agents.proved_at, bo) is not None
    with pytest.raises(Refusal, match="been used"):
        await signin.choose_password(desk.store, link(), "another sentence of words")
    kept = await desk.store.read(lambda rx: rx.value("SELECT fields FROM own_mail"))
    assert kept == "{}" and link() not in str(await desk.store.read(lambda rx: rx.rows("SELECT * FROM one_time")))


async def test_the_link_is_over_after_an_hour_and_the_newest_alone_works(desk: Desk) -> None:
    await hire(desk)
    await chosen(desk)
    await asks(desk)
    await asks(desk)
    await eventually(lambda: len(Pigeons.carried) == 2)
    assert not await desk.store.read(one_time.opens_password, link(0))
    assert await desk.store.read(one_time.opens_password, link(1))
    await desk.pass_time(HOUR)
    assert not await desk.store.read(one_time.opens_password, link(1))


async def test_asking_does_not_end_an_invitation(desk: Desk) -> None:
    bo = await hire(desk)
    await chosen(desk)
    invitation = await desk.store.write(one_time.invite, DESK, bo)
    await asks(desk)
    await eventually(lambda: Pigeons.carried)
    assert await desk.store.read(one_time.opens_password, invitation)
    await signin.choose_password(desk.store, link(), "plum tree river stone")
    assert not await desk.store.read(one_time.opens_password, invitation), "a password was chosen: every link is over"


@pytest.mark.parametrize("email", ["nobody@example.org", "gone@example.org", "", "no address", "a" * 5_000, "x\r\ny@z"])
async def test_for_an_address_of_nobody_nothing_leaves_and_the_asking_is_the_same(desk: Desk, email: str) -> None:
    gone = await hire(desk, "gone@example.org")
    await desk.store.write(lambda tx: tx.run("UPDATE agent SET disabled_at = 1 WHERE id = :id", id=gone))
    await chosen(desk)
    await asks(desk, email)
    assert Pigeons.carried == [] and await states(desk) == []
    assert await desk.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM job WHERE kind = 'forgotten'")) == 0


async def test_nobody_is_buried_under_mails_that_others_ask_for(desk: Desk) -> None:
    await hire(desk)
    await chosen(desk)
    for number in range(8):
        await asks(desk, remote=f"192.0.{number}.1")
    assert len(Pigeons.carried) == own_mail.BY_STRANGERS["reset"][0]
    for number in range(forgotten.FROM_ONE_NETWORK):
        await desk.store.write(forgotten.ask, f"x{number}@example.org", "198.51.100.1")
    with pytest.raises(Refusal, match="Too many"):
        await desk.store.write(forgotten.ask, BO, "198.51.100.2")


async def test_without_an_inbox_that_sends_there_is_no_mail(desk: Desk) -> None:
    await hire(desk)
    await asks(desk)
    assert Pigeons.carried == [] and await states(desk) == []
    with pytest.raises(Refusal):
        await desk.store.write(own_mail.choose, DESK, desk.inbox.id + 99)


async def test_a_try_that_fails_is_repeated_with_a_link_that_works(desk: Desk) -> None:
    await hire(desk)
    await chosen(desk)
    Pigeons.script.append(Retry(reason="storm"))
    await asks(desk)
    await desk.pass_time(MINUTE)
    await eventually(lambda: Pigeons.carried)
    assert await desk.store.read(one_time.opens_password, link())
    assert len({part.id for part in Pigeons.carried}) == 1


async def test_what_bounces_is_a_failed_mail_and_the_address_no_longer_a_proved_one(desk: Desk) -> None:
    bo = await hire(desk)
    await chosen(desk)
    await desk.store.write(agents.prove_address, bo)
    await desk.store.write(lambda tx: own_mail.to_agent(tx, agents.get(tx, bo), "address"))
    await eventually(lambda: Pigeons.carried)
    await desk.settled()
    bounce = Receipt(external_id="unheard of", state="failed", reason="No such user.", ref=Pigeons.carried[0].id)
    assert await desk.store.write(own_mail.receipt, desk.inbox.id, bounce)
    assert await states(desk) == [("address", "failed")]
    assert await desk.store.read(agents.proved_at, bo) is None


async def test_the_link_in_a_mail_proves_an_address_until_it_is_changed(desk: Desk) -> None:
    bo = await hire(desk)
    await chosen(desk)
    await desk.store.write(lambda tx: own_mail.to_agent(tx, agents.get(tx, bo), "address"))
    await eventually(lambda: Pigeons.carried)
    assert await desk.store.write(one_time.confirm_address, link()) == bo
    assert await desk.store.read(agents.proved_at, bo) is not None
    await desk.store.write(lambda tx: agents.change(tx, DESK, bo, email="bo2@example.org"))
    assert await desk.store.read(agents.proved_at, bo) is None


async def test_words_of_people_go_to_proved_addresses_only(desk: Desk) -> None:
    bo = await hire(desk)
    await chosen(desk)

    def tells(tx: Tx, purpose: Any) -> None:
        own_mail.to_agent(tx, agents.get(tx, bo), purpose)

    for purpose in own_mail.PROVED:
        with pytest.raises(ValueError, match="proved"):
            await desk.store.write(tells, purpose)


async def test_a_frozen_outbox_keeps_the_desks_own_mail_too(desk: Desk) -> None:
    await hire(desk)
    await chosen(desk)
    await desk.store.write(outbox.freeze, DESK)
    await asks(desk)
    await desk.pass_time(10 * MINUTE)
    await asyncio.sleep(0.05)
    assert Pigeons.carried == [] and await states(desk) == [("reset", "queued")]
    await desk.store.write(outbox.thaw, DESK)
    await eventually(lambda: Pigeons.carried)


async def test_what_failed_can_be_sent_again_or_cancelled(desk: Desk) -> None:
    bo = await hire(desk)
    await chosen(desk)
    Pigeons.script.append(Rejected("No such roof."))
    mail_id = await desk.store.write(lambda tx: own_mail.to_agent(tx, agents.get(tx, bo), "test"))
    assert mail_id is not None
    await desk.settled()
    async with asyncio.timeout(30):
        while await states(desk) != [("test", "failed")]:
            await asyncio.sleep(0.01)
    (open_one,) = await desk.store.read(lambda rx: own_mail.unended(rx, DESK, before=rx.now + 1, limit=9))
    assert open_one.reason == "No such roof."
    await desk.store.write(own_mail.resend, DESK, mail_id)
    await eventually(lambda: Pigeons.carried)
    with pytest.raises(Refusal):
        await desk.store.write(own_mail.cancel, DESK, mail_id)


async def test_every_night_it_is_told_what_has_had_no_end_for_a_day(desk: Desk) -> None:
    boss = await hire(desk, "boss@example.org", role="administrator")
    await hire(desk)
    await chosen(desk)
    await desk.store.write(agents.prove_address, boss)
    Pigeons.found = Rejected("cannot be asked")
    Pigeons.script.append(RuntimeError("a bug"))
    delivery = await desk.reply()
    for _ in range(4):
        await desk.pass_time(30_000)
        await asyncio.sleep(0.03)
    await desk.becomes(delivery, "unknown")
    assert await desk.store.read(figures.unended) == 0
    await desk.pass_time(DAY + HOUR)
    assert await desk.store.read(figures.unended) == 1
    await desk.pass_time(DAY)
    await eventually(lambda: Pigeons.carried)
    assert Pigeons.carried[0].to.value == "boss@example.org" and "outbox" in Pigeons.carried[0].text
    name = "desk.deliveries_unended"
    told = await desk.store.read(lambda rx: rx.value("SELECT payload FROM event WHERE name = :name", name=name))
    assert msgspec.json.decode(told)["number"] == 1
    assert await desk.store.read(self_check.next_time) % DAY == self_check.AT


FIELDS: dict[str, dict[str, Any]] = {
    "test": {},
    "invitation": {"name": "Bo", "secret": "s" * 43},
    "reset": {"name": "Bo", "secret": "s" * 43},
    "address": {"name": "Bo", "secret": "s" * 43},
    "code": {"number": "123456"},
    "transcript": {"number": 1001, "said": [{"who": "Anna", "at": "12:00", "text": "<b>Hi</b>\nthere"}]},
    "unread": {"number": 1001, "said": [{"who": "Anna", "at": "12:00", "text": "<b>Hi</b>\nthere"}]},
    "notices": {
        "name": "Bo",
        "news": [{"what": "A customer writes", "title": "{{ 7*7 }}", "number": 1001, "text": "<script>"}],
        "more": 0,
    },
    "unended": {"number": 3},
    "snippet": {"snippet": "<script async src=x></script>", "policy": "script-src x"},
}


@pytest.mark.parametrize("language", ["en", "ar", "km", "ru", "am"])
@pytest.mark.parametrize("purpose", letters.purposes())
def test_a_letter_is_whole_in_every_language_and_carries_no_html_of_others(purpose: str, language: str) -> None:
    made = letters.compose(purpose, language, FIELDS[purpose], firm="Abeba & Söhne", desk="https://desk.example")
    assert made.subject and "\n" not in made.subject and made.text.strip()
    assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in made.html
    assert "<script" not in made.html and "<b>" not in made.html
    assert "{{ 7*7 }}" in made.text or purpose != "notices"
    assert "&amp;" not in made.text and "&lt;" not in made.text
