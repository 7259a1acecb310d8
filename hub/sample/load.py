"""Loading: how far it is, one unit after the other. Each plays some steps, in the order of their times, as of them."""

from typing import Final, Literal

import msgspec

from hub.db import lanes
from hub.db.tx import Rx, Tx
from hub.desk import reading
from hub.desk import ticket as gate
from hub.errors import Refusal
from hub.events import SYSTEM, Actor, SampleLoaded
from hub.people import samples
from hub.sample import cast, play, script
from hub.staff import access, agents
from hub.staff.access import Caller, require_permission

MANAGE: Final = "desk.manage"
LOAD: Final = "sample.load"
CLEAR: Final = "sample.clear"
KEY: Final = "sample"
AT_ONCE: Final = 8  # steps a unit: some ten rows each
FEW: Final = 3

_GET = "SELECT value FROM setting WHERE name = 'sample'"
_PUT = """
INSERT INTO setting (name, value) VALUES ('sample', :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
_GONE = "DELETE FROM setting WHERE name = 'sample'"


class State(msgspec.Struct, frozen=True):
    """`done` of `of`: steps played, or things taken away. `base`: the now that the script counts back from."""

    state: Literal["none", "loading", "loaded", "clearing"] = "none"
    done: int = 0
    of: int = 0
    base: int = 0
    by: int = 0


def state(rx: Rx) -> State:
    stored = rx.value(_GET)
    return State() if stored is None else msgspec.json.decode(stored, type=State)


def keep(tx: Tx, now: State) -> None:
    tx.run(_PUT, value=msgspec.json.encode(now).decode())


def forget(tx: Tx) -> None:
    tx.run(_GONE)


def start(tx: Tx, caller: Caller) -> State:
    """Begins; a job goes on with it. What is there already is not loaded twice."""
    require_permission(caller, MANAGE)
    now = state(tx)
    if now.state == "loaded":
        raise Refusal("conflict", "The sample data is here already. Remove it first to have it fresh.")
    if now.state != "none":
        raise Refusal("conflict", "This is being worked on already. It takes a few seconds.")
    begun = State("loading", 0, len(script.schedule(tx.now)), tx.now, caller.actor.id)
    keep(tx, begun)
    again(tx, LOAD)
    return begun


def again(tx: Tx, kind: str) -> None:
    """One job that goes on, never two."""
    tx.enqueue_once(kind, {}, key=KEY, lane=lanes.HOUSEKEEPING)


def go_on(tx: Tx, _payload: object = None) -> None:
    """Plays the next steps and has itself called again; nothing when it is not loading."""
    now = state(tx)
    if now.state != "loading":
        return
    plan = script.schedule(now.base)
    if samples.called(tx, "agent", "mira") is None:
        with tx.as_of(plan[0][0]):
            cast.furnish(tx)
    elif now.done < now.of:
        told = {story.name: story for story in script.stories()}
        for at, step in plan[now.done : now.done + AT_ONCE]:
            with tx.as_of(at):
                play.perform(tx, told[step.story], step)
        keep(tx, msgspec.structs.replace(now, done=min(now.of, now.done + AT_ONCE)))
    else:
        _read_what_is_over(tx, now)
        keep(tx, msgspec.structs.replace(now, state="loaded"))
        tx.record(SampleLoaded(), by=by(now))
        return
    again(tx, LOAD)


def _read_what_is_over(tx: Tx, now: State) -> None:
    """For whoever loads it, else for the first few who work here: only what goes on is news."""
    real = [
        agent.id for agent, _ in agents.page(tx, after=("", 0), limit=20) if not samples.is_one(tx, "agent", agent.id)
    ]
    for agent_id in [now.by] if now.by else real[:FEW]:
        grants = access.load(tx, agent_id)
        if grants is None:
            continue
        for ticket_id in samples.of_kind(tx, "ticket"):
            ticket = gate.must(tx, ticket_id)
            if ticket.status != "open" and ticket.last_message_id and access.may(grants, ticket.scope):
                reading.mark_read(tx, Caller(Actor("agent", agent_id), grants), ticket.number, ticket.last_message_id)


def by(now: State) -> Actor:
    return Actor("agent", now.by) if now.by else SYSTEM
