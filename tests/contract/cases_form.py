"""The contact form in the contract suite: what a firm's own server posts, through the form's own page."""

from urllib.parse import urlencode

import msgspec

from hub.connector import Raw, Reply
from hub.desk.inboxes import Inbox
from hub.work.runner import Runner
from tests.contract.cases import Cases


class FormCases(Cases):
    kind = "form"
    signed = False  # strangers have nothing to sign with; who may post is tested in tests/connectors/form

    def message(self, id: str, text: str = "Hello", by: str = "eve@example.net") -> Raw:
        body = urlencode({"client_id": id, "name": "Eve", "email": by, "message": text})
        return Raw(headers=(("Content-Type", "application/x-www-form-urlencoded"),), body=body.encode())

    async def deliver(self, runner: Runner, inbox: Inbox, raw: Raw) -> Reply:
        connector = runner.connector(inbox)
        (route,) = [route for route in connector.routes() if (route.method, route.path) == ("POST", "post")]
        url = f"{runner.public_url}/f/{inbox.token}/post"
        now = runner.store.clock.now()
        return await route.handler(msgspec.structs.replace(raw, url=url, remote="203.0.113.7", received_at=now))


CASES = FormCases()
