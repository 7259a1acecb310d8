"""What an administrator does at the command line. Runs inside the running desk (hub.web.control hands it on), or, while
none runs, inside a desk that hub.cli opens for it. Each takes JSON and gives JSON."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import msgspec

from hub.clock import Clock
from hub.commands import exports as csv
from hub.config import Config
from hub.db.s3 import contents_of
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import exports, outbox
from hub.desk.exports import Sheet
from hub.desk.sheet import MARK, lines
from hub.errors import Refusal, invalid, not_found
from hub.sample import clear as sample_clear
from hub.sample import load as sample_load
from hub.staff import agents, links, one_time, passwords, roles, two_factor
from hub.staff.access import DESK

LAST: Final = {
    "tickets": "SELECT COALESCE(MAX(id), 0) FROM ticket",
    "contacts": "SELECT COALESCE(MAX(id), 0) FROM contact",
}
Progress = Callable[[str, int, int], None]  # what is being done, how much of it is, how much it is in all


class Desk(Protocol):
    @property
    def config(self) -> Config: ...
    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...


Operation = Callable[[Desk, Mapping[str, Any], Progress], Awaitable[dict[str, Any]]]


async def create_agent(desk: Desk, asked: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    """With a password, or without one and with a link by which they choose it."""
    email, name, password = str(asked["email"]), str(asked["name"]), asked.get("password")
    hashed = None
    if password:
        passwords.check(str(password), about=(email, name))
        hashed = await passwords.hash_password(str(password))

    def create(tx: Tx) -> tuple[int, str | None]:
        role = roles.named(tx, str(asked["role"]))
        agent_id = agents.create(tx, DESK, email=email, name=name, role_id=role.id, password_hash=hashed)
        return agent_id, None if hashed else links.create(tx, "password", agent_id)

    agent_id, secret = await desk.store.write(create)
    link = f"{desk.config.public_url}/join/{secret}" if secret else None
    return {"agent_id": agent_id, "link": link}


async def reset_two_factor(desk: Desk, asked: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    """For the last administrator, whom nobody else can help."""

    def reset(tx: Tx) -> None:
        agent_id = agents.by_email(tx, str(asked["email"]))
        if agent_id is None:
            raise not_found("agent")
        two_factor.reset(tx, DESK, agent_id)

    await desk.store.write(reset)
    return {}


async def setup_link(desk: Desk, _asked: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    secret = await desk.store.write(one_time.first_administrator_link)
    if secret is None:
        raise Refusal("conflict", "There is an administrator already. `parley agent create` makes another.")
    return {"link": f"{desk.config.public_url}/setup/{secret}"}


async def release_outbox(desk: Desk, _asked: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    def release(tx: Tx) -> bool:
        was = outbox.is_frozen(tx)
        outbox.thaw(tx, DESK)
        return was

    return {"was_frozen": await desk.store.write(release)}


async def back_up(desk: Desk, asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from hub.db.backup import create

    path = Path(str(asked["path"]))
    if not path.is_absolute():
        raise invalid("path", "Give the whole path of the backup.")
    contents = contents_of(desk.config, desk.clock.now)
    return await create(desk.store, path, lambda done, all: progress("copying", done, all), contents)


async def export(desk: Desk, asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """A list as CSV in a new file, whole or not at all. `filter`: name → text, as in the query of the API."""
    noun, path = str(asked["what"]), Path(str(asked["path"]))
    if not path.is_absolute():
        raise invalid("path", "Give the whole path of the file.")
    if noun not in csv.BY_NOUN:
        raise invalid("what", "There are: " + ", ".join(csv.BY_NOUN) + ".")
    try:
        request = csv.asked(noun, dict(asked.get("filter", {})))
    except msgspec.ValidationError as error:
        raise invalid("filter", f"This filter is wrong: {error}.") from None
    sheet: Sheet = await desk.store.read(csv.BY_NOUN[noun].read, DESK, request)  # type: ignore[arg-type]
    await desk.store.write(exports.note, DESK, noun)
    new, file = await asyncio.to_thread(_new_file, path)
    rows, after, last = 0, 0, await desk.store.read(lambda rx: rx.value(LAST[noun]))
    try:
        await asyncio.to_thread(file.write, MARK.encode() + lines([sheet.head], request.separator))
        while True:
            found = await desk.store.read(sheet.slice, DESK, after)
            await asyncio.to_thread(lambda: file.write(lines(found.rows, request.separator)))  # noqa: B023
            rows += len(found.rows)
            if found.after is None:
                break
            after = found.after
            progress("writing", min(after, last), last + 1)
        size = await asyncio.to_thread(_keep, file, new, path)
    except BaseException:
        await asyncio.to_thread(_drop, file, new)
        raise
    progress("writing", last + 1, last + 1)
    return {"path": str(path), "rows": rows, "bytes": size}


def _new_file(path: Path) -> tuple[Path, BinaryIO]:
    if os.path.lexists(path):
        raise Refusal("conflict", f"There is something at {path} already. Choose another name.")
    new = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        return new, os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
    except OSError as error:
        raise Refusal("invalid", f"Cannot write to {path.parent}: {error.strerror}.") from None


def _keep(file: BinaryIO, new: Path, path: Path) -> int:
    try:
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
        file.close()
        os.link(new, path)  # unlike a rename, never over what has come there meanwhile
        new.unlink()
    except OSError as error:
        raise Refusal("invalid", f"Cannot write {path}: {error.strerror}.") from None
    return size


def _drop(file: BinaryIO, new: Path) -> None:
    file.close()
    new.unlink(missing_ok=True)


async def examine(desk: Desk, _asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from hub import doctor

    return {"findings": [finding.as_json() for finding in await doctor.look(desk, progress)]}


async def load_sample(desk: Desk, _asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Two weeks of a made-up desk."""
    begun = await desk.store.write(sample_load.start, DESK)
    await _follow(desk, sample_load.go_on, "playing", progress)
    return {"steps": begun.of}


async def clear_sample(desk: Desk, _asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """All of it, and nothing else."""
    begun = await desk.store.write(sample_clear.start, DESK)
    await _follow(desk, sample_clear.go_on, "removing", progress)
    return {"things": begun.of}


async def _follow(desk: Desk, go_on: Callable[[Tx], None], what: str, progress: Progress) -> None:
    """Does what the job does, unit by unit: at the command line none runs, and where one does they take turns, for each
    unit begins where the record says."""
    while (now := await desk.store.read(sample_load.state)).state in ("loading", "clearing"):
        progress(what, now.done, now.of)
        await desk.store.write_later(go_on)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "agent.create": create_agent,
    "agent.reset_two_factor": reset_two_factor,
    "link": setup_link,
    "outbox.release": release_outbox,
    "backup": back_up,
    "export": export,
    "doctor": examine,
    "sample.load": load_sample,
    "sample.clear": clear_sample,
}
