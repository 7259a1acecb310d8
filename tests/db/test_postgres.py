"""What only PostgreSQL has: its settings, the lock that comes first, connections that die, several desks."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from hub.clock import ManualClock, SystemClock
from hub.db.postgres import LOCK, PostgresBackend
from hub.db.store import Rx, Store, Tx
from hub.errors import OutcomeUnknown, StartRefused, Unavailable
from tests.db.relay import Relay
from tests.db.units import Gate, events, names, numbered, put, put_and_tell, stored

pytestmark = pytest.mark.postgres

CURRENT = "SELECT current_setting(:name)"
OURS = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'parley' AND datname = current_database()"
PID = "SELECT pg_backend_pid()"
LOCKS = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"


def kill(url: str, pid: int) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
            pass


@pytest_asyncio.fixture
async def second(postgres_url: str, clock: ManualClock) -> AsyncIterator[Store]:
    """Another desk on the same record as `postgres_store`."""
    async with Store(PostgresBackend(postgres_url, own_clock=True), clock) as store:
        yield store


async def test_the_sessions_settings_are_what_was_asked_for(postgres_store: Store) -> None:
    def current(rx: Rx, name: str) -> object:
        return rx.value(CURRENT, name=name)

    for name, wanted in {
        "idle_in_transaction_session_timeout": "3s",
        "lock_timeout": "10s",
        "statement_timeout": "10s",
        "synchronous_commit": "on",
        "transaction_isolation": "read committed",
    }.items():
        assert await postgres_store.write(current, name) == wanted
    for name, wanted in {
        "transaction_isolation": "repeatable read",
        "transaction_read_only": "on",
        "statement_timeout": "10s",
    }.items():
        assert await postgres_store.read(current, name) == wanted


async def test_a_migration_may_take_its_time_and_the_units_after_it_may_not(postgres_store: Store) -> None:
    def look(session: Any) -> list[Any]:
        session.set_patience(True)
        try:
            return [session.rows(CURRENT, {"name": name})[0][0] for name in ("lock_timeout", "statement_timeout")]
        finally:
            session.set_patience(False)

    assert await postgres_store.backend.in_writer(look) == ["15min", "15min"]
    assert await postgres_store.write(lambda tx: tx.value(CURRENT, name="statement_timeout")) == "10s"


async def test_a_write_transaction_takes_the_one_lock_before_anything_else(
    postgres_store: Store, second: Store
) -> None:
    assert await postgres_store.write(lambda tx: tx.value(LOCKS)) == 1
    assert int.from_bytes(b"parley") == LOCK
    gate = Gate()
    holding = asyncio.create_task(postgres_store.write(gate.pass_through))
    await asyncio.to_thread(gate.entered.wait, 10)
    waiting = asyncio.create_task(second.write(put, "b"))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    gate.open()
    await holding
    assert await waiting == "b"


async def test_what_a_unit_has_read_cannot_change_under_it(postgres_store: Store, second: Store) -> None:
    def count_up(tx: Tx) -> None:
        found = tx.value("SELECT value FROM setting WHERE name = 'n'")
        if found is None:
            put(tx, "n", "1")
        else:
            tx.run("UPDATE setting SET value = :value WHERE name = 'n'", value=str(int(found) + 1))

    await asyncio.gather(*(store.write(count_up) for _ in range(100) for store in (postgres_store, second)))
    assert await second.read(lambda rx: rx.value("SELECT value FROM setting WHERE name = 'n'")) == "200"


async def test_event_ids_of_two_desks_are_committed_in_order(postgres_store: Store, second: Store) -> None:
    seen: list[int] = []

    async def watch() -> None:
        while len(seen) < 400:
            found = [number for number, _ in await second.read(events)]
            assert found[: len(seen)] == seen, "an event came in before one that had been seen"
            seen[:] = found

    watching = asyncio.create_task(watch())
    await asyncio.gather(
        *(postgres_store.write(put_and_tell, name) for name in numbered("a", 200)),
        *(second.write(put_and_tell, name) for name in numbered("b", 200)),
    )
    await asyncio.wait_for(watching, 30)
    assert seen == sorted(seen)


async def test_the_other_desk_is_woken_after_a_commit_with_events(postgres_store: Store, second: Store) -> None:
    woken = asyncio.Event()
    listening = asyncio.create_task(second.backend.listen(woken.set))
    await asyncio.wait_for(woken.wait(), 10)  # once after connecting, for what was missed
    woken.clear()
    await postgres_store.write(put, "silent")
    await asyncio.sleep(0.1)
    assert not woken.is_set()
    await postgres_store.write(put_and_tell, "told")
    await asyncio.wait_for(woken.wait(), 5)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


# --- connections that die ------------------------------------------------------------------------------------------


async def test_a_batch_whose_connection_dies_before_commit_runs_once_more(
    postgres_store: Store, postgres_url: str
) -> None:
    runs: list[str] = []

    def die_once(tx: Tx, name: str) -> str:
        runs.append(name)
        put(tx, name)
        if len(runs) == 2:
            kill(postgres_url, tx.value(PID))
            tx.value(PID)
        return name

    answers = await asyncio.gather(*(postgres_store.write(die_once, name) for name in "abc"))
    assert answers == ["a", "b", "c"]
    # The death is noticed by the statement after it: the second unit's own.
    assert runs == ["a", "b", "a", "b", "c"]
    assert await stored(postgres_store) == ["a", "b", "c"]


async def test_a_batch_that_loses_its_connection_each_time_is_refused(postgres_store: Store, postgres_url: str) -> None:
    runs: list[int] = []

    def die(tx: Tx) -> None:
        runs.append(1)
        put(tx, "a")
        kill(postgres_url, tx.value(PID))
        put(tx, "b")

    with pytest.raises(Unavailable) as refused:
        await postgres_store.write(die)
    assert type(refused.value) is Unavailable
    assert len(runs) == 2
    assert await stored(postgres_store) == []
    assert await postgres_store.write(put, "c") == "c"


async def test_connections_that_died_while_idle_are_replaced_unnoticed(
    postgres_store: Store, postgres_url: str
) -> None:
    await asyncio.gather(*(stored(postgres_store) for _ in range(20)))

    def kill_all() -> None:
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    await asyncio.to_thread(kill_all)
    assert await postgres_store.write(put, "a") == "a"
    assert await asyncio.gather(*(stored(postgres_store) for _ in range(20))) == [["a"]] * 20


async def test_a_read_whose_connection_dies_is_read_again(postgres_store: Store, postgres_url: str) -> None:
    reads: list[int] = []

    def die_once(rx: Rx) -> list[str]:
        reads.append(1)
        if len(reads) == 1:
            kill(postgres_url, rx.value(PID))
        return names(rx)

    await stored(postgres_store)
    await asyncio.gather(*(stored(postgres_store) for _ in range(20)))  # every reader is connected
    assert await postgres_store.read(die_once) == []
    assert len(reads) == 2


@pytest.fixture
def relay(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    with Relay(postgres_url) as relay:
        yield relay


@pytest.mark.parametrize("reached", [True, False], ids=["which the server got", "which the server never got"])
async def test_a_connection_lost_during_commit_leaves_the_outcome_unknown(
    relay: Relay, postgres_url: str, reached: bool
) -> None:
    async with Store(PostgresBackend(relay.url), SystemClock()) as store:
        await store.write(put, "before")
        relay.cut_at(b"COMMIT", forward=reached)
        answers = await asyncio.gather(store.write(put, "a"), store.write(put, "b"), return_exceptions=True)
        assert [type(answer) for answer in answers] == [OutcomeUnknown, OutcomeUnknown]
        assert "same client id" in str(answers[0])
        assert await store.write(put, "later") == "later"  # behind the lock of the one before
        assert await stored(store) == (["a", "b", "before", "later"] if reached else ["before", "later"])


async def test_a_connection_lost_at_the_lock_is_tried_again(relay: Relay) -> None:
    async with Store(PostgresBackend(relay.url), SystemClock()) as store:
        await store.write(put, "before")
        relay.cut_at(b"pg_advisory_xact_lock", forward=False)
        assert await store.write(put, "a") == "a"


async def test_a_server_that_cannot_be_reached_refuses_everybody_at_once(relay: Relay) -> None:
    async with Store(PostgresBackend(relay.url), SystemClock()) as store:
        await store.write(put, "before")
        relay.refuse()
        calls = [store.write(put, name) for name in numbered("n", 200)] + [store.read(names) for _ in range(10)]
        answers = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 10)
        assert {type(answer) for answer in answers} == {Unavailable}
        relay.accept()
        assert await store.write(put, "after") == "after"
        assert await stored(store) == ["after", "before"]


# --- starts that are refused ---------------------------------------------------------------------------------------


async def test_a_server_that_is_not_there_refuses_the_start_in_words(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="PARLEY_DATABASE"):
        await Store(PostgresBackend(f"postgresql://parley@/parley?host={tmp_path}"), SystemClock()).open()


async def test_a_url_that_is_none_refuses_the_start_in_words() -> None:
    with pytest.raises(StartRefused, match="PARLEY_DATABASE"):
        await Store(PostgresBackend("postgresql://parley@/parley?no_such_thing=1"), SystemClock()).open()


async def test_a_database_that_answers_before_it_has_stored_is_set_right_and_let_go(postgres_url: str) -> None:
    backend = PostgresBackend(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as other:
        name = other.info.dbname
        other.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        async with Store(backend, SystemClock()) as store:
            assert await store.write(lambda tx: tx.value(CURRENT, name="synchronous_commit")) == "on"
        for _ in range(500):  # the server takes a moment to notice
            if other.execute(OURS).fetchone() == (0,):
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("a connection was left open")
