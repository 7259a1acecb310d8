"""The commands of staff as every door calls them: typed requests, permissions, scopes, pages."""

from typing import Any

import msgspec
import pytest

from hub.commands import BY_NAME
from hub.commands.perform import look, perform
from hub.desk import presence
from hub.staff import one_time, tokens
from hub.staff.access import Caller

from .conftest import Firm
from .test_signin import PASSWORD, refused


async def call(firm: Firm, name: str, caller: Caller, /, **fields: Any) -> Any:
    """As REST does it: the request is decoded from JSON, the answer must encode."""
    command = BY_NAME[name]
    request = msgspec.convert(fields, command.request)
    if command.write is not None:
        answer = await firm.store.write(perform, command, caller, request)
    else:
        answer = await firm.store.read(look, command, caller, request)
    assert isinstance(answer, command.answer)
    return msgspec.json.decode(msgspec.json.encode(answer))


async def test_an_agent_is_made_let_in_moved_and_shut_out(firm: Firm) -> None:
    roles = {r["name"]: r["id"] for r in (await call(firm, "list_roles", firm.admin))["items"]}
    made = await call(firm, "create_agent", firm.admin, email="bob@example.com", name="Bob", role_id=roles["agent"])
    assert (made["role"], made["has_password"], made["load"], made["disabled_at"]) == ("agent", False, 0, None)
    link = await call(firm, "make_password_link", firm.admin, agent_id=made["id"])
    assert await firm.does(one_time.choose_password, link["secret"], "$argon2id$x") == made["id"]
    changed = await call(firm, "change_agent", firm.admin, agent_id=made["id"], capacity=1, language=None)
    assert (changed["capacity"], changed["has_password"]) == (1, True)
    assert (await call(firm, "disable_agent", firm.admin, agent_id=made["id"]))["disabled_at"] is not None
    assert (await call(firm, "enable_agent", firm.admin, agent_id=made["id"]))["disabled_at"] is None
    assert (await call(firm, "read_agent", firm.ann, agent_id=made["id"]))["name"] == "Bob"


async def test_a_team_is_made_filled_and_emptied(firm: Firm) -> None:
    team = (await call(firm, "create_team", firm.admin, name="Press"))["id"]
    await call(firm, "add_team_member", firm.admin, team_id=team, agent_id=firm.ann_id)
    full = await call(firm, "add_team_inbox", firm.admin, team_id=team, inbox_id=firm.press)
    assert (full["members"], full["inboxes"]) == ([firm.ann_id], [firm.press])
    await call(firm, "remove_team_member", firm.admin, team_id=team, agent_id=firm.ann_id)
    empty = await call(firm, "remove_team_inbox", firm.admin, team_id=team, inbox_id=firm.press)
    assert (empty["members"], empty["inboxes"]) == ([], [])
    assert (await call(firm, "rename_team", firm.admin, team_id=team, name="Media"))["name"] == "Media"


async def test_a_role_of_ones_own(firm: Firm) -> None:
    role = await call(firm, "create_role", firm.admin, name="Clerk", permissions=["tickets.read"], sees="teams")
    changed = await call(firm, "change_role", firm.admin, role_id=role["id"], permissions=[])
    assert (changed["name"], changed["permissions"], changed["sees"]) == ("Clerk", [], "teams")


async def test_ones_own_tokens_and_availability(firm: Firm) -> None:
    made = await call(firm, "create_token", firm.ann, name="shop", scopes=["staff:read"])
    found = await tokens.use(firm.store, made["secret"])
    assert found is not None
    through = tokens.caller(firm.ann.grants, found[1], found[2])
    me = await call(firm, "read_me", through)
    assert (me["agent"]["id"], me["permissions"], me["scopes"]) == (firm.ann_id, ["agents.read"], ["staff:read"])
    assert (await refused(call(firm, "revoke_token", through, token_id=made["id"]))).code == "forbidden"
    (listed,) = (await call(firm, "list_tokens", firm.ann))["items"]
    assert "secret" not in listed and listed["id"] == made["id"]
    assert await call(firm, "revoke_token", firm.ann, token_id=made["id"]) == {"id": made["id"]}
    await firm.does(presence.renew, firm.ann_id, "p")
    said = await call(firm, "set_availability", firm.ann, availability="online")
    assert (said["availability"], said["present"], said["until"]) == ("online", True, None)


