"""Lists of contacts: every filter, every order, page by page, the same whichever way they are found."""

import itertools
from typing import Any

import pytest

from hub.clock import DAY, HOUR, ManualClock
from hub.db.tx import Tx
from hub.desk import contact_lists, tags, tickets
from hub.desk.contact_lists import Filter, Sort
from hub.errors import Refusal
from hub.people import contacts, fields, words
from hub.staff.access import Caller
from hub.text import fold
from tests.fixtures.office import Office, office

__all__ = ["office"]

NAMES = ["Abeba", "abeba tesfaye", "Bekele", "Ōta", "王小明", "សុខា", "Zoya", "Otto 007"]
WAYS = pytest.mark.parametrize("few", [0, 2_000], ids=["walked", "gathered"])


async def furnished(office: Office, clock: ManualClock) -> dict[str, int]:
    """Contacts with everything that a filter asks for; by name."""

    def one(tx: Tx, name: str, number: int) -> int:
        contact_id = contacts.create(
            tx,
            office.boss.actor,
            name=name,
            points_=[("email", f"c{number}@example.org")],
            company=("Blue Nile", "Awash", None)[number % 3],
            language=None,
            country=None,
        )
        fields.put(tx, contact_id, {"plan": "gold" if number % 2 else "tin"})
        contacts.change(
            tx,
            office.boss.actor,
            contact_id,
            owner_id=office.ann.grants.agent_id if number % 2 else None,
            next_contact_at=(None, tx.now - 1, tx.now + HOUR, tx.now + 3 * DAY)[number % 4],
            also=("fields",),
        )
        if number < 3:
            tags.tag_contact(tx, office.boss, contact_id, "VIP")
        return contact_id

    await office.does(
        fields.create, office.boss.actor, key="plan", label="Plan", type="choice", choices=("gold", "tin")
    )
    found = {}
    for number, name in enumerate(NAMES):
        found[name] = await office.does(one, name, number)
        clock.advance(61_000)
    return found


async def pages(office: Office, caller: Caller, wanted: Filter, sort: Sort, limit: int) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        rows, cursor = await office.store.read(
            contact_lists.listed, caller, wanted, sort=sort, limit=limit, cursor=cursor
        )
        found += [row.name for row in rows]
        if cursor is None:
            return found


FOUND: list[tuple[dict[str, Any], list[str]]] = [
    ({}, NAMES),
    ({"q": "abe"}, ["Abeba", "abeba tesfaye"]),
    ({"q": "tes abe"}, ["abeba tesfaye"]),
    ({"q": "小明"}, ["王小明"]),
    ({"q": "nile"}, ["Abeba", "Ōta", "Zoya"]),
    ({"q": "c3@example"}, ["Ōta"]),
    ({"q": "gold"}, NAMES[1::2]),
    ({"q": "7"}, ["Otto 007"]),
    ({"q": "nobody"}, []),
    ({"q": "%"}, []),
    ({"q": "  "}, NAMES),
    ({"q": "_"}, []),
    ({"name": "ABEBA"}, ["Abeba", "abeba tesfaye"]),
    ({"point": "C3@Example.org"}, ["Ōta"]),
    ({"tag": "vip"}, NAMES[:3]),
    ({"tag": "none such"}, []),
    ({"company": "BLUE  nile"}, ["Abeba", "Ōta", "Zoya"]),
    ({"company": "Blue"}, []),
    ({"field": ("plan:GOLD",)}, NAMES[1::2]),
    ({"field": ("plan:gold",), "company": "Awash", "q": "abeba"}, ["abeba tesfaye"]),
    ({"next_contact": "overdue"}, ["abeba tesfaye"]),
    ({"next_contact": "week"}, ["abeba tesfaye", "Bekele", "Ōta", "សុខា", "Zoya", "Otto 007"]),
]


@WAYS
@pytest.mark.parametrize(("wanted", "names"), FOUND, ids=[str(wanted) for wanted, _ in FOUND])
async def test_a_filter_finds_who_is_meant(
    office: Office, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, few: int, wanted: Any, names: list[str]
) -> None:
    monkeypatch.setattr(contact_lists, "FEW", few)
    await furnished(office, clock)
    clock.advance(-clock.now() + 1_790_000_000_000 + 3 * 61_000)  # the second is due, the others not yet
    assert sorted(await pages(office, office.boss, Filter(**wanted), "name", 2)) == sorted(names)


