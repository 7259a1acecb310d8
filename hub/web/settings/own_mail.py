"""Mail by the desk: through which inbox it writes, and a test mail to oneself."""

from typing import Final

from aiohttp import web

from hub.db.tx import Rx, Tx
from hub.desk import own_mail
from hub.desk.inboxes import Inbox
from hub.errors import Refusal
from hub.staff import agents
from hub.staff.access import Caller
from hub.web import plain
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, draw

PATH: Final = "/settings/mail"
LATEST: Final = 20


async def mail(request: web.Request, caller: Caller) -> web.Response:
    return await _draw(request, caller, {})


async def choose(request: web.Request, caller: Caller, form: Form) -> web.Response:
    try:
        await request.app[DESK].store.write(own_mail.choose, caller, form.one_id("inbox_id"))
    except Refusal as refusal:
        return await _draw(request, caller, plain.wrong(refusal))
    return back(PATH)


async def test(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(_test, caller)
    return back(PATH, "mailed")


def _test(tx: Tx, caller: Caller) -> None:
    """To one's own address; where that was not proved yet, the mail that does."""
    agent = agents.get(tx, caller.grants.agent_id)
    if own_mail.to_agent(tx, agent, "test") is None:
        raise Refusal("conflict", "Choose an inbox that sends the desk's mail first.")


async def _draw(request: web.Request, caller: Caller, wrong: dict[str, str]) -> web.Response:
    def look(rx: Rx) -> tuple[Inbox | None, list[Inbox], list[own_mail.Sent]]:
        return own_mail.inbox(rx), own_mail.possible(rx), own_mail.latest(rx, caller, limit=LATEST)

    chosen, possible, latest = await request.app[DESK].store.read(look)
    return await draw(
        request,
        caller,
        "own_mail",
        "mail",
        wrong=wrong,
        chosen=chosen,
        possible=possible,
        options=[(one.id, one.name) for one in possible],
        latest=latest,
    )
