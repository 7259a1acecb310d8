"""The running API against its own document: schemathesis makes requests, good and bad ones, and judges the answers.

No answer of 500 or above, no status that the document does not know, no body that is not what it says. `bin/test --all`
asks some 20,000 times, otherwise it is some hundreds; always the same ones.
"""

import asyncio
import collections
import os
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from hub.clock import ManualClock
from hub.commands import COMMANDS
from hub.db.sqlite import SqliteBackend
from hub.db.store import Store
from hub.db.tx import Tx
from hub.reactions import REACTIONS
from hub.staff import tokens
from hub.web.openapi import describe
from tests.authz.world import Side, acting, fresh, hold
from tests.fixtures.desk import serving

T = TypeVar("T")
EVERYTHING = bool(os.environ.get("PARLEY_TEST_ALL"))
# For each operation and each caller. (100, which is hypothesis's own default, would count as not given.)
EXAMPLES = 90 if EVERYTHING else 3
# Whether a well-formed request makes sense is for the domain to say (a number that is nobody's, a name that is taken),
# and no schema can: such a refusal is no fault. That of a malformed one is checked.
LEFT_OUT = {"positive_data_acceptance"}
ATTRIBUTES = {"ticket": "number", "assignee_id": "agent_id", "about_agent_id": "agent_id", "seen": "message_id"}
pytestmark = pytest.mark.loop_may_block(
    "who asks shares the process, and its garbage is collected on the desk's time too"
)
load_all_checks()
CHECKS_MADE: list[Any] = [check for check in CHECKS.get_all() if check.__name__ not in LEFT_OUT]


class Server:
    """A desk with its own loop in a thread, because schemathesis asks synchronously."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked = collections.Counter[int]()
        self.http = requests.Session()
        self.tokens: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(20), "the desk did not start"

    async def _run(self) -> None:
        clock = ManualClock()
        async with (
            Store(SqliteBackend(self.path), clock, REACTIONS) as store,
            serving(store, clock, self.path.parent) as self.client,
        ):
            self.people = {name: helper.id for name, helper in self.client.people.items()}
            inboxes = dict.fromkeys(("front", "back"), self.client.inbox.id)
            self.world = await store.write(fresh, inboxes, dict.fromkeys(inboxes, self.people["agent"]), 1)
            await hold(self.client.desk.runner.files.contents)
            self._ready.set()
            await self._stop.wait()

    def within(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        self._loop.close()
        self.http.close()

    def token(self, who: str) -> str:
        """A token that holds: what is tried may have revoked the last one, or disabled its owner."""
        if who not in self.tokens:
            self.tokens[who] = self.within(self.client.store.write(renewed, self.people[who], who))
        return self.tokens[who]


def renewed(tx: Tx, agent_id: int, role: str) -> str:
    tx.run(
        "UPDATE agent SET disabled_at = NULL, role_id = (SELECT id FROM role WHERE name = :role) WHERE id = :id",
        id=agent_id,
        role=role,
    )
    tx.run("DELETE FROM api_token WHERE agent_id = :id", id=agent_id)
    return tokens.create(tx, acting(tx, agent_id), name="again", scopes=tokens.SCOPES, expires_at=None)[1]


@pytest.fixture(scope="module")
def server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("schemathesis") / "parley.db"
    path.write_bytes(sqlite_template.read_bytes())
    running = Server(path)
    running.start()
    yield running
    running.close()
    print(f"schemathesis was answered {running.asked.total()} times: {dict(sorted(running.asked.items()))}")


def configured() -> SchemathesisConfig:
    config = SchemathesisConfig()
    # The systematic part (each limit, each missing and each odd field in turn) alone is thousands of requests.
    config.projects.default.phases.coverage.enabled = EVERYTHING
    # An address or a head that is too long is refused before anybody knows what it asks for.
    config.projects.default.checks.negative_data_rejection.expected_statuses += ["413", "414", "431"]
    return config


SCHEMA = schemathesis.openapi.from_dict(describe(COMMANDS), config=configured())


def aimed(case: schemathesis.Case, server: Server) -> None:
    """Puts what is there in the place of most ids, which are nobody's: else hardly a request got past "not found"."""
    if case.meta is None or case.meta.generation.mode is not schemathesis.GenerationMode.POSITIVE:
        return
    places: list[Any] = [case.path_parameters, case.query, case.body]
    for given in places:
        if not isinstance(given, dict):
            continue
        for field, value in given.items():
            what = ATTRIBUTES.get(str(field), str(field))
            if type(value) is int and what in Side.__dataclass_fields__ and value % 5 < 4:
                given[field] = getattr(server.world[("front", "back")[value % 2]], what)


@pytest.mark.parametrize("who", ["administrator", "agent"])
@SCHEMA.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_the_document_promises(case: schemathesis.Case, who: str, server: Server) -> None:
    aimed(case, server)
    response = case.call(
        base_url=server.client.url, session=server.http, headers={"Authorization": f"Bearer {server.token(who)}"}
    )
    server.asked[response.status_code] += 1
    if response.status_code == 401:
        server.tokens.pop(who, None)
    case.validate_response(response, checks=CHECKS_MADE)
