"""What the journeys of the widget share. Those of the console make their own desk and browser."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.journeys.chat_desk import CHROMIUM, ChatDesk, chat_desk, site

ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--test-third-party-cookie-phaseout")


@pytest.fixture(scope="module")
def desk() -> Iterator[ChatDesk]:
    with chat_desk() as running:
        yield running


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield found
        await found.close()


@pytest_asyncio.fixture
async def shop(desk: ChatDesk) -> AsyncIterator[str]:
    async with site(desk, await desk.inbox()) as address:
        yield address
