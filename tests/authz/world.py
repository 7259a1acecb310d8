"""The desk that the authorisation matrix is tried on: two sides, `front` and `back`, that know nothing of each other,
and everybody who may come along. Made for the tests of this folder."""

import asyncio
import dataclasses
import hashlib
import itertools
from typing import Any

import msgspec

from hub.db.contents import Contents
from hub.db.tx import Tx
from hub.desk import contact_notes, hours, inboxes, incoming, merging, tag_set, tags
from hub.desk import ticket as tickets
from hub.desk.files import rows as files
from hub.desk.files.rows import Content
from hub.events import SYSTEM, AccessChanged, Actor
from hub.feedback import records
from hub.people import contacts, fields, points
from hub.staff import access, agents, roles, sessions, teams, tokens
from hub.staff.access import DESK
from tests.authz.examples import ABSENT, New, Own, Ref

_numbers = itertools.count(1)
HELD = b"what a file holds"

# Who comes along. Those in `front` see its inbox, the outsider that of `back`; the last three are nobody to us.
PRINCIPALS = (
    "administrator",
    "supervisor",
    "agent",
    "outsider",
    "observer",
    "only",  # an administrator's token with only the scope of the operation
    "without",  # an administrator's token with every scope but that
    "disabled",  # an administrator who was disabled, with a session that is still there
    "stranger",  # a token that never was
    "nobody",
)


@dataclasses.dataclass(frozen=True)
class Side:
    """Fresh objects of one side, for calls that change them."""

    number: int
    ticket_id: int
    message_id: int
    later_id: int  # another message of the same ticket
    other_number: int  # another ticket of the same contact
    merged_number: int  # one that was merged into that
    contact_id: int
    point_id: int
    address: str
    delivery_id: int  # failed
    held_id: int
    planned_id: int
    feedback_id: int
    agent_id: int  # in the team; with a role that allows nothing
    colleague_id: int  # in the team; an observer
    canned_id: int  # of a team of its side; not the one beside it
    role_id: int
    empty_role_id: int  # nobody has it
    team_id: int  # sees the inbox, has the agent
    token_id: int
    session_id: int
    guarded_id: int  # an agent like that one, with two-factor
    view_id: int  # the owner's
    bulk_id: int  # the owner's
    job_id: int
    inbound_id: int
    kept_id: int  # what its contact sent while blocked
    inbox_id: int
    contact_note_id: int  # by the owner
    own_field_id: int
    post_id: int  # an inbox of the same team that can write to addresses
    hours_id: int
    other_team_id: int
    tag_id: int  # on its ticket and contact
    other_tag_id: int
    gone_tag_id: int  # deleted; on its ticket
    file_id: str  # of its message
    failed_file_id: str  # likewise
    upload_id: str  # the owner's, not sent


World = dict[str, Side]


@dataclasses.dataclass(frozen=True)
class Principal:
    agent_id: int
    headers: dict[str, str]


def fresh(tx: Tx, sides: dict[str, int], owners: dict[str, int], principal: int) -> World:
    """New objects on both sides. `owners`: whose the tokens are; `principal`: to whom the tickets are offered."""
    tx.run("DELETE FROM api_token WHERE name = 'spare'")
    tx.run("DELETE FROM own_field WHERE key LIKE 'field%'")
    _own_field(tx, "plan")
    tx.run("DELETE FROM session WHERE browser = 'spare'")
    return {side: _side(tx, side, inbox_id, owners[side], principal) for side, inbox_id in sides.items()}


