"""One connection to an IMAP server (RFC 3501, 2177). Everything here blocks, so it runs in threads: `watch`
starts them, and ends them by `cut`.

Folders are opened to be read only: what is in them belongs to the people who look into the mailbox as well. Nothing is
marked, moved or deleted, and what somebody has read or not says nothing about what we have.
"""

import contextlib
import imaplib
import json
import socket
import ssl
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from imapclient import IMAPClient
from imapclient.exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError, LoginError

from connectors.email.render import one_line
from connectors.email.settings import EmailSettings
from connectors.email.words import unreachable
from hub.connector import Rejected, Retry

CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 30.0  # between two bytes of an answer
LARGEST: Final = 36 * 1024 * 1024  # a mail that is larger is taken in part
PART: Final = 1024 * 1024  # this much of it
MOST_AT_ONCE: Final = LARGEST + PART  # what a server may send in one piece, whatever it was asked for
NOTHING: Final = b"X-Mail-Missing: yes\r\n\r\n"  # stands for a mail that the server will not give
_SENT_NAMES: Final = ("Sent", "Sent Items", "Sent Mail", "Sent Messages", "INBOX.Sent")


class Folder(NamedTuple):
    validity: int
    next_uid: int | None


class Found(NamedTuple):
    """A mail as the server has it. `body` None: it was there a moment ago and is gone."""

    uid: int
    size: int
    at: int | None  # when the server got it, milliseconds
    body: bytes | None = None
    wrong: str | None = None  # what the server says instead of giving it


class Mailbox:
    def __init__(self, settings: EmailSettings, token: str | None) -> None:
        self._settings, self._token = settings, token
        self._client: IMAPClient | None = None
        self._cut = False

    def open(self) -> None:
        """Connects and signs in. Raises Rejected for what only a person can mend, Retry for what may pass."""
        servers = self._settings.servers
        where = f"{servers.imap_host}:{servers.imap_port}"
        try:
            context = ssl.create_default_context() if servers.imap_security != "none" else None
            client = IMAPClient(
                servers.imap_host,
                servers.imap_port,
                ssl=servers.imap_security == "tls",
                ssl_context=context,
                timeout=CONNECT_SECONDS,
            )
            self._client = client
            if self._cut:
                self.cut()
            _bound(client)
            if servers.imap_security == "starttls":
                client.starttls(context)
            self._sign_in(client)
            client.socket().settimeout(ANSWER_SECONDS)
        except LoginError as error:
            if isinstance(error.__context__, IMAPClientAbortError):
                raise Retry(reason=f"Reading (IMAP): {where} broke off while we signed in.") from None
            raise Rejected(
                f"Reading (IMAP): {where} does not let us in: {_said(error)}. Check user name and password."
            ) from None
        except (CapabilityError, IMAPClientAbortError) as error:
            if servers.imap_security == "starttls" and "TLS" in str(error).upper():
                raise Rejected(f"Reading (IMAP): {where} offers no STARTTLS. Choose tls and its port.") from None
            raise Retry(reason=f"Reading (IMAP): {where} broke off: {_said(error)}") from None
        except IMAPClientError as error:
            raise Rejected(f"Reading (IMAP): {where} refuses: {_said(error)}") from None
        except (OSError, EOFError, imaplib.IMAP4.error) as error:
            raise Retry(reason=f"Reading (IMAP): {unreachable(where, error)}") from None

    def _sign_in(self, client: IMAPClient) -> None:
        if self._token is not None:
            client.oauth2_login(self._settings.login, self._token)
        elif not self._settings.password:
            raise Rejected("Enter a password in the settings of this inbox.")
        else:
            client.login(self._settings.login, self._settings.password)

    def select(self, name: str) -> Folder:
        with _readable():
            try:
                found = self._ready.select_folder(name, readonly=True)
            except IMAPClientAbortError:
                raise
            except IMAPClientError as error:
                raise Rejected(f"Reading (IMAP): the folder {name!r} cannot be opened: {_said(error)}") from None
        next_uid = found.get(b"UIDNEXT")
        return Folder(int(found.get(b"UIDVALIDITY") or 0), int(next_uid) if next_uid else None)

    def after(self, uid: int) -> list[int]:
        """The ids of the open folder that are greater, in order."""
        with _readable():
            self.told()
            found = self._ready.search(["UID", f"{uid + 1}:*"])
        return sorted({int(one) for one in found if int(one) > uid})  # "n:*" has the last one even where it is below n

    def look(self, uids: Sequence[int]) -> dict[int, Found]:
        """Size and time of each that is (still) there."""
        with _readable():
            answer = self._ready.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
        return {
            int(uid): Found(int(uid), int(row.get(b"RFC822.SIZE") or 0), _milliseconds(row.get(b"INTERNALDATE")))
            for uid, row in answer.items()
            if uid in set(uids)
        }

    def fetch(self, wanted: Sequence[Found]) -> list[Found]:
        """Each with its bytes, those of a very large one cut. One that the server will not give does not keep back
        the others."""
        small = [one for one in wanted if one.size <= LARGEST]
        found: dict[int, Found] = {}
        try:
            found = self._bodies(small, "BODY.PEEK[]", b"BODY[]")
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            for one in small:
                found |= self._alone(one, "BODY.PEEK[]", b"BODY[]")
        for one in wanted:
            if one.size > LARGEST:
                found |= self._alone(one, f"BODY.PEEK[]<0.{PART}>", b"BODY[]<0>")
        return [found.get(one.uid, one) for one in wanted]

    def _alone(self, one: Found, item: str, name: bytes) -> dict[int, Found]:
        try:
            return self._bodies([one], item, name)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            return {one.uid: one._replace(body=NOTHING, wrong=_said(error))}

    def _bodies(self, wanted: Sequence[Found], item: str, name: bytes) -> dict[int, Found]:
        if not wanted:
            return {}
        by_uid = {one.uid: one for one in wanted}
        with _readable(refusals=True):
            answer = self._ready.fetch(list(by_uid), [item])
        return {
            uid: by_uid[uid]._replace(body=row[name]) for uid, row in answer.items() if uid in by_uid and row.get(name)
        }

    def told(self) -> bool:
        """Whether the server has said since the last time that something came. It says so once, with the answer to
        whatever was asked just then, and IDLE tells only of what comes later."""
        imap: Any = self._ready._imap
        return bool(imap.untagged_responses.pop("EXISTS", None))

    @property
    def idles(self) -> bool:
        return bool(self._ready.has_capability("IDLE"))

    def idle(self, seconds: float) -> bool:
        """Waits until the server tells of something, or for so long. The end is a round trip: a connection that died in
        silence is found then."""
        with _readable():
            self._ready.idle()
            told = self._ready.idle_check(timeout=seconds)
            _, more = self._ready.idle_done()
            return bool(told or more)

    def noop(self) -> None:
        with _readable():
            self._ready.noop()

    def folders(self) -> list[str]:
        with _readable():
            return [str(name) for _, _, name in self._ready.list_folders()]

    def sent_folder(self) -> str | None:
        if self._settings.sent_folder:
            return self._settings.sent_folder
        with _readable():
            listed = self._ready.list_folders()
        for flags, _, name in listed:
            if b"\\Sent" in flags:
                return str(name)
        names = [str(name) for _, _, name in listed]
        return next((name for name in _SENT_NAMES if name in names), None)

    def was_sent(self, message_id: str) -> bool | None:
        """None: there is no folder of sent mail to look into."""
        folder = self.sent_folder()
        if folder is None:
            return None
        self.select(folder)
        with _readable():
            return bool(self._ready.search(["HEADER", "Message-ID", message_id]))

    def keep_copy(self, body: bytes) -> None:
        folder = self.sent_folder()
        if folder is not None:
            with _readable():
                self._ready.append(folder, body, flags=(b"\\Seen",))

    def cut(self) -> None:
        """From any thread, and never waits: whatever waits for the server stops waiting."""
        self._cut = True
        client = self._client
        if client is not None:
            with contextlib.suppress(Exception):
                # Not by way of the TLS layer, nor by closing: both would wait for the thread that reads.
                socket.socket.shutdown(client.socket(), socket.SHUT_RDWR)
            threading.Thread(target=_closed, args=(client,), name="mailbox ends", daemon=True).start()

    @property
    def _ready(self) -> IMAPClient:
        assert self._client is not None
        return self._client


