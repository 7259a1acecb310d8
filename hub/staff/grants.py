"""Grants in memory, one frozen value per agent, so that no request and no event asks the database who may.

One cache per desk process. `hub.app` makes it and has it `listen` to the stream, which also carries the
`access.changed` of other processes; those of this one are heard as soon as they are committed.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from hub.db.store import Store
from hub.events import AccessChanged, Recorded
from hub.staff import access
from hub.staff.access import Grants


class Stream(Protocol):
    def subscribe(self, listener: Callable[[Sequence[Recorded]], None]) -> Callable[[], None]: ...


class GrantCache:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[int, Grants] = {}
        self._changes = 0
        store.committed.append(lambda events, _enqueued: self.heard(events))

    async def get(self, agent_id: int) -> Grants | None:
        """What the agent may now; None for nobody and for a disabled one."""
        known = self._known.get(agent_id)
        if known is not None:
            return known
        changes = self._changes
        found = await self._store.read(access.load, agent_id)
        if found is not None and changes == self._changes:
            # Rights that changed while they were being read are not kept: the snapshot may be from before.
            self._known[agent_id] = found
        return found

    def listen(self, stream: Stream) -> None:
        """From now on, what other processes change is heard too."""
        stream.subscribe(self.heard)

    def heard(self, events: Sequence[Recorded]) -> None:
        """Forgets what is no longer true. Harmless to call twice with the same events."""
        for recorded in events:
            if not isinstance(recorded.event, AccessChanged):
                continue
            self._changes += 1
            if recorded.event.agent_id is None:
                self._known.clear()
            else:
                self._known.pop(recorded.event.agent_id, None)
