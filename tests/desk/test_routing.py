"""Routing: who is offered a waiting ticket, what becomes of the offer, and that nobody who waits is forgotten."""

import asyncio
import dataclasses
import functools
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import HOUR, MINUTE, SECOND, ManualClock
from hub.commands import own
from hub.db import lanes
from hub.db.postgres import PostgresBackend
from hub.db.sqlite import SqliteBackend
from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.desk import assignment, inboxes, presence, queue, replies, reply_clock, routing, routing_settings, tickets
from hub.desk import ticket as gate
from hub.desk.incoming import Received
from hub.desk.ticket import Ticket
from hub.errors import Refusal
from hub.events import Actor
from hub.reactions import REACTIONS
from hub.staff import access, agents, availability, roles, teams
from hub.staff.access import DESK, Caller
from hub.staff.availability import Stand
from hub.work import queue as jobs
from tests.fixtures.office import Office

TIMERS = {**routing.TIMERS, **reply_clock.TIMERS}
JOBS = "SELECT kind, payload, run_at FROM job ORDER BY id"
NEXT = "SELECT MIN(run_at) FROM job WHERE state = 'ready' AND run_at <= :until"


@dataclasses.dataclass
class Counter:
    """The office with an inbox whose tickets are offered, and three agents of its team."""

    office: Office
    clock: ManualClock
    chat: inboxes.Inbox
    team_id: int
    other_team: int
    ids: dict[str, int]

    @property
    def store(self) -> Store:
        return self.office.store

    async def does(self, fn: Callable[..., Any], *args: Any, **more: Any) -> Any:
        return await self.store.write(fn, *args, **more)

    async def caller(self, name: str) -> Caller:
        grants = await self.store.read(access.load, self.ids[name])
        assert grants is not None
        return Caller(Actor("agent", self.ids[name]), grants)

    async def arrives(self, *names: str) -> None:
        for name in names:
            await self.does(presence.renew, self.ids[name], "process 1")
            await self.says(name, "online")

    async def says(self, name: str, availability: Any, **more: Any) -> None:
        await self.does(presence.set_availability, await self.caller(name), availability, **more)

    async def stand(self, name: str) -> Stand:
        return await self.store.read(availability.get, self.ids[name])

    async def sets(self, **settings: Any) -> None:
        """Of the inbox."""
        self.chat = await self.does(inboxes.change, DESK, self.chat.id, settings=settings)

    async def can(self, name: str, **what: Any) -> None:
        await self.does(agents.change, DESK, self.ids[name], **what)

    async def hears(self, who: str, text: str = "help", **more: Any) -> Received:
        return await self.office.hears(text, by=f"{who}@example.net", to=self.chat, **more)

    async def ticket(self, number: int) -> Ticket:
        return await self.store.read(gate.seen, DESK, number)

    async def accepts(self, name: str, number: int) -> None:
        await self.does(routing.accept, await self.caller(name), number)

    async def declines(self, name: str, number: int) -> None:
        await self.does(routing.decline, await self.caller(name), number)

    async def offered_to(self, number: int) -> str | None:
        return self.name((await self.ticket(number)).offered_to)

    async def assigned_to(self, number: int) -> str | None:
        return self.name((await self.ticket(number)).assignee_id)

    def name(self, agent_id: int | None) -> str | None:
        return next((name for name, i in self.ids.items() if i == agent_id), None)

    async def passes(self, ms: int, *, present: tuple[str, ...] = ()) -> None:
        """Lets time go by; each timer runs when it is due, `present` renew their leases as their sockets would."""
        until = self.clock.now() + ms
        while True:
            for name in present:
                await self.does(presence.renew, self.ids[name], "process 1")
            step = min(self.clock.now() + presence.RENEW, until) if present else until
            at = await self.store.read(lambda rx: rx.value(NEXT, until=step))  # noqa: B023
            if at is None and step == until:
                break
            self.clock.advance(max(0, (step if at is None else at) - self.clock.now()))
            await self.run_due()
        self.clock.advance(max(0, until - self.clock.now()))
        for name in present:
            await self.does(presence.renew, self.ids[name], "process 1")

    async def run_due(self) -> None:
        for job in await self.does(jobs.claim, "worker", lanes.OUTBOUND, 100):
            timer = TIMERS[job.kind]
            await self.does(jobs.finish, job, functools.partial(timer, payload=job.payload))

    async def events(self, name: str) -> list[dict[str, Any]]:
        rows = await self.store.read(
            lambda rx: rx.rows("SELECT payload FROM event WHERE name = :name ORDER BY id", name=name)
        )
        return [json.loads(row[0]) for row in rows]


@pytest_asyncio.fixture
async def counter(office: Office, clock: ManualClock) -> AsyncIterator[Counter]:
    def opened(tx: Tx) -> tuple[inboxes.Inbox, int, int, dict[str, int]]:
        roles.ensure_built_in(tx)
        team_id, other = teams.create(tx, DESK, "Counter"), teams.create(tx, DESK, "Back office")
        chat = inboxes.create(
            tx, DESK, kind="letters", name="Chat", team_id=team_id, teams=[other], settings={"routing": "offer"}
        )
        role_id, ids = roles.named(tx, "agent").id, {}
        for name in ("kim", "lea", "max"):
            ids[name] = agents.create(
                tx, DESK, email=f"{name}@example.com", name=name, role_id=role_id, capacity=2, languages=["en"]
            )
            teams.add_member(tx, DESK, team_id, ids[name])
        return chat, team_id, other, ids

    made = office.store
    yield Counter(office, clock, *await office.store.write(opened))
    if office.store is not made:  # a restart put another in its place
        await office.store.close()


