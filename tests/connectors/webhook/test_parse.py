"""The generic webhook channel: what it makes of a body, of an answer, of a signature."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.webhook import parse as reading
from connectors.webhook import render, signing
from hub.connector import (
    Deletion,
    Edit,
    HttpAnswer,
    Ignored,
    Message,
    Outgoing,
    Point,
    Raw,
    Receipt,
    Rejected,
    Retry,
    Unknown,
    Unparsable,
    Unreadable,
)

NOW = 1_790_000_000_000


def parse(found: Any, sureness: Any = "typed") -> list[Any]:
    body = found if isinstance(found, bytes) else json.dumps(found).encode()
    return reading.parse(Raw(body=body), scope="inbox", sureness=sureness)


def message(**more: Any) -> dict[str, Any]:
    return {"id": "1", "from": {"email": "eve@example.net", "name": "Eve"}, "text": "Hello"} | more


def test_a_message_with_everything() -> None:
    (found,) = parse(message(subject="Order", in_reply_to="0", sent_at="2026-05-04T09:30:00+03:00"))
    assert isinstance(found, Message)
    assert (found.external_id, found.text, found.subject, found.in_reply_to) == ("1", "Hello", "Order", "0")
    assert found.sender.point == Point("email", "eve@example.net") and found.sender.name == "Eve"
    assert found.sender.sureness == "typed"
    assert found.sent_at == 1_777_876_200_000


@pytest.mark.parametrize(
    ("sender", "point", "sureness", "more"),
    [
        ({"email": "e@x.net"}, Point("email", "e@x.net"), "attested", 0),
        ({"phone": "+251911"}, Point("phone", "+251911"), "attested", 0),
        ({"phone": 251911}, Point("phone", "251911"), "attested", 0),
        ({"id": 7}, Point("webhook", "7", "inbox"), "attested", 0),
        ({"email": "e@x.net", "phone": "+251911", "id": "7"}, Point("email", "e@x.net"), "attested", 2),
        ({"email": "", "id": "7"}, Point("webhook", "7", "inbox"), "attested", 0),
    ],
)
def test_who_it_is_from(sender: Any, point: Point, sureness: str, more: int) -> None:
    (found,) = parse(message(**{"from": sender}), "attested")
    assert (found.sender.point, found.sender.sureness, len(found.sender.points)) == (point, sureness, more)


def test_only_an_id_of_its_own_is_sure_where_the_system_does_not_vouch() -> None:
    assert parse(message(**{"from": {"id": "7"}}))[0].sender.sureness == "attested"
    assert parse(message(**{"from": {"phone": "+251911"}}))[0].sender.sureness == "typed"


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"id": None}, "`id`"),
        ({"id": ""}, "`id`"),
        ({"id": True}, "`id`"),
        ({"id": ["1"]}, "`id`"),
        ({"text": None}, "`text`"),
        ({"from": None}, "`from`"),
        ({"from": "eve"}, "`from`"),
        ({"from": {}}, "email, phone, id"),
        ({"from": {"email": ["x"]}}, "email, phone, id"),
    ],
)
def test_what_is_missing_is_named(broken: dict[str, Any], says: str) -> None:
    (found,) = parse(message(**broken))
    assert isinstance(found, Unreadable) and says in found.reason


@pytest.mark.parametrize(
    ("text", "stored"), [(5, "5"), ({"a": 1}, '{"a": 1}'), (["x"], '["x"]'), (True, "true"), ("ሰላም 🙂", "ሰላም 🙂")]
)
def test_a_text_that_is_no_text_is_kept_as_it_is_written(text: Any, stored: str) -> None:
    assert parse(message(text=text))[0].text == stored


@pytest.mark.parametrize("when", ["yesterday", "2026-05-04T09:30:00", "", [], {}, True, 1e400, "9" * 500, -1e30])
def test_a_time_that_cannot_be_read_loses_no_message(when: Any) -> None:
    body = json.dumps(message(sent_at="WHEN")).replace('"WHEN"', json.dumps(when).replace("Infinity", "1e400"))
    (found,) = parse(body.encode())
    assert isinstance(found, Message)
    assert found.sent_at is None or abs(found.sent_at) > 0


def test_other_types() -> None:
    found = parse(
        [
            {"type": "message.edited", "id": "1", "text": "Better"},
            {"type": "message.deleted", "id": "1"},
            {"type": "receipt", "id": "9", "state": "failed", "reason": "no such number"},
            {"type": "order.shipped"},
            {"type": ["odd"]},
            {"type": "receipt", "id": "9", "state": "eaten"},
            17,
        ]
    )
    assert found[0] == Edit("1", "Better") and found[1] == Deletion("1")
    assert found[2] == Receipt("9", "failed", "no such number")
    assert isinstance(found[3], Ignored) and isinstance(found[4], Ignored)
    assert isinstance(found[5], Unreadable) and isinstance(found[6], Unreadable)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"nul", b"17", b'"text"', b"a=b&c=d", b"[" * 100_000])
def test_what_is_not_json_goes_to_quarantine_whole(body: bytes) -> None:
    with pytest.raises((Unparsable, RecursionError)):
        parse(body)


def test_a_byte_order_mark_is_no_reason_to_refuse() -> None:
    assert isinstance(parse(b"\xef\xbb\xbf" + json.dumps(message()).encode())[0], Message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "from", "text", "type", "sent_at", "subject", "state"]) | st.text(max_size=3),
        JSON | st.dictionaries(st.sampled_from(["email", "phone", "id", "name"]), JSON),
    )
)
def test_no_object_at_all_makes_it_raise(found: dict[str, Any]) -> None:
    (item,) = parse(json.dumps(found).encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode())
    assert item is not None


# --- signatures ----------------------------------------------------------------------------------------------------

# From the specification's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SECONDS = 1_614_265_330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def holds(signature: str = SIGNATURE, *, now: int = SECONDS, secrets: tuple[str, ...] = (SECRET,)) -> bool:
    found = [("Webhook-Id", EVENT), ("Webhook-Timestamp", str(SECONDS)), ("Webhook-Signature", signature)]
    return signing.holds(secrets, found, BODY, now)


def test_the_vector_of_the_specification_holds() -> None:
    assert signing.sign(SECRET, EVENT, SECONDS, BODY) == SIGNATURE
    assert holds()


def test_of_several_signatures_or_secrets_one_has_to_hold() -> None:
    other = "whsec_" + "A" * 32
    assert holds(f"v1,AAAA {SIGNATURE}") and holds(f"v1a,xx {SIGNATURE} v1,!!")
    assert holds(secrets=(other, SECRET)) and not holds(secrets=(other,)) and not holds(secrets=())


def test_five_minutes_either_way_are_allowed() -> None:
    assert holds(now=SECONDS + 300) and holds(now=SECONDS - 300)
    assert not holds(now=SECONDS + 301) and not holds(now=SECONDS - 301)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_!!!", "whsec_" + "A" * 400]
)
def test_a_secret_of_another_shape_is_refused_in_words(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        signing.key(secret)


@given(st.lists(st.tuples(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "x"]), st.text())))
def test_no_headers_at_all_make_it_raise(headers: list[tuple[str, str]]) -> None:
    assert signing.holds((SECRET,), headers, BODY, SECONDS) is False


# --- what goes out -------------------------------------------------------------------------------------------------


def answer(status: int, body: bytes = b"", **headers: str) -> HttpAnswer:
    return HttpAnswer(status, tuple((name.replace("_", "-"), value) for name, value in headers.items()), body)


@pytest.mark.parametrize(
    ("body", "id"),
    [
        (b'{"id": "7"}', "7"),
        (b'{"id": 7}', "7"),
        (b"", None),
        (b"<html>", None),
        (b'{"id": null}', None),
        (b"[1]", None),
    ],
)
def test_an_answer_may_carry_an_id(body: bytes, id: str | None) -> None:
    assert render.outcome(answer(200, body), NOW) == id


@pytest.mark.parametrize("status", [500, 502, 503, 408])
def test_trouble_is_tried_again(status: int) -> None:
    with pytest.raises(Retry) as error:
        render.outcome(answer(status, b"<html>"), NOW)
    assert not error.value.whole_account


@pytest.mark.parametrize("status", [429, 401, 403])
def test_what_is_wrong_with_the_account_makes_the_account_wait(status: int) -> None:
    with pytest.raises(Retry) as error:
        render.outcome(answer(status), NOW)
    assert error.value.whole_account


@pytest.mark.parametrize("status", [400, 404, 410, 422, 301, 302, 307])
def test_a_refusal_is_final_and_says_why(status: int) -> None:
    with pytest.raises(Rejected) as error:
        render.outcome(answer(status, b"because\x00\x1b[31m of <b>this</b>" + b"x" * 5_000), NOW)
    assert str(status) in error.value.reason and len(error.value.reason) < 400
    assert "\x1b" not in error.value.reason


def test_a_gateway_that_gave_up_leaves_it_unknown() -> None:
    with pytest.raises(Unknown):
        render.outcome(answer(504), NOW)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1", 1.0),
        ("30.5", 30.5),
        ("3600", 3_600.0),
        ("1e9", 3_600.0),
        ("-1", None),
        ("0", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Mon, 21 Sep 2026 14:14:10 GMT", 50.0),
        ("Mon, 21 Sep 2020 14:14:10 GMT", None),
    ],
)
def test_retry_after_in_every_form(value: str, seconds: float | None) -> None:
    assert render.retry_after(answer(429, retry_after=value), NOW) == seconds


def test_what_is_posted_is_json_with_the_time() -> None:
    part = Outgoing(id="m-0", to=Point("email", "eve@example.net"), text="ሰላም", subject="Order")
    found = json.loads(render.body(part, NOW))
    assert found["type"] == "message" and found["timestamp"].startswith("2026-09-21T14:13:20.000+00:00")
    assert found["data"]["text"] == "ሰላም" and found["data"]["to"] == {"kind": "email", "value": "eve@example.net"}
    assert render.asking("https://x.example/h", "a b&c") == "https://x.example/h?id=a%20b%26c"
    assert render.asking("https://x.example/h?k=1", "a") == "https://x.example/h?k=1&id=a"
