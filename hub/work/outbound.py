"""Gets deliveries out: the handler of the job "deliver", one part to one address through one connector; and that of
"own_mail", the desk's own letters, which are kept in a book of their own and otherwise no different.

`sending` is committed before anything leaves. What may have arrived is never sent again blindly: the channel is asked
by `find`, a moment later and after a crash alike; where it cannot be asked a person decides.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import structlog

from hub import letters
from hub.clock import HOUR, MINUTE, SECOND
from hub.connector import Connector, Found, NotFound, Outgoing, Rejected, Retry, Sent, Unknowable, Unknown
from hub.db.crash import crash_point
from hub.db.tx import Rx, Tx
from hub.desk import deliveries, outbox, own_mail
from hub.desk.deliveries import Delivery, Letter, Part
from hub.desk.inboxes import Inbox
from hub.desk.own_mail import OwnMail
from hub.errors import Refusal
from hub.seal import SealBroken
from hub.work import queue
from hub.work.pollers import readable
from hub.work.queue import Again, Job

if TYPE_CHECKING:
    from hub.work.runner import Runner

log = structlog.get_logger("outbound")

SEND_SECONDS: Final = 20.0  # well within the lease of the job
ASK_AFTER: Final = 5 * SECOND  # what is on its way gets this long to arrive before the channel is asked
FROZEN_FOR: Final = 5 * MINUTE
CLOSED_FOR: Final = MINUTE
LONGEST_PAUSE: Final = HOUR
PAUSE: Final = MINUTE  # of a whole account that does not say how long

Then = Callable[[Tx], object]


class Book(Protocol):
    """Where the states of what goes out are kept: `hub.desk.deliveries`, `hub.desk.own_mail`."""

    def begin(self, tx: Tx, delivery_id: int, /) -> Part | None: ...
    def sending(self, rx: Rx, delivery_id: int, /) -> Part | None: ...
    def sent(self, tx: Tx, delivery_id: int, external_id: str | None, notice: str | None = None, /) -> None: ...
    def retry(self, tx: Tx, delivery_id: int, reason: str, /) -> None: ...
    def failed(self, tx: Tx, delivery_id: int, reason: str, /) -> None: ...
    def unknown(self, tx: Tx, delivery_id: int, reason: str, /) -> None: ...


class Outbound:
    def __init__(self, runner: "Runner") -> None:
        self._runner = runner
        self._store = runner.store
        self._paused: dict[int, tuple[int, str]] = {}  # inbox → until when, and why

    async def deliver(self, job: Job) -> Then | None:
        """A handler. What it returns is written together with the end of the job."""
        return await self._deliver(job, deliveries, await self._store.read(deliveries.get, job.payload["delivery_id"]))

    async def mail(self, job: Job) -> Then | None:
        """A handler, for the desk's own mail."""
        return await self._deliver(job, own_mail, await self._store.read(own_mail.get, job.payload["delivery_id"]))

    async def _deliver(self, job: Job, book: Book, before: Delivery | OwnMail | None) -> Then | None:
        if before is None or not (before.planned or before.state in ("queued", "sending")):
            return None
        delivery_id = before.id
        inbox = await self._runner.inbox_by_id(before.inbox_id)
        if inbox is None:
            return lambda tx: book.failed(tx, delivery_id, "Its inbox is gone.")
        connector = self._ready(inbox)
        if before.state == "sending":
            return await self._ask(job, book, connector, delivery_id)
        part = await self._store.write_later(_begin, book, delivery_id)
        if part is None:
            return None
        crash_point("outbound.sending")
        return await self._send(job, book, inbox, connector, part)

    def _ready(self, inbox: Inbox) -> Connector:
        """The connector, or Again: it is not this delivery's fault, so it neither ages nor counts."""
        if not inbox.enabled:
            raise Again("The inbox is switched off.", CLOSED_FOR, counted=False)
        until, why = self._paused.get(inbox.id, (0, ""))
        left = until - self._store.clock.now()
        if left > 0:
            raise Again(why, left, counted=False)
        try:
            return self._runner.connector(inbox)
        except (SealBroken, Refusal) as error:
            self._runner.note(inbox.id, "out", str(error))
            raise Again(str(error), CLOSED_FOR, counted=False) from None

    async def _send(self, job: Job, book: Book, inbox: Inbox, connector: Connector, part: Part) -> Then | None:
        delivery_id = part.delivery_id
        try:
            sent = await asyncio.wait_for(connector.send(await self._whole(connector, part)), SEND_SECONDS)
        except Retry as error:
            return await self._not_now(job, book, inbox, delivery_id, error)
        except Rejected as error:
            reason = error.reason
            return lambda tx: book.failed(tx, delivery_id, reason)
        except TimeoutError:
            return await self._unknown(
                job, book, connector, delivery_id, f"No answer within {SEND_SECONDS:.0f} seconds."
            )
        except Unknown as error:
            return await self._unknown(job, book, connector, delivery_id, error.reason or str(error))
        except Exception as error:
            log.exception("sending failed", inbox=inbox.id, kind=inbox.kind, delivery=delivery_id)
            return await self._unknown(job, book, connector, delivery_id, readable(error))
        crash_point("outbound.sent")
        self._runner.note(inbox.id, "out", None)
        # A fact, whoever holds the lease by now: so it is written before, and not together with, the end of the job.
        sent = sent if isinstance(sent, Sent) else Sent(sent)
        await self._store.write_later(book.sent, delivery_id, sent.external_id, sent.notice)
        return None

    async def _whole(self, connector: Connector, part: Part) -> Outgoing:
        """With its files, as they lie in the folder; a letter of ours with its words."""
        if part.letter is not None:
            return await asyncio.to_thread(_written, part.outgoing, part.letter, self._runner.public_url)
        if not part.attached:
            return part.outgoing
        files = self._runner.files
        found = await asyncio.to_thread(files.outgoing, part.attached, voice=connector.features.voice)
        return msgspec.structs.replace(part.outgoing, files=found)

    async def _not_now(self, job: Job, book: Book, inbox: Inbox, delivery_id: int, error: Retry) -> Then:
        """It certainly did not leave: back to `queued`, and the job waits; or it has had its time."""
        reason = error.reason or "The other side cannot take it now."
        self._runner.note(inbox.id, "out", reason)
        after = _milliseconds(error.after)
        if error.whole_account:
            length = after if after is not None else PAUSE
            self._paused[inbox.id] = (self._store.clock.now() + length, reason)
            await self._store.write_later(book.retry, delivery_id, reason)
            raise Again(reason, length, counted=False)
        now = await self._store.read(lambda rx: rx.now)
        length = max(after or 0, queue.pause(job, self._runner.worker.chance()))
        if queue.is_last_try(job, now, length):
            return lambda tx: book.failed(tx, delivery_id, f"Given up after {job.attempts} tries. {reason}")
        await self._store.write_later(book.retry, delivery_id, reason)
        raise Again(reason, length)

    async def _unknown(self, job: Job, book: Book, connector: Connector, delivery_id: int, reason: str) -> Then:
        """It may have arrived. It stays in `sending` until the channel has been asked."""
        if type(connector).find is not Connector.find and not queue.is_last_try(job, job.tried_at, ASK_AFTER):
            raise Again(reason, ASK_AFTER)
        return lambda tx: book.unknown(tx, delivery_id, reason)

    async def _ask(self, job: Job, book: Book, connector: Connector, delivery_id: int) -> Then | None:
        """A delivery found in `sending`: its answer was lost, or whoever sent it died."""
        part = await self._store.read(book.sending, delivery_id)
        if part is None:
            return None
        reason = "It may have arrived: the answer was lost, and this channel cannot be asked."
        found: Found | NotFound | Unknowable = Unknowable()
        try:
            found = await asyncio.wait_for(connector.find(await self._whole(connector, part)), SEND_SECONDS)
        except (Retry, Unknown, TimeoutError) as error:
            now = await self._store.read(lambda rx: rx.now)
            length = queue.pause(job, self._runner.worker.chance())
            if not queue.is_last_try(job, now, length):
                raise Again(f"Asking whether it arrived failed. {error}", length) from None
            reason = "It may have arrived: the channel could not be asked."
        except Exception as error:
            log.exception("asking failed", delivery=delivery_id)
            reason = f"It may have arrived. {readable(error)}"
        if isinstance(found, Found):
            external_id = found.external_id
            return lambda tx: book.sent(tx, delivery_id, external_id)
        if isinstance(found, NotFound):
            # Asking was no try of its own. What cut the one before off has been counted when this job was taken then.
            reason = "It did not arrive the first time."
            await self._store.write_later(book.retry, delivery_id, reason)
            raise Again(reason, 0, counted=False)
        return lambda tx: book.unknown(tx, delivery_id, reason)


