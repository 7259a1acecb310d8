"""One step of the script, through the functions that commands call. Nothing is written here but marks.

What an agent can do in a line: `takes`, `says` (an answer: "mira: …"), `notes`, `tags delivery`, `hands oleg: …`,
`snoozes 2d`, `resolves`, `reopens`, `waits` (for the contact), `urgent`/`high`/`low`, `spam`, `praise`, `complaint
high: …`. What the contact can do: `says`, `rate 5: …`, `looks /a/page`. `it wakes`: a snooze is over.
"""

from collections.abc import Callable
from typing import Any, Final

from hub.connector import Message, Point, Sender, Source
from hub.db.tx import Tx
from hub.desk import assignment, deliveries, inboxes, incoming, notes, reading, replies, tags, tickets, visitors
from hub.desk import ticket as gate
from hub.desk.inboxes import Inbox
from hub.desk.ticket import Ticket
from hub.feedback import ratings, records
from hub.feedback.records import Said
from hub.people import points, samples
from hub.sample import cast
from hub.sample.script import Step, Story, gap
from hub.staff.access import DESK

MARK: Final = "sample"
_LAST_OURS = """
SELECT MAX(id) FROM message WHERE ticket_id = :ticket_id AND direction = 'outgoing'"""
_TAG = "SELECT id FROM tag WHERE name_folded = :name"
_COMPANY = "SELECT company_id FROM contact WHERE id = :id"
_COMPANIES = "SELECT COALESCE(MAX(id), 0) FROM company"


def perform(tx: Tx, story: Story, step: Step) -> None:
    """At whatever time `tx.now` is."""
    if step.who == "they":
        _THEIRS[step.verb](tx, story, step)
    elif step.who == "it":
        _wakes(tx, story)
    else:
        _OURS[step.verb](tx, story, step)


# --- what the contact does -------------------------------------------------------------------------------------------


def _say(tx: Tx, story: Story, step: Step) -> None:
    inbox = _inbox(tx, story)
    before = tx.value(_COMPANIES)
    said = _live(tx, inbox, story, step) if story.door == cast.LIVE else _letter(tx, inbox, story, step)
    message_id, number = said
    samples.mark(tx, "message", message_id)
    ticket = gate.by_number(tx, number)
    assert ticket is not None
    if samples.called(tx, "ticket", story.name) != ticket.id:
        samples.mark(tx, "ticket", ticket.id, story.name)
        samples.mark(tx, "contact", ticket.contact_id, story.email)
        _tag(tx, ticket, MARK)
    company = tx.value(_COMPANY, id=ticket.contact_id)
    if company is not None and company > before:
        samples.mark(tx, "company", company)


def _live(tx: Tx, inbox: Inbox, story: Story, step: Step) -> tuple[int, int]:
    visitor_id = samples.called(tx, "visitor", story.name)
    details = None
    if visitor_id is None:
        page = f"{cast.SITE}{story.page or '/'}"
        entered = visitors.enter(tx, inbox, None, cast.SITE, page=page, language=story.language)
        visitor_id = entered.visitor.id
        samples.mark(tx, "visitor", visitor_id, story.name)
        details = visitors.Details(name=story.contact, email=_address(tx, story), phone=story.phone)
    visitor = visitors.must(tx, visitor_id)
    if visitor.ticket_id is not None:
        _read_ours(tx, visitor, visitor.ticket_id)
    said = visitors.say(tx, visitor, step.text, f"sample-{step.number}", details)
    return said.message_id, said.number


def _letter(tx: Tx, inbox: Inbox, story: Story, step: Step) -> tuple[int, int]:
    sender = Sender(
        Point(points.EMAIL, _address(tx, story)),
        name=story.contact,
        language=story.language,
        company=story.company,
        points=(Point("phone", story.phone),) if story.phone else (),
    )
    message = Message(
        external_id=f"sample:{story.name}:{step.number}",
        sender=sender,
        text=step.text,
        subject=step.what or None,
        new_ticket=samples.called(tx, "ticket", story.name) is None,
        source=Source(page=f"{cast.SITE}{story.page}") if story.page else None,
    )
    received = incoming.receive(tx, inbox, message)
    return received.message_id, received.number


def _address(tx: Tx, story: Story) -> str:
    """Theirs; should somebody real have that one, another of nobody's."""
    found = points.find(tx, points.EMAIL, "", story.email)
    if found is None or samples.is_one(tx, "contact", found[1]):
        return story.email
    return f"sample.{story.email}"


def _read_ours(tx: Tx, visitor: visitors.Visitor, ticket_id: int) -> None:
    newest = tx.value(_LAST_OURS, ticket_id=ticket_id)
    if newest is not None and newest > visitor.read_to:
        visitors.read(tx, visitor, newest)


