"""Takes in what providers, forms and pollers bring: raw bytes and what they mean, in one unit, once.

`webhook` is the route /in/<token>; `receive` is behind every door. Parsing happens before the unit. Where a channel has
a reader, what came is stored first and read by a job, in a child. Whatever cannot be read, understood or stored is kept
in quarantine with its reason, and never stops what came with it.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Literal, Protocol

import msgspec
import structlog

from hub.clock import MINUTE, SECOND
from hub.connector import (
    Choice,
    Connector,
    Deletion,
    Edit,
    Filed,
    Ignored,
    Item,
    Message,
    Raw,
    Reaction,
    Receipt,
    Reply,
    Taken,
    Unparsable,
    Unreadable,
)
from hub.db import lanes
from hub.db.crash import crash_point
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import deliveries, inbound, incoming, own_mail
from hub.desk.files import rows as files
from hub.desk.inbound import Stored
from hub.desk.inboxes import Inbox
from hub.errors import Refusal, Unavailable
from hub.events import SYSTEM, InboundQuarantined, Scope
from hub.people.contacts import Blocked
from hub.seal import SealBroken
from hub.work.children import Children, Failed
from hub.work.queue import Job
from hub.work.worker import Then

log = structlog.get_logger("inbound")

AT_ONCE: Final = 50  # items of one unit; a larger batch is stored raw and worked through by a job
LONG_BODY: Final = 65_536  # bytes from which parsing leaves the loop
# How long something may speak of what has not come yet: a receipt often overtakes the answer that carries its id.
PATIENCE: Final = (2 * SECOND, 20 * SECOND, 2 * MINUTE, 10 * MINUTE)
MAX_REASON: Final = 1_000
State = Literal["done", "ignored", "quarantined"]
_CREDENTIALS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})
_CREDENTIAL_WORDS: Final = ("signature", "token", "secret", "password", "auth-key")


class Later(Exception):
    """An item is about something that is not here (yet)."""


class Connectors(Protocol):
    """What of hub.work.runner is needed here."""

    store: Store
    children: Children

    async def inbox(self, token: str) -> Inbox | None: ...
    async def inbox_by_id(self, inbox_id: int) -> Inbox | None: ...
    def connector(self, inbox: Inbox) -> Connector: ...
    def note(self, inbox_id: int, way: str, error: str | None) -> None: ...


# --- the doors -------------------------------------------------------------------------------------------------------


async def webhook(connectors: Connectors, token: str, raw: Raw) -> Reply:
    """/in/<token>: 404 for no such inbox, 403 and nothing stored for what is not genuine, else the channel's answer.

    Raises Unavailable when it could not be stored: then the other side has to send it again.
    """
    inbox = await connectors.inbox(token)
    if inbox is None or not inbox.enabled:
        return Reply(status=404)
    try:
        connector = connectors.connector(inbox)
    except (SealBroken, Refusal) as error:  # its key or its kind is missing: nothing can be judged, so it comes again
        connectors.note(inbox.id, "in", str(error))
        raise Unavailable("This inbox cannot be opened just now. Nothing was stored; send it again.") from None
    if not genuine(connector, raw):
        return Reply(status=403)
    await receive(connectors.store, inbox, connector, raw)
    connectors.note(inbox.id, "in", None)
    try:
        return connector.answer(raw)
    except Exception:
        log.exception("a connector has no answer", kind=connector.kind)
        return Reply()


def genuine(connector: Connector, raw: Raw) -> bool:
    try:
        return connector.verify(raw) is True
    except Exception as error:
        log.info("a signature could not be read", kind=connector.kind, error=type(error).__name__)
        return False


async def receive(store: Store, inbox: Inbox, connector: Connector, raw: Raw) -> Taken:
    """Stores the raw bytes and everything in them; returns once that is on disk. What a child has to read first is only
    stored: what is in it follows."""
    if connector.reader is not None:
        return await store.write(_put_aside, inbox, raw)
    try:
        items = list(await parsed(connector, raw))
    except Exception as error:
        return await store.write(_quarantine, inbox, raw, reason_of(error))
    crash_point("inbound.before_write")
    if len(items) > AT_ONCE:
        taken = await store.write(_put_aside, inbox, raw)
    elif len(items) == 1:
        taken = await _one(store, inbox, raw, items[0])
    else:
        taken = await store.write(_all, inbox, raw, items)
    crash_point("inbound.after_write")
    return taken


async def read(connectors: Connectors, connector: Connector, raw: Raw) -> list[Item]:
    """What is in it, by way of a child where the channel has a reader."""
    if connector.reader is not None:
        answer = await connectors.children.run(connector.reader, raw.body)
        raw = msgspec.structs.replace(raw, read=answer)
    return await parsed(connector, raw)


async def parsed(connector: Connector, raw: Raw) -> list[Item]:
    if len(raw.body) > LONG_BODY:
        return await asyncio.to_thread(connector.parse, raw)
    return connector.parse(raw)


async def _one(store: Store, inbox: Inbox, raw: Raw, item: Item) -> Taken:
    """Most requests carry one item, and a unit rolls back alone: only a failure costs a second write."""
    try:
        return await store.write(_single, inbox, raw, item)
    except Unavailable:
        raise
    except Later:
        return await store.write(_put_aside, inbox, raw, PATIENCE[0])
    except Blocked as error:
        return await store.write(_put_away, inbox, raw, error.contact_id)
    except Exception as error:
        return await store.write(_quarantine, inbox, raw, reason_of(error))


# --- units -----------------------------------------------------------------------------------------------------------


def _single(tx: Tx, inbox: Inbox, raw: Raw, item: Item) -> Taken:
    kept: list[int] = []
    filed = apply(tx, inbox, item, kept)
    ignored = _why_ignored(item)
    state: State = "done" if ignored is None else "ignored"
    inbound_id = _insert(tx, inbox, raw, state, ignored)
    _came_in(tx, kept, inbound_id)
    return Taken(state, () if filed is None else (filed,))


def _all(tx: Tx, inbox: Inbox, raw: Raw, items: Sequence[Item]) -> Taken:
    done = _Outcome()
    kept: list[int] = []
    for position, item in enumerate(items):
        done.add(position, item, *tx.alone(apply, inbox, item, kept))
    if done.later and not done.wrong:
        inbound_id = _insert(tx, inbox, raw, "waiting", done.reason)
        _came_in(tx, kept, inbound_id)
        _wait(tx, inbound_id, 0, PATIENCE[0])
        return Taken("done", tuple(done.filed))
    if done.blocked:
        _put_away(tx, inbox, raw, done.blocked[0])
        if done.only_blocked:
            return Taken("ignored")
    inbound_id = _insert(tx, inbox, raw, done.state, done.reason)
    _came_in(tx, kept, inbound_id)
    if done.state == "quarantined":
        _announce(tx, inbox, inbound_id)
    return Taken(done.state, tuple(done.filed))


def _put_aside(tx: Tx, inbox: Inbox, raw: Raw, after: int = 0) -> Taken:
    """Stored raw, to be worked through by a job."""
    _wait(tx, _insert(tx, inbox, raw, "waiting", None), 0 if after else -1, after)
    return Taken("done")


def _put_away(tx: Tx, inbox: Inbox, raw: Raw, contact_id: int) -> Taken:
    """Stored raw and not looked at: whoever wrote it is blocked. An agent may have it taken in after all."""
    _insert(tx, inbox, raw, "ignored", inbound.BLOCKED, contact_id)
    return Taken("ignored")


def _quarantine(tx: Tx, inbox: Inbox, raw: Raw, reason: str) -> Taken:
    _announce(tx, inbox, _insert(tx, inbox, raw, "quarantined", reason))
    return Taken("quarantined")


def apply(tx: Tx, inbox: Inbox, item: Item, kept: list[int], *, restored: bool = False) -> Filed | None:
    """One item. Raises what keeps it from being stored. `kept` gets the message if what it came in is of use to it
    later. `restored`: also what a blocked contact wrote."""
    match item:
        case Message():
            received = incoming.receive(tx, inbox, item, restored=restored)
            if (item.files or item.html or item.known_as) and not received.duplicate:
                kept.append(received.message_id)
            return Filed(received.number, received.duplicate)
        case Receipt():
            if not deliveries.receipt(tx, inbox.id, item) and not own_mail.receipt(tx, inbox.id, item):
                raise Later("A receipt for a message that we did not send.")
        case Edit():
            if not incoming.edit(tx, inbox, item, restored=restored):
                raise Later("A change of a message that is not here.")
        case Deletion():
            if not incoming.delete(tx, inbox, item):
                raise Later("The deletion of a message that is not here.")
        case Unreadable():
            raise Unparsable(item.reason)
        case Ignored() | Reaction() | Choice():
            pass
        case _:
            raise Unparsable(f"The connector made a {type(item).__name__} of it, which is no item.")
    return None


def _came_in(tx: Tx, kept: Sequence[int], inbound_id: int) -> None:
    """From the raw bytes their files are fetched, and agents get letters as they came."""
    incoming.came_in(tx, kept, inbound_id)
    files.came_with(tx, kept, inbound_id)


def _why_ignored(item: Item) -> str | None:
    match item:
        case Ignored():
            return item.reason
        case Reaction() | Choice():
            return f"A {type(item).__name__.lower()}: this desk does nothing with those yet."
    return None


class _Outcome:
    """What became of the items of one request, as the state and the reason of its row."""

    def __init__(self) -> None:
        self.filed: list[Filed] = []
        self.wrong: list[str] = []
        self.later: list[str] = []
        self.ignored: list[str] = []
        self.blocked: list[int] = []  # contacts
        self.done = 0

    def add(self, position: int, item: Item, filed: Filed | None, error: BaseException | None) -> None:
        if isinstance(error, Blocked):
            self.blocked.append(error.contact_id)
        elif error is not None:
            (self.later if isinstance(error, Later) else self.wrong).append(f"Item {position + 1}: {reason_of(error)}")
        elif ignored := _why_ignored(item):
            self.ignored.append(ignored)
        else:
            self.done += 1
            if filed is not None:
                self.filed.append(filed)

    @property
    def only_blocked(self) -> bool:
        return bool(self.blocked) and not (self.done or self.wrong or self.later or self.ignored)

    @property
    def state(self) -> State:
        if self.wrong or self.later:
            return "quarantined"
        return "done" if self.done else "ignored"

    @property
    def reason(self) -> str | None:
        reasons = self.wrong + self.later or ([] if self.done else sorted(set(self.ignored)) or ["Nothing was in it."])
        more = len(reasons) - 10
        text = " ".join(reasons[:10]) + (f" And {more} more." if more > 0 else "")
        return text[:MAX_REASON] or None


def _insert(tx: Tx, inbox: Inbox, raw: Raw, state: str, reason: str | None, contact_id: int | None = None) -> int:
    return tx.insert(
        inbound.INSERT,
        inbox_id=inbox.id,
        received_at=raw.received_at or tx.now,
        headers=without_credentials(raw.headers),
        query=raw.query,
        body=raw.body,
        state=state,
        reason=reason,
        contact_id=contact_id,
    )


def _announce(tx: Tx, inbox: Inbox, inbound_id: int) -> None:
    scope = Scope(inbox.id)
    tx.record(InboundQuarantined(inbound_id=inbound_id, inbox_id=inbox.id), by=SYSTEM, before=scope, after=scope)


def _wait(tx: Tx, inbound_id: int, waited: int, after: int) -> None:
    """`waited`: how many of the waits in PATIENCE are behind it then; -1: it is only large, or has yet to be read."""
    tx.enqueue(
        inbound.AGAIN,
        {"inbound_id": inbound_id, "waited": waited},
        key=f"inbound:{inbound_id}",
        run_at=tx.now + after,
        lane=lanes.INBOUND,
    )


# --- once more -------------------------------------------------------------------------------------------------------


async def again(connectors: Connectors, job: Job) -> Then | None:
    """The job AGAIN: what a child has to read, a large batch, something that came too early, a retry from the
    quarantine screen, or what a blocked contact wrote and an agent wants to have all the same. Answers what is written
    with the end of the job."""
    stored = await connectors.store.read(inbound.get, job.payload["inbound_id"])
    restored = bool(job.payload.get("restored"))
    if stored is None or (stored.state not in ("waiting", "quarantined") and not restored):
        return None
    inbox = await connectors.inbox_by_id(stored.inbox_id)
    if inbox is None:
        return None
    raw = raw_of(stored)
    try:
        items = await read(connectors, connectors.connector(inbox), raw)
    except Unavailable:  # which says nothing about what came
        raise
    except Exception as error:
        reason = reason_of(error)
        return lambda tx: inbound.settle(tx, stored, "quarantined", reason)
    done = _Outcome()
    for start in range(0, len(items), AT_ONCE):
        chunk = items[start : start + AT_ONCE]
        outcomes = await connectors.store.write_later(_chunk, inbox, chunk, stored.id, restored)
        for position, (item, outcome) in enumerate(zip(chunk, outcomes, strict=True), start):
            done.add(position, item, *outcome)
    if done.only_blocked:
        return lambda tx: inbound.put_away(tx, stored, done.blocked[0])
    if done.blocked:
        await connectors.store.write_later(_put_away, inbox, raw, done.blocked[0])
    if done.later and not done.wrong and stored.state == "waiting":
        waited = job.payload.get("waited", 0) + 1
        if waited < len(PATIENCE):
            await connectors.store.write_later(_wait, stored.id, waited, PATIENCE[waited])
            return None
    return lambda tx: inbound.settle(tx, stored, done.state, done.reason)


def given_up(tx: Tx, payload: Any) -> None:
    """The job AGAIN had to be given up: whoever looks at the quarantine sees it, and can have it tried once more."""
    stored = inbound.get(tx, payload["inbound_id"])
    if stored is not None and stored.state == "waiting":
        inbound.settle(tx, stored, "quarantined", "The desk tried again and again to take it in, and could not.")


def _chunk(
    tx: Tx, inbox: Inbox, items: Sequence[Item], inbound_id: int, restored: bool
) -> list[tuple[Filed | None, BaseException | None]]:
    kept: list[int] = []
    outcomes = [tx.alone(apply, inbox, item, kept, restored=restored) for item in items]
    _came_in(tx, kept, inbound_id)
    return outcomes


def raw_of(stored: Stored) -> Raw:
    return Raw(headers=stored.headers, query=stored.query, body=stored.body, received_at=stored.received_at)


# --- small things ----------------------------------------------------------------------------------------------------


def without_credentials(headers: Sequence[tuple[str, str]]) -> str:
    """The headers as they are stored: nothing in them opens anything."""
    kept = [pair for pair in headers if not _is_credential(pair[0])]
    return msgspec.json.encode(kept).decode()


@lru_cache(1_024)  # the same few names come with every request
def _is_credential(name: str) -> bool:
    name = name.lower()
    return name in _CREDENTIALS or any(word in name for word in _CREDENTIAL_WORDS)


def reason_of(error: BaseException) -> str:
    """For the person who looks at the quarantine."""
    if isinstance(error, Unparsable | Failed):
        text = error.reason
    elif isinstance(error, Refusal):
        text = f"{error.field}: {error.text}" if error.field else error.text
    elif isinstance(error, Later):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error}"
    # A reason may quote what came, and what came may be anything.
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:MAX_REASON]
