"""Feedback: what is taken in, who sees it, what may be changed by whom. On both databases."""

from typing import Any

import msgspec
import pytest

from hub.commands.feedback import COMMANDS, ChangeFeedback, ListFeedback, RecordFeedback
from hub.db.store import Store
from hub.db.tx import Tx
from hub.errors import Refusal
from hub.events import Actor
from hub.feedback import records
from hub.feedback.records import Changes, Feedback, Filter, Said
from hub.staff.access import DESK, Caller, Grants

ALL = frozenset({"feedback.read", "feedback.record", "feedback.change"})
NOW = {"now": 1_790_000_000_000}


def agent(
    agent_id: int,
    *,
    everything: bool = False,
    inboxes: tuple[int, ...] = (),
    teams: tuple[int, ...] = (),
    permissions: frozenset[str] = ALL,
) -> Caller:
    return Caller(
        Actor("agent", agent_id), Grants(agent_id, permissions, everything, frozenset(inboxes), frozenset(teams))
    )


def _people(tx: Tx) -> None:
    tx.run("INSERT INTO role (id, name, permissions, sees, created_at) VALUES (50, 'r', '[]', 'own', :now)", **NOW)
    for n in (101, 102, 103):
        tx.run(
            "INSERT INTO agent (id, email, email_folded, name, name_folded, role_id, created_at)"
            " VALUES (:id, :mail, :mail, 'n', 'n', 50, :now)",
            id=n,
            mail=f"a{n}@example.org",
            **NOW,
        )
    for n in (201, 202):
        tx.run(
            "INSERT INTO inbox (id, token, kind, name, name_folded, settings, created_at)"
            " VALUES (:id, :name, 'x', :name, :name, '{}', :now)",
            id=n,
            name=f"inbox {n}",
            **NOW,
        )
    for n in (301, 302):
        tx.run(
            "INSERT INTO contact (id, name, name_folded, created_at, changed_at) VALUES (:id, 'c', 'c', :now, :now)",
            id=n,
            **NOW,
        )
    for n, inbox, assignee in ((401, 201, None), (402, 202, 102)):
        tx.run(
            "INSERT INTO ticket (id, number, contact_id, inbox_id, subject, status, priority, urgency, assignee_id,"
            " handler, last_message_at, changed_at, created_at)"
            " VALUES (:id, :id, :contact, :inbox, 's', 'open', 'normal', 2, :assignee, 'agent', :now, :now, :now)",
            id=n,
            contact=n - 100,
            inbox=inbox,
            assignee=assignee,
            **NOW,
        )


@pytest.fixture
async def desk(store: Store) -> Store:
    await store.write(_people)
    return store


async def record(desk: Store, caller: Caller = DESK, **fields: Any) -> Feedback:
    fields = {"kind": "complaint", "door": "api", "text": "The parcel was wet.", **fields}
    return await desk.write(records.record, caller, Said(**fields))


async def test_everything_that_is_said_is_kept_as_it_was_said(desk: Store) -> None:
    said: dict[str, Any] = {
        "text": " ማሸጊያው እርጥብ ነበር\nThe parcel was wet 📦 ",
        "score": 2,
        "score_max": 10,
        "category": "packaging",
        "severity": "grave",
        "place": "Branch 7",
        "about": "the driver",
        "about_agent_id": 101,
        "wanted": "my money back",
        "promised_by": 1_790_000_500_000,
        "cause": "rain",
        "outcome": "refunded",
        "contact_id": 301,
        "inbox_id": 201,
    }
    made = await record(desk, **said)
    read = await desk.read(records.get, DESK, made.id)
    assert read == made
    for name, value in said.items():
        assert getattr(read, name) == (value.strip() if isinstance(value, str) else value)
    assert (read.door, read.by_kind, read.by_id) == ("api", "system", 0)