async def refused(awaited) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await awaited
    return caught.value


class TestWhoIsOffered:
    async def test_nobody_in_an_inbox_that_does_not_take_part(self, counter: Counter) -> None:
        await counter.arrives("kim")
        got = await counter.office.hears("help", to=counter.office.letters)
        assert await counter.offered_to(got.number) is None
        assert await counter.events("ticket.offered") == []

    async def test_who_is_there_online_and_has_room(self, counter: Counter) -> None:
        await counter.says("kim", "online")  # says so, but holds no socket
        await counter.does(presence.renew, counter.ids["lea"], "p")  # connected, but has not said so
        await counter.arrives("max")
        got = await counter.hears("eve")
        assert await counter.offered_to(got.number) == "max"
        ticket = await counter.ticket(got.number)
        assert ticket.offered_until == counter.clock.now() + MINUTE and ticket.assignee_id is None

    @pytest.mark.parametrize("why", ["busy", "away", "offline", "full", "no room", "sees nothing", "may not reply"])
    async def test_not_who_is_otherwise(self, counter: Counter, why: str) -> None:
        await counter.arrives("kim")
        if why in ("busy", "away", "offline"):
            await counter.says("kim", why)
        elif why == "full":
            for who in ("a", "b"):
                await counter.accepts("kim", (await counter.hears(who)).number)
        elif why == "no room":
            await counter.can("kim", capacity=0)
        elif why == "sees nothing":
            await counter.does(teams.remove_member, DESK, counter.team_id, counter.ids["kim"])
        else:
            observer = await counter.store.read(roles.named, "observer")
            await counter.can("kim", role_id=observer.id)
        assert await counter.offered_to((await counter.hears("eve")).number) is None

    async def test_spam_is_offered_to_nobody(self, counter: Counter) -> None:
        await counter.arrives("kim")
        got = await counter.hears("eve", suspicion="looks like spam")
        assert await counter.offered_to(got.number) is None
        await counter.does(tickets.mark_spam, DESK, got.number, False)
        await counter.hears("eve", "still me")
        assert await counter.offered_to(got.number) == "kim"

    async def test_the_least_busy_then_the_longest_idle(self, counter: Counter) -> None:
        await counter.can("kim", capacity=10)
        await counter.arrives("kim")
        first = await counter.hears("a")
        await counter.accepts("kim", first.number)
        counter.clock.advance(SECOND)
        await counter.arrives("lea")
        counter.clock.advance(SECOND)
        await counter.arrives("max")
        second, third, fourth = [await counter.hears(who) for who in "bcd"]
        assert await counter.offered_to(second.number) == "lea", "idle, and longer than max"
        assert await counter.offered_to(third.number) == "max", "an offer counts like a ticket"
        assert await counter.offered_to(fourth.number) == "kim", "a tenth busy against a half"

    async def test_who_speaks_the_contacts_language_before_who_is_idle(self, counter: Counter) -> None:
        await counter.can("max", languages=["en", "fr"])
        await counter.arrives("kim", "lea", "max")
        got = await counter.hears("first")
        await counter.does(lambda tx: tx.run("UPDATE contact SET language = 'fr-CA' WHERE id = :id", id=got.contact_id))
        assert await counter.offered_to(got.number) == "kim"
        await counter.does(tickets.resolve, DESK, got.number)
        await counter.hears("first", "encore moi")
        assert await counter.offered_to(got.number) == "max"

    async def test_the_tickets_team_before_others_who_may_see_it(self, counter: Counter) -> None:
        await counter.does(teams.add_member, DESK, counter.other_team, counter.ids["max"])
        await counter.arrives("kim", "lea", "max")
        got = await counter.hears("eve")
        await counter.does(assignment.move, DESK, got.number, counter.other_team)
        assert await counter.offered_to(got.number) == "max"


