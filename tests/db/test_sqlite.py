"""What only SQLite has: its settings, its one owner, the private names of the library, starts that are refused."""

import asyncio
import inspect
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import aiosqlite
import pytest

from hub.clock import ManualClock
from hub.db.sqlite import DeskLock, SqliteBackend
from hub.db.store import Rx, Store, Tx
from hub.errors import StartRefused
from tests.db.units import Gate, put, stored


def test_the_two_private_names_of_the_library_are_what_they_were() -> None:
    """hub/db/sqlite.py hands whole units to `_execute` and gets at the raw connection by `_conn`."""
    assert aiosqlite.__version__ == "0.22.1"
    assert inspect.iscoroutinefunction(aiosqlite.Connection._execute)
    assert list(inspect.signature(aiosqlite.Connection._execute).parameters) == ["self", "fn", "args", "kwargs"]
    assert isinstance(aiosqlite.Connection._conn, property)


async def test_a_function_given_to_the_library_runs_in_the_connections_thread(tmp_path: Path) -> None:
    async with aiosqlite.connect(tmp_path / "a.db") as connection:
        found = await connection._execute(threading.current_thread)
        assert found is not threading.current_thread()
        assert await connection._execute(threading.current_thread) is found
        assert isinstance(connection._conn, sqlite3.Connection)


async def test_the_settings_are_what_durability_needs(sqlite_store: Store) -> None:
    def pragma(rx: Rx, name: str) -> object:
        return rx.value(f"PRAGMA {name}")

    for name, wanted in {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "query_only": 0,
        "busy_timeout": 5_000,
    }.items():
        assert await sqlite_store.write(pragma, name) == wanted, name
    for name, wanted in {"query_only": 1, "mmap_size": 0, "trusted_schema": 0}.items():
        found = await asyncio.gather(*(sqlite_store.read(pragma, name) for _ in range(3)))
        assert found == [wanted] * 3, name


async def test_a_write_transaction_holds_the_writers_lock_before_its_first_statement(
    sqlite_store: Store, sqlite_path: Path
) -> None:
    gate = Gate()
    holding = asyncio.create_task(sqlite_store.write(gate.pass_through))
    await asyncio.to_thread(gate.entered.wait, 10)

    def other_desk() -> str:
        other = sqlite3.connect(sqlite_path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            return "went through"
        except sqlite3.OperationalError as error:
            return str(error)
        finally:
            other.close()

    try:
        assert await asyncio.to_thread(other_desk) == "database is locked"
    finally:
        gate.open()
        await holding


async def test_foreign_keys_are_kept(sqlite_store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await sqlite_store.write(
            lambda tx: tx.run("INSERT INTO team_member (team_id, agent_id) VALUES (:team, 1)", team=9)
        )


async def test_the_log_is_gone_after_closing(sqlite_path: Path) -> None:
    async with Store(SqliteBackend(sqlite_path), ManualClock()) as store:
        await store.write(put, "a")
        assert sqlite_path.with_name("parley.db-wal").exists()
    assert sorted(path.name for path in sqlite_path.parent.iterdir()) == ["parley.db"]


@pytest.mark.parametrize("fault", ["a folder", "no database", "a folder that is a file"])
async def test_a_start_that_is_refused_leaves_no_thread_behind(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "parley.db"
    if fault == "a folder":
        path.mkdir()
    elif fault == "no database":
        path.write_bytes(b"this is not a database, whatever its name says" * 100)
    else:
        path.write_text("")
        path = path / "parley.db"
    before = set(threading.enumerate())
    with pytest.raises(StartRefused) as refused:
        await Store(SqliteBackend(path), ManualClock()).open()
    assert str(path) in str(refused.value)
    left = [thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("asyncio_")]
    for thread in left:
        await asyncio.to_thread(thread.join, 10)
    assert not any(thread.is_alive() for thread in left)


@pytest.mark.slow
def test_a_process_whose_start_was_refused_ends(tmp_path: Path) -> None:
    (tmp_path / "parley.db").mkdir()
    program = (
        "import asyncio; from pathlib import Path; from hub.clock import SystemClock; from hub.db.store import Store\n"
        "from hub.db.sqlite import SqliteBackend\n"
        "asyncio.run(Store(SqliteBackend(Path('parley.db')), SystemClock()).open())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 1
    assert "StartRefused" in done.stderr


async def test_a_file_on_which_the_log_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """`locking_mode` and foreign file systems aside, a VFS without shared memory refuses WAL: as `:memory:` does."""
    backend = SqliteBackend(Path(":memory:"))
    with pytest.raises(StartRefused, match="journal_mode"):
        await Store(backend, ManualClock()).open()


# --- one desk a folder -------------------------------------------------------------------------------------------

OTHER = """
import sys
from pathlib import Path
from hub.db.sqlite import DeskLock
lock = DeskLock(Path(sys.argv[1]))
print(lock.acquire(), lock.holder(), flush=True)
sys.stdin.read()
"""


def other_process(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", OTHER, str(folder)],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_one_process_only_is_the_desk_of_a_folder(tmp_path: Path) -> None:
    lock = DeskLock(tmp_path)
    assert lock.acquire()
    assert lock.acquire(), "asking again is no harm"
    with other_process(tmp_path) as other:
        assert other.stdout is not None
        assert other.stdout.readline().split() == ["False", str(os.getpid())]
        other.communicate("")
    lock.release()
    with other_process(tmp_path) as other:
        assert other.stdout is not None
        assert other.stdout.readline().split()[0] == "True"
        assert not lock.acquire()
        other.kill()
        other.wait()
    assert lock.acquire(), "the lock of a killed process is nobody's"
    lock.release()


def test_reading_the_lock_file_does_not_give_the_lock_away(tmp_path: Path) -> None:
    lock = DeskLock(tmp_path)
    assert lock.acquire()
    assert DeskLock(tmp_path).holder() == os.getpid()
    assert not DeskLock(tmp_path).acquire(), "not even a second desk in the same process"
    with other_process(tmp_path) as other:
        assert other.stdout is not None
        assert other.stdout.readline().split()[0] == "False"
        other.communicate("")
    lock.release()


async def test_a_unit_left_open_by_a_failed_rollback_is_ended_by_the_next_begin(sqlite_store: Store) -> None:
    await sqlite_store.backend.in_writer(lambda session: session.control("BEGIN"))
    await sqlite_store.write(put, "a")
    assert await stored(sqlite_store) == ["a"]


async def test_a_unit_over_fifty_milliseconds_is_counted(sqlite_store: Store) -> None:
    import time

    def slow(tx: Tx) -> None:
        time.sleep(0.06)

    await sqlite_store.write(slow)
    await sqlite_store.write(put, "a")
    assert sqlite_store.figures.slow == 1
    assert sqlite_store.figures.units == 2