@WAYS
async def test_every_order_is_whole_whatever_the_size_of_a_page(
    office: Office, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(contact_lists, "FEW", few)
    ids = await furnished(office, clock)
    everybody = {name: await office.store.read(contacts.get, i) for name, i in ids.items()}
    orders: dict[Sort, Any] = {
        "name": lambda c: (fold(c.name), c.id),
        "newest": lambda c: (-c.created_at, -c.id),
        "last_seen": lambda c: (-c.seen_at, -c.id),
        "next_contact": lambda c: (c.next_contact_at or contact_lists.NEVER, c.id),
    }
    for sort, limit in itertools.product(orders, (1, 3, 50)):
        wanted = [c.name for c in sorted(everybody.values(), key=orders[sort])]
        assert await pages(office, office.boss, Filter(), sort, limit) == wanted, sort


@WAYS
async def test_who_sees_less_finds_less_and_an_open_ticket_elsewhere_is_no_hint(
    office: Office, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(contact_lists, "FEW", few)
    seen = await office.hears("hi", by="a@example.org")
    hidden = await office.hears("hi", by="b@example.org", to=office.mute)
    both = await office.hears("hi", by="c@example.org", to=office.mute)
    await office.hears("hi", by="c@example.org")
    alone = await office.does(
        contacts.create, office.boss.actor, name="Z", points_=[], company=None, language=None, country=None
    )

    async def found(caller: Caller, **wanted: Any) -> set[int]:
        rows, _ = await office.store.read(contact_lists.listed, caller, Filter(**wanted))
        return {row.id for row in rows}

    ids = {seen.contact_id, both.contact_id, alone}
    assert await found(office.boss) == {*ids, hidden.contact_id}
    assert await found(office.ann) == ids
    assert await found(office.bob) == {alone}
    assert await found(office.ann, q="eve") == {seen.contact_id, both.contact_id}
    assert await found(office.ann, has_open=True) == {seen.contact_id, both.contact_id}
    mine = "SELECT number FROM ticket WHERE inbox_id = :inbox_id AND contact_id = :contact_id"
    values = {"inbox_id": office.letters.id, "contact_id": both.contact_id}
    number = await office.store.read(lambda rx: rx.value(mine, **values))
    await office.does(tickets.resolve, office.boss, number)
    assert await found(office.ann, has_open=True) == {seen.contact_id}
    assert await found(office.boss, has_open=True) == {seen.contact_id, hidden.contact_id, both.contact_id}


async def test_today_ends_where_the_agent_is(office: Office, clock: ManualClock) -> None:
    """1,790,000,000 is 14:13 UTC: already tomorrow on Kiritimati."""
    await office.does(
        contacts.change,
        office.boss.actor,
        await office.does(
            contacts.create, office.boss.actor, name="A", points_=[], company=None, language=None, country=None
        ),
        next_contact_at=clock.now() + 12 * HOUR,
    )
    for zone, number in (("UTC", 0), ("America/Los_Angeles", 1), ("Pacific/Kiritimati", 1), ("Asia/Phnom_Penh", 0)):
        rows, _ = await office.store.read(contact_lists.listed, office.boss, Filter(next_contact="today", zone=zone))
        assert len(rows) == number, zone
    for wrong in ("Mars", "../../etc/passwd", "", "a\x00b"):
        with pytest.raises(Refusal) as refused:
            await office.store.read(contact_lists.listed, office.boss, Filter(next_contact="today", zone=wrong))
        assert refused.value.field == "zone"


async def test_a_cursor_belongs_to_its_filter_and_its_order(office: Office, clock: ManualClock) -> None:
    await furnished(office, clock)
    _, cursor = await office.store.read(contact_lists.listed, office.boss, Filter(), limit=1)
    others: list[tuple[Filter, Sort]] = [(Filter(q="a"), "name"), (Filter(), "newest")]
    for wanted, sort in others:
        with pytest.raises(Refusal) as refused:
            await office.store.read(contact_lists.listed, office.boss, wanted, sort=sort, cursor=cursor)
        assert refused.value.field == "cursor"


async def test_contacts_from_before_are_found_once_the_job_has_been(office: Office) -> None:
    def old(tx: Tx) -> None:
        for n in range(words.AT_ONCE + 1):
            contacts.create(
                tx, office.boss.actor, name=f"Old {n}", points_=[], company=None, language=None, country=None
            )
        tx.run("DELETE FROM contact_word")
        tx.run("UPDATE contact SET worded = 0")
        tx.run("DELETE FROM job")

    await office.store.write(old)
    assert await pages(office, office.boss, Filter(q="old"), "name", 100) == []
    await office.store.write(words.catch_up, {})
    assert await office.store.read(lambda rx: rx.rows("SELECT kind FROM job")) == [(words.CATCH_UP,)]
    await office.store.write(words.catch_up, {})
    assert len(await pages(office, office.boss, Filter(q="old"), "name", 100)) == words.AT_ONCE + 1
    assert len(await office.store.read(lambda rx: rx.rows("SELECT kind FROM job"))) == 1