def _closed(client: IMAPClient) -> None:
    with contextlib.suppress(Exception):
        client.shutdown()


def _bound(client: IMAPClient) -> None:
    """imaplib reads whatever length a server announces; a broken or hostile one must not fill our memory."""
    imap: Any = client._imap
    read = imap.read

    def bounded(size: int) -> bytes:
        if size > MOST_AT_ONCE:
            raise imaplib.IMAP4.abort(f"the server announced {size} bytes at once")
        got: bytes = read(size)
        return got

    imap.read = bounded


class _readable:
    """Turns what the library raises into our own words. `refusals`: a plain NO is left to the caller."""

    def __init__(self, *, refusals: bool = False) -> None:
        self._refusals = refusals

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, IMAPClientAbortError | OSError | EOFError | ssl.SSLError | AttributeError):
            raise Retry(reason=f"Reading (IMAP): the connection broke ({type(error).__name__}).") from None
        if isinstance(error, IMAPClientError) and not self._refusals:
            raise Retry(reason=f"Reading (IMAP): the server refuses: {_said(error)}") from None
        if isinstance(error, ValueError | IndexError | TypeError | KeyError | AssertionError):
            raise Retry(
                reason=f"Reading (IMAP): the server's answer cannot be read ({type(error).__name__})."
            ) from None


def _said(error: BaseException) -> str:
    """The server's own words; Google and Microsoft wrap theirs in JSON."""
    text = str(error)
    if text.startswith(("b'", 'b"')):
        text = text[2:-1]
    with contextlib.suppress(ValueError):
        found = json.loads(text)
        text = str(found.get("error_description") or found.get("status") or text) if isinstance(found, dict) else text
    return one_line(text)[:200].rstrip(".")


def _milliseconds(at: datetime | None) -> int | None:
    if at is None:
        return None
    try:
        return int(at.astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
