"""Every direct dependency is written down with its reason, there are few of them, and the locks can be trusted."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PAGE = (ROOT / "docs" / "dependencies.md").read_text()
LOCKS = ["requirements.lock", "requirements-dev.lock"]


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found.group()).lower()


RUNTIME = [name_of(each) for each in PROJECT["project"]["dependencies"]]
EXTRAS = [name_of(each) for group in PROJECT["project"]["optional-dependencies"].values() for each in group]
DEV = [name_of(each) for group in PROJECT["dependency-groups"].values() for each in group]


def locked(lock: str) -> set[str]:
    text = (ROOT / lock).read_text()
    return {name_of(line) for line in text.splitlines() if re.match(r"[A-Za-z0-9].*==", line)}


def test_each_dependency_has_its_reason_and_each_reason_its_dependency() -> None:
    rows = {name_of(name) for name in re.findall(r"^\| `([^`]+)` \|", PAGE, flags=re.MULTILINE)}
    assert rows == {*RUNTIME, *EXTRAS, *DEV}


def test_there_are_at_most_32_at_run_time() -> None:
    assert len(RUNTIME) == len(set(RUNTIME)) <= 32


def test_the_one_whose_private_names_we_use_is_pinned() -> None:
    assert [each for each in PROJECT["project"]["dependencies"] if re.fullmatch(r"aiosqlite==[\d.]+", each)]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_versions_and_hashes_and_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text and "--index" not in text and "--find-links" not in text
    assert "\n#    bin/lock\n" in text
    entries = re.split(r"\n(?=[A-Za-z0-9])", text)[1:]
    assert entries
    for entry in entries:
        assert "==" in entry and "--hash=sha256:" in entry, entry


def test_the_locks_hold_what_the_project_asks_for() -> None:
    assert locked("requirements.lock") >= {*RUNTIME, *EXTRAS}
    assert locked("requirements-dev.lock") >= {*RUNTIME, *EXTRAS, *DEV}


def test_the_tests_run_on_the_versions_that_the_desk_runs_on() -> None:
    def pins(lock: str) -> dict[str, str]:
        found = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", (ROOT / lock).read_text(), flags=re.MULTILINE)
        return dict(found)

    desk, tests = pins("requirements.lock"), pins("requirements-dev.lock")
    assert desk == {name: tests.get(name) for name in desk}


def test_what_the_locks_leave_out_is_left_out_on_purpose() -> None:
    # Tools have no business in a desk.
    assert not locked("requirements.lock") & set(DEV)
