"""What a client held before a command, with the events of the command, is what it would get if it came in anew.

For every command of the two tables, through the socket, by the stores of console and widget themselves; for an agent
who sees everything, for one of each of two sides, and for the visitor whose chat it is.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from joserfc import jwk, jwt

from hub.commands import BY_NAME, COMMANDS
from hub.commands.visitors import BY_NAME as VISITORS
from hub.db.tx import Tx
from hub.desk import inboxes, tags
from hub.desk import ticket as gate
from hub.events import SYSTEM
from hub.live import stream
from hub.people import contacts
from hub.staff import agents, roles, teams, tokens
from hub.staff.access import DESK
from tests.authz.examples import EXAMPLES, references
from tests.authz.world import Side, World, acting, filled, fresh, further
from tests.fixtures.desk import DeskClient
from tests.live.client import SECONDS, SECRET, Client, agent, live_inbox, visitor
from tests.live.stores import Stores, stores

__all__ = ["stores"]
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.loop_may_block(reason="the test waits for Node on the loop that also serves"),
    pytest.mark.may_block(reason="the test waits for Node on the loop that also serves"),
]

EVERYTHING = bool(os.environ.get("PARLEY_TEST_ALL"))  # also one thing of each side in one request
AGENTS = ("administrator", "agent", "outsider")
AT_ONCE = 24  # requests of one scene: each makes some ten tickets, and a fresh state has 500
# An agent whose rights change has to begin anew: what the snapshot says is then all there is to say.
GIVES_AND_TAKES = {
    "add_team_inbox", "add_team_member", "change_agent", "change_inbox", "change_role", "create_inbox", "disable_agent",
    "enable_agent", "remove_team_inbox", "remove_team_member", "make_password_link",
    # a visitor holds messages under the number of their ticket
    "merge_ticket", "unmerge_ticket", "split_ticket",
    "delete_team",
    "restore_tag",  # an event tells of the tag, and a client then asks for what bears it
}  # fmt: skip
QUEUE = ("waiting_since", "position", "expected_wait")
PAGE: Any = {"page": "https://shop.example/"}
# For a visitor: a command of theirs → its request; "jwt" and ids are filled in.
OF_VISITORS: dict[str, list[dict[str, Any]]] = {
    "say": [{"text": "It leaks still.", "client_id": "second"}, {"text": "It leaks.", "client_id": "first"}],
    "read": [{"message_id": "answer"}],
    "end": [{}],
    "start_anew": [{}],
    "rate": [{"score": 5, "text": "Good."}, {"score": 1, "text": "Bad."}],
    "identify": [{"jwt": "jwt"}],
    "leave_details": [{"name": "Eve", "email": "eve@example.org"}],
    "mail_me": [{"email": "eve@example.org"}],
    "confirm_address": [{"code": "123456"}],
    "page_view": [{"page": "https://shop.example/kettles"}],
    "forget": [{}],
    "state": [{}],
    "upload": [{"name": "crack.png", "size": 100}],
    "file_link": [{"file": "of another"}],
}


def test_every_command_has_an_example() -> None:
    assert set(BY_NAME) <= set(EXAMPLES)
    assert set(VISITORS) == set(OF_VISITORS)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def this_desk(request: pytest.FixtureRequest) -> DeskClient:
    found: DeskClient = request.getfixturevalue(f"{request.param}_desk_client")
    return found


@dataclasses.dataclass
class Watcher:
    """A client and what it was told since its snapshot."""

    kind: Any  # of the store: "agent" or "visitor"
    client: Client
    number: int | None  # a ticket that it has open
    base: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    since: int = 0

    async def look(self) -> None:
        """Starts from a snapshot, and opens the ticket as the console does."""
        start = len(self.client.frames)
        await self.client.say("snapshot")
        live = await self.client.until("live", since=start)
        told = self.client.frames[start:]
        self.base = [t for t in told if t["type"] in ("snapshot", "live")]
        if self.kind == "agent":
            await self._open(live["cursor"])
        self.since = len(self.client.frames)

    async def _open(self, cursor: int) -> None:
        me = await self.client.command("read_me")
        self.base.insert(0, {"type": "local.me", "me": me["answer"]})
        thread = await self.client.command("read_ticket", number=self.number)
        if thread["type"] == "answer":
            self.base.append(
                {"type": "local.thread", "number": self.number, "thread": thread["answer"], "since": cursor}
            )

    @property
    def told(self) -> list[dict[str, Any]]:
        heard = ("event", "cursor", "standing", "snapshot_required", "own", "read")
        return [t for t in self.client.frames[self.since :] if t["type"] in heard]


@dataclasses.dataclass
class Scene:
    desk: DeskClient
    stores: Stores
    sides: dict[str, int]  # side → its inbox
    homes: dict[str, tuple[int, int]]  # side → a team and an agent who watches
    admin: Client
    eve: Client  # the visitor's other window
    watchers: dict[str, Watcher]
    world: World
    token: str  # of the live inbox

    async def settled(self) -> None:
        """Everything that happened has been told."""
        last = await self.desk.store.read(stream.last_event)
        await self.desk.desk.stream.reached(last)
        keeping = self.desk.desk.keeping
        async with asyncio.timeout(SECONDS):
            while self.desk.desk.live.done < last or keeping._doubted or keeping._changed:
                await asyncio.sleep(0.002)
        for watcher in self.watchers.values():
            try:  # an answer, if only a refusal: what was told before it has come. Or they have been sent away
                if watcher.client.code is None:
                    await watcher.client.command("read_me" if watcher.kind == "agent" else "page_view", **PAGE)
            except (ConnectionError, AssertionError):
                await watcher.client.ended()

    async def compare(self, what: str, before: dict[str, list[dict[str, Any]]]) -> list[str]:
        wrong = []
        for name, watcher in self.watchers.items():
            if watcher.client.code is not None:
                continue
            told = watcher.told
            anew = [t for t in told if t["type"] == "snapshot_required" or t.get("name") == "tag.restored"]
            await watcher.look()
            if anew:
                if what.split()[0] not in GIVES_AND_TAKES:
                    wrong.append(f"{what}: {name} has to begin anew")
                continue
            old = self.stores.after(watcher.kind, [*before[name], *told])
            new = self.stores.after(watcher.kind, watcher.base)
            shape = _of_agent if watcher.kind == "agent" else _of_visitor
            wrong += [
                f"{what}: {name}: {line}; told {_brief(told)}" for line in differ(shape(old, new), shape(new, old))
            ]
        return wrong


def _brief(told: list[dict[str, Any]]) -> str:
    return ", ".join(t.get("name", t["type"]) for t in told)


def _of_agent(state: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What is to be equal. Resolved tickets and spam a snapshot does not have; a client may keep them."""
    held = {n: t for n, t in state["tickets"].items() if t["status"] != "resolved" and not t["spam"]}
    kept = ("messages", "notes", "deliveries", "followers")
    both = {*state["threads"]} & {*other["threads"]}  # what comes into sight is opened by hand
    threads = {n: {k: t.get(k) for k in kept} for n, t in state["threads"].items() if n in both}
    me = {k: state["me"]["agent"][k] for k in ("id", "name", "availability")}
    me["preferences"] = state["me"]["preferences"]
    return {
        "tickets": held,
        "threads": threads,
        "me": me,
        "reads": {n: upto for n, upto in state["reads"].items() if n in held},
        "drafts": {k: (d["number"], d["saved_at"]) for k, d in state.get("drafts", {}).items()},
        **{k: state.get(k) for k in ("agents", "teams", "inboxes", "tags", "canned", "views")},
    }