class TestOffers:
    async def test_accepting_assigns_it_and_ends_the_offer(self, counter: Counter) -> None:
        await counter.arrives("kim")
        got = await counter.hears("eve")
        await counter.accepts("kim", got.number)
        ticket = await counter.ticket(got.number)
        assert (ticket.assignee_id, ticket.offered_to, ticket.offered_until) == (counter.ids["kim"], None, None)
        assert (await counter.events("ticket.assigned"))[-1]["how"] == "routed"
        assert (await counter.events("ticket.offer_ended"))[-1]["why"] == "accepted"
        await counter.passes(2 * MINUTE, present=("kim",))
        assert await counter.assigned_to(got.number) == "kim", "the timer of an accepted offer does nothing"

    async def test_of_two_who_accept_at_once_one_wins(self, counter: Counter) -> None:
        await counter.arrives("kim", "lea")
        got = await counter.hears("eve")
        kim, lea = await counter.caller("kim"), await counter.caller("lea")
        done = await asyncio.gather(
            counter.does(routing.accept, kim, got.number),
            counter.does(routing.accept, lea, got.number),
            counter.does(routing.accept, kim, got.number),
            return_exceptions=True,
        )
        assert done[0] is None
        assert [error.code for error in done[1:] if isinstance(error, Refusal)] == ["conflict", "conflict"]
        assert len(await counter.events("ticket.assigned")) == 1

    async def test_who_may_not_see_it_learns_nothing_by_accepting(self, counter: Counter) -> None:
        await counter.arrives("kim")
        got = await counter.hears("eve")
        assert (await refused(counter.does(routing.accept, counter.office.bob, got.number))).code == "not_found"
        assert (await refused(counter.does(routing.decline, counter.office.bob, got.number))).code == "not_found"

    async def test_declined_it_goes_to_the_next_and_never_twice_in_a_round(self, counter: Counter) -> None:
        await counter.arrives("kim", "lea", "max")
        got = await counter.hears("eve")
        asked = []
        while (name := await counter.offered_to(got.number)) is not None:
            asked.append(name)
            await counter.declines(name, got.number)
        assert sorted(asked) == ["kim", "lea", "max"]
        assert (await refused(counter.declines("kim", got.number))).code == "conflict"
        await counter.passes(MINUTE, present=("kim", "lea", "max"))
        assert await counter.offered_to(got.number) == asked[0], "after a pause all are asked again"

    async def test_left_lying_for_a_minute_it_goes_to_the_next(self, counter: Counter) -> None:
        await counter.arrives("kim", "lea")
        got = await counter.hears("eve")
        assert await counter.offered_to(got.number) == "kim"
        await counter.passes(MINUTE - 1, present=("kim", "lea"))
        assert await counter.offered_to(got.number) == "kim"
        await counter.passes(1, present=("kim", "lea"))
        assert await counter.offered_to(got.number) == "lea"
        assert await counter.events("ticket.offer_ended") == [{"to": counter.ids["kim"], "why": "timed_out"}]

    async def test_claimed_by_somebody_else_the_offer_is_withdrawn_and_its_room_used(self, counter: Counter) -> None:
        await counter.can("kim", capacity=1)
        await counter.arrives("kim")
        first, second = await counter.hears("a"), await counter.hears("b")
        assert await counter.offered_to(second.number) is None
        await counter.does(assignment.claim, counter.office.boss, first.number)
        assert (await counter.events("ticket.offer_ended"))[-1]["why"] == "withdrawn"
        assert await counter.offered_to(second.number) == "kim"

    @pytest.mark.parametrize("how", ["resolve", "await_contact", "snooze", "spam"])
    async def test_what_waits_no_longer_is_offered_no_longer(self, counter: Counter, how: str) -> None:
        await counter.arrives("kim")
        got = await counter.hears("eve")
        if how == "snooze":
            await counter.does(tickets.snooze, DESK, got.number, None)
        elif how == "spam":
            await counter.does(tickets.mark_spam, DESK, got.number, True)
        else:
            await counter.does(getattr(tickets, how), DESK, got.number)
        assert await counter.offered_to(got.number) is None
        assert (await refused(counter.accepts("kim", got.number))).code == "conflict"

    @pytest.mark.parametrize("by", ["kim", "boss"])
    async def test_what_is_answered_is_offered_no_longer(self, counter: Counter, by: str) -> None:
        await counter.arrives("kim")
        got = await counter.hears("eve")
        caller = await counter.caller("kim") if by == "kim" else counter.office.boss
        await counter.does(replies.reply, caller, got.number, "Here.", external_id="r")
        assert await counter.offered_to(got.number) is None
        assert await counter.assigned_to(got.number) == ("kim" if by == "kim" else None), "answering is accepting"

    async def test_who_put_it_back_is_not_the_first_to_be_asked_again(self, counter: Counter) -> None:
        await counter.arrives("kim", "lea")
        got = await counter.hears("eve")
        await counter.accepts("kim", got.number)
        await counter.does(assignment.assign, await counter.caller("kim"), got.number, None)
        assert await counter.offered_to(got.number) == "lea"

    async def test_claiming_by_hand_takes_the_room_of_an_offer(self, counter: Counter) -> None:
        await counter.can("kim", capacity=1)
        await counter.arrives("kim")
        got = await counter.hears("eve")
        other = await counter.hears("adam")
        await counter.does(assignment.claim, await counter.caller("kim"), other.number)
        assert await counter.offered_to(got.number) is None
        await counter.arrives("lea")
        assert await counter.offered_to(got.number) == "lea"


