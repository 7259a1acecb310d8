"""Every event as a typed value: what happened, past tense, noun first.

An event's own fields are its payload: ids and changed scalars, never what people wrote (the text stays in `message`,
so that erasing a person erases it everywhere). Who, when, about which ticket and within which scope are columns of
the event table and stand in `Recorded`.
"""

from typing import Any, ClassVar, Literal

import msgspec

ActorKind = Literal["agent", "bot", "contact", "system"]


class Actor(msgspec.Struct, frozen=True):
    kind: ActorKind
    id: int = 0


SYSTEM = Actor("system")


class Scope(msgspec.Struct, frozen=True):
    """What access is judged on. `None` stands for "not set" (nobody assigned, no team)."""

    inbox_id: int | None = None
    team_id: int | None = None
    assignee_id: int | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all events; subclasses set `name` and declare their payload."""

    name: ClassVar[str] = ""


class Recorded(msgspec.Struct, frozen=True):
    """An event as it stands in the table."""

    id: int
    at: int
    event: Event
    by: Actor
    ticket_id: int | None
    contact_id: int | None
    before: Scope | None
    after: Scope | None


class Told(msgspec.Struct, frozen=True):
    """Said once to the connected clients of one agent or visitor, and no event: what it is about is stored, and comes
    again when they come in anew. `frame`: as docs/protocol.md has it. `needs`: what a connection may, to be told: one
    opened with an API token may less than its agent."""

    to: Literal["agent", "visitor"]
    id: int
    frame: dict[str, Any]
    needs: str = ""


# --- tickets -----------------------------------------------------------------------------------------------------


class TicketOpened(Event, frozen=True, kw_only=True):
    name = "ticket.opened"
    inbox_id: int
    number: int


class TicketAssigned(Event, frozen=True, kw_only=True):
    """`to` is the agent now responsible; None: put back."""

    name = "ticket.assigned"
    to: int | None
    was: int | None
    how: Literal["assigned", "claimed", "handed_over", "unassigned", "routed", "drained"]


class TicketMoved(Event, frozen=True, kw_only=True):
    """To another team."""

    name = "ticket.moved"
    team_id: int | None
    was: int | None


class TicketOffered(Event, frozen=True, kw_only=True):
    name = "ticket.offered"
    to: int
    until: int


class TicketOfferEnded(Event, frozen=True, kw_only=True):
    name = "ticket.offer_ended"
    to: int
    why: Literal["accepted", "declined", "timed_out", "gone", "withdrawn"]


class TicketResolved(Event, frozen=True, kw_only=True):
    name = "ticket.resolved"
    was: str


class TicketReopened(Event, frozen=True, kw_only=True):
    name = "ticket.reopened"
    was: str
    because: Literal["agent", "message", "feedback", "snooze_over", "merge"]


class TicketSnoozed(Event, frozen=True, kw_only=True):
    name = "ticket.snoozed"
    was: str
    until: int | None


class TicketPending(Event, frozen=True, kw_only=True):
    """It is the contact's turn."""

    name = "ticket.pending"
    was: str


class TicketPriorityChanged(Event, frozen=True, kw_only=True):
    name = "ticket.priority_changed"
    priority: str
    was: str


class TicketSubjectChanged(Event, frozen=True, kw_only=True):
    name = "ticket.subject_changed"


class TicketMarkedSpam(Event, frozen=True, kw_only=True):
    name = "ticket.marked_spam"
    spam: bool


class TicketMerged(Event, frozen=True, kw_only=True):
    """It is part of another ticket now, whose number is `into`. `visitor_id`: whose browser goes on there."""

    name = "ticket.merged"
    into: int
    visitor_id: int | None = None


class TicketJoined(Event, frozen=True, kw_only=True):
    """The other side of it: the ticket of that number is part of this one now."""

    name = "ticket.joined"
    joined: int


