"""A client's connection as hub.live holds it: what it is sent through (`Line`), and what is known of it (`Session`).

Many thousand of these are idle, so they are small: no task, no timer and no queue of their own.
"""

from typing import Final, Protocol, TypeVar

from hub.desk.visitors import Visitor
from hub.live.audience import Sight, sight_of
from hub.live.hydrate import Shown
from hub.live.protocol import End, Frame, Several
from hub.staff.access import Caller
from hub.staff.live_tickets import Credential

S = TypeVar("S")
HELD: Final = 0
LIVE: Final = 1
STOPPED: Final = 2  # told to take a snapshot; hears nothing until then
ENDED: Final = 3


class Line(Protocol):
    """What a session's frames go to: a socket, or what a poll fetches from."""

    @property
    def patience(self) -> int: ...  # seconds without a word after which it is dead
    @property
    def beats(self) -> bool: ...  # whether it wants heartbeats
    def send(self, frame: Frame | Several) -> bool: ...  # False: it cannot take more
    def end(self, end: End) -> None: ...
    def abort(self) -> None: ...
    async def drained(self) -> None: ...


class Session:
    """One connection. `cursor`: the last event it was told of, or that was not for it."""

    __slots__ = ("cursor", "doubts", "heard", "held", "joining", "line", "passing", "state", "told")

    def __init__(self, line: Line, now: int) -> None:
        self.line = line
        self.state = HELD
        self.held: list[Shown] | None = []
        self.passing: list[Frame] | None = None  # what was told besides while it was held
        self.cursor = 0
        self.doubts = 0  # how often its rights may have changed
        self.joining = False
        self.heard = self.told = now

    def form(self, shown: Shown) -> Frame | None:
        raise NotImplementedError


class AgentSession(Session):
    __slots__ = ("brought", "caller", "credential", "group", "name", "present", "viewing", "worked")

    def __init__(self, line: Line, now: int, credential: Credential, present: bool) -> None:
        super().__init__(line, now)
        self.credential = credential
        self.present = present
        self.caller: Caller | None = None
        self.group: Group | None = None
        self.brought = False  # up to date, while its rights are looked at
        self.name = ""
        self.viewing: int | None = None
        self.worked = False  # since the session it was opened with was last marked as used

    @property
    def agent_id(self) -> int:
        return self.credential.agent_id

    def form(self, shown: Shown) -> Frame | None:
        assert self.caller is not None
        return shown.for_agent(sight_of(self.caller.grants), self.credential.agent_id)


class VisitorSession(Session):
    """`visitor`: the row as it was when they came; of it only the ids count."""

    __slots__ = ("acknowledged", "long_wait", "position", "visitor")

    def __init__(self, line: Line, now: int, visitor: Visitor) -> None:
        super().__init__(line, now)
        self.visitor = visitor
        self.acknowledged = 0
        self.position: int | None = None
        self.long_wait = False

    def form(self, shown: Shown) -> Frame | None:
        return shown.for_visitor(self.visitor.id)


class Group:
    """The agents' sessions that see as much. `owed`: what all of them are to hear, by the ids of the events, and not
    all of them have."""

    __slots__ = ("agents", "owed", "sessions", "sight")

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self.owed: list[tuple[int, Frame]] = []
        self.sessions: dict[AgentSession, None] = {}
        self.agents: dict[int, int] = {}


def remove(of: dict[int, dict[S, None]], id: int, session: S) -> None:
    """Takes a session out of those of an agent or visitor."""
    theirs = of.get(id)
    if theirs is not None:
        theirs.pop(session, None)
        if not theirs:
            del of[id]
