"""Which ticket a letter belongs to: tokens, references and who takes part; nothing else."""

import random
from collections.abc import AsyncIterator

import pytest_asyncio

from connectors.email import tokens
from hub.db.store import Store
from hub.desk import merging
from hub.staff.access import DESK
from tests.connectors.email.mailroom import Mailroom, letter, mailroom
from tests.providers.imap_peer import USER


@pytest_asyncio.fixture
async def room(store: Store) -> AsyncIterator[Mailroom]:
    async with mailroom(store) as made:
        yield made


@pytest_asyncio.fixture
async def sqlite_room(sqlite_store: Store) -> AsyncIterator[Mailroom]:
    async with mailroom(sqlite_store) as made:
        yield made


async def test_an_answer_to_our_answer_is_in_the_same_ticket(room: Mailroom) -> None:
    await room.take(letter("It leaks.", id="first@example.net"))
    (number,) = await room.tickets()
    ours = (await room.reply(number)).parsed
    assert ours["In-Reply-To"] == "<first@example.net>" and ours["References"] == "<first@example.net>"
    assert ours["Subject"] == "Re: A kettle"
    await room.take(
        letter(
            "Thanks", to=ours["Reply-To"].split("<")[-1].rstrip(">"), subject="Something else entirely"
        ),  # no thread
        letter("Thanks again", In_Reply_To=ours["Message-ID"]),  # no reply address
    )
    assert await room.tickets() == [number]
    second = (await room.reply(number, "Once more")).parsed
    assert second["References"].split()[:2] == ["<first@example.net>", ours["Message-ID"]]


async def test_a_new_letter_of_the_same_person_is_another_matter_unless_the_inbox_wants_it(store: Store) -> None:
    for joining, wanted in (("thread", 2), ("person", 1)):
        async with mailroom(store, joining=joining) as room:
            await store.write(lambda tx: tx.run("UPDATE inbox SET name = name || id, name_folded = name || id"))
            before = len(await room.tickets())
            await room.take(letter("one", by=f"{joining}@example.net"), letter("two", by=f"{joining}@example.net"))
            assert len(await room.tickets()) - before == wanted


async def test_a_number_in_the_subject_and_a_token_in_the_text_join_nothing(room: Mailroom) -> None:
    await room.take(letter("one"))
    (number,) = await room.tickets()
    ours = (await room.reply(number)).parsed
    token = ours["Reply-To"].partition("+")[2].partition("@")[0]
    await room.take(
        letter("two", subject=f"Re: [#{number}] A kettle"),
        letter(f"three {token} {ours['Message-ID']}", subject=f"{token} #{number}"),
    )
    assert len(await room.tickets()) == 3


async def test_a_stranger_who_only_knows_an_id_opens_a_ticket_of_their_own(room: Mailroom) -> None:
    await room.take(letter("one", id="known@example.net"))
    await room.take(letter("two", by="mallory@example.com", In_Reply_To="<known@example.net>"))
    await room.take(letter("three", by="mallory@example.com", References="<known@example.net>"))
    assert len(await room.tickets()) == 2, "only with themselves"


async def test_a_stranger_with_the_reply_address_joins_and_is_shown_as_new(room: Mailroom) -> None:
    await room.take(letter("one"))
    (number,) = await room.tickets()
    ours = (await room.reply(number)).parsed
    await room.take(letter("I am his wife", by="wife@example.com", In_Reply_To=ours["Message-ID"], id="w@example.com"))
    assert await room.tickets() == [number]
    details = await room.details()
    assert details["participant"] == "new" and details["sender"] == "typed"
    await room.take(letter("Me again", by="wife@example.com", In_Reply_To="<w@example.com>"))
    assert await room.tickets() == [number]
    assert (await room.details())["participant"] == "known"
    again = await room.reply(number, "To you both?")
    assert again.recipients == ["eve@example.net"], "the answer goes to whom the ticket is with"


async def test_strangers_stay_out_where_the_inbox_wants_it(sqlite_store: Store) -> None:
    async with mailroom(sqlite_store, strangers="new") as room:
        await room.take(letter("one"))
        (number,) = await room.tickets()
        ours = (await room.reply(number)).parsed
        await room.take(letter("two", by="wife@example.com", In_Reply_To=ours["Message-ID"]))
        await room.take(letter("three", In_Reply_To=ours["Message-ID"]))
        assert len(await room.tickets()) == 2
        assert await room.texts(number) == ["one", "It is on its way.", "three"]


async def test_who_was_copied_takes_part(room: Mailroom) -> None:
    await room.take(letter("one", id="a@example.net", Cc="Bob <bob@example.org>, help+x@shop.example"))
    await room.take(letter("two", by="bob@example.org", In_Reply_To="<a@example.net>"))
    (number,) = await room.tickets()
    assert (await room.details())["participant"] == "known"
    people = await room.rows("SELECT value, how FROM participant ORDER BY value")
    assert people == [("bob@example.org", "copied"), ("eve@example.net", "wrote")], "our own addresses are nobody"
    assert await room.texts(number) == ["one", "two"]


async def test_another_subject_in_an_answer_is_marked(room: Mailroom) -> None:
    await room.take(letter("one", id="a@example.net"))
    await room.take(letter("two", In_Reply_To="<a@example.net>", subject="AW: Re: a kettle"))
    assert "subject_changed" not in await room.details()
    await room.take(letter("three", In_Reply_To="<a@example.net>", subject="My invoice of May"))
    assert (await room.details())["subject_changed"] is True