def _rate(tx: Tx, story: Story, step: Step) -> None:
    visitor = visitors.must(tx, samples.called(tx, "visitor", story.name) or 0)
    _read_ours(tx, visitor, _ticket(tx, story).id)
    ratings.rate(tx, visitor, int(step.what), step.text)
    _mark_newest(tx, "feedback")


def _look(tx: Tx, story: Story, step: Step) -> None:
    visitor = visitors.must(tx, samples.called(tx, "visitor", story.name) or 0)
    visitors.page_view(tx, visitor, f"{cast.SITE}{step.what}", step.text or None)


# --- what an agent does ----------------------------------------------------------------------------------------------


def _reply(tx: Tx, story: Story, step: Step) -> None:
    ticket, caller = _ticket(tx, story), cast.caller(tx, step.who)
    if ticket.last_incoming_id is not None:
        reading.mark_read(tx, caller, ticket.number, ticket.last_incoming_id)
    replied = replies.reply(tx, caller, ticket.number, step.text, external_id=f"sample:{story.name}:{step.number}")
    samples.mark(tx, "message", replied.message_id)
    for delivery_id in replied.deliveries:  # nobody real will say so, and nothing of it may stand among what waits
        deliveries.reached(tx, delivery_id, "delivered", by=DESK)


def _note(tx: Tx, story: Story, step: Step) -> None:
    samples.mark(tx, "note", notes.write(tx, cast.caller(tx, step.who), _ticket(tx, story).number, step.text))


def _take(tx: Tx, story: Story, step: Step) -> None:
    assignment.claim(tx, cast.caller(tx, step.who), _ticket(tx, story).number)


def _hand(tx: Tx, story: Story, step: Step) -> None:
    if step.text:
        _note(tx, story, step)
    assignment.assign(tx, cast.caller(tx, step.who), _ticket(tx, story).number, cast.agent_id(tx, step.what))


def _tags(tx: Tx, story: Story, step: Step) -> None:
    _tag(tx, _ticket(tx, story), step.what)


def _tag(tx: Tx, ticket: Ticket, name: str) -> None:
    known = tx.value(_TAG, name=name)
    tags.mark(tx, DESK, ticket, name)
    if known is None:
        samples.mark(tx, "tag", tx.value(_TAG, name=name), name)


def _snooze(tx: Tx, story: Story, step: Step) -> None:
    tickets.snooze(tx, cast.caller(tx, step.who), _ticket(tx, story).number, tx.now + gap(step.what))


def _wakes(tx: Tx, story: Story) -> None:
    ticket = _ticket(tx, story)
    tickets.snooze_over(tx, {"ticket_id": ticket.id, "until": ticket.snoozed_until or 0})


def _plainly(does: Callable[..., Any], *values: Any) -> Callable[[Tx, Story, Step], None]:
    def step_of(tx: Tx, story: Story, step: Step) -> None:
        does(tx, cast.caller(tx, step.who), _ticket(tx, story).number, *values)

    return step_of


def _feedback(kind: Any) -> Callable[[Tx, Story, Step], None]:
    def step_of(tx: Tx, story: Story, step: Step) -> None:
        severity: Any = (step.what or "normal") if kind == "complaint" else None
        said = Said(kind=kind, door=MARK, text=step.text, severity=severity, ticket=_ticket(tx, story).number)
        samples.mark(tx, "feedback", records.record(tx, cast.caller(tx, step.who), said).id)

    return step_of


_THEIRS: Final[dict[str, Callable[[Tx, Story, Step], None]]] = {"says": _say, "rate": _rate, "looks": _look}
_OURS: Final[dict[str, Callable[[Tx, Story, Step], None]]] = {
    "says": _reply,
    "notes": _note,
    "takes": _take,
    "hands": _hand,
    "tags": _tags,
    "snoozes": _snooze,
    "resolves": _plainly(tickets.resolve),
    "reopens": _plainly(tickets.reopen),
    "waits": _plainly(tickets.await_contact),
    "urgent": _plainly(tickets.set_priority, "urgent"),
    "high": _plainly(tickets.set_priority, "high"),
    "low": _plainly(tickets.set_priority, "low"),
    "spam": _plainly(tickets.mark_spam, True),
    "praise": _feedback("praise"),
    "complaint": _feedback("complaint"),
    "suggestion": _feedback("suggestion"),
}


def _ticket(tx: Tx, story: Story) -> Ticket:
    ticket_id = samples.called(tx, "ticket", story.name)
    assert ticket_id is not None, f"nothing was said in {story.name} yet"
    return gate.must(tx, ticket_id)


def _inbox(tx: Tx, story: Story) -> Inbox:
    found = inboxes.by_id(tx, samples.called(tx, "inbox", f"{story.inbox} {story.door}") or 0)
    assert found is not None, f"there is no {story.inbox}"
    return found


_NEWEST = {"feedback": "SELECT MAX(id) FROM feedback"}


def _mark_newest(tx: Tx, kind: str) -> None:
    samples.mark(tx, kind, tx.value(_NEWEST[kind]))
