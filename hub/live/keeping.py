"""What runs beside the sessions: a new look at rights that may have changed, presence, heartbeats. Run by hub.app."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import structlog

from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.desk import at_once, presence, visitors
from hub.desk.visitors import Visitor
from hub.errors import Refusal, Unavailable
from hub.events import (
    AccessChanged,
    AgentDisabled,
    Recorded,
    SignedOut,
    TicketMerged,
    TicketSplit,
    TicketUnmerged,
    TokenRevoked,
    VisitorChanged,
    VisitorForgotten,
    VisitorIdentified,
    VisitorReplaced,
    VisitorStartedAnew,
)
from hub.live import protocol, replay
from hub.live.clients import HELD, LIVE, AgentSession, VisitorSession
from hub.live.hydrate import Shown
from hub.live.protocol import frame
from hub.live.sessions import Live
from hub.live.signals import Signals
from hub.live.stream import Stream
from hub.staff import live_tickets
from hub.staff.access import Caller
from hub.staff.live_tickets import Credential

log = structlog.get_logger("live")

ANSWERED_WITHIN: Final = 0.5
POSITION_SECONDS: Final = 15  # so often at most
NO_POSITION: Final = frame("position", number=None, position=None, expected_wait=None, long_wait=False)
RENEW_SECONDS: Final = presence.RENEW // 1000
LOOK_SECONDS: Final = 60
ACTIVE_SECONDS: Final = 30
AT_ONCE: Final = 100


class Keeping:
    """`process` names this desk among several."""

    def __init__(self, store: Store, stream: Stream, live: Live) -> None:
        self.process = secrets.token_hex(6)
        self.live = live
        self._store, self._stream = store, stream
        self._doubted: dict[AgentSession, None] = {}
        self._doubt = asyncio.Event()
        self._absent: set[int] = set()  # agents who have come and whose lease is not written yet
        self._come = asyncio.Event()
        self._active: set[int] = set()  # agents who have given a sign of life that is not written yet
        self._active_at: dict[int, int] = {}
        live.doubtful = self._doubt_session
        self._changed: dict[int, None] = {}  # visitors whose windows are to be told how things stand
        self._change = asyncio.Event()
        live.told.append(self._told)
        self._seen: dict[int, tuple[VisitorSession, int]] = {}  # visitor → up to which event
        self.signals = Signals(store, live, self.process)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self.live.done = self._stream.tail
        self._tasks += [
            asyncio.create_task(work(), name=f"live-{name}")
            for name, work in (
                ("tell", self.live.run),
                ("beat", self._beat),
                ("rights", self._look_again),
                ("presence", self._renew),
                ("seen", self._acknowledge),
                ("standing", self._tell_standings),
                ("queue", self._tell_positions),
                ("signals-out", self.signals.send),
                ("signals-in", self.signals.hear),
            )
        ]
        self._end = self._stream.subscribe(self.heard)

    async def stop(self) -> None:
        self._end()
        self.signals.stop()
        self.live.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def heard(self, batch: Sequence[Recorded]) -> None:
        """From the stream. Whoever may have lost something is held before anything that follows is told."""
        for recorded in batch:
            event = recorded.event
            match event:
                case AccessChanged():
                    self._doubt_agents(event.agent_id)
                case AgentDisabled() | SignedOut():
                    self._doubt_agents(event.agent_id)
                case TokenRevoked() if recorded.by.kind == "agent":
                    self._doubt_token(event.token_id)
                case TicketMerged() | TicketUnmerged() | TicketSplit() if event.visitor_id is not None:
                    self._start_anew(event.visitor_id)
                case VisitorForgotten() | VisitorReplaced():
                    self._over(event.visitor_id)
                case _:
                    pass
        self.live.take(batch)

    # --- rights ------------------------------------------------------------------------------------------------------

    def _doubt_agents(self, agent_id: int | None) -> None:
        agents = tuple(self.live.of_agent) if agent_id is None else (agent_id,)
        for id in agents:
            for session in tuple(self.live.of_agent.get(id, ())):
                self._doubt_session(session)

    def _doubt_token(self, token_id: int) -> None:
        for sessions in tuple(self.live.of_agent.values()):
            for session in tuple(sessions):
                if session.credential.kind == "token" and session.credential.id == token_id:
                    self._doubt_session(session)

    def _doubt_session(self, session: AgentSession) -> None:
        session.doubts += 1
        if session.state == LIVE:
            self.live.hold(session)
        self._doubted[session] = None
        self._doubt.set()

    async def _look_again(self) -> None:
        while True:
            await self._doubt.wait()
            self._doubt.clear()
            while self._doubted:
                some = list(self._doubted)[:AT_ONCE]
                asked = {s: s.doubts for s in some}
                try:
                    found = await self._store.read(live_tickets.callers, {s.credential for s in some})
                except Unavailable:
                    await asyncio.sleep(0.5)
                    continue
                for session in some:
                    if session.doubts == asked[session]:
                        self._doubted.pop(session, None)
                        self._judge(session, found)

    def _judge(self, session: AgentSession, found: dict[Credential, Caller | None]) -> None:
        live = self.live
        if session.credential not in found:
            live.end(session, protocol.RIGHTS_TAKEN)
            return
        caller = found[session.credential]
        if caller is None:
            live.end(session, protocol.SIGNED_OUT)
            return
        if session.joining and not session.brought:
            return  # it will have them looked at when it has been brought up to date
        before, session.caller = session.caller, caller
        if session.state != HELD:
            return  # it starts anew anyhow
        if before is None or before.grants != caller.grants:
            live.stop(session, "rights_changed")
        else:
            live.release(session, session.cursor)

    # --- once in a while ---------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(1)
            try:
                await self.live.beat()
                self.signals.beat()
                if time.monotonic() - looked > LOOK_SECONDS:
                    looked = time.monotonic()
                    await self._look_at_all()
            except Exception:
                log.exception("a heartbeat failed")

    async def _look_at_all(self) -> None:
        """Sessions and tokens also end by themselves; and who works here uses theirs."""
        agents = [s for sessions in self.live.of_agent.values() for s in sessions]
        worked = sorted({s.credential.id for s in agents if s.worked and s.credential.kind == "session"})
        for session in agents:
            session.worked = False
        for start in range(0, len(worked), AT_ONCE):
            await self._store.write_later(live_tickets.used, worked[start : start + AT_ONCE])
        for start in range(0, len(agents), AT_ONCE):
            some = agents[start : start + AT_ONCE]
            found = await self._store.read(_holding, [s.credential for s in some])
            for session in some:
                if session.credential not in found:
                    self._doubt_session(session)

    # --- visitors ----------------------------------------------------------------------------------------------------

    def _over(self, visitor_id: int) -> None:
        """Every window of that browser is over, once the one that asked for it has had its answer. It may be another
        visitor's by then: that of who has signed in there."""

        def end(session: VisitorSession) -> None:
            if session.visitor.id == visitor_id:
                self.live.end(session, protocol.SIGNED_OUT)

        for session in tuple(self.live.of_visitor.get(visitor_id, ())):
            asyncio.get_running_loop().call_later(ANSWERED_WITHIN, end, session)

    def _told(self, shown: Shown) -> None:
        event = shown.recorded.event
        if isinstance(event, (VisitorChanged, VisitorIdentified, VisitorStartedAnew)):
            if event.visitor_id in self.live.of_visitor:
                self._changed[event.visitor_id] = None
                self._change.set()

    async def _tell_standings(self) -> None:
        while True:
            await self._change.wait()
            self._change.clear()
            some = [(id, s) for id in list(self._changed)[:AT_ONCE] for s in self.live.of_visitor.get(id, ())]
            for id in list(self._changed)[:AT_ONCE]:
                del self._changed[id]
            try:
                upto, found = await self._store.read(replay.standings, [s.visitor for _, s in some])
            except Unavailable:
                self._changed |= dict.fromkeys(id for id, _ in some)
                await asyncio.sleep(0.5)
                continue
            except Exception:
                log.exception("how things stand could not be told")
                continue
            for id, session in some:
                if id not in found or session.visitor.id != id:
                    continue
                if session.state == LIVE and session.cursor <= upto:
                    self.live.stand(session, found[id])
                elif session.state in (LIVE, HELD):  # it knows newer things by now, or will
                    self._changed[id] = None
            if self._changed:
                await asyncio.sleep(0.02)
                self._change.set()

    def _start_anew(self, visitor_id: int) -> None:
        """What they hold stands under another number now."""
        for session in tuple(self.live.of_visitor.get(visitor_id, ())):
            session.doubts += 1
            self.live.stop(session, "rights_changed")

    def seen(self, session: VisitorSession, cursor: int) -> None:
        """Everything up to that event has reached their browser; noted once a second."""
        cursor = min(cursor, session.cursor)
        if cursor > session.acknowledged:
            session.acknowledged = cursor
            self._seen[session.visitor.id] = session, cursor

    async def _acknowledge(self) -> None:
        while True:
            await asyncio.sleep(1)
            seen, self._seen = list(self._seen.values()), {}
            for start in range(0, len(seen), AT_ONCE):
                some = [(session.visitor, cursor) for session, cursor in seen[start : start + AT_ONCE]]
                try:
                    await self._store.write(_acknowledge_all, some)
                except Unavailable:
                    for session, _ in seen[start : start + AT_ONCE]:
                        session.acknowledged = 0  # the next one says it again
                except Exception:
                    log.exception("what visitors have seen could not be noted")

    async def _tell_positions(self) -> None:
        while True:
            await asyncio.sleep(POSITION_SECONDS)
            try:
                await self.tell_positions()
            except Unavailable:
                pass  # they can wait for that, too
            except Exception:
                log.exception("positions could not be told")

    async def tell_positions(self) -> None:
        """Where those who wait stand in the queue, to each for whom it has changed."""
        here = self.live.of_visitor
        if here:
            found = await self._store.read(_positions, frozenset(here))
            for visitor_id, sessions in tuple(here.items()):
                for session in tuple(sessions):
                    self._tell_position(session, found.get(visitor_id))

    def _tell_position(self, session: VisitorSession, place: "_Place | None") -> None:
        position = place.position if place is not None else None
        long = place is not None and place.long_wait
        if session.state != LIVE or (session.position == position and (place is None or session.long_wait == long)):
            return
        session.position, session.long_wait = position, long
        if place is None:
            self.live.send(session, NO_POSITION)
        else:
            self.live.send(session, frame("position", **place._asdict()))

    # --- presence ----------------------------------------------------------------------------------------------------

    def came(self, agent_id: int) -> None:
        self._absent.add(agent_id)
        self._come.set()

    def active(self, session: AgentSession) -> None:
        """Somebody sits there. Written at once when it is news, and at most twice a minute."""
        now, agent_id = self.live.now, session.agent_id
        if session.present and now - self._active_at.get(agent_id, -ACTIVE_SECONDS) >= ACTIVE_SECONDS:
            self._active_at[agent_id] = now
            self._active.add(agent_id)
            self._come.set()

    async def _renew(self) -> None:
        """A lease for everybody who has a connection here: at once when they come, then every 20 seconds."""
        renewed = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(max(0.0, renewed + RENEW_SECONDS - time.monotonic())):
                    await self._come.wait()
            except TimeoutError:
                renewed = time.monotonic()
                self._active_at = {id: at for id, at in self._active_at.items() if id in self.live.of_agent}
                self._absent |= {id for id, theirs in self.live.of_agent.items() if any(s.present for s in theirs)}
            self._come.clear()
            agents, active = sorted(self._absent), sorted(self._active)
            self._absent.clear()
            self._active.clear()
            for start in range(0, len(active), AT_ONCE):
                await self._write(_active_all, active[start : start + AT_ONCE])
            for start in range(0, len(agents), AT_ONCE):
                await self._renew_some(agents[start : start + AT_ONCE])

    async def _renew_some(self, agents: list[int]) -> None:
        await self._write(_renew_all, agents, self.process)

    async def _write(self, unit: Callable[..., None], *args: Any) -> None:
        try:
            await self._store.write(unit, *args)
        except Unavailable:
            pass  # a lease outlives two renewals that fail
        except Exception:
            log.exception("presence could not be renewed")


