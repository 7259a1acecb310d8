"""Saved views: one's own or shared, changed by whoever made them, and never a way around what one may see."""

from typing import Any

import pytest

from hub.desk import lists, saved_views
from hub.desk.lists import Filter
from hub.desk.saved_views import View
from hub.errors import Refusal
from tests.fixtures.office import Office


async def made(office: Office, who: Any, name: str = "Mine", **more: Any) -> View:
    fields = {"filter": Filter(view="mine", priority=("urgent",)), "sort": "oldest_waiting", "shared": False} | more
    view: View = await office.does(saved_views.create, who, name=name, **fields)
    return view


async def names(office: Office, who: Any) -> list[str]:
    return [view.name for view in await office.store.read(saved_views.listed, who)]


async def test_one_s_own_are_ones_own_and_shared_ones_are_everybodys(office: Office) -> None:
    await made(office, office.ann, "Ann's")
    shared = await made(office, office.ann, "For all", shared=True)
    assert await names(office, office.ann) == ["Ann's", "For all"]
    assert await names(office, office.bob) == ["For all"]
    with pytest.raises(Refusal) as refused:
        await office.does(saved_views.change, office.bob, shared.id, name="Bob's")
    assert refused.value.code == "forbidden"
    changed: View = await office.does(saved_views.change, office.boss, shared.id, name="By the boss")
    assert (changed.name, changed.filter, changed.sort) == ("By the boss", shared.filter, shared.sort)
    await office.does(saved_views.change, office.ann, shared.id, shared=False)
    assert await names(office, office.boss) == []
    with pytest.raises(Refusal, match="no such view"):
        await office.does(saved_views.delete, office.boss, shared.id)


async def test_a_view_that_cannot_be_listed_is_not_saved(office: Office) -> None:
    with pytest.raises(Refusal) as refused:
        await made(office, office.ann, filter=Filter(view="resolved"))
    assert refused.value.field == "sort"
    with pytest.raises(Refusal) as empty:
        await made(office, office.ann, " ")
    assert empty.value.field == "name"


async def test_it_shows_to_each_what_they_may_see(office: Office) -> None:
    await office.hears("hidden", to=office.mute)
    view = await made(office, office.boss, filter=Filter(inbox_id=office.mute.id), sort="newest", shared=True)
    page, _ = await office.store.read(lists.listed, office.ann, view.filter)
    assert page == []
