"""What holds for every test: which settings hypothesis uses, and that a skipped test is a failure where told so."""

import os

import pytest
from hypothesis import settings
from playwright.async_api import expect

pytest_plugins = [
    "tests.fixtures.loop_probe",
    "tests.fixtures.no_blocking",
    "tests.fixtures.databases",
    "tests.fixtures.logs",
    "tests.fixtures.desk",
    "tests.fixtures.forms",
]

# Every run tries the same examples, so that a red run is the change's doing. To hunt for new ones:
# pytest --hypothesis-profile=hunt
EXAMPLES = 400 if os.environ.get("PARLEY_TEST_ALL") else 40
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=EXAMPLES, print_blob=True)
settings.register_profile("hunt", deadline=None, max_examples=10 * EXAMPLES, print_blob=True)
settings.load_profile("ci")

# What is there sooner is seen sooner: only a busy machine and a failing test take so long.
expect.set_options(timeout=20_000)


# What bin/test leaves to bin/test --all, so that it takes minutes: every journey through a browser but these, and on
# PostgreSQL everything but the store, the contract and the rooms of the domain.
JOURNEYS = (
    "test_console.py::test_a_day_s_work_from_the_sign_in_to_a_resolved_ticket",
    "test_contact_form.py::test_a_double_click_and_the_back_button_are_one_ticket",
    "test_contacts.py::test_a_contact_is_found_made_and_changed",
    "test_first_chat.py::test_from_the_printed_link_to_the_first_answered_chat",
    "test_widget.py::test_without_a_line_for_a_while_nothing_is_lost_either_way",
    "test_widget.py::test_words_go_both_ways_and_each_sees_how_far_theirs_came",
)
TWICE = ("db", "contract", "people", "staff", "desk", "callbacks", "bots", "feedback", "insight")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        _, _, where = item.nodeid.partition("tests/")
        room = where.partition("/")[0]
        left = item.get_closest_marker("postgres") is not None and room not in TWICE
        if left or (room == "journeys" and not where.removeprefix("journeys/").startswith(JOURNEYS)):
            item.add_marker(pytest.mark.slow)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--strict-skips", action="store_true", help="a skipped test fails the run")


def skipped(config: pytest.Config) -> list[str]:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or not config.getoption("--strict-skips"):
        return []
    found = []
    for report in terminal.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        found.append(f"{report.nodeid}: {reason}")
    return sorted(found)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    # The answer is given where the reports come together, not in the helper processes of xdist.
    if hasattr(session.config, "workerinput") or session.exitstatus != pytest.ExitCode.OK:
        return
    if skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    names = skipped(config)
    if names:
        terminalreporter.section("skipped, and here that is a failure", red=True)
        for name in names:
            terminalreporter.line(name)
