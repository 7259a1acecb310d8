"""Where people's words go in, and where they are seen: test_class_g.py puts each text of class_g.yaml into the ones and
looks at the others.

A new text field gets a line in FIELDS, a new screen of the console one in SCREENS. A field that takes fewer characters
gets the text's beginning; what the desk refuses in words is not put in, which the test counts.
"""

import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp

from tests.journeys.chat_desk import ChatDesk
from tests.live.client import Client, Told

SITE: Final = "http://localhost:1"


@dataclasses.dataclass
class Matter:
    """What was put in with one text: a visitor's ticket in an inbox of its own, and things around it."""

    text: str
    inbox: dict[str, Any]
    number: int = 0
    contact_id: int = 0
    message_id: int = 0
    visitor: str = ""
    taken: list[str] = dataclasses.field(default_factory=list)  # the fields that it went into
    refused: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Putting:
    """Puts one text in. `line` is the visitor's connection, `http` an agent's."""

    desk: ChatDesk
    http: aiohttp.ClientSession
    line: Client | None
    matter: Matter

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Like an agent's page. What is refused is noted."""
        headers = {"X-Parley-CSRF": "1", "Cookie": self.desk.session}
        url = f"http://127.0.0.1:{self.desk.desk.port}/api/v1{path}"
        async with self.http.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            if answer.status >= 400:
                assert answer.status < 500, (method, path, text)
                self.matter.refused.append(f"{method} {path}: {text}")
                return None
            return json.loads(text) if text else None

    async def say(self, command: str, **request: Any) -> Told | None:
        """Like a visitor's chat."""
        assert self.line is not None
        told = await self.line.command(command, **request)
        if told["type"] == "error":
            assert told["problem"]["status"] < 500, told
            self.matter.refused.append(f"{command}: {told['problem']}")
            return None
        return told


@dataclasses.dataclass(frozen=True)
class Field:
    """`most`: characters that it takes."""

    name: str
    most: int
    put: Callable[[Putting, str], Awaitable[Any]]


async def _visitor_says(it: Putting, text: str) -> None:
    await it.say("say", text=text, client_id="text")


async def _reply(it: Putting, text: str) -> None:
    await it.ask("POST", f"/tickets/{it.matter.number}/reply", {"text": text, "anyway": True})


async def _note(it: Putting, text: str) -> None:
    await it.ask("POST", f"/tickets/{it.matter.number}/note", {"text": text})


async def _subject(it: Putting, text: str) -> None:
    await it.ask("PATCH", f"/tickets/{it.matter.number}", {"subject": text})


async def _tag(it: Putting, text: str) -> None:
    await it.ask("POST", f"/tickets/{it.matter.number}/tag", {"tag": text})


async def _contact_name(it: Putting, text: str) -> None:
    await it.ask("PATCH", f"/contacts/{it.matter.contact_id}", {"name": text})


async def _page(it: Putting, text: str) -> None:
    await it.say("page_view", page=f"https://shop.example/{text}", title=text)


async def _rating(it: Putting, text: str) -> None:
    await it.say("end")
    await it.say("rate", score=1, text=text)


async def _inbox_name(it: Putting, text: str) -> None:
    await it.ask("PATCH", f"/inboxes/{it.matter.inbox['id']}", {"name": text})


async def _team(it: Putting, text: str) -> None:
    await it.ask("POST", "/teams", {"name": text})


async def _role(it: Putting, text: str) -> None:
    await it.ask("POST", "/roles", {"name": text, "permissions": ["tickets.read"], "sees": "own"})


async def _agent(it: Putting, text: str) -> None:
    """An agent of that name has the ticket."""
    email = f"{it.matter.inbox['token'].lower().replace('_', 'u').replace('-', 'd')}@example.org"
    made = await it.ask("POST", "/agents", {"name": text, "email": email, "role_id": 1})
    if made is not None:
        await it.ask("POST", f"/tickets/{it.matter.number}/assign", {"agent_id": made["id"]})


async def _draft(it: Putting, text: str) -> None:
    await it.ask("PUT", f"/tickets/{it.matter.number}/draft", {"mode": "note", "text": text})


async def _company(it: Putting, text: str) -> None:
    await it.ask("PATCH", f"/contacts/{it.matter.contact_id}", {"company": text})


async def _contact_title(it: Putting, text: str) -> None:
    await it.ask("PATCH", f"/contacts/{it.matter.contact_id}", {"title": text})


async def _contact_note(it: Putting, text: str) -> None:
    await it.ask("POST", f"/contacts/{it.matter.contact_id}/notes", {"text": text})


async def _contact_tag(it: Putting, text: str) -> None:
    await it.ask("POST", f"/contacts/{it.matter.contact_id}/tag", {"tag": text})


async def _canned(it: Putting, text: str) -> None:
    short = f"c{it.matter.number}"
    await it.ask("POST", "/canned", {"short": short, "title": text[:100], "text": text, "own": False})


async def _view(it: Putting, text: str) -> None:
    await it.ask("POST", "/views", {"name": text, "filter": {"priority": ["urgent"]}, "sort": "newest"})


async def _own_field(it: Putting, text: str) -> None:
    made = {"key": f"field_{it.matter.number}", "label": text, "type": "choice", "choices": [text[:40].strip(), "tin"]}
    await it.ask("POST", "/fields", made)


async def _hours(it: Putting, text: str) -> None:
    week: list[Any] = [[["09:00", "17:00"]], *([[]] * 6)]
    await it.ask("POST", "/hours", {"name": text, "zone": "Europe/Paris", "week": week})


FIELDS: Final[tuple[Field, ...]] = (
    Field("what a visitor says", 10_000, _visitor_says),
    Field("the page they look at", 5_000, _page),
    Field("the contact's name", 200, _contact_name),
    Field("the subject", 300, _subject),
    Field("an answer", 10_000, _reply),
    Field("a note", 10_000, _note),
    Field("a tag", 40, _tag),
    Field("the words of a rating", 5_000, _rating),
    Field("an inbox's name", 100, _inbox_name),
    Field("a team's name", 100, _team),
    Field("a role's name", 60, _role),
    Field("an agent's name", 100, _agent),
    Field("a draft", 10_000, _draft),
    Field("a contact's company", 100, _company),
    Field("a contact's title", 100, _contact_title),
    Field("a note on a contact", 5_000, _contact_note),
    Field("a tag of a contact", 40, _contact_tag),
    Field("a canned response", 5_000, _canned),
    Field("a view's name", 60, _view),
    Field("an own field's label", 60, _own_field),
    Field("the name of business hours", 60, _hours),
)

# What is set for a chat and a form, with how many characters each takes: these stand in the pages that visitors load.
CHAT: Final = {"title": 80, "greeting": 500, "consent": 500}
FORM: Final = {"title": 200, "intro": 1_000, "consent": 500, "marketing": 500, "place": 200}

# Screens that show what was put in, besides each ticket's own.
SCREENS: Final = (
    *("/inbox", "/inbox?view=unassigned", "/inbox?view=all", "/queue"),
    *("/contacts", "/board", "/day", "/preferences"),
    *("/settings", "/settings/inboxes", "/settings/teams", "/settings/roles", "/settings/agents"),
    *("/settings/canned", "/settings/tags", "/settings/fields", "/settings/hours", "/settings/targets"),
    "/settings/routing",
    *("/settings/quarantine", "/settings/jobs", "/settings/outbox", "/settings/tokens", "/welcome/site"),
)