class TestQueue:
    async def test_room_is_filled_with_the_oldest_in_the_unit_that_frees_it(self, counter: Counter) -> None:
        await counter.can("kim", capacity=1)
        await counter.arrives("kim")
        numbers = []
        for who in "abcd":
            numbers.append((await counter.hears(who)).number)
            counter.clock.advance(SECOND)
        await counter.does(tickets.set_priority, DESK, numbers[3], "urgent")
        await counter.accepts("kim", numbers[0])
        for following in (numbers[3], numbers[1], numbers[2]):
            current = await counter.store.read(
                lambda rx: rx.value("SELECT number FROM ticket WHERE assignee_id IS NOT NULL AND status = 'open'")
            )
            await counter.does(tickets.resolve, DESK, current)
            assert await counter.offered_to(following) == "kim"
            await counter.accepts("kim", following)

    @pytest.mark.parametrize("how", ["arrives", "online", "capacity", "unassign", "hand over", "joins", "enabled"])
    async def test_whatever_makes_room_drains_it(self, counter: Counter, how: str) -> None:
        lea, first = counter.ids["lea"], await counter.office.hears("elsewhere", to=counter.office.mute)
        if how in ("capacity", "unassign", "hand over"):
            await counter.can("lea", capacity=1)
            await counter.arrives("lea")
            first = await counter.hears("first")
            await counter.accepts("lea", first.number)
        elif how == "joins":
            await counter.does(teams.remove_member, DESK, counter.team_id, lea)
            await counter.arrives("lea")
        elif how == "enabled":
            await counter.does(agents.disable, DESK, lea)
        elif how == "online":
            await counter.arrives("lea")
            await counter.says("lea", "away")
        got = await counter.hears("eve")
        assert await counter.offered_to(got.number) is None
        if how == "capacity":
            await counter.can("lea", capacity=2)
        elif how == "unassign":
            await counter.does(assignment.assign, await counter.caller("lea"), first.number, None)
        elif how == "hand over":
            await counter.does(assignment.assign, DESK, first.number, counter.ids["kim"])
        elif how == "joins":
            await counter.does(teams.add_member, DESK, counter.team_id, lea)
        elif how == "online":
            await counter.says("lea", "online")
        else:
            if how == "enabled":
                await counter.does(agents.enable, DESK, lea)
            await counter.arrives("lea")
        assert await counter.offered_to(got.number) == "lea"

    async def test_what_is_taken_from_an_agent_stands_in_line_for_the_room_it_leaves(self, counter: Counter) -> None:
        await counter.can("kim", capacity=1)
        await counter.arrives("kim")
        first, second = await counter.hears("a"), await counter.hears("b")
        await counter.does(tickets.set_priority, DESK, first.number, "low")
        await counter.does(assignment.move, DESK, first.number, None)
        assert await counter.offered_to(second.number) == "kim", "what is more urgent goes first"
        await counter.does(assignment.assign, DESK, first.number, counter.ids["kim"])
        assert await counter.offered_to(second.number) is None
        await counter.does(assignment.assign, DESK, first.number, None)
        assert await counter.offered_to(second.number) == "kim", "also when it was theirs"

    async def test_what_is_taken_back_together_is_offered_in_order(self, counter: Counter) -> None:
        await counter.arrives("kim")
        first, second = await counter.hears("a"), await counter.hears("b")
        await counter.can("lea", capacity=1)
        await counter.says("kim", "busy")
        await counter.arrives("lea")
        await counter.says("lea", "busy")
        await counter.says("kim", "online")
        await counter.does(presence.renew, counter.ids["lea"], "p")
        await counter.says("lea", "online")
        await counter.can("kim", capacity=0)
        assert [await counter.offered_to(t.number) for t in (first, second)] == ["lea", None]

    async def test_ones_place_is_the_number_of_older_ones_of_the_same_team_and_urgency(self, counter: Counter) -> None:
        numbers = []
        for who in "abcd":
            numbers.append(await counter.hears(who))
            counter.clock.advance(SECOND)
        await counter.does(tickets.set_priority, DESK, numbers[0].number, "urgent")
        elsewhere = await counter.office.hears("x", by="z@example.net")
        places = [await counter.store.read(queue.position, t.ticket_id) for t in [*numbers, elsewhere]]
        assert places == [0, 0, 1, 2, 0]
        await counter.does(tickets.resolve, DESK, numbers[1].number)
        assert await counter.store.read(queue.position, numbers[1].ticket_id) is None
        assert await counter.store.read(queue.position, numbers[3].ticket_id) == 1
        assert await counter.store.read(queue.position, 4711) is None


