"""A canned response with its variables filled in: names in double braces, and nothing else. There is no logic in it, a
value is never looked into for more variables, and a name that is none of ours reaches nothing."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from hub.db.tx import Rx
from hub.desk.ticket import Ticket
from hub.people import fields
from hub.people.fields import Value

VARIABLE: Final = re.compile(r"\{\{ ?([a-z_]{1,40}(?:\.[a-z0-9_]{1,60}){1,2}) ?\}\}")
KNOWN: Final = (
    "contact.first_name",
    "contact.name",
    "agent.first_name",
    "agent.name",
    "ticket.number",
    "ticket.subject",
    "inbox.name",
    "company.name",
)
FIELDS: Final = "contact.fields."  # and the key of a field that the firm has made for itself

_VALUES = """
SELECT contact.name, company.name, inbox.name
FROM ticket JOIN contact ON contact.id = ticket.contact_id JOIN inbox ON inbox.id = ticket.inbox_id
LEFT JOIN company ON company.id = contact.company_id WHERE ticket.id = :ticket_id"""
_AGENT = "SELECT name FROM agent WHERE id = :agent_id"


class Filled(msgspec.Struct, frozen=True):
    """`missing`: the variables for which there is no value; they stand in the text as they were."""

    text: str
    missing: tuple[str, ...]


def values(rx: Rx, ticket: Ticket, agent_id: int) -> dict[str, str]:
    """What the variables stand for in this ticket, when this agent writes; without those that are empty."""
    row = rx.row(_VALUES, ticket_id=ticket.id)
    assert row is not None
    contact, company, inbox = row
    agent = rx.value(_AGENT, agent_id=agent_id)
    found = {
        "contact.first_name": _first(contact),
        "contact.name": contact,
        "agent.first_name": _first(agent),
        "agent.name": agent,
        "ticket.number": str(ticket.number),
        "ticket.subject": ticket.subject,
        "inbox.name": inbox,
        "company.name": company,
    }
    for key, value in fields.of(rx, ticket.contact_id).items():
        found[f"{FIELDS}{key}"] = _said(value)
    return {name: value for name, value in found.items() if value}


def filled(text: str, known: Mapping[str, str]) -> Filled:
    missing: dict[str, None] = {}

    def value(found: re.Match[str]) -> str:
        if found[1] in known:
            return known[found[1]]
        missing[found[1]] = None
        return found[0]

    return Filled(VARIABLE.sub(value, text), tuple(missing))


def unknown(text: str) -> tuple[str, ...]:
    """What looks like a variable and is none: told when a text is saved."""
    names = dict.fromkeys(found[1] for found in VARIABLE.finditer(text))
    return tuple(name for name in names if name not in KNOWN and not name.startswith(FIELDS))


def _said(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _first(name: str | None) -> str | None:
    words = (name or "").split()
    return words[0] if words else None
