"""What can be taken out as CSV: rows like those of the command table, with a sheet for an answer. Their doors are
hub.web.exports and, at the command line, hub.operations; the live connection has none."""

from typing import Any, Final

import msgspec

from hub.commands.people import ContactFilter
from hub.commands.table import Command
from hub.commands.tickets import TicketFilter
from hub.db.tx import Rx
from hub.desk import exports
from hub.desk.exports import Sheet
from hub.desk.sheet import Separator
from hub.staff.access import Caller


class ExportTickets(TicketFilter, frozen=True, kw_only=True):
    """The filters of the list of tickets. `separator`: semicolon where the comma stands in numbers."""

    separator: Separator = "comma"


class ExportContacts(ContactFilter, frozen=True, kw_only=True):
    """The filters of the list of contacts. `separator`: semicolon where the comma stands in numbers."""

    separator: Separator = "comma"


def _tickets(rx: Rx, caller: Caller, request: ExportTickets) -> Sheet:
    return exports.tickets(rx, caller, request.filter)


def _contacts(rx: Rx, caller: Caller, request: ExportContacts) -> Sheet:
    return exports.contacts(rx, caller, request.filter)


_CSV: Final[dict[str, Any]] = {"method": "GET", "answer": type(None)}
EXPORTS: Final = (
    Command(
        name="export_tickets",
        noun="tickets",
        summary="Tickets as CSV, in the order of their numbers.",
        path="/tickets.csv",
        request=ExportTickets,
        scope="tickets:read",
        permission="tickets.export",
        read=_tickets,
        **_CSV,
    ),
    Command(
        name="export_contacts",
        noun="contacts",
        summary="Contacts as CSV, in the order in which they were made.",
        path="/contacts.csv",
        request=ExportContacts,
        scope="contacts:read",
        permission="contacts.export",
        read=_contacts,
        **_CSV,
    ),
)
BY_NOUN: Final = {command.noun: command for command in EXPORTS}


def asked(noun: str, given: dict[str, str]) -> Any:
    """The request behind texts such as a command line gives. ValidationError for what is none."""
    command = BY_NOUN[noun]
    fields = msgspec.structs.fields(command.request)
    lists = {field.encode_name for field in fields if field.default == () or field.default_factory is list}
    named = {name: value.split(",") if name in lists else value for name, value in given.items()}
    return msgspec.convert(named, command.request, strict=False)
