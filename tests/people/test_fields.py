"""Fields of one's own: what they take, what they refuse, and that they go without a trace."""

from typing import Any

import pytest

from hub.desk import contact_lists
from hub.errors import Refusal
from hub.people import contacts, fields
from hub.people.fields import Field
from tests.fixtures.office import Office

PLAN = {"key": "plan", "label": "Plan", "type": "choice", "choices": ("Gold", "Tin")}
KEPT: list[tuple[str, Any, Any]] = [
    ("text", "  two\nlines ", "two\nlines"),
    ("text", "{{name}} <b>", "{{name}} <b>"),
    ("number", 12, 12),
    ("number", -0.5, -0.5),
    ("number", 3.0, 3),
    ("number", 1e15, 10**15),
    ("date", "2024-02-29", "2024-02-29"),
    ("choice", "gold", "Gold"),
    ("bool", False, False),
    ("url", "https://bücher.example/a?b#c", "https://bücher.example/a?b#c"),
    ("url", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
]
REFUSED: list[tuple[str, Any]] = [
    ("text", 5),
    ("text", "x" * 2_001),
    ("text", "a\x00b"),
    ("text", "\ud800"),
    ("number", "5"),
    ("number", True),
    ("number", float("nan")),
    ("number", float("inf")),
    ("number", 2**60),
    ("date", "2026-02-30"),
    ("date", "2026-2-3"),
    ("date", "0000-01-01"),
    ("date", "10000-01-01"),
    ("date", "-001-01-01"),
    ("date", "2026-02-28T00:00:00Z"),
    ("date", "1); DROP TABLE contact"),
    ("date", 20260228),
    ("choice", "silver"),
    ("bool", "true"),
    ("bool", 1),
    ("url", "javascript:alert(1)//http://x"),
    ("url", "//example.org"),
    ("url", "https://"),
    ("url", "https://a b.example"),
    ("url", "https:\\\\example.org"),
    ("url", "https://example.org:99999/"),
    ("url", "\u202ehttps://example.org"),
    ("url", "data:text/html,x"),
    ("url", "http://[::1"),
]


def a(kind: str) -> Field:
    return Field(1, "contact", "key", "Label", kind, ("Gold", "Tin"), False)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "given", "kept"), KEPT)
def test_a_value_of_its_type_is_kept(kind: str, given: Any, kept: Any) -> None:
    found = fields.check(a(kind), given, "fields.key")
    assert found == kept and type(found) is type(kept)


@pytest.mark.parametrize(("kind", "given"), REFUSED)
def test_another_is_refused_with_a_sentence_that_names_the_field(kind: str, given: Any) -> None:
    with pytest.raises(Refusal) as refused:
        fields.check(a(kind), given, "fields.key")
    assert refused.value.field == "fields.key" and refused.value.text.endswith(".")


@pytest.mark.parametrize("key", ["", "Plan", "1st", "a b", "a.b", "$where", "__proto__", "a.prototype", "x" * 41])
async def test_a_key_is_a_plain_word(office: Office, key: str) -> None:
    with pytest.raises(Refusal) as refused:
        await office.does(fields.create, office.boss.actor, **PLAN | {"key": key})
    assert refused.value.field == "key"


async def test_keys_and_choices_are_there_once_and_choices_belong_to_choosing(office: Office) -> None:
    await office.does(fields.create, office.boss.actor, **PLAN)
    wrong: list[tuple[dict[str, Any], str]] = [
        (PLAN, "key"),
        (PLAN | {"key": "b", "choices": ("Gold", "GOLD")}, "choices"),
        (PLAN | {"key": "b", "choices": ()}, "choices"),
        (PLAN | {"key": "b", "type": "text"}, "choices"),
        (PLAN | {"key": "b", "label": " "}, "label"),
    ]
    for given, field in wrong:
        with pytest.raises(Refusal) as refused:
            await office.does(fields.create, office.boss.actor, **given)
        assert refused.value.field == field


