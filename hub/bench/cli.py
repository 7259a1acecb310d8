"""`parley bench …`: every budget of docs/bench.md as a command. Mounted by hub.cli; also `python -m hub.bench`."""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from hub.bench.result import Result, report

F = TypeVar("F", bound=Callable[..., Any])
DATABASES = ("sqlite", "postgres")


@click.group()
def bench() -> None:
    """Measure this desk against its budgets. Exit status 1: one was missed."""


def _common(command: F) -> F:
    options = (
        click.option("--json", "as_json", is_flag=True, help="A list of results on standard output."),
        click.option("--folder", type=click.Path(path_type=Path, exists=True), help="Measure here, on a real disk."),
    )
    for option in options:
        command = option(command)
    return command


def _databases(default: str = "both") -> Callable[[F], F]:
    return click.option("--database", type=click.Choice([*DATABASES, "both"]), default=default, show_default=True)


def _chosen(database: str) -> Sequence[str]:
    return DATABASES if database == "both" else (database,)


def _end(results: Sequence[Result], as_json: bool) -> None:
    if not report(results, as_json=as_json):
        sys.exit(1)


def _run(work: Any) -> Any:
    import structlog
    import uvloop

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.setswitchinterval(0.0002)  # as hub.serve does
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@bench.command()
@_common
@_databases()
@click.option("--rounds", default=5, show_default=True)
@click.option("--callers", multiple=True, type=int, default=(32, 128), show_default=True)
@click.option("--messages", default=4_000, show_default=True, help="Of each round.")
@click.option("--known", default=5_000, show_default=True, help="Customers that the desk knows already.")
@click.option("--fsyncs/--no-fsyncs", default=True, help="Count them with strace, where there is one.")
def ingest(
    as_json: bool,
    folder: Path | None,
    database: str,
    rounds: int,
    callers: tuple[int, ...],
    messages: int,
    known: int,
    fsyncs: bool,
) -> None:
    """What comes in, durably stored: against the same SQL in a bare loop."""
    from hub.bench.ingest import Plan, run

    plan = Plan(rounds=rounds, messages=messages, callers=callers, known=known, fsyncs=fsyncs)
    _end([r for one in _chosen(database) for r in _run(run(one, plan, folder))], as_json)


@bench.command()
@_common
@_databases("sqlite")
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=2.0, show_default=True, help="Of each half of a round.")
@click.option("--connections", default=64, show_default=True)
def post(as_json: bool, folder: Path | None, database: str, rounds: int, seconds: float, connections: int) -> None:
    """A command over HTTP: against a handler that only reads the same JSON."""
    from hub.bench.post import Plan, run

    plan = Plan(rounds=rounds, seconds=seconds, connections=connections)
    _end([r for one in _chosen(database) for r in _run(run(one, plan, folder))], as_json)


@bench.command()
@_common
@_databases("sqlite")
@click.option("--rounds", default=7, show_default=True)
@click.option("--idle", default=3.0, show_default=True, help="Seconds of rest before the desk is weighed.")
def start(as_json: bool, folder: Path | None, database: str, rounds: int, idle: float) -> None:
    """From nothing to the first page, and the memory of a desk at rest."""
    from hub.bench.start import run

    _end([r for one in _chosen(database) for r in _run(run(one, rounds, folder, idle=idle))], as_json)


@bench.command()
@_common
@_databases()
@click.option("--kills", default=500, show_default=True, help="Of each database.")
@click.option("--seed", default=1, show_default=True)
@click.option("--check", default=100, show_default=True, help="Look at the record after so many kills.")
@click.option("--kill-server", "server", default=0, help="PostgreSQL: after so many kills the server is killed too.")
def kill(as_json: bool, folder: Path | None, database: str, kills: int, seed: int, check: int, server: int) -> None:
    """A desk under load is killed again and again: nothing acknowledged is lost, nothing is there twice."""
    from hub.bench.ingest import cost
    from hub.bench.kill import Plan, run

    results = []
    for one in _chosen(database):
        plan = Plan(kills=kills, seed=seed, check=check, server=server if one == "postgres" else 0)
        results += _run(run(one, plan, folder))
        results += _run(cost(one, folder))
    _end(results, as_json)


