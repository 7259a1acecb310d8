"""`parley …` at the command line: through the running desk, and alone."""

import json
import re
from pathlib import Path

import pytest

from tests.app.process import ROOT, Desk, parley, well

CREATE = ("agent", "create", "--name", "Bo", "--email")


def test_while_a_desk_runs_it_is_the_desk_that_writes(data: Path) -> None:
    with Desk(data) as desk:
        said = well(data, *CREATE, "bo@example.org", "--invite")
        link = re.search(rf"http://127\.0\.0\.1:{desk.port}(/join/\S+)", said)
        assert link, said
        assert desk.ask("GET", link[1])[0] == 200
        desk.stop()


def test_while_none_runs_the_command_opens_the_record_itself(data: Path) -> None:
    said = well(data, *CREATE, "bo@example.org", "--password-stdin", stdin="tree house river five\n", PORT="8080")
    assert "bo@example.org is in, as agent." in said
    again = parley(data, *CREATE, "BO@example.org", "--invite")
    assert again.returncode == 1
    assert "Another agent has this e-mail address." in again.stderr


@pytest.mark.postgres
def test_on_postgresql_it_writes_beside_the_running_desk(data: Path, postgres_url: str) -> None:
    with Desk(data, DATABASE=postgres_url) as desk:
        well(data, *CREATE, "bo@example.org", "--invite", DATABASE=postgres_url)
        well(data, "doctor", DATABASE=postgres_url)
        desk.stop()


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        ((*CREATE, "bo@example.org", "--password-stdin"), "short\n", "at least 12"),
        ((*CREATE, "bo@example.org", "--password-stdin"), "", "no password"),
        ((*CREATE, "nobody", "--invite"), "", "e-mail"),
        ((*CREATE, "bo@example.org", "--role", "king", "--invite"), "", "role"),
        (("fly",), "", "No such command"),
        (("serve", "--fast"), "", "No such option"),
        (("doctor",), "", "There is no desk in"),
    ],
)
def test_what_is_wrong_is_said_and_the_status_is_not_zero(
    data: Path, words: tuple[str, ...], stdin: str, said: str
) -> None:
    done = parley(data, *words, stdin=stdin)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_new_link_for_the_first_administrator_replaces_the_one_before(data: Path) -> None:
    with Desk(data) as desk:
        first = desk.setup_link
        done = parley(data, "link")
        second = done.stdout.strip().partition(f":{desk.port}")[2]
        assert first is not None
        assert desk.ask("GET", first)[0] == 404
        assert desk.ask("GET", second)[0] == 200
        desk.stop()


def test_doctor_is_content_with_a_fresh_desk_running_or_not(data: Path) -> None:
    with Desk(data) as desk:
        running = parley(data, "doctor", "--json")
        desk.stop()
    alone = parley(data, "doctor", "--json")
    for done in (running, alone):
        assert done.returncode == 0, done.stderr
        findings = json.loads(done.stdout)
        assert {"what", "state", "text", "advice"} == set(findings[0])
        assert not [f for f in findings if f["state"] == "fail"]


def test_doctor_changes_nothing(data: Path) -> None:
    with Desk(data) as desk:
        desk.stop()
    before = (data / "parley.db").read_bytes()
    well(data, "doctor")
    assert (data / "parley.db").read_bytes() == before