def _side(tx: Tx, side: str, inbox_id: int, owner: int, principal: int) -> Side:
    n = next(_numbers)
    address = f"{side}{n}@example.org"
    contact_id = contacts.create(
        tx, SYSTEM, name=f"{side} {n}", points_=[("email", address)], company=None, language=None, country=None
    )
    number = incoming.write_down(
        tx,
        _author(principal),
        inbox_id=inbox_id,
        contact_id=contact_id,
        text=f"only those of {side} may read this",
        subject=None,
        priority="normal",
        external_id=f"m{n}",
    )
    ticket = tickets.by_number(tx, number)
    assert ticket is not None
    later_id, other, merged = further(tx, ticket, principal)
    tags.tag_ticket(tx, DESK, number, "regular")
    tags.tag_contact(tx, DESK, contact_id, "regular")
    tx.run("UPDATE ticket SET offered_to = :agent, offered_until = :now WHERE id = :id", agent=principal, now=tx.now,
           id=ticket.id)  # fmt: skip
    point_id = points.of(tx, contact_id)[0][0]
    spare = contacts.add_point(tx, SYSTEM, contact_id, "email", f"spare-{address}")
    said = records.Said(kind="complaint", door="test", text=f"of {side}", ticket=number)
    role_id = roles.create(tx, DESK, name=f"Helper {n}", permissions=(), sees="inboxes")
    agent_id = agents.create(tx, DESK, email=f"helper{n}@desk.example", name="Helper", role_id=role_id)
    team_id = teams.create(tx, DESK, f"Spare {n}")
    teams.add_member(tx, DESK, team_id, agent_id)
    teams.add_inbox(tx, DESK, team_id, inbox_id)
    colleague_id = agents.create(
        tx, DESK, email=f"colleague{n}@desk.example", name="Colleague", role_id=roles.named(tx, "observer").id
    )
    teams.add_member(tx, DESK, team_id, colleague_id)
    message_id = int(tx.value("SELECT MIN(id) FROM message WHERE ticket_id = :id", id=ticket.id))
    row = {"message_id": message_id, "ticket_id": ticket.id, "inbox_id": inbox_id, "point_id": point_id}
    return Side(
        number=number,
        ticket_id=ticket.id,
        message_id=message_id,
        later_id=later_id,
        other_number=other,
        merged_number=merged,
        contact_id=contact_id,
        point_id=spare,
        address=address,
        delivery_id=tx.insert(_DELIVERY, part=0, state="failed", now=tx.now, **row),
        held_id=tx.insert(_DELIVERY, part=1, state="held", now=tx.now, **row),
        planned_id=tx.insert(_PLANNED, now=tx.now, **row | {"message_id": later_id}),
        feedback_id=records.record(tx, DESK, said).id,
        agent_id=agent_id,
        colleague_id=colleague_id,
        canned_id=tx.insert(_CANNED, short=f"s{n}", team_id=ticket.team_id, now=tx.now),
        role_id=role_id,
        empty_role_id=roles.create(tx, DESK, name=f"Nobody's {n}", permissions=(), sees="own"),
        team_id=team_id,
        session_id=_session(tx, owner),
        guarded_id=_guarded(tx, n, role_id),
        token_id=tokens.create(tx, acting(tx, owner), name="spare", scopes=["tickets:read"], expires_at=None)[0],
        view_id=tx.insert(_VIEW, owner=owner, now=tx.now),
        bulk_id=_bulk(tx, owner, ticket.id),
        job_id=tx.insert(_JOB, now=tx.now),
        inbound_id=tx.insert(_INBOUND, inbox_id=inbox_id, now=tx.now, body=f"of {side}".encode()),
        kept_id=tx.insert(_KEPT, inbox_id=inbox_id, now=tx.now, body=f"of {side}".encode(), contact_id=contact_id),
        inbox_id=inbox_id,
        contact_note_id=contact_notes.write(tx, _writer(owner), contact_id, f"of {side}, before noon").id,
        own_field_id=_own_field(tx, f"spare_{side}"),
        post_id=_post(tx, side, inbox_id),
        other_team_id=teams.create(tx, DESK, f"Other spare {n}"),
        tag_id=_tag(tx, f"kept {n}", number, contact_id),
        other_tag_id=_tag(tx, f"other {n}", number, contact_id),
        gone_tag_id=_gone_tag(tx, f"gone {n}", number, contact_id),
        hours_id=hours.create(tx, DESK, name=f"Hours {n}", zone="UTC", week=((),) * 7),
        file_id=_file(tx, side, message_id),
        failed_file_id=files.insert(
            tx, state="failed", name=f"of {side}", content_type="", size=1, message_id=message_id, ref="1"
        ).token,
        upload_id=files.insert(tx, state="uploading", name="mine", content_type="", size=1, agent_id=owner).token,
    )


def _file(tx: Tx, side: str, message_id: int) -> str:
    row = files.insert(tx, state="fetching", name=f"of {side}", content_type="", size=None, message_id=message_id)
    files.there(tx, row.id, Content(hashlib.sha256(HELD).hexdigest(), len(HELD), "text/plain", "off"))
    return row.token


