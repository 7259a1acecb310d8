"""`parley bench` with small numbers: that each benchmark runs and says what it found, not what that is."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.bench.cli import bench
from hub.bench.ground import file_system
from hub.bench.result import Result, Rounds, report

KEYS = ["name", "database", "callers", "value", "baseline", "ratio", "budget", "met"]
# A child's start, an empty database, a server: on a busy machine each takes its time.
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.may_block(reason="the bench prepares files and processes; nobody is served by this loop"),
    pytest.mark.loop_may_block(reason="the bench prepares files and processes; nobody is served by this loop"),
]
DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def run(*arguments: str) -> list[dict[str, Any]]:
    """What `--json` prints; the exit status says whether every budget was met."""
    done = CliRunner().invoke(bench, [*arguments, "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert all(list(one) == KEYS for one in found)
    assert done.exit_code == int(any(one["met"] is False for one in found))
    return found


@pytest.mark.parametrize("database", DATABASES)
def test_ingest_compares_the_desk_with_its_own_statements(database: str) -> None:
    small = ["--messages", "200", "--known", "100", "--rounds", "1", "--callers", "8", "--no-fsyncs"]
    found = {one["name"]: one for one in run("ingest", "--database", database, *small)}
    assert found["ingest.statements"]["value"] <= found["ingest.statements"]["budget"] == 12
    assert found["ingest"]["callers"] == 8
    assert found["ingest"]["value"] > 0 and found["ingest"]["baseline"] > 0 and found["ingest"]["ratio"] > 0


def test_post_compares_a_command_with_a_handler_that_does_nothing() -> None:
    (found,) = run("post", "--rounds", "1", "--seconds", "0.3", "--connections", "4")
    assert found["name"] == "post.note" and found["callers"] == 4
    assert found["value"] > 0 and found["baseline"] > found["value"] / 10


def test_start_weighs_a_desk_and_takes_its_time() -> None:
    found = {one["name"]: one for one in run("start", "--rounds", "1", "--idle", "0.2")}
    assert 0 < found["start"]["value"] < 60
    assert 10 < found["start.pss_mib"]["value"] <= found["start.rss_mib"]["value"] < 400


def test_a_missed_budget_is_the_exit_status_and_a_wish_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    met = Result("a", "sqlite", 1, 2.0, 1.0, 2.0, 1.5, True)
    wish = Result("b", None, None, 2.0, None, None, None, None)
    missed = Result("c", "sqlite", 1, 1.0, 1.0, 1.0, 1.5, False)
    assert report([met, wish], as_json=True)
    assert not report([met, missed], as_json=False)
    assert "missed" in capsys.readouterr().out


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    rounds = Rounds()
    for value, baseline in ((10, 10), (30, 10), (100, 50)):
        rounds.add(value, baseline)
    assert rounds.result("x", budget=2.0) == Result("x", None, None, 30.0, 10.0, 2.0, 2.0, True)
    assert rounds.result("x", budget=29.0, judged="value", wanted="at most").met is False


def test_a_folder_in_memory_is_known_for_one() -> None:
    assert file_system(Path("/proc/self")) == "proc"


def test_live_compares_a_visitors_words_with_five_bare_statements() -> None:
    found = {one["name"]: one for one in run("live", "--rounds", "1", "--messages", "72")}
    assert found["live"]["value"] > 0 and found["live"]["baseline"] > 0
    assert 0 < found["live.p50_ms"]["value"] <= found["live.p99_ms"]["value"]
    assert found["live.p99_export_ms"]["value"] > 0


def test_fanout_compares_an_event_with_its_bytes_in_a_loop() -> None:
    (found,) = run("fanout", "--rounds", "1", "--agents", "5", "--events", "8")
    assert found["callers"] == 5 and found["value"] > 0 and found["baseline"] > 0


@pytest.mark.parametrize("database", DATABASES)
def test_routing_times_offers_and_looks_at_histories(database: str) -> None:
    small = ["--agents", "40", "--waiting", "60", "--messages", "12", "--histories", "3", "--steps", "8"]
    found = {one["name"]: one for one in run("routing", "--database", database, *small)}
    assert 0 < found["routing.p50_ms"]["value"] <= found["routing.p99_ms"]["value"]
    assert found["routing.freed.p99_ms"]["budget"] == 50
    assert (found["routing.wrong"]["value"], found["routing.wrong"]["met"]) == (0, True)


@pytest.mark.parametrize("database", DATABASES)
def test_list_compares_a_page_with_its_bare_statement(database: str) -> None:
    found = run("list", "--database", database, "--tickets", "2000", "--requests", "5", "--rounds", "1")
    assert len(found) == 28
    assert all(one["value"] > 0 for one in found)


def test_idle_weighs_visitors_beside_bare_sockets() -> None:
    found = {one["name"]: one for one in run("idle", "--rounds", "1", "--visitors", "120")}
    assert found["idle.kib"]["callers"] == 120
    assert 20 < found["idle.10000_mib"]["value"] < 2_000


def test_mails_are_read_in_children_while_the_loop_is_free() -> None:
    found = {one["name"]: one for one in run("mail", "--rounds", "1", "--mails", "40")}
    assert found["mail.per_second"]["value"] > 5
    assert found["mail.loop_held_ms"]["value"] < 100
    assert found["mail.loop_held_ms_by_bad_mails"]["value"] < 100
