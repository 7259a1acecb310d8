"""The website chat in the contract suite: its door is what a visitor says, and no webhook is taken."""

from collections.abc import Sequence
from typing import Any

import msgspec

from hub.connector import Raw, Reply
from hub.desk import visitors
from hub.desk.inboxes import Inbox
from hub.errors import Refusal
from hub.work import inbound
from hub.work.runner import Runner
from tests.contract.cases import Cases, Peer

SECRET = "the secret that a site signs its visitors with"
SITE = "https://shop.example"
_tokens: dict[tuple[int, str], str] = {}


class ChatCases(Cases):
    kind = "chat"
    secrets: Sequence[str] = (SECRET,)

    def settings(self, peer: Peer | None) -> dict[str, Any]:
        return {"offline": "never", "identity_secret": SECRET}

    def message(self, id: str, text: str = "Hello", by: str = "eve@example.net") -> Raw:
        return Raw(method="SAY", body=msgspec.json.encode({"by": by, "client_id": id, "text": text}))

    def forged(self) -> list[tuple[str, Raw]]:
        genuine = self.message("one")
        return [
            ("any webhook", Raw(body=genuine.body)),
            ("an empty one", Raw()),
            ("one with a visitor's words", Raw(method="PUT", query="client_id=one", body=genuine.body)),
        ]

    async def deliver(self, runner: Runner, inbox: Inbox, raw: Raw) -> Reply:
        """By the visitors' own door; one browser a person, as long as the runner lives."""
        if raw.method != "SAY":
            return await inbound.webhook(runner, inbox.token, raw)
        said = msgspec.json.decode(raw.body, type=dict[str, str])

        def say(tx: Any) -> None:
            key = (id(runner), f"{inbox.id} {said['by']}")
            entered = visitors.enter(tx, inbox, _tokens.get(key), SITE)
            _tokens[key] = entered.token or _tokens[key]
            visitors.say(tx, entered.visitor, said["text"], said["client_id"])

        try:
            await runner.store.write(say)
        except Refusal as error:
            return Reply(404 if error.code == "gone" else 422)
        return Reply()


CASES = ChatCases()
