"""Units run without savepoints until one fails that has written: then its batch starts over with them."""

import asyncio
import random
from typing import Any

import pytest

from hub.db.batch import CAREFUL_BATCHES
from hub.db.store import Store, Tx
from hub.errors import invalid
from tests.db.units import put, put_and_raise, put_and_tell, stored

REFUSAL = invalid("name", "No.")


def look_and_raise(tx: Tx, name: str) -> None:
    tx.value("SELECT 1")
    raise REFUSAL


def put_and_swallow(tx: Tx, name: str) -> str:
    """Writes, and then something that fails alone: after writing itself, or before."""
    put(tx, name)
    _, error = tx.alone(put_and_raise, f"{name}-lost", REFUSAL)
    assert error is REFUSAL
    assert tx.alone(look_and_raise, name) == (None, REFUSAL)
    assert tx.alone(put, f"{name}-kept") == (f"{name}-kept", None)
    return name


def put_before_swallowing(tx: Tx, name: str) -> str:
    assert tx.alone(put, f"{name}-kept") == (f"{name}-kept", None)
    assert tx.alone(look_and_raise, name) == (None, REFUSAL)
    return put(tx, name)


async def all_at_once(store: Store, *units: tuple[Any, ...]) -> list[Any]:
    return await asyncio.gather(*(store.write(*unit) for unit in units), return_exceptions=True)


async def test_a_unit_that_has_written_nothing_makes_nobody_start_over(store: Store) -> None:
    answers = await all_at_once(store, (put, "a"), (look_and_raise, "b"), (put_before_swallowing, "c"), (put, "d"))
    assert answers == ["a", REFUSAL, "c", "d"]
    assert await stored(store) == ["a", "c", "c-kept", "d"]
    assert store.figures.started_over == 0


async def test_a_unit_that_has_written_makes_its_batch_start_over_once(store: Store) -> None:
    answers = await all_at_once(store, (put, "a"), (put_and_raise, "b", REFUSAL), (put_and_tell, "c"))
    assert answers[:2] == ["a", REFUSAL]
    assert await stored(store) == ["a", "c"]
    assert store.figures.started_over == 1


async def test_something_that_fails_alone_after_a_write_is_undone_alone(store: Store) -> None:
    assert await all_at_once(store, (put_and_swallow, "a"), (put, "b")) == ["a", "b"]
    assert await stored(store) == ["a", "a-kept", "b"]
    assert store.figures.started_over == 1


async def test_where_units_keep_failing_batches_begin_with_savepoints(store: Store) -> None:
    for number in range(CAREFUL_BATCHES):
        with pytest.raises(ValueError, match="no"):
            await store.write(put_and_raise, f"n{number}", ValueError("no"))
    assert store.figures.started_over == 1


@pytest.mark.parametrize("seed", range(20))
async def test_any_mixture_ends_as_if_each_unit_had_been_alone(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    units, expected, kept = [], [], []
    for number in range(chance.randint(1, 300)):
        name = f"u{number:03}"
        kind = chance.choices(range(5), weights=[40, 2, chance.choice([0, 1]), chance.choice([0, 1]), 2])[0]
        what: tuple[Any, ...] = (
            (put, name),
            (look_and_raise, name),
            (put_and_raise, name, REFUSAL),
            (put_and_swallow, name),
            (put_before_swallowing, name),
        )[kind]
        units.append(what)
        expected.append(REFUSAL if kind in (1, 2) else name)
        kept += [[name], [], [], [name, f"{name}-kept"], [name, f"{name}-kept"]][kind]
    assert await all_at_once(store, *units) == expected
    assert await stored(store) == sorted(kept)
