"""Commands on contacts, their points, consents and tags, and on the one set of tags."""

from typing import Annotated, Any, Final

import msgspec

from hub.commands.table import Command
from hub.connector import Consent
from hub.db.tx import Rx, Tx
from hub.desk import contact_lists, tags
from hub.desk.contact_lists import require_contact
from hub.errors import invalid, not_found
from hub.people import companies, consents, contacts, points
from hub.people.consents import Purpose
from hub.staff.access import Caller
from hub.text import MAX_LINE, clean

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Cursor = Annotated[str, msgspec.Meta(max_length=1_000)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class PointAnswer(msgspec.Struct, frozen=True):
    id: int
    kind: str
    scope: str
    value: str
    shown: str
    sureness: str


class ConsentAnswer(msgspec.Struct, frozen=True):
    id: int
    point_id: int
    purpose: str
    given: bool
    wording: str
    how: str
    at: int


class ContactAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Times are milliseconds since 1970, UTC. `source`: where they came from first."""

    id: int
    name: str
    company: str | None
    language: str | None
    blocked: bool
    points: list[PointAnswer]
    consents: list[ConsentAnswer]
    tags: tuple[str, ...]
    source: dict[str, Any]
    created_at: int
    changed_at: int


class ContactPage(msgspec.Struct, frozen=True):
    items: list[contact_lists.ContactRow]
    next: str | None


class TagList(msgspec.Struct, frozen=True):
    items: list[tags.Tag]


class PointGiven(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`kind`: "email" or "phone"."""

    kind: str
    value: str


class ListContacts(_Request, frozen=True, kw_only=True):
    """`point`: an exact e-mail address or phone number, in any spelling. `name`: how the name begins."""

    name: str | None = None
    point: str | None = None
    country: Country | None = None
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


class ChangeContact(_Request, frozen=True, kw_only=True):
    """Only what is given changes; an empty `company` or `language` takes it away."""

    contact_id: Id
    name: str | None = None
    company: str | None = None
    language: str | None = None
    blocked: bool | None = None


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


def _answer(rx: Rx, contact_id: int) -> ContactAnswer:
    contact = contacts.get(rx, contact_id)
    source: dict[str, Any] = {
        "inbox_id": contact.inbox_id,
        "place": contact.place,
        "page": contact.page,
        "referrer": contact.referrer,
        "utm": msgspec.json.decode(contact.utm) if contact.utm else {},
    }
    return ContactAnswer(
        id=contact.id,
        name=contact.name,
        company=companies.name(rx, contact.company_id),
        language=contact.language,
        blocked=contact.blocked_at is not None,
        points=[PointAnswer(*row) for row in points.of(rx, contact_id)],
        consents=[
            ConsentAnswer(r[0], r[1], r[2], bool(r[3]), r[4], r[5], r[6]) for r in consents.of_contact(rx, contact_id)
        ],
        tags=tags.of_contact(rx, contact_id),
        source=source,
        created_at=contact.created_at,
        changed_at=contact.changed_at,
    )


def _list(rx: Rx, caller: Caller, request: ListContacts) -> ContactPage:
    found, following = contact_lists.listed(
        rx,
        caller,
        name=request.name,
        point=request.point,
        country=request.country,
        limit=request.limit,
        cursor=request.cursor,
    )
    return ContactPage(found, following)


def _get(rx: Rx, caller: Caller, request: OneContact) -> ContactAnswer:
    require_contact(rx, caller, request.contact_id)
    return _answer(rx, request.contact_id)


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
    return _answer(tx, contact_id)


def _change(tx: Tx, caller: Caller, request: ChangeContact) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    fields = msgspec.structs.asdict(request)
    contacts.change(tx, caller.actor, fields.pop("contact_id"), **fields)
    return _answer(tx, request.contact_id)


def _add_point(tx: Tx, caller: Caller, request: AddPoint) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    contacts.get(tx, request.contact_id)
    _writable(request.kind, "kind")
    contacts.add_point(tx, caller.actor, request.contact_id, request.kind, request.value, country=request.country)
    return _answer(tx, request.contact_id)


def _writable(kind: str, field: str) -> None:
    if kind not in (points.EMAIL, points.PHONE):
        raise invalid(field, 'Only "email" and "phone" can be typed; other points come from their channels.')


def _remove_point(tx: Tx, caller: Caller, request: RemovePoint) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    contacts.remove_point(tx, caller.actor, request.contact_id, request.point_id)
    return _answer(tx, request.contact_id)


def _consent(tx: Tx, caller: Caller, request: PutConsent) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    if request.point_id not in {row[0] for row in points.of(tx, request.contact_id)}:
        raise not_found("contact point")
    consent = Consent(request.purpose, request.given, clean(request.wording, "wording", most=2_000))
    how = clean(request.how, "how", most=MAX_LINE, lines=False)
    consents.put(tx, request.point_id, request.contact_id, consent, how=how, by=caller.actor)
    return _answer(tx, request.contact_id)


def _tag(tx: Tx, caller: Caller, request: TagContact) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    tags.tag_contact(tx, caller, request.contact_id, request.tag)
    return _answer(tx, request.contact_id)


def _untag(tx: Tx, caller: Caller, request: TagContact) -> ContactAnswer:
    require_contact(tx, caller, request.contact_id)
    tags.untag_contact(tx, caller, request.contact_id, request.tag)
    return _answer(tx, request.contact_id)


def _tags(rx: Rx, caller: Caller, request: Nothing) -> TagList:
    return TagList(tags.all_tags(rx))


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
        summary="Contacts by name, by how the name begins, or by an exact address or number.",
        path="/contacts",
        request=ListContacts,
        answer=ContactPage,
        read=_list,
        **_READ,
    ),
    Command(
        name="get_contact",
        summary="One contact with points, consents, tags and source.",
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
        summary="Change name, company or language; block or unblock.",
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
    Command(
        name="list_tags",
        summary="Every tag of this desk.",
        path="/tags",
        request=Nothing,
        answer=TagList,
        read=_tags,
        **_READ | {"noun": "tags"},
    ),
)
