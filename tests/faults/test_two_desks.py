"""Several desks on one PostgreSQL: crossing work, a desk that is paused in the middle, a server that crashes."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.bench.postgres_server import Server, start_postgres
from hub.clock import SystemClock
from hub.db.postgres import PostgresBackend
from hub.db.store import Rx, Store, Tx
from tests.db.units import put
from tests.faults.harness import Victim, ledger_of, verdict

pytestmark = [pytest.mark.faults, pytest.mark.postgres]
IDLE = """
SELECT COUNT(*) FROM pg_stat_activity
WHERE application_name = 'parley' AND state LIKE 'idle in transaction%' AND datname = current_database()"""


async def test_desks_that_touch_the_same_rows_crosswise_do_not_deadlock(postgres_url: str) -> None:
    both = ("left", "right")

    def value(rx: Rx, name: str) -> object:
        return rx.value("SELECT value FROM setting WHERE name = :name", name=name)

    def touch(tx: Tx, first: str, second: str) -> None:
        for name in (first, second):
            found = int(tx.value("SELECT value FROM setting WHERE name = :name", name=name))
            tx.run("UPDATE setting SET value = :value WHERE name = :name", name=name, value=str(found + 1))

    async with (
        Store(PostgresBackend(postgres_url), SystemClock()) as one,
        Store(PostgresBackend(postgres_url), SystemClock()) as two,
    ):
        for name in both:
            await one.write(put, name, "0")
        crossing = [one.write(touch, *both) for _ in range(150)] + [two.write(touch, *both[::-1]) for _ in range(150)]
        await asyncio.gather(*crossing)
        for name in both:
            assert await two.read(value, name) == "300"


async def test_two_desks_under_load_of_which_one_is_killed(postgres_url: str) -> None:
    def run() -> list[Victim]:
        with Victim(postgres_url, "--name", "one") as one, Victim(postgres_url, "--name", "two") as two:
            one.ready().acknowledged(50)
            seen = two.ready().acknowledged(50)
            one.kill()
            two.acknowledged(50, since=max(seen, len(two.lines)), seconds=10)
            two.kill()
        return [one, two]

    ledger = ledger_of(*await asyncio.to_thread(run))
    assert ledger.count("ok") >= 150
    assert await verdict(PostgresBackend(postgres_url), ledger) == []


def pause_in_a_transaction(victim: Victim, watcher: "psycopg.Connection[Any]") -> None:
    """Stops the process where it holds the lock that all writers need."""
    for _ in range(2_000):
        victim.process.send_signal(signal.SIGSTOP)
        time.sleep(0.005)  # what it had sent is answered meanwhile
        if watcher.execute(IDLE).fetchone() == (1,):
            return
        victim.process.send_signal(signal.SIGCONT)
        time.sleep(0.003)
    raise AssertionError("it was never found in a transaction")


@pytest.mark.slow
@pytest.mark.serial
async def test_a_desk_that_is_paused_in_a_transaction_holds_the_others_up_for_three_seconds(postgres_url: str) -> None:
    waited: list[float] = []

    def run() -> list[Victim]:
        watch = psycopg.connect(postgres_url, autocommit=True)
        with watch, Victim(postgres_url, "--name", "one") as one:
            one.ready().acknowledged(20)
            pause_in_a_transaction(one, watch)
            started = time.monotonic()
            with Victim(postgres_url, "--name", "two") as two:
                two.ready().acknowledged(20, seconds=15)
                waited.append(time.monotonic() - started)
                seen = len(one.lines)
                one.process.send_signal(signal.SIGCONT)
                one.acknowledged(100, since=seen, seconds=15)
                one.kill()
                two.kill()
        return [one, two]

    ledger = ledger_of(*await asyncio.to_thread(run))
    assert await verdict(PostgresBackend(postgres_url), ledger) == []
    assert waited[0] < 6, "three seconds, a start of Python, and some air"


@pytest.fixture
def own_server() -> Iterator[Server]:
    """On a disk, for tests that crash it."""
    folder = Path(tempfile.mkdtemp(prefix="parley-pg-", dir="/tmp"))
    server = start_postgres(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.serial
async def test_a_server_that_crashes_under_load_is_used_again_within_seconds(own_server: Server) -> None:
    times = 10 if os.environ.get("PARLEY_TEST_ALL") else 2
    recovered: list[float] = []

    def run() -> Victim:
        with Victim(own_server.url, "--callers", "16") as victim:
            seen = victim.ready().acknowledged(50)
            for _ in range(times):
                started = time.monotonic()
                own_server.restart_immediate()
                seen = victim.acknowledged(50, since=max(seen, len(victim.lines)), seconds=20)
                recovered.append(time.monotonic() - started)
            victim.kill()
        return victim

    victim = await asyncio.to_thread(run)
    ledger = ledger_of(victim)
    assert ledger.count("ok") > 50 * times
    assert await verdict(PostgresBackend(own_server.url), ledger) == []
    assert max(recovered) < 5, recovered


@pytest.mark.serial
async def test_a_server_that_is_stopped_refuses_and_is_used_again_when_it_is_back(own_server: Server) -> None:
    def run() -> Victim:
        with Victim(own_server.url, "--callers", "16") as victim:
            seen = victim.ready().acknowledged(50)
            own_server.stop()
            seen = victim.wait_for(lambda line: b'"as":"refused"' in line, count=50, since=seen, seconds=10)
            own_server.start()
            victim.acknowledged(50, since=max(seen, len(victim.lines)), seconds=5)
            victim.kill()
        return victim

    ledger = ledger_of(await asyncio.to_thread(run))
    assert await verdict(PostgresBackend(own_server.url), ledger) == []
