"""`parley bench list`: a page of fifty tickets by HTTP on a large desk, against the bare statement and its encoding."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.bench.client import END, request
from hub.bench.ground import disk_folder, ground
from hub.bench.process import DeskProcess, administrator
from hub.bench.result import Result, Rounds, console
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import inboxes
from hub.events import Actor
from hub.staff import access, agents, roles, teams, tokens
from hub.staff.access import DESK, Caller

RATIO: Final = 20.0
BUDGET_MS: Final = 20.0
CHUNK: Final = 20_000
SHOPS: Final = 5
CONTACTS: Final = 20_000
AGENTS: Final = 20
PAGES: Final = (
    "",
    "view=open",
    "view=waiting&sort=oldest_waiting",
    "view=mine",
    "view=unassigned&sort=priority",
    "inbox_id=3",
    "status=resolved",
)

_NUMBERS: Final = """(WITH RECURSIVE numbers (n) AS (
  SELECT CAST(:first AS INTEGER) UNION ALL SELECT n + 1 FROM numbers WHERE n < CAST(:last AS INTEGER))
SELECT n FROM numbers) AS made"""
_PEOPLE: Final = f"""
INSERT INTO contact (id, name, name_folded, created_at, changed_at, seen_at, has_ticket)
SELECT n, 'Customer ' || n, 'customer ' || n, 0, 0, 0, 1 FROM {_NUMBERS}"""
_TICKETS: Final = f"""
INSERT INTO ticket (id, number, contact_id, inbox_id, subject, status, priority, urgency, team_id, assignee_id, handler,
                    spam, waiting_since, last_message_id, last_message_at, last_incoming_id, changed_at, created_at,
                    resolved_at)
SELECT n, 1000 + n, 1 + n % {CONTACTS}, 1 + n % 97 % {SHOPS}, 'Where is parcel ' || n || '?',
       CASE WHEN n * 7 % 1009 < 978 THEN 'resolved' WHEN n * 7 % 1009 < 998 THEN 'open' ELSE 'pending' END,
       CASE WHEN n % 7 = 0 THEN 'high' ELSE 'normal' END, CASE WHEN n % 7 = 0 THEN 1 ELSE 2 END,
       1 + n % 97 % {SHOPS}, CASE WHEN n % 11 < 4 THEN NULL ELSE 1 + n % {AGENTS} END, 'agent', 0,
       CASE WHEN n * 7 % 1009 BETWEEN 978 AND 990 THEN 1790000000000 + n * 1000 END, n, 1790000000000 + n * 1000, n,
       1790000000000 + n * 1000, 1790000000000 + n * 1000,
       CASE WHEN n * 7 % 1009 < 978 THEN 1790000000000 + n * 1000 END
FROM {_NUMBERS}"""  # three of a hundred are not resolved, and in two of these somebody waits
_MESSAGES: Final = f"""
INSERT INTO message (id, ticket_id, inbox_id, direction, author_kind, author_id, text, external_id, created_at)
SELECT n, n, 1 + n % 97 % {SHOPS}, 'incoming', 'contact', 1 + n % {CONTACTS},
       'The parcel has not come and I wait since Monday, please tell me where it is. Number ' || n, 'm' || n,
       1790000000000 + n * 1000
FROM {_NUMBERS}"""
_BARE: Final = """
SELECT ticket.number, ticket.subject, ticket.status, ticket.priority, ticket.contact_id, ticket.inbox_id,
       ticket.team_id, ticket.assignee_id, ticket.waiting_since, ticket.last_message_at, ticket.created_at,
       contact.name, message.text, message.direction
