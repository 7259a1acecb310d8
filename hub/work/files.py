"""Files on their way into the folder, through whatever door, and the jobs that fetch what a message only named.

A content is written to a file of its own, looked at (what it is by its bytes, whether it is a virus), brought to disk
under its name, and only then named by a unit. Whatever stops on the way leaves nothing that anybody sees.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from hub.connector import OutFile, Rejected, Retry
from hub.db.contents import PIECE, Contents, TooLarge, Writing
from hub.db.store import Store
from hub.db.tx import Rx, Tx
from hub.desk import inbound as stored
from hub.desk.files import ageing, rows, types
from hub.desk.files.rows import Content, Row
from hub.desk.inbound import Stored
from hub.desk.inboxes import Inbox
from hub.errors import Refusal, Unavailable
from hub.seal import SealBroken
from hub.work import queue
from hub.work.children import Failed
from hub.work.inbound import raw_of
from hub.work.pollers import readable
from hub.work.queue import Again, Job
from hub.work.scanning import Infected, Scanner, Verdict

if TYPE_CHECKING:
    from hub.work.runner import Runner

log = structlog.get_logger("files")

FETCH_SECONDS: Final = 120.0
TIDIED_AT_ONCE: Final = 200
SMALL: Final = "hub.work.pictures:small"
Then = Callable[[Tx], object]

_INBOX = "SELECT inbox_id FROM message WHERE id = :id"


class Intake:
    """One content on its way in: `write` until it ends, then `finish`, or `abort`. A `hub.connector.Sink`."""

    def __init__(self, contents: Contents, scanner: Scanner, most: int) -> None:
        self._contents, self._scanner, self._most = contents, scanner, most
        self._waiting = bytearray()
        self._writing: Writing | None = None
        self.size = 0

    async def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self._most:
            raise TooLarge(self._most)
        self._waiting += chunk
        if len(self._waiting) >= PIECE:
            await self._flush()

    async def finish(self) -> Content:
        """Everything has come: it lies in the folder under its name, and this is what it is. Raises Infected."""
        await self._flush()
        assert self._writing is not None
        scan = await self._scanner.look(self._writing.path)
        return await asyncio.to_thread(self._keep, scan)

    async def abort(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            await asyncio.to_thread(self._contents.drop, writing)

    async def _flush(self) -> None:
        piece, self._waiting = bytes(self._waiting), bytearray()
        await asyncio.to_thread(self._write, piece)

    def _write(self, piece: bytes) -> None:
        if self._writing is None:
            self._writing = self._contents.begin(self._most)
        self._writing.write(piece)

    def _keep(self, scan: Verdict) -> Content:
        writing = self._writing
        assert writing is not None
        found = types.told(writing.head, writing.tail if writing.size > len(writing.head) else b"")
        content = Content(self._contents.keep(writing), writing.size, found, scan)
        self._writing = None
        return content


class Sink:
    """An intake as a connector has it: too much is a reason to give up."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def write(self, chunk: bytes) -> None:
        try:
            await self._intake.write(chunk)
        except TooLarge as error:
            raise Rejected(str(error)) from None


