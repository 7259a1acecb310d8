"""Who a site says its visitor is: only what it has signed, for this inbox and this hour, opens or changes anything."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.clock import HOUR, MINUTE, ManualClock
from hub.connector import Point, Sender
from hub.desk import inboxes, visitors
from hub.errors import Refusal
from hub.people import contacts
from hub.staff.access import DESK
from tests.fixtures.visits import SECRET, Browser, Hall

VICTIM = "customer-1"


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def made(header: Any, claims: Any, secret: bytes = SECRET.encode(), digest: Any = hashlib.sha256) -> str:
    """A token by hand, with whatever is to be in it."""
    signed = ".".join(b64(p if isinstance(p, bytes) else json.dumps(p).encode()) for p in (header, claims))
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), digest).digest())}"


def cut(token: str, part: int) -> list[str]:
    return [p for n, p in enumerate(token.split(".")) if n != part]


# (what is wrong, how it is made out of a hall, a genuine token and its claims)
Forge = Callable[[Hall, str, dict[str, Any]], Any]
HS = {"alg": "HS256", "typ": "JWT"}


def with_claims(**changes: Any) -> Forge:
    return lambda hall, token, claims: made(HS, {k: v for k, v in {**claims, **changes}.items() if v is not ...})


FORGED: dict[str, Forge] = {
    "missing": lambda h, t, c: "",
    "a word": lambda h, t, c: "customer-1",
    "the id alone": lambda h, t, c: b64(b"customer-1"),
    "dots": lambda h, t, c: "..",
    "dots and blanks": lambda h, t, c: " . . ",
    "no signature": lambda h, t, c: ".".join(cut(t, 2)) + ".",
    "no signature part": lambda h, t, c: ".".join(cut(t, 2)),
    "no header": lambda h, t, c: ".".join(cut(t, 0)),
    "no claims": lambda h, t, c: ".".join(cut(t, 1)),
    "a part more": lambda h, t, c: t + ".x",
    "five parts": lambda h, t, c: t + ".x.y",
    "truncated by one": lambda h, t, c: t[:-1],
    "truncated by half": lambda h, t, c: t[: len(t) // 2],
    "longer": lambda h, t, c: t + "A",
    "upper case": lambda h, t, c: t.upper(),
    "lower case": lambda h, t, c: t.lower(),
    "reversed": lambda h, t, c: t[::-1],
    "padded": lambda h, t, c: t + "==",
    "twice": lambda h, t, c: t + t,
    "encoded again": lambda h, t, c: b64(t.encode()),
    "percent-encoded": lambda h, t, c: t.replace(".", "%2E"),
    "with Bearer before": lambda h, t, c: f"Bearer {t}",
    "a newline after": lambda h, t, c: t + "\n",
    "a newline within": lambda h, t, c: t.replace(".", ".\n", 1),
    "a NUL after": lambda h, t, c: t + "\0",
    "not ASCII": lambda h, t, c: t.replace("e", "е", 1),
    "plain base64": lambda h, t, c: base64.b64encode(t.encode()).decode(),
    "8 KB and more": lambda h, t, c: made(HS, {**c, "more": "x" * 10_000}),
    "another signature": lambda h, t, c: ".".join([*cut(t, 2), b64(b"x" * 32)]),
    "an empty key": lambda h, t, c: made(HS, c, b""),
    "another key": lambda h, t, c: made(HS, c, SECRET.encode() + b" "),
    "the inbox's token as key": lambda h, t, c: made(HS, c, h.inbox.token.encode()),
    "the key's hash as key": lambda h, t, c: made(HS, c, hashlib.sha256(SECRET.encode()).digest()),
    "alg none": lambda h, t, c: made({"alg": "none"}, c),
    "alg none, unsigned": lambda h, t, c: made({"alg": "none"}, c).rsplit(".", 1)[0] + ".",
    "alg None": lambda h, t, c: made({"alg": "None"}, c),
    "alg nOnE, unsigned": lambda h, t, c: made({"alg": "nOnE"}, c).rsplit(".", 1)[0] + ".",
    "alg missing": lambda h, t, c: made({"typ": "JWT"}, c),
    "alg null": lambda h, t, c: made({"alg": None}, c),
    "alg a list": lambda h, t, c: made({"alg": ["HS256"]}, c),
    "alg HS512": lambda h, t, c: made({"alg": "HS512"}, c, digest=hashlib.sha512),
    "alg HS384": lambda h, t, c: made({"alg": "HS384"}, c, digest=hashlib.sha384),
    "alg hs256": lambda h, t, c: made({"alg": "hs256"}, c),
    "alg RS256 signed with the secret": lambda h, t, c: made({"alg": "RS256"}, c),
    "unknown critical header": lambda h, t, c: made({**HS, "crit": ["x"], "x": 1}, c),
    "header a list": lambda h, t, c: made([HS], c),
    "header no JSON": lambda h, t, c: made(b"{", c),
    "claims a list": lambda h, t, c: made(HS, [c]),
    "claims a text": lambda h, t, c: made(HS, "customer-1"),
    "claims null": lambda h, t, c: made(HS, None),
    "claims no JSON": lambda h, t, c: made(HS, b"\xff{"),
    "claims deep": lambda h, t, c: made(HS, b"[" * 3_000),
    "aud missing": with_claims(aud=...),
    "aud empty": with_claims(aud=""),
    "aud of another inbox": lambda h, t, c: made(HS, {**c, "aud": h.other.token}),
    "aud a list without it": lambda h, t, c: made(HS, {**c, "aud": [h.other.token]}),
    "aud a part of it": lambda h, t, c: made(HS, {**c, "aud": c["aud"][:-1]}),
    "aud true": with_claims(aud=True),
    "aud an object": lambda h, t, c: made(HS, {**c, "aud": {c["aud"]: 1}}),
    "sub missing": with_claims(sub=...),
    "sub empty": with_claims(sub=""),
    "sub null": with_claims(sub=None),
    "sub a number": with_claims(sub=1),
    "sub a list": with_claims(sub=[VICTIM]),
    "sub an object": with_claims(sub={"id": VICTIM}),
    "sub true": with_claims(sub=True),
    "sub with a blank": with_claims(sub=VICTIM + " "),
    "sub with a newline": with_claims(sub=VICTIM + "\n"),
    "sub with a NUL": with_claims(sub=VICTIM + "\0"),
    "sub of 256 characters": with_claims(sub="x" * 256),
    "exp missing": with_claims(exp=...),
    "exp null": with_claims(exp=None),
    "exp a text": lambda h, t, c: made(HS, {**c, "exp": str(c["exp"])}),
    "exp a fraction": lambda h, t, c: made(HS, {**c, "exp": c["exp"] + 0.5}),
    "exp true": with_claims(exp=True),
    "exp now": lambda h, t, c: made(HS, {**c, "exp": h.store.clock.now() // 1_000}),
    "exp past": lambda h, t, c: made(HS, {**c, "exp": c["iat"] - 1}),
    "exp in two hours": lambda h, t, c: made(HS, {**c, "exp": c["iat"] + 7_200}),
    "exp just over an hour away": lambda h, t, c: made(HS, {**c, "exp": h.store.clock.now() // 1_000 + 3_601}),
    "exp in milliseconds": lambda h, t, c: made(HS, {**c, "exp": c["exp"] * 1_000}),
    "exp for ever": with_claims(exp=2**62),
    "exp infinite": lambda h, t, c: made(HS, json.dumps({**c, "exp": float("inf")}).encode()),
    "iat missing": with_claims(iat=...),
    "iat a text": lambda h, t, c: made(HS, {**c, "iat": str(c["iat"])}),
    "iat to come": lambda h, t, c: made(HS, {**c, "iat": c["iat"] + 3_000}),
    "nbf to come": lambda h, t, c: made(HS, {**c, "nbf": c["iat"] + 300}),
    "nbf a text": with_claims(nbf="now"),
}


async def victim(hall: Hall) -> Browser:
    """Somebody who is signed in and has told us something."""
    browser = await hall.browser()
    await browser.signs_in(VICTIM, name="Vic", email="vic@example.net")
    number = (await browser.says("my card number is 4111")).number
    await hall.answers(number, "a secret answer")
    return browser


def test_there_are_enough_forgeries() -> None:
    assert len(FORGED) >= 60


@pytest.mark.parametrize("how", FORGED)
async def test_what_is_not_signed_for_this_inbox_and_hour_opens_and_changes_nothing(hall: Hall, how: str) -> None:
    await victim(hall)
    thief = await hall.browser()
    now = hall.store.clock.now() // 1_000
    claims = {"sub": VICTIM, "aud": hall.inbox.token, "iat": now, "exp": now + 600}
    token = FORGED[how](hall, hall.signed(hall.inbox, VICTIM), claims)
    before = await hall.rows("SELECT COUNT(*), MAX(id) FROM event")
    with pytest.raises(Refusal) as caught:
        await thief.does(visitors.identify, token)
    assert caught.value.code == "forbidden"
    assert caught.value.text == "Who you are could not be confirmed. Reload the page and try again."
    state = await thief.sees()
    assert state.messages == [] and state.verified is False and state.ticket is None
    assert await hall.rows("SELECT COUNT(*), MAX(id) FROM event") == before
    row = await hall.rows("SELECT contact_id, subject, verified_at FROM visitor WHERE id = :id", id=thief.visitor.id)
    assert row == [(None, None, None)]


async def test_the_genuine_one_by_hand_and_by_the_library_holds_until_its_time_is_over(
    hall: Hall, clock: ManualClock
) -> None:
    token = hall.signed(hall.inbox, VICTIM)
    now = clock.now() // 1_000
    by_hand = made(HS, {"sub": VICTIM, "aud": [hall.other.token, hall.inbox.token], "iat": now, "exp": now + 3_600})
    for good in (token, by_hand):
        browser = await hall.browser()
        await browser.does(visitors.identify, good)
        assert (await browser.sees()).verified
    clock.advance(11 * MINUTE)
    with pytest.raises(Refusal):
        await (await hall.browser()).does(visitors.identify, token)
    await (await hall.browser()).does(visitors.identify, by_hand)
    clock.advance(HOUR)
    with pytest.raises(Refusal):
        await (await hall.browser()).does(visitors.identify, by_hand)


async def test_without_a_secret_or_in_another_inbox_nothing_holds(hall: Hall) -> None:
    token = hall.signed(hall.inbox, VICTIM)
    with pytest.raises(Refusal):
        await (await hall.browser(inbox=hall.other)).does(visitors.identify, token)
    await hall.store.write(inboxes.change, DESK, hall.inbox.id, settings={"identity_secret": None})
    with pytest.raises(Refusal):
        await (await hall.browser()).does(visitors.identify, token)


async def test_the_signed_are_one_contact_who_sees_what_they_wrote_elsewhere_while_that_is_fresh(
    hall: Hall, clock: ManualClock
) -> None:
    first = await victim(hall)
    second = await hall.browser()
    assert await second.texts() == []
    await second.signs_in(VICTIM)
    secret = ["my card number is 4111", "a secret answer"]
    assert await second.texts() == secret
    assert (await second.sees()).ticket is None, "what goes on there goes on there"
    assert second.visitor.contact_id == first.visitor.contact_id
    await second.says("from my phone")
    assert await second.texts() == await first.texts() == [*secret, "from my phone"]
    answer = (await second.sees()).messages[1]
    await second.does(visitors.read, answer.id)
    assert (await second.sees()).read_to == answer.id
    assert await hall.rows("SELECT name FROM contact") == [("Vic",)]
    clock.advance(HOUR)
    assert await second.texts() == ["from my phone"], "a browser alone opens what was written in it"
    with pytest.raises(Refusal):
        await second.does(visitors.read, answer.id)


async def test_what_somebody_unknown_wrote_before_they_signed_in_is_not_shown_elsewhere(hall: Hall) -> None:
    await victim(hall)
    shared = await hall.browser()
    await shared.says("I am somebody else, at the same machine")
    await shared.signs_in(VICTIM)
    third = await hall.browser()
    await third.signs_in(VICTIM)
    assert await third.texts() == ["my card number is 4111", "a secret answer"]


async def test_who_was_unknown_keeps_what_they_wrote_when_the_site_signs_them(hall: Hall) -> None:
    browser = await hall.browser()
    number = (await browser.says("hello")).number
    await browser.signs_in("customer-2", name="Zoë", email="zoe@example.net", phone="+251911234567")
    assert await browser.texts() == ["hello"]
    assert (await browser.says("again")).number == number
    points = await hall.rows("SELECT kind, value, sureness FROM contact_point ORDER BY id")
    assert points == [
        ("visitor", str(browser.visitor.id), "attested"),
        ("external", "customer-2", "verified"),
        ("email", "zoe@example.net", "verified"),
        ("phone", "+251911234567", "verified"),
    ]
    assert await hall.value("SELECT name FROM contact") == "Zoë"
    assert [e["visitor_id"] for e in await hall.events("visitor.identified")] == [browser.visitor.id]


async def test_who_is_known_already_is_that_contact_and_what_was_written_before_stays_where_it_is(hall: Hall) -> None:
    known = await victim(hall)
    browser = await hall.browser()
    number = (await browser.says("before I signed in")).number
    stranger = await hall.value("SELECT contact_id FROM ticket WHERE number = :number", number=number)
    await browser.signs_in(VICTIM)
    assert browser.visitor.contact_id == known.visitor.contact_id != stranger
    assert (await browser.says("and after")).number == number
    assert await hall.value("SELECT contact_id FROM ticket WHERE number = :number", number=number) == stranger
    assert (await browser.texts())[-2:] == ["before I signed in", "and after"]
    assert "before I signed in" not in await known.texts()
    await browser.does(visitors.start_anew)
    later = (await browser.says("another matter")).number
    found = await hall.value("SELECT contact_id FROM ticket WHERE number = :number", number=later)
    assert found == known.visitor.contact_id


async def test_another_person_in_the_same_browser_is_another_visitor_and_the_first_is_out_of_sight(hall: Hall) -> None:
    browser = await victim(hall)
    first, token = browser.visitor, browser.token
    await browser.signs_in("customer-2")
    assert browser.visitor.id != first.id and browser.token != token
    assert await browser.texts() == []
    with pytest.raises(Refusal):
        await hall.store.read(visitors.state, first)
    assert await hall.store.read(visitors.find, hall.inbox.id, token, first.site) is None
    await browser.says("I am somebody else")
    await browser.signs_in(VICTIM)
    assert await browser.texts() == ["my card number is 4111", "a secret answer"], "by the site's word, not the token"


async def test_the_same_person_again_only_makes_it_fresh(hall: Hall, clock: ManualClock) -> None:
    browser = await victim(hall)
    before, token = browser.visitor, browser.token
    clock.advance(30 * MINUTE)
    await browser.signs_in(VICTIM, name="Victor")
    assert (browser.visitor.id, browser.token) == (before.id, token)
    assert (browser.visitor.verified_until or 0) > (before.verified_until or 0)
    assert await hall.value("SELECT name FROM contact") == "Victor"


async def test_an_address_that_the_site_never_checked_is_merely_typed_and_one_of_somebody_else_stays_theirs(
    hall: Hall,
) -> None:
    def known(tx: Any) -> int:
        sender = Sender(Point("email", "eve@example.net"), name="Eve")
        return contacts.recognise(tx, sender, inbox_id=hall.inbox.id, country=None, source=None, how="test").contact_id

    eve = await hall.store.write(known)
    browser = await hall.browser()
    await browser.signs_in("customer-3", email="eve@example.net", phone="+251911234567", phone_verified=False)
    assert browser.visitor.contact_id != eve
    assert await hall.rows("SELECT contact_id, sureness FROM contact_point WHERE kind = 'email'") == [(eve, "typed")]
    assert await hall.rows("SELECT sureness FROM contact_point WHERE kind = 'phone'") == [("typed",)]
    await browser.signs_in("customer-3", phone="+251911234567")
    assert await hall.rows("SELECT sureness FROM contact_point WHERE kind = 'phone'") == [("verified",)]


@pytest.mark.parametrize("claim", ["name", "email", "phone"])
async def test_claims_that_are_no_text_or_no_address_are_left_out(hall: Hall, claim: str) -> None:
    for value in (1, True, ["x"], {"a": 1}, "\0", "x" * 3_000, "not one\r\nBcc: x"):
        browser = await hall.browser()
        await browser.signs_in("customer-4", **{claim: value})
        assert (await browser.sees()).verified
    assert await hall.value("SELECT COUNT(*) FROM contact_point WHERE kind IN ('email', 'phone')") == 0