async def contact_with(office: Office, **values: Any) -> int:
    def make(tx: Any) -> int:
        contact_id = contacts.create(
            tx, office.boss.actor, name="Ann", points_=[], company=None, language=None, country=None
        )
        if fields.put(tx, contact_id, values, is_new=True):
            contacts.change(tx, office.boss.actor, contact_id, also=("fields",))
        return contact_id

    return int(await office.store.write(make))


async def listed(office: Office, **wanted: Any) -> list[int]:
    rows, _ = await office.store.read(contact_lists.listed, office.boss, contact_lists.Filter(**wanted))
    return [row.id for row in rows]


async def test_what_is_required_is_asked_of_whoever_makes_a_contact_and_cannot_be_taken_away(office: Office) -> None:
    field_id = await office.does(fields.create, office.boss.actor, **PLAN)
    before = await contact_with(office)
    await office.does(fields.change, office.boss.actor, field_id, required=True)
    with pytest.raises(Refusal) as refused:
        await contact_with(office)
    assert refused.value.field == "fields.plan"
    has = await contact_with(office, plan="gold")
    with pytest.raises(Refusal, match="required"):
        await office.does(fields.put, has, {"plan": None})
    assert not await office.does(fields.put, before, {}), "who was there before may stay as they are"


async def test_the_same_again_is_nothing_and_a_choice_that_left_the_list_stays(office: Office) -> None:
    field_id = await office.does(fields.create, office.boss.actor, **PLAN)
    contact_id = await contact_with(office, plan="Gold")
    await office.does(fields.change, office.boss.actor, field_id, choices=("Tin", "Iron"))
    assert not await office.does(fields.put, contact_id, {"plan": "Gold"})
    assert await office.store.read(fields.of, contact_id) == {"plan": "Gold"}
    with pytest.raises(Refusal):
        await contact_with(office, plan="Gold")
    assert await office.does(fields.put, contact_id, {"plan": ""})
    assert await office.store.read(fields.of, contact_id) == {}


async def test_values_are_found_by_their_words_and_by_filter(office: Office) -> None:
    await office.does(fields.create, office.boss.actor, key="city", label="City", type="text")
    await office.does(fields.create, office.boss.actor, key="seats", label="Seats", type="number")
    contact_id = await contact_with(office, city="አዲስ አበባ Addis Ababa", seats=12)
    assert await listed(office, q="abab") == [contact_id]
    assert await listed(office, q="አበባ") == [contact_id]
    assert await listed(office, field=("city:ADDIS",)) == []
    assert await listed(office, field=("city:አዲስ  አበባ addis ababa", "seats:12.0")) == [contact_id]
    for wrong in ("nothing:1", "city", "seats:many"):
        with pytest.raises(Refusal) as refused:
            await listed(office, field=(wrong,))
        assert refused.value.field == "field.0"


async def test_a_field_that_is_removed_is_gone_at_once_and_its_values_follow(office: Office) -> None:
    field_id = await office.does(fields.create, office.boss.actor, key="city", label="City", type="text")
    holders = [await contact_with(office, city=f"Harar {n}") for n in range(fields.AT_ONCE + 1)]
    await office.does(fields.remove, office.boss.actor, field_id)
    assert await office.store.read(fields.of, holders[0]) == {}
    again = await office.does(fields.create, office.boss.actor, key="city", label="City", type="text")
    assert again != field_id, "its key is free at once"
    rounds = 0
    while await office.store.read(lambda rx: rx.value("SELECT 1 FROM own_field WHERE id = :id", id=field_id)):
        await office.store.write(fields.clear, {"field_id": field_id})
        rounds += 1
    assert rounds == 2
    assert await listed(office, q="harar") == []
    assert await office.store.read(lambda rx: rx.value("SELECT COUNT(*) FROM contact_field")) == 0