FROM ticket JOIN contact ON contact.id = ticket.contact_id LEFT JOIN message ON message.id = ticket.last_message_id
WHERE ticket.spam = 0 ORDER BY ticket.last_message_at DESC, ticket.id DESC LIMIT 50"""
_ANALYZE: Final = "ANALYZE"


class Plan(msgspec.Struct, frozen=True):
    tickets: tuple[int, ...] = (100_000,)
    requests: int = 60
    rounds: int = 5


async def run(database: str, plan: Plan, folder: Path | None = None) -> list[Result]:
    results = []
    for size in plan.tickets:
        with disk_folder(folder) as place, ground(database, place) as on:
            where = on.empty()
            url = "" if database == "sqlite" else on.server.database(where)
            data = place / "desk"
            data.mkdir()
            desk = DeskProcess(data, url, core=0)
            async with desk.record() as store:
                callers = await store.write(_people)
                await _fill(store, size)
            if database == "postgres":
                on.tidy(where)
            desk.start()
            try:
                await desk.ready()
                with bare(database, data, url) as ask:
                    for who, token in callers.items():
                        results += await _pages(desk, database, size, who, token, ask, plan)
            finally:
                desk.stop()
    return results


def _people(tx: Tx) -> Mapping[str, str]:
    """Who asks → their token: one who sees everything, and one who sees an inbox of five."""
    token = administrator(tx, "boss@example.org")[1]
    team = [teams.create(tx, DESK, f"Team {n}") for n in range(SHOPS)]
    have = {inbox.id for inbox in inboxes.all_of_them(tx)}
    for n in range(SHOPS - len(have)):
        inboxes.create(tx, DESK, kind="form", name=f"Shop {n}", team_id=team[n])
    role = roles.named(tx, "agent").id
    agent_id = agents.create(tx, DESK, email="kim@example.org", name="Kim", role_id=role)
    teams.add_member(tx, DESK, team[0], agent_id)
    for n in range(AGENTS - 2):
        agents.create(tx, DESK, email=f"a{n}@example.org", name=f"Agent {n}", role_id=role)
    grants = access.load(tx, agent_id)
    assert grants is not None
    caller = Caller(Actor("agent", agent_id), grants)
    _, narrow = tokens.create(tx, caller, name="bench", scopes=tokens.SCOPES, expires_at=None)
    return {"everything": token, "one inbox": narrow}


async def _fill(store: Store, size: int) -> None:
    for sql, count in ((_PEOPLE, CONTACTS), (_TICKETS, size), (_MESSAGES, size)):
        for first in range(1, count + 1, CHUNK):
            last = min(first + CHUNK - 1, count)
            await store.write(_chunk, sql, first, last)
    await store.write(lambda tx: tx.run(_ANALYZE))


def _chunk(tx: Tx, sql: str, first: int, last: int) -> None:
    tx.run(sql, first=first, last=last)


@contextlib.contextmanager
def bare(database: str, data: Path, url: str) -> Iterator[Callable[[], list[Any]]]:
    """The statement over a connection of the driver's own."""
    if database == "sqlite":
        import sqlite3

        (file,) = data.glob("*.db")
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            yield lambda: connection.execute(_BARE).fetchall()
        return
    import psycopg

    with psycopg.connect(url, autocommit=True) as talk:
        yield lambda: talk.execute(_BARE, prepare=True).fetchall()


def _bare(ask: Callable[[], list[Any]], times: int) -> list[float]:
    """Milliseconds of each time, its encoding included."""
    encode = msgspec.json.Encoder().encode
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        encode(ask())
        taken.append((time.perf_counter() - started) * 1000)
    return taken


async def _pages(
    desk: DeskProcess, database: str, size: int, who: str, token: str, ask: Callable[[], list[Any]], plan: Plan
) -> list[Result]:
    """Ours and the bare statement take turns."""
    found = []
    for page in PAGES:
        path = f"/api/v1/tickets?limit=50{'&' + page if page else ''}"
        rounds, times = Rounds(), list[float]()
        for _ in range(plan.rounds):
            floor = statistics.median(_bare(ask, plan.requests))
            taken = await _ask(desk.port, path, token, plan.requests)
            rounds.add(statistics.median(taken), floor)
            times += taken
        name = f"list.{size}.{who.replace(' ', '_')}.{page or 'all'}"
        p99 = statistics.quantiles(times, n=100, method="inclusive")[98]
        console.print(f"{name}, {database}: {rounds.spread()}; p99 {p99:.2f} ms", style="dim")
        found.append(rounds.result(name, database=database, callers=1, budget=RATIO, wanted="at most"))
        met = p99 <= BUDGET_MS
        found.append(Result(f"{name}.p99_ms", database, 1, round(p99, 3), None, None, BUDGET_MS, met))
    return found


async def _ask(port: int, path: str, token: str, times: int) -> list[float]:
    """Milliseconds of each, one after the other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = request("GET", path, port, authorization=f"Bearer {token}")
    taken = []
    for n in range(times + 20):
        started = time.perf_counter()
        writer.write(asked)
        head = await reader.readuntil(END)
        length = int(head.split(b"Content-Length: ")[1].split(b"\r")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{path}: {head[:15]!r} {body[:300]!r}")
        if n >= 20:  # the first ones warm caches
            taken.append((time.perf_counter() - started) * 1000)
    writer.close()
    return taken
