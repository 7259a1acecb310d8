"""What one connector instance is given of the hub (`hub.connector.Hub`). Made by hub.work.runner."""

from typing import TYPE_CHECKING, Any

from hub.connector import Filed, Http, Point, Raw, Rejected, Taken
from hub.db.tx import Rx, Tx
from hub.desk import incoming
from hub.desk.inboxes import Inbox
from hub.errors import Refusal
from hub.people import points
from hub.work import inbound
from hub.work.children import Failed

if TYPE_CHECKING:
    from hub.work.runner import Runner

RECALL = "SELECT value FROM connector_memory WHERE inbox_id = :inbox_id AND name = :name"
REMEMBER = """
INSERT INTO connector_memory (inbox_id, name, value) VALUES (:inbox_id, :name, :value)
ON CONFLICT (inbox_id, name) DO UPDATE SET value = excluded.value"""


class HubOf:
    """The hub as one inbox sees it."""

    def __init__(self, runner: "Runner", inbox: Inbox) -> None:
        self._runner = runner
        self._inbox = inbox
        self.inbox_token = inbox.token
        self.public_url = runner.public_url
        self.http: Http = runner.http.for_inbox(allow_http=inbox.common.allow_http)
        self.language = inbox.common.language
        self.allowed_origins = inbox.common.allowed_origins

    def __repr__(self) -> str:
        return f"<Hub of {self._inbox!r}>"

    def now(self) -> int:
        return self._runner.store.clock.now()

    def key(self, purpose: str) -> bytes:
        return self._runner.sealer.derive(f"inbox {self.inbox_token} {purpose}")

    def wrong(self, point: Point) -> str | None:
        try:
            points.normalise(point.kind, point.value, self._inbox.common.default_country)
        except Refusal as error:
            return error.text
        return None

    def throttle(self, remote: str, mark: str) -> int:
        return self._runner.throttle.wait(self.inbox_token, remote, mark)

    async def receive(self, raw: Raw) -> Taken:
        connector = self._runner.connector(self._inbox)
        taken = await inbound.receive(self._runner.store, self._inbox, connector, raw)
        self._runner.note(self._inbox.id, "in", None)
        return taken

    async def apart(self, target: str, *arguments: Any) -> bytes:
        try:
            return await self._runner.children.run(target, *arguments)
        except Failed as error:
            raise Rejected(error.reason) from None

    def works(self) -> None:
        self._runner.note(self._inbox.id, "in", None)

    async def filed(self, external_id: str) -> Filed | None:
        return await self._runner.store.read(incoming.filed, self._inbox.id, external_id)

    async def recall(self, name: str) -> str | None:
        found = await self._runner.store.read(_recall, self._inbox.id, name)
        return None if found is None else str(found)

    async def remember(self, name: str, value: str) -> None:
        await self._runner.store.write_later(_remember, self._inbox.id, name, value)


def _recall(rx: Rx, inbox_id: int, name: str) -> str | None:
    found: str | None = rx.value(RECALL, inbox_id=inbox_id, name=name)
    return found


def _remember(tx: Tx, inbox_id: int, name: str, value: str) -> None:
    tx.run(REMEMBER, inbox_id=inbox_id, name=name, value=value)
