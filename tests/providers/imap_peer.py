"""An IMAP server (RFC 3501, 2177) that keeps its mail in memory and breaks where its script says.

    peer.folders["INBOX"].add(raw)              a mail arrives, whoever idles is told
    peer.breaks["FETCH"] = ["drop"]             what to do with the next FETCH; then all is well again
    peer.folders["INBOX"].renumber()            a new UIDVALIDITY, all ids new

"drop" cuts the connection before the answer, "half" in the middle of it, "no" and "bad" refuse, "hang" says nothing,
"bye" ends politely, "huge" announces a literal of four gigabytes, "junk" answers with noise.
"""

import asyncio
import contextlib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

USER, PASSWORD = "help@shop.example", "pass word of the tests"


@dataclass
class Stored:
    uid: int
    raw: bytes
    flags: tuple[str, ...] = ()
    at: str = "24-Nov-2026 10:00:00 +0000"


@dataclass
class Folder:
    validity: int = 1
    next_uid: int = 1
    mails: list[Stored] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def add(self, raw: bytes, at: str | None = None) -> int:
        stored = Stored(self.next_uid, raw)
        if at:
            stored.at = at
        self.next_uid += 1
        self.mails.append(stored)
        self.told()
        return stored.uid

    def told(self) -> None:
        async def notify() -> None:
            async with self.changed:
                self.changed.notify_all()

        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().create_task(notify())

    def renumber(self) -> None:
        self.validity += 1
        start = self.next_uid + 100
        for number, one in enumerate(self.mails):
            one.uid = start + number
        self.next_uid = start + len(self.mails)


class ImapPeer:
    def __init__(self, *, idle: bool = True) -> None:
        self.folders: dict[str, Folder] = {"INBOX": Folder(), "Sent": Folder()}
        self.breaks: dict[str, list[str]] = defaultdict(list)
        self.calls: list[str] = []
        self.arrive_while_searching: list[bytes] = []  # mails that come between what is found and the end of its answer
        self.vanish: set[int] = set()  # ids that are gone between being found and being read
        self.bearers: set[str] = set()  # access tokens that open the mailbox
        self.idle = idle
        self.connections = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "ImapPeer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**26)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    def drop_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        try:
            await _Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()


