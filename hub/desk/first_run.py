"""The first run: what a new desk's administrator is led through, how far they are, and what they tried.

A step is done when it was gone through or left out on purpose. What was tried is found among the newest events, so it
ticks by itself whatever door it came through; a tick once found is kept.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from hub.db.tx import Rx, Tx
from hub.desk import inboxes, kinds
from hub.desk.inboxes import Inbox
from hub.events import FeedbackRecorded, MessageReceived, MessageSent, NoteWritten, TicketResolved
from hub.people import samples
from hub.staff import organisation
from hub.staff.access import Caller, require_permission

MANAGE: Final = organisation.MANAGE
STEPS: Final = ("ways", "look", "try", "site", "colleagues")
_OF_A_CHAT: Final = ("look", "site")
TRIED: Final = {
    "received": MessageReceived.name,
    "answered": MessageSent.name,
    "noted": NoteWritten.name,
    "resolved": TicketResolved.name,
    "rated": FeedbackRecorded.name,
}
_RECENT: Final = 3_000  # events looked through; a new desk has fewer

_GET = "SELECT value FROM setting WHERE name = 'first_run'"
_PUT = """
INSERT INTO setting (name, value) VALUES ('first_run', :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
_NEWEST = f"""
SELECT DISTINCT name FROM (SELECT name, at FROM event ORDER BY id DESC LIMIT {_RECENT}) AS newest
WHERE at >= :since"""
_HAS_TICKETS = "SELECT 1 FROM ticket WHERE inbox_id = :inbox_id LIMIT 1"


class FirstRun(msgspec.Struct, frozen=True, omit_defaults=True):
    """`since`: when it began; a desk that was set up before there was a first run has none, and is not asked to."""

    done: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    since: int = 0
    dismissed: bool = False


# --- how far it is ---------------------------------------------------------------------------------------------------


def read(rx: Rx) -> FirstRun:
    stored = rx.value(_GET)
    return FirstRun() if stored is None else msgspec.json.decode(stored, type=FirstRun)


def steps(rx: Rx) -> tuple[str, ...]:
    """Without those that are about a chat where none was chosen."""
    chat = live_inbox(rx) is not None
    return tuple(step for step in STEPS if chat or step not in _OF_A_CHAT)


def left(rx: Rx) -> dict[str, int] | None:
    """How many of how many steps are done; None when nothing is to point to them (any longer)."""
    run = read(rx)
    if run.dismissed or not run.since:
        return None
    wanted = steps(rx)
    done = sum(step in run.done for step in wanted)
    return {"done": done, "of": len(wanted)} if done < len(wanted) else None


def begin(tx: Tx) -> None:
    """With the first administrator."""
    _keep(tx, FirstRun(since=tx.now))


def finish(tx: Tx, caller: Caller, step: str) -> None:
    """Gone through, or left out."""
    require_permission(caller, MANAGE)
    run = read(tx)
    if step in STEPS and step not in run.done:
        _keep(tx, msgspec.structs.replace(run, done=(*run.done, step)))


def dismiss(tx: Tx, caller: Caller) -> None:
    """Nothing in the console points back to it any longer; its pages stay."""
    require_permission(caller, MANAGE)
    _keep(tx, msgspec.structs.replace(read(tx), dismissed=True))


def tried(rx: Rx, run: FirstRun) -> tuple[str, ...]:
    """What of TRIED has happened since it began."""
    if len(run.tried) == len(TRIED) or not run.since:
        return run.tried
    happened = {row[0] for row in rx.rows(_NEWEST, since=run.since)}
    return tuple(what for what, name in TRIED.items() if what in run.tried or name in happened)


def keep_tried(tx: Tx) -> None:
    """What has been tried stays so, however many events come after. On a desk that was set up without a first run it
    begins when somebody opens its pages."""
    run = read(tx)
    if not run.since:
        _keep(tx, msgspec.structs.replace(run, since=tx.now))
        return
    found = tried(tx, run)
    if found != run.tried:
        done = (*run.done, "try") if set(found) >= {"received", "answered"} and "try" not in run.done else run.done
        _keep(tx, msgspec.structs.replace(run, tried=found, done=done))


def _keep(tx: Tx, run: FirstRun) -> None:
    tx.run(_PUT, value=msgspec.json.encode(run).decode())


# --- by which ways customers come ------------------------------------------------------------------------------------


def ways(rx: Rx) -> list[tuple[kinds.Kind, Inbox | None]]:
    """Each channel that works without anything having to be set, with its oldest inbox, if it has one that is on."""
    on: dict[str, Inbox] = {}
    for inbox in sorted(real_inboxes(rx), key=lambda one: one.id):
        if inbox.enabled:
            on.setdefault(inbox.kind, inbox)
    return [(kind, on.get(kind.kind)) for kind in kinds.known() if _is_simple(kind.kind)]


def real_inboxes(rx: Rx) -> list[Inbox]:
    """Without those of the sample data: what is set up here, and what strangers are shown, is never theirs."""
    made_up = set(samples.of_kind(rx, "inbox"))
    return [inbox for inbox in inboxes.all_of_them(rx) if inbox.id not in made_up]


def choose(tx: Tx, caller: Caller, wanted: Iterable[str], name_of: dict[str, str]) -> None:
    """Those wanted have an inbox that is on, the others none that nobody has written to: so they are seen nowhere."""
    require_permission(caller, inboxes.MANAGE)
    wanted = set(wanted)
    everything = real_inboxes(tx)
    for kind, _ in ways(tx):
        own = sorted((one for one in everything if one.kind == kind.kind), key=lambda one: one.id)
        if kind.kind in wanted and not any(one.enabled for one in own):
            if own:
                inboxes.change(tx, caller, own[0].id, enabled=True)
            else:
                inboxes.create(tx, caller, kind=kind.kind, name=name_of[kind.kind])
        elif kind.kind not in wanted:
            for one in own:
                if one.enabled and tx.value(_HAS_TICKETS, inbox_id=one.id) is None:
                    inboxes.change(tx, caller, one.id, enabled=False)
    finish(tx, caller, "ways")


def live_inbox(rx: Rx) -> Inbox | None:
    """The chat that the first run is about: the oldest that is on."""
    return next((inbox for kind, inbox in ways(rx) if inbox is not None and inbox.features.live), None)


def _is_simple(kind: str) -> bool:
    features = kinds.features(kind)
    return features.live or features.form
