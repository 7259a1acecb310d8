"""A small desk on which everything that routing has to do with can be made to happen, and what must hold whatever did.

All of a history is one transaction that is rolled back at its end, so the next one begins with the same desk. Used by
`histories`, which has hypothesis make up what happens.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from hub.clock import MINUTE
from hub.connector import Connector, Features, Message, Point, Sender
from hub.db import lanes
from hub.db.backend import Session
from hub.db.tx import Tx
from hub.desk import assignment, inboxes, incoming, kinds, presence, queue, replies, reply_clock, routing, tickets
from hub.desk import ticket as gate
from hub.desk.inboxes import Inbox
from hub.desk.ticket import Ticket
from hub.errors import Refusal
from hub.events import Actor, TicketOffered
from hub.reactions import REACTIONS
from hub.staff import access, agents, roles, teams
from hub.staff.access import DESK, Caller
from hub.work import queue as jobs

START: Final = 1_790_000_000_000
NAMES: Final = ("kim", "lea", "max", "nia")
CONTACTS: Final = 6

_DUE = "SELECT MIN(run_at) FROM job WHERE state = 'ready' AND lane = 1 AND run_at <= :until"
_TIMERS: Final = {**routing.TIMERS, **reply_clock.TIMERS}
_TICKETS = "SELECT id FROM ticket ORDER BY id"
_JOBS = "SELECT kind, payload FROM job WHERE state IN ('ready', 'blocked')"
_AGENTS = "SELECT id, load, capacity FROM agent ORDER BY id"
_OFFERED = "SELECT CAST(COALESCE(SUM(weight), 0) AS INTEGER) FROM ticket WHERE offered_to = :id"
_IN_HAND = """
SELECT CAST(COALESCE(SUM(weight), 0) AS INTEGER) FROM ticket
WHERE assignee_id = :id AND status IN ('open', 'pending') AND spam = 0"""
_PASSED = "SELECT 1 FROM offer_passed WHERE ticket_id = :ticket_id AND agent_id = :agent_id"
_FAILED = "SELECT payload FROM event WHERE name = 'reaction.failed'"


class Letters(Connector):
    kind = "bench_letters"
    features = Features(reaches=("email",))

    @dataclasses.dataclass(frozen=True)
    class Settings:
        pass


class Talks(Connector):
    kind = "bench_talks"
    features = Features(live=True)

    @dataclasses.dataclass(frozen=True)
    class Settings:
        pass


class Desk(msgspec.Struct, frozen=True):
    """What is there at the beginning: two teams, an inbox of each and one of both, four agents."""

    teams: tuple[int, ...]
    inboxes: tuple[Inbox, ...]
    agents: tuple[int, ...]


def register() -> None:
    """The made-up channels of these benchmarks."""
    for connector in (Letters, Talks):
        kinds.register(connector.kind, connector.kind, lambda c=connector: c)  # type: ignore[misc]


def furnish(tx: Tx) -> Desk:
    register()
    roles.ensure_built_in(tx)
    team = tuple(teams.create(tx, DESK, name) for name in ("Counter", "Back office"))
    offer = {"routing": "offer", "accept_within": 60, "after_everybody": 60}
    shops = (
        inboxes.create(tx, DESK, kind="bench_letters", name="Letters", team_id=team[0], settings=offer),
        inboxes.create(tx, DESK, kind="bench_letters", name="Back", team_id=team[1], settings=offer),
        inboxes.create(
            tx, DESK, kind="bench_letters", name="Heavy", team_id=team[0], teams=team, settings=offer | {"weight": 2}
        ),
    )
    found = []
    for number, name in enumerate(NAMES):
        role = roles.named(tx, "agent").id
        agent_id = agents.create(
            tx, DESK, email=f"{name}@example.com", name=name, role_id=role, capacity=2 + number % 2
        )
        for one in team if number == 2 else (team[number % 2],):
            teams.add_member(tx, DESK, one, agent_id)
        found.append(agent_id)
    return Desk(team, shops, tuple(found))


class Shift:
    """One history. Every method does one thing, in a unit of its own; what is refused is undone."""

    def __init__(self, session: Session, desk: Desk) -> None:
        self.session, self.desk = session, desk
        self.now = START
        self.number = 0
        self.offers: list[tuple[int, int]] = []  # (ticket, agent) of the last unit
        session.begin(START)

    def over(self) -> None:
        self.session.rollback()

    # --- what may happen -----------------------------------------------------------------------------------------

    def arrives(self, agent: int) -> None:
        agent_id = self.desk.agents[agent]
        self._unit(presence.renew, agent_id, "bench")
        self._unit(presence.set_availability, self._caller(agent), "online")

    def sends(self, agent: int) -> None:
        """Their socket is there, whatever they said of themselves."""
        self._unit(presence.renew, self.desk.agents[agent], "bench")

    def moves(self, agent: int) -> None:
        self._unit(presence.active, self.desk.agents[agent])

    def says(self, agent: int, availability: Any, minutes: int) -> None:
        until = self.now + minutes * MINUTE if minutes and availability != "online" else None
        self._unit(presence.set_availability, self._caller(agent), availability, until=until)

    def hears(self, contact: int, inbox: int) -> None:
        self.number += 1
        message = Message(
            external_id=f"m{self.number}",
            sender=Sender(Point("email", f"p{contact}@example.net"), sureness="attested"),
            text=f"{self.number}",
            new_ticket=self.number % 3 == 0,
        )
        self._unit(incoming.receive, self.desk.inboxes[inbox], message)

    def accepts(self, agent: int) -> None:
        self._offered(agent, routing.accept)

    def declines(self, agent: int) -> None:
        self._offered(agent, routing.decline)

    def answers(self, agent: int, ticket: int) -> None:
        self.number += 1
        self._about(ticket, replies.reply, "Yes.", by=agent, external_id=f"r{self.number}")

    def resolves(self, ticket: int) -> None:
        self._about(ticket, tickets.resolve)

    def reopens(self, ticket: int) -> None:
        self._about(ticket, tickets.reopen)

    def awaits(self, ticket: int) -> None:
        self._about(ticket, tickets.await_contact)

    def snoozes(self, ticket: int, minutes: int) -> None:
        self._about(ticket, tickets.snooze, self.now + minutes * MINUTE if minutes else None)

    def claims(self, agent: int, ticket: int) -> None:
        self._about(ticket, assignment.claim, by=agent)

    def assigns(self, ticket: int, agent: int | None) -> None:
        self._about(ticket, assignment.assign, None if agent is None else self.desk.agents[agent])

    def puts_back(self, agent: int, ticket: int) -> None:
        self._about(ticket, assignment.assign, None, by=agent)

    def moves_team(self, ticket: int, team: int | None) -> None:
        self._about(ticket, assignment.move, None if team is None else self.desk.teams[team])

    def marks(self, ticket: int, spam: bool) -> None:
        self._about(ticket, tickets.mark_spam, spam)

    def ranks(self, ticket: int, priority: Any) -> None:
        self._about(ticket, tickets.set_priority, priority)

    def capacity(self, agent: int, points: int) -> None:
        self._unit(agents.change, DESK, self.desk.agents[agent], capacity=points)

    def joins(self, agent: int, team: int) -> None:
        self._unit(teams.add_member, DESK, self.desk.teams[team], self.desk.agents[agent])

    def leaves(self, agent: int, team: int) -> None:
        self._unit(teams.remove_member, DESK, self.desk.teams[team], self.desk.agents[agent])

    def disabled(self, agent: int) -> None:
        self._unit(agents.disable, DESK, self.desk.agents[agent])

    def enabled(self, agent: int) -> None:
        self._unit(agents.enable, DESK, self.desk.agents[agent])

    def drained(self, agent: int) -> None:
        self._unit(routing.drain_agent, DESK, self.desk.agents[agent])

    def passes(self, ms: int, present: frozenset[int]) -> None:
        """Time goes by; timers run when they are due, and those who are `present` renew their leases."""
        until = self.now + ms
        while True:
            for agent in sorted(present):
                self.sends(agent)
            step = min(self.now + presence.RENEW, until) if present else until
            at = self._tx().value(_DUE, until=step)
            if at is None and step == until:
                break
            self.now = max(self.now, step if at is None else at)
            for job in self._unit(jobs.claim, "bench", lanes.OUTBOUND, 100) or ():
                timer = _TIMERS.get(job.kind, _nothing)
                self._unit(jobs.finish, job, functools.partial(timer, payload=job.payload))
        self.now = until
        for agent in sorted(present):
            self.sends(agent)

    # --- what must hold ------------------------------------------------------------------------------------------

    def wrong(self) -> list[str]:
        """In words; empty: nothing."""
        tx = self._tx()
        found = [f"a reaction failed: {row[0]}" for row in tx.rows(_FAILED)]
        planned = {(kind, payload) for kind, payload in tx.rows(_JOBS)}
        waiting = []
        for (ticket_id,) in tx.rows(_TICKETS):
            ticket = gate.must(tx, ticket_id)
            found += self._of_ticket(tx, ticket, planned)
            if queue.waits(ticket) and ticket.assignee_id is None and ticket.offered_to is None:
                waiting.append(ticket)
        for agent_id, load, capacity in tx.rows(_AGENTS):
            offered, in_hand = tx.value(_OFFERED, id=agent_id), tx.value(_IN_HAND, id=agent_id)
            if load != in_hand:
                found.append(f"agent {agent_id} has {in_hand} in hand and {load} are counted")
            if offered and load + offered > capacity:
                found.append(f"agent {agent_id} has {load} and is offered {offered}, of {capacity}")
        return [*found, *self._passed_over(tx, waiting)]

    def _of_ticket(self, tx: Tx, ticket: Ticket, planned: set[tuple[str, str]]) -> Iterator[str]:
        if ticket.offered_to is not None:
            if not queue.waits(ticket) or ticket.assignee_id is not None:
                yield f"{ticket.number} is offered and does not wait for anybody"
            timer = f'{{"ticket_id":{ticket.id},"offered_until":{ticket.offered_until}}}'
            if (routing.OFFER_TIMEOUT, timer) not in planned:
                yield f"the offer of {ticket.number} never ends"
            grants = access.load(tx, ticket.offered_to)
            if grants is None or not access.may(grants, ticket.scope) or queue.room(tx, ticket.offered_to) is None:
                yield f"{ticket.number} is offered to one who cannot take it"
        elif queue.waits(ticket) and ticket.assignee_id is not None:
            gone = (routing.AGENT_GONE, f'{{"agent_id":{ticket.assignee_id}}}')
            if not queue.is_there(tx, ticket.assignee_id) and gone not in planned:
                yield f"the customer of {ticket.number} waits for one who is gone"
        elif queue.waits(ticket):
            if free := queue.candidates(tx, ticket):
                yield f"{ticket.number} waits while {free} have room"
            again = (routing.OFFER_AGAIN, f'{{"ticket_id":{ticket.id}}}')
            if queue.was_passed(tx, ticket.id) and again not in planned:
                yield f"{ticket.number} was let pass by all and is never offered again"

    def _passed_over(self, tx: Tx, waiting: list[Ticket]) -> Iterator[str]:
        """An offer of the last unit for which one that comes before was left waiting."""
        for ticket_id, agent_id in self.offers:
            offered = gate.must(tx, ticket_id)
            grants = access.load(tx, agent_id)
            if offered.offered_to != agent_id or grants is None:
                continue
            for other in waiting:
                before = (other.urgency, other.waiting_since, other.id)
                if before < (offered.urgency, offered.waiting_since, offered.id) and other.weight <= offered.weight:
                    if access.may(grants, other.scope) and not tx.value(_PASSED, ticket_id=other.id, agent_id=agent_id):
                        yield f"{offered.number} was offered to {agent_id} before {other.number}"

    # --- inside --------------------------------------------------------------------------------------------------

    def _tx(self) -> Tx:
        return Tx(self.session, self.now, REACTIONS)

    def _unit(self, fn: Callable[..., Any], *args: Any, **more: Any) -> Any:
        tx = self._tx()
        done, error = tx.alone(fn, *args, **more)
        self.offers = [
            (r.ticket_id, r.event.to) for r in tx.recorded if isinstance(r.event, TicketOffered) and r.ticket_id
        ]
        if error is not None and not isinstance(error, Refusal):
            raise error
        return done

    def _caller(self, agent: int) -> Caller:
        agent_id = self.desk.agents[agent]
        grants = access.load(self._tx(), agent_id)
        return Caller(
            Actor("agent", agent_id), grants or access.Grants(agent_id, frozenset(), False, frozenset(), frozenset())
        )

    def _about(self, ticket: int, fn: Callable[..., Any], *args: Any, by: int | None = None, **more: Any) -> None:
        known = [row[0] for row in self._tx().rows(_TICKETS)]
        if known:
            number = gate.must(self._tx(), known[ticket % len(known)]).number
            self._unit(fn, DESK if by is None else self._caller(by), number, *args, **more)

    def _offered(self, agent: int, fn: Callable[..., Any]) -> None:
        agent_id = self.desk.agents[agent]
        for (ticket_id,) in self._tx().rows(_TICKETS):
            ticket = gate.must(self._tx(), ticket_id)
            if ticket.offered_to == agent_id:
                self._unit(fn, self._caller(agent), ticket.number)
                return


def _nothing(tx: Tx, payload: Any) -> None:
    pass
