"""What visitors of a live channel do: enter, say, read, end, start anew, leave, and how it is with the desk."""

import asyncio
from typing import Any

import pytest

from hub.clock import DAY, MINUTE, ManualClock
from hub.connector import Point, Sender
from hub.desk import assignment, blocking, deliveries, inboxes, lists, notes, tags, tickets, visitors
from hub.desk.visitors import Details
from hub.errors import Refusal
from hub.events import Actor
from hub.people import contacts
from hub.staff.access import DESK, Caller, Grants
from tests.fixtures.visits import SITE, Hall


async def refused(doing: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await doing
    return caught.value


# --- the token -----------------------------------------------------------------------------------------------------


async def test_a_token_opens_what_its_browser_wrote_and_is_stored_only_as_a_hash(hall: Hall) -> None:
    first = await hall.browser()
    await first.says("Is the kettle in stock?")
    again = await hall.browser(token=first.token)
    assert again.visitor.id == first.visitor.id
    assert await again.texts() == ["Is the kettle in stock?"]
    stored = await hall.value("SELECT token_hash FROM visitor")
    assert first.token.encode() not in bytes(stored) and len(bytes(stored)) == 32


@pytest.mark.parametrize("how", ["truncated", "longer", "swapped", "empty", "other case", "null", "percent", "padded"])
async def test_a_token_that_is_not_quite_right_makes_a_new_visitor(hall: Hall, how: str) -> None:
    first = await hall.browser()
    await first.says("mine")
    token = first.token
    wrong = {
        "truncated": token[:-1],
        "longer": token + "A",
        "swapped": token[::-1],
        "empty": "",
        "other case": token.swapcase(),
        "null": token + "\0",
        "percent": "%" + token[1:],
        "padded": token + "==",
    }[how]
    other = await hall.browser(token=wrong)
    assert other.visitor.id != first.visitor.id
    assert await other.texts() == []
    assert await hall.store.read(visitors.find, hall.inbox.id, wrong, SITE) is None


async def test_a_token_opens_nothing_in_another_inbox_or_on_another_site(hall: Hall) -> None:
    first = await hall.browser()
    await first.says("mine")
    for more in ({"inbox": hall.other}, {"site": "https://shop.example:8443"}, {"site": "http://shop.example"}):
        other = await hall.browser(token=first.token, **more)
        assert other.visitor.id != first.visitor.id and await other.texts() == []


async def test_what_a_device_forgot_opens_nothing_and_can_do_nothing_any_longer(hall: Hall) -> None:
    first = await hall.browser()
    await first.says("mine")
    await first.does(visitors.page_view, "https://shop.example/cart", "Cart")
    await first.does(visitors.forget)
    assert (await hall.browser(token=first.token)).visitor.id != first.visitor.id
    for doing in (first.says("still me"), first.sees(), first.does(visitors.end), first.does(visitors.forget)):
        assert (await refused(doing)).code == "unauthenticated"
    assert await hall.value("SELECT COUNT(*) FROM visit") == 0
    assert await hall.value("SELECT page FROM visitor WHERE id = :id", id=first.visitor.id) is None
    assert await hall.value("SELECT COUNT(*) FROM message") == 1, "what was said to us stays"


async def test_a_token_that_was_not_used_for_half_a_year_opens_nothing(hall: Hall, clock: ManualClock) -> None:
    first = await hall.browser()
    clock.advance(170 * DAY)
    assert (await hall.browser(token=first.token)).visitor.id == first.visitor.id
    clock.advance(181 * DAY)
    assert (await hall.browser(token=first.token)).visitor.id != first.visitor.id


async def test_who_said_nothing_for_a_month_is_dropped_and_everybody_else_stays(hall: Hall, clock: ManualClock) -> None:
    talker, looker = await hall.browser(), await hall.browser()
    await talker.says("hello")
    await looker.does(visitors.page_view, "https://shop.example/")
    clock.advance(20 * DAY)
    late = await hall.browser()
    assert await hall.store.write(visitors.sweep) == 0
    clock.advance(11 * DAY)
    assert await hall.store.write(visitors.sweep) == 1
    assert await hall.store.write(visitors.sweep) == 0
    left = await hall.rows("SELECT id FROM visitor ORDER BY id")
    assert [row[0] for row in left] == [talker.visitor.id, late.visitor.id]
    assert (await hall.browser(token=looker.token)).visitor.id > late.visitor.id


# --- say -----------------------------------------------------------------------------------------------------------


async def test_the_first_word_makes_a_contact_and_a_ticket_and_nothing_does_before(hall: Hall) -> None:
    browser = await hall.browser()
    assert await hall.value("SELECT COUNT(*) FROM contact") == 0
    said = await browser.says("Hello\nthere")
    thread = await hall.store.read(lists.thread, hall.ann, said.number)
    assert (thread.ticket.subject, thread.ticket.status) == ("Hello", "open")
    assert thread.ticket.waiting_since == thread.ticket.created_at
    assert thread.ticket.place == SITE
    assert await hall.rows("SELECT kind, scope, value, sureness FROM contact_point") == [
        ("visitor", hall.inbox.token, str(browser.visitor.id), "attested")
    ]


async def test_one_id_is_one_message_however_often_and_however_many_at_once(hall: Hall) -> None:
    browser = await hall.browser()
    said = await asyncio.gather(*(browser.says("hello", "once") for _ in range(50)))
    assert len({(s.message_id, s.number, s.at) for s in said}) == 1
    assert [s.duplicate for s in said].count(False) == 1
    assert await browser.texts() == ["hello"]


async def test_another_text_under_a_used_id_is_refused_and_the_first_stays(hall: Hall) -> None:
    browser = await hall.browser()
    await browser.says("first", "same")
    assert (await refused(browser.says("second", "same"))).code == "conflict"
    assert await browser.texts() == ["first"]
    other = await hall.browser()
    await other.says("second", "same")  # ids are each browser's own
    assert await other.texts() == ["second"]


@pytest.mark.parametrize("id", ["", " ", "a b", "x" * 65, "é", "a\n", "\0"])
async def test_ids_that_are_none_are_refused(hall: Hall, id: str) -> None:
    browser = await hall.browser()
    error = await refused(hall.store.write(visitors.say, browser.visitor, "hello", id))
    assert (error.code, error.field) == ("invalid", "client_id")


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\u2800", "x" * 10_001, "a\0b", "\ud800"])
async def test_what_is_no_message_is_refused_and_leaves_nothing(hall: Hall, text: str) -> None:
    browser = await hall.browser()
    assert (await refused(browser.says(text))).field == "text"
    assert await hall.value("SELECT COUNT(*) FROM contact") == 0
    await browser.says("x" * 10_000)


async def test_messages_join_what_is_going_on_and_reopen_what_was_resolved(hall: Hall, clock: ManualClock) -> None:
    browser = await hall.browser()
    first = await browser.says("one")
    assert (await browser.says("two")).number == first.number
    await hall.store.write(tickets.resolve, hall.ann, first.number)
    assert (await browser.says("three")).number == first.number
    assert [e["because"] for e in await hall.events("ticket.reopened")] == ["message"]
    await browser.does(visitors.end)
    clock.advance(15 * DAY)
    later = await browser.says("four")
    assert later.number == first.number + 1
    assert await browser.texts() == ["one", "two", "three", "four"]


async def test_ending_resolves_it_by_the_contact_once_and_starting_anew_opens_another(hall: Hall) -> None:
    browser = await hall.browser()
    await browser.does(visitors.end)  # nothing is going on
    first = await browser.says("one")
    await browser.does(visitors.end)
    await browser.does(visitors.end)
    assert await hall.rows("SELECT by_kind FROM event WHERE name = 'ticket.resolved'") == [("contact",)]
    await browser.does(visitors.start_anew)
    assert (await browser.sees()).ticket is None
    second = await browser.says("two")
    assert second.number == first.number + 1
    await browser.does(visitors.start_anew)
    assert await hall.value("SELECT COUNT(*) FROM ticket WHERE status = 'resolved'") == 2


async def test_the_blocked_are_taken_into_the_spam_bin_without_a_word(hall: Hall) -> None:
    browser = await hall.browser()
    first = await browser.says("one")
    contact_id = await hall.value("SELECT contact_id FROM ticket")
    await hall.store.write(contacts.change, hall.ann.actor, contact_id, blocked=True)
    said = [await browser.says("two"), await browser.says("three")]
    assert said[0].number == said[1].number == first.number + 1
    assert await hall.rows("SELECT spam FROM ticket ORDER BY id") == [(0,), (1,)]
    assert await browser.texts() == ["one", "two", "three"]
    kept = await hall.store.read(blocking.chatted, hall.ann)
    assert [(one.contact_id, one.number, one.text) for one in kept] == [
        (contact_id, first.number + 1, "three"),
        (contact_id, first.number + 1, "two"),
    ]
    stranger = Caller(Actor("agent", 9), Grants(9, hall.ann.grants.permissions, False, frozenset(), frozenset()))
    assert await hall.store.read(blocking.chatted, stranger) == []


# --- what the desk wants first -------------------------------------------------------------------------------------


async def test_while_nobody_is_online_a_new_ticket_needs_an_address_and_one_going_on_does_not(hall: Hall) -> None:
    await hall.set(offline="auto")
    browser = await hall.browser()
    state = await browser.sees()
    assert (state.online, state.closed) == (False, True)
    error = await refused(browser.says("hello", "a"))
    assert error.field == "email" and await hall.value("SELECT COUNT(*) FROM ticket") == 0
    assert (await refused(browser.says("hello", "a", email="no address"))).field == "email"
    await browser.says("hello", "a", email="Eve@Example.net")
    assert await hall.rows("SELECT kind, value, sureness FROM contact_point ORDER BY id") == [
        ("visitor", str(browser.visitor.id), "attested"),
        ("email", "eve@example.net", "typed"),
    ]
    await hall.ann_is_there()
    other = await hall.browser()
    assert (await other.sees()).closed is False
    await other.says("I need no address")
    await hall.ann_is_there(False)
    await other.says("nor now")


async def test_fields_with_a_star_and_the_consent_are_needed_once(hall: Hall) -> None:
    await hall.set(ask=["name*", "phone", "subject*"], consent="You may keep this.", default_country="ET")
    browser = await hall.browser()
    state = await browser.sees()
    assert (state.ask, state.consent) == (("name*", "phone", "subject*"), "You may keep this.")
    error = await refused(browser.says("hello"))
    assert [e.field for e in error.errors] == ["consent", "name", "subject"]
    wrong = await refused(browser.does(visitors.leave_details, hall.inbox, Details(phone="abc", email="x\r\ny")))
    assert {e.field for e in wrong.errors} == {"phone", "email"}
    given = Details(name="<img src=x onerror=alert(1)>", subject="Kettle", phone="0911 234567", consent=True)
    await browser.does(visitors.leave_details, hall.inbox, given)
    said = await browser.says("hello")
    thread = await hall.store.read(lists.thread, hall.ann, said.number)
    assert thread.contact.name == "<img src=x onerror=alert(1)>"
    assert thread.ticket.subject == "Kettle"
    assert await hall.value("SELECT COUNT(*) FROM consent WHERE given = 1 AND purpose = 'privacy'") == 1
    await browser.does(visitors.start_anew)
    state = await browser.sees()
    assert (state.ask, state.consent, state.name) == (("subject*",), None, given.name)


async def test_an_address_of_somebody_else_joins_nobody_but_is_shown_to_the_agent(hall: Hall) -> None:
    def known(tx: Any) -> int:
        sender = Sender(Point("email", "eve@example.net"), name="Eve")
        return contacts.recognise(tx, sender, inbox_id=hall.inbox.id, country=None, source=None, how="test").contact_id

    eve = await hall.store.write(known)
    browser = await hall.browser()
    said = await browser.says("It is me, Eve", name="Eve", email="eve@example.net")
    thread = await hall.store.read(lists.thread, hall.ann, said.number)
    assert thread.ticket.contact_id != eve
    assert '"email":"eve@example.net"' in (thread.messages[0].details or "")


async def test_where_only_the_signed_may_write_others_are_told_so(hall: Hall) -> None:
    await hall.set(enforce_identity=True)
    browser = await hall.browser()
    assert (await browser.sees()).must_sign_in
    error = await refused(browser.says("hello"))
    assert error.code == "forbidden" and "sign in" in error.text
    await browser.signs_in("customer-7")
    await browser.says("hello")
    assert not (await browser.sees()).must_sign_in


async def test_an_inbox_that_is_switched_off_takes_nothing(hall: Hall) -> None:
    browser = await hall.browser()
    await hall.store.write(inboxes.change, DESK, hall.inbox.id, enabled=False)
    assert (await refused(browser.says("hello"))).code == "gone"


# --- how our answers arrive ----------------------------------------------------------------------------------------

STATES = "SELECT state FROM delivery ORDER BY id"


async def test_answers_are_delivered_up_to_the_cursor_and_read_up_to_the_message_once_each(hall: Hall) -> None:
    browser, other = await hall.browser(), await hall.browser()
    number = (await browser.says("hello")).number
    first = await hall.answers(number, "one")
    cursor = await hall.value("SELECT MAX(id) FROM event")
    second = await hall.answers(number, "two")
    await hall.answers((await other.says("hi")).number, "to the other")
    assert await browser.does(visitors.acknowledge, cursor) == 1
    assert await browser.does(visitors.acknowledge, cursor) == 0
    assert await hall.rows(STATES) == [("delivered",), ("queued",), ("queued",)]
    assert (await browser.sees()).unread == 2
    await browser.does(visitors.read, second)
    await browser.does(visitors.read, first)
    assert await browser.does(visitors.acknowledge, 2**62) == 0
    assert await hall.rows(STATES) == [("read",), ("read",), ("queued",)]
    assert [(e["was"], e["state"]) for e in await hall.events("delivery.changed")] == [
        ("queued", "delivered"),
        ("delivered", "read"),
        ("queued", "read"),
    ]
    state = await browser.sees()
    assert (state.unread, state.read_to) == (0, second)
    assert await hall.value("SELECT COUNT(*) FROM job WHERE kind = 'deliver'") == 0


async def test_what_was_said_in_a_chat_cannot_be_called_back(hall: Hall) -> None:
    browser = await hall.browser()
    await hall.answers((await browser.says("hello")).number, "one")
    delivery_id = await hall.value("SELECT id FROM delivery")
    assert (await refused(hall.store.write(deliveries.cancel, hall.ann, delivery_id))).code == "conflict"
    assert await browser.texts() == ["hello", "one"]


async def test_only_answers_of_ours_to_them_can_be_read(hall: Hall) -> None:
    browser, other = await hall.browser(), await hall.browser()
    own = (await browser.says("hello")).message_id
    theirs = await hall.answers((await other.says("hi")).number, "to the other")
    for message_id in (own, theirs, theirs + 1_000, 0, -1):
        assert (await refused(browser.does(visitors.read, message_id))).code == "not_found"


async def test_a_visitor_sees_a_first_name_and_who_has_it_and_how_many_wait(hall: Hall, clock: ManualClock) -> None:
    before = await hall.browser()
    earlier = (await before.says("first in the queue")).number
    clock.advance(MINUTE)
    browser = await hall.browser()
    number = (await browser.says("hello")).number
    state = await browser.sees()
    assert state.ticket is not None
    assert (state.ticket.position, state.ticket.expected_wait, state.ticket.agent) == (1, None, None)
    clock.advance(MINUTE)
    await hall.answers(earlier, "here I am")
    state = await browser.sees()
    assert state.ticket is not None
    assert (state.ticket.position, state.ticket.expected_wait) == (0, 2 * MINUTE)
    await hall.store.write(assignment.claim, hall.ann, number)
    await hall.answers(number, "hello")
    state = await browser.sees()
    assert state.ticket is not None
    assert (state.ticket.agent, state.ticket.position) == ("Ann", None)
    assert [(m.by, m.author, m.client_id) for m in state.messages] == [("visitor", None, "m1"), ("agent", "Ann", None)]


async def test_notes_tags_and_other_inboxes_answers_are_not_shown(hall: Hall) -> None:
    browser = await hall.browser()
    number = (await browser.says("hello")).number
    await hall.store.write(notes.write, hall.ann, number, "a difficult one")
    await hall.store.write(tags.tag_ticket, hall.ann, number, "difficult")
    shown = str(await browser.sees())
    assert "difficult" not in shown and "Ash" not in shown


async def test_page_views_are_kept_without_queries_and_only_the_newest_fifty(hall: Hall) -> None:
    browser = await hall.browser()
    for number in range(60):
        await browser.does(visitors.page_view, f"https://shop.example/{number}?token=secret#part", f"Page\n{number}")
        await browser.does(visitors.page_view, f"https://shop.example/{number}?other", None)
    for page in ("javascript:alert(1)", "data:text/html,x", "", "https://", "https://[", "x" * 60_000):
        await browser.does(visitors.page_view, page)
    seen = await hall.store.read(visitors.visits, browser.visitor.id)
    assert [v.page for v in seen] == [f"https://shop.example/{n}" for n in range(59, 9, -1)]
    assert seen[0].title == "Page 59"
    assert await hall.value("SELECT COUNT(*) FROM visit") == 50
    await browser.does(visitors.page_view, "https://user:word@shop.example:8443/x/" + "y" * 5_000)
    page = await hall.value("SELECT page FROM visitor")
    assert page.startswith("https://shop.example:8443/x/y") and len(page) == 2_000


@pytest.mark.parametrize("language", ["../../etc/passwd", "x" * 10_000, "en_US.UTF-8", "", "<b>"])
async def test_a_language_that_is_none_is_not_kept(hall: Hall, language: str) -> None:
    entered = await hall.store.write(visitors.enter, hall.inbox, None, SITE, language=language)
    assert entered.visitor.language is None
    entered = await hall.store.write(visitors.enter, hall.inbox, None, SITE, language="am-ET")
    assert entered.visitor.language == "am-ET"