class Files:
    """What doors and jobs do with files. Made by hub.work.runner."""

    def __init__(self, runner: "Runner", contents: Contents, scanner: Scanner) -> None:
        self._runner, self._scanner = runner, scanner
        self._store: Store = runner.store
        self.contents = contents

    def intake(self, most: int | None = None) -> Intake:
        """For a new content of at most so many bytes; None: as many as a file may have."""
        return Intake(self.contents, self._scanner, self._store.file_limits.file if most is None else most)

    # --- out ---------------------------------------------------------------------------------------------------------

    def outgoing(self, found: tuple[Row, ...], *, voice: bool = True) -> tuple[OutFile, ...]:
        """As a connector gets them; waits for a disk, so not for the loop. `voice`: it plays voice notes as such.
        Raises Rejected when one of them is not there (any more)."""
        return tuple(self._outgoing(file, voice) for file in found)

    def _outgoing(self, file: Row, voice: bool) -> OutFile:
        if file.state != "there" or file.sha256 is None:
            raise Rejected(f"The file {file.name} is not there any more, so this was not sent.")
        try:
            if not self.contents.ensure(file.sha256):
                raise Rejected(f"What {file.name} held is not there any more, so this was not sent.")
        except Unavailable as error:
            raise Retry(reason=error.text) from None
        return OutFile(
            name=file.name,
            content_type=file.content_type,
            size=file.size or 0,
            path=self.contents.path(file.sha256),
            cid=file.cid,
            voice=voice and bool(file.voice),
            seconds=file.seconds,
        )

    # --- the job FETCH -----------------------------------------------------------------------------------------------

    async def fetch(self, job: Job) -> Then | None:
        """Asks the connector for a file that came in by name only."""
        file_id = int(job.payload["file_id"])
        found = await self._store.read(_fetching, file_id)
        if found is None:
            return None
        file, inbox_id, raw = found
        inbox = await self._runner.inbox_by_id(inbox_id)
        if inbox is None:
            return lambda tx: rows.failed(tx, file_id, "Its inbox is gone.")
        intake = self.intake()
        try:
            await self._ask(inbox, file, raw, intake)
            content = await intake.finish()
        except (Rejected, TooLarge, Infected) as error:
            reason = str(error)
            return lambda tx: rows.failed(tx, file_id, reason)
        except (SealBroken, Refusal, Unavailable) as error:
            raise Again(str(error), counted=not isinstance(error, Unavailable)) from None
        except Retry as error:
            return await self._not_now(job, file_id, error.reason, error.after)
        except TimeoutError:
            return await self._not_now(job, file_id, f"It did not come within {FETCH_SECONDS:.0f} seconds.", None)
        except Exception as error:
            log.exception("fetching failed", inbox=inbox.id, kind=inbox.kind, file=file_id)
            return await self._not_now(job, file_id, readable(error), None)
        finally:
            await intake.abort()
        return lambda tx: rows.there(tx, file_id, content)

    async def _ask(self, inbox: Inbox, file: Row, raw: Stored | None, intake: Intake) -> None:
        connector = self._runner.connector(inbox)
        asked = connector.fetch(file.asked_for, None if raw is None else raw_of(raw), Sink(intake))
        await asyncio.wait_for(asked, FETCH_SECONDS)

    async def _not_now(self, job: Job, file_id: int, reason: str, after: float | None) -> Then:
        length = int(min(after, 3_600) * 1000) if after is not None and after > 0 else None
        pause = queue.pause(job, self._runner.worker.chance()) if length is None else length
        if not queue.is_last_try(job, self._store.clock.now(), pause):
            raise Again(reason, pause)
        return lambda tx: rows.failed(tx, file_id, reason)

    # --- the job PREVIEW ---------------------------------------------------------------------------------------------

    async def preview(self, job: Job) -> Then | None:
        """Has a small picture made by a child. What cannot be decoded has none, and stays as it is."""
        content_id = int(job.payload["content_id"])
        sha256 = await self._store.read(rows.wants_preview, content_id)
        if sha256 is None:
            return None
        try:
            if not await asyncio.to_thread(self.contents.ensure, sha256):
                raise FileNotFoundError
            data = await asyncio.to_thread(self.contents.path(sha256).read_bytes)
            made = msgspec.msgpack.decode(await self._runner.children.run(SMALL, data), type=_Small)
        except (Failed, FileNotFoundError) as error:
            log.info("no preview", content=content_id, why=str(error)[:200])
            return lambda tx: rows.previewed(tx, content_id, None)
        await asyncio.to_thread(self.contents.keep_preview, sha256, made.picture)
        return lambda tx: rows.previewed(tx, content_id, (made.width, made.height))

    # --- tidying -----------------------------------------------------------------------------------------------------

    async def tidy(self) -> int:
        """Contents that no row names any longer go, and what a crash left half written; how many."""
        await asyncio.to_thread(self.contents.sweep_new)
        old, gone = await asyncio.to_thread(self.contents.old), 0
        for start in range(0, len(old), TIDIED_AT_ONCE):
            some = old[start : start + TIDIED_AT_ONCE]
            named = await self._store.read(ageing.known, some)
            orphans = [name for name in some if name not in named]
            gone += sum(await asyncio.to_thread(lambda: [self.contents.remove(name) for name in orphans]))  # noqa: B023
        return gone


class _Small(msgspec.Struct, frozen=True):
    picture: bytes
    width: int
    height: int


def _fetching(rx: Rx, file_id: int) -> tuple[Row, int, Stored | None] | None:
    """(the file, its inbox, what its message came in) of one that is still wanted."""
    file = rows.by_id(rx, file_id)
    if file is None or file.state != "fetching" or file.message_id is None:
        return None
    inbox_id: Any = rx.value(_INBOX, id=file.message_id)
    return file, int(inbox_id), stored.get(rx, file.inbound_id) if file.inbound_id is not None else None
