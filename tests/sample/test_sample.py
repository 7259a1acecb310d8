"""Playing the script on a desk with real customers, and taking away exactly what it brought."""

from typing import Any

import pytest

from hub.connector import Message, Point, Sender
from hub.db.store import Rx, Store, Tx
from hub.desk import assignment, deliveries, inboxes, incoming, notes, replies, tickets
from hub.desk import ticket as gate
from hub.errors import Refusal
from hub.events import Actor
from hub.operations import OPERATIONS
from hub.people import samples
from hub.sample import cast, clear, load, references, script
from hub.staff import access
from hub.staff.access import DESK, Caller
from tests.fixtures.desk import DeskClient

# What is kept of everything that ever happened, and counters that stand at nothing.
NOT_COMPARED = {"event", "job", "setting", "sample", "ticket_count", "schema_version"}
TABLES = sorted({one.table for one in references.references()} | references.with_ids() | {"contact_tag", "setting"})


async def play(desk: DeskClient) -> None:
    await desk.store.write(load.start, DESK)
    await to_the_end(desk.store, load.go_on)


async def to_the_end(store: Store, go_on: Any) -> None:
    for _ in range(200):
        if (await store.read(load.state)).state not in ("loading", "clearing"):
            return
        await store.write(go_on)
    raise AssertionError("it never ends")


async def remove(desk: DeskClient) -> None:
    await desk.store.write(clear.start, DESK)
    await to_the_end(desk.store, clear.go_on)


