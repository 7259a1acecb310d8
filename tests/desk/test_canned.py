"""Canned responses: whose they are, who may change them, and variables that are names and nothing more."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desk import canned, filling
from hub.desk.canned import Canned, Wanted
from hub.errors import Refusal
from tests.fixtures.desk import DeskClient
from tests.fixtures.office import Office

EVE = {"contact.first_name": "Eve", "contact.name": "Eve Ash", "ticket.number": "1001"}


def wanted(short: str = "thanks", **more: Any) -> Wanted:
    return Wanted(**{"short": short, "title": "", "text": "Thank you, {{contact.first_name}}."} | more)


async def shorts(office: Office, who: Any) -> list[str]:
    return [one.short for one in await office.store.read(canned.listed, who)]


async def test_each_has_the_desks_their_teams_and_their_own(office: Office) -> None:
    team = next(iter(office.ann.grants.teams))
    await office.does(canned.create, office.boss, wanted("all"))
    await office.does(canned.create, office.ann, wanted("team", team_id=team))
    own: Canned = await office.does(canned.create, office.ann, wanted("mine", own=True))
    assert (own.own, own.title) == (True, "mine")
    assert await shorts(office, office.ann) == ["all", "mine", "team"]
    assert await shorts(office, office.boss) == ["all", "team"], "what is one's own nobody else has"
    assert await shorts(office, office.bob) == ["all"]
    for who in (office.boss, office.bob):
        with pytest.raises(Refusal, match="no such"):
            await office.does(canned.change, who, own.id, text="x")


async def test_the_desks_are_changed_by_who_sees_everything(office: Office) -> None:
    made: Canned = await office.does(canned.create, office.boss, wanted())
    for fn, args in ((canned.create, (wanted("other"),)), (canned.change, (made.id,)), (canned.delete, (made.id,))):
        with pytest.raises(Refusal) as refused:
            await office.does(fn, office.ann, *args)
        assert refused.value.code == "forbidden"
    with pytest.raises(Refusal) as nobodys:
        await office.does(canned.create, office.ann, wanted("x", team_id=999))
    assert nobodys.value.field == "team_id"
    changed: Canned = await office.does(canned.change, office.boss, made.id, text="Thanks", language="fr")
    assert (changed.text, changed.language, changed.short) == ("Thanks", "fr", "thanks")


async def test_a_short_name_is_taken_once_in_each_place_and_language(office: Office) -> None:
    await office.does(canned.create, office.boss, wanted("Thanks"))
    for again in (wanted("THANKS"), wanted("thanks")):
        with pytest.raises(Refusal, match="under this name") as taken:
            await office.does(canned.create, office.boss, again)
        assert taken.value.field == "short"
    await office.does(canned.create, office.boss, wanted("thanks", language="km"))
    await office.does(canned.create, office.boss, wanted("thanks", own=True))
    for short in ("two words", " ", "x" * 41, "a\nb"):
        with pytest.raises(Refusal):
            await office.does(canned.create, office.boss, wanted(short))


async def test_it_is_filled_in_for_the_ticket_and_the_writer(office: Office) -> None:
    got = await office.hears("The kettle leaks")
    text = "Dear {{contact.first_name}}, {{ company.name }} #{{ticket.number}} {{ticket.subject}}. {{agent.name}}"
    made: Canned = await office.does(canned.create, office.boss, wanted(text=text + " {{agent.age}}"))
    assert made.unknown == ("agent.age",)
    found = await office.store.read(canned.fill, office.ann, made.id, got.number)
    wanted_text = f"Dear Eve, {{{{ company.name }}}} #{got.number} The kettle leaks. ann {{{{agent.age}}}}"
    assert found == filling.Filled(wanted_text, ("company.name", "agent.age"))
    with pytest.raises(Refusal, match="no such ticket"):
        await office.store.read(canned.fill, office.bob, made.id, got.number)


def test_a_value_is_not_looked_into_for_more() -> None:
    known = EVE | {"contact.name": "{{ticket.number}}"}
    assert filling.filled("{{contact.name}}", known).text == "{{ticket.number}}"


def test_many_variables_take_no_time() -> None:
    started = time.process_time()
    found = filling.filled("{{contact.name}}{{no.such}}" * 50_000, EVE)
    assert time.process_time() - started < 0.5 and found.missing == ("no.such",)


@given(text=st.text(alphabet="{}{} contact.name#$%<>()_7*", max_size=200))
def test_without_values_nothing_is_replaced_whatever_it_looks_like(text: str) -> None:
    assert filling.filled(text, {}).text == text


async def test_fields_of_ones_own_are_variables_too(desk_client: DeskClient) -> None:
    for key, kind in (("size", "number"), ("vip", "bool"), ("plan", "text")):
        made = await desk_client.post("/api/v1/fields", {"key": key, "label": key.title(), "type": kind})
        assert made.status == 201, made.body
    contact = await desk_client.new_contact()
    await desk_client.patch(f"/api/v1/contacts/{contact}", {"fields": {"size": 42.5, "vip": True}})
    number = await desk_client.new_ticket(contact_id=contact)
    text = "{{contact.fields.size}} {{contact.fields.vip}} {{contact.fields.plan}}"
    made = await desk_client.post("/api/v1/canned", {"short": "x", "text": text})
    filled = (await desk_client.get(f"/api/v1/canned/{made.json['id']}/fill?number={number}")).json
    wanted = {"text": "42.5 yes {{contact.fields.plan}}", "missing": ["contact.fields.plan"]}
    assert (made.json["unknown"], filled) == ([], wanted)
