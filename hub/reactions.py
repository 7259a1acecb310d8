"""What follows from what: the two tables. `app` hands them to the store; `Tx.record` runs them.

State (reopen, handler, waiting since, routing) is written inline, our code only. A consequence only writes a job. Each
fails by itself: one that raises is undone alone and recorded as `reaction.failed`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from hub.db.tx import Tx
from hub.desk import drafts, following, notices, planned, reading, replies, reply_clock, routing
from hub.events import (
    AccessChanged,
    AgentChanged,
    AgentDisabled,
    AgentEnabled,
    AgentMentioned,
    AvailabilityChanged,
    ContactPointAdded,
    DeliveryCancelled,
    DeliveryFailed,
    DeliveryUnknown,
    Event,
    HoursChanged,
    InboxChanged,
    InboxCreated,
    MessageReceived,
    MessageSent,
    NoteWritten,
    PresenceChanged,
    Recorded,
    ReplyBreached,
    ReplyWarned,
    TargetsChanged,
    TeamChanged,
    TeamDeleted,
    TicketAssigned,
    TicketHandedOff,
    TicketJoined,
    TicketMarkedSpam,
    TicketMerged,
    TicketMoved,
    TicketOffered,
    TicketOfferEnded,
    TicketOpened,
    TicketParted,
    TicketPending,
    TicketPriorityChanged,
    TicketReopened,
    TicketResolved,
    TicketSnoozed,
    TicketSplit,
    TicketUnmerged,
)
from hub.insight import tally

Reaction = Callable[[Tx, Recorded], None]

STATE: Mapping[type[Event], Sequence[Reaction]] = {
    MessageReceived: (planned.they_wrote_first, following.contact_spoke, reply_clock.follow, routing.route),
    MessageSent: (following.we_spoke, reply_clock.follow, routing.answered, tally.count),
    TicketReopened: (reading.tell_again, drafts.tell_again, reply_clock.follow, routing.route, routing.drain),
    TicketHandedOff: (reply_clock.follow, routing.route),
    TicketMoved: (reading.tell_again, drafts.tell_again, reply_clock.follow, routing.route),
    TicketMarkedSpam: (reading.tell_again, drafts.tell_again, reply_clock.follow, routing.route, routing.drain),
    TicketAssigned: (reading.tell_again, drafts.tell_again, routing.route, routing.drain),
    TicketMerged: (reply_clock.follow, routing.drain),
    TicketJoined: (reply_clock.follow, routing.route, routing.drain),
    TicketUnmerged: (reading.tell_again, drafts.tell_again, reply_clock.follow, routing.route, routing.drain),
    TicketSplit: (reply_clock.follow, routing.route, routing.drain),
    TicketParted: (reply_clock.follow, routing.route, routing.drain),
    TicketOfferEnded: (routing.drain,),
    TicketResolved: (reply_clock.follow, routing.drain, tally.count),
    TicketOpened: (tally.count,),
    ReplyBreached: (tally.count,),
    TicketPending: (reply_clock.follow, routing.drain),
    TicketSnoozed: (reply_clock.follow, routing.drain),
    TicketPriorityChanged: (reply_clock.follow,),
    AvailabilityChanged: (routing.drain,),
    PresenceChanged: (routing.drain,),
    AgentChanged: (routing.drain,),
    AgentEnabled: (routing.drain,),
    AgentDisabled: (routing.drain,),
    AccessChanged: (routing.drain,),
    HoursChanged: (reply_clock.all_anew,),
    TargetsChanged: (reply_clock.all_anew,),
    TeamChanged: (reply_clock.all_anew,),
    TeamDeleted: (reply_clock.all_anew,),
    InboxChanged: (reply_clock.all_anew,),
}

# Rules, bots, surveys, webhooks, alarms: none yet, the doors that write their jobs come with them.
_TOLD: Final = (
    *(MessageReceived, TicketAssigned, TicketOffered, AgentMentioned, NoteWritten, ReplyWarned, ReplyBreached),
    *(DeliveryFailed, DeliveryUnknown, DeliveryCancelled),
)
_WAYS: Final = (InboxCreated, InboxChanged, ContactPointAdded)
CONSEQUENCE: Mapping[type[Event], Sequence[Reaction]] = {
    **dict.fromkeys(_TOLD, (notices.gather,)),
    **dict.fromkeys(_WAYS, (replies.a_way_has_come,)),
}


class Reactions:
    state = STATE
    consequence = CONSEQUENCE


REACTIONS = Reactions()