def everything(rx: Rx) -> dict[str, list[Any]]:
    return {table: sorted(rx.rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES if table not in NOT_COMPARED}


def counted(rx: Rx) -> list[Any]:
    return rx.rows("SELECT * FROM ticket_count WHERE tickets <> 0 OR waiting <> 0 OR spam <> 0 ORDER BY 1, 2, 3, 4")


def boss(rx: Rx, desk: DeskClient) -> Caller:
    agent_id = desk.people["administrator"].id
    grants = access.load(rx, agent_id)
    assert grants is not None
    return Caller(Actor("agent", agent_id), grants)


def number_of(rx: Rx, story: str) -> int:
    ticket_id = samples.called(rx, "ticket", story)
    assert ticket_id is not None
    return gate.must(rx, ticket_id).number


async def test_it_is_played_as_if_it_had_happened(desk_client: DeskClient) -> None:
    store, clock = desk_client.store, desk_client.clock
    await play(desk_client)
    assert (await store.read(load.state)).state == "loaded"

    def look(rx: Rx) -> None:
        failed = rx.rows("SELECT payload FROM event WHERE name = 'reaction.failed'")
        assert failed == []
        times = [at for (at,) in rx.rows("SELECT created_at FROM message ORDER BY id")]
        assert times == sorted(times) and times[-1] < clock.now(), "in the order in which it was said"
        assert rx.value("SELECT MAX(at) FROM event WHERE ticket_id IS NOT NULL") < clock.now()
        told: dict[str, int] = dict(rx.rows("SELECT status, COUNT(*) FROM ticket GROUP BY status"))
        assert set(told) == {"open", "pending", "snoozed", "resolved"} and sum(told.values()) == len(script.stories())
        assert rx.value("SELECT COUNT(*) FROM feedback WHERE kind = 'rating'") >= 12
        assert rx.value("SELECT COUNT(*) FROM feedback WHERE kind = 'complaint'") >= 4
        assert rx.value("SELECT COUNT(*) FROM ticket WHERE spam = 1") == 1
        assert {state for (state,) in rx.rows("SELECT state FROM delivery")} == {"delivered", "read"}, "nothing waits"
        assert rx.value("SELECT COUNT(*) FROM ticket WHERE snoozed_until > :now", now=rx.now) == 2
        tagged = rx.value("SELECT COUNT(*) FROM ticket_tag JOIN tag ON tag.id = tag_id WHERE tag.name = 'sample'")
        assert tagged == len(script.stories()), "each can be told from a real one"

    await store.read(look)


async def test_only_what_goes_on_is_news_to_whoever_loads_it(desk_client: DeskClient) -> None:
    store, me = desk_client.store, desk_client.people["administrator"].id
    assert (await desk_client.post("/api/v1/sample", {})).status == 202
    await to_the_end(store, load.go_on)

    def unread(rx: Rx) -> list[Any]:
        return rx.rows(
            "SELECT DISTINCT status FROM ticket WHERE last_incoming_id IS NOT NULL AND id NOT IN "
            "(SELECT ticket_id FROM ticket_read WHERE agent_id = :me AND message_id >= last_incoming_id)",
            me=me,
        )

    assert await store.read(unread) == [("open",)]


async def test_twice_is_refused_and_so_is_taking_away_what_is_not_there(desk_client: DeskClient) -> None:
    store = desk_client.store
    with pytest.raises(Refusal, match="no sample data"):
        await store.write(clear.start, DESK)
    await store.write(load.start, DESK)
    with pytest.raises(Refusal, match="worked on already"):
        await store.write(load.start, DESK)
    await to_the_end(store, load.go_on)
    with pytest.raises(Refusal, match="here already"):
        await store.write(load.start, DESK)
    answer = await desk_client.post("/api/v1/sample", {})
    assert answer.status == 409 and "Remove it first" in answer.json["detail"]
    told = await desk_client.get("/api/v1/sample")
    assert told.json == {"state": "loaded", "done": told.json["of"], "of": told.json["of"]}


async def test_whatever_stops_it_it_goes_on_where_it_was(desk_client: DeskClient) -> None:
    store = desk_client.store

    class Crash(Exception):
        pass

    def half(tx: Tx) -> None:
        load.go_on(tx)
        raise Crash

    await store.write(load.start, DESK)
    while (await store.read(load.state)).state == "loading":
        with pytest.raises(Crash):
            await store.write(half)
        await store.write(load.go_on)
    said = sum(step.verb == "says" for story in script.stories() for step in story.steps)
    assert await store.read(lambda rx: rx.value("SELECT COUNT(*) FROM message")) == said


async def test_what_was_there_before_is_there_after_to_the_last_row(desk_client: DeskClient) -> None:
    store = desk_client.store
    await desk_client.new_ticket("The kettle leaks.")
    before, counts = await store.read(everything), await store.read(counted)
    for _ in range(2):
        await play(desk_client)
        assert await store.read(everything) != before
        await remove(desk_client)
        assert await store.read(everything) == before
        assert await store.read(counted) == counts
        assert await store.read(load.state) == load.State()
        assert await store.read(lambda rx: rx.value("SELECT COUNT(*) FROM sample")) == 0


async def test_what_real_colleagues_tried_on_it_goes_along(desk_client: DeskClient) -> None:
    store = desk_client.store
    before = await store.read(everything)
    await play(desk_client)

    def try_things(tx: Tx) -> None:
        me, number = boss(tx, desk_client), number_of(tx, "glaze-kids")
        replies.reply(tx, me, number, "Of course, two t.", external_id="mine")
        notes.write(tx, me, number, "Nice one.")
        assignment.assign(tx, me, number, me.grants.agent_id)
        tickets.resolve(tx, me, number)

    await store.write(try_things)
    await remove(desk_client)
    after = await store.read(everything)
    assert len(after.pop("agent")) == len(before.pop("agent")), "theirs tells how long they have been idle"
    assert after == before
    assert await store.read(lambda rx: rx.value("SELECT MAX(load) FROM agent")) == 0


async def test_what_somebody_real_wrote_stays_with_whom_it_belongs_to(desk_client: DeskClient) -> None:
    """Real words in a made-up customer's ticket: the ticket and the contact stay, what the script said goes."""
    store = desk_client.store
    await play(desk_client)

    def write(tx: Tx) -> int:
        inbox = inboxes.by_id(tx, samples.called(tx, "inbox", f"shop {cast.LETTER}") or 0)
        assert inbox is not None
        sender = Sender(Point("email", "imogen.frye@mail.example"), name="Somebody else")
        message = Message(external_id="real", sender=sender, text="Is this address read?")
        return incoming.receive(tx, inbox, message).number

    number = await store.write(write)
    assert number == await store.read(number_of, "wedding-set")
    await remove(desk_client)

    def look(rx: Rx) -> None:
        ticket = gate.by_number(rx, number)
        assert ticket is not None
        told = rx.rows("SELECT text FROM message WHERE ticket_id = :id", id=ticket.id)
        assert told == [("Is this address read?",)]
        assert ticket.last_message_id == rx.value("SELECT MAX(id) FROM message WHERE ticket_id = :id", id=ticket.id)
        assert rx.value("SELECT COUNT(*) FROM note WHERE ticket_id = :id", id=ticket.id) == 0
        assert rx.value("SELECT name FROM contact WHERE id = :id", id=ticket.contact_id) == "Imogen Frye"
        assert rx.value("SELECT enabled FROM inbox WHERE id = :id", id=ticket.inbox_id) == 0
        assert rx.value("SELECT COUNT(*) FROM sample") == 0

    await store.read(look)


async def test_a_real_ticket_with_a_made_up_colleague_goes_back_to_where_it_waits(desk_client: DeskClient) -> None:
    store = desk_client.store
    given = await desk_client.new_ticket("It leaks.")
    other = await desk_client.new_contact("Bo", "bo@new.example")
    noted = await desk_client.new_ticket("And the pan.", contact_id=other)
    await play(desk_client)

    def hand(tx: Tx) -> None:
        assignment.assign(tx, boss(tx, desk_client), given, cast.agent_id(tx, "mira"))
        notes.write(tx, cast.caller(tx, "mira"), noted, "I know this one.")

    await store.write(hand)
    mira = await store.read(cast.agent_id, "mira")
    await remove(desk_client)

    def look(rx: Rx) -> None:
        ticket = gate.by_number(rx, given)
        assert ticket is not None and ticket.assignee_id is None and ticket.status == "open"
        assert rx.value("SELECT disabled_at FROM agent WHERE id = :id", id=mira) is not None
        assert rx.value("SELECT COUNT(*) FROM agent WHERE email LIKE '%sample.example'") == 1

    await store.read(look)


async def test_nothing_of_it_ever_leaves(desk_client: DeskClient) -> None:
    """Not even where an inbox is connected that reaches e-mail addresses, and somebody answers a made-up customer."""
    store = desk_client.store
    await play(desk_client)
    assert await store.read(lambda rx: rx.value("SELECT COUNT(*) FROM job WHERE kind = 'deliver'")) == 0

    def answer(tx: Tx) -> tuple[int, ...]:
        for inbox in inboxes.all_of_them(tx):
            if inbox.features.live:
                inboxes.change(tx, DESK, inbox.id, enabled=False)
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        sends = {"secret": secret, "url": "https://hooks.example/in"}
        inboxes.create(tx, DESK, kind="webhook", name="Elsewhere", settings=sends)
        replied = replies.reply(tx, boss(tx, desk_client), number_of(tx, "invoice-vat"), "Once more.", external_id="x")
        assert not replied.held
        return replied.deliveries

    (delivery_id,) = await store.write(answer)
    assert await store.write(deliveries.begin, delivery_id) is None
    found = await store.read(deliveries.get, delivery_id)
    assert found is not None and found.state == "cancelled" and "made up" in (found.reason or "")


async def test_the_command_line_does_the_same_and_tells_how_far_it_is(desk_client: DeskClient) -> None:
    told: list[tuple[str, int, int]] = []
    desk: Any = desk_client.desk
    answer = await OPERATIONS["sample.load"](desk, {}, lambda *one: told.append(one))
    assert answer["steps"] == told[-1][2] and {what for what, *_ in told} == {"playing"}
    assert await OPERATIONS["sample.clear"](desk, {}, lambda *_: None)
    assert (await desk_client.store.read(load.state)).state == "none"


def test_the_migrations_are_read_for_what_refers_to_what() -> None:
    found = references.read(
        "CREATE TABLE a (\n  id {id},\n  b_id {int} NOT NULL REFERENCES b (id), -- to c (id)\n"
        "  c_id {int} REFERENCES c (id)\n){strict};\nALTER TABLE d ADD COLUMN a_id {int} REFERENCES a (id);"
    )
    assert [(one.table, one.column, one.to, one.needs) for one in found] == [
        ("a", "b_id", "b", True),
        ("a", "c_id", "c", False),
        ("d", "a_id", "a", False),
    ]
    assert "message" in references.with_ids() and "ticket_tag" not in references.with_ids()


async def test_that_is_all_the_references_there_are(sqlite_store: Store) -> None:
    def look(rx: Rx) -> set[tuple[str, str, str]]:
        names = [name for (name,) in rx.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            (name, column, to)
            for name in names
            for to, column in rx.rows('SELECT "table", "from" FROM pragma_foreign_key_list(:name)', name=name)
        }

    assert {(one.table, one.column, one.to) for one in references.references()} == await sqlite_store.read(look)
