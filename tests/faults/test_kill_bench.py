"""The whole desk, killed under load through every door: `parley bench kill` with few kills."""

import asyncio

import pytest

from hub.bench.kill import Plan, crash_points, run
from hub.bench.result import Result

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(900),
    pytest.mark.may_block(reason="the bench starts and stops processes; nobody is served by this loop"),
    pytest.mark.loop_may_block(reason="the bench starts and stops processes; nobody is served by this loop"),
]
DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def judged(found: list[Result], acknowledged: int) -> None:
    values = {one.name: one.value for one in found}
    assert values.pop("kill.acknowledged") > acknowledged
    assert set(values.values()) == {0}, values


@pytest.mark.parametrize("database", DATABASES)
def test_ten_kills_lose_and_double_nothing(database: str) -> None:
    judged(asyncio.run(run(database, Plan(kills=10, seed=3, check=5))), 100)


@pytest.mark.slow
@pytest.mark.parametrize("database", DATABASES)
def test_a_hundred_kills_lose_and_double_nothing(database: str) -> None:
    server = 10 if database == "postgres" else 0
    judged(asyncio.run(run(database, Plan(kills=100, seed=4, check=25, server=server))), 1_000)


def test_every_named_place_of_a_running_desk_is_tried() -> None:
    assert crash_points() == [
        "inbound.after_write",
        "inbound.before_write",
        "outbound.sending",
        "outbound.sent",
        "queue.claimed",
        "store.after_commit",
        "store.before_commit",
        "tx.event_recorded",
    ]
