"""A visitor never gets another's words, whatever both of them, the agents and the other doors have done: but for what
the same person, as their site signs it, wrote in another browser."""

import random
from typing import Any

import pytest

from hub.connector import Message, Point, Sender
from hub.desk import incoming, visitors
from hub.errors import Refusal
from hub.feedback import ratings
from tests.fixtures.visits import Browser, Hall

PEOPLE = 6
STEPS = 120
WHOSE = "SELECT ticket.number, visitor_id FROM visitor_ticket JOIN ticket ON ticket.id = visitor_ticket.ticket_id"


def own(browser: Browser) -> str:
    return f"[{browser.visitor.id}]"


async def step(hall: Hall, browsers: list[Browser], numbers: dict[int, str], dice: random.Random) -> None:
    """One thing that somebody does; every text names in brackets the visitor it is from or for."""
    place = dice.randrange(len(browsers))
    browser = browsers[place]
    match dice.randrange(9):
        case 0 | 1 | 2:
            said = await browser.says(f"{own(browser)} {dice.random()}", f"{dice.random()}")
            numbers[said.number] = own(browser)
        case 3 | 4 if numbers:
            number = dice.choice(list(numbers))
            await hall.answers(number, f"{numbers[number]} {dice.random()}")
        case 5:
            await browser.does(dice.choice([visitors.end, visitors.start_anew]))
        case 6:
            await browser.signs_in(f"customer-{dice.randrange(3)}")
        case 7:
            browsers[place] = await hall.browser(
                token=dice.choice([None, browser.token, dice.choice(browsers).token[::-1]]),
                inbox=dice.choice([hall.inbox, hall.other]),
            )
        case 8:
            contact_id = browser.visitor.contact_id
            if contact_id is not None:
                await elsewhere(hall, contact_id, f"[elsewhere] {dice.random()}")


async def elsewhere(hall: Hall, contact_id: int, text: str) -> None:
    """The same contact writes through another door, which files it with their newest ticket of the inbox."""

    def hear(tx: Any) -> None:
        row = tx.row(
            "SELECT kind, scope, value FROM contact_point WHERE contact_id = :id ORDER BY id LIMIT 1", id=contact_id
        )
        sender = Sender(Point(row[0], row[2], row[1]), sureness="attested")
        incoming.receive(tx, hall.inbox, Message(external_id=f"mail {text}", sender=sender, text=text))

    await hall.store.write(hear)


@pytest.mark.parametrize("seed", range(4))
async def test_no_function_gives_a_visitor_anothers_words(hall: Hall, seed: int) -> None:
    dice = random.Random(seed)
    browsers = [await hall.browser() for _ in range(PEOPLE)]
    numbers: dict[int, str] = {}
    for _ in range(STEPS):
        await step(hall, browsers, numbers, dice)
    rows = await hall.rows("SELECT id, direction FROM message ORDER BY id")
    every = await hall.store.read(visitors.shown, [row[0] for row in rows])
    whose = dict(
        await hall.rows("SELECT ticket.number, visitor_id FROM visitor_ticket JOIN ticket ON ticket.id = ticket_id")
    )
    assert len(rows) > 30 and len(every) > 20
    for owner, message in every.values():
        assert message.text.startswith(f"[{owner}] ")
    for browser in browsers:
        state = await browser.sees()
        mine = await the_same(browser)
        assert {m.id for m in state.messages} <= {i for i, (owner, _) in every.items() if owner in mine}
        if state.ticket is not None:
            assert whose[state.ticket.number] == browser.visitor.id
        await try_everything_of_others(browser, every, whose, mine)


async def the_same(browser: Browser) -> set[int]:
    """The browsers in which this person has signed in."""
    sql = """SELECT other.id FROM visitor JOIN visitor AS other
      ON other.inbox_id = visitor.inbox_id AND other.subject = visitor.subject WHERE visitor.id = :id"""
    rows = await browser.hall.rows(sql, id=browser.visitor.id)
    return {browser.visitor.id, *(row[0] for row in rows)}


async def try_everything_of_others(browser: Browser, every: Any, whose: dict[int, int], mine: set[int]) -> None:
    me = browser.visitor.id
    for message_id in [i for i, (owner, _) in every.items() if owner not in mine][:10]:
        with pytest.raises(Refusal) as caught:
            await browser.does(visitors.read, message_id)
        assert caught.value.code == "not_found"
    for number in [n for n, owner in whose.items() if owner != me][:5]:
        with pytest.raises(Refusal) as caught:
            await browser.does(ratings.rate, 5, "", number)
        assert caught.value.code == "not_found"
    others = "SELECT COUNT(*) FROM delivery JOIN visitor_ticket ON visitor_ticket.ticket_id = delivery.ticket_id"
    untouched = f"{others} WHERE visitor_id <> :me AND state = 'queued'"
    before = await browser.hall.value(untouched, me=me)
    await browser.does(visitors.acknowledge, 2**62)
    assert await browser.hall.value(untouched, me=me) == before
