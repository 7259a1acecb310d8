"""A desk that is killed at a named place of sending: after a restart the answer has arrived once."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


async def run(database: Path, journal: Path, point: str = "") -> int:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.work.crash_child", str(database), str(journal)),
        env=os.environ | {"PARLEY_CRASH_POINT": point, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    out, _ = await child.communicate()
    assert child.returncode in (0, 137), out.decode()[-2_000:]
    return child.returncode


@pytest.mark.faults
@pytest.mark.parametrize("point", ["queue.claimed:1", "queue.claimed:2", "outbound.sending", "outbound.sent"])
async def test_an_answer_arrives_once_wherever_the_desk_dies(tmp_path: Path, point: str) -> None:
    database, journal = tmp_path / "parley.db", tmp_path / "journal"
    assert await run(database, journal, point) == 137
    assert await run(database, journal) == 0
    assert len(journal.read_text().split()) == 1
