"""Everybody × every operation × every object: matrix.csv says what each gets, and that is what they get.

Besides: what is hidden answers like what is absent, to the last byte; and who is refused has changed nothing.
"""

import collections
import dataclasses
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from hub.clock import ManualClock
from hub.commands import COMMANDS
from hub.commands.exports import EXPORTS
from hub.commands.files import FILES
from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.desk import inboxes
from hub.sample import load
from hub.staff import agents, passwords, roles, teams
from hub.staff.access import DESK
from hub.web.openapi import describe
from tests.authz import write_matrix
from tests.authz.examples import EXAMPLES, NAMES_AN_OBJECT, PASSWORD, label, objects, references
from tests.authz.world import PRINCIPALS, Principal, World, credentials, filled, fresh, hold, session
from tests.fixtures.desk import Answer, DeskClient, serving

MATRIX = write_matrix.read()
DOCUMENT = describe(COMMANDS)
METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if method in METHODS
}
# Fields whose objects are hidden from whoever does not see them; of the others everybody may know that they are there.
HIDDEN = {"number", "contact_id", "inbox_id", "ticket", "delivery_id", "feedback_id", "inbound_id", "point_id", "seen",
          "contact_note_id", "file_id"}  # fmt: skip


def fields_of(operation: dict[str, Any]) -> set[str]:
    found = {p["name"] for p in operation.get("parameters", ()) if p["in"] in ("path", "query")}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return found | set(body.get("properties", {}))


def test_the_table_has_every_operation_of_the_document_and_no_other() -> None:
    assert {operation for operation, _, _ in MATRIX} == set(OPERATIONS)
    assert set(EXAMPLES) == set(OPERATIONS)


def test_the_table_has_every_object_of_every_example() -> None:
    wanted = {
        (operation, case, label(sides))
        for operation, cases in EXAMPLES.items()
        for case, fields in cases.items()
        for sides in objects(fields)
    }
    assert set(MATRIX) == wanted, "run python -m tests.authz.write_matrix and read what has changed"


def test_whatever_names_an_object_stands_in_an_example() -> None:
    """A new field that names an object is a new way to get at one."""
    for name, (_, _, operation) in OPERATIONS.items():
        tried = {f for case in EXAMPLES[name].values() for f in references(case)}
        named = {f for f in fields_of(operation) if re.fullmatch(NAMES_AN_OBJECT, f)}
        # Which teams see an inbox is tried in test_side_doors: here it would give the one side to the other.
        assert named - tried <= ({"teams"} if name == "change_inbox" else set()), name


# --- the desk


@dataclasses.dataclass
class Setting:
    client: DeskClient
    people: dict[str, int]
    inboxes: dict[str, int]
    credentials: dict[tuple[str, str], Principal]
    world: World = dataclasses.field(default_factory=dict)

    async def renew(self, who: str) -> None:
        owners = {"front": self.people["agent"], "back": self.people["outsider"]}
        me = self.credentials[who, ""].agent_id
        self.world = await self.client.store.write(fresh, self.inboxes, owners, me)

    async def ask(self, name: str, fields: dict[str, Any], principal: Principal) -> Answer:
        method, path, operation = OPERATIONS[name]
        in_path = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        rest = {k: v for k, v in fields.items() if k not in in_path}
        address = path.format(**{k: fields[k] for k in in_path})
        if method == "get":
            address += f"?{urlencode(rest, doseq=True)}" if rest else ""
            return await self.client.get(address, as_=None, headers=principal.headers)
        body = rest if "requestBody" in operation else None
        return await self.client.request(method.upper(), address, body, as_=None, headers=principal.headers)


def scope_of(name: str) -> str:
    scopes = {command.name: command.scope for command in (*COMMANDS, *EXPORTS, *FILES)}
    return {**scopes, "create_live_ticket": "tickets:read"}.get(name, "")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def this_store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_store")
    return found


