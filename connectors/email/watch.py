"""Keeps an eye on a mailbox until it is cancelled: what is new is handed to the hub, and only when that is on disk the
place in the folder moves on.

The place is UIDVALIDITY and UID, never a date and never what somebody has read. When a server numbers a folder anew,
all of it is looked through again, and what is there already is known by its id. Threads do the waiting; a watchdog of
ours ends one that hangs, because a socket's own time limit does not see a server that trickles.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec
import structlog

from connectors.email.mailbox import ANSWER_SECONDS, CONNECT_SECONDS, LARGEST, Found, Mailbox
from connectors.email.oauth import SignIn
from connectors.email.settings import EmailSettings
from hub.connector import Hub, Raw, Rejected, Retry

T = TypeVar("T")
log = structlog.get_logger("email")

IDLE_SECONDS: Final = 240.0  # a fifth of what RFC 2177 allows: so long a dead connection may go unnoticed
POLL_SECONDS: Final = 60.0  # where a server cannot tell by itself, and for folders besides the first
BREATH_SECONDS: Final = 0.5  # before looking again at once, in case a server always says that something came
AT_ONCE: Final = 20  # mails
BYTES_AT_ONCE: Final = 8 * 1024 * 1024
LOOK_AT_ONCE: Final = 500
SLOWEST: Final = 64 * 1024  # bytes a second that a fetch may take as little as
GRACE: Final = 86_400_000  # the clocks of the desk and the server may differ by this much
CUT: Final = "x-mail-cut"  # of a Raw: how large it really is
MISSING: Final = "x-mail-missing"  # of a Raw with nothing in it: what the server said instead of giving the mail


class Place(msgspec.Struct, frozen=True):
    """How far a folder was read."""

    validity: int
    uid: int
    since: int  # when we first looked into it
    again_to: int = 0  # up to this one it is a second look: what is older than `since` is left


class Hung(Exception):
    """A thread that waits for a server did not come back in time."""


async def in_thread(work: Callable[..., T], *given: Any, seconds: float, cut: Callable[[], None]) -> T:
    """In a thread of its own, that ends with the process. Whoever stops waiting for it cuts its connection."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(how: Callable[[Any], None], what: Any) -> None:
        if not done.done():
            how(what)

    def run() -> None:
        try:
            outcome: Any = work(*given)
            how: Callable[[Any], None] = done.set_result
        except BaseException as error:  # the waiting side raises it
            outcome, how = error, done.set_exception
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, how, outcome)

    threading.Thread(target=run, name="mailbox", daemon=True).start()
    try:
        return await asyncio.wait_for(asyncio.shield(done), seconds)
    except TimeoutError:
        done.add_done_callback(_looked_at)
        cut()
        raise Hung from None
    except asyncio.CancelledError:
        done.add_done_callback(_looked_at)
        cut()
        raise


def _looked_at(done: "asyncio.Future[Any]") -> None:
    if not done.cancelled():
        done.exception()


async def opened(settings: EmailSettings, sign_in: SignIn) -> Mailbox:
    """A connection that is signed in; a token that is refused is renewed once."""
    fresh = False
    while True:
        token = await sign_in.token(fresh=fresh) if settings.sign_in != "password" else None
        mailbox = Mailbox(settings, token)
        try:
            await in_thread(mailbox.open, seconds=CONNECT_SECONDS * 3, cut=mailbox.cut)
        except Hung:
            raise Retry(reason=f"Reading (IMAP): {settings.servers.imap_host} does not answer.") from None
        except Rejected:
            mailbox.cut()
            if token is None or fresh:
                raise
            fresh = True
        except BaseException:
            mailbox.cut()
            raise
        else:
            return mailbox