class _Session:
    def __init__(self, peer: ImapPeer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer, self.reader, self.writer = peer, reader, writer
        self.folder: Folder | None = None
        self.told = 0  # how many mails of it the client knows of
        self.over = False

    def say(self, line: str | bytes) -> None:
        self.writer.write((line.encode() if isinstance(line, str) else line) + b"\r\n")

    async def run(self) -> None:
        if await self._breaks("GREETING", ""):
            return
        self.say("* OK [CAPABILITY " + self._able() + "] ready")
        while not self.over:
            line = (await self.reader.readline()).rstrip(b"\r\n").decode(errors="replace")
            if not line:
                return
            tag, _, rest = line.partition(" ")
            name, _, given = rest.partition(" ")
            if name.upper() == "UID":
                name, _, given = given.partition(" ")
            name = name.upper()
            self.peer.calls.append(name)
            if await self._breaks(name, tag):
                continue
            await getattr(self, f"_{name.lower()}", self._unknown)(tag, given)
            await self.writer.drain()

    async def _breaks(self, name: str, tag: str) -> bool:
        todo = self.peer.breaks.get(name)
        what = todo.pop(0) if todo else None
        if not what:  # "" lets one pass
            return False
        if what == "no":
            self.say(f"{tag} NO [LIMIT] not now")
        elif what == "bad":
            self.say(f"{tag} BAD what is this")
        elif what == "hang":
            await asyncio.sleep(3_600)
        elif what == "bye":
            self.say("* BYE the server goes down")
            self.over = True
        elif what == "huge":
            self.say("* 1 FETCH (UID 1 BODY[] {4294967296}")
            await self.writer.drain()
            await asyncio.sleep(5)
            self.over = True
        elif what == "half":
            self.say("* 1 FETCH (UID 1 BODY[] {1000}")
            self.say("only so much")
            self.over = True
        elif what == "junk":
            self.say("* \x01\x02 (((( {12")
            self.say(f"{tag} ((")
        else:
            self.over = True
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()
        return True

    def _able(self) -> str:
        return "IMAP4rev1 AUTH=XOAUTH2 AUTH=PLAIN" + (" IDLE" if self.peer.idle else "")

    async def _unknown(self, tag: str, _given: str) -> None:
        self.say(f"{tag} BAD unknown command")

    async def _capability(self, tag: str, _given: str) -> None:
        self.say("* CAPABILITY " + self._able())
        self.say(f"{tag} OK done")

    async def _login(self, tag: str, given: str) -> None:
        good = given.replace('"', "") == f"{USER} {PASSWORD}"
        self.say(f"{tag} OK done" if good else f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials")

    async def _authenticate(self, tag: str, given: str) -> None:
        import base64

        self.say("+ ")
        await self.writer.drain()
        answer = base64.b64decode(await self.reader.readline())
        match = re.fullmatch(rb"user=(.*?)\x01auth=Bearer (.*?)\x01\x01", answer)
        good = match is not None and match[2].decode() in self.peer.bearers
        self.say(f"{tag} OK done" if good else f"{tag} NO [AUTHENTICATIONFAILED] token refused")

    async def _select(self, tag: str, given: str) -> None:
        folder = self.peer.folders.get(given.strip('"'))
        if folder is None:
            self.say(f"{tag} NO no such folder")
            return
        self.folder = folder
        self._tell_how_many()
        self.say(f"* OK [UIDVALIDITY {folder.validity}] ok")
        self.say(f"* OK [UIDNEXT {folder.next_uid}] ok")
        self.say(f"{tag} OK [READ-ONLY] done")

    _examine = _select

    async def _list(self, tag: str, _given: str) -> None:
        for name in self.peer.folders:
            self.say(f'* LIST ({"" if name != "Sent" else chr(92) + "Sent"}) "/" "{name}"')
        self.say(f"{tag} OK done")

    async def _search(self, tag: str, given: str) -> None:
        assert self.folder is not None
        found: list[int] = []
        if match := re.search(r"UID (\d+):\*", given):
            found = [m.uid for m in self.folder.mails if m.uid >= int(match[1])]
            if not found and self.folder.mails:
                found = [self.folder.mails[-1].uid]  # as RFC 3501 has it
        elif match := re.search(r'HEADER "?Message-ID"? "?([^"\s]+)', given, re.IGNORECASE):
            found = [m.uid for m in self.folder.mails if match[1].encode() in m.raw]
        self.say("* SEARCH " + " ".join(map(str, found)))
        if self.peer.arrive_while_searching:  # what is told with this answer is not told again by IDLE
            self.folder.mails.append(Stored(self.folder.next_uid, self.peer.arrive_while_searching.pop(0)))
            self.folder.next_uid += 1
        if len(self.folder.mails) != self.told:
            self._tell_how_many()
        self.say(f"{tag} OK done")

    def _tell_how_many(self) -> None:
        assert self.folder is not None
        self.told = len(self.folder.mails)
        self.say(f"* {self.told} EXISTS")

    async def _fetch(self, tag: str, given: str) -> None:
        assert self.folder is not None
        numbers, _, items = given.partition(" ")
        wanted: set[int] = set()
        for part in numbers.split(","):
            first, _, last = part.partition(":")
            wanted |= set(range(int(first), int(last or first) + 1))
        for position, mail in enumerate(self.folder.mails, 1):
            if mail.uid not in wanted or (mail.uid in self.peer.vanish and "BODY" in items):
                continue
            if "BODY" in items:
                cut = re.search(r"<0\.(\d+)>", items)
                body = mail.raw[: int(cut[1])] if cut else mail.raw
                name = "BODY[]<0>" if cut else "BODY[]"
                self.writer.write(
                    f"* {position} FETCH (UID {mail.uid} {name} {{{len(body)}}}\r\n".encode() + body + b")\r\n"
                )
            else:
                size = len(mail.raw)
                self.say(f'* {position} FETCH (UID {mail.uid} RFC822.SIZE {size} INTERNALDATE "{mail.at}")')
        self.say(f"{tag} OK done")

    async def _append(self, tag: str, given: str) -> None:
        name = given.split(" ")[0].strip('"')
        size = int(re.search(r"\{(\d+)\}$", given)[1])  # type: ignore[index]
        self.say("+ go on")
        await self.writer.drain()
        raw = await self.reader.readexactly(size)
        await self.reader.readline()
        self.peer.folders[name].add(raw)
        self.say(f"{tag} OK done")

    async def _noop(self, tag: str, _given: str) -> None:
        self.say(f"{tag} OK done")

    async def _logout(self, tag: str, _given: str) -> None:
        self.say("* BYE")
        self.say(f"{tag} OK done")
        self.over = True

    async def _idle(self, tag: str, _given: str) -> None:
        assert self.folder is not None
        self.say("+ idling")
        await self.writer.drain()
        done: asyncio.Task[Any] = asyncio.create_task(self.reader.readline())
        while not done.done():
            async with self.folder.changed:
                if len(self.folder.mails) != self.told:
                    self._tell_how_many()
                    await self.writer.drain()
                waiting = asyncio.create_task(self.folder.changed.wait())
                try:
                    await asyncio.wait([done, waiting], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not waiting.done():
                        waiting.cancel()
                        with contextlib.suppress(asyncio.CancelledError):
                            await waiting
        if not done.result():
            self.over = True
            return
        self.say(f"{tag} OK done")
