"""What a client of the live protocol says, frame by frame, and what is answered; the same for the socket and for polls.

hub.web.socket and hub.web.poll hand in frames as they come; events go the other way, by hub.live.sessions.
"""

import asyncio
import hashlib
import time
from typing import Any, Final

import msgspec
import structlog

from hub.commands import BY_NAME
from hub.commands.perform import look, perform, permit
from hub.commands.visitors import BY_NAME as FOR_VISITORS
from hub.commands.visitors import Identified
from hub.db.tx import Tx
from hub.desk import inboxes, sites, visitors
from hub.desk.inboxes import Inbox
from hub.desk.visitors import Entered, Granted, Link
from hub.errors import ParleyError, Refusal, invalid, not_found
from hub.live import protocol
from hub.live.clients import ENDED, AgentSession, Line, Session, VisitorSession
from hub.live.protocol import INCOMING, PONG, Active, Command, End, Hello, Seen, Typing, Viewing, frame
from hub.staff import live_tickets
from hub.staff.live_tickets import Credential
from hub.web import body, file_links, pages, problem, rest, widget
from hub.web.keys import Desk
from hub.web.limits import network
from hub.web.middleware import new_request_id
from hub.web.problem import HttpError

log = structlog.get_logger("live")

AT_ONCE: Final = 16  # commands of one connection that may be under way together
BURST: Final = 300.0
PER_SECOND: Final = 100.0
MESSAGES: Final = 20  # a minute, of one visitor
COMMANDS_OF_VISITOR: Final = 120
NEW_VISITORS: Final = 300  # a minute, from one network
_encode = msgspec.json.Encoder().encode


