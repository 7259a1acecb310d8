"""POST /api/v1/live/tickets: what an agent's hello on the live connection brings along."""

from typing import Final

import msgspec
from aiohttp import web

from hub.db.tx import Tx
from hub.errors import Refusal
from hub.staff import live_tickets
from hub.staff.access import Caller
from hub.web.auth import caller_of, session_token, unauthenticated
from hub.web.keys import DESK
from hub.web.rest import respond

PATH: Final = "/api/v1/live/tickets"
SCOPE: Final = "tickets:read"


class Ticket(msgspec.Struct, frozen=True):
    """Good for one hello within `expires_in` seconds."""

    ticket: str
    expires_in: int


async def create(request: web.Request) -> web.Response:
    caller = await caller_of(request)
    if caller.scopes is not None and SCOPE not in caller.scopes:
        raise Refusal("forbidden", f"This API token lacks the scope {SCOPE}. Make one that has it.")
    ticket = await request.app[DESK].store.write(_create, caller, session_token(request))
    return respond(Ticket(ticket, live_tickets.LASTS // 1000), 201)


def _create(tx: Tx, caller: Caller, session: str | None) -> str:
    ticket = live_tickets.create(tx, caller, session)
    if ticket is None:
        raise unauthenticated()
    return ticket
