"""Who works at the made-up desk, and where people reach it. Made once, at the time of the first story."""

from typing import Any, Final

from hub.db.tx import Rx, Tx
from hub.desk import inboxes, kinds
from hub.events import Actor
from hub.people import samples
from hub.staff import access, agents, roles, teams
from hub.staff.access import DESK, Caller

# Nothing is sent to these; ".example" is nobody's, for ever (RFC 2606).
SITE: Final = "https://sample.example"
AGENTS: Final = {
    "mira": ("Mira Holt", "mira.holt@sample.example", "supervisor", "en"),
    "oleg": ("Олег Зимин", "oleg.zimin@sample.example", "agent", "ru"),
    "dara": ("សុខ ដារ៉ា", "sok.dara@sample.example", "agent", "km"),
    "hanna": ("ሐና ተስፋዬ", "hanna.tesfaye@sample.example", "agent", "am"),
    "yusuf": ("يوسف كريم", "yusuf.karim@sample.example", "agent", "ar"),
}
TEAMS: Final = {"counter": ("Shop counter", tuple(AGENTS)), "reception": ("Reception", tuple(AGENTS))}
INBOXES: Final = {
    "shop": ("Riverside Ceramics", "counter", {"colour": "#9a3f22", "title": "Riverside Ceramics"}),
    "clinic": ("Lotus Clinic", "reception", {"colour": "#1b5e4b", "title": "Lotus Clinic"}),
    "school": ("Sunrise School", "reception", {"colour": "#334155", "title": "Sunrise School"}),
}
LIVE: Final = "live"
LETTER: Final = "letter"


def furnish(tx: Tx) -> None:
    """Agents without a password, who never sign in; teams; and for each of the made-up firms one inbox a door. They
    take no part in routing, so nobody real is ever offered a made-up customer."""
    for key, (name, email, role, language) in AGENTS.items():
        agent_id = agents.create(
            tx,
            DESK,
            email=email,
            name=name,
            role_id=roles.named(tx, role).id,
            language=language,
            languages=("en", language),
        )
        samples.mark(tx, "agent", agent_id, key)
    for key, (name, members) in TEAMS.items():
        team_id = teams.create(tx, DESK, f"{name} (sample)")
        samples.mark(tx, "team", team_id, key)
        for member in members:
            teams.add_member(tx, DESK, team_id, _must(tx, "agent", member))
    for key, (name, team, look) in INBOXES.items():
        for kind, live in ways():
            settings: dict[str, Any] = {"routing": "claim", **({**look, "offline": "never"} if live else {})}
            made = inboxes.create(
                tx,
                DESK,
                kind=kind,
                name=f"{name} (sample)" if live else f"{name}, {kinds.load(kind).title.lower()} (sample)",
                settings=settings,
                team_id=_must(tx, "team", team),
            )
            samples.mark(tx, "inbox", made.id, f"{key} {LIVE if live else LETTER}")


def ways() -> list[tuple[str, bool]]:
    """(a channel, is it live): one that is live, one with a form. Imports connectors, so asked before the unit."""
    live = next(k.kind for k in kinds.known() if kinds.features(k.kind).live)
    form = next(k.kind for k in kinds.known() if kinds.features(k.kind).form)
    return [(live, True), (form, False)]


def caller(rx: Rx, key: str) -> Caller:
    agent_id = _must(rx, "agent", key)
    grants = access.load(rx, agent_id)
    return DESK if grants is None else Caller(Actor("agent", agent_id), grants)


def agent_id(rx: Rx, key: str) -> int:
    return _must(rx, "agent", key)


def _must(rx: Rx, kind: str, key: str) -> int:
    found = samples.called(rx, kind, key)
    assert found is not None, f"the cast has no {kind} {key}"
    return found