class TicketUnmerged(Event, frozen=True, kw_only=True):
    """It is a ticket of its own again."""

    name = "ticket.unmerged"
    out_of: int
    visitor_id: int | None = None


class TicketSplit(Event, frozen=True, kw_only=True):
    """It was made of the later part of another."""

    name = "ticket.split"
    out_of: int
    visitor_id: int | None = None


class TicketParted(Event, frozen=True, kw_only=True):
    """Something of this ticket is in the one of that number now."""

    name = "ticket.parted"
    parted: int


class TicketGathered(Event, frozen=True, kw_only=True):
    """Of a long merge or split some more is where it belongs; so much is still on its way."""

    name = "ticket.gathered"
    left: int


class TicketFollowed(Event, frozen=True, kw_only=True):
    name = "ticket.followed"
    agent_id: int


class TicketUnfollowed(Event, frozen=True, kw_only=True):
    name = "ticket.unfollowed"
    agent_id: int


class TicketTagged(Event, frozen=True, kw_only=True):
    name = "ticket.tagged"
    tag_id: int


class TicketUntagged(Event, frozen=True, kw_only=True):
    name = "ticket.untagged"
    tag_id: int


class ReplyWarned(Event, frozen=True, kw_only=True):
    """An answer is due soon."""

    name = "reply.warned"
    kind: Literal["first", "next"]
    due_at: int


class ReplyBreached(Event, frozen=True, kw_only=True):
    """An answer is late."""

    name = "reply.breached"
    kind: Literal["first", "next"]
    due_at: int


class ReplyDueChanged(Event, frozen=True, kw_only=True):
    """Targets or business hours were changed, and with them the time by which an answer is due."""

    name = "reply.due_changed"


class TicketRemoved(Event, frozen=True, kw_only=True):
    """It is not there any longer, nor what was said in it."""

    name = "ticket.removed"
    number: int


class TicketHandedOff(Event, frozen=True, kw_only=True):
    """The handler changed: bot to agent, or back by setting."""

    name = "ticket.handed_off"
    to: Literal["bot", "agent"]


# --- messages, notes, deliveries ---------------------------------------------------------------------------------


class MessageReceived(Event, frozen=True, kw_only=True):
    name = "message.received"
    message_id: int
    inbox_id: int
    automatic: bool = False  # a machine's answer within a ticket: nobody waits because of it


class MessageSent(Event, frozen=True, kw_only=True):
    """Said by us and stored; how it travels stands in the deliveries."""

    name = "message.sent"
    message_id: int
    inbox_id: int
    aside: bool = False  # no answer to the contact: the desk's acknowledgement, or a letter that was forwarded


class MessagePlanned(Event, frozen=True, kw_only=True):
    """Written by us and stored, to be said later: `message.sent` tells when it is, `delivery.cancelled` that it never
    will be."""

    name = "message.planned"
    message_id: int
    inbox_id: int


class MessageCopied(Event, frozen=True, kw_only=True):
    """What was said goes to the contact once more by mail. It is an answer to nobody."""

    name = "message.copied"
    message_id: int
    inbox_id: int


class MessageEdited(Event, frozen=True, kw_only=True):
    name = "message.edited"
    message_id: int


class MessageDeleted(Event, frozen=True, kw_only=True):
    name = "message.deleted"
    message_id: int


class MessageFilesChanged(Event, frozen=True, kw_only=True):
    """One of its files came, could not be had, went, or is called or shown otherwise now."""

    name = "message.files_changed"
    message_id: int


class NoteWritten(Event, frozen=True, kw_only=True):
    name = "note.written"
    note_id: int


class NoteFilesChanged(Event, frozen=True, kw_only=True):
    name = "note.files_changed"
    note_id: int


class AgentMentioned(Event, frozen=True, kw_only=True):
    """A note calls them; about its ticket, so told to whoever may see that."""

    name = "agent.mentioned"
    agent_id: int
    note_id: int