class Talk:
    """One connection. `own_page`: it came from a page of ours, as its browser says; `remote`: from which address."""

    __slots__ = ("_left", "_running", "_since", "_strikes", "desk", "line", "own_page", "remote", "session")

    def __init__(self, desk: Desk, line: Line, *, own_page: bool, remote: str) -> None:
        self.desk, self.line, self.own_page, self.remote = desk, line, own_page, remote
        self.session: Session | None = None
        self._strikes = 0
        self._left, self._since = BURST, time.monotonic()
        self._running: set[asyncio.Task[None]] = set()

    @property
    def most(self) -> int:
        """Bytes of one frame; strangers may say as much as visitors."""
        return protocol.MAX_AGENT if isinstance(self.session, AgentSession) else protocol.MAX_VISITOR

    def end(self, end: End) -> None:
        if self.session is not None:
            self.desk.live.end(self.session, end)
        else:
            self.desk.live.refuse(self.line, end)

    def gone(self) -> None:
        """The connection is over. What was asked for and is under way is still done."""
        self.desk.live.forget(self.line)
        if self.session is not None:
            self.desk.live.gone(self.session)

    def heard(self) -> bool:
        """Something came. False: too much, the connection is ended."""
        now = time.monotonic()
        self._left = min(BURST, self._left + (now - self._since) * PER_SECOND) - 1
        self._since = now
        if self._left < 0:
            self.end(protocol.TOO_MANY)
            return False
        if self.session is not None:
            self.session.heard = self.desk.live.now
        return True

    async def take(self, text: str) -> None:
        """One text frame."""
        if not self.heard():
            return
        if len(text) > self.most or len(raw := text.encode(errors="surrogatepass")) > self.most:
            self.end(protocol.TOO_LARGE)
            return
        try:
            given = body.strict_object(raw)
        except (Refusal, HttpError) as error:
            self._strikes += not isinstance(error, Refusal) or not error.field
            self.answer(error, None)
            if self._strikes >= protocol.STRIKES:
                self.end(protocol.NO_JSON)
            return
        await self.say(given)

    async def say(self, given: dict[str, Any]) -> None:
        """One frame, read."""
        id = given.get("id")
        try:
            await self._say(given)
        except (ParleyError, HttpError) as error:
            self.answer(error, id if isinstance(id, str) and len(id) <= 200 else None)
        except Exception as error:
            request_id = new_request_id()
            log.exception("failed", request_id=request_id)
            self.answer(error, None, request_id)

    async def _say(self, given: dict[str, Any]) -> None:
        kind = given.pop("type", None)
        session = self.session
        if kind == "ping":
            self._send(PONG)
        elif kind == "pong":
            pass
        elif kind == "hello":
            await self._hello(rest.typed(Hello, given))
        elif session is None:
            raise Refusal("unauthenticated", "Say hello first.")
        elif kind == "snapshot":
            await self._snapshot(session)
        elif isinstance(kind, str) and kind in INCOMING:
            said = rest.typed(INCOMING[kind], given)
            if isinstance(said, Command):
                await self._under_way(self._command(session, said))
            else:
                await self._signal(session, said)
        else:
            raise invalid("type", "There is no such frame. docs/protocol.md names those there are.")

    # --- coming in ---------------------------------------------------------------------------------------------------

    async def _hello(self, hello: Hello) -> None:
        if self.session is not None:
            raise Refusal("conflict", "You have said hello on this connection.")
        if hello.inbox is not None:
            await self._visitor(hello.inbox, hello)
            return
        if hello.ticket is None:
            raise Refusal("unauthenticated", "Say who you are: an agent brings a ticket, a visitor an inbox.")
        credential = await self.desk.store.write(live_tickets.use, hello.ticket)
        if credential is None or (credential.kind == "session" and not self.own_page):
            self.desk.live.refuse(self.line, protocol.NO_TICKET)
            self._count_stranger()
            return
        await self._agent(credential, hello)

    def _count_stranger(self) -> None:
        try:
            self.desk.limits.stranger(self.remote)
        except Refusal:
            pass  # it is ended as it is

    async def _agent(self, credential: Credential, hello: Hello) -> None:
        live = self.desk.live
        present = hello.present if hello.present is not None else credential.kind == "session"
        session = self.session = AgentSession(self.line, live.now, credential, present)
        live.add(session)
        await live.join(session, hello.cursor, await self._welcome())
        if present and session.state != ENDED:
            self.desk.keeping.came(session.agent_id)

    async def _visitor(self, token: str, hello: Hello) -> None:
        """A browser that shows our frame: it says so itself, in Origin."""
        desk = self.desk
        if not self.own_page:
            raise Refusal("forbidden", "Visitors come from a page of the desk.")
        inbox = await desk.store.read(inboxes.by_token, token)
        if inbox is None or not inbox.features.live:
            raise not_found("inbox")
        visitors.switched_on(inbox)
        widget.note(desk, inbox, hello.site)
        site = sites.require(inbox.common.allowed_origins, desk.config.public_url, hello.site)
        if hello.visitor is None:
            desk.limits.take(f"visitors {network(self.remote)}", NEW_VISITORS)
        entered = await desk.store.write(_enter, inbox, site, hello)
        visitor, secret = entered.visitor, entered.token
        if hello.jwt is not None:
            try:
                identified = await desk.store.write(visitors.identify, visitor, hello.jwt)
                visitor, secret = identified.visitor, identified.token or secret
            except Refusal as error:
                self.answer(error, None)  # they stay who they were
        if self.session is not None:
            raise Refusal("conflict", "You have said hello on this connection.")
        session = self.session = VisitorSession(self.line, desk.live.now, visitor)
        desk.live.add(session)
        welcome = await self._welcome()
        if secret is not None:
            welcome["visitor"] = secret
        cursor = hello.cursor if secret is None else None  # what the one before held is not theirs
        await desk.live.join_visitor(session, cursor, welcome)

    async def _welcome(self) -> dict[str, Any]:
        return {"version": (await pages.ready()).version, "heartbeat": protocol.HEARTBEAT}

    async def _snapshot(self, session: Session) -> None:
        self._account(session)
        if session.joining:
            return
        if isinstance(session, AgentSession):
            await self.desk.live.join(session, None, None)
        elif isinstance(session, VisitorSession):
            await self.desk.live.join_visitor(session, None, None)

    # --- doing something ---------------------------------------------------------------------------------------------

    async def _under_way(self, doing: Any) -> None:
        """Commands are begun in the order they came in, and need not wait for one another's answers."""
        if len(self._running) >= AT_ONCE:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(doing, name="live-command")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _command(self, session: Session, asked: Command) -> None:
        try:
            answer = await self._do(session, asked)
        except (ParleyError, HttpError) as error:
            self.answer(error, asked.id)
        except Exception as error:
            request_id = new_request_id()
            log.exception("failed", request_id=request_id, command=asked.name)
            self.answer(error, asked.id, request_id)
        else:
            self._send(frame("answer", id=asked.id, answer=answer))

    async def _do(self, session: Session, asked: Command) -> Any:
        self._account(session)
        if isinstance(session, VisitorSession):
            return await self._do_as_visitor(session, asked)
        assert isinstance(session, AgentSession)
        caller = session.caller
        if caller is None:
            raise Refusal("unauthenticated", "Wait for the welcome.")
        command = BY_NAME.get(asked.name)
        if command is None:
            raise not_found("command")
        session.worked = True
        self.desk.keeping.active(session)
        permit(command, caller)
        request = rest.converted(command, asked.request)
        store = self.desk.store
        if command.write is None:
            return await store.read(look, command, caller, request)
        digest = hashlib.sha256(_encode(request)).digest() if asked.client_id is not None else b""
        return await store.write(perform, command, caller, request, asked.client_id, digest)

    async def _do_as_visitor(self, session: VisitorSession, asked: Command) -> Any:
        command = FOR_VISITORS.get(asked.name)
        if command is None:
            raise Refusal("forbidden", "Visitors have no such command.")
        visitor, store = session.visitor, self.desk.store
        if command.name == "say":
            self.desk.limits.take(f"visitor says {visitor.id}", MESSAGES)
        given = asked.request
        if asked.client_id is not None and "client_id" in command.request.__struct_fields__:
            given = {"client_id": asked.client_id, **given}
        request = rest.converted(command, given)
        read: Any = command.read
        write: Any = command.write  # both take the visitor where others take a caller
        if write is None:
            return self._with_link(await store.read(read, visitor, request))
        answer = self._with_link(await store.write(write, visitor, request))
        if isinstance(answer, Identified) and answer.visitor is not None:
            await self._changed(session, answer.visitor)
        return answer

    def _with_link(self, answer: Any) -> Any:
        """What allows an upload or a file, as the client gets it: with an address, signed for this visitor alone."""
        if not isinstance(answer, (Granted, Link)):
            return answer
        audience = f"visitor:{answer.visitor_id}"
        if isinstance(answer, Granted):  # to us, wherever files are shown from
            return {"file": answer.file, "url": file_links.path(self.desk, answer.file, audience, "put")}
        return {"file": answer.file, "url": file_links.link(self.desk, answer.file, audience, answer.what)}

    async def _changed(self, session: VisitorSession, token: str) -> None:
        """Somebody else has signed in in this browser: from here on it is theirs."""
        was = session.visitor
        now = await self.desk.store.read(visitors.find, was.inbox_id, token, was.site)
        if now is not None and session.state != ENDED:
            self.desk.live.change_visitor(session, now)
            await self.desk.live.join_visitor(session, None, None)

    def _account(self, session: Session) -> None:
        if isinstance(session, AgentSession):
            kind, id, agent_id = session.credential
            self.desk.limits.account(f"token {id}" if kind == "token" else f"agent {agent_id}")
        elif isinstance(session, VisitorSession):
            self.desk.limits.take(f"visitor {session.visitor.id}", COMMANDS_OF_VISITOR)

    async def _signal(self, session: Session, said: Typing | Viewing | Seen | Active) -> None:
        keeping = self.desk.keeping
        match said:
            case Typing():
                await keeping.signals.typing(session, said.on, said.number, said.mode)
            case Viewing() if isinstance(session, AgentSession):
                await keeping.signals.viewing(session, said.number)
            case Active() if isinstance(session, AgentSession):
                keeping.active(session)
            case Seen() if isinstance(session, VisitorSession):
                keeping.seen(session, said.cursor)
            case _:
                raise Refusal("forbidden", "That is not for you to say.")

    # --- answers -----------------------------------------------------------------------------------------------------

    def _send(self, what: protocol.Frame) -> None:
        if self.session is not None:
            self.desk.live.send(self.session, what)
        else:
            self.line.send(what)

    def answer(self, error: Exception, id: str | None, request_id: str = "") -> None:
        """The problem that HTTP would have answered with, as a frame."""
        response = problem.respond(error, request_id)
        assert isinstance(response.body, bytes)
        fields: dict[str, Any] = {"problem": msgspec.Raw(response.body)}
        if id is not None:
            fields["id"] = id
        self._send(frame("error", **fields))


def _enter(tx: Tx, inbox: Inbox, site: str, hello: Hello) -> Entered:
    return visitors.enter(
        tx, inbox, hello.visitor, site, page=hello.page, referrer=hello.referrer, language=hello.language
    )
