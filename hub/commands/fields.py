"""Commands on fields of one's own. Their values are changed with the contact (`change_contact`)."""

from typing import Annotated, Any, Final, Literal

import msgspec

from hub.commands.answers import Id, Request
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.people import fields
from hub.people.fields import Field
from hub.staff.access import Caller

Choices = Annotated[tuple[str, ...], msgspec.Meta(max_length=fields.CHOICES)]


class FieldList(msgspec.Struct, frozen=True):
    items: list[Field]


class Nothing(Request, frozen=True, kw_only=True):
    pass


class CreateField(Request, frozen=True, kw_only=True):
    """`key` names it in the API and in exports: small letters, digits and _. `choices` of the type "choice" alone. Who
    makes a contact by hand has to give what is `required`; contacts who write to us come without it."""

    of: Literal["contact"] = "contact"
    key: str
    label: str
    type: fields.Type
    choices: Choices = ()
    required: bool = False


class ChangeField(Request, frozen=True, kw_only=True):
    """Only what is given changes. Key and type stay. A choice that is left out stays where it was chosen."""

    own_field_id: Id
    label: str | None = None
    choices: Choices | None = None
    required: bool | None = None


class OneField(Request, frozen=True, kw_only=True):
    own_field_id: Id


def _list(rx: Rx, caller: Caller, request: Nothing) -> FieldList:
    return FieldList(fields.all_of_them(rx))


def _create(tx: Tx, caller: Caller, request: CreateField) -> Field:
    given = msgspec.structs.asdict(request)
    given.pop("of")
    return fields.get(tx, fields.create(tx, caller.actor, **given))


def _change(tx: Tx, caller: Caller, request: ChangeField) -> Field:
    given = msgspec.structs.asdict(request)
    fields.change(tx, caller.actor, given.pop("own_field_id"), **given)
    return fields.get(tx, request.own_field_id)


def _remove(tx: Tx, caller: Caller, request: OneField) -> None:
    fields.remove(tx, caller.actor, request.own_field_id)


_WRITE: dict[str, Any] = {"noun": "fields", "scope": "desk:write", "permission": "desk.manage"}
_ONE: Final = "/fields/{own_field_id}"

COMMANDS: Final = (
    Command(
        name="list_fields",
        summary="The fields of one's own that contacts have.",
        noun="fields",
        method="GET",
        path="/fields",
        request=Nothing,
        answer=FieldList,
        scope="contacts:read",
        permission="contacts.read",
        read=_list,
    ),
    Command(
        name="create_field",
        summary="Give contacts a field of one's own.",
        method="POST",
        path="/fields",
        request=CreateField,
        answer=Field,
        write=_create,
        status=201,
        refuses=("conflict",),
        **_WRITE,
    ),
    Command(
        name="change_field",
        summary="Change how a field is called, what can be chosen, whether it is required.",
        method="PATCH",
        path=_ONE,
        request=ChangeField,
        answer=Field,
        write=_change,
        **_WRITE,
    ),
    Command(
        name="remove_field",
        summary="Take a field away from all contacts, with what stands in it.",
        method="DELETE",
        path=_ONE,
        request=OneField,
        answer=type(None),
        write=_remove,
        **_WRITE,
    ),
)
