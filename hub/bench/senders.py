"""Everybody who speaks to a desk that keeps being killed: each through a door of its own, one thing after the other.

What is not answered is given again with the same id, as a browser or a provider does it, until it is.
"""

import asyncio
import dataclasses
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp
import msgspec

from connectors.webhook import signing
from hub.bench.customers import SECRET
from hub.bench.ledger import Answered, Given, Ledger, digest, line
from hub.clock import SystemClock

MARK: Final = "op"
_TOKEN: Final = re.compile(r'name="form_token" value="([^"]+)"')
_SECONDS: Final = 10.0
MOST_UNHEARD: Final = 20


@dataclasses.dataclass(frozen=True)
class Places:
    """Where the doors are."""

    url: str
    token: str  # of the API
    form: str  # tokens of the inboxes
    hook: str
    tickets: tuple[int, ...]  # numbers of tickets that nobody else writes to
    contact_id: int
    hook_id: int


@dataclasses.dataclass
class Operation:
    id: str
    by: str
    n: int
    said: str
    memory: dict[str, str] = dataclasses.field(default_factory=dict)  # what a browser keeps between two tries


Door = Callable[["Crowd", Operation], Awaitable[int]]


class Crowd:
    """Runs the senders and keeps their ledger. `up` is set while there is a desk to speak to."""

    def __init__(self, places: Places, chance: random.Random, heard: Mapping[str, int]) -> None:
        """`heard`: how many replies of which sender have arrived at the other side."""
        self.places, self.chance, self._heard = places, chance, heard
        self.ledger = Ledger()
        self.up = asyncio.Event()
        self.wrong: list[str] = []  # answers that no sender should ever get
        self.again = 0  # how often something was given once more
        self._over = False
        self._tasks: list[asyncio.Task[None]] = []
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Crowd":
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        numbers = iter(self.places.tickets)
        for door, count in DOORS.items():
            for which in range(count):
                number = next(numbers) if door in ON_A_TICKET else 0
                name = f"{door.__name__}{which}"
                self._tasks.append(asyncio.create_task(self._sender(name, door, number), name=name))
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._http is not None
        await self._http.close()

    async def finish(self, seconds: float = 60.0) -> None:
        """Each sender ends once what it has in hand is answered."""
        self._over = True
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        self.wrong += [f"{task.get_name()} never got an answer" for task in late]
        self.wrong += [f"{t.get_name()}: {t.exception()!r}" for t in self._tasks if t.done() and t.exception()]

    @property
    def acknowledged(self) -> int:
        return self.ledger.count("ok")

    async def _sender(self, name: str, door: Door, number: int) -> None:
        n = 0
        while not self._over:
            if door is reply and n - self._heard.get(name, 0) > MOST_UNHEARD:
                await asyncio.sleep(0.05)  # or all of them would stand behind one that has to be asked about
                continue
            n += 1
            key = f"{MARK}-{name}-{n}"
            said = f"{key} {name} {n} " + "x" * self.chance.randint(0, 300)
            operation = Operation(key, name, n, said.strip(), {"number": str(number)})
            if door is switch:
                operation.said = "resolved" if n % 2 else "reopened"
            if door is contact:
                operation.said = operation.said[:150].strip()
            self.ledger.read([line(Given(key, name, n, digest(operation.said)))])
            await self._until_answered(door, operation)
            await asyncio.sleep(self.chance.uniform(0, 0.01))

    async def _until_answered(self, door: Door, operation: Operation) -> None:
        while True:
            await self.up.wait()
            try:
                status = await door(self, operation)
            except (aiohttp.ClientError, TimeoutError, OSError):
                status = 0
            if 200 <= status < 400:
                self.ledger.read([line(Answered(operation.id, "ok"))])
                return
            if status not in (0, 429, 500, 503):
                self.wrong.append(f"{operation.id} was answered with {status}: {operation.memory.get('answer', '')}")
            if status == 500:
                self.wrong.append(f"{operation.id} was answered with 500")
            self.again += 1
            await asyncio.sleep(0.02)

    async def post(self, operation: Operation, path: str, body: bytes, kind: str, **headers: str) -> int:
        assert self._http is not None
        sent = {"Content-Type": kind, "X-Forwarded-For": self.address()}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._http.post(self.places.url + path, data=body, headers=sent, allow_redirects=False) as answer:
            said = await answer.read()
            operation.memory["answer"] = said[:300].decode("utf-8", "replace")
            return answer.status

    async def get(self, path: str) -> str:
        assert self._http is not None
        async with self._http.get(self.places.url + path, headers={"X-Forwarded-For": self.address()}) as answer:
            return await answer.text()

    async def command(self, operation: Operation, path: str, body: dict[str, Any]) -> int:
        headers = {"Authorization": f"Bearer {self.places.token}", "Idempotency-Key": operation.id}
        return await self.post(operation, f"/api/v1{path}", msgspec.json.encode(body), "application/json", **headers)

    def address(self) -> str:
        """Strangers come from everywhere: what they may post is counted by network."""
        return ".".join(["11", *(str(self.chance.randint(1, 254)) for _ in range(3))])


