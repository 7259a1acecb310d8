"""The baselines of `ingest`: recorded statements in a bare loop, and the wall that fsync is."""

import gc
import random
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from hub.bench.customers import address
from hub.bench.recording import Statement
from hub.clock import SystemClock
from hub.db.sql import for_psycopg

Units = Sequence[Sequence[Statement]]
A_TRANSACTION: Final = 128
_PARAMETER: Final = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")

# What any desk has to do for a message of somebody known, and nothing more.
_CONTACT: Final = "SELECT contact_id FROM contact_point WHERE kind = 'email' AND scope = '' AND value = ?"
_TICKET: Final = "SELECT id FROM ticket WHERE contact_id = ? ORDER BY id DESC LIMIT 1"
_MESSAGE: Final = """
INSERT INTO message (ticket_id, inbox_id, direction, author_kind, author_id, text, external_id, created_at)
VALUES (?, 1, 'incoming', 'contact', ?, ?, ?, ?) RETURNING id"""
_UPDATE: Final = "UPDATE ticket SET last_message_id = ?, last_message_at = ?, changed_at = ? WHERE id = ?"
_EVENT: Final = """
INSERT INTO event (name, at, by_kind, by_id, ticket_id, contact_id, inbox_after, payload)
VALUES ('message.received', ?, 'contact', ?, ?, ?, 1, ?)"""


def connect(path: str) -> sqlite3.Connection:
    """As durable as the desk itself."""
    raw = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -32000"):
        raw.execute(f"PRAGMA {pragma}").fetchall()
    return raw


def sqlite(path: str, units: Units) -> float:
    """Units a second when nothing but the statements is run, 128 units a transaction."""
    raw = connect(path)
    execute = raw.execute
    gc.collect()
    started = time.perf_counter()
    for begin in range(0, len(units), A_TRANSACTION):
        execute("BEGIN IMMEDIATE")
        for unit in units[begin : begin + A_TRANSACTION]:
            for sql, params, gives_rows in unit:
                if gives_rows:
                    execute(sql, params).fetchall()
                else:
                    execute(sql, params)
        execute("COMMIT")
    took = time.perf_counter() - started
    raw.close()
    return len(units) / took


def fsync_wall(path: str, known: int, messages: int, text: str) -> float:
    """Messages a second with five statements and a transaction of its own for each."""
    raw = connect(path)
    execute, chance = raw.execute, random.Random(1)
    now = SystemClock().now()
    started = time.perf_counter()
    for number in range(messages):
        execute("BEGIN IMMEDIATE")
        contact = execute(_CONTACT, (address(chance.randint(1, known)),)).fetchone()[0]
        ticket = execute(_TICKET, (contact,)).fetchone()[0]
        message = execute(_MESSAGE, (ticket, contact, text, f"wall-{number}", now)).fetchone()[0]
        execute(_UPDATE, (message, now, now, ticket))
        execute(_EVENT, (now, contact, ticket, contact, f'{{"message_id":{message}}}'))
        execute("COMMIT")
    took = time.perf_counter() - started
    raw.close()
    return messages / took


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def pgbench_program(binaries: Path) -> str | None:
    ours = binaries / "pgbench"
    return str(ours) if ours.exists() else shutil.which("pgbench")


class Script:
    """Recorded units as a script of pgbench: each statement prepared once, then executed with the recorded values, each
    unit in a transaction of its own."""

    def __init__(self) -> None:
        self._names: dict[str, tuple[str, list[str]]] = {}  # of each statement its name and its parameters

    def write(self, path: Path, clients: Sequence[Units]) -> None:
        """One list of units for each client."""
        bodies = [[line for unit in units for line in self._unit(unit)] for units in clients]
        lines = [f"PREPARE {name} AS {prepared};" for name, prepared in self._prepared()]
        for number, body in enumerate(bodies):
            lines += [f"\\if :client_id = {number}", *body, "\\endif"]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _prepared(self) -> Iterator[tuple[str, str]]:
        for sql, (name, names) in self._names.items():
            places = {n: f"${i}" for i, n in enumerate(names, 1)}
            yield name, " ".join((for_psycopg(sql) % places).split())

    def _unit(self, unit: Sequence[Statement]) -> list[str]:
        lines = ["BEGIN;"]
        for sql, params, _ in unit:
            if sql not in self._names:
                self._names[sql] = (f"s{len(self._names)}", sorted(set(_PARAMETER.findall(sql))))
            name, names = self._names[sql]
            values = ", ".join(_literal(params[n]) for n in names)
            lines.append(f"EXECUTE {name}({values});" if values else f"EXECUTE {name};")
        return [*lines, "COMMIT;"]


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    if isinstance(value, int):
        return str(int(value))
    # pgbench looks for `:name` even in strings; E'' writes the colon so that it does not see one.
    escaped = str(value).replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n").replace(":", "\\x3a")
    return f"E'{escaped}'"


def pgbench(program: str, url: str, script: Path, clients: int, units: int) -> float:
    """Units a second of all clients together."""
    command = [program, "-n", "-M", "simple", "-c", str(clients), "-j", str(min(clients, 2)), "-t", "1"]
    done = subprocess.run([*command, "-f", str(script), url], capture_output=True, text=True, timeout=600)
    tps = [line for line in done.stdout.splitlines() if line.startswith("tps")]
    if done.returncode != 0 or not tps or "ERROR" in done.stderr:
        raise RuntimeError(f"pgbench failed: {done.stderr[:2_000] or done.stdout[:2_000]}")
    return units * float(tps[0].split("=")[1].split()[0]) / clients


def bare_psycopg(url: str, units: Units) -> float:
    """Where there is no pgbench: one client, one transaction each, in Python."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        for unit in units:
            cursor.execute("BEGIN")
            for sql, params, gives_rows in unit:
                cursor.execute(for_psycopg(sql), params)
                if gives_rows:
                    cursor.fetchall()
            cursor.execute("COMMIT")
        return len(units) / (time.perf_counter() - started)
