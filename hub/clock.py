"""The only place that asks what time it is; the rest is handed a clock, so that tests and samples can move it."""

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> int:
        """Wall time: integer milliseconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump; for intervals, never stored."""
        ...


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """Stands still until told to move: `advance` moves both times, `jump` the wall alone, as a clock set by hand."""

    def __init__(self, now: int = 1_790_000_000_000) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, ms: int) -> None:
        self._now += ms
        self._monotonic += ms / 1000

    def jump(self, ms: int) -> None:
        self._now += ms


SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
