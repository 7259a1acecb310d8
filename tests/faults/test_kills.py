"""A desk that is killed has stored what it acknowledged: at random moments and at every named place."""

import asyncio
import os
import random
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.db.backend import Backend
from hub.db.postgres import PostgresBackend
from hub.db.sqlite import SqliteBackend
from tests.faults.harness import Victim, hidden, ledger_of, verdict

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[2]
KILLS = 25 if os.environ.get("PARLEY_TEST_ALL") else 5
POINTS = ["store.before_commit", "store.after_commit", "tx.event_recorded"]
Where = tuple[str, Callable[[], Backend]]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    """What a victim is given, and the same for us. SQLite on a disk: its fsync is to be a real one."""
    if request.param == "sqlite":
        path = tmp_path / "parley.db"
        return str(path), lambda: SqliteBackend(path)
    url: str = request.getfixturevalue("postgres_url")
    return url, lambda: PostgresBackend(url)


def kill_at_random(target: str, times: int, chance: random.Random) -> list[Victim]:
    victims = []
    for number in range(times):
        with Victim(target, "--callers", "16", "--name", f"run{number}") as victim:
            victim.ready().acknowledged(chance.randint(1, 400))
            victim.kill()
        victims.append(victim)
    return victims


async def test_a_kill_at_any_moment_loses_and_doubles_nothing(where: Where, tmp_path: Path) -> None:
    target, backend = where
    victims = await asyncio.to_thread(kill_at_random, target, KILLS, random.Random(7))
    assert [victim.process.returncode for victim in victims] == [-signal.SIGKILL] * KILLS
    ledger = ledger_of(*victims)
    assert ledger.count("ok") > KILLS
    assert await verdict(backend(), ledger) == []
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("nth", [1, 2, 60])
@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_at_a_named_place_loses_and_doubles_nothing(where: Where, point: str, nth: int) -> None:
    target, backend = where

    def crash_and_go_on() -> list[Victim]:
        with Victim(target, "--callers", "8", "--name", "first", point=f"{point}:{nth}") as first:
            assert first.ended() == 137, first.complaints
        with Victim(target, "--callers", "8", "--name", "second", "--limit", "5") as second:
            assert second.ended() == 0, second.complaints
        return [first, second]

    ledger = ledger_of(*await asyncio.to_thread(crash_and_go_on))
    assert ledger.count("ok") >= 40
    assert await verdict(backend(), ledger) == []


def test_every_named_place_is_one_where_some_test_crashes() -> None:
    named = {
        name
        for path in (ROOT / "hub").rglob("*.py")
        for name in re.findall(r'crash_point\("([a-z_.]+)"\)', path.read_text(encoding="utf-8"))
    }
    assert set(POINTS) <= named
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    assert [name for name in sorted(named) if name not in tests] == []