async def test_the_order_in_which_letters_come_makes_no_difference(sqlite_room: Mailroom) -> None:
    chance = random.Random(7)
    for round_ in range(12):
        ids = [f"{round_}-{n}@example.net" for n in range(5)]
        thread = [letter(f"{round_} {0}", by=f"p{round_}@example.net", id=ids[0])]
        for n in range(1, 5):
            chain = {"In_Reply_To": f"<{ids[n - 1]}>"}
            if round_ % 2:
                chain["References"] = " ".join(f"<{id}>" for id in ids[:n])
            thread.append(
                letter(f"{round_} {n}", by=f"p{round_}@example.net", id=ids[n], subject="Re: A kettle", **chain)
            )
        chance.shuffle(thread)
        await sqlite_room.take(*thread)
    numbers = await sqlite_room.tickets()
    assert len(numbers) == 12
    for number in numbers:
        assert len(await sqlite_room.texts(number)) == 5


async def test_a_split_is_not_undone_by_the_next_answer(room: Mailroom) -> None:
    from hub.desk import parting

    await room.take(letter("one", id="a@example.net"), letter("two", id="b@example.net", In_Reply_To="<a@example.net>"))
    (number,) = await room.tickets()
    ((second,),) = await room.rows("SELECT id FROM message WHERE text = 'two'")
    new = await room.store.write(parting.split, DESK, number, second)
    await room.take(letter("three", In_Reply_To="<b@example.net>", References="<a@example.net> <b@example.net>"))
    assert await room.texts(number) == ["one"] and await room.texts(new) == ["two", "three"]


async def test_an_answer_to_what_was_merged_goes_to_the_survivor(room: Mailroom) -> None:
    await room.take(letter("one", id="a@example.net"), letter("two", id="b@example.net"))
    one, two = await room.tickets()
    ours = (await room.reply(one)).parsed
    await room.store.write(merging.merge, DESK, one, two)
    await room.take(letter("three", In_Reply_To=ours["Message-ID"]), letter("four", In_Reply_To="<a@example.net>"))
    assert await room.tickets() == [two]
    assert (await room.texts(two))[-2:] == ["three", "four"]


async def test_the_same_letter_is_there_once_and_another_with_its_id_is_another(room: Mailroom) -> None:
    same = letter("one", id="same@example.net")
    await room.take(same, same, same)
    await room.take(letter("other words", id="same@example.net", by="other@example.org"))
    assert await room.rows("SELECT COUNT(*) FROM message") == [(2,)]


def test_ten_thousand_mutated_tokens_open_nothing() -> None:
    chance = random.Random(3)
    key, now = b"k" * 32, 1_790_000_000_000
    good = tokens.make(key, "1042", "eve@example.net", now)
    opened = tokens.open_(key, good, now)
    assert opened is not None and opened.ticket == "1042"
    assert tokens.open_(key, good.upper(), now) == opened, "mail servers fold addresses"
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    for _ in range(10_000):
        mutant = list(good)
        match chance.randrange(5):
            case 0:
                at = chance.randrange(len(mutant))
                mutant[at] = chance.choice(alphabet.replace(mutant[at], "") + "+=@01")
            case 1:
                del mutant[chance.randrange(len(mutant))]
            case 2:
                mutant.insert(chance.randrange(len(mutant) + 1), chance.choice(alphabet))
            case 3:
                mutant = mutant[: chance.randrange(len(mutant))]
            case _:
                a, b = chance.sample(range(1, len(mutant)), 2)
                mutant[a], mutant[b] = mutant[b], mutant[a]
        if "".join(mutant) != good:
            assert tokens.open_(key, "".join(mutant), now) is None
    assert tokens.open_(b"x" * 32, good, now) is None, "another inbox"
    assert tokens.open_(key, good, now + 367 * tokens.DAY_MS) is None
    assert tokens.open_(key, tokens.make(key, "1042", "eve@example.net", now + 3 * tokens.DAY_MS), now) is None


async def test_mutated_references_join_nothing_and_nobody_becomes_an_agent(sqlite_room: Mailroom) -> None:
    room, chance = sqlite_room, random.Random(5)
    await room.take(letter("one", id="a@example.net"))
    (number,) = await room.tickets()
    ours = (await room.reply(number)).parsed
    id, address = ours["Message-ID"], ours["Reply-To"].split("<")[-1].rstrip(">")
    wanted = []
    for n in range(150):
        at = chance.randrange(8, 40)
        bent = id[:at] + ("a" if id[at] != "a" else "b") + id[at + 1 :]
        turned = address[: at + 5] + ("2" if address[at + 5] != "2" else "3") + address[at + 6 :]
        by = chance.choice(["mallory@example.com", "boss@desk.example", USER])
        wanted.append(
            letter(
                f"try {n}",
                by=by,
                to=chance.choice([USER, turned]),
                In_Reply_To=chance.choice([bent, bent.upper()]),
                References=f"<a@example.net> {bent}",
            )
        )
    await room.take(*wanted, together=True)
    assert await room.texts(number) == ["one", "It is on its way."]
    assert await room.rows(
        "SELECT COUNT(*) FROM message WHERE direction = 'incoming' AND author_kind <> 'contact'"
    ) == [(0,)]
    assert await room.rows("SELECT COUNT(*) FROM message WHERE direction = 'incoming'") == [(151,)]