class _Place(NamedTuple):
    number: int
    position: int | None
    expected_wait: int | None
    long_wait: bool


def _positions(rx: Rx, connected: frozenset[int]) -> dict[int, _Place]:
    waits: dict[int, int | None] = {}
    found: dict[int, _Place] = {}
    for visitor_id, ticket_id, number, inbox_id, since in at_once.waiting_visitors(rx):
        if visitor_id in connected:
            if inbox_id not in waits:
                waits[inbox_id] = visitors.expected_wait(rx, inbox_id)
            expected = waits[inbox_id]
            long = visitors.is_long(rx, since, expected)
            found[visitor_id] = _Place(number, visitors.position(rx, ticket_id), expected, long)
    return found


def _acknowledge_all(tx: Tx, seen: list[tuple[Visitor, int]]) -> None:
    for visitor, cursor in seen:
        with contextlib.suppress(Refusal):  # the device has forgotten them meanwhile
            visitors.acknowledge(tx, visitor, cursor)


def _renew_all(tx: Tx, agents: list[int], process: str) -> None:
    for agent_id in agents:
        presence.renew(tx, agent_id, process)


def _active_all(tx: Tx, agents: list[int]) -> None:
    for agent_id in agents:
        presence.active(tx, agent_id)


def _holding(rx: Rx, credentials: list[Credential]) -> set[Credential]:
    found = live_tickets.callers(rx, credentials)
    return {credential for credential, caller in found.items() if caller is not None}
