"""What holds for every test: which settings hypothesis uses, and that a skipped test is a failure where told so."""

import os

import pytest
from hypothesis import settings

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