class Watch:
    """One run: one connection."""

    def __init__(self, settings: EmailSettings, hub: Hub, sign_in: SignIn) -> None:
        self._settings, self._hub, self._sign_in = settings, hub, sign_in

    async def run(self) -> None:
        mailbox = await opened(self._settings, self._sign_in)
        self._mailbox = mailbox
        try:
            first, *others = self._settings.folders
            while True:
                for folder in (*others, first):  # the first is open in the end: that is where we wait
                    await self._take(folder)
                self._hub.works()
                await self._wait(alone=not others)
        except Hung:
            raise Retry(reason="Reading (IMAP): the server stopped answering.") from None
        finally:
            mailbox.cut()

    async def _wait(self, *, alone: bool) -> None:
        if self._mailbox.told():
            await asyncio.sleep(BREATH_SECONDS)
            return
        seconds = IDLE_SECONDS if alone else POLL_SECONDS
        if self._mailbox.idles:
            await self._call(self._mailbox.idle, seconds, seconds=seconds + ANSWER_SECONDS * 3)
        else:
            await asyncio.sleep(POLL_SECONDS)

    async def _take(self, folder: str) -> None:
        """Everything of a folder that was not taken yet."""
        now = await self._call(self._mailbox.select, folder)
        name = f"folder {folder}"
        place = await self._place(name, now.validity, now.next_uid)
        uids = await self._call(self._mailbox.after, place.uid)
        for start in range(0, len(uids), LOOK_AT_ONCE):
            some = uids[start : start + LOOK_AT_ONCE]
            there = await self._call(self._mailbox.look, some)
            for gone in sorted(set(some) - set(there)):
                log.info("a mail was gone before it could be read", folder=folder, uid=gone)
            wanted = [one for uid, one in sorted(there.items()) if not self._was_before(one, place)]
            for batch in _batches(wanted):
                await self._hand_over(folder, now.validity, batch)
                place = await self._move(name, place, batch[-1].uid)
            if some:
                place = await self._move(name, place, some[-1])

    async def _place(self, name: str, validity: int, next_uid: int | None) -> Place:
        found = await self._hub.recall(name)
        place = msgspec.json.decode(found, type=Place) if found else None
        if place is not None and place.validity == validity:
            return place
        if next_uid is None:
            next_uid = max(await self._call(self._mailbox.after, 0), default=0) + 1
        if place is None:
            begun = 0 if self._settings.begin == "all" else next_uid - 1
            place = Place(validity, begun, self._hub.now())
        else:
            log.warning("a folder was numbered anew and is read once more", folder=name)
            place = Place(validity, 0, place.since, next_uid - 1)
        await self._hub.remember(name, msgspec.json.encode(place).decode())
        return place

    def _was_before(self, one: Found, place: Place) -> bool:
        """At a second look: what lay there before we came, and was left then too."""
        if self._settings.begin == "all" or one.uid > place.again_to or one.at is None:
            return False
        return one.at < place.since - GRACE

    async def _hand_over(self, folder: str, validity: int, batch: Sequence[Found]) -> None:
        size = sum(min(one.size, LARGEST) for one in batch)
        found = await self._call(self._mailbox.fetch, batch, seconds=ANSWER_SECONDS * 3 + size / SLOWEST)
        raws = []
        for one in found:
            if one.body is None:
                log.info("a mail was gone before it could be read", folder=folder, uid=one.uid)
                continue
            headers = [("x-mail-folder", folder), ("x-mail-uid", f"{validity}:{one.uid}")]
            if one.wrong is not None:
                headers.append((MISSING, one.wrong))
            elif one.size > LARGEST:
                headers.append((CUT, str(one.size)))
            raws.append(Raw(method="IMAP", headers=tuple(headers), body=one.body, received_at=self._hub.now()))
        # Together, so that they share a commit; in which order they come in makes no difference to where they go.
        outcomes = await asyncio.gather(*(self._hub.receive(raw) for raw in raws), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _move(self, name: str, place: Place, uid: int) -> Place:
        if uid <= place.uid:
            return place
        moved = msgspec.structs.replace(place, uid=uid)
        await self._hub.remember(name, msgspec.json.encode(moved).decode())
        return moved

    async def _call(self, work: Callable[..., T], *given: Any, seconds: float = ANSWER_SECONDS * 3) -> T:
        return await in_thread(work, *given, seconds=seconds, cut=self._mailbox.cut)


def _batches(found: Sequence[Found]) -> list[list[Found]]:
    batches: list[list[Found]] = []
    size = 0
    for one in found:
        if not batches or len(batches[-1]) >= AT_ONCE or size + one.size > BYTES_AT_ONCE:
            batches.append([])
            size = 0
        batches[-1].append(one)
        size += one.size
    return batches
