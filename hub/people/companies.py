"""Firms that contacts belong to; a name for now."""

from hub.db.tx import Rx, Tx
from hub.events import Actor, CompanyCreated
from hub.text import MAX_NAME, clean, fold

_FIND = "SELECT id FROM company WHERE name_folded = :folded"
_INSERT = """
INSERT INTO company (name, name_folded, created_at) VALUES (:name, :folded, :now) RETURNING id"""
_NAME = "SELECT name FROM company WHERE id = :id"


def ensure(tx: Tx, name: str, by: Actor, field: str = "company") -> int:
    """The company of that name, whatever its case; made when it is new."""
    name = clean(name, field, most=MAX_NAME, lines=False)
    found = tx.value(_FIND, folded=fold(name))
    if found is not None:
        return int(found)
    company_id = tx.insert(_INSERT, name=name, folded=fold(name), now=tx.now)
    tx.record(CompanyCreated(company_id=company_id), by=by)
    return company_id


def name(rx: Rx, company_id: int | None) -> str | None:
    return None if company_id is None else rx.value(_NAME, id=company_id)
