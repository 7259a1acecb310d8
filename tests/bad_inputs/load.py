"""Bad inputs are lines of YAML: one an input, with what has to come of it. A test file a class reads them by this.

`waits_for: <command>` stands on an input whose feature does not exist yet: it is not tried, and a test fails as soon as
there is such a command and the mark still stands. `tested_by: <test>` names the test of what one input does not tell.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent


def lines(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    ids = [line["id"] for line in found]
    assert len(ids) == len(set(ids)), "an id stands twice"
    return found


def cases(name: str) -> list[Any]:
    """Those that can be tried, as parameters of a test."""
    return [pytest.param(line, id=line["id"]) for line in lines(name) if not {"waits_for", "tested_by"} & set(line)]


def waiting() -> Iterator[tuple[str, str, str]]:
    """(file, id, command) of every input that waits for a command."""
    for path in sorted(HERE.glob("*.yaml")):
        for line in lines(path.name):
            if "waits_for" in line:
                yield path.name, line["id"], line["waits_for"]
