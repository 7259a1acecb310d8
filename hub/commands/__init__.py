"""The one table of commands: what an agent, a bot, an API client may do. REST and the socket are its doors."""

from collections.abc import Mapping
from typing import Final

from hub.commands import (
    blocking,
    board,
    canned,
    contact_work,
    desk,
    drafts,
    feedback,
    fields,
    files,
    hours,
    inboxes,
    merging,
    messages,
    people,
    reading,
    routing,
    sample,
    staff,
    tags,
    targets,
    tickets,
    views,
)
from hub.commands.table import Command

COMMANDS: Final[tuple[Command, ...]] = (
    *tickets.COMMANDS,
    *messages.COMMANDS,
    *merging.COMMANDS,
    *views.COMMANDS,
    *reading.COMMANDS,
    *drafts.COMMANDS,
    *files.COMMANDS,
    *canned.COMMANDS,
    *people.COMMANDS,
    *tags.COMMANDS,
    *contact_work.COMMANDS,
    *fields.COMMANDS,
    *blocking.COMMANDS,
    *feedback.COMMANDS,
    *staff.COMMANDS,
    *inboxes.COMMANDS,
    *routing.COMMANDS,
    *hours.COMMANDS,
    *targets.COMMANDS,
    *board.COMMANDS,
    *desk.COMMANDS,
    *sample.COMMANDS,
)
BY_NAME: Final[Mapping[str, Command]] = {command.name: command for command in COMMANDS}
