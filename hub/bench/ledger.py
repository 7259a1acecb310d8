"""What was asked for and answered, compared with what is stored: the judge of the fault tests and of the bench.

Pure: lines of JSON in, sentences about what is wrong out. A line stands for an operation given to the desk
(`{"do": id, "by": sender, "n": 1, "hash": …}`, written before the call) or for its answer (`{"did": id, "as": "ok"}`,
written after it). A sender gives its next operation only after the answer to the one before, so its `n` rise in the
order in which they are stored.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

# ok: acknowledged, so it is stored. refused: nothing was stored. unknown: it may be either, and may not be both.
Answer = Literal["ok", "refused", "unknown"]


class Given(msgspec.Struct, frozen=True):
    do: str
    by: str
    n: int
    hash: str


class Answered(msgspec.Struct, frozen=True):
    did: str
    as_: Answer = msgspec.field(name="as")


class Stored(msgspec.Struct, frozen=True):
    """One operation as it was found, in the order of the record."""

    id: str
    by: str
    n: int
    hash: str


def digest(body: str) -> str:
    return hashlib.blake2s(body.encode(), digest_size=8).hexdigest()


def line(entry: Given | Answered) -> bytes:
    return msgspec.json.encode(entry) + b"\n"


class Ledger:
    """Everything that was given and answered, over any number of runs."""

    def __init__(self) -> None:
        self.given: dict[str, Given] = {}
        self.answers: dict[str, Answer] = {}

    def read(self, lines: Iterable[str | bytes]) -> "Ledger":
        """Adds lines of a run. Others than the ledger's own are passed over, and so is a last one that was cut off."""
        for text in lines:
            try:
                found = msgspec.json.decode(text)
            except msgspec.DecodeError:
                continue
            if isinstance(found, dict) and "do" in found:
                given = msgspec.convert(found, Given)
                self.given[given.do] = given
                # Given again, by a sender that was refused: the newest answer is the one that counts, and until there
                # is one it may be stored or not.
                self.answers.pop(given.do, None)
            elif isinstance(found, dict) and "did" in found:
                answered = msgspec.convert(found, Answered)
                self.answers[answered.did] = answered.as_
        return self

    def count(self, answer: Answer) -> int:
        return sum(1 for found in self.answers.values() if found == answer)

    def check(self, stored: Iterable[Stored]) -> list[str]:
        """What is wrong, a sentence each; empty: every acknowledged operation is there once, whole and in order."""
        rows = list(stored)
        wrong = [*self._lost_or_doubled(Counter(row.id for row in rows)), *self._altered(rows)]
        last: dict[str, int] = {}
        for row in rows:
            if row.n <= last.get(row.by, -1):
                wrong.append(f"{row.id}: number {row.n} of {row.by} is stored after its number {last[row.by]}")
            last[row.by] = row.n
        return wrong

    def _lost_or_doubled(self, counts: Counter[str]) -> Iterable[str]:
        for name in self.given:
            answer, count = self.answers.get(name), counts[name]
            if count > 1:
                yield f"{name} is stored more than once: {count} times"
            if answer == "ok" and count == 0:
                yield f"{name} was acknowledged and is lost"
            if answer == "refused" and count > 0:
                yield f"{name} was refused and is stored all the same"

    def _altered(self, rows: Iterable[Stored]) -> Iterable[str]:
        for row in rows:
            given = self.given.get(row.id)
            if given is None:
                yield f"{row.id} is stored and nobody gave it"
            elif (given.by, given.n, given.hash) != (row.by, row.n, row.hash):
                yield f"{row.id} is stored with another body, sender or number"