# --- the doors -------------------------------------------------------------------------------------------------------


async def page(crowd: Crowd, operation: Operation) -> int:
    """The contact form in a browser: the page is fetched once, and sent again as it is."""
    path = f"/f/{crowd.places.form}"
    if "token" not in operation.memory:
        found = _TOKEN.search(await crowd.get(path))
        if found is None:
            return 0
        operation.memory["token"] = found[1]
    fields = {"form_token": operation.memory["token"], "message": operation.said}
    return await _form(crowd, operation, path, fields)


async def own_form(crowd: Crowd, operation: Operation) -> int:
    """A firm's own form, posted by its server with an id."""
    fields = {"client_id": operation.id, "message": operation.said}
    return await _form(crowd, operation, f"/f/{crowd.places.form}/post", fields)


async def _form(crowd: Crowd, operation: Operation, path: str, fields: dict[str, str]) -> int:
    from urllib.parse import urlencode

    sent = urlencode({"name": operation.by, "email": f"{operation.by}@example.net", **fields}).encode()
    return await crowd.post(operation, path, sent, "application/x-www-form-urlencoded")


async def hook(crowd: Crowd, operation: Operation) -> int:
    """Another system, by a signed webhook."""
    sender = {"email": f"{operation.by}@example.net", "name": operation.by}
    body = msgspec.json.encode({"id": operation.id, "from": sender, "text": operation.said})
    signed = signing.headers(SECRET, operation.id, SystemClock().now() // 1000, body)
    return await crowd.post(operation, f"/in/{crowd.places.hook}", body, "application/json", **signed)


async def note(crowd: Crowd, operation: Operation) -> int:
    return await crowd.command(operation, f"/tickets/{operation.memory['number']}/note", {"text": operation.said})


async def reply(crowd: Crowd, operation: Operation) -> int:
    return await crowd.command(
        operation, f"/tickets/{operation.memory['number']}/reply", {"text": operation.said, "anyway": True}
    )


async def switch(crowd: Crowd, operation: Operation) -> int:
    verb = "resolve" if operation.n % 2 else "reopen"
    return await crowd.command(operation, f"/tickets/{operation.memory['number']}/{verb}", {})


async def feedback(crowd: Crowd, operation: Operation) -> int:
    return await crowd.command(operation, "/feedback", {"kind": "suggestion", "text": operation.said})


async def contact(crowd: Crowd, operation: Operation) -> int:
    """Made by hand; the name carries what was said."""
    points = [{"kind": "email", "value": f"{operation.id}@example.com"}]
    return await crowd.command(operation, "/contacts", {"name": operation.said, "points": points})


async def ticket(crowd: Crowd, operation: Operation) -> int:
    """What somebody said on the phone."""
    body = {"contact_id": crowd.places.contact_id, "inbox_id": crowd.places.hook_id, "text": operation.said}
    return await crowd.command(operation, "/tickets", body)


DOORS: Final[dict[Door, int]] = {
    page: 2,
    own_form: 3,
    hook: 8,
    note: 2,
    reply: 3,
    switch: 2,
    feedback: 2,
    contact: 1,
    ticket: 1,
}
ON_A_TICKET: Final = (note, reply, switch)
