"""What a unit of work holds in its hand: `Rx` to read, `Tx` to read, write, record events and enqueue jobs.

Both live in a database thread for the length of one unit; rows are plain tuples and nothing of a cursor leaves here.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

import msgspec

from hub.db.backend import Row, Session
from hub.db.contents import FileLimits
from hub.db.crash import crash_point
from hub.events import SYSTEM, Actor, Event, ReactionFailed, Recorded, Scope, Told
from hub.seal import Sealer

P = ParamSpec("P")
R = TypeVar("R")
MAX_DEPTH: Final = 5


class Reactions(Protocol):
    """event → state, event → consequence: filled by `hub.reactions`, handed to the store by `app`."""

    @property
    def state(self) -> Mapping[type[Event], Sequence[Callable[["Tx", Recorded], None]]]: ...
    @property
    def consequence(self) -> Mapping[type[Event], Sequence[Callable[["Tx", Recorded], None]]]: ...


class Rx:
    """Reads. All parameters are named (`:name` in the SQL) and passed by keyword."""

    def __init__(self, session: Session, now: int) -> None:
        self._session = session
        self.now = now

    def rows(self, sql: str, **params: Any) -> list[Row]:
        return self._session.rows(sql, params)

    def row(self, sql: str, **params: Any) -> Row | None:
        """The first row, or None."""
        found = self._session.rows(sql, params)
        return found[0] if found else None

    def value(self, sql: str, **params: Any) -> Any:
        """The first column of the first row, or None."""
        found = self._session.rows(sql, params)
        return found[0][0] if found else None


_INSERT_EVENT = """
INSERT INTO event (name, at, by_kind, by_id, ticket_id, contact_id,
                   inbox_before, team_before, assignee_before, inbox_after, team_after, assignee_after, payload)
VALUES (:name, :at, :by_kind, :by_id, :ticket_id, :contact_id,
        :inbox_before, :team_before, :assignee_before, :inbox_after, :team_after, :assignee_after, :payload)
