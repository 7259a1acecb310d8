"""Where benchmarks run: a folder on a real disk, databases in it, and copies of them that all begin in one state."""

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

from hub.bench.postgres_server import Server, start_postgres
from hub.clock import Clock, SystemClock
from hub.db.backend import Backend
from hub.db.migrate import migrate
from hub.db.sqlite import SqliteBackend
from hub.db.store import Store
from hub.reactions import REACTIONS
from hub.seal import Sealer

_IN_MEMORY: Final = ("tmpfs", "ramfs")


@contextlib.contextmanager
def disk_folder(wanted: Path | None = None) -> Iterator[Path]:
    """A new folder that is gone afterwards, on a disk: in memory an fsync costs nothing and a ratio means nothing."""
    for base in (wanted,) if wanted else (Path(tempfile.gettempdir()), Path("/var/tmp"), Path.cwd()):
        if base.is_dir() and os.access(base, os.W_OK) and (wanted or file_system(base) not in _IN_MEMORY):
            break
    else:
        raise SystemExit("There is no folder on a disk here to measure in. Name one with --folder.")
    path = Path(tempfile.mkdtemp(prefix="parley-bench-", dir=base))
    path.chmod(0o711)  # PostgreSQL may have to run as somebody else
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def file_system(path: Path) -> str:
    """Its type as the kernel names it, of the longest mount point that holds `path`."""
    path, best, found = path.resolve(), -1, "unknown"
    with contextlib.suppress(OSError):
        for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
            _, point, kind, *_ = line.split(" ")
            if path.is_relative_to(point) and len(point) > best:
                best, found = len(point), kind
    return found


class Ground(Protocol):
    """A kind of database: `copy` gives the next one, in the state in which `template` was left."""

    name: str

    def backend(self, where: str) -> Backend: ...
    def empty(self) -> str: ...
    def copy(self, of: str) -> str: ...
    def drop(self, where: str) -> None: ...


class SqliteGround:
    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def backend(self, where: str) -> Backend:
        return SqliteBackend(Path(where))

    def empty(self) -> str:
        return str(Path(tempfile.mkdtemp(prefix="desk-", dir=self.folder)) / "parley.db")

    def copy(self, of: str) -> str:
        where = self.empty()
        shutil.copyfile(of, where)
        fd = os.open(where, os.O_RDONLY)
        os.fsync(fd)  # or the first commits pay for the copying
        os.close(fd)
        return where

    def drop(self, where: str) -> None:
        shutil.rmtree(Path(where).parent, ignore_errors=True)


class PostgresGround:
    name = "postgres"

    def __init__(self, server: Server) -> None:
        self.server = server
        self._numbers = itertools.count(1)

    def backend(self, where: str) -> Backend:
        from hub.db.postgres import PostgresBackend

        return PostgresBackend(self.server.database(where))

    def empty(self) -> str:
        return self.copy("template0")

    def copy(self, of: str) -> str:
        name = f"bench_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY FILE_COPY")
        return name

    def drop(self, where: str) -> None:
        self._run(f"DROP DATABASE {where} WITH (FORCE)")

    def tidy(self, where: str) -> None:
        """What autovacuum does in real life, but not in the first minute."""
        self._run("VACUUM ANALYZE", where)

    def _run(self, sql: str, where: str = "postgres") -> None:
        import psycopg

        with psycopg.connect(self.server.database(where), autocommit=True) as connection:
            connection.execute(sql.encode())


@contextlib.contextmanager
def ground(database: str, folder: Path) -> Iterator[Any]:
    """SqliteGround or PostgresGround in `folder`."""
    if database == "sqlite":
        yield SqliteGround(folder)
        return
    server = start_postgres(folder / "pg", options={"autovacuum": "off", "shared_buffers": "256MB"})
    try:
        yield PostgresGround(server)
    finally:
        server.stop()


@contextlib.asynccontextmanager
async def opened(backend: Backend, sealer: Sealer | None = None, clock: Clock | None = None) -> AsyncIterator[Store]:
    """A store as a desk has it: migrated, with the reactions."""
    clock = clock or SystemClock()
    async with Store(backend, clock, REACTIONS) as store:
        store.sealer = sealer
        await migrate(backend, clock.now())
        yield store
