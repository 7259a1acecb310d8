"""Commands on contacts, their points, consents and tags."""

from typing import Annotated, Any, Final, Literal

import msgspec

from hub.commands.contact_answers import ContactAnswer, contact_answer
from hub.commands.table import Command
from hub.connector import Consent
from hub.db.tx import Rx, Tx
from hub.desk import contact_lists, tags, zones
from hub.desk.contact_lists import require_contact
from hub.errors import invalid, not_found
from hub.people import consents, contacts, fields, points
from hub.people.consents import Purpose
from hub.people.fields import Value
from hub.staff.access import Caller
from hub.text import MAX_LINE, clean

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Cursor = Annotated[str, msgspec.Meta(max_length=1_000)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
When = Annotated[int, msgspec.Meta(ge=0, le=contacts.LATEST)]
Fields = dict[str, Value | None]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ContactPage(msgspec.Struct, frozen=True):
    items: list[contact_lists.ContactRow]
    next: str | None


class PointGiven(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`kind`: "email" or "phone"."""

    kind: str
    value: str


class ContactFilter(_Request, frozen=True, kw_only=True):
    """All that is given must hold. `q`: words of name, title, company, address, number or own fields, as they
    begin. `point`: an exact e-mail address or phone number, in any spelling. `name`: how the whole name begins.
    `has_open`: with a ticket that is not resolved. `next_contact`: due already; by the end of today; within seven days,
    in the time zone `zone`. `field`: key:value of a field of one's own, as often as you like."""

    q: str | None = None
    name: str | None = None
    point: str | None = None
    country: Country | None = None
    owner_id: Id | None = None
    tag: str | None = None
    company: str | None = None
    has_open: bool = False
    next_contact: Literal["overdue", "today", "week"] | None = None
    zone: Annotated[str, msgspec.Meta(max_length=60)] = "UTC"
    field: Annotated[list[str], msgspec.Meta(max_length=10)] = []

    @property
    def filter(self) -> contact_lists.Filter:
        given = {name: getattr(self, name) for name in contact_lists.Filter.__struct_fields__}
        return contact_lists.Filter(**given | {"field": tuple(self.field)})


class ListContacts(ContactFilter, frozen=True, kw_only=True):
    __doc__ = ContactFilter.__doc__
    sort: contact_lists.Sort = "name"
    limit: Limit = 50
    cursor: Cursor | None = None


class OneContact(_Request, frozen=True, kw_only=True):
    contact_id: Id


class CreateContact(_Request, frozen=True, kw_only=True):
    name: str
    points: Annotated[list[PointGiven], msgspec.Meta(max_length=20)] = []
    company: str | None = None
    language: str | None = None
    country: Country | None = None
    title: str | None = None
    owner_id: Id | None = None
    next_contact_at: When | None = None
    fields: Fields = {}


class ChangeContact(_Request, frozen=True, kw_only=True):
    """Only what is given changes; an empty `company`, `language`, `title` or `zone` takes it away, and so does null for
    `owner_id`, `next_contact_at` and each of the `fields`. `zone`: where their clock is, Africa/Addis_Ababa."""

    contact_id: Id
    name: str | None = None
    company: str | None = None
    language: str | None = None
    title: str | None = None
    zone: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    owner_id: Id | msgspec.UnsetType | None = msgspec.UNSET
    next_contact_at: When | msgspec.UnsetType | None = msgspec.UNSET
    blocked: bool | None = None
    fields: Fields = {}


class AddPoint(_Request, frozen=True, kw_only=True):
    contact_id: Id
    kind: str
    value: str
    country: Country | None = None


class RemovePoint(_Request, frozen=True, kw_only=True):
    contact_id: Id
    point_id: Id


class PutConsent(_Request, frozen=True, kw_only=True):
    """What they were asked, word for word, and what they said. It is added; what was said before stays."""

    contact_id: Id
    point_id: Id
    purpose: Purpose
    given: bool
    wording: str
    how: str


class TagContact(_Request, frozen=True, kw_only=True):
    contact_id: Id
    tag: str


class Nothing(_Request, frozen=True, kw_only=True):
    pass


def _list(rx: Rx, caller: Caller, request: ListContacts) -> ContactPage:
    found, following = contact_lists.listed(
        rx, caller, request.filter, sort=request.sort, limit=request.limit, cursor=request.cursor
    )
    return ContactPage(found, following)


def _get(rx: Rx, caller: Caller, request: OneContact) -> ContactAnswer:
    require_contact(rx, caller, request.contact_id)
    return contact_answer(rx, caller, request.contact_id)


def _create(tx: Tx, caller: Caller, request: CreateContact) -> ContactAnswer:
    given = [(p.kind, p.value) for p in request.points]
    for number, (kind, _) in enumerate(given):
        _writable(kind, f"points.{number}.kind")
    contact_id = contacts.create(
        tx,
        caller.actor,
        name=request.name,
        points_=given,
        company=request.company,
        language=request.language,
        country=request.country,
    )
    has_fields = fields.put(tx, contact_id, request.fields, is_new=True)
    contacts.change(
        tx,
        caller.actor,
        contact_id,
        title=request.title,
        owner_id=request.owner_id,
        next_contact_at=request.next_contact_at,
        also=("fields",) if has_fields else (),
    )
    return contact_answer(tx, caller, contact_id)


def _change(tx: Tx, caller: Caller, request: ChangeContact) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    if request.zone:
        zones.zone(request.zone)
    given = msgspec.structs.asdict(request)
    has_changed = fields.put(tx, given.pop("contact_id"), given.pop("fields"))
    contacts.change(tx, caller.actor, request.contact_id, **given, also=("fields",) if has_changed else ())
    return contact_answer(tx, caller, request.contact_id)


def _add_point(tx: Tx, caller: Caller, request: AddPoint) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    contacts.get(tx, request.contact_id)
    _writable(request.kind, "kind")
    contacts.add_point(tx, caller.actor, request.contact_id, request.kind, request.value, country=request.country)
    return contact_answer(tx, caller, request.contact_id)


def _writable(kind: str, field: str) -> None:
    if kind not in (points.EMAIL, points.PHONE):
        raise invalid(field, 'Only "email" and "phone" can be typed; other points come from their channels.')


def _remove_point(tx: Tx, caller: Caller, request: RemovePoint) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    contacts.remove_point(tx, caller.actor, request.contact_id, request.point_id)
    return contact_answer(tx, caller, request.contact_id)


def _consent(tx: Tx, caller: Caller, request: PutConsent) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    if request.point_id not in {row[0] for row in points.of(tx, request.contact_id)}:
        raise not_found("contact point")
    consent = Consent(request.purpose, request.given, clean(request.wording, "wording", most=2_000))
    how = clean(request.how, "how", most=MAX_LINE, lines=False)
    consents.put(tx, request.point_id, request.contact_id, consent, how=how, by=caller.actor)
    return contact_answer(tx, caller, request.contact_id)


def _tag(tx: Tx, caller: Caller, request: TagContact) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    tags.tag_contact(tx, caller, request.contact_id, request.tag)
    return contact_answer(tx, caller, request.contact_id)


def _untag(tx: Tx, caller: Caller, request: TagContact) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    tags.untag_contact(tx, caller, request.contact_id, request.tag)
    return contact_answer(tx, caller, request.contact_id)


_READ: dict[str, Any] = {
    "noun": "contacts", "method": "GET", "scope": "contacts:read", "permission": "contacts.read",
}  # fmt: skip
_WRITE: dict[str, Any] = {
    "noun": "contacts", "method": "POST", "scope": "contacts:write", "permission": "contacts.change",
    "answer": ContactAnswer, "refuses": ("conflict",),
}  # fmt: skip
_ONE: Final = "/contacts/{contact_id}"

COMMANDS: Final = (
    Command(
        name="list_contacts",
        summary="Contacts, found by words, by exact address or number, by whose they are and what is due.",
        path="/contacts",
        request=ListContacts,
        answer=ContactPage,
        read=_list,
        **_READ,
    ),
    Command(
        name="get_contact",
        summary="One contact with points, consents, tags, fields, open tickets and source.",
        path=_ONE,
        request=OneContact,
        answer=ContactAnswer,
        read=_get,
        **_READ,
    ),
    Command(
        name="create_contact",
        summary="Make a contact by hand.",
        path="/contacts",
        request=CreateContact,
        write=_create,
        status=201,
        **_WRITE,
    ),
    Command(
        name="change_contact",
        summary="Change who they are, whose they are, when to write next, own fields; block or unblock.",
        path=_ONE,
        request=ChangeContact,
        write=_change,
        **_WRITE | {"method": "PATCH"},
    ),
    Command(
        name="add_contact_point",
        summary="Add an e-mail address or a phone number.",
        path=f"{_ONE}/points",
        request=AddPoint,
        write=_add_point,
        status=201,
        **_WRITE,
    ),
    Command(
        name="remove_contact_point",
        summary="Take away an address or number that was never used.",
        path=f"{_ONE}/points/{{point_id}}",
        request=RemovePoint,
        write=_remove_point,
        **_WRITE | {"method": "DELETE"},
    ),
    Command(
        name="record_consent",
        summary="Write down what a contact allowed or refused.",
        path=f"{_ONE}/points/{{point_id}}/consents",
        request=PutConsent,
        write=_consent,
        status=201,
        **_WRITE,
    ),
    Command(
        name="tag_contact",
        summary="Put a tag on a contact; a new one is made.",
        path=f"{_ONE}/tag",
        request=TagContact,
        write=_tag,
        **_WRITE,
    ),
    Command(
        name="untag_contact",
        summary="Take a tag off a contact.",
        path=f"{_ONE}/untag",
        request=TagContact,
        write=_untag,
        **_WRITE,
    ),
)
