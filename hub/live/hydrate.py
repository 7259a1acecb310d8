"""Events with the things they are about, as clients get them: one read for a batch, one encoding for each form.

A thing is shown as it stands when it is read, at the event or later: of two versions the later frame has the newer.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from hub import events as happened
from hub.commands.answers import TicketAnswer, ticket_answer
from hub.commands.tickets import message_answer
from hub.db.tx import Rx
from hub.desk import at_once, canned, contact_notes, saved_views, tags, visitors
from hub.desk.at_once import Names
from hub.desk.canned import Canned
from hub.desk.contact_notes import ContactNote
from hub.desk.contact_rows import ContactRow
from hub.desk.files import rows as files
from hub.desk.files.rows import FileShown
from hub.desk.lists import Delivered, Noted, Said
from hub.desk.saved_views import View
from hub.desk.ticket import Ticket
from hub.events import Recorded, Scope
from hub.feedback import records
from hub.feedback.records import Feedback
from hub.live.audience import CONTACTS, FEEDBACK, HOUSE, TICKETS, Rule, Sight, rule_of, sees, shares
from hub.live.protocol import Frame, encode
from hub.people import fields
from hub.people.fields import Field

# What a visitor hears of about a ticket of theirs: what is said there, and how it stands.
SAYINGS: Final = (
    happened.MessageReceived,
    happened.MessageSent,
    happened.MessageEdited,
    happened.MessageDeleted,
    happened.MessageFilesChanged,
)
OURS: Final = (happened.MessageSent, happened.MessagePlanned, happened.MessageCopied)
STANDINGS: Final = (
    happened.TicketOpened,
    happened.TicketAssigned,
    happened.TicketResolved,
    happened.TicketReopened,
    happened.TicketHandedOff,
    happened.TicketSubjectChanged,
)


class Things(msgspec.Struct):
    """What a batch of events is about, by id."""

    tickets: dict[int, tuple[Ticket, TicketAnswer]]
    messages: dict[int, Said]
    notes: dict[int, Noted]
    deliveries: dict[int, Delivered]
    feedback: dict[int, Feedback]
    contacts: dict[int, ContactRow]
    contact_scopes: dict[int, list[Scope]]
    names: Names
    canned: dict[int, tuple[Scope, Canned]] = {}
    views: dict[int, tuple[Scope, View]] = {}
    contact_notes: dict[int, ContactNote] = {}
    own_fields: dict[int, Field] = {}
    deliveries_of: dict[int, tuple[Delivered, ...]] = {}
    files: dict[int, tuple[FileShown, ...]] = {}  # by message
    visitor_of: dict[int, int] = {}
    said: dict[int, tuple[int, visitors.Shown]] = {}
    chats: dict[int, visitors.TicketShown] = {}


def things(rx: Rx, batch: Sequence[Recorded], *, connected: Collection[int] = frozenset()) -> Things:
    """A handful of statements, whatever is in the batch; none for kinds of things that are not. `connected`: the
    visitors to whom it may matter."""
    asked: dict[str, set[int]] = {name: set() for name in ("ticket", "contact", *_FIELDS, *_OWNED)}
    for recorded in batch:
        rule = rule_of(type(recorded.event))
        if rule in ("ticket", "feedback") and recorded.ticket_id is not None:
            asked["ticket"].add(recorded.ticket_id)
        elif rule == "contact" and recorded.contact_id is not None:
            asked["contact"].add(recorded.contact_id)
        if rule != "nobody":
            for field in _FIELDS_OF.get(rule, _SAYINGS):
                value = getattr(recorded.event, field, None)
                if value is not None:
                    asked[field].add(value)
    listed = at_once.tickets(rx, asked["ticket"])
    tagged = tags.of_tickets(rx, listed)
    messages = at_once.messages(rx, asked["message_id"])
    found = Things(
        tickets={
            id: (one.ticket, ticket_answer(one.ticket, one.contact_name, tagged.get(id, ()), one))
            for id, one in listed.items()
        },
        messages=messages,
        notes=at_once.notes(rx, asked["note_id"]),
        deliveries=at_once.deliveries(rx, asked["delivery_id"]),
        feedback=records.by_ids(rx, asked["feedback_id"]),
        contacts=at_once.contacts(rx, asked["contact"]),
        contact_scopes=at_once.scopes_of_contacts(rx, asked["contact"]),
        names=at_once.names(
            rx,
            agents=asked["agent_id"],
            teams=asked["team_id"],
            inboxes=asked["inbox_id"],
            tags=asked["tag_id"],
        ),
        contact_notes=contact_notes.by_ids(rx, asked["contact_note_id"]),
        own_fields=fields.by_ids(rx, asked["own_field_id"]),
    )
    found.canned = canned.by_ids(rx, asked["canned_id"])
    found.views = saved_views.by_ids(rx, asked["view_id"])
    sent = {r.event.message_id for r in batch if isinstance(r.event, OURS)}
    found.deliveries_of = at_once.deliveries_of(rx, sent)
    found.files = files.of_messages(rx, messages)
    if connected:
        _for_visitors(rx, batch, found, connected)
    return found


def _for_visitors(rx: Rx, batch: Sequence[Recorded], found: Things, connected: Collection[int]) -> None:
    of = at_once.visitors_of(rx, {r.ticket_id for r in batch if r.ticket_id is not None and _concerns(r)})
    found.visitor_of = {ticket_id: visitor_id for ticket_id, visitor_id in of.items() if visitor_id in connected}
    theirs = [r for r in batch if r.ticket_id in found.visitor_of and _concerns(r)]
    found.said = visitors.shown(rx, [r.event.message_id for r in theirs if isinstance(r.event, SAYINGS)])
    for ticket_id in {r.ticket_id for r in theirs if not isinstance(r.event, SAYINGS)}:
        if ticket_id is not None and ticket_id in found.tickets:
            found.chats[ticket_id] = visitors.ticket_shown(rx, found.tickets[ticket_id][0])


def _concerns(recorded: Recorded) -> bool:
    """Is it of a kind that visitors hear of? Feedback if it is their own, given in another window."""
    if isinstance(recorded.event, (happened.FeedbackRecorded, happened.FeedbackChanged)):
        return recorded.by.kind == "contact"
    return isinstance(recorded.event, (*SAYINGS, *STANDINGS))


_SAYINGS: Final = ("message_id", "note_id", "delivery_id", "feedback_id", "contact_note_id")
_NAMES: Final = ("agent_id", "team_id", "inbox_id", "tag_id", "own_field_id")  # of these the house's own events tell
_FIELDS: Final = (*_SAYINGS, *_NAMES)
_OWNED: Final = ("canned_id", "view_id")
_FIELDS_OF: Final[dict[Rule, tuple[str, ...]]] = {"house": _FIELDS, "shared": _OWNED}


class Shown:
    """One event in the forms that clients get it in, each encoded when the first client needs it."""

    __slots__ = ("_forms", "_things", "now", "permission", "recorded", "rule", "scopes", "special")

    def __init__(self, recorded: Recorded, found: Things) -> None:
        self.recorded = recorded
        self._things = found
        self._forms: dict[str, Frame] = {}
        self.rule: Rule = rule_of(type(recorded.event))
        self.permission = _PERMISSIONS.get(self.rule, HOUSE.get(type(recorded.event), ""))
        ticket = found.tickets.get(recorded.ticket_id or 0)
        self.now = ticket[0].scope if ticket is not None else None
        self.scopes = self._scopes()
        # For these agents it may be another matter than for all others who see as much as they.
        if self.rule == "shared":
            self.scopes.append(recorded.after or recorded.before or Scope())
            self.scopes += [owned[0] for owned in (self._owned(),) if owned is not None]
        about = (*self.scopes, recorded.before, recorded.after, self.now)
        self.special = {s.assignee_id for s in about if s is not None and s.assignee_id is not None}

    def _scopes(self) -> list[Scope]:
        """Whoever may see one of these may hear of it; for what is no ticket's own."""
        if self.rule == "contact":
            return self._things.contact_scopes.get(self.recorded.contact_id or 0, [])
        if self.rule == "feedback":
            return [s for s in (self.now, self.recorded.after, self.recorded.before) if s is not None][:1]
        return []

    def for_agent(self, sight: Sight, agent_id: int) -> Frame | None:
        """The form that one who sees so much gets; None: it is nothing to them."""
        if self.rule == "nobody" or (self.permission and self.permission not in sight.permissions):
            return None
        if self.rule == "house":
            return self._form("event")
        if self.rule == "shared":
            # What became somebody else's since shows nothing of itself; that it is gone for them, follows.
            if not shares(sight, self.scopes[0], agent_id):
                return None
            return self._form("event" if all(shares(sight, s, agent_id) for s in self.scopes) else "bare")
        if self.rule != "ticket":
            everybodys = self.rule == "contact" and not self.scopes
            if everybodys or sight.everything or any(sees(sight, s, agent_id) for s in self.scopes):
                return self._form("event")
            return None
        before, after = sees(sight, self.recorded.before, agent_id), sees(sight, self.recorded.after, agent_id)
        if after:
            # Moved out of their sight since: the thing itself would tell what is no longer theirs to know.
            if not sees(sight, self.now, agent_id):
                return self._form("bare") if before else None
            return self._form("event" if before else "entered")
        return self._form("left") if before else None

    @property
    def visitor_id(self) -> int | None:
        """The visitor whom it concerns, if they were connected when it was read."""
        return self._things.visitor_of.get(self.recorded.ticket_id or 0)

    def for_visitor(self, visitor_id: int) -> Frame | None:
        if self.visitor_id != visitor_id or not _concerns(self.recorded):
            return None
        if isinstance(self.recorded.event, SAYINGS):
            # What the contact said through another door is not what was written in this browser.
            said = self._things.said.get(self.recorded.event.message_id)
            return self._form("visitor") if said is not None and said[0] == visitor_id else None
        return self._form("visitor") if self.recorded.ticket_id in self._things.chats else None

    def _form(self, name: str) -> Frame:
        found = self._forms.get(name)
        if found is None:
            found = self._forms[name] = Frame(encode(getattr(self, f"_{name}")()))
        return found

    # --- the forms -----------------------------------------------------------------------------------------------

    def _head(self, name: str) -> dict[str, Any]:
        recorded = self.recorded
        return {"type": "event", "id": recorded.id, "name": name, "at": recorded.at, "by": recorded.by}

    @property
    def number(self) -> int | None:
        ticket = self._things.tickets.get(self.recorded.ticket_id or 0)
        if ticket is None:
            return getattr(self.recorded.event, "number", None)  # it is gone, and its last event tells
        return ticket[1].number

    def _owned(self) -> tuple[Scope, Any] | None:
        """What is somebody's, as it stands now: whose, and itself."""
        event, found = self.recorded.event, self._things
        return found.canned.get(getattr(event, "canned_id", 0)) or found.views.get(getattr(event, "view_id", 0))

    def _bare(self) -> dict[str, Any]:
        if self.rule == "shared":
            return {**self._head(self.recorded.event.name), **msgspec.to_builtins(self.recorded.event)}
        return {**self._head(self.recorded.event.name), "number": self.number}

    def _event(self) -> dict[str, Any]:
        recorded, found = self.recorded, self._things
        shape = {**self._head(recorded.event.name), **msgspec.to_builtins(recorded.event)}
        if recorded.ticket_id is not None and self.rule in ("ticket", "feedback"):
            shape["number"] = self.number
        if self.rule == "ticket":
            shape["ticket"] = found.tickets[recorded.ticket_id or 0][1]
        if self.rule == "contact":
            shape["contact_id"] = recorded.contact_id
            shape["contact"] = found.contacts.get(recorded.contact_id or 0)
        for field in {"house": _NAMES, "shared": _OWNED}.get(self.rule, _SAYINGS):
            value = getattr(recorded.event, field, None)
            thing = self._thing(field, value) if value is not None else None
            if thing is not None:
                shape[field.removesuffix("_id")] = thing
        if isinstance(recorded.event, OURS):
            shape["deliveries"] = found.deliveries_of.get(recorded.event.message_id, ())
        if isinstance(recorded.event, happened.AgentChanged):
            shape.pop("fields", None)  # that somebody has a new password is nobody else's business
        return shape

    def _thing(self, field: str, id: int) -> Any:
        found = self._things
        match field:
            case "message_id":
                return message_answer(found.messages[id], found.files.get(id, ())) if id in found.messages else None
            case "note_id":
                return found.notes.get(id)
            case "delivery_id":
                return found.deliveries.get(id)
            case "feedback_id":
                return found.feedback.get(id)
            case "canned_id":
                return found.canned[id][1] if id in found.canned else None
            case "view_id":
                return found.views[id][1] if id in found.views else None
            case "contact_note_id":
                return found.contact_notes.get(id)
            case "own_field_id":
                return found.own_fields.get(id)
            case "agent_id":
                return found.names.agents.get(id)
            case "team_id":
                return found.names.teams.get(id)
            case "inbox_id":
                return found.names.inboxes.get(id)
            case _:
                return found.names.tags.get(id)

    def _entered(self) -> dict[str, Any]:
        ticket = self._things.tickets[self.recorded.ticket_id or 0][1]
        because = self.recorded.event.name
        return {**self._head("ticket.entered"), "because": because, "number": ticket.number, "ticket": ticket}

    def _left(self) -> dict[str, Any]:
        return {**self._head("ticket.left"), "because": self.recorded.event.name, "number": self.number}

    def _visitor(self) -> dict[str, Any]:
        head = self._head(self.recorded.event.name)
        head["by"] = {"kind": self.recorded.by.kind}
        if isinstance(self.recorded.event, SAYINGS):
            head["message"] = self._things.said[self.recorded.event.message_id][1]
        else:
            head["ticket"] = self._things.chats[self.recorded.ticket_id or 0]
        return head


_PERMISSIONS: Final[dict[Rule, str]] = {
    "ticket": TICKETS,
    "contact": CONTACTS,
    "feedback": FEEDBACK,
    "shared": TICKETS,
}
