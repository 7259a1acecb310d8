"""Small units of work for the tests of the store: rows in `setting`, which nothing reacts to."""

import threading
from collections.abc import Iterable

from hub.db.store import Rx, Store, Tx
from hub.events import SYSTEM, HealthChecked

INSERT = "INSERT INTO setting (name, value) VALUES (:name, :value)"
NAMES = "SELECT name FROM setting ORDER BY name"
EVENTS = "SELECT id, name FROM event ORDER BY id"


def put(tx: Tx, name: str, value: str = "") -> str:
    assert tx.run(INSERT, name=name, value=value) == 1
    return name


def put_and_tell(tx: Tx, name: str) -> int:
    """With an event, so that a listener of commits hears of it."""
    put(tx, name)
    return tx.record(HealthChecked(), by=SYSTEM).id


def put_and_raise(tx: Tx, name: str, error: BaseException) -> None:
    put_and_tell(tx, name)
    raise error


def names(rx: Rx) -> list[str]:
    return [name for (name,) in rx.rows(NAMES)]


def events(rx: Rx) -> list[tuple[int, str]]:
    return [(number, name) for number, name in rx.rows(EVENTS)]


async def stored(store: Store) -> list[str]:
    return await store.read(names)


class Gate:
    """Holds a database thread inside a unit or a read until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def pass_through(self, rx: Rx) -> None:
        self.entered.set()
        assert self.opened.wait(30)

    def open(self) -> None:
        self.opened.set()


def numbered(prefix: str, count: int) -> Iterable[str]:
    return (f"{prefix}{number:05}" for number in range(count))
