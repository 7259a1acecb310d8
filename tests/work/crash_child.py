"""A desk that sends one answer through a channel whose other end is a file, and may be told to die on the way.

python -m tests.work.crash_child <database> <journal>
"""

import asyncio
import os
import sys
from pathlib import Path

from hub.clock import ManualClock
from hub.connector import Found, NotFound, Outgoing, Unknowable
from hub.db.migrate import migrate
from hub.db.sqlite import SqliteBackend
from hub.db.store import Store
from hub.desk import inboxes
from hub.desk.outbox import is_frozen
from hub.work.runner import Runner
from tests.work.desk import Options, Pigeons, build

STATE = "SELECT state FROM delivery"


class Filed(Pigeons):
    """The journal is what really arrived."""

    kind = "pigeons"
    journal = Path()

    async def send(self, part: Outgoing) -> str | None:
        with self.journal.open("a") as file:
            file.write(part.id + "\n")
            file.flush()
            os.fsync(file.fileno())
        return f"p-{part.id}"

    async def find(self, part: Outgoing) -> Found | NotFound | Unknowable:
        arrived = self.journal.exists() and part.id in self.journal.read_text().split()
        return Found(f"p-{part.id}") if arrived else NotFound()


async def main(database: Path, journal: Path) -> None:
    from hub.desk import kinds
    from hub.reactions import REACTIONS
    from hub.seal import Sealer

    Filed.journal = journal
    backend = SqliteBackend(database)
    async with Store(backend, ManualClock(), REACTIONS) as store:
        await migrate(backend, 0)
        store.sealer = Sealer([b"k" * 32])
        if not await store.read(inboxes.all_of_them):
            desk = await build(store)
            kinds.register("pigeons", "Pigeons", lambda: Filed)
            await desk.reply()
        kinds.register("pigeons", "Pigeons", lambda: Filed)
        assert not await store.read(is_frozen)
        async with Runner(store, store.sealer, Options()):
            async with asyncio.timeout(30):
                while await store.read(lambda rx: rx.value(STATE)) != "sent":
                    await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
