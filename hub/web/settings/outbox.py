"""Whether anything may leave, and what waits to: after a restore it is frozen until a person has looked."""

from typing import Final

from aiohttp import web

from hub.db.tx import Rx
from hub.desk import deliveries, inboxes, outbox, own_mail, planned
from hub.staff.access import Caller
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, draw, named, number

PATH: Final = "/settings/outbox"
AT_ONCE: Final = 100


async def waiting(request: web.Request, caller: Caller) -> web.Response:
    """What has not come to its end, newest first, of all states or of one."""
    wanted = request.query.get("state", "")
    states = (wanted,) if wanted in planned.STATES else ()
    before = request.query.get("before", "")

    def look(rx: Rx) -> tuple[bool, list[planned.Open], list[own_mail.Open], dict[int, str]]:
        found = planned.listed(
            rx, caller, states=states, before=number(before) if before.isdecimal() else None, limit=AT_ONCE + 1
        )
        mails = own_mail.unended(rx, caller, before=rx.now + 1, limit=AT_ONCE)
        return outbox.is_frozen(rx), found, mails, {one.id: one.name for one in inboxes.all_of_them(rx)}

    frozen, found, mails, names = await request.app[DESK].store.read(look)
    return await draw(
        request,
        caller,
        "outbox",
        "outbox",
        frozen=frozen,
        items=found[:AT_ONCE],
        older=found[AT_ONCE - 1].id if len(found) > AT_ONCE else None,
        mails=[one for one in mails if not states or one.state in states],
        names=names,
        state=states[0] if states else "",
        states=planned.STATES,
    )


async def change(request: web.Request, caller: Caller, form: Form) -> web.Response:
    freeze = form.get("state") == outbox.FROZEN
    await request.app[DESK].store.write(outbox.freeze if freeze else outbox.thaw, caller)
    return back(PATH, outbox.FROZEN if freeze else outbox.OPEN)


async def resend(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(deliveries.resend, caller, named(request))
    return back(PATH, "resent")


async def cancel_mail(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(own_mail.cancel, caller, named(request))
    return back(PATH, "cancelled")


async def resend_mail(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(own_mail.resend, caller, named(request))
    return back(PATH, "resent")


async def cancel(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(deliveries.cancel, caller, named(request))
    return back(PATH, "cancelled")
