"""A visitor's chat goes by mail to an address that is theirs, and a code alone to one that is not yet."""

import re
from typing import Any

import pytest

from hub.clock import MINUTE
from hub.db.store import Store
from hub.desk import inboxes, kinds, own_mail, visitors
from hub.errors import Refusal
from hub.staff.access import DESK
from tests.fixtures.visits import Booth
from tests.work.desk import Desk, Pigeons, build, eventually

SITE = "https://shop.example"
EVE = "eve@home.example"


async def chat(store: Store, text: str = "BUY NOW at evil.example") -> tuple[Desk, Any]:
    kinds.register(Booth.kind, "Booth", lambda: Booth)
    desk = await build(store)
    inbox = await store.write(
        inboxes.create, DESK, kind=Booth.kind, name="Chat", settings={"allowed_origins": [SITE], "offline": "never"}
    )
    entered = await store.write(visitors.enter, inbox, None, SITE)
    await store.write(visitors.say, entered.visitor, text, "c1")
    await store.write(own_mail.choose, DESK, desk.inbox.id)
    return desk, entered.visitor


def code() -> str:
    found = re.search(r"\d{6}", Pigeons.carried[-1].text)
    assert found
    return found[0]


async def test_a_code_goes_first_and_with_it_nothing_that_anybody_wrote(store: Store) -> None:
    desk, eve = await chat(store)
    async with desk.runner:
        assert (await store.write(visitors.mail_conversation, eve, EVE)).state == "code"
        await eventually(lambda: Pigeons.carried)
        (mail,) = Pigeons.carried
        assert mail.to.value == EVE
        assert "evil" not in mail.text + (mail.html or "") + (mail.subject or "")
        right = code()
        wrong = "000000" if right != "000000" else "111111"
        assert (await store.write(visitors.confirm_address, eve, wrong)).state == "wrong"
        assert (await store.write(visitors.confirm_address, eve, f" {right} ")).state == "sent"
        await eventually(lambda: len(Pigeons.carried) == 2)
        assert "BUY NOW" in Pigeons.carried[1].text and Pigeons.carried[1].ticket
        row = await store.read(
            lambda rx: rx.row("SELECT sureness FROM contact_point WHERE kind = 'email' AND value = :v", v=EVE)
        )
        assert row == ("verified",)
        assert (await store.write(visitors.confirm_address, eve, right)).state == "over", "used"
        assert (await store.write(visitors.mail_conversation, eve, EVE)).state == "sent", "it is known to be theirs"


async def test_a_code_is_over_after_a_while_and_after_some_tries(store: Store) -> None:
    desk, eve = await chat(store)
    async with desk.runner:
        await store.write(visitors.mail_conversation, eve, EVE)
        await eventually(lambda: Pigeons.carried)
        states = [(await store.write(visitors.confirm_address, eve, "999999x")).state for _ in range(6)]
        assert states == ["wrong"] * 4 + ["over"] * 2
        assert (await store.write(visitors.confirm_address, eve, code())).state == "over"
        await store.write(visitors.mail_conversation, eve, EVE)
        await eventually(lambda: len(Pigeons.carried) == 2)
        store.clock.advance(11 * MINUTE)  # type: ignore[attr-defined]
        assert (await store.write(visitors.confirm_address, eve, code())).state == "over"


async def test_nobody_is_buried_under_codes(store: Store) -> None:
    _, eve = await chat(store)
    for _ in range(3):
        await store.write(visitors.mail_conversation, eve, "victim@example.net")
    with pytest.raises(Refusal, match="too often"):
        await store.write(visitors.mail_conversation, eve, "victim@example.net")


async def test_an_address_of_somebody_else_stays_theirs(store: Store) -> None:
    desk, eve = await chat(store)  # the contact of the mail that `build` took in has eve@example.net
    async with desk.runner:
        await store.write(visitors.mail_conversation, eve, "eve@example.net")
        await eventually(lambda: Pigeons.carried)
        assert (await store.write(visitors.confirm_address, eve, code())).state == "sent"
    row = await store.read(
        lambda rx: rx.row("SELECT contact_id, sureness FROM contact_point WHERE value = 'eve@example.net'")
    )
    visitor = await store.read(visitors.must, eve.id)
    assert row is not None and row[0] != visitor.contact_id and row[1] == "attested"


async def test_without_an_inbox_for_it_or_a_chat_there_is_nothing_to_send(store: Store) -> None:
    _, eve = await chat(store)
    with pytest.raises(Refusal) as refused:
        await store.write(visitors.mail_conversation, eve, "no address")
    assert refused.value.field == "email"
    await store.write(own_mail.choose, DESK, None)
    with pytest.raises(Refusal, match="cannot send"):
        await store.write(visitors.mail_conversation, eve, EVE)
