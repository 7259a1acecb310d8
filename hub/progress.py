"""A bar for work that takes long, on a terminal. Called by hub.cli."""

import sys
from typing import Any

from hub.operations import Progress


def bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    shown: Any = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )
    tasks: dict[str, Any] = {}

    def tell(what: str, done: int, all: int) -> None:
        if not tasks:
            shown.start()
            tasks["task"] = shown.add_task(what)
        shown.update(tasks["task"], description=what, completed=done, total=all or None)
        if done >= all:
            shown.stop()
            tasks.clear()

    return tell
