"""The form through HTTP, as people and firms use it. On both databases."""

import asyncio
import json

import pytest

from hub.desk import inboxes
from hub.staff.access import DESK
from tests.fixtures.forms import ALLOWED, GOOD, FormDesk


async def test_a_message_becomes_a_ticket_and_the_page_shows_its_number(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()
    sent = await form_desk.send(await form_desk.show(inbox), subject="Parcel", phone="+251 11 123 4567")
    thanks = await form_desk.thanks(sent)
    (kept,) = await form_desk.messages(inbox)
    assert thanks.status == 200
    assert f"#{kept.number}" in thanks.text
    assert (kept.name, kept.text, kept.email, kept.subject, kept.spam) == (
        "Ann",
        GOOD["message"],
        "ann@example.org",
        "Parcel",
        False,
    )
    points = await form_desk.rows("SELECT kind, value, sureness FROM contact_point ORDER BY kind")
    assert points == [("email", "ann@example.org", "typed"), ("phone", "+251111234567", "typed")]
    assert await form_desk.rows("SELECT COUNT(*) FROM inbound WHERE state = 'done'") == [(1,)]


async def test_nothing_is_mailed_and_nothing_typed_is_shown_afterwards(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()
    thanks = await form_desk.thanks(await form_desk.send(await form_desk.show(inbox), message="BUY NOW"))
    assert "BUY NOW" not in thanks.text and "ann@example.org" not in thanks.text
    assert await form_desk.rows("SELECT COUNT(*) FROM delivery") == [(0,)]
    assert await form_desk.rows("SELECT kind FROM job WHERE kind = 'deliver'") == []


async def test_errors_stand_beside_their_fields_and_the_text_is_kept(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox(selects=["Topic*: Delivery | Payment"], consent="You may store this.")
    page = await form_desk.send(await form_desk.show(inbox), name="", email="ann@", message="two\nlines <b>&amp;</b>")
    assert page.status == 422
    assert set(page.errors) == {"name", "email", "select_1", "consent_privacy"}
    assert "@" in page.errors["email"]
    assert page.described == {name: f"{name}-error" for name in page.errors} | {"phone": "either"}
    assert page.fields["message"] == "two\nlines <b>&amp;</b>"
    assert page.fields["email"] == "ann@"
    assert await form_desk.messages(inbox) == []
    again = await form_desk.send(page, name="Ann", email="ann@example.org", select_1="Payment", consent_privacy="yes")
    assert again.status == 303
    (kept,) = await form_desk.messages(inbox)
    assert kept.text == "two\nlines <b>&amp;</b>"
    assert json.loads(kept.details)["answers"] == {"Topic": "Payment"}


async def test_the_button_pressed_often_is_one_ticket(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()
    page = await form_desk.show(inbox)
    sent = await asyncio.gather(*(form_desk.send(page, after=0 if n else 5_000) for n in range(20)))
    assert {one.status for one in sent} == {303}
    assert len({one.headers["Location"] for one in sent}) == 1
    assert len(await form_desk.messages(inbox)) == 1


async def test_the_same_page_with_another_text_is_asked_about(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()
    page = await form_desk.show(inbox)
    await form_desk.send(page, message="First")
    other = await form_desk.send(page, message="Second")
    assert other.status == 409
    assert "another text" in other.text
    assert other.fields["message"] == "Second"
    assert other.fields["form_token"] != page.fields["form_token"]
    assert (await form_desk.send(other)).status == 303
    assert [kept.text for kept in await form_desk.messages(inbox)] == ["First", "Second"]


async def test_a_page_that_was_open_for_a_day_goes_through_the_second_time(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()
    late = await form_desk.send(await form_desk.show(inbox), after=25 * 3_600_000, message="Late")
    assert late.status == 422 and "more than a day" in late.text
    assert late.fields["message"] == "Late"
    assert (await form_desk.send(late)).status == 303
    assert [kept.text for kept in await form_desk.messages(inbox)] == ["Late"]


async def test_the_sixth_within_an_hour_waits_with_its_text(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()
    for n in range(5):
        assert (await form_desk.send(await form_desk.show(inbox), message=f"Message {n}")).status == 303
    page = await form_desk.send(await form_desk.show(inbox), message="One more")
    assert page.status == 429
    assert 3_000 < int(page.headers["Retry-After"]) <= 3_600
    assert page.fields["message"] == "One more"
    assert len(await form_desk.messages(inbox)) == 5
    assert (await form_desk.send(page, after=3_600_000)).status == 303
    assert len(await form_desk.messages(inbox)) == 6


async def test_what_a_machine_sends_is_stored_as_spam_and_answered_alike(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()
    trapped = await form_desk.send(await form_desk.show(inbox), website="https://spam.example")
    hasty = await form_desk.send(await form_desk.show(inbox), after=200, message="Fast")
    for page in (trapped, hasty):
        assert (await form_desk.thanks(page)).status == 200
    assert [kept.spam for kept in await form_desk.messages(inbox)] == [True, True]


async def test_a_firms_own_form_is_taken_from_allowed_sites_only(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()
    body = b"name=Ann&email=ann%40example.org&message=Hello&order=A-17&next=https%3A%2F%2Fshop.example%2Fthanks"
    way = (f"/f/{inbox.token}/post", body, "application/x-www-form-urlencoded")
    refused = await form_desk.post(*way, {"Origin": "https://evil.example"})
    assert refused.status == 403
    assert refused.fields["message"] == "Hello" and refused.fields["order"] == "A-17"
    taken = await form_desk.post(*way, {"Origin": ALLOWED, "Referer": "https://shop.example/contact?id=1"})
    assert (taken.status, taken.headers["Location"]) == (303, "https://shop.example/thanks")
    again = await form_desk.post(*way, {"Origin": ALLOWED})
    assert again.status == 303
    (kept,) = await form_desk.messages(inbox)
    assert kept.page == "https://shop.example/contact"
    assert json.loads(kept.details)["fields"] == {"order": "A-17"}
    # What was refused can be sent from our page, with all that stood in it.
    assert (await form_desk.send(refused, message="Hello again")).status == 303
    assert json.loads((await form_desk.messages(inbox))[1].details)["fields"] == {"order": "A-17"}


async def test_the_same_words_are_one_message_across_the_quarter_of_an_hour(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()
    body = b"name=Ann&email=ann%40example.org&message=Hello"
    way = (f"/f/{inbox.token}/post", body, "application/x-www-form-urlencoded")
    window = 15 * 60_000
    form_desk.clock.advance(window - form_desk.clock.now() % window - 1_000)
    for wait, count in ((0, 1), (2_000, 1), (window - 3_000, 1), (2_000, 2)):
        form_desk.clock.advance(wait)
        assert (await form_desk.post(*way)).status == 303
        assert len(await form_desk.messages(inbox)) == count, wait


async def test_a_server_gets_json_back(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()

    async def post(**values: object) -> tuple[int, dict]:
        page = await form_desk.post(
            f"/f/{inbox.token}/post", json.dumps({**GOOD, **values}).encode(), "application/json"
        )
        return page.status, json.loads(page.body)

    status, answer = await post(client_id="a1")
    (kept,) = await form_desk.messages(inbox)
    assert (status, answer) == (201, {"number": kept.number, "duplicate": False})
    assert await post(client_id="a1") == (200, {"number": kept.number, "duplicate": True})
    status, answer = await post(client_id="a1", message="Else")
    assert (status, answer["type"]) == (409, "/problems/conflict")
    status, answer = await post(email="x", message=["list"])
    assert status == 422
    assert {error["path"] for error in answer["errors"]} == {"email", "message"}


async def test_own_servers_are_not_counted(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox(servers=["127.0.0.0/8"])
    for n in range(8):
        body = f"name=Ann&email=ann%40example.org&message=Message+{n}".encode()
        assert (await form_desk.post(f"/f/{inbox.token}/post", body, "application/x-www-form-urlencoded")).status == 303
    assert len(await form_desk.messages(inbox)) == 8


async def test_consents_and_refusals_are_kept_as_they_were_asked(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox(consent="You may store this.", marketing="Send me news.")
    assert (await form_desk.send(await form_desk.show(inbox), consent_privacy="yes")).status == 303
    assert await form_desk.rows("SELECT purpose, given, wording FROM consent ORDER BY id") == [
        ("privacy", 1, "You may store this."),
        ("marketing", 0, "Send me news."),
    ]


async def test_where_it_began_is_kept(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()
    page = await form_desk.show(
        inbox, "?place=Branch+7&utm_source=flyer&utm_campaign=june", Referer="https://search.example/?q=secret"
    )
    assert (await form_desk.send(page)).status == 303
    (kept,) = await form_desk.messages(inbox)
    assert (kept.place, kept.page, kept.referrer) == ("Branch 7", None, "https://search.example/")
    assert await form_desk.rows("SELECT utm FROM ticket") == [('{"source":"flyer","campaign":"june"}',)]


@pytest.mark.parametrize(
    ("accepts", "language", "direction", "button"),
    [
        ("fr, km;q=0.9", "km", "ltr", "ផ្ញើ"),
        ("ar-EG", "ar", "rtl", "إرسال"),
        ("am", "am", "ltr", "ላክ"),
        ("ru", "ru", "ltr", "Отправить"),
        ("fr", "en", "ltr", "Send"),
    ],
)
async def test_the_page_speaks_the_visitors_language(
    sqlite_form_desk: FormDesk, accepts: str, language: str, direction: str, button: str
) -> None:
    inbox = await sqlite_form_desk.inbox()
    page = await sqlite_form_desk.show(inbox, **{"Accept-Language": accepts})
    assert dict(page.tags)["html"] == {"lang": language, "dir": direction}
    assert button in page.text
    wrong = await sqlite_form_desk.send(page, email="x", headers={"Accept-Language": accepts})
    assert dict(wrong.tags)["html"]["lang"] == language and set(wrong.errors) == {"email"}


async def test_the_page_needs_nothing_from_elsewhere_and_every_field_has_a_label(sqlite_form_desk: FormDesk) -> None:
    inbox = await sqlite_form_desk.inbox(ask="both", selects=["A: x | y"], consent="Yes?", colour="#ffd400")
    page = await sqlite_form_desk.show(inbox)
    assert not [tag for tag, _ in page.tags if tag in ("script", "style", "img", "iframe")]
    assert not [attrs for _, attrs in page.tags if "style" in attrs]
    sources = {attrs[key] for _, attrs in page.tags for key in ("href", "src") if key in attrs}
    assert sources == {f"/f/{inbox.token}/form.css"}
    shown = {attrs["id"] for tag, attrs in page.tags if tag in ("input", "select", "textarea") and "id" in attrs}
    assert shown <= page.labels and len(shown) == 8
    complete = {attrs["name"]: attrs.get("autocomplete") for tag, attrs in page.tags if tag == "input"}
    assert (complete["name"], complete["email"], complete["phone"]) == ("name", "email", "tel")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'")
    assert f"frame-ancestors {ALLOWED}" in policy
    style = await sqlite_form_desk.get(f"/f/{inbox.token}/form.css")
    assert b"--brand: #ffd400;" in style.body and b"--ink-on-brand: #000000;" in style.body
    assert b"url(" not in style.body and b"@import" not in style.body


async def test_addresses_that_are_none_say_so(sqlite_form_desk: FormDesk) -> None:
    inbox = await sqlite_form_desk.inbox()
    for path in ("/f/nobody", f"/f/{inbox.token}/else", f"/in/{inbox.token}"):
        assert (await sqlite_form_desk.get(path)).status in (404, 405), path
    assert (await sqlite_form_desk.post(f"/f/{inbox.token}/thanks", b"", "")).status == 405
    for path in ("send", "post", "thanks?t=AAAA"):
        led = await sqlite_form_desk.get(f"/f/{inbox.token}/{path}")
        assert (led.status, led.headers["Location"]) == (303, f"/f/{inbox.token}")


async def test_the_webhooks_address_is_no_way_round_the_counting(sqlite_form_desk: FormDesk) -> None:
    inbox = await sqlite_form_desk.inbox()
    body = b"name=Ann&email=ann%40example.org&message=Hello"
    page = await sqlite_form_desk.post(f"/in/{inbox.token}", body, "application/x-www-form-urlencoded")
    assert page.status == 403
    assert await sqlite_form_desk.messages(inbox) == []
    assert await sqlite_form_desk.rows("SELECT COUNT(*) FROM inbound") == [(0,)]


async def test_a_desk_that_is_away_keeps_the_text_and_the_token(form_desk: FormDesk) -> None:
    inbox = await form_desk.inbox()
    page = await form_desk.show(inbox)
    await form_desk.store.close()
    away = await form_desk.send(page, message="Are you there?")
    assert away.status == 503 and int(away.headers["Retry-After"]) > 0
    assert away.fields["message"] == "Are you there?"
    assert away.fields["form_token"] == page.fields["form_token"]


async def test_an_inbox_that_is_switched_off_has_no_form(sqlite_form_desk: FormDesk) -> None:
    inbox = await sqlite_form_desk.inbox()
    await sqlite_form_desk.store.write(inboxes.change, DESK, inbox.id, enabled=False)
    assert (await sqlite_form_desk.get(f"/f/{inbox.token}")).status == 404