@pytest_asyncio.fixture
async def setting(this_store: Store, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Setting]:
    hashed = await passwords.hash_password(PASSWORD)

    def furnish(tx: Tx, front_id: int, people: dict[str, int]) -> tuple[dict[str, int], Any]:
        team_id = teams.create(tx, DESK, "Back office")
        back = inboxes.create(tx, DESK, kind="form", name="Back door", team_id=team_id)
        teams.add_member(tx, DESK, team_id, people["outsider"])
        people["disabled"] = agents.create(
            tx, DESK, email="gone@desk.example", name="Gone", role_id=roles.named(tx, "administrator").id
        )
        agents.set_password(tx, DESK, people["supervisor"], hashed)
        scopes = tuple(dict.fromkeys(scope_of(name) for name in OPERATIONS))
        return {"front": front_id, "back": back.id}, credentials(tx, people, scopes)

    async with serving(this_store, clock, tmp_path) as client:
        people = {name: helper.id for name, helper in client.people.items()}
        await hold(client.desk.runner.files.contents)
        sides, who = await this_store.write(furnish, client.inbox.id, people)
        yield Setting(client, people, sides, who)


# --- what was there

_TABLES = (
    "setting", "role", "agent", "team", "team_member", "session", "api_token", "one_time", "inbox", "inbox_team",
    "company", "contact", "contact_point", "consent", "ticket", "message", "note", "delivery", "tag", "ticket_tag",
    "contact_tag", "ticket_count", "feedback", "event", "inbound", "job", "answered",
    "ticket_read", "preferences", "draft", "canned", "follower", "mention", "ticket_merge", "saved_view", "bulk",
    "bulk_item",
    "contact_note", "contact_field", "own_field", "contact_word", "file",
)  # fmt: skip
_COUNTS = "SELECT " + ", ".join(f"(SELECT COUNT(*) FROM {table})" for table in _TABLES)
_TAIL = "SELECT MAX(id) FROM event"
_NEW = {
    "ticket_id": "SELECT * FROM ticket WHERE id = :id",
    "contact_id": "SELECT * FROM contact WHERE id = :id",
    "delivery_id": "SELECT state, changed_at FROM delivery WHERE id = :id",
    "held_id": "SELECT state, changed_at FROM delivery WHERE id = :id",
    "planned_id": "SELECT state, send_at, changed_at FROM delivery WHERE id = :id",
    "feedback_id": "SELECT * FROM feedback WHERE id = :id",
    "agent_id": "SELECT * FROM agent WHERE id = :id",
    "role_id": "SELECT * FROM role WHERE id = :id",
    "team_id": "SELECT * FROM team WHERE id = :id",
    "canned_id": "SELECT * FROM canned WHERE id = :id",
    "token_id": "SELECT revoked_at FROM api_token WHERE id = :id",
    "session_id": "SELECT * FROM session WHERE id = :id",
    "guarded_id": "SELECT * FROM two_factor WHERE agent_id = :id",
    "job_id": "SELECT * FROM job WHERE id = :id",
    "inbound_id": "SELECT * FROM inbound WHERE id = :id",
    "contact_note_id": "SELECT * FROM contact_note WHERE id = :id",
    "own_field_id": "SELECT * FROM own_field WHERE id = :id",
    "inbox_id": "SELECT name, team_id, settings, enabled FROM inbox WHERE id = :id",
}


def state(rx: Rx, world: World) -> list[Any]:
    """How much there is of everything, the newest event, and the objects at hand as they stand."""
    found: list[Any] = [rx.row(_TAIL), *zip(_TABLES, rx.row(_COUNTS) or (), strict=True)]
    for side in world.values():
        found += [rx.row(sql, id=getattr(side, what)) for what, sql in _NEW.items()]
    return found


# --- the matrix


