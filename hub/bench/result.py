"""What a benchmark found: one line each, by `parley bench` printed for people or, with --json, for programs."""

import statistics
import sys
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Column, Table

# Progress, tables and remarks go where they do not disturb the JSON.
console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 130)


class Result(msgspec.Struct, frozen=True):
    """`ratio` is the median of the paired rounds' ratios, so it need not be `value / baseline`."""

    name: str
    database: str | None
    callers: int | None
    value: float
    baseline: float | None
    ratio: float | None
    budget: float | None
    met: bool | None


class Rounds:
    """Pairs of figures, each pair taken in the same minute: what is compared is always the ratio."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.baselines: list[float] = []

    def add(self, value: float, baseline: float) -> None:
        self.values.append(value)
        self.baselines.append(baseline)

    @property
    def ratios(self) -> list[float]:
        return [v / b for v, b in zip(self.values, self.baselines, strict=True)]

    def result(
        self,
        name: str,
        *,
        database: str | None = None,
        callers: int | None = None,
        budget: float | None = None,
        judged: Literal["ratio", "value"] = "ratio",
        wanted: Literal["at least", "at most"] = "at least",
    ) -> Result:
        """`judged`: what the budget is about."""
        ratio, value = statistics.median(self.ratios), statistics.median(self.values)
        found = ratio if judged == "ratio" else value
        met = None if budget is None else found >= budget if wanted == "at least" else found <= budget
        baseline = statistics.median(self.baselines)
        return Result(name, database, callers, _short(value), _short(baseline), _short(ratio), budget, met)

    def spread(self) -> str:
        return f"{spread(self.values)}  ·  baseline {spread(self.baselines)}  ·  ratio {spread(self.ratios)}"


def spread(values: Sequence[float]) -> str:
    """Median and, in brackets, the least and the most."""
    return f"{_figure(statistics.median(values))} ({_figure(min(values))} to {_figure(max(values))})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _short(value: float) -> float:
    return round(value, 1 if abs(value) >= 100 else 4)


def report(results: Iterable[Result], *, as_json: bool) -> bool:
    """Prints them; True when every budget was met."""
    results = list(results)
    if as_json:
        sys.stdout.write(msgspec.json.encode(results).decode() + "\n")
        sys.stdout.flush()
    else:
        Console(highlight=False).print(_table(results))
    return all(r.met is not False for r in results)


def _table(results: Sequence[Result]) -> Table:
    # A long name is folded, a figure never.
    columns = [
        Column(name, no_wrap=True, justify="right") for name in ("callers", "value", "baseline", "ratio", "budget")
    ]
    table = Table(
        Column("benchmark", overflow="fold"), Column("database", no_wrap=True), *columns, Column("", no_wrap=True)
    )
    for r in results:
        figures = ["" if x is None else _figure(x) for x in (r.value, r.baseline, r.ratio, r.budget)]
        verdict = "" if r.met is None else "met" if r.met else "[bold red]missed[/]"
        table.add_row(r.name, r.database or "", "" if r.callers is None else str(r.callers), *figures, verdict)
    return table