@bench.command()
@_common
@_databases()
@click.option("--disconnects", default=10_000, show_default=True, help="Of each database.")
@click.option("--clients", default=48, show_default=True, help="Half of them agents, half visitors.")
@click.option("--rate", default=50, show_default=True, help="Commands a second meanwhile.")
@click.option("--seed", default=1, show_default=True)
def storm(
    as_json: bool, folder: Path | None, database: str, disconnects: int, clients: int, rate: int, seed: int
) -> None:
    """Clients on a bad network are cut off again and again, and hear everything once, in order."""
    from hub.bench.storm import Plan, run

    plan = Plan(disconnects=disconnects, agents=clients // 2, visitors=clients - clients // 2, rate=rate, seed=seed)
    _end([r for one in _chosen(database) for r in _run(run(one, plan, folder))], as_json)


@bench.command()
@_common
@click.option("--rounds", default=5, show_default=True)
@click.option("--messages", default=800, show_default=True, help="Of each half of a round.")
def live(as_json: bool, folder: Path | None, rounds: int, messages: int) -> None:
    """A visitor's words on their way to an agent: against five bare statements, and a bare socket."""
    from hub.bench.live import Plan, run

    _end(_run(run(Plan(rounds=rounds, messages=messages), folder)), as_json)


@bench.command()
@_common
@_databases("sqlite")
@click.option("--rounds", default=5, show_default=True)
@click.option("--agents", default=100, show_default=True)
@click.option("--events", default=256, show_default=True, help="Of each round.")
def fanout(as_json: bool, folder: Path | None, database: str, rounds: int, agents: int, events: int) -> None:
    """An event to a hundred agents: against the same bytes written in a loop."""
    from hub.bench.fanout import Plan, run

    plan = Plan(rounds=rounds, agents=agents, events=events)
    _end([r for one in _chosen(database) for r in _run(run(one, plan, folder))], as_json)


@bench.command("list")
@_common
@_databases("sqlite")
@click.option("--tickets", multiple=True, type=int, default=(100_000, 1_000_000), show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--requests", default=60, show_default=True, help="Of each page and round.")
def list_(
    as_json: bool, folder: Path | None, database: str, tickets: tuple[int, ...], rounds: int, requests: int
) -> None:
    """A page of fifty tickets by HTTP on a large desk: against the bare statement and its encoding."""
    from hub.bench.lists import Plan, run

    plan = Plan(tickets=tickets, requests=requests, rounds=rounds)
    _end([r for one in _chosen(database) for r in _run(run(one, plan, folder))], as_json)


@bench.command()
@_common
@_databases()
@click.option("--agents", default=200, show_default=True)
@click.option("--waiting", default=2_000, show_default=True)
@click.option("--messages", default=400, show_default=True)
@click.option("--histories", default=0, show_default=True, help="So many made up by hypothesis, on each database.")
@click.option("--steps", default=25, show_default=True, help="Of each history, at most.")
def routing(
    as_json: bool,
    folder: Path | None,
    database: str,
    agents: int,
    waiting: int,
    messages: int,
    histories: int,
    steps: int,
) -> None:
    """From a visitor's message until somebody is offered it; and histories in which nothing may go wrong."""
    from hub.bench.routing import Plan, run

    plan = Plan(agents=agents, waiting=waiting, messages=messages, histories=histories, steps=steps)
    _end([r for one in _chosen(database) for r in _run(run(one, plan, folder))], as_json)


@bench.command()
@_common
@_databases("sqlite")
@click.option("--rounds", default=5, show_default=True)
@click.option("--visitors", default=2_000, show_default=True)
def idle(as_json: bool, folder: Path | None, database: str, rounds: int, visitors: int) -> None:
    """Memory of a visitor who is connected and silent: against a bare socket."""
    from hub.bench.idle import Plan, run

    plan = Plan(rounds=rounds, visitors=visitors)
    _end([r for one in _chosen(database) for r in _run(run(one, plan, folder))], as_json)


@bench.command()
@_common
@click.option("--rounds", default=5, show_default=True)
@click.option("--mails", default=300, show_default=True, help="Of each round.")
def mail(as_json: bool, folder: Path | None, rounds: int, mails: int) -> None:
    """Mails read in children: against the standard library's bare parser."""
    from hub.bench.mail import Plan, run

    _end(_run(run(Plan(mails=mails, rounds=rounds))), as_json)
