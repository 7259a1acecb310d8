"""Jobs that the desk has given up: what they were, what went wrong, once more or never again."""

from typing import Final

import msgspec
from aiohttp import web

from hub.desk import jobs
from hub.staff.access import Caller
from hub.web.keys import DESK
from hub.web.settings.frame import Form, back, draw, named
from hub.web.settings.quarantine import asked

PATH: Final = "/settings/jobs"
AT_ONCE: Final = 25


async def dead(request: web.Request, caller: Caller) -> web.Response:
    before = asked(request, "before")
    found = await request.app[DESK].store.read(lambda rx: jobs.dead(rx, caller, before=before, limit=AT_ONCE + 1))
    items = found[:AT_ONCE]
    return await draw(
        request,
        caller,
        "jobs",
        "jobs",
        items=[(job, msgspec.json.format(msgspec.json.encode(job.payload)).decode()) for job in items],
        older=items[-1].id if len(found) > AT_ONCE else None,
    )


async def retry(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(jobs.revive, caller, named(request))
    return back(PATH, "retried")


async def drop(request: web.Request, caller: Caller, form: Form) -> web.Response:
    await request.app[DESK].store.write(jobs.drop, caller, named(request))
    return back(PATH, "dropped")
