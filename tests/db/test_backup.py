"""A backup holds the whole record and nothing that was never acknowledged; restored, it is the record again."""

import asyncio
import contextlib
import json
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.bench.ledger import Given, Ledger, Stored, digest
from hub.bench.postgres_server import Server
from hub.clock import ManualClock, SystemClock
from hub.db import tables
from hub.db.backend import Backend
from hub.db.backup import BackupFailed, create
from hub.db.contents import Contents
from hub.db.migrate import known, migrate
from hub.db.postgres import PostgresBackend
from hub.db.restore import EVENTS_SKIPPED, bring_contents, restore
from hub.db.sqlite import SqliteBackend
from hub.db.store import Store
from hub.desk.files.rows import Content, name_content
from hub.errors import StartRefused
from tests.db.units import put, put_and_tell
from tests.faults.harness import record
from tests.faults.victim import operation

NOW = 1_790_000_000_000

SCHEMA = len(known())


def sample(kind: str, name: str, number: int) -> Any:
    """A value for a column that names its type only."""
    if kind == "INTEGER":
        return number if name == "id" or name.endswith("_id") else number * 1_000_000_007
    if kind == "BLOB":
        return bytes([0, 255, number])
    return f"{name} ‘ሰው’ \\N \t\n {number}"


def fill_every_table(path: Path) -> dict[str, int]:
    """Two rows in each table, of the schema's own making: what is added later is filled as well."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("PRAGMA ignore_check_constraints = ON")
        for table in tables.tables(raw):
            parents = {row[3] for row in raw.execute(f"PRAGMA foreign_key_list({table})")}
            for number in (1, 2):
                row = {
                    name: number if name in parents else sample(kind, name, number)
                    for _, name, kind, *_ in raw.execute(f"PRAGMA table_info({table})")
                }
                checked(raw, table, row)
        return {table: tables.count(raw, table) for table in tables.tables(raw)}


def checked(raw: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    """PostgreSQL keeps the CHECKs: a column with one gets the first word that it allows."""
    (sql,) = raw.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    for name in row:
        _, found, allowed = sql.partition(f"CHECK ({name} IN (")
        if found:
            row[name] = allowed.split("'")[1]
    marks = ", ".join(f":{name}" for name in row)
    raw.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)


def contents(path: Path) -> dict[str, list[Any]]:
    with contextlib.closing(sqlite3.connect(path)) as raw:
        return {name: sorted(raw.execute(f"SELECT * FROM {name}"), key=repr) for name in tables.tables(raw)}


@contextlib.asynccontextmanager
async def opened(backend: Backend) -> AsyncIterator[Backend]:
    await backend.open()
    try:
        yield backend
    finally:
        await backend.close()


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """An empty place of the kind named by the test: nothing of ours in it."""
    if request.param == "sqlite":
        return SqliteBackend(tmp_path / "restored" / "parley.db")
    server: Server = request.getfixturevalue("postgres_server")
    admin: psycopg.Connection[Any] = request.getfixturevalue("postgres_admin")
    admin.execute("CREATE DATABASE restored")
    request.addfinalizer(lambda: admin.execute("DROP DATABASE restored WITH (FORCE)"))
    return PostgresBackend(server.database("restored"))


BOTH = pytest.mark.parametrize("empty", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)


async def back_up(backend: Backend, target: Path) -> dict[str, Any]:
    async with Store(backend, ManualClock(NOW)) as store:
        return await create(store, target)


@BOTH
async def test_every_table_is_carried_there_and_back(sqlite_path: Path, empty: Backend, tmp_path: Path) -> None:
    counts = await asyncio.to_thread(fill_every_table, sqlite_path)
    assert set(counts.values()) == {2}
    await back_up(SqliteBackend(sqlite_path), tmp_path / "first.db")
    before = await asyncio.to_thread(contents, tmp_path / "first.db")

    seen: list[tuple[int, int]] = []
    async with opened(empty):
        done = await restore(empty, tmp_path / "first.db", NOW, lambda done, of: seen.append((done, of)))
        assert done == {"schema": SCHEMA, "rows": 2 * len(counts)}
    assert seen[-1] == (2 * len(counts), 2 * len(counts))

    await back_up(_again(empty), tmp_path / "second.db")
    after = await asyncio.to_thread(contents, tmp_path / "second.db")
    assert after["setting"] == sorted([*before["setting"], ("outbox", "frozen")], key=repr)
    assert after["presence"] == after["lease"] == []
    for name in before.keys() - {"setting", "presence", "lease"}:
        assert after[name] == before[name], name


@BOTH
async def test_after_a_restore_nothing_leaves_and_ids_go_on_beyond_what_clients_have_seen(
    sqlite_path: Path, empty: Backend, tmp_path: Path
) -> None:
    async with Store(SqliteBackend(sqlite_path), ManualClock(NOW)) as store:
        newest = await store.write(put_and_tell, "a")
        job = await store.write(lambda tx: tx.enqueue("deliver"))
        await store.write(lambda tx: tx.run("UPDATE job SET state = 'running', lease_until = 5, lease_by = 'me'"))
        await create(store, tmp_path / "backup.db")
    async with opened(empty):
        await restore(empty, tmp_path / "backup.db", NOW)
    async with Store(_again(empty), ManualClock(NOW)) as restored:
        assert await restored.read(lambda rx: rx.value("SELECT value FROM setting WHERE name = 'outbox'")) == "frozen"
        row = await restored.read(lambda rx: rx.row("SELECT id, state, lease_until, lease_by FROM job"))
        assert row == (job, "ready", None, None)
        assert await restored.write(put_and_tell, "b") > newest + EVENTS_SKIPPED
        assert await restored.write(lambda tx: tx.enqueue("deliver")) == job + 1


def _again(backend: Backend) -> Backend:
    return SqliteBackend(backend.path) if isinstance(backend, SqliteBackend) else PostgresBackend(backend.url)  # type: ignore[attr-defined]


async def test_a_backup_under_load_is_a_moment_of_the_record(backend: Backend, tmp_path: Path) -> None:
    ledger = Ledger()
    acknowledged: list[str] = []
    stop = asyncio.Event()

    async def sender(store: Store, name: str) -> None:
        n = 0
        while not stop.is_set():
            body = f"{name} says {n}".ljust(300, "x")
            given = Given(f"{name}-{n}", name, n, digest(body))
            ledger.given[given.do] = given
            await store.write(operation, given, body)
            acknowledged.append(given.do)
            n += 1

    async with Store(backend, SystemClock()) as store:
        senders = [asyncio.create_task(sender(store, f"s{k}")) for k in range(16)]
        await asyncio.sleep(0.3)
        moments = []
        for number in range(3):
            before = set(acknowledged)
            await create(store, tmp_path / f"{number}.db")
            moments.append((before, set(ledger.given)))
            await asyncio.sleep(0.05)
        stop.set()
        await asyncio.gather(*senders)
    for number, (before, given) in enumerate(moments):
        restored = SqliteBackend(tmp_path / f"restored{number}" / "parley.db")
        async with opened(restored):
            await restore(restored, tmp_path / f"{number}.db", NOW)
        async with Store(_again(restored), SystemClock()) as store:
            rows, told = await store.read(record)
        found = [json.loads(payload) for _, payload in rows]
        ids = {f["id"] for f in found}
        assert before <= ids <= given, "all that was acknowledged before it began, nothing from after it ended"
        assert told == [row[0] for row in rows]
        assert ledger.check(Stored(f["id"], f["by"], f["n"], f["hash"]) for f in found) == []
        for name in {f["by"] for f in found}:
            numbers = [f["n"] for f in found if f["by"] == name]
            assert numbers == list(range(len(numbers))), "a moment has no holes"


async def test_a_backup_is_one_closed_file_with_a_name_by_the_time(backend: Backend, tmp_path: Path) -> None:
    async with Store(backend, ManualClock(NOW)) as store:
        await store.write(put, "a")
        made = await create(store, tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.name == "parley-20260921-141320.db"
    assert made == {"path": str(path), "bytes": path.stat().st_size, "schema": SCHEMA, "rows": 1}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes()[18:20] == b"\x01\x01", "not in WAL mode: it can be read where nothing may be written"


async def test_a_backup_never_takes_the_place_of_a_file(sqlite_store: Store, tmp_path: Path) -> None:
    (tmp_path / "there.db").write_text("precious")
    with pytest.raises(BackupFailed, match="already"):
        await create(sqlite_store, tmp_path / "there.db")
    assert (tmp_path / "there.db").read_text() == "precious"


async def test_a_backup_that_fails_leaves_nothing_behind(sqlite_store: Store, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(BackupFailed, match="could not be written"):
        await create(sqlite_store, tmp_path / "a file" / "backup.db")
    assert [path.name for path in tmp_path.iterdir()] == ["a file"]


@BOTH
@pytest.mark.parametrize("fault", ["damaged", "text", "newer", "cut short"])
async def test_a_backup_that_is_none_is_refused_before_anything_is_touched(
    sqlite_path: Path, empty: Backend, tmp_path: Path, fault: str
) -> None:
    source = tmp_path / "backup.db"
    async with Store(SqliteBackend(sqlite_path), ManualClock(NOW)) as store:
        for number in range(50):
            await store.write(put, f"n{number}", "x" * 3_000)
        await create(store, source)
    whole = source.read_bytes()
    if fault == "text":
        source.write_text("Dear backup, " * 1_000)
    elif fault == "newer":
        with contextlib.closing(sqlite3.connect(source)) as raw, raw:
            raw.execute("INSERT INTO schema_version (version, applied_at) VALUES (99, 0)")
    elif fault == "cut short":
        source.write_bytes(whole[: len(whole) // 2])
    else:
        middle = len(whole) * 3 // 4 // 4096 * 4096
        source.write_bytes(whole[:middle] + b"\xff" * 4096 + whole[middle + 4096 :])
    async with opened(empty):
        with pytest.raises(StartRefused, match=r"backup"):
            await restore(empty, source, NOW)
        assert await migrate(empty, NOW) == SCHEMA, "nothing had been made there"


@BOTH
async def test_a_database_with_anything_in_it_is_refused_and_left_alone(
    sqlite_path: Path, empty: Backend, tmp_path: Path
) -> None:
    await back_up(SqliteBackend(sqlite_path), tmp_path / "backup.db")
    async with opened(empty):
        await migrate(empty, NOW)
    async with Store(_again(empty), ManualClock(NOW)) as store:
        await store.write(put, "a")
        with pytest.raises(StartRefused, match="not empty"):
            await restore(store.backend, tmp_path / "backup.db", NOW)
        assert await store.read(lambda rx: rx.rows("SELECT name FROM setting")) == [("a",)]


@BOTH
async def test_a_restore_that_breaks_off_leaves_the_place_empty(
    sqlite_path: Path, empty: Backend, tmp_path: Path
) -> None:
    """A row that the new place refuses: SQLite kept the CHECK aside, the restored one does not."""
    with contextlib.closing(sqlite3.connect(sqlite_path)) as raw, raw:
        raw.execute("INSERT INTO setting (name, value) VALUES ('a', 'b')")
        raw.execute("PRAGMA ignore_check_constraints = ON")
        raw.execute("INSERT INTO role (name, permissions, sees, created_at) VALUES ('r', '[]', 'nonsense', 0)")
    source = tmp_path / "backup.db"
    async with Store(SqliteBackend(sqlite_path), ManualClock(NOW)) as store:
        with pytest.raises(BackupFailed, match="CHECK"):
            await create(store, source)
        await store.backend.backup(str(source), lambda done, of: None)
    async with opened(empty):
        with pytest.raises(StartRefused, match="could not be restored"):
            await restore(empty, source, NOW)
    async with Store(_again(empty), ManualClock(NOW)) as store:
        await migrate(store.backend, NOW)
        assert await store.read(lambda rx: rx.rows("SELECT name FROM setting")) == []


async def test_what_files_hold_goes_along_and_comes_back(sqlite_path: Path, tmp_path: Path) -> None:
    here, there = Contents(tmp_path / "files"), Contents(tmp_path / "elsewhere")

    def put_content(data: bytes) -> str:
        writing = here.begin(100)
        writing.write(data)
        return here.keep(writing)

    names = [await asyncio.to_thread(put_content, data) for data in (b"one", b"two", b"lost")]
    await asyncio.to_thread(here.keep_preview, names[0], b"small")
    async with Store(SqliteBackend(sqlite_path), ManualClock(NOW)) as store:
        for name in names:
            await store.write(name_content, Content(name, 3, "image/png", "off"))
        await asyncio.to_thread(here.path(names[2]).unlink)
        made = await create(store, tmp_path / "backup.db", contents=here)
    assert (made["files"], made["missing"]) == (2, 1)

    def back() -> dict[str, int]:
        return bring_contents(tmp_path / "backup.db", there)

    assert await asyncio.to_thread(back) == {"files": 2, "missing": 1}
    assert await asyncio.to_thread(there.path(names[1]).read_bytes) == b"two"
    assert await asyncio.to_thread(there.preview(names[0]).read_bytes) == b"small"
    assert await asyncio.to_thread(back) == {"files": 2, "missing": 1}, "once more does no harm"
