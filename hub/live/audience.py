"""Who gets to hear of which event. The one table of it; hub.live.sessions asks, tests/live/test_audience.py reads it.

About a ticket: who may see the ticket, by its scope before and after. About a contact: who may see the contact, that
is, one of their tickets as they stand now; one without any is everybody's. About feedback: who may see its ticket or
inbox. About what is one agent's, a team's or everybody's (canned responses, views): they. All else is about the house:
everybody, or those with a permission, or nobody.
"""

from typing import Final, Literal

import msgspec

from hub import events
from hub.events import Event, Scope
from hub.staff.access import Grants

Rule = Literal["ticket", "contact", "feedback", "shared", "house", "nobody"]

TICKETS: Final = "tickets.read"
CONTACTS: Final = "contacts.read"
FEEDBACK: Final = "feedback.read"
STAFF: Final = "agents.manage"
MACHINERY: Final = "desk.manage"
EVERYBODY: Final = ""

HOUSE: Final[dict[type[Event], str]] = {
    **dict.fromkeys(
        (
            events.AgentCreated,
            events.AgentChanged,
            events.AgentDisabled,
            events.AgentEnabled,
            events.AvailabilityChanged,
            events.AgentLoadChanged,
            events.PresenceChanged,
            events.TeamCreated,
            events.TeamChanged,
            events.TeamDeleted,
            events.InboxCreated,
            events.InboxChanged,
            events.InboxHealthChanged,
            events.SiteSeen,
            events.TagCreated,
            events.TagChanged,
            events.TagMerged,
            events.TagDeleted,
            events.TagRestored,
            events.CompanyCreated,
            events.FieldCreated,
            events.FieldChanged,
            events.FieldRemoved,
            events.HoursChanged,
            events.TargetsChanged,
        ),
        EVERYBODY,
    ),
    **dict.fromkeys(
        (
            events.SignedIn,
            events.SignedOut,
            events.SignInFailed,
            events.TokenCreated,
            events.TokenRevoked,
            events.RoleChanged,
            events.SetUp,
            events.Exported,
            events.DeskNamed,
            events.SampleLoaded,
            events.SampleCleared,
        ),
        STAFF,
    ),
    **dict.fromkeys(
        (
            events.JobDied,
            events.JobRetried,
            events.InboundQuarantined,
            events.InboundReleased,
            events.ReactionFailed,
            events.RoutingChanged,
            events.DeliveriesUnended,
            events.OwnMailChanged,
        ),
        MACHINERY,
    ),
}
# Caches and sockets of ours act on the first, the second proves that we are alive, the rest is for hub.live.keeping.
NOBODY: Final = (
    events.AccessChanged,
    events.HealthChecked,
    events.VisitorChanged,
    events.VisitorReplaced,
    events.VisitorStartedAnew,
)
_CONTACT: Final = ("contact.", "contact_point.", "contact_note.", "consent.", "visitor.")
_FEEDBACK: Final = "feedback."
_SHARED: Final = ("canned.", "view.")
_TICKET: Final = ("ticket.", "reply.", "message.", "note.", "delivery.")
_RELEVANT: Final = frozenset((TICKETS, CONTACTS, FEEDBACK, STAFF, MACHINERY))


def rule_of(kind: type[Event]) -> Rule:
    if kind in HOUSE:
        return "house"
    if kind in NOBODY:
        return "nobody"
    if kind.name.startswith(_CONTACT):
        return "contact"
    if kind.name.startswith(_FEEDBACK):
        return "feedback"
    if kind.name.startswith(_SHARED):
        return "shared"
    if kind is events.AgentMentioned:
        return "ticket"
    return "ticket" if kind.name.startswith(_TICKET) else "nobody"


class Sight(msgspec.Struct, frozen=True):
    """What decides which events one hears, but for "assigned to me": agents with an equal one are judged together."""

    everything: bool
    inboxes: frozenset[int]
    teams: frozenset[int]
    permissions: frozenset[str]


def sight_of(grants: Grants) -> Sight:
    return Sight(grants.everything, grants.inboxes, grants.teams, grants.permissions & _RELEVANT)


def shares(sight: Sight, scope: Scope, agent_id: int) -> bool:
    """For what is an agent's own, a team's or everybody's, by the scope that says whose."""
    if scope.assignee_id is not None:
        return scope.assignee_id == agent_id
    return scope.team_id is None or sight.everything or scope.team_id in sight.teams


def sees(sight: Sight, scope: Scope | None, agent_id: int) -> bool:
    """`hub.staff.access.may`, with None for what does not exist. `agent_id` 0: nobody in particular."""
    return scope is not None and (
        sight.everything
        or scope.inbox_id in sight.inboxes
        or scope.team_id in sight.teams
        or (scope.assignee_id is not None and scope.assignee_id == agent_id)
    )
