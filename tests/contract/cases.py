"""What a connector brings to the contract suite. One module `cases_<kind>.py` a connector, with a `CASES` in it."""

import contextlib
import importlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from hub.connector import Item, Raw, Reply
from hub.desk.inboxes import Inbox
from hub.work import inbound
from hub.work.runner import Runner


class Peer(Protocol):
    """The other end of a channel that sends: what it does with the next calls, and what it really took."""

    script: Any  # takes "ok", "429", a status, "hang", "take and die", "refuse and die"

    @property
    def host(self) -> str:
        """ "host:port", for the operator's list."""
        ...

    @property
    def url(self) -> str: ...

    def accepted(self) -> list[str]: ...


class Cases:
    """Subclass it. What a channel does not have stays None, and shows as such in the table."""

    kind: str
    secrets: Sequence[str] = ()  # texts that no log and no repr may show
    signed: bool = True  # requests are signed: forged ones are refused
    sends: bool = False
    asks: bool = False  # `find` can tell what became of an Unknown one
    bad_request: int = 400  # a status with which the other side refuses one message for good
    patience: int = 2_000  # milliseconds that all of the inbox waits for after "429"

    def settings(self, peer: Peer | None) -> dict[str, Any]:
        return {}

    def message(self, id: str, text: str = "Hello", by: str = "eve@example.net") -> Raw:
        """A genuine request with one message; `id`: the same id is the same message."""
        raise NotImplementedError

    def forged(self) -> list[tuple[str, Raw]]:
        """(what is wrong, the request) of requests that are not genuine."""
        return []

    def unknown(self) -> Raw | None:
        """Genuine, but of a kind that this desk does nothing with."""
        return None

    def unparsable(self) -> Raw | None:
        """Genuine, and not understood."""
        return None

    def mended(self) -> list[Item]:
        """What `unparsable` means once the connector has been mended: one message."""
        return []

    def batch(self, ids: Sequence[str], bad: int | None = None) -> Raw | None:
        """Several messages in one request, the one at position `bad` broken."""
        return None

    @contextlib.asynccontextmanager
    async def peer(self) -> AsyncIterator[Peer | None]:
        yield None

    async def deliver(self, runner: Runner, inbox: Inbox, raw: Raw) -> Reply:
        """By the door that such a request comes through; /in/<token> unless the channel has pages of its own."""
        return await inbound.webhook(runner, inbox.token, raw)


def all_cases() -> list[Cases]:
    names = sorted(path.stem for path in Path(__file__).parent.glob("cases_*.py"))
    return [importlib.import_module(f"tests.contract.{name}").CASES for name in names]
