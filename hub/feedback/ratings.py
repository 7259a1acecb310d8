"""What a visitor of a live channel thinks of how they were helped: one rating for a ticket, a low one puts it back.

Called by hub.commands.visitors. The record is like any other (hub.feedback.records), credited to whoever had the
ticket.
"""

from typing import Final

import msgspec

from hub import text as texts
from hub.connector import LiveSettings
from hub.db.tx import Rx, Tx
from hub.desk import inboxes, tickets
from hub.desk import ticket as gate
from hub.desk.settings import build
from hub.desk.ticket import Ticket, record
from hub.desk.visitors import Visitor
from hub.desk.visitors.look import RATE_FOR
from hub.desk.visitors.row import must
from hub.errors import Refusal, not_found
from hub.events import Actor, FeedbackChanged
from hub.feedback import records
from hub.feedback.records import Said
from hub.staff.access import ALL, Caller

BEST: Final = 5
TAG: Final = "low rating"

_NEWEST = """
SELECT ticket.number FROM visitor_ticket JOIN ticket ON ticket.id = visitor_ticket.ticket_id
WHERE visitor_ticket.visitor_id = :visitor_id ORDER BY ticket.id DESC LIMIT 1"""
_IS_OWN = "SELECT 1 FROM visitor_ticket WHERE ticket_id = :ticket_id AND visitor_id = :visitor_id"
_RATED = """
SELECT id, score, text, created_at FROM feedback
WHERE ticket_id = :ticket_id AND kind = 'rating' AND by_kind = 'contact' ORDER BY id DESC LIMIT 1"""
_CHANGE = "UPDATE feedback SET score = :score, text = :text, changed_at = :now WHERE id = :id"
_LAST_AGENT = """
SELECT author_id FROM message
WHERE ticket_id = :ticket_id AND direction = 'outgoing' AND author_kind = 'agent' ORDER BY id DESC LIMIT 1"""


class Rated(msgspec.Struct, frozen=True):
    number: int
    score: int
    changed: bool  # it was rated before, and that record now says this


def rate(tx: Tx, visitor: Visitor, score: int, text: str = "", number: int | None = None) -> Rated:
    """`number`: one of the visitor's own tickets; None: their newest. It has to be resolved; the rating can be changed
    for a day, also by who has been put back by it."""
    visitor = must(tx, visitor.id)
    if not 1 <= score <= BEST:
        raise Refusal("invalid", f"Choose between 1 and {BEST}.", field="score")
    text = texts.clean(text, "text", most=texts.MAX_MESSAGE, least=0).strip()
    ticket = _own(tx, visitor, number)
    inbox = inboxes.by_id(tx, ticket.inbox_id)
    assert inbox is not None
    wanted: LiveSettings = build(LiveSettings, inbox.settings)
    if not wanted.rating:
        raise Refusal("conflict", "This desk does not ask for ratings here.")
    earlier = tx.row(_RATED, ticket_id=ticket.id)
    changes = earlier is not None and tx.now - earlier[3] < RATE_FOR
    if changes:
        assert earlier is not None
        _change(tx, ticket, earlier[0], score, text, (earlier[1], earlier[2]))
    else:
        _require_resolved(ticket, None if earlier is None else earlier[3])
        said = Said(
            kind="rating",
            door=inbox.kind,
            score=score,
            score_max=BEST,
            text=text,
            about_agent_id=ticket.assignee_id or tx.value(_LAST_AGENT, ticket_id=ticket.id),
            ticket=ticket.number,
        )
        records.record(tx, _caller(ticket), said)
    if score <= wanted.low_score and not (changes and earlier is not None and earlier[1] <= wanted.low_score):
        tickets.put_back(tx, _caller(ticket), ticket.number, TAG)
    return Rated(ticket.number, score, changes)


def _caller(ticket: Ticket) -> Caller:
    """The contact; that the ticket is the visitor's own was judged before."""
    return Caller(Actor("contact", ticket.contact_id), ALL)


def _own(rx: Rx, visitor: Visitor, number: int | None) -> Ticket:
    wanted = number if number is not None else rx.value(_NEWEST, visitor_id=visitor.id)
    ticket = gate.by_number(rx, wanted) if wanted is not None else None
    if ticket is None or rx.value(_IS_OWN, ticket_id=ticket.id, visitor_id=visitor.id) is None:
        raise not_found("ticket")
    return ticket


def _require_resolved(ticket: Ticket, rated_at: int | None) -> None:
    if ticket.status != "resolved" or ticket.resolved_at is None:
        raise Refusal("conflict", "You can rate this once it is ended.")
    if rated_at is not None and rated_at >= ticket.resolved_at:
        raise Refusal("conflict", "A rating can be changed for a day. Write to us if something is not right yet.")


def _change(tx: Tx, ticket: Ticket, feedback_id: int, score: int, text: str, was: tuple[int, str]) -> None:
    fields = tuple(name for name, old, new in zip(("score", "text"), was, (score, text), strict=True) if old != new)
    if not fields:
        return
    tx.run(_CHANGE, id=feedback_id, score=score, text=text, now=tx.now)
    record(tx, ticket, FeedbackChanged(feedback_id=feedback_id, fields=fields), _caller(ticket).actor)
