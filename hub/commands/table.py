"""What one row of the command table is. REST, the socket and the CLI are doors to the same rows."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

from hub.db.tx import Rx, Tx
from hub.errors import Code
from hub.staff.access import Caller

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """`path` stands below /api/v1; what is in braces there are fields of `request`, taken from the URL. For GET the
    other fields come from the query, else from the JSON body. Just one of `write` and `read` is set."""

    name: str  # a verb: "resolve"
    noun: str  # how the document groups it: "tickets"
    summary: str  # one sentence
    method: Method
    path: str
    request: type[Any]  # a msgspec.Struct with forbid_unknown_fields=True
    answer: type[Any]
    scope: str  # what an API token needs: "tickets:write"
    permission: str | None = None  # what the role needs; None: whoever is signed in
    write: Callable[[Tx, Caller, Any], Any] | None = None
    read: Callable[[Rx, Caller, Any], Any] | None = None
    status: int = 200
    tells_secret: bool = False  # its answer is kept nowhere, so repeating it under a client id does it again
    refuses: tuple[Code, ...] = ()  # besides invalid, unauthenticated, forbidden, not_found, too_many
