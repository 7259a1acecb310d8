"""Reads the script: plain text that people can write. Pure; no step of it knows the desk.

    [mug-handle] shop live, 12 days ago at 09:14        a name, the firm, live or by letter, when it begins
    Ruth Calder <ruth.calder@mail.example> en           who writes, and in which language; a phone or a firm may follow
    page /goods/stoneware-mug                           where they are, if they write live
    they: The handle came off my mug.                   what they say, at once or …
    +3m they: It is the blue one.                       … so long after the line before it
    +2m mira takes                                      what an agent does: see hub/sample/play.py
    +40s mira: I am sorry to hear it, Ruth.             what an agent answers
    +1m mira notes: Third one of that batch.
    +5m they rate 5: That was quick.

A line that begins with # is a remark. "40 minutes ago" is possible, too, for what is still going on.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from hub.clock import DAY, HOUR, MINUTE, SECOND

FOLDER: Final = Path(__file__).parent / "stories"
_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_HEAD: Final = re.compile(
    r"\[(?P<name>[\w-]+)\] (?P<inbox>\w+) (?P<door>live|letter), (?P<n>\d+) (?P<unit>days?|hours?|minutes?) ago"
    r"(?: at (?P<hour>\d\d):(?P<minute>\d\d))?"
)
_WHO: Final = re.compile(
    r"(?P<name>[^<]+) <(?P<email>[^>]+)> (?P<language>[a-z]{2})(?:, (?P<phone>\+[\d ]+))?(?:, (?P<company>.+))?"
)
_STEP: Final = re.compile(
    r"(?:\+(?P<gap>(?:\d+[smhd])+) )?(?P<who>\w+)(?: (?P<verb>[a-z]+)(?: (?P<what>[^:]+?))?)?(?:: (?P<text>.+))?"
)
_GAP: Final = re.compile(r"(\d+)([smhd])")


class Step(msgspec.Struct, frozen=True):
    """`after`: milliseconds after the beginning of its story."""

    story: str
    number: int
    after: int
    who: str
    verb: str
    what: str
    text: str


class Story(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    inbox: str
    door: str
    days: int | None  # before today, at `time` of that day; None: `ago` before now
    time: int
    ago: int
    contact: str
    email: str
    language: str
    phone: str | None
    company: str | None
    page: str | None
    steps: tuple[Step, ...]

    def begins(self, now: int) -> int:
        return now - self.ago if self.days is None else now - now % DAY - self.days * DAY + self.time


class Wrong(ValueError):
    """The script cannot be read: which file, which line."""


@cache
def stories() -> tuple[Story, ...]:
    found: list[Story] = []
    for path in sorted(FOLDER.glob("*.txt")):
        found += read(path.read_text("utf-8"), path.name)
    return tuple(found)


def schedule(now: int) -> list[tuple[int, Step]]:
    """(when, what) of all stories in the order of time. Nothing is in the future, at whatever hour it is told."""
    found = [
        (min(story.begins(now) + step.after, now - 1), order, step)
        for order, story in enumerate(stories())
        for step in story.steps
    ]
    found.sort(key=lambda one: (one[0], one[1], one[2].number))
    return [(at, step) for at, _, step in found]


def gap(text: str) -> int:
    return sum(int(number) * _UNITS[unit] for number, unit in _GAP.findall(text))


def read(text: str, file: str = "") -> list[Story]:
    found: list[Story] = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.startswith("#"):
            continue
        if line.strip():
            block.append((number, line.strip()))
        elif block:
            found.append(_story(block, file))
            block = []
    return found


def _story(lines: list[tuple[int, str]], file: str) -> Story:
    head = _must(_HEAD, lines[0], file)
    who = _must(_WHO, lines[1], file)
    rest, page = lines[2:], None
    if rest and rest[0][1].startswith("page "):
        page, rest = rest[0][1].removeprefix("page "), rest[1:]
    steps: list[Step] = []
    after = 0
    for line in rest:
        step = _must(_STEP, line, file)
        after += gap(step["gap"] or "")
        verb = step["verb"] or "says"
        steps.append(
            Step(head["name"], len(steps), after, step["who"], verb, step["what"] or "", (step["text"] or "").strip())
        )
    in_days = head["unit"].startswith("day")
    clock = int(head["hour"] or 0) * HOUR + int(head["minute"] or 0) * MINUTE
    return Story(
        name=head["name"],
        inbox=head["inbox"],
        door=head["door"],
        days=int(head["n"]) if in_days else None,
        time=clock,
        ago=0 if in_days else int(head["n"]) * (HOUR if head["unit"].startswith("hour") else MINUTE),
        contact=who["name"].strip(),
        email=who["email"],
        language=who["language"],
        phone=who["phone"],
        company=who["company"],
        page=page,
        steps=tuple(steps),
    )


def _must(pattern: re.Pattern[str], line: tuple[int, str], file: str) -> dict[str, str]:
    found = pattern.fullmatch(line[1])
    if found is None:
        raise Wrong(f"{file}:{line[0]}: {line[1]!r} is not understood here.")
    return found.groupdict()
