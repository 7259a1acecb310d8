"""A letter goes on to somebody else, and answers have copies."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.db.store import Store
from hub.desk import forwarding, replies
from hub.desk.replies import Copies
from hub.errors import Refusal
from tests.connectors.email.mailroom import Mailroom, letter, mailroom
from tests.work.desk import BOSS


@pytest_asyncio.fixture
async def room(store: Store) -> AsyncIterator[Mailroom]:
    async with mailroom(store, signature="Shop support\nhttps://shop.example", display_name="Shop") as made:
        yield made


async def gone(room: Mailroom, times: int) -> None:
    import asyncio

    async with asyncio.timeout(30):
        while len(room.smtp.taken) < times:
            await asyncio.sleep(0.01)


async def test_a_letter_is_forwarded_and_the_customer_goes_on_waiting(room: Mailroom) -> None:
    await room.take(letter("The kettle leaks.", by="Eve Ng <eve@example.net>"))
    (number,) = await room.tickets()
    ((id,),) = await room.rows("SELECT id FROM message")
    copies = Copies(("Workshop@example.org",), cc=("boss@example.org",), bcc=("file@example.org",))
    await room.store.write(forwarding.forward, BOSS, number, id, copies, "Is it yours?", external_id="ours-" + "1" * 32)
    await gone(room, 1)
    (sent,) = room.smtp.taken
    assert sent.recipients == ["workshop@example.org", "boss@example.org", "file@example.org"]
    assert sent.parsed["Subject"] == "Fwd: A kettle" and sent.parsed["In-Reply-To"] is None
    assert "file@example.org" not in sent.raw.decode(), "blind copies stay blind"
    assert sent.text.startswith("Is it yours?\n\n----------") and "Eve Ng" in sent.text and "leaks" in sent.text
    assert await room.rows("SELECT waiting_since IS NOT NULL, first_reply_at IS NULL FROM ticket") == [(1, 1)]
    back = letter("Yes it is", by="workshop@example.org", In_Reply_To=sent.parsed["Message-ID"])
    await room.take(back)
    assert await room.tickets() == [number]
    assert (await room.details())["participant"] == "known"
    answer = await room.reply(number, "It will be mended")
    assert answer.recipients == ["eve@example.net"], "still the customer's ticket"


async def test_an_answer_has_copies_and_who_got_one_takes_part(room: Mailroom) -> None:
    await room.take(letter("one"))
    (number,) = await room.tickets()
    sent = await room.reply(number, "Both of you", copies=Copies(to=("bob@example.org",), cc=("Cleo@Example.org",)))
    assert sent.recipients == ["eve@example.net", "bob@example.org", "Cleo@example.org"]
    assert sent.parsed["To"].split() == ["eve@example.net,", "bob@example.org"] and "leo@" in sent.parsed["Cc"]
    assert sent.text == "Both of you\n\n-- \nShop support\nhttps://shop.example\n"
    await room.take(letter("And I?", by="cleo@example.org", In_Reply_To=sent.parsed["Message-ID"]))
    assert (await room.details())["participant"] == "known"


async def test_a_copy_that_is_refused_does_not_keep_the_letter_back(room: Mailroom) -> None:
    room.smtp.refused.add("gone@example.org")
    await room.take(letter("one"))
    (number,) = await room.tickets()
    sent = await room.reply(number, copies=Copies(cc=("gone@example.org", "bob@example.org")))
    assert sent.recipients == ["eve@example.net", "bob@example.org"]
    ((state, reason),) = await room.rows("SELECT state, reason FROM delivery")
    assert state == "sent" and "gone@example.org" in reason and "550" not in reason.split(":")[0]


async def test_what_is_no_address_and_what_cannot_be_copied_is_refused(room: Mailroom) -> None:
    await room.take(letter("one"))
    (number,) = await room.tickets()
    for bad in ("nobody", "a@b\r\nBcc: x@y.example", "<a@b.example>", "a@b.example, c@d.example", ""):
        with pytest.raises(Refusal):
            await room.store.write(replies.reply, BOSS, number, "x", external_id=f"o{bad!r}", copies=Copies(cc=(bad,)))
    many = Copies(cc=tuple(f"a{n}@example.org" for n in range(31)))
    with pytest.raises(Refusal):
        await room.store.write(lambda tx: replies.reply(tx, BOSS, number, "x", external_id="many", copies=many))


async def test_the_words_of_others_begin_no_header(room: Mailroom) -> None:
    await room.take(
        letter("one", subject="=?utf-8?q?Hi=0D=0ABcc=3A_x=40y.example?=", by='"Eve\r\n X: 1" <eve@example.net>')
    )
    (number,) = await room.tickets()
    sent = await room.reply(number, "text\r\n.\r\nRCPT TO:<x@y.example>")
    assert sent.parsed["Bcc"] is None and sent.parsed["X"] is None
    assert sent.recipients == ["eve@example.net"]
