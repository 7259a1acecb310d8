"""The guards around every test do guard: the loop probe, the ban on blocking, and --strict-skips."""

import asyncio
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.loop_probe import LIMIT, Probe

ROOT = Path(__file__).resolve().parents[2]

Runner = Callable[..., "subprocess.CompletedProcess[str]"]


def burn(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


@pytest.fixture
def inner(tmp_path: Path) -> Runner:
    """Runs pytest on a small file of tests under the guards of this suite."""

    def run(source: str, *options: str) -> "subprocess.CompletedProcess[str]":
        (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
        (tmp_path / "test_inner.py").write_text(textwrap.dedent(source))
        command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
        plugins = ["-p", "pytest_asyncio.plugin", "-p", "pytest_timeout", "-p", "xdist.plugin"]
        return subprocess.run(
            [*command, *plugins, "-p", "no:cacheprovider", str(tmp_path), *options],
            cwd=ROOT,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_a_callback_that_holds_the_loop_fails_its_test(inner: Runner) -> None:
    done = inner(
        """
        import asyncio, time
        import pytest

        def burn():
            until = time.thread_time() + 0.15
            while time.thread_time() < until: pass

        async def other(): burn()

        async def test_callback():
            asyncio.get_running_loop().call_soon(burn)
            await asyncio.sleep(0.01)

        async def test_task():
            await asyncio.create_task(other())

        @pytest.mark.loop_may_block("it is the point of this test")
        async def test_allowed():
            await asyncio.create_task(other())

        async def test_own_step():
            burn()
            await asyncio.sleep(0)

        def test_own_step_of_a_test_that_makes_its_loop():
            async def main(): burn()
            asyncio.run(main())
        """
    )
    assert done.returncode == 1, done.stdout
    assert "5 passed, 2 errors" in done.stdout, done.stdout
    assert "ms of CPU time" in done.stdout
    for guilty in ("test_callback", "test_task"):  # CI prints the reason behind the name, a terminal cuts it off
        assert re.search(rf"ERROR .*test_inner\.py::{guilty}( - |\n)", done.stdout), done.stdout
    assert "longest callback on the loop" in done.stdout


def test_waiting_is_not_cpu_time(loop_probe: Probe) -> None:
    async def wait() -> None:
        asyncio.get_running_loop().call_soon(time.sleep, 1.5 * LIMIT)
        await asyncio.sleep(0)

    asyncio.run(wait())
    assert not loop_probe.too_long
    assert loop_probe.longest[1] > LIMIT


def test_a_skipped_test_fails_the_run_where_told_so(inner: Runner) -> None:
    source = """
        import pytest

        def test_runs(): pass

        @pytest.mark.skip(reason="no browser")
        def test_left_out(): pass
        """
    assert inner(source).returncode == 0
    for extra in ([], ["-n", "1"]):
        done = inner(source, "--strict-skips", *extra)
        assert done.returncode == 1, done.stdout
        assert "test_inner.py::test_left_out: Skipped: no browser" in done.stdout


def test_a_whole_file_that_is_skipped_fails_the_run_where_told_so(inner: Runner) -> None:
    source = """
        import pytest

        pytest.skip("no server", allow_module_level=True)
        """
    for extra in ([], ["-n", "1"]):
        done = inner(source, "--strict-skips", *extra)
        assert done.returncode != 0, done.stdout
        assert "no server" in done.stdout


async def test_code_of_ours_may_not_block_the_loop() -> None:
    # Runs as if the lines stood in a file of the hub.
    names: dict[str, object] = {}
    source = "import time\ndef block():\n    time.sleep(0.001)\n"
    exec(compile(source, str(ROOT / "hub" / "made_up.py"), "exec"), names)
    block = names["block"]
    assert callable(block)
    with pytest.raises(Exception, match="Blocking call to time.sleep"):
        block()
    await asyncio.to_thread(block)
    time.sleep(0.001)  # the test itself may


@pytest.mark.may_block("to see that the mark is heeded")
async def test_the_mark_lifts_the_ban() -> None:
    names: dict[str, object] = {}
    source = "import time\ndef block():\n    time.sleep(0.001)\n"
    exec(compile(source, str(ROOT / "hub" / "made_up.py"), "exec"), names)
    block = names["block"]
    assert callable(block)
    block()
