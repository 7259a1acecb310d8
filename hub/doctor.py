"""`parley doctor`: looks at everything that can be wrong with a desk, and says for each what to do about it.

Runs inside the running desk, or in one opened for it. It changes nothing.
"""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Any, Final, Literal, Protocol

import msgspec

from hub import machine
from hub.clock import MINUTE, Clock
from hub.config import Config
from hub.db import examine, figures, migrate
from hub.db.contents import Contents
from hub.db.s3 import contents_of
from hub.db.store import Store
from hub.desk import inboxes, outbox
from hub.desk.files import ageing

State = Literal["ok", "warn", "fail"]
Progress = Callable[[str, int, int], None]

STUCK_MS: Final = 15 * MINUTE
LATE_MS: Final = 5 * MINUTE
CLOCK_OFF_MS: Final = 5_000
EARLIEST: Final = 1_700_000_000_000  # a clock that says less was never set
LITTLE_SPACE: Final = 1_000_000_000
NO_SPACE: Final = 256_000_000


class Desk(Protocol):
    @property
    def config(self) -> Config: ...
    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...


class Finding(msgspec.Struct, frozen=True):
    what: str
    state: State
    text: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        return dict(msgspec.to_builtins(self))


Check = Callable[[Desk], Awaitable[list[Finding]]]


async def look(desk: Desk, progress: Progress, but: Collection[str] = ()) -> list[Finding]:
    """`but`: which checks to leave out."""
    found: list[Finding] = []
    for done, (what, check) in enumerate(CHECKS.items()):
        if what in but:
            continue
        progress(what, done, len(CHECKS))
        try:
            found += await check(desk)
        except Exception as error:
            found.append(Finding(what, "fail", f"could not be looked at ({type(error).__name__})", "See the log."))
    return found


def worst(found: list[Finding]) -> State:
    states = {finding.state for finding in found}
    return "fail" if "fail" in states else "warn" if "warn" in states else "ok"


# --- settings and machine --------------------------------------------------------------------------------------------


async def settings(desk: Desk) -> list[Finding]:
    config, found = desk.config, []
    if config.insecure_dev:
        found.append(Finding("settings", "warn", "INSECURE_DEV is on", "Take it out before people use this desk."))
    if not config.is_https and not config.public_url.startswith(("http://127.", "http://localhost", "http://[::1]")):
        text = f"people reach the desk by {config.public_url}, without HTTPS"
        found.append(Finding("settings", "warn", text, "Put a proxy with a certificate in front; set PUBLIC_URL."))
    if os.geteuid() == 0:
        found.append(Finding("settings", "warn", "runs as root", "Give it a user of its own."))
    return found or [Finding("settings", "ok", f"reached by {config.public_url}")]


async def key_file(desk: Desk) -> list[Finding]:
    path = desk.config.secret_key_file
    mode = (await asyncio.to_thread(path.stat)).st_mode & 0o777
    if mode & 0o077:
        return [Finding("key file", "warn", f"others may read {path} ({mode:o})", f"chmod 600 {path}")]
    return [Finding("key file", "ok", f"{path}, for its owner only; keep a copy elsewhere")]


async def disk(desk: Desk) -> list[Finding]:
    free = (await asyncio.to_thread(shutil.disk_usage, desk.config.data)).free
    kind = await asyncio.to_thread(machine.file_system, desk.config.data)
    text = f"{free / 1e9:.1f} GB free under {desk.config.data}"
    found = []
    if kind in machine.REMOTE and desk.config.is_sqlite:
        found.append(Finding("disk", "fail", f"{desk.config.data} is on {kind}", "SQLite needs a local disk."))
    if kind in machine.FLEETING:
        found.append(Finding("disk", "warn", f"{desk.config.data} is in memory ({kind})", "A restart empties it."))
    if free < LITTLE_SPACE:
        found.append(Finding("disk", "fail" if free < NO_SPACE else "warn", text, "Make room, or nothing is taken."))
    return found or [Finding("disk", "ok", text)]


async def clock(desk: Desk) -> list[Finding]:
    ours = desk.clock.now()
    if ours < EARLIEST:
        return [Finding("clock", "fail", "this machine's clock was never set", "Let it be set (NTP), then restart.")]
    off = abs(await desk.store.read(lambda rx: rx.now) - ours)
    if off > CLOCK_OFF_MS:
        text = f"this machine and the database disagree by {off / 1000:.0f} s"
        return [Finding("clock", "warn", text, "Let both be set (NTP).")]
    last = await desk.store.read(examine.newest_event)
    if last is not None and last > ours + CLOCK_OFF_MS:
        text = f"something was written {(last - ours) / 1000:.0f} s in the future: the clock was set back"
        return [Finding("clock", "warn", text, "Timers wait that much longer. Let it be set by NTP.")]
    return [Finding("clock", "ok", "agrees with the database")]


# --- the database ----------------------------------------------------------------------------------------------------


async def schema(desk: Desk) -> list[Finding]:
    have, newest = await migrate.version(desk.store.backend), len(await asyncio.to_thread(migrate.known))
    if have != newest:
        return [Finding("schema", "fail", f"{have}, this version needs {newest}", "Start the desk: it brings it up.")]
    return [Finding("schema", "ok", f"version {have}")]


async def durability(desk: Desk) -> list[Finding]:
    wrong = await desk.store.backend.in_writer(lambda s: examine.durability(s, desk.store.backend.name))
    if wrong:
        said = ", ".join(f"{name} is {value}" for name, value in wrong.items())
        return [Finding("durability", "fail", said, "What is acknowledged could be lost. Restart the desk.")]
    return [Finding("durability", "ok", "what is acknowledged is on disk")]


