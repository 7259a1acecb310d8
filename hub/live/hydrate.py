"""Events with the things they are about, as clients get them: one read for a batch, one encoding for each form.

A thing is shown as it stands when it is read, at the event or later: of two versions the later frame has the newer.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from hub import events as happened
from hub.commands.answers import TicketAnswer, ticket_answer
from hub.commands.tickets import MessageAnswer
from hub.db.tx import Rx
from hub.desk import at_once
from hub.desk.at_once import Names
from hub.desk.contact_lists import ContactRow
from hub.desk.lists import Delivered, Noted, Said
from hub.desk.ticket import Ticket
from hub.events import Recorded, Scope
from hub.feedback import records
from hub.feedback.records import Feedback
from hub.live.audience import CONTACTS, FEEDBACK, HOUSE, TICKETS, Rule, Sight, rule_of, sees
from hub.live.protocol import Frame, encode

# What a visitor hears of about the ticket that is theirs.
FOR_VISITORS: Final = (
    happened.MessageReceived,
    happened.MessageSent,
    happened.MessageEdited,
    happened.MessageDeleted,
    happened.TicketAssigned,
    happened.TicketResolved,
    happened.TicketReopened,
    happened.TicketHandedOff,
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


def things(rx: Rx, batch: Sequence[Recorded], *, for_visitors: bool = False) -> Things:
    """A handful of statements, whatever is in the batch; none for kinds of things that are not."""
    asked: dict[str, set[int]] = {name: set() for name in ("ticket", "contact", *_FIELDS)}
    for recorded in batch:
        rule = rule_of(type(recorded.event))
        if rule in ("ticket", "feedback") and recorded.ticket_id is not None:
            asked["ticket"].add(recorded.ticket_id)
        elif rule == "contact" and recorded.contact_id is not None:
            asked["contact"].add(recorded.contact_id)
        if rule != "nobody":
            for field in _FIELDS if rule == "house" else _SAYINGS:
                value = getattr(recorded.event, field, None)
                if value is not None:
                    asked[field].add(value)
    listed = at_once.tickets(rx, asked["ticket"])
    tagged = at_once.tags_of(rx, listed)
    messages = at_once.messages(rx, asked["message_id"])
    if for_visitors:
        asked["agent_id"] |= {m.author_id for m in messages.values() if m.author_kind == "agent"}
        asked["agent_id"] |= {one.ticket.assignee_id for one in listed.values() if one.ticket.assignee_id is not None}
    return Things(
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
    )


_SAYINGS: Final = ("message_id", "note_id", "delivery_id", "feedback_id")
_NAMES: Final = ("agent_id", "team_id", "inbox_id", "tag_id")  # of these the house's own events tell
_FIELDS: Final = (*_SAYINGS, *_NAMES)


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

    def for_visitor(self, inbox_id: int) -> Frame | None:
        if not isinstance(self.recorded.event, FOR_VISITORS):
            return None
        message = self._message()
        if message is not None and message.inbox_id != inbox_id:
            return None  # said elsewhere: not what was written in this browser
        return self._form("visitor")

    def _form(self, name: str) -> Frame:
        found = self._forms.get(name)
        if found is None:
            found = self._forms[name] = Frame(encode(getattr(self, f"_{name}")()))
        return found

    # --- the forms -----------------------------------------------------------------------------------------------

    def _head(self, name: str) -> dict[str, Any]:
        recorded = self.recorded
        return {"type": "event", "id": recorded.id, "name": name, "at": recorded.at, "by": recorded.by}

    def _number(self) -> int | None:
        ticket = self._things.tickets.get(self.recorded.ticket_id or 0)
        return ticket[1].number if ticket is not None else None

    def _bare(self) -> dict[str, Any]:
        return {**self._head(self.recorded.event.name), "number": self._number()}

    def _event(self) -> dict[str, Any]:
        recorded, found = self.recorded, self._things
        shape = {**self._head(recorded.event.name), **msgspec.to_builtins(recorded.event)}
        if recorded.ticket_id is not None and self.rule in ("ticket", "feedback"):
            shape["number"] = self._number()
        if self.rule == "ticket":
            shape["ticket"] = found.tickets[recorded.ticket_id or 0][1]
        if self.rule == "contact":
            shape["contact_id"] = recorded.contact_id
            shape["contact"] = found.contacts.get(recorded.contact_id or 0)
        for field in _NAMES if self.rule == "house" else _SAYINGS:
            value = getattr(recorded.event, field, None)
            thing = self._thing(field, value) if value is not None else None
            if thing is not None:
                shape[field.removesuffix("_id")] = thing
        if isinstance(recorded.event, happened.AgentChanged):
            shape.pop("fields", None)  # that somebody has a new password is nobody else's business
        return shape

    def _thing(self, field: str, id: int) -> Any:
        found = self._things
        match field:
            case "message_id":
                return message_answer(found.messages[id]) if id in found.messages else None
            case "note_id":
                return found.notes.get(id)
            case "delivery_id":
                return found.deliveries.get(id)
            case "feedback_id":
                return found.feedback.get(id)
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
        return {**self._head("ticket.left"), "because": self.recorded.event.name, "number": self._number()}

    def _message(self) -> Said | None:
        return self._things.messages.get(getattr(self.recorded.event, "message_id", 0))

    def _visitor(self) -> dict[str, Any]:
        head = self._head(self.recorded.event.name)
        head["by"] = {"kind": self.recorded.by.kind}
        ticket, agents = self._things.tickets.get(self.recorded.ticket_id or 0), self._things.names.agents
        if ticket is not None:
            agent = agents.get(ticket[0].assignee_id or 0)
            name = first_name(agent.name) if agent is not None else None
            head["ticket"] = {"number": ticket[0].number, "status": ticket[0].status, "agent": name}
        message = self._message()
        if message is not None:
            author = agents.get(message.author_id) if message.author_kind == "agent" else None
            head["message"] = visitor_message(message, author.name if author is not None else None)
        return head


_PERMISSIONS: Final[dict[Rule, str]] = {"ticket": TICKETS, "contact": CONTACTS, "feedback": FEEDBACK}


def message_answer(said: Said) -> MessageAnswer:
    fields = msgspec.structs.asdict(said)
    fields.pop("html")
    fields["details"] = msgspec.json.decode(said.details) if said.details else {}
    return MessageAnswer(**fields)


def first_name(name: str) -> str:
    """What strangers are told of a colleague."""
    return name.split()[0] if name.split() else name


def visitor_message(said: Said, agent: str | None) -> dict[str, Any]:
    """A message as the visitor sees it: nothing of the desk but a first name."""
    return {
        "id": said.id,
        "direction": said.direction,
        "author": {"kind": said.author_kind, "name": first_name(agent) if agent else None},
        "text": said.text,
        "created_at": said.created_at,
        "edited_at": said.edited_at,
        "deleted_at": said.deleted_at,
    }
