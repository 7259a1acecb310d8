"""What follows from what: the two tables. `app` hands them to the store; `Tx.record` runs them.

State (reopen, handler, waiting since, routing) is written inline, our code only. A consequence only writes a job. Each
runs in a savepoint of its own: one that raises is undone alone and recorded as `reaction.failed`.
"""

from collections.abc import Callable, Mapping, Sequence

from hub.db.tx import Tx
from hub.desk import following, routing
from hub.events import (
    AgentEnabled,
    AvailabilityChanged,
    Event,
    MessageReceived,
    MessageSent,
    PresenceChanged,
    Recorded,
    TicketAssigned,
    TicketMarkedSpam,
    TicketMoved,
    TicketOpened,
    TicketReopened,
    TicketResolved,
)

Reaction = Callable[[Tx, Recorded], None]

STATE: Mapping[type[Event], Sequence[Reaction]] = {
    MessageReceived: (following.contact_spoke,),
    MessageSent: (following.we_spoke,),
    TicketOpened: (routing.route,),
    TicketReopened: (routing.route,),
    TicketMoved: (routing.route,),
    TicketMarkedSpam: (routing.route,),
    TicketAssigned: (routing.route, routing.drain),
    TicketResolved: (routing.drain,),
    AvailabilityChanged: (routing.drain,),
    PresenceChanged: (routing.drain,),
    AgentEnabled: (routing.drain,),
}

# Rules, bots, surveys, notifications, webhooks, alarms: none yet, the doors that write their jobs come with them.
CONSEQUENCE: Mapping[type[Event], Sequence[Reaction]] = {}


class Reactions:
    state = STATE
    consequence = CONSEQUENCE


REACTIONS = Reactions()