def given_up(tx: Tx, payload: dict[str, int]) -> None:
    """Its job was buried: the agent who waits for it sees that nothing more will happen by itself."""
    _give_up(tx, deliveries, deliveries.get(tx, payload["delivery_id"]))


def mail_given_up(tx: Tx, payload: dict[str, int]) -> None:
    _give_up(tx, own_mail, own_mail.get(tx, payload["delivery_id"]))


def _give_up(tx: Tx, book: Book, one: Delivery | OwnMail | None) -> None:
    if one is not None and one.state == "sending":
        book.unknown(tx, one.id, "It may have arrived: the desk failed while sending it.")
    elif one is not None and one.state == "queued":
        book.failed(tx, one.id, "The desk failed to send it. An administrator sees why among the dead jobs.")


def _written(outgoing: Outgoing, letter: Letter, public_url: str) -> Outgoing:
    made = letters.compose(
        letter.purpose, letter.language, letter.fields, firm=letter.firm, desk=public_url.rstrip("/")
    )
    return msgspec.structs.replace(outgoing, subject=made.subject, text=made.text, html=made.html)


def _begin(tx: Tx, book: Book, delivery_id: int) -> Part | None:
    """`sending`, or None when it must not leave any more. Asked and written in one unit: a handoff, a refusal or a
    person's "cancel" comes before it or after it, never in between."""
    if outbox.is_frozen(tx):
        raise Again("The outbox is frozen. Thaw it once you know what was sent.", FROZEN_FOR, counted=False)
    return book.begin(tx, delivery_id)


def _milliseconds(seconds: float | None) -> int | None:
    """What the other side asks for, where it makes sense: up to an hour."""
    if seconds is None or not seconds > 0:
        return None
    return int(min(seconds * 1000, LONGEST_PAUSE))
