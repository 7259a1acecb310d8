"""What an agent has begun to write: kept with their tickets, so that it is there on every device of theirs.

An agent's own: it is no event but told to their other windows. Gone once it is said."""

from typing import Final, Literal

import msgspec

from hub.clock import DAY
from hub.db.tx import Rx, Tx
from hub.desk import reading
from hub.desk import ticket as tickets
from hub.desk.ticket import Ticket
from hub.errors import Refusal
from hub.events import Recorded, Told
from hub.staff.access import Caller, agent_of, require_permission, visible
from hub.text import MAX_MESSAGE, clean, is_blank

Mode = Literal["reply", "note"]
MOST: Final = 500
KEPT: Final = 90 * DAY
_NEEDS: Final = {"reply": "tickets.reply", "note": "tickets.note"}

_GET = "SELECT text, saved_at FROM draft WHERE agent_id = :agent_id AND ticket_id = :ticket_id AND mode = :mode"
_PUT = """
INSERT INTO draft (agent_id, ticket_id, mode, text, saved_at) VALUES (:agent_id, :ticket_id, :mode, :text, :saved_at)
ON CONFLICT (agent_id, ticket_id, mode) DO UPDATE SET text = excluded.text, saved_at = excluded.saved_at"""
_DROP = "DELETE FROM draft WHERE agent_id = :agent_id AND ticket_id = :ticket_id AND mode = :mode"
_MOVE = """
UPDATE draft SET ticket_id = :to WHERE agent_id = :agent_id AND ticket_id = :ticket_id AND mode = :mode"""
_OF_TICKET = "SELECT agent_id, mode, text, saved_at FROM draft WHERE ticket_id = :ticket_id"
_OF_AGENT = """
SELECT ticket.number, draft.mode, draft.text, draft.saved_at
FROM draft JOIN ticket ON ticket.id = draft.ticket_id WHERE draft.agent_id = :agent_id"""
_OLD = "SELECT agent_id, ticket_id, mode FROM draft WHERE saved_at < :before LIMIT 400"


class Draft(msgspec.Struct, frozen=True):
    number: int
    mode: Mode
    text: str
    saved_at: int


class Begun(msgspec.Struct, frozen=True):
    """That there is one, without what it says."""

    number: int
    mode: Mode
    saved_at: int


def save(
    tx: Tx, caller: Caller, number: int, mode: Mode, text: str, *, base: int | None = None, window: str | None = None
) -> int:
    """When it was saved: a time that grows with each. Nothing to see takes the draft away. `base`: what it was made
    from (0: from none); if another device has saved since, that one is refused as "stale" and comes with it."""
    ticket = tickets.seen(tx, caller, number)
    require_permission(caller, _NEEDS[mode])
    agent_id = agent_of(caller)
    text = clean(text, "text", most=MAX_MESSAGE, least=0)
    was = tx.row(_GET, agent_id=agent_id, ticket_id=ticket.id, mode=mode)
    if base is not None and was is not None and was[1] > base:
        raise Refusal(
            "stale",
            "This draft was changed on another device meanwhile. Choose which of the two to keep.",
            extra={"text": was[0], "saved_at": was[1]},
        )
    saved_at = tx.now if was is None else max(tx.now, was[1] + 1)
    if not is_blank(text):
        tx.run(_PUT, agent_id=agent_id, ticket_id=ticket.id, mode=mode, text=text, saved_at=saved_at)
        tx.tell(_own(agent_id, ticket.number, mode, text, saved_at, window))
    elif was is not None:
        _drop(tx, agent_id, ticket, mode, saved_at, window)
    return saved_at


def said(tx: Tx, caller: Caller, ticket: Ticket, mode: Mode, text: str, base: int | None = None) -> None:
    """What was begun is said now. `base`: the draft that it was, by when that was saved; one that was written since, on
    another device, stays, unless it is the beginning of what was said: then it was on its way here."""
    if caller.actor.kind != "agent":
        return
    agent_id = caller.grants.agent_id
    was = tx.row(_GET, agent_id=agent_id, ticket_id=ticket.id, mode=mode) if base is not None else None
    if was is not None and base is not None and was[1] > base and not text.strip().startswith(was[0].strip()):
        return
    _drop(tx, agent_id, ticket, mode, tx.now, None)


def move(tx: Tx, ticket: Ticket, to: Ticket, which: list[tuple[int, str]] | None = None) -> list[tuple[int, str]]:
    """Those of a ticket (or `which` of them) to another that has none of the same agent and mode; which moved."""
    moved: list[tuple[int, str]] = []
    for agent_id, mode, text, saved_at in tx.rows(_OF_TICKET, ticket_id=ticket.id):
        if which is not None and (agent_id, mode) not in which:
            continue
        if tx.row(_GET, agent_id=agent_id, ticket_id=to.id, mode=mode) is None:
            tx.run(_MOVE, agent_id=agent_id, ticket_id=ticket.id, mode=mode, to=to.id)
            tx.tell(_own(agent_id, ticket.number, mode, "", saved_at, None))
            tx.tell(_own(agent_id, to.number, mode, text, saved_at, None))
            moved.append((agent_id, mode))
    return moved


def of_caller(rx: Rx, caller: Caller) -> list[Draft]:
    """The newest 500, of tickets that the caller may see."""
    sees, params = visible(caller.grants)
    order = " ORDER BY draft.saved_at DESC, draft.ticket_id, draft.mode LIMIT :limit"
    # Composed of constants of ours; values are parameters.
    rows = rx.rows(f"{_OF_AGENT} AND {sees}{order}", **params, agent_id=caller.grants.agent_id, limit=MOST)
    return [Draft(*row) for row in rows]


def begun(rx: Rx, caller: Caller) -> list[Begun]:
    return [Begun(one.number, one.mode, one.saved_at) for one in of_caller(rx, caller)]


def tell_again(tx: Tx, to: Recorded) -> None:
    """A ticket may have come back into somebody's sight, with what they had begun to write there: run by
    `hub.reactions`."""
    ticket = tickets.must(tx, to.ticket_id or 0)
    for agent_id, mode, text, saved_at in tx.rows(_OF_TICKET, ticket_id=ticket.id):
        if reading.sees(tx, agent_id, ticket):
            tx.tell(_own(agent_id, ticket.number, mode, text, saved_at, None))


def sweep(tx: Tx) -> int:
    """Drops some that nobody came back to for a quarter of a year; how many."""
    old = tx.rows(_OLD, before=tx.now - KEPT)
    for agent_id, ticket_id, mode in old:
        tx.run(_DROP, agent_id=agent_id, ticket_id=ticket_id, mode=mode)
    return len(old)


def _drop(tx: Tx, agent_id: int, ticket: Ticket, mode: Mode, saved_at: int, window: str | None) -> None:
    if tx.run(_DROP, agent_id=agent_id, ticket_id=ticket.id, mode=mode):
        tx.tell(_own(agent_id, ticket.number, mode, "", saved_at, window))


def _own(agent_id: int, number: int, mode: str, text: str, saved_at: int, window: str | None) -> Told:
    frame = {"type": "own", "what": "draft", "number": number, "mode": mode, "saved_at": saved_at, "text": text}
    return Told("agent", agent_id, frame | {"window": window}, reading.NEEDS)