class TestPresence:
    async def test_a_lease_holds_a_minute_and_is_renewed_without_a_word(self, counter: Counter) -> None:
        await counter.arrives("kim")
        await counter.passes(HOUR, present=("kim",))
        assert await counter.store.read(presence.is_present, counter.ids["kim"])
        assert [e["present"] for e in await counter.events("agent.presence_changed")] == [True]
        assert len(await counter.store.read(lambda rx: rx.rows(JOBS))) == 1
        await counter.passes(MINUTE - 1)
        assert await counter.store.read(presence.is_present, counter.ids["kim"])
        await counter.passes(1)
        assert [e["present"] for e in await counter.events("agent.presence_changed")] == [True, False]
        await counter.passes(HOUR)
        assert await counter.store.read(lambda rx: rx.rows(JOBS)) == []

    async def test_two_processes_hold_one_lease(self, counter: Counter) -> None:
        for process in ("one", "two", "one"):
            await counter.does(presence.renew, counter.ids["kim"], process)
        assert len(await counter.events("agent.presence_changed")) == 1

    async def test_an_offer_to_one_who_is_gone_goes_to_the_next_at_once(self, counter: Counter) -> None:
        await counter.arrives("kim")
        await counter.passes(30 * SECOND)
        got = await counter.hears("eve")
        assert await counter.offered_to(got.number) == "kim"
        await counter.arrives("lea")
        await counter.passes(30 * SECOND)
        assert await counter.offered_to(got.number) == "lea"
        assert (await counter.events("ticket.offer_ended"))[-1]["why"] == "gone"

    @pytest.mark.parametrize("how", ["lease", "offline", "disabled"])
    async def test_a_customer_of_one_who_is_gone_goes_back_to_the_queue_after_a_minute(
        self, counter: Counter, how: str
    ) -> None:
        await counter.arrives("kim")
        got = await counter.hears("eve")
        await counter.accepts("kim", got.number)
        if how == "offline":
            await counter.says("kim", "offline")
        elif how == "disabled":
            await counter.does(agents.disable, DESK, counter.ids["kim"])
        else:
            await counter.passes(presence.LEASE)
        await counter.arrives("lea")
        await counter.passes(routing.GRACE - 1, present=("lea",))
        assert await counter.assigned_to(got.number) == "kim"
        await counter.passes(1, present=("lea",))
        assert await counter.assigned_to(got.number) is None
        assert await counter.offered_to(got.number) == "lea"

    async def test_who_is_back_within_the_grace_keeps_their_customers(self, counter: Counter) -> None:
        await counter.arrives("kim")
        got = await counter.hears("eve")
        await counter.accepts("kim", got.number)
        await counter.passes(presence.LEASE + routing.GRACE - 1)
        await counter.does(presence.renew, counter.ids["kim"], "p")
        await counter.passes(10 * MINUTE, present=("kim",))
        assert await counter.assigned_to(got.number) == "kim"

    async def test_a_customer_who_speaks_to_one_who_left_long_ago_is_not_left_there(self, counter: Counter) -> None:
        await counter.arrives("kim")
        got = await counter.hears("eve")
        await counter.accepts("kim", got.number)
        await counter.does(tickets.await_contact, DESK, got.number)
        await counter.passes(HOUR)
        assert await counter.assigned_to(got.number) == "kim", "nobody waits, nothing is taken away"
        await counter.hears("eve", "are you there?")
        await counter.passes(routing.GRACE)
        assert await counter.assigned_to(got.number) is None

    async def test_where_tickets_are_claimed_they_stay_with_who_claimed_them(self, counter: Counter) -> None:
        await counter.arrives("kim")
        got = await counter.office.hears("help", to=counter.office.letters)
        await counter.does(assignment.assign, DESK, got.number, counter.office.ann.grants.agent_id)
        await counter.passes(HOUR)
        assert (await counter.ticket(got.number)).assignee_id == counter.office.ann.grants.agent_id


class TestAway:
    async def test_who_gives_no_sign_of_life_is_away_and_back_with_the_first_one(self, counter: Counter) -> None:
        await counter.arrives("kim")
        await counter.passes(15 * MINUTE - presence.RENEW, present=("kim",))
        assert (await counter.stand("kim")).availability == "online"
        await counter.passes(2 * presence.RENEW, present=("kim",))
        assert (await counter.stand("kim")).automatic == "online"
        got = await counter.hears("eve")
        assert await counter.offered_to(got.number) is None
        await counter.does(presence.active, counter.ids["kim"])
        stand = await counter.stand("kim")
        assert (stand.availability, stand.automatic) == ("online", None)
        assert await counter.offered_to(got.number) == "kim", "and what waits is offered"
        told = await counter.events("agent.availability_changed")
        assert [(e["availability"], e.get("automatic", False)) for e in told[-2:]] == [
            ("away", True),
            ("online", False),
        ]

    async def test_busy_is_busy_again_and_who_says_so_themselves_is_not_brought_back(self, counter: Counter) -> None:
        await counter.arrives("kim")
        await counter.says("kim", "busy")
        await counter.passes(16 * MINUTE, present=("kim",))
        await counter.does(presence.active, counter.ids["kim"])
        assert (await counter.stand("kim")).availability == "busy"
        await counter.says("kim", "away")
        await counter.does(presence.active, counter.ids["kim"])
        assert (await counter.stand("kim")).availability == "away"

    async def test_how_long_is_a_setting_and_may_be_never(self, counter: Counter) -> None:
        await counter.does(routing_settings.change, DESK, auto_away_minutes=5)
        await counter.arrives("kim")
        await counter.passes(6 * MINUTE, present=("kim",))
        assert (await counter.stand("kim")).availability == "away"
        await counter.does(routing_settings.change, DESK, auto_away_minutes=0)
        await counter.does(presence.active, counter.ids["kim"])
        await counter.passes(HOUR, present=("kim",))
        assert (await counter.stand("kim")).availability == "online"

    async def test_a_return_time_brings_back_who_sits_there(self, counter: Counter) -> None:
        await counter.arrives("kim")
        got = await counter.hears("eve")
        await counter.says("kim", "away", until=counter.clock.now() + 30 * MINUTE, reason=" Lunch ")
        assert await counter.offered_to(got.number) is None
        assert (await counter.stand("kim")).reason == "Lunch"
        await counter.passes(30 * MINUTE - 1, present=("kim",))
        await counter.does(presence.active, counter.ids["kim"])
        assert (await counter.stand("kim")).availability == "away"
        await counter.passes(1, present=("kim",))
        stand = await counter.stand("kim")
        assert (stand.availability, stand.until, stand.reason) == ("online", None, None)
        assert await counter.offered_to(got.number) == "kim"

    async def test_nothing_is_offered_to_an_empty_chair(self, counter: Counter) -> None:
        await counter.arrives("kim")
        await counter.says("kim", "away", until=counter.clock.now() + 30 * MINUTE)
        await counter.passes(40 * MINUTE, present=("kim",))
        stand = await counter.stand("kim")
        assert (stand.availability, stand.until, stand.automatic) == ("away", None, "online")
        await counter.does(presence.active, counter.ids["kim"])
        assert (await counter.stand("kim")).availability == "online"

    async def test_an_earlier_return_time_counts_no_longer(self, counter: Counter) -> None:
        await counter.arrives("kim")
        await counter.says("kim", "away", until=counter.clock.now() + MINUTE)
        await counter.says("kim", "offline")
        await counter.passes(HOUR)
        assert (await counter.stand("kim")).availability == "offline"

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"to": "online", "until": 10}, "until"),
            ({"to": "online", "reason": "here"}, "reason"),
            ({"to": "away", "until": -1}, "until"),
            ({"to": "away", "until": 400 * 24 * 60}, "until"),
            ({"to": "away", "reason": "x" * 201}, "reason"),
        ],
    )
    async def test_what_cannot_be_is_refused(self, counter: Counter, given: dict[str, Any], field: str) -> None:
        if "until" in given:
            given = given | {"until": counter.clock.now() + given["until"] * MINUTE}
        error = await refused(counter.does(presence.set_availability, await counter.caller("kim"), **given))
        assert [e.field for e in error.errors] == [field]


