"""Clients that a bad network cuts off again and again hear everything once: on SQLite, by two desks on PostgreSQL."""

import asyncio
import os

import pytest

from hub.bench.relay import FAULTS
from hub.bench.storm import Plan, run

DISCONNECTS = 300 if os.environ.get("PARLEY_TEST_ALL") else 30


@pytest.mark.faults
@pytest.mark.timeout(300)
@pytest.mark.may_block(reason="the bench prepares files and processes; nobody is served by this loop")
@pytest.mark.loop_may_block(reason="the bench prepares files and processes; nobody is served by this loop")
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_whoever_is_cut_off_misses_nothing_and_hears_nothing_twice(database: str) -> None:
    plan = Plan(disconnects=DISCONNECTS, agents=8, visitors=8)
    found = {one.name: one for one in asyncio.run(run(database, plan))}
    assert found["storm.disconnects"].value >= DISCONNECTS
    assert found["storm.told"].value > DISCONNECTS
    for name in ("missed", "doubled", "out_of_order", "wrong"):
        assert found[f"storm.{name}"].value == 0, name


def test_the_network_is_bad_in_every_way() -> None:
    assert set(FAULTS) == {"reset", "close", "no answers", "no questions", "stall", "slices", "cut"}
