"""Keeping the set of tags: at once however many bear one, and exactly undone."""

import pytest

from hub.clock import DAY, ManualClock
from hub.db.tx import Rx, Tx
from hub.desk import contact_lists, lists, saved_views, tag_set, tags
from hub.errors import Refusal
from hub.staff.access import DESK
from tests.fixtures.office import Office


async def tagged(office: Office, number: int, *names: str) -> None:
    for name in names:
        await office.does(tags.tag_ticket, office.boss, number, name)


async def known(office: Office, name: str) -> int:
    found = await office.store.read(tags.find, name)
    assert found is not None
    return found


async def bearing(office: Office) -> dict[str, list[int]]:
    """Tag → the numbers of the tickets that a list finds under it; and each ticket's row says the same."""

    def look(rx: Rx) -> dict[str, list[int]]:
        found = {}
        for tag in tags.all_tags(rx):
            rows, _ = lists.listed(rx, office.boss, lists.Filter(tag=tag.name))
            found[tag.name] = sorted(row.ticket.number for row in rows)
            for row in rows:
                assert tag.name in tags.of_ticket(rx, row.ticket.id)
        return found

    return await office.store.read(look)


async def three(office: Office) -> tuple[int, int, int]:
    numbers = [(await office.hears(f"m{n}", id=f"m{n}", new_ticket=True)).number for n in range(3)]
    await tagged(office, numbers[0], "refund")
    await tagged(office, numbers[1], "refunds")
    await tagged(office, numbers[2], "refund", "refunds")
    return numbers[0], numbers[1], numbers[2]


async def test_a_tag_is_called_otherwise_wherever_it_is(office: Office) -> None:
    one, _, three_ = await three(office)

    def keep(tx: Tx) -> saved_views.View:
        wanted = lists.Filter(tag="REFUND")
        return saved_views.create(tx, office.boss, name="Money back", filter=wanted, sort="newest", shared=True)

    view = await office.store.write(keep)
    await office.does(tag_set.change, DESK, await known(office, "refund"), name="Money back", colour="red")
    assert await bearing(office) == {"Money back": [one, three_], "refunds": [one + 1, three_]}
    after = (await office.store.read(saved_views.by_ids, {view.id}))[view.id][1]
    assert after.filter.tag == "Money back"
    with pytest.raises(Refusal, match="already"):
        await office.does(tag_set.change, DESK, await known(office, "refunds"), name="money  BACK")


async def test_two_tags_become_one_and_two_again(office: Office) -> None:
    one, two, both = await three(office)
    before = await bearing(office)
    gone, into = await known(office, "refunds"), await known(office, "refund")
    await office.does(tag_set.merge, DESK, gone, into)
    assert await bearing(office) == {"refund": [one, two, both]}
    assert await known(office, "Refunds") == into  # whoever types it gets the other
    kept = await office.store.read(tag_set.get, DESK, into)
    assert (kept.tickets, kept.contacts) == (3, 0)
    await office.does(tags.untag_ticket, office.boss, both, "refund")
    await office.does(tags.tag_ticket, office.boss, both, "refunds")
    await office.does(tag_set.restore, DESK, gone)
    before["refunds"].remove(both)  # taken off meanwhile, and put on as what it was then called
    assert await bearing(office) == before


async def test_what_went_into_a_tag_goes_with_it_and_comes_back_with_it(office: Office) -> None:
    one, two, both = await three(office)
    await tagged(office, two, "money")
    a, b, c = [await known(office, name) for name in ("refunds", "refund", "money")]
    await office.does(tag_set.merge, DESK, a, b)
    await office.does(tag_set.merge, DESK, b, c)
    assert await bearing(office) == {"money": [one, two, both]}
    await office.does(tag_set.restore, DESK, b)
    assert await bearing(office) == {"money": [two], "refund": [one, two, both]}
    await office.does(tag_set.delete, DESK, b)
    assert await bearing(office) == {"money": [two]}
    await office.does(tag_set.restore, DESK, b)
    await office.does(tag_set.restore, DESK, a)
    assert await bearing(office) == {"money": [two], "refund": [one, both], "refunds": [two, both]}


async def test_a_deleted_tag_is_nowhere_and_its_name_is_free(office: Office) -> None:
    one, two, both = await three(office)
    gone = await known(office, "refund")
    await office.does(tag_set.delete, DESK, gone)
    assert await bearing(office) == {"refunds": [two, both]}
    found, _ = await office.store.read(lists.listed, office.boss, lists.Filter(tag="refund"))
    assert found == []
    await tagged(office, two, "refund")
    assert (await bearing(office))["refund"] == [two]
    with pytest.raises(Refusal, match="already"):
        await office.does(tag_set.restore, DESK, gone)
    await office.does(tag_set.change, DESK, await known(office, "refund"), name="credit")
    await office.does(tag_set.restore, DESK, gone)
    assert await bearing(office) == {"credit": [two], "refund": [one, both], "refunds": [two, both]}


async def test_contacts_bear_the_same_tags(office: Office) -> None:
    heard = await office.hears("m", id="m")
    contact_id = (await office.store.read(lists.thread, office.boss, heard.number)).contact.id
    for name in ("vip", "regular"):
        await office.does(tags.tag_contact, office.boss, contact_id, name)
    await office.does(tag_set.merge, DESK, await known(office, "vip"), await known(office, "regular"))

    async def ids(tag: str) -> list[int]:
        wanted = contact_lists.Filter(tag=tag)
        page, _ = await office.store.read(contact_lists.listed, office.boss, wanted)
        return [one.id for one in page]

    assert await office.store.read(tags.of_contact, contact_id) == ("regular",)
    assert await ids("vip") == await ids("regular") == [contact_id]
    await office.does(tags.untag_contact, office.boss, contact_id, "regular")
    assert await office.store.read(tags.of_contact, contact_id) == ()


async def test_what_is_gone_for_a_month_is_folded_together_for_good(office: Office, clock: ManualClock) -> None:
    one, two, both = await three(office)
    await office.does(tag_set.merge, DESK, await known(office, "refunds"), await known(office, "refund"))
    await tagged(office, one, "old")
    await office.does(tag_set.delete, DESK, await known(office, "old"))
    clock.advance(29 * DAY)
    assert await office.store.write(tag_set.sweep) == 0
    clock.advance(2 * DAY)
    while await office.store.write(tag_set.sweep):
        pass
    assert await office.store.read(tag_set.gone, DESK) == []
    assert await bearing(office) == {"refund": [one, two, both]}
    left = "SELECT COUNT(*) FROM ticket_tag"
    assert await office.store.read(lambda rx: rx.value(left)) == 3


async def test_only_who_keeps_the_desk_keeps_its_tags(office: Office) -> None:
    await three(office)
    tag_id = await known(office, "refund")
    for unit in (tag_set.delete, tag_set.restore):
        with pytest.raises(Refusal) as refused:
            await office.does(unit, office.ann, tag_id)
        assert refused.value.code == "forbidden"
    with pytest.raises(Refusal, match="itself"):
        await office.does(tag_set.merge, DESK, tag_id, tag_id)
    with pytest.raises(Refusal, match="no such tag"):
        await office.does(tag_set.merge, DESK, tag_id, 2**40)