async def tried(setting: Setting, who: str) -> list[str]:
    """Every line of the table for one of them; what deviates."""
    wrong: list[str] = []
    await setting.renew(who)
    before: list[Any] | None = None
    for name, cases in EXAMPLES.items():
        for case, fields in cases.items():
            heard: dict[str, bytes] = {}
            for sides in objects(fields):
                line = f"{name} ({case}) {label(sides)} as {who}"
                principal = setting.credentials[who, scope_of(name)]
                if before is None:
                    before = await setting.client.store.read(state, setting.world)
                sent = filled(fields, sides, setting.world, principal.agent_id)
                answer = await setting.ask(name, sent, principal)
                if answer.status >= 400 or OPERATIONS[name][0] == "get":
                    heard[label(sides)] = re.sub(rb'"request_id":"[^"]*"', b"", answer.body)
                wrong += [f"{line}: tells {told!r}" for told in told_too_much(who, answer.body)]
                wanted = MATRIX[name, case, label(sides)][who]
                if answer.status != wanted:
                    wrong.append(f"{line}: {answer.status}, not {wanted}; {answer.body[:200]!r}")
                if answer.status < 300 and (OPERATIONS[name][0] != "get" or name.startswith("export_")):
                    await restored(setting, who, name)
                    before = None
                elif before != (after := await setting.client.store.read(state, setting.world)):
                    changed = [(b, a) for b, a in zip(before, after, strict=True) if b != a]
                    wrong.append(f"{line}: answered {answer.status} and changed {changed}")
                    before = after
            wrong += told_apart(name, case, fields, who, heard)
    return wrong


def told_too_much(who: str, body: bytes) -> list[bytes]:
    """Words of a side that they do not see: its messages, feedback, contacts, addresses and its inbox."""
    blind = {"front", "back"} - write_matrix.SIGHT.get(who, set())
    return [word for side in blind for word in re.findall(WORDS[side], body)]


WORDS = {
    "front": rb"of front|front ?\d+|Website",
    "back": rb"of back|back ?\d+|Back door",
}


async def restored(setting: Setting, who: str, name: str) -> None:
    if name == "sign_out":
        again = await setting.client.store.write(session, setting.people[who])
        for key, principal in setting.credentials.items():
            if key[0] == who:
                setting.credentials[key] = dataclasses.replace(principal, headers=again)
    if name == "load_sample":  # nobody plays it here
        await setting.client.store.write(load.forget)
    await setting.renew(who)


def told_apart(name: str, case: str, fields: dict[str, Any], who: str, heard: dict[str, bytes]) -> list[str]:
    """Where what is hidden from them can be told from what is absent."""
    refs = references(fields)
    sight = write_matrix.SIGHT.get(who, set())
    pairs = [(f"front; {f} back", f"front; {f} absent") for f in refs if f in HIDDEN and "back" not in sight]
    if len(refs) == 1 and not HIDDEN.isdisjoint(refs):
        pairs = [(side, "absent") for side in ("front", "back") if side not in sight]
    return [
        f"{name} ({case}) as {who}: {hidden!r} answers {heard.get(hidden)!r}, {absent!r} {heard.get(absent)!r}"
        for hidden, absent in pairs
        if heard.get(hidden) != heard.get(absent)
    ]


@pytest.mark.parametrize("who", PRINCIPALS)
async def test_everybody_gets_just_what_the_table_says(setting: Setting, who: str) -> None:
    wrong = await tried(setting, who)
    assert not wrong, f"{len(wrong)} deviations:\n" + "\n".join(wrong)


def test_the_table_is_what_the_rules_say() -> None:
    """It was made from them and read; who edits one edits the other."""
    lines = [[str(cell) for cell in line] for line in write_matrix.rows()]
    assert write_matrix.PATH.read_text().splitlines()[1:] == [as_csv(line) for line in lines]


def as_csv(line: list[str]) -> str:
    return ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' if re.search(r'[,"]', cell) else cell for cell in line)


def test_the_table_denies_more_than_it_allows() -> None:
    """A generator that has gone wrong and allows everything would show here."""
    answers = collections.Counter(status // 100 for line in MATRIX.values() for status in line.values())
    assert answers[4] > answers[2] > 0
