"""What refers to what, read from the migrations: so that a table which is added later is thought of when something is
taken away. Pure."""

import re
from functools import cache
from typing import Final

import msgspec

from hub.db.migrate import known

_TABLE: Final = re.compile(r"CREATE TABLE (\w+) \((.*?)\n\)", re.S)
_ADDED: Final = re.compile(r"ALTER TABLE (\w+) ADD COLUMN ([^;]*);", re.S)
_REFERS: Final = re.compile(r"^\s*(\w+) \{int\}([^,\n]*?)REFERENCES (\w+) \(id\)", re.M)


class Reference(msgspec.Struct, frozen=True):
    """`table`.`column` refers to `to`. `needs`: a row of it cannot be without."""

    table: str
    column: str
    to: str
    needs: bool


@cache
def references() -> tuple[Reference, ...]:
    return tuple(found for _, text in known() for found in read(text))


@cache
def with_ids() -> frozenset[str]:
    """Tables whose rows others can refer to."""
    texts = (text for _, text in known())
    return frozenset(
        name for text in texts for name, body in _TABLE.findall(text) if re.search(r"^\s*id \{", body, re.M)
    )


def to(table: str) -> list[Reference]:
    return [one for one in references() if one.to == table]


def read(text: str) -> list[Reference]:
    plain = re.sub(r"--[^\n]*", "", text)
    parts = _TABLE.findall(plain) + _ADDED.findall(plain)
    return [
        Reference(table, column, to, "NOT NULL" in how or "PRIMARY KEY" in how)
        for table, body in parts
        for column, how, to in _REFERS.findall(body)
    ]
