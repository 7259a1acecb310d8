"""Contacts by hand, what they allowed, and who may see them."""

import pytest

from hub.connector import Consent
from hub.desk import contact_lists
from hub.errors import Refusal
from hub.people import companies, consents, contacts, points
from tests.fixtures.office import Office


async def made(office: Office, name: str, *points_: tuple[str, str], company: str | None = None) -> int:
    return await office.does(
        contacts.create,
        office.boss.actor,
        name=name,
        points_=list(points_),
        company=company,
        language=None,
        country="ET",
    )


async def test_a_point_belongs_to_one_contact_and_the_second_is_told(office: Office) -> None:
    first = await made(office, "Ann", ("phone", "0911234567"))
    with pytest.raises(Refusal, match="Another contact") as refused:
        await made(office, "Anne", ("email", "anne@example.org"), ("phone", "+251 911 234567"))
    assert (refused.value.code, refused.value.field) == ("conflict", "points.1.value")
    names = await office.store.read(lambda rx: rx.rows("SELECT name FROM contact"))
    assert names == [("Ann",)] and first


async def test_one_company_whatever_its_case(office: Office) -> None:
    for name, company in (("A", "Blue Nile Ltd"), ("B", "BLUE  NILE LTD")):
        await made(office, name, company=company)
    assert await office.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM company")) == 1


async def test_changing_tells_what_changed_and_the_same_again_is_nothing(office: Office) -> None:
    contact_id = await made(office, "Ann", company="Nile")
    await office.does(contacts.change, office.boss.actor, contact_id, name="Anna", company="", language="am")
    await office.does(contacts.change, office.boss.actor, contact_id, name="Anna", company="", language="am")
    contact = await office.store.read(contacts.get, contact_id)
    events = await office.store.read(lambda rx: rx.rows("SELECT payload FROM event WHERE name = 'contact.changed'"))
    assert (contact.name, contact.company_id, contact.language) == ("Anna", None, "am")
    assert events == [('{"fields":["name","company","language"]}',)]
    assert await office.store.read(companies.name, None) is None


async def test_the_newest_word_on_a_purpose_counts_and_the_old_ones_stay(office: Office) -> None:
    contact_id = await made(office, "Ann", ("email", "ann@example.org"))
    point = (await office.store.read(points.of, contact_id))[0][0]
    assert await office.store.read(consents.may_send, point)
    assert not await office.store.read(consents.may_send, point, consents.MARKETING)
    for given in (True, False):
        consent = Consent("marketing", given, "News?")
        await office.store.write(
            consents.put, point, contact_id, consent, how="said on the phone", by=office.boss.actor
        )
    assert await office.store.read(consents.current, point, "marketing") is False
    assert [c[3] for c in await office.store.read(consents.of_contact, contact_id)] == [1, 0]


async def test_a_point_that_was_used_stays_and_one_that_was_not_goes(office: Office) -> None:
    contact_id = await made(office, "Ann", ("email", "a@example.org"), ("email", "b@example.org"))
    (used, *_), (unused, *_) = await office.store.read(points.of, contact_id)
    no = Consent("support", False, "STOP")
    await office.store.write(consents.put, used, contact_id, no, how="message", by=office.boss.actor)
    with pytest.raises(Refusal, match="stays"):
        await office.does(contacts.remove_point, office.boss.actor, contact_id, used)
    await office.does(contacts.remove_point, office.boss.actor, contact_id, unused)
    with pytest.raises(Refusal, match="no such contact point"):
        await office.does(contacts.remove_point, office.boss.actor, contact_id, unused)


async def test_who_cannot_see_any_ticket_of_a_contact_cannot_see_the_contact(office: Office) -> None:
    got = await office.hears("hi", to=office.mute)
    alone = await made(office, "Nobody yet")
    await office.store.read(contact_lists.require_contact, office.boss, got.contact_id)
    for caller in (office.ann, office.bob):
        with pytest.raises(Refusal, match="no such contact"):
            await office.store.read(contact_lists.require_contact, caller, got.contact_id)
        await office.store.read(contact_lists.require_contact, caller, alone)
        rows, _ = await office.store.read(contact_lists.listed, caller, contact_lists.Filter())
        assert [row.name for row in rows] == ["Nobody yet"]


async def test_contacts_are_found_by_the_start_of_a_name_in_any_script_and_by_any_spelling(office: Office) -> None:
    for name, number in (("Ōta", "0911234567"), ("ሰላም", "0911234568"), ("Otto", "0911234569"), ("សុខា", "0911234560")):
        await made(office, name, ("phone", number))

    async def found(name: str | None = None, point: str | None = None, country: str | None = None) -> list[str]:
        rows, _ = await office.store.read(
            contact_lists.listed, office.boss, contact_lists.Filter(name=name, point=point, country=country)
        )
        return [row.name for row in rows]

    assert await found(name="OTT") == ["Otto"]
    assert await found(name="ሰላ") == ["ሰላም"]
    assert await found(name="សុ") == ["សុខា"]
    assert await found(point="+251 91 123-4567") == ["Ōta"]
    assert await found(point="0911234569", country="ET") == ["Otto"]
    assert await found(name="%") == []
