"""The one table of commands: what an agent, a bot, an API client may do. REST and the socket are its doors."""

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Final

from hub.commands.table import Command

_FILES: Final = ("tickets", "messages", "people", "feedback", "staff", "inboxes", "desk")

COMMANDS: Final[tuple[Command, ...]] = tuple(
    command
    for name in _FILES
    if importlib.util.find_spec(f"hub.commands.{name}") is not None
    for command in importlib.import_module(f"hub.commands.{name}").COMMANDS
)
BY_NAME: Final[Mapping[str, Command]] = {command.name: command for command in COMMANDS}