class DeliveryChanged(Event, frozen=True, kw_only=True):
    """Any step of a delivery but the last three, which have names of their own."""

    name = "delivery.changed"
    delivery_id: int
    message_id: int
    state: str
    was: str


class DeliveryMoved(Event, frozen=True, kw_only=True):
    """It leaves at another time."""

    name = "delivery.moved"
    delivery_id: int
    message_id: int


class DeliveryFailed(Event, frozen=True, kw_only=True):
    name = "delivery.failed"
    delivery_id: int
    message_id: int


class DeliveryUnknown(Event, frozen=True, kw_only=True):
    """It may have arrived: nobody can tell. A person decides whether to send again."""

    name = "delivery.unknown"
    delivery_id: int
    message_id: int


class DeliveryCancelled(Event, frozen=True, kw_only=True):
    name = "delivery.cancelled"
    delivery_id: int
    message_id: int


# --- people ------------------------------------------------------------------------------------------------------


class ContactCreated(Event, frozen=True, kw_only=True):
    name = "contact.created"


class ContactChanged(Event, frozen=True, kw_only=True):
    name = "contact.changed"
    fields: tuple[str, ...] = ()


class ContactPointAdded(Event, frozen=True, kw_only=True):
    name = "contact_point.added"
    point_id: int
    sureness: str


class ContactPointRemoved(Event, frozen=True, kw_only=True):
    name = "contact_point.removed"
    point_id: int


class ContactTagged(Event, frozen=True, kw_only=True):
    name = "contact.tagged"
    tag_id: int


class ContactUntagged(Event, frozen=True, kw_only=True):
    name = "contact.untagged"
    tag_id: int


class ContactNoteWritten(Event, frozen=True, kw_only=True):
    """Said among agents about a contact, whatever the ticket."""

    name = "contact_note.written"
    contact_note_id: int


class ContactNoteChanged(Event, frozen=True, kw_only=True):
    name = "contact_note.changed"
    contact_note_id: int


class ContactNoteDeleted(Event, frozen=True, kw_only=True):
    name = "contact_note.deleted"
    contact_note_id: int


class ConsentGiven(Event, frozen=True, kw_only=True):
    name = "consent.given"
    point_id: int
    purpose: str


class ConsentRefused(Event, frozen=True, kw_only=True):
    name = "consent.refused"
    point_id: int
    purpose: str


class VisitorIdentified(Event, frozen=True, kw_only=True):
    """Their site has signed who they are."""

    name = "visitor.identified"
    visitor_id: int


class VisitorForgotten(Event, frozen=True, kw_only=True):
    """They had this device forget them: its token opens nothing any longer."""

    name = "visitor.forgotten"
    visitor_id: int


class VisitorReplaced(Event, frozen=True, kw_only=True):
    """Somebody else has signed in in their browser: its token opens nothing any longer."""

    name = "visitor.replaced"
    visitor_id: int


class VisitorStartedAnew(Event, frozen=True, kw_only=True):
    """What they say next is another matter."""

    name = "visitor.started_anew"
    visitor_id: int


class VisitorChanged(Event, frozen=True, kw_only=True):
    """They left a name, an address or their consent."""

    name = "visitor.changed"
    visitor_id: int


class CompanyCreated(Event, frozen=True, kw_only=True):
    name = "company.created"
    company_id: int


# --- staff -------------------------------------------------------------------------------------------------------


class AgentCreated(Event, frozen=True, kw_only=True):
    name = "agent.created"
    agent_id: int


class AgentChanged(Event, frozen=True, kw_only=True):
    name = "agent.changed"
    agent_id: int
    fields: tuple[str, ...] = ()


class AgentDisabled(Event, frozen=True, kw_only=True):
    name = "agent.disabled"
    agent_id: int


class AgentEnabled(Event, frozen=True, kw_only=True):
    name = "agent.enabled"
    agent_id: int