def _of_visitor(state: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    """Whether and where they wait is told by a frame of its own, every 15 seconds."""
    ticket = state["ticket"] and {k: v for k, v in state["ticket"].items() if k not in QUEUE}
    kept = ("messages", "older", "name", "closed", "ask", "consent", "mustSignIn", "asksRating")
    return {"ticket": ticket, **{k: state[k] for k in kept}}


def differ(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from differ(old.get(key), new.get(key), f"{path}.{key}")
    elif old != new:
        yield f"{path[1:]} is {json.dumps(old)[:300]}, should be {json.dumps(new)[:300]}"


# --- the desk ----------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def scene(desk: DeskClient, stores: Stores) -> AsyncIterator[Scene]:
    token = await live_inbox(desk)

    def furnish(tx: Tx) -> tuple[int, int, int]:
        team_id = teams.create(tx, DESK, "Back office")
        teams.add_member(tx, DESK, team_id, desk.people["outsider"].id)
        inbox = inboxes.by_token(tx, token)
        assert inbox is not None
        return inbox.id, inboxes.create(tx, DESK, kind="form", name="Back", team_id=team_id).id, team_id

    front, back, team_id = await desk.store.write(furnish)
    homes = {"front": (desk.team_id, desk.people["agent"].id), "back": (team_id, desk.people["outsider"].id)}
    async with contextlib.AsyncExitStack() as stack:
        admin = await stack.enter_async_context(agent(desk))
        watchers = {n: Watcher("agent", await stack.enter_async_context(agent(desk, n)), None) for n in AGENTS}
        made = Scene(desk, stores, {"front": front, "back": back}, homes, admin, admin, watchers, {}, token)
        yield made


async def renewed(made: Scene, stack: contextlib.AsyncExitStack, at_home: bool) -> None:
    """Fresh objects, with the front's ticket a chat; a new visitor in two windows; everybody as at first."""
    desk = made.desk
    desk.clock.advance(1_000)
    await desk.store.write(_restore, made.homes)
    for name in AGENTS:
        if made.watchers[name].client._reading.done():
            desk.people[name].token = await desk.store.write(_token, desk.people[name].id)
            made.watchers[name] = Watcher("agent", await stack.enter_async_context(agent(desk, name)), None)
    if made.admin._reading.done():
        made.admin = await stack.enter_async_context(agent(desk))
    eve = made.eve = await stack.enter_async_context(visitor(desk))
    token = (await eve.until("welcome"))["visitor"]
    await eve.until("live")
    said = await eve.command("say", text="It leaks.", client_id="first")
    number = said["answer"]["number"]
    answered = await made.admin.command("reply", number=number, text="Which one?", anyway=True)
    window = await stack.enter_async_context(visitor(desk, token))
    await window.until("live")
    made.watchers["eve"] = Watcher("visitor", window, None)
    owners = {"front": desk.people["agent"].id, "back": desk.people["outsider"].id}
    me = desk.people["administrator"].id

    def objects(tx: Tx) -> World:
        world = fresh(tx, made.sides, owners, me)
        tx.run("UPDATE contact_note SET agent_id = :me", me=me)
        chat = _chat(tx, world["front"], number, me, answered["answer"]["message_id"])
        world["front"] = chat
        if at_home:
            for side, (team_id, agent_id) in made.homes.items():
                world[side] = dataclasses.replace(world[side], team_id=team_id, agent_id=agent_id)
        return world

    made.world = await desk.store.write(objects)
    await made.settled()


_TICKET = "SELECT id, contact_id FROM ticket WHERE number = :number"
_OFFER = "UPDATE ticket SET offered_to = :agent, offered_until = :now WHERE id = :id"


def _chat(tx: Tx, side: Side, number: int, me: int, message_id: int) -> Side:
    row = tx.row(_TICKET, number=number)
    assert row is not None
    ticket_id, contact_id = row
    tags.tag_ticket(tx, DESK, number, "regular")
    tags.tag_contact(tx, DESK, contact_id, "regular")
    tx.run(_OFFER, agent=me, now=tx.now, id=ticket_id)
    point = contacts.add_point(tx, SYSTEM, contact_id, "email", f"eve-{side.address}")
    chat = gate.by_number(tx, number)
    assert chat is not None
    later, other, merged = further(tx, chat, me)
    return dataclasses.replace(
        side,
        number=number,
        ticket_id=ticket_id,
        contact_id=contact_id,
        message_id=message_id,
        point_id=point,
        later_id=later,
        other_number=other,
        merged_number=merged,
    )


def _token(tx: Tx, agent_id: int) -> str:
    return tokens.create(tx, acting(tx, agent_id), name="test", scopes=tokens.SCOPES, expires_at=None)[1]


def _restore(tx: Tx, homes: dict[str, tuple[int, int]]) -> None:
    for team_id, agent_id in homes.values():
        agents.enable(tx, DESK, agent_id)
        agents.change(tx, DESK, agent_id, role_id=roles.named(tx, "agent").id)
        teams.add_member(tx, DESK, team_id, agent_id)


def requests(name: str) -> Iterator[tuple[str, dict[str, Any], dict[str, str], bool]]:
    """(label, fields, sides, whether teams and agents are those who watch)."""
    for case, fields in EXAMPLES[name].items():
        refs = references(fields)
        choices = [dict.fromkeys(refs, side) for side in (("front", "back") if refs else ("front",))]
        if len(refs) > 1 and EVERYTHING:
            choices += [{**choices[0], field: "back"} for field in refs] + [{**choices[1], f: "front"} for f in refs]
        for sides in choices:
            homes = {"team_id", "agent_id", "teams"} & set(refs) and name != "delete_team"  # those are needed again
            for at_home in (False, True) if homes else (False,):
                yield f"{name} ({case}) {sides}{' at home' if at_home else ''}", fields, sides, at_home


async def once(
    made: Scene, label: str, name: str, fields: dict[str, Any], sides: dict[str, str], home: bool
) -> list[str]:
    async with contextlib.AsyncExitStack() as stack:
        await renewed(made, stack, home)
        for watcher in made.watchers.values():
            watcher.number = made.world[sides.get("number", "front")].number
            await watcher.look()
        before = {who: watcher.base for who, watcher in made.watchers.items()}
        sent = filled(fields, sides, made.world, made.desk.people["administrator"].id)
        done = await made.admin.command(name, **sent)
        await made.settled()
        found = await made.compare(label, before)
        refused = done["problem"]["status"] if done["type"] == "error" else 0
        if refused and refused not in (404, 409) and not (refused == 422 and len(set(sides.values())) > 1):
            found.append(f"{label}: {done['problem']}")
        return found


def parts() -> dict[str, list[tuple[str, tuple[str, dict[str, Any], dict[str, str], bool]]]]:
    """Every request to every command, by its noun, as many as one scene bears."""
    found: dict[str, list[tuple[str, tuple[str, dict[str, Any], dict[str, str], bool]]]] = {}
    for noun in sorted({command.noun for command in COMMANDS}):
        asked = [(c.name, request) for c in COMMANDS if c.noun == noun for request in requests(c.name)]
        for number, start in enumerate(range(0, len(asked), AT_ONCE)):
            found[f"{noun}{number or ''}"] = asked[start : start + AT_ONCE]
    return found


PARTS = parts()


@pytest.mark.parametrize("part", PARTS)
async def test_what_agents_do_is_told_as_it_comes_to_stand(this_desk: DeskClient, stores: Stores, part: str) -> None:
    wrong: list[str] = []
    async with scene(this_desk, stores) as made:
        for name, (label, fields, sides, home) in PARTS[part]:
            wrong += await once(made, label, name, fields, sides, home)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", sorted(VISITORS))
async def test_what_visitors_do_is_told_as_it_comes_to_stand(this_desk: DeskClient, stores: Stores, name: str) -> None:
    wrong: list[str] = []
    async with scene(this_desk, stores) as made:
        for request in OF_VISITORS[name]:
            for resolved in (False, True):
                wrong += await by_visitor(made, name, request, resolved)
    assert not wrong, "\n".join(wrong)


async def by_visitor(made: Scene, name: str, request: dict[str, Any], resolved: bool) -> list[str]:
    label = f"{name} {request}{' once it is resolved' if resolved else ''}"
    async with contextlib.AsyncExitStack() as stack:
        await renewed(made, stack, True)
        chat = made.world["front"]
        if resolved:
            await made.admin.command("resolve", number=chat.number)
            await made.settled()
        made.watchers["eve herself"] = Watcher("visitor", made.eve, None)
        for watcher in made.watchers.values():
            watcher.number = chat.number
            await watcher.look()
        before = {who: watcher.base for who, watcher in made.watchers.items()}
        values = {"jwt": signed(made), "answer": chat.message_id}
        sent: Any = {field: values.get(value, value) for field, value in request.items()}
        done = await made.eve.command(name, **sent)
        await made.settled()
        if name == "forget" or (done.get("answer") or {}).get(
            "visitor"
        ):  # another visitor, or none: nothing of the one before is theirs
            made.watchers.pop("eve herself")
            assert await made.watchers.pop("eve").client.ended() == 4401
        elif done["type"] == "answer" and "state" in done["answer"]:
            before["eve herself"].append({"type": "my.state", "state": done["answer"]["state"]})
        found = await made.compare(label, before)
        made.watchers.pop("eve herself", None)
        if done["type"] == "error" and done["problem"]["status"] != {"file_link": 404}.get(name, 409):
            found.append(f"{label}: {done['problem']}")
        return found


def signed(made: Scene) -> str:
    now = made.desk.clock.now() // 1_000
    claims = {"sub": f"customer-{now}", "aud": made.token, "iat": now, "exp": now + 600, "name": "Eve of the shop"}
    return jwt.encode({"alg": "HS256"}, claims, jwk.OctKey.import_key(SECRET))
