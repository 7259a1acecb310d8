"""Commands on the one set of tags: which there are, how they are called and look, two made one, one taken away."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.commands.answers import Id, Request
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import tag_set, tags
from hub.desk.tag_set import Kept
from hub.desk.tags import Colour
from hub.staff.access import Caller

Name = Annotated[str, Meta(max_length=tags.MAX_TAG)]


class TagList(msgspec.Struct, frozen=True):
    items: list[tags.Tag]


class TagSet(msgspec.Struct, frozen=True):
    """`gone`: what was merged or deleted in the last month and can be had back."""

    items: list[Kept]
    gone: list[Kept]


class Nothing(Request, frozen=True, kw_only=True):
    pass


class OneTag(Request, frozen=True, kw_only=True):
    tag_id: Id


class CreateTag(Request, frozen=True, kw_only=True):
    name: Name
    colour: Colour = "grey"


class ChangeTag(Request, frozen=True, kw_only=True):
    """Only what is given changes."""

    tag_id: Id
    name: Name | UnsetType = UNSET
    colour: Colour | UnsetType = UNSET


class MergeTag(Request, frozen=True, kw_only=True):
    """Whatever bears `tag_id` bears `into` instead."""

    tag_id: Id
    into: Id


def _list(rx: Rx, caller: Caller, request: Nothing) -> TagList:
    return TagList(tags.all_tags(rx))


def _review(rx: Rx, caller: Caller, request: Nothing) -> TagSet:
    return TagSet(tag_set.kept(rx, caller), tag_set.gone(rx, caller))


def _create(tx: Tx, caller: Caller, request: CreateTag) -> Kept:
    return tag_set.get(tx, caller, tag_set.create(tx, caller, request.name, request.colour))


def _change(tx: Tx, caller: Caller, request: ChangeTag) -> Kept:
    tag_set.change(tx, caller, request.tag_id, name=request.name, colour=request.colour)
    return tag_set.get(tx, caller, request.tag_id)


def _merge(tx: Tx, caller: Caller, request: MergeTag) -> Kept:
    tag_set.merge(tx, caller, request.tag_id, request.into)
    return tag_set.get(tx, caller, request.into)


def _delete(tx: Tx, caller: Caller, request: OneTag) -> Kept:
    tag_set.delete(tx, caller, request.tag_id)
    return tag_set.get(tx, caller, request.tag_id)


def _restore(tx: Tx, caller: Caller, request: OneTag) -> Kept:
    tag_set.restore(tx, caller, request.tag_id)
    return tag_set.get(tx, caller, request.tag_id)


_KEEPS: dict[str, Any] = {
    "noun": "tags",
    "scope": "desk:write",
    "permission": tag_set.MANAGE,
    "answer": Kept,
    "refuses": ("conflict",),
}
_ONE: Final = "/tags/{tag_id}"

COMMANDS: Final = (
    Command(
        name="list_tags",
        summary="Every tag of this desk.",
        noun="tags",
        method="GET",
        path="/tags",
        request=Nothing,
        answer=TagList,
        read=_list,
        scope="contacts:read",
        permission="contacts.read",
    ),
    Command(
        name="review_tags",
        summary="Every tag with how many bear it, and those that can be had back.",
        noun="tags",
        method="GET",
        path="/tags/kept",
        request=Nothing,
        answer=TagSet,
        read=_review,
        scope="desk:read",
        permission=tag_set.MANAGE,
    ),
    Command(
        name="create_tag",
        summary="Add a tag before anything bears it.",
        method="POST",
        path="/tags",
        request=CreateTag,
        write=_create,
        status=201,
        **_KEEPS,
    ),
    Command(
        name="change_tag",
        summary="Give a tag another name or colour, wherever it is.",
        method="PATCH",
        path=_ONE,
        request=ChangeTag,
        write=_change,
        **_KEEPS,
    ),
    Command(
        name="merge_tag",
        summary="Make a tag part of another: all that bear it bear the other; answers with that one.",
        method="POST",
        path=f"{_ONE}/merge",
        request=MergeTag,
        write=_merge,
        **_KEEPS,
    ),
    Command(
        name="delete_tag",
        summary="Take a tag off everything; it can be restored for a month.",
        method="DELETE",
        path=_ONE,
        request=OneTag,
        write=_delete,
        **_KEEPS,
    ),
    Command(
        name="restore_tag",
        summary="Undo that a tag was merged or deleted: it is again on all that bore it.",
        method="POST",
        path=f"{_ONE}/restore",
        request=OneTag,
        write=_restore,
        **_KEEPS,
    ),
)