async def hold(contents: Contents) -> None:
    """Puts what the files of the world hold where it belongs."""

    def put() -> None:
        writing = contents.begin(len(HELD))
        writing.write(HELD)
        contents.keep(writing)

    await asyncio.to_thread(put)


def _own_field(tx: Tx, key: str) -> int:
    found = {field.key: field.id for field in fields.all_of_them(tx)}
    choices = ("gold", "tin")
    return found.get(key) or fields.create(tx, SYSTEM, key=key, label=key.title(), type="choice", choices=choices)


def _tag(tx: Tx, name: str, number: int, contact_id: int) -> int:
    tags.tag_ticket(tx, DESK, number, name)
    tags.tag_contact(tx, DESK, contact_id, name)
    found = tags.find(tx, name)
    assert found is not None
    return found


def _gone_tag(tx: Tx, name: str, number: int, contact_id: int) -> int:
    tag_id = _tag(tx, name, number, contact_id)
    tag_set.delete(tx, DESK, tag_id)
    return tag_id


def _post(tx: Tx, side: str, inbox_id: int) -> int:
    """Made once a side: who sees its inbox sees this one too."""
    name = f"Post of {side}"
    found = next((inbox.id for inbox in inboxes.all_of_them(tx) if inbox.name == name), None)
    if found is not None:
        return found
    home = inboxes.by_id(tx, inbox_id)
    assert home is not None
    secret = "whsec_" + "A" * 43 + "="
    made = inboxes.create(
        tx, DESK, kind="webhook", name=name, settings={"secret": secret}, teams=inboxes.teams_of(tx, home.id)
    )
    tx.record(AccessChanged(), by=SYSTEM)
    return made.id


_MESSAGE = """
INSERT INTO message (ticket_id, inbox_id, direction, author_kind, author_id, text, external_id, created_at)
VALUES (:ticket_id, :inbox_id, 'incoming', 'contact', :contact_id, 'It also hums.', :name, 0) RETURNING id"""
_DELIVERY = """
INSERT INTO delivery (message_id, ticket_id, inbox_id, contact_point_id, part, body, state, created_at, changed_at)
VALUES (:message_id, :ticket_id, :inbox_id, :point_id, :part, '{"text": "x"}', :state, :now, :now) RETURNING id"""
_PLANNED = """
INSERT INTO delivery (message_id, ticket_id, inbox_id, contact_point_id, part, body, state, send_at, later, created_at,
                      changed_at)
VALUES (:message_id, :ticket_id, :inbox_id, :point_id, 0, '{"text": "x"}', 'held', :now + 86400000, 1, :now, :now)
RETURNING id"""
_CANNED = """
INSERT INTO canned (short, short_folded, title, text, team_id, created_at, changed_at)
VALUES (:short, :short, '', 'Hello', :team_id, :now, :now) RETURNING id"""
_VIEW = """
INSERT INTO saved_view (agent_id, name, filter, sort, created_at, changed_at)
VALUES (:owner, 'Mine', '{}', 'newest', :now, :now) RETURNING id"""
_BULK = """
INSERT INTO bulk (agent_id, action, total, done, started_at, ended_at)
VALUES (:owner, '{"do": "resolve"}', 1, 1, :now, :now) RETURNING id"""
_ITEM = "INSERT INTO bulk_item (bulk_id, ticket_id, state, reason) VALUES (:id, :ticket_id, 'refused', 'x')"
_JOB = """
INSERT INTO job (kind, lane, payload, state, run_at, first_run_at, attempts, created_at)
VALUES ('nothing', 3, '{}', 'dead', :now, :now, 9, :now) RETURNING id"""
_TWO_FACTOR = """
INSERT INTO two_factor (agent_id, secret, last_step, created_at, confirmed_at)
VALUES (:agent_id, 'sealed', 0, :now, :now)"""
_INBOUND = """
INSERT INTO inbound (inbox_id, received_at, headers, body, state, reason)
VALUES (:inbox_id, :now, '[]', :body, 'quarantined', 'odd') RETURNING id"""