class TestLoad:
    async def test_a_chat_weighs_two_and_a_letter_one(self, counter: Counter) -> None:
        got = await counter.office.hears("x", to=counter.office.parlour)
        assert (await counter.ticket(got.number)).weight == 2
        assert (await counter.ticket((await counter.hears("eve")).number)).weight == 1
        await counter.sets(weight=7)
        assert (await counter.ticket((await counter.hears("adam")).number)).weight == 7
        assert (await counter.ticket((await counter.hears("eve")).number)).weight == 1, "what is open stays as it was"

    async def test_what_does_not_fit_is_passed_over_for_what_does(self, counter: Counter) -> None:
        await counter.can("kim", capacity=3)
        await counter.sets(weight=2)
        first, second = await counter.hears("a"), await counter.hears("b")
        await counter.sets(weight=1)
        third = await counter.hears("c")
        await counter.arrives("kim")
        assert [await counter.offered_to(t.number) for t in (first, second, third)] == ["kim", None, "kim"]
        await counter.accepts("kim", first.number)
        await counter.accepts("kim", third.number)
        assert (await counter.store.read(agents.get, counter.ids["kim"])).load == 3
        await counter.does(tickets.resolve, DESK, third.number)
        assert await counter.offered_to(second.number) is None, "one point is not enough"
        await counter.does(tickets.resolve, DESK, first.number)
        assert await counter.offered_to(second.number) == "kim"

    async def test_accepting_looks_at_the_weight(self, counter: Counter) -> None:
        await counter.sets(weight=2)
        await counter.arrives("kim")
        got = await counter.hears("a")
        await counter.does(lambda tx: tx.run("UPDATE agent SET capacity = 1 WHERE id = :id", id=counter.ids["kim"]))
        assert (await refused(counter.accepts("kim", got.number))).code == "conflict"

    async def test_colleagues_hear_of_it(self, counter: Counter) -> None:
        await counter.arrives("kim")
        got = await counter.hears("eve")
        await counter.accepts("kim", got.number)
        await counter.does(assignment.assign, DESK, got.number, counter.ids["lea"])
        told = [e["agent_id"] for e in await counter.events("agent.load_changed")]
        assert told == [counter.ids["kim"], counter.ids["kim"], counter.ids["lea"]]


class TestSettingsOfAnInbox:
    async def test_how_long_an_offer_holds(self, counter: Counter) -> None:
        await counter.sets(accept_within=20, after_everybody=300)
        await counter.arrives("kim")
        got = await counter.hears("eve")
        assert (await counter.ticket(got.number)).offered_until == counter.clock.now() + 20 * SECOND
        await counter.passes(20 * SECOND, present=("kim",))
        assert await counter.offered_to(got.number) is None
        await counter.passes(300 * SECOND - 1, present=("kim",))
        assert await counter.offered_to(got.number) is None
        await counter.passes(1, present=("kim",))
        assert await counter.offered_to(got.number) == "kim"

    async def test_who_had_the_contacts_last_one_is_asked_first(self, counter: Counter) -> None:
        await counter.can("max", capacity=20)
        await counter.arrives("kim", "lea", "max")
        before = await counter.hears("eve")
        await counter.does(assignment.assign, DESK, before.number, counter.ids["max"])
        again = await counter.hears("eve", "another matter", new_ticket=True)
        assert again.number != before.number and await counter.offered_to(again.number) == "max", (
            "busy, but they know them"
        )
        await counter.sets(sticky=False)
        third = await counter.hears("eve", "and another", new_ticket=True)
        assert await counter.offered_to(third.number) == "kim"

    async def test_skills_before_who_is_idle(self, counter: Counter) -> None:
        await counter.can("lea", skills=["Billing", "returns"])
        await counter.can("max", skills=["billing"])
        await counter.arrives("kim", "lea", "max")
        await counter.sets(skills=["returns", "billing"])
        first, second = await counter.hears("a"), await counter.hears("b")
        assert await counter.offered_to(first.number) == "lea", "who has both"
        await counter.can("lea", capacity=1)
        third = await counter.hears("c")
        assert await counter.offered_to(second.number) == "max", "then who has most"
        assert await counter.offered_to(third.number) in ("max", "kim")

    async def test_languages_count_only_where_they_are_to(self, counter: Counter) -> None:
        await counter.can("max", languages=["fr"])
        await counter.sets(language_matters=False, sticky=False)
        await counter.arrives("kim", "max")
        got = await counter.hears("eve")
        await counter.does(lambda tx: tx.run("UPDATE contact SET language = 'fr' WHERE id = :id", id=got.contact_id))
        await counter.does(tickets.resolve, DESK, got.number)
        await counter.hears("eve", "encore")
        assert await counter.offered_to(got.number) == "kim"


