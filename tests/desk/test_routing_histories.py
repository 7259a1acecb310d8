"""Routing whatever happens: capacity is never exceeded, nothing is offered to who may not see it, the oldest of equal
priority goes first, and nothing waits while somebody who may take it has room. hub/bench/histories.py makes it up."""

import pytest

from hub.bench import histories
from hub.bench.shifts import Shift, furnish
from hub.db.backend import Session
from hub.db.store import Store
from hub.reactions import REACTIONS
from tests.conftest import EXAMPLES


@pytest.mark.timeout(300)
async def test_whatever_happens_nobody_is_forgotten_and_nobody_overloaded(store: Store) -> None:
    store.reactions = REACTIONS
    desk = await store.write(furnish)
    count, moments = await store.backend.in_writer(
        lambda session: histories.run(session, desk, examples=EXAMPLES, steps=25)
    )
    assert count >= EXAMPLES and moments > 10 * count


async def test_who_is_given_back_what_they_had_resolved_is_offered_no_more_than_they_have_room_for(
    store: Store,
) -> None:
    """Found by ten thousand histories: the customer writes again, and the ticket that is open again takes the room that
    was kept for an offer."""
    store.reactions = REACTIONS
    desk = await store.write(furnish)

    def history(session: Session) -> list[list[str]]:
        shift = Shift(session, desk)
        shift.arrives(0)
        shift.hears(0, 0)
        shift.hears(0, 0)
        shift.hears(0, 2)  # of a matter of its own, as every third
        shift.resolves(1)
        shift.assigns(1, 0)
        found = [shift.wrong()]
        shift.hears(0, 2)
        found.append(shift.wrong())
        shift.over()
        return found

    assert await store.backend.in_writer(history) == [[], []]