class AvailabilityChanged(Event, frozen=True, kw_only=True):
    name = "agent.availability_changed"
    agent_id: int
    availability: str
    was: str
    until: int | None = None
    automatic: bool = False


class AgentLoadChanged(Event, frozen=True, kw_only=True):
    """Tickets came into their hand or left it."""

    name = "agent.load_changed"
    agent_id: int


class PresenceChanged(Event, frozen=True, kw_only=True):
    """A lease began or ran out; who is typing or looking is never an event."""

    name = "agent.presence_changed"
    agent_id: int
    present: bool


class AccessChanged(Event, frozen=True, kw_only=True):
    """Someone's grants are no longer what they were: caches and sockets renew them. None: everybody's."""

    name = "access.changed"
    agent_id: int | None = None


class TeamCreated(Event, frozen=True, kw_only=True):
    name = "team.created"
    team_id: int


class TeamChanged(Event, frozen=True, kw_only=True):
    name = "team.changed"
    team_id: int


class TeamDeleted(Event, frozen=True, kw_only=True):
    """Nobody is in it any longer; its tickets go elsewhere."""

    name = "team.deleted"
    team_id: int


class RoleChanged(Event, frozen=True, kw_only=True):
    name = "role.changed"
    role_id: int


class SignedIn(Event, frozen=True, kw_only=True):
    name = "agent.signed_in"
    agent_id: int


class SignInFailed(Event, frozen=True, kw_only=True):
    """For the audit trail; `agent_id` is None where the address is nobody's."""

    name = "agent.sign_in_failed"
    agent_id: int | None = None


class SignedOut(Event, frozen=True, kw_only=True):
    name = "agent.signed_out"
    agent_id: int


class TokenCreated(Event, frozen=True, kw_only=True):
    name = "api_token.created"
    token_id: int


class TokenRevoked(Event, frozen=True, kw_only=True):
    name = "api_token.revoked"
    token_id: int


# --- inboxes, tags, feedback, the desk itself --------------------------------------------------------------------


class InboxCreated(Event, frozen=True, kw_only=True):
    name = "inbox.created"
    inbox_id: int


class InboxChanged(Event, frozen=True, kw_only=True):
    name = "inbox.changed"
    inbox_id: int
    fields: tuple[str, ...] = ()


class InboxHealthChanged(Event, frozen=True, kw_only=True):
    name = "inbox.health_changed"
    inbox_id: int
    healthy: bool


class SiteSeen(Event, frozen=True, kw_only=True):
    """A site has loaded an inbox's script for the first time; `allowed`: it may."""

    name = "inbox.seen"
    inbox_id: int
    allowed: bool


class TagCreated(Event, frozen=True, kw_only=True):
    name = "tag.created"
    tag_id: int


class TagChanged(Event, frozen=True, kw_only=True):
    """It is called otherwise, or has another colour."""

    name = "tag.changed"
    tag_id: int


class TagMerged(Event, frozen=True, kw_only=True):
    """Whatever bore it bears the other."""

    name = "tag.merged"
    tag_id: int
    into: int


class TagDeleted(Event, frozen=True, kw_only=True):
    """Nothing bears it any longer."""

    name = "tag.deleted"
    tag_id: int


class TagRestored(Event, frozen=True, kw_only=True):
    """It is a tag of its own again, on whatever bore it before it was merged or deleted."""

    name = "tag.restored"
    tag_id: int


class CannedCreated(Event, frozen=True, kw_only=True):
    """Or it is somebody's now who had it not before. The scope says whose it is: an agent's, a team's, everybody's."""

    name = "canned.created"
    canned_id: int


class CannedChanged(Event, frozen=True, kw_only=True):
    name = "canned.changed"
    canned_id: int


class CannedDeleted(Event, frozen=True, kw_only=True):
    name = "canned.deleted"
    canned_id: int


class FieldCreated(Event, frozen=True, kw_only=True):
    """A field of one's own."""

    name = "own_field.created"
    own_field_id: int


