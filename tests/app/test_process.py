"""The desk as a process: starting, refusing to start, stopping, and what a client sees of it."""

import json
import threading
import time
from pathlib import Path

import pytest

from hub.bench.postgres_server import Server
from tests.app.process import Desk, parley


def test_a_first_start_makes_everything_and_prints_the_link(data: Path) -> None:
    with Desk(data) as desk:
        link = desk.setup_link
        assert link is not None
        assert desk.ask("GET", link)[0] == 200
        status, health = desk.health()
        assert (status, health["status"], health["database"]) == (200, "ok", "sqlite")
        assert 'name="message"' in desk.ask("GET", "/demo")[1]
        assert {path.name for path in data.iterdir()} >= {"parley.db", "secret.key", "desk.lock", "desk.sock"}
        assert desk.stop() == 0


def test_nothing_it_makes_can_be_read_by_others(data: Path) -> None:
    with Desk(data) as desk:
        modes = {path.name: path.stat().st_mode & 0o077 for path in (data, *data.iterdir())}
        assert not any(modes.values()), modes
        desk.stop()


def test_a_second_start_finds_what_was_there(data: Path) -> None:
    with Desk(data) as desk:
        before = desk.setup_link
        desk.stop()
    with Desk(data) as desk:
        after = desk.setup_link
        assert after is not None
        assert before is not None
        assert desk.ask("GET", before)[0] == 404, "a later link replaces the one before"
        assert desk.ask("GET", after)[0] == 200
        assert desk.stop() == 0


@pytest.mark.postgres
def test_it_runs_on_postgresql_twice_at_once(data: Path, postgres_url: str) -> None:
    other = data.parent / "other"
    with Desk(data, DATABASE=postgres_url) as one, Desk(other, DATABASE=postgres_url) as two:
        assert one.health()[1]["database"] == "postgres"
        assert two.health()[0] == 200
        assert not (data / "desk.sock").exists()
        assert (one.stop(), two.stop()) == (0, 0)


def test_two_desks_on_one_folder_are_one_too_many(data: Path) -> None:
    with Desk(data) as desk:
        second = parley(data, "serve")
        assert second.returncode == 1
        assert f"process {desk.process.pid}" in second.stderr
        assert "PARLEY_DATA" in second.stderr
        assert desk.health()[0] == 200, "the first goes on"
        desk.stop()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PROT": "1"}, "PARLEY_PORT"),
        ({"HOST": "192.0.2.1", "INSECURE_DEV": "1"}, "Cannot listen on 192.0.2.1"),
        ({"HOST": "0.0.0.0"}, "PARLEY_PUBLIC_URL"),
        ({"DATABASE": "postgresql://nobody@127.0.0.1:1/none"}, "PostgreSQL"),
    ],
)
def test_a_refused_start_says_why_and_ends_at_once(data: Path, settings: dict[str, str], said: str) -> None:
    refused = parley(data, "serve", **settings)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_key_file_that_others_may_read_is_refused(data: Path) -> None:
    with Desk(data) as desk:
        desk.stop()
    (data / "secret.key").chmod(0o644)
    refused = parley(data, "serve")
    assert refused.returncode == 1
    assert "chmod 600" in refused.stderr


def test_a_file_that_is_no_database_is_refused_and_left_alone(data: Path) -> None:
    data.mkdir()
    (data / "parley.db").write_bytes(b"these are my letters, not a database" * 100)
    refused = parley(data, "serve")
    assert refused.returncode == 1
    assert (data / "parley.db").read_bytes().startswith(b"these are my letters")
    assert "Traceback" not in refused.stderr


def test_python_without_assertions_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    refused = parley(data, "serve")
    assert refused.returncode == 1
    assert "PYTHONOPTIMIZE" in refused.stderr


def test_told_to_stop_under_load_it_stops_soon_and_loses_nothing_that_it_acknowledged(data: Path) -> None:
    taken: list[int] = []

    def write() -> None:
        for n in range(10_000):
            body = json.dumps({"name": "Load", "email": "load@example.org", "message": f"{threading.get_ident()} {n}"})
            try:
                status, text = desk.ask("POST", path, body, **{"Content-Type": "application/json"})
            except OSError:
                return
            if status == 201:
                taken.append(json.loads(text)["number"])
            elif status != 503:
                raise AssertionError(f"{status} {text}")

    with Desk(data, FORMS_PER_HOUR="1000000") as desk:
        path = desk.ask("GET", "/demo")[1].partition('action="')[2].partition('"')[0]
        writers = [threading.Thread(target=write) for _ in range(6)]
        for writer in writers:
            writer.start()
        deadline = time.monotonic() + 20
        while len(taken) < 60 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert desk.stop() == 0
        for writer in writers:
            writer.join(20)
    assert len(taken) >= 60
    assert "Traceback" not in desk.log.read_text()

    import sqlite3

    with sqlite3.connect(data / "parley.db") as database:
        stored = [row[0] for row in database.execute("SELECT number FROM ticket ORDER BY number")]
    assert set(taken) <= set(stored)
    assert len(set(taken)) == len(taken)


@pytest.mark.postgres
def test_health_tells_that_the_database_is_gone_and_that_it_is_back(data: Path, postgres_own_server: Server) -> None:
    server = postgres_own_server
    with Desk(data, DATABASE=server.url) as desk:
        assert desk.health()[0] == 200
        server.crash()
        time.sleep(1.1)  # an answer is good for a second
        status, health = desk.health()
        assert status == 503
        assert health["status"] == "failing"
        assert health["problem"]
        assert desk.ask("GET", "/problems/invalid")[0] == 200, "what needs no database still answers"
        server.start()
        deadline = time.monotonic() + 20
        while desk.health()[0] != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert desk.health()[0] == 200
        assert desk.stop() == 0


class TestMetrics:
    def test_this_machine_may_read_them_but_not_through_a_proxy(self, data: Path) -> None:
        with Desk(data) as desk:
            desk.health()
            status, text = desk.ask("GET", "/metrics")
            assert status == 200
            for name in (
                "parley_units_total",
                "parley_jobs_ready",
                "parley_event_tail",
                "process_resident_memory_bytes",
            ):
                assert name in text
            assert 'parley_http_requests_total{method="GET",route="/healthz",status="200"} 1.0' in text
            assert desk.ask("GET", "/metrics", **{"X-Forwarded-For": "203.0.113.9"})[0] == 404
            desk.stop()

    def test_with_a_token_set_the_token_decides(self, data: Path) -> None:
        with Desk(data, METRICS_TOKEN="correct horse battery") as desk:
            assert desk.ask("GET", "/metrics")[0] == 401
            assert desk.ask("GET", "/metrics", Authorization="Bearer wrong")[0] == 401
            assert desk.ask("GET", "/metrics", Authorization="Bearer correct horse battery")[0] == 200
            desk.stop()
