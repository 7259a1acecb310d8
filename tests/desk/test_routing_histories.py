"""Routing whatever happens: capacity is never exceeded, nothing is offered to who may not see it, the oldest of equal
priority goes first, and nothing waits while somebody who may take it has room. hub/bench/histories.py makes it up."""

import pytest

from hub.bench import histories
from hub.bench.shifts import furnish
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
