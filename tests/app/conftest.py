"""Desks for the tests of the builder: one in this process, and folders for those that are processes of their own."""

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub import app, config
from hub.bench.postgres_server import Server, start_postgres
from tests.fixtures.databases import fast_folder


@pytest.fixture
def data() -> Iterator[Path]:
    """A path for a data folder that does not exist yet; in memory where there is such a place."""
    folder = fast_folder()
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture
async def desk(data: Path) -> AsyncIterator[app.Desk]:
    made = await asyncio.to_thread(app.build, config.complete(dataclasses.replace(config.Config(), data=data)))
    async with made:
        yield made


@pytest.fixture
def postgres_own_server() -> Iterator[Server]:
    """A server that a test may crash."""
    folder = fast_folder()
    server = start_postgres(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