async def test_with_a_ticket_contact_and_inbox_are_the_tickets(desk: Store) -> None:
    made = await record(desk, ticket=402)
    assert (made.contact_id, made.inbox_id) == (302, 202)
    with pytest.raises(Refusal) as refused:
        await record(desk, ticket=402, contact_id=301)
    assert refused.value.field == "contact_id"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "rating"}, "score"),
        ({"kind": "rating", "score": 6}, "score"),
        ({"kind": "rating", "score": -1}, "score"),
        ({"kind": "rating", "score": 2**80, "score_max": 2**81}, "score_max"),
        ({"kind": "rating", "score": 0, "score_max": 0}, "score_max"),
        ({"kind": "complaint", "score_max": 5}, "score_max"),
        ({"kind": "complaint", "text": " \u200b\n"}, "text"),
        ({"kind": "suggestion", "text": "", "category": "opening hours"}, "text"),
        ({"kind": "praise", "text": ""}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"category": "x" * 201}, "category"),
        ({"cause": "x\ud800"}, "cause"),
        ({"promised_by": 1_790_000_000}, "promised_by"),
        ({"about_agent_id": 999}, "about_agent_id"),
    ],
)
async def test_what_is_missing_or_wrong_is_named(desk: Store, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Refusal) as refused:
        await record(desk, **fields)
    assert refused.value.code == "invalid"
    assert refused.value.field == field


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "rating", "score": 0, "text": ""},
        {"kind": "rating", "score": 10, "score_max": 10, "text": ""},
        {"kind": "complaint", "text": "", "category": "delay"},
        {"kind": "praise", "text": "", "about": "the lady at counter 3"},
        {"kind": "suggestion", "text": "Open on Sundays"},
    ],
)
async def test_little_is_enough_where_it_says_something(desk: Store, fields: dict[str, Any]) -> None:
    made = await record(desk, **fields)
    assert made.kind == fields["kind"]
    assert made.score_max == {0: 5, 10: 10}.get(fields.get("score", -1))


async def test_absent_and_hidden_look_alike(desk: Store) -> None:
    outsider = agent(103, inboxes=(201,))
    for fields in ({"ticket": 402}, {"ticket": 999}):
        with pytest.raises(Refusal) as refused:
            await record(desk, outsider, **fields)
        assert (refused.value.code, refused.value.text) == ("not_found", "There is no such ticket.")
    made = await record(desk, ticket=402)
    for feedback_id in (made.id, 9_999):
        with pytest.raises(Refusal) as refused:
            await desk.read(records.get, outsider, feedback_id)
        assert (refused.value.code, refused.value.text) == ("not_found", "There is no such feedback.")
        with pytest.raises(Refusal) as refused:
            await desk.write(records.change, outsider, feedback_id, Changes(cause="x"))
        assert refused.value.code == "not_found"


async def test_one_record_and_the_list_agree_on_who_sees_what(desk: Store) -> None:
    writer = agent(103)
    made = [
        await record(desk, ticket=401),
        await record(desk, ticket=402),
        await record(desk, inbox_id=201),
        await record(desk, inbox_id=202),
        await record(desk),
        await record(desk, writer),
    ]
    expected = {
        "all": (agent(9, everything=True), {0, 1, 2, 3, 4, 5}),
        "inbox 201": (agent(101, inboxes=(201,)), {0, 2}),
        "both": (agent(101, inboxes=(201, 202)), {0, 1, 2, 3}),
        "assignee": (agent(102), {1}),
        "writer": (writer, {5}),
        "nobody": (agent(101), set()),
    }
    for who, (caller, seen) in expected.items():
        page = await desk.read(records.list_, caller, Filter())
        assert {f.id for f in page.items} == {made[n].id for n in seen}, who
        for n, one in enumerate(made):
            if n in seen:
                assert await desk.read(records.get, caller, one.id) == one
            else:
                with pytest.raises(Refusal):
                    await desk.read(records.get, caller, one.id)


async def test_nobody_changes_what_is_about_them(desk: Store) -> None:
    made = await record(desk, ticket=401, about_agent_id=101)
    subject, colleague = agent(101, everything=True), agent(103, everything=True)
    assert await desk.read(records.get, subject, made.id) == made
    for changes in (
        Changes(severity="low"),
        Changes(about_agent_id=None),
        Changes(about_agent_id=103),
        Changes(outcome="nothing to it"),
    ):
        with pytest.raises(Refusal) as refused:
            await desk.write(records.change, subject, made.id, changes)
        assert refused.value.code == "forbidden"
    assert await desk.read(records.get, subject, made.id) == made
    changed = await desk.write(records.change, colleague, made.id, Changes(severity="grave", outcome="apologised"))
    assert (changed.severity, changed.outcome, changed.text) == ("grave", "apologised", made.text)


