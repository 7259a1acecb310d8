"""Taking the sample data away: exactly what was marked, and what hangs on it; nothing of anybody real.

Real colleagues may have answered and tagged made-up customers, to try things: that goes along. But where somebody real
wrote (a ticket that was merged into a made-up one, say), the ticket and its contact stay with what that person said;
only what the script said goes out of them. What something real still needs, a made-up colleague's note in a real ticket
or an inbox with a real one, stays too: the colleague is disabled, the inbox switched off.
"""

from typing import Any, Final

import msgspec

from hub.db.tx import Tx
from hub.desk import assignment, inboxes
from hub.desk import ticket as gate
from hub.desk.ticket import Ticket
from hub.errors import Refusal
from hub.events import AccessChanged, SampleCleared, TicketRemoved
from hub.people import samples
from hub.sample import load, references
from hub.sample.load import State
from hub.staff import agents
from hub.staff.access import DESK, Caller, require_permission

AT_ONCE: Final = 3  # tickets a unit, with some hundred rows each
# In this order: what is needed by others goes after them.
ORDER: Final = ("ticket", "visitor", "contact", "feedback", "agent", "team", "inbox", "tag", "company")

_COUNT = """
SELECT COUNT(*) FROM sample
WHERE kind IN ('ticket', 'contact', 'visitor', 'agent', 'team', 'inbox', 'tag', 'company')"""
_REAL = """
SELECT 1 FROM message WHERE ticket_id = :ticket_id AND direction = 'incoming'
  AND NOT EXISTS (SELECT 1 FROM sample WHERE sample.kind = 'message' AND sample.row_id = message.id) LIMIT 1"""
_SAID = """
SELECT sample.kind, sample.row_id FROM sample JOIN message ON message.id = sample.row_id
WHERE sample.kind = 'message' AND message.ticket_id = :ticket_id
UNION ALL SELECT sample.kind, sample.row_id FROM sample JOIN note ON note.id = sample.row_id
WHERE sample.kind = 'note' AND note.ticket_id = :ticket_id
UNION ALL SELECT sample.kind, sample.row_id FROM sample JOIN feedback ON feedback.id = sample.row_id
WHERE sample.kind = 'feedback' AND feedback.ticket_id = :ticket_id"""
_EVENTS = "DELETE FROM event WHERE ticket_id = :id"
_CONTACT_EVENTS = "DELETE FROM event WHERE contact_id = :id"
_FEEDBACK = "SELECT id FROM feedback WHERE ticket_id = :id"
_NEWEST = """
SELECT MAX(id), COALESCE(MAX(created_at), 0), MAX(CASE WHEN direction = 'incoming' THEN id END)
FROM message WHERE ticket_id = :id"""
_LAST = """
UPDATE ticket SET last_message_id = :last, last_message_at = :at, last_incoming_id = :incoming, changed_at = :now
WHERE id = :id"""
_TICKETS_OF = {
    "contact": "SELECT id FROM ticket WHERE contact_id = :id LIMIT 500",
    "agent": "SELECT id FROM ticket WHERE assignee_id = :id OR offered_to = :id LIMIT 500",
    "team": "SELECT id FROM ticket WHERE team_id = :id LIMIT 500",
    "inbox": "SELECT id FROM ticket WHERE inbox_id = :id LIMIT 500",
}
_USED = {
    "agent": """
SELECT 1 FROM note WHERE agent_id = :id
UNION ALL SELECT 1 FROM message WHERE author_kind = 'agent' AND author_id = :id LIMIT 1""",
    "tag": """
SELECT 1 FROM ticket_tag WHERE tag_id = :id UNION ALL SELECT 1 FROM contact_tag WHERE tag_id = :id
UNION ALL SELECT 1 FROM tag WHERE shown_as = :id OR merged_into = :id LIMIT 1""",
    "company": "SELECT 1 FROM contact WHERE company_id = :id LIMIT 1",
    "visitor": "SELECT 1 FROM visitor_ticket WHERE visitor_id = :id LIMIT 1",
}
_FORGET_ALL = """
DELETE FROM sample
WHERE kind = :kind AND row_id IN (SELECT row_id FROM sample WHERE kind = :kind ORDER BY row_id LIMIT 400)"""


def start(tx: Tx, caller: Caller) -> State:
    """Begins; a job goes on with it."""
    require_permission(caller, load.MANAGE)
    now = load.state(tx)
    if now.state == "none":
        raise Refusal("conflict", "There is no sample data here.")
    if now.state == "clearing":
        raise Refusal("conflict", "It is being removed already. It takes a few seconds.")
    begun = State("clearing", 0, max(1, int(tx.value(_COUNT))), now.base, caller.actor.id)
    load.keep(tx, begun)
    load.again(tx, load.CLEAR)
    return begun


