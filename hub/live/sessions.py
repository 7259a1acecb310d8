"""Who is connected here, and the fan-out: every committed event to everybody whom it concerns, each once and in order.

A session *joins* held: what happens meanwhile is kept for it, it is brought up to date from one read transaction, then
what is kept and newer is released. It is held again while its rights are looked at anew. Sessions that see as much are
judged together. Nothing here waits for one client: what does not fit into its buffer ends it, and it resumes by cursor.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
import structlog

from hub.db.store import Store
from hub.desk.visitors import Standing, Visitor
from hub.errors import Unavailable
from hub.events import Recorded
from hub.live import protocol, replay
from hub.live.audience import Sight, sight_of
from hub.live.clients import ENDED, HELD, LIVE, STOPPED, AgentSession, Group, Line, Session, VisitorSession, remove
from hub.live.hydrate import Shown, Things, things
from hub.live.protocol import PING, REPLAY, End, Frame, Several, Why, frame, snapshot_required

log = structlog.get_logger("live")

AT_ONCE: Final = 128  # events that are read and told together
BACKLOG: Final = 5_000  # events that may wait for the database before everybody starts anew
SLICE_SECONDS: Final = 0.002
CHUNK: Final = 100_000  # bytes of a replay between two looks at whether the client keeps up
DRAIN_SECONDS: Final = 30.0
PASSING: Final = 200  # words besides events that are kept for one that is being brought up to date
ABORT_AFTER: Final = 5


class Live:
    """The sessions of this process and what is told to them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.done = 0  # the last event that everybody has been told of
        self.now = int(time.monotonic())
        self.sessions: dict[Session, None] = {}
        self.polls: dict[str, Any] = {}  # of hub.web.poll
        self.of_agent: dict[int, dict[AgentSession, None]] = {}
        self.of_visitor: dict[int, dict[VisitorSession, None]] = {}
        self.doubtful: Callable[[AgentSession], None] = lambda _: None  # has its rights looked at, then released
        self.left: list[Callable[[Session], None]] = []  # told of whoever is gone or hears nothing for now
        self.told: list[Callable[[Shown], None]] = []  # told after everybody
        self._groups: dict[Sight, Group] = {}
        self._held: dict[Session, None] = {}
        self._ending: deque[tuple[int, Line]] = deque()
        self._strangers: dict[Line, int] = {}
        self._waiting: deque[Recorded] = deque()
        self._wake = asyncio.Event()
        self._current: Shown | None = None
        self._closed = False

    # --- coming and going --------------------------------------------------------------------------------------------

    def hold(self, session: Session) -> None:
        """From here on what happens is kept for it."""
        self._ungroup(session)
        if session.state == ENDED:
            return
        current = self._current
        session.held = [current] if current is not None and current.recorded.id > session.cursor else []
        session.state = HELD
        self._held[session] = None

    def expect(self, line: Line) -> None:
        """Somebody has come who has not said who they are; for ten seconds that is in order."""
        self._strangers[line] = self.now + protocol.HELLO_WITHIN
        if self._closed:
            self._end_line(line, protocol.RESTART)

    def forget(self, line: Line) -> None:
        self._strangers.pop(line, None)

    def refuse(self, line: Line, end: End) -> None:
        """Ends a connection on which nobody has said who they are."""
        self._end_line(line, end)

    def _end_line(self, line: Line, end: End) -> None:
        self.forget(line)
        line.end(end)
        self._ending.append((self.now + ABORT_AFTER, line))

    def add(self, session: Session) -> None:
        """Registers a new one, held."""
        self.forget(session.line)
        self.sessions[session] = None
        if isinstance(session, AgentSession):
            self.of_agent.setdefault(session.agent_id, {})[session] = None
        elif isinstance(session, VisitorSession):
            self.of_visitor.setdefault(session.visitor.id, {})[session] = None
        self.hold(session)

    def release(self, session: Session, upto: int) -> None:
        """It knows all up to `upto`: what was kept beyond that follows, and then it is live."""
        held, session.held, joined = session.held or [], None, session.joining
        session.joining = False
        self._held.pop(session, None)
        session.cursor = max(session.cursor, upto)
        session.state = LIVE
        for shown in held:
            if shown.recorded.id > session.cursor:
                session.cursor = shown.recorded.id
                told = session.form(shown)
                if told is not None:
                    self.send(session, told)
        passing, session.passing = session.passing or (), None
        for word in passing:
            self.send(session, word)
        if isinstance(session, AgentSession) and session.state == LIVE:
            assert session.caller is not None
            sight = sight_of(session.caller.grants)
            group = self._groups.setdefault(sight, Group(sight))
            group.sessions[session] = None
            group.agents[session.agent_id] = group.agents.get(session.agent_id, 0) + 1
            session.group = group
        if joined and session.state == LIVE:
            self.send(session, frame("live", cursor=session.cursor))

    def stop(self, session: Session, why: Why) -> None:
        """It has to start from a snapshot."""
        if session.state == ENDED:
            return
        self._held.pop(session, None)
        self._ungroup(session)
        session.state, session.held, session.passing, session.joining = STOPPED, None, None, False
        for leave in self.left:
            leave(session)
        self.send(session, snapshot_required(why))

    def end(self, session: Session, end: End) -> None:
        if session.state != ENDED:
            self.gone(session)
            self._end_line(session.line, end)

    def gone(self, session: Session) -> None:
        """Its connection is over, for whatever reason."""
        session.state, session.held, session.passing = ENDED, None, None
        self.sessions.pop(session, None)
        self._held.pop(session, None)
        self._ungroup(session)
        if isinstance(session, AgentSession):
            remove(self.of_agent, session.agent_id, session)
        elif isinstance(session, VisitorSession):
            remove(self.of_visitor, session.visitor.id, session)
        for leave in self.left:
            leave(session)

    def change_visitor(self, session: VisitorSession, visitor: Visitor) -> None:
        """Somebody else has signed in in that browser. Other windows of the one before have to come in anew."""
        remove(self.of_visitor, session.visitor.id, session)
        for other in tuple(self.of_visitor.get(session.visitor.id, ())):
            self.end(other, protocol.SIGNED_OUT)
        session.visitor = visitor
        self.of_visitor.setdefault(visitor.id, {})[session] = None

    def _ungroup(self, session: Session) -> None:
        group = session.group if isinstance(session, AgentSession) else None
        if group is None:
            return
        assert isinstance(session, AgentSession)
        session.group = None
        group.sessions.pop(session, None)
        group.agents[session.agent_id] -= 1
        if not group.agents[session.agent_id]:
            del group.agents[session.agent_id]
        if not group.sessions:
            self._groups.pop(group.sight, None)
        if session.state == LIVE:
            self._pay(session, group.owed)

    def tell(self, session: Session, what: Frame) -> None:
        """What is no event: to one that is being brought up to date it is told after that."""
        if session.state == LIVE:
            self.send(session, what)
        elif session.state == HELD:
            session.passing = [*(session.passing or ()), what][-PASSING:]

    def send(self, session: Session, what: Frame) -> None:
        session.told = self.now
        if not session.line.send(what):
            self.end(session, protocol.TOO_SLOW)

    # --- joining -----------------------------------------------------------------------------------------------------

    async def join(self, session: AgentSession, cursor: int | None, welcome: dict[str, Any] | None) -> None:
        """Brings it up to date, from `cursor` or by a snapshot, and lets it go live. `welcome`: its greeting."""
        session.joining, session.brought = True, False
        self.hold(session)
        joined = await self._read(session, cursor)
        if session.state != HELD:
            return
        if joined is None or joined.caller is None or joined.me is None:
            self.end(session, protocol.RIGHTS_TAKEN if joined is None else protocol.SIGNED_OUT)
            return
        doubts, session.caller, session.name = session.doubts, joined.caller, joined.me.agent.name
        if welcome is not None:
            self.send(session, frame("welcome", **welcome, me=joined.me))
        if joined.required is not None:
            self.stop(session, joined.required)
            return
        if joined.state is not None:
            self.send(session, frame("snapshot", cursor=joined.upto, state=joined.state))
        elif joined.things is not None:
            await self._replay(session, joined.events, joined.things)
            if joined.own is not None and session.state == HELD:
                self.send(session, frame("own", what="all", **msgspec.structs.asdict(joined.own)))
        await self._go_live(session, joined.upto, doubts)

    async def join_visitor(self, session: VisitorSession, cursor: int | None, welcome: dict[str, Any] | None) -> None:
        """The same for a visitor."""
        session.joining = True
        self.hold(session)
        doubts = session.doubts
        joined = await self.store.read(replay.visitor, session.visitor, cursor)
        if session.state != HELD:
            return
        if joined is None:
            self.end(session, protocol.SIGNED_OUT)
            return
        if welcome is not None:
            self.send(session, frame("welcome", **welcome))
        if joined.required is not None:
            self.stop(session, joined.required)
            return
        if joined.state is not None:
            session.position = joined.state.ticket.position if joined.state.ticket is not None else None
            session.long_wait = joined.state.long_wait
            self.send(session, frame("snapshot", cursor=joined.upto, state=joined.state))
        elif joined.things is not None:
            await self._replay(session, joined.events, joined.things)
            if joined.read is not None and session.state == HELD:
                self.send(session, frame("read", number=joined.read[0], message_id=joined.read[1]))
            if session.state == HELD and joined.standing is not None:
                self.stand(session, joined.standing)
        await self._go_live(session, joined.upto, doubts)

    def stand(self, session: VisitorSession, standing: Standing) -> None:
        """Tells a visitor how things stand, which no event tells: what they did in another window, who is here."""
        session.position = standing.ticket.position if standing.ticket is not None else None
        self.send(session, frame("standing", state=standing))

    async def _read(self, session: AgentSession, cursor: int | None) -> replay.Joined | None:
        """Once more where rights changed meanwhile: then it is not certain that the read knew of it."""
        while True:
            doubts = session.doubts
            joined = await self.store.read(replay.agent, session.credential, cursor)
            if session.doubts == doubts or session.state != HELD:
                return joined

    async def _replay(self, session: Session, events: Iterable[Recorded], found: Things) -> None:
        size, since = 0, time.monotonic()
        for recorded in events:
            told = session.form(Shown(recorded, found))
            if told is None:
                continue
            self.send(session, told)
            size += len(told.text)
            if size >= CHUNK:
                size = 0
                await self._drained(session)
            elif time.monotonic() - since > SLICE_SECONDS:
                await asyncio.sleep(0)
            else:
                continue
            if session.state != HELD:
                return
            since = time.monotonic()

    async def _drained(self, session: Session) -> None:
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await session.line.drained()
        except (TimeoutError, ConnectionError):
            self.end(session, protocol.TOO_SLOW)

    async def _go_live(self, session: Session, upto: int, doubts: int) -> None:
        await self._drained(session)
        if session.state != HELD:
            return
        session.cursor = upto
        if session.doubts != doubts and isinstance(session, AgentSession):
            session.brought = True
            self.doubtful(session)
        else:
            self.release(session, upto)

    # --- fan-out -----------------------------------------------------------------------------------------------------

    def take(self, batch: Iterable[Recorded]) -> None:
        """Committed events in order, from the stream. Does not block."""
        self._waiting.extend(batch)
        if len(self._waiting) > BACKLOG:
            log.warning("clients start anew: events could not be read for too long", waiting=len(self._waiting))
            self._start_anew()
        self._wake.set()

    def _start_anew(self) -> None:
        self.done = self._waiting[-1].id
        self._waiting.clear()
        for session in tuple(self.sessions):
            if session.state in (LIVE, HELD):
                session.doubts += 1
                self.stop(session, "too_far_behind")

    async def run(self) -> None:
        """Tells what waits, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = [self._waiting[i] for i in range(min(AT_ONCE, len(self._waiting)))]
                try:
                    found = await self._things(batch) if self.sessions else None
                except Unavailable:
                    await asyncio.sleep(0.5)
                    continue
                except Exception:
                    log.exception("events cannot be shown")
                    self._start_anew()
                    continue
                if not self._waiting or self._waiting[0] is not batch[0]:
                    continue  # all start anew
                for _ in batch:
                    self._waiting.popleft()
                if found is not None:
                    await self._tell(batch, found)
                self.done = batch[-1].id

    async def _things(self, batch: list[Recorded]) -> Things:
        return await self.store.read(things, batch, connected=frozenset(self.of_visitor))

    async def _tell(self, batch: list[Recorded], found: Things) -> None:
        since = time.monotonic()
        for recorded in batch:
            shown = self._current = Shown(recorded, found)
            for session in self._held:
                if session.held is not None:
                    session.held.append(shown)
            self._shed()
            for group in tuple(self._groups.values()):
                since = await self._tell_group(group, shown, since)
            if shown.visitor_id is not None:
                self._tell_visitor(shown, shown.visitor_id)
            for listener in self.told:
                listener(shown)
            if time.monotonic() - since > SLICE_SECONDS:
                since = await self._breathe(await self._settle_all(since))
        await self._settle_all(since)
        self._current = None

    async def _tell_group(self, group: Group, shown: Shown, since: float) -> float:
        usual = shown.for_agent(group.sight, 0)
        special = {id: shown.for_agent(group.sight, id) for id in shown.special if id in group.agents}
        if usual is None and not special:
            return since
        event_id = shown.recorded.id
        if not special:
            assert usual is not None
            group.owed.append((event_id, usual))
            return since
        since = await self._settle(group, since)
        for number, session in enumerate(tuple(group.sessions), 1):
            told = special.get(session.agent_id, usual)
            if told is not None and session.group is group:
                self._pay(session, [(event_id, told)])
            if not number & 31:
                since = await self._breathe(since)
        return since

    async def _settle_all(self, since: float) -> float:
        for group in tuple(self._groups.values()):
            since = await self._settle(group, since)
        return since

    async def _settle(self, group: Group, since: float) -> float:
        """What a group is owed, to each in one write."""
        owed = group.owed
        if not owed:
            return since
        together = Several([told for _, told in owed])
        for number, session in enumerate(tuple(group.sessions), 1):
            if session.group is group:
                self._pay(session, owed, together)
            if not number & 31:
                since = await self._breathe(since)
        group.owed = []
        return since

    def _pay(self, session: Session, owed: list[tuple[int, Frame]], together: Several | None = None) -> None:
        """Of what is owed, what it has not heard. `together`: all of it, where that is made already."""
        if not owed or session.cursor >= owed[-1][0]:
            return
        if together is None or session.cursor >= owed[0][0]:
            together = Several([told for event_id, told in owed if event_id > session.cursor])
        session.cursor, session.told = owed[-1][0], self.now
        if not session.line.send(together):
            self.end(session, protocol.TOO_SLOW)

    async def _breathe(self, since: float) -> float:
        if time.monotonic() - since <= SLICE_SECONDS:
            return since
        await asyncio.sleep(0)
        return time.monotonic()

    def _tell_visitor(self, shown: Shown, visitor_id: int) -> None:
        told = shown.for_visitor(visitor_id)
        if told is None:
            return
        for session in tuple(self.of_visitor.get(visitor_id, ())):
            if session.state == LIVE and shown.recorded.id > session.cursor:
                session.cursor = shown.recorded.id
                self.send(session, told)

    def _shed(self) -> None:
        """Who joins more slowly than things happen starts anew."""
        for session in [s for s in self._held if s.held is not None and len(s.held) > REPLAY]:
            session.doubts += 1
            self.stop(session, "too_far_behind")

    # --- the heartbeat of all ----------------------------------------------------------------------------------------

    async def beat(self) -> None:
        """Once a second: who is silent is told something, who is dead is let go."""
        self.now = int(time.monotonic())
        since, cursors = time.monotonic(), {}
        for number, session in enumerate(tuple(self.sessions), 1):
            if session.state == ENDED:
                continue
            if self.now - session.heard > session.line.patience:
                self.end(session, protocol.SILENT)
            elif session.line.beats and self.now - session.told >= protocol.HEARTBEAT:
                if session.state == LIVE and session.cursor < self.done and self._current is None:
                    session.cursor = self.done
                    if self.done not in cursors:
                        cursors[self.done] = frame("cursor", cursor=self.done)
                    self.send(session, cursors[self.done])
                else:
                    self.send(session, PING)
            if not number & 127:
                since = await self._breathe(since)
        for line in [line for line, until in self._strangers.items() if until <= self.now]:
            self._end_line(line, protocol.NO_HELLO)
        while self._ending and self._ending[0][0] <= self.now:
            self._ending.popleft()[1].abort()

    def close(self, end: End = protocol.RESTART) -> None:
        """The desk stops: everybody is told to come back."""
        self._closed = True
        for session in tuple(self.sessions):
            self.end(session, end)
        for line in tuple(self._strangers):
            self._end_line(line, end)