def test_configuration_lists_what_holds_and_hides_what_is_secret(data: Path) -> None:
    done = parley(data, "configuration", METRICS_TOKEN="hunter2 hunter2 hunter2", FORMS_PER_HOUR="7")
    assert "PARLEY_FORMS_PER_HOUR = 7" in done.stdout
    assert "PARLEY_METRICS_TOKEN = (set)" in done.stdout
    assert "hunter2" not in done.stdout
    page = parley(data, "configuration", "--markdown").stdout
    assert page == (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_help_names_every_command(data: Path) -> None:
    done = parley(data, "--help")
    for name in ("serve", "agent", "backup", "restore", "doctor", "bench", "configuration", "outbox", "link"):
        assert name in done.stdout


def test_the_control_socket_is_for_its_user_alone(data: Path) -> None:
    with Desk(data) as desk:
        assert (data / "desk.sock").stat().st_mode & 0o777 == 0o600
        desk.stop()


def test_a_socket_that_a_killed_desk_left_behind_is_in_nobody_s_way(data: Path) -> None:
    with Desk(data) as desk:
        desk.process.kill()
        desk.process.wait(10)
        assert (data / "desk.sock").exists()
    well(data, "doctor")
    with Desk(data) as desk:
        well(data, "doctor")
        desk.stop()


class TestBackup:
    def test_it_is_made_while_the_desk_runs_and_restored_elsewhere(self, data: Path) -> None:
        file, other = data.parent / "backup.db", data.parent / "other"
        with Desk(data) as desk:
            well(data, *CREATE, "bo@example.org", "--invite")
            said = well(data, "backup", str(file))
            assert "found whole" in said
            assert "secret.key" in said
            desk.stop()
        assert file.stat().st_mode & 0o077 == 0
        said = well(other, "restore", str(file))
        assert "outbox release" in said
        doctor = json.loads(parley(other, "doctor", "--json").stdout)
        assert [f["state"] for f in doctor if f["what"] == "outbox"] == ["warn"]
        with Desk(other) as desk:
            assert desk.health()[1]["frozen"] is True
            assert "Another agent" in parley(other, *CREATE, "bo@example.org", "--invite").stderr
            assert "leaves now" in parley(other, "outbox", "release").stdout
            assert desk.health()[1]["frozen"] is False
            desk.stop()

    def test_it_overwrites_nothing(self, data: Path) -> None:
        file = data.parent / "backup.db"
        file.write_text("my letters")
        with Desk(data) as desk:
            done = parley(data, "backup", str(file))
            assert done.returncode == 1
            assert "already" in done.stderr
            desk.stop()
        assert file.read_text() == "my letters"
        assert parley(data, "restore", str(file)).returncode == 1
        well(data, "doctor")

    def test_a_restore_under_a_running_desk_is_refused(self, data: Path) -> None:
        file = data.parent / "backup.db"
        with Desk(data) as desk:
            well(data, "backup", str(file))
            done = parley(data, "restore", str(file))
            assert done.returncode == 1
            assert f"process {desk.process.pid}" in done.stderr
            desk.stop()

    @pytest.mark.postgres
    def test_a_record_moves_from_sqlite_to_postgresql(self, data: Path, postgres_url: str) -> None:
        file = data.parent / "backup.db"
        well(data, *CREATE, "bo@example.org", "--invite")
        well(data, "backup", str(file))
        well(data, "restore", str(file), DATABASE=postgres_url)
        assert "Another agent" in parley(data, *CREATE, "bo@example.org", "--invite", DATABASE=postgres_url).stderr


def test_lists_are_taken_out_beside_the_running_desk_and_alone(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    with Desk(data) as desk:
        assert "contacts.csv: 0 rows" in well(data, "export", "contacts", str(path))
        desk.stop()
    assert path.read_bytes().startswith(b'\xef\xbb\xbf"id","name"')
    assert path.stat().st_mode & 0o777 == 0o600
    again = parley(data, "export", "contacts", str(path))
    assert (again.returncode, "already" in again.stderr) == (1, True)
    said = well(data, "export", "tickets", "-", "--filter", "status=open,pending", "--separator", "semicolon")
    assert said.startswith('\ufeff"number";"subject";"status"')
    assert [each.name for each in tmp_path.iterdir()] == ["contacts.csv"], "nothing half-written is left"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tickets", "--filter", "status=done"), "filter is wrong"),
        (("tickets", "--filter", "colour=red"), "filter is wrong"),
        (("tickets", "--filter", "status"), "NAME=VALUE"),
        (("contacts", "--filter", "field=nothing:1"), "key:value"),
        (("agents",), "is not one of"),
    ],
)
def test_what_cannot_be_taken_out_leaves_no_file(data: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    path = tmp_path / "out.csv"
    done = parley(data, "export", words[0], str(path), *words[1:])
    assert done.returncode != 0 and said in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
