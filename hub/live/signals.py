"""What passes and is no event: who is typing, who is looking at a ticket, what an agent did in another window. Between
clients of all processes.

Told to those who look at the same ticket (`viewing`), and to the visitor whose ticket it is. Each process tells the
others what its own clients do; over PostgreSQL that is NOTIFY, on SQLite there are no others.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec
import structlog

from hub.db.store import Store
from hub.db.tx import Rx
from hub.desk import ticket as tickets
from hub.desk import visitors
from hub.desk.visitors.look import first_name
from hub.desk.visitors.talk import going_on
from hub.errors import Refusal, not_found
from hub.events import Scope, Told
from hub.live.audience import TICKETS
from hub.live.clients import LIVE, AgentSession, Session, VisitorSession
from hub.live.hydrate import Shown
from hub.live.protocol import Frame, encode, frame
from hub.live.sessions import Live
from hub.staff.access import may

log = structlog.get_logger("live")

TYPING_LASTS: Final = 6  # seconds
VIEWERS_LAST: Final = 50
SAY_AGAIN: Final = 20
MOST: Final = 7_000  # bytes of one NOTIFY
_KNOWN: Final = 1_000
_KNOWN_LASTS: Final = 5


class Place(msgspec.Struct, frozen=True):
    """A ticket, as far as signals need it."""

    number: int
    scope: Scope
    visitor_id: int | None


class Typing(msgspec.Struct, frozen=True, tag="typing"):
    place: Place
    kind: Literal["agent", "contact"]
    id: int
    name: str | None
    on: bool
    mode: Literal["reply", "note"]
    process: str


class Viewers(msgspec.Struct, frozen=True, tag="viewers"):
    number: int
    process: str
    agents: tuple[int, ...]


class Word(msgspec.Struct, frozen=True, tag="word"):
    """What a unit told. `text`: the frame."""

    to: Literal["agent", "visitor"]
    id: int
    needs: str
    text: str
    process: str


Said = Typing | Viewers | Word
_decode = msgspec.json.Decoder(list[Said]).decode
_encode = msgspec.json.Encoder().encode


class Signals:
    def __init__(self, store: Store, live: Live, process: str) -> None:
        self._store, self._live, self._process = store, live, process
        self._known: dict[tuple[str, int], tuple[int, Place]] = {}
        self._typing: dict[Session, tuple[Typing, int]] = {}
        self._viewing: dict[int, dict[AgentSession, None]] = {}
        self._elsewhere: dict[int, dict[str, tuple[int, tuple[int, ...]]]] = {}
        self._out: list[Said] = []
        self._news = asyncio.Event()
        live.left.append(self.left)
        live.told.append(self._moved)
        store.passing.append(self.told)

    # --- what clients say --------------------------------------------------------------------------------------------

    async def typing(
        self, session: Session, on: bool, number: int | None = None, mode: Literal["reply", "note"] = "reply"
    ) -> None:
        """Said again while it lasts; at most once a second is heard."""
        was = self._typing.get(session)
        if was is not None and on and was[0].mode == mode and self._is(was[0].place, number):
            if self._live.now + TYPING_LASTS <= was[1]:
                return
        elif was is not None:
            self._stop_typing(session)
        if not on:
            return
        if isinstance(session, AgentSession):
            if number is None:
                raise not_found("ticket")
            place = await self._of_agent(session, number)
            said = Typing(place, "agent", session.agent_id, session.name, True, mode, self._process)
        else:
            assert isinstance(session, VisitorSession)
            found = await self._of_visitor(session)
            if found is None:
                return
            said = Typing(found, "contact", session.visitor.contact_id or 0, None, True, "reply", self._process)
        if session in self._live.sessions:
            self._typing[session] = said, self._live.now + TYPING_LASTS
            self._tell(said, session)
            self._pass_on(said)

    @staticmethod
    def _is(place: Place, number: int | None) -> bool:
        return number is None or place.number == number

    async def viewing(self, session: AgentSession, number: int | None) -> None:
        """The agent looks at this ticket now, and at no other."""
        if number is not None:
            await self._of_agent(session, number)
        if session not in self._live.sessions:
            return
        if session.viewing != number:
            self._leave(session)
            session.viewing = number
        if number is not None:
            self._viewing.setdefault(number, {})[session] = None
            self._announce(number)

    def left(self, session: Session) -> None:
        """It is gone, or hears nothing until it starts anew."""
        self._stop_typing(session)
        if isinstance(session, AgentSession):
            self._leave(session)

    def stop(self) -> None:
        with contextlib.suppress(ValueError):
            self._store.passing.remove(self.told)

    def told(self, words: Sequence[Told]) -> None:
        """What units told, now that they are on disk: one encoding for all windows. What is too long for the other
        processes goes there without its text, which is stored."""
        for told in words:
            text = encode(told.frame)
            self._pass_word(told.to, told.id, told.needs, Frame(text))
            if len(text) > MOST - 200:
                text = encode({k: v for k, v in told.frame.items() if k != "text"})
            if len(text) <= MOST - 200:
                self._pass_on(Word(told.to, told.id, told.needs, text.decode(), self._process))

    def _pass_word(self, to: str, id: int, needs: str, what: Frame) -> None:
        if to == "visitor":
            for window in tuple(self._live.of_visitor.get(id, ())):
                self._live.tell(window, what)
            return
        for session in tuple(self._live.of_agent.get(id, ())):
            caller = session.caller  # none yet: they have just come, and the ticket they came with was judged
            if caller is None or not needs or needs in caller.grants.permissions:
                self._live.tell(session, what)

    # --- who may -----------------------------------------------------------------------------------------------------

    async def _of_agent(self, session: AgentSession, number: int) -> Place:
        known = self._known.get(("ticket", number))
        if known is not None and known[0] > self._live.now:
            place = known[1]
        else:
            place = await self._store.read(_place, number)
            self._keep(("ticket", number), place)
        caller = session.caller
        if caller is None or TICKETS not in caller.grants.permissions or not may(caller.grants, place.scope):
            raise not_found("ticket")
        return place

    async def _of_visitor(self, session: VisitorSession) -> Place | None:
        known = self._known.get(("visitor", session.visitor.id))
        if known is not None and known[0] > self._live.now:
            return known[1]
        place = await self._store.read(_visitors_place, session.visitor.id)
        if place is not None:
            self._keep(("visitor", session.visitor.id), place)
        return place

    def _keep(self, key: tuple[str, int], place: Place) -> None:
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[key] = self._live.now + _KNOWN_LASTS, place

    # --- telling -----------------------------------------------------------------------------------------------------

    def _stop_typing(self, session: Session) -> None:
        was = self._typing.pop(session, None)
        if was is not None:
            over = msgspec.structs.replace(was[0], on=False)
            self._tell(over, session)
            self._pass_on(over)

    def _tell(self, said: Typing, by: Session | None) -> None:
        """To the clients of this process."""
        place = said.place
        watching = self._viewing.get(place.number)
        if watching:
            told = frame(
                "typing", number=place.number, by={"kind": said.kind, "id": said.id}, on=said.on, mode=said.mode
            )
            for session in tuple(watching):
                caller = session.caller
                if session is not by and caller is not None and may(caller.grants, place.scope):
                    self._live.send(session, told)
        if place.visitor_id is not None and said.mode == "reply":
            name = first_name(said.name) if said.kind == "agent" else None
            told = frame("typing", number=place.number, by={"kind": said.kind, "name": name}, on=said.on)
            for other in tuple(self._live.of_visitor.get(place.visitor_id, ())):
                if other is not by and other.state == LIVE:
                    self._live.send(other, told)

    def _leave(self, session: AgentSession) -> None:
        number, session.viewing = session.viewing, None
        watching = self._viewing.get(number) if number is not None else None
        if number is None or watching is None:
            return
        watching.pop(session, None)
        if not watching:
            del self._viewing[number]
        self._announce(number)

    def _announce(self, number: int) -> None:
        self._tell_viewers(number)
        self._pass_on(Viewers(number, self._process, self._here(number)))

    def _here(self, number: int) -> tuple[int, ...]:
        return tuple(sorted({s.agent_id for s in self._viewing.get(number, ())}))

    def _tell_viewers(self, number: int) -> None:
        watching = self._viewing.get(number)
        if watching:
            agents = set(self._here(number))
            for _, others in self._elsewhere.get(number, {}).values():
                agents.update(others)
            told = frame("viewers", number=number, agents=sorted(agents))
            for session in tuple(watching):
                self._live.send(session, told)

    def _moved(self, shown: Shown) -> None:
        """Whoever sees a ticket no longer does not look at it either."""
        recorded = shown.recorded
        number = shown.number
        if number is None or recorded.before == recorded.after or recorded.after is None:
            return
        self._known.pop(("ticket", number), None)
        for session in tuple(self._viewing.get(number, ())):
            if session.caller is None or not may(session.caller.grants, recorded.after):
                self._leave(session)

    # --- the other processes -----------------------------------------------------------------------------------------

    def _pass_on(self, said: Said) -> None:
        if self._store.backend.notifies:
            self._out.append(said)
            self._news.set()

    async def send(self) -> None:
        """Passes on what was said here, for ever, several at a time."""
        while True:
            await self._news.wait()
            await asyncio.sleep(0.02)
            self._news.clear()
            out, self._out = self._out, []
            for payload in _packed(out):
                try:
                    await self._store.backend.signal(payload)
                except Exception:
                    log.exception("a signal could not be passed on")

    async def hear(self) -> None:
        await self._store.backend.signals(self._heard)

    def _heard(self, payload: str) -> None:
        try:
            found = _decode(payload)
        except msgspec.DecodeError:
            return  # another version's
        for said in found:
            if said.process == self._process:
                continue  # our own come back to us as well
            if isinstance(said, Viewers):
                self._viewers_elsewhere(said)
            elif isinstance(said, Word):
                self._pass_word(said.to, said.id, said.needs, Frame(said.text.encode()))
            else:
                self._tell(said, None)

    def _viewers_elsewhere(self, said: Viewers) -> None:
        there = self._elsewhere.setdefault(said.number, {})
        was = there.get(said.process, (0, ()))[1]
        if said.agents:
            there[said.process] = self._live.now + VIEWERS_LAST, said.agents
        else:
            there.pop(said.process, None)
            if not there:
                del self._elsewhere[said.number]
        if was != said.agents:
            self._tell_viewers(said.number)

    # --- once a second -----------------------------------------------------------------------------------------------

    def beat(self) -> None:
        now = self._live.now
        for session in [s for s, (_, until) in self._typing.items() if until <= now]:
            self._stop_typing(session)
        if now % SAY_AGAIN == 0 and self._store.backend.notifies:
            for number in self._viewing:
                self._pass_on(Viewers(number, self._process, self._here(number)))
        for number, there in tuple(self._elsewhere.items()):
            for process, (until, _) in tuple(there.items()):
                if until <= now:
                    self._viewers_elsewhere(Viewers(number, process, ()))


def _packed(said: list[Said]) -> Iterator[str]:
    """As few payloads as there is room for."""
    part: list[bytes] = []
    size = 2
    for one in map(_encode, said):
        if part and size + len(one) + 1 > MOST:
            yield f"[{b','.join(part).decode()}]"
            part, size = [], 2
        part.append(one)
        size += len(one) + 1
    if part:
        yield f"[{b','.join(part).decode()}]"


def _place(rx: Rx, number: int) -> Place:
    ticket = tickets.by_number(rx, number)
    if ticket is None:
        raise not_found("ticket")
    return Place(number, ticket.scope, visitors.of_ticket(rx, ticket.id))


def _visitors_place(rx: Rx, visitor_id: int) -> Place | None:
    with contextlib.suppress(Refusal):
        ticket = going_on(rx, visitors.must(rx, visitor_id))
        if ticket is not None:
            return Place(ticket.number, ticket.scope, visitor_id)
    return None
