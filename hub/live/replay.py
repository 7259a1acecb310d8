"""What a client is brought up to date with, each from one read transaction: what came after its cursor, or a snapshot.

Whoever it is and what they may is read in the same transaction, so that nothing is judged by rights of another time.
"""

import contextlib
from collections.abc import Iterable
from typing import Final

import msgspec

from hub.commands import own
from hub.commands.answers import TicketAnswer, ticket_answer
from hub.db.tx import Rx
from hub.desk import at_once, canned, counts, drafts, reading, saved_views, tags, visitors
from hub.desk.visitors import Visitor
from hub.errors import Refusal
from hub.events import AccessChanged, Recorded, TicketJoined, TicketMerged, TicketSplit, TicketUnmerged
from hub.live import stream
from hub.live.audience import TICKETS
from hub.live.hydrate import Things, things
from hub.live.protocol import REPLAY, Why
from hub.staff import live_tickets
from hub.staff.access import Caller
from hub.staff.live_tickets import Credential

TICKETS_SHOWN: Final = 500
_RENUMBERS: Final = (TicketJoined, TicketMerged, TicketUnmerged, TicketSplit)
VISITORS_REPLAY: Final = 200  # events of a visitor's own; beyond that the newest page of messages is less to send


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """What is an agent's own about the tickets of their snapshot. `reads`: number → up to which message."""

    reads: dict[str, int]
    drafts: list[drafts.Begun]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's snapshot: what is not resolved and no spam, newest words first, and the names of all there is."""

    tickets: list[TicketAnswer]
    more: bool  # there are more than these
    reads: dict[str, int]
    drafts: list[drafts.Begun]
    counts: counts.Counts
    canned: list[canned.Canned]
    views: list[saved_views.View]
    agents: list[at_once.Colleague]
    teams: list[at_once.TeamName]
    inboxes: list[at_once.InboxName]
    tags: list[at_once.TagName]


class VisitorJoined(msgspec.Struct, kw_only=True):
    """The same for a visitor."""

    upto: int
    required: Why | None = None
    state: visitors.State | None = None
    read: tuple[int, int] | None = None  # up to which message of theirs, in which ticket, somebody here has read
    events: list[Recorded] = []
    things: Things | None = None
    standing: visitors.Standing | None = None


class Joined(msgspec.Struct, kw_only=True):
    """`caller` None: what they came with is over; `state` or `events` with their `things`, unless `required`."""

    caller: Caller | None
    me: own.MeAnswer | None = None
    upto: int = 0
    required: Why | None = None
    state: State | None = None
    own: Own | None = None
    events: list[Recorded] = []
    things: Things | None = None


def agent(rx: Rx, credential: Credential, cursor: int | None) -> Joined | None:
    """For an agent; None: they are disabled."""
    found = live_tickets.callers(rx, (credential,))
    if credential not in found:
        return None
    caller = found[credential]
    if caller is None:
        return Joined(caller=None)
    joined = Joined(caller=caller, me=own.me(rx, caller), upto=stream.last_event(rx))
    if cursor is None:
        joined.state = snapshot(rx, caller)
    elif cursor > joined.upto:
        joined.required = "unknown_cursor"
    else:
        joined.events, _, more = stream.events_after(rx, cursor, REPLAY + 1)
        if more or len(joined.events) > REPLAY:
            joined.required, joined.events = "too_far_behind", []
        elif any(_changes_rights(r, caller.grants.agent_id) for r in joined.events):
            joined.required, joined.events = "rights_changed", []
        else:
            joined.things = things(rx, joined.events)
            if TICKETS in caller.grants.permissions:
                joined.own = _own(rx, caller, at_once.open_ids(rx, caller, TICKETS_SHOWN))
    return joined


def _own(rx: Rx, caller: Caller, ticket_ids: list[int]) -> Own:
    if TICKETS not in caller.grants.permissions:
        return Own(reads={}, drafts=[])
    return Own(
        reads=reading.of_agent(rx, caller.grants.agent_id, ticket_ids),
        drafts=drafts.begun(rx, caller),
    )


def visitor(rx: Rx, visitor: Visitor, cursor: int | None) -> VisitorJoined | None:
    """For a visitor; None: the device has forgotten them, or another has taken their place."""
    try:
        current = visitors.must(rx, visitor.id)
    except Refusal:
        return None
    joined = VisitorJoined(upto=stream.last_event(rx))
    if cursor is None:
        joined.state = visitors.state(rx, current)
    elif cursor > joined.upto:
        joined.required = "unknown_cursor"
    else:
        joined.events, more = stream.events_of_visitor(rx, visitor.id, cursor, VISITORS_REPLAY)
        if more:
            joined.required, joined.events = "too_far_behind", []
        elif any(isinstance(recorded.event, _RENUMBERS) for recorded in joined.events):
            joined.required, joined.events = "rights_changed", []  # what they hold stands under another number now
        else:
            joined.things = things(rx, joined.events, connected=(visitor.id,))
            joined.read = visitors.read_upto(rx, current)
            joined.standing = visitors.standing(rx, current)
    return joined


def standings(rx: Rx, some: Iterable[Visitor]) -> tuple[int, dict[int, visitors.Standing]]:
    """(the last event that is surely in it, how things stand for each who is not forgotten)."""
    upto = stream.last_event(rx)
    found: dict[int, visitors.Standing] = {}
    for one in some:
        with contextlib.suppress(Refusal):
            found[one.id] = visitors.standing(rx, one)
    return upto, found


def _changes_rights(recorded: Recorded, agent_id: int) -> bool:
    return isinstance(recorded.event, AccessChanged) and recorded.event.agent_id in (None, agent_id)


def snapshot(rx: Rx, caller: Caller) -> State:
    listed, more = [], False  # type: ignore[var-annotated]
    if TICKETS in caller.grants.permissions:
        listed, more = at_once.open_tickets(rx, caller, TICKETS_SHOWN)
    ids = [one.ticket.id for one in listed]
    tagged = tags.of_tickets(rx, ids)
    names = at_once.all_names(rx)
    own = _own(rx, caller, ids)
    return State(
        tickets=[ticket_answer(o.ticket, o.contact_name, tagged.get(o.ticket.id, ()), o) for o in listed],
        more=more,
        reads=own.reads,
        drafts=own.drafts,
        canned=canned.listed(rx, caller) if TICKETS in caller.grants.permissions else [],
        views=saved_views.listed(rx, caller) if TICKETS in caller.grants.permissions else [],
        counts=counts.of(rx, caller) if TICKETS in caller.grants.permissions else counts.NONE,
        agents=list(names.agents.values()),
        teams=list(names.teams.values()),
        inboxes=list(names.inboxes.values()),
        tags=list(names.tags.values()),
    )