def go_on(tx: Tx, _payload: object = None) -> None:
    """Takes away some of what is left and has itself called again; nothing when it is not clearing."""
    now = load.state(tx)
    if now.state != "clearing":
        return
    for kind in ORDER:
        some = samples.of_kind(tx, kind, AT_ONCE if kind == "ticket" else 8)
        for row_id in some:
            _AWAY[kind](tx, row_id)
            samples.forget(tx, kind, row_id)
        if some:
            left = int(tx.value(_COUNT))
            load.keep(tx, msgspec.structs.replace(now, done=max(0, now.of - left)))
            load.again(tx, load.CLEAR)
            return
    if any(tx.run(_FORGET_ALL, kind=kind) for kind in ("message", "note")):  # of what stayed for somebody real
        load.again(tx, load.CLEAR)
        return
    load.forget(tx)
    by = load.by(now)
    tx.record(SampleCleared(), by=by)
    tx.record(AccessChanged(), by=by)


# --- what goes, and what stays after all -----------------------------------------------------------------------------


def _ticket(tx: Tx, ticket_id: int) -> None:
    ticket = gate.by_id(tx, ticket_id)
    if ticket is None:
        return
    if tx.value(_REAL, ticket_id=ticket_id) is not None:
        _spare(tx, ticket)
        return
    gate.count(tx, ticket, None)
    for (feedback_id,) in tx.rows(_FEEDBACK, id=ticket_id):
        _remove(tx, "feedback", feedback_id)
    _remove(tx, "ticket", ticket_id)
    tx.run(_EVENTS, id=ticket_id)
    # Under no ticket's id: the next ticket may get the one that is free now.
    tx.record(TicketRemoved(number=ticket.number), by=DESK.actor, before=ticket.scope)


def _spare(tx: Tx, ticket: Ticket) -> None:
    """Somebody real wrote in it: it stays, and only what the script said goes."""
    for kind, row_id in tx.rows(_SAID, ticket_id=ticket.id):
        _remove(tx, kind, row_id)
        samples.forget(tx, kind, row_id)
    last, at, incoming = tx.rows(_NEWEST, id=ticket.id)[0]
    tx.run(_LAST, id=ticket.id, last=last, at=at, incoming=incoming, now=tx.now)


def _contact(tx: Tx, contact_id: int) -> None:
    if tx.value(_TICKETS_OF["contact"], id=contact_id) is None:
        _remove(tx, "contact", contact_id)
        tx.run(_CONTACT_EVENTS, id=contact_id)


def _agent(tx: Tx, agent_id: int) -> None:
    """Whatever was given to them goes back to where it waits."""
    for (ticket_id,) in tx.rows(_TICKETS_OF["agent"], id=agent_id):
        assignment.put(tx, DESK, gate.must(tx, ticket_id), None, "unassigned")
    if tx.value(_USED["agent"], id=agent_id) is None:
        _remove(tx, "agent", agent_id)
    else:
        agents.disable(tx, DESK, agent_id)


def _team(tx: Tx, team_id: int) -> None:
    for (ticket_id,) in tx.rows(_TICKETS_OF["team"], id=team_id):
        assignment.move(tx, DESK, gate.must(tx, ticket_id).number, None)
    _remove(tx, "team", team_id)


def _inbox(tx: Tx, inbox_id: int) -> None:
    if tx.value(_TICKETS_OF["inbox"], id=inbox_id) is None:
        _remove(tx, "inbox", inbox_id)
    else:
        inboxes.change(tx, DESK, inbox_id, enabled=False)


def _unless_used(table: str) -> Any:
    def away(tx: Tx, row_id: int) -> None:
        if tx.value(_USED[table], id=row_id) is None:
            _remove(tx, table, row_id)

    return away


_AWAY: Final[dict[str, Any]] = {
    "ticket": _ticket,
    "visitor": _unless_used("visitor"),
    "contact": _contact,
    "feedback": lambda tx, row_id: _remove(tx, "feedback", row_id),
    "agent": _agent,
    "team": _team,
    "inbox": _inbox,
    "tag": _unless_used("tag"),
    "company": _unless_used("company"),
}


def _remove(tx: Tx, table: str, row_id: int) -> None:
    """The row, what cannot be without it, and the mention of it where something can."""
    for one in references.to(table):
        if not one.needs:
            _loosen(tx, one.table, one.column, row_id)
        elif one.table in references.with_ids() and references.to(one.table):
            for (child_id,) in _rows(tx, one.table, one.column, row_id):
                _remove(tx, one.table, child_id)
        else:
            _delete(tx, one.table, one.column, row_id)
    _delete(tx, table, "id", row_id)


def _rows(tx: Tx, table: str, columns: str, row_id: int) -> list[Any]:
    return tx.rows(f"SELECT id FROM {table} WHERE {columns} = :id ORDER BY id LIMIT 500", id=row_id)


def _loosen(tx: Tx, table: str, columns: str, row_id: int) -> None:
    tx.run(f"UPDATE {table} SET {columns} = NULL WHERE {columns} = :id", id=row_id)


def _delete(tx: Tx, table: str, columns: str, row_id: int) -> None:
    tx.run(f"DELETE FROM {table} WHERE {columns} = :id", id=row_id)
