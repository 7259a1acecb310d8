"""Histories of a small desk, made up by hypothesis: whatever happens, nobody who waits is forgotten and nobody is
overloaded. Some run with the tests (tests/desk/test_routing_histories.py), all by `parley bench routing --histories`.
"""

from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from hub.bench.shifts import CONTACTS, NAMES, Desk, Shift
from hub.clock import MINUTE, SECOND
from hub.db.backend import Session

AGENT = st.integers(0, len(NAMES) - 1)
TICKET = st.integers(0, 7)
TEAM = st.integers(0, 1)
CONTACT = st.integers(0, CONTACTS - 1)
PRESENT = st.frozensets(AGENT)
MINUTES = st.sampled_from((0, 1, 5, 30))


def machine(session: Session, desk: Desk, count: list[int]) -> type[RuleBasedStateMachine]:
    """For one session; `count[0]` counts the histories, `count[1]` what happened in them."""

    class Histories(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.shift = Shift(session, desk)
            self.heard = False
            count[0] += 1
            self.shift.arrives(0)

        @invariant()
        def all_is_well(self) -> None:
            count[1] += 1
            wrong = self.shift.wrong()
            assert not wrong, "; ".join(wrong)

        @rule(contact=CONTACT, inbox=st.integers(0, 2))
        def hears(self, contact: int, inbox: int) -> None:
            self.heard = True
            self.shift.hears(contact, inbox)

        @rule(contact=CONTACT, inbox=st.integers(0, 2))
        def hears_too(self, contact: int, inbox: int) -> None:
            self.heard = True
            self.shift.hears(contact, inbox)

        @rule(agent=AGENT)
        def arrives(self, agent: int) -> None:
            self.shift.arrives(agent)

        @precondition(lambda self: self.heard)
        @rule(agent=AGENT)
        def accepts(self, agent: int) -> None:
            self.shift.accepts(agent)

        @precondition(lambda self: self.heard)
        @rule(agent=AGENT)
        def declines(self, agent: int) -> None:
            self.shift.declines(agent)

        @rule(agent=AGENT, how=st.sampled_from(("online", "busy", "away", "offline")), minutes=MINUTES)
        def says(self, agent: int, how: Any, minutes: int) -> None:
            self.shift.says(agent, how, minutes)

        @rule(agent=AGENT)
        def gives_a_sign_of_life(self, agent: int) -> None:
            self.shift.moves(agent)

        @rule(ms=st.sampled_from((SECOND, 30 * SECOND, MINUTE, 3 * MINUTE)), present=PRESENT)
        def time_passes(self, ms: int, present: frozenset[int]) -> None:
            self.shift.passes(ms, present)

        @rule(present=PRESENT)
        def a_quarter_of_an_hour_passes(self, present: frozenset[int]) -> None:
            self.shift.passes(16 * MINUTE, present)

        @precondition(lambda self: self.heard)
        @rule(agent=AGENT, ticket=TICKET)
        def answers(self, agent: int, ticket: int) -> None:
            self.shift.answers(agent, ticket)

        @precondition(lambda self: self.heard)
        @rule(ticket=TICKET, how=st.sampled_from(("resolves", "reopens", "awaits")))
        def changes(self, ticket: int, how: str) -> None:
            getattr(self.shift, how)(ticket)

        @precondition(lambda self: self.heard)
        @rule(ticket=TICKET, minutes=MINUTES)
        def snoozes(self, ticket: int, minutes: int) -> None:
            self.shift.snoozes(ticket, minutes)

        @precondition(lambda self: self.heard)
        @rule(agent=AGENT, ticket=TICKET, how=st.sampled_from(("claims", "puts_back")))
        def takes(self, agent: int, ticket: int, how: str) -> None:
            getattr(self.shift, how)(agent, ticket)

        @precondition(lambda self: self.heard)
        @rule(ticket=TICKET, agent=st.none() | AGENT)
        def assigns(self, ticket: int, agent: int | None) -> None:
            self.shift.assigns(ticket, agent)

        @precondition(lambda self: self.heard)
        @rule(ticket=TICKET, team=st.none() | TEAM)
        def moves(self, ticket: int, team: int | None) -> None:
            self.shift.moves_team(ticket, team)

        @precondition(lambda self: self.heard)
        @rule(ticket=TICKET, spam=st.booleans())
        def marks(self, ticket: int, spam: bool) -> None:
            self.shift.marks(ticket, spam)

        @precondition(lambda self: self.heard)
        @rule(ticket=TICKET, priority=st.sampled_from(("low", "normal", "high", "urgent")))
        def ranks(self, ticket: int, priority: str) -> None:
            self.shift.ranks(ticket, priority)

        @rule(agent=AGENT, points=st.integers(0, 5))
        def gets_another_capacity(self, agent: int, points: int) -> None:
            self.shift.capacity(agent, points)

        @rule(agent=AGENT, team=TEAM, how=st.sampled_from(("joins", "leaves")))
        def changes_team(self, agent: int, team: int, how: str) -> None:
            getattr(self.shift, how)(agent, team)

        @rule(agent=AGENT, how=st.sampled_from(("disabled", "enabled", "drained")))
        def happens_to(self, agent: int, how: str) -> None:
            getattr(self.shift, how)(agent)

        def teardown(self) -> None:
            self.shift.over()

    return Histories


def run(session: Session, desk: Desk, *, examples: int, steps: int, derandomize: bool = True) -> tuple[int, int]:
    """(histories, moments looked at) without a fault; raises what hypothesis found, made as short as it can be."""
    count = [0, 0]
    try:
        run_state_machine_as_test(
            machine(session, desk, count),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                derandomize=derandomize,
                database=None,
                print_blob=False,
                verbosity=Verbosity.normal,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        session.rollback()
    return count[0], count[1]