@pytest.mark.parametrize("name", ["list_agents", "list_teams", "list_roles", "list_tokens"])
async def test_a_list_comes_in_pages_that_miss_and_repeat_nothing(firm: Firm, name: str) -> None:
    for n in range(5):
        await firm.hire(f"b{n}")
        await call(firm, "create_team", firm.admin, name=f"Team {n}")
        await call(firm, "create_role", firm.admin, name=f"Role {n}", permissions=[], sees="own")
        await call(firm, "create_token", firm.admin, name=f"Token {n}", scopes=["staff:read"])
    whole = (await call(firm, name, firm.admin, limit=100))["items"]
    seen, cursor = [], None
    while True:
        page = await call(firm, name, firm.admin, limit=2, **({"cursor": cursor} if cursor else {}))
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
        assert len(page["items"]) == 2
    assert seen == whole and len({item["id"] for item in seen}) == len(seen) >= 5
    other = "list_roles" if name != "list_roles" else "list_teams"
    some = (await call(firm, other, firm.admin, limit=2))["next"]
    for forged in (some, "x", "", "{}", "W10"):
        assert (await refused(call(firm, name, firm.admin, cursor=forged))).field == "cursor"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("create_agent", {"email": "x@example.com", "name": "X", "role_id": 1, "is_admin": True}),
        ("create_agent", {"email": "x@example.com", "name": "X", "role_id": "1"}),
        ("create_agent", {"email": "x@example.com", "name": "X", "role_id": 0}),
        ("create_agent", {"email": "x@example.com", "name": "X", "role_id": 2**63}),
        ("create_agent", {"email": "x@example.com", "name": "", "role_id": 1}),
        ("change_agent", {"agent_id": 1, "password_hash": "x"}),
        ("change_agent", {"agent_id": 1, "capacity": True}),
        ("change_agent", {"agent_id": 1, "load": 0}),
        ("create_role", {"name": "x", "permissions": ["tickets.fly"], "sees": "own"}),
        ("create_role", {"name": "x", "permissions": [], "sees": "all"}),
        ("create_role", {"name": "x", "permissions": [], "sees": "own", "built_in": True}),
        ("create_token", {"name": "x", "scopes": []}),
        ("create_token", {"name": "x", "scopes": ["*"]}),
        ("create_token", {"name": "x", "scopes": ["staff:read"], "agent_id": 1}),
        ("set_availability", {"availability": "asleep"}),
        ("list_agents", {"limit": 0}),
        ("list_agents", {"limit": 101}),
    ],
)
def test_what_a_request_does_not_have_or_cannot_be_is_refused(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, BY_NAME[name].request)


async def test_a_plain_agent_manages_nobody(firm: Firm) -> None:
    attempts: dict[str, dict[str, Any]] = {
        "create_agent": {"email": "x@example.com", "name": "X", "role_id": 1},
        "disable_agent": {"agent_id": firm.admin_id},
        "enable_agent": {"agent_id": firm.admin_id},
        "make_password_link": {"agent_id": firm.admin_id},
        "create_role": {"name": "x", "permissions": [], "sees": "own"},
        "change_role": {"role_id": 1, "name": "x"},
        "create_team": {"name": "x"},
        "rename_team": {"team_id": firm.team_id, "name": "x"},
        "add_team_member": {"team_id": firm.team_id, "agent_id": firm.ann_id},
        "remove_team_member": {"team_id": firm.team_id, "agent_id": firm.ann_id},
        "add_team_inbox": {"team_id": firm.team_id, "inbox_id": firm.press},
        "remove_team_inbox": {"team_id": firm.team_id, "inbox_id": firm.shop},
    }
    for name, fields in attempts.items():
        assert (await refused(call(firm, name, firm.ann, **fields))).code == "forbidden", name


async def test_no_password_hash_is_ever_in_an_answer(firm: Firm) -> None:
    asked: dict[str, dict[str, Any]] = {"read_me": {}, "list_agents": {}, "read_agent": {"agent_id": firm.ann_id}}
    for name, fields in asked.items():
        text = str(await call(firm, name, firm.admin, **fields))
        assert "argon2" not in text and PASSWORD not in text and "hash" not in text