RETURNING id"""

_HEAD = """
SELECT id, first_run_at, state FROM job WHERE key = :key AND state IN ('ready', 'running')"""

_TO_COME = "SELECT 1 FROM job WHERE key = :key AND state IN ('ready', 'blocked') LIMIT 1"

_DEMOTE = "UPDATE job SET state = 'blocked' WHERE id = :id"

_INSERT_JOB = """
INSERT INTO job (kind, key, lane, payload, state, run_at, first_run_at, attempts, created_at)
VALUES (:kind, :key, :lane, :payload, :state, :run_at, :run_at, 0, :now)
RETURNING id"""

_NOBODY = Scope()


@lru_cache(2_000)
def _only_reads(sql: str) -> bool:
    return sql.lstrip()[:7].upper().startswith("SELECT")


_encode = msgspec.json.Encoder().encode


class StartOver(BaseException):
    """Something failed that has written, and there was no savepoint to go back to: the transaction is rolled back and
    run again with savepoints. Nobody but the batch may catch it."""


class Tx(Rx):
    """Reads and writes of one unit, which rolls back alone.

    `careful`: everything that may fail alone has a savepoint. Otherwise nothing has one (on SQLite a savepoint copies
    every page touched, on PostgreSQL it is two round trips), and a failure after a write raises StartOver.
    """

    def __init__(self, session: Session, now: int, reactions: Reactions, *, careful: bool = True) -> None:
        super().__init__(session, now)
        self._reactions = reactions
        self._careful = careful
        self._depth = 0
        self.wrote = False  # since the unit, or what runs alone in it, began; a statement that raised counts
        self.recorded: list[Recorded] = []
        self.told: list[Told] = []
        self.enqueued = False
        # For what is checked before it is stored; the store's, where it was given them.
        self.sealer: Sealer | None = None
        self.allowed_hosts: frozenset[str] = frozenset()
        self.file_limits = FileLimits()

    def rows(self, sql: str, **params: Any) -> list[Row]:
        wrote, self.wrote = self.wrote, True
        found = self._session.rows(sql, params)
        self.wrote = wrote or not _only_reads(sql)
        return found

    def row(self, sql: str, **params: Any) -> Row | None:
        found = self.rows(sql, **params)
        return found[0] if found else None

    def value(self, sql: str, **params: Any) -> Any:
        found = self.rows(sql, **params)
        return found[0][0] if found else None

    def run(self, sql: str, **params: Any) -> int:
        """Runs a statement that changes something; how many rows it changed."""
        self.wrote = True
        return self._session.count(sql, params)

    def insert(self, sql: str, **params: Any) -> int:
        """For INSERT … RETURNING id."""
        self.wrote = True
        return int(self._session.rows(sql, params)[0][0])

    def record(
        self,
        event: Event,
        *,
        by: Actor,
        ticket_id: int | None = None,
        contact_id: int | None = None,
        before: Scope | None = None,
        after: Scope | None = None,
    ) -> Recorded:
        """Writes the event and runs what follows from it.

        `before` and `after` are the scopes a listener is judged by: None before (it did not exist), None after (it is
        gone). For an event about no ticket give neither: those who may see it are found by its kind.
        """
        b, a = before or _NOBODY, after or _NOBODY
        event_id = self.insert(
            _INSERT_EVENT,
            name=event.name,
            at=self.now,
            by_kind=by.kind,
            by_id=by.id,
            ticket_id=ticket_id,
            contact_id=contact_id,
            inbox_before=b.inbox_id,
            team_before=b.team_id,
            assignee_before=b.assignee_id,
            inbox_after=a.inbox_id,
            team_after=a.team_id,
            assignee_after=a.assignee_id,
            payload=_encode(event).decode(),
        )
        recorded = Recorded(event_id, self.now, event, by, ticket_id, contact_id, before, after)
        self.recorded.append(recorded)
        crash_point("tx.event_recorded")
        kind = type(event)
        for react in (*self._reactions.state.get(kind, ()), *self._reactions.consequence.get(kind, ())):
            self._react(react, recorded)
        return recorded

    def tell(self, told: Told) -> None:
        """Said to whom it concerns once this is on disk; not at all when it is undone."""
        self.told.append(told)

    def alone(
        self, fn: "Callable[Concatenate[Tx, P], R]", /, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[R | None, BaseException | None]:
        """Runs `fn(tx, …)` so that it fails alone: (what it returned, None), or (None, what it raised) with all that
        it did undone and the rest of the unit standing. What the database itself cannot do now is raised."""
        kept, told, enqueued, wrote = len(self.recorded), len(self.told), self.enqueued, self.wrote
        self.wrote = False
        if self._careful:
            self._session.control("SAVEPOINT alone")
        try:
            result = fn(self, *args, **kwargs)
        except BaseException as error:
            if not self._session.in_transaction() or self._session.lost or self._session.is_full(error):
                raise
            if self._careful:
                self._session.control("ROLLBACK TO SAVEPOINT alone")
                self._session.control("RELEASE SAVEPOINT alone")
            elif self.wrote:
                raise StartOver from error
            del self.recorded[kept:]
            del self.told[told:]
            self.enqueued = enqueued
            return None, error
        finally:
            self.wrote = self.wrote or wrote
        if self._careful:
            self._session.control("RELEASE SAVEPOINT alone")
        return result, None

    @contextlib.contextmanager
    def as_of(self, at: int) -> Iterator[None]:
        """What is done inside happened `at`, and says so: for what is told afterwards, never ahead of the clock. The
        order of events stays that of writing."""
        if at > self.now:
            raise ValueError("nothing has happened in the future")
        now, self.now = self.now, at
        try:
            yield
        finally:
            self.now = now

    def _react(self, react: Callable[["Tx", Recorded], None], to: Recorded) -> None:
        """One reaction: whatever it raises, what caused it stays."""
        name = f"{react.__module__}.{react.__qualname__}"
        if self._depth >= MAX_DEPTH:
            self._failed(name, to, f"reactions stop at depth {MAX_DEPTH}")
            return
        self._depth += 1
        try:
            _, error = self.alone(react, to)
            if error is not None:
                self._failed(name, to, type(error).__name__)
        finally:
            self._depth -= 1

    def _failed(self, name: str, to: Recorded, error: str) -> None:
        if isinstance(to.event, ReactionFailed):
            return
        self.record(
            ReactionFailed(reaction=name, to=to.id, error=error),
            by=SYSTEM,
            ticket_id=to.ticket_id,
            contact_id=to.contact_id,
            before=to.before,
            after=to.after,
        )

    def enqueue(
        self, kind: str, payload: Any = None, *, key: str | None = None, run_at: int | None = None, lane: int = 1
    ) -> int:
        """A job in this transaction; returns its id.

        `payload`: anything JSON. `run_at`: milliseconds, default now. `lane`: see `hub.db.lanes`. Jobs of one `key` run
        one after the other in the order of (first run_at, id).
        """
        at = self.now if run_at is None else run_at
        state = "ready"
        if key is not None:
            head = self.row(_HEAD, key=key)
            if head is not None:
                if head[2] == "ready" and at < head[1]:
                    self.run(_DEMOTE, id=head[0])
                else:
                    state = "blocked"
        job_id = self.insert(
            _INSERT_JOB,
            kind=kind,
            key=key,
            lane=lane,
            payload=json.dumps(payload, ensure_ascii=False, separators=(",", ":")),
            state=state,
            run_at=at,
            now=self.now,
        )
        self.enqueued = True
        return job_id

    def enqueue_once(
        self, kind: str, payload: Any = None, *, key: str, run_at: int | None = None, lane: int = 1
    ) -> None:
        """The same, unless one of this key is still to come; one that runs is not."""
        if not self.is_to_come(key):
            self.enqueue(kind, payload, key=key, run_at=run_at, lane=lane)

    def is_to_come(self, key: str) -> bool:
        return self.value(_TO_COME, key=key) is not None
