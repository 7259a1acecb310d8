"""The words that a contact is found by, in any script, by how they begin: made here, so that both databases find alike.

A word is a run of letters, marks and digits, folded. Scripts written without spaces (Khmer, Thai, Chinese…) are cut
into overlapping pairs of characters, so that any part of a name is found. Phone numbers are found with and without
their country code, and by their last four digits.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from hub.db import lanes
from hub.db.tx import Tx
from hub.text import fold

LONGEST: Final = 40  # characters of a word that are kept
MOST: Final = 256  # words of one contact
ASKED: Final = 8  # words of a search that count
BEYOND: Final = "\U0010ffff"  # sorts after whatever a word can go on with
AT_ONCE: Final = 50
CATCH_UP: Final = "contact_words"  # the job
PHONE: Final = "phone"

_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u3040-\u30ff\u3400-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f"
    "\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_NUMBER: Final = re.compile(r"[+0-9\s().\-/]+")

_CLEAR = "DELETE FROM contact_word WHERE contact_id = :id"
_WORDED = "UPDATE contact SET worded = 1 WHERE id = :id AND worded = 0"
_UNWORDED = "SELECT id FROM contact WHERE worded = 0 ORDER BY id DESC LIMIT :limit"
_NAMES = """
SELECT contact.name, contact.title, company.name FROM contact LEFT JOIN company ON company.id = contact.company_id
WHERE contact.id = :id"""
_POINTS = "SELECT kind, value FROM contact_point WHERE contact_id = :id ORDER BY id LIMIT 100"
_FIELDS = """
SELECT contact_field.value FROM contact_field JOIN own_field ON own_field.id = contact_field.field_id
WHERE contact_field.contact_id = :id AND own_field.removed_at IS NULL AND own_field.type <> 'bool'
ORDER BY own_field.id LIMIT 200"""


# --- text → words ----------------------------------------------------------------------------------------------------


def words(text: str) -> Iterator[str]:
    """What a text is found by."""
    for run in _runs(text):
        for part, unspaced in _parts(run):
            if not unspaced:
                yield part[:LONGEST]
                if part.startswith("0") and part.isdigit():
                    yield part.lstrip("0")[:LONGEST] or "0"
                continue
            yield from _pairs(part)
            yield part[-1]


def of_number(value: str) -> Iterator[str]:
    """What a phone number is found by: country codes have one to three digits."""
    digits = "".join(c for c in value if c.isdigit())
    for start in (0, 1, 2, 3, -4):
        if digits[start:]:
            yield digits[start:][:LONGEST]


def asked(text: str) -> tuple[str, ...]:
    """The words of a search: whoever is meant has a word that begins with each."""
    plain = _plain(text)
    if _NUMBER.fullmatch(plain) and sum(map(str.isdigit, plain)) >= 3:
        return ("".join(filter(str.isdigit, plain)).lstrip("0")[:LONGEST] or "0",)
    found: list[str] = []
    for run in _runs(text):
        for part, unspaced in _parts(run):
            found += [part[:LONGEST]] if not unspaced or len(part) == 1 else _pairs(part)
    return tuple(dict.fromkeys(found))[:ASKED]


def _plain(text: str) -> str:
    """Folded, with the digits of every script as ours."""
    return "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in fold(text))


def _runs(text: str) -> Iterator[str]:
    run: list[str] = []
    for c in _plain(text):
        if unicodedata.category(c)[0] in "LMN":
            run.append(c)
        elif run:
            yield "".join(run)
            run = []
    if run:
        yield "".join(run)


def _parts(run: str) -> Iterator[tuple[str, bool]]:
    """(part, is it of a script without spaces)."""
    end = 0
    for found in _UNSPACED.finditer(run):
        if found.start() > end:
            yield run[end : found.start()], False
        yield found[0], True
        end = found.end()
    if end < len(run):
        yield run[end:], False


def _pairs(part: str) -> list[str]:
    return [part[n : n + 2] for n in range(len(part) - 1)]


# --- words of a contact ----------------------------------------------------------------------------------------------


def add(tx: Tx, contact_id: int, found: Iterable[str]) -> None:
    """More words of a contact; those that they have already stay one."""
    new = sorted(set(found))[:MOST]
    for start in range(0, len(new), 64):
        part = new[start : start + 64]
        # In as few different lengths as there are powers of two: a database remembers a statement by its text.
        part += part[-1:] * ((1 << (len(part) - 1).bit_length()) - len(part))
        placeholders = ", ".join(f"(:w{n}, :id)" for n in range(len(part)))
        tx.run(
            f"INSERT INTO contact_word (word, contact_id) VALUES {placeholders} ON CONFLICT DO NOTHING",
            id=contact_id,
            **{f"w{n}": word for n, word in enumerate(part)},
        )


def of_point(kind: str, value: str) -> Iterator[str]:
    return of_number(value) if kind == PHONE else words(value)


def renew(tx: Tx, contact_id: int) -> None:
    """All of a contact's words, from what stands in the record now."""
    names = tx.row(_NAMES, id=contact_id)
    if names is None:
        return
    found = [word for text in names if text for word in words(text)]
    for kind, value in tx.rows(_POINTS, id=contact_id):
        found += of_point(kind, value)
    for (value,) in tx.rows(_FIELDS, id=contact_id):
        found += words(str(msgspec.json.decode(value)))
    tx.run(_CLEAR, id=contact_id)
    add(tx, contact_id, list(dict.fromkeys(found))[:MOST])
    tx.run(_WORDED, id=contact_id)


def catch_up(tx: Tx, _payload: object) -> None:
    """A job: gives words to some of the contacts that have none yet, newest first; comes again if there are more."""
    without = tx.rows(_UNWORDED, limit=AT_ONCE)
    for (contact_id,) in without:
        renew(tx, contact_id)
    if len(without) == AT_ONCE:
        tx.enqueue(CATCH_UP, {}, lane=lanes.HOUSEKEEPING)