class FieldChanged(Event, frozen=True, kw_only=True):
    name = "own_field.changed"
    own_field_id: int


class FieldRemoved(Event, frozen=True, kw_only=True):
    name = "own_field.removed"
    own_field_id: int


class ViewCreated(Event, frozen=True, kw_only=True):
    """A saved view; or it is shared now, or no longer. The scope says whose it is: an agent's, or everybody's."""

    name = "view.created"
    view_id: int


class ViewChanged(Event, frozen=True, kw_only=True):
    name = "view.changed"
    view_id: int


class ViewDeleted(Event, frozen=True, kw_only=True):
    name = "view.deleted"
    view_id: int


class FeedbackRecorded(Event, frozen=True, kw_only=True):
    name = "feedback.recorded"
    feedback_id: int
    kind: str


class FeedbackChanged(Event, frozen=True, kw_only=True):
    name = "feedback.changed"
    feedback_id: int
    fields: tuple[str, ...] = ()


class InboundQuarantined(Event, frozen=True, kw_only=True):
    """Something genuine could not be understood: it is kept and shown, never dropped."""

    name = "inbound.quarantined"
    inbound_id: int
    inbox_id: int


class InboundReleased(Event, frozen=True, kw_only=True):
    name = "inbound.released"
    inbound_id: int
    inbox_id: int


class JobDied(Event, frozen=True, kw_only=True):
    name = "job.died"
    job_id: int
    kind: str


class JobRetried(Event, frozen=True, kw_only=True):
    name = "job.retried"
    job_id: int


class HoursChanged(Event, frozen=True, kw_only=True):
    """Business hours came, went or are otherwise now, or public holidays of theirs became known."""

    name = "hours.changed"
    hours_id: int


class TargetsChanged(Event, frozen=True, kw_only=True):
    """How soon we mean to answer; None: where an inbox has no target of its own."""

    name = "targets.changed"
    inbox_id: int | None = None


class RoutingChanged(Event, frozen=True, kw_only=True):
    """What the whole desk goes by when it offers tickets."""

    name = "desk.routing_changed"


class ReactionFailed(Event, frozen=True, kw_only=True):
    name = "reaction.failed"
    reaction: str
    to: int
    error: str


class Exported(Event, frozen=True, kw_only=True):
    """Somebody took a copy of a list, as it stood before them. For the audit trail."""

    name = "desk.exported"
    what: str


class HealthChecked(Event, frozen=True, kw_only=True):
    """Written by /healthz to prove the path from write to stream; swept by housekeeping."""

    name = "desk.health_checked"


class SetUp(Event, frozen=True, kw_only=True):
    """The first administrator exists."""

    name = "desk.set_up"


class SampleLoaded(Event, frozen=True, kw_only=True):
    """Two weeks of a made-up desk are there."""

    name = "sample.loaded"


class SampleCleared(Event, frozen=True, kw_only=True):
    """They are gone again."""

    name = "sample.cleared"


class DeliveriesUnended(Event, frozen=True, kw_only=True):
    """Of so many messages nobody knows for more than a day what became of them."""

    name = "desk.deliveries_unended"
    number: int


class OwnMailChanged(Event, frozen=True, kw_only=True):
    """Through which inbox the desk writes mail of its own."""

    name = "desk.own_mail_changed"


class DeskNamed(Event, frozen=True, kw_only=True):
    """The organisation has another name; the setting tells which."""

    name = "desk.named"


def _all(cls: type[Event]) -> list[type[Event]]:
    return [c for sub in cls.__subclasses__() for c in (sub, *_all(sub))]


BY_NAME: dict[str, type[Event]] = {c.name: c for c in _all(Event)}
_decoders = {name: msgspec.json.Decoder(c) for name, c in BY_NAME.items()}


def decode(name: str, payload: str) -> Event:
    """The typed event behind a stored row. Raises KeyError for a name this version does not know."""
    return _decoders[name].decode(payload)