async def test_permissions_are_asked_whatever_one_sees(desk: Store) -> None:
    made = await record(desk)
    bare = agent(101, everything=True, permissions=frozenset())
    reader = agent(101, everything=True, permissions=frozenset({"feedback.read"}))
    with pytest.raises(Refusal, match=r"feedback\.record"):
        await record(desk, bare)
    with pytest.raises(Refusal, match=r"feedback\.read"):
        await desk.read(records.get, bare, made.id)
    with pytest.raises(Refusal, match=r"feedback\.read"):
        await desk.read(records.list_, bare, Filter())
    with pytest.raises(Refusal, match=r"feedback\.change"):
        await desk.write(records.change, reader, made.id, Changes(cause="x"))


async def test_a_contact_may_speak_without_any_role(desk: Store) -> None:
    guest = Caller(Actor("contact", 301), Grants(0, frozenset(), True, frozenset(), frozenset()))
    made = await record(desk, guest, kind="praise", contact_id=301)
    assert (made.by_kind, made.by_id) == ("contact", 301)


async def test_events_name_the_fields_and_not_the_words(desk: Store) -> None:
    made = await record(desk, ticket=401, text="secret words")
    await desk.write(records.change, DESK, made.id, Changes(cause="secret cause", severity=None))
    unchanged = await desk.write(records.change, DESK, made.id, Changes(cause="secret cause"))
    assert unchanged.cause == "secret cause"
    rows = await desk.read(
        lambda rx: rx.rows(
            "SELECT name, payload, ticket_id, contact_id, inbox_before, inbox_after FROM event"
            " WHERE name LIKE 'feedback.%' ORDER BY id"
        )
    )
    assert [row[0] for row in rows] == ["feedback.recorded", "feedback.changed"]
    assert "secret" not in "".join(row[1] for row in rows)
    assert msgspec.json.decode(rows[1][1]) == {"feedback_id": made.id, "fields": ["cause"]}
    assert [row[2:] for row in rows] == [(401, 301, None, 201), (401, 301, 201, 201)]


async def test_a_complaint_cannot_be_emptied(desk: Store) -> None:
    made = await record(desk, text="", category="delay")
    with pytest.raises(Refusal) as refused:
        await desk.write(records.change, DESK, made.id, Changes(category=None))
    assert refused.value.field == "category"


async def test_pages_give_every_record_once_newest_first(desk: Store) -> None:
    made = [await record(desk, kind="praise" if n % 2 else "complaint", category=f"c{n % 3}") for n in range(7)]
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page = await desk.read(records.list_, DESK, Filter(), cursor=cursor, limit=3)
        seen += [f.id for f in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [f.id for f in reversed(made)]
    page = await desk.read(records.list_, DESK, Filter(kind="praise", category="c1"))
    assert [f.id for f in page.items] == [made[1].id]
    page = await desk.read(records.list_, DESK, Filter(), limit=3)
    with pytest.raises(Refusal) as refused:
        await desk.read(records.list_, DESK, Filter(kind="praise"), cursor=page.next)
    assert refused.value.field == "cursor"
    with pytest.raises(Refusal) as refused:
        await desk.read(records.list_, DESK, Filter(category="\x00"))
    assert refused.value.field == "category"


async def test_the_four_commands_do_what_they_say(desk: Store) -> None:
    rows = {command.name: command for command in COMMANDS}
    assert set(rows) == {"record_feedback", "change_feedback", "get_feedback", "list_feedback"}
    write, change, listing = rows["record_feedback"].write, rows["change_feedback"].write, rows["list_feedback"].read
    assert write and change and listing
    made = await desk.write(write, DESK, msgspec.json.decode(b'{"kind":"rating","score":4}', type=RecordFeedback))
    body = msgspec.json.decode(b'{"feedback_id":%d,"category":null,"cause":"slow"}' % made.id, type=ChangeFeedback)
    changed = await desk.write(change, DESK, body)
    assert (changed.cause, changed.score, changed.score_max, changed.door) == ("slow", 4, 5, "console")
    page = await desk.read(listing, DESK, ListFeedback(kind="rating"))
    assert page.items == [changed]
