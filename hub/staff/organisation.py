"""Whose desk this is: the name that colleagues see where they come in, and that a chat is called by at first."""

from typing import Final

from hub.db.tx import Rx, Tx
from hub.events import DeskNamed
from hub.staff.access import Caller, require_permission
from hub.text import clean

MANAGE: Final = "desk.manage"
MAX_NAME: Final = 80
_NAME = "SELECT value FROM setting WHERE name = 'organisation'"
_PUT = """
INSERT INTO setting (name, value) VALUES ('organisation', :name)
ON CONFLICT (name) DO UPDATE SET value = excluded.value"""


def name(rx: Rx) -> str:
    """Empty as long as nobody has said it."""
    found: str | None = rx.value(_NAME)
    return found or ""


def rename(tx: Tx, caller: Caller, to: str) -> str:
    """Empty is possible: then nothing is said in its place."""
    require_permission(caller, MANAGE)
    to = clean(to, "organisation", most=MAX_NAME, least=0, lines=False).strip()
    if to != name(tx):
        tx.run(_PUT, name=to)
        tx.record(DeskNamed(), by=caller.actor)
    return to
