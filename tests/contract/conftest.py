"""A desk with one inbox of the channel under test, and the table of connector × behaviour at the end."""

import contextlib
import dataclasses
import importlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from connectors import CONNECTORS
from hub.db.store import Store
from hub.desk import inboxes, kinds, replies
from hub.desk.inboxes import Inbox
from hub.reactions import REACTIONS
from hub.seal import Sealer
from hub.staff.access import DESK
from hub.work.runner import Runner
from tests.contract.cases import Cases, Peer, all_cases
from tests.work.desk import BOSS, Options

MARK = "contract"
_table: dict[str, dict[str, str]] = {}


@dataclasses.dataclass
class Channel:
    """One inbox of one kind, with everything that runs beside it."""

    cases: Cases
    store: Store
    runner: Runner
    inbox: Inbox
    peer: Peer | None

    async def deliver(self, raw: Any) -> int:
        return (await self.cases.deliver(self.runner, self.inbox, raw)).status

    async def count(self, table: str) -> int:
        return int(await self.store.read(lambda rx: rx.value(f"SELECT COUNT(*) FROM {table}")))

    async def states(self) -> list[str]:
        return [row[0] for row in await self.store.read(lambda rx: rx.rows("SELECT state FROM inbound ORDER BY id"))]

    async def reply(self, text: str) -> int:
        """Answers the newest ticket; the id of the delivery."""
        number = await self.store.read(lambda rx: rx.value("SELECT MAX(number) FROM ticket"))
        made = await self.store.write(replies.reply, BOSS, number, text, external_id=f"out-{text}")
        return made.deliveries[0]

    async def delivery(self, delivery_id: int) -> str:
        found = await self.store.read(lambda rx: rx.value("SELECT state FROM delivery WHERE id = :id", id=delivery_id))
        return str(found)

    async def pass_time(self, ms: int) -> None:
        self.store.clock.advance(ms)  # type: ignore[attr-defined]
        self.runner.worker.wake()


@pytest.fixture(params=all_cases(), ids=lambda cases: cases.kind)
def cases(request: pytest.FixtureRequest) -> Cases:
    for kind, (title, target) in CONNECTORS.items():
        module, _, name = target.partition(":")
        kinds.register(kind, title, lambda m=module, n=name: getattr(importlib.import_module(m), n))  # type: ignore[misc]
    found: Cases = request.param
    return found


@pytest_asyncio.fixture
async def channel(store: Store, cases: Cases) -> AsyncIterator[Channel]:
    async with contextlib.AsyncExitStack() as stack:
        peer = await stack.enter_async_context(cases.peer())
        store.reactions = REACTIONS
        store.sealer = Sealer.random()
        store.allowed_hosts = frozenset({peer.host} if peer else ())
        runner = Runner(store, store.sealer, Options(forms_per_hour=10_000))
        inbox = await store.write(
            inboxes.create, DESK, kind=cases.kind, name="Under test", settings=cases.settings(peer)
        )
        await stack.enter_async_context(runner)
        yield Channel(cases, store, runner, inbox, peer)


@pytest.fixture
def lacks(request: pytest.FixtureRequest, record_property: Any) -> Any:
    """Says that this channel has no such behaviour: the test ends, and the table says so too."""

    def end(what: object) -> bool:
        if what is None or what is False:
            record_property("lacks", True)
            return True
        return False

    return end


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    outcome = yield
    report = outcome.get_result()
    callspec = getattr(item, "callspec", None)
    if report.when != "call" or callspec is None or "cases" not in callspec.params:
        return
    behaviour = getattr(item, "originalname", item.name).removeprefix("test_").replace("_", " ")
    kind = callspec.params["cases"].kind
    lacking = ("lacks", True) in report.user_properties
    found = "-" if lacking and report.passed else "yes" if report.passed else "NO"
    row = _table.setdefault(behaviour, {})
    row[kind] = "NO" if "NO" in (found, row.get(kind)) else found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _table:
        return
    names = sorted({kind for row in _table.values() for kind in row})
    terminalreporter.section("connectors and the contract")
    terminalreporter.line(f"{'':80} " + " ".join(f"{name:>8}" for name in names))
    for behaviour, row in _table.items():
        terminalreporter.line(f"{behaviour[:80]:80} " + " ".join(f"{row.get(name, ''):>8}" for name in names))
