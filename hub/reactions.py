"""What follows from what: the two tables. `app` hands them to the store; `Tx.record` runs them.

State (reopen, handler, waiting since, routing) is written inline, our code only. A consequence only writes a job. Each
fails by itself: one that raises is undone alone and recorded as `reaction.failed`.
"""

from collections.abc import Callable, Mapping, Sequence

from hub.db.tx import Tx
from hub.desk import drafts, following, reading, routing
from hub.events import (
    AccessChanged,
    AgentChanged,
    AgentDisabled,
    AgentEnabled,
    AvailabilityChanged,
    Event,
    MessageReceived,
    MessageSent,
    PresenceChanged,
    Recorded,
    TicketAssigned,
    TicketHandedOff,
    TicketMarkedSpam,
    TicketMoved,
    TicketOfferEnded,
    TicketPending,
    TicketReopened,
    TicketResolved,
    TicketSnoozed,
)

Reaction = Callable[[Tx, Recorded], None]

STATE: Mapping[type[Event], Sequence[Reaction]] = {
    MessageReceived: (following.contact_spoke, routing.route),
    MessageSent: (following.we_spoke,),
    TicketReopened: (reading.tell_again, drafts.tell_again, routing.route),
    TicketHandedOff: (routing.route,),
    TicketMoved: (reading.tell_again, drafts.tell_again, routing.route),
    TicketMarkedSpam: (reading.tell_again, drafts.tell_again, routing.route, routing.drain),
    TicketAssigned: (reading.tell_again, drafts.tell_again, routing.route, routing.drain),
    TicketOfferEnded: (routing.drain,),
    TicketResolved: (routing.drain,),
    TicketPending: (routing.drain,),
    TicketSnoozed: (routing.drain,),
    AvailabilityChanged: (routing.drain,),
    PresenceChanged: (routing.drain,),
    AgentChanged: (routing.drain,),
    AgentEnabled: (routing.drain,),
    AgentDisabled: (routing.drain,),
    AccessChanged: (routing.drain,),
}

# Rules, bots, surveys, notifications, webhooks, alarms: none yet, the doors that write their jobs come with them.
CONSEQUENCE: Mapping[type[Event], Sequence[Reaction]] = {}


class Reactions:
    state = STATE
    consequence = CONSEQUENCE


REACTIONS = Reactions()