_KEPT = """
INSERT INTO inbound (inbox_id, received_at, headers, body, state, reason, contact_id)
VALUES (:inbox_id, :now, '[]', :body, 'ignored', 'blocked', :contact_id) RETURNING id"""


def _session(tx: Tx, owner: int) -> int:
    sessions.start(tx, owner, sessions.Where("spare"))
    return int(tx.value("SELECT MAX(id) FROM session"))


def _guarded(tx: Tx, n: int, role_id: int) -> int:
    agent_id = agents.create(tx, DESK, email=f"guarded{n}@desk.example", name="Guarded", role_id=role_id)
    tx.run(_TWO_FACTOR, agent_id=agent_id, now=tx.now)
    return agent_id


def _bulk(tx: Tx, owner: int, ticket_id: int) -> int:
    bulk_id = tx.insert(_BULK, owner=owner, now=tx.now)
    tx.run(_ITEM, id=bulk_id, ticket_id=ticket_id)
    return bulk_id


def further(tx: Tx, ticket: tickets.Ticket, principal: int) -> tuple[int, int, int]:
    """(a later message of the ticket, another ticket of its contact in that inbox, one that was merged into that)."""
    n = next(_numbers)
    row = {"ticket_id": ticket.id, "inbox_id": ticket.inbox_id, "contact_id": ticket.contact_id}
    numbers = [
        incoming.write_down(
            tx,
            _author(principal),
            inbox_id=ticket.inbox_id,
            contact_id=ticket.contact_id,
            text="It hums.",
            subject=None,
            priority="normal",
            external_id=f"{name}{n}",
        )
        for name in ("other", "merged")
    ]
    merging.merge(tx, DESK, numbers[1], numbers[0])
    return tx.insert(_MESSAGE, **row, name=f"later{n}"), numbers[0], numbers[1]


def _author(agent_id: int) -> access.Caller:
    """Sees everything, and is somebody who can be an author."""
    return access.Caller(Actor("agent", agent_id), access.ALL)


def _writer(agent_id: int) -> access.Caller:
    return access.Caller(Actor("agent", agent_id), msgspec.structs.replace(access.ALL, agent_id=agent_id))


def acting(tx: Tx, agent_id: int) -> access.Caller:
    grants = access.load(tx, agent_id)
    assert grants is not None
    return access.Caller(Actor("agent", agent_id), grants)


def credentials(tx: Tx, people: dict[str, int], scopes: tuple[str, ...]) -> dict[tuple[str, str], Principal]:
    """(principal, scope of the operation) → what they send. Only the tokens differ by scope."""
    found: dict[tuple[str, str], Principal] = {}
    administrator = people["administrator"]
    for scope in scopes:
        found["stranger", scope] = Principal(administrator, _bearer(tokens.PREFIX + "0" * 64))
        found["nobody", scope] = Principal(administrator, {})
        for name, wanted in (("only", {scope} & set(tokens.SCOPES)), ("without", set(tokens.SCOPES) - {scope})):
            _, secret = tokens.create(
                tx, acting(tx, administrator), name=name, scopes=wanted or {"tickets:read"}, expires_at=None
            )
            found[name, scope] = Principal(administrator, _bearer(secret))
    agents.disable(tx, DESK, people["disabled"])
    # Disabling ends every session; with one that is still there the agent's mark alone has to hold: the harder case.
    for name in ("administrator", "supervisor", "agent", "outsider", "observer", "disabled"):
        cookie = session(tx, people[name])
        for scope in scopes:
            found[name, scope] = Principal(people[name], cookie)
    return found


def session(tx: Tx, agent_id: int) -> dict[str, str]:
    return {"Cookie": f"parley={sessions.start(tx, agent_id)}", "X-Parley-CSRF": "1"}


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def filled(fields: dict[str, Any], sides: dict[str, str], world: World, own: int) -> dict[str, Any]:
    """The fields as they are sent."""

    def value(field: str, given: Any) -> Any:
        match given:
            case Ref(what):
                if sides[field] == "absent":
                    return "nobody@example.org" if what == "address" else ABSENT
                return getattr(world[sides[field]], what)
            case Own():
                return own
            case New():
                return str(given)
            case list():
                return [value(field, one) for one in given]
            case dict():
                return {name: value(name, one) for name, one in given.items()}
            case _:
                return given

    return {field: value(field, given) for field, given in fields.items()}