class TestHandingBack:
    async def test_who_goes_offline_may_hand_back_at_once(self, counter: Counter) -> None:
        await counter.arrives("kim", "lea")
        got, answered = await counter.hears("eve"), await counter.hears("adam")
        for number in (got.number, answered.number):
            await counter.does(assignment.assign, DESK, number, counter.ids["kim"])
        await counter.does(tickets.await_contact, DESK, answered.number)
        caller = await counter.caller("kim")
        request = own.SetAvailability(availability="offline", hand_back=True)
        answer = await counter.does(own._set_availability, caller, request)
        assert (answer.handed_back, answer.availability) == (1, "offline")
        assert await counter.offered_to(got.number) == "lea"
        assert await counter.assigned_to(answered.number) == "kim", "it is the contact's turn there"

    async def test_a_drained_agent_is_not_asked_first(self, counter: Counter) -> None:
        await counter.arrives("kim", "lea")
        numbers = [(await counter.hears(who)).number for who in "ab"]
        for number in numbers:
            await counter.does(assignment.assign, DESK, number, counter.ids["kim"])
        boss = counter.office.boss
        assert await counter.does(routing.drain_agent, boss, counter.ids["kim"]) == (2, False)
        assert [await counter.offered_to(number) for number in numbers] == ["lea", "lea"]
        assert {e["how"] for e in (await counter.events("ticket.assigned"))[-2:]} == {"drained"}

    async def test_who_drains_moves_only_what_they_see(self, counter: Counter) -> None:
        await counter.arrives("kim")
        got = await counter.hears("eve")
        await counter.accepts("kim", got.number)
        assert await counter.does(routing.drain_agent, counter.office.bob, counter.ids["kim"]) == (0, False)
        assert await counter.assigned_to(got.number) == "kim"
        assert (await refused(counter.does(routing.drain_agent, counter.office.boss, 4711))).code == "not_found"

    async def test_it_goes_in_parts(self, counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(routing, "DRAIN_AT_ONCE", 2)
        for who in "abc":
            got = await counter.hears(who)
            await counter.does(assignment.assign, DESK, got.number, counter.ids["kim"])
        assert await counter.does(routing.drain_agent, DESK, counter.ids["kim"]) == (2, True)
        assert await counter.does(routing.drain_agent, DESK, counter.ids["kim"]) == (1, False)


# --- whatever happens ----------------------------------------------------------------------------------------------

STEP = st.tuples(
    st.sampled_from(
        ["hear"] * 4
        + ["accept"] * 3
        + ["renew"] * 2
        + ["online"] * 2
        + ["second"] * 2
        + ["decline", "resolve", "unassign", "claim", "assign", "move", "pending", "snooze", "spam", "ham", "urgent"]
        + ["busy", "offline", "half", "minute", "capacity", "leave", "join", "disable", "enable", "restart"]
    ),
    st.integers(0, 5),
)
WIPED = ("offer_passed", "contact_word", "delivery", "message", "ticket", "consent", "contact_point", "contact")


def wipe(tx: Tx) -> None:
    for table in (*WIPED, "job", "presence", "ticket_count", "event"):
        tx.run(f"DELETE FROM {table}")
    tx.run("UPDATE agent SET load = 0, availability = 'offline', capacity = 2, idle_since = 0, disabled_at = NULL")


def looked_over(rx: Rx, chat: int) -> list[str]:
    """What is wrong, in words."""
    wrong = []
    planned = [(kind, payload) for kind, payload, _ in rx.rows(JOBS)]
    for (ticket_id,) in rx.rows("SELECT id FROM ticket"):
        ticket = gate.must(rx, ticket_id)
        if ticket.offered_to is not None:
            if not queue.waits(ticket) or ticket.assignee_id is not None:
                wrong.append(f"{ticket.number} is offered and does not wait for anybody")
            timer = f'{{"ticket_id":{ticket.id},"offered_until":{ticket.offered_until}}}'
            if (routing.OFFER_TIMEOUT, timer) not in planned:
                wrong.append(f"the offer of {ticket.number} never ends")
            grants = access.load(rx, ticket.offered_to)
            if grants is None or not access.may(grants, ticket.scope) or queue.room(rx, ticket.offered_to) is None:
                wrong.append(f"{ticket.number} is offered to one who cannot take it")
        elif queue.waits(ticket) and ticket.assignee_id is not None:
            gone = (routing.AGENT_GONE, f'{{"agent_id":{ticket.assignee_id}}}')
            if not queue.is_there(rx, ticket.assignee_id) and gone not in planned:
                wrong.append(f"the customer of {ticket.number} waits for one who is gone")
        elif queue.waits(ticket):
            free, passed = queue.candidates(rx, ticket), queue.was_passed(rx, ticket.id)
            if queue.position(rx, ticket.id) is None:
                wrong.append(f"{ticket.number} has no place in the queue")
            if free:
                wrong.append(f"{ticket.number} waits while {free} have room")
            if passed and (routing.OFFER_AGAIN, f'{{"ticket_id":{ticket.id}}}') not in planned:
                wrong.append(f"{ticket.number} was let pass by all and is never offered again")
    for agent_id, load, capacity in rx.rows("SELECT id, load, capacity FROM agent"):
        offered = rx.value("SELECT COALESCE(SUM(weight), 0) FROM ticket WHERE offered_to = :id", id=agent_id)
        in_hand = rx.value(
            "SELECT COALESCE(SUM(weight), 0) FROM ticket "
            "WHERE assignee_id = :id AND status IN ('open', 'pending') AND spam = 0",
            id=agent_id,
        )
        if load != in_hand:
            wrong.append(f"agent {agent_id} has {in_hand} in hand and {load} are counted")
        if offered and load + offered > capacity:
            wrong.append(f"agent {agent_id} has {load} and is offered {offered}, of {capacity}")
    failed = rx.rows("SELECT payload FROM event WHERE name = 'reaction.failed'")
    return wrong + [f"a reaction failed: {row[0]}" for row in failed]


async def reopened(store: Store, clock: ManualClock) -> Store:
    await store.close()
    backend = store.backend
    if isinstance(backend, PostgresBackend):
        again = Store(PostgresBackend(backend.url, own_clock=True), clock, REACTIONS)
    else:
        assert isinstance(backend, SqliteBackend)
        again = Store(SqliteBackend(backend.path), clock, REACTIONS)
    await again.open()
    await again.write(jobs.clear_leases)
    return again


async def step(counter: Counter, what: str, which: int, number: int) -> None:
    name = ("kim", "lea", "max")[which % 3]
    agent_id = counter.ids[name]
    known = await counter.store.read(lambda rx: rx.rows("SELECT number, offered_to FROM ticket ORDER BY id"))
    target = known[which % len(known)][0] if known else 0
    offered = [n for n, to in known if to == agent_id]
    acts: dict[str, Callable[[], Any]] = {
        "hear": lambda: counter.hears(f"p{which}", f"{number}", id=f"m{number}"),
        "renew": lambda: counter.does(presence.renew, agent_id, "p"),
        "online": lambda: counter.arrives(name),
        "busy": lambda: counter.says(name, "busy"),
        "offline": lambda: counter.says(name, "offline"),
        "second": lambda: counter.passes(SECOND),
        "half": lambda: counter.passes(30 * SECOND),
        "minute": lambda: counter.passes(MINUTE),
        "capacity": lambda: counter.can(name, capacity=which % 4),
        "leave": lambda: counter.does(teams.remove_member, DESK, counter.team_id, agent_id),
        "join": lambda: counter.does(teams.add_member, DESK, counter.team_id, agent_id),
        "disable": lambda: counter.does(agents.disable, DESK, agent_id),
        "enable": lambda: counter.does(agents.enable, DESK, agent_id),
    }
    about = counter.does
    on_tickets: dict[str, Callable[[], Any]] = {
        "resolve": lambda: about(tickets.resolve, DESK, target),
        "pending": lambda: about(tickets.await_contact, DESK, target),
        "snooze": lambda: about(tickets.snooze, DESK, target, None),
        "spam": lambda: about(tickets.mark_spam, DESK, target, True),
        "ham": lambda: about(tickets.mark_spam, DESK, target, False),
        "urgent": lambda: about(tickets.set_priority, DESK, target, "urgent"),
        "unassign": lambda: about(assignment.assign, DESK, target, None),
        "assign": lambda: about(assignment.assign, DESK, target, agent_id),
        "move": lambda: about(assignment.move, DESK, target, counter.other_team if which % 2 else counter.team_id),
    }
    if what == "restart":
        counter.office.store = await reopened(counter.store, counter.clock)
    elif what in acts:
        await acts[what]()
    elif what in on_tickets and known:
        await on_tickets[what]()
    elif what in ("accept", "decline") and offered:
        await (counter.accepts if what == "accept" else counter.declines)(name, offered[0])
    elif what == "claim" and known:
        await counter.does(assignment.claim, await counter.caller(name), target)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=5, max_size=30))
async def test_whatever_happens_nobody_is_forgotten_and_nobody_overloaded(
    counter: Counter, steps: list[tuple[str, int]]
) -> None:
    await counter.does(wipe)
    for agent_id in counter.ids.values():
        await counter.does(teams.add_member, DESK, counter.team_id, agent_id)
    await counter.arrives("kim")
    for number, (what, which) in enumerate(steps):
        try:
            await step(counter, what, which, number)
        except (Refusal, AssertionError) as error:
            assert isinstance(error, AssertionError) or error.code in ("conflict", "invalid", "not_found")
        wrong = await counter.store.read(looked_over, counter.chat.id)
        assert not wrong, (number, what, which, wrong)