async def integrity(desk: Desk) -> list[Finding]:
    advice = "Stop the desk, keep the files as they are, and restore a backup."
    wrong = await desk.store.read(examine.integrity, desk.store.backend.name)
    if wrong:
        return [Finding("integrity", "fail", line, advice) for line in wrong[:10]]
    return [Finding("integrity", "ok", "every page and every reference holds")]


async def counters(desk: Desk) -> list[Finding]:
    advice = "Lists show a wrong number until this is mended. Please report it: it should not be possible."
    tickets, loads = await desk.store.read(lambda rx: (examine.wrong_ticket_counts(rx), examine.wrong_loads(rx)))
    found = []
    if tickets:
        found.append(Finding("counters", "fail", f"{len(tickets)} counts of tickets differ from a recount", advice))
    if loads:
        who = ", ".join(f"agent {agent}: {kept} instead of {true}" for agent, kept, true in loads[:5])
        found.append(Finding("counters", "fail", f"loads differ from a recount ({who})", advice))
    return found or [Finding("counters", "ok", "kept counts and recounts agree")]


# --- the work --------------------------------------------------------------------------------------------------------


async def queue(desk: Desk) -> list[Finding]:
    now, frozen, stuck = await desk.store.read(
        lambda rx: (figures.machinery(rx), outbox.is_frozen(rx), examine.stuck_deliveries(rx, STUCK_MS))
    )
    return list(_queue(now, frozen, stuck))


def _queue(now: figures.Machinery, frozen: bool, stuck: int) -> Iterator[Finding]:
    if frozen:
        advice = "Look through what waits, then `parley outbox release`."
        yield Finding("outbox", "warn", "frozen since a restore: nothing leaves", advice)
    else:
        yield Finding("outbox", "ok", "open")
    if now.dead:
        yield Finding(
            "jobs",
            "warn",
            f"{now.dead} failed for good",
            "Retry or drop them: Settings, Failed jobs (GET /api/v1/jobs/dead) shows why.",
        )
    if now.oldest_job_ms > LATE_MS and not frozen:
        text = f"one has been due for {now.oldest_job_ms // MINUTE} min"
        yield Finding("jobs", "warn", text, "Is a desk running? Its log says what it does.")
    if not now.dead and (now.oldest_job_ms <= LATE_MS or frozen):
        yield Finding("jobs", "ok", f"{sum(now.jobs.values())} waiting, none dead")
    if stuck:
        text = f"{stuck} in 'sending' for more than {STUCK_MS // MINUTE} min"
        yield Finding("deliveries", "warn", text, "Nobody knows whether they arrived; a restart asks where it can.")
    if now.deliveries["unknown"]:
        text = f"{now.deliveries['unknown']} may or may not have arrived"
        yield Finding("deliveries", "warn", text, "A person decides for each whether to send again.")
    if now.unended:
        text = f"{now.unended} have not come to their end for more than a day"
        yield Finding("deliveries", "warn", text, "Settings, Outbox shows them with what can be done.")
    if not stuck and not now.unended and not now.deliveries["unknown"]:
        yield Finding("deliveries", "ok", f"{now.deliveries['queued']} queued, none in doubt")
    if now.quarantined:
        text = f"{now.quarantined} came in and could not be understood"
        yield Finding(
            "quarantine", "warn", text, "They are kept: Settings, Quarantine (GET /api/v1/quarantine) shows why."
        )
    else:
        yield Finding("quarantine", "ok", "empty")


async def inbox_health(desk: Desk) -> list[Finding]:
    found = []
    for inbox in await desk.store.read(inboxes.all_of_them):
        for way, health in (("in", inbox.health_in), ("out", inbox.health_out)):
            if inbox.enabled and health.error:
                text = f"{inbox.name!r}, way {way}: {health.error}"
                found.append(Finding("inboxes", "warn", text, "Look at its settings; `check` tries them."))
    return found or [Finding("inboxes", "ok", "all that are enabled work, as far as they were used")]


async def files(desk: Desk) -> list[Finding]:
    """What the record names lies in the folder, whole; what lies there besides goes by itself."""
    contents = contents_of(desk.config, desk.clock.now)
    missing, broken, after, count = 0, 0, 0, 0
    while page := await desk.store.read(ageing.contents, after):
        wrong = await asyncio.to_thread(_wrong_sizes, contents, page)
        missing, broken, after, count = missing + wrong[0], broken + wrong[1], page[-1][0], count + len(page)
    advice = f"Bring {contents!r} back from a backup; what is gone answers that it is not there any more."
    found = []
    if missing:
        found.append(Finding("files", "fail", f"{missing} of {count} are missing from {contents!r}", advice))
    if broken:
        found.append(Finding("files", "fail", f"{broken} of {count} are not as large as they were", advice))
    old = await asyncio.to_thread(contents.old) if count or await asyncio.to_thread(contents.root.is_dir) else []
    orphans = len(old) - len(await desk.store.read(ageing.known, old))
    if orphans:
        text = f"{orphans} contents that nothing names any longer lie in {contents!r}"
        found.append(Finding("files", "ok", text + "; the next tidying takes them away"))
    return found or [Finding("files", "ok", f"{count} contents, all there")]


def _wrong_sizes(contents: Contents, page: list[tuple[int, str, int]]) -> tuple[int, int]:
    missing = broken = 0
    for _, name, size in page:
        found = contents.size_of(name)
        missing += found is None
        broken += found is not None and found != size
    return missing, broken


CHECKS: Final[Mapping[str, Check]] = {
    "settings": settings,
    "key file": key_file,
    "disk": disk,
    "clock": clock,
    "schema": schema,
    "durability": durability,
    "integrity": integrity,
    "counters": counters,
    "files": files,
    "queue": queue,
    "inboxes": inbox_health,
}
